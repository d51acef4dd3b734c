//! Files that are replaced as a whole or not at all.

use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

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

/// A file that is written piece by piece under a temporary name, in the folder of its place.
///
/// Dropped before [`AtomicFile::finish`], it is gone, and what stood in its place still does.
#[derive(Debug)]
pub struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// A new file that is to be at `path`.
    ///
    /// # Errors
    ///
    /// If the folder does not exist or cannot be written to.
    pub fn create(path: &Path) -> Result<AtomicFile, InFile<WriteProblem>> {
        let file = new_file(folder_of(path)).map_err(WriteProblem).in_file(path)?;
        Ok(AtomicFile { file, path: path.to_path_buf() })
    }

    /// Where it is meanwhile.
    pub fn temporary_path(&self) -> &Path {
        self.file.path()
    }

    /// Puts it into its place.
    ///
    /// # Errors
    ///
    /// If the disk is full, or a folder stands there.
    pub fn finish(self) -> Result<(), InFile<WriteProblem>> {
        let AtomicFile { file, path } = self;
        let finish = || {
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        finish().map_err(WriteProblem).in_file(&path)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(folder_of(path))?;
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
    // The error speaks of the temporary name, which nobody asked for.
    builder.tempfile_in(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "its folder does not exist"),
        kind => kind.into(),
    })
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
        let text = error.to_string();
        assert!(text.ends_with("a.json: cannot be written: its folder does not exist"), "{text}");

        // A folder stands where the file should go: the rename fails, the temporary file goes.
        let occupied = folder.path().join("occupied");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("kept"), b"kept").unwrap();
        assert!(write_atomically(&occupied, b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(occupied.join("kept")).unwrap(), b"kept");
    }

    #[test]
    fn pieces_are_one_file_once_they_are_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"ne").unwrap();
        assert!(file.temporary_path().exists());
        drop(file);
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"old".to_vec(), 1));
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"ne").unwrap();
        file.write_all(b"w").unwrap();
        file.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"new".to_vec(), 1));
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
