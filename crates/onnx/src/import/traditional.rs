//! Operators of `ai.onnx.ml`, as exporters of scikit-learn write them.

use std::rc::Rc;

use roundproof_format::Format;
use roundproof_graph::{Function, Norm, Op, TensorId, Unary};

use super::arrange::{gather, relabelled};
use super::builder::{Labels, Value};
use super::call::{Call, finite};
use super::constant::{Constant, Values};
use super::error::Problem;
use crate::proto::DataType;

type Outputs = Result<Vec<Value>, Problem>;

/// The first operand, which has to be of binary32: these operators compute in it, whatever they read.
fn single(call: &mut Call<'_>) -> Result<TensorId, Problem> {
    let read = call.tensor(0)?;
    match call.builder.format(read) {
        Format::BINARY32 => Ok(read),
        other => Err(Problem::operand(0, format!("float32 is needed, not {other}; convert the inputs to it"))),
    }
}

/// Finite numbers of binary32, from an attribute.
fn numbers(call: &mut Call<'_>, name: &str) -> Result<Option<Vec<f32>>, Problem> {
    let Some(values) = call.take_floats(name)? else { return Ok(None) };
    for &value in &values {
        finite(name, value)?;
    }
    Ok(Some(values))
}

/// A constant of these numbers.
fn stored(call: &mut Call<'_>, name: &str, shape: Vec<usize>, values: &[f32]) -> Result<TensorId, Problem> {
    let name = format!("{}/{name}", call.builder.output);
    call.builder.constant(&name, &Constant::floats(shape, values))
}

/// `(x - offset) * scale`: a difference and a product.
pub fn scaler(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let mut result = single(call)?;
    let columns = call.builder.shape(result).last().copied().unwrap_or(1);
    for (name, op) in [("offset", Op::Sub), ("scale", Op::Mul)] {
        let values = numbers(call, name)?.ok_or_else(|| Problem::attribute(name, "it is missing"))?;
        if values.len() != 1 && values.len() != columns {
            return Err(Problem::attribute(name, format!("{} numbers for {columns} columns", values.len())));
        }
        let stored = stored(call, name, vec![values.len()], &values)?;
        result = call.builder.node(op, &[result, stored])?;
    }
    Ok(vec![Value::Tensor(result)])
}

pub fn normalizer(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let read = single(call)?;
    let norm = match call.take_text("norm")?.as_deref().unwrap_or("MAX") {
        "MAX" => Norm::Max,
        "L1" => Norm::L1,
        "L2" => Norm::L2,
        _ => return Err(Problem::attribute("norm", "MAX, L1 and L2 are supported")),
    };
    Ok(vec![Value::Tensor(call.builder.node(Op::Normalize(norm), &[read])?)])
}

/// `x W + b`, for rows of coefficients.
fn linear(call: &mut Call<'_>, outputs: usize) -> Result<TensorId, Problem> {
    let read = single(call)?;
    let [_, columns] = call.builder.shape(read)[..] else {
        let shape = call.builder.shape(read);
        return Err(Problem::operand(0, format!("rows are needed, and its shape is {shape:?}")));
    };
    let missing = || Problem::attribute("coefficients", "it is missing");
    let coefficients = numbers(call, "coefficients")?.ok_or_else(missing)?;
    if outputs.checked_mul(columns) != Some(coefficients.len()) || coefficients.is_empty() {
        let what = format!("{} numbers for {columns} columns and {outputs} outputs", coefficients.len());
        return Err(Problem::attribute("coefficients", what));
    }
    let by_columns = (0..columns).flat_map(|column| (0..outputs).map(move |row| (row, column)));
    let by_columns: Vec<f32> = by_columns.map(|(row, column)| coefficients[row * columns + column]).collect();
    let weights = stored(call, "coefficients", vec![columns, outputs], &by_columns)?;
    let mut result = call.builder.node(Op::MatMul, &[read, weights])?;
    if let Some(intercepts) = numbers(call, "intercepts")? {
        if intercepts.len() != outputs {
            let what = format!("{} numbers for {outputs} outputs", intercepts.len());
            return Err(Problem::attribute("intercepts", what));
        }
        let stored = stored(call, "intercepts", vec![outputs], &intercepts)?;
        result = call.builder.node(Op::Add, &[result, stored])?;
    }
    Ok(result)
}

/// What is made of the outputs of a linear model.
fn transformed(call: &mut Call<'_>, scores: TensorId) -> Result<TensorId, Problem> {
    let axis = call.builder.shape(scores).len() - 1;
    let op = match call.take_text("post_transform")?.as_deref().unwrap_or("NONE") {
        "NONE" => return Ok(scores),
        "LOGISTIC" => Op::Unary(Unary::Function(Function::Sigmoid)),
        "SOFTMAX" => Op::Softmax { axis },
        _ => return Err(Problem::attribute("post_transform", "NONE, LOGISTIC and SOFTMAX are supported")),
    };
    call.builder.node(op, &[scores])
}

pub fn linear_regressor(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let targets = call.take_integer("targets")?.unwrap_or(1);
    let outputs = usize::try_from(targets).map_err(|_| Problem::attribute("targets", format!("{targets} outputs")))?;
    let result = linear(call, outputs)?;
    Ok(vec![Value::Tensor(transformed(call, result)?)])
}

/// The label of the largest score, and the scores.
pub fn linear_classifier(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    // How scores came about in training; nothing is computed by it.
    call.take_integer("multi_class")?;
    let labels = match (call.take_integers("classlabels_ints")?, call.take_texts("classlabels_strings")?) {
        (Some(labels), None) => Values::Integers(DataType::Int64, labels),
        (None, Some(labels)) => Values::Texts(labels),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::attribute("classlabels_ints", "either this or classlabels_strings is needed"));
        }
    };
    if labels.len() < 2 {
        return Err(Problem::attribute("classlabels_ints", "two labels are needed at least"));
    }
    // With one row of coefficients for two labels, runtimes compare with a threshold; this is refused as a wrong number.
    let scores = linear(call, labels.len())?;
    let outputs = transformed(call, scores)?;
    let axis = call.builder.shape(scores).len() - 1;
    let labels = Value::Labels(Rc::new(Labels { tensor: scores, axis, labels }));
    Ok(vec![labels, Value::Tensor(outputs)])
}

/// Columns by constant numbers; or, of a list of labels, the one that stands for a maximum.
pub fn array_feature_extractor(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    if let Some(labels) = call.labels(1) {
        return Ok(vec![relabelled(call, &labels)?]);
    }
    let indices = Constant::integers(call.integers(1)?);
    let axes = call.shape(0)?.len();
    call.operands[1] = Some(Value::constant("indices", indices));
    call.put_integer("axis", axes as i64 - 1);
    gather(call)
}

/// Scores by label: the scores.
pub fn zip_map(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    call.take_integers("classlabels_int64s")?;
    call.take_texts("classlabels_strings")?;
    Ok(vec![Value::Tensor(call.tensor(0)?)])
}
