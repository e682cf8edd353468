use super::walk::Word;

/// A node in 64 bits: slot 12, pair 20, rank 32.
///
/// For a rank it has the threshold's order key, so rows are encoded without tables.
impl Word for u64 {
    const MAX_PLACES: usize = 1 << 21;
    const MAX_SLOTS: usize = 1 << 12;
    const PADDING: usize = 0;
    const ROW_SHIFT: u32 = 0;

    // Bounds are checked: an array as long as an index can reach would mean 16 MB of padding, and large trees wait for memory
    // rather than for checks.
    type Window = [Self];

    fn pack(slot: u32, pair: u32, rank: u32) -> Self {
        Self::from(slot) | Self::from(pair) << PAIR_SHIFT | Self::from(rank) << RANK_SHIFT
    }

    fn window(words: &[Self], start: usize) -> &Self::Window {
        &words[start..]
    }

    #[inline(always)]
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self {
        let right = ((self >> RANK_SHIFT) as u32) < row[self as usize % SLOTS.min(Self::MAX_SLOTS)];
        let pair = (self >> PAIR_SHIFT) as usize % (Self::MAX_PLACES / 2);
        window[2 * pair + usize::from(right)]
    }

    fn or(self, other: Self) -> Self {
        self | other
    }

    fn is_leaf(self) -> bool {
        self & (Self::MAX_SLOTS as Self - 2) == 0
    }

    fn value(self) -> usize {
        (self >> RANK_SHIFT) as usize
    }
}

const PAIR_SHIFT: u32 = 12;
const RANK_SHIFT: u32 = 32;
