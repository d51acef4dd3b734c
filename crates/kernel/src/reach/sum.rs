//! An enclosure of a sum over every tree of the path model.
//!
//! Leaves that are exactly zero have been left out: adding one changes nothing (R7). Then, over a format with largest
//! value `max`, precision `p` and least positive value `s`:
//!
//! - at most two leaves, or one order: rounding is monotone (R1), so the ends of the interval of each partial sum come
//!   from the ends of its operands;
//! - leaves that are single multiples of a power of two `g`, whose magnitudes sum up to at most `min(2^p g, max)`: the
//!   exact sum (R5);
//! - no leaf above zero: at most the least leaf, since adding what is not positive does not raise a value (R1);
//! - one leaf above zero, at most `c`: at most `c`, and at most 0 if another leaf is at most `-c` (R6);
//! - otherwise `|computed - exact| <= ((1 + d)^m - 1) S + n s (1 + d)^m` with `d = 2^(1-p)`, `m` leaves, `n` of them
//!   products, `S` the sum of the magnitudes, as long as `S` and the error stay within `max`. For `md < 1`,
//!   `(1 + d)^m <= 1 / (1 - md)`.
//!
//! Lower ends are upper ends of the negated leaves.

use roundproof_exact::{Rational, power_of_two};
use roundproof_network::{Contraction, Order, PathModel, Rounding};

use super::interval::{Ends, Extended, MaybeNan, Rounder};
use super::overflows_to_nan;

/// A leaf of a sum: the interval of the exact product, and that of the rounded one. The bias is both.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub exact: Ends,
    pub rounded: Ends,
}

impl Leaf {
    pub fn exact(value: Rational) -> Leaf {
        let end = Extended::Finite(value);
        let ends = (end.clone(), end);
        Leaf { exact: ends.clone(), rounded: ends }
    }

    pub fn is_zero(&self) -> bool {
        self.exact.0 == Extended::zero() && self.exact.1 == Extended::zero()
    }

    /// No operand that this leaf becomes is above this.
    fn high(&self) -> &Extended {
        (&self.exact.1).max(&self.rounded.1)
    }

    fn low(&self) -> &Extended {
        (&self.exact.0).min(&self.rounded.0)
    }

    /// The value of a leaf that is a single value of the format.
    fn point(&self) -> Option<&Rational> {
        (self.exact.0 == self.exact.1 && self.exact == self.rounded).then(|| self.exact.0.finite()).flatten()
    }

    fn negate(&self) -> Leaf {
        let negate = |(low, high): &Ends| (high.negate(), low.negate());
        Leaf { exact: negate(&self.exact), rounded: negate(&self.rounded) }
    }
}

/// An interval of data of the accumulator that holds the sum of `leaves` on every path.
///
/// With `below_zero_suffices`, an interval that lies at or below zero may be given as `[0, 0]`.
pub(super) fn enclose(
    model: &PathModel,
    rounder: &Rounder,
    leaves: &[&Leaf],
    below_zero_suffices: bool,
) -> Result<Ends, MaybeNan> {
    if leaves.is_empty() {
        return Ok((Extended::zero(), Extended::zero()));
    }
    if leaves.len() <= 2 || model.order == Order::LeftToRight {
        return in_order(model, rounder, leaves);
    }
    if let Some(sum) = on_grid(rounder, leaves) {
        return Ok((sum.clone(), sum));
    }
    exclude_nan(rounder, leaves)?;
    let high = upper_end(rounder, leaves);
    if below_zero_suffices && high <= Extended::zero() {
        return Ok((Extended::zero(), Extended::zero()));
    }
    let negated: Vec<Leaf> = leaves.iter().map(|leaf| leaf.negate()).collect();
    let low = upper_end(rounder, &negated.iter().collect::<Vec<_>>()).negate();
    Ok((low, high))
}

/// One order, which is every order of two leaves.
fn in_order(model: &PathModel, rounder: &Rounder, leaves: &[&Leaf]) -> Result<Ends, MaybeNan> {
    // Where either neighbour may be chosen, a rounded product's interval contains the exact one.
    let contract = model.contraction == Contraction::Any && model.rounding != Rounding::Any;
    let mut sum = leaves[0].rounded.clone();
    for (index, leaf) in leaves.iter().enumerate().skip(1) {
        let mut next = add(rounder, &sum, &leaf.rounded)?;
        if contract {
            next = hull(next, add(rounder, &sum, &leaf.exact)?);
            if index == 1 {
                next = hull(next, add(rounder, &leaves[0].exact, &leaf.rounded)?);
            }
        }
        sum = next;
    }
    Ok(sum)
}

fn add(rounder: &Rounder, a: &Ends, b: &Ends) -> Result<Ends, MaybeNan> {
    // Opposite infinities may meet even if the ends of the same side do not.
    a.0.add(&b.1).and(a.1.add(&b.0)).ok_or(MaybeNan)?;
    let exact = (a.0.add(&b.0).ok_or(MaybeNan)?, a.1.add(&b.1).ok_or(MaybeNan)?);
    Ok(rounder.ends(rounder.round(&exact)?))
}

fn hull(a: Ends, b: Ends) -> Ends {
    (a.0.min(b.0), a.1.max(b.1))
}

