use std::fmt;

use super::{Draft, PipelineBuilder, PipelineInput, Source};
use crate::{
    AssetType, Error, InputType, JobOutput, Literal, Result, jobs::command_job::check_compute,
    name_list::name_list,
};

/// A step of a pipeline.
#[derive(Clone, Copy)]
pub struct PipelineStep<'p> {
    pub(super) pipeline: &'p PipelineBuilder,
    pub(super) index: usize,
}

/// An output of a step, for inputs of others.
#[derive(Clone)]
pub struct StepOutput<'p> {
    pub(super) pipeline: &'p PipelineBuilder,
    pub(super) step: usize,
    pub(super) output: String,
    asset_type: AssetType,
}

/// What an input of a step is bound to: an input of the pipeline, an output of another step, or a value.
#[derive(Debug, Clone)]
pub struct Binding<'p>(Bound<'p>);

#[derive(Debug, Clone)]
enum Bound<'p> {
    Input(PipelineInput<'p>),
    Output(StepOutput<'p>),
    Literal(Literal),
}

impl<'p> PipelineStep<'p> {
    /// Binds an input of the step's component.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for an input that the component has not, one that is bound already, something of another type, or of another
    /// pipeline; [`Error::InvalidArgument`] for a number that is not finite and a text with `${{`.
    pub fn bind(self, input: &str, source: impl Into<Binding<'p>>) -> Result<Self> {
        let (source, given) = self.source(source.into())?;
        let mut draft = self.pipeline.draft();
        let name = draft.name_of(&source);
        let problem = |draft: &Draft| {
            let step = draft.steps.get(self.index)?;
            let inputs = step.component.inputs();
            let Some(expected) = inputs.get(input).map(|input| input.input_type()) else {
                let there = name_list(inputs.keys().map(String::as_str));
                return Some(format!("there is no input `{input}`; there are {there}"));
            };
            if let Some(bound) = step.inputs.get(input) {
                return Some(format!(
                    "the input `{input}` is bound already, to {}",
                    draft.name_of(bound)
                ));
            }
            (!expected.accepts(given))
                .then(|| format!("the input `{input}` takes {expected}, and {name} is {given}"))
        };
        if let Some(problem) = problem(&draft) {
            return Err(self.error(&draft, problem));
        }
        if let Some(step) = draft.steps.get_mut(self.index) {
            step.inputs.insert(input.to_owned(), source);
        }
        Ok(self)
    }

    /// What it is bound to, and its type.
    fn source(self, binding: Binding<'p>) -> Result<(Source, InputType)> {
        match binding.0 {
            Bound::Literal(value) => {
                value.check()?;
                let given = value.input_type();
                Ok((Source::Literal(value), given))
            }
            Bound::Input(PipelineInput { pipeline, index }) => {
                let input = pipeline.draft().inputs.get(index).cloned();
                let (name, given) = input
                    .map_or((String::new(), InputType::String), |(name, input)| {
                        (name, input.input_type())
                    });
                self.pipeline.check_own(pipeline, "the input", &name)?;
                Ok((Source::Input(index), given))
            }
            Bound::Output(StepOutput { pipeline, step, output, asset_type }) => {
                self.pipeline.check_own(pipeline, "the output", &output)?;
                Ok((Source::Output { step, output }, InputType::Asset(asset_type)))
            }
        }
    }

    /// An output of the step's component.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for one that it has not.
    pub fn output(self, name: &str) -> Result<StepOutput<'p>> {
        let asset_type = self.asset_type(&self.pipeline.draft(), name)?;
        let output = name.to_owned();
        Ok(StepOutput { pipeline: self.pipeline, step: self.index, output, asset_type })
    }

    /// Where and how an output is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for an output that the component has not, or that is one of the whole pipeline, whose settings count;
    /// [`Error::InvalidName`] or [`Error::InvalidArgument`] for what cannot be.
    pub fn set_output(self, name: &str, settings: JobOutput) -> Result<Self> {
        settings.check()?;
        let mut draft = self.pipeline.draft();
        self.asset_type(&draft, name)?;
        let is_promoted =
            draft.outputs.iter().any(|output| output.step == self.index && output.output == name);
        if is_promoted {
            let problem =
                format!("the output `{name}` is one of the pipeline, whose settings count");
            return Err(self.error(&draft, problem));
        }
        if let Some(step) = draft.steps.get_mut(self.index) {
            step.outputs.insert(name.to_owned(), settings);
        }
        Ok(self)
    }

    /// The compute that it runs on, by name or id, if not the pipeline's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn compute(self, compute: &str) -> Result<Self> {
        check_compute(compute)?;
        if let Some(step) = self.pipeline.draft().steps.get_mut(self.index) {
            step.compute = Some(compute.to_owned());
        }
        Ok(self)
    }

    /// A variable of its environment. Everybody who may read jobs can read it: it is no place for secrets.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for an empty name, or one with `=`.
    pub fn environment_variable(self, name: &str, value: impl Into<String>) -> Result<Self> {
        let mut draft = self.pipeline.draft();
        if name.is_empty() || name.contains(['=', '\0']) {
            let problem = format!("a variable of its environment cannot be called `{name}`");
            return Err(self.error(&draft, problem));
        }
        if let Some(step) = draft.steps.get_mut(self.index) {
            step.environment_variables.insert(name.to_owned(), value.into());
        }
        Ok(self)
    }

    fn asset_type(self, draft: &Draft, output: &str) -> Result<AssetType> {
        let step = draft.steps.get(self.index);
        let outputs = step.map(|step| step.component.outputs());
        let found = outputs.and_then(|outputs| outputs.get(output));
        found.map(|output| output.asset_type()).ok_or_else(|| {
            let names = outputs.into_iter().flat_map(|outputs| outputs.keys());
            let there = name_list(names.map(String::as_str));
            self.error(draft, format!("there is no output `{output}`; there are {there}"))
        })
    }

    fn error(self, draft: &Draft, problem: String) -> Error {
        let step = draft.steps.get(self.index).map_or("", |step| &step.name);
        Error::Definition { place: format!("{}, step `{step}`", draft.place()), problem }
    }
}

