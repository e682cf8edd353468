use crate::{
    clock::Clock, faults::Faults, secrets::Secrets, settings::Settings, store::Store,
    token::TokenIssuer,
};

/// All that requests share.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tokens: TokenIssuer,
    pub(crate) faults: Faults,
}
