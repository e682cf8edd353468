//! The predict function: the bundle's own numbers, bit for bit, from any array that holds the rows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod houses;

use std::sync::{Arc, OnceLock};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Float64Array, NullArray},
        compute::cast,
        datatypes::{DataType, Field, Float64Type},
    },
    common::config::ConfigOptions,
    error::DataFusionError,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF},
};
use datafusion_proto::{
    logical_plan::LogicalExtensionCodec, physical_plan::PhysicalExtensionCodec,
};
use houses::{Houses, bits, bundle};
use proptest::prelude::*;
use spinney_artifact::ModelBundle;
use spinney_preprocess::{Record, Table, Value};
use spinney_scale::{
    Engine, EngineOptions, Error, Location, LogicalCodec, Model, PhysicalCodec, Stores,
};

/// A bundle and its function, loaded once for all tests.
fn shared() -> &'static (ModelBundle, Model, ScalarUDF) {
    static SHARED: OnceLock<(ModelBundle, Model, ScalarUDF)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("houses.bundle");
        let bundle = bundle(8, 1);
        bundle.save(&path).unwrap();
        let model = load(&path);
        let predict = model.predict();
        (bundle, model, predict)
    })
}

fn load(path: &std::path::Path) -> Model {
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Model::load(&location, &Stores::default())).unwrap()
}

fn call(function: &ScalarUDF, arrays: &[ArrayRef]) -> Result<Vec<u64>, DataFusionError> {
    let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
    assert_eq!(function.inner().coerce_types(&types)?, types);
    let fields = types.iter().map(|data_type| Arc::new(Field::new("", data_type.clone(), true)));
    let result = function.invoke_with_args(ScalarFunctionArgs {
        args: arrays.iter().cloned().map(ColumnarValue::Array).collect(),
        arg_fields: fields.collect(),
        number_rows: arrays[0].len(),
        return_field: Arc::new(Field::new("", function.return_type(&types)?, true)),
        config_options: Arc::new(ConfigOptions::default()),
    })?;
    let array = result.into_array(arrays[0].len())?;
    assert_eq!(array.null_count(), 0);
    Ok(bits(array.as_primitive::<Float64Type>().values()))
}

/// The bundle's columns of the rows, in its order: year, Area, style, street.
fn arrays(houses: &Houses) -> Vec<ArrayRef> {
    let batch = houses.batch();
    let column = |name| Arc::clone(batch.column_by_name(name).unwrap());
    ["year", "Area", "style", "street"].map(column).to_vec()
}

fn records(houses: &Houses) -> Vec<Record> {
    let number = |value: Option<f64>| value.map_or(Value::Null, Value::Number);
    let word = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
    (0..houses.ids.len())
        .map(|row| {
            Record::from([
                ("year", number(houses.year[row].map(|year| year as f64))),
                ("Area", number(houses.area[row])),
                ("style", word(&houses.style[row])),
                ("street", word(&houses.street[row])),
            ])
        })
        .collect()
}

fn numeric_types() -> Vec<DataType> {
    use DataType::*;
    vec![
        Int16,
        Int32,
        Int64,
        UInt16,
        UInt32,
        UInt64,
        Float32,
        Float64,
        Decimal128(12, 2),
        Dictionary(Box::new(Int32), Box::new(Int64)),
    ]
}

fn text_types() -> Vec<DataType> {
    use DataType::*;
    let dictionary = |key, value| Dictionary(Box::new(key), Box::new(value));
    vec![
        Utf8,
        LargeUtf8,
        Utf8View,
        dictionary(UInt8, Utf8),
        dictionary(Int32, Utf8View),
        dictionary(Int64, LargeUtf8),
    ]
}

