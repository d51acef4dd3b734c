use proptest::prelude::*;
use roundproof_format::{Class, Encoding, Format, NAMED, Overflow, RoundingMode, Specials, Status};
use rug::Rational;

use super::*;

fn small_formats() -> Vec<Format> {
    let custom = ["p=1,emin=-3,emax=3,specials=finite", "p=3,emin=1,emax=2,specials=finite", "p=3,emin=-2,emax=2"];
    let named = NAMED.iter().map(|(_, format, _)| *format).filter(|format| format.width() <= 8);
    named.chain(custom.iter().map(|text| text.parse().expect(text))).collect()
}

fn finite_values(format: Format) -> Vec<(Rational, Encoding)> {
    let mut values: Vec<(Rational, Encoding)> =
        format.encodings().filter_map(|encoding| Some((decode(format, encoding)?.rational()?, encoding))).collect();
    values.sort();
    values
}

#[test]
fn values_are_those_of_the_machine() {
    for bits in [0u32, 1, 0x7fffff, 0x800000, 0x3f800000, 0x40490fdb, 0x7f7fffff, 0x80000001, 0xc2f6e979] {
        let value = decode(Format::BINARY32, Encoding::from_bits(bits.into())).and_then(|d| d.rational());
        assert_eq!(value, Rational::from_f32(f32::from_bits(bits)), "{bits:#x}");
    }
}

#[test]
fn every_datum_encodes_back() {
    for format in small_formats() {
        for encoding in format.encodings() {
            let datum = decode(format, encoding).expect("a valid encoding");
            let back = encode(format, &datum).expect("its own datum");
            let canonical = if datum == Datum::Nan { format.nan() } else { Some(encoding) };
            assert_eq!(Some(back), canonical, "{format} {encoding:?}");
        }
    }
}

#[test]
fn keys_order_as_values_do_and_neighbours_follow() {
    for format in small_formats() {
        let values = finite_values(format);
        for pair in values.windows(2) {
            let keys = [pair[0].1, pair[1].1].map(|e| order_key(format, e).expect("finite"));
            let step = i128::from(pair[0].0 != pair[1].0);
            assert_eq!(keys[1] - keys[0], step, "{format} {pair:?}");
        }
    }
}

/// The definition of clause 4.3 over the list of all values, with nothing of the implementation's grid in it.
fn nearest_in_list(values: &[(Rational, Encoding)], q: &Rational, mode: RoundingMode) -> Rational {
    let below = values.iter().rev().find(|(v, _)| v <= q).map(|(v, _)| v).expect("within range");
    let above = values.iter().find(|(v, _)| v >= q).map(|(v, _)| v).expect("within range");
    let (to_below, to_above) = (q.clone() - below, above.clone() - q);
    let even = |v: &Rational| {
        let (_, encoding) = values.iter().find(|(w, _)| w == v).expect("a value");
        encoding.bits() % 2 == 0
    };
    let farther = |a: &Rational, b: &Rational| if a.clone().abs() > b.clone().abs() { a.clone() } else { b.clone() };
    let tie = to_below == to_above;
    match mode {
        RoundingMode::TowardPositive => above.clone(),
        RoundingMode::TowardNegative => below.clone(),
        RoundingMode::TowardZero => {
            if *q < 0 {
                above.clone()
            } else {
                below.clone()
            }
        }
        RoundingMode::TiesToAway if tie => farther(above, below),
        RoundingMode::TiesToEven if tie && even(above) == even(below) => farther(above, below),
        RoundingMode::TiesToEven if tie => {
            if even(above) {
                above.clone()
            } else {
                below.clone()
            }
        }
        _ => {
            if to_below < to_above {
                below.clone()
            } else {
                above.clone()
            }
        }
    }
}

#[test]
fn rounding_is_the_choice_between_listed_neighbours() {
    for format in small_formats() {
        let values = finite_values(format);
        for pair in values.windows(2).filter(|pair| pair[0].0 != pair[1].0) {
            let gap = pair[1].0.clone() - &pair[0].0;
            for eighths in 0..=8u32 {
                let q = pair[0].0.clone() + gap.clone() * Rational::from((eighths, 8));
                for &mode in RoundingMode::ALL {
                    // With p = 1 every trailing significand is empty, and bits tell nothing about evenness.
                    if format.precision() == 1 && mode == RoundingMode::TiesToEven && eighths == 4 {
                        continue;
                    }
                    let Rounded { encoding, status } = round(&q, format, mode, format.default_overflow());
                    let got = decode(format, encoding).and_then(|d| d.rational()).expect("finite");
                    assert_eq!(got, nearest_in_list(&values, &q, mode), "{format} {q} {mode}");
                    assert_eq!(status.contains(Status::INEXACT), got != q);
                }
            }
        }
    }
}

