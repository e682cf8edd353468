use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::next_number;

/// The resources of Azure Resource Manager: JSON by id.
#[derive(Clone, Copy)]
pub(crate) struct Resources<'a>(pub(crate) &'a Connection);

/// A resource as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// With the letters that it was created with.
    pub(crate) body: Value,
    /// The place in the order of creation.
    pub(crate) sequence: i64,
    /// The place in the order of all writes: grows whenever this resource is written.
    pub(crate) change: i64,
}

/// The index by which the highest number of a collection is found, however many it has. It can be added to a state that was made without.
pub(super) const INDEX: &str = "
CREATE INDEX IF NOT EXISTS resource_number ON resource (collection, CAST(name AS INTEGER))
    WHERE name NOT GLOB '*[^0-9]*' AND length(name) <= 18;
";

/// In which order to list, newest first or last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Created { newest_first: bool },
    Changed { newest_first: bool },
}

impl Resource {
    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.body["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn etag(&self) -> String {
        format!("\"{:016x}\"", self.change)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { body: row.get(0)?, sequence: row.get(1)?, change: row.get(2)? })
    }
}

impl Resources<'_> {
    pub(crate) fn get(self, id: &str) -> rusqlite::Result<Option<Resource>> {
        self.0
            .prepare_cached("SELECT body, sequence, change FROM resource WHERE key = ?1")?
            .query_row(params![id.to_lowercase()], Resource::read)
            .optional()
    }

    /// Creates a resource, or replaces it whole. `kind` is its type within its provider, such as `models/versions`.
    pub(crate) fn put(self, kind: &str, body: Value) -> rusqlite::Result<Resource> {
        let id = body["id"].as_str().unwrap_or_default();
        let key = id.to_lowercase();
        let (collection, _) = key.rsplit_once('/').unwrap_or_default();
        let name = id.rsplit('/').next().unwrap_or_default();
        let change = next_number(self.0)?;
        let sequence = self
            .0
            .prepare_cached(
                "INSERT INTO resource (key, collection, kind, name, sequence, change, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
                 ON CONFLICT (key) DO UPDATE SET change = ?5, body = ?6 RETURNING sequence",
            )?
            .query_row(params![key, collection, kind, name, change, body], |row| row.get(0))?;
        Ok(Resource { body, sequence, change })
    }

    /// Replaces a resource that is there.
    pub(crate) fn update(self, body: &Value) -> rusqlite::Result<Resource> {
        let key = body["id"].as_str().unwrap_or_default().to_lowercase();
        let change = next_number(self.0)?;
        let sequence = self
            .0
            .prepare_cached(
                "UPDATE resource SET change = ?2, body = ?3 WHERE key = ?1 RETURNING sequence",
            )?
            .query_row(params![key, change, body], |row| row.get(0))?;
        Ok(Resource { body: body.clone(), sequence, change })
    }

    /// Removes a resource with all that is below it, and with what would have happened to them.
    pub(crate) fn remove(self, id: &str) -> rusqlite::Result<bool> {
        let key = id.to_lowercase();
        // No key has a character between the slash and the one behind it.
        let (from, to) = (format!("{key}/"), format!("{key}0"));
        for (table, column) in [
            ("event", "resource"),
            ("secret", "key"),
            ("run", "key"),
            ("run_log", "run"),
            ("serving", "key"),
            ("node", "compute"),
        ] {
            self.0
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE {column} = ?1 OR ({column} >= ?2 AND {column} < ?3)"
                ))?
                .execute(params![key, from, to])?;
        }
        let n_removed = self
            .0
            .prepare_cached("DELETE FROM resource WHERE key = ?1 OR (key >= ?2 AND key < ?3)")?
            .execute(params![key, from, to])?;
        Ok(n_removed > 0)
    }

    /// Up to `limit` resources of a collection, beyond a place in that order.
    pub(crate) fn list(
        self,
        collection: &str,
        order: Order,
        after: Option<i64>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Resource>> {
        let (column, newest_first) = match order {
            Order::Created { newest_first } => ("sequence", newest_first),
            Order::Changed { newest_first } => ("change", newest_first),
        };
        let (compare, direction, start) =
            if newest_first { ("<", "DESC", i64::MAX) } else { (">", "ASC", i64::MIN) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.0
            .prepare_cached(&format!(
                "SELECT body, sequence, change FROM resource
                 WHERE collection = ?1 AND {column} {compare} ?2 ORDER BY {column} {direction} LIMIT ?3"
            ))?
            .query_map(
                params![collection.to_lowercase(), after.unwrap_or(start), limit],
                Resource::read,
            )?
            .collect()
    }

    /// The name of what was created last in a collection.
    pub(crate) fn newest_name(self, collection: &str) -> rusqlite::Result<Option<String>> {
        self.0
            .prepare_cached(
                "SELECT name FROM resource WHERE collection = ?1 ORDER BY sequence DESC LIMIT 1",
            )?
            .query_row(params![collection.to_lowercase()], |row| row.get(0))
            .optional()
    }

    /// The highest of the names in a collection that are numbers, 0 if none is.
    pub(crate) fn highest_number(self, collection: &str) -> rusqlite::Result<i64> {
        self.0
            .prepare_cached(
                "SELECT CAST(name AS INTEGER) FROM resource
                 WHERE collection = ?1 AND name NOT GLOB '*[^0-9]*' AND length(name) <= 18
                 ORDER BY CAST(name AS INTEGER) DESC LIMIT 1",
            )?
            .query_row(params![collection.to_lowercase()], |row| row.get(0))
            .optional()
            .map(Option::unwrap_or_default)
    }

    /// All resources of a kind, wherever they are, or only those of a name.
    pub(crate) fn of_kind(self, kind: &str, name: Option<&str>) -> rusqlite::Result<Vec<Resource>> {
        self.0
            .prepare_cached(
                "SELECT body, sequence, change FROM resource
                 WHERE kind = ?1 AND (?2 IS NULL OR name = ?2 COLLATE NOCASE) ORDER BY sequence",
            )?
            .query_map(params![kind, name], Resource::read)?
            .collect()
    }

    /// The code versions in a workspace whose content has a hash.
    pub(crate) fn codes_of_hash(
        self,
        workspace: &str,
        hash: &str,
    ) -> rusqlite::Result<Vec<Resource>> {
        let codes = format!("{}/codes/", workspace.to_lowercase());
        self.0
            .prepare_cached(
                "SELECT body, sequence, change FROM resource WHERE kind = 'codes/versions'
                 AND json_extract(body, '$.properties.properties.hash_sha256') = ?1
                 AND substr(key, 1, length(?2)) = ?2 ORDER BY sequence",
            )?
            .query_map(params![hash, codes], Resource::read)?
            .collect()
    }

    pub(crate) fn secret(self, id: &str, name: &str) -> rusqlite::Result<Option<String>> {
        self.0
            .prepare_cached("SELECT value FROM secret WHERE key = ?1 AND name = ?2")?
            .query_row(params![id.to_lowercase(), name], |row| row.get(0))
            .optional()
    }

    pub(crate) fn set_secret(self, id: &str, name: &str, value: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("INSERT OR REPLACE INTO secret (key, name, value) VALUES (?1, ?2, ?3)")?
            .execute(params![id.to_lowercase(), name, value])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::{moment::Moment, store::Store};

    #[test]
    fn the_newest_and_the_highest_are_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Moment::from_milliseconds(0)).unwrap();
        store
            .transaction(|connection| {
                let resources = Resources(connection);
                assert_eq!(resources.newest_name("/models/m/versions")?, None);
                assert_eq!(resources.highest_number("/models/m/versions")?, 0);
                for name in ["9", "10", "2", "x11", "1234567890123456789", "v"] {
                    let id = format!("/Models/m/versions/{name}");
                    resources.put("models/versions", json!({"id": id, "name": name}))?;
                }
                resources.put("models/versions", json!({"id": "/models/n/versions/77"}))?;
                assert_eq!(resources.newest_name("/models/M/versions")?.as_deref(), Some("v"));
                assert_eq!(resources.highest_number("/models/M/versions")?, 10);
                let plan: String = connection.query_row(
                    "EXPLAIN QUERY PLAN SELECT CAST(name AS INTEGER) FROM resource
                     WHERE collection = 'c' AND name NOT GLOB '*[^0-9]*' AND length(name) <= 18
                     ORDER BY CAST(name AS INTEGER) DESC LIMIT 1",
                    [],
                    |row| row.get("detail"),
                )?;
                assert!(plan.contains("resource_number"), "{plan}");
                Ok::<_, rusqlite::Error>(())
            })
            .unwrap();
    }
}
