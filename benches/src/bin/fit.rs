//! Fits one forest and prints the CPU seconds that took, and R² of rows held out, as JSON: `fit spinney|spinney_fast|smartcore FOLDER DATA TREES`.
//! `benches/peers/training.py` runs it beside the Python peers.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{env, num::NonZeroUsize, path::Path};

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;
use serde_json::json;
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};
use spinney_forest::{Fidelity, RandomForest, metrics::r2_score};

struct Data {
    x: Array2<f32>,
    y: Array1<f64>,
    x_test: Array2<f32>,
    y_test: Array1<f64>,
}

impl Data {
    fn read(folder: &str, name: &str) -> Result<Self> {
        let path = |part| Path::new(folder).join(format!("{name}_{part}.npy"));
        Ok(Self {
            x: read_npy(path("x"))?,
            y: read_npy(path("y"))?,
            x_test: read_npy(path("x_test"))?,
            y_test: read_npy(path("y_test"))?,
        })
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [program, folder, name, n_trees] = args.as_slice() else {
        bail!("usage: fit spinney|spinney_fast|smartcore FOLDER DATA TREES")
    };
    let data = Data::read(folder, name)?;
    let n_trees = n_trees.parse().context("TREES")?;
    let (seconds, prediction) = match program.as_str() {
        "spinney" => spinney(&data, n_trees, Fidelity::Exact)?,
        "spinney_fast" => spinney(&data, n_trees, Fidelity::Fast)?,
        "smartcore" => smartcore(&data, n_trees)?,
        other => bail!("there is no program {other}"),
    };
    let r2 = r2_score(data.y_test.view(), prediction.view())?;
    println!("{}", json!({"seconds": seconds, "r2": r2}));
    Ok(())
}

fn spinney(data: &Data, n_trees: usize, fidelity: Fidelity) -> Result<(f64, Array1<f64>)> {
    let params = RandomForest::params()
        .n_estimators(n_trees)
        .fidelity(fidelity)
        .seed(42)
        .n_threads(NonZeroUsize::new(1));
    let start = ProcessTime::now();
    let forest = params.fit_arrays(data.x.view(), data.y.view())?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, forest.try_predict(data.x_test.view())?))
}

fn smartcore(data: &Data, n_trees: usize) -> Result<(f64, Array1<f64>)> {
    let matrix = |x: &Array2<f32>| {
        let (n_rows, n_columns) = x.dim();
        let values = x.iter().map(|&value| f64::from(value)).collect();
        DenseMatrix::new(n_rows, n_columns, values, false)
    };
    let (x, y) = (matrix(&data.x)?, data.y.to_vec());
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(n_trees)
        .with_m(data.x.ncols())
        .with_min_samples_leaf(1)
        .with_min_samples_split(2)
        .with_seed(42);
    let start = ProcessTime::now();
    let forest = RandomForestRegressor::fit(&x, &y, parameters)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, forest.predict(&matrix(&data.x_test)?)?.into()))
}
