//! Growing one tree.

use std::ops::Range;

use super::{
    bins::{Bin, Marked, enter_few, subtract},
    columns::{Columns, Kind},
    contest::{Contest, Cut},
    draw::{Drawn, FeatureOrder},
    lists::{Lists, Needed, enter_list, enter_sorted},
    nodes::{Nodes, Open},
    small::{MAX_ROWS, SmallSubtree},
    targets::TreeTargets,
};
use crate::{
    feature_columns::FeatureColumns,
    tree::{
        Tree,
        grow::{GrowLimits, goes_left},
        node_sums::NodeSums,
        search::FEATURE_THRESHOLD,
        xorshift::XorShift32,
    },
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

struct Grower<'a> {
    x: &'a FeatureColumns,
    columns: &'a Columns,
    targets: &'a TreeTargets,
    limits: GrowLimits,
    /// The rows of each node, in the order in which they were in the data.
    rows: Vec<u32>,
    lists: Lists,
    /// By row, 1 if it goes left in the current split.
    on_left: Vec<u8>,
    moved: Vec<u32>,
    free_bins: Vec<Vec<Bin>>,
    order: FeatureOrder,
    /// By feature, 1 if it is constant in the current node.
    constant: Vec<u8>,
    small: SmallSubtree,
    nodes: Nodes,
    /// Buffer: lists to search, with their feature and when it was drawn.
    later: Vec<(usize, (u32, u32))>,
    /// Buffer: rows in the order of a column.
    sorted: Vec<u32>,
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

    fn allowed(&self, n_rows: u32) -> Range<u32> {
        let fewest = self.limits.search.min_samples_leaf as u32;
        fewest..n_rows - fewest + 1
    }

    fn search_large(
        &mut self,
        open: &Open,
        node: Range<usize>,
        bins: &[Bin],
    ) -> (Option<Cut>, Drawn) {
        self.find_constants(open, node.clone(), bins);
        let max_features = self.limits.search.max_features;
        let drawn = self.order.draw(open.known_constants, max_features, &self.constant);
        let mut contest = Contest::new(open.sums);
        let allowed = self.allowed(open.n_rows);
        // The cheap ones first: good scores make the others cheaper.
        for (draw, feature) in self.order.candidates(drawn).enumerate() {
            let draw = (feature, draw as u32);
            match &self.columns.kinds[feature as usize] {
                &Kind::Marked { slot, below, above, marked_is_above } => {
                    let marked = Marked { bin: bins[slot], below, above, marked_is_above };
                    marked.enter(draw, open.n_rows, allowed.clone(), &mut contest);
                }
                Kind::Few { first_slot, values } => {
                    let bins = &bins[*first_slot..][..values.len()];
                    enter_few(bins, values, draw, open.n_rows, allowed.clone(), &mut contest);
                }
                Kind::List { number } => self.later.push((*number, draw)),
                Kind::Constant => {}
            }
        }
        let records = &self.targets.records;
        for (number, draw) in self.later.drain(..) {
            let (feature, _) = draw;
            let rows = self.lists.node(number, node.clone());
            let column = self.x.column(feature as usize);
            let enter = if column[rows[rows.len() - 1] as usize].is_nan() {
                enter_sorted
            } else {
                enter_list
            };
            enter(rows, column, records, draw, &allowed, &mut contest);
        }
        (contest.winner(), drawn)
    }

    /// Columns of one value stay as they were in the beginning: constant.
    fn find_constants(&mut self, open: &Open, node: Range<usize>, bins: &[Bin]) {
        // In column order and not only those that are left, which is quicker than choosing.
        for (constant, kind) in self.constant.iter_mut().zip(&self.columns.kinds) {
            if let Kind::Marked { slot, .. } = kind {
                let n_marked = bins[*slot].n_rows();
                *constant = u8::from(n_marked == 0) | u8::from(n_marked == open.n_rows);
            }
        }
        for &feature in &self.columns.many_valued {
            let is_constant = match &self.columns.kinds[feature as usize] {
                Kind::Few { first_slot, values } => {
                    let bins = &bins[*first_slot..][..values.len()];
                    bins.iter().any(|bin| bin.n_rows() == open.n_rows)
                }
                Kind::List { number } => {
                    let column = self.x.column(feature as usize);
                    let rows = self.lists.node(*number, node.clone());
                    is_constant(column[rows[0] as usize], column[rows[rows.len() - 1] as usize])
                }
                Kind::Constant | Kind::Marked { .. } => continue,
            };
            self.constant[feature as usize] = u8::from(is_constant);
        }
    }

    /// Searches a small node in which values of a column differ and yet count as equal, column by column.
    fn search_close(&mut self, open: &Open, node: Range<usize>) -> (Option<Cut>, Drawn) {
        for i in 0..self.order.live(open.known_constants).len() {
            let feature = self.order.live(open.known_constants)[i];
            self.sort(node.clone(), feature);
            let column = self.x.column(feature as usize);
            let [first, last] = [0, self.sorted.len() - 1].map(|i| column[self.sorted[i] as usize]);
            self.constant[feature as usize] = u8::from(is_constant(first, last));
        }
        let max_features = self.limits.search.max_features;
        let drawn = self.order.draw(open.known_constants, max_features, &self.constant);
        let mut contest = Contest::new(open.sums);
        let allowed = self.allowed(open.n_rows);
        let candidates: Vec<u32> = self.order.candidates(drawn).collect();
        for (draw, &feature) in candidates.iter().enumerate() {
            self.sort(node.clone(), feature);
            let column = self.x.column(feature as usize);
            let draw = (feature, draw as u32);
            let records = &self.targets.records;
            enter_sorted(&self.sorted, column, records, draw, &allowed, &mut contest);
        }
        (contest.winner(), drawn)
    }

    /// Fills `sorted` with a node's rows in the order of a column, missing ones last.
    fn sort(&mut self, node: Range<usize>, feature: u32) {
        let column = self.x.column(feature as usize);
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.rows[node]);
        self.sorted.sort_by(|&a, &b| {
            let (a, b) = (column[a as usize], column[b as usize]);
            a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b))
        });
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

/// Whether a column is constant in a node, by its first and last value, missing ones being last.
fn is_constant(first: f32, last: f32) -> bool {
    if last.is_nan() { first.is_nan() } else { last <= first + FEATURE_THRESHOLD }
}
