/// Weights and weighted values by rank, with sums over any prefix in logarithmic time: a Fenwick tree of pairs.
///
/// # References
///
/// Fenwick (1994), *A new data structure for cumulative frequency tables*, Software: Practice and Experience 24.
#[derive(Debug, Default)]
pub(super) struct WeightedRanks {
    /// Sums of weight and of weight times value, one-based.
    sums: Vec<(f64, f64)>,
    total: (f64, f64),
}

/// Where the weight of a set is cut in half.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    /// The last rank below the cut, or the same as `rank` if the cut goes through one.
    pub(super) before: usize,
    pub(super) rank: usize,
    /// Weight and weighted values of all ranks below `rank`.
    pub(super) below: (f64, f64),
}

impl WeightedRanks {
    pub(super) fn reset(&mut self, n_ranks: usize) {
        self.sums.clear();
        self.sums.resize(n_ranks + 1, (0.0, 0.0));
        self.total = (0.0, 0.0);
    }

    pub(super) fn add(&mut self, rank: usize, value: f64, weight: f64) {
        let weighted = weight * value;
        let mut place = rank + 1;
        while let Some(sum) = self.sums.get_mut(place) {
            sum.0 += weight;
            sum.1 += weighted;
            place += place & place.wrapping_neg();
        }
        self.total.0 += weight;
        self.total.1 += weighted;
    }

    pub(super) fn total(&self) -> (f64, f64) {
        self.total
    }

    /// Finds the rank at which half the weight is reached. Ranks without weight are passed over.
    #[expect(clippy::float_cmp, reason = "whole weights are cut in half exactly")]
    pub(super) fn half(&self) -> Half {
        let target = 0.5 * self.total.0;
        let mut cursor = Cursor { place: 0, left: target, below: (0.0, 0.0) };
        let mut step = self.largest_step();
        while step != 0 {
            if let Some(&sum) = self.sums.get(cursor.place + step) {
                if cursor.left == sum.0 {
                    // A prefix holds just half: the ranks on both of its sides count.
                    let before = self.descend(cursor, step, |left, weight| left > weight);
                    let after = self.descend(cursor, step, |left, weight| left >= weight);
                    return Half { before: before.place, rank: after.place, below: after.below };
                }
                if cursor.left > sum.0 {
                    cursor.pass(step, sum);
                }
            }
            step >>= 1;
        }
        Half { before: cursor.place, rank: cursor.place, below: cursor.below }
    }

    fn descend(&self, mut cursor: Cursor, mut step: usize, passes: fn(f64, f64) -> bool) -> Cursor {
        while step != 0 {
            if let Some(&sum) = self.sums.get(cursor.place + step)
                && passes(cursor.left, sum.0)
            {
                cursor.pass(step, sum);
            }
            step >>= 1;
        }
        cursor
    }

    /// The highest power of two up to the number of ranks; 0 if there are none.
    fn largest_step(&self) -> usize {
        (self.sums.len() - 1).checked_ilog2().map_or(0, |log| 1 << log)
    }
}

/// A prefix of the ranks, the weight that is still to be found, and what the prefix holds.
#[derive(Clone, Copy)]
struct Cursor {
    place: usize,
    left: f64,
    below: (f64, f64),
}

impl Cursor {
    fn pass(&mut self, step: usize, sum: (f64, f64)) {
        self.place += step;
        self.left -= sum.0;
        self.below.0 += sum.0;
        self.below.1 += sum.1;
    }
}
