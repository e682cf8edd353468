//! Times bundles for `benches/peers/bundle.py`, which asks on standard input, one repetition at a time.
//!
//! Called as `bundles FOLDER TREES`: fits a forest on the Ames data in FOLDER, saves a bundle and says `ready`, with the bundle's
//! bytes and the forest's nodes. Each line of input is then answered with milliseconds: `save`, `load`, `load+nodes` (and the
//! nodes are unpacked), `inspect` (the header only), `read+hash` (reading the file and hashing it, which no format can do without), `compile`.
#![expect(clippy::print_stdout, reason = "it answers on standard output")]

use std::{env, fmt::Write as _, fs, hint::black_box, io, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;
use sha2::{Digest, Sha256};
use spinney_artifact::{BundleInfo, BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{InputSchema, Preprocessor, Table};

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, n_trees] = args.as_slice() else { bail!("usage: bundles FOLDER TREES") };
    let bundle = train(Path::new(folder), n_trees.parse().context("TREES")?)?;
    let path = Path::new(folder).join("ames.bundle");
    bundle.save(&path)?;
    let n_nodes: usize = bundle.forest().trees().iter().map(|tree| tree.nodes().len()).sum();
    println!("ready {} {n_nodes}", fs::metadata(&path)?.len());
    for line in io::stdin().lines() {
        let start = Instant::now();
        match line?.as_str() {
            "save" => bundle.save(&path)?,
            "load" => drop(black_box(ModelBundle::load(&path)?)),
            "load+nodes" => {
                let bundle = ModelBundle::load(&path)?;
                black_box(bundle.forest());
            }
            "inspect" => drop(black_box(BundleInfo::read(&path)?)),
            "read+hash" => drop(black_box(Sha256::digest(fs::read(&path)?))),
            "compile" => drop(black_box(bundle.forest().compile())),
            other => bail!("there is no task {other}"),
        }
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

fn train(folder: &Path, n_trees: usize) -> Result<ModelBundle> {
    let x: Array2<f32> = read_npy(folder.join("ames_x.npy"))?;
    let y: Array1<f64> = read_npy(folder.join("ames_y.npy"))?;
    let names: Vec<String> = (0..x.ncols()).map(|column| format!("f{column}")).collect();
    let schema =
        InputSchema::builder().numeric(names.iter().map(String::as_str)).target("y").build()?;
    let mut csv = format!("{},y\n", names.join(","));
    for (row, y) in x.rows().into_iter().zip(&y) {
        for value in row {
            write!(csv, "{value},")?;
        }
        writeln!(csv, "{y}")?;
    }
    let table = Table::from_csv_reader(csv.as_bytes(), &schema)?;
    let (transformer, x) = Preprocessor::builder(&schema).build()?.fit_transform(&table)?;
    let params = RandomForest::params().n_estimators(n_trees).seed(42);
    let forest = params.fit_arrays(x.view(), y.view())?;
    Ok(ModelBundle::new(transformer, forest, BundleMetadata::new("ames", "1"))?)
}
