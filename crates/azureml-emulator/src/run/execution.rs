use std::{io, process::ExitStatus, sync::Arc, time::Duration};

use rusqlite::Connection;
use tokio::{sync::watch, time::Instant};

use super::{
    CommandRun, Outcome,
    artifacts::Artifacts,
    failure::Stop,
    folder::{RunFolder, aside},
    interpreter,
    log::{CommandLog, Journal},
    mounts::Mounts,
    template::{self, Values},
    variables::variables,
};
use crate::{
    process::Program,
    store::{RunStatus, Runs, run_key},
    world::World,
};

/// How long a command that is canceled has to end by itself.
const GRACE: Duration = Duration::from_secs(10);

pub(super) async fn execute(
    world: &Arc<World>,
    run: &CommandRun,
    cancel: watch::Receiver<bool>,
) -> Outcome {
    let folder = RunFolder::of(world, &run.workspace_id, &run.name);
    let outcome = match attempt(world, run, &folder, cancel).await {
        Ok(()) => Outcome::Completed,
        Err(Stop::Canceled) => Outcome::Canceled,
        Err(Stop::Failed(error)) => Outcome::Failed { error },
    };
    if let Err(error) = aside(move || folder.remove()).await {
        tracing::warn!(%error, run = run.name, "the folder of a run stays");
    }
    outcome
}

async fn attempt(
    world: &Arc<World>,
    run: &CommandRun,
    folder: &RunFolder,
    cancel: watch::Receiver<bool>,
) -> Result<(), Stop> {
    let artifacts = Artifacts::of(world, &run.workspace_id, &run.name).await?;
    let journal = Journal::new(world, &artifacts);
    let mut execution = Execution { world, run, folder, artifacts: &artifacts, journal, cancel };
    let ended = execution.run().await;
    let how = match &ended {
        Ok(()) => "completed".to_owned(),
        Err(Stop::Canceled) => "canceled".to_owned(),
        Err(Stop::Failed(error)) => {
            format!("failed: {}", error["message"].as_str().unwrap_or_default())
        }
    };
    execution.journal.say(&how);
    execution.journal.keep().await?;
    ended
}

/// One run of a command, from an empty folder to blobs.
struct Execution<'a> {
    world: &'a Arc<World>,
    run: &'a CommandRun,
    folder: &'a RunFolder,
    artifacts: &'a Artifacts,
    journal: Journal<'a>,
    cancel: watch::Receiver<bool>,
}

impl Execution<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let (world, run, folder) = (self.world, self.run, self.folder);
        let own = folder.clone();
        aside(move || own.make()).await?;
        let on = run.compute.as_deref().unwrap_or("serverless compute");
        self.journal.say(&format!("run {} on {on}", run.name));
        if let Some(environment) = &run.environment {
            let line = format!("environment {environment}: not built; this machine's programs run");
            self.journal.say(&line);
        }
        let cancel = self.cancel.clone();
        let mounts = Mounts { world, run, folder, cancel: &cancel };
        let values = mounts.prepare(&mut self.journal).await?;
        if let Some(mini_batches) = &run.mini_batches {
            mini_batches.put(world, folder)?;
        }
        self.journal.keep().await?;

        let ended = self.command(&values).await;
        if matches!(ended, Err(Stop::Canceled)) {
            return ended;
        }
        self.set_finalizing().await?;
        // What it has left is there to be looked at however it has ended, and its outputs as far as they would be in Azure.
        let outputs = mounts.keep_outputs(ended.is_err(), &mut self.journal).await;
        let left = mounts.keep_artifacts(self.artifacts, &mut self.journal).await;
        ended.and(outputs).and(left)
    }

    async fn set_finalizing(&self) -> io::Result<()> {
        let world = Arc::clone(self.world);
        let key = run_key(&self.run.workspace_id, &self.run.name);
        aside(move || {
            let now = world.clock.now();
            let set = |connection: &Connection| {
                Runs(connection).set_status(&key, RunStatus::Finalizing, now, None)
            };
            world.store.transaction(set).map_err(io::Error::other)
        })
        .await
    }

    /// Runs the command itself.
    async fn command(&mut self, values: &Values) -> Result<(), Stop> {
        let (world, folder) = (self.world, self.folder);
        let line = template::expand(&self.run.command, values).map_err(Stop::user_error)?;
        if line.contains('\0') {
            return Err(Stop::user_error("the command has a character NUL"));
        }
        let python = world.programs.python.as_deref();
        let path = interpreter::search_path(&folder.programs(), python)?;
        let shell = interpreter::shell(&path)?;
        let program = Program {
            program: shell.clone(),
            args: vec!["-c".into(), line.into()],
            folder: folder.code(),
            environment: variables(world, self.run, folder, &path, values)?,
            output: folder.log(),
        };
        let mut log = CommandLog::new(self.artifacts, folder.log());
        let began = Instant::now();
        let ended = self.wait(&program, &mut log).await;
        // What came after the last look, too.
        if log.file().exists() {
            log.keep_up().await?;
        }
        let status = ended?;
        let took = began.elapsed().as_secs_f64();
        self.journal.say(&format!("the command ended after {took:.1} s: {status}"));
        if status.success() { Ok(()) } else { Err(Stop::exit(&shell, status, log.file())) }
    }

    /// Waits for the command's end, and brings what it prints to the log meanwhile.
    async fn wait(
        &mut self,
        program: &Program,
        log: &mut CommandLog<'_>,
    ) -> Result<ExitStatus, Stop> {
        if *self.cancel.borrow() {
            return Err(Stop::Canceled);
        }
        let mut process = program.start(self.world).map_err(|error| {
            Stop::user_error(format!("The command could not be started: {error}"))
        })?;
        self.journal.say(&format!("the command runs as process {}", process.id()));
        let until = self.run.limits.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            tokio::select! {
                biased;
                () = is_true(&mut self.cancel) => self.journal.say("asked to cancel"),
                () = over(until) => self.journal.say("longer than its limit: canceled"),
                ended = process.wait() => return Ok(ended?),
                () = tokio::time::sleep(log.pause()) => {
                    log.keep_up().await?;
                    continue;
                }
            }
            process.stop(GRACE).await?;
            return Err(Stop::Canceled);
        }
    }
}

/// Ends when somebody asks for it; never, if nobody is left who could.
async fn is_true(asked: &mut watch::Receiver<bool>) {
    if asked.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Ends at a moment, if there is one.
async fn over(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
