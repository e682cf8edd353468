//! Subtrees of few rows: all their boundaries are known from the beginning, as [sets of rows](super::row_sets).

use super::{
    columns::Columns,
    contest::{Cut, Turn, midway, score, slack},
    draw::{Drawn, FeatureOrder},
    limits::SearchLimits,
    node_sums::NodeSums,
    nodes::{Nodes, Open},
    row_sets::{MAX_ROWS, RowSets, Set, bits},
    targets::TreeTargets,
};
use crate::feature_columns::FeatureColumns;

/// Up to this many rows all ways to divide them are scored, instead of all boundaries.
const FEW_ROWS: u32 = 4;

/// A small subtree that is being grown, and buffers that outlive it.
#[derive(Debug)]
pub(super) struct SmallSubtree {
    sets: RowSets,
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
            sets: RowSets::new(columns),
            n_cuts: 0,
            cuts: Vec::new(),
            turn_ends: Vec::new(),
            sides: Vec::new(),
            gains: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// See [`RowSets::enter`].
    pub(super) fn enter(
        &mut self,
        x: &FeatureColumns,
        columns: &Columns,
        targets: &TreeTargets,
        rows: &[u32],
    ) -> bool {
        self.sets.enter(x, columns, targets, rows)
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
        let all = Set::MAX >> (Set::BITS as usize - self.sets.rows.len());
        let mut next = Some((open, all));
        while let Some((open, set)) = next.take().or_else(|| self.stack.pop()) {
            let id = nodes.push(&open);
            if !nodes.may_split(&open) {
                continue;
            }
            self.sets.find_constants(set, constant);
            let drawn = order.draw(open.known_constants, limits.max_features, constant);
            let best = self.best_cut(x, open.sums, set, limits.min_samples_leaf, order, drawn);
            let Some((cut, left)) = best else { continue };
            let left_squares = self.sets.squares_of(left);
            if let Some([left_child, right_child]) =
                nodes.split(id, &open, &cut, left_squares, drawn.constants)
            {
                self.stack.push((right_child, set & !left));
                next = Some((left_child, left));
            }
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
                .map(|bit| self.sets.not_above[bit * self.sets.stride + feature as usize] & set)
                .find(|&left| left != set)?;
            return Some(self.cut(x, feature, 0, false, set, left));
        }
        if n_rows <= FEW_ROWS && min_samples_leaf == 1 && !self.sets.any_missing {
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
            let [sum, weight] = self.sets.sums_of(side);
            ways[n_ways] = (score(node, sum, weight), side);
            n_ways += 1;
        }
        let ways = &mut ways[..n_ways];
        let (mut rows, mut n_rows) = ([0; FEW_ROWS as usize], 0);
        for bit in bits(set) {
            rows[n_rows] = bit * self.sets.stride;
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
                let lefts = rows[..n_rows]
                    .iter()
                    .map(|row| self.sets.not_above[row + feature as usize] & set);
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
            rows[n_rows] = bit * self.sets.stride;
            n_rows += 1;
        }
        let rows = &rows[..n_rows];
        let Self { sets, cuts, turn_ends, .. } = self;
        let (not_above, cuts) = (&sets.not_above[..], &mut cuts[..]);
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
            let missing = sets.missing(feature, set);
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
        let Self { sets, n_cuts, cuts, sides, gains, .. } = self;
        let cuts = &cuts[..*n_cuts];
        sides.clear();
        sides.extend(cuts.iter().map(|&left| sets.sums_of(left)));
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
        let value = |bit: usize| column[self.sets.rows[bit] as usize];
        let missing = self.sets.missing(feature as usize, set);
        // Of sets that contain each other the larger one is the larger number.
        let place =
            |bit: &usize| self.sets.not_above[bit * self.sets.stride + feature as usize] & set;
        let last = bits(left & !missing).max_by_key(place);
        let next = bits(set & !left & !missing).min_by_key(place);
        let threshold = match (last, next) {
            (Some(last), Some(next)) => midway(value(last), value(next)),
            _ => f64::INFINITY,
        };
        let n_left = left.count_ones();
        let [left_sum, left_weight] = self.sets.sums_of(left);
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
}
