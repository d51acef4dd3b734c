//! Data as exact text.

use roundproof_format::{Encoding, Format};

use crate::{Datum, Integer, Rational, decode};

/// The longest decimal that is written out.
const LONGEST: usize = 40;

/// The value of an encoding, exactly: a decimal such as `-12.375` if it has at most 40 characters, else a hexadecimal
/// float such as `0x1.8p-300`. The zeros are `0` and `-0`; the data that are not numbers are `inf`, `-inf` and `nan`.
/// For an encoding that is none of the format's, its bits and a word to say so.
///
/// What it gives for a finite value, [`parse_number`](crate::parse_number) reads back as that value.
pub fn exact_decimal(format: Format, encoding: Encoding) -> String {
    match decode(format, encoding) {
        None => format!("{encoding:#x}, which is not an encoding of {format}"),
        Some(Datum::Nan) => "nan".to_string(),
        Some(Datum::Infinity { negative }) => if negative { "-inf" } else { "inf" }.to_string(),
        Some(Datum::Zero { negative }) => if negative { "-0" } else { "0" }.to_string(),
        Some(Datum::Finite(value)) => exact_dyadic(value),
    }
}

/// An integer over a power of two, exactly, spelled as [`exact_decimal`] does: what sums and products of values are.
/// Of a fraction with another denominator, the fraction.
pub fn exact_dyadic(value: Rational) -> String {
    if !value.denom().is_power_of_two() {
        return value.to_string();
    }
    if value == 0 {
        return "0".to_string();
    }
    let sign = if value < 0 { "-" } else { "" };
    let (numerator, denominator) = value.abs().into_numer_denom();
    let places = denominator.significant_bits() - 1;
    let text = decimal(&numerator, places).unwrap_or_else(|| hexadecimal(numerator, places));
    format!("{sign}{text}")
}

/// `numerator / 2^places` in decimal, if that is short; `numerator` is odd or `places` is 0.
fn decimal(numerator: &Integer, places: u32) -> Option<String> {
    // Each binary place takes one decimal place, and each decimal digit more than 3 bits.
    if places as usize > LONGEST || numerator.significant_bits() as usize > 4 * LONGEST {
        return None;
    }
    let scaled = numerator * Integer::from(Integer::u_pow_u(5, places));
    let digits = format!("{scaled:0>width$}", width = places as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places as usize);
    let text = if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") };
    (text.len() <= LONGEST).then_some(text)
}

/// `numerator / 2^places` as a hexadecimal float with the leading digit 1, without trailing zeros.
fn hexadecimal(numerator: Integer, places: u32) -> String {
    let exponent = i64::from(numerator.significant_bits()) - 1 - i64::from(places);
    let odd = numerator.clone() >> numerator.find_one(0).unwrap_or(0);
    let fraction_bits = odd.significant_bits() - 1;
    let fraction = (odd - (Integer::from(1) << fraction_bits)) << (fraction_bits.next_multiple_of(4) - fraction_bits);
    match fraction_bits.div_ceil(4) as usize {
        0 => format!("0x1p{exponent}"),
        width => format!("0x1.{fraction:0>width$x}p{exponent}"),
    }
}

/// The datum that an encoding is as a decimal, exactly, however long: `0.5`, `-12`, and, where [`exact_decimal`] would take a
/// hexadecimal float, all its digits with an exponent, `1.40129846432481707e-45`. Words as there.
pub fn full_decimal(format: Format, encoding: Encoding) -> String {
    match decode(format, encoding) {
        Some(Datum::Finite(value)) => {
            let sign = if value < 0 { "-" } else { "" };
            let (numerator, denominator) = value.abs().into_numer_denom();
            let places = denominator.significant_bits() - 1;
            if let Some(text) = decimal(&numerator, places) {
                return format!("{sign}{text}");
            }
            let digits = (numerator * Integer::from(Integer::u_pow_u(5, places))).to_string();
            let exponent = digits.len() as i64 - 1 - i64::from(places);
            let (first, rest) = digits.split_at(1);
            let rest = rest.trim_end_matches('0');
            let point = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{point}{rest}e{exponent}")
        }
        _ => exact_decimal(format, encoding),
    }
}

/// The datum that an encoding is as a hexadecimal float with the leading digit 1, exactly; zeros, infinities and NaN as
/// [`exact_decimal`] has them.
pub fn exact_hexadecimal(format: Format, encoding: Encoding) -> String {
    match decode(format, encoding) {
        Some(Datum::Finite(value)) => {
            let sign = if value < 0 { "-" } else { "" };
            let (numerator, denominator) = value.abs().into_numer_denom();
            format!("{sign}{}", hexadecimal(numerator, denominator.significant_bits() - 1))
        }
        _ => exact_decimal(format, encoding),
    }
}

