#![doc = include_str!("../README.md")]

mod config_file;
mod content_hash;
mod error;
mod ignore_file;
mod name_rules;
mod workspace_id;

pub use content_hash::{asset_hash, code_hash};
pub use error::{Error, Result};
pub use ignore_file::IgnoreFile;
pub use name_rules::NameRule;
pub use workspace_id::WorkspaceId;
