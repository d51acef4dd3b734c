//! From data to decimal character sequences.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;

use num_bigint::BigUint;
use roundproof_format::{Encoding, Format, RoundingMode, Status};

use super::{MAX_DECIMAL_EXPONENT, quotient_of_powers};
use crate::datum::{Unpacked, decode};

/// A value of `F(p)` whose decimal exponent is beyond +-100,000. Hexadecimal text has no such limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondDecimal;

impl fmt::Display for BeyondDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the decimal exponent is beyond +-{MAX_DECIMAL_EXPONENT}: use hexadecimal")
    }
}

impl std::error::Error for BeyondDecimal {}

/// `digits * 10^exponent`.
struct Decimal {
    digits: BigUint,
    exponent: i64,
}

/// The shortest decimal character sequence that rounds to this datum under roundTiesToEven, and of several the one
/// nearest to its value, with an even last digit at a tie (IEEE 754-2019, clause 5.12.2).
///
/// Beyond the largest finite value the exponent is taken as unbounded, so the text stays in range under every overflow
/// policy. From 1e-5 to below 1e17 the notation is plain, else scientific: `1.5e-7`. NaN is `nan`, without sign or
/// payload; infinities are `inf` and `-inf`, zeros `0` and `-0`.
///
/// # Errors
///
/// In `F(p)`, if the decimal exponent is beyond +-100,000.
///
/// ```
/// use roundproof_format::{Encoding, Format};
/// use roundproof_softfloat::to_decimal;
///
/// let tenth = Encoding::from_bits(0.1f32.to_bits().into());
/// assert_eq!(to_decimal(Format::BINARY32, tenth)?, "0.1");
/// # Ok::<(), roundproof_softfloat::BeyondDecimal>(())
/// ```
pub fn to_decimal(format: Format, encoding: Encoding) -> Result<String, BeyondDecimal> {
    let (negative, significand, exponent) = match decode(format, encoding) {
        Unpacked::Finite { negative, significand, exponent } => (negative, significand, exponent),
        other => return Ok(word(other)),
    };
    let decimal = shortest(format, significand, exponent, past_leading_digit(format, significand, exponent)?);
    Ok(write(negative, &decimal.digits.to_string(), decimal.exponent, 17))
}

/// The datum rounded to `count` significant decimal digits in the direction `mode`, and whether that was inexact (IEEE
/// 754-2019, clause 5.12.2). From 1e-5 on, and while all digits before the point are significant, the notation is
/// plain, else scientific; words are those of [`to_decimal`].
///
/// # Errors
///
/// As [`to_decimal`].
pub fn to_decimal_digits(
    format: Format,
    encoding: Encoding,
    count: NonZeroU32,
    mode: RoundingMode,
) -> Result<(String, Status), BeyondDecimal> {
    let (negative, significand, exponent) = match decode(format, encoding) {
        Unpacked::Finite { negative, significand, exponent } => (negative, significand, exponent),
        other => return Ok((word(other), Status::NONE)),
    };
    let count = count.get() as usize;
    // The value is a multiple of 10^last: what comes below is zeros.
    let last = exponent.min(0);
    let estimate = past_leading_digit(format, significand, exponent)?;
    let mut place = (estimate - count as i64).max(last);
    let (mut digits, mut rest, mut unit) = divided(significand, exponent, place);
    // The estimate may be above the leading digit, never below it.
    while digits.to_string().len() < count && place > last || digits == BigUint::ZERO {
        place -= 1;
        (digits, rest, unit) = divided(significand, exponent, place);
    }
    let inexact = rest != BigUint::ZERO;
    let up = inexact
        && match (mode, (&rest * 2u32).cmp(&unit)) {
            (RoundingMode::TowardZero, _) => false,
            (RoundingMode::TowardPositive, _) => !negative,
            (RoundingMode::TowardNegative, _) => negative,
            (_, Ordering::Less) => false,
            (_, Ordering::Greater) | (RoundingMode::TiesToAway, Ordering::Equal) => true,
            (RoundingMode::TiesToEven, Ordering::Equal) => digits.bit(0),
        };
    if up {
        digits += 1u32;
    }
    let mut text = digits.to_string();
    if text.len() > count {
        // 99...9 became 100...0.
        text.pop();
        place += 1;
    }
    let zeros = count - text.len();
    text.extend(std::iter::repeat_n('0', zeros));
    let status = if inexact { Status::INEXACT } else { Status::NONE };
    Ok((write(negative, &text, place - zeros as i64, count as i64), status))
}

