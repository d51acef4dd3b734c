//! Intervals whose ends are floats of MPFR, with every operation rounded outward.

use std::cmp::Ordering;

use rug::float::{Constant, Round};
use rug::ops::{AssignRound, Pow};
use rug::{Float, Rational};

/// An end of an interval.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Its value: a float or an infinity, never NaN, no zero negative.
    pub value: Float,
    /// Whether no point of the set enclosed is equal to it. MPFR reports for every operation whether it was exact; after
    /// an inexact one, the real lies strictly inside.
    pub strict: bool,
}

impl End {
    fn new(value: Float, strict: bool) -> End {
        debug_assert!(!value.is_nan());
        let strict = strict || value.is_infinite();
        let value = if value.is_zero() { Float::new(value.prec()) } else { value };
        End { value, strict }
    }

    /// The value of `source` rounded to `precision` bits.
    fn of<T>(precision: u32, source: T, round: Round, strict: bool) -> End
    where
        Float: AssignRound<T, Round = Round, Ordering = Ordering>,
    {
        let (value, order) = Float::with_val_round(precision, source, round);
        End::new(value, strict || order != Ordering::Equal)
    }

    fn sign(&self) -> Ordering {
        self.value.cmp0().unwrap_or(Ordering::Equal)
    }

    pub fn order(&self, other: &End) -> Ordering {
        self.value.partial_cmp(&other.value).unwrap_or(Ordering::Equal)
    }

    /// Of two lower ends of one set each, that of the union.
    fn least(self, other: End) -> End {
        match self.order(&other) {
            Ordering::Less => self,
            Ordering::Greater => other,
            Ordering::Equal => End::new(self.value, self.strict && other.strict),
        }
    }

    /// Of two upper ends of one set each, that of the union.
    pub fn most(self, other: End) -> End {
        match self.order(&other) {
            Ordering::Greater => self,
            Ordering::Less => other,
            Ordering::Equal => End::new(self.value, self.strict && other.strict),
        }
    }

    fn negated(&self) -> End {
        End::new(Float::with_val(self.value.prec(), -&self.value), self.strict)
    }
}

/// All reals between two ends. The lower one is never +infinity, the upper one never -infinity.
///
/// MPFR's exponents are limited to about 30 bits. Rounded outward, what overflows becomes `[greatest, infinity]`, and
/// what underflows `[0, least]`, with strict ends: wide, and still proven.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    pub low: End,
    pub high: End,
}

/// One result, rounded down and up: `$source` is evaluated for both.
macro_rules! both {
    ($precision:expr, $source:expr) => {
        Interval {
            low: End::of($precision, $source, Round::Down, false),
            high: End::of($precision, $source, Round::Up, false),
        }
    };
}

/// A strictly increasing function of MPFR on an interval.
macro_rules! increasing {
    ($name:ident, $method:ident, $words:literal) => {
        #[doc = $words]
        pub fn $name(&self, precision: u32) -> Interval {
            Interval {
                low: End::of(precision, self.low.value.$method(), Round::Down, self.low.strict),
                high: End::of(precision, self.high.value.$method(), Round::Up, self.high.strict),
            }
        }
    };
}

/// A product, where nothing times infinity is nothing: infinity stands for reals without bound.
fn product(precision: u32, a: &End, b: &End, round: Round) -> End {
    if a.value.is_zero() || b.value.is_zero() {
        return End::new(Float::new(precision), false);
    }
    End::of(precision, &a.value * &b.value, round, false)
}

/// A quotient by an end other than 0. Infinity by infinity gives 0, a limit of quotients that the other corners surround.
fn quotient(precision: u32, a: &End, b: &End, round: Round) -> End {
    if a.value.is_infinite() && b.value.is_infinite() {
        return End::new(Float::new(precision), false);
    }
    End::of(precision, &a.value / &b.value, round, false)
}

impl Interval {
    /// The smallest interval of floats around these rationals.
    pub fn around(low: &Rational, high: &Rational, precision: u32) -> Interval {
        Interval { low: End::of(precision, low, Round::Down, false), high: End::of(precision, high, Round::Up, false) }
    }

