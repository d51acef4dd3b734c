//! Bounds of a sum in any order, from sums of integers.
//!
//! # The grid bound
//!
//! Let `q` be a power of two such that `q`, `2q`, … `L q` are values of the format, with `L = 2^p`, or less if the
//! largest value comes before; with flushes, let them be normal. Let each summand `i` be at most `c_i q`, for an integer
//! `c_i`, both rounded by itself and as an exact contracted product. Let `P` be the sum of the positive `c_i`, `N` that
//! of the others' magnitudes. **If `P <= L`, every tree gives a value of at most `(P - min(N, L)) q`, and no addition
//! overflows toward plus infinity.**
//!
//! *Proof.* For a set `A` of summands let `P(A)`, `N(A)` be these sums over `A`, and `B(A) = (P(A) - min(N(A), L)) q`: a
//! value of the format, since `-L <= P(A) - min(N(A), L) <= L`. A summand is at most its `B`: if its `c_i` is below `-L`,
//! then even at most `c_i q < -L q`. A subtree over disjoint `A` and `A'`, whose operands are at most `B(A)` and
//! `B(A')`, has an exact sum of at most `B(A) + B(A') <= B(A + A')`, because `min(N, L) + min(N', L) >= min(N + N', L)`.
//! What rounds to a value of at most a value of the format is at most that value (R1): the result is at most
//! `B(A + A')`. Minus infinity is. A flush moves a subnormal result to zero, past no normal value and not past zero. ∎
//!
//! The mirror image bounds from below. With `q` a common divisor of all summands both bounds are the exact sum (R5); with
//! one positive summand 1 and one summand of at most -1 the upper bound is 0 for `q = 2^-p` (R6). In general each bound is off
//! by at most `m q` for `m` summands, with `q` about `P / 2^p`: the order of `((1 + 2u)^m - 1) S`, `u = 2^-p`, with the
//! positive part of the sum in place of `S`.

//!
//! # The growth bound
//!
//! No grid holds more than `2^p` positive terms. Let `n` summands be positive, with sum `S`; iterate `n - 1` times
//! `S <- (1 + 2u) S + s`, with `s` the least subnormal (0 in `F(p)`). **Every tree gives at most that, and if it is at
//! most the largest value, no addition overflows toward plus infinity.**
//!
//! *Proof.* Let `f(n, S) = g^(n-1) S + s (g^(n-1) - 1) / (g - 1)` be the iterate, `g = 1 + 2u`, and `f(0, 0) = 0`. A sum
//! `t > 0` rounds to at most `g t + s`, and `g (f(n, S) + f(n', S')) + s <= f(n + n', S + S')` for `n, n' >= 1`, since
//! `(g^n - g)(g^n' - g) >= 0`. An addition of a subtree without positive summands, which is at most 0, leaves a sum of at
//! most the other operand, a value of the format: R1. ∎

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format, Overflow};
use roundproof_network::Accumulator;
use roundproof_softfloat::{Unpacked, compare, decode, encode, negate};

use super::set::{Reach, Summand};
use crate::machine::Machine;

/// A finite number: sign, significand, exponent of its last place. Zero has significand 0.
#[derive(Clone, Copy)]
struct Number {
    negative: bool,
    significand: u128,
    exponent: i64,
}

impl Number {
    fn of(format: Format, value: Encoding) -> Number {
        match decode(format, value) {
            Unpacked::Finite { negative, significand, exponent } => {
                let zeros = significand.trailing_zeros();
                Number { negative, significand: significand >> zeros, exponent: exponent + i64::from(zeros) }
            }
            _ => Number { negative: false, significand: 0, exponent: 0 },
        }
    }

    fn mirrored(self) -> Number {
        Number { negative: !self.negative, ..self }
    }

    /// The exponent of the first place above the number's magnitude: it is below `2^top`.
    fn top(self) -> i64 {
        self.exponent + i64::from(u128::BITS - self.significand.leading_zeros())
    }

    /// The magnitude in units of `2^k`, rounded up; the largest integer if it does not fit.
    fn units_up(self, k: i64) -> u128 {
        let floor = self.units_down(k);
        let inexact = k > self.exponent && {
            let shift = k - self.exponent;
            shift >= 128 || self.significand & ((1 << shift) - 1) != 0
        };
        if inexact && self.significand != 0 { floor.saturating_add(1) } else { floor }
    }

    /// The magnitude in units of `2^k`, rounded down; the largest integer if it does not fit.
    fn units_down(self, k: i64) -> u128 {
        let shift = self.exponent - k;
        if self.significand == 0 || shift <= -128 {
            0
        } else if shift < 0 {
            self.significand >> -shift
        } else if shift >= i64::from(self.significand.leading_zeros()) {
            u128::MAX
        } else {
            self.significand << shift
        }
    }
}

/// Which powers of two make a grid, and how long.
struct Grid {
    format: Format,
    /// The least exponent; none in `F(p)`.
    least: Option<i64>,
    largest: Option<Number>,
}

impl Grid {
    fn of(machine: &Machine) -> Grid {
        let format = machine.accumulator();
        let least = format.emin().map(|emin| {
            let emin = i64::from(emin);
            if machine.flushes() { emin } else { emin - i64::from(format.trailing_bits()) }
        });
        Grid { format, least, largest: format.largest(false).map(|value| Number::of(format, value)) }
    }

    /// `L` for `q = 2^k`: 0 if `q` is not a value.
    fn length(&self, k: i64) -> u128 {
        if self.least.is_some_and(|least| k < least) {
            return 0;
        }
        let all = 1 << self.format.precision();
        self.largest.map_or(all, |largest| largest.units_down(k).min(all))
    }

