//! Convolutions and pooling.

use roundproof_graph::{Op, Pool, TensorId};
use roundproof_network::{Axis, Geometry};

use super::builder::Value;
use super::call::Call;
use super::constant::{Constant, shown};
use super::error::Problem;

type Outputs = Result<Vec<Value>, Problem>;

/// The places of a tensor `[1, channels, places..]`.
fn places(call: &Call<'_>, tensor: TensorId) -> Result<Vec<usize>, Problem> {
    match call.builder.shape(tensor) {
        [1, _, places @ ..] if !places.is_empty() => Ok(places.to_vec()),
        shape => {
            let what = "a batch of one row is needed, [1, channels, places..]; make the batch axis dynamic, or 1";
            Err(Problem::operand(0, format!("its shape is {shape:?}, and {what}")))
        }
    }
}

/// One count for each axis, from an attribute.
fn counts(call: &mut Call<'_>, name: &str, axes: usize) -> Result<Option<Vec<usize>>, Problem> {
    let Some(values) = call.take_integers(name)? else { return Ok(None) };
    let counts: Option<Vec<usize>> = values.iter().map(|&value| usize::try_from(value).ok()).collect();
    match counts.filter(|counts| counts.len() == axes) {
        Some(counts) => Ok(Some(counts)),
        None => Err(Problem::attribute(name, format!("{} are not {axes} counts", shown(&values)))),
    }
}

/// Where a window lies that slides over places; `window` is how large it is along each axis. What is said of rounding up is
/// padding behind the places, and of each axis how much of that there is.
fn geometry(call: &mut Call<'_>, places: &[usize], window: &[usize]) -> Result<(Geometry, bool), Problem> {
    let count = places.len();
    let strides = counts(call, "strides", count)?.unwrap_or_else(|| vec![1; count]);
    let dilations = counts(call, "dilations", count)?.unwrap_or_else(|| vec![1; count]);
    let pads = counts(call, "pads", 2 * count)?;
    let auto = call.take_text("auto_pad")?.unwrap_or_else(|| "NOTSET".to_string());
    let round_up = call.take_flag("ceil_mode", false)?;
    if auto != "NOTSET" && pads.as_ref().is_some_and(|pads| pads.iter().any(|&pad| pad != 0)) {
        return Err(Problem::attribute("pads", format!("auto_pad is {auto}, and only NOTSET has pads")));
    }
    let pads = pads.unwrap_or_else(|| vec![0; 2 * count]);
    let mut beyond = false;
    let mut axes = Vec::with_capacity(count);
    for axis in 0..count {
        let (size, window, stride, dilation) = (places[axis], window[axis], strides[axis], dilations[axis]);
        if [size, window, stride, dilation].contains(&0) {
            return Err(roundproof_network::GeometryError::Zero { axis }.into());
        }
        let too_large = || Problem::other(format!("the window of axis {axis} is too large"));
        let extent = (window - 1).checked_mul(dilation).and_then(|extent| extent.checked_add(1));
        let extent = extent.ok_or_else(too_large)?;
        let (before, mut after) = match &auto[..] {
            "NOTSET" => (pads[axis], pads[count + axis]),
            "VALID" => (0, 0),
            "SAME_UPPER" | "SAME_LOWER" => {
                let positions = size.div_ceil(stride);
                let needed = (positions - 1).checked_mul(stride).and_then(|last| last.checked_add(extent));
                let all = needed.ok_or_else(too_large)?.saturating_sub(size);
                let less = all / 2;
                if auto == "SAME_UPPER" { (less, all - less) } else { (all - less, less) }
            }
            _ => return Err(Problem::attribute("auto_pad", "NOTSET, VALID, SAME_UPPER and SAME_LOWER are supported")),
        };
        let padded = size.checked_add(before).and_then(|padded| padded.checked_add(after)).ok_or_else(too_large)?;
        if round_up && padded >= extent {
            let mut positions = (padded - extent).div_ceil(stride) + 1;
            // A window that would begin behind the places and the padding ahead is left out.
            if (positions - 1).checked_mul(stride).is_none_or(|last| last >= size + before) {
                positions -= 1;
            }
            let end = (positions.saturating_sub(1)).checked_mul(stride).and_then(|last| last.checked_add(extent));
            let more = end.ok_or_else(too_large)?.saturating_sub(padded);
            beyond |= more > 0;
            after += more;
        }
        axes.push(Axis { size, window, stride, dilation, before, after });
    }
    Ok((Geometry::new(axes)?, beyond))
}

