use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::{
    CommandRun, RunInput, RunOutput,
    artifacts::Artifacts,
    failure::Stop,
    folder::{RunFolder, set_mode},
    log::Journal,
    template::Values,
};
use crate::{
    contents::{self, Fetched},
    door::Door,
    durable,
    place::Place,
    world::World,
};

/// Brings a run's code and data to its folder, and takes what it has written from there.
pub(super) struct Mounts<'a> {
    pub(super) world: &'a Arc<World>,
    pub(super) run: &'a CommandRun,
    pub(super) folder: &'a RunFolder,
    pub(super) cancel: &'a watch::Receiver<bool>,
}

/// How a command gets at data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// As files that it may only read.
    ReadOnly,
    /// As files of its own.
    Files,
    /// As an address.
    Direct,
}

impl Delivery {
    /// Both spellings: `ro_mount` of the SDK, `ReadOnlyMount` of Azure Resource Manager.
    fn of(mode: &str) -> Option<Self> {
        match mode.replace('_', "").to_lowercase().as_str() {
            "" | "romount" | "readonlymount" => Some(Self::ReadOnly),
            "download" | "upload" | "rwmount" | "readwritemount" => Some(Self::Files),
            "direct" => Some(Self::Direct),
            _ => None,
        }
    }
}

/// What a name of an input or output may be: it becomes a folder's.
fn check_name(name: &str) -> Result<(), Stop> {
    let is_name = !name.is_empty()
        && name.len() <= 200
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_name {
        return Ok(());
    }
    Err(Stop::user_error(format!("{name:?} cannot be the name of an input or output")))
}

fn delivery(mode: &str, of: &str) -> Result<Delivery, Stop> {
    Delivery::of(mode).ok_or_else(|| {
        Stop::user_error(format!("{of}: the emulator does not know the mode {mode:?}"))
    })
}

