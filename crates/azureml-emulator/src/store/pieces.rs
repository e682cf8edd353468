use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use md5::Md5;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{Error, Result, durable, moment::Moment};

/// Contents as files, each named by its SHA-256: equal ones are kept once.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    contents: PathBuf,
    incoming: PathBuf,
}

/// One content, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) hash: String,
    pub(crate) size: u64,
}

/// A content that has arrived whole and is on the disk, but has no place yet.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) file: NamedTempFile,
    pub(crate) piece: Piece,
    /// MD5, as the Blob service says it of what is put at once.
    pub(crate) md5: [u8; 16],
}

/// A content that is arriving.
#[derive(Debug)]
pub(crate) struct Arriving {
    file: NamedTempFile,
    sha: Sha256,
    md5: Md5,
    size: u64,
}

impl Arriving {
    pub(crate) fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.sha.update(part);
        self.md5.update(part);
        self.size += part.len() as u64;
        self.file.write_all(part)
    }

    /// All of it has arrived.
    pub(crate) fn finish(self) -> io::Result<Received> {
        self.file.as_file().sync_all()?;
        let piece = Piece { hash: hex::encode(self.sha.finalize()), size: self.size };
        Ok(Received { file: self.file, piece, md5: self.md5.finalize().into() })
    }
}

impl Pieces {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let of = |name| folder.join(name);
        let pieces = Self { contents: of("blobs"), incoming: of("incoming") };
        for folder in [&pieces.contents, &pieces.incoming] {
            durable::make_folder(folder).map_err(Error::state(folder))?;
        }
        Ok(pieces)
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.contents.join(hash.get(..2).unwrap_or("00")).join(hash)
    }

    /// A file for a content to arrive in. What does not arrive whole leaves nothing.
    pub(crate) fn incoming(&self) -> io::Result<Arriving> {
        let file = NamedTempFile::new_in(&self.incoming)?;
        Ok(Arriving { file, sha: Sha256::new(), md5: Md5::new(), size: 0 })
    }

    pub(crate) fn read(&self, hash: &str) -> io::Result<File> {
        File::open(self.path(hash))
    }

    /// Gives a content its place. Only within a transaction, whose lock keeps others from removing it.
    pub(crate) fn keep(&self, received: Received) -> io::Result<()> {
        let path = self.path(&received.piece.hash);
        if path.exists() {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.contents);
        if !folder.exists() {
            durable::make_folder(folder)?;
            durable::sync_folder(&self.contents)?;
        }
        received.file.persist(&path)?;
        durable::sync_folder(folder)
    }

    pub(crate) fn remove(&self, hash: &str) -> io::Result<()> {
        match fs::remove_file(self.path(hash)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what no row names: contents that were arriving, or being removed, when a process died.
    pub(super) fn sweep(&self, connection: &Connection, now: Moment) -> Result<()> {
        let remove = |path: PathBuf| fs::remove_file(&path).map_err(Error::state(path));
        for path in entries(&self.incoming)? {
            remove(path)?;
        }
        // As in Azure: blocks that nobody has made a blob of.
        let week_ago = now.minus(Duration::from_secs(7 * 24 * 3600));
        connection.execute("DELETE FROM block WHERE staged < ?1", params![week_ago])?;
        unnamed(connection)?;
        let mut named =
            connection.prepare("SELECT hash FROM piece UNION SELECT hash FROM block")?;
        let named: BTreeSet<String> =
            named.query_map(params![], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for folder in entries(&self.contents)? {
            for path in entries(&folder)? {
                let is_named = path.file_name().and_then(|name| name.to_str());
                if !is_named.is_some_and(|name| named.contains(name)) {
                    remove(path)?;
                }
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    entries.map_err(Error::state(folder))
}

/// The contents that have lost their last name in this transaction.
pub(super) fn unnamed(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut released = connection.prepare_cached(
        "SELECT hash FROM released WHERE hash NOT IN (SELECT hash FROM piece) AND hash NOT IN (SELECT hash FROM block)",
    )?;
    let unnamed = released.query_map(params![], |row| row.get(0))?.collect();
    connection.prepare_cached("DELETE FROM released")?.execute(params![])?;
    unnamed
}
