use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use datafusion::{
    arrow::{array::Float64Array, datatypes::DataType},
    error::Result as EngineResult,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};
use ndarray::ArrayViewMut1;
use serde::{Deserialize, Serialize};
use spinney_artifact::{Error as BundleError, ModelBundle};
use spinney_preprocess::Table;

use crate::{
    Error, Result, columns, loaded,
    model::{Kind, ModelId},
};

/// The SQL function `predict(columns...)` of one bundle: a number for each row, the one that
/// [`ModelBundle::predict`] gives, bit for bit.
///
/// The arguments are the bundle's columns in the order of [`Model::columns`](crate::Model::columns). A numeric column takes
/// integers, floats, decimals and booleans (1 and 0), a categorical one `Utf8`, `LargeUtf8`, `Utf8View`; either takes
/// dictionaries of these and `Null`. Null is missing, NaN too. Other arguments are errors of planning that name the column; an
/// infinite number is an error when its batch is scored.
///
/// It knows where its bundle is and which one it is. [`LogicalCodec`](crate::LogicalCodec) and
/// [`PhysicalCodec`](crate::PhysicalCodec) carry that along with a plan, so nodes of a cluster need not be told of a model
/// before; each process loads it once. A batch is scored on the thread that asks: an engine has one for each partition.
#[derive(Debug)]
pub struct Predict {
    function: Function,
    signature: Signature,
    bundle: OnceLock<Arc<ModelBundle>>,
}

/// What a plan carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Function {
    model: Arc<ModelId>,
    cells: Cells,
}

/// What the arguments hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cells {
    /// Numbers and words.
    Typed,
    /// The fields of a CSV, all of them text: numbers and missing values are read by the bundle's rules.
    Csv,
}

impl Predict {
    /// The function's name.
    pub const NAME: &str = "predict";

    fn new(function: Function) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self { function, signature, bundle: OnceLock::new() }
    }

    pub(crate) fn loaded(model: &Arc<ModelId>, cells: Cells, bundle: &Arc<ModelBundle>) -> Self {
        let function = Function { model: Arc::clone(model), cells };
        Self { bundle: OnceLock::from(Arc::clone(bundle)), ..Self::new(function) }
    }

    /// What a plan carries of the function.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(&self.function).map_err(Error::Plan)
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map(Self::new).map_err(Error::Plan)
    }

    fn bundle(&self) -> Result<&ModelBundle> {
        if let Some(bundle) = self.bundle.get() {
            return Ok(bundle);
        }
        let bundle = loaded::get(&self.function.model)?;
        Ok(self.bundle.get_or_init(|| bundle))
    }

    fn columns(&self) -> &[(String, Kind)] {
        &self.function.model.columns
    }

    fn check(&self, found: &[DataType]) -> Result<()> {
        let columns = self.columns();
        if found.len() != columns.len() {
            return Err(Error::ArgumentCount {
                expected: columns.len(),
                found: found.len(),
                column: columns.get(found.len()).map(|(name, _)| name.clone()),
            });
        }
        for ((column, kind), data_type) in columns.iter().zip(found) {
            let (kind, column) = (*kind, column.clone());
            let accepted = match self.function.cells {
                Cells::Typed => columns::accepts(kind, data_type),
                Cells::Csv => columns::is_text(data_type),
            };
            if !accepted {
                let (expected, found) = (kind.into(), data_type.clone());
                return Err(Error::ArgumentType { column, expected, found });
            }
        }
        Ok(())
    }

    fn table(&self, bundle: &ModelBundle, args: &ScalarFunctionArgs) -> EngineResult<Table> {
        let mut table = Table::builder(bundle.input_schema());
        for ((column, kind), arg) in self.columns().iter().zip(&args.args) {
            let array = arg.to_array(args.number_rows)?;
            match self.function.cells {
                Cells::Typed => columns::push(&mut table, column, *kind, &array)?,
                Cells::Csv => columns::push_csv(&mut table, column, &array)?,
            }
        }
        Ok(table.finish().map_err(|error| Error::Rows(error.into()))?)
    }
}

fn score(bundle: &ModelBundle, table: &Table) -> Result<Vec<f64>, BundleError> {
    let features = bundle.transform(table)?;
    let mut predictions = vec![0.0; table.n_rows()];
    let out = ArrayViewMut1::from(&mut predictions[..]);
    bundle.predictor().predict_on_this_thread(features.view(), out)?;
    Ok(predictions)
}

impl ScalarUDFImpl for Predict {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        self.check(args)?;
        Ok(DataType::Float64)
    }

    /// All types that are accepted are taken as they are.
    fn coerce_types(&self, args: &[DataType]) -> EngineResult<Vec<DataType>> {
        self.check(args)?;
        Ok(args.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        self.check(&types)?;
        let bundle = self.bundle()?;
        let table = self.table(bundle, &args)?;
        let predictions = score(bundle, &table).map_err(Error::Rows)?;
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from(predictions))))
    }
}

/// The same function if it is of the same model, loaded or not.
impl PartialEq for Predict {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl Eq for Predict {}

impl Hash for Predict {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}
