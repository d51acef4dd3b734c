//! The node tests of the onnx package: for each supported operator, what the graph gives beside what is right.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use prost::Message;
use roundproof_graph::Graph;
use roundproof_onnx::import::operators;
use roundproof_onnx::proto::{DataType, ModelProto, TensorProto};
use roundproof_onnx::{Decision, ImportError, ImportOptions, Model, import_model};

use super::evaluate::{evaluate, number};

/// Where `just onnx-node-tests` puts them.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/onnx-node-tests")
}

/// The elements of a tensor, as numbers.
fn elements(tensor: &TensorProto) -> Option<Vec<f64>> {
    use roundproof_format::{Encoding, Format};
    let raw = tensor.raw_data.as_deref().unwrap_or_default();
    macro_rules! raw {
        ($type:ty, $of:expr) => {
            raw.as_chunks::<{ size_of::<$type>() }>().0.iter().map(|it| $of(<$type>::from_le_bytes(*it))).collect()
        };
    }
    let narrow = |format: Format, bits: u16| number(format, Encoding::from_bits(bits.into()));
    Some(match DataType::try_from(tensor.data_type?).ok()? {
        DataType::Float if raw.is_empty() => tensor.float_data.iter().map(|&x| x.into()).collect(),
        DataType::Float => raw!(f32, f64::from),
        DataType::Double if raw.is_empty() => tensor.double_data.clone(),
        DataType::Double => raw!(f64, |x| x),
        DataType::Float16 if !raw.is_empty() => raw!(u16, |bits| narrow(Format::BINARY16, bits)),
        DataType::Float16 => tensor.int32_data.iter().map(|&bits| narrow(Format::BINARY16, bits as u16)).collect(),
        DataType::Bfloat16 if !raw.is_empty() => raw!(u16, |bits| narrow(Format::BFLOAT16, bits)),
        DataType::Bfloat16 => tensor.int32_data.iter().map(|&bits| narrow(Format::BFLOAT16, bits as u16)).collect(),
        DataType::Bool => raw!(u8, f64::from),
        DataType::Int64 => raw!(i64, |x| x as f64),
        DataType::Int32 => raw!(i32, f64::from),
        _ => return None,
    })
}

fn read(file: &Path) -> Option<TensorProto> {
    Some(TensorProto::decode(&std::fs::read(file).ok()?[..]).expect("a tensor"))
}

/// A model whose inputs have values from `first` on, and all that are not floating-point numbers.
fn bound(model: &ModelProto, inputs: &[TensorProto], first: usize) -> (ModelProto, Vec<Vec<f64>>) {
    let mut model = model.clone();
    let graph = model.graph.as_mut().expect("a graph");
    let floats = [DataType::Float, DataType::Double, DataType::Float16, DataType::Bfloat16];
    let mut given = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let is_float = floats.iter().any(|&float| input.data_type == Some(float as i32));
        if index >= first || !is_float {
            graph.initializer.push(input.clone());
        } else {
            given.push(elements(input).expect("numbers"));
        }
    }
    (model, given)
}

/// What a test came to.
enum Outcome {
    Agrees,
    Differs(String),
    Refused(String),
}

/// Whether numbers agree, as the package's own runner has it for binary32; narrower types are compared more loosely.
fn compared(found: &[f64], expected: &[f64], datatype: Option<i32>) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} elements, not {}", found.len(), expected.len()));
    }
    let narrow = datatype == Some(DataType::Float16 as i32) || datatype == Some(DataType::Bfloat16 as i32);
    let relative = if narrow { 2e-2 } else { 1e-3 };
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let allowed = 1e-7 + relative * expected.abs();
        let same = found == expected || found.is_nan() && expected.is_nan();
        if !same && ((found - expected).abs() > allowed || found.is_nan() || expected.is_nan()) {
            return Err(format!("element {index} is {found}, not {expected}"));
        }
    }
    Ok(())
}

