//! More operations of IEEE 754-2019, clauses 5.3 and 5.4, by their definition.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Overflow, RoundingMode, Status};
use rug::{Integer, Rational};

use crate::arithmetic::rational;
use crate::rounding::exponent;
use crate::{Arithmetic, Datum, Rounded, power_of_two};

impl Arithmetic {
    /// `a / b`.
    pub fn divide(&self, mode: RoundingMode, a: Encoding, b: Encoding) -> Rounded {
        if let Some(nan) = self.propagate(&[a, b]) {
            return nan;
        }
        let (a, b) = (self.datum(a), self.datum(b));
        let negative = a.is_negative() != b.is_negative();
        match (a, b) {
            (Datum::Zero { .. }, Datum::Zero { .. }) | (Datum::Infinity { .. }, Datum::Infinity { .. }) => {
                self.invalid()
            }
            (Datum::Infinity { .. }, _) => self.round(mode, Datum::Infinity { negative }),
            (Datum::Zero { .. }, _) | (_, Datum::Infinity { .. }) => self.round(mode, Datum::Zero { negative }),
            (_, Datum::Zero { .. }) => self.pole(negative),
            (a, b) => self.round(mode, Datum::Finite(rational(a) / rational(b))),
        }
    }

    /// An infinite result of finite operands (clause 7.3). Where the policy has no infinity, what overflow gives; in
    /// `F(p)`, +0.
    fn pole(&self, negative: bool) -> Rounded {
        let encoding = match self.overflow {
            _ if !self.format.is_bounded() => Some(self.format.zero()),
            Overflow::Ieee => self.format.infinity(negative),
            Overflow::Saturate => self.format.largest(negative),
            Overflow::Nan => self.format.nan(),
        };
        Rounded { encoding: encoding.expect("the format expresses the policy"), status: Status::DIVIDE_BY_ZERO }
    }

    /// The square root of `a`.
    pub fn square_root(&self, mode: RoundingMode, a: Encoding) -> Rounded {
        self.propagate(&[a]).unwrap_or_else(|| match self.datum(a) {
            Datum::Finite(value) if value > 0 => self.round(mode, Datum::Finite(root(&value, self.format.precision()))),
            zero @ Datum::Zero { .. } => self.round(mode, zero),
            Datum::Infinity { negative: false } => self.round(mode, Datum::Infinity { negative: false }),
            _ => self.invalid(),
        })
    }

    /// `a - b * n`, where `n` is the integer nearest to `a / b`, the even one of two (clause 5.3.1).
    pub fn remainder(&self, a: Encoding, b: Encoding) -> Rounded {
        // It is exact: no direction matters.
        let mode = RoundingMode::TowardZero;
        self.propagate(&[a, b]).unwrap_or_else(|| match (self.datum(a), self.datum(b)) {
            (Datum::Infinity { .. }, _) | (_, Datum::Zero { .. }) => self.invalid(),
            (Datum::Zero { negative }, _) => self.round(mode, Datum::Zero { negative }),
            (Datum::Finite(a), Datum::Infinity { .. }) => self.round(mode, Datum::Finite(a)),
            (a, b) => {
                let (negative, a, b) = (a.is_negative(), rational(a), rational(b));
                let n = integral(&(a.clone() / &b), RoundingMode::TiesToEven);
                let rest = a - b * n;
                self.round(mode, if rest == 0 { Datum::Zero { negative } } else { Datum::Finite(rest) })
            }
        })
    }

    /// The integer that `mode` chooses for `a`, of its sign if zero (clause 5.9), rounded into the format. Inexact is
    /// raised for another value than `a` if `signals_inexact`, and else only with an overflow.
    pub fn round_to_integral(&self, mode: RoundingMode, a: Encoding, signals_inexact: bool) -> Rounded {
        self.propagate(&[a]).unwrap_or_else(|| match self.datum(a) {
            Datum::Finite(value) => {
                let n = Rational::from(integral(&value, mode));
                let inexact = if signals_inexact && n != value { Status::INEXACT } else { Status::NONE };
                let exact = if n == 0 { Datum::Zero { negative: value < 0 } } else { Datum::Finite(n) };
                let Rounded { encoding, status } = self.round(mode, exact);
                Rounded { encoding, status: status | inexact }
            }
            other => self.round(mode, other),
        })
    }

