//! What is not supported is refused, with the place and what to do; no model is read as another one.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use roundproof_onnx::proto::{DataType, ModelProto, OperatorSetIdProto, TensorProto};
use roundproof_onnx::{ImportOptions, import};

use super::models::bytes;
use super::write::{counts, float, floats, integer, integers, model, node, numbers, read, refused, text, value, with};

#[test]
fn trees_are_for_another_command() {
    for name in ["digits-forest", "cancer-xgboost"] {
        let error = import(&bytes(name), &ImportOptions::default()).unwrap_err().to_string();
        assert!(error.starts_with("node 0 (") && error.contains("ai.onnx.ml.TreeEnsembleClassifier"), "{error}");
        assert!(error.contains("`roundproof compile`"), "{error}");
    }
}

#[test]
fn all_that_is_unsupported_is_named_at_once() {
    let nodes = [
        node("GRU", &["x", "x"], &["a"]),
        with(node("Relu", &["x"], &["b"]), &[integer("alpha", 1)]),
        // What reads an unknown value is not blamed for it,
        node("Relu", &["a"], &["c"]),
        // unless it is unsupported itself.
        node("com.microsoft.FusedConv", &["c"], &["d"]),
        node("DynamicQuantizeLinear", &["x"], &["e", "f", "g"]),
        node("Add", &["d", "nowhere"], &["y"]),
    ];
    insta::assert_snapshot!("several", refused(&model(&[0, 2], &[], &nodes)));
}

#[test]
fn each_reason_has_its_words() {
    let one = |operator: &str, attributes: &[_]| {
        refused(&model(&[0, 4], &[], &[with(node(operator, &["x"], &["y"]), attributes)]))
    };
    let image = |operator: &str, attributes: &[_]| {
        let weights = numbers("w", &[1, 1, 2, 2], &[1.0; 4]);
        let reads: &[&str] = if operator == "Conv" { &["x", "w"] } else { &["x"] };
        refused(&model(&[0, 1, 4, 4], &[weights], &[with(node(operator, reads, &["y"]), attributes)]))
    };
    let two = |operator: &str, other: TensorProto, attributes: &[_]| {
        refused(&model(&[0, 4], &[other], &[with(node(operator, &["x", "w"], &["y"]), attributes)]))
    };
    let pooled = |attributes: &[_]| {
        let mut all = vec![integers("kernel_shape", &[2, 2])];
        all.extend_from_slice(attributes);
        image("AveragePool", &all)
    };
    let nan = numbers("w", &[2], &[1.0, f32::NAN]);
    let reasons = [
        one("Softmax", &[integer("axis", 7)]),
        one("LeakyRelu", &[float("alpha", f32::INFINITY)]),
        one("LeakyRelu", &[integer("alpha", 1)]),
        one("ArgMax", &[integer("select_last_index", 1)]),
        one("Cast", &[integer("to", DataType::Int64 as i64)]),
        one("Cast", &[integer("to", 99)]),
        one("Cast", &[]),
        one("Transpose", &[integers("perm", &[0, 0])]),
        one("ai.onnx.ml.Normalizer", &[text("norm", "L3")]),
        one("ai.onnx.ml.Scaler", &[floats("offset", &[0.0; 3]), floats("scale", &[1.0])]),
        one("ai.onnx.ml.LinearClassifier", &[integers("classlabels_ints", &[0, 1]), floats("coefficients", &[1.0; 4])]),
        one("ai.onnx.ml.LinearRegressor", &[floats("coefficients", &[1.0; 4]), text("post_transform", "PROBIT")]),
        image("Conv", &[integers("kernel_shape", &[3, 3])]),
        image("Conv", &[integer("group", 3)]),
        image("Conv", &[text("auto_pad", "SAME")]),
        image("Conv", &[integers("strides", &[0, 1])]),
        pooled(&[integer("ceil_mode", 1), integers("strides", &[3, 3]), integer("count_include_pad", 1)]),
        image("MaxPool", &[integers("kernel_shape", &[5, 5])]),
        image("MaxPool", &[]),
        two("MatMul", numbers("w", &[3, 2], &[0.0; 6]), &[]),
        two("Add", nan, &[]),
        two("Add", counts("w", &[1]), &[]),
        two("Pow", numbers("w", &[1], &[2.5]), &[]),
        two("Gather", counts("w", &[4]), &[integer("axis", 1)]),
        two("Reshape", counts("w", &[3, -1]), &[]),
        two("Reshape", counts("w", &[-1, -1]), &[]),
        two("Reshape", counts("w", &[1 << 40, 1 << 40]), &[]),
        two("Expand", counts("w", &[1 << 26, 4]), &[]),
        two("Gemm", numbers("w", &[4, 1], &[0.0; 4]), &[integer("transA", 2)]),
        two("Slice", counts("w", &[0]), &[]),
    ];
    insta::assert_snapshot!("reasons", reasons.join("\n"));
}

#[test]
fn a_factor_that_a_narrow_type_does_not_have_is_refused() {
    let mut half = model(&[0, 2], &[], &[]);
    let graph = half.graph.as_mut().expect("a graph");
    graph.input = vec![value("x", DataType::Float16, &[1, 2])];
    let weights = TensorProto { data_type: Some(DataType::Float16 as i32), ..numbers("w", &[2, 1], &[]) };
    graph.initializer = vec![TensorProto { int32_data: vec![0x3c00, 0x4000], ..weights }];
    let gemm = |alpha| with(node("Gemm", &["x", "w"], &["y"]), &[float("alpha", alpha)]);
    graph.node = vec![gemm(0.5)];
    assert!(read(&half).is_ok());
    half.graph.as_mut().expect("a graph").node = vec![gemm(0.1)];
    assert!(refused(&half).contains("attribute alpha: it is not a value of binary16"), "{}", refused(&half));
}

