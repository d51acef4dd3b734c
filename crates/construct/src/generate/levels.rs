//! The values that a kind of data chooses from.

use roundproof_format::{Encoding, Format};
use roundproof_softfloat::{from_order_key, negate, order_key, power_of_two};

use super::{Kind, integers};

/// Values in increasing order, each with its position.
pub(super) enum Levels {
    /// Some.
    Listed(Vec<Encoding>),
    /// All from one on.
    Keys { format: Format, first: i128, count: u128 },
}

/// The most levels of a grid.
const GRID: usize = 256;
/// Exponents in `F(p)` are within this of 0.
const REACH: i64 = 64;
/// The fewest magnitudes around zero, where hardly any are subnormal.
const FEWEST: u128 = 4;

impl Levels {
    /// The values for a kind; none if the format has no such values.
    pub(super) fn of(kind: Kind, format: Format) -> Option<Levels> {
        match kind {
            Kind::Clusters => Some(Levels::Listed(integers(format, GRID))),
            Kind::Extremes => Some(Levels::Listed(extremes(format))),
            Kind::RandomLabels | Kind::OneUlp => Some(Levels::finite(format)),
            Kind::Subnormals => {
                // Below 2^emin, which is the 2^(p-1)-th magnitude.
                format.emin()?;
                let subnormal = 1u128 << format.trailing_bits();
                Some(Levels::around_zero(format, subnormal.max(FEWEST).min(last_magnitude(format))))
            }
        }
    }

    fn finite(format: Format) -> Levels {
        let key = |exponent| power_of_two(format, exponent).and_then(|value| order_key(format, value));
        match (format.is_bounded(), key(-REACH), key(REACH)) {
            (false, Some(first), Some(end)) => Levels::Keys { format, first, count: end.abs_diff(first) },
            _ => Levels::around_zero(format, last_magnitude(format)),
        }
    }

    /// Zero, and so many magnitudes with either sign.
    fn around_zero(format: Format, magnitudes: u128) -> Levels {
        Levels::Keys { format, first: -(magnitudes as i128), count: 2 * magnitudes + 1 }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u128 {
        match self {
            Levels::Listed(values) => values.len() as u128,
            Levels::Keys { count, .. } => *count,
        }
    }

    /// The value at a position.
    pub(super) fn value(&self, position: u128) -> Encoding {
        match self {
            Levels::Listed(values) => values[position as usize],
            Levels::Keys { format, first, .. } => from_order_key(*format, first.wrapping_add_unsigned(position))
                .expect("keys between those of two data have data"),
        }
    }
}

/// The key of the largest finite value.
fn last_magnitude(format: Format) -> u128 {
    format.largest(false).and_then(|largest| order_key(format, largest)).map_or(0, i128::unsigned_abs)
}

/// The ends of a format and its middle, in order.
fn extremes(format: Format) -> Vec<Encoding> {
    let last = last_magnitude(format) as i128;
    let by_key = |key: i128| from_order_key(format, key).filter(|&value| format.is_finite(value));
    let mut magnitudes = vec![Some(format.one(false))];
    match format.emin() {
        Some(emin) => {
            magnitudes.extend([1, 2, last - 1, last].map(by_key));
            magnitudes.push(power_of_two(format, emin.into()));
        }
        None => magnitudes.extend([-REACH, REACH].map(|exponent| power_of_two(format, exponent))),
    }
    let mut values: Vec<Encoding> = magnitudes.into_iter().flatten().collect();
    values.extend(values.clone().into_iter().map(|value| negate(format, value)));
    values.push(format.zero());
    values.retain(|&value| order_key(format, value) != Some(0) || value == format.zero());
    values.sort_by_key(|&value| order_key(format, value));
    values.dedup();
    values
}
