//! Intervals of rationals, for what is not a sum: few elements, or few operations for each.

use roundproof_exact::{Rational, power_of_two};

use crate::fixed::{BITS, Fixed};
use crate::rounding::Grain;

/// All reals between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub low: Rational,
    pub high: Rational,
}

impl Span {
    /// Of an element.
    pub fn of(fixed: &Fixed, element: usize) -> Span {
        let unit = power_of_two(fixed.unit.into());
        let [low, high] = [fixed.low[element], fixed.high[element]].map(|end| Rational::from(end) * &unit);
        Span { low, high }
    }

    /// The largest magnitude.
    pub fn largest(&self) -> Rational {
        Rational::from(self.low.abs_ref()).max(Rational::from(self.high.abs_ref()))
    }

    /// The least magnitude.
    pub fn nearest(&self) -> Rational {
        if self.holds_zero() {
            return Rational::new();
        }
        Rational::from(self.low.abs_ref()).min(Rational::from(self.high.abs_ref()))
    }

    pub fn middle(&self) -> Rational {
        Rational::from(&self.low + &self.high) / 2
    }

    pub fn holds_zero(&self) -> bool {
        self.low <= 0 && self.high >= 0
    }

    /// With zero.
    pub fn with_zero(self) -> Span {
        Span { low: self.low.min(Rational::new()), high: self.high.max(Rational::new()) }
    }

    /// Larger on both sides.
    pub fn wider(&self, by: &Rational) -> Span {
        Span { low: Rational::from(&self.low - by), high: Rational::from(&self.high + by) }
    }
}

/// An exponent that is above that of a magnitude's leading bit by at most one; not of zero.
pub(crate) fn leading(value: &Rational) -> i32 {
    let length = i64::from(value.numer().significant_bits()) - i64::from(value.denom().significant_bits());
    i32::try_from(length).unwrap_or(if length < 0 { i32::MIN / 4 } else { i32::MAX / 4 })
}

/// `value / 2^unit`, rounded down.
pub(crate) fn floor(value: &Rational, unit: i32) -> Option<i64> {
    (value * power_of_two((-unit).into())).floor().numer().to_i64()
}

/// `value / 2^unit`, rounded up.
pub(crate) fn above(value: &Rational, unit: i32) -> Option<i64> {
    (value * power_of_two((-unit).into())).ceil().numer().to_i64()
}

impl Fixed {
    /// Intervals in one unit, rounded outward.
    pub fn around(spans: &[Span]) -> Option<Fixed> {
        let top = spans.iter().map(Span::largest).filter(|largest| *largest != 0).map(|largest| leading(&largest) + 1);
        let unit = top.max().map_or(0, |top| top - BITS as i32);
        let low = spans.iter().map(|span| floor(&span.low, unit)).collect::<Option<_>>()?;
        let high = spans.iter().map(|span| above(&span.high, unit)).collect::<Option<_>>()?;
        Some(Fixed { unit, low, high })
    }
}

/// Bits in which magnitudes are counted.
const COUNTED: i32 = 62;

impl Grain {
    /// A magnitude, counted in units, rounded up.
    pub fn count(&self, magnitude: &Rational) -> Option<(u128, i32)> {
        let unit = leading(magnitude).max(self.least) - COUNTED;
        Some((u128::try_from(above(magnitude, unit)?).ok()?, unit))
    }

    /// The whole cost of one computed value of at most this magnitude: rounding it, and flushing it.
    pub fn cost(&self, magnitude: &Rational) -> Option<Rational> {
        if *magnitude == 0 {
            return Some(Rational::new());
        }
        let (n, unit) = self.count(magnitude)?;
        Some(Rational::from(self.error(n, unit)?) * power_of_two(unit.into()))
    }

    /// Whether a magnitude is at most the largest value.
    pub fn contains(&self, magnitude: &Rational) -> bool {
        *magnitude == 0 || self.count(magnitude).is_some_and(|(n, unit)| self.reaches(n, unit))
    }

    /// `rho 2^(1-p)`: what a rounding of a normal value may cost, over its magnitude.
    pub fn relative(&self) -> Rational {
        let ulp = power_of_two(1 - i64::from(self.precision));
        if self.nearest { ulp / 2 } else { ulp }
    }

    /// What a rounding may cost in addition: below the normal values, and where it is flushed.
    pub fn absolute(&self) -> Rational {
        let below = power_of_two(self.least.into());
        if self.flushed { below + power_of_two(self.emin.into()) } else { below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_rounded_outward() {
        let third = Rational::from((1, 3));
        let spans = [Span { low: -third.clone(), high: third.clone() }, Span { low: Rational::new(), high: third }];
        let fixed = Fixed::around(&spans).expect("small");
        for (element, span) in spans.iter().enumerate() {
            let found = Span::of(&fixed, element);
            assert!(found.low <= span.low && found.high >= span.high);
            assert!(Rational::from(&found.high - &span.high) < power_of_two(-50));
        }
        assert_eq!(Fixed::around(&[Span { low: Rational::new(), high: Rational::new() }]).expect("zero").unit, 0);
        for (value, exponent) in [((1, 1), 0), ((3, 2), 0), ((1, 3), -1), ((7, 8), -1), ((1, 1024), -10)] {
            let value = Rational::from(value);
            let found = i64::from(leading(&value));
            assert!(value < power_of_two(found + 1) && value >= power_of_two(found - 1), "{value} {exponent} {found}");
        }
    }
}
