//! Data sets from CSV.
//!
//! The first row names the columns. Some columns, chosen by name, are labels; all others are inputs, in the order of
//! the file. Cells hold decimals (`-12.5e-3`) or hexadecimal floats (`0x1.8p-3`), which are read exactly and rounded
//! once, ties to even, to the format. No value passes through a host float.
//!
//! Cells are separated by commas and may be quoted; white space around a cell, blank lines and a byte order mark are
//! passed over. Nothing else is guessed: what is no number, is not finite or exceeds the format is an error that names
//! line, column and remedy.

mod error;
mod table;

use std::path::Path;

use roundproof_exact::{NumberError, Rational, decode, parse_number};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_network::{Dataset, Encodings, UNBOUNDED_EXPONENT_LIMIT};

use crate::digest::{Digest, Stored};
use crate::error::In;
use crate::json::shorten;
use crate::safetensors::Columns;
use crate::text::exact_decimal;

use table::Table;

pub use error::{CellProblem, CsvError, CsvProblem};

/// A data set from a CSV file, and what rounding did to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvData {
    /// The data set.
    pub dataset: Dataset,
    /// The names of its columns.
    pub columns: Columns,
    /// The line of each row in the file, from 1.
    pub lines: Vec<usize>,
    /// What rounding did.
    pub report: Report,
}

/// What rounding did to the values of a CSV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Inputs that are no values of the format.
    pub inexact_inputs: usize,
    /// Labels that are no values of the format.
    pub inexact_labels: usize,
    /// The value that lost most, relative to its size; none if all were exact.
    pub worst: Option<Inexact>,
}

/// A value that was rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexact {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its column's name.
    pub column: String,
    /// Its text, shortened.
    pub text: String,
    /// What it became.
    pub rounded: Encoding,
    /// `|rounded - exact| / |exact|`; see [`crate::text::approximate`].
    pub relative_error: Rational,
}

/// The data set in a CSV file, rounded to `format`, and the file's digest.
///
/// `labels` names the label columns, in the order that the labels are to have: by name, or `#5` for the fifth column.
///
/// # Errors
///
/// If the file cannot be read or is no data set of this format; see [`CsvProblem`].
pub fn read_csv(path: &Path, labels: &[String], format: Format) -> Result<Stored<CsvData>, CsvError> {
    let bytes = std::fs::read(path).map_err(CsvProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_csv(path, &bytes, labels, format)?, digest: Digest::of(&bytes) })
}

/// The data set in `bytes`, which come from `file`; see [`read_csv`].
///
/// # Errors
///
/// As [`read_csv`].
pub fn parse_csv(file: &Path, bytes: &[u8], labels: &[String], format: Format) -> Result<CsvData, CsvError> {
    parse(bytes, labels, format).in_file(file)
}

fn parse(bytes: &[u8], labels: &[String], format: Format) -> Result<CsvData, CsvProblem> {
    let mut table = Table::open(bytes)?;
    let header = std::mem::take(&mut table.header);
    let label_columns = choose_labels(&header, labels)?;
    let input_columns: Vec<usize> = (0..header.len()).filter(|column| !label_columns.contains(column)).collect();
    if input_columns.is_empty() {
        return Err(CsvProblem::NoInput);
    }
    let (mut inputs, mut labels) = (Encodings::new(format), Encodings::new(format));
    let (mut lines, mut report) = (Vec::new(), Report::default());
    while let Some((line, row)) = table.next()? {
        if row.len() != header.len() {
            return Err(CsvProblem::Ragged { line, found: row.len(), expected: header.len() });
        }
        lines.push(line);
        let mut read = |column: usize, inexact: fn(&mut Report) -> &mut usize| {
            let cell = Cell { line, column: &header[column], text: row[column].trim() };
            cell.round(format, &mut report, inexact)
        };
        for &column in &input_columns {
            inputs.push(read(column, |report| &mut report.inexact_inputs)?);
        }
        for &column in &label_columns {
            labels.push(read(column, |report| &mut report.inexact_labels)?);
        }
    }
    if labels.is_empty() {
        return Err(CsvProblem::HeaderOnly);
    }
    let names = |columns: &[usize]| columns.iter().map(|&column| header[column].clone()).collect();
    let columns = Columns { inputs: names(&input_columns), labels: names(&label_columns) };
    let dataset = Dataset::new(format, input_columns.len(), label_columns.len(), inputs, labels)?;
    Ok(CsvData { dataset, columns, lines, report })
}

