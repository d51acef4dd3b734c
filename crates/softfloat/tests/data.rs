//! Single data: decoding, encoding, order, signs and activations.

mod common;

use common::{operands, small_formats};
use proptest::prelude::*;
use roundproof_exact::{self as exact, Datum, Rational};
use roundproof_format::{Class, Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_softfloat::*;

/// The formats to enumerate.
fn formats() -> Vec<Format> {
    small_formats().into_iter().chain([Format::BFLOAT16, Format::BINARY16]).collect()
}

fn value(significand: u128, exponent: i64) -> Rational {
    Rational::from(significand) * exact::power_of_two(exponent)
}

fn same_datum(ours: Unpacked, theirs: &Datum) -> bool {
    match (ours, theirs) {
        (Unpacked::Nan, Datum::Nan) => true,
        (Unpacked::Infinity { negative: a }, Datum::Infinity { negative: b }) => a == *b,
        (Unpacked::Zero { negative: a }, Datum::Zero { negative: b }) => a == *b,
        (Unpacked::Finite { negative, significand, exponent }, Datum::Finite(q)) => {
            let magnitude = value(significand, exponent);
            *q == if negative { -magnitude } else { magnitude }
        }
        _ => false,
    }
}

#[test]
fn decoding_is_the_definition_and_encoding_its_inverse() {
    for format in formats() {
        for encoding in format.encodings() {
            let ours = decode(format, encoding);
            let theirs = exact::decode(format, encoding).expect("a datum");
            assert!(same_datum(ours, &theirs), "{encoding:?} of {format}: {ours:?} instead of {theirs:?}");
            match ours {
                Unpacked::Finite { negative, significand, exponent } => {
                    assert!(significand >> format.precision() == 0);
                    assert_eq!(encode(format, negative, significand, exponent), Some(encoding), "{format}");
                    assert_eq!(encode(format, negative, significand << 7, exponent - 7), Some(encoding), "{format}");
                }
                Unpacked::Zero { negative } => assert_eq!(encode(format, negative, 0, 5), Some(encoding), "{format}"),
                _ => {}
            }
        }
    }
}

#[test]
fn encoding_never_rounds() {
    for format in small_formats() {
        for significand in 1..100 {
            for exponent in -25..25 {
                let theirs = exact::encode(format, &Datum::Finite(value(significand, exponent)));
                assert_eq!(
                    encode(format, false, significand, exponent),
                    theirs,
                    "{significand} * 2^{exponent} {format}"
                );
            }
        }
        for exponent in [i64::MIN, i64::MIN + 1, -1 << 40, 1 << 40, i64::MAX] {
            assert_eq!(encode(format, true, u128::MAX, exponent), None);
            assert_eq!(power_of_two(format, exponent), None);
        }
        assert_eq!(power_of_two(format, 0), Some(format.one(false)));
    }
}

#[test]
fn keys_count_the_data_in_the_order_of_their_values() {
    for format in formats() {
        let mut data: Vec<(i128, Encoding)> =
            format.encodings().filter_map(|e| order_key(format, e).map(|key| (key, e))).collect();
        data.sort();
        for pair in data.windows(2) {
            let ((key, a), (next, b)) = (pair[0], pair[1]);
            let zeros = key == 0 && next == 0;
            assert!(next == key + 1 || zeros, "{a:?}, {b:?} of {format}");
            assert_eq!(compare(format, a, b), Some(key.cmp(&next)));
            let (low, high) = (exact::decode(format, a).expect("a datum"), exact::decode(format, b).expect("a datum"));
            match (low.rational(), high.rational()) {
                (Some(low), Some(high)) => assert!(low < high || zeros, "{a:?}, {b:?} of {format}"),
                (None, _) => assert_eq!(low, Datum::Infinity { negative: true }),
                (_, None) => assert_eq!(high, Datum::Infinity { negative: false }),
            }
            if !zeros {
                let zero_above = if key == -1 { format.negative_zero().unwrap_or(format.zero()) } else { b };
                let zero_below = if next == 1 { format.zero() } else { a };
                assert_eq!((next_up(format, a), next_down(format, b)), (zero_above, zero_below), "{format}");
            }
            assert_eq!(from_order_key(format, next), Some(if next == 0 { format.zero() } else { b }));
        }
        let (Some(&(least, first)), Some(&(most, last))) = (data.first(), data.last()) else { panic!("no data") };
        assert_eq!((next_down(format, first), next_up(format, last)), (first, last));
        assert_eq!((from_order_key(format, least - 1), from_order_key(format, most + 1)), (None, None));
        assert_eq!(least, -most);
    }
}

#[test]
fn a_nan_has_no_order_and_no_neighbours() {
    for format in formats() {
        for nan in format.encodings().filter(|&e| format.is_nan(e)) {
            assert_eq!(order_key(format, nan), None);
            assert_eq!(compare(format, nan, nan), None);
            assert_eq!(compare(format, format.zero(), nan), None);
            assert_eq!((next_up(format, nan), next_down(format, nan)), (nan, nan));
            assert_eq!(relu(format, nan), format.nan().expect("a NaN"));
            assert_eq!(step(format, nan), format.zero());
            assert_eq!(flush(format, nan), nan);
        }
    }
}

#[test]
fn signs_activations_and_flushing_of_every_datum() {
    for format in formats() {
        for e in format.encodings().filter(|&e| !format.is_nan(e)) {
            let key = order_key(format, e).expect("not a NaN");
            let opposite = negate(format, e);
            assert_eq!(order_key(format, opposite), Some(-key));
            assert_eq!(negate(format, opposite), e, "{format}");
            let signed = format.class(e) != Class::Zero || format.has_negative_zero();
            assert_eq!(format.is_sign_minus(opposite) != format.is_sign_minus(e), signed);
            assert_eq!(abs(format, e), if format.is_sign_minus(e) { opposite } else { e });
            assert_eq!(step(format, e), if key >= 0 { format.one(false) } else { format.zero() });
            assert_eq!(relu(format, e), if key > 0 { e } else { format.zero() });
            assert_eq!(is_subnormal(format, e), format.class(e) == Class::Subnormal);
            let flushed = match (format.class(e), format.negative_zero()) {
                (Class::Subnormal, Some(zero)) if format.is_sign_minus(e) => zero,
                (Class::Subnormal, _) => format.zero(),
                _ => e,
            };
            assert_eq!(flush(format, e), flushed);
        }
    }
}

#[test]
fn the_one_nan_of_a_format_without_negative_zero_has_no_sign() {
    let format = Format::FLOAT8_E5M2FNUZ;
    let nan = format.nan().expect("a NaN");
    assert_eq!((negate(format, nan), abs(format, nan)), (nan, nan));
    // Elsewhere the sign is the NaN's own.
    assert_eq!(negate(Format::FLOAT8_E4M3FN, Encoding::from_bits(0x7f)), Encoding::from_bits(0xff));
}

/// Encodings of no datum, bits above the width among them, are NaN or, without NaN, +0; signs and neighbours leave them.
#[test]
fn encodings_of_nothing() {
    let extra = ["F(3)", "F(96)", "binary64", "binary128"].map(|name| name.parse().expect("a format"));
    for format in small_formats().into_iter().chain(extra) {
        let low = (0..1 << format.width().min(10)).map(Encoding::from_bits);
        let high = [1 << 36, 1 << 37, 1 << 64, 1 << 100, 1 << 127, u128::MAX].map(Encoding::from_bits);
        let stand_in = format.nan().unwrap_or(format.zero());
        let one = format.one(true);
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        let mode = RoundingMode::TowardNegative;
        for e in low.chain(high).filter(|&e| format.class(e) == Class::Invalid) {
            assert_eq!(arithmetic.add(mode, e, one), arithmetic.add(mode, stand_in, one), "{e:?} of {format}");
            assert_eq!(arithmetic.multiply(mode, one, e), arithmetic.multiply(mode, one, stand_in));
            assert_eq!(
                arithmetic.fused_multiply_add(BothNeighbours, one, e, e),
                arithmetic.fused_multiply_add(BothNeighbours, one, stand_in, stand_in)
            );
            assert_eq!(arithmetic.convert(mode, format, e), arithmetic.convert(mode, format, stand_in));
            assert_eq!(decode(format, e), decode(format, stand_in));
            assert_eq!(order_key(format, e), order_key(format, stand_in));
            assert_eq!((relu(format, e), step(format, e)), (relu(format, stand_in), step(format, stand_in)));
            for unchanged in [negate, abs, next_up, next_down, flush] {
                assert_eq!(unchanged(format, e), e);
            }
        }
    }
}

#[test]
fn the_ends_of_an_unbounded_format() {
    let format = Format::unbounded(5).expect("a format");
    let arithmetic = Arithmetic::new(format, Overflow::Nan).expect("every policy");
    let (end, start) = ((1 << 31) - 1, 1 - (1 << 31));
    let [big, small] = [end, start].map(|k| power_of_two(format, k).expect("within the field"));
    assert_eq!((power_of_two(format, end + 1), power_of_two(format, start - 1)), (None, None));
    let last = encode(format, false, 31, end - 4).expect("the largest magnitude");
    for &mode in RoundingMode::ALL {
        let overflow = Status::OVERFLOW | Status::INEXACT;
        assert_eq!(arithmetic.multiply(mode, big, negate(format, big)).encoding, negate(format, last));
        assert_eq!(arithmetic.add(mode, last, last), Outcome { encoding: last, status: overflow });
        let underflow = Status::UNDERFLOW | Status::INEXACT;
        assert_eq!(arithmetic.multiply(mode, small, small), Outcome { encoding: small, status: underflow });
        assert_eq!(arithmetic.fused_multiply_add(mode, small, small, format.one(false)).status, Status::INEXACT);
    }
    assert_eq!((next_up(format, last), next_down(format, small)), (last, format.zero()));
    assert_eq!(next_up(format, negate(format, small)), format.zero());
    assert_eq!(next_up(format, format.zero()), small);
}

#[test]
fn invalid_operations_and_signaling_nans() {
    let format = Format::BINARY32;
    let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("an IEEE format");
    let mode = RoundingMode::TiesToEven;
    let [zero, one, quiet] = [format.zero(), format.one(false), format.nan().expect("a NaN")];
    let [inf, minus] = [false, true].map(|negative| format.infinity(negative).expect("an infinity"));
    let signaling = Encoding::from_bits(0xff80_0001);
    let invalid = Outcome { encoding: quiet, status: Status::INVALID };
    let silent = Outcome { encoding: quiet, status: Status::NONE };
    assert_eq!(arithmetic.fused_multiply_add(mode, zero, inf, quiet), invalid);
    assert_eq!(arithmetic.fused_multiply_add(mode, one, inf, minus), invalid);
    assert_eq!(arithmetic.fused_multiply_add(mode, one, quiet, signaling), invalid);
    assert_eq!(arithmetic.fused_multiply_add(mode, one, quiet, one), silent);
    assert_eq!(arithmetic.subtract(mode, inf, inf), invalid);
    assert_eq!(arithmetic.multiply(mode, inf, zero), invalid);
    assert_eq!(arithmetic.add(mode, signaling, quiet), invalid);
    assert_eq!(arithmetic.add(mode, quiet, one), silent);
    assert_eq!(arithmetic.convert(mode, format, signaling), invalid);
    let none = Arithmetic::new(Format::FLOAT4_E2M1FN, Overflow::Saturate).expect("every format saturates");
    assert_eq!(none.convert(mode, format, quiet), Outcome { encoding: zero, status: Status::INVALID });
}

#[test]
fn a_policy_that_the_format_cannot_express_is_refused() {
    let error = Arithmetic::new(Format::FLOAT8_E4M3FN, Overflow::Ieee).expect_err("no infinity");
    assert_eq!(error, UnsupportedPolicy { format: Format::FLOAT8_E4M3FN, overflow: Overflow::Ieee });
    assert_eq!(
        error.to_string(),
        "float8_e4m3fn has no infinity, so its results cannot overflow as `ieee` says; take `saturate` or `nan`"
    );
    assert!(Arithmetic::new(Format::FLOAT4_E2M1FN, Overflow::Nan).is_err());
}

proptest! {
    #[test]
    fn keys_and_neighbours_of_wider_formats(
        (format, e) in prop::sample::select(vec!["binary32", "binary64", "binary128", "F(1)", "F(96)", "e5m7"])
            .prop_map(|name| name.parse::<Format>().expect("a format"))
            .prop_flat_map(|format| (Just(format), operands(format))),
    ) {
        let theirs = exact::decode(format, e).expect("a datum");
        prop_assert!(same_datum(decode(format, e), &theirs));
        let Some(key) = order_key(format, e) else { return Ok(()) };
        if !format.is_zero(e) {
            prop_assert_eq!(from_order_key(format, key), Some(e));
        }
        let (up, down) = (next_up(format, e), next_down(format, e));
        prop_assert!(order_key(format, up) == Some(key + 1) || up == e);
        prop_assert!(order_key(format, down) == Some(key - 1) || down == e);
        prop_assert_eq!(order_key(format, negate(format, e)), Some(-key));
        if let Unpacked::Finite { negative, significand, exponent } = decode(format, e) {
            prop_assert_eq!(encode(format, negative, significand, exponent), Some(e));
        }
    }
}
