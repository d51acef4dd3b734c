//! Every reader gives a value or an error for every sequence of bytes. It does not panic, and what it accepts, it writes
//! back the same.

use std::path::Path;

use bolero::check;
use roundproof_exact::{Rational, parse_number};
use roundproof_files::certificate::Certificate;
use roundproof_files::safetensors::{
    dataset_bytes, forest_bytes, graph_bytes, network_bytes, parse_dataset, parse_forest, parse_graph, parse_network,
};
use roundproof_format::Format;
use roundproof_functions::Function;
use roundproof_onnx::import::operators;
use roundproof_onnx::proto::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, Length, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use roundproof_onnx::{ImportOptions, import, import_model};
use roundproof_sources::csv::parse_csv;
use roundproof_sources::models::{ForestOptions, parse_model};
use roundproof_sources::numpy::{parse_archive, parse_array};
use roundproof_sources::table::Choice;

#[test]
fn csv() {
    check!().for_each(|bytes: &[u8]| {
        let _ = parse_csv(Path::new("data.csv"), bytes, &["#1".to_string()], Format::BFLOAT16);
        // Behind a header, with names for labels, and other separators.
        for start in [&b"a,b\n1,"[..], b"a;b\n", b"1\t2\nx\t"] {
            let bytes = [start, bytes].concat();
            let _ = parse_csv(Path::new("data.csv"), &bytes, &["#2".to_string()], Format::FLOAT8_E4M3FN);
        }
    });
}

#[test]
fn arrays() {
    check!().for_each(|bytes: &[u8]| {
        let choice = Choice::of_labels(&["#1".to_string()]);
        let behind = |start: &[u8]| [start, bytes].concat();
        let header = b"\x93NUMPY\x01\0\x3f\0{'descr': '<f2', 'fortran_order': False, 'shape': (4, 2), }   \n";
        let encoded = b"\x93NUMPY\x01\0\x3f\0{'descr': '|V1', 'fortran_order': True, 'shape': (2, 2, 2), } \n";
        for bytes in [bytes.to_vec(), behind(b"\x93NUMPY\x01\0"), behind(header), behind(encoded)] {
            for format in [Format::BFLOAT16, Format::FLOAT6_E3M2FN] {
                let _ = parse_array(&bytes, &choice, format);
            }
        }
        for bytes in [bytes.to_vec(), behind(b"PK\x03\x04")] {
            let _ = parse_archive(&bytes, &choice, Format::BFLOAT16);
        }
    });
}

/// Bytes behind a header that is well formed as far as it goes reach further into the reader than plain noise.
fn behind_header(bytes: &[u8]) -> Vec<u8> {
    let header = br#"{"layer0.row_ptr":{"dtype":"U64","shape":[2],"data_offsets":[0,16]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header);
    file.extend_from_slice(bytes);
    file
}

#[test]
fn networks() {
    check!().for_each(|bytes: &[u8]| {
        for bytes in [bytes.to_vec(), behind_header(bytes)] {
            if let Ok(network) = parse_network(Path::new("network.safetensors"), &bytes) {
                assert_eq!(network_bytes(&network), bytes);
            }
        }
    });
}

