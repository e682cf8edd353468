#![doc = include_str!("../README.md")]

mod body;
mod bundle_scorer;
mod envelope;
mod error;
mod key;
mod options;
mod ordered_object;
mod python_json;
mod router;
mod scorer;
mod server;

pub use bundle_scorer::BundleScorer;
pub use error::{ErrorCode, ScoreError};
pub use key::Key;
pub use options::ServerOptions;
pub use router::router;
pub use scorer::{ModelIdentity, ScoreRequest, ScoreResponse, Scorer};
pub use server::{serve, shutdown_signal};
