//! The environment variables of Azure ML's inference server, as far as they mean something here.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use crate::{Error, ServerOptions};

/// The variable in which Azure ML names the folder of the model.
const MODEL_DIR: &str = "AZUREML_MODEL_DIR";

/// Variables of the original that change nothing here, and why.
const WITHOUT_EFFECT: [(&str, &str); 13] = [
    ("AZUREML_ENTRY_SCRIPT", "a bundle needs no script"),
    ("AZUREML_SOURCE_DIRECTORY", "a bundle needs no script"),
    ("AML_APP_ROOT", "a bundle needs no script"),
    ("AZUREML_CONFIG_FILE", "options are arguments and variables"),
    ("AZUREML_DEBUG_PORT", "there is no Python to debug"),
    ("WORKER_PRELOAD", "all threads share one model"),
    ("SEPERATE_HEALTH_ENDPOINT", "liveness never waits behind scoring"),
    ("AML_APP_INSIGHTS_ENABLED", "traces go to an OTLP collector"),
    ("AML_APP_INSIGHTS_KEY", "traces go to an OTLP collector"),
    ("APP_INSIGHTS_LOG_RESPONSE_ENABLED", "answers are never logged"),
    ("AML_MODEL_DC_STORAGE_ENABLED", "payloads are never stored"),
    ("AML_MDC_STORAGE_ENABLED", "payloads are never stored"),
    ("WORKSPACE_NAME", "it only labels what the original sends to Application Insights"),
];

impl ServerOptions {
    /// Takes over what the environment says, in the variables of Azure ML's inference server:
    ///
    /// | variable | option |
    /// |---|---|
    /// | `SCORING_TIMEOUT_MS` | [`request_timeout`](Self::request_timeout) |
    /// | `WORKER_TIMEOUT`, in seconds | likewise; the shorter one counts |
    /// | `WORKER_COUNT` | [`concurrency`](Self::concurrency) |
    /// | `AML_CORS_ORIGINS`, separated by commas | [`cors_origins`](Self::cors_origins) |
    /// | `SERVICE_NAME`, `SERVICE_VERSION`, `SERVICE_PATH_PREFIX` | [`service`](Self::service) |
    /// | `SERVER_VERSION_LOG_RESPONSE_ENABLED` | [`version_header`](Self::version_header) |
    ///
    /// A variable that is empty counts as not set. Variables of the original that have no effect here are logged.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] names the variable and what it can be.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_scoring::ServerOptions;
    ///
    /// let variable = |name: &str| (name == "WORKER_COUNT").then(|| "many".to_owned());
    /// let error = ServerOptions::default().environment(variable).unwrap_err();
    /// assert_eq!(error.to_string(), "WORKER_COUNT must be a whole number from 1 on");
    /// ```
    pub fn environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if let Some(count) = set("WORKER_COUNT") {
            let count = count.trim().parse::<NonZeroUsize>();
            self.concurrency = count.map_err(|_| Error::Environment {
                variable: "WORKER_COUNT",
                expected: "a whole number from 1 on",
            })?;
        }
        let scoring = duration("SCORING_TIMEOUT_MS", &set, Duration::from_millis)?;
        let worker = duration("WORKER_TIMEOUT", &set, Duration::from_secs)?;
        if let Some(timeout) = scoring.into_iter().chain(worker).min() {
            self.request_timeout = timeout;
        }
        if let Some(origins) = set("AML_CORS_ORIGINS") {
            self = self.cors_origins(origins.split(',').map(str::trim));
        }
        let service = self.service.clone();
        self = self.service(
            set("SERVICE_NAME").unwrap_or(service.name),
            set("SERVICE_VERSION").unwrap_or(service.version),
            set("SERVICE_PATH_PREFIX").unwrap_or(service.path_prefix),
        );
        if let Some(enabled) = set("SERVER_VERSION_LOG_RESPONSE_ENABLED") {
            self.version_header = truth(&enabled).ok_or(Error::Environment {
                variable: "SERVER_VERSION_LOG_RESPONSE_ENABLED",
                expected: "true or false",
            })?;
        }
        for (name, reason) in WITHOUT_EFFECT {
            if set(name).is_some() {
                tracing::info!("{name} is set, but has no effect: {reason}");
            }
        }
        Ok(self)
    }

    /// The folder that Azure ML mounts the model in, if the environment names one.
    #[must_use]
    pub fn model_dir(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
        variable(MODEL_DIR).filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

fn duration(
    variable: &'static str,
    set: &impl Fn(&str) -> Option<String>,
    of: impl Fn(u64) -> Duration,
) -> Result<Option<Duration>, Error> {
    let Some(text) = set(variable) else { return Ok(None) };
    match text.trim().parse() {
        Ok(number) if number > 0 => Ok(Some(of(number))),
        _ => Err(Error::Environment { variable, expected: "a whole number from 1 on" }),
    }
}

/// As pydantic reads it, which the original uses.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}
