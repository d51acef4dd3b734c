//! Recognising box indicators, and their side conditions.

use std::collections::BTreeMap;

use roundproof_exact::{Parts, Rational, decode, encode_parts, parts, power_of_two};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network};
use rustc_hash::FxHashMap;

use super::key;
use crate::BoxRejection;

/// What a unit of layer 1 tells about its input, mirrored for upper sides: keys are those of `x'`.
///
/// At every input in question and on every path, the unit fires or it is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    /// Whether the unit bounds its input from above.
    pub upper: bool,
    /// The unit fires if `key(x')` is at most this, and is silent at every other input; none: it is silent at all.
    pub fires_up_to: Option<i128>,
    /// When it fires, it gives at least 2 to this power.
    pub strength: i64,
}

impl Side {
    /// The side that a box has of a unit that it needs to fire: what lies beyond is on the other side of the same cut.
    fn opposite(self) -> Side {
        Side { upper: !self.upper, fires_up_to: self.fires_up_to.map(|most| -most - 1), strength: self.strength }
    }

    fn excludes(&self, key: i128) -> bool {
        let mirrored = if self.upper { -key } else { key };
        self.fires_up_to.is_some_and(|most| mirrored <= most)
    }
}

/// A box network whose side conditions hold.
pub(super) struct Gadget<'a> {
    network: &'a Network,
    /// What the units tell.
    units: Units,
}

/// The sides of the units, in little memory: there can be many millions.
struct Units {
    /// The largest `x'` at which each unit fires; zero for one that is silent at all.
    fires_up_to: Encodings,
    /// Its strength; [`SILENT`] for one that is silent at all.
    strength: Vec<i32>,
}

/// Stronger than any unit that fires.
const SILENT: i32 = i32::MAX;

