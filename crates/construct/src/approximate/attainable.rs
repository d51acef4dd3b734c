//! Which errors are attainable: what a refusal says.

use roundproof_approximation::Accuracy;
use roundproof_exact::Rational;

use super::estimate::Curve;
use super::search::{Search, half_of_the_largest_gap};
use super::{Grower, MOST_LEAVES, value};
use crate::{Attainable, ConstructError};

/// By an estimate of so many leaves, an error is refused with no tree grown. Estimates are right within a tenth in one variable, and
/// within a half in two.
pub const TOO_MANY: [f64; 2] = [1.2 * MOST_LEAVES as f64, 2.0 * MOST_LEAVES as f64];
/// An error is proposed if by estimate it takes so many leaves, in one variable and in two, and then only if the tree is grown: in
/// two, that of as many leaves as there may be takes too long for a refusal.
const PROPOSED: [f64; 2] = [0.85 * MOST_LEAVES as f64, 0.125 * MOST_LEAVES as f64];
/// How often errors are doubled, and how many trees grown, to find one.
const DOUBLINGS: usize = 128;
const TREES: usize = 3;
/// Magnitudes beyond two to this, or its negative, are not shortened.
const MOST_BITS: i64 = 1 << 13;
/// The most points of a domain at which the least error is looked for.
const MOST_POINTS: u128 = 1 << 16;

impl Search<'_> {
    /// An error of two decimal digits, at least as large as `least`, within which a tree was grown: of all, the least that by estimate
    /// takes few enough leaves.
    fn suffices(&self, curve: &Curve, least: &Rational) -> Option<Rational> {
        let most = self.of_variables(PROPOSED);
        let mut error = two_digits_above(least);
        for _ in 0..TREES {
            // Doubled until it is large enough, and then the least of those of two digits since it was not.
            let (mut smaller, mut doublings) = (error.clone(), 0);
            while curve.leaves(&error) > most {
                if doublings == DOUBLINGS {
                    return None;
                }
                (smaller, doublings) = (next_two_digits(&error), doublings + 1);
                error = two_digits_above(&(error * 2u32));
            }
            while smaller < error && curve.leaves(&smaller) > most {
                smaller = next_two_digits(&smaller);
            }
            error = error.min(smaller);
            let search = Search { error: &error, ..*self };
            if search.is_enough() {
                return Some(error);
            }
            error = two_digits_above(&(error * 11u32 / 10));
        }
        None
    }

    /// Whether a tree within the error is grown. In one variable its leaves are up to an eighth shorter than they could be, which
    /// takes a few enclosures each instead of some dozens.
    fn is_enough(&self) -> bool {
        let grown = match self.places {
            [places] => self.short_runs(places.range),
            _ => self.grow(&mut Grower::new(self.wanted, self.format), &mut |_, _| ()),
        };
        grown.unwrap_or(false)
    }

    fn short_runs(&self, (mut low, high): (i128, i128)) -> Result<bool, ConstructError> {
        let mut step = 1i128;
        for _ in 0..MOST_LEAVES {
            let fits = |step: i128| {
                Ok::<bool, ConstructError>(self.fit(&[(low, low.saturating_add(step).min(high))])?.is_some())
            };
            if fits(step)? {
                let mut factor = 8;
                let longer = |step: i128, factor: i128| step.saturating_add((step / factor).max(1));
                while step < i128::MAX && low.saturating_add(step) < high && fits(longer(step, factor))? {
                    step = longer(step, factor);
                    factor = (factor / 2).max(1);
                }
            } else {
                while step > 0 && !fits(step)? {
                    step -= (step / 8).max(1);
                }
                self.fit_place(&[low])?;
            }
            low = low.saturating_add(step).saturating_add(1);
            if low > high {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// That there are too many leaves.
    pub fn too_many(&self, curve: &Curve) -> ConstructError {
        let estimate = curve.leaves(self.error).ceil() as u128;
        ConstructError::TooManyLeaves {
            most: MOST_LEAVES,
            estimate: estimate.max(MOST_LEAVES as u128 + 1),
            suffices: self.suffices(curve, &(Rational::from(self.error * 101u32) / 100)),
        }
    }

    /// What is attainable, where an error is not.
    pub fn attainable(&self, attainable: Attainable) -> Attainable {
        if matches!(self.wanted.accuracy, Accuracy::Excess(_)) {
            return attainable;
        }
        let least = self.least();
        let from =
            least.clone().filter(|least| *least > 0).or_else(|| half_of_the_largest_gap(self.wanted, self.format));
        let suffices = from.and_then(|from| {
            let from = two_digits_above(&from);
            let search = Search { error: &from, ..*self };
            // All points are few enough for a leaf each.
            if least.is_some() && search.is_enough() {
                return Some(from);
            }
            search.suffices(&search.curve().ok()?, &from)
        });
        Attainable { least: least.as_ref().map(two_digits_above), suffices, ..attainable }
    }

    /// The largest distance of the function from the nearest value, if there are few enough points to visit each.
    fn least(&self) -> Option<Rational> {
        let points = self.places.iter().try_fold(1u128, |points, places| points.checked_mul(places.len()))?;
        if points > MOST_POINTS || !self.format.is_bounded() {
            return None;
        }
        let (rows, columns) = (self.places[0].range, self.places.get(1).map_or((0, 0), |places| places.range));
        let mut least = Rational::new();
        for first in rows.0..=rows.1 {
            for second in columns.0..=columns.1 {
                let point: Vec<(i128, i128)> =
                    [first, second][..self.places.len()].iter().map(|&place| (place, place)).collect();
                let (low, high) = self.enclose(&point).ok()?;
                let given = value(self.format, self.nearest(&(Rational::from(&low + &high) / 2)));
                least = least.max(Rational::from(&low - &given).abs()).max(Rational::from(&high - &given).abs());
            }
        }
        Some(least)
    }
}

/// A positive number, raised to two decimal digits; as it is, if it is huge or tiny.
fn two_digits_above(number: &Rational) -> Rational {
    let sizes = [number.numer(), number.denom()].map(|part| i64::from(part.significant_bits()));
    if *number <= 0 || (sizes[0] - sizes[1]).abs() > MOST_BITS {
        return number.clone();
    }
    let mut unit = Rational::from(1);
    while *number > Rational::from(&unit * 99u32) {
        unit *= 10;
    }
    while *number <= Rational::from(&unit * 99u32) / 10 {
        unit /= 10;
    }
    Rational::from(number / &unit).ceil() * unit
}

/// The next number of two decimal digits.
fn next_two_digits(number: &Rational) -> Rational {
    two_digits_above(&(Rational::from(number * 1001u32) / 1000))
}

#[cfg(test)]
mod tests {
    use roundproof_exact::parse_number;

    use super::*;

    #[test]
    fn two_digits() {
        let number = |text: &str| parse_number(text).map(|number| number.value()).ok();
        for (from, to) in
            [("99", "99"), ("99.5", "100"), ("9.9", "9.9"), ("9.91", "10"), ("1e-9", "1e-9"), ("1.01e-40", "1.1e-40")]
        {
            assert_eq!(number(from).map(|from| two_digits_above(&from)), number(to), "{from}");
        }
    }
}
