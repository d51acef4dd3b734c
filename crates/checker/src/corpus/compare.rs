//! Whether a record is the committed one.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::refusal::Refusal;
use super::run::{CERTIFICATE, REFUSAL, Record, RunError, ending};

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

    pub(super) fn with_committed(stem: &Path, record: &Record) -> Result<Comparison, RunError> {
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

fn read(path: &Path) -> Result<Option<String>, RunError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::File(format!("{}: {error}", path.display()))),
    }
}

/// The text with the values of provenance left out; as it is if it is no JSON object.
pub(super) fn without_provenance(text: &str) -> Result<Value, &str> {
    match serde_json::from_str(text) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("provenance");
            Ok(Value::Object(fields))
        }
        _ => Err(text),
    }
}
