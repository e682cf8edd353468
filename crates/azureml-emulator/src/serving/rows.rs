use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use serde::{Serialize, de::DeserializeOwned};

use super::Spec;

/// What is to run: a row for each deployment.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a Connection);

/// How far a revision of a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is being started, and an operation waits for it.
    Starting,
    /// It was ready once. Whether it is now only its process knows.
    Ready,
    /// It never was.
    Failed,
}

/// What a revision does before it is ready, in the words of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    SystemSetup,
    UserContainerImagePull,
    ModelDownload,
    UserContainerStart,
}

#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The deployment's id in lower case.
    pub(crate) key: String,
    /// Another with every change of what runs.
    pub(crate) revision: i64,
    pub(crate) state: State,
    /// Which phase is under way, or which has failed.
    pub(crate) phase: Phase,
    pub(crate) spec: Spec,
    /// The last revision that was ready, which serves until the next is.
    pub(crate) good: Option<(i64, Spec)>,
}

impl State {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Starting, "starting"), (Self::Ready, "ready"), (Self::Failed, "failed")];
}

impl Phase {
    pub(crate) const ALL: [(Self, &'static str); 4] = [
        (Self::SystemSetup, "SystemSetup"),
        (Self::UserContainerImagePull, "UserContainerImagePull"),
        (Self::ModelDownload, "ModelDownload"),
        (Self::UserContainerStart, "UserContainerStart"),
    ];
}

fn word<T: PartialEq + Copy>(all: &[(T, &'static str)], value: T) -> &'static str {
    all.iter().find(|(one, _)| *one == value).map_or("", |(_, word)| word)
}

fn of_word<T: Copy>(all: &[(T, &'static str)], word: &str) -> rusqlite::Result<T> {
    let found = all.iter().find(|(_, one)| *one == word).map(|(value, _)| *value);
    found.ok_or_else(|| rusqlite::Error::InvalidColumnName(word.to_owned()))
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn of_json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}

const COLUMNS: &str = "key, revision, state, phase, spec, good_revision, good";

impl Wanted {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (state, phase, spec): (String, String, String) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let good = match (row.get::<_, Option<i64>>(5)?, row.get::<_, Option<String>>(6)?) {
            (Some(revision), Some(spec)) => Some((revision, of_json(6, &spec)?)),
            _ => None,
        };
        Ok(Self {
            key: row.get(0)?,
            revision: row.get(1)?,
            state: of_word(&State::ALL, &state)?,
            phase: of_word(&Phase::ALL, &phase)?,
            spec: of_json(4, &spec)?,
            good,
        })
    }
}

impl Rows<'_> {
    pub(crate) fn all(self) -> rusqlite::Result<Vec<Wanted>> {
        self.0
            .prepare_cached(&format!("SELECT {COLUMNS} FROM serving ORDER BY revision"))?
            .query_map([], Wanted::read)?
            .collect()
    }

    pub(crate) fn get(self, id: &str) -> rusqlite::Result<Option<Wanted>> {
        self.0
            .prepare_cached(&format!("SELECT {COLUMNS} FROM serving WHERE key = ?1"))?
            .query_row(params![id.to_lowercase()], Wanted::read)
            .optional()
    }

    /// Wants a deployment to run this from now on.
    pub(crate) fn put(self, id: &str, spec: &Spec) -> rusqlite::Result<()> {
        let revision = crate::store::next_number(self.0)?;
        self.0
            .prepare_cached(
                "INSERT INTO serving (key, revision, state, phase, spec) VALUES (?1, ?2, 'starting', 'SystemSetup', ?3)
                 ON CONFLICT (key) DO UPDATE SET revision = ?2, state = 'starting', phase = 'SystemSetup', spec = ?3",
            )?
            .execute(params![id.to_lowercase(), revision, to_json(spec)?])?;
        Ok(())
    }

    pub(crate) fn remove(self, id: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("DELETE FROM serving WHERE key = ?1")?
            .execute(params![id.to_lowercase()])?;
        Ok(())
    }

    pub(crate) fn set_phase(self, key: &str, revision: i64, phase: Phase) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE serving SET phase = ?3 WHERE key = ?1 AND revision = ?2 AND state = 'starting'")?
            .execute(params![key, revision, word(&Phase::ALL, phase)])?;
        Ok(())
    }

    /// Says how a revision has come out, and whether it is still the one that is wanted.
    pub(crate) fn conclude(
        self,
        key: &str,
        revision: i64,
        is_ready: bool,
    ) -> rusqlite::Result<bool> {
        let sql = if is_ready {
            "UPDATE serving SET state = 'ready', good_revision = revision, good = spec WHERE key = ?1 AND revision = ?2"
        } else {
            "UPDATE serving SET state = 'failed' WHERE key = ?1 AND revision = ?2"
        };
        Ok(self.0.prepare_cached(sql)?.execute(params![key, revision])? > 0)
    }
}
