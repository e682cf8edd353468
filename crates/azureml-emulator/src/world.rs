use crate::{clock::Clock, secrets::Secrets, settings::Settings, store::Store, token::TokenIssuer};

/// All that requests share.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tokens: TokenIssuer,
}
