//! Operators on single elements, and on pairs of them.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{Comparison, Function, Op, Pick, TensorId, Unary, broadcast, elements};
use roundproof_network::Encodings;

use super::arrange::arranged;
use super::builder::Value;
use super::call::Call;
use super::constant::{Constant, Values, converted, datatype, float_format, range_of, shown, type_name};
use super::error::Problem;
use crate::proto::DataType;

type Outputs = Result<Vec<Value>, Problem>;

fn unary(call: &mut Call<'_>, unary: Unary) -> Outputs {
    call.expect(1, 1)?;
    let read = call.tensor(0)?;
    Ok(vec![Value::Tensor(call.builder.node(Op::Unary(unary), &[read])?)])
}

pub fn neg(call: &mut Call<'_>) -> Outputs {
    if let Some(integers) = folded(call, |a, _| a.checked_neg(), 1)? {
        return Ok(vec![integers]);
    }
    unary(call, Unary::Neg)
}

pub fn abs(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Abs)
}

pub fn relu(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Relu)
}

pub fn sign(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Sign)
}

pub fn sqrt(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Sqrt)
}

pub fn reciprocal(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Reciprocal)
}

pub fn exp(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Exp))
}

pub fn log(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Log))
}

pub fn sigmoid(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Sigmoid))
}

pub fn tanh(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Tanh))
}

pub fn erf(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Erf))
}

pub fn softplus(call: &mut Call<'_>) -> Outputs {
    unary(call, Unary::Function(Function::Softplus))
}

pub fn leaky_relu(call: &mut Call<'_>) -> Outputs {
    let slope = call.take_number("alpha", 0.01)?;
    unary(call, Unary::LeakyRelu { slope })
}

pub fn hard_sigmoid(call: &mut Call<'_>) -> Outputs {
    let slope = call.take_number("alpha", 0.2)?;
    let offset = call.take_number("beta", 0.5)?;
    unary(call, Unary::HardSigmoid { slope, offset })
}

/// `min(max(x, low), high)`. Limits were attributes before version 11.
pub fn clip(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 3)?;
    let read = call.tensor(0)?;
    let format = call.builder.format(read);
    let mut limits = [None, None];
    for (index, attribute) in ["min", "max"].into_iter().enumerate() {
        if let Some(value) = call.take_float(attribute)? {
            let value = Encoding::from_bits(value.to_bits().into());
            let limit = converted(Format::BINARY32, value, format);
            let what = || Problem::attribute(attribute, format!("it is not a value of {format}"));
            limits[index] = Some(limit.ok_or_else(what)?);
        }
        let operand = index + 1;
        if call.has(operand) {
            if limits[index].is_some() {
                return Err(Problem::attribute(attribute, "there is an operand for it too"));
            }
            // A limit that depends on the inputs: one more operation.
            let Ok(constant) = call.constant(operand) else { return clip_by_tensors(call, read) };
            let Values::Floats(of, values) = &constant.values else {
                return Err(Problem::operand(operand, "a number is needed"));
            };
            if *of != format || values.len() != 1 {
                return Err(Problem::operand(operand, format!("one number of {format} is needed")));
            }
            limits[index] = Some(values.get(0));
        }
    }
    // Beyond infinity, nothing is cut off.
    let [low, high] = limits;
    let low = low.filter(|&low| Some(low) != format.infinity(true));
    let high = high.filter(|&high| Some(high) != format.infinity(false));
    if low.is_none() && high.is_none() {
        return Ok(vec![Value::Tensor(read)]);
    }
    Ok(vec![Value::Tensor(call.builder.node(Op::Unary(Unary::Clip { low, high }), &[read])?)])
}

fn clip_by_tensors(call: &mut Call<'_>, mut read: TensorId) -> Outputs {
    for (operand, op) in [(1, Op::Max), (2, Op::Min)] {
        if call.has(operand) {
            let limit = call.tensor(operand)?;
            read = call.builder.node(op, &[read, limit])?;
        }
    }
    Ok(vec![Value::Tensor(read)])
}

