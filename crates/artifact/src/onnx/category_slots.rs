use spinney_preprocess::{Drop, StepKind, Unseen};

use super::{cannot_express, features::check_word};
use crate::Result;

/// Where a one-hot step has its 1, word by word.
pub(super) struct CategorySlots<'a> {
    slots: Vec<(&'a str, i64)>,
    /// The slot of a word that is not listed.
    pub(super) unseen: i64,
    /// Features in the block.
    pub(super) n_features: i64,
}

impl<'a> CategorySlots<'a> {
    /// The slot of a row without a 1.
    pub(super) const NONE: i64 = -1;

    pub(super) fn new(
        column: &str,
        categories: &'a [String],
        infrequent: &'a [String],
        drop: Option<Drop>,
        unseen: Unseen,
    ) -> Result<Self> {
        for word in categories.iter().chain(infrequent) {
            check_word(word, column, StepKind::OneHot)?;
        }
        let n_frequent = categories.len() as i64;
        let n_outputs = n_frequent + i64::from(!infrequent.is_empty());
        let n_dropped = match drop {
            None => 0,
            Some(Drop::First) => 1,
            Some(Drop::IfBinary) => i64::from(n_outputs == 2),
            Some(_) => return Err(unknown_option(column)),
        };
        // With the first output left out, its slot is the one before the first: none.
        let slot = |output: i64| output - n_dropped;
        let frequent =
            categories.iter().zip(0..).map(|(word, output)| (word.as_str(), slot(output)));
        let rare = infrequent.iter().map(|word| (word.as_str(), slot(n_frequent)));
        let unseen = match unseen {
            Unseen::Infrequent if !infrequent.is_empty() => slot(n_frequent),
            Unseen::Infrequent | Unseen::Zero => Self::NONE,
            _ => return Err(unknown_option(column)),
        };
        let slots = frequent.chain(rare).collect();
        Ok(Self { slots, unseen, n_features: n_outputs - n_dropped })
    }

    pub(super) fn words(&self) -> Vec<(&'a str, i64)> {
        self.slots.clone()
    }
}

fn unknown_option(column: &str) -> crate::Error {
    let part = format!("the step `{}` on column `{column}`", StepKind::OneHot);
    cannot_express(part, "there are no operators for one of its options here")
}
