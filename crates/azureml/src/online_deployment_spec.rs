use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{Error, ProbeSettings, RequestSettings, Result, duration::iso8601};

/// A deployment to be made: a model, an environment that serves it, and machines.
///
/// # Examples
///
/// A container that serves by itself, and one whose environment runs a scoring script:
///
/// ```
/// use spinney_azureml::OnlineDeploymentSpec;
///
/// let container = OnlineDeploymentSpec::new("Standard_D2as_v4", 1)
///     .model("/subscriptions/../models/ames/versions/1")
///     .environment("/subscriptions/../environments/spinney/versions/1");
///
/// let script = OnlineDeploymentSpec::new("Standard_D2as_v4", 1)
///     .model("/subscriptions/../models/ames/versions/1")
///     .environment("azureml://registries/azureml/environments/sklearn-1.5/labels/latest")
///     .code("/subscriptions/../codes/../versions/1", "score.py");
/// # let _ = (container, script);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct OnlineDeploymentSpec {
    instance_type: String,
    instances: u32,
    model: Option<String>,
    environment: Option<String>,
    code: Option<(String, String)>,
    environment_variables: BTreeMap<String, String>,
    app_insights: bool,
    request_settings: Option<RequestSettings>,
    liveness_probe: Option<ProbeSettings>,
    readiness_probe: Option<ProbeSettings>,
    description: Option<String>,
    tags: BTreeMap<String, String>,
}

impl OnlineDeploymentSpec {
    /// The size of the machines and how many, 1 at least.
    pub fn new(instance_type: impl Into<String>, instances: u32) -> Self {
        Self {
            instance_type: instance_type.into(),
            instances,
            model: None,
            environment: None,
            code: None,
            environment_variables: BTreeMap::new(),
            app_insights: false,
            request_settings: None,
            liveness_probe: None,
            readiness_probe: None,
            description: None,
            tags: BTreeMap::new(),
        }
    }

    /// The model, by its resource id. Its container finds it below `AZUREML_MODEL_DIR`.
    pub fn model(self, id: impl Into<String>) -> Self {
        Self { model: Some(id.into()), ..self }
    }

    /// The environment, by its resource id or as `azureml://registries/..`.
    pub fn environment(self, id: impl Into<String>) -> Self {
        Self { environment: Some(id.into()), ..self }
    }

    /// The code, by its resource id, and the scoring script in it, for environments that run one.
    pub fn code(self, id: impl Into<String>, scoring_script: impl Into<String>) -> Self {
        Self { code: Some((id.into(), scoring_script.into())), ..self }
    }

    /// Sets a variable of the container's environment.
    pub fn environment_variable(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.environment_variables.insert(name.into(), value.into());
        self
    }

    /// Sends what the container logs to Application Insights.
    pub fn app_insights(self, enabled: bool) -> Self {
        Self { app_insights: enabled, ..self }
    }

    /// How many requests it takes, and for how long.
    pub fn request_settings(self, settings: RequestSettings) -> Self {
        Self { request_settings: Some(settings), ..self }
    }

    /// How Azure asks whether the container lives; otherwise it is started anew.
    pub fn liveness_probe(self, probe: ProbeSettings) -> Self {
        Self { liveness_probe: Some(probe), ..self }
    }

    /// How Azure asks whether the container takes requests.
    pub fn readiness_probe(self, probe: ProbeSettings) -> Self {
        Self { readiness_probe: Some(probe), ..self }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Adds a tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// What Azure would find out after minutes.
    pub(crate) fn check(&self) -> Result<()> {
        Self::check_instances(self.instances)?;
        let Some(settings) = &self.request_settings else { return Ok(()) };
        let longest = Duration::from_secs(180);
        if settings.request_timeout.is_zero() || settings.request_timeout > longest {
            return Err(Error::InvalidArgument {
                what: "the time that a request may take",
                value: format!("{:?}", settings.request_timeout),
                rule: "more than nothing and at most 3 minutes",
            });
        }
        if settings.max_concurrent_requests_per_instance == 0 {
            return Err(Error::InvalidArgument {
                what: "the number of requests at a time",
                value: "0".to_owned(),
                rule: "1 at least",
            });
        }
        Ok(())
    }

    pub(crate) fn check_instances(instances: u32) -> Result<()> {
        if instances > 0 {
            return Ok(());
        }
        let (what, rule) =
            ("the number of instances", "1 at least; a deployment that is not needed is deleted");
        Err(Error::InvalidArgument { what, value: "0".to_owned(), rule })
    }

    pub(crate) fn body(&self, location: &str) -> Value {
        let mut properties = json!({
            "endpointComputeType": "Managed",
            "instanceType": self.instance_type,
            "appInsightsEnabled": self.app_insights,
            "environmentVariables": self.environment_variables,
            "properties": {},
        });
        let optional = [
            ("model", self.model.as_ref().map(|id| json!(id))),
            ("environmentId", self.environment.as_ref().map(|id| json!(id))),
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("livenessProbe", self.liveness_probe.as_ref().map(probe)),
            ("readinessProbe", self.readiness_probe.as_ref().map(probe)),
            (
                "codeConfiguration",
                self.code.as_ref().map(|(id, script)| json!({"codeId": id, "scoringScript": script})),
            ),
            (
                "requestSettings",
                self.request_settings.as_ref().map(|settings| {
                    json!({
                        "maxConcurrentRequestsPerInstance": settings.max_concurrent_requests_per_instance,
                        "requestTimeout": iso8601(settings.request_timeout),
                    })
                }),
            ),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        json!({
            "location": location,
            "properties": properties,
            "sku": {"name": "Default", "capacity": self.instances},
            "tags": self.tags,
        })
    }
}

fn probe(probe: &ProbeSettings) -> Value {
    json!({
        "initialDelay": iso8601(probe.initial_delay),
        "period": iso8601(probe.period),
        "timeout": iso8601(probe.timeout),
        "failureThreshold": probe.failure_threshold,
        "successThreshold": probe.success_threshold,
    })
}
