//! Runs the program on committed data and compares what it writes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ndarray::{Array1, Array2};
use ndarray_npy::{read_npy, write_npy};
use sha2::{Digest, Sha256};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/expected/forest").join(name)
}

fn friedman(name: &str) -> Array2<f32> {
    let bytes = fs::read(fixture(name)).unwrap();
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Array2::from_shape_vec((values.len() / 10, 10), values).unwrap()
}

fn train_forest(folder: &Path, args: &str) -> Output {
    run(env!("CARGO_BIN_EXE_train-forest"), folder, args)
}

fn merge_forest(folder: &Path, args: &str) -> Output {
    run(env!("CARGO_BIN_EXE_merge-forest"), folder, args)
}

fn run(program: &str, folder: &Path, args: &str) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(args.split_whitespace()).output().unwrap()
}

fn write_friedman(folder: &Path) {
    let y = fs::read(fixture("fried_ytrain_2000_f64le.bin")).unwrap();
    let y: Array1<f64> = y.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    write_npy(folder.join("x.npy"), &friedman("fried_Xtrain_2000x10_f32le.bin")).unwrap();
    write_npy(folder.join("y.npy"), &y).unwrap();
}

#[test]
fn writes_scikit_learns_forest_and_predictions() {
    let folder = tempfile::tempdir().unwrap();
    write_friedman(folder.path());
    write_npy(
        folder.path().join("t.npy"),
        &friedman("fried_Xtest_500x10_f32le.bin").mapv(f64::from),
    )
    .unwrap();
    let args = "--x x.npy --y y.npy --n-estimators 100 --seed 42 --n-threads 2 --oob-score \
                --dump forest.bin --predict t.npy --out p.npy";
    let output = train_forest(folder.path(), args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("100 trees, 252610 nodes"), "{printed}");
    assert!(printed.contains("out of bag: R² 0.8740126295819495"), "{printed}");

    let dump = fs::read(folder.path().join("forest.bin")).unwrap();
    let hash: String = Sha256::digest(dump).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "239de4ad38610e4e696aef1214dd5bcf343498fc9df1f53489b06b29f5ada87f");

    let recorded = fs::read_to_string(fixture("fried_rs42.json")).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    let prediction: Array1<f64> = read_npy(folder.path().join("p.npy")).unwrap();
    let expected = recorded["predictions_hex_be"].as_array().unwrap();
    assert_eq!(prediction.len(), expected.len());
    for (value, expected) in prediction.iter().zip(expected) {
        assert_eq!(format!("{:016x}", value.to_bits()), expected.as_str().unwrap());
    }
}

#[test]
fn names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.npy"), "no array").unwrap();
    write_npy(folder.path().join("y.npy"), &Array1::<f64>::zeros(3)).unwrap();
    for (args, expected) in [
        ("--x x.npy --y y.npy", "x.npy is not a .npy array of f32 or f64"),
        ("--x none.npy --y y.npy", "none.npy"),
        (
            "--x x.npy --y y.npy --max-features some",
            "`some` is neither a whole number nor a fraction",
        ),
        ("--x x.npy --y y.npy --predict x.npy", "--out"),
    ] {
        let output = train_forest(folder.path(), args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(expected), "{args}: {message}");
    }
}

#[test]
fn shards_of_several_workers_are_one_forest() {
    let folder = tempfile::tempdir().unwrap();
    write_friedman(folder.path());
    let forest = "--x x.npy --y y.npy --n-estimators 30 --seed 42 --oob-score";
    let whole = train_forest(folder.path(), &format!("{forest} --dump whole.bin"));
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    for (trees, threads) in [("0..11", 1), ("11..12", 2), ("12..30", 2)] {
        let shard = format!("--trees {trees} --shard {trees}.shard --n-threads {threads}");
        let output = train_forest(folder.path(), &format!("{forest} {shard}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("trees {trees} of 30\n"));
    }
    let args = "12..30.shard 0..11.shard 11..12.shard --dump joined.bin";
    let joined = merge_forest(folder.path(), args);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("joined.bin") == read("whole.bin"));
    // Trees, nodes and the out-of-bag R², to the last digit.
    let whole = String::from_utf8(whole.stdout).unwrap();
    for line in String::from_utf8(joined.stdout).unwrap().lines() {
        assert!(whole.lines().any(|known| known == line), "{line}: {whole}");
    }

    for (args, expected) in [
        ("0..11.shard 12..30.shard", "no shard has trees 11..12"),
        ("0..11.shard x.npy", "x.npy"),
        ("none.shard", "none.shard"),
        ("", "<SHARDS>"),
    ] {
        let output = merge_forest(folder.path(), args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(expected), "{args}: {message}");
    }
    for (args, expected) in [
        ("--trees 1-3 --shard s", "give a range such as 25..50"),
        ("--trees 1..3", "--shard"),
        ("--trees 20..31 --shard s", "trees is 20..31, allowed is"),
        ("--trees 1..3 --shard s --dump d", "--dump"),
    ] {
        let output = train_forest(folder.path(), &format!("{forest} {args}"));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(expected), "{args}: {message}");
    }
}
