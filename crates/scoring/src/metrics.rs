//! Counts for Prometheus. Labels are names of deployments, columns and codes: none comes from a client.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{Deployment, Endpoint, ErrorCode, ScoreResponse, pool::Pool};

/// Seconds: from a single row on a quiet machine to the longest that anybody waits.
const BUCKETS: [f64; 15] =
    [5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1.0, 5.0, 30.0];

macro_rules! labels {
    ($($name:ident { $($label:ident: $kind:ty),* })*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
            struct $name {
                $($label: $kind),*
            }
        )*
    };
}

labels! {
    OfDeployment { deployment: String }
    OfColumn { deployment: String, column: String }
    OfSide { deployment: String, column: String, side: &'static str }
    OfGuess { deployment: String, column: String, kind: String }
    OfStatus { status: u16 }
    OfCode { code: String }
    OfReload { deployment: String, result: &'static str }
    OfModel { deployment: String, name: String, version: String, fingerprint: String }
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<OfStatus, Counter>,
    errors: Family<OfCode, Counter>,
    duration: Family<OfDeployment, Histogram>,
    rows: Family<OfDeployment, Counter>,
    unseen: Family<OfColumn, Counter>,
    missing: Family<OfColumn, Counter>,
    out_of_range: Family<OfSide, Counter>,
    guesses: Family<OfGuess, Counter>,
    reloads: Family<OfReload, Counter>,
    models: Family<OfModel, Gauge>,
    traffic: Family<OfDeployment, Gauge>,
    queued: Gauge,
    running: Gauge,
    connections: Gauge,
    /// What every request of a deployment counts, found once: by the deployment's place.
    of_deployments: Vec<(Histogram, Counter)>,
}

impl Metrics {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let mut metrics = Self {
            of_deployments: Vec::new(),
            registry: Registry::with_prefix("spinney"),
            requests: Family::default(),
            errors: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            rows: Family::default(),
            unseen: Family::default(),
            missing: Family::default(),
            out_of_range: Family::default(),
            guesses: Family::default(),
            reloads: Family::default(),
            models: Family::default(),
            traffic: Family::default(),
            queued: Gauge::default(),
            running: Gauge::default(),
            connections: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Answers by status", metrics.requests.clone());
        registry.register("errors", "Refusals and failures by code", metrics.errors.clone());
        registry.register_with_unit(
            "scoring_duration",
            "Time from body to predictions, waiting included",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register("rows", "Rows scored", metrics.rows.clone());
        registry.register(
            "unseen_categories",
            "Rows with a category that the model has not seen",
            metrics.unseen.clone(),
        );
        registry.register("missing_values", "Rows with a missing value", metrics.missing.clone());
        registry.register(
            "out_of_range",
            "Rows with a number beyond all of the training",
            metrics.out_of_range.clone(),
        );
        registry.register("guesses", "Rows that rest on a guess", metrics.guesses.clone());
        registry.register("reloads", "Models loaded, or not", metrics.reloads.clone());
        registry.register("model_info", "Models that answer", metrics.models.clone());
        registry.register("traffic_percent", "Share of requests", metrics.traffic.clone());
        registry.register("queue_length", "Requests that wait", metrics.queued.clone());
        registry.register("scoring_in_progress", "Requests on a thread", metrics.running.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        let of_deployment = |deployment: &Arc<Deployment>| {
            let labels = OfDeployment { deployment: deployment.name().to_owned() };
            let duration = metrics.duration.get_or_create(&labels).clone();
            (duration, metrics.rows.get_or_create(&labels).clone())
        };
        metrics.of_deployments = endpoint.deployments().iter().map(of_deployment).collect();
        metrics
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, status: StatusCode, code: Option<ErrorCode>) {
        self.requests.get_or_create(&OfStatus { status: status.as_u16() }).inc();
        if let Some(code) = code {
            self.errors.get_or_create(&OfCode { code: code.to_string() }).inc();
        }
    }

    /// Counts what was scored.
    pub(crate) fn scored(
        &self,
        endpoint: &Endpoint,
        deployment: &Arc<Deployment>,
        response: &ScoreResponse,
        elapsed: Duration,
    ) {
        let place = endpoint.deployments().iter().position(|other| Arc::ptr_eq(other, deployment));
        if let Some((duration, rows)) = place.and_then(|place| self.of_deployments.get(place)) {
            duration.observe(elapsed.as_secs_f64());
            rows.inc_by(response.predictions.len() as u64);
        }
        let of = |column: &String| OfColumn {
            deployment: deployment.name().to_owned(),
            column: column.clone(),
        };
        for (column, n_rows) in &response.unseen_categories {
            self.unseen.get_or_create(&of(column)).inc_by(*n_rows as u64);
        }
        for (column, n_rows) in &response.missing_values {
            self.missing.get_or_create(&of(column)).inc_by(*n_rows as u64);
        }
        for out in &response.out_of_range {
            for (side, n_rows) in [("below", out.below), ("above", out.above)] {
                let OfColumn { deployment, column } = of(&out.column);
                let labels = OfSide { deployment, column, side };
                self.out_of_range.get_or_create(&labels).inc_by(n_rows as u64);
            }
        }
        for guess in &response.guesses {
            let OfColumn { deployment, column } = of(&guess.column);
            let labels = OfGuess { deployment, column, kind: guess.kind.to_string() };
            self.guesses.get_or_create(&labels).inc_by(guess.rows as u64);
        }
    }

    /// Counts a model that was loaded, or was not.
    pub(crate) fn reloaded(&self, deployment: &str, succeeded: bool) {
        let result = if succeeded { "success" } else { "failure" };
        let labels = OfReload { deployment: deployment.to_owned(), result };
        self.reloads.get_or_create(&labels).inc();
    }

    /// The gauge of open connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Everything in the format that Prometheus reads.
    pub(crate) fn write(&self, endpoint: &Endpoint, pool: &Pool) -> String {
        self.queued.set(pool.n_waiting() as i64);
        self.running.set(pool.n_running() as i64);
        self.models.clear();
        for (deployment, (name, percent)) in endpoint.deployments().iter().zip(endpoint.traffic()) {
            let of_deployment = OfDeployment { deployment: name.to_owned() };
            self.traffic.get_or_create(&of_deployment).set(i64::from(percent));
            if let Some(model) = deployment.model() {
                let labels = OfModel {
                    deployment: name.to_owned(),
                    name: model.name,
                    version: model.version,
                    fingerprint: model.fingerprint,
                };
                self.models.get_or_create(&labels).set(1);
            }
        }
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
