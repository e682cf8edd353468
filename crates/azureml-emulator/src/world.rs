use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use tokio::sync::watch;

use crate::{
    Error, Result,
    clock::Clock,
    durable,
    secrets::Secrets,
    settings::{Settings, Wishes},
    store::Store,
    token::TokenIssuer,
};

/// All that requests share, and what runs beside them.
pub(crate) struct World {
    /// The state's folder, by a path that holds wherever a program stands.
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tokens: TokenIssuer,
    pub(crate) programs: Programs,
    /// How often something was written.
    pub(crate) writes: watch::Sender<u64>,
}

/// What the emulator runs for its clients, beside their own commands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Programs {
    /// For jobs that call `python`, and for scoring scripts.
    pub(crate) python: Option<PathBuf>,
    /// What serves a model without a scoring script, and its arguments.
    pub(crate) scoring: Option<(PathBuf, Vec<OsString>)>,
}

impl World {
    /// Opens the state in a folder, or makes it.
    pub(crate) fn open(
        folder: &Path,
        clock: Clock,
        wishes: &Wishes,
        programs: Programs,
    ) -> Result<Self> {
        durable::make_folder(folder).map_err(Error::state(folder))?;
        let folder = folder.canonicalize().map_err(Error::state(folder))?;
        // The lock first: what follows may write.
        let store = Store::open(&folder, clock.now())?;
        let settings = Settings::open(&folder, wishes)?;
        let secrets = Secrets::open(&folder)?;
        let tokens = TokenIssuer::new(secrets.token_key(), &settings.tenant);
        let writes = watch::Sender::new(0);
        Ok(Self { folder, settings, secrets, clock, store, tokens, programs, writes })
    }

    /// Has those look again who bring what runs in line with what is written.
    pub(crate) fn wake(&self) {
        self.writes.send_modify(|writes| *writes += 1);
    }

    /// Tells of every [`World::wake`] from now on.
    pub(crate) fn awakenings(&self) -> watch::Receiver<u64> {
        self.writes.subscribe()
    }
}
