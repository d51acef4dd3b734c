//! What is put on record of an obligation, and whether it is what was committed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use roundproof_files::write_atomically;
use serde_json::Value;

use crate::refusal::Refusal;

/// The ending of a certificate or a record of a lemma.
pub(crate) const CERTIFICATE: &str = ".json";
/// The ending of a refusal.
pub(crate) const REFUSAL: &str = ".refusal.txt";

/// What is put on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A certificate, or what a solver said of a lemma: JSON.
    Json(String),
    /// Why there is no network to speak of.
    Refusal(Refusal),
}

/// How a record compares with the committed one. Provenance does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Same,
    /// A refusal of the same kind, in other words. Nothing that is claimed has changed.
    Reworded,
    /// Nothing was committed.
    New,
    /// Something else was committed.
    Changed,
}

impl Comparison {
    /// The word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Comparison::Same => "same",
            Comparison::Reworded => "reworded",
            Comparison::New => "new",
            Comparison::Changed => "changed",
        }
    }

    /// Whether something else is claimed than what was committed.
    pub const fn is_change(self) -> bool {
        match self {
            Comparison::Same | Comparison::Reworded => false,
            Comparison::New | Comparison::Changed => true,
        }
    }

    /// How a record compares with the one at `stem`.
    ///
    /// # Errors
    ///
    /// If that cannot be read.
    pub(crate) fn with_committed(stem: &Path, record: &Record) -> Result<Comparison, String> {
        let (certificate, refusal) = (read(&ending(stem, CERTIFICATE))?, read(&ending(stem, REFUSAL))?);
        Ok(match (record, certificate, refusal) {
            (_, None, None) => Comparison::New,
            (Record::Json(text), Some(committed), None)
                if without_provenance(text) == without_provenance(&committed) =>
            {
                Comparison::Same
            }
            (Record::Refusal(refusal), None, Some(committed)) => match committed.parse::<Refusal>() {
                Ok(_) if refusal.to_string() == committed => Comparison::Same,
                Ok(other) if other.kind == refusal.kind => Comparison::Reworded,
                _ => Comparison::Changed,
            },
            _ => Comparison::Changed,
        })
    }
}

impl Record {
    /// Makes it the record at `stem`, in place of whatever is there.
    ///
    /// # Errors
    ///
    /// If a file cannot be written or removed.
    pub(crate) fn commit(&self, stem: &Path) -> Result<(), String> {
        let (path, text, other) = match self {
            Record::Json(text) => (ending(stem, CERTIFICATE), text.clone(), ending(stem, REFUSAL)),
            Record::Refusal(it) => (ending(stem, REFUSAL), it.to_string(), ending(stem, CERTIFICATE)),
        };
        write(&path, text.as_bytes())?;
        match std::fs::remove_file(&other) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", other.display())),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// The text with the values of provenance left out; as it is if it is not JSON object.
pub(crate) fn without_provenance(text: &str) -> Result<Value, &str> {
    match serde_json::from_str(text) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("provenance");
            Ok(Value::Object(fields))
        }
        _ => Err(text),
    }
}

/// The path with an ending.
pub(crate) fn ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Writes a file, its folder too if that is not there.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    write_atomically(path, bytes).map_err(|error| error.to_string())
}
