//! The search for a node's best split, where it is not in a small subtree.

use std::ops::Range;

use super::{
    bins::{Bin, Marked, enter_few},
    boundaries::{enter_list, enter_sorted},
    columns::Kind,
    draw::Drawn,
    gain_bounds::{GainBounds, LANES},
    grow::Grower,
    lists::row_of,
    nodes::Open,
};
use crate::tree::search::FEATURE_THRESHOLD;

/// A list whose boundaries are candidates.
pub(super) struct ListCandidate {
    number: usize,
    /// Its feature, and when that was drawn.
    draw: (u32, u32),
    /// What it gains at most.
    bound: f64,
}

impl Grower<'_> {
    pub(super) fn search_large(&mut self, open: &Open, node: Range<usize>, bins: &[Bin]) -> Drawn {
        self.find_constants(open, node.clone(), bins);
        let max_features = self.limits.search.max_features;
        let drawn = self.order.draw(open.known_constants, max_features, &self.constant);
        let allowed = self.limits.search.allowed(open.n_rows);
        let margin = self.targets.margin(open.n_rows, &open.sums);
        let contest = &mut self.contest;
        contest.begin(open.whole, open.sums.weight, margin);
        // The cheap ones first: good scores make the others cheaper.
        for (draw, feature) in self.order.candidates(drawn).enumerate() {
            let draw = (feature, draw as u32);
            match &self.columns.kinds[feature as usize] {
                &Kind::Marked { slot, below, above, marked_is_above } => {
                    let marked = Marked { bin: bins[slot], below, above, marked_is_above };
                    marked.enter(draw, open.n_rows, allowed.clone(), contest);
                }
                Kind::Few { first_slot, values } => {
                    let bins = &bins[*first_slot..][..values.len()];
                    enter_few(bins, values, draw, open.n_rows, allowed.clone(), contest);
                }
                &Kind::List { number, repeats } => {
                    let lists = if repeats { &mut self.repetitive } else { &mut self.distinct };
                    lists.push(ListCandidate { number, draw, bound: f64::INFINITY });
                }
                Kind::Constant => {}
            }
        }
        self.enter_lists(open, node, &allowed);
        drawn
    }

    /// Tries the boundaries of the lists in `distinct` as far as they may win, then of those in `repetitive`.
    fn enter_lists(&mut self, open: &Open, node: Range<usize>, allowed: &Range<u32>) {
        let Self { targets, lists, distinct, repetitive, x, contest, .. } = self;
        let records = &targets.records;
        let list = |number| lists.node(number, node.clone());
        let gains = GainBounds::new(records, open.whole, open.sums.weight);
        for group in distinct.chunks_mut(LANES) {
            let bounds = gains.of_lists(std::array::from_fn(|lane| {
                list(group[lane.min(group.len() - 1)].number)
            }));
            for (candidate, bound) in group.iter_mut().zip(bounds) {
                candidate.bound = bound;
            }
        }
        let by_bound = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        loop {
            let bounds = distinct.iter().map(|candidate| candidate.bound).enumerate();
            let Some((place, bound)) = bounds.max_by(by_bound) else { break };
            if contest.refuses(bound) {
                distinct.clear();
                break;
            }
            let ListCandidate { number, draw, .. } = distinct.swap_remove(place);
            let column = x.column(draw.0 as usize);
            enter_list(list(number), column, &gains, draw, allowed, contest);
        }
        for ListCandidate { number, draw, .. } in repetitive.drain(..) {
            let (rows, column) = (list(number), x.column(draw.0 as usize));
            let has_missing = column[row_of(rows[rows.len() - 1]) as usize].is_nan();
            if has_missing {
                enter_sorted(rows, column, records, draw, allowed, contest);
            } else {
                enter_list(rows, column, &gains, draw, allowed, contest);
            }
        }
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
                Kind::List { number, .. } => {
                    let column = self.x.column(feature as usize);
                    let rows = self.lists.node(*number, node.clone());
                    let [first, last] = [rows[0], rows[rows.len() - 1]].map(row_of);
                    is_constant(column[first as usize], column[last as usize])
                }
                Kind::Constant | Kind::Marked { .. } => continue,
            };
            self.constant[feature as usize] = u8::from(is_constant);
        }
    }

    /// Searches a small node in which values of a column differ and yet count as equal, column by column.
    pub(super) fn search_close(&mut self, open: &Open, node: Range<usize>) -> Drawn {
        for i in 0..self.order.live(open.known_constants).len() {
            let feature = self.order.live(open.known_constants)[i];
            self.sort(node.clone(), feature);
            let column = self.x.column(feature as usize);
            let [first, last] = [0, self.sorted.len() - 1].map(|i| column[self.sorted[i] as usize]);
            self.constant[feature as usize] = u8::from(is_constant(first, last));
        }
        let max_features = self.limits.search.max_features;
        let drawn = self.order.draw(open.known_constants, max_features, &self.constant);
        let allowed = self.limits.search.allowed(open.n_rows);
        let margin = self.targets.margin(open.n_rows, &open.sums);
        self.contest.begin(open.whole, open.sums.weight, margin);
        let candidates: Vec<u32> = self.order.candidates(drawn).collect();
        for (draw, &feature) in candidates.iter().enumerate() {
            self.sort(node.clone(), feature);
            let column = self.x.column(feature as usize);
            let draw = (feature, draw as u32);
            let records = &self.targets.records;
            let contest = &mut self.contest;
            enter_sorted(&self.sorted, column, records, draw, &allowed, contest);
        }
        drawn
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
}

/// Whether a column is constant in a node, by its first and last value, missing ones being last.
fn is_constant(first: f32, last: f32) -> bool {
    if last.is_nan() { first.is_nan() } else { last <= first + FEATURE_THRESHOLD }
}
