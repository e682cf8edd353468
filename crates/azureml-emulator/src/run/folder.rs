use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{durable, world::World};

/// What one run has of this machine. All of it goes when the run is over: what lasts is in blobs.
#[derive(Debug, Clone)]
pub(super) struct RunFolder(PathBuf);

/// How much of a run's name is in its folder's: names of files are shorter than names of jobs may be.
const NAME: usize = 64;

/// Removes what runs of a process have left that was killed. Before anything runs.
pub(crate) fn clear(world: &World) -> io::Result<()> {
    remove(&world.folder.join(RUNS))
}

const RUNS: &str = "runs";

impl RunFolder {
    pub(super) fn of(world: &World, workspace_id: &str, run: &str) -> Self {
        let readable = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = run.chars().filter(readable).take(NAME).collect();
        // Names are of a workspace, and folders that differ in case alone are the same on some systems.
        let digest = hex::encode(Sha256::digest(format!("{}/{run}", workspace_id.to_lowercase())));
        let digest = digest.get(..8).unwrap_or_default();
        Self(world.folder.join(RUNS).join(format!("{name}-{digest}")))
    }

    /// Makes the folder, without what an emulator has left in it that was killed.
    pub(super) fn make(&self) -> io::Result<()> {
        self.remove()?;
        for folder in [&self.0, &self.home(), &self.temporary(), &self.programs()] {
            durable::make_folder(folder)?;
        }
        for folder in ["inputs", "outputs"] {
            durable::make_folder(&self.0.join(folder))?;
        }
        Ok(())
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        remove(&self.0)
    }

    /// Where the command stands: the code, if the run has any.
    pub(super) fn code(&self) -> PathBuf {
        self.0.join("code")
    }

    pub(super) fn input(&self, name: &str) -> PathBuf {
        self.0.join("inputs").join(name)
    }

    pub(super) fn output(&self, name: &str) -> PathBuf {
        self.0.join("outputs").join(name)
    }

    pub(super) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Where the program is that calls a scoring script.
    pub(super) fn mini_batches(&self) -> PathBuf {
        self.0.join("mini-batches")
    }

    /// What comes first in the search path of programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// What the command prints.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("std_log.txt")
    }
}

/// Works on files away from the threads that serve.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Sets the permissions of all files below a folder, or of the file; folders stay as they are.
#[cfg(unix)]
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let kind = fs::symlink_metadata(path)?;
    if kind.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| set_mode(&entry?.path(), mode));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
pub(super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