/// Sums of products over a window, and a bias: a convolution, and a sum.
pub fn conv(call: &mut Call<'_>) -> Outputs {
    call.expect(2, 3)?;
    let (read, weights) = (call.tensor(0)?, call.tensor(1)?);
    let places = places(call, read)?;
    let [_, _, window @ ..] = call.builder.shape(weights) else {
        let shape = call.builder.shape(weights);
        return Err(Problem::operand(1, format!("its shape is {shape:?}, and [outputs, inputs, places..] is needed")));
    };
    let window = window.to_vec();
    if window.len() != places.len() {
        return Err(Problem::operand(
            1,
            format!("its window has {} axes, and there are {}", window.len(), places.len()),
        ));
    }
    if let Some(said) = counts(call, "kernel_shape", places.len())?
        && said != window
    {
        return Err(Problem::attribute(
            "kernel_shape",
            format!("{said:?} is not the shape of the weights, {window:?}"),
        ));
    }
    let groups = call.take_integer("group")?.unwrap_or(1);
    let groups = usize::try_from(groups).map_err(|_| Problem::attribute("group", format!("{groups} groups")))?;
    let (geometry, _) = geometry(call, &places, &window)?;
    let mut result = call.builder.node(Op::Conv { geometry, groups }, &[read, weights])?;
    if call.has(2) {
        let outputs = call.builder.shape(weights)[0];
        if call.shape(2)? != [outputs] {
            return Err(Problem::operand(2, format!("its shape is not [{outputs}]")));
        }
        let shape: Vec<usize> = [outputs].into_iter().chain(places.iter().map(|_| 1)).collect();
        let bias = match call.value(2)?.clone() {
            Value::Constant(known) => {
                call.builder.make(outputs)?;
                let constant = Constant { shape, values: known.constant.values.clone() };
                call.builder.constant(&known.name, &constant)?
            }
            Value::Tensor(_) | Value::Truth(_) | Value::Labels(_) | Value::Unknown => {
                let bias = call.tensor(2)?;
                call.builder.reshape(bias, &shape)?
            }
        };
        result = call.builder.node(Op::Add, &[result, bias])?;
    }
    Ok(vec![Value::Tensor(result)])
}

fn pooled(call: &mut Call<'_>, pool: Pool) -> Outputs {
    let read = call.tensor(0)?;
    let places = places(call, read)?;
    let window = counts(call, "kernel_shape", places.len())?;
    let window = window.ok_or_else(|| Problem::attribute("kernel_shape", "it is missing"))?;
    let (geometry, beyond) = geometry(call, &places, &window)?;
    match pool {
        Pool::Average { padding_counts: true } if beyond => {
            let what = "1 is not supported with count_include_pad: which places count there depends on the runtime";
            Err(Problem::attribute("ceil_mode", what))
        }
        Pool::Average { padding_counts: _ } | Pool::Max => {
            Ok(vec![Value::Tensor(call.builder.node(Op::Pool { pool, geometry }, &[read])?)])
        }
    }
}

pub fn max_pool(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    call.one_output("the places of the largest elements")?;
    // It is about that second output alone.
    call.take_flag("storage_order", false)?;
    pooled(call, Pool::Max)
}

pub fn average_pool(call: &mut Call<'_>) -> Outputs {
    call.expect(1, 1)?;
    let padding_counts = call.take_flag("count_include_pad", false)?;
    pooled(call, Pool::Average { padding_counts })
}
