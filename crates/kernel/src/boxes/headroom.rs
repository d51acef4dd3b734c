//! Under overflow to NaN: that no operation of a box network overflows on any row.
//!
//! R1 and R3 say nothing beyond the largest value there, so each bound must stay at or below it: in layer 1,
//! `|w| * |x| + |c|`; in layer 2, each product, and the sum of the magnitudes of all terms with the growth by the relative
//! error `2^(1-p)` of each addition; layer 3 adds zeros to one label. What holds for the network's own format holds for a
//! wider accumulator, which rounds less and reaches further.

use roundproof_exact::{Rational, decode, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Dataset, Layer, Network};

use crate::BoxRejection;
use crate::growth::growth;

pub(super) fn check(network: &Network, data: &Dataset) -> Result<(), BoxRejection> {
    let format = network.format();
    let Some(largest) = format.largest(false).map(|largest| magnitude(format, largest)) else { return Ok(()) };
    let exceeds = |layer, neuron| BoxRejection::Headroom { layer, neuron, overflow: Overflow::Nan };
    let [first, second, _] = network.layers() else { unreachable!("recognized") };

    let inputs: Vec<Rational> = (0..data.dimension()).map(|column| largest_input(data, column)).collect();
    let mut outputs = Vec::with_capacity(first.rows());
    for unit in 0..first.rows() {
        let mut sum = magnitude(format, first.bias.get(unit));
        for (column, weight) in first.terms(unit) {
            sum += magnitude(format, weight) * &inputs[column as usize];
        }
        outputs.push(round_up(&sum, format, &largest).ok_or_else(|| exceeds(1, unit))?);
    }
    for neuron in 0..second.rows() {
        let bound = bound_of_sum(format, second, neuron, &outputs, &largest);
        if bound.is_none_or(|bound| bound > largest) {
            return Err(exceeds(2, neuron));
        }
    }
    Ok(())
}

/// A bound on every partial sum of a neuron; none if a product alone may exceed the largest value.
fn bound_of_sum(
    format: Format,
    layer: &Layer,
    neuron: usize,
    inputs: &[Rational],
    largest: &Rational,
) -> Option<Rational> {
    let mut sum = magnitude(format, layer.bias.get(neuron));
    for (column, weight) in layer.terms(neuron) {
        sum += round_up(&(magnitude(format, weight) * &inputs[column as usize]), format, largest)?;
    }
    Some(sum * growth(format.precision(), layer.row(neuron).len())?)
}

fn magnitude(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite").abs()
}

fn largest_input(data: &Dataset, column: usize) -> Rational {
    let column = (0..data.rows()).map(|row| magnitude(data.format(), data.input(row, column)));
    column.max().unwrap_or_default()
}

/// The least value of the format that is not below `q`; none if `q` is beyond the largest one.
fn round_up(q: &Rational, format: Format, largest: &Rational) -> Option<Rational> {
    if q > largest {
        return None;
    }
    Some(magnitude(format, round(q, format, RoundingMode::TowardPositive, Overflow::Saturate).encoding))
}