    pub fn point(value: &Rational, precision: u32) -> Interval {
        Interval::around(value, value, precision)
    }

    pub fn at(value: &Float) -> Interval {
        let end = End::new(value.clone(), false);
        Interval { low: end.clone(), high: end }
    }

    pub fn is_point(&self) -> bool {
        self.low.order(&self.high) == Ordering::Equal
    }

    /// Whether every real of the set is above 0.
    pub fn is_positive(&self) -> bool {
        self.low.sign() == Ordering::Greater || self.low.sign() == Ordering::Equal && self.low.strict
    }

    /// Whether every real of the set is below 0.
    pub fn is_negative(&self) -> bool {
        self.high.sign() == Ordering::Less || self.high.sign() == Ordering::Equal && self.high.strict
    }

    /// Whether 0 is not a member of the set.
    pub fn is_nonzero(&self) -> bool {
        self.is_positive() || self.is_negative()
    }

    fn strictly_inside(&self) -> bool {
        self.low.strict && self.high.strict
    }

    fn stricter(mut self, strict: bool) -> Interval {
        self.low.strict |= strict;
        self.high.strict |= strict;
        self
    }

    fn hull(self, other: Interval) -> Interval {
        Interval { low: self.low.least(other.low), high: self.high.most(other.high) }
    }

    /// The reals in both, if there are any.
    pub fn common(&self, other: &Interval) -> Interval {
        let low = if self.low.order(&other.low) == Ordering::Less { &other.low } else { &self.low };
        let high = if self.high.order(&other.high) == Ordering::Greater { &other.high } else { &self.high };
        Interval { low: low.clone(), high: high.clone() }
    }

    increasing!(exp, exp_ref, "`e^x`.");
    increasing!(log, ln_ref, "The natural logarithm; no real below 0 may be a member.");
    increasing!(log_of_one_plus, ln_1p_ref, "`log(1 + x)`; no real below -1 may be a member.");
    increasing!(exp_minus_one, exp_m1_ref, "`e^x - 1`.");
    increasing!(sqrt, sqrt_ref, "The square root; no real below 0 may be a member.");
    increasing!(tanh, tanh_ref, "The hyperbolic tangent.");

    /// The error function.
    pub fn erf(&self, precision: u32) -> Interval {
        let x = self.shortened();
        Interval {
            low: End::of(precision, x.low.value.erf_ref(), Round::Down, x.low.strict),
            high: End::of(precision, x.high.value.erf_ref(), Round::Up, x.high.strict),
        }
    }

    /// `1 - erf(x)`, which decreases.
    pub fn erfc(&self, precision: u32) -> Interval {
        let x = self.shortened();
        Interval {
            low: End::of(precision, x.high.value.erfc_ref(), Round::Down, x.high.strict),
            high: End::of(precision, x.low.value.erfc_ref(), Round::Up, x.low.strict),
        }
    }

    /// An interval around this one whose ends have at most [`MAX_ERF_BITS`].
    fn shortened(&self) -> Interval {
        let at = |end: &End, round| End::of(end.value.prec().min(MAX_ERF_BITS), &end.value, round, end.strict);
        Interval { low: at(&self.low, Round::Down), high: at(&self.high, Round::Up) }
    }

    /// `-x`.
    pub fn negate(&self) -> Interval {
        Interval { low: self.high.negated(), high: self.low.negated() }
    }

    /// `a + b`.
    pub fn add(&self, other: &Interval, precision: u32) -> Interval {
        let sum = |a: &End, b: &End, round| End::of(precision, &a.value + &b.value, round, a.strict || b.strict);
        Interval { low: sum(&self.low, &other.low, Round::Down), high: sum(&self.high, &other.high, Round::Up) }
    }

    /// `a * b`.
    pub fn multiply(&self, other: &Interval, precision: u32) -> Interval {
        self.corners(other, |a, b, round| product(precision, a, b, round))
    }

