#![doc = include_str!("../README.md")]

mod asset_paths;
mod assets;
mod client;
mod cloud;
mod code;
mod computes;
mod config_file;
mod content_hash;
mod credential;
mod data_assets;
mod datastores;
mod duration;
mod environment_spec;
mod environments;
mod error;
mod http;
mod ignore_file;
mod models;
mod name_rules;
mod pages;
mod poller;
mod resource;
mod service_error;
mod storage;
mod workspace_id;
mod workspaces;

pub use assets::{AssetContainer, AssetContainerProperties, ListView};
pub use client::{MlClient, MlClientBuilder, http_client};
pub use cloud::Cloud;
pub use code::{Code, CodeAssets, CodeProperties};
pub use computes::{
    Compute, ComputeCluster, ComputeInstance, ComputeProperties, Computes, VmPriority,
};
pub use content_hash::{asset_hash, code_hash};
pub use credential::{ChainedCredential, ComputeIdentityCredential, default_credential};
pub use data_assets::{DataAsset, DataAssets, DataProperties, DataSpec, DataType};
pub use datastores::{Datastore, DatastoreProperties, DatastoreSecrets, Datastores, Uploaded};
pub use environment_spec::EnvironmentSpec;
pub use environments::{
    BuildContext, Environment, EnvironmentProperties, Environments, InferenceConfig, Route,
};
pub use error::{Error, Result};
pub use http::RetryOptions;
pub use ignore_file::IgnoreFile;
pub use models::{Model, ModelProperties, ModelSpec, ModelType, Models};
pub use name_rules::NameRule;
pub use pages::Pages;
pub use poller::{Poller, Progress, Step};
pub use resource::{Identity, Resource, Sku, SystemData};
pub use service_error::{ErrorDetail, ServiceError};
pub use storage::{Downloaded, TransferOptions, TransferProgress};
pub use workspace_id::WorkspaceId;
pub use workspaces::{Workspace, WorkspaceProperties, WorkspaceSpec, Workspaces};
