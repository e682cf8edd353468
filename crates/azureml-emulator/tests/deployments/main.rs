//! Deployments run: real processes, asked through the front door.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod container;
mod front_door;
mod images;
mod lifecycle;
mod limits;
mod races;
mod restart;
mod script;
mod site;
#[path = "../support/mod.rs"]
mod support;
