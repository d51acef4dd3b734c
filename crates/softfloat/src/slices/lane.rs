//! What a loop asks of a format.

use roundproof_format::RoundingMode;

use crate::{Bfloat16, Binary16, Binary32, Binary64, Float8E3m4, Float8E4m3, Float8E5m2, Standard};

/// A format whose arithmetic the host can do. The trait is sealed.
pub trait Hardware: Lane {}

impl<L: Lane> Hardware for L {}

/// Arithmetic of one element, without branches.
///
/// The direction is a constant wherever this is compiled.
pub trait Lane: Layout {
    /// The bits of a float of the host, which has every value of the format.
    type Carrier: Copy + Default;

    fn carry(a: Self::Bits) -> Self::Carrier;

    /// The encoding of a value of the format; the canonical NaN for every NaN.
    fn pack(a: Self::Carrier) -> Self::Bits;

    /// The sum of values of the format, rounded to one.
    fn carried_sum(mode: RoundingMode, a: Self::Carrier, b: Self::Carrier) -> Self::Carrier;

    /// The product of values of the format, rounded to one, and whether it is left to
    /// [`Arithmetic`](crate::Arithmetic).
    fn carried_product(mode: RoundingMode, a: Self::Carrier, b: Self::Carrier) -> (Self::Carrier, bool);

    fn sum(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> Self::Bits;

    /// The product, and whether it is left to [`Arithmetic`](crate::Arithmetic).
    fn product(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> (Self::Bits, bool);
}

/// Operations that only look at the bits, without branches.
pub trait Layout: Standard {
    fn is_sign_minus(a: Self::Bits) -> bool;

    fn negate(a: Self::Bits) -> Self::Bits;

    /// [`relu`](crate::relu).
    fn relu(a: Self::Bits) -> Self::Bits;

    /// [`step`](crate::step).
    fn step(a: Self::Bits) -> Self::Bits;
}

macro_rules! layouts {
    ($($name:ident),+) => { $(
        impl $name {
            pub(super) const SIGN: <$name as Standard>::Bits = 1 << (<$name as Standard>::Bits::BITS - 1);
            pub(super) const INFINITY: <$name as Standard>::Bits = match $name::FORMAT.infinity(false) {
                Some(infinity) => infinity.bits() as _,
                None => panic!("a format with infinities"),
            };
            pub(super) const NAN: <$name as Standard>::Bits = match $name::FORMAT.nan() {
                Some(nan) => nan.bits() as _,
                None => panic!("a format with NaN"),
            };
            const ONE: <$name as Standard>::Bits = $name::FORMAT.one(false).bits() as _;
        }

        impl Layout for $name {
            #[inline(always)]
            fn is_sign_minus(a: Self::Bits) -> bool {
                a & Self::SIGN != 0
            }

            #[inline(always)]
            fn negate(a: Self::Bits) -> Self::Bits {
                a ^ Self::SIGN
            }

            #[inline(always)]
            fn relu(a: Self::Bits) -> Self::Bits {
                let kept = if Self::is_sign_minus(a) { 0 } else { a };
                if a & !Self::SIGN > Self::INFINITY { Self::NAN } else { kept }
            }

            #[inline(always)]
            fn step(a: Self::Bits) -> Self::Bits {
                // -0 is the least of the encodings with a sign.
                if (a <= Self::INFINITY) | (a == Self::SIGN) { Self::ONE } else { 0 }
            }
        }
    )+ };
}

layouts!(Float8E3m4, Float8E4m3, Float8E5m2, Binary16, Bfloat16, Binary32, Binary64);
