//! Runs: what is to be known of a job beside its resource.

use rusqlite::{Connection, Row, ToSql, params, types::ToSqlOutput};
use serde_json::{Value, json};

use super::Resources;
use crate::moment::Moment;

/// The runs of all jobs: pipelines, their steps, and commands on their own. Each has a resource of kind `jobs` of the same id, whose
/// `properties.status` is written together with the row.
#[derive(Clone, Copy)]
pub(crate) struct Runs<'a>(pub(crate) &'a Connection);

pub(super) const SCHEMA: &str = "
-- The key is the job's id in lower case, and so are the parent, the compute and the run whose outputs were taken.
CREATE TABLE run (
    key TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT,
    step TEXT,
    experiment TEXT NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    error TEXT,
    compute TEXT,
    reuse_key TEXT,
    reused_from TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    -- What is to be done, made out when the job was submitted.
    plan TEXT NOT NULL,
    -- What a pipeline says of its progress.
    log TEXT NOT NULL DEFAULT ''
);
CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL;
CREATE INDEX run_active ON run (created) WHERE ended IS NULL;
CREATE INDEX run_reuse ON run (reuse_key) WHERE reuse_key IS NOT NULL;
";

/// How a run gets on, in Azure ML's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    /// A step that waits for others.
    NotStarted,
    /// A job that was taken in.
    Starting,
    Preparing,
    /// It waits for a node.
    Queued,
    Running,
    /// It has run, and its outputs are being put away.
    Finalizing,
    CancelRequested,
    Completed,
    Failed,
    Canceled,
}

impl RunStatus {
    const ALL: [Self; 10] = [
        Self::NotStarted,
        Self::Starting,
        Self::Preparing,
        Self::Queued,
        Self::Running,
        Self::Finalizing,
        Self::CancelRequested,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Starting => "Starting",
            Self::Preparing => "Preparing",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Finalizing => "Finalizing",
            Self::CancelRequested => "CancelRequested",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }

    /// Only this crate writes the word, so one that is unknown means a damaged state.
    fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let word: String = row.get(column)?;
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
            let what = format!("no status of a run: {word}");
            rusqlite::Error::FromSqlConversionFailure(
                column,
                rusqlite::types::Type::Text,
                what.into(),
            )
        })
    }
}

impl ToSql for RunStatus {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

/// A run as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The job's id in lower case.
    pub(crate) key: String,
    /// The workspace's id.
    pub(crate) workspace_id: String,
    /// The job's name, which is the run's id.
    pub(crate) name: String,
    /// The pipeline that this is a step of, by its key.
    pub(crate) parent: Option<String>,
    /// The step's name in the pipeline.
    pub(crate) step: Option<String>,
    pub(crate) experiment: String,
    pub(crate) status: RunStatus,
    pub(crate) created: Moment,
    /// When its command began to run.
    pub(crate) started: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    /// Why it failed: an error of Azure Resource Manager, `{code, message, ..}`.
    pub(crate) error: Option<Value>,
    /// The compute's id in lower case; none runs without a compute of its own.
    pub(crate) compute: Option<String>,
    /// What its outputs depend on. A run that has completed with the same has the same outputs.
    pub(crate) reuse_key: Option<String>,
    /// The run whose outputs were taken instead, by its key.
    pub(crate) reused_from: Option<String>,
    pub(crate) cancel_requested: bool,
    /// What is to be done: of the jobs module, JSON.
    pub(crate) plan: Value,
    /// What a pipeline says of its progress: its execution log.
    pub(crate) log: String,
}

const COLUMNS: &str = "key, workspace, name, parent, step, experiment, status, created, started, ended, error, compute,
    reuse_key, reused_from, cancel_requested, plan, log";

impl Run {
    /// One that was just created.
    pub(crate) fn new(
        workspace_id: &str,
        name: &str,
        experiment: &str,
        status: RunStatus,
        now: Moment,
        plan: Value,
    ) -> Self {
        Self {
            key: run_key(workspace_id, name),
            workspace_id: workspace_id.to_owned(),
            name: name.to_owned(),
            parent: None,
            step: None,
            experiment: experiment.to_owned(),
            status,
            created: now,
            started: None,
            ended: None,
            error: None,
            compute: None,
            reuse_key: None,
            reused_from: None,
            cancel_requested: false,
            plan,
            log: String::new(),
        }
    }

