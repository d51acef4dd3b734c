use proptest::prelude::*;
use roundproof_exact::{Number, decode, parse_number};
use roundproof_format::{Encoding, Format, NAMED, Overflow, RoundingMode, Status};

use super::quick::{Quick, Target};
use super::round::Scalar;
use super::*;

/// What quick rounding gives is what the definition gives, and the error is within its bound, which is tight.
fn agrees(quick: Quick, number: &Number, format: Format) -> bool {
    let exact = number.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
    let Some(rounded) = quick.round(&Target::new(format)) else {
        return false;
    };
    assert!(!exact.status.contains(Status::OVERFLOW), "{number:?} {format}");
    assert_eq!(rounded.encoding, exact.encoding, "{number:?} {format}");
    assert_eq!(rounded.error.is_some(), exact.status.contains(Status::INEXACT), "{number:?} {format}");
    if let Some(bound) = rounded.error {
        let value = decode(format, rounded.encoding).and_then(|datum| datum.rational()).unwrap();
        let error = ((value - number.value()) / number.value()).abs();
        let floor = (error << 63u32).trunc().numer().to_u64().unwrap();
        assert!(floor == 0 || bound.may_exceed(floor - 1), "{number:?} {format}: a worse error would be missed");
        // A long divisor leaves a short quotient.
        let slack = if quick.divisor >> 64 == 0 { 1 << 8 } else { 1 << 30 };
        assert!(!bound.may_exceed(floor.saturating_add(slack)), "{number:?} {format}: the bound is loose");
    }
    true
}

fn number(format: Format, encoding: Encoding) -> Number {
    let magnitude = decode(format, encoding).and_then(|datum| datum.rational()).unwrap().abs();
    Number { negative: format.is_sign_minus(encoding), magnitude }
}

fn formats() -> Vec<Format> {
    let mut formats: Vec<Format> = NAMED.iter().map(|&(_, format, _)| format).collect();
    formats.extend(
        ["p=1,emin=-3,emax=3,specials=finite", "e5m7", "F(1)", "F(8)", "F(60)", "F(90)"]
            .map(|text| text.parse::<Format>().unwrap()),
    );
    formats
}

#[test]
fn every_binary16_is_rounded_quickly_as_by_the_definition() {
    for format in formats() {
        let mut quickly = 0;
        for encoding in Format::BINARY16.encodings().filter(|&encoding| Format::BINARY16.is_finite(encoding)) {
            let quick = Quick::datum(Source::Binary16, encoding.bits() as u64).unwrap();
            quickly += usize::from(agrees(quick, &number(Format::BINARY16, encoding), format));
        }
        assert!(quickly >= 1 << 14, "{format}: {quickly} rounded quickly");
    }
}

#[test]
fn small_decimals_are_rounded_quickly_as_by_the_definition() {
    for format in formats() {
        for whole in 0..300 {
            let texts = ["", ".5", ".25", ".125", ".0625", ".03125", ".1", ".0999", "e-3", "e2", ".e-9", ".7E+1"];
            for text in texts.iter().flat_map(|end| [format!("{whole}{end}"), format!("-{whole}{end}")]) {
                let quick = Quick::decimal(&text).unwrap();
                agrees(quick, &parse_number(&text).unwrap(), format);
            }
        }
    }
}

fn rounded_as_defined(scalars: &[Scalar], format: Format) -> Report {
    // The definition, one by one.
    let mut expected = Report::default();
    let mut rounder = Rounder::new(format);
    for (row, &scalar) in scalars.iter().enumerate() {
        let spot = || Spot { place: Place::Row(row), column: "x".to_string(), text: scalar.text() };
        let Ok(encoding) = rounder.scalar(scalar, Part::Input, spot) else { continue };
        let text = scalar.text();
        let exact = parse_number(&text).unwrap();
        let rounded = exact.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
        assert_eq!(encoding, rounded.encoding, "{text}");
        if rounded.status.contains(Status::INEXACT) {
            expected.inexact_inputs += 1;
            let value = decode(format, encoding).and_then(|datum| datum.rational()).unwrap();
            let relative_error = ((value - exact.value()) / exact.value()).abs();
            if expected.worst.as_ref().is_none_or(|worst| relative_error > worst.relative_error) {
                let (place, column) = (Place::Row(row), "x".to_string());
                let text = roundproof_files::json::shorten(&text);
                expected.worst = Some(Inexact { place, column, text, rounded: encoding, relative_error });
            }
        }
    }
    let report = rounder.report();
    assert_eq!(report, expected);
    report
}

