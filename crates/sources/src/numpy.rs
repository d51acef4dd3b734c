//! Data sets from the files of NumPy, and arrays for it.
//!
//! A `.npy` file holds one array. `[n, m]` is `n` rows of columns `#1` to `#m`, and `[n]` one column. A `.npz` file is a
//! ZIP archive of arrays with names: `[n]` is a column of that name, `[n, m]` the columns `name[0]` to `name[m-1]`, in
//! the order of the archive; all arrays must have the same `n`. Labels are chosen by the name of a column, by the name
//! of an array for all its columns, or as `#5` for the fifth column.
//!
//! Elements are booleans, integers of 8 to 64 bits or binary16, binary32, binary64, in either byte order, the array in
//! C or Fortran order. What an element is, it is exactly, and it is rounded once. Nothing is unpickled.
//!
//! The headers are read here: npyz, which tests compare with, allocates what a header's length claims and multiplies
//! dimensions unchecked. The format is described in NumPy Enhancement Proposal 1 and in
//! the documentation of `numpy.lib.format`.

mod archive;
mod dtype;
mod error;
mod header;
mod write;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::ops::Range;

use roundproof_files::json::shorten;
use roundproof_files::safetensors::Columns;
use roundproof_format::Format;
use roundproof_network::{Dataset, Encodings};

use crate::table::{Part, Place, Places, Rounder, Spot, Table, choose};

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
    columns: usize,
    /// From one row, and from one column, to the next, in elements.
    strides: [usize; 2],
    /// Whether it has two dimensions.
    matrix: bool,
    elements: &'a [u8],
}

impl<'a> Array<'a> {
    /// The array in the bytes of a `.npy` file.
    fn open(name: &str, bytes: &'a [u8]) -> Result<Array<'a>, NumpyProblem> {
        let name = name.to_string();
        let (Header { dtype, fortran, shape }, elements) = Header::parse(&name, bytes)?;
        let (rows, columns, matrix) = match shape[..] {
            [rows] => (rows, 1, false),
            [rows, columns] => (rows, columns, true),
            _ => return Err(NumpyProblem::Dimensions { array: shorten(&name), dimensions: shape.len() }),
        };
        let needed = rows.checked_mul(columns).and_then(|cells| cells.checked_mul(dtype.size() as u64));
        if needed != Some(elements.len() as u64) {
            return Err(NumpyProblem::Length { array: shorten(&name), shape, dtype, found: elements.len() });
        }
        if rows == 0 || columns == 0 {
            return Err(NumpyProblem::Empty { array: shorten(&name), shape });
        }
        // Both are at most the length of a slice.
        let (rows, columns) = (rows as usize, columns as usize);
        let strides = if fortran { [1, rows] } else { [columns, 1] };
        Ok(Array { name, dtype, rows, columns, strides, matrix, elements })
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
/// If the bytes are no array, or make no data set of this format.
pub fn parse_array(
    bytes: &[u8],
    labels: &[String],
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Table, NumpyProblem> {
    let array = Array::open("", bytes)?;
    let names = (1..=array.columns).map(|column| format!("#{column}")).collect();
    assemble(&[array], names, labels, format, progress)
}

/// The data set in a `.npz` file; see [`crate::read_table`].
///
/// # Errors
///
/// If the bytes are no archive of arrays, or make no data set of this format.
pub fn parse_archive(
    bytes: &[u8],
    labels: &[String],
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Table, NumpyProblem> {
    let members = archive::members(bytes)?;
    let arrays = members.iter().map(|(name, bytes)| Array::open(name, bytes)).collect::<Result<Vec<Array>, _>>()?;
    let names = arrays.iter().flat_map(|array| {
        let name = |column| if array.matrix { format!("{}[{column}]", array.name) } else { array.name.clone() };
        (0..array.columns).map(name)
    });
    assemble(&arrays, names.collect(), labels, format, progress)
}

/// One table of arrays beside each other, whose columns are named `names`.
fn assemble(
    arrays: &[Array<'_>],
    names: Vec<String>,
    labels: &[String],
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Table, NumpyProblem> {
    let first = arrays.first().ok_or(NumpyProblem::NoArrays)?;
    if let Some(other) = arrays.iter().find(|array| array.rows != first.rows) {
        let [first, second] = [first, other].map(|array| (shorten(&array.name), array.rows));
        return Err(NumpyProblem::Rows { first, second });
    }
    let (mut groups, mut columns) = (BTreeMap::<String, Range<usize>>::new(), Vec::with_capacity(names.len()));
    for (index, array) in arrays.iter().enumerate() {
        let start = columns.len();
        columns.extend((0..array.columns).map(|column| Column { array: index, column, name: start + column }));
        groups.insert(array.name.clone(), start..columns.len());
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(name) = names.iter().find(|&name| !seen.insert(name)) {
        return Err(NumpyProblem::Duplicate { column: shorten(name) });
    }
    let chosen = choose(&names, &groups, labels)?;
    let pick = |indices: &[usize]| indices.iter().map(|&index| columns[index]).collect::<Vec<Column>>();
    let reader = Reader { arrays, names: &names, rows: first.rows };
    let (inputs, labels, report) = reader.read(&pick(&chosen.inputs), &pick(&chosen.labels), format, progress)?;
    let dataset = Dataset::new(format, chosen.inputs.len(), chosen.labels.len(), inputs, labels)?;
    let named = |columns: &[usize]| columns.iter().map(|&column| names[column].clone()).collect();
    let columns = Columns { inputs: named(&chosen.inputs), labels: named(&chosen.labels) };
    Ok(Table { dataset, columns, places: Places::Rows((0..first.rows).collect()), report })
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
        let element = array.dtype.element(array.elements, row * array.strides[0] + column.column * array.strides[1]);
        let Some(scalar) = element else {
            return Err(NumpyProblem::NoBoolean { row, column: shorten(&name()) });
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
