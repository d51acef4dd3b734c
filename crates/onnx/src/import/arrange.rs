//! Operators that move elements: what they make is an arrangement of what they read.

use roundproof_graph::{Pick, elements};
use roundproof_network::Encodings;

use super::builder::{Labels, Value};
use super::call::Call;
use super::constant::{Constant, Values, shown};
use super::elementwise::broadcast_to;
use super::error::Problem;
use crate::proto::DataType;

type Outputs = Result<Vec<Value>, Problem>;

/// Elements of several values: a constant, if all of them are, or a node. Whoever made the picks has said so to the builder.
pub(super) fn arranged(
    call: &mut Call<'_>,
    of: &[Value],
    shape: Vec<usize>,
    picks: Vec<Pick>,
) -> Result<Value, Problem> {
    let constants: Option<Vec<&Values>> = of
        .iter()
        .map(|value| match value {
            Value::Constant(known) => Some(&known.constant.values),
            Value::Tensor(_) | Value::Truth(_) | Value::Labels(_) | Value::Unknown => None,
        })
        .collect();
    if let Some(constants) = constants {
        let picks = picks.iter().map(|pick| (pick.read as usize, pick.element as usize));
        let values = Values::picked(&constants, picks)?;
        return Ok(Value::constant(&call.builder.output, Constant { shape, values }));
    }
    let in_order = |(index, pick): (usize, &Pick)| pick.read == 0 && pick.element as usize == index;
    if let [only] = of
        && call.shape(0)? == shape
        && picks.iter().enumerate().all(in_order)
    {
        return Ok(only.clone());
    }
    let truth = of.iter().all(|value| matches!(value, Value::Truth(_)));
    let mut reads = Vec::with_capacity(of.len());
    for (operand, value) in of.iter().enumerate() {
        reads.push(match value {
            Value::Tensor(tensor) => *tensor,
            Value::Truth(tensor) if truth => *tensor,
            Value::Constant(known) => call.builder.known(known)?,
            Value::Truth(_) => return Err(Problem::operand(operand, "numbers are needed, not truth values")),
            Value::Labels(_) => {
                return Err(Problem::operand(operand, "it is a label or a place of a maximum, which stays as it is"));
            }
            Value::Unknown => return Err(Problem::operand(operand, "it is not known")),
        });
    }
    let tensor = call.builder.arrange(&reads, &shape, picks)?;
    Ok(if truth { Value::Truth(tensor) } else { Value::Tensor(tensor) })
}

/// How many elements a shape has; they are going to be made.
fn making(call: &mut Call<'_>, shape: &[usize]) -> Result<usize, Problem> {
    let count = elements(shape).ok_or_else(|| roundproof_graph::Problem::Size { shape: shape.to_vec() })?;
    call.builder.make(count)?;
    Ok(count)
}

/// The first operand in another shape.
fn reshaped(call: &mut Call<'_>, shape: Vec<usize>) -> Outputs {
    if let Some(labels) = call.labels(0) {
        return Ok(vec![Value::Labels(labels)]);
    }
    let value = call.value(0)?.clone();
    let before = call.shape(0)?;
    let count = making(call, &shape)?;
    if elements(&before) != Some(count) {
        let what = format!("a tensor of the shape {before:?} has another number of elements than {}", shown(&shape));
        return Err(Problem::other(what));
    }
    let picks = (0..count as u32).map(|element| Pick { read: 0, element }).collect();
    Ok(vec![arranged(call, &[value], shape, picks)?])
}

/// Along each axis of the first operand, the places that are taken, in the order of the result.
fn taken(call: &mut Call<'_>, places: &[Vec<usize>], shape: Option<Vec<usize>>) -> Result<Value, Problem> {
    let value = call.value(0)?.clone();
    let before = call.shape(0)?;
    let sizes: Vec<usize> = places.iter().map(Vec::len).collect();
    let count = making(call, &sizes)?;
    let picks = (0..count).map(|element| {
        let (mut rest, mut stride, mut found) = (element, 1, 0);
        for (axis, places) in places.iter().enumerate().rev() {
            found += places[rest % places.len()] * stride;
            rest /= places.len();
            stride *= before[axis];
        }
        Pick { read: 0, element: found as u32 }
    });
    let picks = picks.collect();
    arranged(call, &[value], shape.unwrap_or(sizes), picks)
}

