//! The operations of IEEE 754-2019, clause 5.4.1, by their definition: the exact result, rounded once.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials, Status, UnsupportedPolicy};
use rug::Rational;

use crate::{Datum, Rounded, decode, encode, round};

/// Operations whose results are data of one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    pub(crate) format: Format,
    pub(crate) overflow: Overflow,
}

impl Arithmetic {
    /// Arithmetic in `format`, overflowing as `overflow` says.
    ///
    /// # Errors
    ///
    /// If the format does not [express](Format::expresses) the policy.
    pub fn new(format: Format, overflow: Overflow) -> Result<Arithmetic, UnsupportedPolicy> {
        UnsupportedPolicy::check(format, overflow)?;
        Ok(Arithmetic { format, overflow })
    }

    /// `a + b`.
    pub fn add(&self, mode: RoundingMode, a: Encoding, b: Encoding) -> Rounded {
        self.propagate(&[a, b]).unwrap_or_else(|| self.sum(mode, self.datum(a), self.datum(b)))
    }

    /// `a - b`.
    pub fn subtract(&self, mode: RoundingMode, a: Encoding, b: Encoding) -> Rounded {
        self.propagate(&[a, b]).unwrap_or_else(|| self.sum(mode, self.datum(a), negate(self.datum(b))))
    }

    /// `a * b`.
    pub fn multiply(&self, mode: RoundingMode, a: Encoding, b: Encoding) -> Rounded {
        self.propagate(&[a, b]).unwrap_or_else(|| self.round(mode, product(self.datum(a), self.datum(b))))
    }

    /// `a * b + c`, rounded once. Zero times infinity is invalid, even with a NaN for `c`.
    pub fn fused_multiply_add(&self, mode: RoundingMode, a: Encoding, b: Encoding, c: Encoding) -> Rounded {
        let operands_are_nan = [a, b].iter().any(|&e| self.datum(e) == Datum::Nan);
        let product = product(self.datum(a), self.datum(b));
        if !operands_are_nan && product == Datum::Nan {
            return self.invalid();
        }
        self.propagate(&[a, b, c]).unwrap_or_else(|| self.sum(mode, product, self.datum(c)))
    }

    /// A datum of another format as one of this format (clause 5.4.2).
    ///
    /// An infinity becomes the largest finite value of its sign under `saturate` and NaN under `nan`, as an overflow, even
    /// where there is an infinity. What the format lacks becomes +0, as an invalid operation: NaN in a format without
    /// NaN, and an infinity in `F(p)`, which has neither an infinity nor a largest value.
    pub fn convert(&self, mode: RoundingMode, from: Format, a: Encoding) -> Rounded {
        let datum = decode(from, a).unwrap_or(Datum::Nan);
        match datum {
            Datum::Nan if self.format.has_nan() => {
                Rounded { encoding: self.canonical_nan(), status: signal(is_signaling(from, a)) }
            }
            Datum::Nan => Rounded { encoding: self.format.zero(), status: Status::INVALID },
            Datum::Infinity { .. } if !self.format.is_bounded() => {
                Rounded { encoding: self.format.zero(), status: Status::INVALID }
            }
            Datum::Infinity { negative } => {
                let encoding = match self.overflow {
                    Overflow::Ieee => return self.round(mode, datum),
                    Overflow::Saturate => self.format.largest(negative),
                    Overflow::Nan => self.format.nan(),
                };
                let encoding = encoding.expect("the format expresses the policy");
                Rounded { encoding, status: Status::OVERFLOW | Status::INEXACT }
            }
            other => self.round(mode, other),
        }
    }

    /// The datum; an encoding of nothing counts as NaN.
    pub(crate) fn datum(&self, encoding: Encoding) -> Datum {
        decode(self.format, encoding).unwrap_or(Datum::Nan)
    }

    pub(crate) fn canonical_nan(&self) -> Encoding {
        self.format.nan().unwrap_or(self.format.zero())
    }

