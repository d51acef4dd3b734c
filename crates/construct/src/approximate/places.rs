//! Where a domain can be cut.
//!
//! In a bounded format, after every value. In `F(p)` there are infinitely many values next to 0, and a box with an end at 0
//! cannot be told from what is beyond it: there, after the values of magnitude `2^-DEPTH` and more. The first ones above and
//! below 0 are neighbours among these places, and whichever lies between belongs to the box that holds either.

use roundproof_exact::{Rational, order_key, power_of_two, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};

use super::{Keys, encoding, value_of};
use crate::ConstructError;

/// In `F(p)`, cuts and ends other than 0 are from `2^-DEPTH` to `2^DEPTH` in magnitude.
pub const DEPTH: i64 = 1 << 12;

/// The places of one variable, numbered in order.
pub struct Places {
    format: Format,
    /// The keys of the ends of the domain.
    ends: Keys,
    /// Keys of this magnitude and less, but 0, are not places. In bounded formats -1: every key is one.
    gap: i128,
    /// The first and the last place.
    pub range: (i128, i128),
}

impl Places {
    /// The places of a range of keys.
    ///
    /// # Errors
    ///
    /// In `F(p)`, if an end is too near to 0 or too far from it.
    pub fn new(format: Format, ends: Keys) -> Result<Places, ConstructError> {
        if format.is_bounded() {
            return Ok(Places { format, ends, gap: -1, range: ends });
        }
        let key = |exponent| {
            let power = round(&power_of_two(exponent), format, RoundingMode::TiesToEven, Overflow::Saturate);
            order_key(format, power.encoding).unwrap_or(0)
        };
        let (gap, most) = (key(-DEPTH) - 1, key(DEPTH));
        let is_fit = |key: i128| key == 0 || (gap < key.abs() && key.abs() <= most);
        if !is_fit(ends.0) || !is_fit(ends.1) {
            return Err(ConstructError::Magnitude { depth: DEPTH, format });
        }
        let places = Places { format, ends, gap, range: ends };
        let last = if ends.1 == 0 && ends.0 < 0 { -1 } else { places.of_key(ends.1) };
        Ok(Places { range: (places.of_key(ends.0), last), ..places })
    }

    fn has_gap(&self) -> bool {
        self.gap >= 0
    }

    /// The place of a key, or one next to it.
    fn of_key(&self, key: i128) -> i128 {
        match () {
            () if !self.has_gap() => key,
            () if key < 0 => (key + self.gap).min(-1),
            () => (key - self.gap - 1).max(0),
        }
    }

    fn key(&self, place: i128) -> i128 {
        match () {
            () if !self.has_gap() => place,
            () if place < 0 => place - self.gap,
            () => place + self.gap + 1,
        }
    }

    /// The value after which a cut at a place is.
    pub fn threshold(&self, place: i128) -> Encoding {
        encoding(self.format, self.key(place))
    }

    /// How many places there are.
    pub fn len(&self) -> u128 {
        self.range.1.abs_diff(self.range.0) + 1
    }

    /// The least and the largest key of a range of places: at the ends of the domain, those.
    fn keys(&self, (low, high): (i128, i128)) -> Keys {
        let low = match low {
            first if first == self.range.0 => self.ends.0,
            // What lies between the first places above and below 0 is above the lower one.
            0 if self.has_gap() => self.key(-1),
            low => self.key(low),
        };
        (low, if high == self.range.1 { self.ends.1 } else { self.key(high) })
    }

    /// The reals between the least and the largest value of a range of places.
    pub fn reals(&self, range: (i128, i128)) -> (Rational, Rational) {
        let (low, high) = self.keys(range);
        (value_of(self.format, low), value_of(self.format, high))
    }

    /// Of the places from `low` up to before `high`, one whose cut halves the reals between, as nearly as may be; before 0 instead,
    /// if it lies in the middle half, since it is at 0 that functions turn.
    pub fn middle(&self, (low, high): (i128, i128)) -> i128 {
        let (least, most) = self.reals((low, high));
        let quarter = Rational::from(&most - &least) / 4;
        if Rational::from(&least + &quarter) <= 0 && 0 <= Rational::from(&most - &quarter) && low < 0 && 0 <= high {
            return -1;
        }
        let middle = (least + most) / 2;
        let middle = round(&middle, self.format, RoundingMode::TowardNegative, Overflow::Saturate).encoding;
        self.of_key(order_key(self.format, middle).unwrap_or(0)).clamp(low, high - 1)
    }

    /// Whether a single place stands for more than a point.
    pub fn is_gap(&self, place: i128) -> bool {
        let (low, high) = self.keys((place, place));
        low != high
    }

    /// The least value of a place.
    pub fn value(&self, place: i128) -> Encoding {
        encoding(self.format, self.keys((place, place)).0)
    }
}