/// A positive real, cut to two significant digits: `3.1e-3`. For reports, where an error need not be told exactly.
pub fn approximate(value: &Rational) -> String {
    two_digits(value, |tenths| tenths.trunc())
}

/// A positive real, raised to two significant digits: a bound stays one.
pub fn approximate_above(value: &Rational) -> String {
    two_digits(value, |tenths| tenths.ceil())
}

/// Two decimals of so many significant digits, at least one, between which lie all reals from `low` to `high`; with an exponent,
/// `1.6487e-9`, where there would be more than a few zeros. Beyond 10^+-1000, hexadecimal floats of one digit.
pub fn decimal_bounds(low: &Rational, high: &Rational, digits: u32) -> (String, String) {
    (rounded_decimal(low, digits, false), rounded_decimal(high, digits, true))
}

fn rounded_decimal(value: &Rational, digits: u32, up: bool) -> String {
    if *value == 0 {
        return "0".to_string();
    }
    let (sign, away) = if *value < 0 { ("-", !up) } else { ("", up) };
    let magnitude = value.clone().abs();
    let bits = |part: &Integer| i64::from(part.significant_bits());
    let binade = bits(magnitude.numer()) - bits(magnitude.denom());
    if binade.abs() > 3300 {
        // Between the powers of two 2^(binade - 1) and 2^(binade + 1).
        return format!("{sign}0x1p{}", if away { binade + 1 } else { binade - 1 });
    }
    let power = |exponent: i64| {
        let power = Rational::from(Integer::from(Integer::u_pow_u(10, exponent.unsigned_abs() as u32)));
        if exponent < 0 { power.recip() } else { power }
    };
    // The exponent of the leading digit: a guess from the binade, then one step or two.
    let mut exponent = (binade * 30_103).div_euclid(100_000) - 1;
    while power(exponent + 1) <= magnitude {
        exponent += 1;
    }
    let scaled = magnitude * power(i64::from(digits) - 1 - exponent);
    let rounded = if away { scaled.ceil() } else { scaled.trunc() };
    let mut text = rounded.numer().to_string();
    exponent += text.len() as i64 - i64::from(digits);
    text.truncate(text.trim_end_matches('0').len());
    let places = text.len() as i64;
    let number = match exponent {
        _ if (0..i64::from(digits)).contains(&exponent) && places <= exponent + 1 => {
            text + &"0".repeat((exponent + 1 - places) as usize)
        }
        _ if (0..i64::from(digits)).contains(&exponent) => {
            let (whole, fraction) = text.split_at(exponent as usize + 1);
            format!("{whole}.{fraction}")
        }
        -4..0 => format!("0.{}{text}", "0".repeat((-exponent - 1) as usize)),
        _ if places == 1 => format!("{text}e{exponent}"),
        _ => format!("{}.{}e{exponent}", &text[..1], &text[1..]),
    };
    format!("{sign}{number}")
}

