use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::{ArrayView1, ArrayView2};
use spinney_artifact::BundleMetadata;
use spinney_forest::RandomForest;

/// How the forest is fitted, in one process and in a step of the pipeline alike.
#[derive(Args)]
pub(crate) struct FitArgs {
    /// Number of trees.
    #[arg(long, default_value_t = 100)]
    pub(crate) n_estimators: usize,
    /// Seed of the forest.
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u32,
    /// Threads that fit [default: one for each core].
    #[arg(long)]
    pub(crate) n_threads: Option<NonZeroUsize>,
}

impl FitArgs {
    pub(crate) fn fit(
        &self,
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
    ) -> Result<RandomForest> {
        let params = RandomForest::params()
            .n_estimators(self.n_estimators)
            .seed(self.seed)
            .oob_score(true)
            .n_threads(self.n_threads);
        // Shows itself on a terminal only.
        let bar = ProgressBar::new(self.n_estimators as u64);
        bar.set_style(ProgressStyle::with_template("      fitting {bar:40} {pos}/{len} trees")?);
        let forest = params.fit_arrays_with(x, y, |_| bar.inc(1));
        bar.finish_and_clear();
        Ok(forest?)
    }

    /// What a bundle says about it.
    pub(crate) fn note(&self, metadata: BundleMetadata) -> BundleMetadata {
        metadata
            .parameter("n_estimators", self.n_estimators)
            .parameter("seed", self.seed)
            .library("spinney", env!("CARGO_PKG_VERSION"))
    }
}
