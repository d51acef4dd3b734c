//! Division.

use roundproof_format::{Encoding, Overflow, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::{Operand, Real};
use crate::round::Rounding;
use crate::word::Word;

/// A word by which two words can be divided.
pub(crate) trait Divide: Word {
    /// Quotient and remainder of `high * 2^BITS + low` by `divisor`, whose leading bit is at the top. `high` must be
    /// below it.
    fn divide_double(high: Self, low: Self, divisor: Self) -> (Self, Self);
}

impl Divide for u64 {
    #[inline]
    fn divide_double(high: u64, low: u64, divisor: u64) -> (u64, u64) {
        let (dividend, divisor) = (u64::double(high, low), u128::from(divisor));
        ((dividend / divisor) as u64, (dividend % divisor) as u64)
    }
}

impl Divide for u128 {
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

/// `a / b`, with a sticky bit.
#[inline]
fn quotient<W: Divide>(a: Real<W>, b: Real<W>) -> Real<W> {
    let whole = a.significand >= b.significand;
    let high = if whole { a.significand - b.significand } else { a.significand };
    let (fraction, rest) = W::divide_double(high, W::ZERO, b.significand);
    let (significand, lost) = if whole {
        // 1 and the fraction: one bit more than a word.
        ((W::from(true) << (W::BITS - 1)) | (fraction >> 1), fraction.is_odd())
    } else {
        // The quotient of two numbers in [1, 2) is above 1/2: the leading bit is at the top.
        (fraction, false)
    };
    Real {
        negative: a.negative != b.negative,
        significand: significand | W::from(lost || rest != W::ZERO),
        exponent: a.exponent - b.exponent - i64::from(!whole),
    }
}

impl Arithmetic {
    /// `a / b` (IEEE 754-2019, clause 5.4.1).
    ///
    /// Zero by zero and infinity by infinity are invalid. Another finite value by zero raises divide-by-zero (clause
    /// 7.3) and gives, of the sign of the quotient, infinity under [`Overflow::Ieee`], the largest finite value under
    /// [`Overflow::Saturate`], and NaN under [`Overflow::Nan`]; in `F(p)`, which has none of these, +0.
    #[inline]
    pub fn divide<R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        if self.layout().narrow && !R::WIDE {
            self.divide_in::<u64, R>(rounding, a, b)
        } else {
            self.divide_in::<u128, R>(rounding, a, b)
        }
    }

    #[inline]
    fn divide_in<W: Divide, R: Rounding>(&self, rounding: R, a: Encoding, b: Encoding) -> R::Output {
        let (a, b) = (self.layout().unpack::<W>(a), self.layout().unpack::<W>(b));
        let negative = a.is_negative() != b.is_negative();
        rounding.settled(match (a, b) {
            (Operand::Finite(a), Operand::Finite(b)) => return self.round_pack(rounding, quotient(a, b)),
            (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => self.not_a_number(a || b),
            (Operand::Nan { signaling }, _) | (_, Operand::Nan { signaling }) => self.not_a_number(signaling),
            (Operand::Zero { .. }, Operand::Zero { .. }) | (Operand::Infinite { .. }, Operand::Infinite { .. }) => {
                self.not_a_number(true)
            }
            (Operand::Infinite { .. }, _) => self.infinite(negative),
            (Operand::Zero { .. }, _) | (_, Operand::Infinite { .. }) => Outcome::exact(self.layout().zero(negative)),
            (Operand::Finite(_), Operand::Zero { .. }) => self.divided_by_zero(negative),
        })
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
}
