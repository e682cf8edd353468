use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::place::Place;

/// What is at a place, as a hash of names and contents; nothing if there is no blob.
pub(crate) fn fingerprint(
    connection: &Connection,
    place: &Place,
) -> rusqlite::Result<Option<String>> {
    // No name has a character between the slash and the one behind it.
    let (from, to) = (format!("{}/", place.path), format!("{}0", place.path));
    let mut blobs = connection.prepare_cached(
        "SELECT blob.name, piece.hash FROM blob LEFT JOIN piece ON piece.container = blob.container AND piece.blob = blob.name
         WHERE blob.container = ?1 AND (blob.name = ?2 OR (blob.name >= ?3 AND blob.name < ?4))
         ORDER BY blob.name, piece.place",
    )?;
    let mut rows = blobs.query(params![place.container, place.path, from, to])?;
    let mut hash = Sha256::new();
    let mut is_there = false;
    while let Some(row) = rows.next()? {
        is_there = true;
        let (name, content): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        hash.update(name.get(place.path.len()..).unwrap_or_default());
        hash.update("\n");
        hash.update(content.unwrap_or_default());
        hash.update("\n");
    }
    Ok(is_there.then(|| hex::encode(hash.finalize())))
}
