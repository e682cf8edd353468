use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::rows::Wanted;

/// Where a revision of a deployment has its files: `deployments/{deployment}/{revision}` in the state's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

fn all(state: &Path) -> PathBuf {
    state.join("deployments")
}

/// A name that is short on every system, whatever the deployment's id is.
fn name(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    hex::encode(&digest.as_slice()[..12])
}

impl Folder {
    pub(super) fn new(state: &Path, key: &str, revision: i64) -> Self {
        Self(all(state).join(name(key)).join(revision.to_string()))
    }

    /// What stands for the container's root.
    pub(super) fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    pub(super) fn context(&self) -> PathBuf {
        self.0.join("context")
    }

    /// For files of the program's own.
    pub(super) fn scratch(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// What is said while files are fetched.
    pub(super) fn initializer_log(&self) -> PathBuf {
        self.0.join("storage-initializer.log")
    }

    /// What the program of an instance says.
    pub(super) fn instance_log(&self, number: u64) -> PathBuf {
        self.0.join(format!("instance-{number}.log"))
    }

    /// What it said before that grew too long.
    pub(super) fn older_log(&self, number: u64) -> PathBuf {
        self.0.join(format!("instance-{number}.older.log"))
    }

    /// Makes the folders anew; logs stay.
    pub(super) fn clear(&self) -> io::Result<()> {
        for folder in [self.root(), self.context(), self.scratch()] {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::create_dir_all(&folder)?,
            }
        }
        Ok(())
    }
}

/// Removes the folders of revisions that are not wanted any more.
pub(super) fn sweep(state: &Path, wanted: &[Wanted]) -> io::Result<()> {
    let kept: BTreeSet<PathBuf> = wanted
        .iter()
        .flat_map(|wanted| {
            let good = wanted.good.iter().map(|(revision, _)| *revision);
            good.chain([wanted.revision])
                .map(|revision| Folder::new(state, &wanted.key, revision).0)
        })
        .collect();
    for deployment in entries(&all(state))? {
        for revision in entries(&deployment)? {
            if !kept.contains(&revision) {
                fs::remove_dir_all(&revision)?;
            }
        }
        if entries(&deployment)?.is_empty() {
            fs::remove_dir(&deployment)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
