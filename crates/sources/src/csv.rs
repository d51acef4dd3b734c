//! Data sets from CSV.
//!
//! The first row names the columns. Some columns, chosen by name, are labels; all others are inputs, in the order of
//! the file. Cells hold decimals (`-12.5e-3`) or hexadecimal floats (`0x1.8p-3`), which are read exactly and rounded
//! once, ties to even, to the format.
//!
//! Cells are separated by commas and may be quoted; white space around a cell, blank lines and a byte order mark are
//! passed over. Nothing else is guessed: what is no number, is not finite or exceeds the format is an error that names
//! line, column and remedy.

mod error;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_files::In;
use roundproof_files::json::shorten;
use roundproof_files::safetensors::Columns;
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;
use roundproof_network::{Dataset, Encodings};

use crate::table::{CellProblem, Part, Place, Places, Rounder, Spot, Table, choose};

use text::Text;

pub use error::{CsvError, CsvProblem};

/// Cells between two reports of progress.
const CELLS_BETWEEN: usize = 1 << 16;

/// The data set in a CSV file, rounded to `format`, and the file's digest.
///
/// `labels` names the label columns, in the order that the labels are to have: by name, or `#5` for the fifth column.
///
/// # Errors
///
/// If the file cannot be read or is no data set of this format; see [`CsvProblem`].
pub fn read_csv(path: &Path, labels: &[String], format: Format) -> Result<Stored<Table>, CsvError> {
    let bytes = std::fs::read(path).map_err(CsvProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_csv(path, &bytes, labels, format)?, digest: Digest::of(&bytes) })
}

/// The data set in `bytes`, which come from `file`; see [`read_csv`].
///
/// # Errors
///
/// As [`read_csv`].
pub fn parse_csv(file: &Path, bytes: &[u8], labels: &[String], format: Format) -> Result<Table, CsvError> {
    parse(bytes, labels, format, &mut |_, _| {}).in_file(file)
}

/// As [`parse_csv`]; `progress` is told how many bytes of how many are done.
pub(crate) fn parse(
    bytes: &[u8],
    labels: &[String],
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Table, CsvProblem> {
    let mut text = Text::open(bytes)?;
    let header = std::mem::take(&mut text.header);
    let chosen = choose(&header, &BTreeMap::new(), labels)?;
    // No more than there are ends of cells: a hostile header cannot ask for much.
    let room = |columns: usize| text.line_ends.saturating_mul(columns).min(text.cell_ends);
    let mut inputs = Encodings::with_capacity(format, room(chosen.inputs.len()));
    let mut labels = Encodings::with_capacity(format, room(chosen.labels.len()));
    let (mut lines, mut rounder, mut unreported) = (Vec::new(), Rounder::new(format), 0);
    while let Some((line, row)) = text.next()? {
        if row.len() != header.len() {
            return Err(CsvProblem::Ragged { line, found: row.len(), expected: header.len() });
        }
        lines.push(line);
        let mut read = |column: usize, part: Part| {
            let (name, cell) = (&header[column], row[column].trim());
            let spot = || Spot { place: Place::Line(line), column: name.clone(), text: cell.to_string() };
            rounder.text(cell, part, spot).map_err(|problem| refuse(line, name, cell, problem))
        };
        for &column in &chosen.inputs {
            inputs.push(read(column, Part::Input)?);
        }
        for &column in &chosen.labels {
            labels.push(read(column, Part::Label)?);
        }
        unreported += header.len();
        if unreported >= CELLS_BETWEEN {
            unreported = 0;
            progress(text.position(), bytes.len() as u64);
        }
    }
    if labels.is_empty() {
        return Err(CsvProblem::HeaderOnly);
    }
    let names = |columns: &[usize]| columns.iter().map(|&column| header[column].clone()).collect();
    let columns = Columns { inputs: names(&chosen.inputs), labels: names(&chosen.labels) };
    let dataset = Dataset::new(format, chosen.inputs.len(), chosen.labels.len(), inputs, labels)?;
    Ok(Table { dataset, columns, places: Places::Lines(lines), report: rounder.report() })
}

fn refuse(line: usize, column: &str, cell: &str, problem: CellProblem) -> CsvProblem {
    CsvProblem::Cell { line, column: shorten(column), value: shorten(cell), problem }
}

#[cfg(test)]
mod tests;