/// Integers that are known, elementwise; none if the operands are something else.
fn folded(
    call: &mut Call<'_>,
    of: impl Fn(i64, i64) -> Option<i64>,
    operands: usize,
) -> Result<Option<Value>, Problem> {
    let is_number = |operand: usize| !matches!(call.operands.get(operand), Some(Some(Value::Constant(known))) if known.constant.as_integers().is_some());
    if call.operands.len() != operands || (0..operands).any(is_number) {
        return Ok(None);
    }
    let last = operands - 1;
    let (left, right) = (call.constant(0)?.clone(), call.constant(last)?.clone());
    let (Values::Integers(datatype, a), Values::Integers(other, b)) = (&left.values, &right.values) else {
        return Ok(None);
    };
    if datatype != other {
        return Err(Problem::operand(last, "its data type is not that of the first operand"));
    }
    let (shape, pairs) = pairs(call, &left.shape, &right.shape)?;
    let (least, largest) = range_of(*datatype).unwrap_or((0, 0));
    let values: Option<Vec<i64>> = pairs
        .into_iter()
        .map(|(left, right)| of(a[left], b[right]).filter(|&value| value >= least && value <= largest))
        .collect();
    let name = type_name(*datatype);
    let values = values.ok_or_else(|| Problem::other(format!("the result is not a value of {name}")))?;
    let constant = Constant { shape, values: Values::Integers(*datatype, values) };
    let name = call.builder.output.clone();
    Ok(Some(Value::constant(&name, constant)))
}

/// The shape that two shapes are broadcast to, and which elements meet.
type Pairs = (Vec<usize>, Vec<(usize, usize)>);

fn pairs(call: &mut Call<'_>, left: &[usize], right: &[usize]) -> Result<Pairs, Problem> {
    let shape = broadcast(left, right).ok_or_else(|| misfit(&[left, right]))?;
    let count = elements(&shape).ok_or_else(|| roundproof_graph::Problem::Size { shape: shape.clone() })?;
    call.builder.make(count)?;
    let pairs = (0..count).map(|element| (broadcast_to(&shape, left, element), broadcast_to(&shape, right, element)));
    let pairs = pairs.collect();
    Ok((shape, pairs))
}

pub(super) fn misfit(shapes: &[&[usize]]) -> Problem {
    roundproof_graph::Problem::Shapes { reads: shapes.iter().map(|shape| shape.to_vec()).collect() }.into()
}

/// Of an element of a broadcast shape, the element of one that was broadcast to it.
pub(super) fn broadcast_to(shape: &[usize], from: &[usize], element: usize) -> usize {
    let (mut rest, mut stride, mut found) = (element, 1, 0);
    for (axis, &size) in shape.iter().enumerate().rev() {
        let at = rest % size;
        rest /= size;
        if let Some(axis) = (axis + from.len()).checked_sub(shape.len()) {
            found += if from[axis] == 1 { 0 } else { at * stride };
            stride *= from[axis];
        }
    }
    found
}

fn binary(call: &mut Call<'_>, op: Op, fold: fn(i64, i64) -> Option<i64>) -> Outputs {
    call.expect(2, 2)?;
    if let Some(integers) = folded(call, fold, 2)? {
        return Ok(vec![integers]);
    }
    let (left, right) = (call.tensor(0)?, call.tensor(1)?);
    Ok(vec![Value::Tensor(call.builder.node(op, &[left, right])?)])
}

pub fn add(call: &mut Call<'_>) -> Outputs {
    binary(call, Op::Add, i64::checked_add)
}

pub fn sub(call: &mut Call<'_>) -> Outputs {
    binary(call, Op::Sub, i64::checked_sub)
}

pub fn mul(call: &mut Call<'_>) -> Outputs {
    binary(call, Op::Mul, i64::checked_mul)
}

pub fn div(call: &mut Call<'_>) -> Outputs {
    // Towards zero: where the operands have one sign, runtimes agree; elsewhere ONNX does not say.
    binary(call, Op::Div, |a, b| if a < 0 || b <= 0 { None } else { Some(a / b) })
}

/// Of any number of operands, two by two from the left.
fn variadic(call: &mut Call<'_>, op: Op, fold: fn(i64, i64) -> Option<i64>) -> Outputs {
    if call.operands.is_empty() {
        return Err(Problem::other("it has no operands"));
    }
    if let Some(integers) = folded(call, fold, 2)? {
        return Ok(vec![integers]);
    }
    let mut result = call.tensor(0)?;
    for operand in 1..call.operands.len() {
        let right = call.tensor(operand)?;
        result = call.builder.node(op.clone(), &[result, right])?;
    }
    Ok(vec![Value::Tensor(result)])
}

pub fn sum(call: &mut Call<'_>) -> Outputs {
    variadic(call, Op::Add, i64::checked_add)
}