fn houses() -> impl Strategy<Value = Houses> {
    let year = prop::option::of(0..3000_i64);
    let area = prop::option::of(prop_oneof![(-1e3..1e6), Just(-0.0), Just(f64::NAN), Just(5e-324)]);
    let style = prop::option::of(prop_oneof!["flat|house|loft|tent", "[a-zé\"]{0,3}"]);
    let street = prop::option::of(prop_oneof!["street [0-9]", "NA|"]);
    prop::collection::vec((year, area, style, street), 0..60).prop_map(|rows| Houses {
        ids: (0..).take(rows.len()).collect(),
        year: rows.iter().map(|row| row.0).collect(),
        area: rows.iter().map(|row| row.1).collect(),
        style: rows.iter().map(|row| row.2.clone()).collect(),
        street: rows.iter().map(|row| row.3.clone()).collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_arrays_of_the_rows_give_the_bundles_numbers(
        houses in houses(),
        year in prop::sample::select(numeric_types()),
        style in prop::sample::select(text_types()),
        street in prop::sample::select(text_types()),
        offset in 0..5_usize,
    ) {
        let (bundle, _, predict) = shared();
        let expected = bundle.predict_records(&records(&houses)).unwrap();
        let expected = bits(expected.as_slice().unwrap());
        let mut arrays = arrays(&houses);
        arrays[0] = cast(&arrays[0], &year).unwrap();
        arrays[2] = cast(&arrays[2], &style).unwrap();
        arrays[3] = cast(&arrays[3], &street).unwrap();
        prop_assert_eq!(&call(predict, &arrays).unwrap(), &expected);
        // A part of the arrays, which does not begin where they do.
        let offset = offset.min(houses.ids.len());
        let parts: Vec<ArrayRef> =
            arrays.iter().map(|array| array.slice(offset, array.len() - offset)).collect();
        prop_assert_eq!(&call(predict, &parts).unwrap()[..], &expected[offset..]);
    }
}

#[test]
fn columns_of_nulls_are_missing_values() {
    let (bundle, _, predict) = shared();
    let mut houses = Houses::draw(0, 50, 2);
    houses.year = vec![None; 50];
    houses.style = vec![None; 50];
    let mut arrays = arrays(&houses);
    arrays[0] = Arc::new(NullArray::new(50));
    arrays[2] = Arc::new(NullArray::new(50));
    let table = Table::from_records(&records(&houses), bundle.input_schema()).unwrap();
    let expected = bundle.predict(&table).unwrap();
    assert_eq!(call(predict, &arrays).unwrap(), bits(expected.as_slice().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_errors_of_planning_that_name_the_column() {
    let engine = Engine::embedded(&EngineOptions::default()).unwrap();
    let (_, model, predict) = tokio::task::spawn_blocking(shared).await.unwrap();
    assert_eq!(
        model.columns().map(|(name, _)| name).collect::<Vec<_>>(),
        ["year", "Area", "style", "street"]
    );
    engine.context().register_udf(predict.clone());
    let said = async |sql: &str| engine.context().sql(sql).await.unwrap_err().to_string();
    let message = said("SELECT predict(1, 2.0, 'flat')").await;
    assert!(message.contains("predict takes 4 columns, found 3: `street` is missing"), "{message}");
    let message = said("SELECT predict(1, 2.0, 'flat', 'x', 5)").await;
    assert!(message.contains("found 5: there are too many"), "{message}");
    let message = said("SELECT predict('new', 2.0, 'flat', 'x')").await;
    assert!(message.contains("column `year` is Utf8, the bundle takes a numeric one"), "{message}");
    let message = said("SELECT predict(1, 2.0, 3, 'x')").await;
    assert!(
        message.contains("column `style` is Int64, the bundle takes a categorical one"),
        "{message}"
    );
    let message = said("SELECT predict(1, DATE '2026-01-01', 'flat', 'x')").await;
    assert!(message.contains("column `Area` is Date32"), "{message}");
}

#[test]
fn an_infinite_number_names_row_and_column() {
    let (_, _, predict) = shared();
    let mut arrays = arrays(&Houses::draw(0, 3, 1));
    arrays[1] = Arc::new(Float64Array::from(vec![1.0, f64::NEG_INFINITY, 2.0]));
    let DataFusionError::External(error) = call(predict, &arrays).unwrap_err() else { panic!() };
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "row 1: column `Area` has an infinite number");
}

/// Writes a function as a plan carries it, and reads it as another process does.
fn carried(function: &ScalarUDF) -> Arc<ScalarUDF> {
    let mut logical = Vec::new();
    LogicalCodec::default().try_encode_udf(function, &mut logical).unwrap();
    let mut physical = Vec::new();
    PhysicalCodec::default().try_encode_udf(function, &mut physical).unwrap();
    assert_eq!(logical, physical);
    let read = PhysicalCodec::default().try_decode_udf("predict", &physical).unwrap();
    let again = LogicalCodec::default().try_decode_udf("predict", &logical).unwrap();
    assert_eq!(read, again);
    read
}

#[test]
fn a_plan_carries_the_model_and_another_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a#b houses.bundle");
    bundle(4, 3).save(&path).unwrap();
    let function = load(&path).predict();
    let houses = Houses::draw(0, 100, 4);
    let expected = call(&function, &arrays(&houses)).unwrap();

    // Not there, then another bundle, then the right one: failures are not remembered.
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let carried = carried(&function);
    assert_eq!(*carried, function);
    let DataFusionError::External(error) = call(&carried, &arrays(&houses)).unwrap_err() else {
        panic!()
    };
    assert!(matches!(error.downcast_ref(), Some(Error::Storage { .. })), "{error}");
    bundle(5, 3).save(&path).unwrap();
    let DataFusionError::External(error) = call(&carried, &arrays(&houses)).unwrap_err() else {
        panic!()
    };
    assert!(matches!(error.downcast_ref(), Some(Error::OtherBundle { .. })), "{error}");
    std::fs::write(&path, "no bundle").unwrap();
    let DataFusionError::External(error) = call(&carried, &arrays(&houses)).unwrap_err() else {
        panic!()
    };
    assert!(matches!(error.downcast_ref(), Some(Error::Bundle { .. })), "{error}");
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(call(&carried, &arrays(&houses)).unwrap(), expected);
    // From now on the process has it.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(call(&self::carried(&function), &arrays(&houses)).unwrap(), expected);
}

#[test]
fn bytes_that_are_no_function_are_refused() {
    let codec = PhysicalCodec::default();
    assert!(codec.try_decode_udf("predict", b"").is_err());
    assert!(codec.try_decode_udf("predict", b"spinney-predict 1\n{").is_err());
    assert!(codec.try_decode_udf("predict", b"spinney-predict 1\n{\"model\":{}}").is_err());
    assert!(LogicalCodec::default().try_decode_udf("other", b"x").is_err());
}
