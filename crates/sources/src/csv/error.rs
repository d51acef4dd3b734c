//! What can be wrong with a CSV file.

use std::io;

use roundproof_files::InFile;
use roundproof_format::Format;
use roundproof_network::DatasetError;
use thiserror::Error;

use crate::table::{CellProblem, ChoiceProblem};

/// A CSV file that is not a data set.
pub type CsvError = InFile<CsvProblem>;

/// What is wrong with a CSV file. Lines are counted from 1, the header's being the first.
#[derive(Debug, Error)]
pub enum CsvProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file is in another encoding than UTF-8.
    #[error("line {line} is not UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        /// The first line that is not.
        line: usize,
    },
    /// Nothing is in the file.
    #[error("is empty; a header row with column names, then one row for each datum, is needed")]
    Empty,
    /// Nothing is in the file but the header.
    #[error("has a header row and nothing below it; at least one row of data is needed")]
    HeaderOnly,
    /// A quote that opens or closes nothing.
    #[error(
        "line {line}: {what}; a cell is quoted as a whole, as in \"a, b\", and a quote in it is doubled, or not at all"
    )]
    Quote {
        /// The line.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A column without a name.
    #[error(
        "column {column} has no name; name it in the header, or leave it out with --drop '#{column}' if it only numbers the \
         rows (pandas does not write it with index=False)"
    )]
    Unnamed {
        /// The column, from 1.
        column: usize,
    },
    /// Two columns of the same name.
    #[error("columns {first} and {second} are both named `{name}`; rename one")]
    DuplicateColumn {
        /// The name.
        name: String,
        /// The first one, from 1.
        first: usize,
        /// The second one, from 1.
        second: usize,
    },
    /// The choice of columns makes no sense.
    #[error(transparent)]
    Choice(#[from] ChoiceProblem),
    /// A column with names of more classes than are numbered.
    #[error(
        "column `{column}` has more than {most} different names; number the classes, or leave it out with --drop if these \
         are not classes"
    )]
    TooManyClasses {
        /// The column's name.
        column: String,
        /// The most that are numbered.
        most: usize,
    },
    /// A column with names of more classes than the format has whole numbers for.
    #[error(
        "column `{column}` has {classes} different names, and {format} does not have every whole number below {classes}; \
         take a wider format"
    )]
    ClassNumbers {
        /// The column's name.
        column: String,
        /// How many names there are.
        classes: usize,
        /// The format.
        format: Format,
    },
    /// A row of another length than the header.
    #[error("line {line} has {found} cells, the header {expected}; fill the row up, or quote cells that hold commas")]
    Ragged {
        /// The line.
        line: usize,
        /// Cells in it.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// A cell that gives no value of the format.
    #[error("line {line}, column `{column}`: {}{problem}", if .value.is_empty() { String::new() } else { format!("`{value}` ") })]
    Cell {
        /// The line.
        line: usize,
        /// The column's name.
        column: String,
        /// The cell's text, shortened.
        value: String,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// The cells, each in order, make no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}
