//! What the theory says of a cell, and searches that do not believe it.
//!
//! Neither knows the kernel or the constructions: where they and the map part, the run fails.

use std::collections::BTreeSet;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Subnormals};
use roundproof_network::{Activation, PathModel};
use roundproof_softfloat::{Arithmetic, Unpacked, decode, encode, from_order_key, order_key, power_of_two};

use super::formats::sum_precision;
use super::instances::last_key;
use super::{Construction, Status};
use crate::prove::Strategy;

/// The most copies of a unit that a construction takes, as a power of two.
const MOST_COPIES: i64 = 12;

/// `w = p - min(2 emax, 2 emax + emin + 1)`: the worst side of a ReLU box takes `2^w` units, one if `w <= 0`.
pub fn weakness(format: Format) -> i64 {
    let (p, emin, emax) = (
        i64::from(format.precision()),
        i64::from(format.emin().unwrap_or_default()),
        i64::from(format.emax().unwrap_or_default()),
    );
    p - (2 * emax).min(2 * emax + emin + 1)
}

/// Whether `2^w` units are within reach: `w <= min(p, 12)`, and `2^-w` is a value.
fn has_parameters(format: Format, weakness: i64) -> bool {
    weakness <= 0 || (weakness <= most_copies(format) && power_of_two(format, -weakness).is_some())
}

fn most_copies(format: Format) -> i64 {
    i64::from(format.precision()).min(MOST_COPIES)
}

/// Whether every value has a ramp `ReLU(K (x - t))` to either side: `p <= min(emax, emax + emin + 1)`.
fn has_ramps(format: Format) -> bool {
    let (emin, emax) = (format.emin().unwrap_or_default(), format.emax().unwrap_or_default());
    i64::from(format.precision()) <= i64::from(emax.min(emax + emin + 1))
}

/// What the theory says; none if there is no theory of the construction.
pub fn expected(construction: &Construction, format: Format, model: &PathModel) -> Option<Status> {
    // With p = 1 differences of values are 0 or normal, and there is no subnormal: nothing is ever flushed.
    let flushes = model.subnormals == Subnormals::Flush && format.precision() > 1;
    let overflows_to_nan = model.overflow == Overflow::Nan;
    match construction.strategy {
        Strategy::Point | Strategy::Tree => {
            let possible = construction.activation == Activation::Step || has_parameters(format, weakness(format));
            Some(match (possible, overflows_to_nan || flushes) {
                (false, _) => Status::NoParameters,
                // At the ends of the format a unit becomes NaN; next to zero it cannot tell neighbours.
                (true, true) => Status::Fails,
                (true, false) => Status::Holds,
            })
        }
        Strategy::CountedRamps => Some(match (has_ramps(format), overflows_to_nan || flushes) {
            (false, _) => Status::NoParameters,
            // From one end to the other a ramp becomes NaN; next to zero it is flushed.
            (true, true) => Status::Fails,
            (true, false) => Status::Holds,
        }),
        // Next to 1, W K gap = 1 is met exactly: half of it leaves h = 1/2. With p = 1 it is W that is 1.
        Strategy::HalvedPenalties => {
            let half = format.precision() > 1 || power_of_two(format, -1).is_some();
            Some(if half && has_parameters(format, weakness(format)) { Status::Fails } else { Status::NoParameters })
        }
        // The largest value less the least one is not a value.
        Strategy::TelescopingSum => Some(Status::Fails),
        Strategy::CountingIndicator => {
            let bounds = 2 * construction.inputs as u64;
            let count = power_of_two(format, i64::from(bounds.ilog2()));
            Some(match count {
                None => Status::NoParameters,
                Some(_) if flushes || counts_too_far(bounds, format, model) => Status::Fails,
                Some(_) => Status::Holds,
            })
        }
        #[allow(unreachable_patterns)] // a strategy without a theory
        _ => None,
    }
}

