use std::array;

use super::{
    arena::{Arena, LINE_BYTES},
    layout::Layout,
    ranks::Ranks,
    thresholds::{order_key, round_down},
    walk::{LANES, Word, walk},
};
use crate::RandomForest;

/// A forest packed into words.
#[derive(Debug)]
pub(super) struct Packed<W, R> {
    /// All trees, one after the other.
    words: Arena<W>,
    /// Where each tree begins.
    starts: Vec<usize>,
    /// Values of leaves by their number.
    values: Vec<f64>,
    /// The columns that some split looks at, ascending. Each has two slots in an encoded row, behind those of the leaves.
    columns: Vec<u32>,
    ranks: R,
}

/// Slots of leaves: a row has 0 in the first and `u32::MAX` in the second, so a leaf in an even place steps to the even child
/// of its own pair, and one in an odd place to the odd child.
const LEAF_SLOTS: usize = 2;

impl<W: Word, R: Ranks> Packed<W, R> {
    /// Packs all trees. `number_of` finds or adds a leaf's value and returns its number.
    ///
    /// Nothing if a tree has too many nodes, a row too many slots, or a value no number.
    pub(super) fn new(
        forest: &RandomForest,
        columns: Vec<u32>,
        ranks: R,
        mut values: Vec<f64>,
        number_of: impl Fn(&mut Vec<f64>, f64) -> Option<u32>,
    ) -> Option<Self> {
        if LEAF_SLOTS + 2 * columns.len() > W::MAX_SLOTS {
            return None;
        }
        let line_pairs = LINE_BYTES / size_of::<W>() / 2;
        let mut words: Vec<W> = Vec::new();
        let mut starts = Vec::with_capacity(forest.trees().len());
        for tree in forest.trees() {
            if tree.nodes().len() >= W::MAX_PLACES {
                return None;
            }
            let Layout { places, n_places } = Layout::new(tree, line_pairs);
            if n_places > W::MAX_PLACES {
                return None;
            }
            let start = words.len();
            words.resize(start + n_places, W::default());
            for (node, &place) in tree.nodes().iter().zip(&places) {
                let (slot, pair, rank) = match node.split {
                    Some(split) => {
                        let feature = columns.binary_search(&split.feature).ok()?;
                        let slot = LEAF_SLOTS + 2 * feature + usize::from(split.missing_go_to_left);
                        let rank = ranks.rank(feature, order_key(round_down(split.threshold)));
                        (slot as u32, places[split.left as usize] / 2, rank)
                    }
                    None => (place % 2, place / 2, number_of(&mut values, node.value)?),
                };
                words[start + place as usize] = W::pack(slot, pair, rank);
            }
            starts.push(start);
        }
        let words = Arena::new(&words, W::PADDING);
        Some(Self { words, starts, values, columns, ranks })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.words.memory_bytes()
            + size_of_val(self.starts.as_slice())
            + size_of_val(self.values.as_slice())
            + size_of_val(self.columns.as_slice())
            + self.ranks.memory_bytes()
    }

    /// Slots of an encoded row, in a size that walks are compiled for.
    pub(super) fn n_slots(&self) -> usize {
        let needed = LEAF_SLOTS + 2 * self.columns.len();
        *SLOT_COUNTS.iter().find(|&&slots| slots >= needed).unwrap_or(&W::MAX_SLOTS)
    }

    /// Sums the trees' values for a row: one row, several trees at once.
    pub(super) fn sum_row(&self, row: &[f32]) -> f64 {
        match self.n_slots() {
            64 => self.sum_encoded(&self.encode::<64>(row)),
            128 => self.sum_encoded(&self.encode::<128>(row)),
            256 => self.sum_encoded(&self.encode::<256>(row)),
            _ => self.sum_encoded(&self.encode::<4096>(row)),
        }
    }

    fn sum_encoded<const SLOTS: usize>(&self, row: &[u32; SLOTS]) -> f64 {
        let words = self.words.nodes();
        let mut sum = 0.0;
        for group in self.starts.chunks(LANES) {
            // The last group fills its lanes with its last tree again.
            let start = |lane: usize| group[lane.min(group.len() - 1)];
            let windows = array::from_fn::<_, LANES, _>(|lane| W::window(words, start(lane)));
            let roots = array::from_fn(|lane| words[start(lane)]);
            let leaves = walk(roots, |lane, word: W| word.step(windows[lane], row));
            for leaf in &leaves[..group.len()] {
                sum += self.values[leaf.value()];
            }
        }
        sum
    }

    /// Adds the trees' values to each row's sum: one tree, several rows at once.
    ///
    /// `rows` are a whole number of [`LANES`], and so are `sums`.
    pub(super) fn sum_rows(&self, rows: &[f32], n_features: usize, sums: &mut [f64], encoded: &mut Vec<u32>) {
        encoded.resize(self.n_slots() * sums.len(), 0);
        match self.n_slots() {
            64 => self.sum_rows_in::<64>(rows, n_features, sums, encoded),
            128 => self.sum_rows_in::<128>(rows, n_features, sums, encoded),
            256 => self.sum_rows_in::<256>(rows, n_features, sums, encoded),
            _ => self.sum_rows_in::<4096>(rows, n_features, sums, encoded),
        }
    }

    fn sum_rows_in<const SLOTS: usize>(&self, rows: &[f32], n_features: usize, sums: &mut [f64], encoded: &mut [u32]) {
        let encoded = encoded.as_chunks_mut::<SLOTS>().0;
        for (slots, row) in encoded.iter_mut().zip(rows.chunks_exact(n_features)) {
            self.encode_into(row, slots);
        }
        let words = self.words.nodes();
        for &start in &self.starts {
            let window = W::window(words, start);
            for (group, sums) in encoded.as_chunks::<LANES>().0.iter().zip(sums.as_chunks_mut::<LANES>().0) {
                let leaves = walk([words[start]; LANES], |lane, word: W| word.step(window, &group[lane]));
                for (sum, leaf) in sums.iter_mut().zip(leaves) {
                    *sum += self.values[leaf.value()];
                }
            }
        }
    }

    fn encode<const SLOTS: usize>(&self, row: &[f32]) -> [u32; SLOTS] {
        let mut slots = [0; SLOTS];
        self.encode_into(row, &mut slots);
        slots
    }

    fn encode_into<const SLOTS: usize>(&self, row: &[f32], slots: &mut [u32; SLOTS]) {
        let (pairs, _) = slots.as_chunks_mut::<2>();
        let [leaves, pairs @ ..] = pairs else { return };
        *leaves = [0, u32::MAX];
        for ((feature, &column), pair) in self.columns.iter().enumerate().zip(pairs) {
            let x = row[column as usize];
            let entry = self.ranks.rank(feature, order_key(x)) << W::ROW_SHIFT;
            // A missing value is above all thresholds where it should go right, and below where it should go left.
            *pair = if x.is_nan() { [u32::MAX, 0] } else { [entry; 2] };
        }
    }
}

/// Sizes of encoded rows.
const SLOT_COUNTS: [usize; 4] = [64, 128, 256, 4096];
