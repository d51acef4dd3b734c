//! Small models, written by hand.

use prost::Message;
use roundproof_onnx::proto::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, Length, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use roundproof_onnx::{ImportError, ImportOptions, Model, import};

/// A node without attributes; what comes before a dot is its domain.
pub fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let (domain, name) = operator.rsplit_once('.').unwrap_or(("", operator));
    NodeProto {
        input: texts(inputs),
        output: texts(outputs),
        name: None,
        op_type: Some(name.to_string()),
        attribute: Vec::new(),
        domain: Some(domain.to_string()),
    }
}

fn named(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_string()), r#type: Some(kind as i32), ..AttributeProto::default() }
}

pub fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..named(name, AttributeType::Int) }
}

pub fn integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..named(name, AttributeType::Ints) }
}

pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..named(name, AttributeType::Float) }
}

pub fn floats(name: &str, values: &[f32]) -> AttributeProto {
    AttributeProto { floats: values.to_vec(), ..named(name, AttributeType::Floats) }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..named(name, AttributeType::String) }
}

/// A node with these attributes.
pub fn with(mut node: NodeProto, attributes: &[AttributeProto]) -> NodeProto {
    node.attribute.extend_from_slice(attributes);
    node
}

/// A constant of binary32.
pub fn numbers(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: dims.to_vec(),
        data_type: Some(DataType::Float as i32),
        float_data: values.to_vec(),
        name: Some(name.to_string()),
        ..TensorProto::default()
    }
}

/// A constant of 64-bit integers.
pub fn counts(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(DataType::Int64 as i32),
        int64_data: values.to_vec(),
        name: Some(name.to_string()),
        ..TensorProto::default()
    }
}

/// An input or output; an axis of size 0 is open, by the name `n`.
pub fn value(name: &str, datatype: DataType, sizes: &[i64]) -> ValueInfoProto {
    let length = |&size: &i64| if size == 0 { Length::DimParam("n".to_string()) } else { Length::DimValue(size) };
    let dim = sizes.iter().map(|size| Dimension { value: Some(length(size)) }).collect();
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(datatype as i32), shape });
    ValueInfoProto { name: Some(name.to_string()), r#type: Some(TypeProto { tensor_type }) }
}

/// A model with an input `x` and an output `y`, in version 21 of the operators.
pub fn model(sizes: &[i64], constants: &[TensorProto], nodes: &[NodeProto]) -> ModelProto {
    let set = |domain: &str, version| OperatorSetIdProto { domain: Some(domain.to_string()), version: Some(version) };
    let graph = GraphProto {
        node: nodes.to_vec(),
        initializer: constants.to_vec(),
        input: vec![value("x", DataType::Float, sizes)],
        output: vec![value("y", DataType::Float, &[])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(10),
        graph: Some(graph),
        opset_import: vec![set("", 21), set("ai.onnx.ml", 3)],
        ..ModelProto::default()
    }
}

/// The graph of a model, by way of its bytes.
pub fn read(model: &ModelProto) -> Result<Model, ImportError> {
    import(&model.encode_to_vec(), &ImportOptions::default())
}

/// Why a model cannot be imported.
pub fn refused(model: &ModelProto) -> String {
    read(model).expect_err("it is refused").to_string()
}
