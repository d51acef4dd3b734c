//! The list of all obligations: what is claimed under `proofs/`, what came of it, and the digest of its record.
//!
//! The list is committed beside the claims, as `obligations.jsonl`: a JSON object on each line, in the order of names. A
//! claim that is removed, added or changed is a difference between the list, the claims and the records, whoever changed
//! which of them; `verify-all --bless` alone rewrites it. A refusal is listed by its kind, since its words may improve; any
//! other record by the SHA-256 of its compact JSON with sorted keys, without `provenance`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use roundproof_files::{Digest, InFile, write_atomically};
use roundproof_kernel::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::obligations::{PARTS, files_below, name};
use crate::record::{CERTIFICATE, REFUSAL, without_provenance};
use crate::refusal::{Refusal, RefusalKind};

/// The name of the list.
pub const LIST: &str = "obligations.jsonl";

/// What came of an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Established {
    /// A verdict.
    Verdict(Verdict),
    /// A map, whose cells are established each by itself.
    Mapped,
    /// There is no network to speak of.
    Refused(RefusalKind),
}

impl fmt::Display for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Established::Verdict(verdict) => write!(f, "{verdict}"),
            Established::Mapped => f.write_str(MAPPED),
            Established::Refused(kind) => write!(f, "{REFUSED}: {kind}"),
        }
    }
}

const MAPPED: &str = "Mapped";
const REFUSED: &str = "refused";

/// An obligation on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What came of it.
    pub established: Established,
    /// The digest of its record; none for a refusal.
    pub record: Option<Digest>,
}

/// Obligations by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    entries: BTreeMap<String, Entry>,
}

/// An entry as it stands on its line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
}

/// A list or a record that cannot be read.
#[derive(Debug, Error)]
pub enum ListProblem {
    /// The file.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line of the list.
    #[error("line {line}: {why}; a claim's line is written by verify-all --bless")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A record that says nothing.
    #[error("is not a record: {0}")]
    Record(String),
    /// Two records of one obligation.
    #[error("stands beside another record of the same obligation; remove one of them")]
    Twice,
}

impl ListProblem {
    /// Whether there is no file at all.
    fn is_missing(&self) -> bool {
        matches!(self, ListProblem::Unreadable(error) if error.kind() == ErrorKind::NotFound)
    }
}

/// What the list says of an obligation beside what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is on the list, and claimed no more.
    Gone,
    /// It is claimed, and not on the list.
    Added,
    /// It is on the list, and nothing is on record.
    NoRecord,
    /// Something else is on record.
    Outcome {
        /// On the list.
        listed: Established,
        /// On record.
        recorded: Established,
    },
    /// The same outcome is on record, of another claim or by other evidence.
    Record,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Gone => f.write_str("is on the list, and claimed no more"),
            Difference::Added => f.write_str("is claimed, and not on the list"),
            Difference::NoRecord => f.write_str("is on the list, and has no record"),
            Difference::Outcome { listed, recorded } => {
                write!(f, "is {listed} on the list, and {recorded} on record")
            }
            Difference::Record => f.write_str("has another record than the list says"),
        }
    }
}

impl List {
    /// The list of a corpus; empty if the corpus has none.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is none: names in ascending order, each once.
    pub fn read(corpus: &Path) -> Result<List, InFile<ListProblem>> {
        match List::read_file(&corpus.join(LIST)) {
            Err(InFile { problem, .. }) if problem.is_missing() => Ok(List::default()),
            read => read,
        }
    }

    /// A list.
    ///
    /// # Errors
    ///
    /// As [`List::read`] says; and if there is none.
    pub fn read_file(file: &Path) -> Result<List, InFile<ListProblem>> {
        let text = std::fs::read_to_string(file).map_err(|error| in_file(file, error.into()))?;
        List::parse(&text).map_err(|problem| in_file(file, problem))
    }

