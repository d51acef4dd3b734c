//! Indicators that count the bounds that hold, and compare the count with the number of bounds.
//!
//! A count is exact as long as it is at most `min(2^p, max)`: every subset of its terms sums up to an integer within that
//! (R5). Beyond `2^p`, adding 1 may leave a partial sum as it is, and the comparison fails.

use std::collections::BTreeMap;

use roundproof_exact::{Datum, Rational, encode};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Activation, Dataset, Layer, Network};
use roundproof_softfloat::{Arithmetic, from_order_key, negate, order_key, power_of_two};

use crate::ConstructError;
use crate::scale::{floor_exponent, scaled};

/// Of each row `z` with `d` inputs, `Step(x_j - z_j) + Step(z_j - x_j)` summed over `j` and compared with `2d`; then the
/// labels, weighed by the indicators.
///
/// # Errors
///
/// If there are no rows, no inputs or several labels, two rows have the same inputs, or `2d` is not a value of the format.
pub fn counting_indicator(data: &Dataset) -> Result<Network, ConstructError> {
    check(data)?;
    let format = data.format();
    let one = format.one(false);
    let count = negate(format, number(format, 2 * data.dimension())?);
    let mut first = Layer::new(format, Activation::Step);
    let mut second = Layer::new(format, Activation::Step);
    for row in 0..data.rows() {
        let start = first.rows() as u32;
        for column in 0..data.dimension() {
            let value = data.input(row, column);
            first.push([(column as u32, one)], negate(format, value));
            first.push([(column as u32, negate(format, one))], value);
        }
        second.push((start..first.rows() as u32).map(|unit| (unit, one)), count);
    }
    Ok(Network::new(format, data.dimension(), vec![first, second, weighed(data)])?)
}

/// The same with ReLU: of each bound the step of two layers `ReLU(1 - ReLU(K (x - t)))`, which is 1 up to `t` and 0 from
/// the next value on if `K * gap >= 1`; the steps summed, and the sum compared with the number of bounds by such a step
/// again, `ReLU(1 - ReLU(2d - sum))`.
///
/// `K` is the least power of two that suffices. A bound at the end of the format needs no step.
///
/// # Errors
///
/// As [`counting_indicator`]; and if a bound has no such `K`, as close to zero it has not: there is no second factor as the
/// penalties of a box network are.
pub fn counted_ramps(data: &Dataset) -> Result<Network, ConstructError> {
    check(data)?;
    let format = data.format();
    let one = format.one(false);
    let minus_one = negate(format, one);
    let mut layers: Vec<Layer> = (0..4).map(|_| Layer::new(format, Activation::Relu)).collect();
    for row in 0..data.rows() {
        let start = layers[0].rows() as u32;
        for column in 0..data.dimension() {
            for upper in [false, true] {
                let slope =
                    slope(format, data.input(row, column), upper).map_err(|NoSlope| ConstructError::NoSlope {
                        row,
                        column,
                        value: data.input(row, column),
                        side: if upper { "upper" } else { "lower" },
                        format,
                    })?;
                let Some((weight, bias)) = slope else { continue };
                layers[0].push([(column as u32, weight)], bias);
            }
        }
        let bounds = start..layers[0].rows() as u32;
        for unit in bounds.clone() {
            layers[1].push([(unit, minus_one)], one);
        }
        layers[2].push(bounds.clone().map(|unit| (unit, minus_one)), number(format, bounds.len())?);
        layers[3].push([(row as u32, minus_one)], one);
    }
    if layers[0].rows() == 0 {
        return Err(ConstructError::Unsuitable("every row is at the ends of the format: there is nothing to count"));
    }
    layers.push(weighed(data));
    Ok(Network::new(format, data.dimension(), layers)?)
}

/// The labels, weighed by indicators.
fn weighed(data: &Dataset) -> Layer {
    let mut last = Layer::new(data.format(), Activation::Identity);
    last.push((0..data.rows()).map(|row| (row as u32, data.label(row, 0))), data.format().zero());
    last
}

fn check(data: &Dataset) -> Result<(), ConstructError> {
    if data.outputs() != 1 || data.dimension() == 0 {
        return Err(ConstructError::Unsuitable("indicators that count take inputs and give one output"));
    }
    if data.rows() == 0 {
        return Err(ConstructError::Empty);
    }
    let format = data.format();
    let mut seen = BTreeMap::new();
    for row in 0..data.rows() {
        let keys: Vec<Option<i128>> = (0..data.dimension()).map(|j| order_key(format, data.input(row, j))).collect();
        if let Some(first) = seen.insert(keys, row) {
            return Err(ConstructError::Conflict { first, second: row, output: 0, format });
        }
    }
    Ok(())
}

fn number(format: Format, bounds: usize) -> Result<Encoding, ConstructError> {
    let value = encode(format, &Datum::Finite(Rational::from(bounds))).filter(|_| bounds > 0);
    value.or((bounds == 0).then(|| format.zero())).ok_or(ConstructError::Count { bounds, format })
}

struct NoSlope;

/// Weight and bias of `K (x - value)` for an upper bound, `K (value - x)` for a lower one. None if there is nothing beyond.
fn slope(format: Format, value: Encoding, upper: bool) -> Result<Option<(Encoding, Encoding)>, NoSlope> {
    if format.is_zero(value) && !format.is_bounded() {
        return Err(NoSlope);
    }
    let key = order_key(format, value).ok_or(NoSlope)?;
    let beyond = from_order_key(format, if upper { key + 1 } else { key - 1 });
    let Some(beyond) = beyond.filter(|&beyond| format.is_finite(beyond)) else { return Ok(None) };
    // Differences of neighbours are exact (R3): the policy never acts.
    let exact = Arithmetic::new(format, Overflow::Saturate).map_err(|_| NoSlope)?;
    let (high, low) = if upper { (beyond, value) } else { (value, beyond) };
    let gap = exact.subtract(RoundingMode::TowardZero, high, low).encoding;
    let scale = (-floor_exponent(format, gap).ok_or(NoSlope)?).max(0);
    let fits = [value, beyond].iter().all(|&value| scaled(format, value, scale).is_some());
    let weight = power_of_two(format, scale).filter(|_| fits || scale == 0).ok_or(NoSlope)?;
    let bias = scaled(format, value, scale).ok_or(NoSlope)?;
    Ok(Some(if upper { (weight, negate(format, bias)) } else { (negate(format, weight), bias) }))
}
