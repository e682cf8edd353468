//! Scoring scripts of batch deployments: what calls their `run()` for files, a few at a time.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{failure::Stop, folder::RunFolder};
use crate::{durable, world::World};

/// Runs the program, from the folder of the code.
pub(crate) const COMMAND: &str = "python ../mini-batches/mini_batches.py";

/// The names of the inputs and of the output of a run that calls a scoring script.
pub(crate) const INPUT: &str = "data";
pub(crate) const MODEL: &str = "model";
pub(crate) const OUTPUT: &str = "score";

const PROGRAM: &str = include_str!("mini_batches.py");

/// How a scoring script is called; the program reads it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MiniBatches {
    /// A path within the code.
    pub(crate) scoring_script: String,
    /// How many files a call gets.
    pub(crate) mini_batch_size: u64,
    /// How many processes make calls.
    pub(crate) processes: u64,
    /// How many files may fail before the run does; -1 for all.
    pub(crate) error_threshold: i64,
    /// How often a call is made again that has failed, or has taken too long.
    pub(crate) max_retries: u64,
    pub(crate) timeout_milliseconds: u64,
    /// `AppendRow` or `SummaryOnly`.
    pub(crate) output_action: String,
    pub(crate) output_file_name: String,
    /// `Debug`, `Info` or `Warning`.
    pub(crate) logging_level: String,
}

impl MiniBatches {
    /// Puts the program and what it needs to know beside the code.
    pub(super) fn put(&self, world: &World, folder: &RunFolder) -> Result<(), Stop> {
        if world.programs.python.is_none() {
            return Err(Stop::user_error(
                "The emulator has no Python for scoring scripts: start it with --python PATH.",
            ));
        }
        let folder = folder.mini_batches();
        durable::make_folder(&folder)?;
        fs::write(folder.join("mini_batches.py"), PROGRAM)?;
        let settings = serde_json::to_vec(self).map_err(std::io::Error::other)?;
        fs::write(folder.join("settings.json"), settings)?;
        Ok(())
    }
}
