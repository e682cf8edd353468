use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{ColumnKind, Error, Result};

/// One column of a [`Table`](crate::Table).
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Column, InputSchema, Table};
///
/// let schema = InputSchema::builder().numeric(["Area"]).categorical(["Street"]).build()?;
/// let table = Table::from_csv_reader("Street,Area\nPave,900\nNA,\n".as_bytes(), &schema)?;
/// for (name, column) in table.columns() {
///     match column {
///         Column::Numeric(values) => assert!(values[0] == 900.0 && values[1].is_nan()),
///         Column::Categorical(words) => assert_eq!((words.get(0), words.get(1)), (Some("Pave"), None)),
///         _ => unreachable!("{name} is of a kind to come"),
///     }
/// }
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Column {
    /// Finite numbers; NaN where the value is missing.
    Numeric(Vec<f64>),
    /// Words, by reference to a dictionary.
    Categorical(CategoricalColumn),
}

impl Column {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Categorical(column) => column.len(),
        }
    }

    /// Tells whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what the column holds.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Numeric(_) => ColumnKind::Numeric,
            Self::Categorical(_) => ColumnKind::Categorical,
        }
    }

    /// Returns the numbers of a numeric column, NaN where missing.
    #[must_use]
    pub fn as_numeric(&self) -> Option<&[f64]> {
        match self {
            Self::Numeric(values) => Some(values),
            Self::Categorical(_) => None,
        }
    }

    /// Returns the words of a categorical column.
    #[must_use]
    pub fn as_categorical(&self) -> Option<&CategoricalColumn> {
        match self {
            Self::Numeric(_) => None,
            Self::Categorical(column) => Some(column),
        }
    }

    /// Counts the missing values.
    #[must_use]
    pub fn n_missing(&self) -> usize {
        match self {
            Self::Numeric(values) => values.iter().filter(|value| value.is_nan()).count(),
            Self::Categorical(column) => column.iter().filter(Option::is_none).count(),
        }
    }

    /// Copies the given rows, all of which must exist.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numeric(values) => {
                Self::Numeric(rows.iter().filter_map(|&row| values.get(row).copied()).collect())
            }
            Self::Categorical(column) => Self::Categorical(column.take(rows)),
        }
    }
}

/// A column of words: a dictionary, and for each row a place in it or none where the value is
/// missing.
///
/// Whether a word was seen in training is not known here: that is for a
/// [`FittedPreprocessor`](crate::FittedPreprocessor) to say.
#[derive(Debug, Clone)]
pub struct CategoricalColumn {
    /// Words in order of first appearance, shared with the columns this one was taken from: it may
    /// hold words no row uses.
    dictionary: Arc<Vec<Arc<str>>>,
    /// 0 where missing, else the place in the dictionary plus one.
    codes: Vec<u32>,
}

impl CategoricalColumn {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Tells whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Returns the word in a row: `None` if it is missing or there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.word(*self.codes.get(row)?)
    }

    /// Returns the words row by row, `None` where missing.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.codes.iter().map(|&code| self.word(code))
    }

    /// Computes one value per row, `missing` for the missing ones, asking `of` once per word or
    /// once per row, whichever is less.
    pub(crate) fn map<T: Clone>(&self, missing: T, mut of: impl FnMut(&str) -> T) -> Vec<T> {
        if self.codes.len() <= self.dictionary.len() {
            return self.iter().map(|word| word.map_or_else(|| missing.clone(), &mut of)).collect();
        }
        let mut by_code = vec![missing.clone()];
        by_code.extend(self.dictionary.iter().map(AsRef::as_ref).map(of));
        let value = |&code: &u32| by_code.get(code as usize).unwrap_or(&missing).clone();
        self.codes.iter().map(value).collect()
    }

    /// Counts the rows of each word that some row holds, in code point order.
    pub(crate) fn counts(&self) -> BTreeMap<&str, usize> {
        let mut by_code = vec![0; self.dictionary.len() + 1];
        for &code in &self.codes {
            if let Some(count) = by_code.get_mut(code as usize) {
                *count += 1;
            }
        }
        let words = self.dictionary.iter().map(AsRef::as_ref);
        words.zip(by_code.into_iter().skip(1)).filter(|&(_, count)| count > 0).collect()
    }

    /// Sets the missing values to `word`.
    pub(crate) fn fill(&mut self, column: &str, word: &str) -> Result<()> {
        if !self.codes.contains(&0) {
            return Ok(());
        }
        let place = self.dictionary.iter().position(|known| **known == *word);
        let code = code_at(place.unwrap_or(self.dictionary.len()), column)?;
        if place.is_none() {
            Arc::make_mut(&mut self.dictionary).push(word.into());
        }
        for missing in self.codes.iter_mut().filter(|code| **code == 0) {
            *missing = code;
        }
        Ok(())
    }

    fn word(&self, code: u32) -> Option<&str> {
        let place = (code as usize).checked_sub(1)?;
        self.dictionary.get(place).map(AsRef::as_ref)
    }

    fn take(&self, rows: &[usize]) -> Self {
        Self {
            dictionary: Arc::clone(&self.dictionary),
            codes: rows.iter().filter_map(|&row| self.codes.get(row).copied()).collect(),
        }
    }
}