/// Whether `bounds` ones, a power of two, may be added up to something else.
fn counts_too_far(bounds: u64, format: Format, model: &PathModel) -> bool {
    // With p = 1, ties-to-even and in order, four ones come out right by luck, but three come out as four.
    bounds.ilog2() > sum_precision(model, format)
}

/// A value as an integer and an exponent.
fn parts(format: Format, encoding: Encoding) -> Option<(bool, u128, i64)> {
    match decode(format, encoding) {
        Unpacked::Zero { .. } => Some((false, 0, 0)),
        Unpacked::Finite { negative, significand, exponent } => Some((negative, significand, exponent)),
        _ => None,
    }
}

/// The exponent of the distance of the values with the keys `key - 1` and `key`, which is a power of two.
fn gap(format: Format, key: i128) -> i64 {
    let lower = key.abs().min((key - 1).abs());
    let field = (lower >> format.trailing_bits()).max(1);
    i64::from(format.emin().unwrap_or_default()) - i64::from(format.trailing_bits()) + field as i64 - 1
}

/// How many units `ReLU(K a - K x)` with the weight `-W` the side of a box takes that is silent from the value with this
/// key on and fires from the one below it on, over all powers of two `K >= 1` and `W`: the least `j` with `W K gap >= 2^-j`.
/// None: not even `2^p` units, or `2^12`, suffice.
pub(super) fn units(format: Format, key: i128) -> Option<i64> {
    let penalty = exponents(format).filter(|&m| power_of_two(format, m).is_some()).max()?;
    let strength = steepest(format, key)? + penalty;
    (0..=most_copies(format)).find(|&j| strength >= -j && (j == 0 || power_of_two(format, -j).is_some()))
}

/// The exponent of the largest `K gap`, over all powers of two `K >= 1`, of the side between the value with this key and
/// the one below it.
fn steepest(format: Format, key: i128) -> Option<i64> {
    let scaled = |k: i64| {
        let fits = |key: i128| {
            let value = from_order_key(format, key).and_then(|value| parts(format, value));
            value.is_some_and(|(negative, significand, exponent)| {
                significand == 0 || encode(format, negative, significand, exponent + k).is_some()
            })
        };
        k == 0 || (fits(key) && fits(key - 1))
    };
    Some(exponents(format).filter(|&k| k >= 0 && scaled(k)).max()? + gap(format, key))
}

/// The exponents of all powers of two of the format.
fn exponents(format: Format) -> std::ops::RangeInclusive<i64> {
    let [emin, emax] = [format.emin(), format.emax()].map(|exponent| i64::from(exponent.unwrap_or_default()));
    emin - i64::from(format.trailing_bits())..=emax
}

/// How many units the worst of these sides takes; none if one of them cannot be built. Sides are between each value of
/// `keys` and the value below it; an upper side is the mirror image of a lower one.
pub(super) fn most_units(format: Format, keys: &[i128]) -> Option<i64> {
    sides(format, keys).map(|key| units(format, key)).try_fold(0, |most, units| Some(most.max(units?)))
}

/// Whether each of these sides has a ramp: some `K` with `K gap >= 1`.
pub(super) fn all_ramps(format: Format, keys: &[i128]) -> bool {
    sides(format, keys).all(|key| steepest(format, key).is_some_and(|strength| strength >= 0))
}

/// The sides of these values, each by the key of its upper value, and once.
pub(super) fn sides(format: Format, keys: &[i128]) -> impl Iterator<Item = i128> {
    let last = last_key(format);
    let keys: BTreeSet<i128> = keys.iter().flat_map(|&key| [key, key + 1]).collect();
    keys.into_iter().filter(move |&key| -last < key && key <= last)
}