    /// The name of the pipeline that this is a step of.
    pub(crate) fn parent_name(&self) -> Option<&str> {
        self.parent.as_deref().and_then(|parent| parent.rsplit('/').next())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            workspace_id: row.get(1)?,
            name: row.get(2)?,
            parent: row.get(3)?,
            step: row.get(4)?,
            experiment: row.get(5)?,
            status: RunStatus::read(row, 6)?,
            created: row.get(7)?,
            started: row.get(8)?,
            ended: row.get(9)?,
            error: row.get(10)?,
            compute: row.get(11)?,
            reuse_key: row.get(12)?,
            reused_from: row.get(13)?,
            cancel_requested: row.get(14)?,
            plan: row.get(15)?,
            log: row.get(16)?,
        })
    }
}

/// The key of a workspace's run.
pub(crate) fn run_key(workspace_id: &str, name: &str) -> String {
    format!("{workspace_id}/jobs/{name}").to_lowercase()
}

impl Runs<'_> {
    pub(crate) fn insert(self, run: &Run) -> rusqlite::Result<()> {
        self.0
            .prepare_cached(&format!(
                "INSERT INTO run ({COLUMNS}) VALUES
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
            ))?
            .execute(params![
                run.key,
                run.workspace_id,
                run.name,
                run.parent,
                run.step,
                run.experiment,
                run.status,
                run.created,
                run.started,
                run.ended,
                run.error,
                run.compute,
                run.reuse_key,
                run.reused_from,
                run.cancel_requested,
                run.plan,
                run.log,
            ])?;
        Ok(())
    }

    fn select(self, condition: &str, key: &str) -> rusqlite::Result<Vec<Run>> {
        self.0
            .prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE {condition}"))?
            .query_map(params![key], Run::read)?
            .collect()
    }

    /// A run by its job's id.
    pub(crate) fn get(self, id: &str) -> rusqlite::Result<Option<Run>> {
        Ok(self.select("key = ?1", &id.to_lowercase())?.pop())
    }

    /// The steps of a pipeline, in the order in which they were written.
    pub(crate) fn children(self, id: &str) -> rusqlite::Result<Vec<Run>> {
        self.select("parent = ?1 ORDER BY created, rowid", &id.to_lowercase())
    }

    /// The runs that have not ended, the first submitted first.
    pub(crate) fn active(self) -> rusqlite::Result<Vec<Run>> {
        self.0
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM run WHERE ended IS NULL ORDER BY created, rowid"
            ))?
            .query_map(params![], Run::read)?
            .collect()
    }

    /// Completed runs with a reuse key, the last first, of those that have run themselves.
    pub(crate) fn of_reuse_key(self, reuse_key: &str) -> rusqlite::Result<Vec<Run>> {
        self.select(
            "reuse_key = ?1 AND status = 'Completed' AND reused_from IS NULL ORDER BY ended DESC",
            reuse_key,
        )
    }

    /// How many runs wait for nodes of a compute.
    pub(crate) fn count_queued(self, compute: &str) -> rusqlite::Result<usize> {
        self.0
            .prepare_cached(
                "SELECT COUNT(*) FROM run WHERE ended IS NULL AND compute = ?1 AND status = 'Queued'",
            )?
            .query_row(params![compute.to_lowercase()], |row| row.get::<_, i64>(0))
            .map(|count| usize::try_from(count).unwrap_or(0))
    }

    /// Says how a run gets on, in its row and in its resource; when it began to run or ended, too. A run that has ended stays so.
    pub(crate) fn set_status(
        self,
        id: &str,
        status: RunStatus,
        now: Moment,
        error: Option<&Value>,
    ) -> rusqlite::Result<()> {
        let started = (status == RunStatus::Running).then_some(now);
        let ended = status.is_terminal().then_some(now);
        let n_changed = self
            .0
            .prepare_cached(
                "UPDATE run SET status = ?2, started = COALESCE(started, ?3), ended = ?4, error = ?5
                 WHERE key = ?1 AND ended IS NULL",
            )?
            .execute(params![id.to_lowercase(), status, started, ended, error])?;
        if n_changed > 0
            && let Some(mut job) = Resources(self.0).get(id)?
        {
            job.body["properties"]["status"] = json!(status.as_str());
            Resources(self.0).update(&job.body)?;
        }
        Ok(())
    }

    /// Takes a run back to where it waits for a node: what it did was lost.
    pub(crate) fn queue_again(self, id: &str, now: Moment) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE run SET started = NULL WHERE key = ?1")?
            .execute(params![id.to_lowercase()])?;
        self.set_status(id, RunStatus::Queued, now, None)
    }

    pub(crate) fn request_cancel(self, id: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE run SET cancel_requested = 1 WHERE key = ?1 AND ended IS NULL")?
            .execute(params![id.to_lowercase()])?;
        Ok(())
    }

    pub(crate) fn set_plan(self, id: &str, plan: &Value) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE run SET plan = ?2 WHERE key = ?1")?
            .execute(params![id.to_lowercase(), plan])?;
        Ok(())
    }

    pub(crate) fn set_reuse(
        self,
        id: &str,
        reuse_key: Option<&str>,
        reused_from: Option<&str>,
    ) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE run SET reuse_key = ?2, reused_from = ?3 WHERE key = ?1")?
            .execute(params![id.to_lowercase(), reuse_key, reused_from])?;
        Ok(())
    }

    /// Adds a line to a pipeline's execution log.
    pub(crate) fn log(self, id: &str, now: Moment, line: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE run SET log = log || ?2 WHERE key = ?1")?
            .execute(params![id.to_lowercase(), format!("[{now}] {line}\n")])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::store::Store;

    fn at(milliseconds: i64) -> Moment {
        Moment::from_milliseconds(milliseconds)
    }

    #[test]
    fn a_run_is_what_its_resource_says_until_it_has_ended_and_then_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), at(0)).unwrap();
        store
            .transaction(|connection| {
                let (runs, resources) = (Runs(connection), Resources(connection));
                let workspace = "/subscriptions/S/workspaces/W";
                for (number, name) in ["pipeline", "Step-1", "Step-2"].into_iter().enumerate() {
                    let id = format!("{workspace}/jobs/{name}");
                    resources.put("jobs", json!({"id": id, "properties": {"status": "x"}}))?;
                    let status = RunStatus::NotStarted;
                    let plan = json!({"number": number});
                    let mut run = Run::new(workspace, name, "Default", status, at(1), plan);
                    if number > 0 {
                        run.parent = Some(run_key(workspace, "Pipeline"));
                        run.step = Some(format!("step_{number}"));
                    }
                    runs.insert(&run)?;
                }
                let id = format!("{workspace}/jobs/Step-1");
                let status = |id: &str| {
                    let job = resources.get(id).unwrap().unwrap();
                    (runs.get(id).unwrap().unwrap(), job.body["properties"]["status"].clone())
                };
                runs.set_status(&id, RunStatus::Running, at(5), None)?;
                runs.set_status(&id, RunStatus::Finalizing, at(6), None)?;
                let (run, shown) = status(&id);
                assert_eq!((run.started, run.ended), (Some(at(5)), None));
                assert_eq!(run.parent_name(), Some("pipeline"));
                assert_eq!(shown, "Finalizing");
                let error = json!({"code": "UserError", "message": "no"});
                runs.set_status(&id, RunStatus::Failed, at(7), Some(&error))?;
                runs.set_status(&id, RunStatus::Completed, at(8), None)?;
                let (run, shown) = status(&id);
                assert_eq!((run.status, run.ended), (RunStatus::Failed, Some(at(7))));
                assert_eq!((run.error, shown), (Some(error), json!("Failed")));

                let names =
                    |runs: Vec<Run>| runs.into_iter().map(|run| run.name).collect::<Vec<_>>();
                let children = runs.children(&format!("{workspace}/jobs/PIPELINE"))?;
                assert_eq!(names(children), ["Step-1", "Step-2"]);
                assert_eq!(names(runs.active()?), ["pipeline", "Step-2"]);
                // With its workspace goes the run.
                resources.remove(workspace)?;
                assert!(runs.active()?.is_empty() && runs.get(&id)?.is_none());
                Ok::<_, rusqlite::Error>(())
            })
            .unwrap();
    }
}
