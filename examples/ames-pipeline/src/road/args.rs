use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::workshop;

#[derive(Args)]
pub(crate) struct RoadArgs {
    /// Where to walk it.
    #[arg(long, value_enum, default_value_t = Where::Emulator)]
    pub(super) target: Where,
    /// The workspace in Azure: its config.json, or a folder to look for one from [default: here].
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Leave everything standing in the end.
    #[arg(long)]
    pub(super) keep: bool,
    /// Also writes what was found, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Where the page about the model goes [default: target/ames-pipeline/report.html].
    #[arg(long, value_name = "FILE", default_value = workshop::PAGE, hide_default_value = true)]
    pub(super) html: PathBuf,

    /// CSV with the Ames columns.
    #[arg(long, default_value = workshop::AMES, hide_default_value = true)]
    pub(super) data: PathBuf,
    /// Rows to hold out: a fraction, or a count.
    #[arg(long, default_value = "0.2", value_parser = test_size)]
    pub(super) test_size: String,
    /// Seed of the split.
    #[arg(long, default_value_t = 123)]
    pub(super) random_state: u32,
    /// Number of trees.
    #[arg(long, default_value_t = 100)]
    pub(super) n_estimators: u32,
    /// Seed of the forest.
    #[arg(long, default_value_t = 42)]
    pub(super) seed: u32,

    /// The endpoint's name, which nobody else may have in the region [default: made up].
    #[arg(long, value_name = "NAME")]
    pub(super) endpoint: Option<String>,
    /// The compute cluster, which is made if it is not there.
    #[arg(long, value_name = "NAME", default_value = "ames-cluster")]
    pub(super) cluster: String,
    /// The size of its machine.
    #[arg(long, value_name = "SIZE", default_value = "Standard_DS3_v2")]
    pub(super) cluster_machine: String,
    /// The program that machines run; for Azure one for Linux that loads no library [default: this one].
    #[arg(long, value_name = "FILE")]
    pub(super) binary: Option<PathBuf>,
    /// An image with the program for the endpoint [default: Azure ML builds one].
    #[arg(long, value_name = "NAME")]
    pub(super) image: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Where {
    /// An emulator in this process: nothing leaves the machine, nothing costs.
    Emulator,
    /// Azure itself: it costs money while it runs.
    Azure,
}

/// Jobs get it as a text.
fn test_size(text: &str) -> Result<String, std::num::ParseFloatError> {
    workshop::test_size(text).map(|_| text.to_owned())
}