    /// `a * 2^n` (clause 5.3.3).
    pub fn scale_b(&self, mode: RoundingMode, a: Encoding, n: i64) -> Rounded {
        self.propagate(&[a]).unwrap_or_else(|| match self.datum(a) {
            Datum::Finite(value) => self.round(mode, Datum::Finite(value * power_of_two(n))),
            other => self.round(mode, other),
        })
    }

    /// The exponent of `a` as a datum (clause 5.3.3).
    pub fn log_b(&self, mode: RoundingMode, a: Encoding) -> Rounded {
        self.propagate(&[a]).unwrap_or_else(|| match self.datum(a) {
            Datum::Finite(value) => match exponent(&value) {
                0 => self.round(mode, Datum::Zero { negative: false }),
                e => self.round(mode, Datum::Finite(Rational::from(e))),
            },
            Datum::Zero { .. } => self.pole(true),
            _ => self.round(mode, Datum::Infinity { negative: false }),
        })
    }

    /// An integer as a datum (clause 5.4.1, convertFromInt).
    pub fn from_integer(&self, mode: RoundingMode, n: &Integer) -> Rounded {
        match n.cmp0() {
            Ordering::Equal => self.round(mode, Datum::Zero { negative: false }),
            _ => self.round(mode, Datum::Finite(Rational::from(n))),
        }
    }

    /// The integer that `mode` chooses for `a`, if it is within `least..=most` (clause 5.8). Else the nearer of these
    /// two, or 0 for NaN, as an invalid operation. Inexact is raised for another value than `a` if `signals_inexact`.
    pub fn to_integer(
        &self,
        mode: RoundingMode,
        a: Encoding,
        [least, most]: [&Integer; 2],
        signals_inexact: bool,
    ) -> (Integer, Status) {
        let bound = |negative: bool| if negative { least.clone() } else { most.clone() };
        match self.datum(a) {
            Datum::Nan => (Integer::new(), Status::INVALID),
            Datum::Infinity { negative } => (bound(negative), Status::INVALID),
            Datum::Zero { .. } => (Integer::new(), Status::NONE),
            Datum::Finite(value) => {
                let n = integral(&value, mode);
                if n < *least || n > *most {
                    return (bound(n < 0), Status::INVALID);
                }
                let inexact = signals_inexact && n != value;
                (n, if inexact { Status::INEXACT } else { Status::NONE })
            }
        }
    }
}

/// The integer that `mode` chooses for `q`: that of two equally near ones which is even, or the larger in magnitude.
pub(crate) fn integral(q: &Rational, mode: RoundingMode) -> Integer {
    let chosen = match mode {
        RoundingMode::TowardZero => q.clone().trunc(),
        RoundingMode::TowardPositive => q.clone().ceil(),
        RoundingMode::TowardNegative => q.clone().floor(),
        RoundingMode::TiesToAway => q.clone().round(),
        RoundingMode::TiesToEven => {
            let (below, above) = (q.clone().floor(), q.clone().ceil());
            match (q.clone() - &below).cmp(&(above.clone() - q)) {
                Ordering::Less => below,
                Ordering::Greater => above,
                Ordering::Equal if below.numer().is_even() => below,
                Ordering::Equal => above,
            }
        }
    };
    chosen.numer().clone()
}

/// A rational that every direction rounds to `precision` bits as it does the square root of `q`.
///
/// That is the root itself, or, if it is between two neighbouring multiples of a unit, their midpoint. The unit is so
/// small that all values of this precision near the root, and the midpoints of such values, are multiples of it.
fn root(q: &Rational, precision: u32) -> Rational {
    let unit = power_of_two(exponent(q).div_euclid(2) - i64::from(precision) - 1);
    let units = (q.clone() / &unit) / &unit;
    let floor = units.clone().floor().numer().clone().sqrt();
    let exact = floor.clone().square() == units;
    (Rational::from(floor) + if exact { Rational::new() } else { Rational::from((1, 2)) }) * unit
}
