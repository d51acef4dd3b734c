//! Intervals of data, as keys and as extended reals.

use roundproof_exact::{Datum, Rational, decode, order_key, round};
use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_network::Rounding;

use crate::facts::{ErrorBound, Grid, largest};
use crate::value::datum;

/// What enclosures could not exclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// A value may be NaN.
    Nan,
    /// In `F(p)`, a value may be too large or too small in magnitude to be worth computing with.
    Exponent,
}

/// All data between two, by their order keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Keys {
    pub low: i128,
    pub high: i128,
}

impl Keys {
    pub fn point(key: i128) -> Keys {
        Keys { low: key, high: key }
    }

    /// The least interval that holds both.
    pub fn hull(self, other: Keys) -> Keys {
        Keys { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// A real or an infinity. The order of the variants is that of the values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extended {
    Minus,
    Finite(Rational),
    Plus,
}

impl Extended {
    pub fn of_key(format: Format, key: i128) -> Extended {
        match decode(format, datum(format, key)) {
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

    /// The product, of which neither factor is zero if the other is infinite.
    pub fn multiply(&self, other: &Extended) -> Extended {
        match (self, other) {
            (Extended::Finite(factor), value) | (value, Extended::Finite(factor)) => value.scale(factor),
            (Extended::Minus, infinite) | (infinite, Extended::Minus) => infinite.negate(),
            (Extended::Plus, Extended::Plus) => Extended::Plus,
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
pub(crate) type Ends = (Extended, Extended);

/// Rounding of intervals into one format.
#[derive(Clone, Debug)]
pub(crate) struct Rounder {
    pub format: Format,
    pub overflow: Overflow,
    /// Of all directions that an operation may take, those that give the least and the greatest result.
    directions: [RoundingMode; 2],
    /// Whether either neighbour may be chosen, so that the interval of a rounded real holds it, up to overflow.
    pub encloses: bool,
    /// The largest finite value; none in `F(p)`.
    pub largest: Option<Rational>,
    pub grid: Grid,
    pub error: ErrorBound,
}

impl Rounder {
    pub fn new(format: Format, overflow: Overflow, rounding: Rounding) -> Rounder {
        let (directions, encloses) = match rounding {
            Rounding::Any => ([RoundingMode::TowardNegative, RoundingMode::TowardPositive], true),
            // Each is monotone (R1).
            Rounding::Mode(mode) => match mode {
                RoundingMode::TiesToEven
                | RoundingMode::TiesToAway
                | RoundingMode::TowardPositive
                | RoundingMode::TowardNegative
                | RoundingMode::TowardZero => ([mode, mode], false),
            },
        };
        let (largest, grid, error) = (largest(format), Grid::of(format), ErrorBound::of(format));
        Rounder { format, overflow, directions, encloses, largest, grid, error }
    }

    /// All data that roundings of reals in an interval may give. An infinity is converted as the overflow policy says.
    pub fn round(&self, (low, high): &Ends) -> Result<Keys, Lost> {
        let [down, up] = self.directions;
        Ok(Keys { low: self.round_end(low, down)?, high: self.round_end(high, up)? })
    }

    fn round_end(&self, end: &Extended, mode: RoundingMode) -> Result<i128, Lost> {
        let encoding = match end {
            Extended::Finite(value) => round(value, self.format, mode, self.overflow).encoding,
            infinite => {
                let negative = *infinite == Extended::Minus;
                let converted = match self.overflow {
                    Overflow::Ieee => self.format.infinity(negative),
                    Overflow::Saturate => self.format.largest(negative),
                    Overflow::Nan => None,
                };
                converted.ok_or(Lost::Nan)?
            }
        };
        order_key(self.format, encoding).ok_or(Lost::Nan)
    }

    /// The ends of an interval of data.
    pub fn ends(&self, keys: Keys) -> Ends {
        (Extended::of_key(self.format, keys.low), Extended::of_key(self.format, keys.high))
    }

    /// The key of the largest finite datum that is not above a real; of the least one, if all are.
    pub fn key_at_most(&self, real: &Rational) -> i128 {
        let below = round(real, self.format, RoundingMode::TowardNegative, Overflow::Saturate).encoding;
        order_key(self.format, below).expect("saturated results are finite")
    }

    /// The key of the least finite datum that is not below an extended real; none if there is none.
    pub fn key_at_least(&self, end: &Extended) -> Option<i128> {
        match end {
            Extended::Minus => order_key(self.format, self.format.largest(true)?),
            Extended::Finite(real) if self.reaches(real) => Some(-self.key_at_most(&-real.clone())),
            Extended::Finite(_) | Extended::Plus => None,
        }
    }

    /// The same for a datum, by its key.
    pub fn finite_at_least(&self, key: i128) -> Option<i128> {
        let Some(largest) = self.format.largest(false).and_then(|largest| order_key(self.format, largest)) else {
            return Some(key);
        };
        (key <= largest).then_some(key.max(-largest))
    }

    /// Whether what overflows is beyond the largest value or becomes it, and not NaN.
    pub fn keeps_order(&self) -> bool {
        match self.overflow {
            Overflow::Ieee | Overflow::Saturate => true,
            Overflow::Nan => false,
        }
    }

    /// Whether a real is at most the largest finite value.
    pub fn reaches(&self, real: &Rational) -> bool {
        self.largest.as_ref().is_none_or(|largest| real <= largest)
    }

    /// The key of the largest datum that an addition may give: infinity where overflow gives it; none in `F(p)`.
    pub fn top(&self) -> Option<i128> {
        let largest = self.format.largest(false);
        let top = match self.overflow {
            Overflow::Ieee => self.format.infinity(false).or(largest),
            Overflow::Saturate | Overflow::Nan => largest,
        };
        order_key(self.format, top?)
    }
}