fn shape_of(graph: &Graph, tensor: usize) -> Vec<i64> {
    graph.tensors()[tensor].shape.iter().map(|&size| size as i64).collect()
}

fn judged(imported: &Model, given: &[Vec<f64>], expected: &TensorProto) -> Outcome {
    let values = evaluate(&imported.graph, given);
    let datatype = expected.data_type;
    let expected_values = elements(expected).expect("numbers");
    let output = imported.graph.outputs()[0];
    let found = match &imported.decision {
        None => {
            let shape = shape_of(&imported.graph, output);
            if shape != expected.dims {
                return Outcome::Differs(format!("the shape {shape:?}, not {:?}", expected.dims));
            }
            values[output].clone()
        }
        Some(Decision::ArgMax { tensor, axis, labels }) => {
            let shape = &imported.graph.tensors()[*tensor].shape;
            let (inner, size): (usize, usize) = (shape[axis + 1..].iter().product(), shape[*axis]);
            let scores = &values[*tensor];
            let place = |at: usize| {
                let score = |place: usize| scores[(at / inner * size + place) * inner + at % inner];
                (0..size).reduce(|best, next| if score(next) > score(best) { next } else { best })
            };
            let places =
                (0..scores.len() / size).map(|at| labels[place(at).expect("scores")].parse().expect("a number"));
            places.collect()
        }
    };
    match compared(&found, &expected_values, datatype) {
        Ok(()) => Outcome::Agrees,
        Err(what) => Outcome::Differs(what),
    }
}

/// Imports a model and compares what it gives; none if it has operators that are not supported at all.
fn outcome(folder: &Path) -> Option<Outcome> {
    let model = ModelProto::decode(&std::fs::read(folder.join("model.onnx")).expect("a model")[..]).expect("a model");
    let graph = model.graph.as_ref().expect("a graph");
    let known = |domain: &str, name: &str| operators().any(|operator| operator == (domain, name));
    let all_known = graph
        .node
        .iter()
        .all(|node| known(node.domain.as_deref().unwrap_or(""), node.op_type.as_deref().unwrap_or("")));
    if !all_known || graph.output.len() != 1 {
        return None;
    }
    let inputs: Vec<TensorProto> = (0..).map_while(|index| read(&folder.join(format!("input_{index}.pb")))).collect();
    if inputs.len() != graph.input.len() {
        return None;
    }
    let expected = read(&folder.join("output_0.pb"))?;
    elements(&expected)?;
    let mut reason = String::new();
    // With all numbers as inputs; then with all but the first as constants, which some operators need.
    for first in [usize::MAX, 1] {
        let (model, given) = bound(&model, &inputs, first);
        if given.is_empty() {
            return None;
        }
        match import_model(&model, &ImportOptions::default()) {
            Ok(imported) => return Some(judged(&imported, &given, &expected)),
            Err(ImportError::Parts(parts)) => reason = parts[0].to_string(),
            Err(error) => reason = error.to_string(),
        }
    }
    Some(Outcome::Refused(reason))
}

#[test]
#[ignore = "reads what `just onnx-node-tests` writes"]
fn node_tests_of_onnx() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("`just onnx-node-tests` writes them")
        .map(|entry| entry.expect("a folder").path())
        .collect();
    names.sort();
    let (mut agree, mut different, mut refused) = (0, Vec::new(), BTreeMap::new());
    for folder in &names {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        match outcome(folder) {
            None => {}
            Some(Outcome::Agrees) => agree += 1,
            Some(Outcome::Differs(what)) => different.push(format!("{name}: {what}")),
            Some(Outcome::Refused(why)) => {
                refused.insert(name, why);
            }
        }
    }
    let mut text = format!("{agree} agree, {} are refused\n", refused.len());
    for (name, why) in &refused {
        writeln!(text, "{name}: {why}").expect("a text");
    }
    assert!(different.is_empty(), "{}\n{text}", different.join("\n"));
    insta::assert_snapshot!(text);
}
