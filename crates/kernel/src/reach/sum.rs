//! An enclosure of a sum over every tree of the path model.
//!
//! Summands that are exactly zero have been left out: adding one changes nothing, and contracting a product into an
//! addition to one rounds it as if by itself (R7). An operand that a summand becomes is its rounded product or, contracted,
//! the exact one; `high` is the least datum of the format that is above neither, `cap` the largest rounded product.
//! Over a format with largest value `max`, precision `p` and least positive value `s`, with `d = 2^(1-p)` and `m`
//! summands, no computed value is above
//!
//! 1. `cap` of any summand, if no summand has a `high` above zero: what is not positive does not raise a value (R1);
//! 2. `cap` of the only summand with a `high` above zero, and zero if another summand's `high` is at most `-high` of that one
//!    (R6: a part with the other summand alone is at most `-high`, so its sum with any part with the first is not above
//!    zero);
//! 3. `(1 + d)^m P`, `P` the sum of the positive `high`, if that is at most `max`: data add up with a relative error of
//!    at most `d`, and a contracted product may be put up to its `high` first (R1);
//! 4. the exact sum plus `E = ((1 + d)^m - 1) S + m s (1 + d)^m`, `S` the sum of the magnitudes, if `S + E` is at most
//!    `max`: the error of a rounding is at most `d` times the exact value, and `s` more where a product is rounded, by
//!    itself or contracted, which happens to each once.
//!
//! By 1 to 3 no partial sum is above `max`, and by 4 none is in magnitude, so that they also tell where no infinity and
//! no NaN arises. Where a single order is possible, or at most two summands, the ends of each partial sum come from the
//! ends of its operands (R1); single multiples of a power of two `g`, the positive ones of which sum up to at most
//! `min(2^p g, max)` and the negative ones to no less than its negative, have the exact sum (R5: so then does every subset).
//! Lower ends are upper ends of the mirrored summands.

use roundproof_exact::{Rational, power_of_two};
use roundproof_format::Overflow;

use super::interval::{Ends, Extended, Keys, Lost, Rounder};
use crate::facts::{divisor_exponent, growth};

/// How terms may be added, as far as this rule looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Additions {
    /// Products in index order, the bias last, and no other order.
    pub in_order: bool,
    /// Whether an addition may contract a product.
    pub contracted: bool,
}

/// A summand of a sum: the interval of the exact product, and that of the rounded one. The bias is both.
#[derive(Clone, Debug)]
pub(super) struct Summand {
    pub exact: Ends,
    pub rounded: Keys,
    /// No operand that this summand becomes is below or above these finite data; none where there is no such datum.
    low: Option<i128>,
    high: Option<i128>,
}

impl Summand {
    /// The summand of an exact product, or of a bias, which rounds to itself.
    pub fn new(additions: Additions, rounder: &Rounder, exact: Ends) -> Result<Summand, Lost> {
        let rounded = rounder.round(&exact)?;
        let mut high = rounder.finite_at_least(rounded.high);
        let mut low = rounder.finite_at_least(-rounded.low).map(|key| -key);
        if additions.contracted {
            high = high.zip(rounder.key_at_least(&exact.1)).map(|(a, b)| a.max(b));
            low = low.zip(rounder.key_at_least(&exact.0.negate())).map(|(a, b)| a.min(-b));
        }
        Ok(Summand { exact, rounded, low, high })
    }

    pub fn is_zero(&self) -> bool {
        self.point().is_some_and(|value| *value == 0)
    }

    /// The bits of the numbers in here, roughly.
    pub fn size(&self) -> usize {
        let bits = |value: &Rational| (value.numer().significant_bits() + value.denom().significant_bits()) as usize;
        [&self.exact.0, &self.exact.1].iter().filter_map(|end| end.finite()).map(bits).sum::<usize>() + 1024
    }

    /// The single real that the exact product is.
    fn point(&self) -> Option<&Rational> {
        (self.exact.0 == self.exact.1).then(|| self.exact.0.finite()).flatten()
    }

    /// `high`, in mirrored coordinates `-low`.
    fn high(&self, mirrored: bool) -> Option<i128> {
        if mirrored { self.low.map(|key| -key) } else { self.high }
    }

    fn cap(&self, mirrored: bool) -> i128 {
        if mirrored { -self.rounded.low } else { self.rounded.high }
    }
}

/// An interval of data of the accumulator that holds the sum of `summands` on every path.
///
/// With a `floor`, an interval below or at that key may be given as another one below or at it that reaches down to -1:
/// what follows makes the same of all of these.
pub(super) fn enclose(
    additions: Additions,
    rounder: &Rounder,
    summands: &[&Summand],
    floor: Option<Floor>,
) -> Result<Keys, Lost> {
    if summands.is_empty() {
        return Ok(Keys::point(0));
    }
    if summands.len() <= 2 {
        return in_order(additions, rounder, summands);
    }
    let up = ceiling(rounder, summands, false);
    if let (Some(floor), Some(up)) = (floor, up)
        && up <= floor.key
        && rounder.keeps_order()
    {
        return Ok(Keys { low: up.min(floor.minus_one), high: up });
    }
    if additions.in_order {
        return in_order(additions, rounder, summands);
    }
    if let Some(sum) = on_grid(rounder, summands) {
        return Ok(Keys::point(rounder.key_at_most(&sum)));
    }
    let down = ceiling(rounder, summands, true);
    let near = near_exact(rounder, summands);
    let (no_rise, no_fall) = (up.is_some() || near.is_some(), down.is_some() || near.is_some());
    let no_nan = match rounder.overflow {
        // No operand is infinite (an infinite input was converted), and no result.
        Overflow::Saturate => true,
        // Infinities of one sign at most.
        Overflow::Ieee => no_rise || no_fall,
        Overflow::Nan => no_rise && no_fall,
    };
    if rounder.format.is_bounded() && !no_nan {
        return Err(Lost::Nan);
    }
    let top = rounder.top();
    let least = |ends: [Option<i128>; 3]| ends.into_iter().flatten().min().ok_or(Lost::Exponent);
    Ok(Keys {
        low: -least([top, down, near.map(|near| -near.low)])?,
        high: least([top, up, near.map(|near| near.high)])?,
    })
}

