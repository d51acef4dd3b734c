//! Which Z3 is asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fmt};

use super::{OLDEST, SolverError};

/// The environment variable that may name a Z3: a program, or a prefix with `bin/z3`.
pub const VARIABLE: &str = "ROUNDPROOF_Z3";

/// Where `./x` puts it, seen from the folder of the project.
const FETCHED: &str = ".tools/z3-solver/bin/z3";
/// How many folders above a program of the project its folder may be: `target/debug/deps/` has three.
const MOST_FOLDERS: usize = 5;

/// A Z3 that told its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its version: `5.4.1`.
    pub version: String,
}

impl Program {
    /// The one that [`VARIABLE`] names; else the one that `./x` fetched, in a folder above this program; else the one on the
    /// `PATH`. Looked for once.
    ///
    /// # Errors
    ///
    /// If there is none, or it is too old.
    pub fn found() -> Result<Program, SolverError> {
        static FOUND: OnceLock<Result<Program, SolverError>> = OnceLock::new();
        FOUND.get_or_init(|| Program::at(place(env::var_os(VARIABLE).map(PathBuf::from))?)).clone()
    }

    /// The program at `path`, if it is a Z3 that is not too old.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn at(path: PathBuf) -> Result<Program, SolverError> {
        let not_z3 = |why: String| SolverError::NotZ3 { program: path.display().to_string(), why };
        let output = Command::new(&path).arg("-version").stdin(Stdio::null()).output();
        let output = output.map_err(|error| not_z3(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.strip_prefix("Z3 version ").and_then(|rest| rest.split_whitespace().next());
        let shown: String = text.chars().take(80).collect();
        let version = version.ok_or_else(|| not_z3(format!("it says {shown:?}")))?;
        let parts: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
        if parts.as_slice() < OLDEST.as_slice() {
            return Err(SolverError::Old { program: path.display().to_string(), version: version.to_string() });
        }
        Ok(Program { version: version.to_string(), path })
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

fn place(named: Option<PathBuf>) -> Result<PathBuf, SolverError> {
    if let Some(named) = named {
        return Ok(if named.is_dir() { named.join("bin/z3") } else { named });
    }
    let program = env::current_exe().unwrap_or_default();
    let fetched = program.ancestors().skip(1).take(MOST_FOLDERS).map(|folder| folder.join(FETCHED));
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("z3"));
    fetched.chain(on_path).find(|path| is_program(path)).ok_or(SolverError::Missing)
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_z3_is_refused() {
        let nothing = Program::at(PathBuf::from("/nothing/there"));
        assert!(matches!(nothing, Err(SolverError::NotZ3 { .. })), "{nothing:?}");
        let other = Program::at(PathBuf::from("true"));
        assert!(matches!(other, Err(SolverError::NotZ3 { .. })), "{other:?}");
    }

    #[cfg(unix)]
    #[test]
    fn old_versions_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (version, old) in [("4.8.12", true), ("4.13.2", true), ("4.13.3", false), ("4.14", false), ("5.4.1", false)]
        {
            let path = folder.path().join(format!("z3-{version}"));
            std::fs::write(&path, format!("#!/bin/sh\necho 'Z3 version {version} - 64 bit'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let program = Program::at(path);
            assert_eq!(matches!(program, Err(SolverError::Old { .. })), old, "{program:?}");
            assert_eq!(program.is_ok(), !old, "{program:?}");
        }
    }

    #[test]
    fn a_prefix_has_the_program_in_bin() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(place(Some(folder.path().to_path_buf())), Ok(folder.path().join("bin/z3")));
        assert_eq!(place(Some(PathBuf::from("somewhere/z3"))), Ok(PathBuf::from("somewhere/z3")));
    }
}
