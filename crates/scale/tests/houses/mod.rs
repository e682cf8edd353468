//! A bundle with numbers, gaps and words, and files of rows for it.
#![allow(dead_code, reason = "not every test binary uses all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs::File, path::Path, sync::Arc};

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{Float64Type, Int64Type},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{Impute, InputSchema, Preprocessor, Table};

/// Numbers from 0 to 1 that follow from a seed.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Rows of houses: an id, numbers with gaps, words with gaps, some of which training does not show.
#[derive(Debug, Clone)]
pub(crate) struct Houses {
    pub(crate) ids: Vec<i64>,
    pub(crate) area: Vec<Option<f64>>,
    pub(crate) year: Vec<Option<i64>>,
    pub(crate) style: Vec<Option<String>>,
    pub(crate) street: Vec<Option<String>>,
}

impl Houses {
    pub(crate) fn draw(first_id: i64, n_rows: usize, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut houses = Self {
            ids: (first_id..).take(n_rows).collect(),
            area: Vec::new(),
            year: Vec::new(),
            style: Vec::new(),
            street: Vec::new(),
        };
        for _ in 0..n_rows {
            let missing = |draw: &mut Draw| draw.next() < 0.1;
            let area = (!missing(&mut draw)).then(|| draw.next() * 300.0);
            let year = (!missing(&mut draw)).then(|| 1900 + (draw.next() * 120.0) as i64);
            let style = ["flat", "house", "loft", "tent"][(draw.next() * 4.0) as usize];
            let street = format!("street {}", (draw.next() * 30.0) as usize);
            houses.area.push(area);
            houses.year.push(year);
            houses.style.push((!missing(&mut draw)).then(|| style.to_owned()));
            houses.street.push((!missing(&mut draw)).then_some(street));
        }
        houses
    }

    pub(crate) fn batch(&self) -> RecordBatch {
        let columns: [(&str, ArrayRef); 5] = [
            ("id", Arc::new(Int64Array::from(self.ids.clone()))),
            ("style", Arc::new(StringArray::from(self.style.clone()))),
            ("Area", Arc::new(Float64Array::from(self.area.clone()))),
            ("year", Arc::new(Int64Array::from(self.year.clone()))),
            ("street", Arc::new(StringArray::from(self.street.clone()))),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, name != "id")),
        )
        .unwrap()
    }

    pub(crate) fn write_parquet(&self, path: &Path) {
        let batch = self.batch();
        let mut writer =
            ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    pub(crate) fn csv(&self) -> String {
        let mut csv = "street,id,Area,style,year\r\n".to_owned();
        let text = |value: Option<String>| value.unwrap_or_else(|| "NA".to_owned());
        for row in 0..self.ids.len() {
            csv += &format!(
                "\"{}\",{},{},{},{}\r\n",
                text(self.street[row].clone()),
                self.ids[row],
                self.area[row].map(|area| format!(" {area}")).unwrap_or_default(),
                text(self.style[row].clone()),
                text(self.year[row].map(|year| year.to_string())),
            );
        }
        csv
    }

    /// What the bundle predicts of the rows when nothing of this crate is between.
    pub(crate) fn predictions(&self, bundle: &ModelBundle) -> Vec<u64> {
        let table = Table::from_csv_reader(self.csv().as_bytes(), bundle.input_schema()).unwrap();
        bits(bundle.predict(&table).unwrap().as_slice().unwrap())
    }
}

pub(crate) fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Houses with their prices, none of which is a tent.
pub(crate) fn training_csv(seed: u64) -> String {
    let mut houses = Houses::draw(0, 600, seed);
    for style in &mut houses.style {
        style.take_if(|style| style == "tent");
    }
    let mut draw = Draw::new(seed + 1);
    houses
        .csv()
        .lines()
        .enumerate()
        .map(|(line, text)| match line {
            0 => format!("{text},price\n"),
            _ => format!("{text},{}\n", 1e5 + draw.next() * 4e5),
        })
        .collect()
}

pub(crate) fn bundle(n_trees: usize, seed: u64) -> ModelBundle {
    let schema = InputSchema::builder()
        .numeric(["year", "Area"])
        .categorical(["style", "street"])
        .target("price")
        .build()
        .unwrap();
    let csv = training_csv(seed);
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema)
        .impute("Area", Impute::Median)
        .one_hot(["style", "street"])
        .build()
        .unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let params = RandomForest::params().n_estimators(n_trees).seed(7);
    let forest = params.fit_arrays(x.view(), table.target().unwrap().into()).unwrap();
    ModelBundle::new(transformer, forest, BundleMetadata::new("houses", "1")).unwrap()
}

/// Ids and predictions of an output, in its order.
pub(crate) fn read_output(path: &Path) -> Vec<(i64, u64)> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let predictions = batch.column_by_name("prediction").unwrap();
        let predictions = predictions.as_primitive::<Float64Type>();
        assert_eq!(predictions.null_count(), 0);
        let ids = batch.column_by_name("id").unwrap();
        let ids: Vec<i64> = match ids.as_primitive_opt::<Int64Type>() {
            Some(ids) => ids.values().to_vec(),
            None => ids.as_string::<i32>().iter().map(|id| id.unwrap().parse().unwrap()).collect(),
        };
        rows.extend(ids.into_iter().zip(predictions.values().iter().map(|p| p.to_bits())));
    }
    rows
}
