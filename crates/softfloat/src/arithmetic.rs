//! A format with its overflow policy: addition, subtraction, multiplication and fused multiply-add.

use std::fmt;

use roundproof_format::{Encoding, Format, Overflow, Status};

use crate::layout::Layout;
use crate::real::{Operand, Real, exact_product, product, product_sum, sum};
use crate::round::Rounding;
use crate::word::{Bits, Word};

/// A result and the exceptions that it raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Outcome {
    /// The result.
    pub encoding: Encoding,
    /// The flags of IEEE 754-2019, clause 7.
    pub status: Status,
}

impl Outcome {
    pub(crate) const fn exact(encoding: Encoding) -> Outcome {
        Outcome { encoding, status: Status::NONE }
    }
}

/// The results toward negative and toward positive: every direction gives one of the two.
///
/// They are equal when the result is exact, but for an exact zero that is a sum of operands of unlike signs: it is -0
/// toward negative and +0 otherwise, in a format that has both. Beyond the largest finite value they are what the
/// overflow policy gives; under [`Overflow::Nan`] one of them is then NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Faithful {
    /// The result toward negative.
    pub below: Encoding,
    /// The result toward positive.
    pub above: Encoding,
    /// The flags that either direction raises.
    pub status: Status,
}

/// An overflow policy that a format cannot express: infinity without infinities, or NaN without NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedPolicy {
    /// The format.
    pub format: Format,
    /// The policy asked for.
    pub overflow: Overflow,
}

impl fmt::Display for UnsupportedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacking = if self.overflow == Overflow::Ieee { "infinity" } else { "NaN" };
        write!(f, "{} has no {lacking}, so its results cannot overflow as `{}` says", self.format, self.overflow)
    }
}

impl std::error::Error for UnsupportedPolicy {}

/// The arithmetic of a format under an overflow policy.
///
/// The [`Rounding`] is an argument of every operation that rounds. Handling of subnormals is not here: see
/// [`flush`](crate::flush).
///
/// ```
/// use roundproof_format::{Format, Overflow, RoundingMode, Status};
/// use roundproof_softfloat::{Arithmetic, encode};
///
/// let format = Format::FLOAT8_E4M3FN;
/// let arithmetic = Arithmetic::new(format, Overflow::Nan)?;
/// let [largest, sixteen, eighteen] = [448, 16, 18].map(|n| encode(format, false, n, 0).expect("a value"));
/// // 464 is a tie between 448 and 480, the significand 15 at emax, which the NaN has taken.
/// let outcome = arithmetic.add(RoundingMode::TiesToEven, largest, sixteen);
/// assert_eq!((outcome.encoding, outcome.status), (largest, Status::INEXACT));
/// let outcome = arithmetic.add(RoundingMode::TiesToEven, largest, eighteen);
/// assert_eq!(Some(outcome.encoding), format.nan());
/// # Ok::<(), roundproof_softfloat::UnsupportedPolicy>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Arithmetic {
    layout: Layout,
    overflow: Overflow,
    /// What overflow gives in a direction that leads away from zero.
    infinity: u128,
    infinity_is_signed: bool,
    /// The canonical NaN, or +0 in formats without NaN, where conversions alone need one.
    nan: Encoding,
}

impl Arithmetic {
    /// The arithmetic of `format`, overflowing as `overflow` says.
    ///
    /// # Errors
    ///
    /// If the format does not [express](Format::expresses) the policy.
    pub fn new(format: Format, overflow: Overflow) -> Result<Arithmetic, UnsupportedPolicy> {
        if !format.expresses(overflow) {
            return Err(UnsupportedPolicy { format, overflow });
        }
        Ok(Arithmetic::of_expressed(format, overflow))
    }

    /// The arithmetic of a format that expresses the policy.
    pub(crate) const fn of_expressed(format: Format, overflow: Overflow) -> Arithmetic {
        let layout = Layout::of(format);
        let nan = match format.nan() {
            Some(nan) => nan,
            None => format.zero(),
        };
        let (infinity, infinity_is_signed) = match (overflow, format.infinity(false)) {
            (Overflow::Ieee, Some(infinity)) => (infinity.bits(), true),
            (Overflow::Nan, _) if format.has_nan() => (nan.bits(), false),
            _ => (layout.largest, true),
        };
        Arithmetic { layout, overflow, infinity, infinity_is_signed, nan }
    }

