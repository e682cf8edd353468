#![doc = include_str!("../README.md")]

mod atomic_file;
mod bundle;
mod container;
mod error;
mod fingerprint;
mod forest_section;
mod metadata;
mod onnx;

pub use bundle::ModelBundle;
pub use container::{FORMAT_VERSION, MAGIC, MAX_HEADER_LEN};
pub use error::{Error, Result};
pub use fingerprint::Fingerprint;
pub use metadata::BundleMetadata;
