//! The choice between the two ways to grow a tree.

use super::{
    Tree,
    criterion::{AbsoluteError, Poisson, SquaredError, WeightedTargets},
    grow::{self, GrowLimits},
    presorted::{self, Columns, RealTargets, TreeTargets, WholeTargets},
    xorshift::XorShift32,
};
use crate::{Criterion, Fidelity, feature_columns::FeatureColumns};

/// The presorted engine keeps all columns sorted, also for splits that look at few of them: for fewer than one in this many the
/// reference path is faster.
const MAX_SHARE: usize = 64;

/// Grows the trees of a forest. Both ways give the same bytes; the fast one knows the most usual options only.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    x: &'a FeatureColumns,
    criterion: Criterion,
    limits: GrowLimits<'a>,
    presorted: Option<Presorted>,
}

/// What the fast way prepares for all trees.
#[derive(Debug)]
struct Presorted {
    columns: Columns,
    targets: Targets,
    limits: presorted::GrowLimits,
}

/// What splits are searched with.
#[derive(Debug)]
struct Targets {
    /// Targets whose sums are exact.
    whole: Option<WholeTargets>,
    /// Whether those are only near to the true ones.
    rounded: bool,
    /// For trees in which they would not be exact.
    real: Option<RealTargets>,
}

impl Targets {
    fn new(y: &[f64], n_draws: usize, fidelity: Fidelity) -> Self {
        let whole = WholeTargets::new(y, n_draws);
        let rounded = whole.is_none() && fidelity == Fidelity::Fast;
        let whole = if rounded { WholeTargets::rounded(y, n_draws) } else { whole };
        Self { whole, rounded, real: RealTargets::new(y) }
    }

