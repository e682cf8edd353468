//! Subtrees of few rows: all their boundaries are known from the beginning, as [sets of rows](super::row_sets).

use super::{
    columns::Columns,
    contest::{Cut, Margin, Turn, gain, midway, score},
    cuts::Cuts,
    draw::{Drawn, FeatureOrder},
    few_rows::{FEW_ROWS, FewRows, best_of_two, left_of_two},
    limits::SearchLimits,
    node_sums::NodeSums,
    nodes::{Halves, Nodes, Open},
    places::PlacedColumns,
    real_targets::margin,
    row_sets::{RowSets, Set, bits},
    set_order::{InOrder, SetOrder, replay_order},
    targets::TreeTargets,
};

/// A small subtree that is being grown, and buffers that outlive it.
#[derive(Debug)]
pub(super) struct SmallSubtree {
    sets: RowSets,
    /// Boundaries of the current node.
    cuts: Cuts,
    sides: Vec<[f64; 2]>,
    gains: Vec<f64>,
    stack: Vec<(Open, Set, SetOrder)>,
    in_order: InOrder,
}

/// A node in the subtree.
struct SmallNode {
    open: Open,
    set: Set,
    limits: SearchLimits,
}

impl SmallSubtree {
    pub(super) fn new(columns: &Columns) -> Self {
        Self {
            sets: RowSets::new(columns),
            cuts: Cuts::new(columns.places.n_places()),
            sides: Vec::new(),
            gains: Vec::new(),
            stack: Vec::new(),
            in_order: InOrder::default(),
        }
    }

    /// See [`RowSets::enter`].
    pub(super) fn enter(
        &mut self,
        x: PlacedColumns<'_>,
        columns: &Columns,
        targets: &TreeTargets<'_>,
        rows: &[u32],
    ) -> bool {
        self.sets.enter(x, columns, targets, rows)
    }

    /// Grows the subtree below `open`, whose rows were [entered](Self::enter).
    pub(super) fn grow(
        &mut self,
        x: PlacedColumns<'_>,
        open: Open,
        limits: SearchLimits,
        order: &mut FeatureOrder,
        constant: &mut [u8],
        nodes: &mut Nodes,
    ) {
        let n_rows = self.sets.rows.len();
        let all = Set::MAX >> (Set::BITS as usize - n_rows);
        let mut next = Some((open, all, SetOrder::ascending(n_rows)));
        while let Some((open, set, mut rows)) = next.take().or_else(|| self.stack.pop()) {
            let id = nodes.push(&open);
            if !nodes.may_split(&open) {
                nodes.end(id, self.sets.rows_of(set));
                continue;
            }
            self.sets.find_constants(set, constant);
            let drawn = order.draw(open.known_constants, limits.max_features, constant);
            let node = SmallNode { open, set, limits };
            let in_order = self.sets.in_order;
            let best = if in_order {
                self.best_in_order(x, &node, &mut rows, order, drawn)
            } else {
                self.best_cut(x, &node, order, drawn)
            };
            let Some((cut, left)) = best else {
                nodes.end(id, self.sets.rows_of(set));
                continue;
            };
            let (halves, sides) = if in_order {
                rows.part(left, &self.sets.terms, &open.sums)
            } else {
                let (total, weight) = (cut.left_sum, cut.left_weight);
                let squares = self.sets.squares_of(left);
                (Halves::exact(&open.sums, NodeSums { total, squares, weight }), [rows; 2])
            };
            let feature = x.places.feature(cut.feature);
            match nodes.split(id, &open, (feature, &cut), &halves, drawn.constants) {
                Some([left_child, right_child]) => {
                    self.stack.push((right_child, set & !left, sides[1]));
                    next = Some((left_child, left, sides[0]));
                }
                None => nodes.end(id, self.sets.rows_of(set)),
            }
        }
    }

    fn best_cut(
        &mut self,
        x: PlacedColumns<'_>,
        node: &SmallNode,
        order: &FeatureOrder,
        drawn: Drawn,
    ) -> Option<(Cut, Set)> {
        let SmallNode { set, limits, .. } = *node;
        let n_rows = set.count_ones();
        if n_rows == 2 {
            // Either row may be on the left: a + b = b + a, so all scores are equal.
            let feature = order.candidates(drawn).next()?;
            let left = left_of_two(&self.sets, set, feature);
            return Some(self.cut(x, feature, 0, false, set, left));
        }
        if n_rows <= FEW_ROWS && limits.min_samples_leaf == 1 && !self.sets.any_missing {
            let few = FewRows::new(&self.sets, set);
            let (draw, left) = few.best(&node.open, &order.candidates(drawn))?;
            let feature = order.candidates(drawn).nth(draw as usize)?;
            return Some(self.cut(x, feature, draw, false, set, left));
        }
        self.list_cuts(node, order, drawn);
        let (turn, feature, left) = self.best_listed(node)?;
        Some(self.cut(x, feature, turn.draw, turn.missing_left, set, left))
    }

