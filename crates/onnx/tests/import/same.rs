//! `scripts/same.py`, which compares graphs with models by readers and a table of its own, on models with every operator: it accepts
//! each graph that was imported, and rejects it when anything in the model is changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use prost::Message;
use roundproof_files::safetensors::graph_bytes;
use roundproof_onnx::import::operators;
use roundproof_onnx::proto::{
    AttributeProto, AttributeType, DataType, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
};
use roundproof_onnx::{ImportOptions, import};

use super::models::bytes;
use super::write::{counts, float, floats, integer, integers, model, node, numbers, text, value, with};

/// Values that are not all alike, and not symmetric.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|index| ((index * 37 + 11) % 23) as f32 / 8.0 - 1.0).collect()
}

fn filled(name: &str, dims: &[i64]) -> TensorProto {
    numbers(name, dims, &values(dims.iter().product::<i64>() as usize))
}

fn positive(name: &str, dims: &[i64]) -> TensorProto {
    let values: Vec<f32> =
        values(dims.iter().product::<i64>() as usize).iter().map(|value| value.abs() + 0.5).collect();
    numbers(name, dims, &values)
}

fn truths(name: &str, values: &[bool]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(DataType::Bool as i32),
        int32_data: values.iter().map(|&value| value.into()).collect(),
        name: Some(name.to_string()),
        ..TensorProto::default()
    }
}

fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    let r#type = Some(AttributeType::Tensor as i32);
    AttributeProto { name: Some(name.to_string()), t: Some(tensor), r#type, ..AttributeProto::default() }
}

/// A model of one node, which reads `x` and constants.
fn single(sizes: &[i64], constants: &[TensorProto], operator: &str, attributes: &[AttributeProto]) -> ModelProto {
    let names = constants.iter().map(|constant| constant.name.as_deref().unwrap_or_default());
    let reads: Vec<&str> = std::iter::once("x").chain(names).collect();
    model(sizes, constants, &[with(node(operator, &reads, &["y"]), attributes)])
}

/// A model of several nodes.
fn chain(sizes: &[i64], constants: &[TensorProto], nodes: &[NodeProto]) -> ModelProto {
    model(sizes, constants, nodes)
}

fn in_version(mut model: ModelProto, version: i64) -> ModelProto {
    model.opset_import[0] = OperatorSetIdProto { domain: None, version: Some(version) };
    model
}

fn in_type(mut model: ModelProto, datatype: DataType, sizes: &[i64]) -> ModelProto {
    model.graph.as_mut().unwrap().input = vec![value("x", datatype, sizes)];
    model
}

