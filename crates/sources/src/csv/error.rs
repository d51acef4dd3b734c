//! What can be wrong with a CSV file.

use std::io;

use roundproof_files::InFile;
use roundproof_network::DatasetError;
use thiserror::Error;

use crate::table::{CellProblem, LabelProblem};

/// A CSV file that is no data set.
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
    /// The columns are separated by something else than commas.
    #[error("the header has no comma, but {separator:?}; separate the columns by commas")]
    Separator {
        /// What seems to separate them.
        separator: char,
    },
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
        "column {column} has no name; name it in the header, or delete it if it only numbers the rows (pandas leaves it \
         out with index=False)"
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
    /// The choice of label columns makes no sense.
    #[error(transparent)]
    Labels(#[from] LabelProblem),
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
