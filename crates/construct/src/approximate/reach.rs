//! How many leaves an error takes, and which errors are within reach: what a refusal says instead of growing trees.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use roundproof_exact::{Rational, order_key};
use roundproof_format::Encoding;
use roundproof_kernel::Accuracy;

use super::near::{BITS, Search, half_of_the_largest_gap};
use super::places::Places;
use super::{Grower, MOST_LEAVES, value, value_of};
use crate::{ConstructError, Reach};

/// By an estimate of more leaves than this, an error is refused with no tree grown. The estimate is of what the function
/// varies between places, and counts at most one leaf too many for each cell.
pub const TOO_MANY: usize = MOST_LEAVES / 2 * 3;
/// Into how many cells a domain of one variable is cut for an estimate.
const CELLS: usize = 1 << 12;
/// Descents of an estimate in two variables, and how deep they are at most.
const DESCENTS: u64 = 1 << 8;
const DEEPEST: u32 = 64;
/// An error is proposed if by estimate it takes so many leaves, and then only if the tree is grown.
const PROPOSED: usize = MOST_LEAVES / 2;
/// How many errors are estimated, and how many trees grown, to find one.
const ESTIMATES: usize = 128;
const TREES: usize = 3;
/// Magnitudes beyond two to this, or its negative, are not shortened.
const MOST_BITS: i64 = 1 << 13;
/// The most points of a domain at which the least error is looked for.
const MOST_POINTS: u128 = 1 << 16;

/// Neighbouring samples of a function of one variable.
struct Cell {
    low: (i128, Rational),
    high: (i128, Rational),
    /// Leaves, if the function goes straight from the one to the other; and by an enclosure at most.
    leaves: f64,
    most: f64,
}

impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Cell) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Cell) -> Ordering {
        self.most.total_cmp(&other.most).then_with(|| self.low.0.cmp(&other.low.0))
    }
}