pub fn max(call: &mut Call<'_>) -> Outputs {
    variadic(call, Op::Max, |a, b| Some(a.max(b)))
}

pub fn min(call: &mut Call<'_>) -> Outputs {
    variadic(call, Op::Min, |a, b| Some(a.min(b)))
}

pub fn prelu(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    let (read, slope) = (call.tensor(0)?, call.tensor(1)?);
    Ok(vec![Value::Tensor(call.builder.node(Op::PRelu, &[read, slope])?)])
}

/// A power by a constant: an operation that rounds once, or two of them.
pub fn pow(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    let read = call.tensor(0)?;
    let Constant { shape: _, values } = call.constant(1)?;
    // The exponent need not be of the type of the base.
    let exponent = match values {
        Values::Integers(_, values) => {
            values.first().map(|&first| (first.saturating_mul(2), values.iter().all(|&it| it == first)))
        }
        Values::Floats(format, values) => {
            let twice = [(-2, -1.0f32), (1, 0.5), (2, 1.0), (4, 2.0), (6, 3.0)].into_iter().find(|(_, value)| {
                let value = Encoding::from_bits(value.to_bits().into());
                converted(Format::BINARY32, value, *format) == values.iter().next()
            });
            twice.map(|(twice, _)| (twice, values.iter().all(|value| value == values.get(0))))
        }
        Values::Texts(_) => None,
    };
    let twice = exponent.filter(|(_, all_alike)| *all_alike).map(|(twice, _)| twice);
    let exponents = call.shape(1)?;
    let shape = broadcast(call.builder.shape(read), &exponents);
    if shape.as_deref() != Some(call.builder.shape(read)) {
        return Err(misfit(&[call.builder.shape(read), &exponents]));
    }
    let builder = &mut *call.builder;
    let result = match twice {
        Some(-2) => builder.node(Op::Unary(Unary::Reciprocal), &[read])?,
        Some(1) => builder.node(Op::Unary(Unary::Sqrt), &[read])?,
        Some(2) => read,
        Some(4) => builder.node(Op::Mul, &[read, read])?,
        Some(6) => {
            let square = builder.node(Op::Mul, &[read, read])?;
            builder.node(Op::Mul, &[square, read])?
        }
        _ => {
            let what = "powers by the constants -1, 0.5, 1, 2 and 3 are supported, one for all elements";
            return Err(Problem::operand(1, what));
        }
    };
    Ok(vec![Value::Tensor(result)])
}

/// Truth values that are known, of integers; none if the operands are something else.
fn compared(call: &mut Call<'_>, of: fn(i64, i64) -> bool) -> Result<Option<Value>, Problem> {
    match folded(call, |a, b| Some(i64::from(of(a, b))), 2)? {
        Some(Value::Constant(known)) => {
            let shape = known.constant.shape.clone();
            let values = known.constant.as_integers().unwrap_or_default().to_vec();
            let constant = Constant { shape, values: Values::Integers(DataType::Bool, values) };
            Ok(Some(Value::constant(&known.name, constant)))
        }
        _ => Ok(None),
    }
}

fn comparison(call: &mut Call<'_>, comparison: Comparison, fold: fn(i64, i64) -> bool) -> Outputs {
    call.expect(2, 2)?;
    if let Some(truth) = compared(call, fold)? {
        return Ok(vec![truth]);
    }
    let (left, right) = (call.tensor(0)?, call.tensor(1)?);
    Ok(vec![Value::Truth(call.builder.node(Op::Compare(comparison), &[left, right])?)])
}

pub fn greater(call: &mut Call<'_>) -> Outputs {
    comparison(call, Comparison::Greater, |a, b| a > b)
}

pub fn greater_or_equal(call: &mut Call<'_>) -> Outputs {
    comparison(call, Comparison::GreaterOrEqual, |a, b| a >= b)
}

pub fn less(call: &mut Call<'_>) -> Outputs {
    comparison(call, Comparison::Less, |a, b| a < b)
}

pub fn less_or_equal(call: &mut Call<'_>) -> Outputs {
    comparison(call, Comparison::LessOrEqual, |a, b| a <= b)
}

pub fn equal(call: &mut Call<'_>) -> Outputs {
    comparison(call, Comparison::Equal, |a, b| a == b)
}

