use super::{
    compact, general::General, packed::Packed, distinct::Distinct,
    ranks::{KeyRanks, ThresholdRanks},
    thresholds::{order_key, round_down},
    walk::Word,
};
use crate::{RandomForest, Split};

/// The forms that a compiled forest can take, the smallest first.
#[derive(Debug)]
pub(super) enum Form {
    /// 4 bytes a node, with tables of thresholds and of values.
    Compact(Packed<u32, ThresholdRanks>),
    /// 8 bytes a node.
    Wide(Packed<u64, KeyRanks>),
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
}

fn compact(forest: &RandomForest) -> Option<Packed<u32, ThresholdRanks>> {
    let columns = columns(forest, <u32 as Word>::MAX_SLOTS)?;
    let thresholds = splits(forest).filter_map(|split| {
        let feature = columns.binary_search(&split.feature).ok()?;
        Some((feature, order_key(round_down(split.threshold))))
    });
    let ranks = ThresholdRanks::new(columns.len(), thresholds, compact::MAX_RANKS)?;
    let mut values = Distinct::new(compact::MAX_RANKS);
    let nodes = forest.trees().iter().flat_map(|tree| tree.nodes());
    for leaf in nodes.filter(|node| node.split.is_none()) {
        values.insert(leaf.value.to_bits())?;
    }
    let values = values.sorted()?.into_iter().map(f64::from_bits).collect();
    Packed::new(forest, columns, ranks, values, |values, value| {
        let bits = value.to_bits();
        Some(values.binary_search_by_key(&bits, |value| value.to_bits()).ok()? as u32)
    })
}

fn wide(forest: &RandomForest) -> Option<Packed<u64, KeyRanks>> {
    let columns = columns(forest, <u64 as Word>::MAX_SLOTS)?;
    // Equal values keep a number each: in the order of the trees, those of one tree stay together.
    Packed::new(forest, columns, KeyRanks, Vec::new(), |values, value| {
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
