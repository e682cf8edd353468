use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Error, NameRule, Resource, Result, duration::iso8601};

/// A deployment of a batch endpoint.
pub type BatchDeployment = Resource<BatchDeploymentProperties>;

/// What is particular to a deployment of a batch endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BatchDeploymentProperties {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// The id of the compute that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute: Option<String>,
    /// Everything else: `model`, `miniBatchSize`, `deploymentConfiguration`, ...
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A deployment to be made: a model that scores files in small batches, or a component that does what it does.
///
/// # Examples
///
/// ```
/// use spinney_azureml::BatchDeploymentSpec;
///
/// let model = BatchDeploymentSpec::model("/subscriptions/../models/ames-housing/versions/3", "mlops-cluster")
///     .environment("azureml://registries/azureml/environments/sklearn-1.5/labels/latest")
///     .code("/subscriptions/../codes/3f2a../versions/1", "score.py")
///     .mini_batch_size(20)
///     .instance_count(2);
/// let component = BatchDeploymentSpec::pipeline_component("/subscriptions/../components/score/versions/1")
///     .default_compute("mlops-cluster");
/// # let _ = (model, component);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct BatchDeploymentSpec {
    kind: Kind,
    description: Option<String>,
    environment: Option<String>,
    code: Option<(String, String)>,
    instance_count: u32,
    mini_batch_size: u32,
    max_concurrency_per_instance: u32,
    error_threshold: Option<u32>,
    max_retries: u32,
    timeout: Duration,
    output_file_name: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Model { model: String, compute: String },
    PipelineComponent { component: String, default_compute: Option<String> },
}

impl BatchDeploymentSpec {
    /// A model by its id, on a compute cluster, by name or id.
    pub fn model(model: impl Into<String>, compute: impl Into<String>) -> Self {
        Self::new(Kind::Model { model: model.into(), compute: compute.into() })
    }

    /// A component, often one that is a pipeline, by the id of its version.
    pub fn pipeline_component(component: impl Into<String>) -> Self {
        Self::new(Kind::PipelineComponent { component: component.into(), default_compute: None })
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            description: None,
            environment: None,
            code: None,
            instance_count: 1,
            mini_batch_size: 10,
            max_concurrency_per_instance: 1,
            error_threshold: None,
            max_retries: 3,
            timeout: Duration::from_secs(30),
            output_file_name: "predictions.csv".to_owned(),
        }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The environment of a model that MLflow did not save.
    pub fn environment(self, id: impl Into<String>) -> Self {
        Self { environment: Some(id.into()), ..self }
    }

    /// The id of the code that scores, and the script in it.
    pub fn code(self, id: impl Into<String>, scoring_script: impl Into<String>) -> Self {
        Self { code: Some((id.into(), scoring_script.into())), ..self }
    }

    /// The compute of a component's steps, by name or id. Without effect for a model.
    pub fn default_compute(mut self, compute: impl Into<String>) -> Self {
        if let Kind::PipelineComponent { default_compute, .. } = &mut self.kind {
            *default_compute = Some(compute.into());
        }
        self
    }

    /// On how many machines a model runs: 1, unless said otherwise.
    pub fn instance_count(self, count: u32) -> Self {
        Self { instance_count: count, ..self }
    }

    /// How many files a model is given at once: 10, unless said otherwise.
    pub fn mini_batch_size(self, files: u32) -> Self {
        Self { mini_batch_size: files, ..self }
    }

    /// How many processes there are on a machine: 1, unless said otherwise.
    pub fn max_concurrency_per_instance(self, processes: u32) -> Self {
        Self { max_concurrency_per_instance: processes, ..self }
    }

    /// How many files may fail before the job does. Without it, all may.
    pub fn error_threshold(self, files: u32) -> Self {
        Self { error_threshold: Some(files), ..self }
    }

    /// How often a batch is tried again, and how long it may take: 3 times and 30 s, unless said otherwise.
    pub fn retries(self, max_retries: u32, timeout: Duration) -> Self {
        Self { max_retries, timeout, ..self }
    }

    /// What the file of all predictions is called: `predictions.csv`, unless said otherwise.
    pub fn output_file_name(self, name: impl Into<String>) -> Self {
        Self { output_file_name: name.into(), ..self }
    }

    fn check(&self) -> Result<()> {
        for (what, count) in [
            ("the instance count of a batch deployment", self.instance_count),
            ("the mini batch size of a batch deployment", self.mini_batch_size),
            ("the concurrency of a batch deployment", self.max_concurrency_per_instance),
        ] {
            if count == 0 {
                let (value, rule) = (count.to_string(), "1 or more");
                return Err(Error::InvalidArgument { what, value, rule });
            }
        }
        let compute = match &self.kind {
            Kind::Model { compute, .. } => Some(compute),
            Kind::PipelineComponent { default_compute, .. } => default_compute.as_ref(),
        };
        match compute {
            Some(name) if !name.starts_with('/') => NameRule::Compute.check(name),
            _ => Ok(()),
        }
    }

    /// The properties that are sent, with computes by their ids.
    pub(super) fn properties(&self, compute_id: impl Fn(&str) -> String) -> Result<Value> {
        self.check()?;
        let mut properties = match &self.kind {
            Kind::Model { model, compute } => {
                let mut properties = json!({
                    "model": {"referenceType": "Id", "assetId": model},
                    "compute": compute_id(compute),
                    "resources": {"instanceCount": self.instance_count},
                    "miniBatchSize": self.mini_batch_size,
                    "maxConcurrencyPerInstance": self.max_concurrency_per_instance,
                    "errorThreshold": self.error_threshold.map_or(-1, i64::from),
                    "retrySettings": {
                        "maxRetries": self.max_retries,
                        "timeout": iso8601(self.timeout),
                    },
                    "loggingLevel": "Info",
                    "outputAction": "AppendRow",
                    "outputFileName": self.output_file_name,
                });
                if let Some(environment) = &self.environment {
                    properties["environmentId"] = json!(environment);
                }
                if let Some((code, script)) = &self.code {
                    properties["codeConfiguration"] =
                        json!({"codeId": code, "scoringScript": script});
                }
                properties
            }
            Kind::PipelineComponent { component, default_compute } => {
                let mut settings = Map::new();
                if let Some(compute) = default_compute {
                    settings.insert("default_compute".to_owned(), json!(compute_id(compute)));
                }
                json!({"deploymentConfiguration": {
                    "deploymentConfigurationType": "PipelineComponent",
                    "componentId": {"referenceType": "Id", "assetId": component},
                    "settings": settings,
                }})
            }
        };
        if let Some(description) = &self.description {
            properties["description"] = json!(description);
        }
        Ok(properties)
    }
}
