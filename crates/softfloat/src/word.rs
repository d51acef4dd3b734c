//! Fixed-width unsigned integers: the machine's, and one of 256 bits.

use std::hint::select_unpredictable;
use std::ops::{Add, BitOr, Shl, Shr, Sub};

/// An unsigned integer of fixed width in which significands are added.
pub trait Bits:
    Copy
    + Ord
    + From<bool>
    + Add<Output = Self>
    + Sub<Output = Self>
    + BitOr<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
    const BITS: u32;
    const ZERO: Self;

    /// The low bits of an encoding.
    fn from_bits(bits: u128) -> Self;
    /// As bits of an encoding: the lowest 128.
    fn bits(self) -> u128;
    fn is_odd(self) -> bool;
    fn leading_zeros(self) -> u32;
    fn wrapping_sub(self, other: Self) -> Self;

    /// `self - other` if `subtract`, else `self + other`; without a branch, which no predictor could foresee.
    fn add_or_subtract(self, other: Self, subtract: bool) -> Self;

    /// `self >> distance`, with the lowest bit set when any bit was lost (a sticky bit).
    #[inline(always)]
    fn shift_right_jam(self, distance: u64) -> Self {
        // One bit less than all: what is left then jams into the lowest bit anyway.
        let distance = distance.min(u64::from(Self::BITS - 1)) as u32;
        let kept = self >> distance;
        kept | Self::from(kept << distance != self)
    }
}

/// An integer in which data are unpacked and results rounded.
pub trait Word: Bits {
    /// Twice as wide: what a product needs.
    type Double: Bits;

    /// The high and the low word of a product.
    fn product(self, other: Self) -> (Self, Self);
    /// The product of two halves: of what lies below the middle of a word.
    fn half_product(self, other: Self) -> Self;
    fn wrapping_mul(self, other: Self) -> Self;
    fn double(high: Self, low: Self) -> Self::Double;
    fn halves(double: Self::Double) -> (Self, Self);
}

macro_rules! bits {
    ($($integer:ty),+) => { $(
        impl Bits for $integer {
            const BITS: u32 = <$integer>::BITS;
            const ZERO: Self = 0;

            #[inline(always)]
            fn from_bits(bits: u128) -> Self {
                bits as $integer
            }

            #[inline(always)]
            fn bits(self) -> u128 {
                self.into()
            }

            #[inline(always)]
            fn is_odd(self) -> bool {
                self & 1 != 0
            }

            #[inline(always)]
            fn leading_zeros(self) -> u32 {
                <$integer>::leading_zeros(self)
            }

            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                <$integer>::wrapping_sub(self, other)
            }

            #[inline(always)]
            fn add_or_subtract(self, other: Self, subtract: bool) -> Self {
                select_unpredictable(subtract, self.wrapping_sub(other), self.wrapping_add(other))
            }
        }
    )+ };
}
bits!(u64, u128);

impl Word for u64 {
    type Double = u128;

    #[inline(always)]
    fn product(self, other: u64) -> (u64, u64) {
        u64::halves(u128::from(self) * u128::from(other))
    }

    #[inline(always)]
    fn half_product(self, other: u64) -> u64 {
        u64::from(self as u32) * u64::from(other as u32)
    }

    #[inline(always)]
    fn wrapping_mul(self, other: u64) -> u64 {
        self.wrapping_mul(other)
    }

    #[inline(always)]
    fn double(high: u64, low: u64) -> u128 {
        u128::from(high) << 64 | u128::from(low)
    }

    #[inline(always)]
    fn halves(double: u128) -> (u64, u64) {
        ((double >> 64) as u64, double as u64)
    }
}

impl Word for u128 {
    type Double = U256;

    /// Schoolbook multiplication by halves of 64 bits.
    fn product(self, other: u128) -> (u128, u128) {
        let ((a1, a0), (b1, b0)) = (u64::halves(self), u64::halves(other));
        let times = |x: u64, y: u64| u128::from(x) * u128::from(y);
        let (low, cross, cross2, high) = (times(a0, b0), times(a0, b1), times(a1, b0), times(a1, b1));
        // At most 3 * (2^64 - 1): the column at 2^64.
        let (low1, low0) = u64::halves(low);
        let (cross_high, cross_low) = u64::halves(cross);
        let (cross2_high, cross2_low) = u64::halves(cross2);
        let middle = u128::from(low1) + u128::from(cross_low) + u128::from(cross2_low);
        let (carry, column) = u64::halves(middle);
        let high = high + u128::from(cross_high) + u128::from(cross2_high) + u128::from(carry);
        (high, u64::double(column, low0))
    }

