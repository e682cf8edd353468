//! Files in, files out: the same numbers as the bundle's own, nothing lost, doubled, half written or done twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod houses;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use houses::{Houses, bundle, read_output};
use spinney_artifact::ModelBundle;
use spinney_scale::{Batch, Engine, EngineOptions, Error, Location, Manifest, Model, inputs_in};
use tempfile::TempDir;

/// A folder with a bundle and inputs, and the engine.
struct Work {
    folder: TempDir,
    bundle: ModelBundle,
    engine: Engine,
}

impl Work {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = bundle(10, 1);
        bundle.save(folder.path().join("houses.bundle")).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self { folder, bundle, engine: Engine::embedded(&EngineOptions::default()).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn location(&self, name: &str) -> Location {
        Location::parse(self.path(name).to_str().unwrap()).unwrap()
    }

    async fn model(&self) -> Model {
        Model::load(&self.location("houses.bundle"), self.engine.stores()).await.unwrap()
    }

    async fn batch(&self, inputs: &[&str]) -> Batch {
        let inputs = inputs.iter().map(|name| self.location(&format!("in/{name}"))).collect();
        Batch::new(self.model().await, inputs, self.location("out")).pause(Duration::ZERO)
    }

    /// Runs, and returns the names of the files that were not skipped.
    async fn run(&self, batch: &Batch) -> Result<(Manifest, Vec<String>), Error> {
        let mut scored = Vec::new();
        let manifest = batch
            .run(&self.engine, |done| {
                if !done.skipped {
                    scored.push(done.file.output.file_name());
                }
            })
            .await?;
        scored.sort();
        Ok((manifest, scored))
    }

    async fn error(&self, inputs: &[&str]) -> Error {
        self.run(&self.batch(inputs).await).await.unwrap_err()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_and_csv_give_the_bundles_own_numbers() {
    let work = Work::new();
    let parquet = Houses::draw(0, 20_000, 3);
    parquet.write_parquet(&work.path("in/a b#1.parquet"));
    let csv = Houses::draw(100_000, 5_000, 4);
    fs::write(work.path("in/c.csv"), csv.csv()).unwrap();
    let inputs = inputs_in(&work.location("in"), work.engine.stores()).await.unwrap();
    let batch = Batch::new(work.model().await, inputs, work.location("out"));
    let (manifest, scored) = work.run(&batch).await.unwrap();

    assert_eq!(scored, ["a b#1.parquet", "c.parquet"]);
    assert_eq!(manifest.rows, 25_000);
    for (name, houses) in [("a b#1.parquet", parquet), ("c.parquet", csv)] {
        let expected = houses.ids.iter().copied().zip(houses.predictions(&work.bundle));
        assert!(
            read_output(&work.path("out").join(name)) == expected.collect::<Vec<_>>(),
            "{name}"
        );
    }
    assert_eq!(
        names(&work.path("out")),
        ["_manifest.json", "_spinney", "a b#1.parquet", "c.parquet"]
    );
    assert_eq!(names(&work.path("out/_spinney")), ["a b#1.parquet.json", "c.parquet.json"]);
    let read = Manifest::read(&work.location("out"), work.engine.stores()).await.unwrap();
    assert_eq!(read, manifest);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_partitions_give_the_same_rows() {
    let work = Work::new();
    let houses = Houses::draw(0, 30_000, 5);
    houses.write_parquet(&work.path("in/a.parquet"));
    let options = EngineOptions::default().partitions(3.try_into().unwrap());
    let engine = Engine::embedded(&options).unwrap();
    work.batch(&["a.parquet"]).await.run(&engine, |_| ()).await.unwrap();
    let mut found = read_output(&work.path("out/a.parquet"));
    found.sort_unstable();
    let expected = houses.ids.iter().copied().zip(houses.predictions(&work.bundle));
    assert!(found == expected.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rows_give_an_output_without_rows() {
    let work = Work::new();
    Houses::draw(0, 0, 1).write_parquet(&work.path("in/a.parquet"));
    fs::write(work.path("in/b.csv"), Houses::draw(0, 0, 1).csv()).unwrap();
    let (manifest, _) = work.run(&work.batch(&["a.parquet", "b.csv"]).await).await.unwrap();
    assert_eq!(manifest.rows, 0);
    assert!(read_output(&work.path("out/a.parquet")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_does_what_is_left_and_gives_the_same_manifest() {
    let work = Work::new();
    for (number, name) in ["a.parquet", "b.parquet", "c.parquet", "d.parquet"].iter().enumerate() {
        Houses::draw(number as i64 * 1000, 500, number as u64 + 1)
            .write_parquet(&work.path("in").join(name));
    }
    let batch = work.batch(&["a.parquet", "b.parquet", "c.parquet", "d.parquet"]).await;
    let (first, scored) = work.run(&batch).await.unwrap();
    assert_eq!(scored.len(), 4);
    let text = fs::read(work.path("out/_manifest.json")).unwrap();
    let (second, scored) = work.run(&batch).await.unwrap();
    assert!(scored.is_empty(), "{scored:?}");
    assert_eq!(second, first);
    assert_eq!(fs::read(work.path("out/_manifest.json")).unwrap(), text);

    // Gone, cut off, somebody else's, and left over by a process that was killed.
    fs::remove_file(work.path("out/a.parquet")).unwrap();
    let whole = fs::read(work.path("out/b.parquet")).unwrap();
    fs::write(work.path("out/b.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::copy(work.path("in/c.parquet"), work.path("out/c.parquet")).unwrap();
    fs::create_dir(work.path("out/_spinney/unfinished")).unwrap();
    fs::write(work.path("out/_spinney/unfinished/d.parquet#1"), "half").unwrap();
    let (_, scored) = work.run(&batch).await.unwrap();
    assert_eq!(scored, ["a.parquet", "b.parquet", "c.parquet"]);
    assert_eq!(fs::read(work.path("out/b.parquet")).unwrap(), whole);
    assert!(!work.path("out/_spinney/unfinished").exists());

    // Another input of the same name, then another model.
    Houses::draw(0, 700, 9).write_parquet(&work.path("in/d.parquet"));
    let (manifest, scored) = work.run(&batch).await.unwrap();
    assert_eq!((manifest.rows, &scored[..]), (2200, &["d.parquet".to_owned()][..]));
    bundle(3, 2).save(work.path("houses.bundle")).unwrap();
    let batch = work.batch(&["a.parquet", "b.parquet", "c.parquet", "d.parquet"]).await;
    assert_eq!(work.run(&batch).await.unwrap().1.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_file_names_file_and_column() {
    let work = Work::new();
    let houses = Houses::draw(0, 10, 1);
    fs::write(work.path("in/lacks.csv"), "id,Area,style,street\n1,2,flat,x\n").unwrap();
    let error = work.error(&["lacks.csv"]).await;
    assert!(matches!(&error, Error::MissingColumn { column, .. } if column == "year"), "{error}");
    assert!(error.to_string().contains("in/lacks.csv: column `year` is not there"), "{error}");

    fs::write(work.path("in/twice.csv"), "id,Area,style,Area\n").unwrap();
    assert!(work.error(&["twice.csv"]).await.to_string().ends_with("column `Area` is there twice"));
    fs::write(work.path("in/taken.csv"), "prediction,year,Area,style,street\n").unwrap();
    let error = work.error(&["taken.csv"]).await;
    assert!(matches!(error, Error::PredictionColumn { .. }), "{error}");
    fs::write(work.path("in/empty.csv"), "").unwrap();
    assert!(matches!(work.error(&["empty.csv"]).await, Error::CsvHeader { .. }));

    houses.write_parquet(&work.path("in/whole.parquet"));
    let whole = fs::read(work.path("in/whole.parquet")).unwrap();
    for length in [0, 3, whole.len() / 2, whole.len() - 1] {
        fs::write(work.path("in/cut.parquet"), &whole[..length]).unwrap();
        let error = work.error(&["cut.parquet"]).await;
        assert!(matches!(&error, Error::Parquet { file, .. } if file.ends_with("in/cut.parquet")));
    }
    let error = work.error(&["nowhere.parquet"]).await;
    assert!(
        matches!(&error, Error::Storage { location, .. } if location.ends_with("nowhere.parquet"))
    );
    // Nothing of all that was written, and no manifest.
    assert_eq!(names(&work.path("out")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_scored_leave_no_output() {
    let work = Work::new();
    let header = "id,year,Area,style,street\n";
    fs::write(work.path("in/ragged.csv"), format!("{header}1,2,3,flat,x\n1,2\n")).unwrap();
    fs::write(work.path("in/words.csv"), format!("{header}1,2,3,flat,x\n2,new,3,flat,x\n"))
        .unwrap();
    for name in ["ragged.csv", "words.csv"] {
        let error = work.error(&[name]).await;
        assert!(matches!(&error, Error::Job { file, .. } if file.ends_with(name)), "{error}");
    }
    let error = work.error(&["words.csv"]).await;
    let Error::Job { attempts, source, .. } = error else { panic!("{error}") };
    assert_eq!(attempts, 1, "another attempt would not help");
    assert!(said(&source).contains("row 1: column `year` is numeric, found \"new\""), "{source}");
    let mut houses = Houses::draw(0, 20_000, 1);
    houses.area[19_000] = Some(f64::INFINITY);
    houses.write_parquet(&work.path("in/infinite.parquet"));
    let error = work.error(&["infinite.parquet"]).await;
    assert!(said(&error).contains("column `Area` has an infinite number"), "{error}");
    assert_eq!(names(&work.path("out")), ["_spinney"]);
    assert_eq!(names(&work.path("out/_spinney")), [""; 0]);
}

/// An error with all its causes.
fn said(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", said(source)),
        None => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_that_clash_are_refused_before_anything_is_done() {
    let work = Work::new();
    let model = work.model().await;
    let refuse = async |inputs: &[&str], output: &str| {
        let inputs = inputs.iter().map(|name| work.location(name)).collect();
        let batch = Batch::new(model.clone(), inputs, work.location(output));
        work.run(&batch).await.unwrap_err()
    };
    assert!(matches!(refuse(&[], "out").await, Error::NoInput { .. }));
    assert!(matches!(refuse(&["a.txt"], "out").await, Error::UnknownFormat { .. }));
    assert!(matches!(refuse(&["x/a.csv", "y/a.pq"], "out").await, Error::SameOutput { .. }));
    assert!(matches!(refuse(&["in/a.parquet"], "in").await, Error::OverwritesInput { .. }));
    assert!(!work.path("out").exists());
    let error = inputs_in(&work.location("in"), work.engine.stores()).await.unwrap_err();
    assert!(matches!(error, Error::NoInput { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_fails_ends_the_run_and_the_next_one_goes_on() {
    let work = Work::new();
    for name in ["a", "b", "c"] {
        Houses::draw(0, 100, 1).write_parquet(&work.path(&format!("in/{name}.parquet")));
    }
    // A folder where the output should be cannot be written, however often it is tried.
    fs::create_dir_all(work.path("out/b.parquet/x")).unwrap();
    let batch = work.batch(&["a.parquet", "b.parquet", "c.parquet"]).await;
    let batch = batch.in_flight(1.try_into().unwrap()).attempts(3);
    let error = work.run(&batch).await.unwrap_err();
    assert!(
        matches!(&error, Error::Storage { location, .. } if location.ends_with("out/b.parquet")),
        "{error}"
    );
    assert_eq!(names(&work.path("out")), ["_spinney", "a.parquet", "b.parquet"]);

    fs::remove_dir_all(work.path("out/b.parquet")).unwrap();
    assert_eq!(work.run(&batch).await.unwrap().1, ["b.parquet", "c.parquet"]);
}
