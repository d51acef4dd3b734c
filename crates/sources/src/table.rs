//! Tables: data sets from files of other programs, whatever the notation.
//!
//! Some columns, chosen by name, are labels; all others are inputs, in the order of the file. Every value is read
//! exactly and rounded once, ties to even, to the format. No value passes through a host float.

mod labels;
mod places;
mod quick;
mod read;
mod round;

use roundproof_exact::Rational;
use roundproof_files::safetensors::Columns;
use roundproof_format::{Encoding, Format};
use roundproof_network::Dataset;
use thiserror::Error;

pub use labels::LabelProblem;
pub use places::{Place, Places};
pub use read::{Kind, TableError, TableProblem, memory_needed, read_table};

pub(crate) use labels::choose;
pub(crate) use quick::Source;
pub(crate) use round::{Part, Rounder, Scalar, Spot};

/// A data set from a table, and what rounding did to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The data set.
    pub dataset: Dataset,
    /// The names of its columns.
    pub columns: Columns,
    /// Where each row stands in the file.
    pub places: Places,
    /// What rounding did.
    pub report: Report,
}

/// What rounding did to the values of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Inputs that are no values of the format.
    pub inexact_inputs: usize,
    /// Labels that are no values of the format.
    pub inexact_labels: usize,
    /// The value that lost most, relative to its size, and of several the first; none if all were exact.
    pub worst: Option<Inexact>,
}

/// A value that was rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexact {
    /// Where its row stands in the file.
    pub place: Place,
    /// Its column's name.
    pub column: String,
    /// Its text, shortened.
    pub text: String,
    /// What it became.
    pub rounded: Encoding,
    /// `|rounded - exact| / |exact|`; see [`roundproof_exact::text::approximate`].
    pub relative_error: Rational,
}

/// Why a cell gives no value of the format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CellProblem {
    /// Nothing in it.
    #[error("the cell is empty; fill it, or delete the row")]
    Empty,
    /// Text.
    #[error(
        "is no number; decimals like -12.5e-3 (with a point) and hexadecimal floats like 0x1.8p-3 are read: number \
         categories, and fill or delete what is missing"
    )]
    Text,
    /// NaN or infinity.
    #[error("is not finite; data must be: delete the row, or put a number there")]
    NotFinite,
    /// An exponent that no format has.
    #[error("has an exponent beyond every supported format; rescale the column")]
    Exponent,
    /// Rounds to something beyond the largest value.
    #[error("is out of range: the largest value of {format} is {largest}; rescale the column or take a wider format")]
    OutOfRange {
        /// The format.
        format: Format,
        /// Its largest value.
        largest: String,
    },
    /// In `F(p)`, an exponent beyond what data may have.
    #[error("is out of range: in {format}, data have exponents within +-2^20; rescale the column")]
    Unbounded {
        /// The format.
        format: Format,
    },
}

#[cfg(test)]
mod tests;