    #[inline(always)]
    fn half_product(self, other: u128) -> u128 {
        u128::from(self as u64) * u128::from(other as u64)
    }

    #[inline(always)]
    fn wrapping_mul(self, other: u128) -> u128 {
        self.wrapping_mul(other)
    }

    #[inline(always)]
    fn double(high: u128, low: u128) -> U256 {
        U256 { high, low }
    }

    #[inline(always)]
    fn halves(double: U256) -> (u128, u128) {
        (double.high, double.low)
    }
}

/// An unsigned integer of 256 bits, with the operations that a fused multiply-add of binary128 needs.
///
/// Sums and differences must not leave the range; shifts must be shorter than 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct U256 {
    high: u128,
    low: u128,
}

impl Bits for U256 {
    const BITS: u32 = 256;
    const ZERO: U256 = U256 { high: 0, low: 0 };

    #[inline(always)]
    fn from_bits(bits: u128) -> U256 {
        U256 { high: 0, low: bits }
    }

    #[inline(always)]
    fn bits(self) -> u128 {
        self.low
    }

    #[inline(always)]
    fn is_odd(self) -> bool {
        self.low & 1 != 0
    }

    #[inline(always)]
    fn add_or_subtract(self, other: U256, subtract: bool) -> U256 {
        if subtract { self - other } else { self + other }
    }

    #[inline(always)]
    fn wrapping_sub(self, other: U256) -> U256 {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        U256 { high: self.high.wrapping_sub(other.high).wrapping_sub(borrow.into()), low }
    }

    #[inline(always)]
    fn leading_zeros(self) -> u32 {
        if self.high != 0 { self.high.leading_zeros() } else { 128 + self.low.leading_zeros() }
    }
}

impl From<bool> for U256 {
    #[inline(always)]
    fn from(bit: bool) -> U256 {
        U256 { high: 0, low: bit.into() }
    }
}

impl Add for U256 {
    type Output = U256;
    #[inline(always)]
    fn add(self, other: U256) -> U256 {
        let (low, carry) = self.low.overflowing_add(other.low);
        U256 { high: self.high + other.high + u128::from(carry), low }
    }
}

impl Sub for U256 {
    type Output = U256;
    #[inline(always)]
    fn sub(self, other: U256) -> U256 {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        U256 { high: self.high - other.high - u128::from(borrow), low }
    }
}

impl BitOr for U256 {
    type Output = U256;
    #[inline(always)]
    fn bitor(self, other: U256) -> U256 {
        U256 { high: self.high | other.high, low: self.low | other.low }
    }
}

impl Shl<u32> for U256 {
    type Output = U256;
    #[inline(always)]
    fn shl(self, distance: u32) -> U256 {
        match distance {
            0 => self,
            1..128 => U256 { high: self.high << distance | self.low >> (128 - distance), low: self.low << distance },
            _ => U256 { high: self.low << (distance - 128), low: 0 },
        }
    }
}

impl Shr<u32> for U256 {
    type Output = U256;
    #[inline(always)]
    fn shr(self, distance: u32) -> U256 {
        match distance {
            0 => self,
            1..128 => U256 { high: self.high >> distance, low: self.low >> distance | self.high << (128 - distance) },
            _ => U256 { high: 0, low: self.high >> (distance - 128) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_products() {
        assert_eq!(u128::MAX.product(u128::MAX), (u128::MAX - 1, 1));
        assert_eq!((1u128 << 127).product(2), (1, 0));
        assert_eq!((u128::from(u64::MAX) << 64).product(3 << 63), ((3 << 63) - 2, 1 << 127));
    }

    #[test]
    fn wide_shifts_undo_each_other() {
        let one = U256 { high: 0, low: 1 };
        for distance in 0..256 {
            let power = one << distance;
            assert_eq!(power >> distance, one);
            assert_eq!(power.leading_zeros(), 255 - distance);
            assert_eq!(power.shift_right_jam(255), U256::from(true));
            assert_eq!(power - one + one, power);
        }
    }

    #[test]
    fn a_lost_bit_sticks() {
        assert_eq!(0b1000u64.shift_right_jam(3), 1);
        assert_eq!(0b1001u64.shift_right_jam(2), 0b11);
        assert_eq!(0b1001u64.shift_right_jam(1), 0b101);
        assert_eq!(1u64.shift_right_jam(64), 1);
        assert_eq!(0u64.shift_right_jam(u64::MAX), 0);
    }
}
