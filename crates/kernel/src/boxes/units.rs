//! Layer 1: units that tell on which side of a threshold an input is.

use roundproof_exact::{Parts, Value, encode_parts, of_order_key, parts};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Encodings, Network, SparseLayer, Unit};
use rustc_hash::FxHashMap;

use crate::facts::Threshold;
use crate::{BoxRejection, Domain, key};

/// The activation of the two hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Step,
    Relu,
}

/// The layers in which the theorem speaks of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Layers 1 and 2.
    Hidden(Hidden),
    /// Layer 3.
    Output,
}

impl Role {
    pub fn of(activation: Activation) -> Result<Role, BoxRejection> {
        match activation {
            Activation::Step => Ok(Role::Hidden(Hidden::Step)),
            Activation::Relu => Ok(Role::Hidden(Hidden::Relu)),
            Activation::Identity => Ok(Role::Output),
            // The theorem speaks of none of them: units that give a part of a negative sum are not silent, and what gives
            // -1 or a bound is not an indicator.
            Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } | Activation::Sign => {
                Err(BoxRejection::Activation { activation })
            }
        }
    }
}

/// What a unit tells about its input `x`, mirrored for upper sides: `x'` is `-x` there, else `x`, and so are their keys.
///
/// At every input in question and on every path, the unit fires or it is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    /// The input that it looks at.
    pub column: u32,
    /// Whether it bounds its input from above.
    pub upper: bool,
    /// It fires if `key(x')` is at most this, and is silent at every other input; none: it is silent at all.
    pub fires_up_to: Option<i128>,
}

impl Side {
    /// The side that a box has of a unit that it needs to fire: what lies beyond is on the other side of the same cut.
    pub fn opposite(self) -> Side {
        Side { upper: !self.upper, fires_up_to: self.fires_up_to.map(|most| -most - 1), ..self }
    }

    /// Whether it fires where its input has this key.
    pub fn excludes(&self, key: i128) -> bool {
        let mirrored = if self.upper { -key } else { key };
        self.fires_up_to.is_some_and(|most| mirrored <= most)
    }
}

/// A layer 1 whose units are what they should be. In little memory: there can be many millions.
pub(super) struct Units<'a> {
    pub format: Format,
    /// How many inputs there are.
    pub inputs: usize,
    pub hidden: Hidden,
    /// Every unit has one term, which stands at the position of its own number.
    layer: SparseLayer<'a>,
    /// The largest `x'` at which each unit fires; zero for one that is silent at all.
    fires_up_to: Encodings,
    /// When a unit fires, it gives at least 2 to this power; [`SILENT`] for one that is silent at all.
    strength: Vec<i32>,
}

/// Stronger than any unit that fires.
const SILENT: i32 = i32::MAX;

impl<'a> Units<'a> {
    pub fn recognize(
        network: &Network,
        hidden: Hidden,
        layer: SparseLayer<'a>,
        threshold: Threshold,
        domain: &Domain,
    ) -> Result<Units<'a>, BoxRejection> {
        let (format, inputs, count) = (network.format(), network.input_dimension(), layer.rows());
        let (fires_up_to, strength) = (Encodings::with_capacity(format, count), Vec::with_capacity(count));
        let mut units = Units { format, inputs, hidden, layer, fires_up_to, strength };
        let mut around_zero = FxHashMap::default();
        for unit in 0..count {
            let mut terms = layer.terms(unit);
            let (Some((column, weight)), None) = (terms.next(), terms.next()) else {
                return Err(BoxRejection::UnitTerms { unit: Unit(unit), terms: layer.count(unit) });
            };
            let bias = layer.bias.get(unit);
            let wrong = BoxRejection::UnitWeight { unit: Unit(unit), weight: Value { format, encoding: weight } };
            let weight = finite(format, weight);
            let scale = weight.power().filter(|&scale| scale >= 0).ok_or(wrong.clone())?;
            let (fires_up_to, strength) = match hidden {
                Hidden::Step if scale == 0 => (bias, 0),
                Hidden::Step => return Err(wrong),
                Hidden::Relu => {
                    let upper = !weight.negative;
                    let mut below_zero = || {
                        let known = around_zero.entry((column, upper));
                        *known.or_insert_with(|| domain.next_below_zero(column, upper))
                    };
                    relu(format, threshold, Unit(unit), scale, bias, &mut below_zero)?
                }
            };
            units.fires_up_to.push(fires_up_to);
            units.strength.push(strength);
        }
        Ok(units)
    }

    pub fn count(&self) -> usize {
        self.strength.len()
    }

    /// What a unit tells.
    pub fn side(&self, unit: usize) -> Side {
        let fires_up_to = (self.strength[unit] != SILENT).then(|| key(self.format, self.fires_up_to.get(unit)));
        // Its weight is not zero.
        let upper = !self.format.is_sign_minus(self.weight(unit));
        Side { column: self.layer.columns[unit], upper, fires_up_to }
    }

    /// When it fires, it gives at least 2 to this power.
    pub fn strength(&self, unit: usize) -> i64 {
        i64::from(self.strength[unit])
    }

    pub fn weight(&self, unit: usize) -> Encoding {
        self.layer.weights.get(unit)
    }

    pub fn bias(&self, unit: usize) -> Encoding {
        self.layer.bias.get(unit)
    }
}

/// The value up to which a unit `ReLU(bias - 2^scale x')` fires, and its strength. `below_zero` gives the key in question that is
/// next below zero in `F(p)`, as [`Domain::next_below_zero`].
fn relu(
    format: Format,
    threshold: Threshold,
    unit: Unit,
    scale: i64,
    bias: Encoding,
    below_zero: &mut dyn FnMut() -> Option<Option<i128>>,
) -> Result<(Encoding, i32), BoxRejection> {
    let at = encode_parts(format, finite(format, bias).scaled(-scale));
    let at = at.ok_or(BoxRejection::UnitThreshold { unit, bias: Value { format, encoding: bias } })?;
    // Silent from the threshold on, firing from the value below it on; in F(p), zero has none but among the data.
    let below = match key(format, at) {
        0 if !format.is_bounded() => below_zero().ok_or(BoxRejection::UnitAtZero { unit })?,
        key => Some(key - 1),
    };
    let Some(below) = below else { return Ok((format.zero(), SILENT)) };
    let below = of_order_key(format, below).filter(|&below| format.is_finite(below));
    let below = below.ok_or(BoxRejection::UnitAtEnd { unit })?;
    let strength = threshold.strength(scale, at, below).and_then(|strength| i32::try_from(strength).ok());
    Ok((below, strength.ok_or(BoxRejection::UnitScale { unit })?))
}

/// The parts of a stored value.
fn finite(format: Format, encoding: Encoding) -> Parts {
    parts(format, encoding).expect("stored values are finite")
}