/// Every place of every axis.
fn all_places(call: &mut Call<'_>, shape: &[usize]) -> Result<Vec<Vec<usize>>, Problem> {
    call.builder.make(shape.iter().sum())?;
    Ok(shape.iter().map(|&size| (0..size).collect()).collect())
}

pub fn identity(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    Ok(vec![call.value(0)?.clone()])
}

pub fn dropout(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 3)?;
    call.one_output("the mask")?;
    call.take_float("ratio")?;
    call.take_integer("seed")?;
    if call.has(2) && call.integer(2)? != 0 {
        return Err(Problem::operand(2, "training is not supported; export the model for inference"));
    }
    Ok(vec![call.value(0)?.clone()])
}

pub fn reshape(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 2)?;
    let as_it_is = !call.take_flag("allowzero", false)?;
    let wanted = match call.take_integers("shape")? {
        Some(shape) => shape,
        None => call.integers(1)?,
    };
    let before = call.shape(0)?;
    if call.labels(0).is_some() {
        return reshaped(call, before);
    }
    let mut shape = Vec::with_capacity(wanted.len());
    for (axis, &size) in wanted.iter().enumerate() {
        shape.push(match size {
            0 if as_it_is => *before.get(axis).ok_or_else(|| {
                Problem::operand(1, format!("axis {axis} is to stay as it is, and there are {}", before.len()))
            })?,
            -1 => usize::MAX,
            size => usize::try_from(size).map_err(|_| Problem::operand(1, format!("the size {size}")))?,
        });
    }
    // The one that is what is left.
    let others: Vec<usize> = shape.iter().copied().filter(|&size| size != usize::MAX).collect();
    match shape.len() - others.len() {
        0 => {}
        1 => {
            let misfit = || {
                let wanted = shown(&wanted);
                Problem::other(format!("a tensor of the shape {before:?} cannot be reshaped to {wanted}"))
            };
            let others = elements(&others).filter(|&others| others > 0).ok_or_else(misfit)?;
            let count: usize = before.iter().product();
            if !count.is_multiple_of(others) {
                return Err(misfit());
            }
            for size in &mut shape {
                if *size == usize::MAX {
                    *size = count / others;
                }
            }
        }
        _ => return Err(Problem::operand(1, format!("more than one size is left open in {}", shown(&wanted)))),
    }
    reshaped(call, shape)
}

pub fn flatten(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let axis = call.take_integer("axis")?.unwrap_or(1);
    let shape = call.shape(0)?;
    let axis = if axis == shape.len() as i64 { shape.len() } else { call.axis_of(axis, shape.len())? };
    let (before, after) = shape.split_at(axis);
    reshaped(call, vec![before.iter().product(), after.iter().product()])
}

pub fn squeeze(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 2)?;
    let axes = call.axes_argument(1)?;
    let mut shape = call.shape(0)?;
    if call.labels(0).is_some() {
        return reshaped(call, shape);
    }
    match axes {
        None => shape.retain(|&size| size != 1),
        Some(axes) => {
            for axis in call.axes_of(&axes, shape.len())?.into_iter().rev() {
                let size = shape.remove(axis);
                if size != 1 {
                    return Err(Problem::other(format!("axis {axis} has the size {size}, and 1 is needed")));
                }
            }
        }
    }
    reshaped(call, shape)
}

pub fn unsqueeze(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 2)?;
    let axes = call.axes_argument(1)?.ok_or_else(|| Problem::operand(1, "it is missing"))?;
    let mut shape = call.shape(0)?;
    if call.labels(0).is_some() {
        return reshaped(call, shape);
    }
    for axis in call.axes_of(&axes, shape.len().saturating_add(axes.len()))? {
        if axis > shape.len() {
            return Err(Problem::other(format!("the axes {} leave a gap", shown(&axes))));
        }
        shape.insert(axis, 1);
    }
    reshaped(call, shape)
}

pub fn transpose(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let before = call.shape(0)?;
    let axes = match call.take_integers("perm")? {
        Some(axes) => axes,
        None => (0..before.len() as i64).rev().collect(),
    };
    if call.axes_of(&axes, before.len())?.len() != before.len() || axes.len() != before.len() {
        return Err(Problem::attribute("perm", format!("{} are not all of {} axes", shown(&axes), before.len())));
    }
    let axes: Vec<usize> = axes.iter().map(|&axis| call.axis_of(axis, before.len())).collect::<Result<_, _>>()?;
    let value = transposed(call, &before, &axes)?;
    Ok(vec![value])
}

