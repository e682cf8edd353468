//! A graph that grows node by node, and gives each value a name of its own.

use std::collections::BTreeSet;

use super::{
    attribute,
    proto::{
        AttributeProto, DataType, Dimension, DimensionValue, GraphProto, NodeProto, TensorProto,
        TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
    },
};

/// The domain of operators on tables and trees.
pub(super) const ML_DOMAIN: &str = "ai.onnx.ml";

#[derive(Debug, Default)]
pub(super) struct Graph {
    proto: GraphProto,
    names: BTreeSet<String>,
}

impl Graph {
    /// Adds an input of one column. Inputs come first: they keep their names.
    pub(super) fn input(&mut self, name: &str, of: DataType) {
        self.names.insert(name.to_owned());
        self.proto.input.push(column(name, of));
    }

    /// Adds a node and returns the name of its output.
    pub(super) fn node(&mut self, op_type: &str, inputs: &[&str], place: &str) -> String {
        self.node_with(op_type, "", inputs, place, Vec::new())
    }

    /// Adds a node with attributes and returns the name of its output.
    pub(super) fn node_with(
        &mut self,
        op_type: &str,
        domain: &str,
        inputs: &[&str],
        place: &str,
        attribute: Vec<AttributeProto>,
    ) -> String {
        let output = self.name(&format!("{place}/{op_type}"));
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.clone()],
            op_type: op_type.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
        output
    }

    /// Adds a vector of numbers that never change.
    pub(super) fn doubles(&mut self, values: &[f64], place: &str) -> String {
        self.constant(place, |name| attribute::double_tensor(name, values.iter().copied()))
    }

    /// Adds a vector of whole numbers that never change.
    pub(super) fn ints(&mut self, values: impl IntoIterator<Item = i64>, place: &str) -> String {
        self.constant(place, |name| attribute::int_tensor(name, values))
    }

    /// Names a value as the graph's only output, and leaves out what it does not depend on.
    pub(super) fn finish(mut self, value: &str, output: &str, of: DataType) -> GraphProto {
        let mut needed = BTreeSet::from([value.to_owned()]);
        let mut nodes = Vec::new();
        // A node stands behind those it depends on, so one way from the end finds them all.
        for mut node in self.proto.node.into_iter().rev() {
            if !node.output.iter().any(|name| needed.contains(name)) {
                continue;
            }
            needed.extend(node.input.iter().cloned());
            for name in node.output.iter_mut().filter(|name| *name == value) {
                output.clone_into(name);
            }
            nodes.push(node);
        }
        nodes.reverse();
        self.proto.node = nodes;
        self.proto.initializer.retain(|tensor| needed.contains(&tensor.name));
        self.proto.input.retain(|input| needed.contains(&input.name));
        self.proto.output = vec![column(output, of)];
        self.proto
    }

    fn constant(&mut self, place: &str, tensor: impl FnOnce(&str) -> TensorProto) -> String {
        let name = self.name(&format!("{place}/constant"));
        self.proto.initializer.push(tensor(&name));
        name
    }

    /// Columns may be called anything, so a name may be taken.
    fn name(&mut self, wanted: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(name.clone());
        name
    }
}

/// A tensor of as many rows as there are, and one column.
fn column(name: &str, of: DataType) -> ValueInfoProto {
    let rows = DimensionValue::Param("N".to_owned());
    let dims = [rows, DimensionValue::Value(1)];
    let dim = dims.map(|value| Dimension { value: Some(value) }).into();
    let mut tensor = TensorType { shape: Some(TensorShapeProto { dim }), ..Default::default() };
    tensor.set_elem_type(of);
    let r#type = Some(TypeProto { tensor_type: Some(tensor) });
    ValueInfoProto { name: name.to_owned(), r#type }
}
