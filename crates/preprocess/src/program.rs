use std::collections::BTreeSet;

use crate::frame::Frame;
use crate::layout::Layout;
use crate::operation::Operation;
use crate::report::ColumnCount;
use crate::{Error, InputSchema, Result, StepParams};

/// All steps of some transform params, checked and ready to run, and the features they end in.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    operations: Vec<Operation>,
    /// Places of the columns that become one feature each.
    pub(crate) plain: Vec<usize>,
    /// Places and widths of the columns that become a block of features.
    pub(crate) blocks: Vec<(usize, usize)>,
    /// The features: plain ones, then the blocks.
    pub(crate) names: Vec<String>,
}

impl Program {
    pub(crate) fn new(schema: &InputSchema, steps: &[StepParams]) -> Result<Self> {
        let mut builder = ProgramBuilder::new(schema);
        for step in steps {
            builder.push(step)?;
        }
        builder.finish()
    }

    /// Runs all steps, and returns the categories they do not know.
    pub(crate) fn run(&self, frame: &mut Frame<'_>) -> Result<Vec<ColumnCount>> {
        let mut unseen = Vec::new();
        for operation in &self.operations {
            operation.run(frame, &mut unseen)?;
        }
        Ok(unseen)
    }

    /// Returns the names of the plain features.
    pub(crate) fn plain_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().take(self.plain.len()).map(String::as_str)
    }
}

/// Takes steps one by one, so that a fit can run each before it learns the next.
#[derive(Debug)]
pub(crate) struct ProgramBuilder {
    pub(crate) layout: Layout,
    operations: Vec<Operation>,
}

impl ProgramBuilder {
    pub(crate) fn new(schema: &InputSchema) -> Self {
        Self { layout: Layout::new(schema), operations: Vec::new() }
    }

    pub(crate) fn push(&mut self, step: &StepParams) -> Result<&Operation> {
        let operation = Operation::new(step, &mut self.layout)?;
        Ok(self.operations.push_mut(operation))
    }

    pub(crate) fn finish(self) -> Result<Program> {
        let (plain, mut names): (Vec<_>, Vec<_>) = self
            .layout
            .plain_features()?
            .into_iter()
            .map(|(place, name)| (place, name.to_owned()))
            .unzip();
        let mut blocks = Vec::new();
        for operation in &self.operations {
            if let Operation::OneHot { place, block, .. } = operation {
                blocks.push((*place, block.names.len()));
                names.extend_from_slice(&block.names);
            }
        }
        if names.is_empty() {
            return Err(Error::NoFeatures);
        }
        let mut seen = BTreeSet::new();
        if let Some(feature) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::DuplicateFeature { feature: feature.clone() });
        }
        Ok(Program { operations: self.operations, plain, blocks, names })
    }
}
