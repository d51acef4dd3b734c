//! The certificates of a folder.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

/// A folder whose certificates cannot be told.
#[derive(Debug, Error)]
pub enum FolderProblem {
    /// A folder or a file that cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// Nothing to judge.
    #[error("{}: has no certificates in it", .0.display())]
    Empty(PathBuf),
}

/// The certificates below a folder, in the order of their paths; or `path` itself, if it is not a folder.
///
/// Each file that ends in `.json` is one, unless it is JSON without the fields of a certificate. One that cannot be read as
/// JSON is among them: what is damaged is not to be left out.
///
/// # Errors
///
/// If a folder cannot be read, or has no certificate in it.
pub fn certificates(path: &Path) -> Result<Vec<PathBuf>, FolderProblem> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    collect(path, &mut found)?;
    if found.is_empty() { Err(FolderProblem::Empty(path.to_path_buf())) } else { Ok(found) }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), FolderProblem> {
    let unreadable = |error| FolderProblem::Unreadable { path: folder.to_path_buf(), error };
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        // A link to a folder may lead back here.
        let kind = fs::symlink_metadata(&path).map_err(unreadable)?;
        if kind.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "json") && path.is_file() && may_be_certificate(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// The fields that no other JSON of ours has together.
#[derive(Deserialize)]
struct Fields {
    schema: Option<IgnoredAny>,
    claim: Option<IgnoredAny>,
    verdict: Option<IgnoredAny>,
}

fn may_be_certificate(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return true };
    match serde_json::from_reader(BufReader::new(file)) {
        Ok(Fields { schema: None, claim, verdict }) => claim.is_some() && verdict.is_some(),
        Ok(Fields { schema: Some(_), claim: _, verdict: _ }) => true,
        // An array, or a text: JSON of another kind.
        Err(error) => !error.is_data(),
    }
}
