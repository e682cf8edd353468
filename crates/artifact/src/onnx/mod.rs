//! A bundle as an ONNX model.

mod attribute;
mod category_slots;
mod features;
mod forest;
mod graph;
mod proto;

use prost::Message;

use self::{
    graph::{Graph, ML_DOMAIN},
    proto::{DataType, ModelProto, OperatorSetIdProto, StringStringEntryProto},
};
use crate::{Error, ModelBundle, Result};

/// The versions that one release of ONNX, 1.11, brought together. The first whose trees have thresholds in double precision.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 16;
const ML_OPSET: i64 = 3;

/// The name of the output.
const PREDICTION: &str = "prediction";

/// The bytes that a protobuf message may have.
const MAX_LEN: usize = i32::MAX as usize;

impl ModelBundle {
    /// Writes transformer and forest as one ONNX model, for runtimes in which there is no Rust. The same bundle gives the same
    /// bytes.
    ///
    /// The model takes raw rows: one input of shape `[N, 1]` for each column of the [`input_schema`](Self::input_schema) that a
    /// feature is made of, under the column's name. A numeric column is `double`, NaN where missing; a categorical one is
    /// `string`, the empty string where missing. The output `prediction` is `float`, `[N, 1]`. The model's metadata hold the
    /// bundle's name, version and fingerprint.
    ///
    /// It needs the operators of ONNX 1.11 (opset 16, `ai.onnx.ml` 3), and a runtime that has `TreeEnsembleRegressor` in
    /// double precision, as onnxruntime does.
    ///
    /// # Precision
    ///
    /// Steps are computed in double precision, features rounded to single and thresholds kept in double, all as here: every
    /// row ends in the same leaf of every tree. Leaves are averaged in double precision, but the operator answers in
    /// single: a prediction is [`predict`](Self::predict)'s, rounded to the nearest `f32`, which is off by at most 2⁻²⁴ or
    /// 6·10⁻⁸ of it (more below 10⁻³⁸, where `f32` has fewer digits). A runtime that adds the trees in another order may end
    /// up one `f32` further.
    ///
    /// A graph has no errors and no report: where [`predict`](Self::predict) refuses a row because a step or the rounding of a
    /// feature makes infinity of a number, it goes on with infinity, and unseen categories are not counted. An infinite input,
    /// which no table can hold, is not refused either.
    ///
    /// # Errors
    ///
    /// [`Error::Onnx`] names what ONNX cannot express exactly: a step for which the empty string is a category, an input column
    /// that is called `prediction`, leaves beyond the range of `f32`, and a model of 2 GiB or more.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_artifact::{BundleMetadata, ModelBundle};
    /// use spinney_forest::RandomForest;
    /// use spinney_preprocess::{InputSchema, Preprocessor, Table};
    ///
    /// let schema =
    ///     InputSchema::builder().numeric(["area"]).categorical(["style"]).target("price").build()?;
    /// let csv = "area,style,price\n50,flat,100\n80,house,200\n90,house,250\n";
    /// let table = Table::from_csv_reader(csv.as_bytes(), &schema)?;
    /// let plan = Preprocessor::builder(&schema).one_hot(["style"]).build()?;
    /// let (transformer, x) = plan.fit_transform(&table)?;
    /// let forest = RandomForest::params().fit_arrays(x.view(), table.target()?.into())?;
    /// let bundle = ModelBundle::new(transformer, forest, BundleMetadata::new("prices", "1"))?;
    ///
    /// let path = std::env::temp_dir().join("spinney-doc.onnx");
    /// std::fs::write(&path, bundle.to_onnx()?)?;
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_onnx(&self) -> Result<Vec<u8>> {
        let mut graph = Graph::default();
        let features = features::add(&mut graph, self.transformer().params())?;
        let prediction = forest::add(&mut graph, self.forest(), &features)?;
        let mut graph = graph.finish(&prediction, PREDICTION, DataType::Float);
        if graph.input.iter().any(|input| input.name == PREDICTION) {
            let part = format!("the column `{PREDICTION}`");
            return Err(cannot_express(part, "the output has that name"));
        }
        self.metadata().name().clone_into(&mut graph.name);
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "spinney".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(graph),
            opset_import: [("", OPSET), (ML_DOMAIN, ML_OPSET)].map(operator_set).into(),
            metadata_props: self.properties(),
        };
        if model.encoded_len() > MAX_LEN {
            return Err(cannot_express("the forest", "the model would have 2 GiB or more"));
        }
        Ok(model.encode_to_vec())
    }

    fn properties(&self) -> Vec<StringStringEntryProto> {
        let metadata = self.metadata();
        let entries = [
            ("name", metadata.name().to_owned()),
            ("version", metadata.version().to_owned()),
            ("fingerprint", self.fingerprint().to_string()),
        ];
        entries.map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value }).into()
    }
}

fn operator_set((domain, version): (&str, i64)) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: domain.to_owned(), version }
}

fn cannot_express(part: impl Into<String>, problem: &'static str) -> Error {
    Error::Onnx { part: part.into(), problem }
}
