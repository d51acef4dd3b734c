//! Constants, and integers that are made of shapes.

use roundproof_format::Format;
use roundproof_graph::elements;

use super::builder::{Builder, Value};
use super::call::Call;
use super::constant::{Constant, Values, shown};
use super::error::Problem;
use crate::proto::DataType;

type Outputs = Result<Vec<Value>, Problem>;

fn made(call: &Call<'_>, constant: Constant) -> Outputs {
    Ok(vec![Value::constant(&call.builder.output, constant)])
}

pub fn constant(call: &mut Call<'_>) -> Outputs {
    call.expect(0, 0)?;
    let integers = |values| Values::Integers(DataType::Int64, values);
    let values = if let Some(constant) = call.take_tensor("value")? {
        constant
    } else if let Some(value) = call.take_float("value_float")? {
        Constant::floats(Vec::new(), &[value])
    } else if let Some(values) = call.take_floats("value_floats")? {
        Constant::floats(vec![values.len()], &values)
    } else if let Some(value) = call.take_integer("value_int")? {
        Constant { shape: Vec::new(), values: integers(vec![value]) }
    } else if let Some(values) = call.take_integers("value_ints")? {
        Constant::integers(values)
    } else if let Some(text) = call.take_text("value_string")? {
        Constant { shape: Vec::new(), values: Values::Texts(vec![text]) }
    } else if let Some(texts) = call.take_texts("value_strings")? {
        Constant { shape: vec![texts.len()], values: Values::Texts(texts) }
    } else {
        return Err(Problem::attribute("value", "it is missing, or of a type that is not supported"));
    };
    made(call, values)
}

pub fn constant_of_shape(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let sizes = call.integers(0)?;
    let shape: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = shape.ok_or_else(|| Problem::operand(0, format!("{} is not a shape", shown(&sizes))))?;
    let count = elements(&shape).ok_or_else(|| roundproof_graph::Problem::Size { shape: shape.clone() })?;
    call.builder.make(count)?;
    let values = match call.take_tensor("value")? {
        None => Values::Floats(Format::BINARY32, Builder::filled(Format::BINARY32, Format::BINARY32.zero(), count)),
        Some(constant) if constant.values.len() == 1 => {
            Values::picked(&[&constant.values], std::iter::repeat_n((0, 0), count))?
        }
        Some(_) => return Err(Problem::attribute("value", "one element is needed")),
    };
    made(call, Constant { shape, values })
}

pub fn shape(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let shape: Vec<i64> = call.shape(0)?.iter().map(|&size| size as i64).collect();
    let axes = shape.len() as i64;
    let place = |place: i64| if place < 0 { place.saturating_add(axes) } else { place }.clamp(0, axes) as usize;
    let start = place(call.take_integer("start")?.unwrap_or(0));
    let end = place(call.take_integer("end")?.unwrap_or(axes));
    let part = shape.get(start..end).unwrap_or_default().to_vec();
    made(call, Constant::integers(part))
}

pub fn size(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let count: usize = call.shape(0)?.iter().product();
    let values = Values::Integers(DataType::Int64, vec![count as i64]);
    made(call, Constant { shape: Vec::new(), values })
}

pub fn range(call: &mut Call<'_>) -> Outputs {
    call.expect(3, 3)?;
    let (start, limit, delta) = (call.integer(0)?, call.integer(1)?, call.integer(2)?);
    if delta == 0 {
        return Err(Problem::operand(2, "a step of 0"));
    }
    let distance = i128::from(limit) - i128::from(start);
    let count = (distance + i128::from(delta) - i128::from(delta.signum())) / i128::from(delta);
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    call.builder.make(count)?;
    // Each is between the ends.
    let values = (0..count as i128).map(|step| (i128::from(start) + step * i128::from(delta)) as i64).collect();
    let Values::Integers(datatype, _) = &call.constant(0)?.values else {
        return Err(Problem::operand(0, "integers are needed"));
    };
    let constant = Constant { shape: vec![count], values: Values::Integers(*datatype, values) };
    made(call, constant)
}