    /// The format of operands and results.
    pub const fn format(&self) -> Format {
        self.layout.format
    }

    /// The overflow policy.
    pub const fn overflow(&self) -> Overflow {
        self.overflow
    }

    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// `a + b` (IEEE 754-2019, clause 5.4.1).
    #[inline]
    pub fn add<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        self.sum_of(rounding, a, b, false)
    }

    /// `a - b`.
    #[inline]
    pub fn subtract<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        self.sum_of(rounding, a, b, true)
    }

    /// `a * b`.
    #[inline]
    pub fn multiply<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        self.product_of(rounding, a, b)
    }

    /// `a * b + c`, rounded once. Zero times infinity is invalid whatever `c` is, a quiet NaN included.
    #[inline]
    pub fn fused_multiply_add<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, c: Encoding) -> R::Output {
        self.product_sum_of(rounding, a, b, c)
    }

    #[inline(always)]
    fn sum_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, flip: bool) -> R::Output {
        if self.layout.narrow {
            self.sum_in::<u64, R>(rounding, a, b, flip)
        } else {
            self.sum_in::<u128, R>(rounding, a, b, flip)
        }
    }

    #[inline(always)]
    fn sum_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, flip: bool) -> R::Output {
        match (self.layout.unpack_finite::<W>(a), self.layout.unpack_finite::<W>(b)) {
            (Some(a), Some(b)) => self.sum_finite(rounding, a, b.negated_if(flip)),
            _ => self.sum_special::<W, R>(rounding, a, b, flip),
        }
    }

    #[inline(always)]
    fn sum_finite<W: Word, R: Rounding>(&self, rounding: R, a: Real<W>, b: Real<W>) -> R::Output {
        if R::WIDE {
            return self.round_total(rounding, sum(a.widened(), b.widened()));
        }
        self.round_total(rounding, sum(a, b))
    }

    /// Rounds the sum of finite operands, none if it is zero.
    #[inline(always)]
    fn round_total<B: Bits, R: Rounding>(&self, rounding: R, total: Option<Real<B>>) -> R::Output {
        match total {
            Some(real) => self.round_pack(rounding, real),
            None => rounding.cancelled(self),
        }
    }

    #[cold]
    fn sum_special<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, flip: bool) -> R::Output {
        self.sum_operands(rounding, self.layout.unpack::<W>(a), self.layout.unpack::<W>(b).negated_if(flip))
    }

    #[inline]
    fn sum_operands<W: Word, R: Rounding>(&self, rounding: R, a: Operand<W>, b: Operand<W>) -> R::Output {
        match (a, b) {
            (Operand::Finite(a), Operand::Finite(b)) => self.sum_finite(rounding, a, b),
            (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => {
                rounding.settled(self.not_a_number(a || b))
            }
            (Operand::Nan { signaling }, _) | (_, Operand::Nan { signaling }) => {
                rounding.settled(self.not_a_number(signaling))
            }
            (Operand::Infinite { negative: a }, Operand::Infinite { negative: b }) if a != b => {
                rounding.settled(self.not_a_number(true))
            }
            (Operand::Infinite { negative }, _) | (_, Operand::Infinite { negative }) => {
                rounding.settled(self.infinite(negative))
            }
            (Operand::Zero { negative: a }, Operand::Zero { negative: b }) if a != b => rounding.cancelled(self),
            (Operand::Zero { negative }, Operand::Zero { .. }) => {
                rounding.settled(Outcome::exact(self.layout.zero(negative)))
            }
            (Operand::Zero { .. }, Operand::Finite(real)) | (Operand::Finite(real), Operand::Zero { .. }) => {
                self.round_pack(rounding, real)
            }
        }
    }

    #[inline(always)]
    fn product_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        if self.layout.narrow {
            self.product_in::<u64, R>(rounding, a, b)
        } else {
            self.product_in::<u128, R>(rounding, a, b)
        }
    }

    #[inline(always)]
    fn product_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        match (self.layout.unpack_finite::<W>(a), self.layout.unpack_finite::<W>(b)) {
            (Some(a), Some(b)) if R::WIDE => self.round_pack(rounding, exact_product(a, b)),
            (Some(a), Some(b)) => self.round_pack(rounding, product(a, b)),
            _ => self.product_special::<W, R>(rounding, a, b),
        }
    }

    #[cold]
    fn product_special<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        let product = product_of_operands(self.layout.unpack::<W>(a), self.layout.unpack::<W>(b));
        rounding.settled(match product {
            Operand::Zero { negative } => Outcome::exact(self.layout.zero(negative)),
            Operand::Infinite { negative } => self.infinite(negative),
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Finite(real) => return self.round_pack(rounding, real),
        })
    }

    #[inline(always)]
    fn product_sum_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, c: Encoding) -> R::Output {
        if self.layout.narrow {
            self.product_sum_in::<u64, R>(rounding, a, b, c)
        } else {
            self.product_sum_in::<u128, R>(rounding, a, b, c)
        }
    }

    #[inline(always)]
    fn product_sum_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, c: Encoding) -> R::Output {
        let unpack = |encoding| self.layout.unpack_finite::<W>(encoding);
        match (unpack(a), unpack(b), unpack(c)) {
            (Some(a), Some(b), Some(c)) if R::WIDE => self.round_total(rounding, sum(exact_product(a, b), c.widened())),
            (Some(a), Some(b), Some(c)) => self.round_total(rounding, product_sum(self.layout.precision, a, b, c)),
            _ => self.product_sum_special::<W, R>(rounding, a, b, c),
        }
    }

    #[cold]
    fn product_sum_special<W: Word, R: Rounding>(
        &self,
        rounding: R,
        a: Encoding,
        b: Encoding,
        c: Encoding,
    ) -> R::Output {
        let (a, b, c) = (self.layout.unpack::<W>(a), self.layout.unpack::<W>(b), self.layout.unpack::<W>(c));
        if let (Operand::Finite(a), Operand::Finite(b), Operand::Zero { .. }) = (a, b, c) {
            return self.round_pack(rounding, exact_product(a, b));
        }
        // One of them is zero, infinite or NaN: to these a finite product is only a sign.
        self.sum_operands(rounding, product_of_operands(a, b), c)
    }

    /// The canonical NaN, of an operation that is invalid or has a NaN operand.
    pub(crate) fn not_a_number(&self, invalid: bool) -> Outcome {
        Outcome { encoding: self.nan, status: if invalid { Status::INVALID } else { Status::NONE } }
    }

    /// The exact infinite result of an infinite operand, which only a format with infinities has.
    pub(crate) fn infinite(&self, negative: bool) -> Outcome {
        Outcome::exact(self.format().infinity(negative).unwrap_or(self.layout.pack(negative, self.layout.largest)))
    }

    /// What the policy gives beyond the largest finite value, in a direction that leads away from zero or does not.
    #[cold]
    pub(crate) fn beyond(&self, negative: bool, away: bool) -> Outcome {
        let (magnitude, signed) =
            if away { (self.infinity, self.infinity_is_signed) } else { (self.layout.largest, true) };
        Outcome {
            encoding: self.layout.pack(negative && signed, magnitude),
            status: Status::OVERFLOW | Status::INEXACT,
        }
    }
}

/// A product with an operand that is zero, infinite or NaN (IEEE 754-2019, clauses 6.1 to 6.3 and 7.2).
fn product_of_operands<W: Word>(a: Operand<W>, b: Operand<W>) -> Operand<W> {
    match (a, b) {
        (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => Operand::Nan { signaling: a || b },
        (nan @ Operand::Nan { .. }, _) | (_, nan @ Operand::Nan { .. }) => nan,
        // An invalid operation: from here on as a signaling NaN.
        (Operand::Zero { .. }, Operand::Infinite { .. }) | (Operand::Infinite { .. }, Operand::Zero { .. }) => {
            Operand::Nan { signaling: true }
        }
        (Operand::Infinite { negative }, other) | (other, Operand::Infinite { negative }) => {
            Operand::Infinite { negative: negative != other.is_negative() }
        }
        (Operand::Zero { negative }, other) | (other, Operand::Zero { negative }) => {
            Operand::Zero { negative: negative != other.is_negative() }
        }
        (Operand::Finite(a), Operand::Finite(b)) => Operand::Finite(product(a, b)),
    }
}
