use super::walk::{Word, least};

/// A node in 64 bits: slot 12, pair 20, rank 32.
///
/// For a rank it has the threshold's order key, so rows are encoded without tables.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WideWord(u64);

const PAIR_SHIFT: u32 = 12;
const RANK_SHIFT: u32 = 32;

impl Word for WideWord {
    const MAX_PLACES: usize = 1 << 21;
    const MAX_SLOTS: usize = 1 << 12;
    const PADDING: usize = 0;
    const ROW_SHIFT: u32 = 0;

    // Bounds are checked: an array as long as an index can reach would mean 16 MB of padding, and large trees wait for memory
    // rather than for checks.
    type Window = [Self];

    fn pack(slot: u32, pair: u32, rank: u32) -> Self {
        Self(u64::from(slot) | u64::from(pair) << PAIR_SHIFT | u64::from(rank) << RANK_SHIFT)
    }

    fn window(words: &[Self], start: usize) -> &Self::Window {
        &words[start..]
    }

    #[inline(always)]
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self {
        let right = ((self.0 >> RANK_SHIFT) as u32)
            < row[self.0 as usize % const { least(SLOTS, Self::MAX_SLOTS) }];
        let pair = (self.0 >> PAIR_SHIFT) as usize % (Self::MAX_PLACES / 2);
        window[2 * pair + usize::from(right)]
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn is_leaf(self) -> bool {
        self.0 & (Self::MAX_SLOTS as u64 - 2) == 0
    }

    fn value(self) -> usize {
        (self.0 >> RANK_SHIFT) as usize
    }
}
