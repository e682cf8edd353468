//! When the program is killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::support::program::Program;

/// How much faster than the machine's the emulator's clock is.
pub(crate) const TIME_SCALE: u32 = 100;

/// How often to kill: `SPINNEY_KILLS`, if it is said.
pub(crate) fn n_kills(default: usize) -> usize {
    std::env::var("SPINNEY_KILLS").map_or(default, |kills| kills.parse().unwrap())
}

/// Kills the program somewhere within or behind that request.
pub(crate) fn kill_later(
    program: Program,
    n_asked: Arc<AtomicUsize>,
    n_before: usize,
    later: Duration,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while n_asked.load(Ordering::SeqCst) < n_before {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        tokio::time::sleep(later).await;
        program.kill();
    })
}
