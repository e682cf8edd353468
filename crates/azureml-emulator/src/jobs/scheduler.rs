use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rusqlite::Connection;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::{self, JoinSet},
};

use super::{
    command, outputs,
    tick::{self, Decisions, Known, Log},
};
use crate::{
    moment::Moment,
    run::{self, CommandRun, Outcome},
    world::World,
};

/// Where a pipeline's progress is written for who streams it.
const EXECUTION_LOG: &str = "logs/azureml/executionlogs.txt";

/// How long to wait after the state could not be read or written.
const PAUSE: Duration = Duration::from_secs(1);

/// A command that runs.
#[derive(Debug)]
struct Running {
    cancel: watch::Sender<bool>,
    /// Why it was stopped, if nobody has asked for it.
    because: Option<Value>,
}

/// Brings what runs in line with what is written.
struct Scheduler {
    world: Arc<World>,
    running: BTreeMap<String, Running>,
    commands: JoinSet<Outcome>,
    /// Which command a task is.
    tasks: BTreeMap<task::Id, String>,
    /// How much of each pipeline's log has been written.
    written: BTreeMap<String, usize>,
}

/// Schedules jobs until it is told to stop. The commands that run are ended then, and run again at the next start.
pub(crate) async fn schedule(world: Arc<World>, mut stopped: watch::Receiver<bool>) {
    let (mut awakenings, mut advances) = (world.awakenings(), world.clock.advances());
    let mut scheduler = Scheduler {
        world,
        running: BTreeMap::new(),
        commands: JoinSet::new(),
        tasks: BTreeMap::new(),
        written: BTreeMap::new(),
    };
    if let Err(error) = scheduler.transaction(tick::recover).await {
        tracing::error!(%error, "the jobs of an earlier start cannot be taken up");
    }
    loop {
        awakenings.mark_unchanged();
        advances.mark_unchanged();
        let pause = match scheduler.tick().await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "jobs cannot be scheduled");
                Some(PAUSE)
            }
        };
        tokio::select! {
            () = end(&mut stopped) => break,
            _ = awakenings.changed() => {}
            _ = advances.changed() => {}
            Some(ended) = scheduler.commands.join_next_with_id() => match ended {
                Ok((task, outcome)) => scheduler.end(task, outcome).await,
                Err(error) => {
                    tracing::error!(%error, "a command has broken down");
                    let message = "the emulator failed to run the command; its log says why";
                    let error_of_run = command::error("InternalServerError", message);
                    scheduler.end(error.id(), Outcome::Failed { error: error_of_run }).await;
                }
            },
            () = sleep(pause) => {}
        }
    }
    scheduler.commands.shutdown().await;
}

async fn end(stopped: &mut watch::Receiver<bool>) {
    // The sender is gone or says so: both mean the end.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

type Done<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl Scheduler {
    /// Off the threads that others wait for.
    async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&World, &Connection, Moment) -> rusqlite::Result<T> + Send + 'static,
    ) -> Done<T> {
        let world = Arc::clone(&self.world);
        let done = tokio::task::spawn_blocking(move || {
            let now = world.clock.now();
            world.store.transaction(|connection| work(&world, connection, now))
        });
        Ok(done.await??)
    }

    /// Decides what happens next and does it. Returns how long nothing will happen by itself.
    async fn tick(&mut self) -> Done<Option<Duration>> {
        loop {
            let known = Known {
                running: self.running.keys().cloned().collect(),
                written: self.written.clone(),
            };
            let decisions = self
                .transaction(move |world, connection, now| {
                    tick::tick(world, connection, now, &known)
                })
                .await?;
            let Decisions { start, stop, logs, pipelines, next } = decisions;
            for (key, because) in stop {
                self.stop(&key, because);
            }
            for (key, run) in start {
                self.start(key, run);
            }
            self.written.retain(|key, _| pipelines.contains(key));
            if logs.is_empty() {
                let now = self.world.clock.now();
                return Ok(next.map(|next| next.since(now)));
            }
            for log in logs {
                self.write(log).await;
            }
            // A pipeline ends when all that it says has been written.
        }
    }

    fn start(&mut self, key: String, run: CommandRun) {
        let (cancel, canceled) = watch::channel(false);
        let world = Arc::clone(&self.world);
        self.running.insert(key.clone(), Running { cancel, because: None });
        let task = self.commands.spawn(async move { run::execute(&world, run, canceled).await });
        self.tasks.insert(task.id(), key);
    }

    fn stop(&mut self, key: &str, because: Option<Value>) {
        if let Some(running) = self.running.get_mut(key) {
            running.because = because.or(running.because.take());
            running.cancel.send_replace(true);
        }
    }

    /// Notes how a command has ended.
    async fn end(&mut self, task: task::Id, outcome: Outcome) {
        let Some(key) = self.tasks.remove(&task) else { return };
        let because = self.running.remove(&key).and_then(|running| running.because);
        let outcome = match (outcome, because) {
            (Outcome::Canceled, Some(error)) => Outcome::Failed { error },
            (outcome, _) => outcome,
        };
        loop {
            let (run, outcome) = (key.clone(), outcome.clone());
            let ended = self.transaction(move |world, connection, now| {
                outputs::end(world, connection, &run, &outcome, now)
            });
            match ended.await {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, key, "the end of a run cannot be noted"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What cannot be written is no reason not to go on.
    async fn write(&mut self, log: Log) {
        let Log { key, workspace_id, run, text } = log;
        let length = text.len();
        let written = run::write_log(&self.world, &workspace_id, &run, EXECUTION_LOG, text).await;
        if let Err(error) = written {
            tracing::warn!(%error, run, "the log of a pipeline cannot be written");
        }
        self.written.insert(key, length);
    }
}

/// The keys of runs.
pub(super) type Keys = BTreeSet<String>;
