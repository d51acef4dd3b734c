//! The names of formats: reading and writing them.

use std::fmt;
use std::str::FromStr;

use crate::{Format, ParseError, Specials};

/// The formats that have names, narrowest first, with further spellings that are read but never written.
pub const NAMED: &[(&str, Format, &[&str])] = &[
    ("float4_e2m1fn", Format::FLOAT4_E2M1FN, &["fp4"]),
    ("float6_e2m3fn", Format::FLOAT6_E2M3FN, &[]),
    ("float6_e3m2fn", Format::FLOAT6_E3M2FN, &[]),
    ("float8_e3m4", Format::FLOAT8_E3M4, &[]),
    ("float8_e4m3", Format::FLOAT8_E4M3, &[]),
    ("float8_e4m3fn", Format::FLOAT8_E4M3FN, &["e4m3fn"]),
    ("float8_e4m3fnuz", Format::FLOAT8_E4M3FNUZ, &["e4m3fnuz"]),
    ("float8_e4m3b11fnuz", Format::FLOAT8_E4M3B11FNUZ, &["e4m3b11fnuz"]),
    ("float8_e5m2", Format::FLOAT8_E5M2, &[]),
    ("float8_e5m2fnuz", Format::FLOAT8_E5M2FNUZ, &["e5m2fnuz"]),
    ("bfloat16", Format::BFLOAT16, &["bf16"]),
    ("binary16", Format::BINARY16, &["float16", "fp16", "half"]),
    ("tf32", Format::TF32, &[]),
    ("binary32", Format::BINARY32, &["float32", "fp32", "single"]),
    ("binary64", Format::BINARY64, &["float64", "fp64", "double"]),
    ("binary128", Format::BINARY128, &["float128", "quad"]),
];

impl fmt::Display for Format {
    /// The shortest name that reads back as this format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = self.precision();
        let Some((emin, emax, specials)) =
            self.emin().zip(self.emax()).zip(self.specials()).map(|((a, b), c)| (a, b, c))
        else {
            return f.pad(&format!("F({p})"));
        };
        if let Some((name, _, _)) = NAMED.iter().find(|(_, format, _)| format == self) {
            f.pad(name)
        } else if let Ok(same) = ieee_interchange(self.exponent_bits(), p - 1)
            && same == *self
        {
            f.pad(&format!("e{}m{}", self.exponent_bits(), p - 1))
        } else {
            let specials = match specials {
                Specials::Ieee => String::new(),
                Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite => {
                    format!(",specials={}", specials.name())
                }
            };
            f.pad(&format!("p={p},emin={emin},emax={emax}{specials}"))
        }
    }
}

/// `e{exponent_bits}m{trailing_bits}`: the IEEE layout, emax = 2^(w - 1) - 1 and emin = 1 - emax.
fn ieee_interchange(exponent_bits: u32, trailing_bits: u32) -> Result<Format, ParseError> {
    if !(2..=21).contains(&exponent_bits) || trailing_bits >= Format::MAX_PRECISION {
        return Err(ParseError::new(format!(
            "e{exponent_bits}m{trailing_bits} is out of range: 2 to 21 exponent bits and 1 to {} bits of trailing \
             significand are supported",
            Format::MAX_PRECISION - 1
        )));
    }
    let emax = (1 << (exponent_bits - 1)) - 1;
    Format::new(trailing_bits + 1, 1 - emax, emax, Specials::Ieee).map_err(|error| ParseError::new(error.to_string()))
}

impl FromStr for Format {
    type Err = ParseError;

    /// Reads a name of [`NAMED`], `e5m7`, `p=8,emin=-126,emax=127` (with `,specials=ieee|fn|fnuz|finite`; `ieee` when
    /// left out) or `F(p)`.
    fn from_str(text: &str) -> Result<Format, ParseError> {
        let known = NAMED.iter().find(|(name, _, also)| *name == text || also.contains(&text));
        if let Some((_, format, _)) = known {
            return Ok(*format);
        }
        if text.contains('=') {
            return parse_parameters(text);
        }
        if let Some(digits) = text.strip_prefix("F(").and_then(|rest| rest.strip_suffix(')')) {
            let precision = number(text, "the precision", digits)?;
            return Format::unbounded(precision).map_err(|error| ParseError::new(format!("format `{text}`: {error}")));
        }
        let layout = text.strip_prefix('e').and_then(|rest| rest.split_once('m'));
        if let Some((exponent, trailing)) = layout
            && let (Ok(exponent), Ok(trailing)) = (exponent.parse(), trailing.parse())
        {
            return ieee_interchange(exponent, trailing);
        }
        let spellings = ["e5m7", "p=8,emin=-126,emax=127", "F(8)"];
        if let Some((width, names)) = of_width(text) {
            let spellings = spellings.join(", ");
            return Err(ParseError::new(format!(
                "unknown format `{text}`; of {width} bits there are {} (others: {spellings}, and what `roundproof formats` \
                 lists)",
                names.join(", ")
            )));
        }
        Err(ParseError::unknown("format", text, NAMED.iter().map(|(name, _, _)| *name).chain(spellings)))
    }
}

/// The width that a name such as `fp8` ends with, and the names of the formats of this width, if there are any.
fn of_width(text: &str) -> Option<(u32, Vec<&'static str>)> {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let width: u32 = text[letters.len()..].parse().ok()?;
    let is_family =
        ["fp", "float", "f", "bf", "binary", "fp-", "float_"].contains(&letters.to_ascii_lowercase().as_str());
    let of_width = NAMED.iter().filter(|(_, format, _)| format.width() == width);
    let names: Vec<&str> = of_width.map(|(name, _, _)| *name).collect();
    (is_family && !names.is_empty()).then_some((width, names))
}

fn number<T: FromStr>(text: &str, what: &str, digits: &str) -> Result<T, ParseError> {
    digits
        .trim()
        .parse()
        .map_err(|_| ParseError::new(format!("format `{text}`: {what} `{digits}` is not an integer in range")))
}

fn parse_parameters(text: &str) -> Result<Format, ParseError> {
    let (mut precision, mut emin, mut emax, mut specials) = (None, None, None, None);
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let twice = match key.trim() {
            "p" => precision.replace(number(text, "p", value)?).is_some(),
            "emin" => emin.replace(number(text, "emin", value)?).is_some(),
            "emax" => emax.replace(number(text, "emax", value)?).is_some(),
            "specials" => {
                let found = Specials::ALL.iter().find(|scheme| scheme.name() == value.trim()).ok_or_else(|| {
                    ParseError::unknown("special values", value, Specials::ALL.iter().map(|scheme| scheme.name()))
                })?;
                specials.replace(*found).is_some()
            }
            other => {
                return Err(ParseError::unknown("format parameter", other, ["p", "emin", "emax", "specials"]));
            }
        };
        if twice {
            return Err(ParseError::new(format!("format `{text}`: `{}` is given twice", key.trim())));
        }
    }
    match (precision, emin, emax) {
        (Some(precision), Some(emin), Some(emax)) => {
            Format::new(precision, emin, emax, specials.unwrap_or(Specials::Ieee))
                .map_err(|error| ParseError::new(format!("format `{text}`: {error}")))
        }
        _ => Err(ParseError::new(format!("format `{text}`: p, emin and emax are all needed"))),
    }
}
