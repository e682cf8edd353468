use std::{array, hint::black_box};

use super::{
    arena::{Arena, CACHED_BYTES, LINE_BYTES},
    layout::Layout,
    ranks::Ranks,
    row_encoder::RowEncoder,
    walk::{ROW_LANES, TREE_LANES, Word, walk},
};
use crate::RandomForest;

/// A forest packed into words.
#[derive(Debug)]
pub(super) struct Packed<W, R> {
    /// All trees, one after the other.
    words: Arena<W>,
    /// Values of leaves by their number.
    values: Vec<f64>,
    trees: Vec<PackedTree>,
    encoder: RowEncoder<R>,
    n_slots: usize,
}

/// A tree's share of the forest's words and values, from its start to that of the next tree.
#[derive(Debug, Clone, Copy)]
struct PackedTree {
    start: usize,
    end: usize,
    /// Empty if all trees share their values.
    values_start: usize,
    values_end: usize,
}

impl<W: Word, R: Ranks> Packed<W, R> {
    /// Packs all trees. `number_of` finds or adds a leaf's value and returns its number.
    ///
    /// Nothing if a tree has too many nodes, a row too many slots, or a value no number.
    pub(super) fn new(
        forest: &RandomForest,
        encoder: RowEncoder<R>,
        mut values: Vec<f64>,
        number_of: impl Fn(&mut Vec<f64>, f64) -> Option<u32>,
    ) -> Option<Self> {
        let n_slots = encoder.n_slots().filter(|&n_slots| n_slots <= W::MAX_SLOTS)?;
        let line_pairs = LINE_BYTES / size_of::<W>() / 2;
        let mut words: Vec<W> = Vec::new();
        let mut trees = Vec::with_capacity(forest.trees().len());
        for tree in forest.trees() {
            if tree.nodes().len() >= W::MAX_PLACES {
                return None;
            }
            let Layout { places, n_places } = Layout::new(tree, line_pairs);
            if n_places > W::MAX_PLACES {
                return None;
            }
            let (start, values_start) = (words.len(), values.len());
            words.resize(start + n_places, W::default());
            for (node, &place) in tree.nodes().iter().zip(&places) {
                words[start + place as usize] = match node.split {
                    Some(split) => {
                        let (slot, rank) = encoder.slot_and_rank(split)?;
                        W::pack(slot, places[split.left as usize] / 2, rank)
                    }
                    // It is its own child, in the slot that keeps it there.
                    None => W::pack(place % 2, place / 2, number_of(&mut values, node.value)?),
                };
            }
            let (end, values_end) = (words.len(), values.len());
            trees.push(PackedTree { start, end, values_start, values_end });
        }
        values.shrink_to_fit();
        Some(Self { words: Arena::new(&words, W::PADDING), values, trees, encoder, n_slots })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.words.memory_bytes()
            + size_of_val(self.values.as_slice())
            + size_of_val(self.trees.as_slice())
            + self.encoder.memory_bytes()
    }

    /// Bytes of an encoded row.
    pub(super) fn row_bytes(&self) -> usize {
        self.n_slots * size_of::<u32>()
    }

    /// Sums the trees' values for a row: several trees at once.
    pub(super) fn sum_row(&self, row: &[f32]) -> f64 {
        match self.n_slots {
            64 => self.sum_trees(&self.encoder.encode::<64>(row)),
            128 => self.sum_trees(&self.encoder.encode::<128>(row)),
            256 => self.sum_trees(&self.encoder.encode::<256>(row)),
            512 => self.sum_trees(&self.encoder.encode::<512>(row)),
            1024 => self.sum_trees(&self.encoder.encode::<1024>(row)),
            _ => self.sum_trees(&self.encoder.encode::<4096>(row)),
        }
    }

    fn sum_trees<const SLOTS: usize>(&self, row: &[u32; SLOTS]) -> f64 {
        let words = self.words.nodes();
        let mut sum = 0.0;
        for group in self.trees.chunks(TREE_LANES) {
            // The last group fills its lanes with its last tree again.
            let start = |lane: usize| group[lane.min(group.len() - 1)].start;
            let windows: [_; TREE_LANES] = array::from_fn(|lane| W::window(words, start(lane)));
            let roots: [_; TREE_LANES] = array::from_fn(|lane| words[start(lane)]);
            let leaves = walk(roots, |lane, word| word.step(windows[lane], row));
            for leaf in &leaves[..group.len()] {
                sum += self.values[leaf.value()];
            }
        }
        sum
    }

    /// Sums the trees' values for each of `rows`: several rows at once. `encoded` is memory to work in.
    pub(super) fn sum_rows<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [f32]>,
        sums: &mut [f64],
        encoded: &mut Vec<u32>,
    ) {
        match self.n_slots {
            64 => self.sum_rows_in::<64>(rows, sums, encoded),
            128 => self.sum_rows_in::<128>(rows, sums, encoded),
            256 => self.sum_rows_in::<256>(rows, sums, encoded),
            512 => self.sum_rows_in::<512>(rows, sums, encoded),
            1024 => self.sum_rows_in::<1024>(rows, sums, encoded),
            _ => self.sum_rows_in::<4096>(rows, sums, encoded),
        }
    }

    fn sum_rows_in<'a, const SLOTS: usize>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [f32]>,
        sums: &mut [f64],
        encoded: &mut Vec<u32>,
    ) {
        encoded.resize(rows.len() * SLOTS, 0);
        let encoded = encoded.as_chunks_mut::<SLOTS>().0;
        for (row, slots) in rows.zip(&mut *encoded) {
            self.encoder.encode_into(row, slots);
        }
        let (groups, rest) = encoded.as_chunks::<ROW_LANES>();
        let (group_sums, rest_sums) = sums.as_chunks_mut::<ROW_LANES>();
        for (row, sum) in rest.iter().zip(rest_sums) {
            *sum = self.sum_trees(row);
        }
        group_sums.as_flattened_mut().fill(0.0);
        for tree in &self.trees {
            self.fetch(tree, encoded.len());
            let window = W::window(self.words.nodes(), tree.start);
            let root = self.words.nodes()[tree.start];
            for (group, sums) in groups.iter().zip(&mut *group_sums) {
                let leaves = walk([root; ROW_LANES], |lane, word| word.step(window, &group[lane]));
                for (sum, leaf) in sums.iter_mut().zip(leaves) {
                    *sum += self.values[leaf.value()];
                }
            }
        }
    }

    /// Reads a tree from front to end, if it is not in the cache and rows enough are to walk it that they will visit most of it.
    ///
    /// Memory delivers neighbouring lines much faster than those that walks ask for one by one.
    fn fetch(&self, tree: &PackedTree, n_rows: usize) {
        let line = LINE_BYTES / size_of::<W>();
        let n_lines = (tree.end - tree.start) / line;
        if self.memory_bytes() <= CACHED_BYTES || n_lines > LINES_PER_ROW * n_rows {
            return;
        }
        let words = self.words.nodes()[tree.start..tree.end].iter().step_by(line);
        black_box(words.copied().fold(W::default(), W::or).value());
        let values = &self.values[tree.values_start..tree.values_end];
        black_box(values.iter().step_by(LINE_BYTES / size_of::<f64>()).sum::<f64>());
    }
}

/// Lines of a tree that a row visits and others may not, roughly.
const LINES_PER_ROW: usize = 16;
