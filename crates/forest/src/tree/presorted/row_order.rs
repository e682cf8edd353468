//! The order of rows in nodes that have too many for [sets](super::row_sets).

use std::ops::Range;

use super::{
    bins::Bin,
    columns::{Columns, Kind, MAX_BINS},
    contest::{Cut, Turn},
    draw::{Drawn, FeatureOrder},
    in_order::{Rows, halves_in_order, replay, scores_in_order},
    lists::{Lists, TIED, row_of},
    node_sums::NodeSums,
    nodes::Halves,
    places::PlacedColumns,
    rare_ties::RareTies,
    real_targets::Term,
    sweeps::{Exchanges, Sweeps, bring_forward},
};
use crate::tree::{
    criterion::WeightedTargets,
    search::FEATURE_THRESHOLD,
    sort::{gather, median, sort},
};

/// What is known about the order of rows, and buffers.
#[derive(Debug)]
pub(super) struct RowOrder {
    /// By list, a range of places in which its column has no ties.
    without_ties: Vec<Range<usize>>,
    values: Vec<f32>,
    terms: Vec<Term>,
    /// By row.
    starts: Vec<u32>,
    sweeps: Sweeps,
    rare_ties: RareTies,
    exchanges: Exchanges<u32>,
    contenders: Vec<Cut>,
    turns: Vec<Turn>,
}

/// A node's rows, and what they are sorted by.
pub(super) struct NodeRows<'a> {
    pub(super) x: PlacedColumns<'a>,
    pub(super) columns: &'a Columns,
    /// Lists and bins; `None` in nodes that have none.
    pub(super) sorted: Option<(&'a Lists, &'a [Bin])>,
    pub(super) targets: WeightedTargets<'a>,
    pub(super) node: Range<usize>,
    /// In the node's order.
    pub(super) rows: &'a mut [u32],
    pub(super) sums: &'a NodeSums,
    pub(super) allowed: Range<u32>,
}

impl RowOrder {
    pub(super) fn new(columns: &Columns, n_rows: usize) -> Self {
        Self {
            without_ties: vec![0..0; columns.sorted.len()],
            values: Vec::new(),
            terms: Vec::new(),
            starts: vec![0; n_rows],
            sweeps: Sweeps::default(),
            rare_ties: RareTies::default(),
            exchanges: Exchanges::default(),
            contenders: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// Decides between contenders and brings the rows into the order that scikit-learn's search leaves.
    pub(super) fn decide<'c>(
        &mut self,
        node: NodeRows<'_>,
        (order, drawn): (&FeatureOrder, Drawn),
        contenders: impl Iterator<Item = &'c Cut>,
    ) -> Option<Cut> {
        self.contenders.clear();
        self.contenders.extend(contenders);
        self.contenders.sort_unstable_by_key(|cut| cut.turn.place());
        self.turns.clear();
        self.turns.extend(self.contenders.iter().map(|cut| cut.turn));
        let turns = std::mem::take(&mut self.turns);
        let winner = if !node.columns.close.is_empty() {
            self.replay_with_constants(node, (order, drawn), turns.clone())
        } else {
            let sorts = order.candidates_last_first(drawn);
            replay(&mut Sorting { node, buffers: self }, sorts, &turns)
        };
        self.turns = turns;
        winner.map(|winner| self.contenders[winner])
    }

    /// Columns whose values differ too little are constant, but rows are sorted by them as well.
    fn replay_with_constants(
        &mut self,
        node: NodeRows<'_>,
        (order, drawn): (&FeatureOrder, Drawn),
        mut turns: Vec<Turn>,
    ) -> Option<usize> {
        let mut sorts = Vec::new();
        let mut place_of_candidate = Vec::new();
        for (place, (feature, is_candidate)) in (0..).zip(order.found(drawn)) {
            sorts.push(feature);
            place_of_candidate.extend(is_candidate.then_some(place));
        }
        sorts.reverse();
        for turn in &mut turns {
            turn.draw = place_of_candidate[turn.draw as usize];
        }
        replay(&mut Sorting { node, buffers: self }, &sorts, &turns)
    }

    /// Parts rows by a flag as scikit-learn does and adds both sides up.
    pub(super) fn part(
        &mut self,
        (rows, n_left): (&mut [u32], usize),
        on_left: &[u8],
        targets: WeightedTargets<'_>,
        sums: &NodeSums,
    ) -> Halves {
        self.exchanges.partition(rows, n_left, |row| on_left[row as usize] == 0);
        let term = |row: &u32| Term::of_row(targets, *row);
        let (left, right) = rows.split_at(n_left);
        halves_in_order(sums, left.iter().map(term), right.iter().map(term), n_left)
    }
}

struct Sorting<'a> {
    node: NodeRows<'a>,
    buffers: &'a mut RowOrder,
}

impl<'a> Sorting<'a> {
    fn list(&self, feature: u32) -> Option<(usize, &'a [u32])> {
        match (self.node.sorted, &self.node.columns.kinds[feature as usize]) {
            (Some((lists, _)), &Kind::List { number, .. }) => {
                Some((number, lists.node(number, self.node.node.clone())))
            }
            _ => None,
        }
    }

