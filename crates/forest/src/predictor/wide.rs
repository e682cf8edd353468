use super::walk::Word;

/// A node in 64 bits: slot 12, pair 20, rank 32.
///
/// For a rank it has the threshold's order key, so a row needs no tables to be encoded.
impl Word for u64 {
    const MAX_PLACES: usize = 1 << 21;
    const MAX_SLOTS: usize = 1 << 12;
    const PADDING: usize = 0;
    const ROW_SHIFT: u32 = 0;

    type Window = [Self];

    fn pack(slot: u32, pair: u32, rank: u32) -> Self {
        Self::from(slot) | Self::from(pair) << PAIR_SHIFT | Self::from(rank) << RANK_SHIFT
    }

    fn window(words: &[Self], start: usize) -> &Self::Window {
        &words[start..]
    }

    #[inline(always)]
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self {
        const { assert!(SLOTS.is_power_of_two()) };
        let right = ((self >> RANK_SHIFT) as u32) < row[self as usize & (SLOTS - 1) & (Self::MAX_SLOTS - 1)];
        let left_child = self >> (PAIR_SHIFT - 1) & (Self::MAX_PLACES as Self - if SLOTS > 2048 { 2 } else { 1 });
        window[left_child as usize + usize::from(right)]
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
