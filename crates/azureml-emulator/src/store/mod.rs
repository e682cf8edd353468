//! What an emulator remembers: a database, and the contents of blobs as files beside it.
//!
//! Each request is one transaction, on the disk before it is answered. A content is a file first, and then a row that names it: a
//! process that dies between leaves a file that nothing names, which the next start removes.

mod events;
mod nodes;
mod pieces;
mod resources;
mod run_logs;
mod runs;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior, params};

pub(crate) use self::{
    events::{Effect, Events, OperationState},
    nodes::{Node, Nodes},
    pieces::{Piece, Pieces, Received},
    resources::{Order, Resource, Resources},
    run_logs::RunLogs,
    runs::{Run, RunStatus, Runs, run_key},
};
use crate::{Error, Result, moment::Moment};

#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
    pieces: Pieces,
    /// Held as long as this emulator lives; the system lets go of it when the process dies.
    lock: File,
}

impl Store {
    /// Opens the state in a folder, and clears away what a process that died has left.
    pub(crate) fn open(folder: &Path, now: Moment) -> Result<Self> {
        let lock = lock(folder)?;
        let path = folder.join("state.db");
        let connection = Connection::open(&path)?;
        private(&path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What is answered must be on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(128);
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => {
                let (nodes, runs, run_logs) = (nodes::SCHEMA, runs::SCHEMA, run_logs::SCHEMA);
                connection.execute_batch(&format!(
                    "BEGIN; {SCHEMA} {nodes} {runs} {run_logs} PRAGMA user_version = {VERSION}; COMMIT;"
                ))?;
            }
            VERSION => {}
            _ => {
                let what = format!("version {version}, this release knows {VERSION}");
                return Err(Error::Damaged { path, what });
            }
        }
        connection.execute_batch(resources::INDEX)?;
        let pieces = Pieces::open(folder)?;
        pieces.sweep(&connection, now)?;
        Events(&connection).forget(now.minus(REMEMBERED))?;
        Ok(Self { connection: Mutex::new(connection), pieces, lock })
    }

    /// Does all of something or nothing: an error undoes what was done before it.
    ///
    /// One at a time: the database is the only thing that requests share, and takes microseconds.
    pub(crate) fn transaction<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Likewise for work that may leave contents without a row that names them: their files are removed after it.
    pub(crate) fn transaction_on_pieces<T, E: From<rusqlite::Error> + From<std::io::Error>>(
        &self,
        work: impl FnOnce(&Connection, &Pieces) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction, &self.pieces)?;
        let unnamed = pieces::unnamed(&transaction)?;
        transaction.commit()?;
        // Under the same lock, so that nobody names one of them meanwhile.
        for hash in unnamed {
            self.pieces.remove(&hash)?;
        }
        Ok(done)
    }

    pub(crate) fn pieces(&self) -> &Pieces {
        &self.pieces
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Said, and not left to closing the file: a process that is just being started may have inherited it.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the lock of the state stays until the process ends");
        }
    }
}

/// How long operations can be asked for that have ended.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

const VERSION: i64 = 2;

const SCHEMA: &str = "
-- Keys are ids in lower case: Azure Resource Manager compares them so. `change` grows with every write, of any resource.
CREATE TABLE resource (
    key TEXT PRIMARY KEY,
    collection TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    change INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX resource_collection ON resource (collection, sequence);
CREATE INDEX resource_change ON resource (collection, change);
CREATE INDEX resource_kind ON resource (kind, name COLLATE NOCASE);
CREATE INDEX code_hash ON resource (json_extract(body, '$.properties.properties.hash_sha256'))
    WHERE kind = 'codes/versions';
-- What a resource keeps to itself: keys of endpoints.
CREATE TABLE secret (key TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, name));
CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 0), value INTEGER NOT NULL);
INSERT INTO counter VALUES (0, 0);
CREATE TABLE operation (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    state TEXT NOT NULL,
    started INTEGER NOT NULL,
    due INTEGER NOT NULL,
    ended INTEGER,
    error TEXT
);
-- What happens when a time has come.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due INTEGER NOT NULL,
    resource TEXT NOT NULL,
    operation TEXT REFERENCES operation (id),
    effect TEXT NOT NULL
);
CREATE INDEX event_due ON event (due);
CREATE INDEX event_resource ON event (resource);
-- What deployments are to run, and what each ran last that worked.
CREATE TABLE serving (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    spec TEXT NOT NULL,
    good_revision INTEGER,
    good TEXT
) WITHOUT ROWID;
CREATE TABLE container (
    name TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    metadata TEXT NOT NULL
);
CREATE TABLE blob (
    container TEXT NOT NULL REFERENCES container (name),
    name TEXT NOT NULL,
    etag TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    size INTEGER NOT NULL,
    properties TEXT NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (container, name)
) WITHOUT ROWID;
-- What a blob consists of, in order.
CREATE TABLE piece (
    container TEXT NOT NULL,
    blob TEXT NOT NULL,
    place INTEGER NOT NULL,
    block TEXT,
    hash TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (container, blob, place),
    FOREIGN KEY (container, blob) REFERENCES blob (container, name) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX piece_hash ON piece (hash);
-- Blocks that are uploaded and not yet part of a blob.
CREATE TABLE block (
    container TEXT NOT NULL REFERENCES container (name),
    blob TEXT NOT NULL,
    id TEXT NOT NULL,
    staged INTEGER NOT NULL,
    hash TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (container, blob, id)
) WITHOUT ROWID;
CREATE INDEX block_hash ON block (hash);
-- Hashes that lost a name in this transaction.
CREATE TABLE released (hash TEXT PRIMARY KEY);
CREATE TRIGGER piece_released AFTER DELETE ON piece BEGIN INSERT OR IGNORE INTO released VALUES (old.hash); END;
CREATE TRIGGER block_released AFTER DELETE ON block BEGIN INSERT OR IGNORE INTO released VALUES (old.hash); END;
";

/// The next number of the counter that orders all writes.
pub(crate) fn next_number(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("UPDATE counter SET value = value + 1 WHERE id = 0 RETURNING value")?
        .query_row(params![], |row| row.get(0))
}

/// Whether anything has ever been written.
pub(crate) fn is_used(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT value > 0 FROM counter WHERE id = 0", params![], |row| row.get(0))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::state(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::State { path, source }),
    }
}

#[cfg(unix)]
fn private(path: &PathBuf) -> Result<()> {
    use std::{fs, os::unix::fs::PermissionsExt};

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::state(path))
}

/// The folder itself is its owner's.
#[cfg(not(unix))]
fn private(_: &PathBuf) -> Result<()> {
    Ok(())
}