#[test]
fn one_bit_of_precision_breaks_ties_upward_in_magnitude() {
    let format: Format = "p=1,emin=-3,emax=3,specials=finite".parse().expect("a format");
    let rounded = round(&Rational::from((-3, 2)), format, RoundingMode::TiesToEven, Overflow::Saturate);
    assert_eq!(decode(format, rounded.encoding), Some(Datum::Finite(Rational::from(-2))));
}

#[test]
fn overflow_obeys_direction_and_policy() {
    let f = Format::FLOAT8_E4M3FN;
    let at = |q: i32, mode, policy| round(&Rational::from(q), f, mode, policy).encoding.bits();
    use RoundingMode::*;
    assert_eq!(at(464, TiesToEven, Overflow::Nan), 0x7e);
    assert_eq!(at(464, TiesToAway, Overflow::Nan), 0x7f);
    assert_eq!(at(465, TiesToEven, Overflow::Nan), 0x7f);
    assert_eq!(at(465, TiesToEven, Overflow::Saturate), 0x7e);
    assert_eq!(at(-9999, TowardPositive, Overflow::Nan), 0xfe);
    assert_eq!(at(9999, TowardPositive, Overflow::Nan), 0x7f);
    let g = Format::FLOAT8_E5M2;
    let both = faithful(&Rational::from(-70000), g, Overflow::Ieee);
    assert_eq!((both.below, both.above), (g.infinity(true).unwrap(), g.largest(true).unwrap()));
    let status = round(&Rational::from(57345), g, TiesToEven, Overflow::Ieee).status;
    assert_eq!(status, Status::INEXACT);
}

#[test]
fn underflow_is_tininess_after_rounding() {
    let f = Format::BINARY32;
    let half_ulp = Rational::from(1) - power_of_two(-25);
    let near = half_ulp * power_of_two(-126);
    assert_eq!(round(&near, f, RoundingMode::TiesToEven, Overflow::Ieee).status, Status::INEXACT);
    let status = round(&near, f, RoundingMode::TowardZero, Overflow::Ieee).status;
    assert_eq!(status, Status::INEXACT | Status::UNDERFLOW);
    let negative = round(&-power_of_two(-200), f, RoundingMode::TiesToEven, Overflow::Ieee);
    assert_eq!(Some(negative.encoding), f.negative_zero());
    let fnuz = Format::FLOAT8_E4M3FNUZ;
    let rounded = round(&-power_of_two(-200), fnuz, RoundingMode::TiesToEven, Overflow::Saturate);
    assert_eq!(rounded.encoding, fnuz.zero());
}

#[test]
fn unbounded_formats_have_neither_overflow_nor_underflow() {
    let f = Format::unbounded(3).expect("a format");
    for exponent in [-100_000, -3, 0, 100_000] {
        let q = Rational::from(9) * power_of_two(exponent);
        let rounded = round(&q, f, RoundingMode::TiesToEven, Overflow::Ieee);
        assert_eq!(rounded.status, Status::INEXACT);
        assert_eq!(decode(f, rounded.encoding), Some(Datum::Finite(Rational::from(8) * power_of_two(exponent))));
    }
}

#[test]
fn special_operands() {
    let f = Format::FLOAT8_E5M2;
    let a = Arithmetic::new(f, Overflow::Ieee).expect("expressed");
    let mode = RoundingMode::TiesToEven;
    let (inf, minus_inf) = (f.infinity(false).unwrap(), f.infinity(true).unwrap());
    let nan = Rounded { encoding: f.nan().unwrap(), status: Status::INVALID };
    assert_eq!(a.add(mode, inf, minus_inf), nan);
    assert_eq!(a.multiply(mode, f.zero(), inf), nan);
    assert_eq!(a.fused_multiply_add(mode, f.zero(), inf, f.nan().unwrap()), nan);
    assert_eq!(a.subtract(mode, inf, minus_inf).encoding, inf);
    let signaling = Encoding::from_bits(0x7d);
    assert_eq!(f.class(signaling), Class::Nan);
    assert_eq!(a.add(mode, signaling, inf), nan);
    assert_eq!(a.add(RoundingMode::TowardNegative, f.one(false), f.one(true)).encoding, f.negative_zero().unwrap());
    assert_eq!(a.add(mode, f.one(false), f.one(true)).encoding, f.zero());
    let saturating = Arithmetic::new(f, Overflow::Saturate).expect("expressed");
    assert_eq!(
        saturating.convert(mode, Format::BINARY32, Format::BINARY32.infinity(true).unwrap()).encoding,
        f.largest(true).unwrap()
    );
    let refused = Arithmetic::new(Format::FLOAT8_E4M3FN, Overflow::Ieee).expect_err("no infinity");
    let says = "float8_e4m3fn has no infinity, so its results cannot overflow as `ieee` says; take `saturate` or `nan`";
    assert_eq!(refused.to_string(), says);
    let refused = Arithmetic::new(Format::FLOAT4_E2M1FN, Overflow::Nan).expect_err("no NaN");
    assert!(refused.to_string().ends_with("take `saturate`"), "{refused}");
}

