mod bytes;
mod training_digest;

use std::ops::Range;

use linfa::{Float, ParamGuard};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use self::training_digest::training_digest;
use crate::{
    Error, RandomForest, RandomForestParams, RandomForestValidParams, Result,
    out_of_bag::{Tally, Votes},
    training_set::TrainingSet,
    tree::Tree,
};

/// Some of a forest's trees, fitted by themselves: on another machine, say.
///
/// The seed of each tree follows from its number, so that shards [make](RandomForest::from_shards) the forest that one machine would have
/// fitted, bit for bit, whoever fitted which trees. A shard knows by a digest what it was fitted to, and shards of different data or
/// parameters are not joined.
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::{ForestShard, RandomForest};
///
/// let (x, y) = (array![[1.0], [2.0], [3.0]], array![10.0, 20.0, 30.0]);
/// let params = RandomForest::params().n_estimators(5).seed(42);
/// let one = params.fit_shard(0..2, x.view(), y.view())?;
/// let other = params.fit_shard(2..5, x.view(), y.view())?;
/// // From one machine to another.
/// let other = ForestShard::from_bytes(&other.to_bytes())?;
///
/// let forest = RandomForest::from_shards(vec![other, one])?;
/// assert_eq!(forest, params.fit_arrays(x.view(), y.view())?);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForestShard {
    first: usize,
    trees: Vec<Tree>,
    n_estimators: usize,
    n_features: usize,
    n_rows: usize,
    /// What it was fitted to, with which parameters, by which version.
    training: [u8; 32],
    /// If out-of-bag predictions are wanted.
    ballot: Option<Ballot>,
}

/// What it takes to predict training rows out of the bag when all shards are there.
#[derive(Debug, Clone, PartialEq)]
struct Ballot {
    y: Vec<f64>,
    /// One for each tree.
    votes: Vec<Votes>,
}

impl ForestShard {
    /// The numbers of its trees in the forest.
    #[must_use]
    pub fn trees(&self) -> Range<usize> {
        self.first..self.first + self.trees.len()
    }

    /// Number of trees of the whole forest.
    #[must_use]
    pub fn n_estimators(&self) -> usize {
        self.n_estimators
    }
}

impl RandomForestParams {
    /// Fits those trees of a forest that have these numbers, of `0..n_estimators`.
    ///
    /// With [`oob_score`](Self::oob_score) the shard also holds what its trees say of rows that they did not see, about three bytes for
    /// each row and tree, and `y`, so that out-of-bag predictions need no data when shards are joined.
    ///
    /// # Errors
    ///
    /// As for [`fit_arrays`](Self::fit_arrays), and [`Error::InvalidParameter`] if there are no such trees.
    ///
    /// # Examples
    ///
    /// See [`ForestShard`].
    pub fn fit_shard<F: Float>(
        &self,
        trees: Range<usize>,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
    ) -> Result<ForestShard> {
        self.check_ref()?.fit_shard(trees, &TrainingSet::new(x, y, None)?)
    }

    /// Likewise for rows that have weights, as in [`fit_weighted`](Self::fit_weighted).
    ///
    /// # Errors
    ///
    /// As for [`fit_weighted`](Self::fit_weighted), and [`Error::InvalidParameter`] if there are no such trees.
    pub fn fit_shard_weighted<F: Float>(
        &self,
        trees: Range<usize>,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
        sample_weight: ArrayView1<'_, f64>,
    ) -> Result<ForestShard> {
        self.check_ref()?.fit_shard(trees, &TrainingSet::new(x, y, Some(sample_weight))?)
    }
}

impl RandomForestValidParams {
    fn fit_shard(&self, numbers: Range<usize>, data: &TrainingSet) -> Result<ForestShard> {
        if numbers.is_empty() || numbers.end > self.n_estimators() {
            return Err(Error::InvalidParameter {
                parameter: "trees",
                value: format!("{}..{}", numbers.start, numbers.end),
                allowed: "a range that is not empty, and ends with n_estimators at the latest",
            });
        }
        let fit = self.prepare(data)?;
        let first = numbers.start;
        let (trees, votes) = self.in_pool(|| {
            let trees = fit.trees(numbers, |_| {});
            let bootstrap = fit.weights.bootstrap().filter(|_| self.oob_score());
            let votes = bootstrap.map(|bootstrap| {
                let seeds = &fit.seeds[first..];
                let seen = trees
                    .par_iter()
                    .zip(seeds)
                    .map(|(tree, seed)| Votes::of(tree, &data.x, &bootstrap.counts(*seed)));
                seen.collect()
            });
            (trees, votes)
        })?;
        Ok(ForestShard {
            first,
            trees,
            n_estimators: self.n_estimators(),
            n_features: data.x.n_features(),
            n_rows: data.x.n_rows(),
            training: training_digest(self, data),
            ballot: votes.map(|votes| Ballot { y: data.y.clone(), votes }),
        })
    }
}

impl RandomForest {
    /// Joins the shards of a forest, in any order. It is the forest that would have been fitted at once, with its
    /// [out-of-bag](RandomForest::out_of_bag) predictions if they were asked for.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrees`] without shards, [`Error::ShardsDiffer`] if two were fitted to other data or with other parameters,
    /// [`Error::TreesMissing`] and [`Error::TreesRepeated`].
    pub fn from_shards(mut shards: Vec<ForestShard>) -> Result<Self> {
        shards.sort_by_key(|shard| shard.first);
        let Some(one) = shards.first() else { return Err(Error::NoTrees) };
        if let Some(other) = shards.iter().find(|other| !other.is_of_same_forest(one)) {
            return Err(Error::ShardsDiffer { one: one.trees(), other: other.trees() });
        }
        let mut end = 0;
        for shard in &shards {
            let trees = shard.trees();
            if trees.start > end {
                return Err(Error::TreesMissing { trees: end..trees.start });
            }
            if trees.start < end {
                return Err(Error::TreesRepeated { trees: trees.start..end.min(trees.end) });
            }
            end = trees.end;
        }
        let (n_estimators, n_features) = (one.n_estimators, one.n_features);
        if end < n_estimators {
            return Err(Error::TreesMissing { trees: end..n_estimators });
        }
        let out_of_bag = one.ballot.as_ref().map(|ballot| {
            let mut tally = Tally::new(ballot.y.len());
            let ballots = shards.iter().filter_map(|shard| shard.ballot.as_ref());
            ballots.flat_map(|ballot| &ballot.votes).for_each(|votes| tally.count(votes));
            tally.finish(&ballot.y)
        });
        let trees = shards.into_iter().flat_map(|shard| shard.trees).collect();
        Ok(Self::new(trees, n_features, out_of_bag))
    }
}

impl ForestShard {
    fn is_of_same_forest(&self, other: &Self) -> bool {
        let y = |shard: &Self| shard.ballot.as_ref().map(|ballot| ballot.y.clone());
        (self.training, self.n_estimators, self.n_features, self.n_rows)
            == (other.training, other.n_estimators, other.n_features, other.n_rows)
            && y(self) == y(other)
    }
}
