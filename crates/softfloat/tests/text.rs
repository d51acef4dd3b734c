//! Conversions from and to character sequences, against the definition, the host and themselves.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

mod common;

use std::num::NonZeroU32;

use common::{Pair, operands, small_formats};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_exact as exact;
use roundproof_format::{Class, Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_softfloat::{
    Arithmetic, BothNeighbours, Faithful, Outcome, ParseNumberCause, to_decimal, to_decimal_digits, to_hexadecimal,
};

const FORMATS: &[&str] = &[
    "e4m3fn",
    "e5m2fnuz",
    "bfloat16",
    "binary16",
    "binary32",
    "binary64",
    "binary128",
    "F(1)",
    "F(8)",
    "F(53)",
    "F(96)",
    "p=1,emin=-40,emax=90,specials=finite",
    "p=2,emin=-30,emax=32,specials=fn",
    "p=9,emin=-3,emax=60",
    "p=24,emin=10,emax=40,specials=finite",
    "p=113,emin=0,emax=0,specials=fn",
];

fn arithmetic(format: Format) -> Arithmetic {
    Arithmetic::new(format, format.default_overflow()).unwrap()
}

fn reads_back(arithmetic: &Arithmetic, text: &str, encoding: Encoding) -> bool {
    arithmetic.parse(RoundingMode::TiesToEven, text).unwrap().encoding == encoding
}

/// The digits of a decimal without leading and trailing zeros, and the exponent of the last one.
fn digits_of(text: &str) -> (String, i64) {
    let unsigned = text.trim_start_matches('-');
    let (body, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let all = [whole, fraction].concat();
    let kept = all.trim_end_matches('0');
    let exponent = exponent.parse::<i64>().unwrap() - fraction.len() as i64 + (all.len() - kept.len()) as i64;
    (kept.trim_start_matches('0').to_string(), exponent)
}

/// Round trips of both notations; no decimal with one digit fewer reads back; of as many digits, none is nearer.
fn check_output(arithmetic: &Arithmetic, encoding: Encoding) {
    let format = arithmetic.format();
    if format.class(encoding) == Class::Invalid {
        return;
    }
    let text = to_decimal(format, encoding).unwrap();
    let wanted = if format.class(encoding) == Class::Nan { format.nan().unwrap() } else { encoding };
    assert!(reads_back(arithmetic, &text, wanted), "{format}: {encoding:?} as {text}");
    let hexadecimal = to_hexadecimal(format, encoding);
    assert!(reads_back(arithmetic, &hexadecimal, wanted), "{format}: {encoding:?} as {hexadecimal}");
    let Some(exact::Datum::Finite(value)) = exact::decode(format, encoding) else { return };
    let value = value.abs();
    assert_eq!(exact::parse_number(&hexadecimal).unwrap().magnitude, value);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let real = |digits: &exact::Integer, exponent: i64| exact::parse_number(&format!("{digits}e{exponent}")).unwrap();
    let (digits, exponent) = digits_of(&text);
    let integer: exact::Integer = digits.parse().unwrap();
    let distance = (real(&integer, exponent).magnitude - &value).abs();
    for step in [-1, 1] {
        let other = exact::Integer::from(&integer + step);
        if other == 0 || !reads_back(arithmetic, &format!("{sign}{other}e{exponent}"), encoding) {
            continue;
        }
        // Beyond the largest finite value, saturation reads anything back.
        let theirs = (real(&other, exponent).magnitude - &value).abs();
        assert!(theirs > distance || (theirs == distance && integer.is_even()), "{format}: {other}e{exponent}, {text}");
    }
    // The neighbours with a coarser last place: the multiples of 10^(exponent + 1) around the value, where saturation
    // has no part in it.
    let shorter = &value / real(&exact::Integer::from(1), exponent + 1).magnitude;
    let floor = shorter.floor().numer().clone();
    for shorter in [floor.clone(), floor + 1] {
        let candidate = format!("{sign}{shorter}e{}", exponent + 1);
        let outcome = arithmetic.parse(RoundingMode::TiesToEven, &candidate).unwrap();
        let coarse = outcome.encoding == encoding && !outcome.status.contains(Status::OVERFLOW);
        assert!(shorter == 0 || !coarse, "{format}: {candidate} is shorter than {text}");
    }
}

#[test]
fn every_encoding_of_small_formats_and_of_sixteen_bits() {
    for format in small_formats().into_iter().chain([Format::BFLOAT16, Format::BINARY16]) {
        let arithmetic = arithmetic(format);
        for bits in 0..1u128 << format.width() {
            check_output(&arithmetic, Encoding::from_bits(bits));
        }
    }
}

fn formats() -> impl Strategy<Value = Format> {
    select(FORMATS).prop_map(|name| name.parse().unwrap())
}

/// Decimals and hexadecimals, near the format's data and its ties or anywhere.
fn numbers(format: Format) -> impl Strategy<Value = String> {
    let tie = operands(format).prop_filter_map("finite", move |encoding| {
        // One bit more than the format has, made a decimal: as many digits as it takes.
        let exact::Datum::Finite(value) = exact::decode(format, encoding)? else { return None };
        let places = value.denom().significant_bits() as usize + 1;
        let scaled = value
            * exact::Rational::from(exact::Integer::from_str_radix(&format!("1{}", "0".repeat(places)), 10).ok()?);
        let half = scaled.numer().clone();
        Some(format!("{half}e-{places}"))
    });
    prop_oneof![
        3 => "[+-]?[0-9]{1,40}(\\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?",
        1 => "[+-]?\\.[0-9]{1,30}(e[+-]?[0-9]{1,3})?",
        2 => "[+-]?0[xX][0-9a-fA-F]{1,40}(\\.[0-9a-fA-F]{0,40})?([pP][+-]?[0-9]{1,3})?",
        3 => (tie, "(0{0,9}[0-9])?").prop_map(|(text, tail)| {
            let (digits, places) = text.split_once("e-").unwrap();
            format!("{digits}{tail}e{}", -(places.parse::<i64>().unwrap() + tail.len() as i64))
        }),
        2 => (operands(format), any::<bool>()).prop_filter_map("finite", move |(encoding, half)| {
            // Exactly half way, in hexadecimal: one more bit behind the last place.
            let roundproof_softfloat::Unpacked::Finite { negative, significand, exponent } =
                roundproof_softfloat::decode(format, encoding) else { return None };
            let sign = if negative { "-" } else { "" };
            Some(format!("{sign}0x{:x}.{}p{exponent}", significand, if half { "8" } else { "7ffffffffffffffffff" }))
        }),
    ]
}

/// The host writes the same digits, but that it goes up at a tie between two decimals where the even one is wanted.
fn same_digits(format: Format, encoding: Encoding, ours: &str, host: &str) {
    if digits_of(ours) == digits_of(host) {
        return;
    }
    let real = |text: &str| exact::parse_number(text).unwrap().value();
    let value = exact::decode(format, encoding).unwrap().rational().unwrap();
    assert_eq!(real(ours) + real(host), value * 2, "{ours}, {host}");
    let ((ours, here), (host, there)) = (digits_of(ours), digits_of(host));
    let [ours, host] = [ours, host].map(|digits| digits.parse::<u64>().unwrap());
    assert!(here == there && ours.is_multiple_of(2) && host == ours + 1, "{ours}, {host}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn reading_is_the_definition((format, text) in formats().prop_flat_map(|f| (Just(f), numbers(f)))) {
        let number = exact::parse_number(&text).unwrap();
        for &policy in Overflow::ALL.iter().filter(|&&policy| format.expresses(policy)) {
            let ours = Pair::new(format, policy).ours;
            let theirs = |mode| {
                let exact::Rounded { encoding, status } = number.round(format, mode, policy);
                Outcome { encoding, status }
            };
            for &mode in RoundingMode::ALL {
                prop_assert_eq!(ours.parse(mode, &text).unwrap(), theirs(mode), "{} in {}, {}", text, format, mode);
            }
            let (below, above) = (theirs(RoundingMode::TowardNegative), theirs(RoundingMode::TowardPositive));
            let pair = Faithful { below: below.encoding, above: above.encoding, status: below.status | above.status };
            prop_assert_eq!(ours.parse(BothNeighbours, &text).unwrap(), pair);
        }
    }

    #[test]
    fn output_of_any_format((format, encoding) in formats().prop_flat_map(|f| (Just(f), operands(f)))) {
        check_output(&arithmetic(format), encoding);
    }

    /// `count` digits are the value rounded to a multiple of a power of ten: the definition's rounding is in twos, so
    /// the neighbours are compared.
    #[test]
    fn counted_digits((format, encoding) in formats().prop_flat_map(|f| (Just(f), operands(f))), count in 1..45u32) {
        let Some(exact::Datum::Finite(value)) = exact::decode(format, encoding) else { return Ok(()) };
        let read = |mode| {
            let (text, status) = to_decimal_digits(format, encoding, NonZeroU32::new(count).unwrap(), mode).unwrap();
            let body = text.split('e').next().unwrap().trim_start_matches('-').replace('.', "");
            let digits = body.trim_start_matches('0').len();
            assert_eq!(digits, count as usize, "{text}");
            (exact::parse_number(&text).unwrap().value(), text, status)
        };
        let ((below, low, status), (above, ..)) = (read(RoundingMode::TowardNegative), read(RoundingMode::TowardPositive));
        prop_assert!(below <= value && value <= above);
        prop_assert_eq!(status == Status::NONE, below == value);
        prop_assert_eq!(below == value, above == value);
        // One unit in the last place apart, which is finer toward zero of a power of ten.
        if below != above {
            let (inner, gap) = (below.clone().abs().min(above.clone().abs()), exact::Rational::from(&above - &below));
            let ratio = inner / &gap;
            prop_assert!(*ratio.denom() == 1 && ratio.numer().to_string().len() == count as usize, "{}", low);
        }
        let nearest = read(RoundingMode::TiesToEven).0;
        let distance = exact::Rational::from(&nearest - &value).abs();
        prop_assert!(distance <= exact::Rational::from(&value - &below) && distance <= exact::Rational::from(&above - &value));
        let inner = if value < 0 { above } else { below };
        prop_assert_eq!(read(RoundingMode::TowardZero).0, inner);
    }

    #[test]
    fn the_host_reads_alike(text in "-?[0-9]{1,25}(\\.[0-9]{0,25})?(e-?[0-9]{1,2}|e-?[0-3][0-9]{2})?") {
        let wanted: f64 = text.parse().unwrap();
        let ours = arithmetic(Format::BINARY64).parse(RoundingMode::TiesToEven, &text).unwrap();
        prop_assert_eq!(ours.encoding.bits(), u128::from(wanted.to_bits()));
        let wanted: f32 = text.parse().unwrap();
        let ours = arithmetic(Format::BINARY32).parse(RoundingMode::TiesToEven, &text).unwrap();
        prop_assert_eq!(ours.encoding.bits(), u128::from(wanted.to_bits()));
    }

    #[test]
    fn the_host_writes_alike(wide in any::<u64>(), narrow in any::<u32>(), power in 0..2047u64) {
        for bits in [wide, power << 52, (power << 52).wrapping_sub(1) & (u64::MAX >> 1), wide >> (power % 64)] {
            let host = f64::from_bits(bits);
            if host.is_finite() && host != 0.0 {
                let text = to_decimal(Format::BINARY64, Encoding::from_bits(bits.into())).unwrap();
                same_digits(Format::BINARY64, Encoding::from_bits(bits.into()), &text, &format!("{host:e}"));
            }
        }
        for bits in [narrow, narrow & 0xff80_0000, narrow & 0x007f_ffff] {
            let host = f32::from_bits(bits);
            if host.is_finite() && host != 0.0 {
                let text = to_decimal(Format::BINARY32, Encoding::from_bits(bits.into())).unwrap();
                same_digits(Format::BINARY32, Encoding::from_bits(bits.into()), &text, &format!("{host:e}"));
            }
        }
    }
}

#[test]
fn the_notation() {
    let arithmetic = arithmetic(Format::BINARY64);
    for (text, counted) in [
        ("0", "0"),
        ("-0", "-0"),
        ("inf", "inf"),
        ("-inf", "-inf"),
        ("nan", "nan"),
        ("0.1", "0.100"),
        ("-1.5", "-1.50"),
        ("0.00001", "0.0000100"),
        ("9.999e-6", "0.0000100"),
        ("10000000000000000", "1.00e16"),
        ("1e17", "1.00e17"),
        ("123456.5", "1.23e5"),
        ("5e-324", "4.94e-324"),
        ("1.7976931348623157e308", "1.80e308"),
    ] {
        let encoding = arithmetic.parse(RoundingMode::TiesToEven, text).unwrap().encoding;
        assert_eq!(to_decimal(Format::BINARY64, encoding).unwrap(), text);
        let three = NonZeroU32::new(3).unwrap();
        let (written, _) = to_decimal_digits(Format::BINARY64, encoding, three, RoundingMode::TiesToEven).unwrap();
        assert_eq!(written, counted);
    }
}

#[test]
fn special_values_are_converted() {
    for format in small_formats().into_iter().chain(FORMATS.iter().map(|name| name.parse().unwrap())) {
        for Pair { ours, .. } in Pair::all(format) {
            let mode = RoundingMode::TowardZero;
            for (text, bits) in [("inf", 0x7c00), ("-InFinity", 0xfc00), ("+NaN", 0x7e00), ("-snan", 0x7d00)] {
                let wanted = ours.convert(mode, Format::BINARY16, Encoding::from_bits(bits));
                assert_eq!(ours.parse(mode, text), Ok(wanted), "{text} in {format}");
            }
        }
    }
}

#[test]
fn endless_texts() {
    let huge = format!("1{}e-1000000", "0".repeat(1_000_000));
    let long = format!("0.{}1", "3".repeat(1_000_000));
    for name in FORMATS {
        let format: Format = name.parse().unwrap();
        let ours = arithmetic(format);
        let one = ours.parse(RoundingMode::TiesToEven, &huge).unwrap();
        assert_eq!(one, ours.parse(RoundingMode::TiesToEven, "1").unwrap(), "{format}");
        let third = ours.parse(RoundingMode::TowardZero, &long).unwrap();
        assert_eq!(third, ours.parse(RoundingMode::TowardZero, &long[..100]).unwrap(), "{format}");
        for text in ["1e999999999999999999999999", "-1e-999999999999999999999999"] {
            let outcome = ours.parse(RoundingMode::TowardPositive, text);
            if format.is_bounded() {
                let flag = if text.starts_with('-') { Status::UNDERFLOW } else { Status::OVERFLOW };
                assert_eq!(outcome.unwrap().status, flag | Status::INEXACT);
            } else {
                assert_eq!(outcome.unwrap_err().cause, ParseNumberCause::DecimalExponent);
            }
            let outcome = ours.parse(RoundingMode::TowardPositive, &text.replace("1e", "0x1p")).unwrap();
            assert!(outcome.status.contains(Status::INEXACT));
        }
    }
    let unbounded: Format = "F(53)".parse().unwrap();
    let far = arithmetic(unbounded).parse(RoundingMode::TiesToEven, "0x1p1000000").unwrap().encoding;
    assert!(to_decimal(unbounded, far).is_err());
    assert_eq!(to_hexadecimal(unbounded, far), "0x1p+1000000");
}

#[test]
fn what_is_no_number() {
    use ParseNumberCause::{Empty, NoDigits, NoExponentDigits, Unexpected};
    for (text, position, cause) in [
        ("", 0, Empty),
        ("-", 1, NoDigits),
        (".", 1, NoDigits),
        ("0x", 2, NoDigits),
        ("0x.", 3, NoDigits),
        ("1e", 2, NoExponentDigits),
        ("1e+", 3, NoExponentDigits),
        ("-0x1.8p-", 8, NoExponentDigits),
        ("--1", 1, Unexpected('-')),
        (" 1", 0, Unexpected(' ')),
        ("1 ", 1, Unexpected(' ')),
        ("e5", 0, Unexpected('e')),
        (".e5", 1, Unexpected('e')),
        ("1.2.3", 3, Unexpected('.')),
        ("1e5.0", 3, Unexpected('.')),
        ("1e--5", 3, Unexpected('-')),
        ("0x1g", 3, Unexpected('g')),
        ("1_000", 1, Unexpected('_')),
        ("12\u{661}", 2, Unexpected('\u{661}')),
        ("infinit", 0, Unexpected('i')),
        ("nan(1)", 0, Unexpected('n')),
    ] {
        let error = arithmetic(Format::BINARY32).parse(RoundingMode::TiesToEven, text).unwrap_err();
        assert_eq!((error.position, error.cause), (position, cause), "{text:?}");
        assert!(error.to_string().starts_with(&format!("at byte {position}: ")));
    }
}
