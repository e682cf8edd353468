use std::{fmt::Display, num::NonZeroUsize};

use crate::{Criterion, Error, Fidelity, MaxFeatures, Result, RowCount, Splitter};

/// Parameters of a random forest that passed the check: each is in its range.
///
/// What they resolve to for a training set (a fraction of its rows, say) is decided when fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForestValidParams {
    pub(crate) n_estimators: usize,
    pub(crate) criterion: Criterion,
    pub(crate) fidelity: Fidelity,
    pub(crate) splitter: Splitter,
    pub(crate) max_features: MaxFeatures,
    pub(crate) max_depth: Option<usize>,
    pub(crate) min_samples_split: RowCount,
    pub(crate) min_samples_leaf: RowCount,
    pub(crate) min_weight_fraction_leaf: f64,
    pub(crate) max_leaf_nodes: Option<usize>,
    pub(crate) min_impurity_decrease: f64,
    pub(crate) ccp_alpha: f64,
    pub(crate) monotonic_cst: Vec<i8>,
    pub(crate) bootstrap: bool,
    pub(crate) max_samples: Option<RowCount>,
    pub(crate) oob_score: bool,
    pub(crate) seed: u32,
    pub(crate) n_threads: Option<NonZeroUsize>,
}

impl Default for RandomForestValidParams {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            criterion: Criterion::SquaredError,
            fidelity: Fidelity::Exact,
            splitter: Splitter::Best,
            max_features: MaxFeatures::All,
            max_depth: None,
            min_samples_split: RowCount::Count(2),
            min_samples_leaf: RowCount::Count(1),
            min_weight_fraction_leaf: 0.0,
            max_leaf_nodes: None,
            min_impurity_decrease: 0.0,
            ccp_alpha: 0.0,
            monotonic_cst: Vec::new(),
            bootstrap: true,
            max_samples: None,
            oob_score: false,
            seed: 0,
            n_threads: None,
        }
    }
}

impl RandomForestValidParams {
    pub(crate) fn validate(&self) -> Result<()> {
        require(self.n_estimators >= 1, "n_estimators", self.n_estimators, "1 or more")?;
        match self.max_features {
            MaxFeatures::Count(count) => require(count >= 1, "max_features", count, "1 or more")?,
            MaxFeatures::Fraction(q) => {
                require(q > 0.0 && q <= 1.0, "max_features", q, "a fraction in (0, 1]")?;
            }
            MaxFeatures::All | MaxFeatures::Sqrt | MaxFeatures::Log2 => {}
        }
        if let Some(depth) = self.max_depth {
            require(depth >= 1, "max_depth", depth, "1 or more, or none")?;
        }
        match self.min_samples_split {
            RowCount::Count(n) => require(n >= 2, "min_samples_split", n, "2 or more")?,
            RowCount::Fraction(q) => {
                require(q > 0.0 && q <= 1.0, "min_samples_split", q, "a fraction in (0, 1]")?;
            }
        }
        match self.min_samples_leaf {
            RowCount::Count(n) => require(n >= 1, "min_samples_leaf", n, "1 or more")?,
            RowCount::Fraction(q) => {
                require(q > 0.0 && q < 1.0, "min_samples_leaf", q, "a fraction in (0, 1)")?;
            }
        }
        let decrease = self.min_impurity_decrease;
        require(
            decrease >= 0.0 && decrease.is_finite(),
            "min_impurity_decrease",
            decrease,
            "0 or more, finite",
        )?;
        let fraction = self.min_weight_fraction_leaf;
        require(
            (0.0..=0.5).contains(&fraction),
            "min_weight_fraction_leaf",
            fraction,
            "a fraction in [0, 0.5]",
        )?;
        if let Some(n) = self.max_leaf_nodes {
            require(n >= 2, "max_leaf_nodes", n, "2 or more, or none")?;
        }
        let alpha = self.ccp_alpha;
        require(alpha >= 0.0 && alpha.is_finite(), "ccp_alpha", alpha, "0 or more, finite")?;
        for &constraint in &self.monotonic_cst {
            let allowed = "-1, 0 or 1 for each feature";
            require((-1..=1).contains(&constraint), "monotonic_cst", constraint, allowed)?;
        }
        match self.max_samples {
            Some(RowCount::Count(n)) => {
                let allowed = "1 to 4294967295";
                require(n >= 1 && u32::try_from(n).is_ok(), "max_samples", n, allowed)?;
            }
            Some(RowCount::Fraction(q)) => {
                require(q > 0.0 && q.is_finite(), "max_samples", q, "a fraction above 0")?;
            }
            None => {}
        }
        if !self.bootstrap && self.max_samples.is_some() {
            return Err(Error::ConflictingParameters {
                parameter: "max_samples",
                needs: "bootstrap",
            });
        }
        if !self.bootstrap && self.oob_score {
            return Err(Error::ConflictingParameters {
                parameter: "oob_score",
                needs: "bootstrap",
            });
        }
        Ok(())
    }

