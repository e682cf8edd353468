use rand_mt::Mt;

use crate::Error;

/// numpy's `RandomState`: a Mersenne Twister (MT19937) and the legacy ways of drawing from it.
///
/// The stream for a seed is frozen by numpy's compatibility policy ([NEP 19]), which is why scikit-learn's results can be
/// reproduced at all.
///
/// # Examples
///
/// ```
/// use spinney_numpy_random::RandomState;
///
/// let mut rng = RandomState::new(42);
/// assert_eq!(rng.next_u32(), 1_608_637_542);
/// assert_eq!(rng.next_u32(), 3_421_126_067);
/// ```
///
/// # References
///
/// Matsumoto and Nishimura (1998), *Mersenne Twister*, ACM TOMACS 8; numpy's `legacy-distributions.c` and `distributions.c`.
///
/// [NEP 19]: https://numpy.org/neps/nep-0019-rng-policy.html
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomState {
    generator: Mt,
}

impl RandomState {
    /// Creates the generator that numpy makes of `RandomState(seed)`. Any `u32` is a valid seed, zero too.
    ///
    /// numpy accepts exactly this range for an integer seed and refuses larger ones.
    #[doc(alias = "random_state")]
    #[doc(alias = "seed")]
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self { generator: Mt::new(seed) }
    }

    /// Draws one 32-bit word, uniform over all of `u32`.
    pub fn next_u32(&mut self) -> u32 {
        self.generator.next_u32()
    }

    /// Draws one 64-bit word: two 32-bit words, the high half first.
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }

    /// Draws a whole number from `0..=max`, both ends included: numpy's `random_interval`.
    ///
    /// Mask and reject: words are masked to the smallest all-ones number that covers `max` and discarded until one fits.
    /// `max = 0` gives 0 and draws nothing; above `u32::MAX` it draws 64-bit words.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_numpy_random::RandomState;
    ///
    /// let mut rng = RandomState::new(42);
    /// assert_eq!(rng.interval(0), 0);
    /// assert_eq!(rng.interval(9), 6);
    /// ```
    pub fn interval(&mut self, max: u64) -> u64 {
        let mask = u64::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
        if mask == 0 {
            return 0;
        }
        let narrow = max <= u64::from(u32::MAX);
        loop {
            let word = if narrow { u64::from(self.next_u32()) } else { self.next_u64() };
            let value = word & mask;
            if value <= max {
                return value;
            }
        }
    }

    /// Draws a whole number from `low..high`, `high` excluded: numpy's `randint(low, high)` for its default integer type.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyRange`] if `low >= high`.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_numpy_random::RandomState;
    ///
    /// let mut rng = RandomState::new(7);
    /// assert_eq!(rng.randint(-5, 5)?, -1);
    /// assert!(rng.randint(5, 5).is_err());
    /// # Ok::<(), spinney_numpy_random::Error>(())
    /// ```
    pub fn randint(&mut self, low: i64, high: i64) -> Result<i64, Error> {
        if low >= high {
            return Err(Error::EmptyRange { low, high });
        }
        let offset = self.interval(high.abs_diff(low) - 1);
        Ok(low.wrapping_add_unsigned(offset))
    }

    /// Draws a float from `[0, 1)` with 53 random bits: numpy's `random_sample()`.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_numpy_random::RandomState;
    ///
    /// assert_eq!(RandomState::new(42).random_sample(), 0.3745401188473625);
    /// ```
    pub fn random_sample(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// Shuffles `values` in place: numpy's `shuffle` for one dimension (Fisher-Yates from the last place down).
    ///
    /// Nothing is drawn for zero or one value.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_numpy_random::RandomState;
    ///
    /// let mut words = ["a", "b", "c", "d"];
    /// RandomState::new(1).shuffle(&mut words);
    /// assert_eq!(words, ["d", "c", "a", "b"]);
    /// ```
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let j = self.interval(i as u64) as usize;
            values.swap(i, j);
        }
    }

    /// Returns the numbers `0..n` in random order: numpy's `permutation(n)`. `n = 0` gives an empty vector.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_numpy_random::RandomState;
    ///
    /// assert_eq!(RandomState::new(0).permutation(10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
    /// ```
    #[must_use]
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}