/// R5: the exact sum of single values on a grid.
fn on_grid(rounder: &Rounder, leaves: &[&Leaf]) -> Option<Extended> {
    let mut sum = Rational::new();
    let mut magnitudes = Rational::new();
    let mut grid = i64::MAX;
    for leaf in leaves {
        let value = leaf.point()?;
        grid = grid.min(trailing_exponent(value));
        magnitudes += value.clone().abs();
        sum += value;
    }
    let reach = power_of_two(i64::from(rounder.format.precision()) + grid);
    let within = magnitudes <= reach && rounder.largest().is_none_or(|largest| magnitudes <= largest);
    within.then_some(Extended::Finite(sum))
}

/// The largest `e` such that a dyadic rational other than zero is a multiple of `2^e`.
fn trailing_exponent(q: &Rational) -> i64 {
    let denominator = i64::from(q.denom().significant_bits()) - 1;
    i64::from(q.numer().find_one(0).unwrap_or(0)) - denominator
}

/// That no addition meets opposite infinities, and none overflows to NaN.
fn exclude_nan(rounder: &Rounder, leaves: &[&Leaf]) -> Result<(), MaybeNan> {
    let mut bounded = [false; 2];
    for (index, bounded) in bounded.iter_mut().enumerate() {
        let part = leaves.iter().map(|leaf| if index == 0 { leaf.high().clone() } else { leaf.low().negate() });
        let largest = rounder.largest();
        *bounded = positive_part(rounder, part).is_some_and(|sum| largest.is_none_or(|largest| sum <= largest));
    }
    let infinite = leaves.iter().any(|leaf| leaf.high().is_infinite() || leaf.low().is_infinite());
    let excluded = match bounded {
        [true, true] => true,
        // One direction is out of reach for every partial sum.
        [true, false] | [false, true] => !overflows_to_nan(rounder.overflow),
        // Nothing becomes infinite that was not.
        [false, false] => {
            !infinite && rounder.top().is_some_and(|top| !top.is_infinite()) && !overflows_to_nan(rounder.overflow)
        }
    };
    if excluded { Ok(()) } else { Err(MaybeNan) }
}

/// A bound on every partial sum: the sum of the positive highs, with every addition's error. None if it is infinite or
/// the bound does not hold.
fn positive_part(rounder: &Rounder, highs: impl ExactSizeIterator<Item = Extended>) -> Option<Rational> {
    let growth = growth(rounder, highs.len())?;
    let mut sum = Rational::new();
    for high in highs {
        if high > Extended::zero() {
            sum += high.finite()?;
        }
    }
    Some(sum * growth)
}

/// `1 / (1 - m d)`, at least `(1 + d)^m`; none where it is of no use.
fn growth(rounder: &Rounder, leaves: usize) -> Option<Rational> {
    let drift = Rational::from(leaves as u64) * power_of_two(1 - i64::from(rounder.format.precision()));
    (drift < Rational::from((1, 2))).then(|| (Rational::from(1) - drift).recip())
}

/// The least of the upper ends that hold.
fn upper_end(rounder: &Rounder, leaves: &[&Leaf]) -> Extended {
    let zero = Extended::zero();
    let mut positive = leaves.iter().filter(|leaf| *leaf.high() > zero);
    match (positive.next(), positive.next()) {
        (None, _) => leaves.iter().map(|leaf| leaf.rounded.1.clone()).min().unwrap_or(zero),
        (Some(only), None) => {
            let cap = &only.rounded.1;
            let opposite = cap.negate();
            let dominated = !cap.is_infinite() && leaves.iter().any(|leaf| *leaf.high() <= opposite);
            if dominated { zero } else { cap.clone().min(by_error_bound(rounder, leaves)) }
        }
        _ => by_error_bound(rounder, leaves),
    }
}

/// The exact upper end with the error bound, or what is left where that does not hold.
fn by_error_bound(rounder: &Rounder, leaves: &[&Leaf]) -> Extended {
    let bound = error_bound(rounder, leaves).map(|bound| rounder.value_at_most(&bound));
    let part = positive_part(rounder, leaves.iter().map(|leaf| leaf.high().clone()));
    let part = part.filter(|sum| rounder.largest().is_none_or(|largest| *sum <= largest));
    let part = part.map(|sum| rounder.value_at_most(&sum));
    let top = rounder.top().unwrap_or(Extended::Plus);
    [bound, part].into_iter().flatten().fold(top, Extended::min)
}

fn error_bound(rounder: &Rounder, leaves: &[&Leaf]) -> Option<Rational> {
    let growth = growth(rounder, leaves.len())?;
    let mut high = Rational::new();
    let mut magnitudes = Rational::new();
    for leaf in leaves {
        let (low, top) = (leaf.exact.0.finite()?, leaf.exact.1.finite()?);
        high += top;
        magnitudes += low.clone().abs().max(top.clone().abs());
    }
    let format = rounder.format;
    let least = format.emin().map(|emin| power_of_two(i64::from(emin) - i64::from(format.precision()) + 1));
    let underflow = least.unwrap_or_default() * leaves.len() as u64 * &growth;
    let error = (growth - 1u32) * &magnitudes + underflow;
    let within = rounder.largest().is_none_or(|largest| Rational::from(&magnitudes + &error) <= largest);
    within.then(|| high + error)
}
