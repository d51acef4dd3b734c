//! Minima, maxima, orders, classes and flushing of every datum, and dot products, against the definition.

mod common;

use std::cmp::Ordering;

use common::{Pair, operands, small_formats};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_exact::{self as exact, Extremum};
use roundproof_format::{Class, Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_softfloat::*;

type Operation = fn(&Arithmetic, Encoding, Encoding) -> Outcome;

const OPERATIONS: [(Operation, Extremum); 8] = {
    const fn which(greater: bool, magnitude: bool, number: bool) -> Extremum {
        Extremum { greater, magnitude, number }
    }
    [
        (Arithmetic::minimum, which(false, false, false)),
        (Arithmetic::minimum_number, which(false, false, true)),
        (Arithmetic::maximum, which(true, false, false)),
        (Arithmetic::maximum_number, which(true, false, true)),
        (Arithmetic::minimum_magnitude, which(false, true, false)),
        (Arithmetic::minimum_magnitude_number, which(false, true, true)),
        (Arithmetic::maximum_magnitude, which(true, true, false)),
        (Arithmetic::maximum_magnitude_number, which(true, true, true)),
    ]
};

fn signaling(format: Format, encoding: Encoding) -> bool {
    ieee_class(format, encoding) == IeeeClass::SignalingNan
}

/// Everything asked of two data, under the default policy: none matters here.
fn check_pair(format: Format, a: Encoding, b: Encoding) {
    let pair = Pair::new(format, format.default_overflow());
    for (operation, which) in OPERATIONS {
        let (ours, theirs) = (operation(&pair.ours, a, b), pair.definition.extremum(which, a, b));
        assert_eq!(
            (ours.encoding, ours.status),
            (theirs.encoding, theirs.status),
            "{which:?} of {a:?}, {b:?} in {format}"
        );
    }
    let [x, y] = [a, b].map(|e| exact::decode(format, e).expect("a datum"));
    let order = exact::compare(&x, &y);
    let invalid = |raised| if raised { Status::INVALID } else { Status::NONE };
    assert_eq!(compare(format, a, b), order);
    assert_eq!(compare_quiet(format, a, b), (order, invalid(signaling(format, a) || signaling(format, b))));
    assert_eq!(compare_signaling(format, a, b), (order, invalid(order.is_none())));
    let case = || format!("{a:?}, {b:?} in {format}");
    assert_eq!(total_order(format, a, b), exact::total_order(format, a, b), "{}", case());
    let [u, v] = [a, b].map(|e| abs(format, e));
    assert_eq!(total_order_magnitude(format, a, b), exact::total_order(format, u, v), "{}", case());
    let copied = copy_sign(format, a, b);
    assert_eq!(abs(format, copied), abs(format, a));
    let has_sign = |e| format.has_negative_zero() || !(format.is_zero(e) || format.is_nan(e));
    if has_sign(a) {
        let minus = has_sign(b) && format.is_sign_minus(b);
        assert_eq!(format.is_sign_minus(copied), minus, "{}", case());
    } else {
        assert_eq!(copied, a);
    }
}

#[test]
fn every_pair() {
    for format in small_formats() {
        for a in format.encodings() {
            format.encodings().for_each(|b| check_pair(format, a, b));
        }
    }
}

#[test]
fn classes_and_neighbours_of_every_datum() {
    for format in small_formats().into_iter().chain([Format::BINARY16, Format::BFLOAT16]) {
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        for e in format.encodings() {
            let class = ieee_class(format, e);
            let without_sign = match class {
                IeeeClass::SignalingNan | IeeeClass::QuietNan => Class::Nan,
                IeeeClass::NegativeInfinity | IeeeClass::PositiveInfinity => Class::Infinite,
                IeeeClass::NegativeNormal | IeeeClass::PositiveNormal => Class::Normal,
                IeeeClass::NegativeSubnormal | IeeeClass::PositiveSubnormal => Class::Subnormal,
                IeeeClass::NegativeZero | IeeeClass::PositiveZero => Class::Zero,
            };
            assert_eq!(without_sign, format.class(e));
            let negative = (IeeeClass::NegativeInfinity..=IeeeClass::NegativeZero).contains(&class);
            assert_eq!(negative, format.class(e) != Class::Nan && format.is_sign_minus(e));
            assert_eq!(is_signaling(format, e), class == IeeeClass::SignalingNan);
            assert_eq!(is_normal(format, e), format.class(e) == Class::Normal);
            assert_eq!(is_infinite(format, e), format.class(e) == Class::Infinite);
            assert!(is_canonical(format, e));
            let (up, down) = (arithmetic.next_up(e), arithmetic.next_down(e));
            if format.is_nan(e) {
                let status = if is_signaling(format, e) { Status::INVALID } else { Status::NONE };
                assert_eq!((up, down), (arithmetic.add(RoundingMode::TowardZero, e, e), Outcome { status, ..up }));
            } else {
                let silent = |encoding| Outcome { encoding, status: Status::NONE };
                assert_eq!((up, down), (silent(next_up(format, e)), silent(next_down(format, e))));
            }
            let raised = Outcome { encoding: e, status: Status::OVERFLOW };
            let flushed = flush_outcome(format, raised);
            if format.class(e) == Class::Subnormal {
                let status = Status::OVERFLOW | Status::UNDERFLOW | Status::INEXACT;
                assert_eq!(flushed, Outcome { encoding: flush(format, e), status });
            } else {
                assert_eq!(flushed, raised);
            }
        }
    }
}

#[test]
fn signaling_nans_are_told_by_their_first_bit() {
    let class = |bits| ieee_class(Format::BINARY32, Encoding::from_bits(bits));
    assert_eq!([class(0x7fbf_ffff), class(0xff80_0001)], [IeeeClass::SignalingNan; 2]);
    assert_eq!([class(0x7fc0_0000), class(0xffff_ffff), class(1 << 32)], [IeeeClass::QuietNan; 3]);
    assert_eq!(class(0xff80_0000), IeeeClass::NegativeInfinity);
    assert_eq!(ieee_class(Format::FLOAT8_E4M3FN, Encoding::from_bits(0xff)), IeeeClass::QuietNan);
    assert_eq!(ieee_class(Format::FLOAT4_E2M1FN, Encoding::from_bits(0xff)), IeeeClass::PositiveZero);
}

/// An encoding of no datum is read as the stand-in that the other operations read.
#[test]
fn encodings_of_nothing() {
    for format in small_formats().into_iter().chain([Format::unbounded(3).expect("a format"), Format::BINARY128]) {
        let nothing = (0..1 << format.width().min(9)).map(Encoding::from_bits).filter(|&e| !is_canonical(format, e));
        let stand_in = format.nan().unwrap_or(format.zero());
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        let to = IntegerFormat::new(8, true).expect("a width");
        let mode = RoundingMode::TiesToEven;
        for e in nothing {
            for one in [format.one(true), format.one(false)] {
                for (operation, _) in OPERATIONS {
                    assert_eq!(
                        operation(&arithmetic, e, one),
                        operation(&arithmetic, stand_in, one),
                        "{e:?}, {format}"
                    );
                    assert_eq!(
                        operation(&arithmetic, one, e),
                        operation(&arithmetic, one, stand_in),
                        "{e:?}, {format}"
                    );
                }
                let both = |f: &dyn Fn(Encoding) -> Outcome| assert_eq!(f(e), f(stand_in), "{e:?}, {format}");
                both(&|e| arithmetic.divide(mode, e, one));
                both(&|e| arithmetic.divide(mode, one, e));
                both(&|e| arithmetic.remainder(e, one));
                both(&|e| arithmetic.remainder(one, e));
                assert_eq!(compare_quiet(format, e, one), compare_quiet(format, stand_in, one));
                assert_eq!(total_order(format, e, one), total_order(format, stand_in, one));
                assert_eq!(copy_sign(format, one, e), format.one(false));
            }
            let both = |f: &dyn Fn(Encoding) -> Outcome| assert_eq!(f(e), f(stand_in), "{e:?}, {format}");
            both(&|e| arithmetic.square_root(mode, e));
            both(&|e| arithmetic.round_to_integral_exact(mode, e));
            both(&|e| arithmetic.scale_b(mode, e, 1));
            both(&|e| arithmetic.log_b_datum(mode, e));
            both(&|e| arithmetic.next_up(e));
            both(&|e| arithmetic.next_down(e));
            assert_eq!(arithmetic.to_integer(mode, e, to, true), arithmetic.to_integer(mode, stand_in, to, true));
            assert_eq!(ieee_class(format, e), ieee_class(format, stand_in));
        }
    }
}

#[test]
fn containment_is_that_of_every_datum() {
    let formats = small_formats();
    for &narrow in &formats {
        for &wide in &formats {
            let all = narrow.encodings().all(|e| {
                let datum = exact::decode(narrow, e).expect("a datum");
                matches!(datum, exact::Datum::Zero { .. }) || exact::encode(wide, &datum).is_some()
            });
            assert_eq!(contains(wide, narrow), all, "{narrow} in {wide}");
        }
        assert!(contains(Format::BINARY32, narrow));
        assert_eq!(contains(Format::unbounded(8).expect("a format"), narrow), !narrow.has_nan());
        assert!(!contains(narrow, Format::unbounded(1).expect("a format")));
    }
}

#[test]
fn dot_products_that_are_refused() {
    let [half, single] =
        [Format::BINARY16, Format::BINARY32].map(|f| Arithmetic::new(f, Overflow::Ieee).expect("ieee"));
    let (mode, one) = (RoundingMode::TiesToEven, Format::BINARY16.one(false));
    let lengths = half.dot(mode, &single, mode, &[one, one], &[one]).expect_err("lengths");
    assert_eq!(lengths.to_string(), "a dot product of vectors of 2 and 1 elements");
    let formats = single.dot(mode, &half, mode, &[], &[]).expect_err("formats");
    assert_eq!(formats, DotError::NotContained { narrow: Format::BINARY32, wide: Format::BINARY16 });
    assert_eq!(formats.to_string(), "binary16 lacks data of binary32 to accumulate");
    let (empty, status) = half.dot(mode, &single, mode, &[], &[]).expect("nothing to refuse");
    assert_eq!((empty, status), (Outcome { encoding: Format::BINARY16.zero(), status: Status::NONE }, Status::NONE));
}

/// By the definition's products, sums and conversions.
fn definition_of_dot(
    [narrow, wide]: [&Pair; 2],
    [mode, inside]: [RoundingMode; 2],
    vectors: &[(Encoding, Encoding)],
) -> (exact::Rounded, Status) {
    let (from, to) = (narrow.ours.format(), wide.ours.format());
    let mut status = Status::NONE;
    let mut keep = |rounded: exact::Rounded| {
        status |= rounded.status;
        rounded.encoding
    };
    let mut sum = None;
    for &(a, b) in vectors {
        let [a, b] = [a, b].map(|e| match exact::decode(from, e).expect("a datum") {
            infinity @ exact::Datum::Infinity { .. } => exact::encode(to, &infinity).expect("contained"),
            _ => keep(wide.definition.convert(RoundingMode::TowardZero, from, e)),
        });
        let product = keep(wide.definition.multiply(inside, a, b));
        sum = Some(match sum {
            None => product,
            Some(sum) => keep(wide.definition.add(inside, sum, product)),
        });
    }
    let sum = sum.unwrap_or(to.zero());
    (narrow.definition.convert(mode, to, sum), status)
}

fn dot_formats() -> impl Strategy<Value = (Format, Format)> {
    let pairs = [
        ("float8_e4m3fn", "binary16"),
        ("float8_e5m2", "binary16"),
        ("float8_e5m2fnuz", "bfloat16"),
        ("float4_e2m1fn", "F(9)"),
        ("binary16", "binary32"),
        ("bfloat16", "binary32"),
        ("binary32", "binary64"),
        ("binary64", "binary128"),
        ("binary16", "binary16"),
    ];
    select(pairs.to_vec()).prop_map(|(narrow, wide)| [narrow, wide].map(|f| f.parse().expect("a format")).into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn wider_pairs((format, a, b) in select(vec!["binary32", "binary64", "binary128", "F(96)", "e5m7", "e4m62"])
        .prop_map(|name| name.parse::<Format>().expect("a format"))
        .prop_flat_map(|f| (Just(f), operands(f), operands(f)))) {
        check_pair(format, a, b);
        check_pair(format, a, negate(format, a));
    }

    #[test]
    fn dot_products(
        (formats, vectors) in dot_formats()
            .prop_flat_map(|f| (Just(f), prop::collection::vec((operands(f.0), operands(f.0)), 0..7))),
        policies in any::<(usize, usize)>(),
        (mode, inside) in (select(RoundingMode::ALL), select(RoundingMode::ALL)),
    ) {
        let pick = |format, k: usize| {
            let mut pairs: Vec<Pair> = Pair::all(format).collect();
            pairs.swap_remove(k % pairs.len())
        };
        let [narrow, wide] = [pick(formats.0, policies.0), pick(formats.1, policies.1)];
        let (a, b): (Vec<_>, Vec<_>) = vectors.iter().copied().unzip();
        let (ours, status) = narrow.ours.dot(mode, &wide.ours, inside, &a, &b).expect("contained");
        let (theirs, inner) = definition_of_dot([&narrow, &wide], [mode, inside], &vectors);
        prop_assert_eq!((ours.encoding, ours.status, status), (theirs.encoding, theirs.status, inner));
        let (both, inner) = narrow.ours.dot(BothNeighbours, &wide.ours, inside, &a, &b).expect("contained");
        prop_assert!(inner == status && [both.below, both.above].contains(&ours.encoding));
    }
}

#[test]
fn zeros_of_both_signs_are_ordered() {
    let format = Format::BINARY64;
    let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("an IEEE format");
    let (plus, minus) = (format.zero(), format.negative_zero().expect("a zero"));
    for (a, b) in [(plus, minus), (minus, plus)] {
        assert_eq!(arithmetic.minimum(a, b).encoding, minus);
        assert_eq!(arithmetic.maximum_magnitude_number(a, b).encoding, plus);
        assert_eq!(compare(format, a, b), Some(Ordering::Equal));
        assert_eq!(total_order(format, a, b), a == minus);
    }
}
