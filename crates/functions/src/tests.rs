use proptest::prelude::*;
use rug::{Float, Rational};

use super::*;

mod intervals;
mod parsing;
mod reference;
mod rounding;
mod soundness;

fn function(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The functions of the catalogue with so many variables.
fn named(variables: usize) -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().filter(move |entry| entry.1 == variables).map(|entry| entry.0)
}

fn is_defined(name: &str, x: &Rational) -> bool {
    match name {
        "log" => *x > 0,
        "sqrt" => *x >= 0,
        "reciprocal" => *x != 0,
        _ => true,
    }
}

/// Rationals of all sizes, with 0, 1 and other short ones among them, and some with long denominators.
fn rational() -> impl Strategy<Value = Rational> {
    let short = (-40i32..=40, 0u32..6).prop_map(|(n, k)| Rational::from((n, 1u32 << k)));
    let long =
        (any::<i64>(), 1u64..=u64::MAX, -90i64..40).prop_map(|(n, d, k)| Rational::from((n, d)) * power_of_two(k));
    let scaled = (any::<i32>(), -160i64..100).prop_map(|(n, k)| Rational::from(n) * power_of_two(k));
    prop_oneof![3 => short, 2 => long, 1 => scaled]
}

/// A box in one variable and a point of it: an end in one case of four.
fn box_with_point() -> impl Strategy<Value = ((Rational, Rational), Rational)> {
    (rational(), rational(), 0u32..=16).prop_map(|(a, b, k)| {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let width = Rational::from(&high - &low);
        let point = &low + width * Rational::from((k, 16));
        ((low, high), point)
    })
}
