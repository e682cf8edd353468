use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use crate::moment::Moment;

/// What time it is, and how long things take: the only clock of an emulator.
///
/// Times of day are the machine's, because tokens and signatures carry them and clients compare them with their own. What a scale
/// shortens is how long things take: an operation, or the idle time after which a compute instance is shut down.
#[derive(Debug, Clone)]
pub struct Clock {
    scale: f64,
    /// Milliseconds that [`Clock::advance`] has added.
    ahead: Arc<watch::Sender<i64>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { scale: 1.0, ahead: Arc::default() }
    }
}

impl Clock {
    /// A clock on which everything takes `scale` times less: with 60, an idle time of an hour is a minute.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`](crate::Error::InvalidOption) if `scale` is no number from 0.001 to 1,000,000.
    pub fn scaled(scale: f64) -> crate::Result<Self> {
        if !(0.001..=1e6).contains(&scale) {
            return Err(crate::Error::InvalidOption {
                name: "time scale",
                value: scale.to_string(),
                rule: "a number from 0.001 to 1,000,000",
            });
        }
        Ok(Self { scale, ..Self::default() })
    }

    /// Puts this clock, and all that were cloned from it, ahead: what would happen until then happens now.
    pub fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead = ahead.saturating_add(milliseconds(by)));
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_milliseconds(machine_time() + *self.ahead.borrow())
    }

    /// Tells of every [`Clock::advance`] from now on.
    pub(crate) fn advances(&self) -> watch::Receiver<i64> {
        self.ahead.subscribe()
    }

    /// The machine's own time, for what talks to other programs.
    pub(crate) fn real() -> Moment {
        Moment::from_milliseconds(machine_time())
    }

    /// When something is over that begins now and takes so long.
    pub(crate) fn after(&self, duration: Duration) -> Moment {
        self.now().plus(self.shortened(duration))
    }

    /// How long something takes by this clock.
    pub(crate) fn shortened(&self, duration: Duration) -> Duration {
        duration.div_f64(self.scale)
    }
}

fn machine_time() -> i64 {
    // A machine's clock that stands before 1970 is taken to stand there.
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
