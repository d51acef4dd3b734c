//! Data sets from the files of NumPy, and arrays for it.
//!
//! A `.npy` file holds one array. `[n, m]` is `n` rows of columns `#1` to `#m`, and `[n]` one column; of more dimensions,
//! each row is laid out with the last index fastest. A `.npz` file is a ZIP archive of arrays with names: `[n]` is a column
//! of that name, `[n, m]` the columns `name[0]` to `name[m-1]`, in the order of the archive; all arrays that are used must
//! have the same `n`, and others that were not asked for may be of any kind. Columns are chosen by name, by the name of an
//! array for all its columns, or as `#5` for the fifth column.
//!
//! Elements are booleans, integers of 8 to 64 bits or binary16, binary32, binary64, in either byte order, the array in
//! C or Fortran order; or encodings of bfloat16 or of a format of up to 8 bits, which ml_dtypes saves as bytes without a
//! name, if that is the format asked for. What an element is, it is exactly, and it is rounded once. Nothing is unpickled.
//!
//! The headers are read here: npyz, which tests compare with, allocates what a header's length claims and multiplies
//! dimensions unchecked. The format is described in NumPy Enhancement Proposal 1 and in
//! the documentation of `numpy.lib.format`.

mod archive;
mod dtype;
mod error;
mod header;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::ops::Range;

use roundproof_files::json::shorten;
use roundproof_files::safetensors::Columns;
use roundproof_format::Format;
use roundproof_network::Encodings;

use crate::table::{Choice, ChoiceProblem, Inputs, Part, Place, Places, Remark, Rounder, Spot, Table, choose, known};

use header::Header;

pub use dtype::Dtype;
pub use error::NumpyProblem;
pub use write::{ArchiveWriter, header, narrowest};

/// What a `.npy` file begins with.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Cells between two reports of progress.
const CELLS_BETWEEN: usize = 1 << 16;

/// An array of rows.
struct Array<'a> {
    name: String,
    dtype: Dtype,
    rows: usize,
    /// From one row to the next, in elements.
    stride: usize,
    /// From the first element of a row to that of each column.
    offsets: Vec<usize>,
    /// Its lengths.
    shape: Vec<u64>,
    elements: &'a [u8],
}

