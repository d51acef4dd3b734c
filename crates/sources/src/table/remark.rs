//! What there is to know about the reading of a table.

use std::fmt;

use roundproof_files::json::shorten;

/// Something that was decided when a table was read, without being an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Every name in the header is a number.
    NumericHeader,
    /// A text's cells are separated by something else than commas.
    Separator {
        /// By what.
        separator: char,
    },
    /// An input that numbers the rows, and is named as an index of pandas is.
    RowNumbers {
        /// The column's name.
        column: String,
    },
    /// A label column of names, which were numbered.
    Classes {
        /// The column's name.
        column: String,
        /// The names in alphabetical order: the first is 0.
        names: Vec<String>,
    },
    /// Truth values that were read as numbers.
    Booleans {
        /// The column's name.
        column: String,
    },
    /// An array of more than two dimensions, whose rows were laid out one dimension after the other, the last one fastest.
    Flattened {
        /// The array's name, if it has one.
        array: String,
        /// Its lengths.
        shape: Vec<u64>,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::NumericHeader => f.write_str(
                "every name in the header is a number; if the first line is a row of data, it was lost: say --no-header",
            ),
            Remark::Separator { separator } => write!(f, "the columns are separated by {separator:?}"),
            Remark::RowNumbers { column } => {
                let column = shorten(column);
                write!(
                    f,
                    "the input `{column}` numbers the rows, as an index of pandas does; leave it out with --drop, or write \
                     the table with index=False"
                )
            }
            Remark::Classes { column, names } => {
                const MOST: usize = 20;
                let numbered = names.iter().take(MOST).enumerate();
                let mut listed: Vec<String> =
                    numbered.map(|(number, name)| format!("{number} = {}", shorten(name))).collect();
                if names.len() > MOST {
                    listed.push(format!("and {} more", names.len() - MOST));
                }
                write!(f, "the names in `{}` were numbered: {}", shorten(column), listed.join(", "))
            }
            Remark::Booleans { column } => {
                write!(f, "in `{}`, false was read as 0 and true as 1", shorten(column))
            }
            Remark::Flattened { array, shape } => {
                let array = if array.is_empty() { "the array".to_string() } else { format!("array `{}`", shorten(array)) };
                let columns = shape.iter().skip(1).product::<u64>();
                write!(f, "{array} has the shape {shape:?}: each row was laid out as {columns} columns, the last index fastest")
            }
        }
    }
}