/// The first operand with its axes in another order.
fn transposed(call: &mut Call<'_>, before: &[usize], axes: &[usize]) -> Result<Value, Problem> {
    let value = call.value(0)?.clone();
    let shape: Vec<usize> = axes.iter().map(|&axis| before[axis]).collect();
    let count = making(call, &shape)?;
    let picks = transposition(before, axes, count);
    arranged(call, &[value], shape, picks)
}

/// The elements of a tensor of this shape when its axes are in another order.
pub(super) fn transposition(before: &[usize], axes: &[usize], count: usize) -> Vec<Pick> {
    let mut strides = vec![1; before.len()];
    for axis in (1..before.len()).rev() {
        strides[axis - 1] = strides[axis] * before[axis];
    }
    let pick = |element: usize| {
        let (mut rest, mut found) = (element, 0);
        for &axis in axes.iter().rev() {
            found += rest % before[axis] * strides[axis];
            rest /= before[axis];
        }
        Pick { read: 0, element: found as u32 }
    };
    (0..count).map(pick).collect()
}

pub fn concat(call: &mut Call<'_>) -> Outputs {
    let Some(axis) = call.take_integer("axis")? else { return Err(Problem::attribute("axis", "it is missing")) };
    if call.operands.is_empty() {
        return Err(Problem::other("it has no operands"));
    }
    let first = call.shape(0)?;
    let axis = call.axis_of(axis, first.len())?;
    let (mut values, mut sizes, mut shape) = (Vec::new(), Vec::new(), first.clone());
    shape[axis] = 0;
    for operand in 0..call.operands.len() {
        let part = call.shape(operand)?;
        let mut expected = first.clone();
        let size = *part.get(axis).unwrap_or(&0);
        expected[axis] = size;
        if part != expected {
            let what = format!("its shape {part:?} differs from {first:?} in another axis than {axis}");
            return Err(Problem::operand(operand, what));
        }
        shape[axis] += size;
        sizes.push(size);
        values.push(call.value(operand)?.clone());
    }
    let count = making(call, &shape)?;
    let inner: usize = shape[axis + 1..].iter().product();
    let mut picks = Vec::with_capacity(count);
    let outer: usize = shape[..axis].iter().product();
    for block in 0..outer {
        for (read, size) in sizes.iter().enumerate() {
            let chunk = size * inner;
            picks.extend((0..chunk).map(|at| Pick { read: read as u32, element: (block * chunk + at) as u32 }));
        }
    }
    Ok(vec![arranged(call, &values, shape, picks)?])
}

/// Slices: attributes before version 10, operands since.
pub fn slice(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 5)?;
    let shape = call.shape(0)?;
    let (starts, ends, axes, steps) = match (call.take_integers("starts")?, call.take_integers("ends")?) {
        (Some(starts), Some(ends)) => (starts, ends, call.take_integers("axes")?, None),
        _ => {
            let axes = if call.has(3) { Some(call.integers(3)?) } else { None };
            let steps = if call.has(4) { Some(call.integers(4)?) } else { None };
            (call.integers(1)?, call.integers(2)?, axes, steps)
        }
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Problem::other("starts, ends, axes and steps differ in number"));
    }
    call.axes_of(&axes, shape.len())?;
    let mut places = all_places(call, &shape)?;
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = call.axis_of(axis, shape.len())?;
        places[axis] = sliced(shape[axis] as i64, start, end, step)?;
    }
    Ok(vec![taken(call, &places, None)?])
}

/// The places from `start` to before `end` of an axis, as NumPy has it.
fn sliced(size: i64, start: i64, end: i64, step: i64) -> Result<Vec<usize>, Problem> {
    if step == 0 {
        return Err(Problem::other("a slice with the step 0"));
    }
    let counted = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
    let (least, most) = if step > 0 { (0, size) } else { (-1, size - 1) };
    // Going down, one before the first place is where it ends; so it cannot be where it begins.
    let start = counted(start).clamp(least.max(0), most.max(0));
    let end = counted(end).clamp(least, most);
    let mut places = Vec::new();
    let mut place = i128::from(start);
    while size > 0 && if step > 0 { place < end.into() } else { place > end.into() } {
        places.push(place as usize);
        place += i128::from(step);
    }
    Ok(places)
}

