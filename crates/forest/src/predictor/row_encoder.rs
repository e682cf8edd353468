use super::{
    ranks::Ranks,
    thresholds::{order_key, round_down},
};
use crate::Split;

/// Slots of leaves, before those of features: a row has 0 in the first and `u32::MAX` in the second, so a leaf in an even
/// place steps to the even child of its own pair, and one in an odd place to the odd child.
const LEAF_SLOTS: usize = 2;

/// Sizes of encoded rows that walks are compiled for.
const SLOT_COUNTS: [usize; 6] = [64, 128, 256, 512, 1024, 4096];

/// Turns rows into what words are compared with: for each feature that some split looks at, two slots with its value's rank.
///
/// Nodes that send missing values right read the first slot, the others the second; so a walk does not ask.
#[derive(Debug)]
pub(super) struct RowEncoder<R> {
    /// The columns that some split looks at, ascending.
    columns: Vec<u32>,
    ranks: R,
    row_shift: u32,
}

impl<R: Ranks> RowEncoder<R> {
    /// `row_shift` is the place of the rank in a word.
    pub(super) fn new(columns: Vec<u32>, ranks: R, row_shift: u32) -> Self {
        Self { columns, ranks, row_shift }
    }

    /// Slots that a row takes, rounded up to a size of [`SLOT_COUNTS`]; nothing if it is too small even so.
    pub(super) fn n_slots(&self) -> Option<usize> {
        let needed = LEAF_SLOTS + 2 * self.columns.len();
        SLOT_COUNTS.into_iter().find(|&n_slots| n_slots >= needed)
    }

    /// The slot that a split looks at and its threshold's rank.
    pub(super) fn slot_and_rank(&self, split: Split) -> Option<(u32, u32)> {
        let feature = self.columns.binary_search(&split.feature).ok()?;
        let slot = LEAF_SLOTS + 2 * feature + usize::from(split.missing_go_to_left);
        let key = order_key(round_down(split.threshold));
        Some((slot as u32, self.ranks.rank(feature, key)))
    }

    pub(super) fn encode<const SLOTS: usize>(&self, row: &[f32]) -> [u32; SLOTS] {
        let mut slots = [0; SLOTS];
        self.encode_into(row, &mut slots);
        slots
    }

    #[inline(always)]
    pub(super) fn encode_into<const SLOTS: usize>(&self, row: &[f32], slots: &mut [u32; SLOTS]) {
        let [leaves, features @ ..] = slots.as_chunks_mut().0 else { return };
        *leaves = [0, u32::MAX];
        for ((feature, &column), slots) in self.columns.iter().enumerate().zip(features) {
            let x = row[column as usize];
            let rank = self.ranks.rank(feature, order_key(x)) << self.row_shift;
            // Above all thresholds to go right, below all to go left.
            *slots = if x.is_nan() { [u32::MAX, 0] } else { [rank; 2] };
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self.columns.as_slice()) + self.ranks.memory_bytes()
    }
}
