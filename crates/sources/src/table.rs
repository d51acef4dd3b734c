//! Tables: data sets from files of other programs, whatever the notation.
//!
//! Some columns, chosen by name, are labels; all others, or those that are chosen, are inputs. Every value is read
//! exactly and rounded once, ties to even, to the format. No value passes through a host float.

mod choice;
mod places;
mod quick;
mod read;
mod remark;
mod round;

use roundproof_exact::Rational;
use roundproof_files::safetensors::Columns;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Dataset, DatasetError, Encodings};
use thiserror::Error;

pub use choice::{Choice, ChoiceProblem, Role};
pub use places::{Place, Places};
pub use read::{Kind, TableError, TableProblem, memory_needed, read_inputs, read_table};
pub use remark::Remark;

pub(crate) use choice::{choose, known};
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
    /// What there is to know about the reading.
    pub remarks: Vec<Remark>,
}

/// Rows of inputs from a table, with labels or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The format that they were rounded to.
    pub format: Format,
    /// The inputs, row by row.
    pub inputs: Encodings,
    /// The labels, row by row: as many for each row as there are names of label columns, which may be none.
    pub labels: Encodings,
    /// The names of the columns.
    pub columns: Columns,
    /// Where each row stands in the file.
    pub places: Places,
    /// What rounding did.
    pub report: Report,
    /// What there is to know about the reading.
    pub remarks: Vec<Remark>,
}

impl Inputs {
    /// As a data set, which has labels.
    pub(crate) fn labelled(self) -> Result<Table, DatasetError> {
        let Inputs { format, inputs, labels, columns, places, report, remarks } = self;
        let dataset = Dataset::new(format, columns.inputs.len(), columns.labels.len(), inputs, labels)?;
        Ok(Table { dataset, columns, places, report, remarks })
    }
}

/// What rounding did to the values of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Inputs that are not values of the format.
    pub inexact_inputs: usize,
    /// Labels that are not values of the format.
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
    /// A word for what is not there.
    #[error("says that the value is missing; fill it, or delete the row")]
    Missing,
    /// Text.
    #[error(
        "is not a number; decimals like -12.5e-3 (with a point) and hexadecimal floats like 0x1.8p-3 are read: leave the \
         column out, or number categories, and fill or delete what is missing"
    )]
    Text,
    /// A number among the names of classes.
    #[error("is a number, and other labels in this column are names; number them all, or name them all")]
    NotAName,
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

/// Words for what is not there, besides NaN, which is a number that is not finite.
const MISSING: [&str; 8] = ["na", "n/a", "#n/a", "<na>", "null", "none", "?", "missing"];

impl CellProblem {
    /// Whether a cell says that its value is missing.
    pub(crate) fn is_missing(cell: &str) -> bool {
        MISSING.contains(&cell.to_ascii_lowercase().as_str())
    }
}

#[cfg(test)]
mod tests;
