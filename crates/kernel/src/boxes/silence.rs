//! Under overflow to NaN, with Step in a format that has NaN: *Step reads NaN as silence*, and no box takes that for an answer.
//!
//! # Units
//!
//! A unit `v = Step(c - x')` rounds one addition, since `x` times 1 or -1 is a value. Without overflow it fires if
//! `x' <= c`, and is silent if not (R1, R3). **Lemma.** *On every path `v` is that, or it is 0 where it should be 1; the
//! latter only if `c - x' > max`.* Where `|c - x'| <= max`, with the largest value of the format `max`, nothing overflows,
//! in a wider accumulator neither. If `c - x' < -max`, the sum is negative or NaN, and `v = 0` either way. If `c - x' >
//! max`, it is positive or NaN.
//!
//! # Boxes
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
//!
//! In a format without NaN, that of an accumulator becomes a zero, and Step fires: see [`super::headroom`].

use roundproof_format::{Encoding, Format};
use roundproof_network::{Dataset, Layer, Network};
use rustc_hash::FxHashMap;

use super::gadget::value_of_key;
use super::key;
use super::sums::value;
use crate::BoxRejection;

/// The keys of the least and of the largest input of a column.
type Range = [i128; 2];

/// Checks a recognized network with Step. `data` are the inputs in question; none: all finite ones.
pub(super) fn check(network: &Network, data: Option<&Dataset>) -> Result<(), BoxRejection> {
    let format = network.format();
    let Some(largest) = format.largest(false) else { return Ok(()) };
    let [first, second, _] = network.layers() else { unreachable!("recognized") };
    let end = key(format, largest);
    let inputs: Vec<Range> = match data {
        Some(data) => (0..data.dimension()).map(|column| range(data, column)).collect(),
        None => vec![[-end, end]; network.input_dimension()],
    };
    let mut required: FxHashMap<u32, Range> = FxHashMap::default();
    for neuron in 0..second.rows() {
        required.clear();
        for (unit, _) in second.terms(neuron).filter(|&(_, weight)| !format.is_sign_minus(weight)) {
            let Unit { column, upper, threshold } = Unit::of(format, first, unit as usize);
            let [low, high] = required.entry(column).or_insert(inputs[column as usize]);
            // It fires where `x' <= c`.
            if upper {
                *low = (*low).max(-threshold);
            } else {
                *high = (*high).min(threshold);
            }
        }
        if required.values().any(|[low, high]| low > high) {
            continue;
        }
        for (unit, _) in second.terms(neuron) {
            let unit = unit as usize;
            let Unit { column, upper, threshold } = Unit::of(format, first, unit);
            let [low, high] = *required.get(&column).unwrap_or(&inputs[column as usize]);
            let least = if upper { -high } else { low };
            if exceeds(format, threshold, least, largest) {
                return Err(BoxRejection::Silenced { neuron, unit });
            }
        }
    }
    Ok(())
}

/// A unit `Step(c - x')`.
struct Unit {
    column: u32,
    /// Whether `x'` is `-x`.
    upper: bool,
    /// The key of `c`.
    threshold: i128,
}

impl Unit {
    fn of(format: Format, first: &Layer, unit: usize) -> Unit {
        // A recognized unit has one term, of weight 1 or -1.
        let (column, weight) = first.terms(unit).next().expect("recognized");
        Unit { column, upper: !format.is_sign_minus(weight), threshold: key(format, first.bias.get(unit)) }
    }
}

/// Whether the value with the one key less that with the other one is beyond the largest value.
fn exceeds(format: Format, from: i128, less: i128, largest: Encoding) -> bool {
    // Of one sign, neither is farther from zero than the largest value, and nor is their difference.
    from > 0 && less < 0 && {
        let [from, less] = [from, less].map(|key| value(format, value_of_key(format, key).expect("a value's key")));
        from - less > value(format, largest)
    }
}

fn range(data: &Dataset, column: usize) -> Range {
    let keys = (0..data.rows()).map(|row| key(data.format(), data.input(row, column)));
    keys.fold([i128::MAX, i128::MIN], |[low, high], key| [low.min(key), high.max(key)])
}
