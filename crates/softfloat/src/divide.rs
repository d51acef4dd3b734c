//! Division.

use std::hint::select_unpredictable;

use roundproof_format::{Encoding, Overflow, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::newton;
use crate::real::{Operand, Real};
use crate::round::Rounding;
use crate::word::Word;

/// A word by which words can be divided.
pub(crate) trait Divide: Word {
    /// Quotient and remainder in one word. The divisor is not zero.
    fn divide(self, divisor: Self) -> (Self, Self);

    /// Quotient and remainder of `high * 2^BITS + low` by `divisor`, whose leading bit is at the top. `high` must be
    /// below it.
    fn divide_double(high: Self, low: Self, divisor: Self) -> (Self, Self);
}

impl Divide for u64 {
    #[inline(always)]
    fn divide(self, divisor: u64) -> (u64, u64) {
        (self / divisor, self % divisor)
    }

    #[inline]
    fn divide_double(high: u64, low: u64, divisor: u64) -> (u64, u64) {
        let (dividend, divisor) = (u64::double(high, low), u128::from(divisor));
        ((dividend / divisor) as u64, (dividend % divisor) as u64)
    }
}

impl Divide for u128 {
    #[inline(always)]
    fn divide(self, divisor: u128) -> (u128, u128) {
        if !matches!(divisor.leading_zeros(), 1..16) {
            return (self / divisor, self % divisor);
        }
        // The quotient is below 2^16: that of the upper halves, the divisor's rounded up, is it or one less.
        let quotient = u128::from(u64::halves(self).0 / (u64::halves(divisor).0 + 1));
        let rest = self - quotient * divisor;
        if rest >= divisor { (quotient + 1, rest - divisor) } else { (quotient, rest) }
    }

    /// Long division with two digits of 64 bits.
    fn divide_double(high: u128, low: u128, divisor: u128) -> (u128, u128) {
        let (next, last) = u64::halves(low);
        let (first, rest) = digit(high, next, divisor);
        let (second, rest) = digit(rest, last, divisor);
        (u64::double(first, second), rest)
    }
}

/// One digit of a long division: quotient and remainder of `rest * 2^64 + next` by a divisor of two digits with its
/// leading bit at the top, for `rest < divisor` (Knuth, The Art of Computer Programming, volume 2, algorithm 4.3.1 D).
fn digit(rest: u128, next: u64, divisor: u128) -> (u64, u128) {
    const TOP: u128 = 1 << 64;
    let (upper, lower) = (divisor >> 64, divisor % TOP);
    // The quotient by the upper digit alone is too large, by two at most.
    let mut quotient = rest / upper;
    let mut left = rest - quotient * upper;
    while left < TOP && quotient * lower > (left << 64 | u128::from(next)) {
        quotient -= 1;
        left += upper;
    }
    // The difference fits; its minuend need not.
    let rest = (left << 64 | u128::from(next)).wrapping_sub(quotient * lower);
    (quotient as u64, rest)
}

/// `a / b`, with a sticky bit: to `p + 1` bits at least, or, if it is `long`, to all of a word.
#[inline(always)]
fn quotient<W: Divide>(precision: u32, long: bool, a: Real<W>, b: Real<W>) -> Real<W> {
    // The quotient of the significands is in (1/2, 2): that of twice the dividend, or of all of it, is in [1, 2).
    let less = a.significand < b.significand;
    // The lowest bit of a significand is zero: `p` is below the bits of a word.
    let dividend = a.significand >> u32::from(!less);
    let (significand, rest) = if long {
        W::divide_double(dividend, W::ZERO, b.significand)
    } else if 2 * precision < W::BITS {
        let dividend = dividend >> (W::BITS - 2 * precision - 1);
        let (quotient, rest) = dividend.divide(b.significand >> (W::BITS - precision));
        (quotient << (W::BITS - 1 - precision), rest)
    } else {
        let (quotient, rest) = short_quotient(precision, dividend, b.significand);
        (quotient << (W::BITS - 1 - precision), rest)
    };
    Real {
        negative: a.negative != b.negative,
        significand: significand | W::from(rest != W::ZERO),
        exponent: a.exponent - b.exponent - i64::from(less),
    }
}

/// The quotient, of `p + 1` bits, of a dividend of `p + 1` bits by a divisor of `p`, both at the top of a word that has 11
/// bits more, the dividend in `[1/2, 1)` of the divisor; and what is left.
///
/// Two digits of long division, the first of half a word, each the product of a dividend's upper half and the divisor's
/// reciprocal: not too large, and too small by less than 16 and by less than two.
#[inline(always)]
fn short_quotient<W: Word>(precision: u32, dividend: W, divisor: W) -> (W, W) {
    let half = W::BITS / 2;
    let reciprocal = newton::reciprocal(divisor);
    let first = (dividend >> half).half_product(reciprocal) >> (half - 1);
    // As integers of `p + 1` bits.
    let unit = W::BITS - precision - 1;
    let (dividend, divisor) = (dividend >> unit, divisor >> unit);
    let rest = (dividend << half).wrapping_sub(first.wrapping_mul(divisor));
    // The rest is below 16 divisors: its upper half, with the binary point left of the divisor's leading bit, has 4 bits
    // left of the point.
    let left = precision + 1 - half;
    let second = (rest >> (precision + 5 - half)).half_product(reciprocal) >> (W::BITS - 5 - left);
    let rest = (rest << left).wrapping_sub(second.wrapping_mul(divisor));
    let more = rest >= divisor;
    let rest = select_unpredictable(more, rest.wrapping_sub(divisor), rest);
    ((first << left) + second + W::from(more), rest)
}

impl Arithmetic {
    /// `a / b` (IEEE 754-2019, clause 5.4.1).
    ///
    /// Zero by zero and infinity by infinity are invalid. Another finite value by zero raises divide-by-zero (clause
    /// 7.3) and gives, of the sign of the quotient, infinity under [`Overflow::Ieee`], the largest finite value under
    /// [`Overflow::Saturate`], and NaN under [`Overflow::Nan`]; in `F(p)`, which has none of these, +0.
    #[inline]
    pub fn divide<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        self.quotient_of(rounding, a, b)
    }

    #[inline(always)]
    pub(crate) fn quotient_of<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        if self.layout().roomy && !R::WIDE {
            self.divide_in::<u64, R>(rounding, a, b)
        } else {
            self.divide_in::<u128, R>(rounding, a, b)
        }
    }

    #[inline(always)]
    fn divide_in<W: Divide, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        let layout = self.layout();
        match (layout.unpack_finite::<W>(a), layout.unpack_finite::<W>(b)) {
            (Some(a), Some(b)) => self.round_pack(rounding, quotient(layout.precision, R::WIDE, a, b)),
            _ => rounding.settled(self.divide_special(a, b)),
        }
    }

    /// The quotient of operands of which one is zero, infinite or NaN.
    #[cold]
    fn divide_special(&self, a: Encoding, b: Encoding) -> Outcome {
        let (a, b) = (self.layout().unpack::<u128>(a), self.layout().unpack::<u128>(b));
        let negative = a.is_negative() != b.is_negative();
        match (a, b) {
            (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => self.not_a_number(a || b),
            (Operand::Nan { signaling }, _) | (_, Operand::Nan { signaling }) => self.not_a_number(signaling),
            (Operand::Zero { .. }, Operand::Zero { .. }) | (Operand::Infinite { .. }, Operand::Infinite { .. }) => {
                self.not_a_number(true)
            }
            (Operand::Infinite { .. }, _) => self.infinite(negative),
            (Operand::Zero { .. }, _) | (_, Operand::Infinite { .. }) => Outcome::exact(self.layout().zero(negative)),
            (Operand::Finite(_), _) => self.divided_by_zero(negative),
        }
    }

    /// The exact infinite result of finite operands (IEEE 754-2019, clause 7.3), as the policy has it.
    pub(crate) fn divided_by_zero(&self, negative: bool) -> Outcome {
        let replaced = match self.overflow() {
            _ if !self.format().is_bounded() => self.not_a_number(false),
            Overflow::Ieee => self.infinite(negative),
            Overflow::Saturate | Overflow::Nan => self.beyond(negative, true),
        };
        Outcome { status: Status::DIVIDE_BY_ZERO, ..replaced }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits at the extremes, where the estimate of a digit is corrected twice or does not fit.
    #[test]
    fn long_division_is_undone_by_multiplication() {
        let words = [0, 1, 2, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX];
        let doubles: Vec<u128> = words.iter().flat_map(|&h| words.map(|l| u64::double(h, l))).collect();
        for &divisor in doubles.iter().filter(|divisor| divisor.leading_zeros() == 0) {
            for &high in doubles.iter().filter(|&&high| high < divisor) {
                for &low in &doubles {
                    let (quotient, rest) = u128::divide_double(high, low, divisor);
                    assert!(rest < divisor);
                    let (upper, lower) = quotient.product(divisor);
                    let (sum, carry) = lower.overflowing_add(rest);
                    assert_eq!((upper + u128::from(carry), sum), (high, low), "by {divisor:#x}");
                }
            }
        }
    }

    #[test]
    fn short_quotients_are_those_of_long_division() {
        let digits = [1 << 63, (1 << 63) + 1, u64::MAX, u64::MAX - 1, 0xb504_f333_f9de_6484, 0xaaaa_aaaa_aaaa_aaaa];
        let words = digits.iter().flat_map(|&high| digits.map(|low| u64::double(high, low))).chain([3 << 126]);
        let words: Vec<u128> = words.flat_map(|word| [word, word.rotate_left(77) | 1 << 127]).collect();
        fn same<W: Divide + std::fmt::Debug>(precision: u32, dividend: W, divisor: W) {
            let unit = W::BITS - precision;
            let (dividend, divisor) = (dividend >> unit << unit, divisor >> unit << unit);
            let dividend = if dividend < divisor { dividend } else { dividend >> 1 };
            let (quotient, rest) = short_quotient(precision, dividend, divisor);
            let (long, more) = W::divide_double(dividend, W::ZERO, divisor);
            let cut = unit - 1;
            assert_eq!(quotient, long >> cut, "{dividend:x?} by {divisor:x?}, to {precision} bits");
            assert_eq!(rest == W::ZERO, more == W::ZERO && long == long >> cut << cut);
        }
        for &dividend in &words {
            for &divisor in &words {
                (64..=113).for_each(|precision| same(precision, dividend, divisor));
                (32..=53).for_each(|precision| same(precision, (dividend >> 64) as u64, (divisor >> 64) as u64));
            }
        }
    }
}
