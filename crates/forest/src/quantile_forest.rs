use linfa::Float;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::{Error, RandomForest, Result, training_set::TrainingSet};

/// A forest that predicts the distribution of the target, not only its mean.
///
/// Each training row weighs, for a row to predict, the mean over the trees of `1 / size of the leaf` where both share the
/// leaf. A quantile is the smallest training target that, with all smaller ones, reaches that share of the weight. All
/// training rows count in every tree, whether it drew them or not, as in the paper.
///
/// # Examples
///
/// ```
/// use ndarray::{Array, Array2, array};
/// use spinney_forest::{QuantileForest, RandomForest};
///
/// let x = Array2::from_shape_fn((200, 1), |(row, _)| f64::from(row as u32 / 100));
/// let y = Array::range(0.0, 200.0, 1.0);
/// let forest = RandomForest::params().seed(42).fit_arrays(x.view(), y.view())?;
/// let quantiles = QuantileForest::new(forest, x.view(), y.view())?;
/// let (lower, upper) = quantiles.interval(array![[0.0], [1.0]].view(), 0.9)?;
/// assert_eq!(lower, array![4.0, 104.0]);
/// assert_eq!(upper, array![94.0, 194.0]);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Meinshausen (2006), *Quantile Regression Forests*, Journal of Machine Learning Research 7.
#[derive(Debug, Clone)]
pub struct QuantileForest {
    forest: RandomForest,
    /// Training targets, ascending.
    targets: Vec<f64>,
    leaves: Vec<LeafRanks>,
}

/// The training rows in each leaf of one tree, as ranks of their targets.
#[derive(Debug, Clone)]
struct LeafRanks {
    /// Where each node's ranks begin; those of the next node end them.
    starts: Vec<u32>,
    ranks: Vec<u32>,
}

/// Sums of weights that should be equal may differ by rounding; less than this share of all is no difference.
const ROUNDING: f64 = 1e-12;

impl QuantileForest {
    /// Sorts the rows that a forest was trained on into its leaves.
    ///
    /// # Errors
    ///
    /// As for [`fit_arrays`](crate::RandomForestParams::fit_arrays) about the data, and [`Error::FeatureCount`].
    pub fn new<F: Float>(
        forest: RandomForest,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
    ) -> Result<Self> {
        let leaves = forest.apply(x)?;
        let y = TrainingSet::new(x, y, None)?.y;
        let mut order: Vec<usize> = (0..y.len()).collect();
        order.sort_by(|&a, &b| y[a].total_cmp(&y[b]));
        let targets = order.iter().map(|&row| y[row]).collect();
        let columns = forest.trees().iter().zip(leaves.columns());
        let leaves = columns
            .map(|(tree, leaf_of)| {
                let leaf_by_rank = || order.iter().map(|&row| leaf_of[row] as usize);
                LeafRanks::new(tree.nodes().len(), leaf_by_rank)
            })
            .collect();
        Ok(Self { forest, targets, leaves })
    }

    /// The forest that predicts the mean.
    #[must_use]
    pub fn forest(&self) -> &RandomForest {
        &self.forest
    }

    /// Predicts quantiles of each row's target: `n_rows × n_quantiles`. 0 is the smallest target with any weight, 1 the
    /// greatest.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if a quantile is not in `[0, 1]`, otherwise as for
    /// [`try_predict`](RandomForest::try_predict).
    pub fn predict<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        quantiles: &[f64],
    ) -> Result<Array2<f64>> {
        if let Some(quantile) = quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(Error::InvalidParameter {
                parameter: "quantiles",
                value: quantile.to_string(),
                allowed: "numbers in [0, 1]",
            });
        }
        let rows = self.forest.map_rows(x, |row| {
            let weights = self.weights(row);
            let quantile = |&q: &f64| self.quantile(&weights, q);
            quantiles.iter().map(quantile).collect::<Vec<f64>>()
        })?;
        let mut out = Array2::zeros((x.nrows(), quantiles.len()));
        for (value, place) in rows.into_iter().flatten().zip(&mut out) {
            *place = value;
        }
        Ok(out)
    }

    /// Predicts for each row the interval that holds its target with a probability of `coverage`, and as often above it as
    /// below: lower and upper ends.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] if `coverage` is not in `[0, 1]`, otherwise as for
    /// [`try_predict`](RandomForest::try_predict).
    pub fn interval<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        coverage: f64,
    ) -> Result<(Array1<f64>, Array1<f64>)> {
        if !(0.0..=1.0).contains(&coverage) {
            return Err(Error::InvalidParameter {
                parameter: "coverage",
                value: coverage.to_string(),
                allowed: "a number in [0, 1]",
            });
        }
        let outside = (1.0 - coverage) / 2.0;
        let ends = self.predict(x, &[outside, 1.0 - outside])?;
        Ok((ends.column(0).to_owned(), ends.column(1).to_owned()))
    }

    /// The weight of each rank that has any, ascending; summed in tree order.
    fn weights(&self, row: &[f32]) -> Vec<(u32, f64)> {
        let mut weights = Vec::new();
        for (tree, leaves) in self.forest.trees().iter().zip(&self.leaves) {
            let ranks = leaves.of(tree.leaf_number(row));
            let share = 1.0 / ranks.len() as f64;
            weights.extend(ranks.iter().map(|&rank| (rank, share)));
        }
        // Stable: equal ranks stay in tree order.
        weights.sort_by_key(|(rank, _)| *rank);
        weights.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1 += next.1;
            }
            same
        });
        weights
    }

    fn quantile(&self, weights: &[(u32, f64)], quantile: f64) -> f64 {
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let wanted = quantile * total - ROUNDING * total;
        let mut sum = 0.0;
        let reached = weights.iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        });
        let rank = reached.or(weights.last()).map(|(rank, _)| *rank as usize);
        // A leaf without training rows is possible only in a forest that was trained on others.
        rank.and_then(|rank| self.targets.get(rank)).copied().unwrap_or(f64::NAN)
    }
}

impl LeafRanks {
    fn new<I: Iterator<Item = usize>>(n_nodes: usize, leaf_by_rank: impl Fn() -> I) -> Self {
        let mut starts = vec![0_u32; n_nodes + 1];
        for leaf in leaf_by_rank() {
            starts[leaf + 1] += 1;
        }
        for node in 0..n_nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut ranks = vec![0; starts[n_nodes] as usize];
        for (rank, leaf) in leaf_by_rank().enumerate() {
            ranks[next[leaf] as usize] = rank as u32;
            next[leaf] += 1;
        }
        Self { starts, ranks }
    }

    fn of(&self, leaf: u32) -> &[u32] {
        let leaf = leaf as usize;
        &self.ranks[self.starts[leaf] as usize..self.starts[leaf + 1] as usize]
    }
}
