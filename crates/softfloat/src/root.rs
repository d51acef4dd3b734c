//! Square root.

use roundproof_format::Encoding;

use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::{Operand, Real};
use crate::round::Rounding;
use crate::word::Word;

/// A word that holds the square root of two words.
trait Root: Word {
    /// The integer part of the square root of `high * 2^BITS + low`, and whether there is more. One of the two topmost
    /// bits of `high` must be set.
    fn root(high: Self, low: Self) -> (Self, bool);
}

impl Root for u64 {
    #[inline]
    fn root(high: u64, low: u64) -> (u64, bool) {
        let square = u64::double(high, low);
        let root = square.isqrt();
        (root as u64, root * root != square)
    }
}

impl Root for u128 {
    /// One step of Newton's from the root `x = s * 2^64` of the high word `s^2 + r`. The step adds `d`, the whole part
    /// of `(r * 2^128 + low) / 2x`. By the inequality of the means it does not fall below the root, and it is above by
    /// less than 2, for `d <= 2^64` and `x >= 2^127`.
    fn root(high: u128, low: u128) -> (u128, bool) {
        let first = high.isqrt();
        // At most 2 * first: 65 bits. Dividend and divisor are halved to fit.
        let rest = high - first * first;
        let step = (rest << 63 | low >> 65) / first;
        let mut root = (first << 64) + step.min(u64::MAX.into());
        while root.product(root) > (high, low) {
            root -= 1;
        }
        (root, root.product(root) != (high, low))
    }
}

impl Arithmetic {
    /// The square root of `a` (IEEE 754-2019, clause 5.4.1). That of -0 is -0; below zero it is invalid.
    #[inline]
    pub fn square_root<R: Rounding>(&self, rounding: R, a: Encoding) -> R::Output {
        if self.layout().narrow && !R::WIDE {
            self.square_root_in::<u64, R>(rounding, a)
        } else {
            self.square_root_in::<u128, R>(rounding, a)
        }
    }

    #[inline]
    fn square_root_in<W: Root, R: Rounding>(&self, rounding: R, a: Encoding) -> R::Output {
        rounding.settled(match self.layout().unpack::<W>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Infinite { negative: false } => self.infinite(false),
            Operand::Finite(real) if !real.negative => return self.round_pack(rounding, root(real)),
            Operand::Finite(_) | Operand::Infinite { .. } => self.not_a_number(true),
        })
    }
}

/// The square root of a positive real, with a sticky bit.
fn root<W: Root>(real: Real<W>) -> Real<W> {
    // The significand in [1, 2), doubled for an odd exponent, and scaled by the square of 2^(BITS - 1).
    let odd = real.exponent & 1 != 0;
    let (high, low) =
        if odd { (real.significand, W::ZERO) } else { (real.significand >> 1, real.significand << (W::BITS - 1)) };
    let (root, more) = W::root(high, low);
    Real { negative: false, significand: root | W::from(more), exponent: real.exponent >> 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_squares_and_their_neighbours() {
        for root in [1 << 127, (1 << 127) + 1, u128::MAX, u128::MAX - 1, u128::MAX << 64, 3 << 126, (3 << 126) - 1] {
            let (high, low) = root.product(root);
            assert_eq!(u128::root(high, low), (root, false));
            assert_eq!(u128::root(high, low + 1), (root, true));
            let (less, borrow) = low.overflowing_sub(1);
            if root > 1 << 127 {
                assert_eq!(u128::root(high - u128::from(borrow), less), (root - 1, true));
            }
        }
        assert_eq!(u128::root(u128::MAX, u128::MAX), (u128::MAX, true));
        assert_eq!(u64::root(u64::MAX, u64::MAX), (u64::MAX, true));
    }
}
