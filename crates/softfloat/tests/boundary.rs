//! The wider formats against the definition, by data gathered where roundings are hard.

mod common;

use common::{Pair, operands, triples};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_format::Format;

/// Every width of word is here, and each side of every limit between them: twice the precision and four bits in 64 or
/// 128, `p` at 60, encodings at 64 bits.
const FORMATS: &[&str] = &[
    "bfloat16",
    "binary16",
    "tf32",
    "binary32",
    "binary64",
    "binary128",
    "F(1)",
    "F(2)",
    "F(8)",
    "F(32)",
    "F(33)",
    "F(53)",
    "F(96)",
    "e5m7",
    "e3m29",
    "e3m30",
    "e3m59",
    "e4m59",
    "e6m59",
    "e3m60",
    "e4m61",
    "e4m62",
    "p=1,emin=-40,emax=90,specials=finite",
    "p=2,emin=-30,emax=32,specials=fn",
    "p=9,emin=-3,emax=60",
    "p=11,emin=-60,emax=3,specials=fnuz",
    "p=24,emin=10,emax=40,specials=finite",
    "p=64,emin=-16382,emax=16383",
    "p=113,emin=0,emax=0,specials=fn",
    "p=113,emin=-20,emax=5,specials=fnuz",
];

fn formats() -> impl Strategy<Value = Format> {
    select(FORMATS).prop_map(|name| name.parse().expect("a format"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50_000))]

    #[test]
    fn operations((format, [a, b, c]) in formats().prop_flat_map(|f| (Just(f), triples(f))), policy in any::<usize>()) {
        let pairs: Vec<Pair> = Pair::all(format).collect();
        let pair = &pairs[policy % pairs.len()];
        pair.add(a, b);
        pair.subtract(a, b);
        pair.multiply(a, b);
        pair.fused_multiply_add(a, b, c);
    }

    #[test]
    fn conversions((from, a) in formats().prop_flat_map(|f| (Just(f), operands(f))), to in formats()) {
        for pair in Pair::all(to) {
            pair.convert(from, a);
        }
    }
}