pub fn split(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 2)?;
    let shape = call.shape(0)?;
    let axis = call.take_integer("axis")?.unwrap_or(0);
    let axis = call.axis_of(axis, shape.len())?;
    let parts = call.take_integer("num_outputs")?;
    let sizes = match (call.take_integers("split")?, call.has(1)) {
        (Some(sizes), false) => sizes,
        (None, true) => call.integers(1)?,
        (Some(_), true) => return Err(Problem::attribute("split", "there is an operand for it too")),
        (None, false) => {
            let parts = parts.unwrap_or(call.outputs.len() as i64);
            let count = usize::try_from(parts).ok().filter(|&parts| parts > 0 && parts == call.outputs.len());
            let count = count.ok_or_else(|| Problem::attribute("num_outputs", "it is not the number of outputs"))?;
            // As equal as can be; the last one takes what is left.
            let size = shape[axis].div_ceil(count);
            let rest = shape[axis]
                .checked_sub(size * (count - 1))
                .ok_or_else(|| Problem::other(format!("{} places cannot be split into {count} parts", shape[axis])))?;
            (0..count).map(|part| if part + 1 < count { size as i64 } else { rest as i64 }).collect()
        }
    };
    let sizes: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let total = |sizes: &Vec<usize>| sizes.iter().try_fold(0usize, |all, &size| all.checked_add(size));
    let Some(sizes) = sizes.filter(|sizes| total(sizes) == Some(shape[axis]) && sizes.len() == call.outputs.len())
    else {
        return Err(Problem::other(format!("the parts do not make up the {} places of axis {axis}", shape[axis])));
    };
    let (mut values, mut start) = (Vec::with_capacity(sizes.len()), 0);
    for size in sizes {
        let mut places = all_places(call, &shape)?;
        places[axis] = (start..start + size).collect();
        start += size;
        values.push(taken(call, &places, None)?);
    }
    Ok(values)
}

/// Elements of the first operand by constant indices; or, of a list of labels, the one that stands for a maximum.
pub fn gather(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    let shape = call.shape(0)?;
    let axis = call.take_integer("axis")?.unwrap_or(0);
    let axis = call.axis_of(axis, shape.len())?;
    if let Some(labels) = call.labels(1) {
        return Ok(vec![relabelled(call, &labels)?]);
    }
    let indices = call.constant(1)?.clone();
    let values = call.integers(1)?;
    let mut places = all_places(call, &shape)?;
    places[axis] =
        values.iter().map(|&index| call.axis_of(index, shape[axis])).collect::<Result<_, _>>().map_err(|_| {
            Problem::operand(1, format!("an index is outside of the {} places of axis {axis}", shape[axis]))
        })?;
    let sizes = [&shape[..axis], &indices.shape[..], &shape[axis + 1..]].concat();
    Ok(vec![taken(call, &places, Some(sizes))?])
}

/// A maximum for which other labels stand: those of a list, the first operand, at the places that stood for it before.
pub(super) fn relabelled(call: &mut Call<'_>, labels: &Labels) -> Result<Value, Problem> {
    let list = call.constant(0)?;
    let Values::Integers(_, places) = &labels.labels else {
        return Err(Problem::operand(1, "places are needed, not labels"));
    };
    let count = list.values.len();
    let places: Option<Vec<(usize, usize)>> = places
        .iter()
        .map(|&place| usize::try_from(place).ok().filter(|&place| place < count).map(|place| (0, place)))
        .collect();
    let places = places.ok_or_else(|| Problem::operand(0, format!("there are only {count} labels")))?;
    let names = Values::picked(&[&list.values], places.into_iter())?;
    Ok(Value::Labels(std::rc::Rc::new(Labels { labels: names, ..labels.clone() })))
}

pub fn expand(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 2)?;
    let before = call.shape(0)?;
    let wanted: Option<Vec<usize>> = call.integers(1)?.iter().map(|&size| usize::try_from(size).ok()).collect();
    let wanted = wanted.ok_or_else(|| Problem::operand(1, "a size is negative"))?;
    let shape = roundproof_graph::broadcast(&before, &wanted);
    let shape = shape.ok_or_else(|| super::elementwise::misfit(&[&before, &wanted]))?;
    let value = call.value(0)?.clone();
    let count = making(call, &shape)?;
    let picks = (0..count).map(|element| Pick { read: 0, element: broadcast_to(&shape, &before, element) as u32 });
    let picks = picks.collect();
    Ok(vec![arranged(call, &[value], shape, picks)?])
}

