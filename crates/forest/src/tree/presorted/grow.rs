//! Growing one tree.

use std::ops::Range;

use super::{
    bins::{Bin, subtract},
    columns::{Columns, Kind},
    contest::{Contest, Cut},
    draw::{Drawn, FeatureOrder},
    limits::GrowLimits,
    lists::{Lists, Needed},
    node_sums::NodeSums,
    nodes::{Halves, Nodes, Open},
    packed_rows::PackedRows,
    places::PlacedColumns,
    real_targets::Term,
    row_order::{NodeRows, RowOrder},
    search::ListCandidate,
    small::SmallSubtree,
    targets::{Sums, TreeTargets},
};
use crate::{
    feature_columns::FeatureColumns,
    tree::{Tree, grow::goes_left, xorshift::XorShift32},
};

/// Grows the tree that the reference path grows. If `wants_leaves`, the leaf of each row that the tree sees comes with it.
pub(crate) fn grow(
    x: &FeatureColumns,
    columns: &Columns,
    targets: &TreeTargets<'_>,
    limits: GrowLimits,
    generator: XorShift32,
    wants_leaves: bool,
) -> (Tree, Vec<u32>) {
    let drawn = |row: &u32| targets.records.weight(*row) > 0;
    let rows: Vec<u32> = (0..x.n_rows() as u32).filter(drawn).collect();
    let root = root(targets, &rows);
    let is_large = rows.len() > targets.max_small_rows();
    let lists: &[PackedRows] = if is_large { &columns.sorted } else { &[] };
    let mut grower = Grower {
        x: columns.placed(x),
        columns,
        targets,
        limits,
        lists: Lists::new(lists, &targets.records, rows.len()),
        on_left: vec![0; x.n_rows()],
        free_bins: Vec::new(),
        order: FeatureOrder::new(columns.places.in_order(), generator),
        constant: vec![1; columns.places.n_places()],
        small: SmallSubtree::new(columns),
        nodes: Nodes::new(
            &root,
            targets.sums_unit(),
            limits,
            if wants_leaves { x.n_rows() } else { 0 },
        ),
        contest: Contest::default(),
        row_order: RowOrder::new(columns, x.n_rows()),
        distinct: Vec::new(),
        repetitive: Vec::new(),
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
    pub(super) x: PlacedColumns<'a>,
    pub(super) columns: &'a Columns,
    pub(super) targets: &'a TreeTargets<'a>,
    pub(super) limits: GrowLimits,
    /// The rows of each node: in the order of the data, or in scikit-learn's if that matters.
    pub(super) rows: Vec<u32>,
    pub(super) lists: Lists,
    /// By row, 1 if it goes left in the current split.
    on_left: Vec<u8>,
    free_bins: Vec<Vec<Bin>>,
    pub(super) order: FeatureOrder,
    /// By feature, 1 if it is constant in the current node.
    pub(super) constant: Vec<u8>,
    pub(super) small: SmallSubtree,
    pub(super) nodes: Nodes,
    pub(super) contest: Contest,
    row_order: RowOrder,
    /// Buffer: lists to search, most of their values distinct.
    pub(super) distinct: Vec<ListCandidate>,
    /// Buffer: other lists to search.
    pub(super) repetitive: Vec<ListCandidate>,
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
            self.small.grow(*x, open, limits.search, order, constant, nodes);
            return;
        }
        let id = self.nodes.push(&open);
        if !self.nodes.may_split(&open) {
            self.nodes.end(id, self.rows[node].iter().copied());
            self.free_bins.extend(bins);
            return;
        }
        let drawn = match &bins {
            Some(bins) => self.search_large(&open, node.clone(), bins),
            None => self.search_close(&open, node.clone()),
        };
        let children = self.decide(&open, node.clone(), drawn, bins.as_deref()).and_then(|cut| {
            let halves = self.part_rows(&open, node.clone(), &cut);
            let feature = self.columns.places.feature(cut.feature);
            let children =
                self.nodes.split(id, &open, (feature, &cut), &halves, drawn.constants)?;
            Some((children, cut.feature))
        });
        let Some(([left, right], feature)) = children else {
            self.nodes.end(id, self.rows[node].iter().copied());
            self.free_bins.extend(bins);
            return;
        };
        let middle = start + left.n_rows as usize;
        let [left_bins, right_bins] = match bins {
            Some(bins) => self.part_bins_and_lists(node, middle, bins, (drawn, feature)),
            None => [None, None],
        };
        self.stack.push(Pending { open: right, start: middle, bins: right_bins });
        self.stack.push(Pending { open: left, start, bins: left_bins });
    }

    /// Decides the contest. If the order of rows matters, they are brought into the one that the search leaves.
    fn decide(
        &mut self,
        open: &Open,
        node: Range<usize>,
        drawn: Drawn,
        bins: Option<&[Bin]>,
    ) -> Option<Cut> {
        let Sums::InOrder(targets) = self.targets.sums else { return self.contest.winner() };
        let allowed = self.limits.search.allowed(open.n_rows);
        let node = NodeRows {
            x: self.x,
            columns: self.columns,
            sorted: bins.map(|bins| (&self.lists, bins)),
            targets,
            rows: &mut self.rows[node.clone()],
            node,
            sums: &open.sums,
            allowed,
        };
        self.row_order.decide(node, (&self.order, drawn), self.contest.contenders())
    }

    /// Parts a node's rows and adds both sides up.
    fn part_rows(&mut self, open: &Open, node: Range<usize>, cut: &Cut) -> Halves {
        let column = self.x.column(cut.feature as usize);
        let rows = &mut self.rows[node];
        for &row in &*rows {
            let value = column[row as usize];
            let on_left = goes_left(value, cut.threshold, cut.missing_go_to_left);
            self.on_left[row as usize] = u8::from(on_left);
        }
        match &self.targets.sums {
            &Sums::InOrder(targets) => {
                let n_left = cut.turn.n_left as usize;
                self.row_order.part((rows, n_left), &self.on_left, targets, &open.sums)
            }
            Sums::Whole { squares } => {
                self.lists.part_rows(rows, &self.on_left);
                let left = rows[..cut.turn.n_left as usize].iter();
                let left_squares: i64 = left.map(|&row| squares[row as usize]).sum();
                let left = NodeSums {
                    total: cut.left_sum,
                    squares: left_squares as f64,
                    weight: cut.left_weight,
                };
                Halves::exact(&open.sums, left)
            }
        }
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
        (drawn, split_feature): (Drawn, u32),
    ) -> [Option<Vec<Bin>>; 2] {
        let (left, right) = (node.start..middle, middle..node.end);
        let most = self.targets.max_small_rows();
        let needed = match (left.len() > most, right.len() > most) {
            (true, true) => Needed::Both,
            (true, false) => Needed::Left,
            (false, true) => Needed::Right,
            (false, false) => {
                self.free_bins.push(bins);
                return [None, None];
            }
        };
        for &feature in self.order.live(drawn.constants) {
            if feature == split_feature && !self.columns.has_missing[feature as usize] {
                // Its list begins with the left side.
                continue;
            }
            if let Kind::List { number, .. } = self.columns.kinds[feature as usize] {
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

fn root(targets: &TreeTargets<'_>, rows: &[u32]) -> Open {
    let records = &targets.records;
    let whole = rows.iter().map(|&row| records.sum(row)).sum::<i64>() as f64;
    let mut sums = NodeSums::default();
    match &targets.sums {
        &Sums::InOrder(targets) => {
            rows.iter().for_each(|&row| sums.add(&Term::of_row(targets, row)));
        }
        Sums::Whole { squares } => {
            for &row in rows {
                sums.weight += f64::from(records.weight(row));
                sums.squares += squares[row as usize] as f64;
            }
            sums.total = whole;
        }
    }
    Open::root(rows.len(), sums, whole)
}