/// The columns of the labels, in the order asked for.
fn choose_labels(header: &[String], wanted: &[String]) -> Result<Vec<usize>, CsvProblem> {
    let known = || {
        let mut names: Vec<String> = header.iter().take(20).map(|name| format!("`{}`", shorten(name))).collect();
        if header.len() > names.len() {
            names.push(format!("… ({} columns in all)", header.len()));
        }
        names.join(", ")
    };
    if wanted.is_empty() {
        return Err(CsvProblem::NoLabel { known: known() });
    }
    let mut chosen = Vec::new();
    for name in wanted {
        let by_number = || name.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1);
        let column = header.iter().position(|column| column == name.trim()).or_else(by_number);
        let Some(column) = column.filter(|&column| column < header.len()) else {
            return Err(CsvProblem::UnknownLabel {
                name: shorten(name),
                nearest: nearest(header, name),
                known: known(),
            });
        };
        if chosen.contains(&column) {
            return Err(CsvProblem::LabelTwice { name: header[column].clone() });
        }
        chosen.push(column);
    }
    Ok(chosen)
}

fn nearest(header: &[String], name: &str) -> Option<String> {
    let likeness = |column: &String| strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase());
    let likely = header.iter().map(|column| (likeness(column), column)).filter(|(likeness, _)| *likeness > 0.7);
    likely.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, column)| column.clone())
}

/// A cell and its place.
struct Cell<'a> {
    line: usize,
    column: &'a str,
    text: &'a str,
}

impl Cell<'_> {
    /// The value of the cell, rounded; what that did goes into `report`.
    fn round(
        &self,
        format: Format,
        report: &mut Report,
        inexact: fn(&mut Report) -> &mut usize,
    ) -> Result<Encoding, CsvProblem> {
        let number = parse_number(self.text).map_err(|error| {
            self.refuse(match error {
                NumberError::Empty => CellProblem::Empty,
                NumberError::Syntax => CellProblem::Text,
                NumberError::NotFinite => CellProblem::NotFinite,
                NumberError::Exponent => CellProblem::Exponent,
            })
        })?;
        let rounded = number.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
        if rounded.status.contains(Status::OVERFLOW) {
            let largest = format.largest(false).map_or(String::new(), |largest| exact_decimal(format, largest));
            return Err(self.refuse(CellProblem::OutOfRange { format, largest }));
        }
        if !within_limit(format, rounded.encoding) {
            return Err(self.refuse(CellProblem::Unbounded { format }));
        }
        if rounded.status.contains(Status::INEXACT) {
            *inexact(report) += 1;
            self.note(format, rounded.encoding, &number.value(), report);
        }
        Ok(rounded.encoding)
    }

    fn refuse(&self, problem: CellProblem) -> CsvProblem {
        let (column, value) = (shorten(self.column), shorten(self.text));
        CsvProblem::Cell { line: self.line, column, value, problem }
    }

    /// Keeps this rounding in the report if none before it lost more.
    fn note(&self, format: Format, rounded: Encoding, exact: &Rational, report: &mut Report) {
        let Some(value) = decode(format, rounded).and_then(|datum| datum.rational()) else { return };
        let relative_error = ((value - exact) / exact).abs();
        if report.worst.as_ref().is_none_or(|worst| relative_error > worst.relative_error) {
            let (column, text) = (self.column.to_string(), shorten(self.text));
            report.worst = Some(Inexact { line: self.line, column, text, rounded, relative_error });
        }
    }
}

/// Whether a rounded value has an exponent that data may have.
fn within_limit(format: Format, value: Encoding) -> bool {
    if format.is_bounded() || format.is_zero(value) {
        return true;
    }
    let field = value.bits() >> format.trailing_bits() & ((1 << format.exponent_bits()) - 1);
    (field as i64 - format.bias()).abs() <= UNBOUNDED_EXPONENT_LIMIT
}

#[cfg(test)]
mod tests;