/// Equal if every row holds the same word, however the dictionaries are arranged.
impl PartialEq for CategoricalColumn {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for CategoricalColumn {}

/// Grows a [`Column`] row by row.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Numeric(Vec<f64>),
    Categorical(WordsBuilder),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Numeric => Self::Numeric(Vec::new()),
            ColumnKind::Categorical => Self::Categorical(WordsBuilder::default()),
        }
    }

    pub(crate) fn finish(self) -> Column {
        match self {
            Self::Numeric(values) => Column::Numeric(values),
            Self::Categorical(WordsBuilder { dictionary, codes, .. }) => {
                Column::Categorical(CategoricalColumn { dictionary: Arc::new(dictionary), codes })
            }
        }
    }
}

/// Grows a [`CategoricalColumn`] row by row.
#[derive(Debug, Default)]
pub(crate) struct WordsBuilder {
    dictionary: Vec<Arc<str>>,
    /// The codes of the words, once there are so many that searching the dictionary would take longer.
    code_of: BTreeMap<Arc<str>, u32>,
    codes: Vec<u32>,
}

/// Words among which a search from front to back is fastest.
const FEW_WORDS: usize = 8;

impl WordsBuilder {
    /// The code of a missing word.
    pub(crate) const MISSING: u32 = 0;

    pub(crate) fn push_missing(&mut self) {
        self.push_code(Self::MISSING);
    }

    pub(crate) fn push(&mut self, column: &str, word: &str) -> Result<()> {
        let code = self.intern(column, word)?;
        self.push_code(code);
        Ok(())
    }

    /// Appends a row by the code of its word, which must be one of this builder's.
    pub(crate) fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    /// Returns the code of a word, which no row holds yet if it is a new one.
    pub(crate) fn intern(&mut self, column: &str, word: &str) -> Result<u32> {
        match self.code(word) {
            Some(code) => Ok(code),
            None => self.add(column, word),
        }
    }

    fn code(&self, word: &str) -> Option<u32> {
        if self.dictionary.len() > FEW_WORDS {
            return self.code_of.get(word).copied();
        }
        let place = self.dictionary.iter().position(|known| **known == *word)?;
        u32::try_from(place + 1).ok()
    }

    fn add(&mut self, column: &str, word: &str) -> Result<u32> {
        let code = code_at(self.dictionary.len(), column)?;
        self.dictionary.push(word.into());
        let unlisted = match self.dictionary.len() {
            0..=FEW_WORDS => &[],
            // The first too many brings all before it along.
            n if n == FEW_WORDS + 1 => &self.dictionary[..],
            n => &self.dictionary[n - 1..],
        };
        let first = self.dictionary.len() - unlisted.len();
        let codes = unlisted
            .iter()
            .zip(first..)
            .filter_map(|(word, place)| Some((Arc::clone(word), u32::try_from(place + 1).ok()?)));
        self.code_of.extend(codes);
        Ok(code)
    }
}

fn code_at(place: usize, column: &str) -> Result<u32> {
    u32::try_from(place + 1).map_err(|_| Error::TooManyCategories { column: column.to_owned() })
}
