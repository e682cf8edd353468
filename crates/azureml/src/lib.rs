#![doc = include_str!("../README.md")]

mod asset_paths;
mod client;
mod cloud;
mod computes;
mod config_file;
mod content_hash;
mod credential;
mod datastores;
mod duration;
mod error;
mod http;
mod ignore_file;
mod name_rules;
mod pages;
mod poller;
mod resource;
mod service_error;
mod storage;
mod workspace_id;
mod workspaces;

pub use client::{MlClient, MlClientBuilder, http_client};
pub use cloud::Cloud;
pub use computes::{
    Compute, ComputeCluster, ComputeInstance, ComputeProperties, Computes, VmPriority,
};
pub use content_hash::{asset_hash, code_hash};
pub use credential::{ChainedCredential, ComputeIdentityCredential, default_credential};
pub use datastores::{Datastore, DatastoreProperties, DatastoreSecrets, Datastores, Uploaded};
pub use error::{Error, Result};
pub use http::RetryOptions;
pub use ignore_file::IgnoreFile;
pub use name_rules::NameRule;
pub use pages::Pages;
pub use poller::{Poller, Progress, Step};
pub use resource::{Identity, Resource, Sku, SystemData};
pub use service_error::{ErrorDetail, ServiceError};
pub use storage::{Downloaded, TransferOptions, TransferProgress};
pub use workspace_id::WorkspaceId;
pub use workspaces::{Workspace, WorkspaceProperties, WorkspaceSpec, Workspaces};
