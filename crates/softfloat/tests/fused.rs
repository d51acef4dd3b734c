//! Fused multiply-add of formats of up to 8 bits against the definition: complete up to 6 bits, sampled above.

mod common;

use common::{Pair, small_formats, triples};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_format::{Encoding, Format};
use roundproof_softfloat::BothNeighbours;

/// Every triple with `a <= b`, by encoding; the factors of the other half are exchanged.
fn all_triples(name: &str) {
    let format: Format = name.parse().expect("a format");
    let pair = Pair::new(format, format.default_overflow());
    let data: Vec<Encoding> = format.encodings().collect();
    for (i, &a) in data.iter().enumerate() {
        for &b in &data[i..] {
            for &c in &data {
                pair.fused_multiply_add(a, b, c);
                assert_eq!(
                    pair.ours.fused_multiply_add(BothNeighbours, a, b, c),
                    pair.ours.fused_multiply_add(BothNeighbours, b, a, c),
                    "factors {a:?} and {b:?} of {format} exchanged"
                );
            }
        }
    }
}

#[test]
fn float4_e2m1fn() {
    all_triples("float4_e2m1fn");
}

#[test]
fn float6_e2m3fn() {
    all_triples("float6_e2m3fn");
}

#[test]
fn float6_e3m2fn() {
    all_triples("float6_e3m2fn");
}

#[test]
fn six_bits_with_infinity_and_nan() {
    all_triples("e3m2");
}

#[test]
fn six_bits_without_negative_zero() {
    all_triples("p=3,emin=-4,emax=2,specials=fnuz");
}

#[test]
fn precision_one() {
    all_triples("p=1,emin=-3,emax=4,specials=finite");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60_000))]

    #[test]
    fn eight_bits((format, [a, b, c]) in select(small_formats()).prop_flat_map(|f| (Just(f), triples(f)))) {
        for pair in Pair::all(format) {
            pair.fused_multiply_add(a, b, c);
        }
    }
}
