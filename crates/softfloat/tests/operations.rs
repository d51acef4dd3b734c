//! Every operation beyond sums and products against the definition: formats of up to 8 bits completely, wider ones by
//! data gathered where roundings are hard.

mod common;

use common::{Pair, operands, small_formats, triples};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_softfloat::*;

/// Every datum of every small format, under every policy.
fn every_datum(check: impl Fn(&Pair, Encoding)) {
    for format in small_formats() {
        for pair in Pair::all(format) {
            format.encodings().for_each(|a| check(&pair, a));
        }
    }
}

/// The same for pairs.
fn every_pair(check: impl Fn(&Pair, Encoding, Encoding)) {
    every_datum(|pair, a| pair.ours.format().encodings().for_each(|b| check(pair, a, b)));
}

#[test]
fn quotients() {
    every_pair(|pair, a, b| {
        let format = pair.ours.format();
        let default = Arithmetic::new(format, format.default_overflow()).expect("the default");
        let status = default.divide(BothNeighbours, a, b).status;
        // Where the policy matters, or the first time.
        let acts = status.contains(Status::OVERFLOW) || status.contains(Status::DIVIDE_BY_ZERO);
        if acts || pair.ours.overflow() == default.overflow() {
            return pair.divide(a, b);
        }
        for &mode in RoundingMode::ALL {
            let (ours, first) = (pair.ours.divide(mode, a, b), default.divide(mode, a, b));
            assert_eq!(ours, first, "{}", pair.describe("divide", mode, &[a, b]));
        }
    });
}

#[test]
fn remainders() {
    every_pair(|pair, a, b| {
        if pair.ours.overflow() == pair.ours.format().default_overflow() {
            pair.remainder(a, b);
        } else {
            // It is exact and never overflows: no policy matters.
            let default = Arithmetic::new(pair.ours.format(), pair.ours.format().default_overflow());
            assert_eq!(pair.ours.remainder(a, b), default.expect("the default").remainder(a, b));
        }
    });
}

#[test]
fn square_roots() {
    every_datum(Pair::square_root);
    for format in [Format::BINARY16, Format::BFLOAT16] {
        let pair = Pair::new(format, Overflow::Ieee);
        format.encodings().step_by(3).for_each(|a| pair.square_root(a));
    }
}

#[test]
fn integral_values() {
    every_datum(Pair::round_to_integral);
    let pair = Pair::new(Format::BINARY16, Overflow::Ieee);
    Format::BINARY16.encodings().step_by(3).for_each(|a| pair.round_to_integral(a));
}

#[test]
fn exponents() {
    every_datum(|pair, a| {
        pair.log_b(a);
        (-40..=40).for_each(|n| pair.scale_b(a, n));
        for end in [i64::MIN, i64::MAX] {
            let near = if end < 0 { -100_000 } else { 100_000 };
            for &mode in RoundingMode::ALL {
                assert_eq!(pair.ours.scale_b(mode, a, end), pair.ours.scale_b(mode, a, near));
            }
        }
        let log_b = pair.ours.log_b_datum(RoundingMode::TiesToEven, a);
        if let Some(e) = pair.ours.log_b(a) {
            assert_eq!(log_b, pair.ours.from_integer(RoundingMode::TiesToEven, e.into()));
        }
    });
}

#[test]
fn integers() {
    every_datum(|pair, a| {
        // No policy matters here.
        if pair.ours.overflow() == pair.ours.format().default_overflow() {
            for bits in [1, 2, 3, 8, 128] {
                pair.to_integer(a, bits, false);
                pair.to_integer(a, bits, true);
            }
        }
    });
    for format in small_formats() {
        for pair in Pair::all(format) {
            (-600..=600).for_each(|n| pair.integer(n));
            for n in [i128::MIN, i128::MAX, 1 << 64, 57345, 61440, 61439] {
                pair.integer(n);
                pair.integer(n.wrapping_neg());
            }
            [0, 1, 99, u128::MAX, 1 << 127].into_iter().for_each(|n| pair.unsigned(n));
        }
    }
    assert_eq!(IntegerFormat::new(0, true), Err(UnsupportedWidth { bits: 0 }));
    let error = IntegerFormat::new(129, false).expect_err("too wide");
    assert_eq!(error.to_string(), "integers of 129 bits are not supported: 1 to 128 are");
}

