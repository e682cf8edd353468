//! Growing one tree.

use std::ops::Range;

use super::{
    bins::{Bin, subtract},
    columns::{Columns, Kind},
    contest::Cut,
    draw::{Drawn, FeatureOrder},
    limits::GrowLimits,
    lists::{Lists, Needed},
    node_sums::NodeSums,
    nodes::{Nodes, Open},
    row_sets::MAX_ROWS,
    small::SmallSubtree,
    targets::TreeTargets,
};
use crate::{
    feature_columns::FeatureColumns,
    tree::{Tree, grow::goes_left, xorshift::XorShift32},
};

/// Grows the tree that the reference path grows.
pub(crate) fn grow(
    x: &FeatureColumns,
    columns: &Columns,
    targets: &TreeTargets,
    limits: GrowLimits,
    generator: XorShift32,
) -> Tree {
    let drawn = |row: &u32| targets.records[*row as usize].weight > 0;
    let rows: Vec<u32> = (0..x.n_rows() as u32).filter(drawn).collect();
    let root = Open::root(rows.len(), sums_of(targets, &rows));
    let is_large = rows.len() > MAX_ROWS;
    let lists: &[Vec<u32>] = if is_large { &columns.sorted } else { &[] };
    let mut grower = Grower {
        x,
        columns,
        targets,
        limits,
        lists: Lists::new(lists, &targets.records, rows.len()),
        on_left: vec![0; x.n_rows()],
        moved: vec![0; rows.len() + 1],
        free_bins: Vec::new(),
        order: FeatureOrder::new(columns.n_features, generator),
        constant: vec![1; columns.stride],
        small: SmallSubtree::new(columns),
        nodes: Nodes::new(&root, targets.unit, limits),
        later: Vec::new(),
        sorted: Vec::new(),
        stack: Vec::new(),
        rows,
    };
    let bins = is_large.then(|| grower.count_bins(0..grower.rows.len()));
    grower.stack.push(Pending { open: root, start: 0, bins });
    while let Some(pending) = grower.stack.pop() {
        grower.process(pending);
    }
    grower.nodes.into_tree()
}

struct Pending {
    open: Open,
    /// Its rows begin here.
    start: usize,
    /// `None` in a node of few rows, which has no lists either.
    bins: Option<Vec<Bin>>,
}

pub(super) struct Grower<'a> {
    pub(super) x: &'a FeatureColumns,
    pub(super) columns: &'a Columns,
    pub(super) targets: &'a TreeTargets,
    pub(super) limits: GrowLimits,
    /// The rows of each node, in the order in which they were in the data.
    pub(super) rows: Vec<u32>,
    pub(super) lists: Lists,
    /// By row, 1 if it goes left in the current split.
    on_left: Vec<u8>,
    moved: Vec<u32>,
    free_bins: Vec<Vec<Bin>>,
    pub(super) order: FeatureOrder,
    /// By feature, 1 if it is constant in the current node.
    pub(super) constant: Vec<u8>,
    pub(super) small: SmallSubtree,
    pub(super) nodes: Nodes,
    /// Buffer: lists to search, with their feature and when it was drawn.
    pub(super) later: Vec<(usize, (u32, u32))>,
    /// Buffer: rows in the order of a column.
    pub(super) sorted: Vec<u32>,
    stack: Vec<Pending>,
}

