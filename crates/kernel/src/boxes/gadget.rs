//! Recognising box indicators, and their side conditions.

use std::collections::BTreeMap;

use roundproof_exact::{Rational, decode, encode, order_key, power_of_two};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Dataset, Layer, Network};
use rustc_hash::FxHashMap;

use super::key;
use crate::BoxRejection;

/// What a unit of layer 1 tells about its input, mirrored for upper sides: keys are those of `x'`.
///
/// On every row of the data and on every path, the unit fires or it is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    /// Whether the unit bounds its input from above.
    pub upper: bool,
    /// The unit fires if `key(x')` is at most this, and is silent on every row with another key; none: on every row.
    pub fires_up_to: Option<i128>,
    /// When it fires, it gives at least 2 to this power.
    pub strength: i64,
}

impl Side {
    fn fires(&self, key: i128) -> bool {
        let mirrored = if self.upper { -key } else { key };
        self.fires_up_to.is_some_and(|most| mirrored <= most)
    }
}

/// A box network whose side conditions hold.
pub(super) struct Gadget<'a> {
    network: &'a Network,
    /// The distinct sides, and which one each unit is: sides repeat from box to box.
    sides: Vec<Side>,
    side_of_unit: Vec<u32>,
}

impl<'a> Gadget<'a> {
    pub fn recognize(network: &'a Network, data: &Dataset) -> Result<Gadget<'a>, BoxRejection> {
        let [first, second, last] = network.layers() else { return Err(BoxRejection::Layers) };
        let hidden = first.activation;
        if second.activation != hidden || hidden == Activation::Identity || last.activation != Activation::Identity {
            return Err(BoxRejection::Layers);
        }
        let (sides, side_of_unit) = recognize_units(network.format(), first, data)?;
        let gadget = Gadget { network, sides, side_of_unit };
        gadget.check_boxes(second)?;
        for output in 0..last.rows() {
            let bias = last.bias.get(output);
            if !network.format().is_zero(bias) {
                return Err(BoxRejection::OutputBias { output, bias });
            }
        }
        Ok(gadget)
    }

    pub fn format(&self) -> Format {
        self.network.format()
    }

    pub fn boxes(&self) -> usize {
        self.network.layers()[1].rows()
    }

    pub fn input_dimension(&self) -> usize {
        self.network.input_dimension()
    }

    /// The sides of a box, each with the input that it looks at.
    pub fn sides(&self, neuron: usize) -> impl Iterator<Item = (u32, &Side)> + '_ {
        let [first, second, _] = self.network.layers() else { unreachable!("recognized") };
        // Unit `u` has exactly one term, so its column stands at position `u`.
        second.row(neuron).map(move |index| {
            let unit = second.columns[index] as usize;
            (first.columns[unit], &self.sides[self.side_of_unit[unit] as usize])
        })
    }

    /// Whether a row lies in a box: whether every side is silent.
    pub fn contains(&self, neuron: usize, data: &Dataset, row: usize) -> bool {
        let key = |column: u32| key(self.format(), data.input(row, column as usize));
        self.sides(neuron).all(|(column, side)| !side.fires(key(column)))
    }

    fn check_boxes(&self, second: &Layer) -> Result<(), BoxRejection> {
        let format = self.format();
        let relu = second.activation == Activation::Relu;
        let (expected, bias_key) = if relu { (1, key(format, format.one(false))) } else { (0, 0) };
        let mut exponents: FxHashMap<Encoding, Option<i64>> = FxHashMap::default();
        for neuron in 0..second.rows() {
            let bias = second.bias.get(neuron);
            if key(format, bias) != bias_key {
                return Err(BoxRejection::BoxBias { neuron, bias, expected });
            }
            let mut weak = Vec::new();
            for (unit, weight) in second.terms(neuron) {
                let exponent = *exponents.entry(weight).or_insert_with(|| penalty_exponent(format, weight));
                let Some(exponent) = exponent.filter(|&exponent| relu || exponent == 0) else {
                    return Err(BoxRejection::BoxWeight { neuron, weight });
                };
                let strength = exponent + self.sides[self.side_of_unit[unit as usize] as usize].strength;
                if strength < 0 {
                    weak.push((unit as usize, strength));
                }
            }
            if !weak.is_empty() {
                self.check_copies(second, neuron, &weak)?;
            }
        }
        Ok(())
    }

    /// A side whose units each give a penalty below 1: some `2^j` of them must give at least `2^-j`, for a `j <= p`
    /// with `2^-j` in the format (R6, general form).
    fn check_copies(&self, second: &Layer, neuron: usize, weak: &[(usize, i64)]) -> Result<(), BoxRejection> {
        let first = &self.network.layers()[0];
        let place = |unit: usize| {
            let side = &self.sides[self.side_of_unit[unit] as usize];
            (first.columns[unit], side.upper, side.fires_up_to)
        };
        let mut strengths: BTreeMap<_, Vec<i64>> = BTreeMap::new();
        for &(unit, strength) in weak {
            strengths.entry(place(unit)).or_default().push(strength);
        }
        // A strong unit at the same place fires whenever the weak ones do.
        for (unit, _) in second.terms(neuron) {
            let unit = unit as usize;
            if weak.binary_search_by_key(&unit, |&(unit, _)| unit).is_err() {
                strengths.remove(&place(unit));
            }
        }
        let format = self.format();
        let precision = i64::from(format.precision());
        for (at, copies) in strengths {
            let suffices = (1..=precision.min(62)).any(|j| {
                let enough = copies.iter().filter(|&&strength| strength >= -j).count() as u64 >= 1 << j;
                enough && format.emin().is_none_or(|emin| -j > i64::from(emin) - precision)
            });
            if !suffices {
                let (unit, strength) = *weak.iter().find(|&&(unit, _)| place(unit) == at).expect("one of the weak");
                return Err(BoxRejection::Penalty { neuron, unit, strength, copies: copies.len() });
            }
        }
        Ok(())
    }
}

