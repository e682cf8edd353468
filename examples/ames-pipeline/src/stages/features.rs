//! Features between steps, as CSV with a name for each.

use std::path::Path;

use anyhow::{Result, ensure};
use ndarray::{Array2, ArrayView2};
use spinney_preprocess::{FeatureSchema, InputSchema, Table};

use super::rows;

pub(super) fn write(path: &Path, schema: &FeatureSchema, x: ArrayView2<'_, f64>) -> Result<()> {
    let names: Vec<&str> = schema.names().iter().map(String::as_str).collect();
    let records = x.rows().into_iter();
    let records =
        records.map(|row| row.iter().map(|number| rows::field(*number)).collect::<Vec<String>>());
    rows::write_records(path, &names, records)
}

/// Reads the features that a model was trained on, or is to be, by their names.
pub(super) fn read(path: &Path, schema: &FeatureSchema) -> Result<Array2<f64>> {
    let numeric = InputSchema::builder().numeric(schema.names()).build()?;
    let table = Table::from_csv_path(path, &numeric)?;
    ensure!(table.n_rows() > 0, "{}: there are no rows", path.display());
    let mut x = Array2::zeros((table.n_rows(), schema.len()));
    for (mut feature, (_, column)) in x.columns_mut().into_iter().zip(table.columns()) {
        let numbers = column.as_numeric().unwrap_or_default();
        feature.iter_mut().zip(numbers).for_each(|(value, number)| *value = *number);
    }
    Ok(x)
}

/// Features and what belongs to them must have the same rows.
pub(super) fn check_rows(x: (&Path, usize), y: (&Path, usize)) -> Result<()> {
    let ((x, n_x), (y, n_y)) = (x, y);
    ensure!(n_x == n_y, "{} has {n_x} rows, and {} has {n_y}", x.display(), y.display());
    Ok(())
}
