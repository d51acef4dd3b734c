//! Which program is asked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt};

use crate::SolverError;

/// The program that is asked. It must lie beside the one that asks.
pub const PROGRAM: &str = "roundproof-z3";
/// The environment variable that may name another one.
pub const VARIABLE: &str = "ROUNDPROOF_SOLVER";

/// A program that speaks the [`crate::protocol`], or is said to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    /// The one that [`VARIABLE`] names, else the one beside this program.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn found() -> Result<Program, SolverError> {
        if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            return Ok(Program::at(named));
        }
        let this = env::current_exe().unwrap_or_default();
        Program::beside(&this)
    }

    /// The program of this path, or of this name on the `PATH`.
    pub fn at(path: impl Into<PathBuf>) -> Program {
        Program { path: path.into(), arguments: Vec::new() }
    }

    fn beside(this: &Path) -> Result<Program, SolverError> {
        let folder = folder(this);
        let path = folder.join(format!("{PROGRAM}{}", env::consts::EXE_SUFFIX));
        if path.is_file() { Ok(Program::at(path)) } else { Err(SolverError::Missing { folder: folder.to_path_buf() }) }
    }

    /// A shell that runs this text: what a program may do.
    #[cfg(test)]
    pub(crate) fn shell(script: &str) -> Program {
        Program { path: PathBuf::from("sh"), arguments: vec!["-c".to_string(), script.to_string(), "sh".to_string()] }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        command
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// Where programs lie that were built with this one. Cargo puts tests and examples a folder below.
pub(crate) fn folder(this: &Path) -> &Path {
    let folder = this.parent().unwrap_or(Path::new(""));
    let below = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    folder.parent().filter(|_| below).unwrap_or(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_beside_or_above_tests() {
        for (this, expected) in [
            ("/usr/local/bin/roundproof", "/usr/local/bin"),
            ("target/release/roundproof", "target/release"),
            ("target/debug/deps/roundproof_checker-0123", "target/debug"),
            ("target/debug/examples/one", "target/debug"),
            ("deps/one", ""),
            ("", ""),
        ] {
            assert_eq!(folder(Path::new(this)), Path::new(expected), "{this}");
        }
    }

    #[test]
    fn it_is_missed_where_it_is_not() {
        let missing = Program::beside(Path::new("/nothing/there/roundproof")).unwrap_err().to_string();
        assert!(missing.starts_with("roundproof-z3 is not in /nothing/there"), "{missing}");
        assert!(missing.contains("cargo build") && missing.contains(VARIABLE), "{missing}");
    }
}