/// A side that no units `ReLU(c - K x)` with weights `-W` build, whatever values `c`, `K > 0` and `W` are, be they powers of
/// two or not, and not even `2^p` copies; by the key of the value from which on they are to be silent.
///
/// The unit must be silent at `a` on every path, so `c` is at most `K a` rounded down; at `pred(a)` it gives as little as
/// `c - K pred(a)`, the product rounded up and the difference down; and `W` times that rounded down is what counts. All
/// three are monotone, so that the largest `c` and `W` are best, and every `K` is tried. Sides at positive values are looked at.
pub(super) fn hopeless_side(format: Format) -> Option<i128> {
    let exact = Arithmetic::new(format, Overflow::Saturate).ok()?;
    let largest = format.largest(false)?;
    // Where values have all p bits and gaps are least: the lowest binade of normal values.
    let first = order_key(format, power_of_two(format, i64::from(format.emin()?))?)?;
    let binade = 1i128 << format.trailing_bits();
    let candidates = [binade / 2, binade / 2 + 1, binade / 4, 3 * binade / 4, 1, 0];
    let enough = power_of_two(format, -most_copies(format))?;
    let suffices = |key: i128, scale: i128| {
        let [threshold, below, scale] = [key, key - 1, scale].map(|key| from_order_key(format, key));
        let (Some(threshold), Some(below), Some(scale)) = (threshold, below, scale) else { return false };
        let bias = exact.multiply(RoundingMode::TowardNegative, scale, threshold);
        let product = exact.multiply(RoundingMode::TowardPositive, scale, below);
        let fires = exact.subtract(RoundingMode::TowardNegative, bias.encoding, product.encoding);
        let penalty = exact.multiply(RoundingMode::TowardNegative, largest, fires.encoding);
        order_key(format, penalty.encoding) >= order_key(format, enough)
    };
    let last = last_key(format);
    let sides = candidates.into_iter().map(|offset| first + offset).filter(|&key| key <= last);
    sides.into_iter().find(|&key| !(1..=last).any(|scale| suffices(key, scale)))
}

#[cfg(test)]
mod tests {
    use super::super::instances::{edge_keys, every_key};
    use super::super::{Family, Grid};
    use super::*;

    fn all_formats(most_bits: u32) -> impl Iterator<Item = Format> {
        let formats = Family::ALL.into_iter().flat_map(|family| Grid::default().formats(family).collect::<Vec<_>>());
        formats.flatten().filter(move |format| format.width() <= most_bits)
    }

    /// A side depends on its binade and on whether it is at its edge: the edges have every case of the whole format.
    #[test]
    fn the_edges_of_binades_are_the_worst_that_there_is() {
        for format in all_formats(13) {
            assert_eq!(most_units(format, &edge_keys(format)), most_units(format, &every_key(format)), "{format}");
            assert_eq!(all_ramps(format, &edge_keys(format)), all_ramps(format, &every_key(format)), "{format}");
        }
    }

    #[test]
    fn the_search_finds_what_the_formula_says() {
        for format in all_formats(20) {
            let said = has_parameters(format, weakness(format)).then(|| weakness(format).max(0));
            assert_eq!(most_units(format, &edge_keys(format)), said, "{format}");
            assert_eq!(all_ramps(format, &edge_keys(format)), has_ramps(format), "{format}");
        }
    }

    /// Gaps by subtraction, apart from the formula.
    #[test]
    fn gaps_are_differences() {
        for format in all_formats(9) {
            let exact = Arithmetic::new(format, Overflow::Saturate).unwrap();
            let last = last_key(format);
            for key in 1 - last..=last {
                let [a, b] = [key, key - 1].map(|key| from_order_key(format, key).unwrap());
                let difference = exact.subtract(RoundingMode::TowardZero, a, b).encoding;
                assert_eq!(Some(difference), power_of_two(format, gap(format, key)), "{format} {key}");
            }
        }
    }

    /// Where powers of two do, no side is hopeless: other values include them.
    #[test]
    fn no_side_is_hopeless_where_there_are_parameters() {
        for format in all_formats(10) {
            if has_parameters(format, weakness(format)) {
                assert_eq!(hopeless_side(format), None, "{format}");
            }
        }
    }
}
