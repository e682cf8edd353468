//! What the emulator's answers cost in CPU time: `cargo bench -p spinney-azureml-emulator`, or `.. --bench load -- reads`, `.. -- front-door`.
//!
//! The emulator has a core of its own, its clients another. On a system other than Linux nothing is pinned or counted, and nothing printed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measurement")]

mod front_door;
mod reads;
mod server;

use std::process::{Command, Stdio};

fn main() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["-acp", "0", &own]).stdout(Stdio::null()).status();
    assert!(pinned.unwrap().success(), "this needs taskset, and two cores");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Cargo adds words of its own.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if is_wanted("reads") {
        runtime.block_on(reads::run());
    }
    if is_wanted("front-door") {
        runtime.block_on(front_door::run());
    }
}
