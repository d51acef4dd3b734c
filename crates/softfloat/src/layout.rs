//! The constants of a format that arithmetic asks for again and again, and unpacking.

use std::cmp::Ordering;

use roundproof_format::{Class, Encoding, Format};

use crate::real::{Operand, Real};
use crate::word::{Bits, Word};

/// Constants derived from a [`Format`].
///
/// `F(p)` is laid out like a bounded format with the exponents of its 32-bit field, without subnormals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub format: Format,
    pub precision: u32,
    /// Bits of the trailing significand.
    pub trailing: u32,
    pub emin: i64,
    pub emax: i64,
    /// Whether field 0 holds subnormals: all but `F(p)`.
    pub gradual: bool,
    pub negative_zero: bool,
    /// Whether data unpack into, and results round in, 64 bits.
    pub narrow: bool,
    /// Whether 64 bits hold eleven more than a significand too: what quotients and square roots take.
    pub roomy: bool,
    pub sign_bit: u128,
    /// The encoding of the least positive value.
    pub least: u128,
    /// The encoding of the largest finite value.
    pub largest: u128,
    /// The encoding of the largest magnitude that is in order: infinity where it is next to the largest finite value.
    pub last: u128,
}

impl Layout {
    /// Words of 64 bits leave four of them below a significand of `p` bits: what [`crate::real::sum`] asks for.
    const NARROW_PRECISION: u32 = 60;
    /// The precision of binary64.
    const ROOMY_PRECISION: u32 = 53;

    #[inline]
    pub const fn of(format: Format) -> Layout {
        let (precision, width) = (format.precision(), format.width());
        let sign_bit = 1 << (width - 1);
        let (emin, emax) = match (format.emin(), format.emax()) {
            (Some(emin), Some(emax)) => (emin as i64, emax as i64),
            _ => (1 - format.bias(), format.bias() - 1),
        };
        let largest = match format.largest(false) {
            Some(largest) => largest.bits(),
            None => sign_bit - 1,
        };
        let last = match format.infinity(false) {
            Some(infinity) if infinity.bits() == largest + 1 => infinity.bits(),
            _ => largest,
        };
        Layout {
            format,
            precision,
            trailing: format.trailing_bits(),
            emin,
            emax,
            gradual: format.is_bounded(),
            negative_zero: format.has_negative_zero(),
            roomy: precision <= Self::ROOMY_PRECISION && width <= 64,
            narrow: precision <= Self::NARROW_PRECISION && width <= 64,
            sign_bit,
            least: if format.is_bounded() { 1 } else { 1 << format.trailing_bits() },
            largest,
            last,
        }
    }

    /// Sign bit and magnitude together. Without a negative zero in the format, a zero is +0.
    #[inline(always)]
    pub const fn pack(&self, negative: bool, magnitude: u128) -> Encoding {
        let signed = negative && (magnitude != 0 || self.negative_zero);
        Encoding::from_bits(magnitude | self.sign_bit & (signed as u128).wrapping_neg())
    }

    /// The zero of this sign, or +0 where the format has no other.
    #[inline(always)]
    pub const fn zero(&self, negative: bool) -> Encoding {
        self.pack(negative, 0)
    }

    /// The sign bit of an encoding.
    #[inline(always)]
    pub const fn is_negative(&self, encoding: Encoding) -> bool {
        encoding.bits() & self.sign_bit != 0
    }

    /// Whether the sign bits differ.
    #[inline(always)]
    pub const fn unlike(&self, a: Encoding, b: Encoding) -> bool {
        (a.bits() ^ b.bits()) & self.sign_bit != 0
    }

    /// The bits below the sign bit.
    #[inline(always)]
    pub fn magnitude<B: Bits>(&self, encoding: Encoding) -> B {
        B::from_bits(encoding.bits() & (self.sign_bit - 1))
    }

    /// Whether no bit is set above those of the format.
    #[inline(always)]
    const fn fits(&self, encoding: Encoding) -> bool {
        encoding.bits() & !(self.sign_bit | (self.sign_bit - 1)) == 0
    }

    /// Sign and magnitude of an encoding, if it is that of a finite value other than zero.
    #[inline(always)]
    pub fn finite<W: Word>(&self, encoding: Encoding) -> Option<(bool, W)> {
        let magnitude = self.magnitude::<W>(encoding);
        // Both comparisons in one.
        let beyond = magnitude.wrapping_sub(W::from_bits(self.least)) > W::from_bits(self.largest - self.least);
        if beyond || !self.fits(encoding) { None } else { Some((self.is_negative(encoding), magnitude)) }
    }

