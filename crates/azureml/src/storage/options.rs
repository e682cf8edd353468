use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Error, Result};

/// How files are transferred, and who is told.
///
/// A transfer keeps at most `parallel` blocks in memory, however large or many the files are: 64 MiB, unless said otherwise, beside what
/// connections hold of them (an upload of 1 GiB took 110 to 160 MiB in all).
///
/// # Examples
///
/// ```
/// use spinney_azureml::TransferOptions;
///
/// let options = TransferOptions::default()
///     .parallel(4)
///     .block_size(16 << 20)
///     .on_progress(|progress| println!("{} of {} bytes", progress.bytes_done, progress.bytes_total));
/// # let _ = options;
/// ```
#[derive(Clone)]
#[must_use]
pub struct TransferOptions {
    parallel: usize,
    block_size: u64,
    on_progress: Option<OnProgress>,
}

type OnProgress = Arc<dyn Fn(&TransferProgress) + Send + Sync>;

/// How far a transfer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// Bytes that are where they should be, those that were there before among them.
    pub bytes_done: u64,
    /// Bytes in all.
    pub bytes_total: u64,
    /// Bytes that were there before and were not sent.
    pub bytes_skipped: u64,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self { parallel: 8, block_size: 8 << 20, on_progress: None }
    }
}

impl TransferOptions {
    /// How many blocks are under way at the same time: 8; 1 to 256.
    pub fn parallel(self, parallel: usize) -> Self {
        Self { parallel, ..self }
    }

    /// The size of a block in bytes: 8 MiB; 1 KiB to 4000 MiB. Files up to this size are sent whole. A file that would have more than 50,000
    /// blocks, Azure's limit, gets larger ones. An interrupted upload goes on only with the size it was begun with.
    pub fn block_size(self, block_size: u64) -> Self {
        Self { block_size, ..self }
    }

    /// What to call after every block. It should return soon: the transfer waits for it.
    pub fn on_progress(
        self,
        on_progress: impl Fn(&TransferProgress) + Send + Sync + 'static,
    ) -> Self {
        Self { on_progress: Some(Arc::new(on_progress)), ..self }
    }

    /// Refuses what is out of range, before anything is read or sent.
    pub(crate) fn check(&self) -> Result<()> {
        self.checked().map(|_| ())
    }

    /// Blocks at the same time and bytes of a block, if they are in range.
    pub(super) fn checked(&self) -> Result<(NonZeroUsize, u64)> {
        if !(1 << 10..=4000 << 20).contains(&self.block_size) {
            return Err(Error::InvalidArgument {
                what: "the block size of a transfer",
                value: format!("{} bytes", self.block_size),
                rule: "1 KiB to 4000 MiB",
            });
        }
        let parallel = NonZeroUsize::new(self.parallel).filter(|parallel| parallel.get() <= 256);
        let parallel = parallel.ok_or_else(|| Error::InvalidArgument {
            what: "the number of blocks at the same time",
            value: self.parallel.to_string(),
            rule: "1 to 256",
        })?;
        Ok((parallel, self.block_size))
    }

    /// Counts a transfer of so many bytes.
    pub(super) fn meter(&self, bytes_total: u64) -> Meter {
        let progress = TransferProgress { bytes_total, ..TransferProgress::default() };
        Meter { progress: Mutex::new(progress), on_progress: self.on_progress.clone() }
    }
}

impl fmt::Debug for TransferOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferOptions")
            .field("parallel", &self.parallel)
            .field("block_size", &self.block_size)
            .field("on_progress", &self.on_progress.is_some())
            .finish()
    }
}

/// The progress of one transfer.
pub(super) struct Meter {
    progress: Mutex<TransferProgress>,
    on_progress: Option<OnProgress>,
}

impl Meter {
    pub(super) fn sent(&self, bytes: u64) {
        self.count(bytes, 0);
    }

    pub(super) fn skipped(&self, bytes: u64) {
        self.count(bytes, bytes);
    }

    fn count(&self, bytes: u64, skipped: u64) {
        let progress = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.bytes_done += bytes;
            progress.bytes_skipped += skipped;
            *progress
        };
        if let Some(on_progress) = &self.on_progress {
            on_progress(&progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_refused() {
        assert!(TransferOptions::default().checked().is_ok());
        for options in [
            TransferOptions::default().parallel(0),
            TransferOptions::default().parallel(257),
            TransferOptions::default().block_size(0),
            TransferOptions::default().block_size(1023),
            TransferOptions::default().block_size((4000 << 20) + 1),
        ] {
            assert!(matches!(options.checked(), Err(Error::InvalidArgument { .. })), "{options:?}");
        }
    }

    #[test]
    fn progress_tells_what_is_there_and_what_was_not_sent() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let options = TransferOptions::default().on_progress(move |progress| {
            told.lock().unwrap().push((progress.bytes_done, progress.bytes_skipped))
        });
        let meter = options.meter(30);
        meter.sent(10);
        meter.skipped(20);
        assert_eq!(*seen.lock().unwrap(), [(10, 0), (30, 20)]);
    }
}