    /// `a / b`, for `b` without 0 as a member; if 0 is an end of it, all reals.
    pub fn divide(&self, other: &Interval, precision: u32) -> Interval {
        if other.low.value.is_zero() || other.high.value.is_zero() {
            let infinity = End::new(Float::with_val(precision, rug::float::Special::Infinity), true);
            let result = Interval { low: infinity.negated(), high: infinity };
            // The sign is known all the same.
            let zero = |strict| End::new(Float::new(precision), strict);
            let (positive, negative) = (self.is_positive(), self.is_negative());
            return match (positive, negative, other.is_positive()) {
                (true, _, true) | (_, true, false) => Interval { low: zero(true), ..result },
                (true, _, false) | (_, true, true) => Interval { high: zero(true), ..result },
                _ => result,
            };
        }
        self.corners(other, |a, b, round| quotient(precision, a, b, round))
    }

    /// The hull of a function of two variables at the corners, which is monotone in each along the other's values.
    ///
    /// A function strictly monotone in one variable, wherever the other is not 0, comes to no end strictly inside of
    /// the first one's interval.
    fn corners(&self, other: &Interval, at: impl Fn(&End, &End, Round) -> End) -> Interval {
        let strict = self.is_nonzero() && other.strictly_inside() || other.is_nonzero() && self.strictly_inside();
        let corner = |a: &End, b: &End| Interval { low: at(a, b, Round::Down), high: at(a, b, Round::Up) };
        let lower = corner(&self.low, &other.low).hull(corner(&self.low, &other.high));
        let upper = corner(&self.high, &other.low).hull(corner(&self.high, &other.high));
        lower.hull(upper).stricter(strict)
    }

    /// `|x|`.
    pub fn abs(&self) -> Interval {
        if self.low.sign() != Ordering::Less {
            return self.clone();
        }
        let mirror = self.negate();
        if self.high.sign() != Ordering::Greater {
            return mirror;
        }
        Interval { low: End::new(Float::new(self.low.value.prec()), false), high: self.high.clone().most(mirror.high) }
    }

    /// The larger of the two.
    pub fn max(&self, other: &Interval) -> Interval {
        let low = match self.low.order(&other.low) {
            Ordering::Greater => self.low.clone(),
            Ordering::Less => other.low.clone(),
            Ordering::Equal => End::new(self.low.value.clone(), self.low.strict || other.low.strict),
        };
        Interval { low, high: self.high.clone().most(other.high.clone()) }
    }

    /// `x^n` for `n >= 1`.
    pub fn power(&self, n: u32, precision: u32) -> Interval {
        let base = if n.is_multiple_of(2) { self.abs() } else { self.clone() };
        Interval {
            low: End::of(precision, (&base.low.value).pow(n), Round::Down, base.low.strict),
            high: End::of(precision, (&base.high.value).pow(n), Round::Up, base.high.strict),
        }
    }

    /// `sqrt(a^2 + b^2)`.
    pub fn hypot(&self, other: &Interval, precision: u32) -> Interval {
        let (a, b) = (self.abs(), other.abs());
        let at = |a: &End, b: &End, round| End::of(precision, a.value.hypot_ref(&b.value), round, a.strict || b.strict);
        Interval { low: at(&a.low, &b.low, Round::Down), high: at(&a.high, &b.high, Round::Up) }
    }

    /// The angle, in `(-pi, pi]`, of points with ordinate `self` and abscissa `other`, the origin not among them. If they
    /// lie on both sides of the cut along the negative abscissas, `[-pi, pi]`.
    ///
    /// A rectangle is convex: seen from a point outside of it, its extreme directions are those of corners. Where the
    /// origin is a corner that is not a member, it stands for any direction of the rectangle.
    pub fn angle(&self, other: &Interval, precision: u32) -> Interval {
        let below = self.is_negative();
        if self.low.sign() == Ordering::Less && !below && other.low.sign() == Ordering::Less {
            let pi = pi(precision).high;
            return Interval { low: pi.negated(), high: pi };
        }
        // From below, the cut is at -pi, which is the angle that a negative zero has.
        let mut top = self.high.value.clone();
        if below && top.is_zero() {
            top = -top;
        }
        let corner = |a: &Float, b: &End| both!(precision, a.atan2_ref(&b.value));
        let bottom = &self.low.value;
        let lower = corner(bottom, &other.low).hull(corner(bottom, &other.high));
        lower.hull(corner(&top, &other.low).hull(corner(&top, &other.high)))
    }

