#![doc = include_str!("../README.md")]

mod batch;
mod codec;
mod columns;
mod engine;
mod error;
mod input;
mod job;
mod listing;
mod loaded;
mod location;
mod manifest;
mod model;
mod nodes;
mod output;
mod predict;
mod stores;

pub use batch::{Batch, Done};
pub use codec::{LogicalCodec, PhysicalCodec};
pub use engine::{Engine, EngineOptions};
pub use error::{Error, Result};
pub use listing::inputs_in;
pub use location::Location;
pub use manifest::{Manifest, ScoredFile};
pub use model::Model;
pub use nodes::{Executor, Scheduler};
pub use predict::Predict;
pub use stores::Stores;
