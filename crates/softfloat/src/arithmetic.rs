//! A format with its overflow policy: addition, subtraction, multiplication and fused multiply-add.

use std::hint::select_unpredictable;

use roundproof_format::{Encoding, Format, Overflow, Status, UnsupportedPolicy};

use crate::layout::Layout;
use crate::real::{Operand, Real, exact_product, product, sum};
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
        UnsupportedPolicy::check(format, overflow)?;
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
    pub(crate) fn sum_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, flip: bool) -> R::Output {
        if self.layout.narrow {
            self.sum_in::<u64, R>(rounding, a, b, flip)
        } else {
            self.sum_in::<u128, R>(rounding, a, b, flip)
        }
    }

    #[inline(always)]
    fn sum_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, flip: bool) -> R::Output {
        let layout = &self.layout;
        let swapped = layout.magnitude::<W>(a) < layout.magnitude::<W>(b);
        let (upper, lower) = if swapped { (b, a) } else { (a, b) };
        let (large, small) = (layout.magnitude::<W>(upper), layout.magnitude::<W>(lower));
        if R::WIDE || !layout.are_finite(a, b, large) {
            return rounding.apart(self.sum_special::<W, R>(rounding, a, b, flip));
        }
        let negative = layout.is_negative(upper) ^ (swapped && flip);
        self.sum_aligned::<W, R>(rounding, negative, layout.unlike(a, b) ^ flip, large, small)
    }

    /// The sum of a finite value, given by its sign and the magnitude of its encoding, and one of like or unlike sign that
    /// is not larger, at the scale of the larger: nothing is normalized before the end.
    #[inline(always)]
    fn sum_aligned<W: Word, R: Rounding>(
        &self,
        rounding: R,
        negative: bool,
        unlike: bool,
        large: W,
        small: W,
    ) -> R::Output {
        let layout = &self.layout;
        let (field, large) = layout.split(large);
        let (small_field, small) = layout.split(small);
        // One bit for a carry, and at least three below the significands, as in `sum`.
        let room = W::BITS - layout.precision - 1;
        let distance = (field - small_field) as u64;
        let small = if layout.precision + 3 <= room {
            // At that distance all of the smaller is below a quarter of a unit in the last place: a sticky bit as it is.
            small << (room - distance.min(room.into()) as u32)
        } else {
            (small << room).shift_right_jam(distance)
        };
        let total = (large << room).add_or_subtract(small, unlike);
        if total == W::ZERO {
            return self.sum_is_zero(rounding, negative, unlike);
        }
        self.round_aligned(rounding, negative, field, total)
    }

    #[inline(always)]
    fn sum_is_zero<R: Rounding>(&self, rounding: R, negative: bool, unlike: bool) -> R::Output {
        if unlike { rounding.cancelled(self) } else { rounding.settled(Outcome::exact(self.layout.zero(negative))) }
    }

    #[inline(always)]
    fn sum_finite<W: Word, R: Rounding>(&self, rounding: R, a: Real<W>, b: Real<W>) -> R::Output {
        self.round_total(rounding, sum(a.widened(), b.widened()))
    }

    /// Rounds the sum of finite operands, none if it is zero.
    #[inline(always)]
    fn round_total<B: Bits, R: Rounding>(&self, rounding: R, total: Option<Real<B>>) -> R::Output {
        match total {
            Some(real) => self.round_real(rounding, real),
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
            (Operand::Zero { negative: a }, Operand::Zero { negative: b }) => self.sum_is_zero(rounding, a, a != b),
            (Operand::Zero { .. }, Operand::Finite(real)) | (Operand::Finite(real), Operand::Zero { .. }) => {
                self.round_pack(rounding, real)
            }
        }
    }

    #[inline(always)]
    pub(crate) fn product_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        if self.layout.narrow {
            self.product_in::<u64, R>(rounding, a, b)
        } else {
            self.product_in::<u128, R>(rounding, a, b)
        }
    }

    #[inline(always)]
    fn product_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        match (self.layout.unpack_finite::<W>(a), self.layout.unpack_finite::<W>(b)) {
            (Some(a), Some(b)) if !R::WIDE => self.round_pack(rounding, product(a, b)),
            _ => rounding.apart(self.product_special::<W, R>(rounding, a, b)),
        }
    }

    /// The product of non-zero values, given by sign and magnitude of their encodings: its sign, its exponent field, and
    /// two words that begin, below one bit for a carry, with the `2p` bits of the product of the integral significands.
    #[inline(always)]
    fn product_aligned<W: Word>(&self, a: (bool, W), b: (bool, W)) -> (bool, i64, W, W) {
        let layout = &self.layout;
        let (a_field, a_significand) = layout.split(a.1);
        let (b_field, b_significand) = layout.split(b.1);
        let room = W::BITS - layout.precision;
        let (high, low) = (a_significand << room).product(b_significand << (room - 1));
        (a.0 != b.0, a_field + b_field + layout.emin, high, low)
    }

    #[cold]
    fn product_special<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        let (a, b) = (self.layout.unpack::<W>(a), self.layout.unpack::<W>(b));
        if let (Operand::Finite(a), Operand::Finite(b)) = (a, b) {
            return self.round_real(rounding, exact_product(a, b));
        }
        rounding.settled(match product_of_operands(a, b) {
            Operand::Zero { negative } => Outcome::exact(self.layout.zero(negative)),
            Operand::Infinite { negative } => self.infinite(negative),
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Finite(real) => return self.round_pack(rounding, real),
        })
    }

    #[inline(always)]
    pub(crate) fn product_sum_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, c: Encoding) -> R::Output {
        if self.layout.narrow {
            self.product_sum_in::<u64, R>(rounding, a, b, c)
        } else {
            self.product_sum_in::<u128, R>(rounding, a, b, c)
        }
    }

    #[inline(always)]
    fn product_sum_in<W: Word, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding, c: Encoding) -> R::Output {
        let (fa, fb) = (self.layout.finite::<W>(a), self.layout.finite::<W>(b));
        match (fa, fb, self.layout.is_finite::<W>(c)) {
            (Some(a), Some(b), true) if !R::WIDE => {
                let negative = self.layout.is_negative(c);
                if 2 * self.layout.precision + 4 <= W::BITS {
                    let c = (negative, self.layout.magnitude::<W>(c));
                    self.product_sum_aligned(rounding, a, b, c, |high: W, _| high, |total| total)
                } else {
                    let c = (negative, self.layout.magnitude::<W::Double>(c));
                    self.product_sum_aligned(rounding, a, b, c, W::double, |total| {
                        let (high, low) = W::halves(total);
                        high | W::from(low != W::ZERO)
                    })
                }
            }
            _ => rounding.apart(self.product_sum_special::<W, R>(rounding, a, b, c)),
        }
    }

    /// `a * b + c` of finite values, `a` and `b` not zero, given by sign and magnitude of their encodings, at the scale
    /// of what may be the larger.
    ///
    /// `wide` makes one of the halves of a product, of which the lower is zero if `B` is no wider than `W`, and `narrow`
    /// the upper half of it, with a sticky bit.
    ///
    /// The product keeps its `2p` bits, and down to `p + 1` zeros above them where an operand is subnormal; then an
    /// addend of which bits were lost is below all of it, and normalizing takes the sticky bit up by those zeros, to a
    /// place that is still below `p` bits and the one that tells a tie.
    #[inline(always)]
    fn product_sum_aligned<W: Word, B: Bits, R: Rounding>(
        &self,
        rounding: R,
        a: (bool, W),
        b: (bool, W),
        c: (bool, B),
        wide: impl Fn(W, W) -> B,
        narrow: impl Fn(B) -> W,
    ) -> R::Output {
        let layout = &self.layout;
        let (negative, product_field, high, low) = self.product_aligned::<W>(a, b);
        let product = wide(high, low);
        let (addend_field, addend) = layout.split(c.1);
        let addend = addend << (B::BITS - layout.precision - 1);
        let unlike = negative != c.0;
        // Which is larger no predictor could foresee.
        let swapped = product_field < addend_field;
        let field = product_field.max(addend_field);
        let upper = select_unpredictable(swapped, addend, product);
        let lower = select_unpredictable(swapped, product, addend);
        let lower = lower.shift_right_jam(product_field.abs_diff(addend_field));
        let below = upper < lower;
        let (large, small) = (select_unpredictable(below, lower, upper), select_unpredictable(below, upper, lower));
        let total = large.add_or_subtract(small, unlike);
        let negative = negative ^ (unlike & (swapped != below));
        if total == B::ZERO {
            return self.sum_is_zero(rounding, negative, unlike);
        }
        let shift = total.leading_zeros();
        if i64::from(shift) > field {
            return self.round_below(rounding, negative, field, total);
        }
        self.round_placed(rounding, negative, field - i64::from(shift), narrow(total << shift))
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
        if let (Operand::Finite(a), Operand::Finite(b)) = (a, b) {
            match c {
                Operand::Finite(c) => return self.round_total(rounding, sum(exact_product(a, b), c.widened())),
                Operand::Zero { .. } => return self.round_real(rounding, exact_product(a, b)),
                _ => {}
            }
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

    /// What replaces a non-zero result below the least magnitude of `F(p)`.
    pub(crate) fn least(&self, negative: bool) -> Outcome {
        let encoding = self.layout.pack(negative, self.layout.least);
        Outcome { encoding, status: Status::UNDERFLOW | Status::INEXACT }
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
