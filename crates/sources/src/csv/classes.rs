//! Label columns with the names of classes.

use std::collections::BTreeMap;

use roundproof_exact::{NumberError, parse_number, round};
use roundproof_files::json::shorten;
use roundproof_format::{Format, Overflow, RoundingMode, Status};

use super::{CsvProblem, truth};
use crate::csv::text::Text;
use crate::table::CellProblem;

/// The most names that are numbered in a column.
const MOST: usize = 1 << 16;

/// The numbers of the names in a column: from 0, in alphabetical order.
pub(super) struct Classes(BTreeMap<String, String>);

impl Classes {
    /// Whether a cell is the name of a class: text, and no number, truth value or word for what is missing.
    pub(super) fn are_named(cell: &str) -> bool {
        let cell = cell.trim();
        truth(cell).is_none()
            && matches!(parse_number(cell), Err(NumberError::Syntax))
            && !CellProblem::is_missing(cell)
    }

    /// The names in a column of a text, each a number of the format.
    pub(super) fn collect(
        bytes: &[u8],
        no_header: bool,
        column: usize,
        name: &str,
        format: Format,
    ) -> Result<Classes, CsvProblem> {
        let mut names = BTreeMap::new();
        let mut text = Text::open(bytes, no_header)?;
        while let Some((_, row)) = text.next()? {
            // What is not a name, reading tells with its line.
            if let Some(cell) = row.get(column).filter(|cell| Classes::are_named(cell)) {
                names.insert(cell.trim().to_string(), String::new());
            }
            if names.len() > MOST {
                return Err(CsvProblem::TooManyClasses { column: shorten(name), most: MOST });
            }
        }
        let classes = names.len();
        for (number, text) in names.values_mut().enumerate() {
            let status = round(&number.into(), format, RoundingMode::TiesToEven, Overflow::Saturate).status;
            if status != Status::NONE {
                return Err(CsvProblem::ClassNumbers { column: shorten(name), classes, format });
            }
            *text = number.to_string();
        }
        Ok(Classes(names))
    }

    /// The number of a name, as text.
    pub(super) fn number(&self, cell: &str) -> Result<&str, CellProblem> {
        match self.0.get(cell) {
            Some(number) => Ok(number),
            None if cell.is_empty() => Err(CellProblem::Empty),
            None if CellProblem::is_missing(cell) => Err(CellProblem::Missing),
            None => match parse_number(cell) {
                Err(NumberError::NotFinite) => Err(CellProblem::NotFinite),
                _ => Err(CellProblem::NotAName),
            },
        }
    }

    /// The names, in the order of their numbers.
    pub(super) fn into_names(self) -> Vec<String> {
        self.0.into_keys().collect()
    }
}