#[test]
fn inputs_outputs_and_versions_are_checked() {
    let relu = [node("Relu", &["x"], &["y"])];
    let good = model(&[0, 2], &[], &relu);
    assert!(read(&good).is_ok());
    let changed = |change: &dyn Fn(&mut ModelProto)| {
        let mut model = good.clone();
        change(&mut model);
        refused(&model)
    };
    let set = |version| vec![OperatorSetIdProto { domain: None, version: Some(version) }];
    let reasons = [
        changed(&|model| model.graph = None),
        changed(&|model| model.opset_import = set(6)),
        changed(&|model| model.opset_import = set(29)),
        changed(&|model| model.opset_import.clear()),
        changed(&|model| model.opset_import.extend(set(20))),
        changed(&|model| model.graph.as_mut().unwrap().input = vec![value("x", DataType::Int64, &[1, 2])]),
        changed(&|model| model.graph.as_mut().unwrap().input = vec![value("x", DataType::Float, &[0, 0])]),
        changed(&|model| model.graph.as_mut().unwrap().input = vec![value("x", DataType::Float, &[-1, 2])]),
        changed(&|model| model.graph.as_mut().unwrap().input[0].r#type = None),
        changed(&|model| model.graph.as_mut().unwrap().output = vec![value("z", DataType::Float, &[])]),
        changed(&|model| model.graph.as_mut().unwrap().output.clear()),
        changed(&|model| model.graph.as_mut().unwrap().node.push(node("Relu", &["x"], &["y"]))),
        changed(&|model| model.graph.as_mut().unwrap().initializer = vec![numbers("w", &[2], &[1.0; 3])]),
        changed(&|model| model.graph.as_mut().unwrap().initializer = vec![numbers("w", &[-2], &[1.0; 3])]),
    ];
    insta::assert_snapshot!("whole", reasons.join("\n"));
}

/// The bytes of a model with one more field in a message.
fn with_field(message: &str, number: u32) -> Vec<u8> {
    let weights = numbers("w", &[2], &[1.0, 2.0]);
    let leaky = with(node("LeakyRelu", &["x"], &["a"]), &[float("alpha", 0.5)]);
    let mut whole = model(&[0, 2], std::slice::from_ref(&weights), &[leaky.clone(), node("Add", &["a", "w"], &["y"])]);
    let mut field = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut field);
    encode_varint(2, &mut field);
    // An empty text, or a message with one.
    field.extend([10, 0]);
    let inner = |tag: u32, content: &[u8]| {
        let mut bytes = Vec::new();
        encode_key(tag, WireType::LengthDelimited, &mut bytes);
        encode_varint(content.len() as u64, &mut bytes);
        bytes.extend(content);
        bytes
    };
    let graph = whole.graph.take().expect("a graph");
    let outer = whole.encode_to_vec();
    let graph = match message {
        "model" => return [outer, inner(7, &graph.encode_to_vec()), field].concat(),
        "graph" => [graph.encode_to_vec(), field].concat(),
        "node" => [graph.encode_to_vec(), inner(1, &[leaky.encode_to_vec(), field].concat())].concat(),
        "attribute" => {
            let attribute = [leaky.attribute[0].encode_to_vec(), field].concat();
            [graph.encode_to_vec(), inner(1, &inner(5, &attribute))].concat()
        }
        _ => [graph.encode_to_vec(), inner(5, &[weights.encode_to_vec(), field].concat())].concat(),
    };
    [outer, inner(7, &graph)].concat()
}

#[test]
fn what_would_be_skipped_is_refused() {
    let mut reasons = Vec::new();
    for (message, number) in [
        ("model", 20),
        ("model", 25),
        ("model", 99),
        ("model", 7),
        ("graph", 14),
        ("graph", 15),
        ("graph", 17),
        ("node", 8),
        ("node", 11),
        ("attribute", 21),
        ("attribute", 12),
        ("tensor", 3),
        ("tensor", 13),
        ("tensor", 15),
    ] {
        let error = import(&with_field(message, number), &ImportOptions::default()).unwrap_err();
        reasons.push(format!("{number} in {message}: {error}"));
    }
    insta::assert_snapshot!("fields", reasons.join("\n"));
    // And what says nothing of values may be there.
    let metadata = [with_field("graph", 16), with_field("model", 14)];
    for bytes in metadata {
        let error = import(&bytes, &ImportOptions::default());
        assert!(error.is_ok(), "{error:?}");
    }
}

#[test]
fn what_is_not_a_model_is_refused() {
    for bytes in [&b""[..], b"hello", b"\x08", b"\x3a\x7f", b"\x3b", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"] {
        let error = import(bytes, &ImportOptions::default()).unwrap_err().to_string();
        assert!(!error.is_empty(), "{bytes:?}");
    }
    // Many small parts: two bytes each in the file, far more in memory.
    let nodes: Vec<u8> = [10, 0].repeat(3 << 19);
    let mut bytes = vec![58];
    encode_varint(nodes.len() as u64, &mut bytes);
    bytes.extend(nodes);
    let error = import(&bytes, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("more than 1048576"), "{error}");
}

#[test]
fn a_small_file_makes_no_large_graph() {
    // Each node moves 2^22 elements; there are enough of them for 2^28.
    let shape = counts("w", &[1 << 11, 1 << 11]);
    let nodes: Vec<_> = (0..64).map(|n| node("Expand", &["x", "w"], &[&format!("y{n}")])).collect();
    let mut large = model(&[1, 1], &[shape], &nodes);
    large.graph.as_mut().expect("a graph").output = vec![value("y0", DataType::Float, &[])];
    assert!(refused(&large).contains("more than 16777216 elements"), "{}", refused(&large));
}
