//! Rounding a real to a format.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use rug::{Integer, Rational};

use crate::{Datum, encode};

/// A rounded result and the exceptions it signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rounded {
    /// The result.
    pub encoding: Encoding,
    /// The flags raised.
    pub status: Status,
}

/// The two results that a faithful rounding may give; equal when the real is a value of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faithful {
    /// The result toward negative.
    pub below: Encoding,
    /// The result toward positive.
    pub above: Encoding,
}

/// `2^exponent`.
pub fn power_of_two(exponent: i64) -> Rational {
    let power = Integer::ONE.clone() << u32::try_from(exponent.unsigned_abs()).expect("exponents fit into 32 bits");
    if exponent < 0 { Rational::from((1, power)) } else { Rational::from(power) }
}

/// `e` with `2^e <= |q| < 2^(e+1)`, for `q` other than zero.
pub(crate) fn exponent(q: &Rational) -> i64 {
    let guess = i64::from(q.numer().significant_bits()) - i64::from(q.denom().significant_bits());
    // The quotient of two integers of n and m bits lies between 2^(n - m - 1) and 2^(n - m + 1).
    if q.clone().abs() < power_of_two(guess) { guess - 1 } else { guess }
}

/// A magnitude between two multiples of a unit: `floor * unit <= |q| < (floor + 1) * unit`.
struct Grid {
    unit: Rational,
    floor: Integer,
    /// `|q| / unit - floor`.
    remainder: Rational,
}

impl Grid {
    /// The grid of precision `precision` around `q`, with exponents from `emin`.
    fn around(q: &Rational, precision: u32, emin: Option<i32>) -> Grid {
        let exponent = exponent(q).max(emin.map_or(i64::MIN, i64::from));
        let unit = power_of_two(exponent - i64::from(precision) + 1);
        let scaled = q.clone().abs() / &unit;
        let floor = scaled.clone().floor().numer().clone();
        let remainder = scaled - &floor;
        Grid { unit, floor, remainder }
    }

    fn is_exact(&self) -> bool {
        self.remainder == 0
    }

    /// Whether `mode` chooses the larger magnitude for a real of this sign that is not exact (clause 4.3).
    fn leads_up(&self, mode: RoundingMode, negative: bool) -> bool {
        let half = self.remainder.cmp(&Rational::from((1, 2)));
        match mode {
            RoundingMode::TowardZero => false,
            RoundingMode::TowardPositive => !negative,
            RoundingMode::TowardNegative => negative,
            RoundingMode::TiesToAway => half.is_ge(),
            // Of two neighbours with odd significands, as p = 1 has them, the larger (clause 4.3.1): the same test.
            RoundingMode::TiesToEven => half.is_gt() || half.is_eq() && self.floor.is_odd(),
        }
    }

    /// The magnitude: the larger if `up`, unless the real is exact.
    fn magnitude(&self, up: bool) -> Rational {
        let up = up && !self.is_exact();
        Rational::from(if up { self.floor.clone() + 1u32 } else { self.floor.clone() }) * &self.unit
    }
}

/// Rounds a real to `format` in the direction `mode`; 0 gives +0.
///
/// A non-zero real that rounds to zero keeps its sign, where the format has a negative zero. Overflow is a matter of
/// the value rounded as if the exponent were unbounded (clause 7.4), underflow of tininess after rounding (clause 7.5).
///
/// # Panics
///
/// In `F(p)`, if the result's exponent is beyond +-2^31; and if the format does not express `overflow` and the result
/// overflows.
pub fn round(q: &Rational, format: Format, mode: RoundingMode, overflow: Overflow) -> Rounded {
    let negative = *q < 0;
    let toward_zero = match mode {
        RoundingMode::TowardZero => true,
        RoundingMode::TowardPositive => negative,
        RoundingMode::TowardNegative => !negative,
        RoundingMode::TiesToEven | RoundingMode::TiesToAway => false,
    };
    round_by(q, format, overflow, toward_zero, |grid| grid.leads_up(mode, negative))
}

/// Rounds a real to odd: of the two neighbours of one that is not exact, that with the odd significand; beyond the
/// largest finite value, that value.
///
/// # Panics
///
/// As [`round()`].
pub fn round_to_odd(q: &Rational, format: Format, overflow: Overflow) -> Rounded {
    round_by(q, format, overflow, true, |grid| grid.floor.is_even())
}

/// Rounds a real stochastically by a number `random` of `count` bits: up in magnitude iff
/// `floor(f * 2^count) + random >= 2^count`, for the fraction `f` of a unit in the last place by which the real exceeds
/// its neighbour toward zero.
///
/// # Panics
///
/// As [`round()`].
pub fn round_stochastically(q: &Rational, format: Format, overflow: Overflow, random: u64, count: u32) -> Rounded {
    round_by(q, format, overflow, false, |grid| {
        let scale = Integer::ONE.clone() << count;
        let fraction = (grid.remainder.clone() * &scale).floor();
        fraction.numer().clone() + random >= scale
    })
}

/// Rounds a real, up in magnitude as `up` says; an overflow gives the largest finite value if `toward_zero`.
fn round_by(
    q: &Rational,
    format: Format,
    overflow: Overflow,
    toward_zero: bool,
    up: impl Fn(&Grid) -> bool,
) -> Rounded {
    if *q == 0 {
        return Rounded { encoding: format.zero(), status: Status::NONE };
    }
    let negative = *q < 0;
    let grid = Grid::around(q, format.precision(), format.emin());
    let magnitude = grid.magnitude(up(&grid));
    if let Some(largest) = format.largest(false)
        && magnitude > finite(format, largest)
    {
        let beyond = match overflow {
            Overflow::Saturate => format.largest(negative),
            Overflow::Ieee => format.infinity(negative),
            Overflow::Nan => format.nan(),
        };
        let encoding = if toward_zero { format.largest(negative) } else { beyond };
        let encoding = encoding.expect("the format expresses the overflow policy");
        return Rounded { encoding, status: Status::OVERFLOW | Status::INEXACT };
    }
    let status = match format.emin() {
        _ if grid.is_exact() => Status::NONE,
        Some(emin) => {
            let unbounded = Grid::around(q, format.precision(), None);
            let tiny = unbounded.magnitude(up(&unbounded)) < power_of_two(emin.into());
            if tiny { Status::UNDERFLOW | Status::INEXACT } else { Status::INEXACT }
        }
        None => Status::INEXACT,
    };
    let datum = if magnitude == 0 {
        Datum::Zero { negative: negative && format.has_negative_zero() }
    } else {
        Datum::Finite(if negative { -magnitude } else { magnitude })
    };
    let encoding = encode(format, &datum).expect("a rounded magnitude within range is a value of the format");
    Rounded { encoding, status }
}

/// The relation `R(q)`: every rounding of `q` in any direction is one of these two.
///
/// Past the largest finite value they are what the overflow policy allows: that value, and infinity, NaN or itself.
///
/// # Panics
///
/// As [`round()`].
pub fn faithful(q: &Rational, format: Format, overflow: Overflow) -> Faithful {
    Faithful {
        below: round(q, format, RoundingMode::TowardNegative, overflow).encoding,
        above: round(q, format, RoundingMode::TowardPositive, overflow).encoding,
    }
}

fn finite(format: Format, encoding: Encoding) -> Rational {
    crate::real(format, encoding).expect("a finite value of the format")
}