impl Search<'_> {
    /// About how many leaves the tree would have.
    pub fn estimate(&self) -> Result<usize, ConstructError> {
        let leaves = match self.places {
            [places] => self.by_variation(places)?,
            _ => self.by_descents()?,
        };
        Ok(leaves.ceil() as usize)
    }

    /// The sum over cells of how much the function varies, by the width that a leaf covers. Cells are cut where the
    /// enclosure is widest.
    fn by_variation(&self, places: &Places) -> Result<f64, ConstructError> {
        let sample = |place: i128| -> Result<(i128, Rational), ConstructError> {
            self.fit_place(&[place])?;
            let (low, high) = self.enclose(&[(place, place)])?;
            Ok((place, (low + high) / 2))
        };
        let (first, last) = places.range;
        let (low, high) = (sample(first)?, sample(last)?);
        if first == last {
            return Ok(1.0);
        }
        let (mut open, mut done) = (BinaryHeap::from([self.cell(low, high)]), 1.0);
        while open.len() < CELLS
            && let Some(cell) = open.pop()
        {
            if cell.high.0 - cell.low.0 <= 1 {
                done += cell.leaves;
                continue;
            }
            let middle = places.middle((cell.low.0, cell.high.0)).max(cell.low.0 + 1);
            let middle = sample(middle)?;
            open.push(self.cell(cell.low, middle.clone()));
            open.push(self.cell(middle, cell.high));
        }
        Ok(done + open.iter().map(|cell| cell.leaves).sum::<f64>())
    }

    fn cell(&self, low: (i128, Rational), high: (i128, Rational)) -> Cell {
        let gap = self.gap(&low.1).max(self.gap(&high.1));
        let width = match self.wanted.accuracy {
            Accuracy::Excess(_) => Rational::from(self.error * 2u32) + gap,
            _ => Rational::from(self.error * 2u32),
        };
        // From one place to the next, the function may well leave out what a leaf would cover.
        let leaves = |varies: Rational| {
            let jump = &varies / Rational::from(high.0 - low.0);
            let covers = &width + jump;
            if covers == 0 { 0.0 } else { (varies / covers).to_f64() }
        };
        let straight = leaves(Rational::from(&high.1 - &low.1).abs());
        let most = self.enclose(&[(low.0, high.0)]).map_or(f64::INFINITY, |(least, most)| leaves(most - least));
        Cell { leaves: straight, most, low, high }
    }

    /// The distance of neighbours in the format, next to a real.
    fn gap(&self, real: &Rational) -> Rational {
        let nearest = self.nearest(real);
        let key = order_key(self.format, nearest).unwrap_or(0).abs();
        if !self.format.is_bounded() && key <= 1 {
            // Next to 0 there are values as near as one likes.
            return Rational::new();
        }
        let key = key.max(1);
        value_of(self.format, key) - value_of(self.format, key - 1)
    }

    /// The mean, over descents from the root, of two to the depth at which a leaf is met (Knuth, Estimating the efficiency
    /// of backtrack programs, Math. Comp. 29, 1975). Descents are spread evenly, by multiples of the golden ratio.
    fn by_descents(&self) -> Result<f64, ConstructError> {
        let mut sum = 0.0;
        for descent in 0..DESCENTS {
            let turns = descent.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut region: Vec<(i128, i128)> = self.places.iter().map(|places| places.range).collect();
            let mut depth = 0;
            while depth < DEEPEST && self.fit(&region)?.is_none() {
                let Some((_, lower, upper)) = self.best_halves(&region) else { break };
                region = if turns >> (63 - depth) & 1 == 0 { lower } else { upper };
                depth += 1;
            }
            sum += f64::from(depth).exp2();
        }
        Ok(sum / DESCENTS as f64)
    }

    /// An error of two decimal digits, at least as large as this one, within which a tree was grown. `by_estimate` is how
    /// many leaves may be expected of it.
    pub fn suffices(&self, least: &Rational, by_estimate: usize) -> Option<Rational> {
        let half = || half_of_the_largest_gap(self.wanted, self.format);
        let mut error = two_digits_above(&if *least > 0 { least.clone() } else { half()? });
        let mut trees = 0;
        for _ in 0..ESTIMATES {
            let search = Search { error: &error, ..*self };
            let leaves = search.estimate().unwrap_or(usize::MAX);
            if leaves <= by_estimate {
                let mut grower = Grower::new(self.wanted, self.format);
                if search.grow(&mut grower, &mut |_, _| ()).unwrap_or(false) {
                    return Some(error);
                }
                trees += 1;
                if trees == TREES {
                    return None;
                }
            }
            // In one variable, leaves grow as the reciprocal of the error; in two, as that of its square, or less.
            let times = match self.places.len() {
                1 if leaves < usize::MAX => (leaves / PROPOSED).max(2),
                _ => 2,
            };
            error = two_digits_above(&(error * times as u64));
        }
        None
    }

    /// That there are too many leaves.
    pub fn too_many(&self, estimate: usize) -> ConstructError {
        let larger = Rational::from(self.error * 11u32) / 10;
        ConstructError::TooManyLeaves {
            most: MOST_LEAVES,
            estimate: estimate.max(MOST_LEAVES + 1),
            suffices: self.suffices(&larger, PROPOSED),
        }
    }

    /// What is within reach, where an error is not.
    pub fn reach(&self, reach: Reach) -> Reach {
        if matches!(self.wanted.accuracy, Accuracy::Excess(_)) {
            return reach;
        }
        let least = self.least();
        let suffices = match &least {
            Some(least) => self.suffices(least, TOO_MANY),
            None => half_of_the_largest_gap(self.wanted, self.format).and_then(|half| self.suffices(&half, PROPOSED)),
        };
        Reach { least: least.as_ref().map(two_digits_above), suffices, ..reach }
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

    fn enclose(&self, region: &[(i128, i128)]) -> Result<(Rational, Rational), ConstructError> {
        let enclosure = self.wanted.function.enclose(&self.reals(region), self.format.precision() + BITS[0]);
        enclosure.map_err(|error| ConstructError::Function { at: self.at(region), error })
    }

    /// The least value of each range.
    pub fn at(&self, region: &[(i128, i128)]) -> Vec<Encoding> {
        self.places.iter().zip(region).map(|(places, range)| places.value(range.0)).collect()
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
