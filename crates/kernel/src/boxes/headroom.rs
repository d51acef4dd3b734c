//! Under overflow to NaN: that no operation of a box network overflows at any input in question.
//!
//! R1 and R3 say nothing beyond the largest value there, so each bound must stay at or below it: in layer 1,
//! `|w| * |x| + |c|`; in layer 2, where a Step unit counts 1, each product, and the sum of the magnitudes of all terms with
//! the growth by the relative error `2^(1-p)` of each addition; what layer 3 adds is bounded in [`super::sums`]. What holds
//! for the network's own format holds for a wider accumulator, which rounds less and reaches further.
//!
//! With Step this is for formats without NaN, where that of an accumulator becomes a zero, which Step takes for 1. In others
//! Step reads NaN as silence, and [`super::silence`] asks for less.

use std::hash::Hash;

use roundproof_exact::{Rational, decode, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network};
use rustc_hash::FxHashMap;

use super::key;
use crate::BoxRejection;
use crate::growth::growth;

/// `data` are the inputs in question; none: all finite ones.
pub(super) fn check(network: &Network, data: Option<&Dataset>) -> Result<(), BoxRejection> {
    let format = network.format();
    let Some(largest) = format.largest(false).map(|largest| magnitude(format, largest)) else { return Ok(()) };
    let exceeds = |layer, neuron| BoxRejection::Headroom { layer, neuron, overflow: Overflow::Nan };
    let [first, second, _] = network.layers() else { unreachable!("recognized") };

    let inputs: Vec<Encoding> = match data {
        Some(data) => (0..data.dimension()).map(|column| largest_input(data, column)).collect(),
        None => vec![format.largest(false).unwrap_or(format.zero()); network.input_dimension()],
    };
    let mut outputs = Encodings::with_capacity(format, first.rows());
    let mut known = Known::default();
    for unit in 0..first.rows() {
        let bias = first.bias.get(unit);
        // A recognized unit has one term.
        let (column, weight) = first.terms(unit).next().expect("recognized");
        let input = inputs[column as usize];
        let bound = *known.of((weight, bias, input), || {
            let sum = magnitude(format, bias) + magnitude(format, weight) * magnitude(format, input);
            round_up(&sum, format, &largest)
        });
        let bound = bound.ok_or_else(|| exceeds(1, unit))?;
        // A unit that fires gives 1, however small its sum is.
        outputs.push(if first.activation == Activation::Step { format.one(false) } else { bound });
    }
    let mut products = Known::default();
    for neuron in 0..second.rows() {
        let bound = bound_of_sum(format, second, neuron, &outputs, &mut |weight, output| {
            let product = || {
                let product = magnitude(format, weight) * magnitude(format, output);
                round_up(&product, format, &largest).map(|product| magnitude(format, product))
            };
            products.of((weight, output), product).clone()
        });
        let bound = bound.and_then(|sum| Some(sum * growth(format.precision(), second.row(neuron).len())?));
        if bound.is_none_or(|bound| bound > largest) {
            return Err(exceeds(2, neuron));
        }
    }
    Ok(())
}

/// The sum of the bounds of all terms of a neuron; none if a product alone may exceed the largest value.
fn bound_of_sum(
    format: Format,
    layer: &Layer,
    neuron: usize,
    inputs: &Encodings,
    product: &mut dyn FnMut(Encoding, Encoding) -> Option<Rational>,
) -> Option<Rational> {
    let mut sum = magnitude(format, layer.bias.get(neuron));
    for (column, weight) in layer.terms(neuron) {
        sum += product(weight, inputs.get(column as usize))?;
    }
    Some(sum)
}

/// Bounds that were computed already: units are alike from box to box. Begun anew when there are many that are not.
struct Known<K, V>(FxHashMap<K, V>);

impl<K: Eq + Hash, V> Known<K, V> {
    const MANY: usize = 1 << 16;

    fn of(&mut self, place: K, compute: impl FnOnce() -> V) -> &V {
        if self.0.len() == Self::MANY && !self.0.contains_key(&place) {
            self.0.clear();
        }
        self.0.entry(place).or_insert_with(compute)
    }
}

impl<K, V> Default for Known<K, V> {
    fn default() -> Known<K, V> {
        Known(FxHashMap::default())
    }
}

fn magnitude(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite").abs()
}

/// An input of a column with the largest magnitude.
fn largest_input(data: &Dataset, column: usize) -> Encoding {
    let column = (0..data.rows()).map(|row| data.input(row, column));
    column.max_by_key(|&input| key(data.format(), input).abs()).unwrap_or(data.format().zero())
}

/// The least value of the format that is not below `q`; none if `q` is beyond the largest one.
fn round_up(q: &Rational, format: Format, largest: &Rational) -> Option<Encoding> {
    if q > largest {
        return None;
    }
    Some(round(q, format, RoundingMode::TowardPositive, Overflow::Saturate).encoding)
}
