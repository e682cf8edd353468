//! Subtrees of few rows: sets of rows are bits of a word, and all boundaries are known when the subtree is entered.

use super::{
    columns::{Columns, LANES, RankTable, Ranks},
    contest::{Cut, Turn, midway, score, slack},
    draw::{Drawn, FeatureOrder},
    nodes::{Nodes, Open},
    targets::TreeTargets,
};
use crate::{
    feature_columns::FeatureColumns,
    tree::{
        node_sums::NodeSums,
        search::{FEATURE_THRESHOLD, SearchLimits},
    },
};

/// Rows of a small subtree at most: the bits of [`Set`].
pub(super) const MAX_ROWS: usize = 16;

/// Up to this many rows all ways to divide them are scored, instead of all boundaries.
const FEW_ROWS: u32 = 4;

/// Rows of the subtree, by bit.
type Set = u16;

/// A small subtree that is being grown, and buffers that outlive it.
#[derive(Debug)]
pub(super) struct SmallSubtree {
    rows: Vec<u32>,
    stride: usize,
    /// For each row, by feature: the rows that are not above it in that feature's order, itself among them.
    not_above: Vec<Set>,
    /// By feature, the rows whose value is missing.
    missing: Vec<Set>,
    any_missing: bool,
    /// By feature, whether values may be too close to be told apart.
    close: Vec<Set>,
    /// Buffer, by feature: rows that are not above any row of a node.
    common: Vec<Set>,
    /// Sum and weight of every set of the lower eight rows, and of the upper eight.
    low_sums: Box<[[f64; 2]; 256]>,
    high_sums: Box<[[f64; 2]; 256]>,
    squares: [f64; MAX_ROWS],
    /// Candidates of the current node: rows on the left.
    n_cuts: usize,
    cuts: Vec<Set>,
    /// Where the candidates of each turn end: a feature's with missing rows on the right, then with them on the left.
    turn_ends: Vec<usize>,
    sides: Vec<[f64; 2]>,
    gains: Vec<f64>,
    stack: Vec<(Open, Set)>,
}