/// Where a place of a padded axis reads, counted from the first place that is not padding.
fn padded(mode: &str, place: i64, size: i64) -> Option<usize> {
    let inside = |place: i64| usize::try_from(place).ok().filter(|_| place < size);
    match mode {
        "edge" => inside(place.clamp(0, size - 1)),
        "wrap" => inside(place.rem_euclid(size)),
        "reflect" => {
            // There and back again: the ends stand once.
            let period = 2 * (size - 1);
            let at = if period == 0 { 0 } else { place.rem_euclid(period) };
            inside(if at < size { at } else { period - at })
        }
        _ => inside(place),
    }
}

/// Padding: attributes before version 11, operands since.
pub fn pad(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 4)?;
    let mode = call.take_text("mode")?.unwrap_or_else(|| "constant".to_string());
    if !["constant", "reflect", "edge", "wrap"].contains(&&mode[..]) {
        return Err(Problem::attribute("mode", "constant, reflect, edge and wrap are supported"));
    }
    let shape = call.shape(0)?;
    let pads = match call.take_integers("pads")? {
        Some(pads) => pads,
        None => call.integers(1)?,
    };
    let axes = if call.has(3) { call.integers(3)? } else { (0..shape.len() as i64).collect() };
    call.axes_of(&axes, shape.len())?;
    if pads.len() != 2 * axes.len() {
        return Err(Problem::operand(1, format!("{} pads for {} axes", pads.len(), axes.len())));
    }
    let mut ends: Vec<(i64, i64)> = shape.iter().map(|&size| (0, size as i64)).collect();
    for (index, &axis) in axes.iter().enumerate() {
        let axis = call.axis_of(axis, shape.len())?;
        let (before, after) = (pads[index], pads[axes.len() + index]);
        // Negative ones cut off.
        let size = shape[axis] as i64;
        let end = size.checked_add(after).filter(|end| before.checked_neg().is_some_and(|start| start <= *end));
        let end = end.ok_or_else(|| Problem::operand(1, format!("the pads {before} and {after} of {size} places")))?;
        ends[axis] = (-before, end);
    }
    let sizes: Option<Vec<usize>> =
        ends.iter().map(|(start, end)| end.checked_sub(*start).and_then(|size| usize::try_from(size).ok())).collect();
    let sizes = sizes.ok_or_else(|| Problem::operand(1, "the pads are too large"))?;
    let count = making(call, &sizes)?;
    let padding = pad_value(call)?;
    let mut picks = Vec::with_capacity(count);
    for element in 0..count {
        let (mut rest, mut stride, mut found) = (element, 1, Some(0));
        for axis in (0..shape.len()).rev() {
            let place = ends[axis].0 + (rest % sizes[axis]) as i64;
            rest /= sizes[axis];
            let at = if shape[axis] == 0 { None } else { padded(&mode, place, shape[axis] as i64) };
            found = found.zip(at).map(|(found, at)| found + at * stride);
            stride *= shape[axis];
        }
        picks.push(match found {
            Some(found) => Pick { read: 0, element: found as u32 },
            None => Pick { read: 1, element: 0 },
        });
    }
    let needed = picks.iter().any(|pick| pick.read == 1);
    let value = call.value(0)?.clone();
    let values = if needed { vec![value, padding] } else { vec![value] };
    Ok(vec![arranged(call, &values, sizes, picks)?])
}

/// What is put in where there is nothing: zero, unless something else is said.
fn pad_value(call: &mut Call<'_>) -> Result<Value, Problem> {
    let said = call.take_float("value")?;
    if call.has(2) {
        let shape = call.shape(2)?;
        if elements(&shape) != Some(1) {
            return Err(Problem::operand(2, format!("one number is needed, and its shape is {}", shown(&shape))));
        }
        return Ok(call.value(2)?.clone());
    }
    let values = match call.value(0)?.clone() {
        Value::Constant(known) => match &known.constant.values {
            Values::Floats(format, _) => Values::Floats(*format, Encodings::collect(*format, [format.zero()])),
            Values::Integers(datatype, _) => Values::Integers(*datatype, vec![0]),
            Values::Texts(_) => Values::Texts(vec![String::new()]),
        },
        Value::Tensor(tensor) => {
            let format = call.builder.format(tensor);
            Values::Floats(format, Encodings::collect(format, [format.zero()]))
        }
        Value::Truth(_) | Value::Labels(_) | Value::Unknown => Values::Integers(DataType::Bool, vec![0]),
    };
    if said.is_some_and(|value| value != 0.0) {
        return Err(Problem::attribute("value", "padding with another number than 0 is supported since version 11"));
    }
    Ok(Value::constant("padding", Constant { shape: Vec::new(), values }))
}
