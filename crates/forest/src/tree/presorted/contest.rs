//! The search for the best split among candidates that come in any order.

/// Where the reference path would meet a candidate: features in the order they were drawn, missing rows first on the right,
/// boundaries ascending. Of equal scores it keeps the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) draw: u32,
    pub(super) missing_left: bool,
    pub(super) n_left: u32,
}

impl Turn {
    pub(super) fn precedes(self, other: Self) -> bool {
        self.place() < other.place()
    }

    pub(super) fn place(self) -> (u32, bool, u32) {
        (self.draw, self.missing_left, self.n_left)
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

/// How far below the best gain a candidate may be and still win: what rounding can hide.
///
/// With d = L − wl·T/W a score is T²/W + W·d²/(wl·wr), and the gain d²/(wl·wr) needs one division.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Margin {
    /// Share of the score.
    pub(super) relative: f64,
    /// Multiple of the gain's square root.
    pub(super) root: f64,
    pub(super) absolute: f64,
}

impl Margin {
    /// The margin where sums are exact.
    ///
    /// A gain is rounded elsewhere than the score is: d loses at most 2u·wl·|T|/W + u·|d| (u the unit roundoff), which
    /// moves the score S by less than 4u·S·√W; all other roundings together stay below 16u·S. Two gains are compared, and
    /// this is twice that and more.
    pub(super) fn of_gains(weight: f64) -> Self {
        Self { relative: f64::EPSILON * (32.0 + 16.0 * weight.sqrt()), root: 0.0, absolute: 0.0 }
    }

    /// The least gain that may win against `best`. `mean` is the node's.
    pub(super) fn floor(self, best: f64, mean: f64) -> f64 {
        best - self.relative * (best + mean * mean) - self.root * best.sqrt() - self.absolute
    }
}

/// The best splits of a node so far: those between which the gains do not decide.
#[derive(Debug, Default)]
pub(super) struct Contest {
    total: f64,
    weight: f64,
    mean: f64,
    margin: Margin,
    best: f64,
    /// The gain that a candidate needs.
    floor: f64,
    contenders: Vec<(f64, Cut)>,
}

impl Contest {
    /// Begins a node with these sums of whole numbers.
    pub(super) fn begin(&mut self, total: f64, weight: f64, margin: Margin) {
        let mean = total / weight;
        self.contenders.clear();
        let contenders = std::mem::take(&mut self.contenders);
        let (best, floor) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        *self = Self { total, weight, mean, margin, best, floor, contenders };
    }

    /// The gain that a candidate needs; -∞ before there is one.
    pub(super) fn floor(&self) -> f64 {
        self.floor
    }

    /// Whether a gain is too low to win.
    pub(super) fn refuses(&self, gain: f64) -> bool {
        gain < self.floor
    }

    /// What is right of a boundary, by what is left of it.
    pub(super) fn other_side(&self, sum: f64, weight: f64) -> (f64, f64) {
        (self.total - sum, self.weight - weight)
    }

    /// Negative if a split with these sums on the left can not win. Needs no division.
    #[inline(always)]
    pub(super) fn excess(&self, left_sum: f64, left_weight: f64) -> f64 {
        let d = left_sum - left_weight * self.mean;
        d * d - self.floor * (left_weight * (self.weight - left_weight))
    }

    /// Enters a candidate; `cut` is only asked for if it may win.
    pub(super) fn offer(
        &mut self,
        turn: Turn,
        left_sum: f64,
        left_weight: f64,
        cut: impl FnOnce() -> (u32, f64, bool),
    ) {
        let gain = gain(self.mean, self.weight, left_sum, left_weight);
        if gain < self.floor {
            return;
        }
        if gain > self.best {
            self.floor = self.margin.floor(gain, self.mean);
            if self.best < self.floor {
                self.contenders.clear();
            }
            self.best = gain;
        }
        let (feature, threshold, missing_go_to_left) = cut();
        let cut = Cut { turn, feature, threshold, missing_go_to_left, left_sum, left_weight };
        self.contenders.push((gain, cut));
    }

    /// Candidates that may win.
    pub(super) fn contenders(&self) -> impl Iterator<Item = &Cut> {
        self.contenders.iter().filter(|(gain, _)| *gain >= self.floor).map(|(_, cut)| cut)
    }

    /// The winner, if sums are exact. Of equal scores the first in turn wins.
    pub(super) fn winner(&self) -> Option<Cut> {
        let mut best: Option<(f64, &Cut)> = None;
        for cut in self.contenders() {
            let score = score(self.total, self.weight, cut.left_sum, cut.left_weight);
            let wins = best.is_none_or(|(best, leader)| {
                score > best || (score >= best && cut.turn.precedes(leader.turn))
            });
            if wins {
                best = Some((score, cut));
            }
        }
        best.map(|(_, cut)| *cut)
    }
}

/// How far a boundary parts the rows: d²/(wl·wr), by the mean and the weight of the node.
#[inline(always)]
pub(super) fn gain(mean: f64, weight: f64, left_sum: f64, left_weight: f64) -> f64 {
    let d = left_sum - left_weight * mean;
    d * d / (left_weight * (weight - left_weight))
}

/// The score of scikit-learn, in its order of operations.
#[inline(always)]
pub(super) fn score(total: f64, weight: f64, left_sum: f64, left_weight: f64) -> f64 {
    let (right_sum, right_weight) = (total - left_sum, weight - left_weight);
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
        let turns = [turn(1, false, 1), turn(0, true, 1), turn(0, false, 2), turn(2, false, 1)];
        let mut contest = Contest::default();
        contest.begin(6.0, 3.0, Margin::of_gains(3.0));
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
            let (weight_sum, mean) = (weight as f64, total / weight as f64);
            let mut contest = Contest::default();
            contest.begin(total, weight_sum, Margin::of_gains(weight_sum));
            let mut best = f64::NEG_INFINITY;
            for draw in 0..50 {
                // Close to the mean, where d cancels.
                let left_weight = generator.draw(1, weight) as f64;
                let left_sum = (mean * left_weight).round() + generator.draw(0, 3) as f64;
                let refused = contest.excess(left_sum, left_weight) < 0.0;
                let score = score(total, weight_sum, left_sum, left_weight);
                assert!(!(refused && score >= best), "{score} {best}");
                best = best.max(score);
                contest.offer(turn(draw, false, 1), left_sum, left_weight, || (0, 0.0, false));
            }
        }
    }
}