    fn parse(text: &str) -> Result<List, ListProblem> {
        let mut list = List::default();
        for (index, text) in text.lines().enumerate() {
            let wrong = |why: String| ListProblem::Line { line: index + 1, why };
            let (name, entry) = entry(text).map_err(wrong)?;
            if line(&name, &entry).is_ok_and(|canonical| canonical != text) {
                return Err(wrong("is written otherwise, in the order name, outcome, kind or record".to_string()));
            }
            if list.entries.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(wrong(format!("{name:?} is not in the order of names")));
            }
            list.entries.insert(name, entry);
        }
        Ok(list)
    }

    /// What the records of a corpus say, whatever is claimed and listed.
    ///
    /// # Errors
    ///
    /// If a record cannot be read, or says nothing.
    pub fn of_records(corpus: &Path) -> Result<List, InFile<ListProblem>> {
        let mut list = List::default();
        for part in PARTS.map(|part| corpus.join(part)) {
            if !part.exists() {
                continue;
            }
            let files = files_below(&part).map_err(|(folder, error)| in_file(&folder, error.into()))?;
            for file in files {
                let text = file.to_string_lossy();
                let read = if text.ends_with(REFUSAL) {
                    refusal
                } else if text.ends_with(CERTIFICATE) {
                    record
                } else {
                    continue;
                };
                let stem = text.strip_suffix(REFUSAL).or_else(|| text.strip_suffix(CERTIFICATE)).unwrap_or(&text);
                let name = name(corpus, Path::new(stem));
                let entry = read(&name, &file).map_err(|problem| in_file(&file, problem))?;
                if list.entries.insert(name, entry).is_some() {
                    return Err(in_file(&file, ListProblem::Twice));
                }
            }
        }
        Ok(list)
    }

    /// Where this list is not what is claimed and on record, in the order of names.
    pub fn differences(&self, claimed: &BTreeSet<&str>, records: &List) -> Vec<(String, Difference)> {
        let names: BTreeSet<&str> = claimed.iter().copied().chain(self.entries.keys().map(String::as_str)).collect();
        let differs = |name: &str| match (self.entries.get(name), records.entries.get(name)) {
            (None, _) => Some(Difference::Added),
            (Some(_), _) if !claimed.contains(name) => Some(Difference::Gone),
            (Some(_), None) => Some(Difference::NoRecord),
            (Some(listed), Some(recorded)) if listed.established != recorded.established => {
                Some(Difference::Outcome { listed: listed.established, recorded: recorded.established })
            }
            (Some(listed), Some(recorded)) => (listed.record != recorded.record).then_some(Difference::Record),
        };
        names.into_iter().filter_map(|name| Some((name.to_string(), differs(name)?))).collect()
    }

    /// Takes over what is on record of one obligation, if anything is.
    pub fn take_over(&mut self, name: &str, records: &List) {
        if let Some(entry) = records.entries.get(name) {
            self.entries.insert(name.to_string(), entry.clone());
        }
    }

    /// Takes an obligation off the list.
    pub fn take_off(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// The obligations, by name.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// Writes the list into the folder of a corpus.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, corpus: &Path) -> Result<(), String> {
        write_atomically(&corpus.join(LIST), self.to_string().as_bytes()).map_err(|error| error.to_string())
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, entry) in &self.entries {
            writeln!(f, "{}", line(name, entry).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

/// An entry as it is written.
fn line(name: &str, Entry { established, record }: &Entry) -> serde_json::Result<String> {
    let (outcome, kind) = match established {
        Established::Verdict(verdict) => (verdict.name(), None),
        Established::Mapped => (MAPPED, None),
        Established::Refused(kind) => (REFUSED, Some(kind.name().to_string())),
    };
    let record = record.map(|digest| digest.to_string());
    serde_json::to_string(&Line { name: name.to_string(), outcome: outcome.to_string(), kind, record })
}

/// A line of the list.
fn entry(line: &str) -> Result<(String, Entry), String> {
    let Line { name, outcome, kind, record } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let record: Option<Digest> = record.map(|text| text.parse::<Digest>().map_err(shown)).transpose()?;
    let established = match (outcome.as_str(), kind, record) {
        (REFUSED, Some(kind), None) => Established::Refused(kind.parse().map_err(shown)?),
        (REFUSED, ..) => return Err("a refusal has a kind and no record".to_string()),
        (_, None, Some(_)) if outcome == MAPPED => Established::Mapped,
        (_, None, Some(_)) => Established::Verdict(verdict(&outcome)?),
        _ => return Err("what is not refused has a record and no kind".to_string()),
    };
    Ok((name, Entry { established, record }))
}

fn shown(error: impl fmt::Display) -> String {
    error.to_string()
}

fn verdict(text: &str) -> Result<Verdict, String> {
    let known = Verdict::ALL.iter().find(|verdict| verdict.name() == text);
    known.copied().ok_or_else(|| format!("{text:?} is not an outcome"))
}

/// A record in JSON.
fn record(name: &str, file: &Path) -> Result<Entry, ListProblem> {
    let text = std::fs::read_to_string(file)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| ListProblem::Record(error.to_string()))?;
    let established = match (name.starts_with("frontier/"), &value["verdict"]) {
        (true, Value::Null) => Established::Mapped,
        (false, Value::String(word)) => Established::Verdict(verdict(word).map_err(ListProblem::Record)?),
        _ => return Err(ListProblem::Record("a record has a verdict, but for a map of the frontier".to_string())),
    };
    let bare = without_provenance(&text).map_err(|_| ListProblem::Record("it is not an object".to_string()))?;
    Ok(Entry { established, record: Some(Digest::of(bare.to_string().as_bytes())) })
}

fn refusal(_: &str, file: &Path) -> Result<Entry, ListProblem> {
    let refusal: Refusal = std::fs::read_to_string(file)?.parse().map_err(|error| ListProblem::Record(shown(error)))?;
    Ok(Entry { established: Established::Refused(refusal.kind), record: None })
}

fn in_file(file: &Path, problem: ListProblem) -> InFile<ListProblem> {
    InFile { file: PathBuf::from(file), problem: Box::new(problem) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFIED: &str =
        r#"{ "verdict": "Proved", "claim": { "format": "bfloat16" }, "provenance": { "z3": "1" } }"#;

    /// A corpus of three records.
    fn corpus() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, text) in [
            ("theorems/a/relu.bfloat16.json", CERTIFIED),
            ("theorems/a/relu.F(8).refusal.txt", "no-scale\nrow 3\n"),
            ("frontier/point-step.json", r#"{ "panels": [] }"#),
        ] {
            write(&folder, file, text);
        }
        folder
    }

    fn write(folder: &tempfile::TempDir, file: &str, text: &str) {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn differences(list: &List, folder: &tempfile::TempDir, claimed: &[&str]) -> Vec<(String, Difference)> {
        let records = List::of_records(folder.path()).expect("records");
        list.differences(&claimed.iter().copied().collect(), &records)
    }

    const NAMES: [&str; 3] = ["frontier/point-step", "theorems/a/relu.F(8)", "theorems/a/relu.bfloat16"];

    #[test]
    fn a_list_reads_back_and_provenance_does_not_count() {
        let folder = corpus();
        let list = List::of_records(folder.path()).expect("records");
        list.write(folder.path()).expect("written");
        assert_eq!(List::read(folder.path()).expect("a list"), list);
        assert_eq!(differences(&list, &folder, &NAMES), []);
        write(&folder, "theorems/a/relu.bfloat16.json", &CERTIFIED.replace("\"1\"", "\"2\""));
        write(&folder, "theorems/a/relu.F(8).refusal.txt", "no-scale\nrow 3, in better words\n");
        assert_eq!(differences(&list, &folder, &NAMES), []);
        assert_eq!(List::read(tempfile::tempdir().expect("a folder").path()).expect("none"), List::default());
    }

    #[test]
    fn every_alteration_is_a_difference() {
        let folder = corpus();
        let list = List::of_records(folder.path()).expect("records");
        let one = |found: Vec<(String, Difference)>| match found.as_slice() {
            [(name, difference)] => (name.clone(), *difference),
            other => panic!("{other:?}"),
        };
        let (map, refused, proved) = (NAMES[0], NAMES[1], NAMES[2]);
        assert_eq!(one(differences(&list, &folder, &[map, refused])), (proved.to_string(), Difference::Gone));
        let more = [map, refused, proved, "theorems/b/step.bfloat16"];
        assert_eq!(one(differences(&list, &folder, &more)), (more[3].to_string(), Difference::Added));
        let refutation = Established::Verdict(Verdict::Refuted);
        for (file, text, name, difference) in [
            (
                "theorems/a/relu.bfloat16.json",
                CERTIFIED.replace("Proved", "Refuted"),
                proved,
                Difference::Outcome { listed: Established::Verdict(Verdict::Proved), recorded: refutation },
            ),
            ("theorems/a/relu.bfloat16.json", CERTIFIED.replace("bfloat16", "binary16"), proved, Difference::Record),
            ("frontier/point-step.json", r#"{ "panels": [1] }"#.to_string(), map, Difference::Record),
            (
                "theorems/a/relu.F(8).refusal.txt",
                "no-slope\nrow 3\n".to_string(),
                refused,
                Difference::Outcome {
                    listed: Established::Refused(RefusalKind::NoScale),
                    recorded: Established::Refused(RefusalKind::NoSlope),
                },
            ),
        ] {
            let folder = corpus();
            write(&folder, file, &text);
            assert_eq!(one(differences(&list, &folder, &NAMES)), (name.to_string(), difference));
        }
        std::fs::remove_file(folder.path().join("theorems/a/relu.bfloat16.json")).expect("removed");
        assert_eq!(one(differences(&list, &folder, &NAMES)), (proved.to_string(), Difference::NoRecord));
    }

    #[test]
    fn what_is_no_list_is_refused_with_the_line() {
        let digest = "0".repeat(64);
        let good = format!(r#"{{"name":"b","outcome":"Proved","record":"{digest}"}}"#);
        assert!(List::parse(&format!("{good}\n")).is_ok());
        for (line, reason) in [
            (good.clone(), "not in the order"),
            (good.replace("\"b\"", "\"a\""), "not in the order"),
            (good.replace("\"b\"", "\"c\"").replace("Proved", "Prooved"), "is not an outcome"),
            (good.replace("\"b\"", "\"c\"").replace("Proved", "refused"), "has a kind and no record"),
            (good.replace(&digest, "0"), "64 lowercase"),
            (good.replace("outcome", "verdict"), "unknown field"),
            (r#"{"name":"c","outcome":"refused","kind":"no-scael"}"#.to_string(), "did you mean `no-scale`?"),
            (r#"{"name":"c","outcome":"Proved"}"#.to_string(), "has a record and no kind"),
            ("[".repeat(100_000), "expected a string"),
            (format!(r#"["c","Proved",null,"{digest}"]"#), "is written otherwise"),
            (good.replace("\"b\"", "\"c\"").replace(':', ": "), "is written otherwise"),
            (String::new(), "EOF"),
        ] {
            let error = List::parse(&format!("{good}\n{line}\n")).expect_err(&line).to_string();
            assert!(error.starts_with("line 2: ") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_file() {
        for (file, text) in [
            ("theorems/a/relu.bfloat16.json", "{}"),
            ("theorems/a/relu.bfloat16.json", "[]"),
            ("theorems/a/relu.bfloat16.json", r#"{ "verdict": "Proven" }"#),
            ("frontier/point-step.json", CERTIFIED),
            ("theorems/a/relu.F(8).refusal.txt", "because\n"),
            ("theorems/a/relu.F(8).json", CERTIFIED),
        ] {
            let folder = corpus();
            write(&folder, file, text);
            let error = List::of_records(folder.path()).expect_err(file).to_string();
            assert!(error.contains(file.split_once('.').expect("an ending").0), "{error}");
        }
    }
}
