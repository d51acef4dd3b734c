//! The exact value of a number written as text.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use rug::ops::Pow;
use rug::{Integer, Rational};
use thiserror::Error;

use crate::{Rounded, power_of_two, round};

/// The largest magnitude of a decimal exponent, digits before and after the point counted in.
const MAX_DECIMAL_EXPONENT: i64 = 400_000;
/// The same for binary exponents.
const MAX_BINARY_EXPONENT: i64 = 1_400_000;

/// A real with the sign that its text has, which a zero remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Whether the text begins with a minus.
    pub negative: bool,
    /// The magnitude.
    pub magnitude: Rational,
}

impl Number {
    /// The nearest value of `format`; a zero with a minus is -0 where the format has it.
    pub fn round(&self, format: Format, mode: RoundingMode, overflow: Overflow) -> Rounded {
        if self.magnitude == 0 {
            let zero: Encoding = if self.negative { format.negative_zero() } else { None }.unwrap_or(format.zero());
            return Rounded { encoding: zero, status: Status::NONE };
        }
        round(&self.value(), format, mode, overflow)
    }

    /// The real.
    pub fn value(&self) -> Rational {
        if self.negative { -self.magnitude.clone() } else { self.magnitude.clone() }
    }
}

/// A text that is not a finite number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Not a number's text.
    #[error("is neither a decimal (like -12.5e-3) nor a hexadecimal number (like 0x1.8p-3)")]
    Syntax,
    /// NaN or infinity by name.
    #[error("is not finite")]
    NotFinite,
    /// An exponent beyond any format.
    #[error("has an exponent beyond every supported format")]
    Exponent,
}

/// Reads `[+-]digits[.digits][e[+-]digits]` or `[+-]0x hexdigits[.hexdigits][p[+-]digits]`, exactly.
///
/// # Errors
///
/// If the text is empty, of another form, a word for NaN or infinity, or has an exponent beyond about +-400,000
/// (decimal) or +-1,400,000 (binary).
pub fn parse_number(text: &str) -> Result<Number, NumberError> {
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    if ["nan", "inf", "infinity"].contains(&lower.as_str()) {
        return Err(NumberError::NotFinite);
    }
    let magnitude = match lower.strip_prefix("0x") {
        Some(digits) => hexadecimal(digits)?,
        None => decimal(&lower)?,
    };
    Ok(Number { negative, magnitude })
}

/// An integer of digits and the power of the radix to scale it by, and the exponent after the mark; of 0 no exponent.
fn digits(text: &str, radix: u32, mark: char) -> Result<(Integer, i64, i64), NumberError> {
    let (body, exponent) = text.split_once(mark).map_or((text, None), |(body, exponent)| (body, Some(exponent)));
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let all: String = [whole, fraction].concat();
    if all.is_empty() || !all.chars().all(|digit| digit.is_digit(radix)) {
        return Err(NumberError::Syntax);
    }
    let exponent = exponent.map_or(Ok(0), |text| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned.is_empty() || !unsigned.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NumberError::Syntax);
        }
        if all.bytes().all(|digit| digit == b'0') {
            return Ok(0);
        }
        text.parse::<i64>().map_err(|_| NumberError::Exponent)
    })?;
    let integer = Integer::from_str_radix(&all, radix as i32).map_err(|_| NumberError::Syntax)?;
    Ok((integer, fraction.len() as i64, exponent))
}

fn hexadecimal(text: &str) -> Result<Rational, NumberError> {
    let (integer, places, exponent) = digits(text, 16, 'p')?;
    let exponent = exponent.checked_sub(4 * places).ok_or(NumberError::Exponent)?;
    if integer != 0 && (exponent.abs() > MAX_BINARY_EXPONENT || integer.significant_bits() as i64 > MAX_BINARY_EXPONENT)
    {
        return Err(NumberError::Exponent);
    }
    if integer == 0 {
        return Ok(Rational::new());
    }
    Ok(Rational::from(integer) * power_of_two(exponent))
}

fn decimal(text: &str) -> Result<Rational, NumberError> {
    let (integer, places, exponent) = digits(text, 10, 'e')?;
    if integer == 0 {
        return Ok(Rational::new());
    }
    let exponent = exponent.checked_sub(places).ok_or(NumberError::Exponent)?;
    if exponent.abs() > MAX_DECIMAL_EXPONENT || text.len() as i64 > MAX_DECIMAL_EXPONENT {
        return Err(NumberError::Exponent);
    }
    let power = Integer::from(10).pow(exponent.unsigned_abs() as u32);
    Ok(if exponent < 0 { Rational::from((integer, power)) } else { Rational::from(integer * power) })
}