/// Beside the definition, which might share an error: the flags of clause 7 in binary32.
#[test]
fn invalid_operations_and_division_by_zero() {
    let format = Format::BINARY32;
    let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("an IEEE format");
    let mode = RoundingMode::TiesToEven;
    let [zero, one, quiet] = [format.zero(), format.one(false), format.nan().expect("a NaN")];
    let minus_zero = format.negative_zero().expect("a zero");
    let [inf, minus_inf] = [false, true].map(|negative| format.infinity(negative).expect("an infinity"));
    let signaling = Encoding::from_bits(0xff80_0001);
    let invalid = Outcome { encoding: quiet, status: Status::INVALID };
    let silent = Outcome { encoding: quiet, status: Status::NONE };
    let exact = |encoding| Outcome { encoding, status: Status::NONE };
    let pole = |encoding| Outcome { encoding, status: Status::DIVIDE_BY_ZERO };
    for (a, b) in [(zero, minus_zero), (inf, minus_inf), (signaling, zero), (quiet, signaling)] {
        assert_eq!(arithmetic.divide(mode, a, b), invalid);
    }
    assert_eq!(arithmetic.divide(mode, quiet, zero), silent);
    assert_eq!(arithmetic.divide(mode, one, minus_zero), pole(minus_inf));
    assert_eq!(arithmetic.divide(mode, inf, minus_zero), exact(minus_inf));
    assert_eq!(arithmetic.divide(mode, minus_zero, one), exact(minus_zero));
    assert_eq!(
        arithmetic.divide(BothNeighbours, one, zero),
        Faithful { below: inf, above: inf, status: Status::DIVIDE_BY_ZERO }
    );
    assert_eq!(arithmetic.square_root(mode, minus_zero), exact(minus_zero));
    assert_eq!(arithmetic.square_root(mode, minus_inf), invalid);
    assert_eq!(arithmetic.square_root(mode, format.one(true)), invalid);
    assert_eq!(arithmetic.square_root(mode, signaling), invalid);
    assert_eq!(arithmetic.square_root(mode, quiet), silent);
    assert_eq!(arithmetic.remainder(inf, one), invalid);
    assert_eq!(arithmetic.remainder(one, zero), invalid);
    assert_eq!(arithmetic.remainder(quiet, zero), silent);
    assert_eq!(arithmetic.remainder(one, minus_inf), exact(one));
    assert_eq!(arithmetic.remainder(format.one(true), one), exact(minus_zero));
    assert_eq!(arithmetic.log_b_datum(mode, minus_zero), pole(minus_inf));
    assert_eq!(arithmetic.log_b_datum(mode, minus_inf), exact(inf));
    assert_eq!((arithmetic.log_b(zero), arithmetic.log_b(Encoding::from_bits(1))), (None, Some(-149)));
    assert_eq!(arithmetic.round_to_integral(mode, signaling), invalid);
    let byte = IntegerFormat::new(8, true).expect("a width");
    assert_eq!(arithmetic.to_integer(mode, minus_inf, byte, true), (Integer::Signed(-128), Status::INVALID));
    assert_eq!(arithmetic.to_integer(mode, quiet, byte, true), (Integer::Signed(0), Status::INVALID));
}

/// What becomes of a division by zero where there is no infinity, or none for the policy.
#[test]
fn division_by_zero_under_every_policy() {
    let quotient = |format: Format, policy, negative| {
        let arithmetic = Arithmetic::new(format, policy).expect("a policy of the format");
        let Outcome { encoding, status } =
            arithmetic.divide(RoundingMode::TowardZero, format.one(negative), format.zero());
        assert_eq!(status, Status::DIVIDE_BY_ZERO);
        Some(encoding)
    };
    let [ieee, fnuz] = [Format::FLOAT8_E5M2, Format::FLOAT8_E4M3FNUZ];
    assert_eq!(quotient(ieee, Overflow::Ieee, true), ieee.infinity(true));
    assert_eq!(quotient(ieee, Overflow::Saturate, true), ieee.largest(true));
    assert_eq!(quotient(ieee, Overflow::Nan, true), ieee.nan());
    assert_eq!(quotient(fnuz, Overflow::Saturate, true), fnuz.largest(true));
    assert_eq!(quotient(fnuz, Overflow::Nan, true), fnuz.nan());
    let unbounded = Format::unbounded(5).expect("a format");
    for &policy in Overflow::ALL {
        assert_eq!(quotient(unbounded, policy, true), Some(unbounded.zero()));
    }
}

