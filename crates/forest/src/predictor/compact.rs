use super::walk::Word;

/// A node in 32 bits: slot 8, pair 11, rank 13.
///
/// An encoded row holds, in the place of the rank, how many thresholds of the feature are below its value. It is compared
/// with the whole word: the bits below the rank cannot make a row's entry the larger one, where theirs are zero.
impl Word for u32 {
    const MAX_PLACES: usize = 1 << 12;
    const MAX_SLOTS: usize = 1 << 8;
    const PADDING: usize = WINDOW;
    const ROW_SHIFT: u32 = RANK_SHIFT;

    type Window = [Self; WINDOW];

    fn pack(slot: u32, pair: u32, rank: u32) -> Self {
        slot | pair << PAIR_SHIFT | rank << RANK_SHIFT
    }

    fn window(words: &[Self], start: usize) -> &Self::Window {
        &words[start..].as_chunks().0[0]
    }

    #[inline(always)]
    fn step<const SLOTS: usize>(self, window: &Self::Window, row: &[u32; SLOTS]) -> Self {
        const { assert!(SLOTS.is_power_of_two()) };
        let right = self < row[self as usize & (SLOTS - 1) & (Self::MAX_SLOTS - 1)];
        let left_child = self >> (PAIR_SHIFT - 1) & (Self::MAX_PLACES as u32 - if SLOTS > 128 { 2 } else { 1 });
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

const PAIR_SHIFT: u32 = 8;
const RANK_SHIFT: u32 = 19;

/// Twice the places of a tree: at exactly their number the compiler would not see that an even place has one behind it, and
/// would check each step.
const WINDOW: usize = 2 * <u32 as Word>::MAX_PLACES;

/// Most thresholds of a feature, and most values of leaves: 13 bits, less one number so that each word is below `u32::MAX`.
pub(super) const MAX_RANKS: usize = (1 << 13) - 1;