impl<'a> Gadget<'a> {
    /// `data` are the inputs in question; none: all finite ones.
    pub fn recognize(network: &'a Network, data: Option<&Dataset>) -> Result<Gadget<'a>, BoxRejection> {
        let [first, second, last] = network.layers() else { return Err(BoxRejection::Layers) };
        let hidden = first.activation;
        if second.activation != hidden || hidden == Activation::Identity || last.activation != Activation::Identity {
            return Err(BoxRejection::Layers);
        }
        let units = recognize_units(network.format(), first, data)?;
        let gadget = Gadget { network, units };
        gadget.check_boxes(second)?;
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
    pub fn sides(&self, neuron: usize) -> impl Iterator<Item = (u32, Side)> + '_ {
        let [first, second, _] = self.network.layers() else { unreachable!("recognized") };
        let format = self.format();
        // Unit `u` has exactly one term, so its column stands at position `u`.
        second.terms(neuron).map(move |(unit, weight)| {
            let side = self.side(unit as usize);
            let required = !format.is_sign_minus(weight);
            (first.columns[unit as usize], if required { side.opposite() } else { side })
        })
    }

    /// What a unit tells. Its weight is not zero, and neither are those of layer 2.
    fn side(&self, unit: usize) -> Side {
        let (format, strength) = (self.format(), self.units.strength[unit]);
        let upper = !format.is_sign_minus(self.network.layers()[0].weights.get(unit));
        let fires_up_to = (strength != SILENT).then(|| key(format, self.units.fires_up_to.get(unit)));
        Side { upper, fires_up_to, strength: i64::from(strength) }
    }

    /// Whether a row lies in a box: whether every side is silent.
    pub fn contains(&self, neuron: usize, data: &Dataset, row: usize) -> bool {
        let key = |column: u32| key(self.format(), data.input(row, column as usize));
        self.sides(neuron).all(|(column, side)| !side.excludes(key(column)))
    }

    fn check_boxes(&self, second: &Layer) -> Result<(), BoxRejection> {
        let one = key(self.format(), self.format().one(false));
        for neuron in 0..second.rows() {
            if second.activation == Activation::Step {
                self.check_count(second, neuron)?;
                continue;
            }
            let bias = second.bias.get(neuron);
            if key(self.format(), bias) != one {
                return Err(BoxRejection::BoxBias { neuron, bias, expected: 1 });
            }
            let mut weak = Vec::new();
            for (unit, weight) in second.terms(neuron) {
                let Some(exponent) = penalty_exponent(self.format(), weight) else {
                    return Err(BoxRejection::BoxWeight { neuron, weight });
                };
                let strength = exponent + i64::from(self.units.strength[unit as usize]);
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

    /// A Step neuron counts: +1 for each unit that has to fire, -1 for each that has to be silent, and the bias takes
    /// off how many have to fire. Without any of those the sum is at most 0 in every order; with them it has to be
    /// exact (R5).
    fn check_count(&self, second: &Layer, neuron: usize) -> Result<(), BoxRejection> {
        let format = self.format();
        let [one, minus_one] = [false, true].map(|negative| key(format, format.one(negative)));
        let mut required = 0i64;
        for (_, weight) in second.terms(neuron) {
            match key(format, weight) {
                k if k == one => required += 1,
                k if k == minus_one => {}
                _ => return Err(BoxRejection::BoxWeight { neuron, weight }),
            }
        }
        let bias = second.bias.get(neuron);
        let value = decode(format, bias).and_then(|datum| datum.rational()).expect("stored values are finite");
        if value != -required {
            return Err(BoxRejection::BoxBias { neuron, bias, expected: -required });
        }
        let terms = second.row(neuron).len();
        let largest = format.largest(false).and_then(|largest| decode(format, largest)?.rational());
        let fits = format.precision() >= 62 || terms as u64 <= 1 << format.precision();
        if required > 0 && !(fits && largest.is_none_or(|largest| largest >= terms)) {
            return Err(BoxRejection::BoxCount { neuron, terms });
        }
        Ok(())
    }

    /// A side whose units each give a penalty below 1: some `2^j` of them must give at least `2^-j`, for a `j <= p`
    /// with `2^-j` in the format (R6, general form).
    fn check_copies(&self, second: &Layer, neuron: usize, weak: &[(usize, i64)]) -> Result<(), BoxRejection> {
        let first = &self.network.layers()[0];
        let place = |unit: usize| {
            let side = self.side(unit);
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
    parts(format, weight).filter(|weight| weight.negative)?.power()
}

/// What each unit of layer 1 tells.
fn recognize_units(format: Format, first: &Layer, data: Option<&Dataset>) -> Result<Units, BoxRejection> {
    let mut units = Units {
        fires_up_to: Encodings::with_capacity(format, first.rows()),
        strength: Vec::with_capacity(first.rows()),
    };
    let mut around_zero = AroundZero { format, data, known: FxHashMap::default() };
    for unit in 0..first.rows() {
        let mut terms = first.terms(unit);
        let (Some((column, weight)), None) = (terms.next(), terms.next()) else {
            return Err(BoxRejection::UnitTerms { unit, terms: first.row(unit).len() });
        };
        let wrong = BoxRejection::UnitWeight { unit, weight };
        let weight = finite(format, weight);
        let Some(scale) = weight.power().filter(|&scale| scale >= 0) else { return Err(wrong) };
        let bias = first.bias.get(unit);
        if first.activation == Activation::Step {
            if scale != 0 {
                return Err(wrong);
            }
            units.fires_up_to.push(bias);
            units.strength.push(0);
            continue;
        }
        let (fires_up_to, strength) =
            match recognize_relu(format, unit, scale, bias, &mut || around_zero.below(unit, column, !weight.negative))?
            {
                Some((fires_up_to, strength)) => {
                    (fires_up_to, i32::try_from(strength).expect("of a moderate exponent"))
                }
                None => (format.zero(), SILENT),
            };
        units.fires_up_to.push(fires_up_to);
        units.strength.push(strength);
    }
    Ok(units)
}

/// The value from which on a unit `ReLU(bias - 2^scale x')` fires, and its strength; none if it is silent at all.
/// `below_zero` gives the key of the value in question that is next below zero in `F(p)`.
fn recognize_relu(
    format: Format,
    unit: usize,
    scale: i64,
    bias: Encoding,
    below_zero: &mut dyn FnMut() -> Result<Option<i128>, BoxRejection>,
) -> Result<Option<(Encoding, i64)>, BoxRejection> {
    let threshold = encode_parts(format, finite(format, bias).scaled(-scale));
    let threshold = threshold.ok_or(BoxRejection::UnitThreshold { unit, bias })?;
    let at_threshold = key(format, threshold);
    // Silent from the threshold on, firing from the value below it on; in F(p), zero has none but among the data.
    let below = if at_threshold == 0 && !format.is_bounded() { below_zero()? } else { Some(at_threshold - 1) };
    let Some(below) = below else { return Ok(None) };
    let fires_up_to = value_of_key(format, below).ok_or(BoxRejection::UnitAtEnd { unit })?;
    let below = finite(format, fires_up_to);
    // A multiple that the format does not have is beyond its largest value (R4).
    if encode_parts(format, below.scaled(scale)).is_none() {
        return Err(BoxRejection::UnitScale { unit });
    }
    Ok(Some((fires_up_to, gap_exponent(finite(format, threshold), below) + scale)))
}

/// The values of the data that are next to zero, for `F(p)`.
struct AroundZero<'a> {
    format: Format,
    data: Option<&'a Dataset>,
    known: FxHashMap<(u32, bool), Option<i128>>,
}

impl AroundZero<'_> {
    /// The greatest key below 0 of `x'` among the rows.
    fn below(&mut self, unit: usize, column: u32, upper: bool) -> Result<Option<i128>, BoxRejection> {
        let data = self.data.ok_or(BoxRejection::UnitAtZero { unit })?;
        Ok(*self.known.entry((column, upper)).or_insert_with(|| {
            let column = (0..data.rows()).map(|row| key(self.format, data.input(row, column as usize)));
            column.map(|key| if upper { -key } else { key }).filter(|&key| key < 0).max()
        }))
    }
}

/// The parts of a stored value.
fn finite(format: Format, encoding: Encoding) -> Parts {
    parts(format, encoding).expect("stored values are finite")
}

/// `e` with `2^e <= a - b < 2^(e+1)`, for `a > b`.
fn gap_exponent(a: Parts, b: Parts) -> i64 {
    let exponent = a.exponent.min(b.exponent);
    // Neighbours have exponents that differ by 1 at most.
    let integer = |value: Parts| {
        let shift = u32::try_from(value.exponent - exponent).ok().filter(|&shift| shift <= 1)?;
        let magnitude = i128::try_from(value.significand).ok()?.checked_mul(1 << shift)?;
        Some(if value.negative { -magnitude } else { magnitude })
    };
    if let (Some(a), Some(b)) = (integer(a), integer(b))
        && let Some(gap) = a.checked_sub(b)
    {
        return exponent + i64::from(gap.ilog2());
    }
    let rational = |value: Parts| {
        let magnitude = Rational::from(value.significand) * power_of_two(value.exponent);
        if value.negative { -magnitude } else { magnitude }
    };
    floor_exponent(&(rational(a) - rational(b))).expect("a positive gap")
}

/// `e` with `2^e <= q < 2^(e+1)`, for positive `q`.
fn floor_exponent(q: &Rational) -> Option<i64> {
    if *q <= 0 {
        return None;
    }
    let guess = i64::from(q.numer().significant_bits()) - i64::from(q.denom().significant_bits());
    Some(if *q < power_of_two(guess) { guess - 1 } else { guess })
}

/// The finite value with this key; none beyond the ends of the format.
pub(super) fn value_of_key(format: Format, key: i128) -> Option<Encoding> {
    if format.largest(false).is_some_and(|largest| key.unsigned_abs() > largest.bits()) {
        return None;
    }
    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
    Some(Encoding::from_bits(sign | key.unsigned_abs())).filter(|&encoding| format.is_finite(encoding))
}
