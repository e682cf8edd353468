//! The processes of a cluster.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ballista_core::{
    error::BallistaError, extension::SessionConfigExt, utils::default_session_builder,
};
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::{
    cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server,
};
use datafusion::{execution::SessionStateBuilder, prelude::SessionConfig};

use crate::{Error, LogicalCodec, PhysicalCodec, Result, Stores, engine};

/// A Ballista scheduler that knows [`Predict`](crate::Predict) and the [`Stores`].
///
/// **There is no authentication.** Whoever reaches the port can have executors read and write files with their credentials:
/// listen where only the cluster can.
#[derive(Debug, Clone)]
#[must_use]
pub struct Scheduler {
    address: SocketAddr,
    executor_timeout: Duration,
}

impl Scheduler {
    /// A scheduler that listens on an address and gives up executors that were silent for ten seconds.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, executor_timeout: Duration::from_secs(10) }
    }

    /// How long an executor may be silent before its tasks go to others: whole seconds, at least one, and several
    /// [heartbeats](Executor::heartbeat).
    pub fn executor_timeout(self, timeout: Duration) -> Self {
        Self { executor_timeout: timeout, ..self }
    }

    /// Runs until the process ends.
    ///
    /// # Errors
    ///
    /// [`Error::Node`] if it cannot listen.
    pub async fn run(self) -> Result<()> {
        let timeout = self.executor_timeout.as_secs().max(1);
        let stores = Arc::new(Stores::default());
        let config = SchedulerConfig {
            bind_host: self.address.ip().to_string(),
            external_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            executor_timeout_seconds: timeout,
            expire_dead_executor_interval_seconds: timeout.div_ceil(4),
            no_executors_grace_period_seconds: timeout.saturating_mul(3),
            override_logical_codec: Some(Arc::new(LogicalCodec::default())),
            override_physical_codec: Some(Arc::new(PhysicalCodec::default())),
            override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
            override_session_builder: Some(Arc::new(move |config| {
                let state = default_session_builder(config)?;
                let runtime = engine::runtime(&stores, None)?;
                let builder = SessionStateBuilder::new_from_existing(state);
                Ok(builder.with_runtime_env(runtime).build())
            })),
            ..SchedulerConfig::default()
        };
        let failed = |source| node_ended("scheduler", self.address, source);
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(failed)?;
        start_server(cluster, self.address, Arc::new(config)).await.map_err(failed)
    }
}

/// A Ballista executor that knows [`Predict`](crate::Predict) and the [`Stores`].
///
/// Like the [`Scheduler`], it asks nobody who they are.
#[derive(Debug, Clone)]
#[must_use]
pub struct Executor {
    address: SocketAddr,
    control_port: u16,
    scheduler: (String, u16),
    cores: usize,
    heartbeat: Duration,
    memory_limit: Option<u64>,
}

impl Executor {
    /// An executor for the scheduler at a host and port. Results are fetched from its address; the scheduler reaches it on the
    /// port behind that.
    pub fn new(address: SocketAddr, scheduler_host: &str, scheduler_port: u16) -> Self {
        Self {
            address,
            control_port: address.port().saturating_add(1),
            scheduler: (scheduler_host.to_owned(), scheduler_port),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            heartbeat: Duration::from_secs(2),
            memory_limit: None,
        }
    }

    /// The port that the scheduler reaches it on.
    pub fn control_port(self, port: u16) -> Self {
        Self { control_port: port, ..self }
    }

    /// Tasks at the same time: at first the cores of this machine, at least 1.
    pub fn cores(self, cores: usize) -> Self {
        Self { cores: cores.max(1), ..self }
    }

    /// The time between signs of life, two seconds at first: whole seconds, at least one.
    pub fn heartbeat(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// Bytes that all tasks together may take for what the engine accounts for, at first 70 % of the machine's.
    pub fn memory_limit(self, bytes: u64) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }

    /// Runs until the process is told to end.
    ///
    /// # Errors
    ///
    /// [`Error::Node`] if it cannot listen or does not reach the scheduler, [`Error::Folder`] if there is no room for its
    /// temporary files.
    pub async fn run(self) -> Result<()> {
        let work = tempfile::tempdir().map_err(|source| Error::Folder {
            action: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let stores = Arc::new(Stores::default());
        let (scheduler_host, scheduler_port) = self.scheduler;
        let config = ExecutorProcessConfig {
            bind_host: self.address.ip().to_string(),
            external_host: Some(self.address.ip().to_string()),
            port: self.address.port(),
            grpc_port: self.control_port,
            scheduler_host,
            scheduler_port,
            vcores: self.cores,
            work_dir: Some(work.path().to_string_lossy().into_owned()),
            executor_heartbeat_interval_seconds: self.heartbeat.as_secs().max(1),
            memory_pool_size: self.memory_limit,
            override_logical_codec: Some(Arc::new(LogicalCodec::default())),
            override_physical_codec: Some(Arc::new(PhysicalCodec::default())),
            override_runtime_producer: Some(Arc::new(move |_| engine::runtime(&stores, None))),
            ..ExecutorProcessConfig::default()
        };
        let failed = |source| node_ended("executor", self.address, source);
        start_executor_process(Arc::new(config)).await.map_err(failed)
    }
}

fn node_ended(node: &'static str, address: SocketAddr, source: BallistaError) -> Error {
    Error::Node { node, address: address.to_string(), source: Box::new(source) }
}
