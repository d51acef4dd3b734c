//! A corpus as it stands in its folder: what is claimed, what is on record of it, and the list of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::list::{Difference, List, TOP};
use crate::obligations::{CorpusError, Obligation, below, files_below, obligations};
use crate::record::Record;
use crate::record_file::{RECORD, RecordFile};

/// A folder with claims, read.
#[derive(Clone, Debug)]
pub struct Corpus {
    root: PathBuf,
    obligations: Vec<Obligation>,
    records: BTreeMap<String, RecordFile>,
    list: List,
}

/// What was found of obligations: by folder, then by the name of the record.
pub type Findings = BTreeMap<String, BTreeMap<String, Record>>;

impl Corpus {
    /// Reads a corpus.
    ///
    /// # Errors
    ///
    /// If a folder, a claim, a record or the list cannot be read, there is no claim, or a record belongs to no claim.
    pub fn read(root: &Path) -> Result<Corpus, CorpusError> {
        Ok(Corpus {
            root: root.to_path_buf(),
            obligations: obligations(root)?,
            records: records(root)?,
            list: List::read(root)?,
        })
    }

    /// What is claimed, in the order of names.
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// What is on record of an obligation.
    pub fn recorded(&self, obligation: &Obligation) -> Option<&Record> {
        self.records.get(&obligation.folder)?.entries().get(&obligation.entry)
    }

    /// The list of its folders.
    pub fn list(&self) -> &List {
        &self.list
    }

    /// Where the list is not what is claimed and on record, by folder; and what is on record and not claimed, by its name.
    pub fn differences(&self) -> Vec<(String, Difference)> {
        let folders: BTreeSet<&str> = self.obligations.iter().map(|it| it.folder.as_str()).collect();
        let claimed: BTreeSet<&str> = self.obligations.iter().map(|it| it.name.as_str()).collect();
        let mut differences = self.list.differences(&folders, &self.records);
        for (folder, file) in &self.records {
            let names = file.entries().keys().map(|entry| match folder.as_str() {
                TOP => entry.clone(),
                folder => format!("{folder}/{entry}"),
            });
            let unclaimed = names.filter(|name| !claimed.contains(name.as_str()));
            differences.extend(unclaimed.map(|name| (name, Difference::Unclaimed)));
        }
        differences.sort_by(|(one, _), (other, _)| one.cmp(other));
        differences
    }

    /// Makes what was found the record, and removes what `differences` says is claimed no more.
    ///
    /// A folder's line on the list follows if it was that of the records before, or if all that is on record now was found:
    /// what somebody changed in a record does not come onto the list because something beside it was proved.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn bless(&mut self, found: &Findings, differences: &[(String, Difference)]) -> Result<(), String> {
        let mut list = self.list.clone();
        let mut unclaimed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, difference) in differences {
            match difference {
                Difference::Gone => list.take_off(name),
                Difference::Unclaimed => {
                    let (folder, entry) = name.rsplit_once('/').unwrap_or((TOP, name));
                    unclaimed.entry(folder).or_default().push(entry);
                }
                Difference::Added | Difference::NoRecord | Difference::Outcomes { .. } | Difference::Record => {}
            }
        }
        let none = BTreeMap::new();
        let folders: BTreeSet<&str> = found.keys().map(String::as_str).chain(unclaimed.keys().copied()).collect();
        for folder in folders {
            let found = found.get(folder).unwrap_or(&none);
            let before = self.records.get(folder).cloned().unwrap_or_default();
            let mut after = before.clone();
            unclaimed.get(folder).into_iter().flatten().for_each(|entry| {
                after.entries.remove(*entry);
            });
            after.entries.extend(found.iter().map(|(entry, record)| (entry.clone(), record.clone())));
            if after.entries != before.entries {
                after.write(&self.root.join(folder))?;
            }
            if list.agrees(folder, &before) || after.entries.keys().all(|entry| found.contains_key(entry)) {
                list.take_over(folder, &after);
            }
            self.records.insert(folder.to_string(), after);
        }
        if list != self.list {
            list.write(&self.root)?;
            self.list = list;
        }
        Ok(())
    }
}

/// What is on record anywhere below a folder, by folder.
///
/// # Errors
///
/// If a folder or a file of records cannot be read.
pub(crate) fn records(root: &Path) -> Result<BTreeMap<String, RecordFile>, CorpusError> {
    let files = files_below(root)?;
    let folders = files.iter().filter(|file| file.ends_with(RECORD)).filter_map(|file| file.parent());
    folders.map(|folder| Ok((below(root, folder), RecordFile::read(folder)?))).collect()
}