/// Operations on truth values: of numbers that are 0 or 1, the product, the larger one.
fn logical(call: &mut Call<'_>, op: Op, fold: fn(i64, i64) -> Option<i64>) -> Outputs {
    call.expect(2, 2)?;
    if let Some(truth) = folded(call, fold, 2)? {
        return Ok(vec![truth]);
    }
    let (Value::Truth(left), Value::Truth(right)) = (call.value(0)?.clone(), call.value(1)?.clone()) else {
        return Err(Problem::other("truth values are needed, both known or both depending on the inputs"));
    };
    let format = call.builder.format(left);
    let right = call.builder.cast(right, format)?;
    Ok(vec![Value::Truth(call.builder.node(op, &[left, right])?)])
}

pub fn and(call: &mut Call<'_>) -> Outputs {
    logical(call, Op::Min, |a, b| Some(a.min(b)))
}

pub fn or(call: &mut Call<'_>) -> Outputs {
    logical(call, Op::Max, |a, b| Some(a.max(b)))
}

pub fn not(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    if let Some(truth) = folded(call, |a, _| Some(1 - a), 1)? {
        return Ok(vec![truth]);
    }
    let Value::Truth(read) = *call.value(0)? else { return Err(Problem::operand(0, "truth values are needed")) };
    let format = call.builder.format(read);
    let values = Values::Floats(format, Encodings::collect(format, [format.zero()]));
    let zero = call.builder.constant("zero", &Constant { shape: Vec::new(), values })?;
    Ok(vec![Value::Truth(call.builder.node(Op::Compare(Comparison::Equal), &[read, zero])?)])
}

/// Elements of the second operand where the first is true, of the third elsewhere.
pub fn r#where(call: &mut Call<'_>) -> Outputs {
    call.expect(3, 3)?;
    let (then, other) = (call.value(1)?.clone(), call.value(2)?.clone());
    if let Value::Truth(chosen) = *call.value(0)? {
        let (then, other) = (call.tensor(1)?, call.tensor(2)?);
        let format = call.builder.format(then);
        let chosen = call.builder.cast(chosen, format)?;
        return Ok(vec![Value::Tensor(call.builder.node(Op::Where, &[chosen, then, other])?)]);
    }
    let chosen = call.constant(0)?.clone();
    let Values::Integers(DataType::Bool, truths) = &chosen.values else {
        return Err(Problem::operand(0, format!("truth values are needed, not {}", chosen.values.describe())));
    };
    let shapes = [call.shape(1)?, call.shape(2)?];
    let (both, _) = pairs(call, &shapes[0], &shapes[1])?;
    let (shape, chosen) = pairs(call, &both, &chosen.shape)?;
    let picks = chosen.iter().enumerate().map(|(element, &(_, truth))| {
        let read = usize::from(truths[truth] == 0);
        Pick { read: read as u32, element: broadcast_to(&shape, &shapes[read], element) as u32 }
    });
    let picks = picks.collect();
    Ok(vec![arranged(call, &[then, other], shape, picks)?])
}

/// Each element in another data type. What is known and has each value there is converted here; all else is rounded when the
/// graph is evaluated.
pub fn cast(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let to = call.take_integer("to")?.ok_or_else(|| Problem::attribute("to", "it is missing"))?;
    // They are about data types of 8 bits alone.
    call.take_integer("saturate")?;
    call.take_text("round_mode")?;
    let to = datatype(to)?;
    let value = call.value(0)?.clone();
    if let Value::Constant(known) = &value {
        call.builder.make(known.constant.values.len())?;
    }
    let other =
        || Problem::other(format!("a cast of what depends on the inputs to {} is not supported", type_name(to)));
    let result = match &value {
        Value::Labels(_) => value,
        Value::Unknown => value,
        Value::Truth(_) if to == DataType::Bool => value,
        Value::Tensor(read) | Value::Truth(read) => {
            Value::Tensor(call.builder.cast(*read, float_format(to).ok_or_else(other)?)?)
        }
        Value::Constant(known) => match (known.constant.cast(to)?, float_format(to)) {
            (Some(constant), _) => Value::constant(&call.builder.output, constant),
            (None, Some(format)) if known.constant.as_integers().is_none() => {
                let read = call.builder.known(known)?;
                Value::Tensor(call.builder.cast(read, format)?)
            }
            (None, _) => {
                let shape = shown(&known.constant.shape);
                let name = type_name(to);
                return Err(Problem::other(format!("an element of the constant {shape} is not a value of {name}")));
            }
        },
    };
    Ok(vec![result])
}