fn two_digits(value: &Rational, round: impl Fn(Rational) -> Rational) -> String {
    let (mut scaled, mut exponent) = (value.clone(), 0);
    while scaled < 1 && exponent > -100 {
        scaled *= 10;
        exponent -= 1;
    }
    while scaled >= 10 && exponent < 100 {
        scaled /= 10;
        exponent += 1;
    }
    let tenths = round(scaled * 10u32);
    match tenths.numer().to_u32() {
        Some(100) => format!("1.0e{}", exponent + 1),
        Some(tenths @ 10..=99) => format!("{}.{}e{exponent}", tenths / 10, tenths % 10),
        Some(_) => "less than 1e-100".to_string(),
        None => "more than 1e100".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roundproof_format::{Overflow, RoundingMode};

    use super::*;
    use crate::parse_number;

    fn show(format: Format, bits: u128) -> String {
        exact_decimal(format, Encoding::from_bits(bits))
    }

    #[test]
    fn bounds_enclose() {
        let both = |text: &str, digits| {
            let value = parse_number(text).unwrap().value();
            <[String; 2]>::from(decimal_bounds(&value, &value, digits))
        };
        assert_eq!(both("1.6487212707", 5), ["1.6487", "1.6488"]);
        assert_eq!(both("-1.6487212707", 5), ["-1.6488", "-1.6487"]);
        assert_eq!(both("99999.5", 5), ["99999", "1e5"]);
        assert_eq!(both("0.00012345678", 3), ["0.000123", "0.000124"]);
        assert_eq!(both("0.99999", 3), ["0.999", "1"]);
        assert_eq!(both("12345678", 3), ["1.23e7", "1.24e7"]);
        assert_eq!(both("0.000000012345", 3), ["1.23e-8", "1.24e-8"]);
        assert_eq!(both("100", 5), ["100", "100"]);
        assert_eq!(both("0", 5), ["0", "0"]);
        assert_eq!(both("0x1.8p5000", 5), ["0x1p4999", "0x1p5001"]);
        assert_eq!(both("-0x1.8p-5000", 5), ["-0x1p-4999", "-0x1p-5001"]);
    }

    proptest! {
        #[test]
        fn decimal_bounds_are_bounds(numerator in -100_000_000i64..100_000_000, shift in 0u32..60, digits in 1u32..14) {
            let value = Rational::from(numerator) >> shift;
            let (low, high) = decimal_bounds(&value, &value, digits);
            let [low, high] = [low, high].map(|text| parse_number(&text).unwrap().value());
            prop_assert!(low <= value && value <= high);
            let width = Rational::from(&high - &low);
            let least = value.clone().abs() / Integer::from(Integer::u_pow_u(10, digits - 1));
            prop_assert!(width <= least, "{} {} {}", low, high, value);
        }
    }

    #[test]
    fn two_digits_are_cut_or_raised() {
        let both = |text: &str| {
            let value = parse_number(text).unwrap().value();
            [approximate(&value), approximate_above(&value)]
        };
        assert_eq!(both("0.0031"), ["3.1e-3", "3.1e-3"]);
        assert_eq!(both("0.003101"), ["3.1e-3", "3.2e-3"]);
        assert_eq!(both("9.99"), ["9.9e0", "1.0e1"]);
    }

    #[test]
    fn known_values() {
        let f = Format::BINARY64;
        let of = |value: f64| show(f, value.to_bits().into());
        assert_eq!(of(1.0), "1");
        assert_eq!(of(-12.375), "-12.375");
        assert_eq!(of(0.0078125), "0.0078125");
        assert_eq!(of(1e22), "10000000000000000000000");
        assert_eq!(of(0.1), "0x1.999999999999ap-4");
        assert_eq!(of(f64::MAX), "0x1.fffffffffffffp1023");
        assert_eq!(of(f64::from_bits(1)), "0x1p-1074");
        assert_eq!(of(-1.125 * 2f64.powi(200)), "-0x1.2p200");
        assert_eq!(of(0.0), "0");
        assert_eq!(of(-0.0), "-0");
        assert_eq!(of(f64::NEG_INFINITY), "-inf");
        assert_eq!(of(f64::NAN), "nan");
        assert_eq!(show(Format::FLOAT8_E4M3FN, 0x100), "0x100, which is not an encoding of float8_e4m3fn");
    }

    #[test]
    fn small_formats_read_back_completely() {
        for &(_, format, _) in roundproof_format::NAMED.iter().filter(|(_, format, _)| format.width() <= 19) {
            for encoding in format.encodings().filter(|&encoding| format.is_finite(encoding)) {
                let text = exact_decimal(format, encoding);
                let number = parse_number(&text).unwrap();
                let rounded = number.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
                assert_eq!(rounded.encoding, encoding, "{format} {text}");
            }
        }
    }

    #[test]
    fn two_digits() {
        let of = |n: u32, d: u32| approximate(&Rational::from((n, d)));
        assert_eq!(of(1, 256), "3.9e-3");
        assert_eq!(of(1, 1), "1.0e0");
        assert_eq!(of(12345, 1), "1.2e4");
        assert_eq!(of(999, 1000), "9.9e-1");
        assert_eq!(approximate(&Rational::from((1, Integer::from(Integer::u_pow_u(10, 300))))), "less than 1e-100");
        assert_eq!(approximate(&Rational::from(Integer::u_pow_u(10, 300))), "more than 1e100");
    }

    proptest! {
        #[test]
        fn wide_formats_read_back(bits in any::<u128>(), which in 0usize..4) {
            let unbounded = Format::unbounded(7).unwrap();
            let format = [Format::BINARY32, Format::BINARY64, Format::BINARY128, unbounded][which];
            // In F(7), an exponent field near the bias, so that numbers stay small.
            let masked = bits & (u128::MAX >> (128 - format.width()));
            let near = (1 << 37) - (1 << 12) + (bits & 0x1fff);
            let encoding = Encoding::from_bits(if format.is_bounded() { masked } else { near });
            if format.is_finite(encoding) {
                let number = parse_number(&exact_decimal(format, encoding)).unwrap();
                prop_assert_eq!(number.round(format, RoundingMode::TowardZero, Overflow::Saturate).encoding, encoding);
            }
        }
    }
}
