//! What holds of every rounding path of a model: the facts that the rules of this crate lean on.
//!
//! [`Facts::of`] is the one place that says which path models have which facts. It takes the model apart whole, so that a
//! new field or choice does not compile before it was said here what still holds, and why. The facts are those of
//! `TRUST.md`, proved there in words, in `proofs/rocq/` and by the lemmas in `proofs/lemmas/`. They are about sums of values
//! of one format, formed as the model has it and given in that format.
//!
//! The rule [`reach`](crate::reach) follows single additions, and [`replay`](crate::replay) all of a path: these take the model
//! apart themselves.

use roundproof_exact::{Integer, Parts, Rational, encode_parts, parts, power_of_two, real};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials, Subnormals};
use roundproof_network::{Accumulator, Contraction, Order, PathModel, Rounding, Summation, Trees};

/// What holds of sums over a format under a path model. A fact that does not hold comes with what denies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// R1, R3, R4: of one term and a threshold.
    pub threshold: Result<Threshold, Denied>,
    /// R6: of a 1 and terms that are not positive.
    pub dominance: Result<Dominance, Denied>,
    /// R5 and R7: of terms on a grid.
    pub grid: Result<Grid, Denied>,
    /// Of any terms.
    pub error: Result<ErrorBound, Denied>,
    /// Where NaN comes from.
    pub nan: NanFrom,
}

/// What denies a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A subnormal may be flushed to zero: R1 and R3 are false (`lemmas/flush`, and `flush_is_no_arithmetic` in Underflow.v).
    Flush,
}

/// R1, R3, R4. A sum `c - 2^k x`, `k >= 0`, `c = 2^k a`, has the sign of the exact one, `0` if that is 0; and where `x < a` it is at
/// least `2^k` times the distance of `a` from the next value below it, if that is within the format. As long as nothing
/// overflows to NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    format: Format,
}

/// R6. A sum of one term 1 and terms that are 0 or less: 1 if all of them are 0, and at most 0 if `2^j` of them are at most `-2^-j`
/// for a `j` that is admitted. As long as nothing overflows to NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dominance {
    format: Format,
}

/// R5. A sum of multiples of a power of two `g`, all subsets of which sum up to at most `min(2^p g, largest)` in magnitude, is
/// exact. With it R7: `y * 1` and `y + 0` are exact, and `y * 0` is a zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    precision: u32,
    largest: Option<Rational>,
}

/// A sum of values `A` in magnitude, in all, that takes part in `m` roundings is at most `(1 + 2^(1-p))^m A` in magnitude, and no
/// farther from the exact sum than that is from `A`, as long as it is within the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBound {
    precision: u32,
    largest: Option<Rational>,
}

/// Where NaN may come from, of operands that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NanFrom {
    /// Nothing overflows.
    Nowhere,
    /// Infinities of opposite signs that are added.
    OppositeInfinities,
    /// Everything that overflows, in the format or its accumulator. `kept`: the format has NaN; else that of the accumulator
    /// becomes +0 in it.
    Overflow {
        /// Whether the format has NaN.
        kept: bool,
    },
}

impl Facts {
    /// The facts under `model` over `format`, for which the model must be one ([`PathModel::check`]).
    pub fn of(model: &PathModel, format: Format) -> Facts {
        let PathModel { rounding, overflow, subnormals, summation } = *model;
        let Summation::Trees(Trees { order, contraction, accumulator }) = summation;
        // Each direction gives one of the two neighbours, and so does every choice of directions: `neighbour_round`,
        // `neighbour_mixture` (Rounding.v). Nothing more is asked of a rounding.
        match rounding {
            Rounding::Any => {}
            Rounding::Mode(mode) => match mode {
                RoundingMode::TiesToEven
                | RoundingMode::TiesToAway
                | RoundingMode::TowardPositive
                | RoundingMode::TowardNegative
                | RoundingMode::TowardZero => {}
            },
        }
        // The facts are about every tree over the terms: `evaluates` (Trees.v).
        match order {
            Order::LeftToRight | Order::Any => {}
        }
        // They bound the exact sum of the two operands, contracted or not, and R1 carries that over the one rounding.
        match contraction {
            Contraction::None | Contraction::Any => {}
        }
        // A wider accumulator contains the format: what holds of its sums is carried over the last rounding by R1, as 0, 1,
        // the bounds and the multiples are values of the format (`within A B` in BoxNetwork.v; `wider` in OverflowAccumulator.v).
        let accumulated = match accumulator {
            Accumulator::Same => overflow,
            Accumulator::Wider { format: _, overflow } => overflow,
        };
        let nan = [overflow, accumulated].into_iter().map(|overflow| nan_from(overflow, format)).max();
        // Flushing denies R1, from which each fact is derived.
        let denied = match subnormals {
            Subnormals::Gradual => Ok(()),
            Subnormals::Flush => Err(Denied::Flush),
        };
        Facts {
            threshold: denied.map(|()| Threshold { format }),
            dominance: denied.map(|()| Dominance { format }),
            grid: denied.map(|()| Grid::of(format)),
            error: denied.map(|()| ErrorBound::of(format)),
            nan: nan.unwrap_or(NanFrom::Nowhere),
        }
    }
}

/// Where NaN comes from in one rounding into `format` under this policy, or in one into an accumulator of it.
fn nan_from(overflow: Overflow, format: Format) -> NanFrom {
    let kept = match format.specials() {
        None => return NanFrom::Nowhere,
        Some(Specials::Ieee | Specials::NanAllOnes | Specials::NanNegativeZero) => true,
        Some(Specials::Finite) => false,
    };
    match overflow {
        Overflow::Saturate => NanFrom::Nowhere,
        Overflow::Ieee => NanFrom::OppositeInfinities,
        Overflow::Nan => NanFrom::Overflow { kept },
    }
}