/// Powers of two have residues that are known: 2^k mod 3 is 1 or 2, and 2^(16 k) mod 257 is 1. The widest distance of
/// exponents is far beyond a shift.
#[test]
fn remainders_across_the_exponents_of_an_unbounded_format() {
    for precision in [9, 53, 90] {
        let format = Format::unbounded(precision).expect("a format");
        let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("every policy");
        let value = |negative, n, k| encode(format, negative, n, k).expect("a value");
        for k in [0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 1 << 30, (1 << 31) - 2, (1 << 31) - 1] {
            // 2^k and 3: 1, or 2 - 3.
            let rest = arithmetic.remainder(value(false, 1, k), value(true, 3, 0));
            assert_eq!(rest, Outcome { encoding: value(k % 2 != 0, 1, 0), status: Status::NONE }, "2^{k}");
        }
        for k in [0, 16, 1 << 10, 1 << 30, (1 << 31) - 16] {
            let rest = arithmetic.remainder(value(true, 1, k), value(false, 257, 0));
            assert_eq!(rest.encoding, format.one(true), "2^{k}");
            // The distance is -1 modulo 16, and 2^-1 is 129 modulo 257: nearer to 257 than to 0.
            let bottom = 1 - (1 << 31);
            let rest = arithmetic.remainder(value(true, 1, k), value(false, 257, bottom));
            assert_eq!(rest, Outcome { encoding: value(false, 128, bottom), status: Status::NONE }, "2^{k}");
        }
    }
}

fn wider() -> impl Strategy<Value = Format> {
    let names = [
        "bfloat16",
        "binary16",
        "tf32",
        "binary32",
        "binary64",
        "F(1)",
        "F(2)",
        "F(8)",
        "F(33)",
        "F(53)",
        "F(96)",
        "e3m29",
        "e3m59",
        "e4m59",
        "e3m60",
        "e4m62",
        "binary128",
        "p=1,emin=-40,emax=90,specials=finite",
        "p=9,emin=-3,emax=60",
        "p=11,emin=-60,emax=3,specials=fnuz",
        "p=24,emin=10,emax=40,specials=finite",
        "p=64,emin=-16382,emax=16383",
        "p=113,emin=0,emax=0,specials=fn",
        "p=113,emin=-20,emax=5,specials=fnuz",
    ];
    select(names.to_vec()).prop_map(|name| name.parse().expect("a format"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn wider_formats(
        (format, [a, b, c]) in wider().prop_flat_map(|f| (Just(f), triples(f))),
        policy in any::<usize>(),
        n in prop_oneof![-20..20i64, -300..300i64],
        (bits, signed) in (1..=128u32, any::<bool>()),
    ) {
        let pairs: Vec<Pair> = Pair::all(format).collect();
        let pair = &pairs[policy % pairs.len()];
        pair.divide(a, b);
        pair.square_root(abs(format, a));
        // A square, or next to one.
        pair.square_root(pair.ours.multiply(RoundingMode::TowardZero, c, c).encoding);
        pair.remainder(a, b);
        pair.round_to_integral(a);
        pair.scale_b(a, n);
        pair.log_b(a);
        pair.to_integer(a, bits, signed);
    }

    #[test]
    fn wide_integers(format in wider(), n in any::<i128>(), shift in 0..127u32, m in any::<u128>()) {
        for pair in Pair::all(format) {
            pair.integer(n >> shift);
            pair.unsigned(m >> shift);
        }
    }

    /// A quotient or a root whose digits end where the significand does, or a tie: made from a product.
    #[test]
    fn quotients_of_products((format, a, b) in wider().prop_flat_map(|f| (Just(f), operands(f), operands(f)))) {
        let pair = Pair::new(format, format.default_overflow());
        let product = pair.ours.multiply(RoundingMode::TiesToEven, a, b).encoding;
        for near in [product, next_up(format, product), next_down(format, product)] {
            if format.is_bounded() || near == product {
                pair.divide(near, a);
                pair.remainder(near, a);
            }
        }
    }
}