/// The exponent of `W` if the weight is `-W` for a power of two `W`.
fn penalty_exponent(format: Format, weight: Encoding) -> Option<i64> {
    let value = -decode(format, weight)?.rational()?;
    let exponent = floor_exponent(&value)?;
    (value == power_of_two(exponent)).then_some(exponent)
}

/// `e` with `2^e <= q < 2^(e+1)`, for positive `q`.
fn floor_exponent(q: &Rational) -> Option<i64> {
    if *q <= 0 {
        return None;
    }
    let guess = i64::from(q.numer().significant_bits()) - i64::from(q.denom().significant_bits());
    Some(if *q < power_of_two(guess) { guess - 1 } else { guess })
}

/// The distinct sides among the units of layer 1, and the side of each unit.
fn recognize_units(format: Format, first: &Layer, data: &Dataset) -> Result<(Vec<Side>, Vec<u32>), BoxRejection> {
    let mut sides = Vec::new();
    let mut known: FxHashMap<(Encoding, Encoding, Option<u32>), u32> = FxHashMap::default();
    let mut side_of_unit = Vec::with_capacity(first.rows());
    for unit in 0..first.rows() {
        let mut terms = first.terms(unit);
        let (Some((column, weight)), None) = (terms.next(), terms.next()) else {
            return Err(BoxRejection::UnitTerms { unit, terms: first.row(unit).len() });
        };
        let bias = first.bias.get(unit);
        // Around zero, F(p) has no neighbours: there, what a unit tells depends on the data in its column.
        let place = (weight, bias, (!format.is_bounded()).then_some(column));
        let side = match known.get(&place) {
            Some(&side) => side,
            None => {
                sides.push(recognize_unit(format, first.activation, unit, (column, weight, bias), data)?);
                let side = sides.len() as u32 - 1;
                known.insert(place, side);
                side
            }
        };
        side_of_unit.push(side);
    }
    Ok((sides, side_of_unit))
}

fn recognize_unit(
    format: Format,
    activation: Activation,
    unit: usize,
    (column, weight, bias): (u32, Encoding, Encoding),
    data: &Dataset,
) -> Result<Side, BoxRejection> {
    let rational =
        |encoding| decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite");
    let scale = rational(weight);
    let upper = scale > 0;
    let scale = scale.abs();
    if floor_exponent(&scale).is_none_or(|e| e < 0 || scale != power_of_two(e)) {
        return Err(BoxRejection::UnitWeight { unit, weight });
    }
    if activation == Activation::Step {
        if scale != 1 {
            return Err(BoxRejection::UnitWeight { unit, weight });
        }
        return Ok(Side { upper, fires_up_to: Some(key(format, bias)), strength: 0 });
    }
    let threshold = rational(bias) / &scale;
    let at_threshold = encode_value(format, &threshold)
        .and_then(|encoding| order_key(format, encoding))
        .ok_or(BoxRejection::UnitThreshold { unit, bias })?;
    // Silent from the threshold on, firing from the value below it on; in F(p), zero has none but among the data.
    let fires_up_to = if at_threshold == 0 && !format.is_bounded() {
        let column = (0..data.rows()).map(|row| key(format, data.input(row, column as usize)));
        column.map(|key| if upper { -key } else { key }).filter(|&key| key < 0).max()
    } else {
        Some(at_threshold - 1)
    };
    let Some(below) = fires_up_to else {
        return Ok(Side { upper, fires_up_to, strength: i64::MAX / 2 });
    };
    let below = value_of_key(format, below).ok_or(BoxRejection::UnitAtEnd { unit })?;
    if let Some(largest) = format.largest(false)
        && scale != 1
        && Rational::from(&below * &scale).abs() > rational(largest)
    {
        return Err(BoxRejection::UnitScale { unit });
    }
    let strength = floor_exponent(&((threshold - below) * scale)).expect("a positive gap");
    Ok(Side { upper, fires_up_to, strength })
}

fn encode_value(format: Format, value: &Rational) -> Option<Encoding> {
    if *value == 0 {
        return Some(format.zero());
    }
    encode(format, &roundproof_exact::Datum::Finite(value.clone()))
}

/// The finite value with this key; none beyond the ends of the format.
fn value_of_key(format: Format, key: i128) -> Option<Rational> {
    if format.largest(false).is_some_and(|largest| key.unsigned_abs() > largest.bits()) {
        return None;
    }
    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
    decode(format, Encoding::from_bits(sign | key.unsigned_abs()))?.rational()
}
