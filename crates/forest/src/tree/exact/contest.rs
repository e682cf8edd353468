//! The search for the best split among candidates that come in any order.

use super::node_sums::NodeSums;

/// Where the reference path would meet a candidate: features in the order they were drawn, missing rows first on the right,
/// boundaries ascending. Of equal scores it keeps the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) draw: u32,
    pub(super) missing_left: bool,
    pub(super) n_left: u32,
}

impl Turn {
    fn precedes(self, other: Self) -> bool {
        let place = |turn: Self| (turn.draw, turn.missing_left, turn.n_left);
        place(self) < place(other)
    }
}

/// A split of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) turn: Turn,
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) missing_go_to_left: bool,
    pub(super) left_sum: f64,
    pub(super) left_weight: f64,
}

/// The best split of a node so far.
#[derive(Debug)]
pub(super) struct Contest {
    node: NodeSums,
    mean: f64,
    /// Share of the score that rounding in [`excess`](Self::excess) may take away.
    slack: f64,
    /// d²/(wl·wr) that a candidate needs.
    floor: f64,
    best: Option<(f64, Cut)>,
}

impl Contest {
    pub(super) fn new(node: NodeSums) -> Self {
        Self { node, mean: node.mean(), slack: slack(node), floor: f64::NEG_INFINITY, best: None }
    }

    pub(super) fn node(&self) -> NodeSums {
        self.node
    }

    /// Negative if a split with these sums on the left can not win.
    ///
    /// With d = L − wl·T/W a score is T²/W + W·d²/(wl·wr), so this needs no division. It is rounded elsewhere than the
    /// score is: d loses at most 2u·wl·|T|/W + u·|d| (u the unit roundoff), which moves the score S by less than
    /// 4u·S·√W; all other roundings together stay below 16u·S. The slack is twice that and more.
    #[inline(always)]
    pub(super) fn excess(&self, left_sum: f64, left_weight: f64) -> f64 {
        let d = left_sum - left_weight * self.mean;
        d * d - self.floor * (left_weight * (self.node.weight - left_weight))
    }

    /// Enters a candidate; `cut` is only asked for if it wins.
    pub(super) fn offer(
        &mut self,
        turn: Turn,
        left_sum: f64,
        left_weight: f64,
        cut: impl FnOnce() -> (u32, f64, bool),
    ) {
        let score = score(self.node, left_sum, left_weight);
        if let Some((best, leader)) = &self.best
            && (score < *best || (score <= *best && leader.turn.precedes(turn)))
        {
            return;
        }
        let (feature, threshold, missing_go_to_left) = cut();
        let cut = Cut { turn, feature, threshold, missing_go_to_left, left_sum, left_weight };
        self.best = Some((score, cut));
        let NodeSums { total, weight, .. } = self.node;
        self.floor = (score - total * total / weight - self.slack * score) / weight;
    }

    pub(super) fn winner(self) -> Option<Cut> {
        self.best.map(|(_, cut)| cut)
    }
}

/// Share of a score that rounding may take away in [`Contest::excess`].
pub(super) fn slack(node: NodeSums) -> f64 {
    f64::EPSILON * (16.0 + 8.0 * node.weight.sqrt())
}

/// The score of scikit-learn, in its order of operations.
#[inline(always)]
pub(super) fn score(node: NodeSums, left_sum: f64, left_weight: f64) -> f64 {
    let (right_sum, right_weight) = (node.total - left_sum, node.weight - left_weight);
    left_sum * left_sum / left_weight + right_sum * right_sum / right_weight
}

/// Midway between two neighbours.
pub(super) fn midway(below: f32, above: f32) -> f64 {
    f64::from(below) / 2.0 + f64::from(above) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(draw: u32, missing_left: bool, n_left: u32) -> Turn {
        Turn { draw, missing_left, n_left }
    }

    #[test]
    fn equal_scores_go_to_the_earlier_turn() {
        let node = NodeSums { total: 6.0, squares: 14.0, weight: 3.0 };
        let turns = [turn(1, false, 1), turn(0, true, 1), turn(0, false, 2), turn(2, false, 1)];
        let mut contest = Contest::new(node);
        for turn in turns {
            contest.offer(turn, 1.0, 1.0, || (turn.draw, 0.5, false));
        }
        assert_eq!(contest.winner().unwrap().turn, turn(0, false, 2));
    }

    #[test]
    fn winners_are_never_refused_by_the_test_without_division() {
        let mut generator = crate::tree::xorshift::XorShift32::new(3);
        for round in 0..2000 {
            let weight = 2 + generator.draw(0, if round % 2 == 0 { 20 } else { 1 << 26 });
            let total = generator.next_u31() as f64;
            let node = NodeSums { total, squares: 0.0, weight: weight as f64 };
            let mut contest = Contest::new(node);
            let mut best = f64::NEG_INFINITY;
            for draw in 0..50 {
                // Close to the mean, where d cancels.
                let left_weight = generator.draw(1, weight) as f64;
                let left_sum = (node.mean() * left_weight).round() + generator.draw(0, 3) as f64;
                let refused = contest.excess(left_sum, left_weight) < 0.0;
                let score = score(node, left_sum, left_weight);
                assert!(!(refused && score >= best), "{score} {best}");
                best = best.max(score);
                contest.offer(turn(draw, false, 1), left_sum, left_weight, || (0, 0.0, false));
            }
        }
    }
}
