use super::{Criterion, Sides, WeightedTargets, weighted_median::WeightedRanks};
use crate::tree::sort::sort;

/// The mean absolute deviation from the weighted median. Nodes predict the median.
///
/// Errors and medians of every prefix and suffix of the rows are computed whenever the order changes, in `O(n log n)`.
#[derive(Debug)]
pub(crate) struct AbsoluteError<'a> {
    targets: WeightedTargets<'a>,
    weight: f64,
    position: usize,
    left_weight: f64,
    /// By the number of the last row of a prefix.
    prefixes: Vec<Deviation>,
    /// By the number of the first row of a suffix.
    suffixes: Vec<Deviation>,
    ranks: Ranks,
    tree: WeightedRanks,
}

/// Median of a set of targets, and the sum of their absolute differences from it.
#[derive(Debug, Clone, Copy, Default)]
struct Deviation {
    median: f64,
    error: f64,
}

/// The targets of a node, sorted, and the rank of each of its rows.
#[derive(Debug, Default)]
struct Ranks {
    sorted: Vec<f64>,
    of_row: Vec<usize>,
    order: Vec<usize>,
}

impl<'a> AbsoluteError<'a> {
    pub(crate) fn new(targets: WeightedTargets<'a>) -> Self {
        Self {
            targets,
            weight: 0.0,
            position: 0,
            left_weight: 0.0,
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            ranks: Ranks::default(),
            tree: WeightedRanks::default(),
        }
    }

    /// Adds rows to a set one by one, in the order of `numbers`, and writes down the set's deviation each time.
    fn sweep(&mut self, rows: &[u32], numbers: impl Iterator<Item = usize>, right_to_left: bool) {
        self.tree.reset(rows.len());
        let out = if right_to_left { &mut self.suffixes } else { &mut self.prefixes };
        for number in numbers {
            let rank = self.ranks.of_row[number];
            let weight = self.targets.weight[rows[number] as usize];
            self.tree.add(rank, self.ranks.sorted[rank], weight);
            let half = self.tree.half();
            let median = if half.rank == half.before {
                self.ranks.sorted[half.rank]
            } else {
                (self.ranks.sorted[half.before] + self.ranks.sorted[half.rank]) / 2.0
            };
            let (below, total) = (half.below, self.tree.total());
            let above = (total.0 - below.0, total.1 - below.1);
            let error = (above.1 - median * above.0) + (median * below.0 - below.1);
            out[number] = Deviation { median, error };
        }
    }
}

impl Ranks {
    fn set(&mut self, targets: impl Iterator<Item = f64>) {
        self.sorted.clear();
        self.sorted.extend(targets);
        self.order.clear();
        self.order.extend(0..self.sorted.len());
        sort(&mut self.sorted, &mut self.order);
        self.of_row.clear();
        self.of_row.resize(self.order.len(), 0);
        for (rank, &number) in self.order.iter().enumerate() {
            self.of_row[number] = rank;
        }
    }
}

impl Criterion for AbsoluteError<'_> {
    fn begin(&mut self, rows: &[u32]) {
        self.weight = 0.0;
        for &row in rows {
            self.weight += self.targets.weight[row as usize];
        }
        self.reset(rows);
    }

    fn reset(&mut self, rows: &[u32]) {
        self.position = 0;
        self.left_weight = 0.0;
        let y = self.targets.y;
        self.ranks.set(rows.iter().map(|&row| y[row as usize]));
        for deviations in [&mut self.prefixes, &mut self.suffixes] {
            deviations.clear();
            deviations.resize(rows.len(), Deviation::default());
        }
        self.sweep(rows, 0..rows.len(), false);
        self.sweep(rows, (0..rows.len()).rev(), true);
    }

    fn advance(&mut self, rows: &[u32], position: usize) {
        for &row in &rows[self.position..position] {
            self.left_weight += self.targets.weight[row as usize];
        }
        self.position = position;
    }

    fn weight(&self) -> f64 {
        self.weight
    }

    fn side_weights(&self) -> Sides<f64> {
        Sides { left: self.left_weight, right: self.weight - self.left_weight }
    }

    fn value(&self) -> f64 {
        self.suffixes[0].median
    }

    fn side_values(&self) -> Sides<f64> {
        Sides {
            left: self.prefixes[self.position - 1].median,
            right: self.suffixes[self.position].median,
        }
    }

    fn middle_value(&self) -> f64 {
        let value = self.side_values();
        (value.left + value.right) / 2.0
    }

    fn impurity(&self, _: &[u32]) -> f64 {
        self.suffixes[0].error / self.weight
    }

    fn side_impurities(&self, _: &[u32]) -> Sides<f64> {
        let weight = self.side_weights();
        Sides {
            left: self.prefixes[self.position - 1].error / weight.left,
            right: self.suffixes[self.position].error / weight.right,
        }
    }

    fn score(&self, rows: &[u32]) -> f64 {
        let (weight, impurity) = (self.side_weights(), self.side_impurities(rows));
        -weight.right * impurity.right - weight.left * impurity.left
    }
}
