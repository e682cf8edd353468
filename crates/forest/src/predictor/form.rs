use super::{
    compact::{CompactWord, MAX_RANKS},
    distinct::Distinct,
    general::General,
    packed::Packed,
    ranks::{KeyRanks, ThresholdRanks},
    row_encoder::RowEncoder,
    thresholds::{order_key, round_down},
    walk::Word,
    wide::WideWord,
};
use crate::{RandomForest, Split};

/// The forms that a compiled forest can take, the smallest first.
#[derive(Debug)]
pub(super) enum Form {
    /// 4 bytes a node, with tables of thresholds and of values.
    Compact(Packed<CompactWord, ThresholdRanks>),
    /// 8 bytes a node.
    Wide(Packed<WideWord, KeyRanks>),
    /// No limits.
    General(General),
}

impl Form {
    /// Takes the smallest form that the forest fits.
    pub(super) fn new(forest: &RandomForest) -> Self {
        compact(forest)
            .map(Self::Compact)
            .or_else(|| wide(forest).map(Self::Wide))
            .unwrap_or_else(|| Self::General(General::new(forest)))
    }
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Compact(_) => "compact",
            Self::Wide(_) => "wide",
            Self::General(_) => "general",
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Compact(packed) => packed.memory_bytes(),
            Self::Wide(packed) => packed.memory_bytes(),
            Self::General(general) => general.memory_bytes(),
        }
    }

    /// Bytes that a walk reads of a row of so many features.
    pub(super) fn row_bytes(&self, n_features: usize) -> usize {
        match self {
            Self::Compact(packed) => packed.row_bytes(),
            Self::Wide(packed) => packed.row_bytes(),
            Self::General(_) => n_features * size_of::<f32>(),
        }
    }

    /// Sums the trees' values for a row, in the order of the trees.
    pub(super) fn sum_row(&self, row: &[f32]) -> f64 {
        match self {
            Self::Compact(packed) => packed.sum_row(row),
            Self::Wide(packed) => packed.sum_row(row),
            Self::General(general) => general.sum_row(row),
        }
    }

    /// The same for each of `rows`. `encoded` is memory to work in.
    pub(super) fn sum_rows<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [f32]> + Clone,
        sums: &mut [f64],
        encoded: &mut Vec<u32>,
    ) {
        match self {
            Self::Compact(packed) => packed.sum_rows(rows, sums, encoded),
            Self::Wide(packed) => packed.sum_rows(rows, sums, encoded),
            Self::General(general) => general.sum_rows(&rows, sums),
        }
    }
}

fn compact(forest: &RandomForest) -> Option<Packed<CompactWord, ThresholdRanks>> {
    let columns = columns(forest, CompactWord::MAX_SLOTS / 2)?;
    let thresholds = splits(forest).filter_map(|split| {
        let feature = columns.binary_search(&split.feature).ok()?;
        Some((feature, order_key(round_down(split.threshold))))
    });
    let ranks = ThresholdRanks::new(columns.len(), thresholds, MAX_RANKS)?;
    let encoder = RowEncoder::new(columns, ranks, CompactWord::ROW_SHIFT);

    let mut values = Distinct::new(MAX_RANKS);
    let nodes = forest.trees().iter().flat_map(|tree| tree.nodes());
    for leaf in nodes.filter(|node| node.split.is_none()) {
        values.insert(leaf.value.to_bits())?;
    }
    let values = values.sorted()?.into_iter().map(f64::from_bits).collect();
    Packed::new(forest, encoder, values, |values, value| {
        let number = values.binary_search_by_key(&value.to_bits(), |value| value.to_bits());
        u32::try_from(number.ok()?).ok()
    })
}

fn wide(forest: &RandomForest) -> Option<Packed<WideWord, KeyRanks>> {
    let columns = columns(forest, WideWord::MAX_SLOTS / 2)?;
    let encoder = RowEncoder::new(columns, KeyRanks, WideWord::ROW_SHIFT);
    // Equal values keep a number each, in the order of the trees: what a tree needs stays together.
    Packed::new(forest, encoder, Vec::new(), |values, value| {
        values.push(value);
        u32::try_from(values.len() - 1).ok()
    })
}

/// The columns that some split looks at, ascending; nothing if they are more than `max`.
fn columns(forest: &RandomForest, max: usize) -> Option<Vec<u32>> {
    let mut columns = Distinct::new(max);
    for split in splits(forest) {
        columns.insert(split.feature)?;
    }
    columns.sorted()
}

fn splits(forest: &RandomForest) -> impl Iterator<Item = Split> {
    forest.trees().iter().flat_map(|tree| tree.nodes()).filter_map(|node| node.split)
}
