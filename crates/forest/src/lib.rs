#![doc = include_str!("../README.md")]

mod bootstrap;
mod error;
mod feature_columns;
mod fit;
mod forest;
mod linfa_traits;
pub mod metrics;
mod out_of_bag;
mod params;
mod predictor;
mod tree;

pub use error::{Error, LinfaError, Result};
pub use forest::RandomForest;
pub use out_of_bag::OutOfBag;
pub use params::{MaxFeatures, RandomForestParams, RandomForestValidParams, RowCount};
pub use predictor::Predictor;
pub use tree::{Node, Split, Tree};
