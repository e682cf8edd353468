//! Everything drawn against numpy 2.4.6, by recorded values and by the word that comes next.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};
use spinney_numpy_random::{RandomState, pairwise_sum};

fn vectors(name: &str) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/expected/numpy_random/numpy_random.json"
    );
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = vectors[name].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn state(case: &Value) -> RandomState {
    RandomState::new(u32::try_from(case["seed"].as_u64().unwrap()).unwrap())
}

fn assert_next_word(mut state: RandomState, case: &Value) {
    assert_eq!(u64::from(state.next_u32()), case["next_word"].as_u64().unwrap(), "{case}");
}

fn sha256_u32le(values: &[usize]) -> String {
    sha256(values.iter().flat_map(|&value| (value as u32).to_le_bytes()))
}

fn sha256(bytes: impl Iterator<Item = u8>) -> String {
    let bytes: Vec<u8> = bytes.collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn words() {
    for case in vectors("words") {
        let mut state = state(&case);
        let words: Vec<u32> = (0..2000).map(|_| state.next_u32()).collect();
        assert_eq!(serde_json::to_value(&words[..20]).unwrap(), case["first20"]);
        assert_eq!(serde_json::to_value(&words[620..630]).unwrap(), case["from620_to629"]);
        let hash = sha256(words.iter().flat_map(|word| word.to_le_bytes()));
        assert_eq!(hash, case["sha256_2000_u32le"]);
    }
}

#[test]
fn random_sample() {
    for case in vectors("random_sample") {
        let mut state = state(&case);
        let sample: Vec<f64> = (0..1000).map(|_| state.random_sample()).collect();
        assert_eq!(serde_json::to_value(&sample[..10]).unwrap(), case["first10"]);
        let hash = sha256(sample.iter().flat_map(|value| value.to_le_bytes()));
        assert_eq!(hash, case["sha256_1000_f64le"]);
    }
}

#[test]
fn permutations() {
    for case in vectors("permutation") {
        let n = case["n"].as_u64().unwrap() as usize;
        let mut state = state(&case);
        let first = state.permutation(n);
        if let Some(full) = case.get("full") {
            assert_eq!(&serde_json::to_value(&first).unwrap(), full);
        }
        assert_eq!(sha256_u32le(&first), case["sha256_u32le"]);
        assert_eq!(sha256_u32le(&state.permutation(n)), case["second_sha256_u32le"]);
        assert_next_word(state, &case);
    }
}

#[test]
fn shuffles() {
    for case in vectors("shuffle") {
        let mut items = case["items"].as_array().unwrap().clone();
        let mut state = state(&case);
        state.shuffle(&mut items);
        assert_eq!(Value::Array(items), case["shuffled"]);
        assert_next_word(state, &case);
    }
}

#[test]
fn randint_over_32_and_64_bit_ranges() {
    for case in vectors("randint") {
        let (low, high) = (case["low"].as_i64().unwrap(), case["high"].as_i64().unwrap());
        let mut state = state(&case);
        for expected in case["values"].as_array().unwrap() {
            assert_eq!(state.randint(low, high).unwrap(), expected.as_i64().unwrap(), "{case}");
        }
        assert_next_word(state, &case);
    }
}

#[test]
fn intervals_around_powers_of_two() {
    for case in vectors("interval") {
        let mut state = state(&case);
        for expected in case["values"].as_array().unwrap() {
            let drawn = state.interval(case["max"].as_u64().unwrap());
            assert_eq!(drawn, expected.as_u64().unwrap(), "{case}");
        }
        assert_next_word(state, &case);
    }
}

#[test]
fn sums_of_every_block_shape() {
    for case in vectors("pairwise_sum") {
        let n = case["n"].as_u64().unwrap();
        let mut state = RandomState::new(n as u32);
        let values: Vec<f64> = (0..n).map(|_| state.random_sample() * 1e3 - 500.0).collect();
        let expected = case["sum"].as_f64().unwrap();
        assert_eq!(pairwise_sum(&values).to_bits(), expected.to_bits(), "n = {n}");
    }
}
