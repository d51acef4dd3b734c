//! Proving one obligation, and what is put on record of it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use roundproof_files::write_atomically;
use roundproof_kernel::Verdict;
use thiserror::Error;

use super::all_values::AllValuesError;
use super::claim::{Making, Rows};
use super::compare::Comparison;
use super::refusal::Refusal;
use super::{Expectation, Obligation, Subject, make};
use crate::frontier::{Construction, Grid, MODELS, sweep};
use crate::prove::{Files, ProveError};
use crate::solver::Solver;

/// The ending of a certificate or a record of a lemma.
pub(super) const CERTIFICATE: &str = ".json";
/// The ending of a refusal.
pub(super) const REFUSAL: &str = ".refusal.txt";

/// What running an obligation needs.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Who answers queries.
    pub solver: &'a Solver,
    /// Where to put certificates with their networks and data sets, and questions to a solver, if anywhere: the same
    /// folders as in the corpus.
    pub keep: Option<&'a Path>,
    /// Held while files are written that belong together.
    pub writing: &'a Mutex<()>,
    /// Whether to make what was found the committed record.
    pub bless: bool,
}

/// What is put on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A certificate, or what a solver said of a lemma: JSON.
    Json(String),
    /// Why there is no network to speak of.
    Refusal(Refusal),
}

/// What came of an obligation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was established; none for a refusal.
    pub verdict: Option<Verdict>,
    /// How, in words.
    pub how: String,
    /// Whether that is what the folder says.
    pub as_expected: bool,
    /// How it compares with what was committed.
    pub comparison: Comparison,
}

/// An obligation that could not be run.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("{0}")]
    File(String),
    /// A function that the format does not have.
    #[error(transparent)]
    AllValues(#[from] AllValuesError),
    /// No network, for a reason that is none of the data's.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl Obligation {
    /// Proves the obligation again, and compares with the committed record.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn run(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(&'static str, usize, usize),
    ) -> Result<Outcome, RunError> {
        let Found { verdict, how, record, kept, scripts, wrong_rows } = match &self.subject {
            Subject::Lemma(lemma) => {
                let result = lemma.prove(settings.solver, progress);
                Found { scripts: result.scripts, ..Found::statement(result.verdict, result.how, result.json) }
            }
            Subject::Mechanized(theorem) => {
                let result = theorem.check(self.stem.parent().unwrap_or(&self.stem), progress);
                Found::statement(result.verdict, result.how, result.json)
            }
            Subject::Frontier(construction) => frontier(construction, progress)?,
            Subject::Instance(instance) => make::found(instance, settings, progress)?,
        };
        let comparison = Comparison::with_committed(&self.stem, &record)?;
        let as_expected = match (self.expectation, verdict) {
            _ if self.must_be_refused() => verdict.is_none(),
            _ if wrong_rows > 0 && self.represents() => false,
            (_, None) => false,
            (Expectation::Holds, Some(verdict)) => matches!(verdict, Verdict::Proved | Verdict::Attested),
            (Expectation::Fails, Some(verdict)) => verdict == Verdict::Refuted,
        };
        {
            let _writing = settings.writing.lock();
            if settings.bless && as_expected && comparison != Comparison::Same {
                self.commit(&record)?;
            }
            if let Some(folder) = settings.keep {
                Self::keep(&folder.join(&self.name), kept, &scripts)?;
            }
        }
        Ok(Outcome { verdict, how, as_expected, comparison })
    }

    /// Writes the certificate with its files, and each question to a solver, byte by byte that of the digest on record.
    fn keep(stem: &Path, kept: Option<(Files, String)>, scripts: &[(String, String)]) -> Result<(), RunError> {
        if let Some((files, json)) = kept {
            for (name, bytes) in files.named() {
                write(&ending(stem, &format!(".{name}")), bytes)?;
            }
            write(&ending(stem, CERTIFICATE), json.as_bytes())?;
        }
        for (name, text) in scripts {
            write(&ending(stem, &format!(".{}.smt2", name.replace(' ', "-"))), text.as_bytes())?;
        }
        Ok(())
    }

    /// Whether its claim says that there is no network to speak of.
    fn must_be_refused(&self) -> bool {
        matches!(&self.subject, Subject::Instance(instance) if instance.refused)
    }

    /// Whether its claim says that a network gives all values of a function, not only those of a tree in its place.
    fn represents(&self) -> bool {
        let Subject::Instance(instance) = &self.subject else { return false };
        matches!(&instance.making, Making::Rows { rows: Rows::All(_), .. })
    }

    fn commit(&self, record: &Record) -> Result<(), RunError> {
        let (path, text, other) = match record {
            Record::Json(text) => (ending(&self.stem, CERTIFICATE), text.clone(), ending(&self.stem, REFUSAL)),
            Record::Refusal(it) => (ending(&self.stem, REFUSAL), it.to_string(), ending(&self.stem, CERTIFICATE)),
        };
        write(&path, text.as_bytes())?;
        match std::fs::remove_file(&other) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::File(format!("{}: {error}", other.display())))
            }
            _ => Ok(()),
        }
    }
}

/// What an obligation came to.
pub(super) struct Found {
    pub(super) verdict: Option<Verdict>,
    pub(super) how: String,
    pub(super) record: Record,
    /// The files, and their certificate in full.
    pub(super) kept: Option<(Files, String)>,
    /// What a solver was asked, by name, in SMT-LIB.
    pub(super) scripts: Vec<(String, String)>,
    /// Rows in which the network is proved to give something else than the label.
    pub(super) wrong_rows: usize,
}

impl Found {
    /// Something that is not about one network, with its record in JSON.
    pub(super) fn statement(verdict: Verdict, how: String, json: String) -> Found {
        let record = Record::Json(json);
        Found { verdict: Some(verdict), how, record, kept: None, scripts: Vec::new(), wrong_rows: 0 }
    }

    /// No network to speak of.
    pub(super) fn refusal(refusal: Refusal) -> Found {
        let how = refusal.words.clone();
        let record = Record::Refusal(refusal);
        Found { verdict: None, how, record, kept: None, scripts: Vec::new(), wrong_rows: 0 }
    }
}

/// Draws up the map of a construction. What contradicts the theory, or itself, is not established.
fn frontier(
    construction: &'static Construction,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Found, RunError> {
    progress("drawing up the map", 0, 1);
    let map = sweep(construction, &MODELS, &Grid::default(), &|_, _| ())
        .map_err(|error| RunError::File(error.to_string()))?;
    let json = serde_json::to_string_pretty(&map.recorded()).map_err(|error| RunError::File(error.to_string()))?;
    let (verdict, how) = match map.contradictions.first() {
        None => (Verdict::Proved, map.summary()),
        Some(first) => (Verdict::Unknown, format!("{} contradictions: {first}", map.contradictions.len())),
    };
    Ok(Found::statement(verdict, how, json + "\n"))
}

pub(super) fn ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| RunError::File(format!("{}: {error}", folder.display())))?;
    }
    write_atomically(path, bytes).map_err(|error| RunError::File(error.to_string()))
}
