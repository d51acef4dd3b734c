//! Every pair of intervals with ends on a small grid, open and closed, against their members: the ends that are marked as
//! strict are never reached, and no member's value lies outside.

use std::collections::BTreeMap;

use rug::float::{Round, Special};
use rug::ops::Pow;

use super::*;
use crate::interval::End;
use crate::minimum::{GELU, SILU, Valley};

/// Ends of intervals.
fn ends() -> Vec<Rational> {
    [-3, -2, -1, 0, 1, 2, 4].map(|n| Rational::from((n, 2))).to_vec()
}

/// Members: between the ends, on them, and beyond them.
fn members() -> Vec<Rational> {
    let mut members = vec![Rational::from(-1000), Rational::from((-1, 1000)), Rational::from((1, 1000)), 1000.into()];
    members.extend((-7..=9).map(|n| Rational::from((n, 4))));
    members
}

fn contains(interval: &Interval, value: &Rational) -> bool {
    let (low, high) = (interval.low.value.partial_cmp(value), interval.high.value.partial_cmp(value));
    use std::cmp::Ordering::{Equal, Greater, Less};
    (low == Some(Less) || low == Some(Equal) && !interval.low.strict)
        && (high == Some(Greater) || high == Some(Equal) && !interval.high.strict)
}

/// All intervals with these ends, unbounded ones among them, that have a member.
fn intervals() -> Vec<(Interval, Vec<Rational>)> {
    let float = |value: &Rational| Float::with_val(8, value);
    let mut lower = vec![End { value: Float::with_val(8, Special::NegInfinity), strict: true }];
    let mut upper = vec![End { value: Float::with_val(8, Special::Infinity), strict: true }];
    for end in ends() {
        for strict in [false, true] {
            lower.push(End { value: float(&end), strict });
            upper.push(End { value: float(&end), strict });
        }
    }
    let pairs = lower.iter().flat_map(|low| upper.iter().map(move |high| (low, high)));
    let with_members = pairs.map(|(low, high)| {
        let interval = Interval { low: low.clone(), high: high.clone() };
        let members = members().into_iter().filter(|value| contains(&interval, value)).collect();
        (interval, members)
    });
    with_members.filter(|(_, members): &(_, Vec<_>)| !members.is_empty()).collect()
}

const PRECISION: u32 = 3;

#[test]
fn arithmetic_of_two_intervals_holds_every_pair_of_members() {
    let intervals = intervals();
    for (a, some) in &intervals {
        for (b, others) in &intervals {
            let (sum, product) = (a.add(b, PRECISION), a.multiply(b, PRECISION));
            let (most, quotient) = (a.max(b), b.is_nonzero().then(|| a.divide(b, PRECISION)));
            let hypotenuse = a.hypot(b, PRECISION);
            for x in some {
                for y in others {
                    let at = || format!("{x} of {a:?}, {y} of {b:?}");
                    assert!(contains(&sum, &Rational::from(x + y)), "{} + {sum:?}", at());
                    assert!(contains(&product, &Rational::from(x * y)), "{} * {product:?}", at());
                    assert!(contains(&most, x.max(y)), "{} max {most:?}", at());
                    if let Some(quotient) = &quotient {
                        assert!(contains(quotient, &Rational::from(x / y)), "{} / {quotient:?}", at());
                    }
                    let square = Interval { low: hypotenuse.low.clone(), high: hypotenuse.high.clone() };
                    assert!(root_of_is_in(&x.clone().pow(2) + y.clone().pow(2), &square), "{} hypot {square:?}", at());
                }
            }
        }
    }
}

/// Whether the square root of a rational is a member, by squares.
fn root_of_is_in(square: Rational, interval: &Interval) -> bool {
    let squared = |end: &End| match end.value.to_rational() {
        Some(value) => Float::with_val(100, value.square()),
        None => end.value.clone(),
    };
    let low = End { value: squared(&interval.low), strict: interval.low.strict };
    let high = End { value: squared(&interval.high), strict: interval.high.strict };
    interval.low.value >= 0 && contains(&Interval { low, high }, &square)
}

#[test]
fn functions_of_one_interval_hold_every_member() {
    for (a, members) in &intervals() {
        let (magnitude, opposite) = (a.abs(), a.negate());
        let powers: Vec<Interval> = (1..=5).map(|n| a.power(n, PRECISION)).collect();
        let root = (a.low.value >= 0).then(|| a.sqrt(PRECISION));
        for x in members {
            assert!(contains(&magnitude, &x.clone().abs()), "|{x}| of {a:?}: {magnitude:?}");
            assert!(contains(&opposite, &-x.clone()), "-{x} of {a:?}: {opposite:?}");
            for (n, power) in (1i32..).zip(&powers) {
                assert!(contains(power, &x.clone().pow(n)), "{x}^{n} of {a:?}: {power:?}");
            }
            if let Some(root) = &root {
                assert!(root_of_is_in(x.clone(), root), "sqrt {x} of {a:?}: {root:?}");
            }
        }
    }
}

/// Whether bounds on a value overlap an interval; a value that is known must be a member.
fn meets(interval: &Interval, (low, high): &(Rational, Rational)) -> bool {
    if low == high { contains(interval, low) } else { interval.low.value < *high && interval.high.value > *low }
}