impl StepOutput<'_> {
    /// What it is.
    #[must_use]
    pub fn asset_type(&self) -> AssetType {
        self.asset_type
    }

    pub(super) fn name_in(&self, draft: &Draft) -> String {
        draft.name_of(&Source::Output { step: self.step, output: self.output.clone() })
    }
}

impl<'p> From<PipelineInput<'p>> for Binding<'p> {
    fn from(input: PipelineInput<'p>) -> Self {
        Self(Bound::Input(input))
    }
}

impl<'p> From<&PipelineInput<'p>> for Binding<'p> {
    fn from(input: &PipelineInput<'p>) -> Self {
        Self(Bound::Input(*input))
    }
}

impl<'p> From<StepOutput<'p>> for Binding<'p> {
    fn from(output: StepOutput<'p>) -> Self {
        Self(Bound::Output(output))
    }
}

impl<'p> From<&StepOutput<'p>> for Binding<'p> {
    fn from(output: &StepOutput<'p>) -> Self {
        Self(Bound::Output(output.clone()))
    }
}

macro_rules! binding_from {
    ($($value:ty),* $(,)?) => {$(
        impl From<$value> for Binding<'_> {
            fn from(value: $value) -> Self {
                Self(Bound::Literal(value.into()))
            }
        }
    )*};
}

binding_from!(Literal, &str, String, f64, i64, i32, u32, bool);

impl fmt::Debug for PipelineStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draft = self.pipeline.draft();
        let name = draft.steps.get(self.index).map(|step| &step.name);
        f.debug_tuple("PipelineStep").field(&name).finish()
    }
}

impl fmt::Debug for StepOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name_in(&self.pipeline.draft());
        f.debug_tuple("StepOutput").field(&name).finish()
    }
}
