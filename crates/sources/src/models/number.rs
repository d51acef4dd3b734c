//! Numbers of models: decimals as the binary values that the tools store, and the logarithms of base scores.

use roundproof_exact::{NumberError, Rational, decode, parse_number, power_of_two, round};
use roundproof_files::json::shorten;
use roundproof_format::{Format, Overflow, RoundingMode, Status};

use super::ModelProblem;

/// The longest text of a number. The tools write at most 25 characters.
const LONGEST: usize = 100;
/// The largest decimal exponent of a number, in digits.
const EXPONENT_DIGITS: usize = 4;

/// What a split compares with: a finite number, or an infinity, which every finite input is below or above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Finite(Rational),
    Infinite { negative: bool },
}

impl Limit {
    /// The infinity that `text` spells, as JSON of other tools (`-Infinity`) or C (`inf`) has it.
    fn infinite(text: &str) -> Option<Limit> {
        let unsigned = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
        let negative = text.starts_with('-');
        ["inf", "infinity"].contains(&unsigned.as_str()).then_some(Limit::Infinite { negative })
    }
}

/// As [`nearest`], or an infinity.
pub(super) fn nearest_limit(format: Format, text: &str, place: impl Fn() -> String) -> Result<Limit, ModelProblem> {
    Limit::infinite(text).map_or_else(|| nearest(format, text, place).map(Limit::Finite), Ok)
}

/// As [`exact`], or an infinity.
pub(super) fn exact_limit(format: Format, text: &str) -> Result<Limit, &'static str> {
    Limit::infinite(text).map_or_else(|| exact(format, text).map(Limit::Finite), Ok)
}

/// The finite value of `format` that is nearest to the decimal `text`, ties to even.
pub(super) fn nearest(format: Format, text: &str, place: impl Fn() -> String) -> Result<Rational, ModelProblem> {
    let refuse = |what| ModelProblem::Number { place: place(), text: shorten(text), what };
    // Such texts are not output of a tool, and their exact values would be of any size.
    let exponent = text.split_once(['e', 'E']).map_or("", |(_, exponent)| exponent.trim_start_matches(['+', '-']));
    if text.len() > LONGEST || exponent.len() > EXPONENT_DIGITS || text.contains(['x', 'X']) {
        return Err(refuse("is not a decimal of a usual length"));
    }
    let value = parse_number(text).map_err(|error| refuse(explain(&error)))?.value();
    rounded(format, &value).ok_or_else(|| refuse("is beyond the tool's own format"))
}

/// The value of `format` that the hexadecimal float `text` is.
pub(super) fn exact(format: Format, text: &str) -> Result<Rational, &'static str> {
    let digits = text.trim_start_matches(['+', '-']);
    let exponent = text.split_once(['p', 'P']).map_or("", |(_, exponent)| exponent.trim_start_matches(['+', '-']));
    if ["nan", "inf", "infinity"].contains(&digits) {
        return Err("is not finite");
    }
    if text.len() > LONGEST || exponent.len() > EXPONENT_DIGITS || !digits.starts_with("0x") {
        return Err("is not a hexadecimal float of a usual length");
    }
    let value = parse_number(text).map_err(|error| explain(&error))?.value();
    let status = round(&value, format, RoundingMode::TiesToEven, Overflow::Saturate).status;
    if status == Status::NONE { Ok(value) } else { Err("is not a value of binary64") }
}

fn explain(error: &NumberError) -> &'static str {
    match error {
        NumberError::Empty => "is empty",
        NumberError::Syntax => "is not a number",
        NumberError::NotFinite => "is not finite",
        NumberError::Exponent => "has an exponent beyond every format",
    }
}

/// `value` rounded to `format`, ties to even; none if it is beyond its largest value.
pub(super) fn rounded(format: Format, value: &Rational) -> Option<Rational> {
    let rounded = round(value, format, RoundingMode::TiesToEven, Overflow::Saturate);
    if rounded.status.contains(Status::OVERFLOW) {
        return None;
    }
    decode(format, rounded.encoding)?.rational()
}

/// The binary32 value nearest to the natural logarithm of `value`, a positive value of binary32.
pub(super) fn logarithm(value: &Rational) -> Rational {
    if *value == 1 {
        return Rational::new();
    }
    // The logarithm of a rational other than 1 is irrational: at some number of terms, both bounds round to one value.
    for terms in (1..).map(|n| 20 * n) {
        let [below, above] = logarithm_bounds(value, terms).map(|bound| rounded(Format::BINARY32, &bound));
        if below == above {
            return below.unwrap_or_default();
        }
    }
    unreachable!("the numbers of terms have no end")
}

/// Bounds of the natural logarithm of a positive number, the lower one first, from so many terms of two series:
/// `ln v = 2 artanh((m - 1) / (m + 1)) + 2 e artanh(1/3)` for `v = 2^e m`.
pub(super) fn logarithm_bounds(value: &Rational, terms: u32) -> [Rational; 2] {
    // m in (1/2, 2), so that |(m - 1) / (m + 1)| is at most 1/3.
    let exponent = i64::from(value.numer().significant_bits()) - i64::from(value.denom().significant_bits());
    let m: Rational = value.clone() / power_of_two(exponent);
    let z = Rational::from(&m - 1) / (m + 1);
    let [m_below, m_above] = area_tangent(&z, terms);
    let [two_below, two_above] = area_tangent(&Rational::from((1, 3)), terms);
    let [below, above] = if exponent < 0 { [two_above, two_below] } else { [two_below, two_above] };
    [(m_below + below * exponent) * 2, (m_above + above * exponent) * 2]
}

/// Bounds of `artanh z = z + z^3 / 3 + z^5 / 5 + ...` for `|z| <= 1/3`.
fn area_tangent(z: &Rational, terms: u32) -> [Rational; 2] {
    let square = z.clone() * z;
    let (mut sum, mut power) = (Rational::new(), z.clone());
    for term in 0..terms {
        sum += Rational::from(&power / (2 * term + 1));
        power *= &square;
    }
    // What is left is at most |z|^(2 terms + 1) (1 + 1/9 + 1/81 + ...), with the sign of z.
    let rest = power * Rational::from((9, 8));
    let other = sum.clone() + rest;
    if *z < 0 { [other, sum] } else { [sum, other] }
}
