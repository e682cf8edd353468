use std::{net::IpAddr, num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use spinney_scoring::{
    AnswerStyle, BundleScorer, Deployment, Endpoint, Key, Keys, ServerOptions, Tls,
};

/// Serves bundles over HTTP: GET / for liveness, POST /score for predictions.
///
/// SIGTERM and Ctrl-C let requests finish; SIGHUP loads bundles and keys anew. Exit codes: 0 after that, 1 if the server failed, 2 for
/// wrong arguments, 3 for a wrong configuration or a model that does not load, 4 if requests were cut off at the end.
#[derive(Parser, Debug)]
#[command(version)]
pub(crate) struct Args {
    /// The file that a training run saved, or a folder with it [default: the folder in AZUREML_MODEL_DIR].
    bundle: Option<PathBuf>,
    /// A deployment by name instead of the one bundle; more than one make a blue/green endpoint.
    #[arg(long = "deployment", value_name = "NAME=BUNDLE", conflicts_with = "bundle")]
    deployments: Vec<String>,
    /// Share of requests for each deployment in percent, as blue=90,green=10 [default: all for the first].
    #[arg(long, value_name = "NAME=PERCENT,..", requires = "deployments", value_delimiter = ',')]
    traffic: Vec<String>,

    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1", env = "SPINNEY_HOST")]
    pub(crate) host: IpAddr,
    /// Port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 5001, env = "SPINNEY_PORT")]
    pub(crate) port: u16,

    /// Key that clients have to send [default: none, anybody may score]. Others can see arguments: prefer the variable.
    #[arg(long, env = "SPINNEY_PRIMARY_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Second key, for clients that are to change theirs.
    #[arg(long, env = "SPINNEY_SECONDARY_KEY", hide_env_values = true, requires = "key")]
    secondary_key: Option<String>,
    /// File with one or two keys, a line each. It is read again when it changes.
    #[arg(long, env = "SPINNEY_KEY_FILE", conflicts_with_all = ["key", "secondary_key"])]
    pub(crate) key_file: Option<PathBuf>,

    /// Form of answers: native, or as the workshop's scripts answer (and guess): list, json-string.
    #[arg(long, default_value_t, env = "SPINNEY_ANSWER_STYLE")]
    answer_style: AnswerStyle,
    /// Answer what cannot be scored with 200 and {"error"} in a JSON string, as the workshop's first script does.
    #[arg(long, env = "SPINNEY_ERRORS_IN_ANSWERS")]
    errors_in_answers: bool,
    /// Repeat refused values in refusals. They may be personal.
    #[arg(long, env = "SPINNEY_ECHO_VALUES")]
    echo_values: bool,

    /// Length in bytes above which a body is refused.
    #[arg(long, default_value_t = 32 << 20, env = "SPINNEY_MAX_BODY_BYTES")]
    max_body_bytes: usize,
    /// Milliseconds for a request, from its head to its answer [default: SCORING_TIMEOUT_MS, or 60000].
    #[arg(long, env = "SPINNEY_REQUEST_TIMEOUT_MS")]
    request_timeout_ms: Option<u64>,
    /// Requests scored at once, small ones not counted [default: WORKER_COUNT, or the number of processors].
    #[arg(long, env = "SPINNEY_CONCURRENCY")]
    concurrency: Option<NonZeroUsize>,
    /// Requests that may wait for that.
    #[arg(long, default_value_t = 128, env = "SPINNEY_QUEUE_LIMIT")]
    queue_limit: usize,
    /// Open connections.
    #[arg(long, default_value_t = 20_000, env = "SPINNEY_MAX_CONNECTIONS")]
    max_connections: usize,
    /// Threads that serve connections; each stays on its own [default: the number of processors].
    #[arg(long, env = "SPINNEY_CONNECTION_THREADS")]
    connection_threads: Option<NonZeroUsize>,
    /// Seconds a connection may be idle, or take for the head of a request.
    #[arg(long, default_value_t = 60, env = "SPINNEY_HEADER_TIMEOUT_S")]
    header_timeout_s: u64,
    /// Seconds that requests under way have at the end.
    #[arg(long, default_value_t = 30, env = "SPINNEY_DRAIN_TIMEOUT_S")]
    drain_timeout_s: u64,

    /// Certificate with its chain (PEM), to serve over TLS.
    #[arg(long, requires = "tls_key", env = "SPINNEY_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, requires = "tls_certificate", env = "SPINNEY_TLS_KEY")]
    tls_key: Option<PathBuf>,

    /// Look for changed bundles every so many seconds, and load them [default: only upon SIGHUP].
    #[arg(long, value_name = "SECONDS", env = "SPINNEY_WATCH_S")]
    pub(crate) watch: Option<NonZeroUsize>,

    /// What to log: error, warn, info, debug, trace, or the same for a target, as spinney_scoring=debug.
    #[arg(long, default_value = "info", env = "AZUREML_LOG_LEVEL")]
    pub(crate) log: String,
    /// Form of the log.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "SPINNEY_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
    /// Collector that gets a span for each request over OTLP/HTTP, as http://127.0.0.1:4318/v1/traces.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub(crate) otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// An object a line.
    Json,
}

impl Args {
    /// The paths of the bundles by the names of their deployments.
    pub(crate) fn bundles(&self) -> anyhow::Result<Vec<(String, PathBuf)>> {
        if let Some(bundle) = &self.bundle {
            return Ok(vec![("default".to_owned(), bundle.clone())]);
        }
        if self.deployments.is_empty() {
            let model_dir = ServerOptions::model_dir(variable);
            let model_dir = model_dir.context("name a bundle, or a folder in AZUREML_MODEL_DIR")?;
            return Ok(vec![("default".to_owned(), model_dir)]);
        }
        let pair = |text: &String| {
            let (name, path) = text
                .split_once('=')
                .with_context(|| format!("--deployment {text}: write NAME=BUNDLE"))?;
            Ok((name.to_owned(), PathBuf::from(path)))
        };
        self.deployments.iter().map(pair).collect()
    }

    /// The endpoint, with nothing loaded yet.
    pub(crate) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let bundles = self.bundles()?;
        let mut shares = vec![0; bundles.len()];
        if let (true, Some(first)) = (self.traffic.is_empty(), shares.first_mut()) {
            *first = 100;
        }
        for text in &self.traffic {
            let share = text.split_once('=').and_then(|(name, percent)| {
                let place = bundles.iter().position(|(deployment, _)| deployment == name)?;
                Some((place, percent.parse().ok()?))
            });
            let (place, percent) = share
                .with_context(|| format!("--traffic {text}: write NAME=PERCENT of a deployment"))?;
            shares[place] = percent;
        }
        let deployment = |((name, path), share)| {
            (Deployment::loading(name, move || BundleScorer::load(&path)), share)
        };
        Ok(Endpoint::new(bundles.into_iter().zip(shares).map(deployment))?)
    }

    /// The keys, if clients have to send one.
    pub(crate) fn keys(&self) -> anyhow::Result<Option<Keys>> {
        if let Some(path) = &self.key_file {
            return Ok(Some(Keys::from_file(path)?));
        }
        let Some(key) = &self.key else { return Ok(None) };
        let keys = [Some(key), self.secondary_key.as_ref()];
        ensure!(keys.into_iter().flatten().all(|key| !key.trim().is_empty()), "a key is empty");
        Ok(Some(Keys::new(Key::new(key), self.secondary_key.as_deref().map(Key::new))))
    }

    pub(crate) fn options(&self, keys: Option<Keys>) -> anyhow::Result<ServerOptions> {
        let mut options = ServerOptions::default()
            .environment(variable)?
            .answer_style(self.answer_style)
            .errors_in_answers(self.errors_in_answers)
            .echo_values(self.echo_values)
            .max_body_bytes(self.max_body_bytes)
            .queue_limit(self.queue_limit)
            .max_connections(self.max_connections)
            .connection_threads(self.connection_threads.unwrap_or_else(processors))
            .header_timeout(Duration::from_secs(self.header_timeout_s))
            .drain_timeout(Duration::from_secs(self.drain_timeout_s));
        if let Some(keys) = keys {
            options = options.keys(keys);
        }
        match self.request_timeout_ms {
            Some(0) => bail!("--request-timeout-ms must be at least 1"),
            Some(limit) => options = options.request_timeout(Duration::from_millis(limit)),
            None => {}
        }
        if let Some(concurrency) = self.concurrency {
            options = options.concurrency(concurrency);
        }
        if let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) {
            options = options.tls(Tls::from_pem_files(certificate, key)?);
        }
        Ok(options)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls_certificate.is_some() { "https" } else { "http" }
    }
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
