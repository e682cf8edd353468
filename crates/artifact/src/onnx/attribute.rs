//! Attributes and tensors of each type that is written.

use prost::bytes::Bytes;

use super::proto::{AttributeProto, AttributeType, DataType, TensorProto};

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..empty(name, AttributeType::Int) }
}

pub(super) fn string(name: &str, value: &'static str) -> AttributeProto {
    let value = Bytes::from_static(value.as_bytes());
    AttributeProto { s: Some(value), ..empty(name, AttributeType::String) }
}

pub(super) fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> AttributeProto {
    let ints = values.into_iter().collect();
    AttributeProto { ints, ..empty(name, AttributeType::Ints) }
}

pub(super) fn strings(name: &str, values: impl IntoIterator<Item = Bytes>) -> AttributeProto {
    let strings = values.into_iter().collect();
    AttributeProto { strings, ..empty(name, AttributeType::Strings) }
}

pub(super) fn doubles(name: &str, values: impl IntoIterator<Item = f64>) -> AttributeProto {
    let tensor = double_tensor(name, values);
    AttributeProto { t: Some(tensor), ..empty(name, AttributeType::Tensor) }
}

fn empty(name: &str, of: AttributeType) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.to_owned(), ..Default::default() };
    attribute.set_type(of);
    attribute
}

/// A vector of `f64`.
pub(super) fn double_tensor(name: &str, values: impl IntoIterator<Item = f64>) -> TensorProto {
    tensor(name, DataType::Double, values.into_iter().map(f64::to_le_bytes))
}

/// A vector of `i64`.
pub(super) fn int_tensor(name: &str, values: impl IntoIterator<Item = i64>) -> TensorProto {
    tensor(name, DataType::Int64, values.into_iter().map(i64::to_le_bytes))
}

fn tensor(name: &str, of: DataType, elements: impl Iterator<Item = [u8; 8]>) -> TensorProto {
    let raw_data: Vec<u8> = elements.flatten().collect();
    let mut tensor = TensorProto {
        dims: vec![(raw_data.len() / 8) as i64],
        name: name.to_owned(),
        raw_data,
        ..Default::default()
    };
    tensor.set_data_type(of);
    tensor
}
