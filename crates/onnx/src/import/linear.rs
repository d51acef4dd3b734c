//! Matrix products, and normalization by constants.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{Op, TensorId, elements};
use roundproof_network::Encodings;

use super::arrange::transposition;
use super::builder::Value;
use super::call::Call;
use super::constant::{Constant, Values, converted};
use super::error::Problem;

type Outputs = Result<Vec<Value>, Problem>;

/// Products over the last two axes. A vector is a row on the left, a column on the right.
pub fn mat_mul(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    let (mut left, mut right) = (call.tensor(0)?, call.tensor(1)?);
    let (a, b) = (call.builder.shape(left).to_vec(), call.builder.shape(right).to_vec());
    if let [size] = a[..] {
        left = call.builder.reshape(left, &[1, size])?;
    }
    if let [size] = b[..] {
        right = call.builder.reshape(right, &[size, 1])?;
    }
    let mut result = call.builder.node(Op::MatMul, &[left, right])?;
    let mut shape = call.builder.shape(result).to_vec();
    if b.len() == 1 {
        shape.pop();
    }
    if a.len() == 1 {
        let row = shape.len() - usize::from(b.len() != 1);
        shape.remove(row.saturating_sub(1));
    }
    result = call.builder.reshape(result, &shape)?;
    Ok(vec![Value::Tensor(result)])
}

/// A constant of one number, an attribute, in a data type that has it.
fn factor(call: &mut Call<'_>, attribute: &str, value: Encoding, format: Format) -> Result<TensorId, Problem> {
    let value = converted(Format::BINARY32, value, format).ok_or_else(|| {
        Problem::attribute(attribute, format!("it is not a value of {format}, and runtimes round it differently"))
    })?;
    let values = Values::Floats(format, Encodings::collect(format, [value]));
    call.builder.constant(attribute, &Constant { shape: Vec::new(), values })
}

/// A matrix, transposed: a constant one is stored so, and not moved by a node.
fn transposed(call: &mut Call<'_>, operand: usize) -> Result<TensorId, Problem> {
    let shape = call.shape(operand)?;
    let [rows, columns] = shape[..] else {
        return Err(Problem::operand(operand, format!("a matrix is needed, and its shape is {shape:?}")));
    };
    let count = elements(&shape).ok_or_else(|| roundproof_graph::Problem::Size { shape: shape.clone() })?;
    call.builder.make(count)?;
    let picks = transposition(&shape, &[1, 0], count);
    let shape = vec![columns, rows];
    match call.value(operand)?.clone() {
        Value::Constant(known) => {
            let from = picks.iter().map(|pick| (0, pick.element as usize));
            let values = Values::picked(&[&known.constant.values], from)?;
            call.builder.constant(&known.name, &Constant { shape, values })
        }
        Value::Tensor(_) | Value::Truth(_) | Value::Labels(_) | Value::Unknown => {
            let tensor = call.tensor(operand)?;
            call.builder.arrange(&[tensor], &shape, picks)
        }
    }
}

/// `alpha A B + beta C`: a matrix product, products by factors other than 1, a sum.
pub fn gemm(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 3)?;
    let one = Encoding::from_bits(1.0f32.to_bits().into());
    let alpha = call.take_number("alpha", 1.0)?;
    let beta = call.take_number("beta", 1.0)?;
    let flags = [call.take_flag("transA", false)?, call.take_flag("transB", false)?];
    let mut factors = [0; 2];
    for (operand, flag) in flags.into_iter().enumerate() {
        factors[operand] = if flag { transposed(call, operand)? } else { call.tensor(operand)? };
        let shape = call.builder.shape(factors[operand]);
        if shape.len() != 2 {
            return Err(Problem::operand(operand, format!("a matrix is needed, and its shape is {shape:?}")));
        }
    }
    let format = call.builder.format(factors[0]);
    let mut result = call.builder.node(Op::MatMul, &factors)?;
    if alpha != one {
        let alpha = factor(call, "alpha", alpha, format)?;
        result = call.builder.node(Op::Mul, &[result, alpha])?;
    }
    if call.has(2) {
        let mut bias = call.tensor(2)?;
        if beta != one {
            let beta = factor(call, "beta", beta, format)?;
            bias = call.builder.node(Op::Mul, &[bias, beta])?;
        }
        let shape = call.builder.shape(result).to_vec();
        result = call.builder.node(Op::Add, &[result, bias])?;
        if call.builder.shape(result) != shape {
            return Err(Problem::operand(2, format!("it is not broadcast to the shape {shape:?}")));
        }
    }
    Ok(vec![Value::Tensor(result)])
}

pub fn batch_normalization(call: &mut Call<'_>) -> Outputs {
    call.expect(5, 5)?;
    call.one_output("the mean, for training")?;
    let epsilon = call.take_number("epsilon", 1e-5)?;
    // It is about training alone.
    call.take_float("momentum")?;
    if call.take_flag("training_mode", false)? {
        return Err(Problem::attribute("training_mode", "export the model for inference"));
    }
    if call.version < 9 && !call.take_flag("spatial", true)? {
        return Err(Problem::attribute("spatial", "only 1 is supported"));
    }
    let mut reads = Vec::with_capacity(5);
    for operand in 0..5 {
        if operand > 0 {
            call.constant(operand)?;
        }
        reads.push(call.tensor(operand)?);
    }
    Ok(vec![Value::Tensor(call.builder.node(Op::BatchNormalization { epsilon }, &reads)?)])
}
