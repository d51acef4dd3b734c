//! binary16 and bfloat16, by way of binary32.

use roundproof_format::{Format, RoundingMode};

use super::Binary32;
use super::lane::Lane;

macro_rules! narrow {
    ($(#[$meta:meta])* $name:ident, $format:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Lane for $name {
            type Bits = u16;

            const FORMAT: Format = $format;
            #[inline(always)]
            fn negate(a: u16) -> u16 {
                a ^ 1 << 15
            }

            #[inline(always)]
            fn sum(mode: RoundingMode, a: u16, b: u16) -> u16 {
                Self::narrow(mode, Binary32::near_sum(mode, Self::widen(a), Self::widen(b)).before(mode))
            }

            #[inline(always)]
            fn product(mode: RoundingMode, a: u16, b: u16) -> (u16, bool) {
                (Self::narrow(mode, Self::wide_product(mode, Self::widen(a), Self::widen(b))), false)
            }
        }
    };
}

narrow!(
    /// binary16, by way of binary32.
    Binary16,
    Format::BINARY16
);
narrow!(
    /// bfloat16, by way of binary32.
    Bfloat16,
    Format::BFLOAT16
);

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0xff << 23;

impl Bfloat16 {
    #[inline(always)]
    pub(super) fn widen(a: u16) -> u32 {
        u32::from(a) << 16
    }

    #[inline(always)]
    fn wide_product(mode: RoundingMode, a: u32, b: u32) -> u32 {
        Binary32::near_product(a, b).0.before(mode)
    }

    /// The canonical NaN of binary32 becomes that of bfloat16.
    #[inline(always)]
    fn narrow(mode: RoundingMode, wide: u32) -> u16 {
        let negative = wide & SIGN != 0;
        // What is added carries into the seventeenth bit where the magnitude is to grow.
        let carry = match mode {
            RoundingMode::TiesToEven => 0x7fff + (wide >> 16 & 1),
            RoundingMode::TiesToAway => 0x8000,
            RoundingMode::TowardPositive => u32::from(!negative) * 0xffff,
            RoundingMode::TowardNegative => u32::from(negative) * 0xffff,
            RoundingMode::TowardZero => 0,
        };
        (wide.wrapping_add(carry) >> 16) as u16
    }
}

impl Binary16 {
    /// Exponent fields of binary32: of the least normal value, and of infinity's place.
    const LEAST: u32 = 127 - 14;
    /// Bits of a significand that binary32 has more.
    const MORE: u32 = 13;

    #[inline(always)]
    pub(super) fn widen(a: u16) -> u32 {
        let magnitude = (u32::from(a) & 0x7fff) << Self::MORE;
        let field = magnitude & 0x1f << 23;
        let moved = magnitude + ((127 - 15) << 23);
        // A subnormal is a significand without its leading bit, below 2^-14.
        let least = f32::from_bits(Self::LEAST << 23);
        let subnormal = f32::from_bits(magnitude | Self::LEAST << 23) - least;
        let special = magnitude | INFINITY;
        let wide = if field == 0x1f << 23 { special } else { moved };
        let wide = if field == 0 { subnormal.to_bits() } else { wide };
        wide | (u32::from(a) & 0x8000) << 16
    }

    /// Exact.
    #[inline(always)]
    fn wide_product(_: RoundingMode, a: u32, b: u32) -> u32 {
        (f32::from_bits(a) * f32::from_bits(b)).to_bits()
    }

    /// The host rounds the magnitude when it adds a power of two whose last place is that of the result.
    #[inline(always)]
    fn narrow(mode: RoundingMode, wide: u32) -> u16 {
        let negative = wide & SIGN != 0;
        let magnitude = wide & !SIGN;
        // Between the largest tie and 2^16 every value is rounded alike, and so is all beyond.
        let (most, beyond) = (65535f32.to_bits(), 65536f32.to_bits());
        let magnitude = if magnitude >= INFINITY { beyond } else { magnitude.min(most) };
        let field = (magnitude >> 23).max(Self::LEAST);
        let addend = (field + Self::MORE) << 23;
        let magnitude = f32::from_bits(magnitude);
        let sum = magnitude + f32::from_bits(addend);
        let nearest = ((field - Self::LEAST) << 10) + (sum.to_bits() - addend);
        let error = magnitude - (sum - f32::from_bits(addend));
        let place = f32::from_bits((field - 10) << 23);
        let inner = nearest - u32::from(error < 0.0);
        let outer = nearest + u32::from(error > 0.0);
        let rounded = match mode {
            RoundingMode::TiesToEven => nearest,
            RoundingMode::TiesToAway => nearest + u32::from(2.0 * error == place),
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
        let signed = rounded | wide >> 16 & 0x8000;
        (if wide & !SIGN > INFINITY { 0x7e00 } else { signed }) as u16
    }
}
