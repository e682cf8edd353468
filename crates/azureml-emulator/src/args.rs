use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use spinney_azureml_emulator::{Shell, Way};

/// A local Azure Machine Learning, on 127.0.0.1 only.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Args {
    /// The folder that holds everything: resources, contents, the certificate authority, secrets.
    #[arg(long, value_name = "DIR", global = true, default_value = ".azureml-emulator")]
    pub(crate) state: PathBuf,
    /// The port for TLS; 0 takes one that is free.
    #[arg(long, default_value_t = 8443)]
    pub(crate) port: u16,
    /// The port for the proxy and the token services of machines; 0 takes one that is free.
    #[arg(long, default_value_t = 8442)]
    pub(crate) proxy_port: u16,
    /// How many times faster operations end and idle times are over.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    /// The Python interpreter for jobs that call python, and for deployments with a scoring script.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
    /// The subscription's id. This and the names below count at the first start.
    #[arg(long, value_name = "GUID")]
    pub(crate) subscription: Option<String>,
    /// The directory's id.
    #[arg(long, value_name = "GUID")]
    pub(crate) tenant: Option<String>,
    /// The resource group that the first start makes [default: rg].
    #[arg(long, value_name = "NAME")]
    pub(crate) resource_group: Option<String>,
    /// The workspace that the first start makes [default: mlops-ws].
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    /// The region [default: westeurope].
    #[arg(long, value_name = "REGION")]
    pub(crate) location: Option<String>,
    /// What is logged to standard error, as tracing's filters have it.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the variables that point programs at the emulator of a state, for a shell to read.
    Env {
        /// The shell.
        #[arg(long, value_enum)]
        shell: ShellName,
        /// How programs get there.
        #[arg(long, value_enum, default_value_t = WayName::Proxy)]
        way: WayName,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ShellName {
    /// export NAME='value'
    Posix,
    /// $env:NAME = 'value'
    Powershell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WayName {
    /// By Azure's own names, through the proxy.
    Proxy,
    /// By the description of a cloud of its own.
    CloudMetadata,
}

impl From<ShellName> for Shell {
    fn from(name: ShellName) -> Self {
        match name {
            ShellName::Posix => Self::Posix,
            ShellName::Powershell => Self::PowerShell,
        }
    }
}

impl From<WayName> for Way {
    fn from(name: WayName) -> Self {
        match name {
            WayName::Proxy => Self::Proxy,
            WayName::CloudMetadata => Self::CloudMetadata,
        }
    }
}