/// What an activation makes one value of: every datum up to a key, of which -1 is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub key: i128,
    /// The key of -1 in the accumulator.
    pub minus_one: i128,
}

/// One order, which is every order of two summands.
fn in_order(additions: Additions, rounder: &Rounder, summands: &[&Summand]) -> Result<Keys, Lost> {
    // Where either neighbour may be chosen, the interval of a rounded product holds the exact one, up to overflow.
    let contract = |summand: &Summand| {
        let contained = rounder.encloses && summand.low.is_some() && summand.high.is_some();
        additions.contracted && !contained
    };
    let mut sum = summands[0].rounded;
    for (index, summand) in summands.iter().enumerate().skip(1) {
        let before = rounder.ends(sum);
        let rounded = rounder.ends(summand.rounded);
        let mut next = add(rounder, &before, &rounded)?;
        if contract(summand) {
            next = next.hull(add(rounder, &before, &summand.exact)?);
        }
        if index == 1 && contract(summands[0]) {
            next = next.hull(add(rounder, &summands[0].exact, &rounded)?);
        }
        sum = next;
    }
    Ok(sum)
}

fn add(rounder: &Rounder, a: &Ends, b: &Ends) -> Result<Keys, Lost> {
    // Opposite infinities may meet even if the ends of the same side do not.
    a.0.add(&b.1).and(a.1.add(&b.0)).ok_or(Lost::Nan)?;
    rounder.round(&(a.0.add(&b.0).ok_or(Lost::Nan)?, a.1.add(&b.1).ok_or(Lost::Nan)?))
}

/// R5: the exact sum of single values on a grid.
fn on_grid(rounder: &Rounder, summands: &[&Summand]) -> Option<Rational> {
    let (mut positive, mut negative) = (Rational::new(), Rational::new());
    let mut grid = i64::MAX;
    for summand in summands {
        let value = summand.point()?;
        // A product that is rounded is not a multiple of the least value, and one that overflows is too large.
        if rounder.ends(summand.rounded) != summand.exact {
            return None;
        }
        grid = grid.min(divisor_exponent(value)?);
        if *value > 0 {
            positive += value;
        } else {
            negative -= value;
        }
    }
    // No subset of the summands sums up to more in magnitude.
    let most = if positive > negative { &positive } else { &negative };
    rounder.grid.is_exact(grid, most).then(|| positive - negative)
}

/// The bounds 1 to 3 of the module's list. There is one only if no partial sum is above the largest finite value.
fn ceiling(rounder: &Rounder, summands: &[&Summand], mirrored: bool) -> Option<i128> {
    let mut positive: Option<&Summand> = None;
    let (mut least_cap, mut least_high) = (i128::MAX, i128::MAX);
    for summand in summands {
        let high = summand.high(mirrored);
        if high.is_none_or(|high| high > 0) {
            if positive.replace(summand).is_some() {
                return positive_part(rounder, summands, mirrored);
            }
        } else {
            least_cap = least_cap.min(summand.cap(mirrored));
            least_high = least_high.min(high.unwrap_or(i128::MAX));
        }
    }
    let Some(only) = positive else { return Some(least_cap) };
    Some(if least_high <= -only.high(mirrored)? { 0 } else { only.cap(mirrored) })
}

/// Bound 3: none if it is above the largest value, or a `high` is.
fn positive_part(rounder: &Rounder, summands: &[&Summand], mirrored: bool) -> Option<i128> {
    let mut sum = Rational::new();
    for summand in summands {
        let high = summand.high(mirrored)?;
        if high > 0 {
            sum += Extended::of_key(rounder.format, high).finite()?;
        }
    }
    Some(rounder.key_at_most(&rounder.error.grown(&sum, summands.len())?))
}

/// Bound 4, on both sides.
fn near_exact(rounder: &Rounder, summands: &[&Summand]) -> Option<Keys> {
    let format = rounder.format;
    let growth = growth(format.precision(), summands.len())?;
    let (mut low, mut high, mut magnitudes) = (Rational::new(), Rational::new(), Rational::new());
    for summand in summands {
        let (least, most) = (summand.exact.0.finite()?, summand.exact.1.finite()?);
        low += least;
        high += most;
        magnitudes += least.clone().abs().max(most.clone().abs());
    }
    let least = format.emin().map(|emin| power_of_two(i64::from(emin) - i64::from(format.precision()) + 1));
    let underflow = least.unwrap_or_default() * summands.len() as u64 * &growth;
    let error = (growth - 1u32) * &magnitudes + underflow;
    rounder.reaches(&Rational::from(&magnitudes + &error)).then(|| Keys {
        low: -rounder.key_at_most(&(Rational::from(&error - &low))),
        high: rounder.key_at_most(&(high + error)),
    })
}
