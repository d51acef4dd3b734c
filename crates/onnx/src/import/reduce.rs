//! Operators over axes: sums, means, extremes, and what is made of them.

use std::rc::Rc;

use roundproof_graph::{Op, Reduction};

use super::builder::{Labels, Value};
use super::call::Call;
use super::constant::Values;
use super::error::Problem;
use crate::proto::DataType;

type Outputs = Result<Vec<Value>, Problem>;

fn reduced(call: &mut Call<'_>, reduction: Reduction) -> Outputs {
    call.expect(1, 2)?;
    let keep = call.take_flag("keepdims", true)?;
    let none_is_none = call.take_flag("noop_with_empty_axes", false)?;
    let axes = call.axes_argument(1)?.unwrap_or_default();
    let read = call.tensor(0)?;
    let shape = call.builder.shape(read).to_vec();
    let axes = match axes.is_empty() {
        true if none_is_none => return Ok(vec![Value::Tensor(read)]),
        true => (0..shape.len()).collect(),
        false => call.axes_of(&axes, shape.len())?,
    };
    if shape.contains(&0) {
        return Err(Problem::operand(0, "it has no elements"));
    }
    let result = if axes.is_empty() {
        read
    } else {
        call.builder.node(Op::Reduce { reduction, axes: axes.clone() }, &[read])?
    };
    let left = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &size)| size);
    let left: Vec<usize> = left.collect();
    Ok(vec![Value::Tensor(if keep { result } else { call.builder.reshape(result, &left)? })])
}

pub fn reduce_sum(call: &mut Call<'_>) -> Outputs {
    reduced(call, Reduction::Sum)
}

pub fn reduce_mean(call: &mut Call<'_>) -> Outputs {
    reduced(call, Reduction::Mean)
}

pub fn reduce_max(call: &mut Call<'_>) -> Outputs {
    reduced(call, Reduction::Max)
}

pub fn reduce_min(call: &mut Call<'_>) -> Outputs {
    reduced(call, Reduction::Min)
}

/// Over all places of each channel.
fn global(call: &mut Call<'_>, reduction: Reduction) -> Outputs {
    call.expect(1, 1)?;
    let read = call.tensor(0)?;
    let axes = call.builder.shape(read).len();
    if axes < 3 || call.builder.shape(read).contains(&0) {
        return Err(Problem::operand(0, "a tensor [rows, channels, places..] is needed"));
    }
    let op = Op::Reduce { reduction, axes: (2..axes).collect() };
    Ok(vec![Value::Tensor(call.builder.node(op, &[read])?)])
}

pub fn global_average_pool(call: &mut Call<'_>) -> Outputs {
    global(call, Reduction::Mean)
}

pub fn global_max_pool(call: &mut Call<'_>) -> Outputs {
    global(call, Reduction::Max)
}

fn normalized(call: &mut Call<'_>, op: fn(usize) -> Op) -> Outputs {
    call.expect(1, 1)?;
    let read = call.tensor(0)?;
    let shape = call.builder.shape(read).to_vec();
    // Before version 13, all axes from this one on were taken together.
    let together = call.version < 13;
    let axis = call.take_integer("axis")?.unwrap_or(if together { 1 } else { -1 });
    let axis = call.axis_of(axis, shape.len())?;
    if together && shape[axis + 1..].iter().any(|&size| size != 1) {
        let what = "several axes are taken together before version 13, which is not supported; convert the model to it";
        return Err(Problem::attribute("axis", what));
    }
    Ok(vec![Value::Tensor(call.builder.node(op(axis), &[read])?)])
}

pub fn softmax(call: &mut Call<'_>) -> Outputs {
    normalized(call, |axis| Op::Softmax { axis })
}

pub fn log_softmax(call: &mut Call<'_>) -> Outputs {
    normalized(call, |axis| Op::LogSoftmax { axis })
}

/// The place of the largest element: no operation, but what is decided by it.
pub fn arg_max(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let axis = call.take_integer("axis")?.unwrap_or(0);
    call.take_flag("keepdims", true)?;
    if call.take_flag("select_last_index", false)? {
        return Err(Problem::attribute("select_last_index", "only 0 is supported: of equal ones, the first counts"));
    }
    let tensor = call.tensor(0)?;
    let shape = call.builder.shape(tensor).to_vec();
    let axis = call.axis_of(axis, shape.len())?;
    if shape.contains(&0) {
        return Err(Problem::operand(0, "it has no elements"));
    }
    call.builder.make(shape[axis])?;
    let labels = Values::Integers(DataType::Int64, (0..shape[axis] as i64).collect());
    Ok(vec![Value::Labels(Rc::new(Labels { tensor, axis, labels }))])
}
