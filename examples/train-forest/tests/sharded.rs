//! A cluster fits the forest of one machine: the example against an emulator, which runs its jobs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ndarray::{Array1, Array2};
use ndarray_npy::write_npy;
use spinney_azureml_emulator::{Clock, Emulator, Way};

const TRAIN: &str = env!("CARGO_BIN_EXE_train-forest");

/// Numbers that are not drawn by chance, so that the test is the same each time.
fn write_data(folder: &Path) {
    let n_rows = 300;
    let x = Array2::from_shape_fn((n_rows, 4), |(row, column)| {
        let value = (row * (7 + column * 4) + column) % 101;
        if value == 13 { f64::NAN } else { value as f64 / 3.0 }
    });
    let y: Array1<f64> = (0..n_rows).map(|row| ((row * row) % 89) as f64 / 7.0).collect();
    write_npy(folder.join("x.npy"), &x).unwrap();
    write_npy(folder.join("y.npy"), &y).unwrap();
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_nodes_fits_the_forest_of_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path());
    let forest = ["--x", "x.npy", "--y", "y.npy", "--n-estimators", "14", "--seed", "42"];
    run(Command::new(TRAIN).current_dir(folder.path()).args(forest).args([
        "--oob-score",
        "--dump",
        "whole.bin",
    ]));
    let whole = fs::read(folder.path().join("whole.bin")).unwrap();

    let emulator = Emulator::builder(folder.path().join("state")).port(0).proxy_port(0);
    let emulator = emulator.clock(Clock::scaled(100.0).unwrap()).start().await.unwrap();
    let example: PathBuf = Path::new(TRAIN).parent().unwrap().join("examples/sharded");
    assert!(
        example.exists(),
        "cargo test builds examples unless it is told which targets to build"
    );
    for n_shards in ["1", "2", "4", "7"] {
        let mut sharded = Command::new(&example);
        sharded.current_dir(folder.path()).args(forest).args(["--shards", n_shards]);
        sharded.args(["--dump", "joined.bin"]).envs(emulator.environment().variables(Way::Proxy));
        let said = tokio::task::spawn_blocking(move || run(&mut sharded)).await.unwrap();
        assert!(said.ends_with("deleted forest-cluster\n"), "{said}");
        let joined = fs::read(folder.path().join("joined.bin")).unwrap();
        assert!(joined == whole, "{n_shards} shards: {said}");
    }
    emulator.shutdown().await;
}
