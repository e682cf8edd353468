#![doc = include_str!("../README.md")]

mod batch_endpoints;
mod client;
mod cloud;
mod components;
mod computes;
mod config_file;
mod content_hash;
mod credential;
mod discovery;
mod duration;
mod error;
mod http;
mod ignore_file;
mod jobs;
mod name_list;
mod name_rules;
mod pages;
mod poller;
mod resource;
mod service_error;
mod workspace_id;
mod workspaces;

pub use batch_endpoints::{
    BatchDeployment, BatchDeploymentProperties, BatchDeploymentSpec, BatchEndpoint,
    BatchEndpointDefaults, BatchEndpointProperties, BatchEndpointSpec, BatchEndpoints,
    BatchInvocation,
};
pub use client::{MlClient, MlClientBuilder, http_client};
pub use cloud::Cloud;
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
pub use error::{Error, Result};
pub use http::RetryOptions;
pub use ignore_file::IgnoreFile;
pub use jobs::{
    Binding, CommandJob, Job, JobInput, JobListView, JobLogs, JobOutput, JobProperties, JobSpec,
    JobStatus, JobWait, Jobs, LogLines, PipelineBuilder, PipelineInput, PipelineJob, PipelineStep,
    Run, StepOutput,
};
pub use name_rules::NameRule;
pub use pages::Pages;
pub use poller::{Poller, Progress, Step};
pub use resource::{Identity, Resource, Sku, SystemData};
pub use service_error::{ErrorDetail, ServiceError};
pub use workspace_id::WorkspaceId;
pub use workspaces::{Workspace, WorkspaceProperties, WorkspaceSpec, Workspaces};
