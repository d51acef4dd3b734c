//! Narrow formats, by way of binary32.

use roundproof_format::{Format, RoundingMode};

use super::lane::Lane;
use crate::{Bfloat16, Binary16, Binary32, Float8E3m4, Float8E4m3, Float8E5m2};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0xff << 23;

macro_rules! narrow {
    ($name:ident, $bits:ty) => {
        impl Lane for $name {
            type Carrier = u32;

            #[inline(always)]
            fn carry(a: $bits) -> u32 {
                Self::widen(a)
            }

            #[inline(always)]
            fn pack(a: u32) -> $bits {
                Self::narrow(RoundingMode::TiesToEven, a)
            }

            #[inline(always)]
            fn carried_sum(mode: RoundingMode, a: u32, b: u32) -> u32 {
                Self::round(mode, Binary32::near_sum(mode, a, b).before(mode))
            }

            #[inline(always)]
            fn carried_product(mode: RoundingMode, a: u32, b: u32) -> (u32, bool) {
                (Self::round(mode, Self::wide_product(mode, a, b)), false)
            }

            #[inline(always)]
            fn sum(mode: RoundingMode, a: $bits, b: $bits) -> $bits {
                Self::narrow(mode, Binary32::near_sum(mode, Self::widen(a), Self::widen(b)).before(mode))
            }

            #[inline(always)]
            fn product(mode: RoundingMode, a: $bits, b: $bits) -> ($bits, bool) {
                (Self::narrow(mode, Self::wide_product(mode, Self::widen(a), Self::widen(b))), false)
            }
        }
    };
}

/// A format with p <= 11 whose least value is at least that of binary16.
macro_rules! small {
    ($name:ident, $bits:ty, $format:expr) => {
        narrow!($name, $bits);

        impl $name {
            const TRAILING: u32 = $format.trailing_bits();
            /// Bits of a significand that binary32 has more.
            const MORE: u32 = 23 - Self::TRAILING;
            /// What an exponent field has more in binary32.
            const REBIAS: u32 = 127 - $format.bias() as u32;
            /// The exponent field in binary32 of the least normal value.
            const LEAST: u32 = Self::REBIAS + 1;
            /// The exponent field of infinity.
            const TOP: u32 = (1 << $format.exponent_bits()) - 1;
            /// 2^(emax + 1), in binary32.
            const BEYOND: u32 = (Self::REBIAS + Self::TOP) << 23;

            #[inline(always)]
            pub(super) fn widen(a: $bits) -> u32 {
                let sign = 1 << (<$bits>::BITS - 1);
                let magnitude = u32::from(a & !sign) << Self::MORE;
                let field = magnitude & Self::TOP << 23;
                // A subnormal has the exponent of the least normal value and no leading bit: which is put in, and taken away.
                let least = Self::LEAST << 23;
                let subnormal = f32::from_bits(magnitude | least) - f32::from_bits(least);
                let normal = magnitude + (Self::REBIAS << 23);
                let wide = if field == Self::TOP << 23 { magnitude | INFINITY } else { normal };
                let wide = if field == 0 { subnormal.to_bits() } else { wide };
                wide | u32::from(a & sign) << (u32::BITS - <$bits>::BITS)
            }

            /// Exact.
            #[inline(always)]
            fn wide_product(_: RoundingMode, a: u32, b: u32) -> u32 {
                (f32::from_bits(a) * f32::from_bits(b)).to_bits()
            }

            /// [`Self::narrow`], but to a value of the format that stays one of the host's. The host rounds the
            /// magnitude when it adds a power of two whose last place is that of the result.
            #[inline(always)]
            fn round(mode: RoundingMode, wide: u32) -> u32 {
                const LARGEST: f32 = f32::from_bits($name::BEYOND - (1 << $name::MORE));
                let negative = wide & SIGN != 0;
                let magnitude = f32::from_bits(wide & !SIGN);
                // What is larger than the format's values stays so, and infinity and NaN what they are.
                let field = ((wide & INFINITY) >> 23).clamp(Self::LEAST, Self::REBIAS + Self::TOP - 1);
                let addend = f32::from_bits((field + Self::MORE) << 23);
                let nearest = (magnitude + addend) - addend;
                let error = magnitude - nearest;
                let place = f32::from_bits((field - Self::TRAILING) << 23);
                let inner = || nearest - if error < 0.0 { place } else { 0.0 };
                let outer = || nearest + if error > 0.0 { place } else { 0.0 };
                let (rounded, away) = match mode {
                    RoundingMode::TiesToEven => (nearest, true),
                    RoundingMode::TiesToAway => (nearest + if error + error == place { place } else { 0.0 }, true),
                    RoundingMode::TowardZero => (inner(), false),
                    RoundingMode::TowardPositive if negative => (inner(), false),
                    RoundingMode::TowardNegative if !negative => (inner(), false),
                    RoundingMode::TowardPositive | RoundingMode::TowardNegative => (outer(), true),
                };
                let beyond = if away | (magnitude == f32::INFINITY) { f32::INFINITY } else { LARGEST };
                let rounded = if rounded >= f32::from_bits(Self::BEYOND) { beyond } else { rounded };
                rounded.to_bits() | wide & SIGN
            }

            /// The host rounds the magnitude when it adds a power of two whose last place is that of the result.
            #[inline(always)]
            fn narrow(mode: RoundingMode, wide: u32) -> $bits {
                let negative = wide & SIGN != 0;
                let magnitude = wide & !SIGN;
                // 2^(emax + 1) stands for infinity. Every finite value past the largest tie is rounded as the last one
                // before 2^(emax + 1) is.
                let magnitude = if magnitude >= INFINITY { Self::BEYOND } else { magnitude.min(Self::BEYOND - 1) };
                let field = (magnitude >> 23).max(Self::LEAST);
                let addend = (field + Self::MORE) << 23;
                let sum = f32::from_bits(magnitude) + f32::from_bits(addend);
                let nearest = ((field - Self::LEAST) << Self::TRAILING) + (sum.to_bits() - addend);
                let error = f32::from_bits(magnitude) - (sum - f32::from_bits(addend));
                let place = f32::from_bits((field - Self::TRAILING) << 23);
                let inner = nearest - u32::from(error < 0.0);
                let outer = nearest + u32::from(error > 0.0);
                let rounded = match mode {
                    RoundingMode::TiesToEven => nearest,
                    RoundingMode::TiesToAway => nearest + u32::from(error + error == place),
                    RoundingMode::TowardPositive => {
                        if negative {
                            inner
                        } else {
                            outer
                        }
                    }
                    RoundingMode::TowardNegative => {
                        if negative {
                            outer
                        } else {
                            inner
                        }
                    }
                    RoundingMode::TowardZero => inner,
                };
                let signed = rounded | u32::from(negative) << (<$bits>::BITS - 1);
                (if wide & !SIGN > INFINITY { Self::NAN.into() } else { signed }) as $bits
            }
        }
    };
}

