//! The ONNX model read back: every node of every tree is in it, no number is rounded, and what it cannot say is an error.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod model;
mod onnx_models;
#[path = "../src/onnx/proto.rs"]
mod proto;

use prost::Message;
use proto::{AttributeProto, AttributeType, DataType, GraphProto, ModelProto, ValueInfoProto};
use spinney_artifact::{Error, ModelBundle};
use spinney_forest::{Node, Split};
use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, PreprocessorBuilder, Table};

#[test]
fn the_same_bundle_gives_the_same_bytes() {
    let bytes = model::bundle(7).to_onnx().unwrap();
    assert_eq!(bytes, model::bundle(7).to_onnx().unwrap());
    assert_ne!(bytes, model::bundle(8).to_onnx().unwrap());
    let saved = ModelBundle::from_bytes(&model::bundle(7).to_bytes()).unwrap();
    assert_eq!(bytes, saved.to_onnx().unwrap());
    let read = ModelProto::decode(bytes.as_slice()).unwrap();
    assert_eq!(read.encode_to_vec(), bytes);
}

#[test]
fn the_model_says_what_it_is() {
    let bundle = model::bundle(7);
    let model = ModelProto::decode(bundle.to_onnx().unwrap().as_slice()).unwrap();
    assert_eq!((model.ir_version, model.producer_name.as_str()), (8, "spinney"));
    let versions: Vec<_> =
        model.opset_import.iter().map(|set| (set.domain.as_str(), set.version)).collect();
    assert_eq!(versions, [("", 16), ("ai.onnx.ml", 3)]);
    let properties: Vec<_> =
        model.metadata_props.iter().map(|entry| (entry.key.as_str(), &*entry.value)).collect();
    let fingerprint = bundle.fingerprint().to_string();
    assert_eq!(properties, [("name", "prices"), ("version", "1"), ("fingerprint", &fingerprint)]);
    let graph = model.graph.unwrap();
    assert_eq!(graph.name, "prices");
    let inputs: Vec<_> = graph.input.iter().map(named_type).collect();
    let numbers = ["area", "built", "sold"].map(|name| (name, DataType::Double));
    assert_eq!(inputs[..3], numbers);
    assert_eq!(inputs[3..], [("style", DataType::String)]);
    let outputs: Vec<_> = graph.output.iter().map(named_type).collect();
    assert_eq!(outputs, [("prediction", DataType::Float)]);
}

#[test]
fn every_node_is_written_with_all_its_bits() {
    for bundle in
        [onnx_models::every_step().swap_remove(0).1, model::bundle(7), onnx_models::edge_of_f32().0]
    {
        let graph = graph(&bundle);
        let nodes: Vec<(usize, usize, &Node)> = nodes(&bundle);
        let splits: Vec<Split> = nodes.iter().map(|(_, _, node)| split_or_zero(node)).collect();
        let ints = |of: fn(&Split) -> i64| splits.iter().map(of).collect::<Vec<_>>();
        assert_eq!(of_trees(&graph, "nodes_featureids").ints, ints(|split| split.feature.into()));
        assert_eq!(of_trees(&graph, "nodes_truenodeids").ints, ints(|split| split.left.into()));
        assert_eq!(of_trees(&graph, "nodes_falsenodeids").ints, ints(|split| split.right.into()));
        let missing = of_trees(&graph, "nodes_missing_value_tracks_true");
        assert_eq!(missing.ints, ints(|split| split.missing_go_to_left.into()));
        let thresholds: Vec<u8> =
            splits.iter().flat_map(|split| split.threshold.to_le_bytes()).collect();
        assert!(doubles(of_trees(&graph, "nodes_values_as_tensor")) == thresholds);
        assert_eq!(ids(&graph, "nodes_treeids", "nodes_nodeids"), places(&nodes));
        let modes = nodes.iter().map(|(_, _, node)| match node.split {
            None => "LEAF",
            Some(_) => "BRANCH_LEQ",
        });
        assert!(of_trees(&graph, "nodes_modes").strings.iter().eq(modes));

        let leaves: Vec<_> =
            nodes.iter().filter(|(_, _, node)| node.split.is_none()).copied().collect();
        let values: Vec<u8> =
            leaves.iter().flat_map(|(_, _, leaf)| leaf.value.to_le_bytes()).collect();
        assert!(doubles(of_trees(&graph, "target_weights_as_tensor")) == values);
        assert_eq!(ids(&graph, "target_treeids", "target_nodeids"), places(&leaves));
        assert_eq!(of_trees(&graph, "target_ids").ints, vec![0; leaves.len()]);
        assert_eq!(of_trees(&graph, "n_targets").i, Some(1));
        let aggregate = of_trees(&graph, "aggregate_function");
        assert_eq!(aggregate.s.as_deref(), Some("AVERAGE".as_bytes()));
        assert_eq!(aggregate.r#type(), AttributeType::String);
    }
}

#[test]
fn missing_values_go_both_ways_in_the_model_that_is_checked() {
    let (_, bundle, _) = onnx_models::every_step().swap_remove(0);
    let graph = graph(&bundle);
    let missing = &of_trees(&graph, "nodes_missing_value_tracks_true").ints;
    assert!(missing.contains(&0) && missing.contains(&1));
}

#[test]
fn only_columns_that_features_are_made_of_are_inputs() {
    let bundle = with_plan(|plan| {
        plan.impute("area", Impute::Mean).drop(["area"]).ordinal("style", Ordinal::levels(["flat"]))
    });
    let graph = graph(&bundle.unwrap());
    let inputs: Vec<_> = graph.input.iter().map(named_type).collect();
    assert_eq!(inputs, [("style", DataType::String)]);
    let operators: Vec<&str> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
    let trees = "TreeEnsembleRegressor";
    assert_eq!(operators, ["LabelEncoder", "Gather", "Concat", "Cast", "Cast", trees]);
    assert_eq!(graph.initializer.len(), 1);
}

#[test]
fn values_have_names_of_their_own_whatever_columns_are_called() {
    let names = ["a", "a/Sub", "a/Sub_2", "a/constant"];
    let schema = InputSchema::builder().numeric(names).target("y").build().unwrap();
    let csv = "a,a/Sub,a/Sub_2,a/constant,y\n1,2,3,4,5\n2,9,4,7,1\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema).standard_scale("a").standard_scale("a/Sub");
    let graph = graph(&onnx_models::fit(plan, &table, 2));
    let inputs = graph.input.iter().map(|input| &input.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let outputs = graph.node.iter().flat_map(|node| &node.output);
    let mut all: Vec<_> = inputs.chain(constants).chain(outputs).collect();
    let n_values = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), n_values);
}