/// The header of a graph: its nodes are the bytes, as text.
fn graph_header(bytes: &[u8]) -> Vec<u8> {
    let nodes = String::from_utf8_lossy(bytes).escape_default().to_string();
    let tensors = r#"[{\"name\":\"x\",\"shape\":[1,4],\"format\":\"bfloat16\",\"source\":\"input\"}]"#;
    let header = format!(
        r#"{{"__metadata__":{{"format":"roundproof graph, version 1","nodes":"[{nodes}]","outputs":"[0]","tensors":"{tensors}"}}}}"#
    );
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

#[test]
fn graphs() {
    check!().for_each(|bytes: &[u8]| {
        for bytes in [bytes.to_vec(), graph_header(bytes)] {
            if let Ok(graph) = parse_graph(Path::new("graph.safetensors"), &bytes) {
                let again = parse_graph(Path::new("graph.safetensors"), &graph_bytes(&graph));
                assert_eq!(again.expect("what was read can be written"), graph);
            }
        }
    });
}

#[test]
fn data_sets() {
    check!().for_each(|bytes: &[u8]| {
        for bytes in [bytes.to_vec(), behind_header(bytes)] {
            if let Ok(read) = parse_dataset(Path::new("dataset.safetensors"), &bytes) {
                assert_eq!(dataset_bytes(&read.dataset, read.columns.as_ref()), bytes);
            }
        }
    });
}

#[test]
fn forests() {
    check!().for_each(|bytes: &[u8]| {
        for bytes in [bytes.to_vec(), behind_header(bytes)] {
            if let Ok(forest) = parse_forest(Path::new("forest.safetensors"), &bytes) {
                let again = parse_forest(Path::new("forest.safetensors"), &forest_bytes(&forest));
                assert_eq!(again.expect("what was read can be written"), forest);
            }
        }
    });
}

/// How XGBoost's binary JSON begins.
const UBJSON: &[u8] = b"{L\0\0\0\0\0\0\0\x07learner{";

#[test]
fn models() {
    check!().for_each(|bytes: &[u8]| {
        for start in [&b""[..], b"tree\nversion=v4\n", b"{\"learner\":{", b"{\"schema\":1,", UBJSON] {
            if let Ok(model) = parse_model(Path::new("model"), &[start, bytes].concat()) {
                let _ = model.to_forest(Format::BFLOAT16, &ForestOptions::default());
            }
        }
    });
}

/// A tensor of these sizes, of a model's input.
fn onnx_input(name: &str, sizes: &[i64]) -> ValueInfoProto {
    let dim = sizes.iter().map(|&size| Dimension { value: Some(Length::DimValue(size)) }).collect();
    let tensor_type = TensorTypeProto { elem_type: Some(DataType::Float as i32), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
    }
}

/// Attributes that operators have.
const ONNX_ATTRIBUTES: [&str; 16] = [
    "axis", "axes", "alpha", "perm", "pads", "kernel_shape", "strides", "dilations", "group", "keepdims", "to",
    "transB", "ceil_mode", "starts", "ends", "allowzero",
];

/// A model whose nodes are made of bytes: an operator, what it reads, and an attribute of eight bytes each.
fn onnx_model(bytes: &[u8]) -> ModelProto {
    let operators: Vec<_> = operators().collect();
    let mut names: Vec<String> = ["image", "row", "weights", "counts"].map(str::to_string).to_vec();
    let mut node = Vec::new();
    for (number, chunk) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let [operator, count, first, second, third, attribute, a, b] = *chunk;
        let (domain, name) = operators[usize::from(operator) % operators.len()];
        let reads = [first, second, third].map(|read| names[usize::from(read) % names.len()].clone());
        let ints = vec![i64::from(a as i8); usize::from(b % 5)];
        let named = AttributeProto { name: Some(ONNX_ATTRIBUTES[usize::from(attribute) % 16].to_string()), ..Default::default() };
        let attribute = match b >> 5 {
            0 => AttributeProto { ints, r#type: Some(AttributeType::Ints as i32), ..named },
            1 => AttributeProto { i: Some(i64::from(a as i8)), r#type: Some(AttributeType::Int as i32), ..named },
            2 => AttributeProto { f: Some(f32::from(a)), r#type: Some(AttributeType::Float as i32), ..named },
            _ => AttributeProto::default(),
        };
        let output = format!("made{number}");
        node.push(NodeProto {
            input: reads[..usize::from(count % 4)].to_vec(),
            output: vec![output.clone()],
            name: None,
            op_type: Some(name.to_string()),
            attribute: if attribute.name.is_some() { vec![attribute] } else { Vec::new() },
            domain: Some(domain.to_string()),
        });
        names.push(output);
    }
    let constant = |name: &str, dims: &[i64], values: usize| TensorProto {
        dims: dims.to_vec(),
        data_type: Some(DataType::Float as i32),
        float_data: vec![0.5; values],
        name: Some(name.to_string()),
        ..TensorProto::default()
    };
    let counts: Vec<i64> = bytes.iter().take(4).map(|&byte| i64::from(byte as i8)).collect();
    let counts = TensorProto {
        dims: vec![counts.len() as i64],
        data_type: Some(DataType::Int64 as i32),
        int64_data: counts,
        name: Some("counts".to_string()),
        ..TensorProto::default()
    };
    let graph = GraphProto {
        node,
        initializer: vec![constant("weights", &[4, 4], 16), counts],
        input: vec![onnx_input("image", &[1, 2, 4, 4]), onnx_input("row", &[1, 4])],
        output: vec![onnx_input(&names[names.len() - 1], &[])],
        ..GraphProto::default()
    };
    let version = i64::from(bytes.first().copied().unwrap_or(21) % 22 + 7);
    let set = |domain: &str, version| OperatorSetIdProto { domain: Some(domain.to_string()), version: Some(version) };
    let opset_import = vec![set("", version), set("ai.onnx.ml", 3)];
    ModelProto { graph: Some(graph), opset_import, ..ModelProto::default() }
}

#[test]
fn onnx_models() {
    check!().for_each(|bytes: &[u8]| {
        let _ = import(bytes, &ImportOptions::default());
        let _ = import_model(&onnx_model(bytes), &ImportOptions::default());
    });
}

#[test]
fn certificates() {
    check!().for_each(|bytes: &[u8]| {
        if let Ok(certificate) = Certificate::parse(Path::new("certificate.json"), bytes) {
            certificate.to_json().expect("what was read can be written");
        }
    });
}

#[test]
fn formats_and_numbers() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(format) = text.parse::<Format>() {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let _ = parse_number(&text);
    });
}

/// Tokens, so that expressions come up; between them, whatever bytes there are.
const TOKENS: [&str; 24] = [
    "x", "y", "1", "0x1p-3", "0.5", "1e9", "+", "-", "*", "/", "^", "3", "(", ")", ",", "exp(", "log(", "sin(",
    "sqrt(", "tanh(", "atan2(", "hypot(", "max(", "abs(",
];

#[test]
fn functions() {
    check!().for_each(|bytes: &[u8]| {
        let tokens = bytes.iter().map(|&byte| TOKENS[usize::from(byte) % TOKENS.len()]).collect::<String>();
        for text in [String::from_utf8_lossy(bytes).into_owned(), tokens] {
            let Ok(function) = Function::parse(&text) else { continue };
            assert_eq!(Function::parse(&function.to_string()), Ok(function.clone()), "{text}");
            let ends = [(Rational::from(-2), Rational::from((1, 3))), (Rational::from(1), Rational::from(3))];
            let enclosed = function.enclose(&ends[..function.arity()], 64);
            assert!(enclosed.is_err() || enclosed.is_ok_and(|(low, high)| low <= high), "{text}");
        }
    });
}
