//! Random data and random options against the installed scikit-learn: the same bytes, case by case.
//!
//! `cargo xtask test` sets scikit-learn up and runs this.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use std::{env, fs, path::Path, process::Command};

use fixture::{params, sha256_f64, sha256_hex};
use ndarray::{Array1, Array2};
use serde_json::{Map, Value, json};
use spinney_forest::{ExtraTrees, RandomForest};
use spinney_numpy_random::RandomState;

const N_CASES: u32 = 1500;

#[test]
#[ignore = "needs scikit-learn: run by cargo xtask test"]
fn random_forests_are_scikit_learns() {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = (0..N_CASES).map(Case::draw).collect();
    for (number, case) in cases.iter().enumerate() {
        let x: Vec<u8> = case.x.iter().flat_map(|value| value.to_le_bytes()).collect();
        let y: Vec<u8> = case.y.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.path().join(format!("{number}_x.bin")), x).unwrap();
        fs::write(folder.path().join(format!("{number}_y.bin")), y).unwrap();
        if let Some(weight) = &case.weight {
            let weight: Vec<u8> = weight.iter().flat_map(|value| value.to_le_bytes()).collect();
            fs::write(folder.path().join(format!("{number}_w.bin")), weight).unwrap();
        }
    }
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| {
            let shape = [case.x.nrows(), case.x.ncols()];
            let (weighted, extra_trees) = (case.weight.is_some(), case.extra_trees);
            json!({"shape": shape, "params": case.params, "weighted": weighted, "extra_trees": extra_trees})
        })
        .collect();
    fs::write(folder.path().join("cases.json"), json!(asked).to_string()).unwrap();

    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var("SPINNEY_PEERS_PYTHON").expect("cargo xtask test sets this");
    let mut peer = Command::new(python);
    peer.arg(here.join("tests/peers/scikit_learn.py")).arg(folder.path());
    let status = peer.env("PYTHONPATH", here.join("../../fixtures")).status().unwrap();
    assert!(status.success());
    let answers = fs::read_to_string(folder.path().join("answers.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_str(&answers).unwrap();
    assert_eq!(answers.len(), cases.len());

    let mut different = Vec::new();
    for ((number, case), answer) in cases.iter().enumerate().zip(answers) {
        let defaults = if case.extra_trees { ExtraTrees::params() } else { RandomForest::params() };
        let forest = params(defaults, &json!(case.params));
        let forest = match &case.weight {
            None => forest.fit_arrays(case.x.view(), case.y.view()),
            Some(weight) => forest.fit_weighted(case.x.view(), case.y.view(), weight.view()),
        }
        .unwrap();
        let prediction = forest.try_predict(case.x.view()).unwrap();
        let found = json!({
            "forest": sha256_hex(&forest.to_canonical_bytes()),
            "prediction": sha256_f64(prediction.view()),
            "importances": sha256_f64(forest.feature_importances().view()),
        });
        if found != answer {
            different.push(format!("case {number}: {case:?}\n{found}\n{answer}"));
        }
    }
    let (n_different, first) = (different.len(), different.first());
    assert!(first.is_none(), "{n_different} of {N_CASES} differ, the first: {}", first.unwrap());
}

#[derive(Debug)]
struct Case {
    x: Array2<f32>,
    y: Array1<f64>,
    weight: Option<Array1<f64>>,
    extra_trees: bool,
    params: Map<String, Value>,
}

impl Case {
    fn draw(number: u32) -> Self {
        let mut draw = Draw(RandomState::new(number));
        let (n_rows, n_features) = match draw.up_to(3) {
            0 => (1 + draw.up_to(6), 1 + draw.up_to(3)),
            1 | 2 => (1 + draw.up_to(60), 1 + draw.up_to(6)),
            _ => (1 + draw.up_to(400), 1 + draw.up_to(20)),
        };
        let mut x = Array2::zeros((n_rows, n_features));
        for mut column in x.columns_mut() {
            let kind = draw.up_to(7);
            let gaps = draw.up_to(3) == 0;
            column.mapv_inplace(|_| draw.cell(kind, gaps));
        }
        let kind = draw.up_to(6);
        let mut y = Array1::from_shape_simple_fn(n_rows, || draw.target(kind));
        let weight = (draw.up_to(3) == 0).then(|| draw.weights(n_rows));
        let extra_trees = draw.up_to(3) == 0;
        let mut params = draw.params(n_rows, n_features, extra_trees);
        if params.get("criterion") == Some(&json!("poisson")) {
            y.mapv_inplace(f64::abs);
            y[0] += 1.0;
        }
        // Bootstrap with weights draws by shares: a fraction of very little weight draws nothing of use.
        if weight.is_some() && params.get("max_samples").is_some_and(|n| !n.is_u64()) {
            params.remove("max_samples");
        }
        Self { x, y, weight, extra_trees, params }
    }
}

struct Draw(RandomState);

impl Draw {
    fn up_to(&mut self, max: u64) -> usize {
        self.0.interval(max) as usize
    }

    fn cell(&mut self, kind: usize, gaps: bool) -> f32 {
        if gaps && self.up_to(4) == 0 {
            return f32::NAN;
        }
        match kind {
            0 => self.up_to(1) as f32,
            1 => self.up_to(5) as f32,
            2 => 7.0,
            // Neighbours around the distance at which values count as equal.
            3 => 1e-7 * self.up_to(6) as f32,
            4 => 1.0 + 6e-8 * self.up_to(9) as f32,
            5 => (self.0.random_sample() as f32 - 0.5) * 1e30,
            6 => -(self.up_to(40) as f32) / 8.0,
            _ => self.0.random_sample() as f32,
        }
    }

    fn target(&mut self, kind: usize) -> f64 {
        match kind {
            0 => 50_000.0 + 100.0 * self.up_to(7000) as f64,
            1 => self.up_to(3) as f64,
            2 => 12.5,
            3 => (1.0 + self.up_to(755_000) as f64).ln(),
            4 => (self.0.random_sample() - 0.5) * 1e12,
            5 => self.0.random_sample() * 1e-12,
            _ => self.0.random_sample(),
        }
    }

    fn weights(&mut self, n_rows: usize) -> Array1<f64> {
        let kind = self.up_to(2);
        let weight = |_| match kind {
            0 => self.up_to(3) as f64,
            1 => self.0.random_sample() * 10.0,
            _ => 0.25,
        };
        let mut weights: Array1<f64> = (0..n_rows).map(weight).collect();
        weights[0] += 1.0;
        weights
    }

    fn params(
        &mut self,
        n_rows: usize,
        n_features: usize,
        extra_trees: bool,
    ) -> Map<String, Value> {
        let mut params = Map::new();
        let mut set = |name: &str, value: Value| params.insert(name.to_owned(), value);
        set("n_estimators", json!(1 + self.up_to(4)));
        set("random_state", json!(self.0.next_u32()));
        match self.up_to(5) {
            0 => drop(set("max_features", json!("sqrt"))),
            1 => drop(set("max_features", json!("log2"))),
            2 => drop(set("max_features", json!(1 + self.up_to(24)))),
            3 => drop(set("max_features", json!(0.01 + 0.99 * self.0.random_sample()))),
            _ => {}
        }
        if self.up_to(3) == 0 {
            set("max_depth", json!(1 + self.up_to(8)));
        }
        match self.up_to(5) {
            0 => drop(set("min_samples_split", json!(2 + self.up_to(20)))),
            1 => drop(set("min_samples_split", json!(0.001 + 0.5 * self.0.random_sample()))),
            _ => {}
        }
        match self.up_to(5) {
            0 => drop(set("min_samples_leaf", json!(1 + self.up_to(10)))),
            1 => drop(set("min_samples_leaf", json!(0.001 + 0.4 * self.0.random_sample()))),
            _ => {}
        }
        if self.up_to(4) == 0 {
            set("min_impurity_decrease", json!(self.0.random_sample()));
        }
        match self.up_to(7) {
            0 | 1 => drop(set("criterion", json!("absolute_error"))),
            2 | 3 => drop(set("criterion", json!("poisson"))),
            _ => {}
        }
        if self.up_to(3) == 0 {
            set("max_leaf_nodes", json!(2 + self.up_to(30)));
        }
        if self.up_to(4) == 0 {
            set("min_weight_fraction_leaf", json!(0.5 * self.0.random_sample()));
        }
        if self.up_to(3) == 0 {
            let scale = [1e-13, 1e-3, 1.0, 1e8][self.up_to(3)];
            set("ccp_alpha", json!(scale * self.0.random_sample()));
        }
        if self.up_to(3) == 0 {
            let constraints: Vec<i8> = (0..n_features).map(|_| self.up_to(2) as i8 - 1).collect();
            set("monotonic_cst", json!(constraints));
        }
        if self.up_to(3) == 0 || extra_trees && self.up_to(1) == 0 {
            set("bootstrap", json!(false));
        } else {
            set("bootstrap", json!(true));
            match self.up_to(3) {
                0 => drop(set("max_samples", json!(1 + self.up_to(2 * n_rows as u64)))),
                1 => drop(set("max_samples", json!(0.05 + self.0.random_sample()))),
                _ => {}
            }
        }
        params
    }
}
