#![doc = include_str!("../README.md")]

mod atomic_file;
mod bundle;
mod container;
mod error;
mod fingerprint;
mod inspect;
mod limits;
mod metadata;
mod onnx;
mod scikit_learn;
mod sections;

pub use bundle::ModelBundle;
pub use container::{FORMAT_VERSION, MAGIC, Section};
pub use error::{Error, Result};
pub use fingerprint::Fingerprint;
pub use inspect::BundleInfo;
pub use limits::{Limits, MAX_HEADER_LEN, MAX_NODES};
pub use metadata::{BundleMetadata, Provenance, TrainingData};
pub use scikit_learn::ScikitLearnExport;
