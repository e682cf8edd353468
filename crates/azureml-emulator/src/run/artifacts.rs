//! What runs leave behind beside their outputs: logs, and what was in the folders `outputs` and `logs`.

use std::{fs, io, path::Path, sync::Arc};

use rusqlite::Connection;

use crate::{
    arm::{Answer, Failure},
    contents,
    place::Place,
    store::{RunLogs, run_key},
    world::World,
};

/// Where that is for a run, by the address that clients make up for it.
pub(crate) fn place(
    world: &World,
    connection: &Connection,
    workspace_id: &str,
    run: &str,
) -> Answer<Place> {
    let uri = format!("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{run}");
    Place::of_uri(world, connection, workspace_id, &uri)
}

/// What one run leaves behind.
#[derive(Clone)]
pub(super) struct Artifacts {
    world: Arc<World>,
    run: String,
    pub(super) place: Place,
}

impl Artifacts {
    pub(super) async fn of(world: &Arc<World>, workspace_id: &str, run: &str) -> io::Result<Self> {
        let (workspace_id, run) = (workspace_id.to_owned(), run.to_owned());
        let world = Arc::clone(world);
        let found = tokio::task::spawn_blocking(move || {
            let place = world
                .store
                .transaction(|connection| place(&world, connection, &workspace_id, &run));
            place.map(|place| Self { world, run: run_key(&workspace_id, &run), place })
        });
        found.await.map_err(io::Error::other)?.map_err(|failure| match failure {
            Failure::Refused(refusal) => io::Error::other(refusal.message().to_owned()),
            Failure::Broken(error) => io::Error::other(error),
        })
    }

    /// Keeps a log as it is by now.
    pub(super) async fn keep_log(&self, from: &Path, file: &str) -> io::Result<()> {
        contents::keep(&self.world, from, &self.place.join(file)).await?;
        self.note(vec![file.to_owned()]).await
    }

    pub(super) async fn keep_log_text(&self, text: String, file: &str) -> io::Result<()> {
        contents::keep_bytes(&self.world, text.into_bytes(), &self.place.join(file)).await?;
        self.note(vec![file.to_owned()]).await
    }

    /// Makes logs known that are kept: all files below a folder.
    pub(super) async fn note_below(&self, folder: &Path, name: &str) -> io::Result<()> {
        let mut files = Vec::new();
        let mut folders = vec![(folder.to_owned(), name.to_owned())];
        while let Some((folder, name)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let name = format!("{name}/{}", entry.file_name().display());
                if entry.file_type()?.is_dir() {
                    folders.push((entry.path(), name));
                } else {
                    files.push(name);
                }
            }
        }
        self.note(files).await
    }

    async fn note(&self, files: Vec<String>) -> io::Result<()> {
        let artifacts = self.clone();
        let noted = tokio::task::spawn_blocking(move || {
            let note = |connection: &Connection| {
                let logs = RunLogs(connection);
                files.iter().try_for_each(|file| logs.add(&artifacts.run, file))
            };
            artifacts.world.store.transaction(note).map_err(io::Error::other)
        });
        noted.await.map_err(io::Error::other)?
    }
}

/// Writes a log of a run, such as `logs/azureml/executionlogs.txt`, in the place of what it was before.
pub(crate) async fn write_log(
    world: &Arc<World>,
    workspace_id: &str,
    run: &str,
    file: &str,
    text: String,
) -> io::Result<()> {
    Artifacts::of(world, workspace_id, run).await?.keep_log_text(text, file).await
}
