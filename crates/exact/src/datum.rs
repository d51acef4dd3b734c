//! From encodings to values and back.

use roundproof_format::{Class, Encoding, Format};
use rug::{Integer, Rational};

use crate::rounding::power_of_two;

/// A floating-point datum (IEEE 754-2019, clause 3.2): a real, a signed zero, an infinity or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datum {
    /// Not a number.
    Nan,
    /// Infinity.
    Infinity {
        /// Its sign.
        negative: bool,
    },
    /// Zero.
    Zero {
        /// Its sign; false in formats without a negative zero.
        negative: bool,
    },
    /// A finite value other than zero.
    Finite(Rational),
}

impl Datum {
    /// The real that a finite datum is.
    pub fn rational(&self) -> Option<Rational> {
        match self {
            Datum::Zero { .. } => Some(Rational::new()),
            Datum::Finite(value) => Some(value.clone()),
            Datum::Nan | Datum::Infinity { .. } => None,
        }
    }

    /// Whether the sign is minus; false for NaN.
    pub fn is_negative(&self) -> bool {
        match self {
            Datum::Nan => false,
            Datum::Infinity { negative } | Datum::Zero { negative } => *negative,
            Datum::Finite(value) => *value < 0,
        }
    }
}

/// A finite value as integers: `significand * 2^exponent` with a sign. Many parts are the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Whether the sign is minus.
    pub negative: bool,
    /// An integer; 0 for zeros.
    pub significand: u128,
    /// Of its unit.
    pub exponent: i64,
}

impl Parts {
    /// The exponent of a power of two; none for other magnitudes.
    pub fn power(&self) -> Option<i64> {
        self.significand.is_power_of_two().then(|| self.exponent + i64::from(self.significand.trailing_zeros()))
    }

    /// `2^k` times the value.
    pub fn scaled(self, k: i64) -> Parts {
        Parts { exponent: self.exponent + k, ..self }
    }
}

/// The parts of the finite value with this encoding; none for other data, and if the format has no such encoding.
///
/// With exponent field `E`, trailing significand field `T` of `p - 1` bits and the format's bias, the magnitude is
/// `(2^(p-1) + T) * 2^(E - bias - p + 1)`, or `T * 2^(emin - p + 1)` if `E = 0` (clause 3.4).
#[inline]
pub fn parts(format: Format, encoding: Encoding) -> Option<Parts> {
    let negative = format.is_sign_minus(encoding);
    let trailing_bits = format.trailing_bits();
    let trailing = encoding.bits() & ((1 << trailing_bits) - 1);
    let field = (encoding.bits() >> trailing_bits) & ((1 << format.exponent_bits()) - 1);
    let (significand, exponent) = match format.class(encoding) {
        Class::Invalid | Class::Nan | Class::Infinite => return None,
        // In F(p), zero has no exponent of its own.
        Class::Zero if !format.is_bounded() => return Some(Parts { negative, significand: 0, exponent: 0 }),
        Class::Zero => (0, 1 - format.bias()),
        Class::Subnormal => (trailing, 1 - format.bias()),
        Class::Normal => (trailing + (1 << trailing_bits), field as i64 - format.bias()),
    };
    Some(Parts { negative, significand, exponent: exponent - i64::from(trailing_bits) })
}

/// The datum with this encoding; none if the format has no such encoding. See [`parts`].
pub fn decode(format: Format, encoding: Encoding) -> Option<Datum> {
    let negative = format.is_sign_minus(encoding);
    match format.class(encoding) {
        Class::Invalid => None,
        Class::Nan => Some(Datum::Nan),
        Class::Infinite => Some(Datum::Infinity { negative }),
        Class::Zero => Some(Datum::Zero { negative }),
        Class::Subnormal | Class::Normal => {
            let Parts { significand, exponent, .. } = parts(format, encoding)?;
            let magnitude = Rational::from(significand) * power_of_two(exponent);
            Some(Datum::Finite(if negative { -magnitude } else { magnitude }))
        }
    }
}