impl Threshold {
    /// The exponent of a power of two that `2^scale a - 2^scale x` is at least, where `x` is at most `below`, the value next below
    /// the threshold `a`; none if `2^scale below` is beyond the format.
    pub fn strength(&self, scale: i64, a: Encoding, below: Encoding) -> Option<i64> {
        let [a, below] = [parts(self.format, a)?, parts(self.format, below)?];
        // A multiple that the format does not have is beyond its largest value (R4).
        encode_parts(self.format, below.scaled(scale))?;
        Some(gap_exponent(a, below)? + scale)
    }
}

impl Dominance {
    /// Whether a 1 is outweighed by terms of at most `-2^s`, for each of these `s`.
    pub fn outweighs(&self, strengths: &[i64]) -> bool {
        let precision = i64::from(self.format.precision());
        // Beyond 2^62 there are no copies.
        (0..=precision.min(62)).any(|j| {
            let enough = strengths.iter().filter(|&&strength| strength >= -j).count() as u64 >= 1 << j;
            enough && self.format.emin().is_none_or(|emin| -j > i64::from(emin) - precision)
        })
    }
}

impl Grid {
    /// Of sums in this format, or in a wider accumulator of it.
    pub fn of(format: Format) -> Grid {
        Grid { precision: format.precision(), largest: largest(format) }
    }

    /// Whether sums of multiples of `2^exponent` are exact of which no subset exceeds `reach` in magnitude.
    pub fn is_exact(&self, exponent: i64, reach: &Rational) -> bool {
        let within = self.largest.as_ref().is_none_or(|largest| reach <= largest);
        within && *reach <= power_of_two(exponent + i64::from(self.precision))
    }
}

impl ErrorBound {
    /// Of sums in this format, or in a wider accumulator of it.
    pub fn of(format: Format) -> ErrorBound {
        ErrorBound { precision: format.precision(), largest: largest(format) }
    }

    /// What sums of this magnitude are at most, after so many roundings; none if that may be beyond the format.
    pub fn grown(&self, magnitude: &Rational, roundings: usize) -> Option<Rational> {
        let grown = growth(self.precision, roundings)? * magnitude;
        self.largest.as_ref().is_none_or(|largest| grown <= *largest).then_some(grown)
    }
}

/// The largest value of a format; none in `F(p)`.
pub(crate) fn largest(format: Format) -> Option<Rational> {
    real(format, format.largest(false)?)
}

/// The exponent of the largest power of two that divides a number of the form `m 2^e`; none for 0.
pub(crate) fn divisor_exponent(value: &Rational) -> Option<i64> {
    let zeros = value.numer().find_one(0)?;
    Some(i64::from(zeros) - i64::from(value.denom().significant_bits() - 1))
}

/// `e` with `2^e <= a - b < 2^(e+1)`; none unless `a > b`.
fn gap_exponent(a: Parts, b: Parts) -> Option<i64> {
    let exponent = a.exponent.min(b.exponent);
    // Neighbours have exponents that differ by 1 at most.
    let integer = |value: Parts| {
        let shift = u32::try_from(value.exponent - exponent).ok().filter(|&shift| shift <= 1)?;
        let magnitude = i128::try_from(value.significand).ok()?.checked_mul(1 << shift)?;
        Some(if value.negative { -magnitude } else { magnitude })
    };
    if let (Some(a), Some(b)) = (integer(a), integer(b))
        && let Some(gap) = a.checked_sub(b)
    {
        return Some(exponent + i64::from(gap.checked_ilog2()?));
    }
    let rational = |value: Parts| {
        let magnitude = Rational::from(value.significand) * power_of_two(value.exponent);
        if value.negative { -magnitude } else { magnitude }
    };
    let gap = rational(a) - rational(b);
    let guess = i64::from(gap.numer().significant_bits()) - i64::from(gap.denom().significant_bits());
    (gap > 0).then(|| if gap < power_of_two(guess) { guess - 1 } else { guess })
}

/// Bits behind the point of what is computed here: `2^(1-p)` has at most as many.
const FRACTION_BITS: u32 = 128;
/// The most bits of a bound that is of any use.
const MOST_BITS: u32 = 1 << 16;

/// At least `(1 + 2^(1-p))^steps`, above it by little; none if that is beyond any use.
///
/// A value that takes part in `steps` roundings to precision `p`, each to one of the two neighbours, grows by at most
/// this factor. The power is formed by squaring, in fixed point, each product rounded up.
pub(crate) fn growth(precision: u32, steps: usize) -> Option<Rational> {
    let one = Integer::from(1) << FRACTION_BITS;
    let base = one.clone() + (Integer::from(1) << (FRACTION_BITS + 1 - precision));
    let times = |a: &Integer, b: &Integer| {
        let product = Integer::from(a * b);
        let up = product + &one - 1u32;
        up >> FRACTION_BITS
    };
    let mut power = one.clone();
    for bit in (0..usize::BITS - steps.leading_zeros()).rev() {
        power = times(&power, &power);
        if steps >> bit & 1 == 1 {
            power = times(&power, &base);
        }
        if power.significant_bits() > MOST_BITS {
            return None;
        }
    }
    Some(Rational::from((power, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_upper_bound_and_a_close_one() {
        for precision in [1, 2, 3, 8, 24, 113] {
            let base = Rational::from(1) + power_of_two(1 - i64::from(precision));
            let mut exact = Rational::from(1);
            for steps in 0..70 {
                let bound = growth(precision, steps).expect("small");
                assert!(bound >= exact);
                assert!(bound - &exact <= power_of_two(-40) * &exact);
                exact *= &base;
            }
        }
        assert_eq!(growth(1, 1 << 20), None);
    }
}
