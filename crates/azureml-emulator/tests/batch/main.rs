//! Batch endpoints: their deployments, and the jobs that they are asked for.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod components;
mod failures;
mod invocations;
mod office;
mod our_client;
mod rules;
mod scoring;
#[path = "../support/mod.rs"]
mod support;
