//! What the search for splits adds up: for each row how often it was drawn, and that many times its target.

use super::lists::row_of;

/// Rows of a tree, each a word: the sum above, the weight below. Words add up as the numbers in them do.
#[derive(Debug)]
pub(crate) struct Records {
    words: Vec<u64>,
    packing: Packing,
}

/// Where in a word the sum begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    weight_bits: u32,
}

impl Packing {
    /// For weights of this sum; `None` if they leave too few bits for sums.
    pub(super) fn new(weights: u64) -> Option<Self> {
        let weight_bits = u64::BITS - weights.leading_zeros();
        (weight_bits <= 28).then_some(Self { weight_bits })
    }

    /// Moves sums up to where `sum`, as much as all targets sum to without their signs, still has room: upper halves of words
    /// then tell most.
    pub(super) fn widened(self, sum: u64) -> Self {
        let most = (sum | 1).leading_zeros().saturating_sub(3).min(u32::BITS - 1);
        Self { weight_bits: self.weight_bits.max(most) }
    }

    /// All targets of a tree, each without its sign, have to sum to less. Beyond is room for sums of deviations from a mean.
    pub(super) fn max_sum(self) -> u64 {
        1 << (61 - self.weight_bits).min(51)
    }

    /// By what a word's sum is shifted to the right if only the word's upper half is looked at.
    pub(super) fn coarse_bits(self) -> u32 {
        32 - self.weight_bits
    }

    pub(super) fn weight_mask(self) -> u32 {
        (1 << self.weight_bits) - 1
    }

    #[inline(always)]
    pub(super) fn sum(self, word: u64) -> i64 {
        word as i64 >> self.weight_bits
    }

    #[inline(always)]
    pub(super) fn weight(self, word: u64) -> u32 {
        word as u32 & self.weight_mask()
    }
}

impl Records {
    pub(super) fn new(n_rows: usize, packing: Packing) -> Self {
        Self { words: Vec::with_capacity(n_rows), packing }
    }

    pub(super) fn push(&mut self, sum: i32, weight: u32) {
        self.words.push(((i64::from(sum) << self.packing.weight_bits) as u64) + u64::from(weight));
    }

    pub(super) fn packing(&self) -> Packing {
        self.packing
    }

    #[inline(always)]
    pub(super) fn word(&self, row: u32) -> u64 {
        self.words[row as usize]
    }

    /// Adds the words of a list's rows to `sum`, and writes what it comes to at each. Returns the last.
    // Alone, the loop has all that it needs in registers.
    #[inline(never)]
    pub(super) fn add_up(&self, list: &[u32], mut sum: u64, sums: &mut [u64]) -> u64 {
        let words = &self.words[..];
        for (out, &entry) in sums.iter_mut().zip(list) {
            sum = sum.wrapping_add(words[row_of(entry) as usize]);
            *out = sum;
        }
        sum
    }

    #[inline(always)]
    pub(super) fn sum(&self, row: u32) -> i64 {
        self.packing.sum(self.word(row))
    }

    #[inline(always)]
    pub(super) fn weight(&self, row: u32) -> u32 {
        self.packing.weight(self.word(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_add_up_as_what_is_in_them() {
        let rows = [(5, 1), (-7, 2), (i32::MIN, 3), (i32::MAX, 0), (-1, 1)];
        for weights in [7, 1000, (1 << 28) - 1] {
            let packing = Packing::new(weights).unwrap();
            let mut records = Records::new(rows.len(), packing);
            rows.iter().for_each(|&(sum, weight)| records.push(sum, weight));
            let (mut word, mut sum, mut weight) = (0_u64, 0, 0);
            for (row, of_row) in (0..).zip(rows) {
                assert_eq!((records.sum(row), records.weight(row)), (of_row.0.into(), of_row.1));
                word = word.wrapping_add(records.word(row));
                sum += i64::from(of_row.0);
                weight += of_row.1;
                assert_eq!((packing.sum(word), packing.weight(word)), (sum, weight));
            }
        }
        assert!(Packing::new(1 << 28).is_none());
    }

    #[test]
    fn widened_words_have_room_for_all_targets() {
        let narrow = Packing::new(1000).unwrap();
        for sum in [0, 1, 1000, 1 << 20, (1 << 30) - 1, 1 << 30, (1 << 51) - 1] {
            let wide = narrow.widened(sum);
            assert!(wide.weight_mask() >= narrow.weight_mask(), "{sum}");
            assert!(sum < wide.max_sum(), "{sum}");
        }
    }
}
