use std::{
    fs::OpenOptions,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    Spec,
    folders::Folder,
    ports::Port,
    prepared::Prepared,
    probing::{Probing, Verdict},
};
use crate::{process::Process, world::World};

/// How long it takes to start a program again that has ended, at first and at last: each time twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// A program that has run so long is taken to be well: its next end is the first again.
const IS_WELL: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    Starting,
    Ready,
    /// It runs, and says that it takes no requests.
    Unready,
    /// It has ended.
    Crashed(String),
    /// It did not get ready in its time.
    Late,
}

/// One of the processes of a deployment, started again whenever it ends.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(super) number: u64,
    pub(super) health: watch::Sender<Health>,
    port: AtomicU16,
    /// Requests that it works on.
    pub(super) n_requests: AtomicUsize,
}

/// What an instance needs to run.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) world: Arc<World>,
    pub(super) spec: Arc<Spec>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) folder: Folder,
    /// How long the program may take to end, when it is to.
    pub(super) stop: watch::Receiver<Option<Duration>>,
    /// Whether it was never ready, and is given up if it does not get so.
    pub(super) is_new: bool,
}

impl Instance {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            health: watch::Sender::new(Health::Starting),
            port: AtomicU16::new(0),
            n_requests: AtomicUsize::new(0),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        *self.health.borrow() == Health::Ready
    }

    /// Where it listens, when it is ready.
    pub(crate) fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }

    /// Runs the program until it is told to stop, or given up.
    pub(super) async fn run(self: Arc<Self>, mut run: Run) {
        let mut pause = FIRST_PAUSE;
        let mut was_ready = !run.is_new;
        loop {
            let started = Instant::now();
            let health = match self.run_once(&mut run).await {
                Ok(Some(health)) => health,
                // Told to stop.
                Ok(None) => return,
                Err(error) => Health::Crashed(format!("it cannot be started: {error}")),
            };
            was_ready |= matches!(*self.health.borrow(), Health::Ready | Health::Unready);
            if let Health::Crashed(why) = &health {
                self.note(&run.folder, why);
            }
            self.health.send_replace(health);
            if !was_ready {
                return;
            }
            if started.elapsed() > IS_WELL {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = run.stop.wait_for(Option::is_some) => return,
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Runs the program once: nothing comes back if it was told to stop.
    async fn run_once(&self, run: &mut Run) -> io::Result<Option<Health>> {
        let ports = &run.world.serving.ports;
        let port = ports.free()?;
        let other_port = run.spec.routes.port.and_then(|port| ports.exactly(port));
        let output = run.folder.instance_log(self.number);
        let mut process = run.prepared.program(port.number, output).start(&run.world)?;
        tracing::info!(instance = self.number, id = process.id(), "a deployment's program runs");
        let probing = Probing {
            client: &run.world.serving.client,
            routes: &run.spec.routes,
            liveness: &run.spec.liveness,
            readiness: &run.spec.readiness,
            port: port.number,
            other_port: other_port.as_ref().map(|port: &Port| port.number),
        };
        let tell = |health: Health, port: u16| {
            self.port.store(port, Ordering::Relaxed);
            self.health.send_if_modified(|now| {
                let is_other = *now != health;
                *now = health.clone();
                is_other
            });
        };
        let verdict = tokio::select! {
            status = process.wait() => {
                return Ok(Some(Health::Crashed(format!("it ended: {}", status?))));
            }
            verdict = probing.watch(tell) => Some(verdict),
            _ = run.stop.wait_for(Option::is_some) => None,
        };
        let Some(verdict) = verdict else {
            // Without the sender there is nobody to wait for the end.
            let grace = *run.stop.borrow();
            stop(process, grace.unwrap_or_default()).await;
            return Ok(None);
        };
        // It takes no more requests.
        let was_ready = matches!(*self.health.borrow(), Health::Ready | Health::Unready);
        if was_ready {
            self.health.send_replace(Health::Unready);
        }
        stop(process, Duration::from_secs(2)).await;
        Ok(Some(match verdict {
            Verdict::Late => Health::Late,
            Verdict::Dead => Health::Crashed("it did not answer the liveness probe".to_owned()),
        }))
    }

    /// Says something in the program's own log.
    fn note(&self, folder: &Folder, line: &str) {
        let path = folder.instance_log(self.number);
        let written = OpenOptions::new().create(true).append(true).open(path);
        if let Err(error) = written.and_then(|mut file| writeln!(file, "[container: {line}]")) {
            tracing::warn!(%error, line, "a line of a log is lost");
        }
    }
}

async fn stop(process: Process, grace: Duration) {
    if let Err(error) = process.stop(grace).await {
        tracing::warn!(%error, "a deployment's program may not have ended");
    }
}