    /// What a tree sees of them.
    fn of_tree<'a>(&self, targets: WeightedTargets<'a>) -> Option<(TreeTargets<'a>, bool)> {
        let whole = self.whole.as_ref().and_then(|whole| whole.of_tree(targets.weight));
        let real = || self.real.as_ref()?.of_tree(targets);
        whole.map(|whole| (whole, self.rounded)).or_else(|| real().map(|real| (real, false)))
    }
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        x: &'a FeatureColumns,
        y: &[f64],
        n_draws: usize,
        (criterion, fidelity): (Criterion, Fidelity),
        limits: GrowLimits<'a>,
    ) -> Self {
        let uses_many = limits.search.max_features >= x.n_features() / MAX_SHARE;
        let presorted = presorted::GrowLimits::new(&limits)
            .filter(|_| criterion == Criterion::SquaredError && uses_many)
            .and_then(|limits| {
                let targets = Targets::new(y, n_draws, fidelity);
                let any = targets.whole.is_some() || targets.real.is_some();
                any.then(|| Presorted { columns: Columns::new(x), targets, limits })
            });
        Self { x, criterion, limits, presorted }
    }

    /// Grows a tree on the rows with a weight above zero.
    pub(crate) fn grow(&self, targets: WeightedTargets<'_>, generator: XorShift32) -> Tree {
        if let Some(presorted) = &self.presorted
            && let Some((of_tree, rounded)) = presorted.targets.of_tree(targets)
        {
            let Presorted { columns, limits, .. } = presorted;
            let (tree, leaf_of_row) =
                presorted::grow(self.x, columns, &of_tree, *limits, generator, rounded);
            return if rounded { tree.with_targets(&leaf_of_row, targets) } else { tree };
        }
        self.grow_in_order(targets, generator)
    }

    /// The reference path, which adds in scikit-learn's order.
    fn grow_in_order(&self, targets: WeightedTargets<'_>, generator: XorShift32) -> Tree {
        let (x, limits) = (self.x, self.limits);
        match self.criterion {
            Criterion::SquaredError => {
                grow::grow(x, targets, SquaredError::new(targets), limits, generator)
            }
            Criterion::AbsoluteError => {
                grow::grow(x, targets, AbsoluteError::new(targets), limits, generator)
            }
            Criterion::Poisson => grow::grow(x, targets, Poisson::new(targets), limits, generator),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use spinney_numpy_random::RandomState;

    use super::*;
    use crate::{
        Splitter,
        tree::{bounds::MonotonicConstraints, search::SearchLimits},
    };

    struct Draw(RandomState);

    impl Draw {
        fn up_to(&mut self, max: u64) -> usize {
            self.0.interval(max) as usize
        }

        fn one_in(&mut self, n: u64) -> bool {
            self.up_to(n - 1) == 0
        }

        fn features(&mut self, n_rows: usize, n_features: usize) -> Array2<f32> {
            let mut x = Array2::zeros((n_rows, n_features));
            let mut category: Vec<usize> = (0..n_rows).map(|_| self.up_to(5)).collect();
            for mut column in x.columns_mut() {
                let kind = self.up_to(12);
                let gaps = self.one_in(4);
                let indicated = self.up_to(5);
                for (row, cell) in column.iter_mut().enumerate() {
                    *cell = match kind {
                        _ if gaps && self.one_in(5) => f32::NAN,
                        0 => self.up_to(1) as f32,
                        1 => self.up_to(5) as f32 - 2.0,
                        2 => 7.0,
                        3 => f32::NAN,
                        // Neighbours around the distance at which values count as equal.
                        4 => 1e-7 * self.up_to(6) as f32,
                        5 => 1.0 + 6e-8 * self.up_to(9) as f32,
                        6 => (self.0.random_sample() as f32 - 0.5) * 1e38,
                        7 => [0.0, -0.0, 1e-40, -1e-40, 1.0][self.up_to(4)],
                        8 => -(self.up_to(40) as f32) / 8.0,
                        // Indicators of a category, some of them rare or nearly always set.
                        9 | 10 => f32::from(category[row] == indicated),
                        11 => f32::from(category[row] != indicated),
                        _ => self.0.random_sample() as f32,
                    };
                }
                if self.one_in(4) {
                    category.fill_with(|| self.up_to(9));
                }
            }
            x
        }

        fn targets(&mut self, n_rows: usize) -> Vec<f64> {
            let kind = self.up_to(14);
            let target = |_| match kind {
                0 => 50_000.0 + 100.0 * self.up_to(7000) as f64,
                1 => self.up_to(3) as f64,
                2 => -12.5,
                3 => self.up_to(2_000_000) as f64 - 1e6,
                4 => (self.up_to(1000) as f64 - 500.0) / 1024.0,
                5 => self.up_to(100) as f64 * 2.0_f64.powi(-90),
                6 => self.up_to(100) as f64 * 2.0_f64.powi(90),
                7 => [0.0, -0.0, 1.0][self.up_to(2)],
                8 => (self.up_to(40) as f64 + 1.0).ln(),
                9 => self.0.random_sample() - 0.5,
                // Gains that rounding hides, and values that are nearly all the same.
                10 => 1e9 + self.0.random_sample(),
                11 => 1e5 / 3.0 + self.up_to(3) as f64 / 3e9,
                12 => [0.1, 0.2, 0.3][self.up_to(2)],
                13 => self.0.random_sample().powi(20) * 1e-20,
                _ => self.0.random_sample() * 2.0_f64.powi(self.up_to(80) as i32),
            };
            (0..n_rows).map(target).collect()
        }

        fn weights(&mut self, n_rows: usize) -> Vec<f64> {
            if self.one_in(4) {
                return vec![1.0; n_rows];
            }
            let mut weights = vec![0.0; n_rows];
            for _ in 0..1 + self.up_to(2 * n_rows as u64) {
                weights[self.up_to(n_rows as u64 - 1)] += 1.0;
            }
            weights
        }

        fn limits(&mut self, n_features: usize) -> GrowLimits<'static> {
            let min_samples_leaf = if self.one_in(3) { 1 + self.up_to(9) } else { 1 };
            let min_samples_split = if self.one_in(4) { 2 + self.up_to(20) } else { 2 };
            let max_features = match self.up_to(2) {
                0 => 1 + self.up_to(n_features as u64 + 3),
                1 => n_features.isqrt(),
                _ => n_features,
            };
            GrowLimits {
                max_depth: if self.one_in(4) { 1 + self.up_to(8) } else { usize::MAX },
                min_samples_split: min_samples_split.max(2 * min_samples_leaf),
                min_impurity_decrease: if self.one_in(5) { self.0.random_sample() } else { 0.0 },
                ..limits(max_features, min_samples_leaf)
            }
        }
    }

    fn limits(max_features: usize, min_samples_leaf: usize) -> GrowLimits<'static> {
        GrowLimits {
            max_depth: usize::MAX,
            max_leaf_nodes: None,
            min_samples_split: 2,
            min_impurity_decrease: 0.0,
            search: SearchLimits {
                splitter: Splitter::Best,
                max_features,
                min_samples_leaf,
                min_weight_leaf: 0.0,
                monotonic: MonotonicConstraints(&[]),
            },
        }
    }

    /// Whether the presorted engine is used; if so its tree has to be the reference path's.
    fn agrees(
        x: &Array2<f32>,
        y: &[f64],
        weight: &[f64],
        limits: GrowLimits<'_>,
        seed: u32,
    ) -> bool {
        let x = FeatureColumns::new(x.view()).unwrap();
        let options = (Criterion::SquaredError, Fidelity::Exact);
        let engine = Engine::new(&x, y, y.len(), options, limits);
        let presorted = engine.presorted.as_ref();
        let targets = WeightedTargets { y, weight };
        if presorted.and_then(|presorted| presorted.targets.of_tree(targets)).is_none() {
            return false;
        }
        let generator = XorShift32::new(seed);
        let found = engine.grow(targets, generator.clone());
        let expected = engine.grow_in_order(targets, generator);
        assert!(found == expected, "{limits:?} seed {seed} {weight:?} on {x:?} -> {y:?}");
        assert_eq!(found.to_canonical_bytes(), expected.to_canonical_bytes());
        true
    }

    #[test]
    fn both_ways_give_the_same_trees() {
        let mut n_presorted = 0;
        for number in 0..6000 {
            let mut draw = Draw(RandomState::new(number));
            let (n_rows, n_features) = match draw.up_to(5) {
                0 => (1 + draw.up_to(5), 1 + draw.up_to(3)),
                1 | 2 => (1 + draw.up_to(18), 1 + draw.up_to(9)),
                3 | 4 => (1 + draw.up_to(80), 1 + draw.up_to(9)),
                _ => (1 + draw.up_to(500), 1 + draw.up_to(30)),
            };
            let x = draw.features(n_rows, n_features);
            let y = draw.targets(n_rows);
            let weight = draw.weights(n_rows);
            let limits = draw.limits(n_features);
            n_presorted += usize::from(agrees(&x, &y, &weight, limits, draw.0.next_u32()));
        }

        assert!(n_presorted > 5800, "{n_presorted}");
    }

    /// More rows, ranks and features than small integers count.
    #[test]
    fn both_ways_give_the_same_large_trees() {
        for (number, (n_rows, n_features)) in
            [(70_000, 2), (40_000, 3), (30, 2000), (300, 400)].into_iter().enumerate()
        {
            let mut draw = Draw(RandomState::new(number as u32));
            let mut x = draw.features(n_rows, n_features);
            x.column_mut(0).mapv_inplace(|_| draw.0.random_sample() as f32);
            let whole: Vec<f64> = (0..n_rows).map(|_| draw.up_to(1000) as f64).collect();
            let real: Vec<f64> = whole.iter().map(|y| (y + 1.0).ln()).collect();
            let weight = draw.weights(n_rows);
            for y in [whole, real] {
                assert!(agrees(&x, &y, &weight, limits(n_features, 1), 5));
            }
        }
    }
}