small!(Float8E3m4, u8, Format::FLOAT8_E3M4);
small!(Float8E4m3, u8, Format::FLOAT8_E4M3);
small!(Float8E5m2, u8, Format::FLOAT8_E5M2);
small!(Binary16, u16, Format::BINARY16);
narrow!(Bfloat16, u16);

impl Bfloat16 {
    #[inline(always)]
    pub(super) fn widen(a: u16) -> u32 {
        u32::from(a) << 16
    }

    #[inline(always)]
    fn wide_product(mode: RoundingMode, a: u32, b: u32) -> u32 {
        Binary32::near_product(a, b).0.before(mode)
    }

    #[inline(always)]
    fn round(mode: RoundingMode, wide: u32) -> u32 {
        let negative = wide & SIGN != 0;
        // What is added carries into the seventeenth bit where the magnitude is to grow.
        let carry = match mode {
            RoundingMode::TiesToEven => 0x7fff + (wide >> 16 & 1),
            RoundingMode::TiesToAway => 0x8000,
            RoundingMode::TowardPositive => u32::from(!negative) * 0xffff,
            RoundingMode::TowardNegative => u32::from(negative) * 0xffff,
            RoundingMode::TowardZero => 0,
        };
        let rounded = wide.wrapping_add(carry) & 0xffff_0000;
        if wide & !SIGN > INFINITY { (Self::NAN as u32) << 16 } else { rounded }
    }

    #[inline(always)]
    fn narrow(mode: RoundingMode, wide: u32) -> u16 {
        (Self::round(mode, wide) >> 16) as u16
    }
}
