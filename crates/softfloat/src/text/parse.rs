//! From character sequences to data.

use std::fmt;

use num_bigint::BigUint;

use super::{MAX_DECIMAL_EXPONENT, quotient_of_powers};
use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::Real;
use crate::round::Rounding;

/// Exponents are cut off here: beyond every format, and by more than a text has digits.
const EXPONENT_END: i64 = 1 << 60;

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseNumberCause {
    /// The text is empty.
    Empty,
    /// It ends where a digit should be.
    NoDigits,
    /// It ends where a digit of the exponent should be.
    NoExponentDigits,
    /// This character has no place here.
    Unexpected(char),
    /// In `F(p)`, a decimal exponent beyond +-100,000.
    DecimalExponent,
}

/// A text that is not a number, or none that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseNumberError {
    /// Where, in bytes from the beginning.
    pub position: usize,
    /// Why.
    pub cause: ParseNumberCause,
}

impl fmt::Display for ParseNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.position)?;
        match self.cause {
            ParseNumberCause::Empty => write!(f, "the text is empty"),
            ParseNumberCause::NoDigits => write!(f, "a digit is missing"),
            ParseNumberCause::NoExponentDigits => write!(f, "a digit of the exponent is missing"),
            ParseNumberCause::Unexpected(found) => write!(f, "{found:?} has no place here"),
            ParseNumberCause::DecimalExponent => {
                write!(f, "the decimal exponent is beyond +-{MAX_DECIMAL_EXPONENT}: use hexadecimal")
            }
        }
    }
}

impl std::error::Error for ParseNumberError {}

/// An integer in some radix, its leading digit not zero, times a power of the radix.
struct Scanned {
    digits: Vec<u8>,
    /// How many of the digits as written come after the point.
    places: i64,
    exponent: i64,
}

impl Arithmetic {
    /// The number that a text stands for, rounded into the format (IEEE 754-2019, clauses 5.12.2 and 5.12.3).
    ///
    /// An optional sign, then, in upper or lower case: decimal digits with an optional point and an optional exponent
    /// of ten (`12.5e-3`, `.5`, `5.`); `0x`, hexadecimal digits with an optional point and an optional exponent of two
    /// in decimal (`0x1.8p-3`); `inf` or `infinity`; `nan` or `snan`. Any number of digits is read exactly. Special
    /// values that the format or its policy lacks become what [`Arithmetic::convert`] makes of them; `snan` is a
    /// signaling NaN, and raises invalid.
    ///
    /// # Errors
    ///
    /// For any other text; in `F(p)`, also if the leading decimal digit is beyond 10^100000 or below 10^-100000.
    ///
    /// ```
    /// use roundproof_format::{Format, RoundingMode, Status};
    /// use roundproof_softfloat::Arithmetic;
    ///
    /// let format = Format::BINARY32;
    /// let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
    /// let outcome = arithmetic.parse(RoundingMode::TiesToEven, "0.1")?;
    /// assert_eq!((outcome.encoding.bits(), outcome.status), (0.1f32.to_bits().into(), Status::INEXACT));
    /// # Ok::<(), roundproof_softfloat::ParseNumberError>(())
    /// ```
    pub fn parse<R: Rounding>(&self, rounding: R, text: &str) -> Result<R::Output, ParseNumberError> {
        if text.is_empty() {
            return Err(ParseNumberError { position: 0, cause: ParseNumberCause::Empty });
        }
        let negative = text.starts_with('-');
        let start = usize::from(text.starts_with(['+', '-']));
        let unsigned = &text[start..];
        let is = |word: &str| unsigned.eq_ignore_ascii_case(word);
        if is("inf") || is("infinity") {
            return Ok(rounding.settled(self.convert_infinity(negative)));
        }
        if is("nan") || is("snan") {
            return Ok(rounding.settled(self.not_a_number(is("snan") || !self.format().has_nan())));
        }
        let real = if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
            hexadecimal(negative, &scan(text, start + 2, 16, b'p')?)
        } else {
            self.decimal(negative, scan(text, start, 10, b'e')?, start)?
        };
        Ok(match real {
            Some(real) => self.round_pack(rounding, real),
            None => rounding.settled(Outcome::exact(self.layout().zero(negative))),
        })
    }

    /// The real with these decimal digits; none for zero.
    ///
    /// Digits are cut off, jammed into one, where no real that 128 bits can tell from its neighbours has any.
    fn decimal(
        &self,
        negative: bool,
        scanned: Scanned,
        position: usize,
    ) -> Result<Option<Real<u128>>, ParseNumberError> {
        let Scanned { mut digits, places, exponent } = scanned;
        if digits.is_empty() {
            return Ok(None);
        }
        let layout = self.layout();
        let exponent = exponent - places;
        // The real is at least 10^leading and less than ten times as much.
        let leading = exponent + digits.len() as i64 - 1;
        let far = |exponent| Ok(Some(Real { negative, significand: 1 << 127 | 1, exponent }));
        let range = if !self.format().is_bounded() {
            if leading.abs() > MAX_DECIMAL_EXPONENT {
                return Err(ParseNumberError { position, cause: ParseNumberCause::DecimalExponent });
            }
            4 * MAX_DECIMAL_EXPONENT
        } else if leading > 0 && 3 * (leading.min(EXPONENT_END)) > layout.emax {
            // 8 < 10: 2^(3 * leading) is less than the real.
            return far(layout.emax + 1);
        } else if leading < -1 && 3 * (leading + 1) < layout.emin - i64::from(layout.precision) - 2 {
            // The real is below a quarter of the least value.
            return far(layout.emin - i64::from(layout.precision) - 3);
        } else {
            layout.emax.abs().max(layout.emin.abs())
        };
        // A multiple of 2^k with k < 0 has its last decimal digit at 10^k or above, an integer of n bits at most n digits.
        let most = (2 * range + 512) as usize;
        let mut cut = 0;
        if digits.len() > most {
            cut = digits.len() - most;
            let sticky = digits[most..].iter().any(|&digit| digit != 0);
            digits.truncate(most);
            digits.push(u8::from(sticky));
            cut -= 1;
        }
        let integer = BigUint::from_radix_be(&digits, 10).expect("digits of radix ten");
        let (above, below) = quotient_of_powers(0, exponent + cut as i64);
        let above = above * integer;
        // At least 128 bits of quotient.
        let shift = (129 + below.bits()).saturating_sub(above.bits());
        let above = above << shift;
        let quotient = &above / &below;
        let sticky = &quotient * &below != above;
        Ok(Some(leading_bits(negative, &quotient, sticky, -(shift as i64))))
    }
}

