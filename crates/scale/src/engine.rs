use std::{num::NonZeroUsize, sync::Arc};

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::{
    error::Result as EngineResult,
    execution::{
        SessionStateBuilder,
        cache::cache_manager::CacheManagerConfig,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    prelude::{SessionConfig, SessionContext},
};

use crate::{Error, LogicalCodec, PhysicalCodec, Result, Stores};

/// How an [`Engine`] works.
#[derive(Debug, Clone)]
#[must_use]
pub struct EngineOptions {
    partitions: NonZeroUsize,
    memory_limit: Option<usize>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { partitions: NonZeroUsize::MIN, memory_limit: None }
    }
}

impl EngineOptions {
    /// Parts that one file is read and scored in at the same time, 1 at first. With one, rows stay in their order and a job is
    /// one task; more help if files are few and large.
    pub fn partitions(self, partitions: NonZeroUsize) -> Self {
        Self { partitions, ..self }
    }

    /// Bytes that the embedded engine may take for what it accounts for: the buffers of writers, sorts and joins, but neither
    /// batches on their way nor the model. A job that needs more fails. A cluster's executors have limits of their own.
    pub fn memory_limit(self, bytes: usize) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }
}

/// Where queries run: in this process, or on a Ballista cluster. Nothing else differs between the two.
///
/// A query that calls [`Predict`](crate::Predict) runs on either. On a cluster its inputs have to be files: tables in this
/// process's memory are not seen there.
#[derive(Debug, Clone)]
pub struct Engine {
    context: Context,
    stores: Arc<Stores>,
}

/// [`SessionContext`] shows nothing of itself.
#[derive(Clone)]
struct Context(SessionContext);

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SessionContext").field(&self.0.session_id()).finish()
    }
}

impl Engine {
    /// Makes an engine in this process.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if DataFusion refuses the options.
    pub fn embedded(options: &EngineOptions) -> Result<Self> {
        let stores = Arc::new(Stores::default());
        let runtime = runtime(&stores, options.memory_limit).map_err(set_up("the runtime"))?;
        let config = configured(SessionConfig::new(), options);
        let context = Context(SessionContext::new_with_config_rt(config, runtime));
        Ok(Self { context, stores })
    }

    /// A tokio runtime for an [embedded](Self::embedded) engine: a thread for each processor, and one for each four to read and
    /// write files on a disk.
    ///
    /// Tokio itself starts as many of those as there are files waiting. The system's allocator keeps memory apart for each
    /// thread and does not give back what others free there: with them, the peak for 16 times the files was 145 MB instead of
    /// 120, with these it is 115 instead of 114.
    ///
    /// # Errors
    ///
    /// If the system gives no threads.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use spinney_scale::{Engine, EngineOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// Engine::runtime()?.block_on(async {
    ///     let engine = Engine::embedded(&EngineOptions::default())?;
    ///     engine.context().sql("SELECT 1").await?.show().await?;
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
        let n_processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(n_processors.div_ceil(4))
            .build()
    }

    /// Makes an engine that runs queries on the cluster of a scheduler, `df://host:port`. The scheduler is not asked for
    /// anything yet.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the URL is none.
    pub async fn cluster(scheduler: &str, options: &EngineOptions) -> Result<Self> {
        let stores = Arc::new(Stores::default());
        let runtime = runtime(&stores, None).map_err(set_up("the runtime"))?;
        let config = SessionConfig::new_with_ballista()
            .with_ballista_logical_extension_codec(Arc::new(LogicalCodec::default()))
            .with_ballista_physical_extension_codec(Arc::new(PhysicalCodec::default()));
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(configured(config, options))
            .with_runtime_env(runtime)
            .build();
        let context = SessionContext::remote_with_state(scheduler, state).await;
        let context = Context(context.map_err(set_up("the connection to the scheduler"))?);
        Ok(Self { context, stores })
    }

    /// DataFusion's context, for queries of your own.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context.0
    }

    /// The storage that queries read and write.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }
}

fn set_up(what: &'static str) -> impl Fn(datafusion::error::DataFusionError) -> Error {
    move |source| Error::Engine { what, source: Box::new(source) }
}

fn configured(config: SessionConfig, options: &EngineOptions) -> SessionConfig {
    let mut config =
        config.with_target_partitions(options.partitions.get()).with_collect_statistics(false);
    let execution = &mut config.options_mut().execution;
    // One job, one thread: a writer that encodes columns in parallel holds whole row groups.
    execution.parquet.allow_single_file_parallelism = false;
    execution.parquet.schema_force_view_types = false;
    config
}

/// What a process runs plans with. Nothing is kept from one job to the next: a file that was replaced is read anew, and memory
/// does not grow with the number of files.
pub(crate) fn runtime(
    stores: &Arc<Stores>,
    memory_limit: Option<usize>,
) -> EngineResult<Arc<RuntimeEnv>> {
    let caches = CacheManagerConfig::default()
        .with_file_statistics_cache_limit(0)
        .with_list_files_cache_limit(0)
        .with_metadata_cache_limit(0);
    let builder = RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::clone(stores) as _)
        .with_cache_manager(caches);
    match memory_limit {
        Some(bytes) => builder.with_memory_limit(bytes, 1.0),
        None => builder,
    }
    .build_arc()
}
