//! Times Spinney's predictions for `benches/peers/prediction.py`, which asks on standard input, one repetition at a time.
//!
//! Called as `predict FOLDER N_FEATURES N_ESTIMATORS MAX_FEATURES`: fits on `x.bin` (f32) and `y.bin` (f64) of the folder, writes
//! the predictions for `rows.bin` to `ours.bin` and says `ready`, with the milliseconds that compiling took, the predictor's bytes
//! and the forest's nodes. Each line of input is then answered with nanoseconds per row:
//!
//! - `reference FROM TO`, `batch FROM TO`: these rows in one call, by the forest and by the predictor
//! - `single FROM TO`: these rows, a call for each
//! - `cold ROW`: one row, after 4 MB of other memory were walked through
#![expect(clippy::print_stdout, reason = "it answers on standard output")]

use std::{
    env, fs,
    hint::black_box,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ndarray::{Array1, Array2, s};
use spinney_forest::{MaxFeatures, Predictor, RandomForest};

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, n_features, n_estimators, max_features] = args.as_slice() else {
        bail!("usage: predict FOLDER N_FEATURES N_ESTIMATORS MAX_FEATURES");
    };
    let folder = PathBuf::from(folder);
    let n_features = n_features.parse()?;
    let x = matrix(&folder.join("x.bin"), n_features)?;
    let y: Array1<f64> = numbers(&folder.join("y.bin"), f64::from_le_bytes)?.into();
    let rows = matrix(&folder.join("rows.bin"), n_features)?;
    let params = RandomForest::params().n_estimators(n_estimators.parse()?).seed(42);
    let max_features: MaxFeatures = max_features.parse()?;
    let forest = params.max_features(max_features).fit_arrays(x.view(), y.view())?;

    let (compiling, predictor) = timed(|| forest.compile());
    let predictions = predictor.predict(rows.view())?;
    let bytes: Vec<u8> = predictions.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(folder.join("ours.bin"), bytes)?;
    let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
    let milliseconds = compiling.as_secs_f64() * 1e3;
    println!("ready {milliseconds} {} {n_nodes}", predictor.memory_bytes());

    let other = vec![1; (4 << 20) / size_of::<u64>()];
    let mut bench = Bench { forest, predictor, rows, other };
    for line in io::stdin().lines() {
        println!("{}", bench.nanoseconds_per_row(&line?)?);
    }
    Ok(())
}

struct Bench {
    forest: RandomForest,
    predictor: Predictor,
    rows: Array2<f32>,
    /// Walked through to push the predictor out of the cache.
    other: Vec<u64>,
}

impl Bench {
    fn nanoseconds_per_row(&mut self, question: &str) -> Result<f64> {
        let words: Vec<&str> = question.split(' ').collect();
        let (from, to) = match words[1..] {
            [row] => (row.parse()?, row.parse::<usize>()? + 1),
            [from, to] => (from.parse()?, to.parse()?),
            _ => bail!("not a question: {question}"),
        };
        let rows = self.rows.slice(s![from..to, ..]);
        let mut out = Array1::zeros(rows.nrows());
        let cells = rows.to_slice().context("the rows are not one after the other")?;
        let single = || {
            cells.chunks_exact(rows.ncols()).try_for_each(|row| {
                black_box(self.predictor.predict_row(row)?);
                Ok(())
            })
        };
        let (time, result) = match words[0] {
            "reference" => timed(|| self.forest.try_predict_into(rows, out.view_mut())),
            "batch" => timed(|| self.predictor.predict_into(rows, out.view_mut())),
            "single" => timed(single),
            "cold" => {
                self.other.iter_mut().for_each(|word| *word = word.wrapping_mul(3));
                black_box(&self.other);
                timed(single)
            }
            other => bail!("not a question: {other}"),
        };
        result?;
        black_box(out);
        Ok(time.as_nanos() as f64 / (to - from) as f64)
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn matrix(path: &Path, n_columns: usize) -> Result<Array2<f32>> {
    let cells = numbers(path, f32::from_le_bytes)?;
    Ok(Array2::from_shape_vec((cells.len() / n_columns, n_columns), cells)?)
}

fn numbers<T, const N: usize>(path: &Path, from_le_bytes: fn([u8; N]) -> T) -> Result<Vec<T>> {
    let bytes = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| from_le_bytes(*bytes)).collect())
}
