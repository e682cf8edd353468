use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use super::{
    Fleet, Rows, Spec,
    folders::{self, Folder},
    log::note,
    prepare::{Problem, prepare},
    progress::{Progress, with_database},
    rows::{Phase, State, Wanted},
};
use crate::{
    arm,
    store::{Effect, Events},
    world::World,
};

/// How often there is a look without anybody asking for it: for logs, and for what is due.
const LOOK: Duration = Duration::from_secs(1);

/// When what was ready before and cannot be started is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// How long programs may take to end whose place another has taken, when the emulator stops, and that were never ready.
const GRACE: Duration = Duration::from_secs(30);
const GRACE_AT_END: Duration = Duration::from_secs(5);
const GRACE_OF_NEW: Duration = Duration::from_secs(1);

/// Has run what is to run, until the emulator stops.
pub(crate) async fn supervise(world: Arc<World>, mut stopped: watch::Receiver<bool>) {
    let mut awakenings = world.awakenings();
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut supervisor =
        Supervisor { world, tell, own: BTreeMap::new(), tasks: JoinSet::new(), is_swept: false };
    loop {
        if let Err(error) = supervisor.look().await {
            tracing::error!(error, "deployments could not be looked after");
        }
        let outcome = tokio::select! {
            // The sender is gone or says so: both mean the end.
            _ = stopped.wait_for(|stopped| *stopped) => break,
            outcome = told.recv() => outcome,
            // The sender lives as long as the world.
            _ = awakenings.changed() => None,
            () = tokio::time::sleep(LOOK) => None,
        };
        if let Some(outcome) = outcome
            && let Err(error) = supervisor.conclude(outcome).await
        {
            tracing::error!(error, "the outcome of a deployment could not be written");
        }
    }
    supervisor.end().await;
}

struct Supervisor {
    world: Arc<World>,
    tell: mpsc::UnboundedSender<Outcome>,
    own: BTreeMap<String, Own>,
    /// Revisions that are being started, and fleets that finish what they have begun.
    tasks: JoinSet<()>,
    /// Whether the files of what is not wanted any more are gone.
    is_swept: bool,
}

/// What is being done for a deployment.
#[derive(Default)]
struct Own {
    /// A revision that is being started for the first time.
    new: Option<(i64, GivenUp)>,
    /// The one that was ready, being started again.
    again: Option<GivenUp>,
    not_before: Option<Instant>,
}

/// A start is given up when this is dropped.
type GivenUp = oneshot::Sender<()>;

/// How the start of a revision came out.
struct Outcome {
    key: String,
    revision: i64,
    is_new: bool,
    result: Result<Arc<Fleet>, Problem>,
}

type Tried<T> = Result<T, String>;

impl Supervisor {
    /// Brings what runs in line with what is to run.
    async fn look(&mut self) -> Tried<()> {
        while self.tasks.try_join_next().is_some() {}
        let wanted = with_database(&self.world, |world, connection| {
            let has_happened = arm::settle(world, connection, world.clock.now())?;
            Ok((has_happened, Rows(connection).all()?))
        })
        .await?;
        let (has_happened, wanted) = wanted;
        if has_happened {
            self.world.wake();
        }
        let gone = self.own.keys().filter(|key| wanted.iter().all(|wanted| wanted.key != **key));
        for key in gone.cloned().collect::<Vec<_>>() {
            self.own.remove(&key);
            if let Some(fleet) = self.world.serving.live(&key).replace(None) {
                self.let_end(fleet, GRACE);
            }
            self.world.serving.forget(&key);
            self.is_swept = false;
        }
        for wanted in &wanted {
            self.look_after(wanted);
        }
        if !self.is_swept {
            // Programs that are still ending may yet write something.
            self.is_swept = self.tasks.is_empty();
            self.sweep(wanted).await;
        }
        Ok(())
    }

    fn look_after(&mut self, wanted: &Wanted) {
        let live = self.world.serving.live(&wanted.key);
        let fleet = live.fleet();
        let own = self.own.entry(wanted.key.clone()).or_default();
        let is_under_way =
            own.new.as_ref().is_some_and(|(revision, _)| *revision == wanted.revision);
        if wanted.state == State::Starting && !is_under_way {
            let start = Start::new(&self.world, &wanted.key, wanted.revision, &wanted.spec, true);
            let (give_up, given_up) = oneshot::channel();
            own.new = Some((wanted.revision, give_up));
            self.tasks.spawn(start.tell(self.tell.clone(), given_up));
        }
        match (&wanted.good, fleet) {
            (_, Some(fleet)) => {
                if let Err(error) = fleet.bound_logs() {
                    tracing::warn!(%error, "a log grows");
                }
            }
            (Some((revision, spec)), None) => {
                let is_time = own.not_before.is_none_or(|time| Instant::now() >= time);
                if own.again.is_none() && is_time {
                    let start = Start::new(&self.world, &wanted.key, *revision, spec, false);
                    let (give_up, given_up) = oneshot::channel();
                    own.again = Some(give_up);
                    self.tasks.spawn(start.tell(self.tell.clone(), given_up));
                }
            }
            (None, None) => {}
        }
    }

