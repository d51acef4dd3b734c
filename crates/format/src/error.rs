//! What can be wrong with a name or a set of parameters.

use std::fmt;

use thiserror::Error;

use crate::{Format, Overflow};

/// A text that names nothing of the wanted kind, with the nearest name there is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
}

impl ParseError {
    pub(crate) fn new(message: impl Into<String>) -> ParseError {
        ParseError { message: message.into() }
    }

    /// `text` is not one of `known`: says so, and names the closest.
    pub fn unknown<'a>(what: &str, text: &str, known: impl IntoIterator<Item = &'a str>) -> ParseError {
        let known: Vec<&str> = known.into_iter().collect();
        let nearest = known
            .iter()
            .map(|name| (strsim::jaro_winkler(&text.to_lowercase(), &name.to_lowercase()), *name))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default();
        ParseError::new(format!("unknown {what} `{text}`{hint} (known: {})", known.join(", ")))
    }
}

/// Parameters that make no format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The precision is out of range.
    #[error("a precision of {precision} bits is out of range: 1 to {most} are supported")]
    Precision {
        /// The precision asked for.
        precision: u32,
        /// The largest one supported.
        most: u32,
    },
    /// The exponent range is empty or beyond what is supported.
    #[error("emin = {emin}, emax = {emax} is not an exponent range: emin <= emax, both within +-{most}, is needed")]
    Exponents {
        /// The least exponent asked for.
        emin: i32,
        /// The largest exponent asked for.
        emax: i32,
        /// The bound on both magnitudes.
        most: i32,
    },
    /// The encoding would not fit into 128 bits.
    #[error("an encoding would take {width} bits; at most 128 are supported")]
    Width {
        /// Bits needed.
        width: u32,
    },
    /// The format lacks 1 (and -1).
    #[error(
        "1 is not a value of the format with p = {precision}, emin = {emin}, emax = {emax}; every format must contain 0, 1 and -1"
    )]
    NoOne {
        /// The precision.
        precision: u32,
        /// The least exponent.
        emin: i32,
        /// The largest exponent.
        emax: i32,
    },
    /// The special values cannot be encoded in this layout.
    #[error("specials={specials} cannot be encoded here: {reason}")]
    Specials {
        /// The spelling of the special values asked for.
        specials: &'static str,
        /// Why not, and what would do.
        reason: &'static str,
    },
}

/// An overflow policy that a format does not [express](Format::expresses): infinity without infinities, or NaN without NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedPolicy {
    /// The format.
    pub format: Format,
    /// The policy asked for.
    pub overflow: Overflow,
}

impl fmt::Display for UnsupportedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnsupportedPolicy { format, overflow } = self;
        let lacking = match overflow {
            Overflow::Ieee => "infinity",
            Overflow::Nan => "NaN",
            Overflow::Saturate => "largest value",
        };
        // What has infinities has NaN too, and expresses every policy.
        let remedy = if format.has_nan() { "`saturate` or `nan`" } else { "`saturate`" };
        write!(f, "{format} has no {lacking}, so its results cannot overflow as `{overflow}` says; take {remedy}")
    }
}

impl std::error::Error for UnsupportedPolicy {}

impl UnsupportedPolicy {
    /// Whether results of `format` can obey `overflow`.
    ///
    /// # Errors
    ///
    /// If they cannot: this, which says what the format lacks.
    pub const fn check(format: Format, overflow: Overflow) -> Result<(), UnsupportedPolicy> {
        if format.expresses(overflow) { Ok(()) } else { Err(UnsupportedPolicy { format, overflow }) }
    }
}
