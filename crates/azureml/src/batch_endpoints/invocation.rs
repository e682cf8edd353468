use serde_json::{Map, Value, json};

use crate::{AssetType, Error, Literal, NameRule, Result, jobs::Address, name_list::is_identifier};

/// What a batch endpoint is to work on.
///
/// # Examples
///
/// ```
/// use spinney_azureml::BatchInvocation;
///
/// // A deployed model takes one folder or file.
/// let score = BatchInvocation::folder("azureml://datastores/workspaceblobstore/paths/ames/");
/// // A deployed component takes what it takes.
/// let run = BatchInvocation::new()
///     .uri_file("data", "https://example.org/ames.csv")
///     .literal("test_size", 0.2)
///     .deployment("nightly");
/// # let _ = (score, run);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct BatchInvocation {
    inputs: Vec<(String, Input)>,
    outputs: Vec<(String, AssetType, Address)>,
    pub(super) deployment: Option<String>,
    job_name: Option<String>,
    experiment_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Input {
    Asset(AssetType, Address),
    Literal(Literal),
}

impl BatchInvocation {
    /// Nothing, so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// All files of a folder, for a model: the id of a data asset or an address.
    pub fn folder(uri: impl Into<String>) -> Self {
        Self::new().uri_folder("UriFolder", uri)
    }

    /// One file, for a model: the id of a data asset or an address.
    pub fn file(uri: impl Into<String>) -> Self {
        Self::new().uri_file("UriFile", uri)
    }

    /// A file as an input of a component.
    pub fn uri_file(self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.input(name, Input::Asset(AssetType::UriFile, Address(uri.into())))
    }

    /// A folder as an input of a component.
    pub fn uri_folder(self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.input(name, Input::Asset(AssetType::UriFolder, Address(uri.into())))
    }

    /// A value as an input of a component.
    pub fn literal(self, name: impl Into<String>, value: impl Into<Literal>) -> Self {
        self.input(name, Input::Literal(value.into()))
    }

    fn input(mut self, name: impl Into<String>, input: Input) -> Self {
        self.inputs.push((name.into(), input));
        self
    }

    /// Where an output goes that is a file: for a model the output `score`.
    pub fn output_file(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.outputs.push((name.into(), AssetType::UriFile, Address(uri.into())));
        self
    }

    /// Where an output goes that is a folder.
    pub fn output_folder(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.outputs.push((name.into(), AssetType::UriFolder, Address(uri.into())));
        self
    }

    /// The deployment that is to do it. Without it, the endpoint's default.
    pub fn deployment(self, name: impl Into<String>) -> Self {
        Self { deployment: Some(name.into()), ..self }
    }

    /// The name of the job that it becomes. Without it, Azure makes one up.
    pub fn job_name(self, name: impl Into<String>) -> Self {
        Self { job_name: Some(name.into()), ..self }
    }

    /// With which others the job is shown.
    pub fn experiment_name(self, name: impl Into<String>) -> Self {
        Self { experiment_name: Some(name.into()), ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        let names = self.inputs.iter().map(|(name, _)| name);
        for name in names.chain(self.outputs.iter().map(|(name, ..)| name)) {
            if !is_identifier(name) {
                return Err(Error::InvalidArgument {
                    what: "the name of an input or output",
                    value: format!("`{name}`"),
                    rule: "letters, digits and underscores, no digit first",
                });
            }
        }
        for (_, input) in &self.inputs {
            match input {
                Input::Asset(_, uri) => uri.check("the address of an input")?,
                Input::Literal(value) => value.check()?,
            }
        }
        for (.., uri) in &self.outputs {
            uri.check("the address of an output")?;
        }
        if let Some(deployment) = &self.deployment {
            NameRule::Deployment.check(deployment)?;
        }
        self.job_name.as_ref().map_or(Ok(()), |name| NameRule::Job.check(name))
    }

    /// Here types are in Pascal case, and values are JSON's.
    pub(super) fn body(&self) -> Value {
        let inputs = self.inputs.iter().map(|(name, input)| {
            let body = match input {
                Input::Asset(kind, uri) => {
                    json!({"jobInputType": pascal_case(*kind), "uri": uri.0})
                }
                Input::Literal(value) => {
                    let value = match value {
                        Literal::String(text) => json!(text),
                        Literal::Number(number) => json!(number),
                        Literal::Integer(number) => json!(number),
                        Literal::Boolean(truth) => json!(truth),
                    };
                    json!({"jobInputType": "Literal", "value": value})
                }
            };
            (name.clone(), body)
        });
        let mut properties = json!({"inputData": Map::from_iter(inputs)});
        if !self.outputs.is_empty() {
            let outputs = self.outputs.iter().map(|(name, kind, uri)| {
                (name.clone(), json!({"jobOutputType": pascal_case(*kind), "uri": uri.0}))
            });
            properties["outputData"] = Value::Object(Map::from_iter(outputs));
        }
        if let Some(name) = &self.job_name {
            properties["name"] = json!(name);
        }
        if let Some(name) = &self.experiment_name {
            properties["properties"] = json!({"experimentName": name});
        }
        json!({"properties": properties})
    }
}

fn pascal_case(kind: AssetType) -> &'static str {
    match kind {
        AssetType::UriFile => "UriFile",
        AssetType::UriFolder => "UriFolder",
        AssetType::MlTable => "MLTable",
        AssetType::CustomModel => "CustomModel",
        AssetType::MlflowModel => "MLFlowModel",
        AssetType::TritonModel => "TritonModel",
    }
}
