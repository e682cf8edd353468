//! Figures: rows a second with and without the engine, one file at a time and two, and the memory that a run takes.
//!
//! `cargo run --profile figures -p spinney-scale --example throughput -- 5000000`
//!
//! Beside scikit-learn: `cargo xtask bench scale`, which has the files made (`prepare FOLDER ROWS`) and scored (`run FOLDER FILES_AT_A_TIME`).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for figures")]

#[path = "../tests/houses/mod.rs"]
mod houses;

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        datatypes::{Field, Float64Type, Int64Type},
    },
    common::config::ConfigOptions,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF},
};
use houses::{Houses, bundle, training_csv};
use ndarray::{Array1, Array2, ArrayViewMut1};
use spinney_artifact::ModelBundle;
use spinney_preprocess::Table;
use spinney_scale::{Batch, Engine, EngineOptions, Location, Model, Stores, inputs_in};

const FILES: usize = 8;
const BATCH: usize = 8192;
const TREES: usize = 100;
const SEED: u64 = 1;

fn main() {
    Engine::runtime().unwrap().block_on(start());
}

async fn start() {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prepare", folder, rows] => {
            prepare(Path::new(folder), rows.parse().unwrap());
        }
        ["run", folder, in_flight] => run(Path::new(folder), in_flight.parse().unwrap()).await,
        [rows] => measure(rows.parse().unwrap()).await,
        _ => println!(
            "usage: throughput ROWS, or prepare FOLDER ROWS, or run FOLDER FILES_AT_A_TIME"
        ),
    }
}

/// Writes the files, the bundle, and what that was fitted on.
fn prepare(folder: &Path, n_rows: usize) -> ModelBundle {
    let bundle = bundle(TREES, SEED);
    bundle.predictor();
    bundle.save(folder.join("houses.bundle")).unwrap();
    fs::write(folder.join("train.csv"), training_csv(SEED)).unwrap();
    fs::create_dir(folder.join("in")).unwrap();
    let rows = n_rows / FILES;
    for number in 0..FILES {
        Houses::draw((number * rows) as i64, rows, number as u64 + 10)
            .write_parquet(&folder.join(format!("in/part-{number}.parquet")));
    }
    bundle
}

async fn measure(n_rows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = prepare(folder.path(), n_rows);
    let houses = Houses::draw(0, 400_000, 3);
    let batch = houses.batch();
    let batches: Vec<RecordBatch> = (0..batch.num_rows())
        .step_by(BATCH)
        .map(|start| batch.slice(start, BATCH.min(batch.num_rows() - start)))
        .collect();
    let features: Vec<Array2<f64>> = batches
        .iter()
        .map(|batch| bundle.transform(&table(&bundle, batch)).unwrap().view().to_owned())
        .collect();
    let stores = Stores::default();
    let location = location(&folder.path().join("houses.bundle"));
    let predict = Model::load(&location, &stores).await.unwrap().predict();

    println!("{n_rows} rows in {FILES} files, {TREES} trees, {} features", features[0].ncols());
    println!("on arrays in memory, one thread, the best of 7 runs in turn:");
    let mut best = [Duration::MAX; 3];
    for _ in 0..7 {
        let runs: [&dyn Fn(); 3] = [
            &|| features.iter().for_each(|x| forest_alone(&bundle, x)),
            &|| batches.iter().for_each(|batch| bundle_alone(&bundle, batch)),
            &|| batches.iter().for_each(|batch| function(&predict, batch)),
        ];
        for (best, run) in best.iter_mut().zip(runs) {
            let start = Instant::now();
            run();
            *best = start.elapsed().min(*best);
        }
    }
    for (name, time) in
        ["forest on features", "bundle on the arrays", "predict() on the arrays"].iter().zip(best)
    {
        println!("  {name:<28} {:>9.0} rows/s", 400_000.0 / time.as_secs_f64());
    }
    println!("parquet to parquet, a process of its own:");
    let again = folder.path().join("again");
    child(folder.path(), 1, "one file at a time");
    child(folder.path(), 2, "two files at a time");
    fs::create_dir_all(again.join("in")).unwrap();
    fs::copy(folder.path().join("houses.bundle"), again.join("houses.bundle")).unwrap();
    for number in 0..FILES * 16 {
        let file = folder.path().join(format!("in/part-{}.parquet", number % FILES));
        fs::hard_link(file, again.join(format!("in/part-{number}.parquet"))).unwrap();
    }
    child(&again, 2, "16 times the files");
}

fn location(path: &Path) -> Location {
    Location::parse(path.to_str().unwrap()).unwrap()
}

fn forest_alone(bundle: &ModelBundle, x: &Array2<f64>) {
    let mut out = Array1::zeros(x.nrows());
    bundle.predictor().predict_on_this_thread(x.view(), out.view_mut()).unwrap();
    black_box(out);
}

fn table(bundle: &ModelBundle, batch: &RecordBatch) -> Table {
    let mut table = Table::builder(bundle.input_schema());
    let column = |name| batch.column_by_name(name).unwrap();
    let year = column("year").as_primitive::<Int64Type>();
    table.numbers("year", year.iter().map(|year| year.map(|year| year as f64))).unwrap();
    table.numbers("Area", column("Area").as_primitive::<Float64Type>()).unwrap();
    table.words("style", column("style").as_string::<i32>()).unwrap();
    table.words("street", column("street").as_string::<i32>()).unwrap();
    table.finish().unwrap()
}

fn bundle_alone(bundle: &ModelBundle, batch: &RecordBatch) {
    let features = bundle.transform(&table(bundle, batch)).unwrap();
    let mut out = vec![0.0; batch.num_rows()];
    let view = ArrayViewMut1::from(&mut out[..]);
    bundle.predictor().predict_on_this_thread(features.view(), view).unwrap();
    black_box(out);
}

fn function(predict: &ScalarUDF, batch: &RecordBatch) {
    let columns = ["year", "Area", "style", "street"];
    let arrays = columns.map(|name| Arc::clone(batch.column_by_name(name).unwrap()));
    let types = arrays.each_ref().map(|array| array.data_type().clone());
    let field = |data_type| Arc::new(Field::new("", data_type, true));
    let result = predict.invoke_with_args(ScalarFunctionArgs {
        return_field: field(predict.return_type(&types).unwrap()),
        arg_fields: types.map(field).to_vec(),
        args: arrays.map(ColumnarValue::Array).to_vec(),
        number_rows: batch.num_rows(),
        config_options: Arc::new(ConfigOptions::default()),
    });
    black_box(result.unwrap());
}

/// Runs a batch in a process of its own, whose memory is then that of the batch.
fn child(folder: &Path, in_flight: usize, name: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("run").arg(folder).arg(in_flight.to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!("  {name:<28} {said}{}", String::from_utf8_lossy(&output.stderr));
}

async fn run(folder: &Path, in_flight: usize) {
    let engine = Engine::embedded(&EngineOptions::default()).unwrap();
    let model = Model::load(&location(&folder.join("houses.bundle")), engine.stores()).await;
    let inputs = inputs_in(&location(&folder.join("in")), engine.stores()).await.unwrap();
    let output = folder.join("spinney");
    // What is there would be skipped.
    if output.exists() {
        fs::remove_dir_all(&output).unwrap();
    }
    let batch = Batch::new(model.unwrap(), inputs, location(&output));
    let batch = batch.in_flight(in_flight.try_into().unwrap());
    let start = Instant::now();
    let manifest = batch.run(&engine, |_| ()).await.unwrap();
    let rate = manifest.rows as f64 / start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim();
    println!("{rate:>9.0} rows/s, peak memory {peak}");
}