#[test]
fn what_onnx_cannot_express_is_an_error() {
    let message = |bundle: ModelBundle| match bundle.to_onnx() {
        Err(error @ Error::Onnx { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let one_hot = with_plan(|plan| plan.one_hot(["style"])).unwrap();
    let empty = "cannot be written as ONNX: the empty string is a category, but stands for a \
                 missing one there";
    assert_eq!(message(one_hot), format!("the step `one_hot` on column `style` {empty}"));
    let levels = Ordinal::levels(["", "flat"]);
    let ordinal = with_plan(|plan| plan.ordinal("style", levels)).unwrap();
    assert_eq!(message(ordinal), format!("the step `ordinal` on column `style` {empty}"));
    let impute = with_plan(|plan| plan.impute("style", Impute::constant("")).one_hot(["style"]));
    assert_eq!(message(impute.unwrap()), format!("the step `impute` on column `style` {empty}"));

    let schema = InputSchema::builder().numeric(["prediction"]).target("y").build().unwrap();
    let table = Table::from_csv_reader("prediction,y\n1,1\n2,3\n".as_bytes(), &schema).unwrap();
    let named = onnx_models::fit(Preprocessor::builder(&schema), &table, 2);
    let taken = "the column `prediction` cannot be written as ONNX: the output has that name";
    assert_eq!(message(named), taken);

    let huge = onnx_models::single_leaf(1e39);
    let beyond =
        "the forest cannot be written as ONNX: it predicts numbers beyond single precision";
    assert_eq!(message(huge), beyond);
    assert!(onnx_models::single_leaf(f64::from(f32::MIN)).to_onnx().is_ok());
}

/// A model of two columns, in one of which the empty string is a category.
fn with_plan(
    steps: impl FnOnce(PreprocessorBuilder) -> PreprocessorBuilder,
) -> spinney_preprocess::Result<ModelBundle> {
    let schema = InputSchema::builder()
        .numeric(["area"])
        .categorical(["style"])
        .missing_tokens(["NA"])
        .target("y")
        .build()?;
    let csv = "area,style,y\n1,flat,1\nNA,,2\n3,NA,4\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &schema)?;
    Ok(onnx_models::fit(steps(Preprocessor::builder(&schema)), &table, 3))
}

fn graph(bundle: &ModelBundle) -> GraphProto {
    ModelProto::decode(bundle.to_onnx().unwrap().as_slice()).unwrap().graph.unwrap()
}

/// Each node with the number of its tree and its own.
fn nodes(bundle: &ModelBundle) -> Vec<(usize, usize, &Node)> {
    let trees = bundle.forest().trees().iter().enumerate();
    trees
        .flat_map(|(tree, nodes)| {
            nodes.nodes().iter().enumerate().map(move |(number, node)| (tree, number, node))
        })
        .collect()
}

fn split_or_zero(node: &Node) -> Split {
    let (threshold, missing_go_to_left) = (0.0, false);
    node.split.unwrap_or(Split { feature: 0, threshold, missing_go_to_left, left: 0, right: 0 })
}

fn places(nodes: &[(usize, usize, &Node)]) -> Vec<(i64, i64)> {
    nodes.iter().map(|&(tree, number, _)| (tree as i64, number as i64)).collect()
}

fn ids(graph: &GraphProto, trees: &str, numbers: &str) -> Vec<(i64, i64)> {
    let (trees, numbers) = (&of_trees(graph, trees).ints, &of_trees(graph, numbers).ints);
    assert_eq!(trees.len(), numbers.len());
    trees.iter().copied().zip(numbers.iter().copied()).collect()
}

/// An attribute of the forest.
fn of_trees<'a>(graph: &'a GraphProto, name: &str) -> &'a AttributeProto {
    let forest = graph.node.last().unwrap();
    assert_eq!((&*forest.op_type, &*forest.domain), ("TreeEnsembleRegressor", "ai.onnx.ml"));
    forest.attribute.iter().find(|attribute| attribute.name == name).unwrap()
}

fn doubles(attribute: &AttributeProto) -> &[u8] {
    let tensor = attribute.t.as_ref().unwrap();
    assert_eq!(tensor.data_type(), DataType::Double);
    assert_eq!(tensor.dims, [(tensor.raw_data.len() / 8) as i64]);
    &tensor.raw_data
}

fn named_type(value: &ValueInfoProto) -> (&str, DataType) {
    let tensor = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
    let shape = &tensor.shape.as_ref().unwrap().dim;
    let rows = proto::DimensionValue::Param("N".to_owned());
    assert_eq!(shape[0].value, Some(rows));
    assert_eq!(shape[1].value, Some(proto::DimensionValue::Value(1)));
    (&value.name, tensor.elem_type())
}