/// Models with every operator, and most of what their attributes can say.
fn examples() -> Vec<ModelProto> {
    let row = [0, 4];
    let image = [0, 2, 5, 6];
    let window = || integers("kernel_shape", &[2, 3]);
    let slid = || vec![integers("strides", &[2, 1]), integers("dilations", &[1, 2]), integers("pads", &[1, 2, 0, 1])];
    let with_window = |mut attributes: Vec<AttributeProto>| {
        attributes.push(window());
        attributes
    };
    let classifier = |labels: AttributeProto, transform: &str| {
        let coefficients = floats("coefficients", &values(12));
        let attributes = [
            labels,
            coefficients,
            floats("intercepts", &values(3)),
            text("post_transform", transform),
            integer("multi_class", 1),
        ];
        let linear = with(node("ai.onnx.ml.LinearClassifier", &["x"], &["label", "scores"]), &attributes);
        let map = with(node("ai.onnx.ml.ZipMap", &["scores"], &["y"]), &[integers("classlabels_int64s", &[0, 1, 2])]);
        let mut model = chain(&row, &[], &[linear, map]);
        model.graph.as_mut().unwrap().output.push(value("label", DataType::Int64, &[]));
        model
    };
    let mut models = Vec::new();
    for operator in [
        "Abs",
        "Neg",
        "Relu",
        "Sign",
        "Sqrt",
        "Reciprocal",
        "Exp",
        "Log",
        "Sigmoid",
        "Tanh",
        "Erf",
        "Softplus",
        "Identity",
    ] {
        // Above zero, where all of these are defined.
        let before = with(node("Clip", &["x", "low"], &["above"]), &[]);
        let nodes = [before, node(operator, &["above"], &["y"])];
        models.push(chain(&row, &[numbers("low", &[], &[0.25])], &nodes));
    }
    for operator in ["Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu", "Sum"] {
        models.push(single(&row, &[filled("w", &[4])], operator, &[]));
    }
    models.push(single(&row, &[filled("v", &[4]), filled("w", &[1])], "Sum", &[]));
    for operator in ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"] {
        let nodes = [
            node(operator, &["x", "w"], &["t"]),
            node("Less", &["x", "v"], &["u"]),
            node("And", &["t", "u"], &["a"]),
            node("Or", &["a", "u"], &["o"]),
            node("Not", &["o"], &["n"]),
            node("Where", &["n", "x", "w"], &["z"]),
            with(node("Cast", &["n"], &["c"]), &[integer("to", 11)]),
            with(node("Cast", &["z"], &["d"]), &[integer("to", 11)]),
            node("Add", &["c", "d"], &["y"]),
        ];
        models.push(chain(&row, &[filled("w", &[4]), filled("v", &[4])], &nodes));
    }
    models.push(single(&row, &[], "LeakyRelu", &[float("alpha", 0.3)]));
    models.push(single(&row, &[], "LeakyRelu", &[]));
    models.push(single(&row, &[], "HardSigmoid", &[float("alpha", 0.3), float("beta", 0.4)]));
    models.push(single(&row, &[numbers("low", &[], &[-0.5]), numbers("high", &[], &[0.5])], "Clip", &[]));
    models.push(in_version(single(&row, &[], "Clip", &[float("min", -0.5), float("max", 0.5)]), 10));
    for exponent in [-1.0, 0.5, 1.0, 2.0, 3.0] {
        let before = node("Clip", &["x", "low"], &["above"]);
        let power = node("Pow", &["above", "exponent"], &["y"]);
        let constants = [numbers("low", &[], &[0.25]), numbers("exponent", &[1], &[exponent])];
        models.push(chain(&row, &constants, &[before, power]));
    }
    models.push(single(&row, &[filled("w", &[4, 3])], "MatMul", &[]));
    models.push(single(&[4], &[filled("w", &[4, 3])], "MatMul", &[]));
    models.push(single(&[2, 4], &[filled("w", &[4])], "MatMul", &[]));
    let gemm = [float("alpha", 0.5), float("beta", 3.0), integer("transA", 1), integer("transB", 1)];
    models.push(single(&[4, 2], &[filled("w", &[3, 4]), filled("b", &[3])], "Gemm", &gemm));
    models.push(single(&row, &[filled("w", &[4, 4])], "Gemm", &[integer("transB", 0), integer("transA", 0)]));
    let conv = [slid(), vec![window(), integer("group", 2)]].concat();
    models.push(single(&image, &[filled("w", &[4, 1, 2, 3]), filled("b", &[4])], "Conv", &conv));
    for auto in ["SAME_UPPER", "SAME_LOWER"] {
        let same = [text("auto_pad", auto), integers("strides", &[2, 1])];
        models.push(single(&image, &[filled("w", &[3, 2, 2, 2])], "Conv", &same));
    }
    models.push(single(&[0, 2, 7], &[filled("w", &[3, 2, 3])], "Conv", &[]));
    models.push(single(&image, &[], "MaxPool", &with_window([slid(), vec![integer("storage_order", 0)]].concat())));
    models.push(single(
        &image,
        &[],
        "MaxPool",
        &with_window(vec![integer("ceil_mode", 1), integers("strides", &[2, 2])]),
    ));
    for counted in [0, 1] {
        let attributes = with_window(vec![integer("count_include_pad", counted), integers("pads", &[1, 1, 0, 1])]);
        models.push(single(&image, &[], "AveragePool", &attributes));
    }
    models.push(single(&image, &[], "GlobalAveragePool", &[]));
    models.push(single(&image, &[], "GlobalMaxPool", &[]));
    for operator in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"] {
        models.push(single(&image, &[counts("axes", &[1, -1])], operator, &[integer("keepdims", 0)]));
        let axes = [integers("axes", &[2]), integer("keepdims", 1)];
        models.push(in_version(single(&image, &[], operator, &axes), 12));
    }
    let four = || ["scale", "bias", "mean", "variance"];
    let constants: Vec<TensorProto> = four().iter().map(|name| positive(name, &[2])).collect();
    let batch = [float("epsilon", 0.001), float("momentum", 0.8)];
    models.push(single(&image, &constants, "BatchNormalization", &batch));
    for operator in ["Softmax", "LogSoftmax"] {
        models.push(single(&[0, 3, 4], &[], operator, &[integer("axis", 1)]));
    }
    models.push(single(&[3, 4], &[counts("shape", &[0, 2, -1])], "Reshape", &[integer("allowzero", 0)]));
    models.push(single(&image, &[], "Flatten", &[integer("axis", 2)]));
    models.push(single(&[3, 1, 4], &[counts("axes", &[1])], "Squeeze", &[]));
    models.push(single(&[3, 4], &[counts("axes", &[1])], "Unsqueeze", &[]));
    models.push(single(&image, &[], "Transpose", &[integers("perm", &[0, 3, 1, 2])]));
    models.push(single(&row, &[filled("w", &[1, 4])], "Concat", &[integer("axis", 1)]));
    let slice =
        [counts("starts", &[-1, 1]), counts("ends", &[0, 4]), counts("axes", &[3, 2]), counts("steps", &[-2, 1])];
    models.push(single(&image, &slice, "Slice", &[]));
    let slice = [integers("starts", &[1]), integers("ends", &[3]), integers("axes", &[1])];
    models.push(in_version(single(&row, &[], "Slice", &slice), 9));
    let split = with(node("Split", &["x", "parts"], &["a", "b"]), &[integer("axis", 1)]);
    models.push(chain(&row, &[counts("parts", &[1, 3])], &[split, node("Mul", &["a", "b"], &["y"])]));
    models.push(single(&image, &[counts("indices", &[2, 0])], "Gather", &[integer("axis", 3)]));
    models.push(single(&row, &[counts("shape", &[3, 4])], "Expand", &[]));
    let pads = [counts("pads", &[0, 1, 0, 2]), numbers("value", &[], &[0.5])];
    models.push(single(&row, &pads, "Pad", &[]));
    models.push(single(&row, &[counts("pads", &[0, 1, 0, 2])], "Pad", &[text("mode", "reflect")]));
    models.push(single(&row, &[counts("pads", &[0, 1, 0, 2])], "Pad", &[text("mode", "edge")]));
    let cast = [
        with(node("Cast", &["x"], &["h"]), &[integer("to", 10)]),
        with(node("Cast", &["h"], &["y"]), &[integer("to", 16), integer("saturate", 1)]),
    ];
    models.push(chain(&row, &[], &cast));
    let dropout = with(node("Dropout", &["x", "silent ratio", "training"], &["d"]), &[integer("seed", 1)]);
    let training = TensorProto { dims: Vec::new(), ..truths("training", &[false]) };
    models.push(chain(
        &row,
        &[numbers("silent ratio", &[], &[0.5]), training],
        &[dropout, node("Neg", &["d"], &["y"])],
    ));
    // Sizes that are computed.
    let sizes = [
        with(node("Shape", &["x"], &["s"]), &[integer("start", 1), integer("end", 2)]),
        with(node("ConstantOfShape", &["two"], &["t"]), &[tensor("value", counts("", &[2]))]),
        node("Div", &["s", "t"], &["half"]),
        with(node("Concat", &["minus", "half"], &["to"]), &[integer("axis", 0)]),
        node("Reshape", &["x", "to"], &["r"]),
        node("Size", &["r"], &["n"]),
        node("Range", &["zero", "n", "one"], &["all"]),
        with(node("Cast", &["all"], &["weights"]), &[integer("to", 1)]),
        with(node("Constant", &[], &["shape"]), &[integers("value_ints", &[4])]),
        node("Reshape", &["r", "shape"], &["flat"]),
        node("Mul", &["flat", "weights"], &["y"]),
    ];
    let scalar = |name: &str, value: i64| TensorProto { dims: Vec::new(), ..counts(name, &[value]) };
    let constants = [counts("minus", &[-1]), counts("two", &[1]), scalar("zero", 0), scalar("one", 1)];
    models.push(chain(&row, &constants, &sizes));
    let chosen = node("Where", &["known", "x", "w"], &["y"]);
    models.push(chain(&row, &[truths("known", &[true, false, true, true]), filled("w", &[4])], &[chosen]));
    for constant in
        [float("value_float", 0.5), floats("value_floats", &[0.5, 0.25, 1.0, 2.0]), tensor("value", filled("", &[4]))]
    {
        let nodes = [with(node("Constant", &[], &["c"]), &[constant]), node("Add", &["x", "c"], &["y"])];
        models.push(chain(&row, &[], &nodes));
    }
    // Decisions.
    let decided = [
        with(node("ArgMax", &["x"], &["a"]), &[integer("axis", 1), integer("keepdims", 0)]),
        with(node("ai.onnx.ml.ArrayFeatureExtractor", &["labels", "a"], &["y"]), &[]),
    ];
    models.push(chain(&row, &[counts("labels", &[3, 5, 7, 9])], &decided));
    models.push(single(&row, &[counts("columns", &[2, 0])], "ai.onnx.ml.ArrayFeatureExtractor", &[]));
    let scaler = [floats("offset", &values(4)), floats("scale", &values(4))];
    models.push(single(&row, &[], "ai.onnx.ml.Scaler", &scaler));
    for norm in ["MAX", "L1", "L2"] {
        models.push(single(&row, &[], "ai.onnx.ml.Normalizer", &[text("norm", norm)]));
    }
    models.push(classifier(integers("classlabels_ints", &[0, 1, 2]), "SOFTMAX"));
    models.push(classifier(integers("classlabels_ints", &[0, 1, 2]), "LOGISTIC"));
    let regressor = [floats("coefficients", &values(8)), floats("intercepts", &values(2)), integer("targets", 2)];
    models.push(single(&row, &[], "ai.onnx.ml.LinearRegressor", &regressor));
    // Other data types.
    let double = TensorProto {
        data_type: Some(DataType::Double as i32),
        double_data: vec![0.1, 0.2, 0.3, 0.7],
        ..filled("w", &[4])
    };
    let double = TensorProto { float_data: Vec::new(), ..double };
    models.push(in_type(single(&row, &[double], "Mul", &[]), DataType::Double, &row));
    for datatype in [DataType::Float16, DataType::Bfloat16] {
        let narrow = TensorProto {
            data_type: Some(datatype as i32),
            float_data: Vec::new(),
            int32_data: vec![0x3c01, 0x3e02, 0xbc03, 0x3804],
            ..filled("w", &[4])
        };
        models.push(in_type(single(&row, &[narrow], "Mul", &[]), datatype, &row));
    }
    models
}