#[test]
fn transcendental_functions_of_one_interval_hold_every_member() {
    let names = ["exp", "tanh", "erf", "sigmoid", "softplus", "sin", "cos", "silu", "gelu", "log"];
    let points = names.into_iter().flat_map(|name| members().into_iter().map(move |x| (name, x)));
    let points = points.filter(|(name, x)| is_defined(name, x));
    let known: BTreeMap<_, _> = points.map(|(name, x)| ((name, x.clone()), reference::unary(name, &x))).collect();
    for (a, members) in &intervals() {
        let mut values = vec![
            ("exp", a.exp(PRECISION)),
            ("tanh", a.tanh(PRECISION)),
            ("erf", a.erf(PRECISION)),
            ("sigmoid", a.sigmoid(PRECISION)),
            ("softplus", a.softplus(PRECISION)),
            ("sin", a.wave(false, PRECISION)),
            ("cos", a.wave(true, PRECISION)),
            ("silu", SILU.enclose(a, PRECISION)),
            ("gelu", GELU.enclose(a, PRECISION)),
        ];
        if a.is_positive() {
            values.push(("log", a.log(PRECISION)));
        }
        for (name, interval) in values {
            for x in members {
                assert!(meets(&interval, &known[&(name, x.clone())]), "{name}({x}) of {a:?}: {interval:?}");
            }
        }
    }
}

#[test]
fn angles_hold_every_pair_of_members() {
    let intervals = intervals();
    let points = members().into_iter().flat_map(|y| members().into_iter().map(move |x| (y.clone(), x)));
    let angles: BTreeMap<_, _> =
        points.map(|(y, x)| ((y.clone(), x.clone()), reference::binary("atan2", &y, &x))).collect();
    for (a, ordinates) in &intervals {
        for (b, abscissas) in &intervals {
            if !a.is_nonzero() && !b.is_nonzero() {
                continue;
            }
            let angle = a.angle(b, PRECISION);
            for y in ordinates {
                for x in abscissas {
                    let bounds = angles[&(y.clone(), x.clone())].as_ref().expect("the origin is not a member");
                    assert!(meets(&angle, bounds), "{y} of {a:?}, {x} of {b:?}: {angle:?}");
                }
            }
        }
    }
}

/// Angles are as tight as can be: on a half plane away from the cut no more than that is enclosed.
#[test]
fn angles_are_those_of_the_corners() {
    let end = |value: i32, strict| End { value: Float::with_val(8, value), strict };
    let interval = |low, high| Interval { low, high };
    let pi = Float::with_val(60, rug::float::Constant::Pi);
    // Open below 0, left of 0: from -pi to -pi/2.
    let below = interval(end(-1, false), end(0, true));
    let left = interval(end(-2, false), end(-1, false));
    let angle = below.angle(&left, 60);
    assert!(angle.low.value >= Float::with_val(60, -&pi) * 1.01f32 && angle.high.value < -2, "{angle:?}");
    // Closed at 0 on the left, the cut is inside.
    let closed = interval(end(-1, false), end(0, false)).angle(&left, 60);
    assert!(closed.high.value > 3 && closed.low.value < -3, "{closed:?}");
    // From 0 up, it is an end.
    let above = interval(end(0, false), end(1, false)).angle(&left, 60);
    assert!(above.low.value > 2 && above.high.value > 3, "{above:?}");
}

/// The sign of the slope just before and just after the enclosure of its root says that the root is in it; the signs
/// at the ends of the first bracket are those that the argument in the code gives.
#[test]
fn minima_are_enclosed() {
    let silu_slope = |x: &Float| Float::with_val(2000, x.exp_ref()) + x + 1u32;
    // x (1 + erf(x / sqrt 2)) / 2 has the derivative (1 + erf(x / sqrt 2)) / 2 + x exp(-x^2 / 2) / sqrt(2 pi).
    let gelu_slope = |x: &Float| {
        let scaled = Float::with_val(2000, x / Float::with_val(2000, 2).sqrt());
        let density = Float::with_val(2000, -Float::with_val(2000, x.square_ref()) / 2u32).exp();
        let tau = Float::with_val(2000, rug::float::Constant::Pi) * 2u32;
        Float::with_val(2000, scaled.erf() + 1u32) / 2u32 + Float::with_val(2000, density / tau.sqrt()) * x
    };
    // Erf takes no more than 900 bits of an argument, so that more precision does not narrow gelu's.
    let check = |valley: &Valley, slope: &dyn Fn(&Float) -> Float, most: u32, about: &str| {
        for precision in [2, 24, 53, 113, 500, 1500] {
            let bracket = valley.minimum(precision);
            let (low, high) = (&bracket.low.value, &bracket.high.value);
            assert!(slope(low) < 0 && slope(high) > 0, "{precision} bits: {bracket:?}");
            let width = Float::with_val(64, high - low);
            assert!(
                width <= power_of_two(-i64::from(precision.max(64).min(most)) - 20),
                "{precision} bits: {bracket:?}"
            );
            assert!(low.to_string_radix_round(10, Some(15), Round::Nearest).starts_with(about), "{bracket:?}");
        }
    };
    check(&SILU, &silu_slope, 2000, "-1.2784645427610");
    check(&GELU, &gelu_slope, 860, "-7.5179152469356");
    for (slope, low, high) in [
        (&silu_slope as &dyn Fn(&Float) -> Float, Float::with_val(53, -2), Float::with_val(53, -1)),
        (&gelu_slope, Float::with_val(53, -1), Float::with_val(53, -1) / 2u32),
    ] {
        assert!(slope(&low) < 0 && slope(&high) > 0);
    }
}
