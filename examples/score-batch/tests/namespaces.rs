//! A cluster whose nodes share nothing but files and a network: each has its own addresses, and a cable that can be pulled.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

#[path = "../../../crates/scale/tests/houses/mod.rs"]
mod houses;
mod processes;

use std::process::Command;

use processes::{PROGRAM, Work, rows_of_a_file, succeeded};

/// A command whose namespaces are its own: users, the network, mounts and processes.
fn apart() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--user", "--net", "--mount", "--pid", "--fork"]);
    command.arg("--kill-child");
    command
}

/// Not every machine lets its users make network namespaces, and bridges in them.
fn can_be_made() -> bool {
    let script =
        "mount -t tmpfs none /run && ip netns add a && ip link add name bridge type bridge";
    let tried = apart().args(["sh", "-c", script]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        println!("not run: there can be no network namespaces here");
    }
    can
}

fn run(work: &Work, cut: Option<&str>) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/namespaces.sh");
    let mut command = apart();
    command.args(["sh", script, PROGRAM]);
    command.args([work.path("houses.bundle"), work.path("in"), work.path("out")]);
    succeeded(command.args(cut).output().unwrap())
}

#[test]
fn machines_of_a_network_give_the_bundles_own_numbers() {
    if !can_be_made() {
        return;
    }
    let work = Work::new(8, rows_of_a_file(), 10);
    let said = run(&work, None);
    assert!(said.contains("rows in 8 files, 0 of them done before"), "{said}");
    work.check();
}

#[test]
fn an_executor_that_the_network_lost_loses_and_doubles_nothing() {
    if !can_be_made() {
        return;
    }
    let work = Work::new(8, 2 * rows_of_a_file(), 100);
    run(&work, Some("cut"));
    work.check();
}