impl Grower<'_> {
    fn process(&mut self, pending: Pending) {
        let Pending { open, start, bins } = pending;
        let node = start..start + open.n_rows as usize;
        let is_small = bins.is_none();
        if is_small
            && self.nodes.may_split(&open)
            && self.small.enter(self.x, self.columns, self.targets, &self.rows[node.clone()])
        {
            let Self { x, limits, order, constant, nodes, .. } = self;
            self.small.grow(x, open, limits.search, order, constant, nodes);
            return;
        }
        let id = self.nodes.push(&open);
        if !self.nodes.may_split(&open) {
            self.free_bins.extend(bins);
            return;
        }
        let (best, drawn) = match &bins {
            Some(bins) => self.search_large(&open, node.clone(), bins),
            None => self.search_close(&open, node.clone()),
        };
        let children = best.and_then(|cut| {
            let left_squares = self.part_rows(node.clone(), &cut, open.sums.squares);
            self.nodes.split(id, &open, &cut, left_squares, drawn.constants)
        });
        let Some([left, right]) = children else {
            self.free_bins.extend(bins);
            return;
        };
        let middle = start + left.n_rows as usize;
        let [left_bins, right_bins] = match bins {
            Some(bins) => self.part_bins_and_lists(node, middle, bins, drawn),
            None => [None, None],
        };
        self.stack.push(Pending { open: right, start: middle, bins: right_bins });
        self.stack.push(Pending { open: left, start, bins: left_bins });
    }

    /// Parts a node's rows and returns Σ w·y² of the left ones.
    fn part_rows(&mut self, node: Range<usize>, cut: &Cut, squares: f64) -> f64 {
        let column = self.x.column(cut.feature as usize);
        let rows = &mut self.rows[node];
        let (mut left, mut right) = (0, 0);
        let mut left_squares = 0;
        for i in 0..rows.len() {
            let row = rows[i];
            let value = column[row as usize];
            let on_left = goes_left(value, cut.threshold, cut.missing_go_to_left);
            self.on_left[row as usize] = u8::from(on_left);
            rows[left] = row;
            self.moved[right] = row;
            left += usize::from(on_left);
            right += usize::from(!on_left);
            left_squares += self.targets.squares[row as usize] * i64::from(on_left);
        }
        rows[left..].copy_from_slice(&self.moved[..right]);
        debug_assert_eq!(left, cut.turn.n_left as usize);
        debug_assert!(left_squares as f64 <= squares);
        left_squares as f64
    }

    fn count_bins(&mut self, rows: Range<usize>) -> Vec<Bin> {
        let mut bins = self.free_bins.pop().unwrap_or_default();
        self.columns.groups.count(&self.rows[rows], &self.targets.records, &mut bins);
        bins
    }

    /// Gives large children their lists and bins.
    fn part_bins_and_lists(
        &mut self,
        node: Range<usize>,
        middle: usize,
        mut bins: Vec<Bin>,
        drawn: Drawn,
    ) -> [Option<Vec<Bin>>; 2] {
        let (left, right) = (node.start..middle, middle..node.end);
        let needed = match (left.len() > MAX_ROWS, right.len() > MAX_ROWS) {
            (true, true) => Needed::Both,
            (true, false) => Needed::Left,
            (false, true) => Needed::Right,
            (false, false) => {
                self.free_bins.push(bins);
                return [None, None];
            }
        };
        for &feature in self.order.live(drawn.constants) {
            if let Kind::List { number } = self.columns.kinds[feature as usize] {
                self.lists.part(number, node.clone(), &self.on_left, needed);
            }
        }
        let left_is_small = left.len() <= right.len();
        let (few, many) = if left_is_small { (left, right) } else { (right, left) };
        let few_bins = if needed == Needed::Both || few.len() + self.slot_rows() < many.len() {
            let few_bins = self.count_bins(few);
            subtract(&mut bins, &few_bins);
            few_bins
        } else {
            self.columns.groups.count(&self.rows[many], &self.targets.records, &mut bins);
            Vec::new()
        };
        match needed {
            Needed::Both if left_is_small => [Some(few_bins), Some(bins)],
            Needed::Both => [Some(bins), Some(few_bins)],
            Needed::Left => {
                self.free_bins.push(few_bins);
                [Some(bins), None]
            }
            Needed::Right => {
                self.free_bins.push(few_bins);
                [None, Some(bins)]
            }
        }
    }

    /// How many rows could be counted in the time that bins are subtracted in.
    fn slot_rows(&self) -> usize {
        self.columns.groups.n_slots() / (2 * self.columns.groups.n_groups().max(1))
    }
}

fn sums_of(targets: &TreeTargets, rows: &[u32]) -> NodeSums {
    let mut sums = NodeSums::default();
    for &row in rows {
        let record = targets.records[row as usize];
        sums.total += f64::from(record.sum);
        sums.weight += f64::from(record.weight);
        sums.squares += targets.squares[row as usize] as f64;
    }
    sums
}
