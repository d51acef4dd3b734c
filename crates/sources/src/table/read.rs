//! A table from a file, by what the file is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use roundproof_files::In;
use roundproof_files::InFile;
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;
use thiserror::Error;

use super::{Choice, Inputs, Table};
use crate::csv::{self, CsvProblem};
use crate::numpy::{self, NumpyProblem};

/// A file that is not a table.
pub type TableError = InFile<TableProblem>;

/// What is wrong with a table.
#[derive(Debug, Error)]
pub enum TableProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// As a CSV.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// As NumPy's arrays.
    #[error(transparent)]
    Numpy(#[from] NumpyProblem),
}

/// The notations of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Comma-separated text.
    Csv,
    /// One of NumPy's arrays.
    Npy,
    /// An archive of NumPy's arrays.
    Npz,
}

impl Kind {
    /// The kind that a name ends with: `.csv`, `.npy` or `.npz`, in small or capital letters.
    pub fn of_name(path: &Path) -> Option<Kind> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Kind::Csv),
            "npy" => Some(Kind::Npy),
            "npz" => Some(Kind::Npz),
            _ => None,
        }
    }

    /// The kind of a file that begins with these bytes; what is nothing else is text.
    pub fn of_bytes(bytes: &[u8]) -> Kind {
        if bytes.starts_with(numpy::MAGIC) {
            Kind::Npy
        } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Kind::Npz
        } else {
            Kind::Csv
        }
    }

    /// The kind of a file: by its name, else by its first bytes.
    fn of(path: &Path, file: &mut File) -> io::Result<Kind> {
        if let Some(kind) = Kind::of_name(path) {
            return Ok(kind);
        }
        let mut first = Vec::new();
        file.take(8).read_to_end(&mut first)?;
        Ok(Kind::of_bytes(&first))
    }
}

/// The data set in a table, rounded to `format`, and the file's digest.
///
/// What the file is, its name says (`.csv`, `.npy`, `.npz`), else its first bytes. `progress` is told from time to time how
/// much of how much is done.
///
/// # Errors
///
/// If the file cannot be read or is not a data set of this format, or if no label was chosen.
pub fn read_table(
    path: &Path,
    choice: &Choice,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Stored<Table>, TableError> {
    let read = read(path, choice, true, format, progress)?;
    let value = read.value.labelled().map_err(|error| TableProblem::Csv(error.into())).in_file(path)?;
    Ok(Stored { value, digest: read.digest })
}

/// The inputs in a table, and its labels if any are chosen; else as [`read_table`].
///
/// # Errors
///
/// As [`read_table`], but that labels are not needed.
pub fn read_inputs(
    path: &Path,
    choice: &Choice,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Stored<Inputs>, TableError> {
    read(path, choice, false, format, progress)
}

fn read(
    path: &Path,
    choice: &Choice,
    labelled: bool,
    format: Format,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Stored<Inputs>, TableError> {
    let mut read = || {
        let bytes = std::fs::read(path).map_err(TableProblem::Unreadable)?;
        let kind = Kind::of_name(path).unwrap_or_else(|| Kind::of_bytes(&bytes));
        let value = match kind {
            Kind::Csv => csv::parse(&bytes, choice, labelled, format, progress)?,
            Kind::Npy => numpy::read_array(&bytes, choice, labelled, format, progress)?,
            Kind::Npz => numpy::read_archive(&bytes, choice, labelled, format, progress)?,
        };
        Ok(Stored { value, digest: Digest::of(&bytes) })
    };
    read().in_file(path)
}

/// About how many bytes of memory reading a table takes at most: the file, its arrays if they are compressed, and the
/// data set. For a text, the number of its cells is estimated from its beginning.
///
/// # Errors
///
/// If the file cannot be read. One that is not a table has some number.
pub fn memory_needed(path: &Path, format: Format) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let kind = Kind::of(path, &mut file)?;
    let mut file = File::open(path)?;
    let (cells, unpacked) = match kind {
        Kind::Csv => (estimated_cells(&mut file, length)?, 0),
        Kind::Npy => (numpy::cells(&mut file), 0),
        Kind::Npz => numpy::cells_and_bytes(file),
    };
    let width = u64::from(format.storage_width() / 8);
    Ok(length.saturating_add(unpacked).saturating_add(cells.saturating_mul(width)))
}

/// Cells of a text, as densely as at its beginning.
fn estimated_cells(file: &mut File, length: u64) -> io::Result<u64> {
    let mut sample = Vec::new();
    file.take(1 << 18).read_to_end(&mut sample)?;
    // The header, whose names are longer than cells, does not count.
    let body = sample.iter().position(|&byte| byte == b'\n').map_or(&sample[..], |end| &sample[end + 1..]);
    let ends = body.iter().filter(|byte| matches!(byte, b',' | b';' | b'\t' | b'\n')).count() as u64;
    Ok(match body.len() as u64 {
        0 => length / 2,
        read => (u128::from(length) * u128::from(ends) / u128::from(read)) as u64,
    })
}
