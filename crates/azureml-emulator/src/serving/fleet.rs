use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

use super::{
    Spec,
    folders::Folder,
    instance::{Health, Instance, Run},
    prepare::Problem,
    prepared::Prepared,
};
use crate::world::World;

/// The processes of one revision of a deployment, and the requests that are under way there.
pub(crate) struct Fleet {
    pub(crate) spec: Arc<Spec>,
    pub(super) revision: i64,
    pub(super) folder: Folder,
    instances: Vec<Arc<Instance>>,
    /// One for each request that may be worked on.
    seats: Arc<Semaphore>,
    n_under_way: AtomicUsize,
    stop: watch::Sender<Option<Duration>>,
    /// Ended when this is dropped, and their programs with them.
    tasks: Mutex<JoinSet<()>>,
}

/// A request that is under way.
pub(crate) struct Ticket(Arc<Fleet>);

/// A request that an instance works on.
pub(crate) struct Seat {
    instance: Arc<Instance>,
    _ticket: Ticket,
    _permit: OwnedSemaphorePermit,
}

/// How many lines of a log an error shows.
const LINES_IN_ERRORS: usize = 30;

impl Fleet {
    /// Starts the processes. If the revision was ready before, they are started again until they are.
    pub(super) fn start(
        world: &Arc<World>,
        spec: Arc<Spec>,
        revision: i64,
        folder: Folder,
        prepared: Prepared,
        is_new: bool,
    ) -> Arc<Self> {
        let instances: Vec<_> =
            (0..spec.n_processes()).map(|number| Arc::new(Instance::new(number))).collect();
        let (stop, stopped) = watch::channel(None);
        let prepared = Arc::new(prepared);
        let run = Run {
            world: Arc::clone(world),
            spec: Arc::clone(&spec),
            prepared,
            folder: folder.clone(),
            stop: stopped,
            is_new,
        };
        let tasks =
            instances.iter().map(|instance| Arc::clone(instance).run(run.clone())).collect();
        let n_seats = usize::try_from(spec.n_at_once()).unwrap_or(usize::MAX);
        Arc::new(Self {
            spec,
            revision,
            folder,
            instances,
            seats: Arc::new(Semaphore::new(n_seats.min(Semaphore::MAX_PERMITS))),
            n_under_way: AtomicUsize::new(0),
            stop,
            tasks: Mutex::new(tasks),
        })
    }

    /// Waits until all instances are ready, or one is given up.
    pub(super) async fn get_ready(&self) -> Result<(), Problem> {
        for instance in &self.instances {
            let mut health = instance.health.subscribe();
            // The sender lives as long as the instance.
            let Ok(health) = health.wait_for(|health| *health != Health::Starting).await else {
                continue;
            };
            let health = health.clone();
            let (code, what) = match &health {
                Health::Starting | Health::Ready | Health::Unready => continue,
                Health::Crashed(why) => {
                    ("BadArgument", format!("User container has crashed or terminated ({why})."))
                }
                Health::Late => {
                    ("ResourceNotReady", "User container did not get ready in its time.".to_owned())
                }
            };
            let log = super::log::instance_tail(&self.folder, instance.number, LINES_IN_ERRORS)?;
            let log = if log.is_empty() {
                "It said nothing.".to_owned()
            } else {
                format!("The end of its log:\n{log}")
            };
            let guide = "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-resourcenotready";
            return Err(Problem { code, why: format!("{what} {guide}\n{log}") });
        }
        Ok(())
    }

    /// Has the programs end, which may take so long to answer what they have begun.
    pub(super) async fn end(&self, grace: Duration) {
        self.stop.send_replace(Some(grace));
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }

    /// Keeps the logs from growing without end.
    pub(super) fn bound_logs(&self) -> std::io::Result<()> {
        self.instances
            .iter()
            .try_for_each(|instance| super::log::bound(&self.folder, instance.number))
    }

    /// Lets a request in, unless there are too many.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Ticket> {
        let limit = usize::try_from(self.spec.n_under_way()).unwrap_or(usize::MAX);
        let ticket = Ticket(Arc::clone(self));
        // Taken back when the ticket is dropped.
        let n_before = self.n_under_way.fetch_add(1, Ordering::Relaxed);
        (n_before < limit).then_some(ticket)
    }
}

impl Ticket {
    /// Waits for its turn, and chooses the instance with the least to do; nothing if none is ready.
    pub(crate) async fn take_seat(self) -> Option<Seat> {
        let permit = Arc::clone(&self.0.seats).acquire_owned().await.ok()?;
        let ready = self.0.instances.iter().filter(|instance| instance.is_ready());
        let instance = ready.min_by_key(|instance| instance.n_requests.load(Ordering::Relaxed))?;
        instance.n_requests.fetch_add(1, Ordering::Relaxed);
        Some(Seat { instance: Arc::clone(instance), _ticket: self, _permit: permit })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.n_under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Seat {
    /// Where the instance listens.
    pub(crate) fn port(&self) -> u16 {
        self.instance.port()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.instance.n_requests.fetch_sub(1, Ordering::Relaxed);
    }
}
