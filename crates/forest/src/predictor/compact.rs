use super::walk::{Word, least};

/// A node in 32 bits: slot 8, pair 11, rank 13.
///
/// An encoded row holds, in the place of the rank, how many thresholds of the feature are below its value, and zeros below.
/// It is compared with the whole word: what stands there below the rank only makes the word larger, within its rank.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CompactWord(u32);

const PAIR_SHIFT: u32 = 8;
const RANK_SHIFT: u32 = 19;
const MAX_PLACES: usize = 1 << 12;

/// Most thresholds of a feature, and most values of leaves: 13 bits, less one number so that each word is below `u32::MAX`.
pub(super) const MAX_RANKS: usize = (1 << 13) - 1;

impl Word for CompactWord {
    const MAX_PLACES: usize = MAX_PLACES;
    const MAX_SLOTS: usize = 1 << 8;
    const PADDING: usize = MAX_PLACES;
    const ROW_SHIFT: u32 = RANK_SHIFT;

    // An array as long as an index can reach: no step needs a check of its bounds.
    type Window = [Self; MAX_PLACES];

    fn pack(slot: u32, pair: u32, rank: u32) -> Self {
        Self(slot | pair << PAIR_SHIFT | rank << RANK_SHIFT)
    }

    fn window(words: &[Self], start: usize) -> &Self::Window {
        &words[start..].as_chunks().0[0]
    }

    #[inline(always)]
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self {
        let right = self.0 < row[self.0 as usize % const { least(SLOTS, Self::MAX_SLOTS) }];
        // The pair's number is used with the bit below it as twice the pair. Slots below 128 leave that bit zero; for those
        // the compiler must not be told, or it makes the addition an "or" and no longer adds the comparison's carry.
        let twice = if SLOTS > 128 { !1 } else { !0 };
        let child = (self.0 >> (PAIR_SHIFT - 1) & twice) + u32::from(right);
        window[child as usize % MAX_PLACES]
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn is_leaf(self) -> bool {
        self.0 & (Self::MAX_SLOTS as u32 - 2) == 0
    }

    fn value(self) -> usize {
        (self.0 >> RANK_SHIFT) as usize
    }
}
