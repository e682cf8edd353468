use std::{
    net::{IpAddr, Ipv4Addr},
    num::{NonZeroUsize, ParseIntError},
    str::FromStr,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

/// Scores files with a bundle, on this machine or on a Ballista cluster.
///
/// Files are paths or URLs: file://, az:// and abfss:// (account and key from AZURE_STORAGE_ACCOUNT_NAME and
/// AZURE_STORAGE_ACCOUNT_KEY, Azurite with AZURE_STORAGE_USE_EMULATOR=true), s3:// (AWS_ACCESS_KEY_ID and so on).
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) score: Option<ScoreArgs>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the scheduler of a cluster. It asks nobody who they are: let only the cluster reach it
    Scheduler(SchedulerArgs),
    /// Runs an executor of a cluster, likewise
    Executor(ExecutorArgs),
}

#[derive(Debug, Args)]
#[group(id = "scoring")]
pub(crate) struct ScoreArgs {
    /// The bundle; on a cluster, where executors find it too
    #[arg(required = true)]
    pub(crate) bundle: String,
    /// Files (.csv, .parquet, .parq, .pq), or folders of such files
    #[arg(required = true)]
    pub(crate) inputs: Vec<String>,
    /// Folder for the outputs, one of the same name for each input
    #[arg(long, short)]
    pub(crate) output: String,
    /// The cluster's scheduler, df://HOST:PORT; else this process does the work
    #[arg(long)]
    pub(crate) cluster: Option<String>,
    /// Parts that a file is scored in at the same time; with more than one its rows change their order
    #[arg(long, default_value = "1")]
    pub(crate) partitions: NonZeroUsize,
    /// Megabytes for buffers of the engine in this process
    #[arg(long)]
    pub(crate) memory_limit: Option<usize>,
    /// Files to work on at the same time [default: the cores of this machine]
    #[arg(long)]
    pub(crate) in_flight: Option<NonZeroUsize>,
    /// How often a file is tried
    #[arg(long, default_value = "4")]
    pub(crate) attempts: u32,
    /// Name of the column with the predictions
    #[arg(long, default_value = "prediction")]
    pub(crate) column: String,
}

#[derive(Debug, Args)]
pub(crate) struct SchedulerArgs {
    /// Address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
    /// Port to listen on
    #[arg(long, default_value = "50050")]
    pub(crate) port: u16,
    /// Seconds that an executor may be silent before its tasks go to others
    #[arg(long, default_value = "10")]
    pub(crate) executor_timeout: Seconds,
}

#[derive(Debug, Args)]
pub(crate) struct ExecutorArgs {
    /// The scheduler, df://HOST:PORT
    #[arg(long, default_value = "df://127.0.0.1:50050")]
    pub(crate) scheduler: String,
    /// Address to listen on, where the others reach it
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
    /// Port that results are fetched from
    #[arg(long, default_value = "50051")]
    pub(crate) port: u16,
    /// Port that the scheduler reaches it on [default: the one behind]
    #[arg(long)]
    pub(crate) control_port: Option<u16>,
    /// Tasks at the same time [default: the cores of this machine]
    #[arg(long)]
    pub(crate) cores: Option<NonZeroUsize>,
    /// Megabytes for buffers of the engine, of all tasks together [default: 70 % of the memory]
    #[arg(long)]
    pub(crate) memory_limit: Option<u64>,
    /// Seconds between signs of life
    #[arg(long, default_value = "2")]
    pub(crate) heartbeat: Seconds,
}

/// A time in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(u64);

impl FromStr for Seconds {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        Self::from_secs(seconds.0)
    }
}