    pub(crate) fn invalid(&self) -> Rounded {
        Rounded { encoding: self.canonical_nan(), status: Status::INVALID }
    }

    /// The result of an operation with a NaN among its operands (clause 6.2): the canonical NaN.
    pub(crate) fn propagate(&self, operands: &[Encoding]) -> Option<Rounded> {
        let nan = operands.iter().any(|&operand| self.datum(operand) == Datum::Nan);
        let signaling = operands.iter().any(|&operand| is_signaling(self.format, operand));
        nan.then(|| Rounded { encoding: self.canonical_nan(), status: signal(signaling) })
    }

    fn sum(&self, mode: RoundingMode, a: Datum, b: Datum) -> Rounded {
        match (a, b) {
            (Datum::Infinity { negative: a }, Datum::Infinity { negative: b }) if a != b => self.invalid(),
            (infinity @ Datum::Infinity { .. }, _) | (_, infinity @ Datum::Infinity { .. }) => {
                self.round(mode, infinity)
            }
            (Datum::Zero { negative: a }, Datum::Zero { negative: b }) if a == b => {
                self.round(mode, Datum::Zero { negative: a })
            }
            (a, b) => {
                let sum = rational(a) + rational(b);
                // A sum of zero from operands that are not zeros of one sign (clause 6.3).
                let negative = match mode {
                    RoundingMode::TowardNegative => true,
                    RoundingMode::TiesToEven
                    | RoundingMode::TiesToAway
                    | RoundingMode::TowardPositive
                    | RoundingMode::TowardZero => false,
                };
                self.round(mode, if sum == 0 { Datum::Zero { negative } } else { Datum::Finite(sum) })
            }
        }
    }

    pub(crate) fn round(&self, mode: RoundingMode, exact: Datum) -> Rounded {
        match exact {
            Datum::Nan => self.invalid(),
            Datum::Finite(value) => round(&value, self.format, mode, self.overflow),
            Datum::Zero { .. } if !self.format.has_negative_zero() => {
                Rounded { encoding: self.format.zero(), status: Status::NONE }
            }
            other => {
                Rounded { encoding: encode(self.format, &other).unwrap_or(self.format.zero()), status: Status::NONE }
            }
        }
    }
}

pub(crate) fn rational(datum: Datum) -> Rational {
    datum.rational().expect("special values were dealt with")
}

pub(crate) fn signal(signaling: bool) -> Status {
    if signaling { Status::INVALID } else { Status::NONE }
}

/// Signaling NaNs exist in the IEEE layouts: the leading bit of the trailing significand is 0 (clause 6.2.1).
pub(crate) fn is_signaling(format: Format, encoding: Encoding) -> bool {
    let has_quiet_bit = match format.specials() {
        Some(Specials::Ieee) => true,
        Some(Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite) | None => false,
    };
    format.is_nan(encoding) && has_quiet_bit && (encoding.bits() >> (format.trailing_bits() - 1)) & 1 == 0
}

fn negate(datum: Datum) -> Datum {
    match datum {
        Datum::Nan => Datum::Nan,
        Datum::Infinity { negative } => Datum::Infinity { negative: !negative },
        Datum::Zero { negative } => Datum::Zero { negative: !negative },
        Datum::Finite(value) => Datum::Finite(-value),
    }
}

/// The exact product, NaN for zero times infinity.
fn product(a: Datum, b: Datum) -> Datum {
    let negative = a.is_negative() != b.is_negative();
    match (a, b) {
        (Datum::Nan, _) | (_, Datum::Nan) => Datum::Nan,
        (Datum::Zero { .. }, Datum::Infinity { .. }) | (Datum::Infinity { .. }, Datum::Zero { .. }) => Datum::Nan,
        (Datum::Infinity { .. }, _) | (_, Datum::Infinity { .. }) => Datum::Infinity { negative },
        (Datum::Zero { .. }, _) | (_, Datum::Zero { .. }) => Datum::Zero { negative },
        (Datum::Finite(a), Datum::Finite(b)) => Datum::Finite(a * b),
    }
}
