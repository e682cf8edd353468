use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    moment::Moment,
    store::{Piece, next_number},
};

/// Makes a container, if it is not there.
pub(crate) fn create_container(
    connection: &Connection,
    name: &str,
    now: Moment,
) -> rusqlite::Result<bool> {
    let etag = new_etag(connection)?;
    let n_made = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO container (name, etag, modified, metadata) VALUES (?1, ?2, ?3, '{}')",
        )?
        .execute(params![name, etag, now])?;
    Ok(n_made > 0)
}

pub(super) fn new_etag(connection: &Connection) -> rusqlite::Result<String> {
    Ok(format!("\"0x{:016X}\"", next_number(connection)?))
}

/// The blobs of one container, in a transaction.
#[derive(Clone, Copy)]
pub(super) struct Blobs<'a> {
    pub(super) connection: &'a Connection,
    pub(super) container: &'a str,
}

/// A blob without its content.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) name: String,
    pub(super) etag: String,
    pub(super) created: Moment,
    pub(super) modified: Moment,
    pub(super) size: u64,
    pub(super) properties: Properties,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Headers that are kept with a blob and given back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Properties {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_md5: Option<String>,
}

/// A part of a blob, under the name that it was uploaded with.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Nothing for a blob that was put at once.
    pub(super) id: Option<String>,
    pub(super) piece: Piece,
}

fn json<T: DeserializeOwned>(row: &Row<'_>, place: usize) -> rusqlite::Result<T> {
    let text: String = row.get(place)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(place, Type::Text, error.into()))
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

impl Blob {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            etag: row.get(1)?,
            created: row.get(2)?,
            modified: row.get(3)?,
            size: row.get::<_, i64>(4)?.cast_unsigned(),
            properties: json(row, 5)?,
            metadata: json(row, 6)?,
        })
    }
}

impl Block {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let size = row.get::<_, i64>(2)?.cast_unsigned();
        Ok(Self { id: row.get(0)?, piece: Piece { hash: row.get(1)?, size } })
    }
}

impl Blobs<'_> {
    pub(super) fn has_container(self) -> rusqlite::Result<Option<(String, Moment)>> {
        self.connection
            .prepare_cached("SELECT etag, modified FROM container WHERE name = ?1")?
            .query_row(params![self.container], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    pub(super) fn get(self, name: &str) -> rusqlite::Result<Option<Blob>> {
        self.connection
            .prepare_cached(
                "SELECT name, etag, created, modified, size, properties, metadata FROM blob
                 WHERE container = ?1 AND name = ?2",
            )?
            .query_row(params![self.container, name], Blob::read)
            .optional()
    }

    /// Up to `limit` blobs behind a name, in order.
    pub(super) fn after(
        self,
        name: &str,
        is_included: bool,
        limit: usize,
    ) -> rusqlite::Result<Vec<Blob>> {
        let compare = if is_included { ">=" } else { ">" };
        self.connection
            .prepare_cached(&format!(
                "SELECT name, etag, created, modified, size, properties, metadata FROM blob
                 WHERE container = ?1 AND name {compare} ?2 ORDER BY name LIMIT ?3"
            ))?
            .query_map(
                params![self.container, name, i64::try_from(limit).unwrap_or(i64::MAX)],
                Blob::read,
            )?
            .collect()
    }

    /// Writes a blob with its content; what was uploaded for it and not used is gone.
    pub(super) fn put(self, blob: &Blob, blocks: &[Block]) -> rusqlite::Result<()> {
        self.remove(&blob.name)?;
        self.connection
            .prepare_cached(
                "INSERT INTO blob (container, name, etag, created, modified, size, properties, metadata)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                self.container,
                blob.name,
                blob.etag,
                blob.created,
                blob.modified,
                blob.size.cast_signed(),
                to_json(&blob.properties)?,
                to_json(&blob.metadata)?,
            ])?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO piece (container, blob, place, block, hash, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (place, block) in (0_i64..).zip(blocks) {
            let Block { id, piece } = block;
            let size = piece.size.cast_signed();
            insert.execute(params![self.container, blob.name, place, id, piece.hash, size])?;
        }
        Ok(())
    }

    pub(super) fn set_metadata(self, blob: &Blob) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE blob SET etag = ?3, modified = ?4, metadata = ?5 WHERE container = ?1 AND name = ?2",
            )?
            .execute(params![
                self.container,
                blob.name,
                blob.etag,
                blob.modified,
                to_json(&blob.metadata)?
            ])?;
        Ok(())
    }

    /// Removes a blob, and the blocks that were uploaded for it.
    pub(super) fn remove(self, name: &str) -> rusqlite::Result<()> {
        for table in ["blob", "block"] {
            let column = if table == "blob" { "name" } else { "blob" };
            self.connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE container = ?1 AND {column} = ?2"
                ))?
                .execute(params![self.container, name])?;
        }
        Ok(())
    }

    /// What a blob consists of.
    pub(super) fn committed(self, name: &str) -> rusqlite::Result<Vec<Block>> {
        self.connection
            .prepare_cached(
                "SELECT block, hash, size FROM piece WHERE container = ?1 AND blob = ?2 ORDER BY place",
            )?
            .query_map(params![self.container, name], Block::read)?
            .collect()
    }

    /// What was uploaded for a blob and is not part of it.
    pub(super) fn uncommitted(self, name: &str) -> rusqlite::Result<Vec<Block>> {
        self.connection
            .prepare_cached(
                "SELECT id, hash, size FROM block WHERE container = ?1 AND blob = ?2 ORDER BY id",
            )?
            .query_map(params![self.container, name], Block::read)?
            .collect()
    }

    /// The length of the names of the blocks that were uploaded for a blob, and how many they are.
    pub(super) fn uncommitted_shape(self, name: &str) -> rusqlite::Result<(Option<i64>, i64)> {
        self.connection
            .prepare_cached(
                "SELECT MAX(length(id)), COUNT(*) FROM block WHERE container = ?1 AND blob = ?2",
            )?
            .query_row(params![self.container, name], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    pub(super) fn stage(
        self,
        name: &str,
        id: &str,
        piece: &Piece,
        now: Moment,
    ) -> rusqlite::Result<()> {
        // Deleted first, so that the content of the block before is known to be released.
        self.connection
            .prepare_cached("DELETE FROM block WHERE container = ?1 AND blob = ?2 AND id = ?3")?
            .execute(params![self.container, name, id])?;
        self.connection
            .prepare_cached(
                "INSERT INTO block (container, blob, id, staged, hash, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.container,
                name,
                id,
                now,
                piece.hash,
                piece.size.cast_signed()
            ])?;
        Ok(())
    }
}
