#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod body;
mod bundle_fields;
mod bundle_scorer;
mod deadline;
mod deployment;
mod endpoint;
mod endpoint_error;
mod envelope;
mod environment;
mod error;
mod field_check;
mod field_error;
mod file_watch;
mod front;
mod guess;
mod input_field;
mod input_monitor;
mod key;
mod metrics;
mod open_inference;
mod options;
mod ordered_object;
mod pool;
mod python_json;
mod quick_rows;
mod request;
mod request_ids;
mod response;
mod router;
mod score_route;
mod scorer;
mod scoring;
mod server;
mod swagger;
#[cfg(feature = "tls")]
mod tls;
mod unread_body;

pub use answer::{AnswerStyle, UnknownAnswerStyle};
pub use bundle_scorer::BundleScorer;
pub use deployment::Deployment;
pub use endpoint::Endpoint;
pub use endpoint_error::Error;
pub use error::{ErrorCode, ScoreError};
pub use field_error::FieldError;
pub use file_watch::FileWatch;
pub use input_field::InputField;
pub use key::{Key, Keys};
pub use options::ServerOptions;
pub use request::ScoreRequest;
pub use response::{Guess, GuessKind, ModelIdentity, OutOfRange, ScoreResponse};
pub use scorer::{InitError, Scorer};
pub use server::{Server, Stopped, shutdown_signal};
#[cfg(feature = "tls")]
pub use tls::Tls;