/// What a datum that is not a finite value other than zero is called.
fn word(datum: Unpacked) -> String {
    let (negative, name) = match datum {
        Unpacked::Infinity { negative } => (negative, "inf"),
        Unpacked::Zero { negative } => (negative, "0"),
        _ => (false, "nan"),
    };
    format!("{}{name}", if negative { "-" } else { "" })
}

/// A power of ten above `1.5 * significand * 2^exponent`, by at most a factor of some hundred.
fn past_leading_digit(format: Format, significand: u128, exponent: i64) -> Result<i64, BeyondDecimal> {
    // log10(2) is 0.30103 to within 5e-9, and exponents that pass are within 2^20 or so.
    let estimate = (exponent + i64::from(significand.ilog2()) + 2) * 30_103 / 100_000 + 1;
    if !format.is_bounded() && estimate.abs() > MAX_DECIMAL_EXPONENT - 2 { Err(BeyondDecimal) } else { Ok(estimate) }
}

/// Floor and remainder of `significand * 2^exponent / 10^place`, the latter as a part of the third.
fn divided(significand: u128, exponent: i64, place: i64) -> (BigUint, BigUint, BigUint) {
    let (above, below) = quotient_of_powers(exponent, -place);
    let value = above * significand;
    let floor = &value / &below;
    let rest = value - &floor * &below;
    (floor, rest, below)
}

/// The shortest decimal in the interval of reals that round to `significand * 2^exponent`.
///
/// A tie between two neighbours goes to the larger one if the smaller has an odd significand: so the upper end belongs
/// to the interval if this significand is even, the lower one if that of the neighbour below is odd. Below a power of
/// two the neighbour is nearer, and all its bits are set.
fn shortest(format: Format, significand: u128, exponent: i64, mut place: i64) -> Decimal {
    let trailing = format.trailing_bits();
    let nearer = significand == 1 << trailing
        && format.emin().is_none_or(|emin| exponent > i64::from(emin) - i64::from(trailing));
    let even = significand & 1 == 0;
    // In quarters of the last place.
    let value = significand << 2;
    let (low, high) = (value - if nearer { 1 } else { 2 }, value + 2);
    let within = |order: Ordering, end: bool| order == Ordering::Less || (end && order == Ordering::Equal);
    loop {
        let (above, below) = quotient_of_powers(exponent - 2, -place);
        let real = &above * value;
        let floor = &real / &below;
        let down = &floor * &below;
        let up = &down + &below;
        let low_in = within((&above * low).cmp(&down), nearer || even);
        let high_in = within(up.cmp(&(&above * high)), even);
        if low_in || high_in {
            let take_up = match (low_in, high_in) {
                (true, true) => match (&up - &real).cmp(&(&real - &down)) {
                    Ordering::Less => true,
                    Ordering::Equal => floor.bit(0),
                    Ordering::Greater => false,
                },
                (_, high_in) => high_in,
            };
            return Decimal { digits: floor + u32::from(take_up), exponent: place };
        }
        place -= 1;
    }
}

/// `digits * 10^exponent`, plain if the leading digit stands for 10^-5 or more and less than `10^most`.
fn write(negative: bool, digits: &str, exponent: i64, most: i64) -> String {
    let sign = if negative { "-" } else { "" };
    let leading = exponent + digits.len() as i64 - 1;
    if !(-5..most).contains(&leading) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}e{leading}");
    }
    if exponent >= 0 {
        return format!("{sign}{digits}{}", "0".repeat(exponent as usize));
    }
    if leading < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-leading - 1) as usize));
    }
    let (whole, fraction) = digits.split_at(leading as usize + 1);
    format!("{sign}{whole}.{fraction}")
}
