//! The constants of a format that arithmetic asks for again and again, and unpacking.

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
    pub sign_bit: u128,
    /// The encoding of the least positive value.
    pub least: u128,
    /// The encoding of the largest finite value.
    pub largest: u128,
}

impl Layout {
    /// Words of 64 bits leave four of them below a significand of `p` bits: what [`crate::real::sum`] asks for.
    const NARROW_PRECISION: u32 = 60;

    #[inline]
    pub const fn of(format: Format) -> Layout {
        let (precision, width) = (format.precision(), format.width());
        let sign_bit = 1 << (width - 1);
        let (emin, emax) = match (format.emin(), format.emax()) {
            (Some(emin), Some(emax)) => (emin as i64, emax as i64),
            _ => (1 - format.bias(), format.bias() - 1),
        };
        Layout {
            format,
            precision,
            trailing: format.trailing_bits(),
            emin,
            emax,
            gradual: format.is_bounded(),
            negative_zero: format.has_negative_zero(),
            narrow: precision <= Self::NARROW_PRECISION && width <= 64,
            sign_bit,
            least: if format.is_bounded() { 1 } else { 1 << format.trailing_bits() },
            largest: match format.largest(false) {
                Some(largest) => largest.bits(),
                None => sign_bit - 1,
            },
        }
    }

    /// Sign bit and magnitude together. Without a negative zero in the format, a zero is +0.
    #[inline(always)]
    pub const fn pack(&self, negative: bool, magnitude: u128) -> Encoding {
        let signed = negative && (magnitude != 0 || self.negative_zero);
        Encoding::from_bits(if signed { magnitude | self.sign_bit } else { magnitude })
    }

    /// The zero of this sign, or +0 where the format has no other.
    #[inline(always)]
    pub const fn zero(&self, negative: bool) -> Encoding {
        self.pack(negative, 0)
    }

    /// Sign and magnitude of an encoding, if it is that of a finite value other than zero.
    #[inline(always)]
    pub const fn finite(&self, encoding: Encoding) -> Option<(bool, u128)> {
        let magnitude = encoding.bits() & (self.sign_bit - 1);
        let above = encoding.bits() & !(self.sign_bit | (self.sign_bit - 1));
        // Both comparisons in one.
        if above != 0 || magnitude.wrapping_sub(self.least) > self.largest - self.least {
            return None;
        }
        Some((encoding.bits() & self.sign_bit != 0, magnitude))
    }

    /// Sign and magnitude of an encoding, if it is that of a finite value, zero or not.
    #[inline(always)]
    pub const fn signed_magnitude(&self, encoding: Encoding) -> Option<(bool, u128)> {
        let magnitude = encoding.bits() & (self.sign_bit - 1);
        let above = encoding.bits() & !(self.sign_bit | (self.sign_bit - 1));
        let negative = encoding.bits() & self.sign_bit != 0;
        let zero = magnitude == 0 && (self.negative_zero || !negative);
        if above != 0 || magnitude > self.largest || !(magnitude >= self.least || zero) {
            return None;
        }
        Some((negative, magnitude))
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
        let (negative, magnitude) = self.finite(encoding)?;
        let magnitude = W::from_bits(magnitude);
        let field = (magnitude >> self.trailing).bits() as i64;
        // Whether or not the leading bit is explicit, what is above the significand falls off the top.
        let aligned = magnitude << (W::BITS - self.precision);
        let leading = W::from(field != 0) << (W::BITS - 1);
        let shift = (aligned | leading).leading_zeros();
        Some(Real {
            negative,
            significand: (aligned | leading) << shift,
            exponent: self.emin - 1 + field.max(1) - i64::from(shift),
        })
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