fn any_format() -> impl Strategy<Value = Format> {
    (0..formats().len()).prop_map(|index| formats()[index])
}

proptest! {
    #[test]
    fn binary32_and_binary64_are_rounded_as_by_the_definition(bits in any::<u64>(), format in any_format()) {
        for (source, bits) in [(Source::Binary64, bits), (Source::Binary32, bits >> 32)] {
            let encoding = Encoding::from_bits(bits.into());
            let quick = Quick::datum(source, bits);
            prop_assert_eq!(quick.is_some(), source.format().is_finite(encoding));
            if let Some(quick) = quick {
                agrees(quick, &number(source.format(), encoding), format);
            }
        }
    }

    #[test]
    fn ties_and_their_neighbours_are_rounded_as_by_the_definition(
        bits in any::<u64>(), cut in 0u32..64, add in 0u64..3, exponent in -160i32..160, format in any_format()
    ) {
        let significand = ((bits >> cut) << cut.min(63)).saturating_add(add).saturating_sub(1).max(1);
        let quick = Quick { negative: false, significand, exponent, divisor: 1 };
        let magnitude = Rational::from(significand) * roundproof_exact::power_of_two(exponent.into());
        agrees(quick, &Number { negative: false, magnitude }, format);
    }

    #[test]
    fn texts_are_read_as_by_the_definition(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?", format in any_format()) {
        match (Quick::decimal(&text), parse_number(&text)) {
            (Some(quick), Ok(number)) => { agrees(quick, &number, format); }
            (Some(_), Err(error)) => prop_assert!(false, "{text}: {error}"),
            (None, _) => {}
        }
    }

    #[test]
    fn what_is_read_quickly_is_a_number(text in "[-+0-9.eEx ]{0,8}") {
        prop_assert!(Quick::decimal(&text).is_none() || parse_number(&text).is_ok(), "{text}");
    }

    #[test]
    fn reports_count_and_find_the_worst(bits in proptest::collection::vec((any::<u32>(), 0u32..24), 1..60), format in any_format()) {
        // With zeros at the end, equal relative errors occur.
        let scalar = |(bits, zeros): (u32, u32)| {
            Scalar::Datum { source: Source::Binary32, bits: ((bits >> zeros << zeros) & 0xc7ff_ffff).into() }
        };
        let scalars: Vec<Scalar> = bits.into_iter().map(scalar).collect();
        rounded_as_defined(&scalars, format);
    }
}

#[test]
fn of_equal_errors_the_first_is_the_worst_however_often_they_come() {
    let tenth = |scale: u64| Scalar::Datum { source: Source::Binary32, bits: 0x3dcc_cccd + (scale << 23) };
    let scalars: Vec<Scalar> = (0..40).map(|row| tenth(row % 5)).collect();
    let report = rounded_as_defined(&scalars, Format::BFLOAT16);
    assert_eq!((report.inexact_inputs, report.worst.unwrap().place), (40, Place::Row(0)));
}

#[test]
fn the_kind_of_a_file_is_in_its_name_or_its_first_bytes() {
    use std::path::Path;
    assert_eq!(Kind::of_name(Path::new("a.CSV")), Some(Kind::Csv));
    assert_eq!(Kind::of_name(Path::new("a.b.npz")), Some(Kind::Npz));
    assert_eq!(Kind::of_name(Path::new("npy")), None);
    assert_eq!(Kind::of_bytes(b"\x93NUMPY\x01\0"), Kind::Npy);
    assert_eq!(Kind::of_bytes(b"PK\x03\x04"), Kind::Npz);
    assert_eq!(Kind::of_bytes(b"x,y\n"), Kind::Csv);
}