/// Writes a model and its graph.
fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let imported = import(bytes, &ImportOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    std::fs::write(folder.join(format!("{name}.onnx")), bytes).unwrap();
    std::fs::write(folder.join(format!("{name}.safetensors")), graph_bytes(&imported.graph)).unwrap();
}

fn python(arguments: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/same.py");
    let output = Command::new("python3").arg(script).args(arguments).output().expect("python3 is there");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn every_change_of_a_model_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let examples = examples();
    let mut seen = BTreeSet::new();
    for (number, example) in examples.iter().enumerate() {
        for node in &example.graph.as_ref().unwrap().node {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            seen.insert((part(&node.domain), part(&node.op_type)));
        }
        write(folder.path(), &format!("{number:03}"), &example.encode_to_vec());
    }
    let missing: Vec<_> =
        operators().filter(|(domain, name)| !seen.contains(&(domain.to_string(), name.to_string()))).collect();
    assert!(missing.is_empty(), "operators without an example: {missing:?}");
    let (good, text) = python(&["--self-test", folder.path().to_str().unwrap()]);
    assert!(good, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn graphs_of_real_models_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for name in super::models::SUPPORTED {
        write(folder.path(), name, &bytes(name));
        let path = |end: &str| folder.path().join(format!("{name}.{end}")).to_str().unwrap().to_string();
        let (good, text) = python(&[&path("onnx"), &path("safetensors")]);
        assert!(good, "{name}: {text}");
    }
    // And one of another model is not.
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (good, text) = python(&[&path("digits-mlp.onnx"), &path("diabetes-mlp-regression.safetensors")]);
    assert!(!good && text.starts_with("different: "), "{text}");
}

#[test]
#[ignore = "minutes, in fractions"]
fn graphs_of_all_models_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (mut same, mut trees) = (0, Vec::new());
    for models in [super::arrays::folder(), super::arrays::folder().join("attack")] {
        for entry in std::fs::read_dir(models).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "onnx") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if import(&bytes, &ImportOptions::default()).is_err() {
                trees.push(name.to_string());
                continue;
            }
            write(folder.path(), name, &bytes);
            let graph = folder.path().join(format!("{name}.safetensors"));
            let (good, text) = python(&[path.to_str().unwrap(), graph.to_str().unwrap()]);
            assert!(good, "{name}: {text}");
            same += 1;
        }
    }
    trees.sort();
    assert_eq!(trees, ["cancer-xgboost", "digits-forest", "forest"]);
    assert!(same >= 34, "{same}");
}