    /// `1 / (1 + exp(-x))`.
    pub fn sigmoid(&self, precision: u32) -> Interval {
        let one = Interval::point(&Rational::from(1), precision);
        one.divide(&one.add(&self.negate().exp(precision), precision), precision)
    }

    /// `log(1 + exp(x))`; beyond 0 as `x + log(1 + exp(-x))`, which does not overflow.
    pub fn softplus(&self, precision: u32) -> Interval {
        let at = |end: &End| {
            let x = Interval::at(&end.value);
            match end.sign() {
                Ordering::Greater => x.add(&x.negate().exp(precision).log_of_one_plus(precision), precision),
                _ => x.exp(precision).log_of_one_plus(precision),
            }
        };
        let (mut low, mut high) = (at(&self.low).low, at(&self.high).high);
        low.strict |= self.low.strict;
        high.strict |= self.high.strict;
        Interval { low, high }
    }

    /// The sine, or the cosine if `shifted`; all that is known of one, if the angle has no [`Interval::angle_bits`].
    ///
    /// Extrema are the points `pi * (n + 1/2)`, of cosines `pi * n`, and their values `(-1)^n`. All integers that may be
    /// such an `n` are counted; between extrema the function is strictly monotone.
    pub fn wave(&self, shifted: bool, precision: u32) -> Interval {
        if self.angle_bits().is_none() {
            return Interval::of_waves(precision);
        }
        let at = |value: &Float| match shifted {
            true => both!(precision, value.cos_ref()),
            false => both!(precision, value.sin_ref()),
        };
        if self.is_point() {
            return at(&self.low.value);
        }
        let working = precision + 32;
        let half = Interval::point(&Rational::from((if shifted { 0 } else { -1 }, 2)), working);
        let turns = self.divide(&pi(working), working).add(&half, working);
        let (first, last) = (turns.low.value.ceil(), turns.high.value.floor());
        let hull = at(&self.low.value).hull(at(&self.high.value));
        if first > last {
            return hull.stricter(self.strictly_inside());
        }
        let unknown = Interval::of_waves(precision);
        match first == last {
            false => unknown,
            true if first.to_integer().is_some_and(|n| n.is_even()) => Interval { high: unknown.high, ..hull },
            true => Interval { low: unknown.low, ..hull },
        }
    }

    /// What is known of a sine whose angle is not.
    pub fn of_waves(precision: u32) -> Interval {
        let one = End::new(Float::with_val(precision, 1), false);
        Interval { low: one.negated(), high: one }
    }

    /// The bits before the point of an angle, as many of which pi is divided by; none if they are too many.
    pub fn angle_bits(&self) -> Option<u64> {
        let infinite = self.low.value.is_infinite() || self.high.value.is_infinite();
        let exponent = [&self.low, &self.high].map(|end| end.value.get_exp().unwrap_or(0)).into_iter().max()?;
        (!infinite && exponent <= MAX_ANGLE_EXPONENT).then(|| exponent.max(0).unsigned_abs().into())
    }
}

/// Angles of larger exponents are not reduced: pi to as many bits as that would be needed.
const MAX_ANGLE_EXPONENT: i32 = 1 << 21;

/// Bits of an argument of erf and erfc.
///
/// MPFR 4.2.2 ends the process (an assertion in `mpfr_erf_0`) at arguments that are nearer than about `2^-1020` to a root
/// of a partial sum of erf's series, such as the square root of 3: an error bound overflows a double. Arguments of so few
/// bits stay clear of them.
const MAX_ERF_BITS: u32 = 900;

pub(super) fn pi(precision: u32) -> Interval {
    both!(precision, Constant::Pi)
}
