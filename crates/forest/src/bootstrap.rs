use std::borrow::Cow;

use spinney_numpy_random::{RandomState, pairwise_sum};

use crate::tree::xorshift::XorShift32;

/// numpy's largest `int32`: scikit-learn draws the seeds of its parts below it.
const MAX_RAND_SEED: u64 = i32::MAX as u64;

/// Draws the seeds of all trees up front, so that they do not depend on which thread grows which tree.
pub(crate) fn tree_seeds(seed: u32, n_estimators: usize) -> Vec<u32> {
    let mut forest = RandomState::new(seed);
    (0..n_estimators).map(|_| forest.interval(MAX_RAND_SEED - 1) as u32).collect()
}

/// How the rows of each tree are drawn, with replacement.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    n_rows: usize,
    n_draws: usize,
    /// With sample weights, the share of all weight up to and including each row.
    cumulative: Option<Vec<f64>>,
}

impl Bootstrap {
    pub(crate) fn new(n_rows: usize, n_draws: usize, sample_weight: Option<&[f64]>) -> Self {
        Self { n_rows, n_draws, cumulative: sample_weight.map(cumulative_shares) }
    }

    /// Returns how often each row is drawn for a tree; the counts are its rows' weights.
    pub(crate) fn counts(&self, tree_seed: u32) -> Vec<f64> {
        let mut draws = RandomState::new(tree_seed);
        let mut counts = vec![0.0; self.n_rows];
        for _ in 0..self.n_draws {
            let row = match &self.cumulative {
                None => draws.interval(self.n_rows as u64 - 1) as usize,
                Some(cumulative) => {
                    let drawn = draws.random_sample();
                    cumulative.partition_point(|&share| share <= drawn)
                }
            };
            counts[row] += 1.0;
        }
        counts
    }
}

/// What the rows of a tree weigh.
#[derive(Debug)]
pub(crate) enum RowWeights<'a> {
    /// As often as they are drawn.
    Drawn(Bootstrap),
    /// The same in all trees.
    Fixed(Cow<'a, [f64]>),
}

impl RowWeights<'_> {
    pub(crate) fn bootstrap(&self) -> Option<&Bootstrap> {
        match self {
            Self::Drawn(bootstrap) => Some(bootstrap),
            Self::Fixed(_) => None,
        }
    }

    /// By row.
    pub(crate) fn of_tree(&self, tree_seed: u32) -> Cow<'_, [f64]> {
        match self {
            Self::Drawn(bootstrap) => Cow::Owned(bootstrap.counts(tree_seed)),
            Self::Fixed(weights) => Cow::Borrowed(weights),
        }
    }

    /// The weight of all rows of a tree, summed as numpy does.
    pub(crate) fn total(&self) -> f64 {
        match self {
            Self::Drawn(bootstrap) => bootstrap.n_draws as f64,
            Self::Fixed(weights) => pairwise_sum(weights),
        }
    }
}

/// As numpy's `choice` computes them: shares first, then running sums, then once more divided by the last.
fn cumulative_shares(sample_weight: &[f64]) -> Vec<f64> {
    let total = pairwise_sum(sample_weight);
    let mut sum = 0.0;
    let mut cumulative: Vec<f64> = Vec::with_capacity(sample_weight.len());
    for weight in sample_weight {
        sum += weight / total;
        cumulative.push(sum);
    }
    for share in &mut cumulative {
        *share /= sum;
    }
    cumulative
}

/// The generator that draws a tree's features. It starts from the tree's seed anew, not where the bootstrap ended.
pub(crate) fn feature_generator(tree_seed: u32) -> XorShift32 {
    XorShift32::new(RandomState::new(tree_seed).interval(MAX_RAND_SEED - 1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> serde_json::Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/expected/forest/rng.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn numbers(value: &serde_json::Value) -> Vec<u32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn tree_seeds_are_scikit_learns() {
        for (seed, expected) in vectors()["tree_seeds"].as_object().unwrap() {
            let expected = numbers(expected);
            assert_eq!(tree_seeds(seed.parse().unwrap(), expected.len()), expected, "seed {seed}");
        }
    }

    #[test]
    fn bootstraps_are_scikit_learns() {
        let vectors = vectors();
        let cases = vectors["bootstrap_n2344_seed42"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let bootstrap = Bootstrap::new(2344, 2344, None);
            let weights = bootstrap.counts(case["tree_seed"].as_u64().unwrap() as u32);
            let distinct = weights.iter().filter(|&&weight| weight > 0.0).count() as u64;
            assert_eq!(distinct, case["distinct"].as_u64().unwrap());
            let most = weights.iter().fold(0.0_f64, |most, &weight| most.max(weight));
            assert_eq!(most as u64, case["max_count"].as_u64().unwrap());
            assert!(numbers(&case["first10"]).iter().all(|&row| weights[row as usize] > 0.0));
        }
    }

    #[test]
    fn feature_generators_are_scikit_learns() {
        let vectors = vectors();
        for case in vectors["xorshift"].as_array().unwrap() {
            let mut generator = feature_generator(case["tree_seed"].as_u64().unwrap() as u32);
            for expected in numbers(&case["first10_outputs"]) {
                assert_eq!(generator.next_u31(), expected);
            }
        }
    }
}
