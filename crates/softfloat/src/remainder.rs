//! The remainder.

use std::cmp::Ordering;

use roundproof_format::{Encoding, RoundingMode};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::divide::Divide;
use crate::real::{Operand, Real, normalized};

/// Residues modulo an integer `m` whose leading bit is the bit `BITS - 1 - shift`.
///
/// The modulus is kept as `m * 2^shift`, and a product is taken with one factor multiplied by `2^shift`.
#[derive(Clone, Copy)]
struct Modulus<W> {
    scaled: W,
    shift: u32,
}

impl<W: Divide> Modulus<W> {
    /// `residue * factor`, for any factor.
    fn product(self, residue: W, factor: W) -> W {
        let (high, low) = (residue << self.shift).product(factor);
        W::divide_double(high, low, self.scaled).1 >> self.shift
    }

    /// `2^exponent`, by repeated squaring: as many products as the exponent has bits.
    fn power_of_two(self, exponent: u64) -> W {
        let (one, two) = (W::from(true), W::from(true) << 1);
        if exponent < u64::from(W::BITS) {
            return self.product(one, one << exponent as u32);
        }
        let root = self.power_of_two(exponent / 2);
        let square = self.product(root, root);
        if exponent.is_multiple_of(2) { square } else { self.product(square, two) }
    }
}

/// The residue of `dividend * 2^distance` modulo twice the divisor. Both have `precision` bits, two fewer than the word.
#[inline(always)]
fn residue<W: Divide>(precision: u32, dividend: W, divisor: W, distance: u64) -> W {
    if distance <= u64::from(W::BITS - precision) {
        return (dividend << distance as u32).divide(divisor << 1).1;
    }
    far_residue(precision, dividend, divisor, distance)
}

#[inline(never)]
fn far_residue<W: Divide>(precision: u32, dividend: W, divisor: W, distance: u64) -> W {
    let shift = W::BITS - precision - 1;
    let modulus = Modulus { scaled: divisor << (shift + 1), shift };
    if distance <= u64::from(W::BITS) {
        let (high, low) = W::halves(W::double(W::ZERO, dividend << shift) << distance as u32);
        return W::divide_double(high, low, modulus.scaled).1 >> shift;
    }
    modulus.product(modulus.power_of_two(distance), dividend)
}

/// What is left of `a`, a multiple of `b` nearest to it taken away: an integer, the exponent of its unit, and whether
/// the sign is other than that of `a`. `a` is at least half of `b` in magnitude.
#[inline(always)]
fn remainder<W: Divide>(precision: u32, a: Real<W>, b: Real<W>) -> (W, i64, bool) {
    let [dividend, divisor] = [a, b].map(|real| real.significand >> (W::BITS - precision));
    let unit = |real: Real<W>| real.exponent - i64::from(precision) + 1;
    let distance = a.exponent - b.exponent;
    // Residue and divisor in one unit. The residue is taken modulo two divisors, which tells an odd quotient.
    let (residue, divisor, unit) = match u64::try_from(distance) {
        Ok(distance) => (residue(precision, dividend, divisor, distance), divisor, unit(b)),
        Err(_) => (dividend, divisor << 1, unit(a)),
    };
    let odd = residue >= divisor;
    let rest = if odd { residue - divisor } else { residue };
    match (rest << 1).cmp(&divisor) {
        Ordering::Greater => (divisor - rest, unit, true),
        Ordering::Equal if odd => (divisor - rest, unit, true),
        _ => (rest, unit, false),
    }
}

impl Arithmetic {
    /// `a - b * n`, where `n` is the integer nearest to `a / b`, the even one of two (IEEE 754-2019, clause 5.3.1).
    ///
    /// It is exact, but below the exponents of `F(p)`. A zero has the sign of `a`. An infinite `a` and a zero `b` are
    /// invalid; an infinite `b` gives `a`. Time is linear in the number of bits of the difference of the exponents.
    #[inline]
    pub fn remainder(&self, a: Encoding, b: Encoding) -> Outcome {
        self.remainder_of(a, b)
    }

    #[inline(always)]
    pub(crate) fn remainder_of(&self, a: Encoding, b: Encoding) -> Outcome {
        if self.layout().narrow { self.remainder_in::<u64>(a, b) } else { self.remainder_in::<u128>(a, b) }
    }

    #[inline(always)]
    fn remainder_in<W: Divide>(&self, a: Encoding, b: Encoding) -> Outcome {
        let layout = self.layout();
        let (Some(x), Some(y)) = (layout.unpack_finite::<W>(a), layout.unpack_finite::<W>(b)) else {
            return self.remainder_special(a, b);
        };
        // Below half of b.
        if x.exponent < y.exponent - 1 {
            return Outcome::exact(a);
        }
        let (rest, unit, opposite) = remainder(layout.precision, x, y);
        if rest == W::ZERO {
            return Outcome::exact(layout.zero(x.negative));
        }
        let real = normalized(x.negative != opposite, rest);
        self.round_pack(RoundingMode::TowardZero, Real { exponent: real.exponent + unit, ..real })
    }

    /// The remainder of operands of which one is zero, infinite or NaN.
    #[cold]
    fn remainder_special(&self, a: Encoding, b: Encoding) -> Outcome {
        match (self.layout().unpack::<u128>(a), self.layout().unpack::<u128>(b)) {
            (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => self.not_a_number(a || b),
            (Operand::Nan { signaling }, _) | (_, Operand::Nan { signaling }) => self.not_a_number(signaling),
            (Operand::Infinite { .. }, _) | (_, Operand::Zero { .. }) => self.not_a_number(true),
            (Operand::Zero { negative }, _) => Outcome::exact(self.layout().zero(negative)),
            (Operand::Finite(_), _) => Outcome::exact(a),
        }
    }
}
