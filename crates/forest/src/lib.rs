#![doc = include_str!("../README.md")]

mod bootstrap;
mod error;
mod extra_trees;
mod feature_columns;
mod fit;
mod forest;
pub mod inspection;
mod leaves;
mod linfa_traits;
pub mod metrics;
mod options;
mod out_of_bag;
mod params;
mod predictor;
mod quantile_forest;
mod rows;
mod shard;
mod training_set;
mod tree;
mod valid_params;

pub use error::{Error, LinfaError, Result};
pub use extra_trees::ExtraTrees;
pub use forest::RandomForest;
pub use options::{Criterion, Fidelity, MaxFeatures, RowCount, Splitter};
pub use out_of_bag::OutOfBag;
pub use params::RandomForestParams;
pub use predictor::Predictor;
pub use quantile_forest::QuantileForest;
pub use shard::ForestShard;
pub use tree::{Node, Split, Tree};
pub use valid_params::RandomForestValidParams;
