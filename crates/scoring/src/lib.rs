#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod bundle_scorer;
mod envelope;
mod error;
mod guess;
mod key;
mod open_inference;
mod options;
mod ordered_object;
mod python_json;
mod request_ids;
mod router;
mod scorer;
mod server;

pub use answer::{AnswerStyle, UnknownAnswerStyle};
pub use bundle_scorer::BundleScorer;
pub use error::{ErrorCode, ScoreError};
pub use key::Key;
pub use options::ServerOptions;
pub use router::router;
pub use scorer::{Guess, GuessKind, ModelIdentity, ScoreRequest, ScoreResponse, Scorer};
pub use server::{serve, shutdown_signal};