    /// Number of trees.
    #[must_use]
    pub fn n_estimators(&self) -> usize {
        self.n_estimators
    }

    /// What splits are to decrease.
    #[must_use]
    pub fn criterion(&self) -> Criterion {
        self.criterion
    }

    /// How closely the forest follows scikit-learn's.
    #[must_use]
    pub fn fidelity(&self) -> Fidelity {
        self.fidelity
    }

    /// How a feature is split.
    #[must_use]
    pub fn splitter(&self) -> Splitter {
        self.splitter
    }

    /// How many features a split looks at.
    #[must_use]
    pub fn max_features(&self) -> MaxFeatures {
        self.max_features
    }

    /// Largest number of splits between the root and a leaf.
    #[must_use]
    pub fn max_depth(&self) -> Option<usize> {
        self.max_depth
    }

    /// Number of rows below which a node is not split.
    #[must_use]
    pub fn min_samples_split(&self) -> RowCount {
        self.min_samples_split
    }

    /// Number of rows that each side of a split keeps.
    #[must_use]
    pub fn min_samples_leaf(&self) -> RowCount {
        self.min_samples_leaf
    }

    /// Share of all weight that each side of a split keeps.
    #[must_use]
    pub fn min_weight_fraction_leaf(&self) -> f64 {
        self.min_weight_fraction_leaf
    }

    /// Largest number of leaves.
    #[must_use]
    pub fn max_leaf_nodes(&self) -> Option<usize> {
        self.max_leaf_nodes
    }

    /// Impurity decrease for each leaf more that a subtree must bring.
    #[must_use]
    pub fn ccp_alpha(&self) -> f64 {
        self.ccp_alpha
    }

    /// For each feature 1, -1 or 0; empty if all are free.
    #[must_use]
    pub fn monotonic_cst(&self) -> &[i8] {
        &self.monotonic_cst
    }

    /// Impurity decrease below which a split is not made.
    #[must_use]
    pub fn min_impurity_decrease(&self) -> f64 {
        self.min_impurity_decrease
    }

    /// Whether each tree sees rows drawn with replacement.
    #[must_use]
    pub fn bootstrap(&self) -> bool {
        self.bootstrap
    }

    /// Number of rows drawn for each tree; `None` for as many as there are.
    #[must_use]
    pub fn max_samples(&self) -> Option<RowCount> {
        self.max_samples
    }

    /// Whether fitting also makes out-of-bag predictions.
    #[must_use]
    pub fn oob_score(&self) -> bool {
        self.oob_score
    }

    /// Seed of all random choices.
    #[must_use]
    pub fn seed(&self) -> u32 {
        self.seed
    }

    /// Number of threads that fit trees; `None` for the current rayon pool.
    #[must_use]
    pub fn n_threads(&self) -> Option<NonZeroUsize> {
        self.n_threads
    }
}

fn require(
    holds: bool,
    parameter: &'static str,
    value: impl Display,
    allowed: &'static str,
) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::InvalidParameter { parameter, value: value.to_string(), allowed })
    }
}
