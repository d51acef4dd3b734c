//! The formats and path models of the map.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use roundproof_format::{Format, ParseError, Specials};
use roundproof_network::{Accumulator, ModelError, PathModel, Summation};

/// A way to lay out `b` exponent bits and a precision `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IEEE 754's: infinities and NaN, `emax = 2^(b-1) - 1`, `emin = 1 - emax`. None with `p = 1`, where no bit tells NaN
    /// from infinity.
    Ieee,
    /// Finite values only, as in float4_e2m1fn: the same `emin`, and the topmost exponent too: `emax = 2^(b-1)`.
    Finite,
    /// One NaN and no infinity, and most exponents below zero, as in float8_e4m3b11fnuz: `emax = 2^(b-2)`,
    /// `emin = emax + 2 - 2^b`.
    Low,
}

impl Family {
    /// Every family.
    pub const ALL: [Family; 3] = [Family::Ieee, Family::Finite, Family::Low];

    /// The word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Ieee => "ieee",
            Family::Finite => "finite",
            Family::Low => "low",
        }
    }

    /// The member with these parameters, of a width of `exponent_bits + precision`; none if it cannot be encoded.
    pub fn format(self, exponent_bits: u32, precision: u32) -> Option<Format> {
        let half = 1 << exponent_bits.checked_sub(1).filter(|&shift| shift < 20)?;
        let (emin, emax, specials) = match self {
            Family::Ieee => (2 - half, half - 1, Specials::Ieee),
            Family::Finite => (2 - half, half, Specials::Finite),
            Family::Low => (half / 2 + 2 - 2 * half, half / 2, Specials::NanNegativeZero),
        };
        Format::new(precision, emin, emax, specials).ok()
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Family {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Family, ParseError> {
        let found = Family::ALL.into_iter().find(|family| family.name() == text);
        found.ok_or_else(|| ParseError::unknown("family", text, Family::ALL.map(Family::name)))
    }
}

/// Which formats are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The layouts.
    pub families: Vec<Family>,
    /// Precisions.
    pub precisions: RangeInclusive<u32>,
    /// Exponent bits.
    pub exponent_bits: RangeInclusive<u32>,
    /// Formats of at most so many bits have a row for every finite value.
    pub every_value: u32,
}

impl Default for Grid {
    /// What `verify-all` looks at.
    fn default() -> Grid {
        Grid { families: Family::ALL.to_vec(), precisions: 1..=12, exponent_bits: 2..=8, every_value: 13 }
    }
}

impl Grid {
    /// The formats of a family, exponent bits first, then precisions.
    pub fn formats(&self, family: Family) -> impl Iterator<Item = Option<Format>> + '_ {
        self.exponent_bits.clone().flat_map(move |bits| self.precisions.clone().map(move |p| family.format(bits, p)))
    }
}

/// What stands for an accumulator that is wider than the format, whatever that is: see [`wider`].
const WIDER: &str = "accumulator=wider";

/// The path models of the map: `all`, each single change of it that matters, and the paper's.
pub const MODELS: [&str; 9] = [
    "paper",
    "all",
    "all,subnormals=flush",
    "all,overflow=saturate",
    "all,overflow=nan",
    "all,accumulator=wider",
    "all,rounding=toward-negative",
    "all,contraction=none",
    "all,order=left-to-right",
];

/// Reads a path model as [`PathModel::parse`] does, and `accumulator=wider` too.
///
/// # Errors
///
/// As [`PathModel::parse`].
pub fn model(text: &str, format: Format) -> Result<PathModel, ModelError> {
    let Some(rest) = text.strip_suffix(WIDER) else { return PathModel::parse(text, format) };
    PathModel::parse(&format!("{rest}accumulator={}", wider(format)), format)
}

/// IEEE 754's layout with two more exponent bits and a precision of `2p + 2`: it contains every format of the families.
fn wider(format: Format) -> String {
    format!("e{}m{}", format.exponent_bits() + 2, 2 * format.precision() + 1)
}

/// Whether every path of `narrow` is one of `wide`: what holds under `wide` then holds under `narrow`.
pub fn includes(wide: &PathModel, narrow: &PathModel) -> bool {
    use roundproof_format::Subnormals::Flush;
    use roundproof_network::{Contraction, Order, Rounding, Trees};
    let includes = |wide: &Trees, narrow: &Trees| {
        (wide.order == Order::Any || wide.order == narrow.order)
            && (wide.contraction == Contraction::Any || wide.contraction == narrow.contraction)
            && wide.accumulator == narrow.accumulator
    };
    let (Summation::Trees(wide_trees), Summation::Trees(narrow_trees)) = (&wide.summation, &narrow.summation);
    (wide.rounding == Rounding::Any || wide.rounding == narrow.rounding)
        && (wide.subnormals == Flush || wide.subnormals == narrow.subnormals)
        && wide.overflow == narrow.overflow
        && includes(wide_trees, narrow_trees)
}

/// The precision in which sums are rounded first.
pub(super) fn sum_precision(model: &PathModel, format: Format) -> u32 {
    let Summation::Trees(trees) = &model.summation;
    match trees.accumulator {
        Accumulator::Same => format.precision(),
        Accumulator::Wider { format, .. } => format.precision(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_formats_with_names() {
        assert_eq!(Family::Ieee.format(5, 11), Some(Format::BINARY16));
        assert_eq!(Family::Ieee.format(8, 8), Some(Format::BFLOAT16));
        assert_eq!(Family::Finite.format(2, 2), Some(Format::FLOAT4_E2M1FN));
        assert_eq!(Family::Finite.format(3, 3), Some(Format::FLOAT6_E3M2FN));
        assert_eq!(Family::Low.format(4, 4), Some(Format::FLOAT8_E4M3B11FNUZ));
        for family in Family::ALL {
            for (bits, p) in (2..=8).flat_map(|bits| (1..=12).map(move |p| (bits, p))) {
                let Some(format) = family.format(bits, p) else {
                    assert_eq!((family, p), (Family::Ieee, 1), "only these lack an encoding");
                    continue;
                };
                assert_eq!((format.exponent_bits(), format.width()), (bits, bits + p), "{format}");
            }
        }
    }

    #[test]
    fn every_model_reads_wherever_the_format_expresses_it() {
        for (bits, p) in (2..=8).flat_map(|bits| (1..=12).map(move |p| (bits, p))) {
            for format in Family::ALL.into_iter().filter_map(|family| family.format(bits, p)) {
                for text in MODELS {
                    let expressed = text != "all,overflow=nan" || format.has_nan();
                    assert_eq!(model(text, format).is_ok(), expressed, "{text} in {format}");
                }
            }
        }
        let [all, paper] = ["all", "paper"].map(|text| model(text, Format::BFLOAT16).unwrap());
        assert!(includes(&all, &paper) && !includes(&paper, &all));
    }
}
