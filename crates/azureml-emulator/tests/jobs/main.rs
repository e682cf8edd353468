//! Jobs run: pipelines of shell commands.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod crash;
mod nodes;
mod pipelines;
mod refusals;
mod reuse;
mod road;
#[path = "../support/mod.rs"]
mod support;
mod work;
