//! Raw rows between steps, as CSV: numbers in the shortest form that comes back bit for bit, missing values as empty fields.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use spinney_preprocess::{Column, InputSchema, Table};

/// Writes the feature columns of a table.
pub(super) fn write(path: &Path, table: &Table) -> Result<()> {
    let (names, columns): (Vec<&str>, Vec<Vec<String>>) =
        table.columns().map(|(name, column)| (name, fields(column))).unzip();
    write_columns(path, &names, &columns)
}

/// Writes the values to be predicted.
pub(super) fn write_target(path: &Path, table: &Table) -> Result<()> {
    let name = table.schema().target().unwrap_or_default();
    let fields = table.target()?.iter().map(|number| field(*number)).collect();
    write_columns(path, &[name], &[fields])
}

/// Reads the values to be predicted. None may be missing.
pub(super) fn read_target(path: &Path, schema: &InputSchema) -> Result<Vec<f64>> {
    let name = schema.target().unwrap_or_default();
    // Among the columns, so that its absence is an error of the file.
    let alone = InputSchema::builder().numeric([name]).build()?;
    let table = Table::from_csv_path(path, &alone)?;
    let numbers = table.column(name).and_then(Column::as_numeric).unwrap_or_default();
    if let Some(row) = numbers.iter().position(|number| number.is_nan()) {
        anyhow::bail!("{}: column `{name}` is missing", table.position(row));
    }
    Ok(numbers.to_vec())
}

/// Writes columns of equal length.
pub(super) fn write_columns(path: &Path, names: &[&str], columns: &[Vec<String>]) -> Result<()> {
    let n_rows = columns.first().map_or(0, Vec::len);
    let rows = (0..n_rows).map(|row| columns.iter().filter_map(move |column| column.get(row)));
    write_records(path, names, rows)
}

pub(super) fn write_records<R>(
    path: &Path,
    names: &[&str],
    rows: impl Iterator<Item = R>,
) -> Result<()>
where
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let written = || -> Result<()> {
        make_folder_of(path)?;
        let mut writer = csv::Writer::from_path(path)?;
        writer.write_record(names)?;
        for row in rows {
            writer.write_record(row)?;
        }
        Ok(writer.flush()?)
    };
    written().with_context(|| format!("could not write {}", path.display()))
}

/// Writes a file of text.
pub(super) fn write_text(path: &Path, text: &str) -> Result<()> {
    make_folder_of(path)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("could not write {}", path.display()))
}

/// Azure ML makes the folders of outputs; who runs a stage by hand may not have.
pub(super) fn make_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn fields(column: &Column) -> Vec<String> {
    match (column.as_numeric(), column.as_categorical()) {
        (Some(numbers), _) => numbers.iter().map(|number| field(*number)).collect(),
        (None, Some(words)) => {
            words.iter().map(|word| word.unwrap_or_default().to_owned()).collect()
        }
        (None, None) => Vec::new(),
    }
}

/// A number as a field. Rust writes the shortest text that reads as the same number.
pub(super) fn field(number: f64) -> String {
    if number.is_nan() { String::new() } else { number.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_bit_for_bit() {
        let schema = InputSchema::builder()
            .numeric(["x", "y"])
            .categorical(["word"])
            .target("price")
            .build()
            .unwrap();
        let csv = "word,price,x,y\n\"a, b \"\"c\"\"\",0.1,-0.0,5e-324\n,1e300,0.30000000000000004,\nd,2,1.7976931348623157e308,123456789.12345679\n";
        let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("deep/X"), folder.path().join("y"));
        write(&x, &table).unwrap();
        write_target(&y, &table).unwrap();
        let again = Table::from_csv_path(&x, &schema).unwrap();
        for name in ["x", "y"] {
            let bits = |table: &Table| -> Vec<u64> {
                let numbers = table.column(name).and_then(Column::as_numeric).unwrap();
                numbers.iter().map(|number| number.to_bits()).collect()
            };
            assert_eq!(bits(&again), bits(&table), "{name}");
        }
        assert_eq!(again.column("word"), table.column("word"));
        assert_eq!(read_target(&y, &schema).unwrap(), table.target().unwrap());
    }

    #[test]
    fn a_missing_target_has_a_line() {
        let schema = InputSchema::builder().numeric(["x"]).target("price").build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.csv");
        fs::write(&path, "price\n1\nNA\n").unwrap();
        let error = read_target(&path, &schema).unwrap_err().to_string();
        assert!(error.contains("y.csv") && error.contains("line 3"), "{error}");
    }
}
