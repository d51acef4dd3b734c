//! Functions that decrease down to one minimum and increase from there: silu and gelu.
//!
//! Where the minimum is, is not written down: the derivative's sign says on which side of it a point lies, and the
//! interval Newton method (R. E. Moore, Interval Analysis, 1966, chapter 7) encloses it with as many bits as are asked for.

use std::cmp::Ordering;

use rug::{Float, Rational};

use super::interval::{End, Interval, pi};

/// A function of intervals, with its ends rounded outward to so many bits.
type Enclosure = fn(&Interval, u32) -> Interval;

/// A function with one minimum.
pub(super) struct Valley {
    /// The function, enclosed tightly at points only.
    value: Enclosure,
    /// A function with the sign of the derivative: negative before its one root, positive after it.
    slope: Enclosure,
    /// The derivative of `slope`, positive on `around`.
    steepness: Enclosure,
    /// An interval around the root, in halves.
    around: [i32; 2],
}

/// `x / (1 + exp(-x))`.
///
/// Its derivative is `1 + x + exp(x)` times `exp(x) / (1 + exp(x))^2`. The first factor increases everywhere; it is
/// `exp(-2) - 1 < 0` at -2 and `exp(-1) > 0` at -1.
pub(super) const SILU: Valley = Valley { value: silu, slope: silu_slope, steepness: silu_steepness, around: [-4, -2] };

/// `x * (1 + erf(x / sqrt(2))) / 2`.
///
/// Twice its derivative is `s(x) = erfc(-x / sqrt(2)) + x * sqrt(2 / pi) * exp(-x^2 / 2)`, and the derivative of that is
/// `(2 - x^2) * sqrt(2 / pi) * exp(-x^2 / 2)`. So `s` decreases from its limit 0 at -infinity until `-sqrt(2)`, increases
/// until `sqrt(2)` and decreases from there to its limit 2: it has one root, which lies above `-sqrt(2)`. Between -1, where `s`
/// is below 0.32 - 0.48, and -1/2, where it is above 0.61 - 0.36, there is a change of sign.
pub(super) const GELU: Valley = Valley { value: gelu, slope: gelu_slope, steepness: gelu_steepness, around: [-2, -1] };

fn number(value: i32, precision: u32) -> Interval {
    Interval::point(&Rational::from(value), precision)
}

/// As a product.
fn silu(x: &Interval, precision: u32) -> Interval {
    x.multiply(&x.sigmoid(precision), precision)
}

fn silu_slope(x: &Interval, precision: u32) -> Interval {
    x.add(&number(1, precision), precision).add(&x.exp(precision), precision)
}

fn silu_steepness(x: &Interval, precision: u32) -> Interval {
    x.exp(precision).add(&number(1, precision), precision)
}

/// `erfc(-x / sqrt(2))`: twice the normal distribution.
fn twice_normal(x: &Interval, precision: u32) -> Interval {
    x.negate().divide(&number(2, precision).sqrt(precision), precision).erfc(precision)
}

/// `sqrt(2 / pi) * exp(-x^2 / 2)`: twice the normal density.
fn twice_density(x: &Interval, precision: u32) -> Interval {
    let two = number(2, precision);
    let height = two.divide(&pi(precision), precision).sqrt(precision);
    height.multiply(&x.power(2, precision).divide(&two, precision).negate().exp(precision), precision)
}

/// As a product. In the tail, errors of `x / sqrt(2)` count `x^2` times, until from `2^16` on the product underflows.
fn gelu(x: &Interval, precision: u32) -> Interval {
    let exponent = [&x.low, &x.high].map(|end| end.value.get_exp().unwrap_or(0).clamp(0, 16).unsigned_abs());
    let precision = precision + 2 * exponent[0].max(exponent[1]);
    x.multiply(&twice_normal(x, precision), precision).divide(&number(2, precision), precision)
}

fn gelu_slope(x: &Interval, precision: u32) -> Interval {
    twice_normal(x, precision).add(&x.multiply(&twice_density(x, precision), precision), precision)
}

fn gelu_steepness(x: &Interval, precision: u32) -> Interval {
    let factor = number(2, precision).add(&x.power(2, precision).negate(), precision);
    factor.multiply(&twice_density(x, precision), precision)
}

impl Valley {
    /// The function on an interval.
    pub fn enclose(&self, x: &Interval, precision: u32) -> Interval {
        if x.is_point() {
            return (self.value)(x, precision);
        }
        let at = |end: &End| (self.value)(&Interval::at(&end.value), precision);
        let (left, right) = (at(&x.low), at(&x.high));
        // A strictly monotone function comes to no value at an end that its argument does not come to.
        let with = |mut end: End, of: &End| {
            end.strict |= of.strict;
            end
        };
        if self.is_before(&x.high, precision) {
            return Interval { low: with(right.low, &x.high), high: with(left.high, &x.low) };
        }
        if self.is_after(&x.low, precision) {
            return Interval { low: with(left.low, &x.low), high: with(right.high, &x.high) };
        }
        let minimum = (self.value)(&self.minimum(precision), precision).low;
        let here = (self.value)(x, precision).low;
        let low = if minimum.order(&here) == Ordering::Less { here } else { minimum };
        Interval { low, high: left.high.most(right.high) }
    }

    /// Whether a point is proven to lie before the minimum.
    fn is_before(&self, point: &End, precision: u32) -> bool {
        let at = Interval::at(&point.value);
        point.value <= around(self.around[0]) || point.value.is_finite() && (self.slope)(&at, precision).is_negative()
    }

    /// Whether a point is proven to lie after the minimum.
    fn is_after(&self, point: &End, precision: u32) -> bool {
        let at = Interval::at(&point.value);
        point.value >= around(self.around[1]) || point.value.is_finite() && (self.slope)(&at, precision).is_positive()
    }

    /// An interval around the place of the minimum, about as narrow as `precision` allows.
    ///
    /// By the mean value theorem the root of `slope` is `m - slope(m) / steepness(z)` for every `m` and some `z` between
    /// both. Each step at least halves the interval, or is the last. (Ends that differ by a factor of at most 2 have an exact
    /// difference, so that the middle lies between them.)
    pub fn minimum(&self, precision: u32) -> Interval {
        let working = precision.max(64) + 32;
        let [low, high] = self.around.map(around);
        let mut bracket = Interval::around(&low, &high, working);
        loop {
            let width = Float::with_val(working, &bracket.high.value - &bracket.low.value);
            let middle = Float::with_val(working, &bracket.low.value + Float::with_val(working, &width / 2));
            let middle = Interval::at(&middle);
            let step = (self.slope)(&middle, working).divide(&(self.steepness)(&bracket, working), working);
            let next = middle.add(&step.negate(), working).common(&bracket);
            let left = Float::with_val(working, &next.high.value - &next.low.value);
            if left <= 0 || left > width / 2u32 {
                return if left < 0 { bracket } else { next };
            }
            bracket = next;
        }
    }
}

fn around(halves: i32) -> Rational {
    Rational::from((halves, 2))
}
