//! Rounding on machine words, for most of what tables hold. It gives what [`roundproof_exact::Number::round`] gives, or
//! nothing, and then that is asked; the tests compare the two.

use roundproof_format::{Encoding, Format};

/// The formats of data in arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Binary16,
    Binary32,
    Binary64,
}

impl Source {
    pub(crate) fn format(self) -> Format {
        match self {
            Source::Binary16 => Format::BINARY16,
            Source::Binary32 => Format::BINARY32,
            Source::Binary64 => Format::BINARY64,
        }
    }

    /// Bits of the trailing significand field, and of the exponent field.
    #[inline]
    fn fields(self) -> (u32, u32) {
        match self {
            Source::Binary16 => (10, 5),
            Source::Binary32 => (23, 8),
            Source::Binary64 => (52, 11),
        }
    }
}

/// What rounding to a format needs to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// `p - 1`.
    trailing: i64,
    /// In `F(p)`, below every exponent.
    emin: i64,
    bias: i64,
    /// The encoding of the largest value; in `F(p)`, above every encoding.
    largest: u128,
    sign_place: u32,
    has_negative_zero: bool,
}

impl Target {
    pub(super) fn new(format: Format) -> Target {
        Target {
            trailing: format.trailing_bits().into(),
            emin: format.emin().map_or(i64::MIN, i64::from),
            bias: format.bias(),
            largest: format.largest(false).map_or(u128::MAX, Encoding::bits),
            sign_place: format.width() - 1,
            has_negative_zero: format.has_negative_zero(),
        }
    }
}

/// The real `(-1)^negative * significand * 2^exponent / divisor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quick {
    pub(super) negative: bool,
    pub(super) significand: u64,
    /// Within +-10,000.
    pub(super) exponent: i32,
    /// At least 1.
    pub(super) divisor: u128,
}

/// A finite value that a real was rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rounded {
    pub(super) encoding: Encoding,
    /// What was lost; none if nothing.
    pub(super) error: Option<Bound>,
}

/// An upper bound `above / below` of a relative error; `below` has 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    above: u128,
    below: u64,
}

impl Bound {
    /// Whether the error may be larger than `floor / 2^63`.
    pub(super) fn may_exceed(self, floor: u64) -> bool {
        // `above` has at most 65 bits: the error is at most 1, and the bound little more.
        self.above << 63 > u128::from(floor) * u128::from(self.below)
    }
}

impl Quick {
    /// The real that a decimal says, if it has the form `[-]digits[.digits][e[+-]digits]`, at most 19 digits, and a
    /// small exponent.
    pub(super) fn decimal(text: &str) -> Option<Quick> {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, bytes),
        };
        let (mut significand, mut digits, mut places, mut point) = (0u64, 0, 0i32, false);
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            match byte {
                b'0'..=b'9' if digits < 19 => {
                    significand = significand * 10 + u64::from(byte - b'0');
                    digits += 1;
                    places += i32::from(point);
                }
                b'.' if !point => point = true,
                b'e' | b'E' => break,
                _ => return None,
            }
            position += 1;
        }
        if digits == 0 {
            return None;
        }
        let scale = if position < bytes.len() { small_integer(&bytes[position + 1..])? } else { 0 } - places;
        // With a longer divisor, hardly anything is left of the quotient.
        let power = |exponent: u32| (exponent <= 27).then(|| 10u128.pow(exponent));
        if significand == 0 || scale == 0 {
            return Some(Quick { negative, significand, exponent: 0, divisor: 1 });
        }
        if scale < 0 {
            return Some(Quick { negative, significand, exponent: 0, divisor: power(scale.unsigned_abs())? });
        }
        let scaled = u128::from(significand).checked_mul(power(scale.unsigned_abs())?)?;
        Some(Quick { negative, significand: u64::try_from(scaled).ok()?, exponent: 0, divisor: 1 })
    }

    /// The real that a datum is, if it is finite.
    #[inline]
    pub(super) fn datum(source: Source, bits: u64) -> Option<Quick> {
        let (trailing_bits, exponent_bits) = source.fields();
        let trailing = bits & ((1 << trailing_bits) - 1);
        let field = (bits >> trailing_bits) & ((1 << exponent_bits) - 1);
        let bias = (1 << (exponent_bits - 1)) - 1;
        if field == (1 << exponent_bits) - 1 {
            return None;
        }
        Some(Quick {
            negative: bits >> (trailing_bits + exponent_bits) != 0,
            significand: trailing | u64::from(field != 0) << trailing_bits,
            exponent: field.max(1) as i32 - bias - trailing_bits as i32,
            divisor: 1,
        })
    }

    /// The nearest value of the format, ties to even; none on overflow, or where words are too short.
    #[inline]
    pub(super) fn round(self, target: &Target) -> Option<Rounded> {
        let sign = u128::from(self.negative) << target.sign_place;
        let signed = |magnitude: u128| {
            let negative_zero = magnitude == 0 && !target.has_negative_zero;
            Encoding::from_bits(if negative_zero { 0 } else { sign | magnitude })
        };
        if self.significand == 0 {
            return Some(Rounded { encoding: signed(0), error: None });
        }
        // The real is (whole + part) * 2^unit in magnitude, 0 <= part < 1, and part > 0 iff sticky.
        let shift = u128::from(self.significand).leading_zeros();
        let dividend = u128::from(self.significand) << shift;
        let (whole, sticky) = match self.divisor {
            1 => (dividend, false),
            divisor => (dividend / divisor, dividend % divisor != 0),
        };
        let unit = i64::from(self.exponent) - i64::from(shift);
        let length = u128::BITS - whole.leading_zeros();
        let exponent = i64::from(length) - 1 + unit;
        let subnormal = exponent < target.emin;
        let least = exponent.max(target.emin);
        // What is cut off, at least one bit.
        let cut = u32::try_from(least - target.trailing - unit).ok().filter(|&cut| cut > 0)?;
        let (kept, dropped) = if cut < u128::BITS { (whole >> cut, whole & ((1 << cut) - 1)) } else { (0, whole) };
        let half = if cut <= u128::BITS { 1u128 << (cut - 1) } else { 0 };
        let up = half != 0 && (dropped > half || (dropped == half && (sticky || kept % 2 == 1)));
        // A carry out of the trailing significand raises the exponent as it should.
        let below = if subnormal { 0 } else { u128::try_from(exponent + target.bias - 1).ok()? };
        let magnitude = (below << target.trailing) + kept + u128::from(up);
        if magnitude > target.largest {
            return None;
        }
        let error = (dropped != 0 || sticky).then(|| {
            let lost = if !up {
                dropped.saturating_add(1)
            } else if cut < u128::BITS {
                (1 << cut) - dropped
            } else {
                dropped.wrapping_neg()
            };
            bound(lost, whole, length)
        });
        Some(Rounded { encoding: signed(magnitude), error })
    }
}

/// A bound of `lost / whole`, where `whole` has `length` bits.
fn bound(lost: u128, whole: u128, length: u32) -> Bound {
    match length.checked_sub(u64::BITS) {
        Some(excess) => Bound { above: (lost >> excess) + 1, below: (whole >> excess) as u64 },
        None => Bound { above: lost << (u64::BITS - length), below: (whole << (u64::BITS - length)) as u64 },
    }
}

/// An integer of at most four digits.
fn small_integer(bytes: &[u8]) -> Option<i32> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Some(if negative { -value } else { value })
}
