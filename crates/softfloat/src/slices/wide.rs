//! binary32 and binary64: the host's result, and what its error tells.

use roundproof_format::RoundingMode;

use super::lane::Lane;
use crate::{Binary32, Binary64};

/// The host's result, rounded ties to even, and where the exact result lies.
#[derive(Clone, Copy)]
pub(super) struct Near<U> {
    /// The host's result.
    bits: U,
    /// The exact result is not the host's.
    inexact: bool,
    /// The exact result is nearer to zero than the host's.
    inside: bool,
    /// The exact result is half way to the neighbour away from zero.
    tie: bool,
}

macro_rules! wide {
    ($name:ident, $float:ty, $bits:ty) => {
        impl Near<$bits> {
            /// From the host's result and its error.
            #[inline(always)]
            fn of(result: $float, error: $float) -> Self {
                let bits = result.to_bits();
                // Where an operand is infinite or NaN the error is NaN: nothing is inexact.
                let inexact = error.abs() > 0.0;
                let inside = inexact & ((error.to_bits() ^ bits) >> (<$bits>::BITS - 1) != 0);
                let distance = <$float>::from_bits(bits.wrapping_add(1)) - result;
                let tie = inexact & !inside & (2.0 * error.abs() == distance.abs());
                Near { bits, inexact, inside, tie }
            }

            #[inline(always)]
            fn inner(self) -> $bits {
                self.bits.wrapping_sub(self.inside.into())
            }

            /// The result in some direction.
            #[inline(always)]
            fn choose(self, mode: RoundingMode) -> $bits {
                let negative = self.bits & $name::SIGN != 0;
                match mode {
                    RoundingMode::TiesToEven => self.bits,
                    RoundingMode::TiesToAway => self.bits.wrapping_add(self.tie.into()),
                    RoundingMode::TowardPositive => self.inner().wrapping_add((self.inexact & !negative).into()),
                    RoundingMode::TowardNegative => self.inner().wrapping_add((self.inexact & negative).into()),
                    RoundingMode::TowardZero => self.inner(),
                }
            }
        }

        impl $name {
            /// A zero that is the sum of operands of unlike signs is negative toward negative.
            #[inline(always)]
            pub(super) fn near_sum(mode: RoundingMode, a: $bits, b: $bits) -> Near<$bits> {
                let (x, y) = (<$float>::from_bits(a), <$float>::from_bits(b));
                let swap = x.abs() < y.abs();
                let (larger, smaller) = if swap { (y, x) } else { (x, y) };
                let sum = x + y;
                let near = Near::<$bits>::of(sum, smaller - (sum - larger));
                if mode == RoundingMode::TowardNegative {
                    let zero = (a | b) & Self::SIGN;
                    return Near { bits: if sum == 0.0 { zero } else { near.bits }, ..near };
                }
                near
            }
        }

        impl Lane for $name {
            type Carrier = $bits;

            #[inline(always)]
            fn carry(a: $bits) -> $bits {
                a
            }

            #[inline(always)]
            fn pack(a: $bits) -> $bits {
                if a & !Self::SIGN > Self::INFINITY { Self::NAN } else { a }
            }

            #[inline(always)]
            fn carried_sum(mode: RoundingMode, a: $bits, b: $bits) -> $bits {
                Self::near_sum(mode, a, b).choose(mode)
            }

            #[inline(always)]
            fn carried_product(mode: RoundingMode, a: $bits, b: $bits) -> ($bits, bool) {
                let (near, left) = Self::near_product(a, b);
                // The host's own result is that of ties to even, always.
                (near.choose(mode), left & (mode != RoundingMode::TiesToEven))
            }

            #[inline(always)]
            fn sum(mode: RoundingMode, a: $bits, b: $bits) -> $bits {
                Self::pack(Self::carried_sum(mode, a, b))
            }

            #[inline(always)]
            fn product(mode: RoundingMode, a: $bits, b: $bits) -> ($bits, bool) {
                let (product, left) = Self::carried_product(mode, a, b);
                (Self::pack(product), left)
            }
        }
    };
}

wide!(Binary32, f32, u32);
wide!(Binary64, f64, u64);

impl Near<u32> {
    /// The result rounded to odd, for another rounding to follow. Before one to nearest, ties to even, the host's own will
    /// do.
    #[inline(always)]
    pub(super) fn before(self, mode: RoundingMode) -> u32 {
        if mode == RoundingMode::TiesToEven { self.bits } else { self.inner() | u32::from(self.inexact) }
    }
}

impl Binary32 {
    #[inline(always)]
    pub(super) fn near_product(a: u32, b: u32) -> (Near<u32>, bool) {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        let exact = f64::from(x) * f64::from(y);
        let result = x * y;
        let bits = result.to_bits();
        let error = exact - f64::from(result);
        let inexact = error.abs() > 0.0;
        let inside = inexact & ((error < 0.0) != (exact < 0.0));
        let distance = f64::from(f32::from_bits(bits.wrapping_add(1))) - f64::from(result);
        let tie = inexact & !inside & (2.0 * error.abs() == distance.abs());
        (Near { bits, inexact, inside, tie }, false)
    }
}

impl Binary64 {
    /// Sums of two exponent fields below this belong to products below 2^-1076.
    const DEEP: u64 = 968;

    #[inline(always)]
    fn near_product(a: u64, b: u64) -> (Near<u64>, bool) {
        const TRAILING: u64 = (1 << 52) - 1;
        let (x, y) = (f64::from_bits(a), f64::from_bits(b));
        let result = x * y;
        let significand = |bits: u64| f64::from_bits(bits & TRAILING | 1.0f64.to_bits());
        let (leading, error) = exact_product(significand(a), significand(b));
        let distance = f64::from_bits(leading.to_bits() + 1) - leading;

        let field = |bits: u64| bits >> 52 & 0x7ff;
        let (field_a, field_b) = (field(a), field(b));
        let nonzero = (x != 0.0) & (y != 0.0);
        let deep = nonzero & (field_a + field_b < Self::DEEP);
        let overflow = (result.abs() == f64::INFINITY) & (x.abs() < f64::INFINITY) & (y.abs() < f64::INFINITY);
        let subnormal = (result.abs() <= f64::MIN_POSITIVE) | (field_a == 0) | (field_b == 0);
        let near = Near {
            bits: result.to_bits(),
            inexact: ((error != 0.0) | overflow | deep) & !result.is_nan(),
            inside: ((error < 0.0) | overflow) & !deep & !result.is_nan(),
            tie: (2.0 * error == distance) & !overflow & !deep & !result.is_nan(),
        };
        (near, nonzero & subnormal & !deep)
    }
}

/// The product of two values in [1, 2), rounded, and what is missing (Dekker 1971, as Muller et al., 4.4.2).
#[inline(always)]
fn exact_product(x: f64, y: f64) -> (f64, f64) {
    let product = x * y;
    let ((x1, x0), (y1, y0)) = (halves(x), halves(y));
    (product, x0 * y0 + (x0 * y1 + (x1 * y0 + (x1 * y1 - product))))
}

/// A value of 53 bits as the sum of two of 26: the nearer of its neighbours with 26, and the rest.
#[inline(always)]
fn halves(x: f64) -> (f64, f64) {
    const LOW: u64 = (1 << 27) - 1;
    let high = f64::from_bits((x.to_bits() + (1 << 26)) & !LOW);
    (high, x - high)
}
