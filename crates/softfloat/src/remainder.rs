//! The remainder.

use std::cmp::Ordering;

use roundproof_format::{Encoding, RoundingMode};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::divide::Divide;
use crate::real::{Operand, Real};

/// Residues modulo twice an integer of `precision` bits, of which the word has room for two bits more.
///
/// The modulus `m` is kept as `m * 2^shift` with its leading bit at the top, and a product is taken with one factor
/// multiplied by `2^shift`.
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

/// What is left of `a`, a multiple of `b` nearest to it taken away: an integer, the exponent of its unit, and whether
/// the sign is other than that of `a`. `a` is at least half of `b` in magnitude.
fn remainder<W: Divide>(precision: u32, a: Real<W>, b: Real<W>) -> (W, i64, bool) {
    let [dividend, divisor] = [a, b].map(|real| real.significand >> (W::BITS - precision));
    let unit = |real: Real<W>| real.exponent - i64::from(precision) + 1;
    let distance = a.exponent - b.exponent;
    // Residue and divisor in one unit. The residue is taken modulo two divisors, which tells an odd quotient.
    let (residue, divisor, unit) = match u64::try_from(distance) {
        Ok(distance) => {
            let modulus = Modulus { scaled: b.significand, shift: W::BITS - precision - 1 };
            (modulus.product(modulus.power_of_two(distance), dividend), divisor, unit(b))
        }
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
    pub fn remainder(&self, a: Encoding, b: Encoding) -> Outcome {
        if self.layout().narrow { self.remainder_in::<u64>(a, b) } else { self.remainder_in::<u128>(a, b) }
    }

    fn remainder_in<W: Divide>(&self, a: Encoding, b: Encoding) -> Outcome {
        let (x, y) = (self.layout().unpack::<W>(a), self.layout().unpack::<W>(b));
        match (x, y) {
            (Operand::Nan { signaling: a }, Operand::Nan { signaling: b }) => self.not_a_number(a || b),
            (Operand::Nan { signaling }, _) | (_, Operand::Nan { signaling }) => self.not_a_number(signaling),
            (Operand::Infinite { .. }, _) | (_, Operand::Zero { .. }) => self.not_a_number(true),
            (Operand::Zero { negative }, _) => Outcome::exact(self.layout().zero(negative)),
            (Operand::Finite(_), Operand::Infinite { .. }) => Outcome::exact(a),
            // Below half of b.
            (Operand::Finite(x), Operand::Finite(y)) if x.exponent < y.exponent - 1 => Outcome::exact(a),
            (Operand::Finite(x), Operand::Finite(y)) => {
                let (rest, unit, opposite) = remainder(self.layout().precision, x, y);
                if rest == W::ZERO {
                    return Outcome::exact(self.layout().zero(x.negative));
                }
                let shift = rest.leading_zeros();
                let real = Real {
                    negative: x.negative != opposite,
                    significand: rest << shift,
                    exponent: unit + i64::from(W::BITS - 1 - shift),
                };
                self.round_pack(RoundingMode::TowardZero, real)
            }
        }
    }
}
