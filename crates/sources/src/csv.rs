//! Data sets from CSV.
//!
//! The first row names the columns, unless a table is said to have no header. Some columns, chosen by name, are labels;
//! all others, or those that are chosen, are inputs. Cells hold decimals (`-12.5e-3`) or hexadecimal floats (`0x1.8p-3`), which are read exactly and rounded
//! once, ties to even, to the format.
//!
//! Cells are separated by commas, or, if the header has none, by semicolons, tabs or bars, and may be quoted; white space
//! around a cell, blank lines and a byte order mark are passed over. `true` and `false` are 1 and 0. A label column whose
//! first cell is a name has the names of classes, which are numbered from 0 in alphabetical order. What is read so, a
//! [`Remark`] says. Nothing else is guessed: what is not a number, is not finite or exceeds the format is an error that names
//! line, column and remedy.

mod classes;
mod error;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use roundproof_exact::parse_number;
use roundproof_files::In;
use roundproof_files::json::shorten;
use roundproof_files::safetensors::Columns;
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;
use roundproof_network::Encodings;

use crate::table::{
    CellProblem, Choice, ChoiceProblem, Inputs, Part, Place, Places, Remark, Rounder, Spot, Table, choose, known,
};

use classes::Classes;
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
/// If the file cannot be read or is not a data set of this format; see [`CsvProblem`].
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
    let read = || Ok(parse(bytes, &Choice::of_labels(labels), true, format, &mut |_, _| {})?.labelled()?);
    read().in_file(file)
}

/// As [`parse_csv`], with any choice of columns, and labels only where they are needed; `progress` is told how many bytes
/// of how many are done.
pub(crate) fn parse(
    bytes: &[u8],
    choice: &Choice,
    labelled: bool,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inputs, CsvProblem> {
    let mut text = Text::open(bytes, choice.no_header)?;
    let header = std::mem::take(&mut text.header);
    if labelled && choice.labels.is_empty() {
        return Err(ChoiceProblem::NoLabel { known: known(&header) }.into());
    }
    let chosen = choose(&header, &BTreeMap::new(), choice)?;
    let used = || chosen.inputs.iter().chain(&chosen.labels);
    if let Some(&column) = used().find(|&&column| header[column].is_empty()) {
        return Err(CsvProblem::Unnamed { column: column + 1 });
    }
    // No more than there are ends of cells: a hostile header cannot ask for much.
    let room = |columns: usize| text.line_ends.saturating_mul(columns).min(text.cell_ends);
    let mut inputs = Encodings::with_capacity(format, room(chosen.inputs.len()));
    let mut labels = Encodings::with_capacity(format, room(chosen.labels.len()));
    let (mut lines, mut rounder, mut unreported) = (Vec::new(), Rounder::new(format), 0);
    let mut booleans = BTreeSet::new();
    let mut numbering = numbering(&chosen.inputs, &header);
    let mut classes: Vec<Option<Classes>> = Vec::new();
    while let Some((line, row)) = text.next()? {
        if row.len() != header.len() {
            return Err(CsvProblem::Ragged { line, found: row.len(), expected: header.len() });
        }
        if lines.is_empty() {
            let of = |&column: &usize| {
                let named = Classes::are_named(&row[column]);
                named.then(|| Classes::collect(bytes, choice.no_header, column, &header[column], format)).transpose()
            };
            classes = chosen.labels.iter().map(of).collect::<Result<_, _>>()?;
        }
        let mut read = |column: usize, part: Part, classes: Option<&Classes>| {
            let (name, cell) = (&header[column], row[column].trim());
            let spot = || Spot { place: Place::Line(line), column: name.clone(), text: cell.to_string() };
            let number = match classes {
                Some(classes) => classes.number(cell),
                None => Ok(match truth(cell) {
                    Some(number) => {
                        booleans.insert(column);
                        number
                    }
                    None => cell,
                }),
            };
            number
                .and_then(|number| rounder.text(number, part, spot))
                .map_err(|problem| refuse(line, name, cell, problem))
        };
        for &column in &chosen.inputs {
            inputs.push(read(column, Part::Input, None)?);
        }
        for (&column, classes) in chosen.labels.iter().zip(&classes) {
            labels.push(read(column, Part::Label, classes.as_ref())?);
        }
        let index = lines.len();
        numbering.retain(|&(column, first)| row[column].trim().parse() == Ok(index + first));
        lines.push(line);
        unreported += header.len();
        if unreported >= CELLS_BETWEEN {
            unreported = 0;
            progress(text.position(), bytes.len() as u64);
        }
    }
    if lines.is_empty() {
        return Err(CsvProblem::HeaderOnly);
    }
    let mut remarks = Vec::new();
    if text.separator != ',' {
        remarks.push(Remark::Separator { separator: text.separator });
    }
    if !choice.no_header && header.iter().all(|name| parse_number(name).is_ok()) {
        remarks.push(Remark::NumericHeader);
    }
    let row_numbers = numbering.iter().map(|&(column, _)| column).collect::<BTreeSet<usize>>();
    remarks.extend(row_numbers.into_iter().map(|column| Remark::RowNumbers { column: header[column].clone() }));
    remarks.extend(booleans.into_iter().map(|column| Remark::Booleans { column: header[column].clone() }));
    remarks.extend(chosen.labels.iter().zip(classes).filter_map(|(&column, classes)| {
        Some(Remark::Classes { column: header[column].clone(), names: classes?.into_names() })
    }));
    let names = |columns: &[usize]| columns.iter().map(|&column| header[column].clone()).collect();
    let columns = Columns { inputs: names(&chosen.inputs), labels: names(&chosen.labels) };
    Ok(Inputs { format, inputs, labels, columns, places: Places::Lines(lines), report: rounder.report(), remarks })
}

/// The number of a truth value.
fn truth(cell: &str) -> Option<&'static str> {
    match cell {
        "true" | "True" | "TRUE" => Some("1"),
        "false" | "False" | "FALSE" => Some("0"),
        _ => None,
    }
}

/// Inputs that may number the rows, by the names that pandas gives an index, from 0 and from 1; not where there is no
/// other input.
fn numbering(inputs: &[usize], header: &[String]) -> Vec<(usize, usize)> {
    let is_index = |column: &&usize| {
        let name = header[**column].to_ascii_lowercase();
        name.starts_with("unnamed: ") || ["index", "level_0", "idx", "row", "rownames"].contains(&name.as_str())
    };
    let likely = inputs.iter().filter(is_index).flat_map(|&column| [(column, 0), (column, 1)]);
    if inputs.len() > 1 { likely.collect() } else { Vec::new() }
}

fn refuse(line: usize, column: &str, cell: &str, problem: CellProblem) -> CsvProblem {
    CsvProblem::Cell { line, column: shorten(column), value: shorten(cell), problem }
}

#[cfg(test)]
mod tests;
