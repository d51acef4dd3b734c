//! Under overflow to NaN: that no box takes NaN for an answer.
//!
//! # Headroom
//!
//! R1 and R3 say nothing beyond the largest value there, so each bound must stay at or below it: in layer 1,
//! `|w| * |x| + |c|`; in layer 2, where a Step unit counts 1, each product, and the sum of the magnitudes of all terms with
//! the growth by the relative error `2^(1-p)` of each addition; what layer 3 adds is bounded in [`super::labels`]. What holds
//! for the network's own format holds for a wider accumulator, which rounds less and reaches further.
//!
//! With Step this is for formats without NaN, where that of an accumulator becomes a zero, which Step takes for 1. In others
//! *Step reads NaN as silence*, and less is asked for.
//!
//! # Silence
//!
//! A unit `v = Step(c - x')` rounds one addition, since `x` times 1 or -1 is a value. Without overflow it fires if
//! `x' <= c`, and is silent if not (R1, R3). **Lemma.** *On every path `v` is that, or it is 0 where it should be 1; the
//! latter only if `c - x' > max`.* Where `|c - x'| <= max`, with the largest value of the format `max`, nothing overflows,
//! in a wider accumulator neither. If `c - x' < -max`, the sum is negative or NaN, and `v = 0` either way. If `c - x' >
//! max`, it is positive or NaN.
//!
//! Let `R` be the inputs in question at which every unit of weight 1 of a box should fire. The check: no unit of the box is
//! silenced at an input of `R`. Then its indicator is the one that it would be without overflow:
//!
//! - in `R` every unit is what it should be;
//! - outside `R` some unit of weight 1 should be silent, and is, on every path: the sum is at most -1, whatever the other
//!   units do.
//!
//! The sum itself: with a weight 1 it is an exact integer of at most `max` in magnitude (R5, `BoxCount`). Without, all its
//! terms are 0 or -1. It can only overflow if some unit fires, which then should, and NaN is read as the 0 that is due.
//!
//! `c - x'` is largest where `x'` is least. So one input of each column decides: the least `x'` in `R`.

use std::hash::Hash;

use roundproof_exact::{Rational, of_order_key, real, round};
use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_network::{BoxNumber, Encodings, Site, Unit};
use rustc_hash::FxHashMap;

use super::indicators::Indicators;
use super::units::{Hidden, Side};
use crate::facts::{ErrorBound, Facts, NanFrom, largest};
use crate::{BoxRejection, Domain, stored};

/// Checks what the facts about NaN ask for.
pub(super) fn check(facts: &Facts, boxes: &Indicators, domain: &Domain) -> Result<(), BoxRejection> {
    match (facts.nan, boxes.units.hidden) {
        // No operation gives NaN of infinities: those of layer 1 have one sign in layer 2, and layer 3 has none.
        (NanFrom::Nowhere | NanFrom::OppositeInfinities, Hidden::Step | Hidden::Relu) => Ok(()),
        (NanFrom::Overflow { kept: true }, Hidden::Step) => silence(boxes, domain),
        (NanFrom::Overflow { kept: false }, Hidden::Step) | (NanFrom::Overflow { kept: _ }, Hidden::Relu) => {
            headroom(facts.error.as_ref()?, boxes, domain)
        }
    }
}

fn headroom(error: &ErrorBound, boxes: &Indicators, domain: &Domain) -> Result<(), BoxRejection> {
    let (units, format) = (&boxes.units, boxes.units.format);
    let Some(largest) = largest(format) else { return Ok(()) };
    let exceeds = |layer, neuron| BoxRejection::Headroom { site: Site { layer, neuron }, overflow: Overflow::Nan };
    let magnitude = |encoding| stored(format, encoding).abs();
    // The least value that is not below a bound; none if that is beyond the largest one.
    let round_up = |bound: &Rational| {
        (*bound <= largest).then(|| round(bound, format, RoundingMode::TowardPositive, Overflow::Saturate).encoding)
    };

    let (mut inputs, mut known) = (FxHashMap::default(), Known::default());
    let mut outputs = Encodings::with_capacity(format, units.count());
    for unit in 0..units.count() {
        let column = units.side(unit).column;
        let input = *inputs.entry(column).or_insert_with(|| {
            let farthest = domain.range(format, column).unwrap_or_default().into_iter().max_by_key(|key| key.abs());
            of_order_key(format, farthest?)
        });
        let input = input.ok_or_else(|| exceeds(0, unit))?;
        let (weight, bias) = (units.weight(unit), units.bias(unit));
        let bound =
            known.of((weight, bias, input), || round_up(&(magnitude(bias) + magnitude(weight) * magnitude(input))));
        let bound = bound.ok_or_else(|| exceeds(0, unit))?;
        // A Step unit that fires gives 1, however small its sum is.
        outputs.push(match units.hidden {
            Hidden::Step => format.one(false),
            Hidden::Relu => bound,
        });
    }
    let mut products = Known::default();
    for neuron in 0..boxes.count() {
        let mut sum = magnitude(boxes.bias(neuron));
        for (unit, weight) in boxes.terms(neuron) {
            let output = outputs.get(unit);
            let product =
                products.of((weight, output), || round_up(&(magnitude(weight) * magnitude(output))).map(magnitude));
            sum += product.as_ref().ok_or_else(|| exceeds(1, neuron))?;
        }
        error.grown(&sum, boxes.terms(neuron).len()).ok_or_else(|| exceeds(1, neuron))?;
    }
    Ok(())
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

fn silence(boxes: &Indicators, domain: &Domain) -> Result<(), BoxRejection> {
    let format = boxes.units.format;
    let Some(largest) = largest(format) else { return Ok(()) };
    let mut inputs: FxHashMap<u32, [i128; 2]> = FxHashMap::default();
    let mut range = |column| *inputs.entry(column).or_insert_with(|| domain.range(format, column).unwrap_or_default());
    let mut required: FxHashMap<u32, [i128; 2]> = FxHashMap::default();
    for neuron in 0..boxes.count() {
        required.clear();
        for (_, Side { column, upper, fires_up_to }, _) in boxes.units(neuron).filter(|&(.., required)| required) {
            let [low, high] = required.entry(column).or_insert(range(column));
            // It fires where `x' <= c`.
            match fires_up_to {
                Some(most) if upper => *low = (*low).max(-most),
                Some(most) => *high = (*high).min(most),
                None => {}
            }
        }
        if required.values().any(|[low, high]| low > high) {
            continue;
        }
        for (unit, Side { column, upper, fires_up_to }, _) in boxes.units(neuron) {
            let [low, high] = required.get(&column).copied().unwrap_or_else(|| range(column));
            let least = if upper { -high } else { low };
            if fires_up_to.is_some_and(|most| exceeds(format, most, least, &largest)) {
                return Err(BoxRejection::Silenced { neuron: BoxNumber(neuron), unit: Unit(unit) });
            }
        }
    }
    Ok(())
}

/// Whether the value with the one key less that with the other one may be beyond the largest value.
fn exceeds(format: Format, from: i128, less: i128, largest: &Rational) -> bool {
    let value = |key| real(format, of_order_key(format, key)?);
    let difference = || Some(value(from)? - value(less)?);
    // Of one sign, neither is farther from zero than the largest value, and nor is their difference.
    from > 0 && less < 0 && difference().is_none_or(|difference| difference > *largest)
}
