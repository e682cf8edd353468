//! The pipeline's stages, each a subcommand with the workshop's arguments: files in, files out.

mod deploy;
mod evaluate;
mod features;
mod learned;
mod model_path;
mod prep;
mod rows;
mod serve;
mod split;
mod tag;
mod test;
mod train;
mod workspace;

use clap::Subcommand;

pub(crate) use evaluate::{Evaluated, PAGE, PREDICTIONS};

#[derive(Subcommand)]
pub(crate) enum Stage {
    /// Splits the data into rows to train on and rows to test with.
    Split(split::SplitArgs),
    /// Makes features of rows: learns how, or does as was learned before.
    Prep(prep::PrepArgs),
    /// Fits a forest and writes the model.
    Train(train::TrainArgs),
    /// Scores the test rows and writes metrics and a report.
    Evaluate(evaluate::EvaluateArgs),
    /// Notes the metrics as tags of the registered model. Runs in a job of Azure ML.
    Tag(tag::TagArgs),
    /// Puts the registered model behind an endpoint. Runs in a job of Azure ML.
    Deploy(deploy::DeployArgs),
    /// Sends the endpoint a request and checks the answer. Runs in a job of Azure ML.
    Test(test::TestArgs),
    /// Serves the model in AZUREML_MODEL_DIR: what a deployment runs.
    #[command(hide = true)]
    Serve(serve::ServeArgs),
}

impl Stage {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Split(args) => split::run(args),
            Self::Prep(args) => prep::run(args),
            Self::Train(args) => train::run(args),
            Self::Evaluate(args) => evaluate::run(args),
            Self::Tag(args) => block_on(tag::run(args)),
            Self::Deploy(args) => block_on(deploy::run(args)),
            Self::Test(args) => block_on(test::run(args)),
            Self::Serve(args) => block_on(serve::run(args)),
        }
    }
}

fn block_on(stage: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(stage)
}
