//! Formats that are types: the standard ones, and the small ones with the standard's layout.

use std::cmp::Ordering;
use std::fmt;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::integral::{Integer, IntegerFormat};
use crate::round::Rounding;
use crate::signal;

/// A format with the layout of IEEE 754 and as many bits as an integer of the machine: its encodings are integers of one
/// type, its constants are known when compiling.
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
    type Bits: Copy + Default + Eq + fmt::Debug + Into<u128> + TryFrom<u128> + Send + Sync;

    /// The format.
    const FORMAT: Format;

    /// Its arithmetic, whose overflow is [`Overflow::Ieee`].
    const ARITHMETIC: &'static Arithmetic;

    /// [`Arithmetic::add`].
    #[inline(always)]
    fn add<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.sum_of(rounding, encoding(a), encoding(b), false)
    }

    /// [`Arithmetic::subtract`].
    #[inline(always)]
    fn subtract<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.sum_of(rounding, encoding(a), encoding(b), true)
    }

    /// [`Arithmetic::multiply`].
    #[inline(always)]
    fn multiply<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.product_of(rounding, encoding(a), encoding(b))
    }

    /// [`Arithmetic::divide`].
    #[inline(always)]
    fn divide<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits) -> R::Output {
        Self::ARITHMETIC.quotient_of(rounding, encoding(a), encoding(b))
    }

    /// [`Arithmetic::square_root`].
    #[inline(always)]
    fn square_root<R: Rounding>(rounding: R, a: Self::Bits) -> R::Output {
        Self::ARITHMETIC.root_of(rounding, encoding(a))
    }

    /// [`Arithmetic::fused_multiply_add`].
    #[inline(always)]
    fn fused_multiply_add<R: Rounding>(rounding: R, a: Self::Bits, b: Self::Bits, c: Self::Bits) -> R::Output {
        Self::ARITHMETIC.product_sum_of(rounding, encoding(a), encoding(b), encoding(c))
    }

    /// [`Arithmetic::remainder`].
    #[inline(always)]
    fn remainder(a: Self::Bits, b: Self::Bits) -> Outcome {
        Self::ARITHMETIC.remainder_of(encoding(a), encoding(b))
    }

    /// [`Arithmetic::round_to_integral`].
    #[inline(always)]
    fn round_to_integral(mode: RoundingMode, a: Self::Bits) -> Outcome {
        Self::ARITHMETIC.integral_of(mode, encoding(a), false)
    }

    /// [`Arithmetic::round_to_integral_exact`].
    #[inline(always)]
    fn round_to_integral_exact(mode: RoundingMode, a: Self::Bits) -> Outcome {
        Self::ARITHMETIC.integral_of(mode, encoding(a), true)
    }

    /// [`Arithmetic::to_integer`].
    #[inline(always)]
    fn to_integer(mode: RoundingMode, a: Self::Bits, to: IntegerFormat, signals_inexact: bool) -> (Integer, Status) {
        Self::ARITHMETIC.integer_of(mode, encoding(a), to, signals_inexact)
    }

    /// [`Arithmetic::from_integer`].
    #[inline(always)]
    fn from_integer<R: Rounding>(rounding: R, n: i128) -> R::Output {
        Self::ARITHMETIC.round_integer(rounding, n < 0, n.unsigned_abs())
    }

    /// [`Arithmetic::convert`], from the format `F`.
    #[inline(always)]
    fn convert<F: Standard, R: Rounding>(rounding: R, a: F::Bits) -> R::Output {
        Self::ARITHMETIC.convert_from(rounding, F::ARITHMETIC.layout(), encoding(a))
    }

    /// [`compare_quiet`](crate::compare_quiet).
    #[inline(always)]
    fn compare_quiet(a: Self::Bits, b: Self::Bits) -> (Option<Ordering>, Status) {
        signal::quiet(Self::ARITHMETIC.layout(), encoding(a), encoding(b))
    }

    /// [`compare_signaling`](crate::compare_signaling).
    #[inline(always)]
    fn compare_signaling(a: Self::Bits, b: Self::Bits) -> (Option<Ordering>, Status) {
        signal::signaling(Self::ARITHMETIC.layout(), encoding(a), encoding(b))
    }
}

#[inline(always)]
fn encoding(bits: impl Into<u128>) -> Encoding {
    Encoding::from_bits(bits.into())
}

macro_rules! standard {
    ($($(#[$meta:meta])* $name:ident: $bits:ty = $format:ident),+ $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Standard for $name {
            type Bits = $bits;
            const FORMAT: Format = Format::$format;
            const ARITHMETIC: &'static Arithmetic = &Arithmetic::of_expressed(Self::FORMAT, Overflow::Ieee);
        }
    )+ };
}

standard! {
    /// float8_e3m4.
    Float8E3m4: u8 = FLOAT8_E3M4,
    /// float8_e4m3.
    Float8E4m3: u8 = FLOAT8_E4M3,
    /// float8_e5m2.
    Float8E5m2: u8 = FLOAT8_E5M2,
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
