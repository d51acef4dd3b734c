//! The arrays in a ZIP archive.

use std::io::{Cursor, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::NumpyProblem;

/// What members of an archive are arrays.
const SUFFIX: &str = ".npy";

fn wrong(what: impl ToString) -> NumpyProblem {
    NumpyProblem::Archive { what: what.to_string() }
}

fn damaged(error: ZipError) -> NumpyProblem {
    wrong(error)
}

/// The name of each array in an archive, and its bytes, in the order of the archive.
///
/// Compressed members take at most about a thousand times their size, which is what DEFLATE can do; members that share
/// bytes of the file, which could make more of it, are refused.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, NumpyProblem> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut compressed = 0u64;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(damaged)?;
        let name = member.name().map_err(damaged)?.strip_suffix(SUFFIX).map(str::to_string);
        compressed = compressed.saturating_add(member.compressed_size());
        if compressed > bytes.len() as u64 {
            return Err(wrong("its members share bytes"));
        }
        let Some(name) = name else { continue };
        let size = member.size();
        let mut contents = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(bytes.len()));
        (&mut member).take(size.saturating_add(1)).read_to_end(&mut contents).map_err(wrong)?;
        if contents.len() as u64 != size {
            return Err(wrong(format!("its member {name}{SUFFIX} has another size than it says")));
        }
        members.push((name, contents));
    }
    if members.is_empty() { Err(NumpyProblem::NoArrays) } else { Ok(members) }
}

/// The number of elements in all arrays, and of bytes when unpacked.
pub(super) fn cells_and_bytes(file: impl Read + Seek) -> Result<(u64, u64), ZipError> {
    let mut archive = ZipArchive::new(file)?;
    let (mut cells, mut bytes) = (0u64, 0u64);
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        if member.name()?.ends_with(SUFFIX) {
            bytes = bytes.saturating_add(member.size());
            cells = cells.saturating_add(super::cells(&mut member));
        }
    }
    Ok((cells, bytes))
}
