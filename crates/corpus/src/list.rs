//! The list of all folders of claims: how many of their instances came to what, and the digest of their records.
//!
//! It stands at the top of a corpus, as `obligations.json`, an entry on each line. Records say what was established; the list
//! is what notices that a folder of claims is gone, or that a record was changed, whoever did it: `verify-all --bless` alone
//! rewrites it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use roundproof_files::{Digest, In, InFile};
use serde_json::{Map, Value};

use crate::record_file::{RecordFile, RecordProblem, named, write_file};
use crate::text;

/// The name of the list.
pub const LIST: &str = "obligations.json";

/// The name of the folder that is the corpus itself.
pub(crate) const TOP: &str = ".";

/// A folder on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How many instances came to what.
    pub outcomes: BTreeMap<String, u64>,
    /// The digest of the file of records.
    pub record: Digest,
}

impl Entry {
    /// How many instances there are.
    pub fn instances(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn words(&self) -> String {
        let words: Vec<String> = self.outcomes.iter().map(|(outcome, number)| format!("{number} {outcome}")).collect();
        words.join(", ")
    }
}

/// Folders of claims by name, which is their path below the corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    entries: BTreeMap<String, Entry>,
}

/// What the list says of a folder beside what is there; or what is on record beside what is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A folder is on the list, and nothing in it is claimed.
    Gone,
    /// A folder has claims, and is not on the list.
    Added,
    /// A folder is on the list, and has no record.
    NoRecord,
    /// Other outcomes are on record.
    Outcomes {
        /// On the list.
        listed: String,
        /// On record.
        recorded: String,
    },
    /// The same outcomes are on record, of other claims or by other evidence.
    Record,
    /// An instance is on record, and not claimed.
    Unclaimed,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Gone => f.write_str("is on the list, and claimed no more"),
            Difference::Added => f.write_str("is claimed, and not on the list"),
            Difference::NoRecord => f.write_str("is on the list, and has no record"),
            Difference::Outcomes { listed, recorded } => {
                write!(f, "has {listed} on the list, and {recorded} on record")
            }
            Difference::Record => f.write_str("has other records than the list says"),
            Difference::Unclaimed => f.write_str("is on record, and claimed no more"),
        }
    }
}

impl List {
    /// The list of a corpus; empty if the corpus has none.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not one: with the line.
    pub fn read(corpus: &Path) -> Result<List, InFile<RecordProblem>> {
        let file = corpus.join(LIST);
        match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(List::default()),
            Err(error) => Err(RecordProblem::from(error)).in_file(&file),
            Ok(text) => List::parse(&text).in_file(&file),
        }
    }

    fn parse(text: &str) -> Result<List, RecordProblem> {
        let entries = named(text)?.into_iter().map(|(name, value)| {
            let wrong = |why| RecordProblem::Line { line: text::line_of(text, &name), why };
            let entry = entry(value).map_err(wrong)?;
            Ok((name, entry))
        });
        Ok(List { entries: entries.collect::<Result<_, RecordProblem>>()? })
    }

    /// The folders, by name.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// Where this list is not what is claimed and on record, in the order of names.
    pub(crate) fn differences(
        &self,
        claimed: &BTreeSet<&str>,
        records: &BTreeMap<String, RecordFile>,
    ) -> Vec<(String, Difference)> {
        let names: BTreeSet<&str> = claimed.iter().copied().chain(self.entries.keys().map(String::as_str)).collect();
        let differs = |name: &str| {
            let listed = self.entries.get(name);
            match (listed, records.get(name).and_then(entry_of)) {
                (None, _) => Some(Difference::Added),
                (Some(_), _) if !claimed.contains(name) => Some(Difference::Gone),
                (Some(_), None) => Some(Difference::NoRecord),
                (Some(listed), Some(recorded)) if listed.outcomes != recorded.outcomes => {
                    Some(Difference::Outcomes { listed: listed.words(), recorded: recorded.words() })
                }
                (Some(listed), Some(recorded)) => (listed.record != recorded.record).then_some(Difference::Record),
            }
        };
        names.into_iter().filter_map(|name| Some((name.to_string(), differs(name)?))).collect()
    }

    /// Whether the list says of a folder what is on record there.
    pub(crate) fn agrees(&self, name: &str, records: &RecordFile) -> bool {
        self.entries.get(name) == entry_of(records).as_ref()
    }

    /// Takes over what is on record in a folder; takes it off the list if nothing is.
    pub(crate) fn take_over(&mut self, name: &str, records: &RecordFile) {
        match entry_of(records) {
            Some(entry) => self.entries.insert(name.to_string(), entry),
            None => self.entries.remove(name),
        };
    }

    /// Takes a folder off the list.
    pub(crate) fn take_off(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Writes the list into the folder of a corpus.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn write(&self, corpus: &Path) -> Result<(), String> {
        write_file(&corpus.join(LIST), self.to_text().as_bytes())
    }

    fn to_text(&self) -> String {
        let entry = |Entry { outcomes, record }: &Entry| {
            let counts = outcomes.iter().map(|(outcome, &number)| (outcome.clone(), Value::from(number)));
            let record = [(SHA256.to_string(), Value::from(record.to_string()))];
            Value::Object(counts.chain(record).collect())
        };
        let fields: Map<String, Value> =
            self.entries.iter().map(|(name, listed)| (name.clone(), entry(listed))).collect();
        text::write(&Value::Object(fields))
    }
}

const SHA256: &str = "sha256";

/// What a file of records says.
fn entry_of(records: &RecordFile) -> Option<Entry> {
    Some(Entry { outcomes: records.outcomes(), record: records.digest? })
}

fn entry(value: Value) -> Result<Entry, String> {
    let Value::Object(mut fields) = value else { return Err("a folder has outcomes and a digest".to_string()) };
    let digest = fields.remove(SHA256).and_then(|digest| digest.as_str().map(str::parse::<Digest>));
    let record = digest.ok_or("a folder has a sha256")?.map_err(|error| error.to_string())?;
    let number = |(outcome, number): (String, Value)| match number.as_u64() {
        Some(number) if number > 0 => Ok((outcome, number)),
        _ => Err(format!("{} is not a number of instances", text::shortened(&number.to_string()))),
    };
    Ok(Entry { outcomes: fields.into_iter().map(number).collect::<Result<_, String>>()?, record })
}