    /// The best cut if sums depend on the order of rows, which are brought into the order that the search leaves.
    fn best_in_order(
        &mut self,
        x: PlacedColumns<'_>,
        node: &SmallNode,
        rows: &mut SetOrder,
        order: &FeatureOrder,
        drawn: Drawn,
    ) -> Option<(Cut, Set)> {
        let SmallNode { open, set, limits } = *node;
        let n_rows = open.n_rows;
        let few = if n_rows == 2 {
            Some(best_of_two(&self.sets, &open.sums, set, order.candidates(drawn))?)
        } else if n_rows <= FEW_ROWS && limits.min_samples_leaf == 1 && !self.sets.any_missing {
            let few = FewRows::new(&self.sets, set);
            Some(few.best_in_order(&open, &order.candidates(drawn))?)
        } else {
            None
        };
        let last_first = order.candidates_last_first(drawn);
        if let Some((draw, left)) = few {
            // Up to two rows add up to the same in any order.
            let n_left = left.count_ones();
            if n_left > 2 || n_rows - n_left > 2 {
                replay_order(&self.sets, (set, rows), &open.sums, last_first);
            }
            let feature = order.candidates(drawn).nth(draw as usize)?;
            return Some(self.cut(x, feature, draw, false, set, left));
        }
        self.list_cuts(node, order, drawn);
        let floor = self.find_gains(&open, margin(open.n_rows, &open.sums, self.sets.unit));
        let Self { sets, in_order, cuts, gains, .. } = self;
        let contenders = (0..).zip(&*gains).filter(|(_, gain)| **gain >= floor);
        let contenders = contenders.map(|(i, _)| (cuts.turn(i).0, cuts.lefts()[i]));
        let allowed = limits.allowed(n_rows);
        let (turn, left) =
            in_order.decide(sets, (set, rows), &open.sums, allowed, last_first, contenders)?;
        let feature = order.candidates(drawn).nth(turn.draw as usize)?;
        Some(self.cut(x, feature, turn.draw, turn.missing_left, set, left))
    }

    fn list_cuts(&mut self, node: &SmallNode, order: &FeatureOrder, drawn: Drawn) {
        let SmallNode { set, limits, .. } = *node;
        self.cuts.list(&self.sets, set, order, drawn);
        if limits.min_samples_leaf > 1 {
            self.cuts.drop_small_sides(&limits.allowed(set.count_ones()));
        }
    }

    /// Computes the gain d²/(wl·wr) of each listed boundary and returns what may win.
    fn find_gains(&mut self, open: &Open, margin: Margin) -> f64 {
        let Self { sets, cuts, sides, gains, .. } = self;
        sides.clear();
        sides.extend(cuts.lefts().iter().map(|&left| sets.sums_of(left)));
        let weight = open.sums.weight;
        let mean = open.whole / weight;
        gains.clear();
        gains.extend(
            sides.iter().map(|&[left_sum, left_weight]| gain(mean, weight, left_sum, left_weight)),
        );
        let (fours, rest) = gains.as_chunks::<4>();
        let mut most = [0.0; 4];
        for four in fours {
            for (most, &gain) in most.iter_mut().zip(four) {
                *most = if gain > *most { gain } else { *most };
            }
        }
        let most = rest.iter().chain(&most).fold(0.0_f64, |most, &gain| most.max(gain));
        margin.floor(most, mean)
    }

    /// The best of the listed boundaries: its turn, its feature and the rows on its left.
    fn best_listed(&mut self, node: &SmallNode) -> Option<(Turn, u32, Set)> {
        let (whole, weight) = (node.open.whole, node.open.sums.weight);
        let floor = self.find_gains(&node.open, Margin::of_gains(weight));
        let Self { cuts, sides, gains, .. } = self;
        let mut best: Option<(f64, Turn, u32, Set)> = None;
        for (i, &gain) in gains.iter().enumerate() {
            if gain < floor {
                continue;
            }
            let score = score(whole, weight, sides[i][0], sides[i][1]);
            let (turn, feature) = cuts.turn(i);
            let wins = best.is_none_or(|(best_score, best_turn, ..)| {
                score > best_score || (score >= best_score && turn.precedes(best_turn))
            });
            if wins {
                best = Some((score, turn, feature, cuts.lefts()[i]));
            }
        }
        best.map(|(_, turn, feature, left)| (turn, feature, left))
    }

    fn cut(
        &self,
        x: PlacedColumns<'_>,
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
