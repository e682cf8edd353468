//! Sends requests: tokens, retries, errors. Everything that talks to Azure Resource Manager or a scoring address goes through
//! [`Pipeline`].

mod call;
mod pipeline;
mod reply;
mod retry;
mod tokens;

pub(crate) use call::{Call, Scope, target_of};
pub(crate) use pipeline::{Pipeline, check_encrypted, check_origin};
pub(crate) use reply::Reply;
pub use retry::RetryOptions;
pub(crate) use tokens::Tokens;
