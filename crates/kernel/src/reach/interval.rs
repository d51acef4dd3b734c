//! Intervals of data, as keys and as extended reals.

use roundproof_exact::{Datum, Rational, decode, order_key, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::Rounding;

/// A value may be NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaybeNan;

/// All data between two, by their order keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Keys {
    pub low: i128,
    pub high: i128,
}

impl Keys {
    pub fn point(key: i128) -> Keys {
        Keys { low: key, high: key }
    }
}

/// The encoding with an order key.
pub(super) fn encoding_of_key(format: Format, key: i128) -> Encoding {
    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
    Encoding::from_bits(sign | key.unsigned_abs())
}

/// A real or an infinity. The order of the variants is that of the values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extended {
    Minus,
    Finite(Rational),
    Plus,
}

impl Extended {
    pub fn zero() -> Extended {
        Extended::Finite(Rational::new())
    }

    pub fn of_key(format: Format, key: i128) -> Extended {
        match decode(format, encoding_of_key(format, key)) {
            Some(Datum::Infinity { negative: true }) => Extended::Minus,
            Some(Datum::Infinity { negative: false }) => Extended::Plus,
            other => Extended::Finite(other.and_then(|datum| datum.rational()).expect("a key is that of a datum")),
        }
    }

    pub fn is_infinite(&self) -> bool {
        !matches!(self, Extended::Finite(_))
    }

    pub fn finite(&self) -> Option<&Rational> {
        match self {
            Extended::Finite(value) => Some(value),
            _ => None,
        }
    }

    pub fn negate(&self) -> Extended {
        match self {
            Extended::Minus => Extended::Plus,
            Extended::Plus => Extended::Minus,
            Extended::Finite(value) => Extended::Finite(-value.clone()),
        }
    }

    /// The product with a factor, which is not zero if this is infinite.
    pub fn scale(&self, factor: &Rational) -> Extended {
        match self {
            Extended::Finite(value) => Extended::Finite(Rational::from(value * factor)),
            infinite if *factor > 0 => infinite.clone(),
            infinite => infinite.negate(),
        }
    }

    /// The sum; none for opposite infinities.
    pub fn add(&self, other: &Extended) -> Option<Extended> {
        match (self, other) {
            (Extended::Finite(a), Extended::Finite(b)) => Some(Extended::Finite(Rational::from(a + b))),
            (Extended::Minus, Extended::Plus) | (Extended::Plus, Extended::Minus) => None,
            (Extended::Finite(_), infinite) | (infinite, _) => Some(infinite.clone()),
        }
    }
}

/// A closed interval of extended reals.
pub(super) type Ends = (Extended, Extended);

/// Rounding of intervals into one format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounder {
    pub format: Format,
    pub overflow: Overflow,
    pub rounding: Rounding,
}

impl Rounder {
    /// All data that roundings of reals in an interval may give.
    pub fn round(&self, (low, high): &Ends) -> Result<Keys, MaybeNan> {
        let (down, up) = match self.rounding {
            Rounding::Any => (RoundingMode::TowardNegative, RoundingMode::TowardPositive),
            Rounding::Mode(mode) => (mode, mode),
        };
        Ok(Keys { low: self.round_end(low, down)?, high: self.round_end(high, up)? })
    }

    fn round_end(&self, end: &Extended, mode: RoundingMode) -> Result<i128, MaybeNan> {
        let encoding = match end {
            Extended::Finite(value) => round(value, self.format, mode, self.overflow).encoding,
            infinite => {
                let negative = *infinite == Extended::Minus;
                let converted = match self.overflow {
                    Overflow::Ieee => self.format.infinity(negative),
                    Overflow::Saturate => self.format.largest(negative),
                    Overflow::Nan => None,
                };
                converted.ok_or(MaybeNan)?
            }
        };
        order_key(self.format, encoding).ok_or(MaybeNan)
    }

    /// The ends of an interval of data.
    pub fn ends(&self, keys: Keys) -> Ends {
        (Extended::of_key(self.format, keys.low), Extended::of_key(self.format, keys.high))
    }

    /// The keys of an interval whose ends are data.
    pub fn keys(&self, (low, high): &Ends) -> Keys {
        let key = |end: &Extended| {
            let encoding = match end {
                Extended::Finite(value) => {
                    round(value, self.format, RoundingMode::TowardZero, Overflow::Saturate).encoding
                }
                infinite => self.format.infinity(*infinite == Extended::Minus).expect("an infinity of the format"),
            };
            order_key(self.format, encoding).expect("no NaN")
        };
        Keys { low: key(low), high: key(high) }
    }

    /// The largest datum of the format that is not above a real.
    pub fn value_at_most(&self, real: &Rational) -> Extended {
        let saturated = round(real, self.format, RoundingMode::TowardNegative, Overflow::Saturate).encoding;
        Extended::of_key(self.format, order_key(self.format, saturated).expect("no NaN"))
    }

    /// The largest finite value; none in `F(p)`.
    pub fn largest(&self) -> Option<Rational> {
        decode(self.format, self.format.largest(false)?)?.rational()
    }

    /// The largest datum that an operation may give: infinity where overflow gives it; none in `F(p)`.
    pub fn top(&self) -> Option<Extended> {
        match self.overflow {
            Overflow::Ieee if self.format.has_infinity() => Some(Extended::Plus),
            _ => self.largest().map(Extended::Finite),
        }
    }
}