impl Mounts<'_> {
    /// Fetches the code and the inputs, makes room for the outputs, and says where they are.
    pub(super) async fn prepare(&self, journal: &mut Journal<'_>) -> Result<Values, Stop> {
        self.fetch_code(journal).await?;
        let mut values = Values::default();
        for (name, input) in &self.run.inputs {
            check_name(name)?;
            let value = match input {
                RunInput::Absent => None,
                RunInput::Literal(text) => Some(text.clone()),
                RunInput::Data { place, mode, .. } => {
                    Some(self.fetch_input(name, place, mode, journal).await?)
                }
            };
            values.inputs.insert(name.clone(), value);
        }
        for (name, output) in &self.run.outputs {
            check_name(name)?;
            values.outputs.insert(name.clone(), self.make_output(name, output)?);
        }
        Ok(values)
    }

    fn check_cancel(&self) -> Result<(), Stop> {
        if *self.cancel.borrow() { Err(Stop::Canceled) } else { Ok(()) }
    }

    /// The code becomes the folder that the command stands in. Files may be executed: an upload does not tell which may.
    async fn fetch_code(&self, journal: &mut Journal<'_>) -> Result<(), Stop> {
        self.check_cancel()?;
        let to = self.folder.code();
        let Some(place) = &self.run.code else {
            durable::make_folder(&to)?;
            return Ok(());
        };
        match contents::fetch(self.world, place, &to).await? {
            Fetched::Nothing => return Err(Stop::user_error("The code has no files.")),
            Fetched::Folder { .. } => {}
            Fetched::File => {
                let file = to.with_extension("file");
                fs::rename(&to, &file)?;
                durable::make_folder(&to)?;
                fs::rename(&file, to.join(file_name(place)))?;
            }
        }
        set_mode(&to, 0o755)?;
        journal.say(&format!("code: {}", Size::of(&to)?));
        Ok(())
    }

    async fn fetch_input(
        &self,
        name: &str,
        place: &Place,
        mode: &str,
        journal: &mut Journal<'_>,
    ) -> Result<String, Stop> {
        self.check_cancel()?;
        let delivery = delivery(mode, &format!("input {name}"))?;
        if delivery == Delivery::Direct {
            return Ok(self.uri(place)?);
        }
        // A file keeps its name.
        let folder = self.folder.input(name);
        durable::make_folder(&folder)?;
        let file = folder.join(file_name(place));
        let path = match contents::fetch(self.world, place, &file).await? {
            Fetched::File | Fetched::Folder { .. } => file,
            Fetched::Nothing => {
                let uri = self.uri(place)?;
                let message = format!("The input {name} cannot be read: there is nothing at {uri}");
                return Err(Stop::user_error(message));
            }
        };
        if delivery == Delivery::ReadOnly {
            set_mode(&path, 0o444)?;
        }
        journal.say(&format!("input {name}: {}", Size::of(&path)?));
        text(&path)
    }

    fn make_output(&self, name: &str, output: &RunOutput) -> Result<String, Stop> {
        if delivery(&output.mode, &format!("output {name}"))? == Delivery::Direct {
            return Ok(self.uri(&output.place)?);
        }
        let path = self.folder.output(name);
        if !is_file(output) {
            durable::make_folder(&path)?;
        }
        text(&path)
    }

    fn uri(&self, place: &Place) -> io::Result<String> {
        let workspace = &self.run.workspace_id;
        let uri =
            |connection: &Connection| place.uri(self.world, connection, workspace, Door::Azure);
        self.world.store.transaction(uri).map_err(io::Error::other)
    }

    /// Keeps the outputs as blobs. Of a command that failed, those that would have been written as they came, through a mount.
    pub(super) async fn keep_outputs(
        &self,
        has_failed: bool,
        journal: &mut Journal<'_>,
    ) -> Result<(), Stop> {
        for (name, output) in &self.run.outputs {
            let is_mounted = !output.mode.eq_ignore_ascii_case("upload");
            let delivery = delivery(&output.mode, &format!("output {name}"))?;
            if delivery == Delivery::Direct || (has_failed && !is_mounted) {
                continue;
            }
            let path = self.folder.output(name);
            if !path.exists() {
                journal.say(&format!("output {name}: the command has not written it"));
                continue;
            }
            contents::keep(self.world, &path, &output.place).await.map_err(|error| {
                Stop::user_error(format!("The output {name} cannot be kept: {error}"))
            })?;
            journal.say(&format!("output {name}: {}", Size::of(&path)?));
        }
        Ok(())
    }

    /// Keeps what the command has left in the folders `outputs` and `logs`, which Azure ML keeps unasked.
    pub(super) async fn keep_artifacts(
        &self,
        artifacts: &Artifacts,
        journal: &mut Journal<'_>,
    ) -> Result<(), Stop> {
        for name in ["outputs", "logs"] {
            let path = self.folder.code().join(name);
            if path.is_dir() && fs::read_dir(&path)?.next().is_some() {
                let place = artifacts.place.join(name);
                contents::keep(self.world, &path, &place).await.map_err(|error| {
                    Stop::user_error(format!("The folder {name} cannot be kept: {error}"))
                })?;
                if name == "logs" {
                    artifacts.note_below(&path, name).await?;
                }
                journal.say(&format!("folder {name}: {}", Size::of(&path)?));
            }
        }
        Ok(())
    }
}

/// Data of one file are written to a path, all others into a folder.
fn is_file(output: &RunOutput) -> bool {
    output.kind.replace('_', "").eq_ignore_ascii_case("urifile")
}

/// The last part of a path, if it can be the name of a file anywhere.
fn file_name(place: &Place) -> &str {
    let name = place.name();
    let is_name = !matches!(name, "" | "." | "..")
        && name.len() <= 255
        && !name.contains(['/', '\\', ':'])
        && !name.contains(char::is_control);
    if is_name { name } else { "data" }
}

fn text(path: &Path) -> Result<String, Stop> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Stop::user_error("the path of the state folder is no text"))
}

/// How many files there are, and how long they are together.
struct Size {
    n_files: u64,
    n_bytes: u64,
}

impl Size {
    fn of(path: &Path) -> io::Result<Self> {
        let mut size = Self { n_files: 0, n_bytes: 0 };
        let mut folders: Vec<PathBuf> = vec![path.to_owned()];
        while let Some(path) = folders.pop() {
            let kind = fs::symlink_metadata(&path)?;
            if kind.is_dir() {
                for entry in fs::read_dir(&path)? {
                    folders.push(entry?.path());
                }
            } else {
                size.n_files += 1;
                size.n_bytes += kind.len();
            }
        }
        Ok(size)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = if self.n_files == 1 { "file" } else { "files" };
        write!(f, "{} {files}, {} bytes", self.n_files, self.n_bytes)
    }
}
