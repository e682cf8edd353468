//! Who asks: the credentials of `azure_identity`, the identity of an Azure ML compute, and a chain of them.

mod chain;
mod compute_identity;
mod expiry;

pub use chain::{ChainedCredential, default_credential};
pub use compute_identity::ComputeIdentityCredential;