    /// Writes how a start came out, and puts what is ready into its place.
    async fn conclude(&mut self, outcome: Outcome) -> Tried<()> {
        let Outcome { key, revision, is_new, result } = outcome;
        let Some(own) = self.own.get_mut(&key) else {
            if let Ok(fleet) = result {
                self.let_end(fleet, GRACE_OF_NEW);
            }
            return Ok(());
        };
        let live = self.world.serving.live(&key);
        if !is_new {
            own.again = None;
            match result {
                // Something newer may have become ready meanwhile.
                Ok(fleet) if live.fleet().is_none() => {
                    live.replace(Some(fleet));
                }
                Ok(fleet) => self.let_end(fleet, GRACE_OF_NEW),
                Err(problem) => {
                    tracing::error!(key, why = problem.why, "a deployment cannot be started again");
                    own.not_before = Some(Instant::now() + AGAIN);
                }
            }
            return Ok(());
        }
        if own.new.as_ref().is_some_and(|(under_way, _)| *under_way == revision) {
            own.new = None;
        }
        let (fleet, effect) = match result {
            Ok(fleet) => (Some(fleet), Effect::Provisioned),
            Err(problem) => {
                let short = problem.why.lines().next().unwrap_or_default();
                let details =
                    json!([{"code": "ResourceNotReady", "message": short, "details": []}]);
                let error = json!({
                    "code": problem.code,
                    "message": problem.why,
                    "details": details,
                    "additionalInfo": [],
                });
                (None, Effect::Failed { error })
            }
        };
        let is_ready = fleet.is_some();
        let place = Arc::clone(&live);
        let new = fleet.clone();
        let concluded = with_database(&self.world, move |world, connection| {
            let (rows, events) = (Rows(connection), Events(connection));
            if !rows.conclude(&key, revision, is_ready)? {
                return Ok(None);
            }
            let now = world.clock.now();
            events.conclude(&key, &effect, now)?;
            arm::settle(world, connection, now)?;
            // Before anybody can learn that it is ready.
            Ok(Some(new.and_then(|fleet| place.replace(Some(fleet)))))
        });
        match concluded.await? {
            Some(before) => {
                before.into_iter().for_each(|fleet| self.let_end(fleet, GRACE));
                self.world.wake();
                self.is_swept = false;
            }
            // Nobody wants it any more.
            None => fleet.into_iter().for_each(|fleet| self.let_end(fleet, GRACE_OF_NEW)),
        }
        Ok(())
    }

    fn let_end(&mut self, fleet: Arc<Fleet>, grace: Duration) {
        tracing::info!(revision = fleet.revision, "a deployment's programs end");
        self.tasks.spawn(async move { fleet.end(grace).await });
    }

    /// Removes the files of what is not wanted any more.
    async fn sweep(&self, wanted: Vec<Wanted>) {
        let state = self.world.folder.clone();
        let swept = tokio::task::spawn_blocking(move || folders::sweep(&state, &wanted)).await;
        if let Err(error) | Ok(Err(error)) = swept.map_err(std::io::Error::other) {
            tracing::warn!(%error, "files of former deployments are left");
        }
    }

    /// Ends everything, and what is being started with it.
    async fn end(mut self) {
        let keys: Vec<String> = std::mem::take(&mut self.own).into_keys().collect();
        for key in keys {
            if let Some(fleet) = self.world.serving.live(&key).replace(None) {
                self.let_end(fleet, GRACE_AT_END);
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A revision that is to be started.
struct Start {
    world: Arc<World>,
    key: String,
    revision: i64,
    spec: Arc<Spec>,
    folder: Folder,
    is_new: bool,
}

impl Start {
    fn new(world: &Arc<World>, key: &str, revision: i64, spec: &Spec, is_new: bool) -> Self {
        let folder = Folder::new(&world.folder, key, revision);
        let (world, spec) = (Arc::clone(world), Arc::new(spec.clone()));
        Self { world, key: key.to_owned(), revision, spec, folder, is_new }
    }

    /// Starts it, and tells how that has come out, unless it is given up.
    async fn tell(self, tell: mpsc::UnboundedSender<Outcome>, mut given_up: oneshot::Receiver<()>) {
        let Some(result) = self.run(&mut given_up).await.transpose() else { return };
        if let Err(problem) = &result {
            note(&self.folder, &format!("{}: {}", problem.code, problem.why));
        }
        let Self { key, revision, is_new, .. } = self;
        // Without the supervisor nobody wants to know.
        if let Err(mpsc::error::SendError(outcome)) =
            tell.send(Outcome { key, revision, is_new, result })
            && let Ok(fleet) = outcome.result
        {
            fleet.end(GRACE_OF_NEW).await;
        }
    }

    async fn run(
        &self,
        given_up: &mut oneshot::Receiver<()>,
    ) -> Result<Option<Arc<Fleet>>, Problem> {
        let (world, key) = (Arc::clone(&self.world), self.key.clone());
        let progress = Progress { world, key, revision: self.revision };
        let prepared = prepare(&progress, &self.spec, &self.folder).await?;
        progress.enter(Phase::UserContainerStart).await;
        let fleet = Fleet::start(
            &self.world,
            Arc::clone(&self.spec),
            self.revision,
            self.folder.clone(),
            prepared,
            self.is_new,
        );
        if !self.is_new {
            // What was ready once need not be so now.
            return Ok(Some(fleet));
        }
        let is_ready = tokio::select! {
            ready = fleet.get_ready() => ready.map(|()| true),
            _ = given_up => Ok(false),
        };
        if !matches!(is_ready, Ok(true)) {
            fleet.end(GRACE_OF_NEW).await;
        }
        Ok(is_ready?.then_some(fleet))
    }
}