    /// The bound for `q = 2^k`; none if there are too many positive units.
    fn bound(&self, numbers: &[Number], k: i64) -> Option<Encoding> {
        let length = self.length(k);
        let (mut positive, mut negative) = (0u128, 0u128);
        for number in numbers {
            if number.negative {
                negative = negative.saturating_add(number.units_down(k));
            } else {
                positive = positive.saturating_add(number.units_up(k));
            }
        }
        if positive > length || length == 0 {
            return None;
        }
        let negative = negative.min(length);
        encode(self.format, negative > positive, positive.abs_diff(negative), k)
    }

    /// The growth bound: none if it lies beyond the largest value.
    fn growth(&self, numbers: &[Number]) -> Option<Encoding> {
        let positive = || numbers.iter().filter(|number| !number.negative && number.significand != 0);
        let Some(top) = positive().map(|number| number.top()).max() else { return Some(self.format.zero()) };
        // Fixed point with the places of u128 above 2^k, rounded up throughout.
        let precision = i64::from(self.format.precision());
        let mut k = top - 120;
        let raise = |bound: &mut u128, k: &mut i64| {
            while *bound >> 121 != 0 {
                *bound = (*bound >> 1) + 1;
                *k += 1;
            }
        };
        let mut bound = 0u128;
        for number in positive() {
            bound += number.units_up(k);
            raise(&mut bound, &mut k);
        }
        let least = self.format.emin().map(|emin| i64::from(emin) - precision + 1);
        for _ in 1..positive().count() {
            let spacing = least.map_or(0, |exponent| Number { negative: false, significand: 1, exponent }.units_up(k));
            bound += (bound >> (precision - 1)) + 1 + spacing.min(1 << 121);
            raise(&mut bound, &mut k);
        }
        // A value of the format: not above the last one below the bound.
        let places = i64::from(u128::BITS - bound.leading_zeros()) - precision;
        let cut = least.map_or(places, |least| places.max(least - k)).max(0);
        let cut_bound = if cut >= 128 { 0 } else { bound >> cut };
        encode(self.format, false, cut_bound, k + cut)
    }

    /// The least upper bound among those of a few grids; none if no grid holds the positive terms.
    fn upper(&self, numbers: &[Number]) -> Option<Encoding> {
        let precision = i64::from(self.format.precision());
        let span = 5 + i64::from(numbers.len().max(1).ilog2());
        let mut best: Option<Encoding> = None;
        let mut consider = |from: i64, to: i64, enough: usize| {
            let mut found = 0;
            for k in from..=to {
                let Some(bound) = self.bound(numbers, k) else { continue };
                if best.is_none_or(|best| compare(self.format, bound, best) == Some(Ordering::Less)) {
                    best = Some(bound);
                }
                found += 1;
                if found == enough {
                    break;
                }
            }
        };
        let top = |negative| {
            let of_sign = numbers.iter().filter(|n| n.significand != 0 && n.negative == negative);
            of_sign.map(|n| n.top()).max()
        };
        let clip = |k: i64| self.least.map_or(k, |least| k.max(least));
        // The finest grids that hold the positive terms, and those on which the negative ones are not cut off.
        if let Some(top) = top(false) {
            consider(clip(top - precision - 1), clip(top - precision - 1) + span, 3);
        }
        if let Some(top) = top(true) {
            consider(clip(top - precision - 1), clip(top - precision - 1) + span, usize::MAX);
        }
        match (best, self.growth(numbers)) {
            (Some(bound), Some(growth)) if compare(self.format, growth, bound) == Some(Ordering::Less) => Some(growth),
            (best, growth) => best.or(growth),
        }
    }
}

/// An enclosure of every tree over the summands, of which there are two or more.
pub(super) fn bound(machine: &Machine, summands: &[Summand]) -> Reach {
    let grid = Grid::of(machine);
    let format = grid.format;
    let (least, most): (Vec<_>, Vec<_>) = summands.iter().map(|summand| summand.bounds(machine)).unzip();
    let numbers = |ends: Vec<Option<Encoding>>| -> Option<Vec<Number>> {
        ends.into_iter().map(|end| end.map(|end| Number::of(format, end))).collect()
    };
    let upper = numbers(most).and_then(|numbers| grid.upper(&numbers));
    let lower = numbers(least).and_then(|numbers| {
        let mirrored: Vec<Number> = numbers.into_iter().map(Number::mirrored).collect();
        grid.upper(&mirrored).map(|bound| negate(format, bound))
    });
    let overflow = match machine.trees().accumulator {
        Accumulator::Same => machine.model().overflow,
        Accumulator::Wider { overflow, .. } => overflow,
    };
    let any = |flag: fn(&Reach) -> bool| summands.iter().any(|summand| flag(&summand.rounded));
    let mut set = Reach {
        finite: None,
        negative_infinity: any(|set| set.negative_infinity) || (lower.is_none() && overflow == Overflow::Ieee),
        positive_infinity: any(|set| set.positive_infinity) || (upper.is_none() && overflow == Overflow::Ieee),
        nan: any(|set| set.nan) || ((lower.is_none() || upper.is_none()) && overflow == Overflow::Nan),
    };
    set.nan |= set.negative_infinity && set.positive_infinity;
    if summands.iter().all(Summand::can_be_finite) {
        set.include(format, lower.unwrap_or_else(|| outermost(format, true)));
        set.include(format, upper.unwrap_or_else(|| outermost(format, false)));
    }
    set
}

/// The largest finite value, or its negative; in `F(p)`, of those that have an encoding.
fn outermost(format: Format, negative: bool) -> Encoding {
    let encoded = Encoding::from_bits((1 << (format.width() - 1)) - 1);
    format.largest(negative).unwrap_or(if negative { negate(format, encoded) } else { encoded })
}
