//! Growing a tree within an error: which value fits a region, and how regions are cut until one does.

use std::collections::BTreeSet;

use roundproof_approximation::{Accuracy, Approximation};
use roundproof_exact::{Rational, order_key, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};

use super::places::{DEPTH, Places};
use super::{Grower, MOST_LEAVES, value, value_of};
use crate::{Attainable, ConstructError};

/// Bits of an enclosure beyond the precision of the format, for regions; the greater ones for points alone.
pub const BITS: [u32; 3] = [32, 128, 1024];
/// Into how many steps progress is divided, as a power of two.
const STEPS: u32 = 10;

/// A range of places in each variable.
type Region = Vec<(i128, i128)>;

/// What is told of the progress: how many of how many steps are done.
pub type Report<'a> = &'a mut dyn FnMut(usize, usize);

/// What is looked for: a tree within an error, over the places of a domain.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    pub wanted: &'a Approximation,
    pub format: Format,
    pub error: &'a Rational,
    pub places: &'a [Places],
}

impl Search<'_> {
    /// Grows the tree; false if there are too many leaves.
    pub fn grow(&self, grower: &mut Grower<'_>, progress: Report<'_>) -> Result<bool, ConstructError> {
        if let [places] = self.places {
            let Some(runs) = self.longest_runs(places.range, progress)? else { return Ok(false) };
            let runs: Vec<(Encoding, Encoding)> =
                runs.into_iter().map(|(last, value)| (places.threshold(last), value)).collect();
            grower.runs(&runs);
            return Ok(true);
        }
        let whole = self.places.iter().map(|places| places.range).collect();
        self.halve(grower, whole, &mut Share { done: 0, of_region: 1 << 63, progress })
    }

    /// The runs of one variable, each as long as one value fits, with the last place of each; none if there are too many.
    fn longest_runs(
        &self,
        (mut low, high): (i128, i128),
        progress: Report<'_>,
    ) -> Result<Option<Vec<(i128, Encoding)>>, ConstructError> {
        let (mut runs, mut step) = (Vec::new(), 1i128);
        let (first, places) = (low, self.places[0].len());
        while low <= high {
            progress((low.abs_diff(first) / (places >> STEPS).max(1)) as usize, 1 << STEPS);
            if runs.len() == MOST_LEAVES {
                return Ok(None);
            }
            // The last place known to fit with its value, and the first known not to.
            let value = self.fit_place(&[low])?;
            let (mut last, mut beyond) = ((low, value), high + 1);
            while last.0 + 1 < beyond {
                let next = last.0.saturating_add(step).min(beyond - 1);
                match self.fit(&[(low, next)])? {
                    Some(value) => {
                        last = (next, value);
                        step = step.saturating_mul(2);
                    }
                    None => {
                        beyond = next;
                        step = ((beyond - last.0) / 2).max(1);
                    }
                }
            }
            runs.push(last);
            step = (last.0 - low + 1).max(1);
            low = last.0 + 1;
        }
        Ok(Some(runs))
    }

    /// The tree over a region, halved until one value fits; false if there are too many leaves.
    fn halve(&self, grower: &mut Grower<'_>, region: Region, share: &mut Share<'_>) -> Result<bool, ConstructError> {
        if grower.values.len() >= MOST_LEAVES {
            return Ok(false);
        }
        if let Some(value) = self.fit(&region)? {
            grower.leaf(value);
            share.add();
            return Ok(true);
        }
        let Some((axis, lower, upper)) = self.halves(&region) else {
            // A single place, which has no value: this says why.
            let place: Vec<i128> = region.iter().map(|range| range.0).collect();
            return self.fit_place(&place).map(|value| grower.leaf(value)).map(|()| true);
        };
        grower.split(axis as u32, self.places[axis].threshold(lower[axis].1));
        let of_region = share.of_region;
        share.of_region /= 2;
        let grown = self.halve(grower, lower, share)? && self.halve(grower, upper, share)?;
        share.of_region = of_region;
        Ok(grown)
    }

    /// The halves of a region along the variable by which the function varies most, and that variable; none of a single place.
    pub fn halves(&self, region: &[(i128, i128)]) -> Option<(usize, Region, Region)> {
        let mut axes = (0..region.len()).filter(|&axis| region[axis].0 < region[axis].1).collect::<Vec<usize>>();
        if axes.len() > 1 {
            axes.sort_by_cached_key(|&axis| self.variation(axis, region));
        }
        let axis = axes.pop()?;
        let middle = self.places[axis].middle(region[axis]);
        let (mut lower, mut upper) = (region.to_vec(), region.to_vec());
        (lower[axis].1, upper[axis].0) = (middle, middle + 1);
        Some((axis, lower, upper))
    }

    /// By how much the function varies along one variable at most, the other held at its least, middle or largest place; and how
    /// wide the range of the one is. More than any number, where it is not seen to be defined.
    ///
    /// Lines tell what halves do not: of `hypot` where both variables have either sign, no half has less than the whole.
    fn variation(&self, axis: usize, region: &[(i128, i128)]) -> (bool, Rational, Rational) {
        let (held, (low, high)) = (1 - axis, region[1 - axis]);
        let middle = if low < high { self.places[held].middle((low, high)) } else { low };
        let (mut undefined, mut most) = (false, Rational::new());
        for place in BTreeSet::from([low, middle, high]) {
            let mut line = region.to_vec();
            line[held] = (place, place);
            match self.enclose(&line) {
                Ok((low, high)) => most = most.max(high - low),
                Err(_) => undefined = true,
            }
        }
        let (low, high) = self.places[axis].reals(region[axis]);
        (undefined, most, high - low)
    }

    /// Of two thresholds, the one for so many variables.
    pub fn of_variables(&self, thresholds: [f64; 2]) -> f64 {
        thresholds[self.places.len() - 1]
    }

    /// The reals between which the function is on a region.
    pub fn enclose(&self, region: &[(i128, i128)]) -> Result<(Rational, Rational), ConstructError> {
        let enclosure = self.wanted.function.enclose(&self.reals(region), self.format.precision() + BITS[0]);
        enclosure.map_err(|error| ConstructError::Function { at: self.at(region), error })
    }

    /// The least value of each range.
    pub fn at(&self, region: &[(i128, i128)]) -> roundproof_approximation::Region {
        let values = self.places.iter().zip(region).map(|(places, range)| places.value(range.0));
        roundproof_approximation::Region::point(self.format, values)
    }

    pub fn reals(&self, region: &[(i128, i128)]) -> Vec<(Rational, Rational)> {
        self.places.iter().zip(region).map(|(places, &range)| places.reals(range)).collect()
    }

    /// The value that fits at a single place of each variable.
    pub fn fit_place(&self, place: &[i128]) -> Result<Encoding, ConstructError> {
        let region: Region = place.iter().map(|&place| (place, place)).collect();
        if let Some(value) = self.fit(&region)? {
            return Ok(value);
        }
        let gap = self.places.iter().zip(place).position(|(places, &place)| places.is_gap(place));
        let variable = if gap == Some(1) { "y" } else { "x" };
        Err(ConstructError::AtZero { variable, depth: DEPTH, format: self.format })
    }

    /// The value that is near enough on a region, if one is seen to be; a point is refused without one.
    pub fn fit(&self, region: &[(i128, i128)]) -> Result<Option<Encoding>, ConstructError> {
        let reals = self.reals(region);
        let is_point = reals.iter().all(|(low, high)| low == high);
        let mut farther = Rational::new();
        for bits in BITS {
            let (low, high) = match self.wanted.function.enclose(&reals, self.format.precision() + bits) {
                Ok(enclosure) => enclosure,
                Err(_) if !is_point => return Ok(None),
                Err(error) => return Err(ConstructError::Function { at: self.at(region), error }),
            };
            let (nearest, error) = self.error_of_middle(&low, &high);
            if error <= *self.error {
                return Ok(Some(nearest));
            }
            if !is_point {
                return Ok(None);
            }
            // The function is this far from the middle at most, which is at least as far from other values.
            let middle = Rational::from(&low + &high) / 2;
            let off: Rational = middle - value(self.format, nearest);
            farther = off.abs() - (high - low);
        }
        let farther = farther.max(Rational::new());
        let attainable = Box::new(Attainable { farther, least: None, suffices: None });
        Err(ConstructError::TooFine { at: self.at(region), attainable, format: self.format })
    }

    /// The value nearest to the middle of an enclosure, and how far off it may be.
    pub fn error_of_middle(&self, low: &Rational, high: &Rational) -> (Encoding, Rational) {
        let nearest = self.nearest(&(Rational::from(low + high) / 2));
        let given = value(self.format, nearest);
        (nearest, self.excess(&given, low).max(self.excess(&given, high)))
    }

    /// How far the value is from the function, if that is this real: on the whole, or beyond the nearest value.
    fn excess(&self, given: &Rational, real: &Rational) -> Rational {
        let distance = |other: &Rational| Rational::from(real - other).abs();
        match self.wanted.accuracy {
            Accuracy::Excess(_) => distance(given) - distance(&value(self.format, self.nearest(real))),
            _ => distance(given),
        }
    }

    /// The nearest finite value; of the zeros, +0.
    pub fn nearest(&self, real: &Rational) -> Encoding {
        let nearest = round(real, self.format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
        if self.format.is_zero(nearest) { self.format.zero() } else { nearest }
    }
}

/// How much of a domain is done, of 2^63 in all.
struct Share<'a> {
    done: u64,
    of_region: u64,
    progress: Report<'a>,
}

impl Share<'_> {
    fn add(&mut self) {
        self.done += self.of_region;
        (self.progress)((self.done >> (63 - STEPS)) as usize, 1 << STEPS);
    }
}

/// Half of the distance of neighbours where the function is largest in magnitude, so far as enclosures tell: this error is
/// always within reach.
pub fn half_of_the_largest_gap(wanted: &Approximation, format: Format) -> Option<Rational> {
    let reals: Vec<(Rational, Rational)> =
        wanted.domain.iter().map(|&(low, high)| (value(format, low), value(format, high))).collect();
    let (low, high) = wanted.function.enclose(&reals, format.precision() + BITS[0]).ok()?;
    let most = low.abs().max(high.abs());
    let above = round(&most, format, RoundingMode::TowardPositive, Overflow::Saturate).encoding;
    if value(format, above) < most {
        return None;
    }
    let key = order_key(format, above)?;
    if !format.is_bounded() && key <= 1 {
        return None;
    }
    let key = key.max(1);
    Some((value_of(format, key) - value_of(format, key - 1)) / 2)
}
