//! What every error of this crate has: the file.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A problem, and the file that has it.
#[derive(Debug, Error)]
#[error("{}: {problem}", file.display())]
pub struct InFile<P> {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: Box<P>,
}

/// Names the file of a problem.
pub trait In<T, P> {
    /// The same result, with `file` in its error.
    fn in_file(self, file: &Path) -> Result<T, InFile<P>>;
}

impl<T, P> In<T, P> for Result<T, P> {
    fn in_file(self, file: &Path) -> Result<T, InFile<P>> {
        self.map_err(|problem| InFile { file: file.to_path_buf(), problem: Box::new(problem) })
    }
}
