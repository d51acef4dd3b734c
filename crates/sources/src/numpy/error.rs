//! What can be wrong with arrays.

use roundproof_format::Format;
use roundproof_network::DatasetError;
use thiserror::Error;

use super::Dtype;
use crate::table::{CellProblem, ChoiceProblem};

/// What is wrong with a file of arrays. Rows are counted from 0, as NumPy does.
#[derive(Debug, Error)]
pub enum NumpyProblem {
    /// No array.
    #[error("{}{what}; write it with numpy.save", of(array))]
    Header {
        /// The array's name, if it has one.
        array: String,
        /// What is wrong with its header.
        what: &'static str,
    },
    /// Elements of another type than those that are read.
    #[error("{}holds {what} (dtype {dtype}); {remedy}", of(array))]
    Dtype {
        /// The array's name, if it has one.
        array: String,
        /// The type as NumPy writes it, shortened.
        dtype: String,
        /// What its elements are.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// An array of no dimension.
    #[error("{}is a single number, without rows; use .reshape(1, 1), or leave it out with --drop", of(array))]
    Scalar {
        /// The array's name, if it has one.
        array: String,
    },
    /// Encodings of a format that neither the array nor the format asked for says.
    #[error(
        "{}holds raw bytes (dtype {dtype}), as which bfloat16 and other types from outside NumPy are saved; {}",
        of(array), encoded(*.dtype, *.format)
    )]
    Encoded {
        /// The array's name, if it has one.
        array: String,
        /// The type.
        dtype: Dtype,
        /// The format that was asked for.
        format: Format,
    },
    /// An array with more or less data than its header announces.
    #[error(
        "{}has {found} bytes of elements, where its shape {shape:?} of {dtype} has another number; the file is cut off or \
         damaged: write it again",
        of(array)
    )]
    Length {
        /// The array's name, if it has one.
        array: String,
        /// Its lengths.
        shape: Vec<u64>,
        /// Its elements' type.
        dtype: Dtype,
        /// How many bytes there are.
        found: usize,
    },
    /// An array without elements.
    #[error("{}has the shape {shape:?}, and so no element; at least one row and one column are needed", of(array))]
    Empty {
        /// The array's name, if it has one.
        array: String,
        /// Its lengths.
        shape: Vec<u64>,
    },
    /// Two arrays with different numbers of rows.
    #[error(
        "array `{}` has {} rows, array `{}` has {}; arrays of one table have the same number of rows: choose those \
         that belong together with --label and --inputs, or leave others out with --drop", .first.0, .first.1, .second.0, .second.1
    )]
    Rows {
        /// The first array and its rows.
        first: (String, usize),
        /// One that differs, and its rows.
        second: (String, usize),
    },
    /// An archive that cannot be read.
    #[error("is not an archive of arrays: {what}; write it with numpy.savez")]
    Archive {
        /// What is wrong.
        what: String,
    },
    /// An archive without arrays.
    #[error("has no array in it; write it with numpy.savez")]
    NoArrays,
    /// Two columns of one name.
    #[error("two columns are named `{column}`; rename one of the arrays")]
    Duplicate {
        /// The name.
        column: String,
    },
    /// A boolean other than 0 and 1, or an encoding that the format does not have.
    #[error("row {row}, column `{column}`: the byte is not a value of the array's type; write the array again")]
    NoValue {
        /// The row.
        row: usize,
        /// The column's name.
        column: String,
    },
    /// The choice of columns makes no sense.
    #[error(transparent)]
    Choice(#[from] ChoiceProblem),
    /// An element that gives no value of the format.
    #[error("row {row}, column `{column}`: `{value}` {problem}")]
    Cell {
        /// The row.
        row: usize,
        /// The column's name.
        column: String,
        /// The element, exactly.
        value: String,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// The elements, each in order, make no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// What to do with encodings of a format that is not said.
fn encoded(dtype: Dtype, format: Format) -> String {
    let which = if dtype.size() == 1 { "a format of up to 8 bits, such as float8_e4m3fn" } else { "bfloat16" };
    format!(
        "they are read with --format of {which}, not with {format}: take it, or .astype(numpy.float32) before saving"
    )
}

/// Whose fault it is.
fn of(array: &str) -> String {
    if array.is_empty() { String::new() } else { format!("array `{array}` ") }
}
