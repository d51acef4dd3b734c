//! The records of a folder of claims: one file, with an entry for each instance.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use roundproof_files::{Digest, In, InFile, write_atomically};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::record::{Established, Record};
use crate::text::{self, Misread};

/// The name of the file, in each folder of claims.
pub const RECORD: &str = "record.json";

/// A file of a corpus that cannot be read.
#[derive(Debug, Error)]
pub enum RecordProblem {
    /// The file.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line of it.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl From<Misread> for RecordProblem {
    fn from(Misread { line, why }: Misread) -> RecordProblem {
        RecordProblem::Line { line, why }
    }
}

/// What is on record in a folder, by the names of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFile {
    pub(crate) entries: BTreeMap<String, Record>,
    /// The digest of the file that it was read from.
    pub(crate) digest: Option<Digest>,
}

impl RecordFile {
    /// What is on record in a folder; nothing if there is no file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, says what no record says, or is written otherwise than [`RecordFile::write`] writes it:
    /// with the line.
    pub fn read(folder: &Path) -> Result<RecordFile, InFile<RecordProblem>> {
        let file = folder.join(RECORD);
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(RecordFile::default()),
            read => read.map_err(RecordProblem::from).in_file(&file)?,
        };
        let read = RecordFile::parse(&text).in_file(&file)?;
        Ok(RecordFile { digest: Some(Digest::of(text.as_bytes())), ..read })
    }

    fn parse(text: &str) -> Result<RecordFile, RecordProblem> {
        let entries = named(text)?.into_iter().map(|(name, value)| {
            let wrong = |why| RecordProblem::Line { line: text::line_of(text, &name), why };
            let record = Record::of_value(&name, value).map_err(wrong)?;
            Ok((name, record))
        });
        Ok(RecordFile { entries: entries.collect::<Result<_, RecordProblem>>()?, digest: None })
    }

    /// As text.
    pub(crate) fn to_text(&self) -> String {
        let fields: Map<String, Value> =
            self.entries.iter().map(|(name, record)| (name.clone(), record.to_value())).collect();
        text::write(&Value::Object(fields))
    }

    /// Writes the file of a folder, or removes it if nothing is on record.
    ///
    /// # Errors
    ///
    /// If it cannot be written or removed.
    pub(crate) fn write(&mut self, folder: &Path) -> Result<(), String> {
        let file = folder.join(RECORD);
        if self.entries.is_empty() {
            self.digest = None;
            return match std::fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", file.display())),
                _ => Ok(()),
            };
        }
        let text = self.to_text();
        self.digest = Some(Digest::of(text.as_bytes()));
        write_file(&file, text.as_bytes())
    }

    /// What is on record, by the names of instances.
    pub fn entries(&self) -> &BTreeMap<String, Record> {
        &self.entries
    }

    /// How many instances came to what, in the order of [`Established`], kinds of refusals apart.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, u64> {
        let mut outcomes = BTreeMap::new();
        for established in self.entries.values().filter_map(|record| record.established().ok()) {
            let name = match established {
                Established::Verdict(_) | Established::Mapped => established.name().to_string(),
                Established::Refused(kind) => format!("refused {kind}"),
            };
            *outcomes.entry(name).or_default() += 1;
        }
        outcomes
    }
}

/// The members of the object that is a whole file.
pub(crate) fn named(text: &str) -> Result<Map<String, Value>, RecordProblem> {
    match text::read(text)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(RecordProblem::Line { line: 1, why: "is not an object with an entry for each name".to_string() }),
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
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    write_atomically(path, bytes).map_err(|error| error.to_string())
}