/// `integer * 2^exponent`, and a little more if `sticky`; an integer of at least 128 bits.
fn leading_bits(negative: bool, integer: &BigUint, sticky: bool, exponent: i64) -> Real<u128> {
    let lost = integer.bits() - 128;
    let significand = u128::try_from(integer >> lost).expect("128 bits are left");
    let sticky = sticky || integer.trailing_zeros().is_some_and(|zeros| zeros < lost);
    Real { negative, significand: significand | u128::from(sticky), exponent: exponent + integer.bits() as i64 - 1 }
}

/// The real with these hexadecimal digits; none for zero.
fn hexadecimal(negative: bool, scanned: &Scanned) -> Option<Real<u128>> {
    let Scanned { ref digits, places, exponent } = *scanned;
    let (head, tail) = digits.split_at(digits.len().min(32));
    let integer = head.iter().fold(0u128, |integer, &digit| integer << 4 | u128::from(digit));
    if integer == 0 {
        return None;
    }
    let sticky = tail.iter().any(|&digit| digit != 0);
    let shift = integer.leading_zeros();
    // With a tail there are 32 digits before it, so the shift is at most by three bits, below what a rounding can see.
    let significand = integer << shift | u128::from(sticky);
    let exponent = exponent + 4 * (tail.len() as i64 - places) + 127 - i64::from(shift);
    Some(Real { negative, significand, exponent })
}

/// Digits with an optional point, then an optional exponent behind its mark, from `start` to the end of the text.
fn scan(text: &str, start: usize, radix: u32, mark: u8) -> Result<Scanned, ParseNumberError> {
    let bytes = text.as_bytes();
    let mut scanned = Scanned { digits: Vec::new(), places: 0, exponent: 0 };
    let (mut any, mut point) = (false, false);
    for (position, &byte) in bytes.iter().enumerate().skip(start) {
        match char::from(byte).to_digit(radix) {
            Some(digit) => {
                any = true;
                scanned.places += i64::from(point);
                if digit != 0 || !scanned.digits.is_empty() {
                    scanned.digits.push(digit as u8);
                }
            }
            None if byte == b'.' && !point => point = true,
            None if byte.eq_ignore_ascii_case(&mark) && any => {
                scanned.exponent = exponent(text, position + 1)?;
                return Ok(scanned);
            }
            None => return Err(unexpected(text, position)),
        }
    }
    if any { Ok(scanned) } else { Err(ParseNumberError { position: bytes.len(), cause: ParseNumberCause::NoDigits }) }
}

fn exponent(text: &str, start: usize) -> Result<i64, ParseNumberError> {
    let bytes = text.as_bytes();
    let negative = bytes.get(start) == Some(&b'-');
    let start = start + usize::from(matches!(bytes.get(start), Some(b'+' | b'-')));
    if start == bytes.len() {
        return Err(ParseNumberError { position: start, cause: ParseNumberCause::NoExponentDigits });
    }
    let mut magnitude = 0;
    for (position, &byte) in bytes.iter().enumerate().skip(start) {
        let digit = char::from(byte).to_digit(10).ok_or_else(|| unexpected(text, position))?;
        magnitude = (magnitude * 10 + i64::from(digit)).min(EXPONENT_END / 10);
    }
    Ok(if negative { -magnitude } else { magnitude })
}

/// The text up to `position` is ASCII.
fn unexpected(text: &str, position: usize) -> ParseNumberError {
    let found = text[position..].chars().next().expect("a byte is there");
    ParseNumberError { position, cause: ParseNumberCause::Unexpected(found) }
}
