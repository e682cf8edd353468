//! Runs the program and compares what it prints.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::process::Command;

#[test]
fn prints_the_workshops_transform_params() {
    let output = Command::new(env!("CARGO_BIN_EXE_preprocess-ames")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let end = printed.rfind('}').unwrap() + 1;
    let params: serde_json::Value = serde_json::from_str(&printed[..end]).unwrap();
    let steps = params["steps"].as_array().unwrap();
    let value_of = |column: &str| {
        let step = steps.iter().find(|step| step["step"] == "impute" && step["column"] == column);
        step.unwrap()["value"].clone()
    };
    assert_eq!(value_of("LotFrontage"), 69.41871165644172);
    assert_eq!(value_of("MasVnrType"), "BrkFace");
    assert_eq!(printed[end..].trim(), "2344 train rows; test rows as (586, 48) features");
}