    /// Whether an encoding is that of a finite value, zero or not.
    #[inline(always)]
    pub fn is_finite<W: Word>(&self, encoding: Encoding) -> bool {
        let magnitude = self.magnitude::<W>(encoding);
        let zero = magnitude == W::ZERO && (self.negative_zero || !self.is_negative(encoding));
        let within = magnitude <= W::from_bits(self.largest);
        within && self.fits(encoding) && (zero || magnitude >= W::from_bits(self.least))
    }

    /// [`Layout::is_finite`] of two, of which `larger` is the larger magnitude.
    #[inline(always)]
    pub fn are_finite<W: Word>(&self, a: Encoding, b: Encoding, larger: W) -> bool {
        if self.gradual && self.negative_zero {
            // All magnitudes up to the largest are those of finite values.
            larger <= W::from_bits(self.largest) && self.fits(a) && self.fits(b)
        } else {
            self.is_finite::<W>(a) && self.is_finite::<W>(b)
        }
    }

    /// The order of two data, if both are up to [`Layout::last`] in magnitude and that is told at once: of those of IEEE
    /// 754, all but NaN.
    #[inline(always)]
    pub fn quick_order<W: Word>(&self, a: Encoding, b: Encoding) -> Option<Ordering> {
        let (x, y) = (self.magnitude::<W>(a), self.magnitude::<W>(b));
        if x.max(y) > W::from_bits(self.last) || !(self.gradual && self.negative_zero && self.fits(a) && self.fits(b)) {
            return None;
        }
        let zero = W::from(true) << (W::BITS - 1);
        let key = |encoding, magnitude| zero.add_or_subtract(magnitude, self.is_negative(encoding));
        Some(key(a, x).cmp(&key(b, y)))
    }

    /// The exponent field of a magnitude, 1 for that of subnormals, and the integral significand.
    #[inline(always)]
    pub fn split<B: Bits>(&self, magnitude: B) -> (i64, B) {
        let field = ((magnitude >> self.trailing).bits() as i64).max(1);
        // The lowest bit of a normal field becomes the leading bit.
        (field, magnitude - (B::from_bits(field as u128 - 1) << self.trailing))
    }

    /// What an encoding stands for.
    #[inline]
    pub fn unpack<W: Word>(&self, encoding: Encoding) -> Operand<W> {
        match self.unpack_finite(encoding) {
            Some(real) => Operand::Finite(real),
            None => self.unpack_special(encoding),
        }
    }

    /// The value of an encoding that is finite and not zero.
    #[inline(always)]
    pub fn unpack_finite<W: Word>(&self, encoding: Encoding) -> Option<Real<W>> {
        let (negative, magnitude) = self.finite::<W>(encoding)?;
        let field = (magnitude >> self.trailing).bits() as i64;
        // Whether or not the leading bit is explicit, what is above the significand falls off the top.
        let aligned = magnitude << (W::BITS - self.precision);
        if field == 0 {
            return Some(self.unpack_subnormal(negative, aligned));
        }
        let leading = W::from(true) << (W::BITS - 1);
        Some(Real { negative, significand: aligned | leading, exponent: self.emin - 1 + field })
    }

    #[cold]
    fn unpack_subnormal<W: Word>(&self, negative: bool, aligned: W) -> Real<W> {
        let shift = aligned.leading_zeros();
        Real { negative, significand: aligned << shift, exponent: self.emin - i64::from(shift) }
    }

    #[cold]
    fn unpack_special<W>(&self, encoding: Encoding) -> Operand<W> {
        if encoding.bits() == 0 {
            return Operand::Zero { negative: false };
        }
        let negative = self.format.is_sign_minus(encoding);
        match self.format.class(encoding) {
            Class::Zero => Operand::Zero { negative },
            Class::Infinite => Operand::Infinite { negative },
            Class::Nan => Operand::Nan { signaling: self.is_signaling(encoding) },
            _ if self.format.has_nan() => Operand::Nan { signaling: false },
            _ => Operand::Zero { negative: false },
        }
    }

    /// Whether a NaN signals: the first bit of its trailing significand is 0 (IEEE 754-2019, clause 6.2.1). Where a
    /// format has one NaN, up to its sign, that one is quiet.
    fn is_signaling(&self, nan: Encoding) -> bool {
        self.format.has_infinity() && nan.bits() >> (self.trailing - 1) & 1 == 0
    }
}