/// The encoding of a datum; none if the format does not have it. NaN gives the canonical one.
pub fn encode(format: Format, datum: &Datum) -> Option<Encoding> {
    match datum {
        Datum::Nan => format.nan(),
        Datum::Infinity { negative } => format.infinity(*negative),
        Datum::Zero { negative: false } => Some(format.zero()),
        Datum::Zero { negative: true } => format.negative_zero(),
        Datum::Finite(value) => encode_finite(format, value),
    }
}

fn encode_finite(format: Format, value: &Rational) -> Option<Encoding> {
    let trailing_bits = format.trailing_bits();
    let exponent = crate::rounding::exponent(value).max(format.emin().map_or(i64::MIN, i64::from));
    let scaled = value.clone().abs() * power_of_two(i64::from(trailing_bits) - exponent);
    if *scaled.denom() != Integer::ONE.clone() {
        return None;
    }
    assemble(format, *value < 0, scaled.numer().to_u128()?, exponent)
}

/// The encoding of a finite value; none if the format does not have it. Zeros are positive.
#[inline]
pub fn encode_parts(format: Format, Parts { negative, significand, exponent }: Parts) -> Option<Encoding> {
    if significand == 0 {
        return Some(format.zero());
    }
    let trailing_bits = i64::from(format.trailing_bits());
    let leading = (exponent + i64::from(significand.ilog2())).max(format.emin().map_or(i64::MIN, i64::from));
    // From the significand's unit to that of the format at this exponent.
    let shift = exponent - (leading - trailing_bits);
    let significand = if shift >= 0 {
        significand << shift
    } else if shift >= -i64::from(significand.trailing_zeros()) {
        significand >> -shift
    } else {
        return None;
    };
    assemble(format, negative, significand, leading)
}

/// The encoding of `significand * 2^(exponent - p + 1)`, where `exponent` is that of the leading bit, or emin.
fn assemble(format: Format, negative: bool, significand: u128, exponent: i64) -> Option<Encoding> {
    let trailing_bits = format.trailing_bits();
    let hidden: u128 = 1 << trailing_bits;
    let field = if significand < hidden { 0 } else { u128::try_from(exponent + format.bias()).ok()? };
    if field >> format.exponent_bits() != 0 || (field == 0 && !format.is_bounded()) {
        return None;
    }
    let magnitude = (field << trailing_bits) + significand % hidden;
    if format.largest(false).is_some_and(|largest| magnitude > largest.bits()) {
        return None;
    }
    let sign = if negative { 1 << (format.width() - 1) } else { 0 };
    Some(Encoding::from_bits(sign | magnitude))
}

/// The real that an encoding stands for; none for NaN, infinities and encodings of nothing.
pub fn real(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding)?.rational()
}

/// A key that orders data as their values: `key(a) < key(b)` iff `a < b`, and both zeros have key 0. None for NaN and
/// for encodings of nothing.
///
/// In a bounded format neighbours have neighbouring keys, and an infinity follows the largest finite value (in a
/// layout whose exponents do not fill their field, after a gap). Magnitudes are ordered as their bits are: the
/// exponent stands above the trailing significand (clause 3.4).
#[inline]
pub fn order_key(format: Format, encoding: Encoding) -> Option<i128> {
    match format.class(encoding) {
        Class::Invalid | Class::Nan => None,
        Class::Zero | Class::Subnormal | Class::Normal | Class::Infinite => {
            let magnitude = encoding.bits() & ((1 << (format.width() - 1)) - 1);
            let magnitude = i128::try_from(magnitude).ok()?;
            Some(if format.is_sign_minus(encoding) { -magnitude } else { magnitude })
        }
    }
}

/// The datum with an order key, of the zeros +0; none if no datum has it.
#[inline]
pub fn of_order_key(format: Format, key: i128) -> Option<Encoding> {
    let magnitude = key.unsigned_abs();
    let sign = 1 << (format.width() - 1);
    let datum = Encoding::from_bits(if key < 0 { sign | magnitude } else { magnitude });
    (magnitude < sign && order_key(format, datum) == Some(key)).then_some(datum)
}