    fn n_missing(&self, feature: u32) -> usize {
        if !self.node.columns.has_missing[feature as usize] {
            return 0;
        }
        let column = self.node.x.column(feature as usize);
        self.node.rows.iter().filter(|&&row| column[row as usize].is_nan()).count()
    }
}

impl Rows for Sorting<'_> {
    fn has_one_order(&mut self, feature: u32) -> bool {
        let Some((number, rows)) = self.list(feature) else { return false };
        let (node, known) = (&self.node.node, &self.buffers.without_ties[number]);
        if known.start <= node.start && node.end <= known.end {
            return true;
        }
        let column = self.node.x.column(feature as usize);
        let value = |entry: u32| column[row_of(entry) as usize];
        // Missing ones are the last; they have no order.
        let ascends = !value(rows[rows.len() - 1]).is_nan()
            && rows.windows(2).all(|pair| pair[1] & TIED == 0 || value(pair[0]) < value(pair[1]));
        if ascends {
            self.buffers.without_ties[number] = node.clone();
        }
        ascends
    }

    fn take_order(&mut self, feature: u32) {
        if let Some((_, list)) = self.list(feature) {
            for (row, &entry) in self.node.rows.iter_mut().zip(list) {
                *row = row_of(entry);
            }
        }
    }

    fn sort(&mut self, feature: u32) {
        let Self { node, buffers } = self;
        let NodeRows { x, columns, sorted, rows, .. } = node;
        let RowOrder { values, starts, sweeps, rare_ties, exchanges, .. } = &mut **buffers;
        let column = x.column(feature as usize);
        let gather = |values: &mut Vec<f32>, rows: &mut [u32]| {
            if values.len() < rows.len() {
                values.resize(rows.len(), 0.0);
            }
            gather(rows, column, values)
        };
        let Some((lists, bins)) = *sorted else {
            let n_missing = gather(values, rows);
            let n_present = rows.len() - n_missing;
            return sort(&mut values[..n_present], &mut rows[..n_present]);
        };
        match &columns.kinds[feature as usize] {
            Kind::Constant => {}
            &Kind::Marked { slot, below, marked_is_above, .. } => {
                let n_marked = bins[slot].n_rows() as usize;
                let n_low = if marked_is_above { rows.len() - n_marked } else { n_marked };
                sort_two_valued(rows, n_low, exchanges, |row| column[row as usize] > below);
            }
            Kind::Few { first_slot, values } => {
                let lengths = bins[*first_slot..][..values.len()].iter().map(|bin| bin.n_rows());
                let mut starts = [0; MAX_BINS];
                sweeps.set_runs(lengths, rows.len(), &mut starts);
                let rank = columns.groups.ranks(*first_slot);
                sweeps.sort(rows, |row| starts[rank(row)]);
            }
            &Kind::List { number, repeats } => {
                let list = lists.node(number, node.node.clone());
                if !repeats && rare_ties.sort(rows, list, column) {
                    return;
                }
                let n_present = if columns.has_missing[feature as usize] {
                    rows.len() - gather(values, rows)
                } else {
                    rows.len()
                };
                sweeps.find_runs(&list[..n_present], column, starts);
                sweeps.sort(&mut rows[..n_present], |row| starts[row as usize]);
            }
        }
    }

    fn rotate_missing(&mut self, feature: u32) {
        let n_missing = self.n_missing(feature);
        self.node.rows.rotate_right(n_missing);
    }

    fn scores(&mut self, feature: u32, missing_left: bool, last: u32, found: impl FnMut(u32, f64)) {
        let n_missing = self.n_missing(feature);
        let NodeRows { x, targets, sums, allowed, rows, .. } = &self.node;
        self.buffers.terms.clear();
        self.buffers.terms.extend(rows.iter().map(|&row| Term::of_row(*targets, row)));
        let column = x.column(feature as usize);
        let value = |place: usize| column[rows[place] as usize];
        let (start, end) =
            if missing_left { (n_missing, rows.len()) } else { (0, rows.len() - n_missing) };
        let between =
            (start + 1..end).filter(|&place| value(place) > value(place - 1) + FEATURE_THRESHOLD);
        let behind_all = (n_missing > 0 && !missing_left).then_some(end);
        let boundaries = between.chain(behind_all);
        scores_in_order(sums, &self.buffers.terms, boundaries, allowed, last, found);
    }
}

/// scikit-learn's sort of two values, for more rows than it sorts by insertion.
fn sort_two_valued(
    rows: &mut [u32],
    n_low: usize,
    exchanges: &mut Exchanges<u32>,
    is_high: impl Fn(u32) -> bool,
) {
    let n_rows = rows.len();
    let ends = [0, n_rows / 2, n_rows - 1].map(|place| is_high(rows[place]));
    if median(ends[0], ends[1], ends[2]) {
        bring_forward(rows, n_rows - n_low, |row| !is_high(row));
    } else {
        exchanges.partition(rows, n_low, is_high);
    }
}
