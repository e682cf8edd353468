use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{ComponentInput, ComponentOutput, placeholders};
use crate::{
    Error, NameRule, Result,
    name_list::{is_identifier, name_list},
};

/// A component to be registered: a command with named inputs and outputs, and where it runs.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{ComponentInput, ComponentOutput, ComponentSpec};
///
/// let prep = ComponentSpec::new(
///     "prep",
///     "python prep.py --raw_data ${{inputs.raw_data}} $[[--params ${{inputs.params}}]] --out ${{outputs.prepped}}",
///     "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
/// )
/// .code("/subscriptions/../codes/3f2a../versions/1")
/// .input("raw_data", ComponentInput::uri_file())
/// .input("params", ComponentInput::uri_file().optional())
/// .output("prepped", ComponentOutput::uri_file());
/// prep.check()?;
///
/// let error = prep.output("X-train", ComponentOutput::uri_file()).check().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "component `prep`: an output cannot be called `X-train`: letters, digits and underscores, no digit first",
/// );
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ComponentSpec {
    name: String,
    display_name: Option<String>,
    description: Option<String>,
    command: String,
    environment: String,
    code: Option<String>,
    inputs: Vec<(String, ComponentInput)>,
    outputs: Vec<(String, ComponentOutput)>,
    is_deterministic: bool,
    tags: BTreeMap<String, String>,
}

impl ComponentSpec {
    /// A component: its name, under which it is also shown, its command, and its environment: the id of one of the workspace, or
    /// `azureml://registries/..`. It gives the same outputs for the same inputs, so that Azure ML may take those of an earlier
    /// run, unless [`is_deterministic`](Self::is_deterministic) says otherwise.
    pub fn new(
        name: impl Into<String>,
        command: impl Into<String>,
        environment: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            display_name: None,
            description: None,
            command: command.into(),
            environment: environment.into(),
            code: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            is_deterministic: true,
            tags: BTreeMap::new(),
        }
    }

    /// How it is called where it is shown.
    pub fn display_name(self, name: impl Into<String>) -> Self {
        Self { display_name: Some(name.into()), ..self }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The id of the code that its command runs, in whose folder it starts.
    pub fn code(self, id: impl Into<String>) -> Self {
        Self { code: Some(id.into()), ..self }
    }

    /// An input.
    pub fn input(mut self, name: impl Into<String>, input: ComponentInput) -> Self {
        self.inputs.push((name.into(), input));
        self
    }

    /// An output.
    pub fn output(mut self, name: impl Into<String>, output: ComponentOutput) -> Self {
        self.outputs.push((name.into(), output));
        self
    }

    /// Whether it gives the same outputs for the same inputs.
    pub fn is_deterministic(self, is_deterministic: bool) -> Self {
        Self { is_deterministic, ..self }
    }

    /// A tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Checks it, as registering it does first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] or [`Error::Definition`]: a name twice or of another form, a placeholder of the command that names no
    /// input or output, an optional input outside `$[[ .. ]]`, a default value of another type.
    pub fn check(&self) -> Result<()> {
        NameRule::Asset.check(&self.name)?;
        for default in self.inputs.iter().filter_map(|(_, input)| input.default.as_ref()) {
            default.check()?;
        }
        self.problem().map_or(Ok(()), |problem| {
            Err(Error::Definition { place: format!("component `{}`", self.name), problem })
        })
    }

    fn problem(&self) -> Option<String> {
        let inputs: Vec<&str> = self.inputs.iter().map(|(name, _)| name.as_str()).collect();
        let outputs: Vec<&str> = self.outputs.iter().map(|(name, _)| name.as_str()).collect();
        if self.command.trim().is_empty() {
            return Some("it has no command".to_owned());
        }
        let code = self.code.as_deref();
        for (what, id) in [("environment", Some(&*self.environment)), ("code", code)] {
            if let Some(id) = id.filter(|id| !id.starts_with(['/']) && !id.starts_with("azureml:"))
            {
                return Some(format!(
                    "its {what} is `{id}`: it must be a resource id or begin with `azureml:`"
                ));
            }
        }
        for (what, names) in [("input", &inputs), ("output", &outputs)] {
            if let Some(problem) = names_problem(what, names) {
                return Some(problem);
            }
        }
        if let Some(problem) = self.inputs.iter().find_map(|(name, input)| input.problem(name)) {
            return Some(problem);
        }
        let is_always_given = |name: &str| {
            self.inputs
                .iter()
                .any(|(own, input)| own == name && (!input.is_optional || input.default.is_some()))
        };
        placeholders::check(&self.command, &inputs, &outputs, is_always_given).err()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn shown_as(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.name)
    }

    pub(super) fn inputs(&self) -> &[(String, ComponentInput)] {
        &self.inputs
    }

    pub(super) fn outputs(&self) -> &[(String, ComponentOutput)] {
        &self.outputs
    }

    /// The body of its registration.
    pub(super) fn body(&self, name: &str, version: &str, is_anonymous: bool) -> Value {
        let mut spec = json!({
            "type": "command",
            "name": name,
            "version": version,
            "display_name": self.shown_as(),
            "command": self.command,
            "environment": asset_reference(&self.environment),
            "is_deterministic": self.is_deterministic,
        });
        if let Some(code) = &self.code {
            spec["code"] = json!(asset_reference(code));
        }
        let inputs = self.inputs.iter().map(|(name, input)| (name.clone(), input.body()));
        let outputs = self.outputs.iter().map(|(name, output)| (name.clone(), output.body()));
        for (key, ports) in [("inputs", Map::from_iter(inputs)), ("outputs", outputs.collect())] {
            if !ports.is_empty() {
                spec[key] = Value::Object(ports);
            }
        }
        let mut properties = json!({
            "componentSpec": spec,
            "isAnonymous": is_anonymous,
            "isArchived": false,
            "properties": {},
            "tags": self.tags,
        });
        if let Some(description) = &self.description {
            properties["description"] = json!(description);
        }
        json!({"properties": properties})
    }
}

/// What is wrong with the names of inputs or outputs.
pub(crate) fn names_problem(what: &str, names: &[&str]) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.iter().find_map(|name| {
        if !is_identifier(name) {
            return Some(format!(
                "an {what} cannot be called `{name}`: letters, digits and underscores, no digit first"
            ));
        }
        (!seen.insert(name)).then(|| {
            let there = name_list(names.iter().copied());
            format!("the {what} `{name}` is there twice, of {there}")
        })
    })
}

/// Within a component, resource ids are marked as Azure ML's.
fn asset_reference(id: &str) -> String {
    if id.starts_with('/') { format!("azureml:{id}") } else { id.to_owned() }
}
