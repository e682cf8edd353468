use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, StepKind};

/// One feature per category of a column: 1 in the rows that hold it, else 0.
///
/// Categories are learned from the training rows and sorted by code point; the features are named
/// `{column}_{category}`. A missing value gives zeros throughout.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Drop, OneHot, Unseen};
///
/// let rare_together = OneHot::new().min_frequency(10).unseen(Unseen::Infrequent);
/// let two_as_one = OneHot::new().drop(Drop::IfBinary);
/// # let _ = (rare_together, two_as_one);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct OneHot {
    min_frequency: Option<usize>,
    max_categories: Option<usize>,
    pub(crate) drop: Option<Drop>,
    pub(crate) unseen: Unseen,
}

/// Which feature of a block to leave out, so that the others determine it.
///
/// In the rows that hold the dropped category all of the block is zero, as it is for missing and
/// unseen ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Drop {
    /// The first.
    First,
    /// The first, if there are exactly two.
    IfBinary,
}

/// What to make of a category that training did not show. It is counted in the report either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unseen {
    /// All zeros: `handle_unknown="ignore"` in scikit-learn, `reindex(columns=..., fill_value=0)`
    /// in pandas.
    #[default]
    Zero,
    /// The feature of infrequent categories; all zeros if there is none. scikit-learn:
    /// `"infrequent_if_exist"`.
    Infrequent,
}

impl OneHot {
    /// A feature for every category, zeros for unseen ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// Collects categories of fewer than `n` rows in one feature, `{column}_infrequent_sklearn`,
    /// the last of its block.
    pub fn min_frequency(self, n: usize) -> Self {
        Self { min_frequency: Some(n), ..self }
    }

    /// Limits the number of features, the one for infrequent categories included; the rarest
    /// categories are collected in it, of equally rare ones the first in code point order.
    ///
    /// As in scikit-learn there is such a feature even when the categories are exactly `n`.
    pub fn max_categories(self, n: usize) -> Self {
        Self { max_categories: Some(n), ..self }
    }

    /// Leaves out a feature.
    pub fn drop(self, drop: Drop) -> Self {
        Self { drop: Some(drop), ..self }
    }

    /// Says what an unseen category becomes, [`Unseen::Zero`] at first.
    pub fn unseen(self, unseen: Unseen) -> Self {
        Self { unseen, ..self }
    }

    pub(crate) fn check(&self, column: &str) -> Result<()> {
        let limits =
            [("min_frequency", self.min_frequency), ("max_categories", self.max_categories)];
        match limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
            None => Ok(()),
            Some((option, _)) => {
                Err(Error::ZeroLimit { step: StepKind::OneHot, column: column.to_owned(), option })
            }
        }
    }

    /// Parts the categories into frequent and infrequent ones: scikit-learn's
    /// `_identify_infrequent`.
    pub(crate) fn learn(&self, counts: &BTreeMap<&str, usize>) -> (Vec<String>, Vec<String>) {
        let mut categories: Vec<Category<'_>> = counts
            .iter()
            .map(|(&name, &count)| Category {
                name,
                count,
                infrequent: self.min_frequency.is_some_and(|least| count < least),
            })
            .collect();
        let n_frequent = categories.iter().filter(|category| !category.infrequent).count();
        if let Some(most) = self.max_categories
            && most < n_frequent + 1
        {
            let n_rare = categories.len().saturating_sub(most.saturating_sub(1));
            let mut by_count: Vec<_> = categories.iter_mut().collect();
            by_count.sort_by_key(|category| category.count); // stable: ties stay in code point order
            for category in by_count.into_iter().take(n_rare) {
                category.infrequent = true;
            }
        }
        let (infrequent, frequent): (Vec<_>, Vec<_>) =
            categories.into_iter().partition(|category| category.infrequent);
        let names = |categories: Vec<Category<'_>>| {
            categories.into_iter().map(|category| category.name.to_owned()).collect()
        };
        (names(frequent), names(infrequent))
    }
}

struct Category<'a> {
    name: &'a str,
    count: usize,
    infrequent: bool,
}

/// The features of one encoded column, and how to reach them from a word.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The feature names.
    pub(crate) names: Vec<String>,
    /// For each known category its feature, `None` if that is left out.
    slots: BTreeMap<String, Option<usize>>,
    unseen: Option<usize>,
}

/// Where a row of a block has its 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) feature: Option<usize>,
    pub(crate) unseen: bool,
}

impl Slot {
    /// A missing value: all zeros, and nothing to report.
    pub(crate) const MISSING: Self = Self { feature: None, unseen: false };
}

impl Block {
    pub(crate) fn new(
        column: &str,
        categories: &[String],
        infrequent: &[String],
        drop: Option<Drop>,
        unseen: Unseen,
    ) -> Result<Self> {
        check_categories(column, categories, infrequent)?;
        let n_outputs = categories.len() + usize::from(!infrequent.is_empty());
        let n_dropped = match drop {
            Some(Drop::First) => 1,
            Some(Drop::IfBinary) if n_outputs == 2 => 1,
            Some(Drop::IfBinary) | None => 0,
        };
        let slot = |output: usize| output.checked_sub(n_dropped);

        let rest = (!infrequent.is_empty()).then_some("infrequent_sklearn");
        let outputs = categories.iter().map(String::as_str).chain(rest);
        let names = outputs.skip(n_dropped).map(|output| format!("{column}_{output}")).collect();

        let frequent = categories.iter().zip(0..).map(|(name, output)| (name, slot(output)));
        let rare = infrequent.iter().map(|name| (name, slot(categories.len())));
        let slots = frequent.chain(rare).map(|(name, slot)| (name.clone(), slot)).collect();
        let unseen = match unseen {
            Unseen::Infrequent if !infrequent.is_empty() => slot(categories.len()),
            Unseen::Infrequent | Unseen::Zero => None,
        };
        Ok(Self { names, slots, unseen })
    }

    pub(crate) fn slot(&self, word: &str) -> Slot {
        match self.slots.get(word) {
            Some(&feature) => Slot { feature, unseen: false },
            None => Slot { feature: self.unseen, unseen: true },
        }
    }
}

/// Checks that both lists are sorted and have no category in common.
fn check_categories(column: &str, categories: &[String], infrequent: &[String]) -> Result<()> {
    let (step, column) = (StepKind::OneHot, column.to_owned());
    if categories.is_empty() && infrequent.is_empty() {
        return Err(Error::NoCategories { step, column });
    }
    let mut all: Vec<&String> = categories.iter().chain(infrequent).collect();
    all.sort_unstable();
    for (category, next) in all.iter().zip(all.iter().skip(1)) {
        if category == next {
            let category = (*category).clone();
            return Err(Error::DuplicateCategory { step, column, category });
        }
    }
    if !categories.is_sorted() || !infrequent.is_sorted() {
        return Err(Error::UnsortedCategories { step, column });
    }
    Ok(())
}
