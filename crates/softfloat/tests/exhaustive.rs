//! Formats of up to 8 bits, completely: every pair of data, direction and policy, against the definition.

mod common;

use common::{ODD, Pair, small_formats};
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_softfloat::negate;

fn all_pairs(name: &str) {
    let format: Format = name.parse().expect("a format");
    let data: Vec<Encoding> = format.encodings().collect();
    for pair in Pair::all(format) {
        for (i, &a) in data.iter().enumerate() {
            for &b in &data[i..] {
                pair.add(a, b);
                pair.multiply(a, b);
            }
            for &b in &data {
                subtract(&pair, a, b);
            }
        }
    }
}

/// Against the definition under one policy; under the others against the addition that was compared with it.
fn subtract(pair: &Pair, a: Encoding, b: Encoding) {
    let format = pair.ours.format();
    if pair.ours.overflow() == format.default_overflow() {
        return pair.subtract(a, b);
    }
    for &mode in RoundingMode::ALL {
        let (difference, sum) = (pair.ours.subtract(mode, a, b), pair.ours.add(mode, a, negate(format, b)));
        assert_eq!(difference, sum, "{}", pair.describe("subtract", mode, &[a, b]));
    }
}

macro_rules! all_pairs {
    ($($name:ident),+) => { $(
        #[test]
        fn $name() {
            all_pairs(stringify!($name));
        }
    )+ };
}

all_pairs!(
    float4_e2m1fn,
    float6_e2m3fn,
    float6_e3m2fn,
    float8_e3m4,
    float8_e4m3,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e4m3b11fnuz,
    float8_e5m2,
    float8_e5m2fnuz
);

#[test]
fn odd_formats() {
    ODD.iter().for_each(|name| all_pairs(name));
}

#[test]
fn conversions() {
    for to in small_formats() {
        for pair in Pair::all(to) {
            for from in small_formats() {
                from.encodings().for_each(|a| pair.convert(from, a));
            }
        }
    }
}

#[test]
fn conversions_from_sixteen_bits() {
    for from in [Format::BFLOAT16, Format::BINARY16] {
        for to in small_formats() {
            let pair = Pair::new(to, to.default_overflow());
            // Every datum would take a minute: one in seven, over all exponents.
            from.encodings().step_by(7).for_each(|a| pair.convert(from, a));
        }
    }
}
