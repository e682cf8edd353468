//! A cluster of processes: the same rows as in one, whichever of them dies on the way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../crates/scale/tests/houses/mod.rs"]
mod houses;
mod processes;

use std::{
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use processes::{Cluster, Process, Work, rows_of_a_file, succeeded, wait_until};

/// One cluster at a time is enough for a small machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn in_turn(test: impl FnOnce()) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    test();
}

fn on<'c>(command: &'c mut Command, cluster: &Cluster) -> &'c mut Command {
    command.args(["--in-flight", "3", "--cluster", &cluster.url()])
}

#[test]
fn a_process_gives_the_bundles_own_numbers() {
    in_turn(|| {
        let work = Work::new(8, rows_of_a_file(), 10);
        let said = succeeded(work.command().output().unwrap());
        assert!(said.contains("rows in 8 files, 0 of them done before"), "{said}");
        work.check();
    });
}

#[test]
fn a_cluster_gives_the_bundles_own_numbers() {
    in_turn(|| {
        let work = Work::new(8, rows_of_a_file(), 10);
        let cluster = Cluster::start();
        let said = succeeded(on(&mut work.command(), &cluster).output().unwrap());
        assert!(said.contains("rows in 8 files, 0 of them done before"), "{said}");
        work.check();
        let said = succeeded(on(&mut work.command(), &cluster).output().unwrap());
        assert!(said.contains("rows in 8 files, 8 of them done before"), "{said}");
    });
}

#[test]
fn an_executor_killed_while_it_reads_loses_and_doubles_nothing() {
    in_turn(|| {
        let work = Work::new(8, 2 * rows_of_a_file(), 100);
        let mut cluster = Cluster::start();
        let mut run = Process::start(on(&mut work.command(), &cluster));
        // Three files are in flight, so both executors are at work when the first is done.
        wait_until("the first output", || work.n_done() > 0);
        assert!(work.n_done() < 7, "nothing was left to do");
        cluster.executors.remove(0).kill();
        assert!(run.0.wait().unwrap().success());
        work.check();
    });
}

#[test]
fn an_executor_killed_while_it_writes_loses_and_doubles_nothing() {
    in_turn(|| {
        // A writer opens its file when the first ten megabytes are full.
        let work = Work::new(3, 40 * rows_of_a_file(), 2);
        let mut cluster = Cluster::start();
        let mut run = Process::start(on(&mut work.command(), &cluster));
        let outputs = work.path("out/_spinney");
        let mut writer = None;
        wait_until("an executor to write", || {
            writer = cluster.executors.iter().position(|executor| executor.has_open(&outputs));
            writer.is_some()
        });
        cluster.executors.remove(writer.unwrap()).kill();
        assert!(run.0.wait().unwrap().success());
        work.check();
    });
}

#[test]
fn a_scheduler_killed_is_a_clear_error_and_the_next_run_goes_on() {
    in_turn(|| {
        let work = Work::new(8, 2 * rows_of_a_file(), 100);
        let mut cluster = Cluster::start();
        let mut command = work.command();
        on(&mut command, &cluster).args(["--attempts", "2"]);
        let run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until("the first output", || work.n_done() > 0);
        cluster.scheduler.take().unwrap().kill();
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("could not be scored in 2 attempts"), "{said}");
        assert!(!work.path("out/_manifest.json").exists());

        let n_done = work.n_done();
        assert!(n_done < 8, "nothing was left to do");
        let cluster = Cluster::start();
        let said = succeeded(on(&mut work.command(), &cluster).output().unwrap());
        let skipped = said.split_whitespace().nth(5).unwrap();
        assert!(skipped.parse::<usize>().unwrap() >= n_done, "{said}");
        work.check();
    });
}

#[test]
fn what_is_wrong_with_a_bundle_or_a_cluster_is_said() {
    in_turn(|| {
        let work = Work::new(1, 100, 1);
        let [nobody] = processes::free_ports();
        let mut command = work.command();
        command.args(["--attempts", "1", "--cluster", &format!("df://127.0.0.1:{nobody}")]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(said.contains("in/part-0.parquet could not be scored in 1 attempts"), "{said}");

        std::fs::write(work.path("houses.bundle"), "no bundle").unwrap();
        let output = work.command().output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("houses.bundle is no bundle that can be used"), "{said}");
        assert!(said.contains("not a spinney bundle"), "{said}");
    });
}
