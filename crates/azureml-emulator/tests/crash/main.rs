//! The process is killed again and again while it works, and what it has answered for is there each time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod client;
mod files;
mod killer;
mod models;
#[cfg(target_os = "linux")]
mod road;
#[cfg(target_os = "linux")]
mod steps;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod told;
