//! Files that are replaced as a whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use thiserror::Error;

use crate::InFile;
use crate::error::In;

/// A file that could not be written. What stood there before still does.
#[derive(Debug, Error)]
#[error("cannot be written: {0}")]
pub struct WriteProblem(#[source] pub io::Error);

/// Writes `bytes` to a new file in the folder of `path`, then renames it to `path`.
///
/// A reader sees the old file or the new one. A failure on the way leaves the old one and removes the new one; a
/// program that is killed on the way may leave a stray temporary file, but never half of `path`.
///
/// # Errors
///
/// If the folder does not exist or cannot be written to, or the disk is full.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), InFile<WriteProblem>> {
    write(path, bytes).map_err(WriteProblem).in_file(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut file = new_file(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file that, unlike most, ends up with the permissions of an ordinary one.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".roundproof-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask is taken off.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"first").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn failure_names_the_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").join("a.json");
        let error = write_atomically(&missing, b"x").unwrap_err();
        assert_eq!(error.file, missing);
        assert!(error.to_string().contains("a.json: cannot be written: "), "{error}");

        // A folder stands where the file should go: the rename fails, the temporary file goes.
        let occupied = folder.path().join("occupied");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("kept"), b"kept").unwrap();
        assert!(write_atomically(&occupied, b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(occupied.join("kept")).unwrap(), b"kept");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_an_ordinary_file_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, ordinary) = (folder.path().join("ours"), folder.path().join("ordinary"));
        write_atomically(&ours, b"x").unwrap();
        fs::write(&ordinary, b"x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&ordinary));
    }
}
