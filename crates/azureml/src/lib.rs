#![doc = include_str!("../README.md")]

mod asset_paths;
mod assets;
mod batch_endpoints;
mod billable;
mod clean_up;
mod client;
mod cloud;
mod code;
mod components;
mod computes;
mod config_file;
mod content_hash;
mod credential;
mod data_assets;
mod datastores;
mod discovery;
mod duration;
mod endpoint_client;
mod endpoint_keys;
mod environment_spec;
mod environments;
mod error;
mod http;
mod ignore_file;
mod jobs;
mod managed_identities;
mod models;
mod name_list;
mod name_rules;
mod online_deployment_spec;
mod online_deployments;
mod online_endpoints;
mod pages;
mod poller;
mod preflight;
mod resource;
mod resource_groups;
mod resource_providers;
mod service_error;
mod storage;
mod traffic;
mod vm_sizes;
mod workspace_id;
mod workspaces;

pub use assets::{AssetContainer, AssetContainerProperties, ListView};
pub use batch_endpoints::{
    BatchDeployment, BatchDeploymentProperties, BatchDeploymentSpec, BatchEndpoint,
    BatchEndpointDefaults, BatchEndpointProperties, BatchEndpointSpec, BatchEndpoints,
    BatchInvocation,
};
pub use billable::{Billable, BillableKind, ListPrices, PriceSource};
pub use clean_up::{CleanUp, CleanUpReport};
pub use client::{MlClient, MlClientBuilder, http_client};
pub use cloud::Cloud;
pub use code::{Code, CodeAssets, CodeProperties};
pub use components::{
    AssetType, Component, ComponentContainer, ComponentContainerProperties, ComponentInput,
    ComponentOutput, ComponentProperties, ComponentSpec, ComponentVersion, Components, InputMode,
    InputType, Literal, OutputMode,
};
pub use computes::{
    Compute, ComputeCluster, ComputeInstance, ComputeProperties, Computes, VmPriority,
};
pub use content_hash::{asset_hash, code_hash};
pub use credential::{ChainedCredential, ComputeIdentityCredential, default_credential};
pub use data_assets::{DataAsset, DataAssets, DataProperties, DataSpec, DataType};
pub use datastores::{Datastore, DatastoreProperties, DatastoreSecrets, Datastores, Uploaded};
pub use endpoint_client::{EndpointClient, Scored};
pub use endpoint_keys::{EndpointKeys, KeyKind};
pub use environment_spec::EnvironmentSpec;
pub use environments::{
    BuildContext, Environment, EnvironmentProperties, Environments, InferenceConfig, Route,
};
pub use error::{Error, Result};
pub use http::RetryOptions;
pub use ignore_file::IgnoreFile;
pub use jobs::{
    Binding, CommandJob, Job, JobInput, JobListView, JobLogs, JobOutput, JobProperties, JobSpec,
    JobStatus, JobWait, Jobs, LogLines, PipelineBuilder, PipelineInput, PipelineJob, PipelineStep,
    Run, StepOutput,
};
pub use managed_identities::{ManagedIdentities, ManagedIdentity, ManagedIdentityProperties, Role};
pub use models::{Model, ModelProperties, ModelSpec, ModelType, Models};
pub use name_rules::NameRule;
pub use online_deployment_spec::OnlineDeploymentSpec;
pub use online_deployments::{
    ContainerKind, OnlineDeployment, OnlineDeploymentProperties, OnlineDeployments, ProbeSettings,
    RequestSettings,
};
pub use online_endpoints::{
    AuthMode, OnlineEndpoint, OnlineEndpointProperties, OnlineEndpointSpec, OnlineEndpoints,
};
pub use pages::Pages;
pub use poller::{Poller, Progress, Step};
pub use preflight::{Finding, Preflight};
pub use resource::{Identity, Resource, Sku, SystemData};
pub use resource_groups::{
    GenericResource, ResourceGroup, ResourceGroupProperties, ResourceGroups,
};
pub use resource_providers::{ResourceProvider, ResourceProviders};
pub use service_error::{ErrorDetail, ServiceError};
pub use storage::{Downloaded, TransferOptions, TransferProgress};
pub use traffic::Traffic;
pub use vm_sizes::{EstimatedPrice, EstimatedPrices, Usage, UsageName, VmSize, VmSizes};
pub use workspace_id::WorkspaceId;
pub use workspaces::{Workspace, WorkspaceProperties, WorkspaceSpec, Workspaces};
