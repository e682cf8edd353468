//! Which logs runs have.

use rusqlite::{Connection, params};

/// The files among what a run leaves behind that are logs, by their names below its folder: `user_logs/std_log.txt`.
///
/// They are noted here because the blobs may be in another's care, who would have to be asked for them.
#[derive(Clone, Copy)]
pub(crate) struct RunLogs<'a>(pub(crate) &'a Connection);

pub(super) const SCHEMA: &str = "
CREATE TABLE run_log (
    -- The job's id in lower case.
    run TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (run, file)
) WITHOUT ROWID;
";

impl RunLogs<'_> {
    pub(crate) fn add(self, run: &str, file: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("INSERT OR IGNORE INTO run_log (run, file) VALUES (?1, ?2)")?
            .execute(params![run.to_lowercase(), file])?;
        Ok(())
    }

    pub(crate) fn of(self, run: &str) -> rusqlite::Result<Vec<String>> {
        self.0
            .prepare_cached("SELECT file FROM run_log WHERE run = ?1 ORDER BY file")?
            .query_map(params![run.to_lowercase()], |row| row.get(0))?
            .collect()
    }
}