impl<'a> Array<'a> {
    /// The array in the bytes of a `.npy` file, in a table of `format`.
    fn open(name: &str, bytes: &'a [u8], format: Format) -> Result<Array<'a>, NumpyProblem> {
        let name = name.to_string();
        let (Header { dtype, fortran, shape }, elements) = Header::parse(&name, bytes)?;
        if !dtype.may_encode(format) {
            return Err(NumpyProblem::Encoded { array: shorten(&name), dtype, format });
        }
        let Some((&rows, inner)) = shape.split_first() else {
            return Err(NumpyProblem::Scalar { array: shorten(&name) });
        };
        let needed = shape.iter().try_fold(dtype.size() as u64, |size, &length| size.checked_mul(length));
        if needed != Some(elements.len() as u64) {
            return Err(NumpyProblem::Length { array: shorten(&name), shape, dtype, found: elements.len() });
        }
        if shape.contains(&0) {
            return Err(NumpyProblem::Empty { array: shorten(&name), shape });
        }
        // All of these are at most the length of a slice.
        let rows = rows as usize;
        let columns = inner.iter().product::<u64>() as usize;
        // From one index of each dimension to the next.
        let (mut strides, mut next) = (vec![0; inner.len()], if fortran { rows } else { 1 });
        let order: Vec<usize> = if fortran { (0..inner.len()).collect() } else { (0..inner.len()).rev().collect() };
        for dimension in order {
            strides[dimension] = next;
            next *= inner[dimension] as usize;
        }
        let offset = |mut column: usize| {
            let mut offset = 0;
            for (&length, stride) in inner.iter().zip(&strides).rev() {
                offset += column % length as usize * stride;
                column /= length as usize;
            }
            offset
        };
        let offsets = (0..columns).map(offset).collect();
        Ok(Array { name, dtype, rows, stride: if fortran { 1 } else { columns }, offsets, shape, elements })
    }

    /// The names of its columns; those of an array without a name are numbers.
    fn names(&self) -> Vec<String> {
        let columns = 0..self.offsets.len();
        match (self.name.as_str(), self.shape.len()) {
            ("", _) => columns.map(|column| format!("#{}", column + 1)).collect(),
            (name, 1) => vec![name.to_string()],
            (name, _) => columns.map(|column| format!("{name}[{column}]")).collect(),
        }
    }
}

/// A column of one of several arrays.
#[derive(Clone, Copy)]
struct Column {
    array: usize,
    column: usize,
    /// Among the names.
    name: usize,
}

/// The data set in a `.npy` file; see [`crate::read_table`].
///
/// # Errors
///
/// If the bytes are not an array, or make no data set of this format.
pub fn parse_array(bytes: &[u8], choice: &Choice, format: Format) -> Result<Table, NumpyProblem> {
    Ok(read_array(bytes, choice, true, format, &mut |_, _| {})?.labelled()?)
}

/// The data set in a `.npz` file; see [`crate::read_table`].
///
/// # Errors
///
/// If the bytes are not an archive of arrays, or make no data set of this format.
pub fn parse_archive(bytes: &[u8], choice: &Choice, format: Format) -> Result<Table, NumpyProblem> {
    Ok(read_archive(bytes, choice, true, format, &mut |_, _| {})?.labelled()?)
}

/// The rows in a `.npy` file, with labels if any are chosen or needed.
pub(crate) fn read_array(
    bytes: &[u8],
    choice: &Choice,
    labelled: bool,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inputs, NumpyProblem> {
    assemble(vec![Array::open("", bytes, format)?], choice, labelled, format, progress)
}

/// The rows in a `.npz` file, with labels if any are chosen or needed.
pub(crate) fn read_archive(
    bytes: &[u8],
    choice: &Choice,
    labelled: bool,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inputs, NumpyProblem> {
    let members = archive::members(bytes)?;
    let is_among = |names: &[String], array: &str| {
        let mut named = names.iter().map(|name| name.trim());
        named.any(|name| name == array || name.strip_prefix(array).is_some_and(|rest| rest.starts_with('[')))
    };
    let mut arrays = Vec::new();
    for (name, bytes) in &members {
        match Array::open(name, bytes, format) {
            Ok(array) => arrays.push(array),
            Err(_) if choice.drop.iter().any(|dropped| dropped.trim() == name) => {}
            // What was not asked for may be of any kind; a number could mean any column.
            Err(_) if !choice.inputs.is_empty() && !is_among(&[&choice.inputs[..], &choice.labels].concat(), name) => {}
            Err(problem) => return Err(problem),
        }
    }
    let gone = |name: &String| {
        !arrays.iter().any(|array| array.name == name.trim()) && members.iter().any(|(member, _)| member == name.trim())
    };
    let drop = choice.drop.iter().filter(|name| !gone(name)).cloned().collect();
    assemble(arrays, &Choice { drop, ..choice.clone() }, labelled, format, progress)
}

/// One table of arrays beside each other.
fn assemble(
    arrays: Vec<Array<'_>>,
    choice: &Choice,
    labelled: bool,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inputs, NumpyProblem> {
    let (mut groups, mut columns, mut names) = (BTreeMap::<String, Range<usize>>::new(), Vec::new(), Vec::new());
    for (index, array) in arrays.iter().enumerate() {
        let start = columns.len();
        names.extend(array.names());
        columns.extend((0..array.offsets.len()).map(|column| Column { array: index, column, name: start + column }));
        groups.insert(array.name.clone(), start..columns.len());
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(name) = names.iter().find(|&name| !seen.insert(name)) {
        return Err(NumpyProblem::Duplicate { column: shorten(name) });
    }
    if labelled && choice.labels.is_empty() {
        return Err(ChoiceProblem::NoLabel { known: known(&names) }.into());
    }
    let chosen = choose(&names, &groups, choice)?;
    let pick = |indices: &[usize]| indices.iter().map(|&index| columns[index]).collect::<Vec<Column>>();
    let (input_columns, label_columns) = (pick(&chosen.inputs), pick(&chosen.labels));
    let used: BTreeSet<usize> = input_columns.iter().chain(&label_columns).map(|column| column.array).collect();
    let used: Vec<&Array<'_>> = used.into_iter().map(|index| &arrays[index]).collect();
    let first = used.first().ok_or(NumpyProblem::NoArrays)?;
    if let Some(other) = used.iter().find(|array| array.rows != first.rows) {
        let [first, second] = [first, other].map(|array| (shorten(&array.name), array.rows));
        return Err(NumpyProblem::Rows { first, second });
    }
    let flattened = used.iter().filter(|array| array.shape.len() > 2);
    let remarks = flattened.map(|array| Remark::Flattened { array: array.name.clone(), shape: array.shape.clone() });
    let (remarks, rows) = (remarks.collect(), first.rows);
    let reader = Reader { arrays: &arrays, names: &names, rows };
    let (inputs, labels, report) = reader.read(&input_columns, &label_columns, format, progress)?;
    let named = |columns: &[usize]| columns.iter().map(|&column| names[column].clone()).collect();
    let columns = Columns { inputs: named(&chosen.inputs), labels: named(&chosen.labels) };
    Ok(Inputs { format, inputs, labels, columns, places: Places::Rows((0..rows).collect()), report, remarks })
}

struct Reader<'a> {
    arrays: &'a [Array<'a>],
    names: &'a [String],
    rows: usize,
}

impl Reader<'_> {
    /// Every value, rounded, row by row.
    fn read(
        &self,
        input_columns: &[Column],
        label_columns: &[Column],
        format: Format,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Encodings, Encodings, crate::table::Report), NumpyProblem> {
        // As many as there are elements in the arrays.
        let mut inputs = Encodings::with_capacity(format, self.rows * input_columns.len());
        let mut labels = Encodings::with_capacity(format, self.rows * label_columns.len());
        let (mut rounder, mut unreported) = (Rounder::new(format), 0);
        for row in 0..self.rows {
            for &column in input_columns {
                inputs.push(self.value(row, column, Part::Input, &mut rounder)?);
            }
            for &column in label_columns {
                labels.push(self.value(row, column, Part::Label, &mut rounder)?);
            }
            unreported += self.names.len();
            if unreported >= CELLS_BETWEEN {
                unreported = 0;
                progress(row as u64, self.rows as u64);
            }
        }
        Ok((inputs, labels, rounder.report()))
    }

    #[inline]
    fn value(
        &self,
        row: usize,
        column: Column,
        part: Part,
        rounder: &mut Rounder,
    ) -> Result<roundproof_format::Encoding, NumpyProblem> {
        let array = &self.arrays[column.array];
        let name = || self.names[column.name].clone();
        let place = row * array.stride + array.offsets[column.column];
        let element = array.dtype.element(array.elements, place, rounder.format());
        let Some(scalar) = element else {
            return Err(NumpyProblem::NoValue { row, column: shorten(&name()) });
        };
        let spot = || Spot { place: Place::Row(row), column: name(), text: scalar.text() };
        rounder.scalar(scalar, part, spot).map_err(|problem| NumpyProblem::Cell {
            row,
            column: shorten(&name()),
            value: scalar.text(),
            problem,
        })
    }
}

/// The number of elements that the header of an array announces; 0 if it is none.
pub(crate) fn cells(file: &mut impl Read) -> u64 {
    let mut first = Vec::new();
    if file.take(header::LONGEST as u64 + 12).read_to_end(&mut first).is_err() {
        return 0;
    }
    let cells = |header: Header| header.shape.iter().try_fold(1u64, |cells, &length| cells.checked_mul(length));
    Header::parse("", &first).ok().and_then(|(header, _)| cells(header)).unwrap_or(0)
}

/// The number of elements that the headers in an archive announce, and of bytes when unpacked; 0 if it is none.
pub(crate) fn cells_and_bytes(file: impl Read + Seek) -> (u64, u64) {
    archive::cells_and_bytes(file).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests;
