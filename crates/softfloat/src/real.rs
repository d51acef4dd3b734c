//! Exact sums and products of unpacked operands.

use crate::word::{Bits, Word};

/// A non-zero real, `significand / 2^(BITS - 1) * 2^exponent`, its leading bit at the top of the word.
///
/// The lowest bit may be sticky: it then stands for a part that is neither zero nor as large as that bit's neighbour,
/// far enough below `p` bits that no rounding can tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Real<B> {
    pub negative: bool,
    pub significand: B,
    pub exponent: i64,
}

impl<B> Real<B> {
    /// The same magnitude with the other sign, if `flip`.
    #[inline(always)]
    pub fn negated_if(self, flip: bool) -> Real<B> {
        Real { negative: self.negative ^ flip, ..self }
    }
}

impl<W: Word> Real<W> {
    /// The same in twice the bits.
    #[inline(always)]
    pub fn widened(self) -> Real<W::Double> {
        Real { negative: self.negative, significand: W::double(self.significand, W::ZERO), exponent: self.exponent }
    }
}

impl Real<u128> {
    /// The upper half, with a sticky bit.
    #[inline(always)]
    pub fn jammed(self) -> Real<u64> {
        let (high, low) = u64::halves(self.significand);
        Real { negative: self.negative, significand: high | u64::from(low != 0), exponent: self.exponent }
    }
}

/// What an encoding stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operand<W> {
    Finite(Real<W>),
    Zero { negative: bool },
    Infinite { negative: bool },
    Nan { signaling: bool },
}

impl<W> Operand<W> {
    /// The sign; false for a NaN, which has none.
    #[inline]
    pub fn is_negative(&self) -> bool {
        match *self {
            Operand::Finite(Real { negative, .. }) | Operand::Zero { negative } | Operand::Infinite { negative } => {
                negative
            }
            Operand::Nan { .. } => false,
        }
    }

    /// The operand with the other sign, if `flip`. A NaN has none.
    #[inline]
    pub fn negated_if(self, flip: bool) -> Operand<W> {
        match self {
            Operand::Finite(real) => Operand::Finite(real.negated_if(flip)),
            Operand::Zero { negative } => Operand::Zero { negative: negative ^ flip },
            Operand::Infinite { negative } => Operand::Infinite { negative: negative ^ flip },
            nan @ Operand::Nan { .. } => nan,
        }
    }
}

/// An integer, not zero, as a real.
#[inline(always)]
pub(crate) fn normalized<W: Word>(negative: bool, magnitude: W) -> Real<W> {
    let shift = magnitude.leading_zeros();
    Real { negative, significand: magnitude << shift, exponent: i64::from(W::BITS - 1 - shift) }
}

/// `a + b`; none when it is zero.
///
/// The operands leave the four lowest bits of the word free. So bits are lost to the sticky bit only when the smaller
/// one is the smaller by a factor of eight at least; then the leading bit of a difference is at most one below that of
/// the larger operand, and normalizing takes the sticky bit no higher than to the lowest three: below `p` bits and the
/// one that tells a tie.
#[inline(always)]
pub(crate) fn sum<B: Bits>(a: Real<B>, b: Real<B>) -> Option<Real<B>> {
    let swapped = a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand);
    let (large, small) = if swapped { (b, a) } else { (a, b) };
    let distance = (large.exponent - small.exponent) as u64;
    // One bit further down, to make room for a carry.
    let upper = large.significand >> 1;
    let lower = small.significand.shift_right_jam(distance + 1);
    let total = upper.add_or_subtract(lower, large.negative != small.negative);
    if total == B::ZERO {
        return None;
    }
    let shift = total.leading_zeros();
    Some(Real {
        negative: large.negative,
        significand: total << shift,
        exponent: large.exponent + 1 - i64::from(shift),
    })
}

/// `a * b` in one word: exact if twice the precision fits into it, else with a sticky bit.
#[inline(always)]
pub(crate) fn product<W: Word>(a: Real<W>, b: Real<W>) -> Real<W> {
    let (high, low) = a.significand.product(b.significand);
    let jammed = high | W::from(low != W::ZERO);
    // The product of two numbers in [1, 2).
    let carry = jammed.leading_zeros() == 0;
    Real {
        negative: a.negative != b.negative,
        significand: jammed << u32::from(!carry),
        exponent: a.exponent + b.exponent + i64::from(carry),
    }
}

/// `a * b`, all of it.
#[inline(always)]
pub(crate) fn exact_product<W: Word>(a: Real<W>, b: Real<W>) -> Real<W::Double> {
    let (high, low) = a.significand.product(b.significand);
    let exact = W::double(high, low);
    let shift = exact.leading_zeros();
    Real {
        negative: a.negative != b.negative,
        significand: exact << shift,
        exponent: a.exponent + b.exponent + 1 - i64::from(shift),
    }
}
