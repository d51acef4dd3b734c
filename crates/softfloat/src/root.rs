//! Square root.

use std::hint::select_unpredictable;

use roundproof_format::Encoding;

use crate::arithmetic::{Arithmetic, Outcome};
use crate::newton;
use crate::real::{Operand, Real};
use crate::round::Rounding;
use crate::word::Word;

/// The first `bits` bits of the square root of `x`, a fraction of `2^BITS` that is at least 1/4, and whether there is
/// more. `x` has no more than `2 * bits` bits, and `bits` is as in [`newton::root`].
#[inline(always)]
fn short_root<W: Word>(x: W, bits: u32) -> (W, bool) {
    let root = newton::root(x, bits) >> (W::BITS - bits);
    let square = if 2 * bits < W::BITS { x >> (W::BITS - 2 * bits) } else { x << (2 * bits - W::BITS) };
    // What is left is below four times the root.
    let rest = square.wrapping_sub(root.wrapping_mul(root));
    let twice = root << 1;
    let more = rest > twice;
    let rest = select_unpredictable(more, rest.wrapping_sub(twice | W::from(true)), rest);
    (root + W::from(more), rest != W::ZERO)
}

/// The integer part of the square root of `high * 2^128 + low`, and whether there is more. One of the two topmost bits of
/// `high` must be set.
///
/// One step of Newton's from the root `x = s * 2^64` of the high word `s^2 + r`. The step adds `d`, the whole part of
/// `(r * 2^128 + low) / 2x`. By the inequality of the means it does not fall below the root, and it is above by less than
/// 2, for `d <= 2^64` and `x >= 2^127`.
fn long_root(high: u128, low: u128) -> (u128, bool) {
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

impl Arithmetic {
    /// The square root of `a` (IEEE 754-2019, clause 5.4.1). That of -0 is -0; below zero it is invalid.
    #[inline]
    pub fn square_root<R: Rounding>(&self, rounding: R, a: Encoding) -> R::Output {
        self.root_of(rounding, a)
    }

    #[inline(always)]
    pub(crate) fn root_of<R: Rounding>(&self, rounding: R, a: Encoding) -> R::Output {
        if R::WIDE {
            self.square_root_in(rounding, a, |x| long_root(x, 0), 128)
        } else if self.layout().roomy {
            let bits = self.layout().precision + 1;
            self.square_root_in(rounding, a, |x: u64| short_root(x, bits), bits)
        } else {
            let bits = self.layout().precision + 1;
            self.square_root_in(rounding, a, |x: u128| short_root(x, bits), bits)
        }
    }

    /// The square root by way of a function that gives the first bits of a fraction's.
    #[inline(always)]
    fn square_root_in<W: Word, R: Rounding>(
        &self,
        rounding: R,
        a: Encoding,
        root: impl Fn(W) -> (W, bool),
        bits: u32,
    ) -> R::Output {
        match self.layout().unpack_finite::<W>(a) {
            Some(Real { negative: false, significand, exponent }) => {
                // The significand in [1, 2), doubled for an odd exponent, as a fraction of 4. Its lowest bit is zero.
                let (root, more) = root(significand >> (!exponent & 1) as u32);
                let significand = root << (W::BITS - bits) | W::from(more);
                self.round_pack(rounding, Real { negative: false, significand, exponent: exponent >> 1 })
            }
            _ => rounding.settled(self.square_root_special(a)),
        }
    }

    /// The square root of what is not above zero, or not finite.
    #[cold]
    fn square_root_special(&self, a: Encoding) -> Outcome {
        match self.layout().unpack::<u128>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Infinite { negative: false } => self.infinite(false),
            Operand::Finite(_) | Operand::Infinite { .. } => self.not_a_number(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_squares_and_their_neighbours() {
        for root in [1 << 127, (1 << 127) + 1, u128::MAX, u128::MAX - 1, u128::MAX << 64, 3 << 126, (3 << 126) - 1] {
            let (high, low) = root.product(root);
            assert_eq!(long_root(high, low), (root, false));
            assert_eq!(long_root(high, low + 1), (root, true));
            let (less, borrow) = low.overflowing_sub(1);
            if root > 1 << 127 {
                assert_eq!(long_root(high - u128::from(borrow), less), (root - 1, true));
            }
        }
        assert_eq!(long_root(u128::MAX, u128::MAX), (u128::MAX, true));
    }

    #[test]
    fn short_roots_are_those_of_the_integers() {
        for word in (64..256u64).flat_map(|first| [0, 1, 1 << 55, (1 << 56) - 1].map(|rest| first << 56 | rest)) {
            for bits in 2..=54 {
                let cut = 64 - 2 * bits.min(32);
                let x = word >> cut << cut;
                let square = if bits < 32 { u128::from(x >> cut) } else { u128::from(x) << (2 * bits - 64) };
                let root = square.isqrt();
                assert_eq!(short_root(x, bits), (root as u64, root * root != square), "of {x:#x} to {bits} bits");
            }
            for x in [u64::double(word, 0), u64::double(word, !word)] {
                for bits in [64, 90, 114] {
                    let (root, more) = long_root(x, 0);
                    let cut = 128 - bits;
                    let wanted = (root >> cut, more || root != root >> cut << cut);
                    assert_eq!(short_root(x, bits), wanted, "of {x:#x} to {bits} bits");
                }
            }
        }
    }

    /// Squares, and what is just below and above.
    #[test]
    fn short_roots_of_squares() {
        for bits in 4..=54 {
            for root in [1 << (bits - 1), (1 << (bits - 1)) + 1, (3 << (bits - 2)) - 1, (1 << bits) - 1] {
                let square = (u128::from(root) * u128::from(root)) << (128 - 2 * bits);
                if square as u64 == 0 {
                    assert_eq!(short_root((square >> 64) as u64, bits), (root, false), "{root:#x}, {bits} bits");
                }
                assert_eq!(short_root(square, bits.max(55)), (u128::from(root) << (bits.max(55) - bits), false));
            }
        }
    }
}
