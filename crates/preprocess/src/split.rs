use spinney_numpy_random::RandomState;

use crate::{Error, Result};

/// How many rows to hold out for testing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TestSize {
    /// A share between 0 and 1, both excluded, rounded up to whole rows.
    Fraction(f64),
    /// A number of rows, at least 1 and fewer than there are.
    Count(usize),
}

/// How many rows to train on, where that is not all the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainSize {
    /// A share between 0 and 1, both excluded, rounded down to whole rows.
    Fraction(f64),
    /// A number of rows, at least 1 and fewer than there are.
    Count(usize),
}

impl From<f64> for TestSize {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl From<usize> for TestSize {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for TrainSize {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl From<usize> for TrainSize {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

/// Row numbers to train on and to test on, each in the order drawn. No row is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on. Their order matters to a forest: its bootstrap draws places in this order.
    pub train: Vec<usize>,
    /// Rows held out.
    pub test: Vec<usize>,
}

/// Splits `n_rows` rows at random, exactly as scikit-learn 1.9 does for the same arguments
/// (shuffled, not stratified).
///
/// Without a `train_size` all rows that are not for testing are for training.
///
/// # Errors
///
/// [`Error::SplitFraction`] or [`Error::SplitCount`] if a fraction is not between 0 and 1 or a
/// count not between 1 and `n_rows - 1`; [`Error::SplitTooLarge`] if both together want more rows
/// than there are; [`Error::EmptyTrain`] if no row is left to train on.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{TestSize, train_test_split};
///
/// let split = train_test_split(5, TestSize::Fraction(0.4), None, 0)?;
/// assert_eq!(split.test, [2, 0]);
/// assert_eq!(split.train, [1, 3, 4]);
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
pub fn train_test_split(
    n_rows: usize,
    test_size: TestSize,
    train_size: Option<TrainSize>,
    random_state: u32,
) -> Result<Split> {
    let n_test = match test_size {
        TestSize::Fraction(share) => rows("test_size", share, n_rows)?.ceil() as usize,
        TestSize::Count(count) => checked_count("test_size", count, n_rows)?,
    };
    let n_train = match train_size {
        None => n_rows.saturating_sub(n_test),
        Some(TrainSize::Fraction(share)) => rows("train_size", share, n_rows)?.floor() as usize,
        Some(TrainSize::Count(count)) => checked_count("train_size", count, n_rows)?,
    };
    if shares_exceed_one(test_size, train_size) || n_train.saturating_add(n_test) > n_rows {
        return Err(Error::SplitTooLarge { n_train, n_test, n_rows });
    }
    if n_train == 0 {
        return Err(Error::EmptyTrain { n_rows, n_test });
    }
    let mut test = RandomState::new(random_state).permutation(n_rows);
    let mut train = test.split_off(n_test);
    train.truncate(n_train);
    Ok(Split { train, test })
}

/// The number of rows that is a share of them, not yet whole.
fn rows(option: &'static str, share: f64, n_rows: usize) -> Result<f64> {
    if share > 0.0 && share < 1.0 {
        Ok(share * n_rows as f64)
    } else {
        Err(Error::SplitFraction { option, value: share })
    }
}

fn checked_count(option: &'static str, count: usize, n_rows: usize) -> Result<usize> {
    if (1..n_rows).contains(&count) {
        Ok(count)
    } else {
        Err(Error::SplitCount { option, value: count, n_rows })
    }
}

/// scikit-learn refuses this before it rounds to rows.
fn shares_exceed_one(test_size: TestSize, train_size: Option<TrainSize>) -> bool {
    match (test_size, train_size) {
        (TestSize::Fraction(test), Some(TrainSize::Fraction(train))) => test + train > 1.0,
        _ => false,
    }
}