#[test]
fn numbers_are_read_exactly() {
    let value = |text: &str| parse_number(text).map(|number| number.value());
    assert_eq!(value("0.1"), Ok(Rational::from((1, 10))));
    assert_eq!(value("-12.5e-3"), Ok(Rational::from((-1, 80))));
    assert_eq!(value("+0x1.8p-3"), Ok(Rational::from((3, 16))));
    assert_eq!(value(".5"), Ok(Rational::from((1, 2))));
    assert_eq!(value("5."), Ok(Rational::from(5)));
    assert_eq!(value("0e999999999"), Ok(Rational::new()));
    assert!(parse_number("-0").expect("zero").negative);
    for text in ["1e", "e5", "0x", "1.2.3", "1 2", "0x1p", "--1", "1e5.5", "١", "1_000", "0x1e+", "."] {
        assert_eq!(value(text), Err(NumberError::Syntax), "{text}");
    }
    assert_eq!(value(""), Err(NumberError::Empty));
    assert_eq!(value("-Inf"), Err(NumberError::NotFinite));
    assert_eq!(value("NaN"), Err(NumberError::NotFinite));
    for text in ["1e999999999", "1e-400001", "0x1p9999999", "1e99999999999999999999"] {
        assert_eq!(value(text), Err(NumberError::Exponent), "{text}");
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    (1u32..=113, -200i32..=1, 0i32..=200, 0usize..4)
        .prop_filter_map("a format", |(p, emin, emax, s)| Format::new(p, emin, emax, Specials::ALL[s]).ok())
}

proptest! {
    /// R1: rounding is monotone, and R2: values stay. Here over random formats, reals and directions.
    #[test]
    fn rounding_is_monotone_and_faithful(
        format in any_format(), a in -4000i64..4000, b in 1i64..4000, scale in -230i64..230, c in -4000i64..4000,
        mode in 0usize..5,
    ) {
        let mode = RoundingMode::ALL[mode];
        let policy = Overflow::Saturate;
        let q = Rational::from((a, b)) * power_of_two(scale);
        let other = Rational::from((c, b)) * power_of_two(scale);
        let key = |q: &Rational| order_key(format, round(q, format, mode, policy).encoding).expect("finite");
        prop_assert_eq!(q <= other, q <= other && key(&q) <= key(&other));
        let rounded = round(&q, format, mode, policy).encoding;
        let pair = faithful(&q, format, policy);
        prop_assert!(rounded == pair.below || rounded == pair.above || (format.is_zero(rounded) && format.is_zero(pair.above)));
        let value = decode(format, rounded).and_then(|d| d.rational()).expect("finite");
        prop_assert_eq!(decode(format, round(&value, format, mode, policy).encoding).and_then(|d| d.rational()), Some(value));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,20}|[-+0-9a-fxpe.]{0,20}") {
        let _ = parse_number(&text);
    }
}

#[test]
fn parts_are_the_datum_and_their_multiples_are_encoded_like_those_of_the_real() {
    for format in small_formats() {
        for encoding in format.encodings() {
            let real = decode(format, encoding).and_then(|datum| datum.rational());
            let found = parts(format, encoding);
            assert_eq!(found.is_some(), real.is_some(), "{format} {encoding:?}");
            let (Some(found), Some(real)) = (found, real) else { continue };
            for k in -20..=20 {
                let multiple = &real * power_of_two(k);
                let expected =
                    if multiple == 0 { Some(format.zero()) } else { encode(format, &Datum::Finite(multiple.clone())) };
                assert_eq!(encode_parts(format, found.scaled(k)), expected, "{format} {encoding:?} {k}");
                let power = (-200..200).find(|&e| power_of_two(e) == multiple.clone().abs());
                assert_eq!(found.scaled(k).power(), power, "{format} {encoding:?} {k}");
            }
        }
    }
}
