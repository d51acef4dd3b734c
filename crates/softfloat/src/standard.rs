//! The arithmetic of the standard formats, with the format known to the compiler.

use roundproof_format::{Encoding, Format, Overflow};

use crate::arithmetic::Arithmetic;
use crate::round::Rounding;

/// A format of the machine's storage widths: its encodings are integers of one type, its constants are known when
/// compiling.
///
/// The operations are those of [`Arithmetic`] under [`Overflow::Ieee`], by the same code; they are faster by what the
/// compiler makes of the constants.
///
/// ```
/// use roundproof_format::{Encoding, RoundingMode};
/// use roundproof_softfloat::{Binary32, Standard};
///
/// let third = Binary32::multiply(RoundingMode::TowardPositive, 1.5f32.to_bits(), 3.0f32.to_bits());
/// assert_eq!(third.encoding, Encoding::from_bits(4.5f32.to_bits().into()));
/// ```
pub trait Standard: Copy {
    /// An encoding.
    type Bits: Copy + Into<u128>;

    /// The format, whose overflow is [`Overflow::Ieee`].
    const ARITHMETIC: &'static Arithmetic;

    /// [`Arithmetic::add`].
    #[inline(always)]
    fn add<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.add(rounding, encoding(a), encoding(b))
    }

    /// [`Arithmetic::subtract`].
    #[inline(always)]
    fn subtract<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.subtract(rounding, encoding(a), encoding(b))
    }

    /// [`Arithmetic::multiply`].
    #[inline(always)]
    fn multiply<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.multiply(rounding, encoding(a), encoding(b))
    }

    /// [`Arithmetic::fused_multiply_add`].
    #[inline(always)]
    fn fused_multiply_add<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits, c: Self::Bits) -> R::Output {
        Self::ARITHMETIC.fused_multiply_add(rounding, encoding(a), encoding(b), encoding(c))
    }
}

#[inline(always)]
fn encoding(bits: impl Into<u128>) -> Encoding {
    Encoding::from_bits(bits.into())
}

macro_rules! standard {
    ($($(#[$meta:meta])* $name:ident: $bits:ty = $format:ident),+ $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Standard for $name {
            type Bits = $bits;
            const ARITHMETIC: &'static Arithmetic = &Arithmetic::of_expressed(Format::$format, Overflow::Ieee);
        }
    )+ };
}

standard! {
    /// IEEE 754 binary16.
    Binary16: u16 = BINARY16,
    /// bfloat16: the range of binary32, 8 bits of precision.
    Bfloat16: u16 = BFLOAT16,
    /// IEEE 754 binary32.
    Binary32: u32 = BINARY32,
    /// IEEE 754 binary64.
    Binary64: u64 = BINARY64,
    /// IEEE 754 binary128.
    Binary128: u128 = BINARY128,
}