impl SmallSubtree {
    pub(super) fn new(columns: &Columns) -> Self {
        Self {
            rows: Vec::with_capacity(MAX_ROWS),
            stride: columns.stride,
            not_above: vec![0; MAX_ROWS * columns.stride],
            missing: vec![0; columns.stride],
            any_missing: false,
            close: vec![0; columns.stride],
            common: vec![0; columns.stride],
            low_sums: Box::new([[0.0; 2]; 256]),
            high_sums: Box::new([[0.0; 2]; 256]),
            squares: [0.0; MAX_ROWS],
            n_cuts: 0,
            cuts: Vec::new(),
            turn_ends: Vec::new(),
            sides: Vec::new(),
            gains: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// Looks up the order of the rows in every column. `false` if values of a column differ and yet count as equal: what
    /// is a boundary then depends on the rows of each node.
    pub(super) fn enter(
        &mut self,
        x: &FeatureColumns,
        columns: &Columns,
        targets: &TreeTargets,
        rows: &[u32],
    ) -> bool {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        let separable = match &columns.ranks {
            Ranks::Narrow(table) => self.compare(x, columns, table),
            Ranks::Wide(table) => self.compare(x, columns, table),
        };
        if !separable {
            return false;
        }
        self.any_missing = false;
        for (feature, _) in columns.has_missing.iter().enumerate().filter(|(_, has)| **has) {
            let column = x.column(feature);
            self.missing[feature] = 0;
            for (bit, &row) in rows.iter().enumerate() {
                self.missing[feature] |= Set::from(column[row as usize].is_nan()) << bit;
            }
            self.any_missing |= self.missing[feature] != 0;
        }
        for (bit, &row) in rows.iter().enumerate() {
            self.squares[bit] = targets.squares[row as usize] as f64;
        }
        let (low, high) = rows.split_at(rows.len().min(8));
        fill_sums(&mut self.low_sums[..], low, targets);
        fill_sums(&mut self.high_sums[..], high, targets);
        true
    }

    fn compare<T>(&mut self, x: &FeatureColumns, columns: &Columns, table: &RankTable<T>) -> bool
    where
        T: Copy + PartialOrd + std::ops::Sub<Output = T>,
    {
        if columns.has_close_values {
            self.compare_rows::<T, true>(table);
            !self.has_close_pair(x)
        } else {
            self.compare_rows::<T, false>(table);
            true
        }
    }

    /// Compares every row with every other, eight columns at a time.
    fn compare_rows<T, const MAY_BE_CLOSE: bool>(&mut self, table: &RankTable<T>)
    where
        T: Copy + PartialOrd + std::ops::Sub<Output = T>,
    {
        let by_row = |row: u32| {
            table.ranks[row as usize * self.stride..][..self.stride].as_chunks::<LANES>().0
        };
        let ranks: [&[[T; LANES]]; MAX_ROWS] =
            std::array::from_fn(|i| self.rows.get(i).map_or(&[][..], |&row| by_row(row)));
        let n_rows = self.rows.len();
        for chunk in 0..self.stride / LANES {
            let mut column_ranks = [ranks[0][chunk]; MAX_ROWS];
            for (copy, row) in column_ranks.iter_mut().zip(&ranks[..n_rows]) {
                *copy = row[chunk];
            }
            let column_ranks = &column_ranks[..n_rows];
            let safe = &table.safe_distance[chunk * LANES..][..LANES];
            let mut close = [0; LANES];
            for (row, own) in column_ranks.iter().enumerate() {
                let mut set = [0; LANES];
                let mut flag: Set = 1;
                for other in column_ranks {
                    for lane in 0..LANES {
                        set[lane] |= if other[lane] <= own[lane] { flag } else { 0 };
                    }
                    flag = flag.wrapping_shl(1);
                    if MAY_BE_CLOSE {
                        for lane in 0..LANES {
                            let near =
                                (other[lane] > own[lane]) & (other[lane] - own[lane] < safe[lane]);
                            close[lane] |= Set::from(near);
                        }
                    }
                }
                self.not_above[row * self.stride + chunk * LANES..][..LANES].copy_from_slice(&set);
            }
            if MAY_BE_CLOSE {
                self.close[chunk * LANES..][..LANES].copy_from_slice(&close);
            }
        }
    }

    /// Whether two values of a column differ and yet count as equal.
    fn has_close_pair(&self, x: &FeatureColumns) -> bool {
        let suspects = self.close.iter().enumerate().filter(|(_, close)| **close != 0);
        suspects.into_iter().any(|(feature, _)| {
            let column = x.column(feature);
            let values = || self.rows.iter().map(|&row| column[row as usize]);
            values().any(|a| values().any(|b| b > a && b <= a + FEATURE_THRESHOLD))
        })
    }

    /// Grows the subtree below `open`, whose rows were [entered](Self::enter).
    pub(super) fn grow(
        &mut self,
        x: &FeatureColumns,
        open: Open,
        limits: SearchLimits,
        order: &mut FeatureOrder,
        constant: &mut [u8],
        nodes: &mut Nodes,
    ) {
        let all = Set::MAX >> (Set::BITS as usize - self.rows.len());
        let mut next = Some((open, all));
        while let Some((open, set)) = next.take().or_else(|| self.stack.pop()) {
            let id = nodes.push(&open);
            if !nodes.may_split(&open) {
                continue;
            }
            self.find_constants(set, constant);
            let drawn = order.draw(open.known_constants, limits.max_features, constant);
            let best = self.best_cut(x, open.sums, set, limits.min_samples_leaf, order, drawn);
            let Some((cut, left)) = best else { continue };
            let left_squares = self.squares_of(left);
            if let Some([left_child, right_child]) =
                nodes.split(id, &open, &cut, left_squares, drawn.constants)
            {
                self.stack.push((right_child, set & !left));
                next = Some((left_child, left));
            }
        }
    }

    /// A column is constant if every row has all others not above it.
    fn find_constants(&mut self, set: Set, constant: &mut [u8]) {
        let Self { not_above, common, stride, .. } = self;
        let row = |bit: usize| &not_above[bit * *stride..][..*stride];
        let first = set.trailing_zeros() as usize;
        let second = (set & (set - 1)).trailing_zeros() as usize;
        for ((common, first), second) in common.iter_mut().zip(row(first)).zip(row(second)) {
            *common = first & second;
        }
        for bit in bits(set).skip(2) {
            for (common, row) in common.iter_mut().zip(row(bit)) {
                *common &= row;
            }
        }
        for (out, common) in constant.iter_mut().zip(common) {
            *out = u8::from(*common & set == set);
        }
    }

    fn best_cut(
        &mut self,
        x: &FeatureColumns,
        node: NodeSums,
        set: Set,
        min_samples_leaf: usize,
        order: &FeatureOrder,
        drawn: Drawn,
    ) -> Option<(Cut, Set)> {
        let n_rows = set.count_ones();
        if n_rows == 2 {
            // Either row may be on the left: a + b = b + a, so all scores are equal.
            let feature = order.candidates(drawn).next()?;
            let left = bits(set)
                .map(|bit| self.not_above[bit * self.stride + feature as usize] & set)
                .find(|&left| left != set)?;
            return Some(self.cut(x, feature, 0, false, set, left));
        }
        if n_rows <= FEW_ROWS && min_samples_leaf == 1 && !self.any_missing {
            let (feature, draw, left) = self.best_of_few(node, set, order, drawn)?;
            return Some(self.cut(x, feature, draw, false, set, left));
        }
        self.list_cuts(set, order, drawn);
        if min_samples_leaf > 1 {
            self.drop_small_sides(n_rows, min_samples_leaf as u32);
        }
        let (turn, left) = self.best_listed(node)?;
        let feature = order.candidates(drawn).nth(turn / 2)?;
        Some(self.cut(x, feature, turn as u32 / 2, turn % 2 == 1, set, left))
    }

    /// Scores the ways to divide a few rows, and looks for the first feature that divides them in the best way; if there
    /// is none, in the next best.
    fn best_of_few(
        &self,
        node: NodeSums,
        set: Set,
        order: &FeatureOrder,
        drawn: Drawn,
    ) -> Option<(u32, u32, Set)> {
        let lowest = set & set.wrapping_neg();
        let others = set ^ lowest;
        let mut ways = [(f64::NEG_INFINITY, 0); (1 << (FEW_ROWS - 1)) - 1];
        let mut n_ways = 0;
        let mut with_lowest = others;
        while with_lowest != 0 {
            with_lowest = (with_lowest - 1) & others;
            let side = lowest | with_lowest;
            let [sum, weight] = self.sums_of(side);
            ways[n_ways] = (score(node, sum, weight), side);
            n_ways += 1;
        }
        let ways = &mut ways[..n_ways];
        let (mut rows, mut n_rows) = ([0; FEW_ROWS as usize], 0);
        for bit in bits(set) {
            rows[n_rows] = bit * self.stride;
            n_rows += 1;
        }
        let mut wanted = [0; (1 << (FEW_ROWS - 1)) - 1];
        loop {
            let best = ways.iter().fold(f64::NEG_INFINITY, |best, way| best.max(way.0));
            let mut n_wanted = 0;
            for (score, side) in &mut *ways {
                if *score >= best {
                    wanted[n_wanted] = *side;
                    n_wanted += 1;
                    *score = f64::NEG_INFINITY;
                }
            }
            if best == f64::NEG_INFINITY {
                return None;
            }
            let wanted = &wanted[..n_wanted];
            for (draw, feature) in order.candidates(drawn).enumerate() {
                let lefts =
                    rows[..n_rows].iter().map(|row| self.not_above[row + feature as usize] & set);
                let is_best =
                    |left: &Set| wanted.iter().any(|&side| (side == *left) | (side == set ^ *left));
                let best_lefts = lefts.filter(is_best);
                if let Some(left) = best_lefts.min_by_key(|left| left.count_ones()) {
                    return Some((feature, draw as u32, left));
                }
            }
        }
    }

    /// Lists the boundaries of all candidates. Ties list a boundary twice, which does no harm.
    fn list_cuts(&mut self, set: Set, order: &FeatureOrder, drawn: Drawn) {
        let most = drawn.n_candidates * 2 * MAX_ROWS + 1;
        if self.cuts.len() < most {
            self.cuts.resize(most, 0);
        }
        let (mut rows, mut n_rows) = ([0; MAX_ROWS], 0);
        for bit in bits(set) {
            rows[n_rows] = bit * self.stride;
            n_rows += 1;
        }
        let rows = &rows[..n_rows];
        let Self { not_above, cuts, turn_ends, .. } = self;
        let (not_above, cuts) = (&not_above[..], &mut cuts[..]);
        turn_ends.clear();
        let mut n_cuts = 0;
        for feature in order.candidates(drawn) {
            let feature = feature as usize;
            for row in rows {
                let left = not_above[row + feature] & set;
                cuts[n_cuts] = left;
                n_cuts += usize::from(left != set);
            }
            turn_ends.push(n_cuts);
            let missing = if self.any_missing { self.missing[feature] & set } else { 0 };
            if missing != 0 {
                for row in rows {
                    // All present with all missing is the whole set.
                    let left = not_above[row + feature] & set | missing;
                    cuts[n_cuts] = left;
                    n_cuts += usize::from(left != set);
                }
            }
            turn_ends.push(n_cuts);
        }
        self.n_cuts = n_cuts;
    }

    fn drop_small_sides(&mut self, n_rows: u32, min_samples_leaf: u32) {
        let allowed = min_samples_leaf..=n_rows - min_samples_leaf;
        let (mut kept, mut start) = (0, 0);
        for end in &mut self.turn_ends {
            for i in start..*end {
                self.cuts[kept] = self.cuts[i];
                kept += usize::from(allowed.contains(&self.cuts[i].count_ones()));
            }
            start = *end;
            *end = kept;
        }
        self.n_cuts = kept;
    }

    /// The best of the listed boundaries, and its turn.
    ///
    /// As [`Contest::excess`](super::contest::Contest::excess) it looks at d²/(wl·wr) first, and takes the scores of those
    /// that rounding leaves a chance.
    fn best_listed(&mut self, node: NodeSums) -> Option<(usize, Set)> {
        let Self { low_sums, high_sums, n_cuts, cuts, sides, gains, .. } = self;
        let cuts = &cuts[..*n_cuts];
        sides.clear();
        sides.extend(cuts.iter().map(|&left| {
            let (low, high) =
                (low_sums[usize::from(left & 0xff)], high_sums[usize::from(left >> 8)]);
            [low[0] + high[0], low[1] + high[1]]
        }));
        let mean = node.mean();
        gains.clear();
        gains.extend(sides.iter().map(|&[left_sum, left_weight]| {
            let d = left_sum - left_weight * mean;
            d * d / (left_weight * (node.weight - left_weight))
        }));
        let (fours, rest) = gains.as_chunks::<4>();
        let mut most = [0.0; 4];
        for four in fours {
            for (most, &gain) in most.iter_mut().zip(four) {
                *most = if gain > *most { gain } else { *most };
            }
        }
        let most = rest.iter().chain(&most).fold(0.0_f64, |most, &gain| most.max(gain));
        // The largest one is rounded too.
        let floor = most - 2.0 * slack(node) * (most + mean * mean);

        let mut best: Option<(f64, usize, Set)> = None;
        for (i, &gain) in gains.iter().enumerate() {
            if gain < floor {
                continue;
            }
            let score = score(node, sides[i][0], sides[i][1]);
            let wins = best.is_none_or(|(best_score, turn, left)| {
                // In one turn boundaries come in no order: the fewest rows on the left are first.
                score > best_score
                    || (score >= best_score
                        && i < self.turn_ends[turn]
                        && cuts[i].count_ones() < left.count_ones())
            });
            if wins {
                best = Some((score, self.turn_ends.partition_point(|&end| end <= i), cuts[i]));
            }
        }
        best.map(|(_, turn, left)| (turn, left))
    }

    fn cut(
        &self,
        x: &FeatureColumns,
        feature: u32,
        draw: u32,
        missing_left: bool,
        set: Set,
        left: Set,
    ) -> (Cut, Set) {
        let column = x.column(feature as usize);
        let value = |bit: usize| column[self.rows[bit] as usize];
        let missing = if self.any_missing { self.missing[feature as usize] & set } else { 0 };
        // Of sets that contain each other the larger one is the larger number.
        let place = |bit: &usize| self.not_above[bit * self.stride + feature as usize] & set;
        let last = bits(left & !missing).max_by_key(place);
        let next = bits(set & !left & !missing).min_by_key(place);
        let threshold = match (last, next) {
            (Some(last), Some(next)) => midway(value(last), value(next)),
            _ => f64::INFINITY,
        };
        let n_left = left.count_ones();
        let [left_sum, left_weight] = self.sums_of(left);
        let cut = Cut {
            turn: Turn { draw, missing_left, n_left },
            feature,
            threshold,
            missing_go_to_left: if missing != 0 {
                missing_left
            } else {
                n_left > set.count_ones() - n_left
            },
            left_sum,
            left_weight,
        };
        (cut, left)
    }

    fn sums_of(&self, set: Set) -> [f64; 2] {
        let low = self.low_sums[usize::from(set & 0xff)];
        let high = self.high_sums[usize::from(set >> 8)];
        [low[0] + high[0], low[1] + high[1]]
    }

    fn squares_of(&self, set: Set) -> f64 {
        bits(set).map(|bit| self.squares[bit]).sum()
    }
}

/// The places of the bits that are set, ascending.
fn bits(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let bit = set.trailing_zeros() as usize;
            set &= set - 1;
            bit
        })
    })
}

/// Sums and weights of all sets of up to eight rows.
fn fill_sums(sums: &mut [[f64; 2]], rows: &[u32], targets: &TreeTargets) {
    sums[0] = [0.0; 2];
    for (bit, &row) in rows.iter().enumerate() {
        let record = targets.records[row as usize];
        let (sum, weight) = (f64::from(record.sum), f64::from(record.weight));
        let (without, with) = sums.split_at_mut(1 << bit);
        for (with, without) in with.iter_mut().zip(without) {
            *with = [without[0] + sum, without[1] + weight];
        }
    }
}
