//! Proving one obligation again.

use std::path::Path;
use std::sync::Mutex;

use roundproof_checker::frontier::{Construction, Grid, MODELS, sweep};
use roundproof_checker::prove::Files;
use roundproof_kernel::Verdict;
use roundproof_solver::Solver;

use crate::claim::{Making, Rows};
use crate::make::{self, Found, RunError};
use crate::memory::{Memory, Remembered};
use crate::obligations::{Expectation, Obligation, Subject};
use crate::record::{Comparison, Record};
use crate::record_file::{ending, write_file};

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
    /// What earlier runs established, and where what this one does is remembered. What is remembered has no files to keep.
    pub memory: Option<&'a Memory>,
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
    /// What would be put on record.
    pub record: Record,
    /// How that compares with what is.
    pub comparison: Comparison,
    /// Whether an earlier run established it.
    pub remembered: bool,
}

impl Obligation {
    /// Proves the obligation again, unless an earlier run did and nothing has changed since, and compares with what is on record.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn run(
        &self,
        settings: &Settings,
        recorded: Option<&Record>,
        progress: &mut dyn FnMut(&'static str, usize, usize),
    ) -> Result<Outcome, RunError> {
        let memory = settings.memory.filter(|_| settings.keep.is_none());
        let key = memory.and_then(|memory| memory.key(self, settings.solver));
        let known = memory.zip(key).and_then(|(memory, key)| memory.recall(key, &self.entry));
        let remembered = known.is_some();
        let Remembered { verdict, how, record, wrong_rows } = match known {
            Some(known) => known,
            None => {
                let Found { verdict, how, record, kept, scripts, wrong_rows } = self.found(settings, progress)?;
                if let Some(folder) = settings.keep {
                    let _writing = settings.writing.lock();
                    keep(&folder.join(&self.name), kept, &scripts).map_err(RunError::File)?;
                }
                let result = Remembered { verdict, how, record, wrong_rows };
                if let (Some(memory), Some(key)) = (memory, key)
                    && memory.key(self, settings.solver) == Some(key)
                {
                    memory.remember(key, &result);
                }
                result
            }
        };
        let comparison = Comparison::of(recorded, &record);
        let as_expected = match (self.expectation, verdict) {
            _ if self.must_be_refused() => verdict.is_none(),
            _ if wrong_rows > 0 && self.represents() => false,
            (_, None) => false,
            (Expectation::Holds, Some(verdict)) => matches!(verdict, Verdict::Proved | Verdict::Attested),
            (Expectation::Fails, Some(verdict)) => verdict == Verdict::Refuted,
        };
        Ok(Outcome { verdict, how, as_expected, record, comparison, remembered })
    }

    /// Proves it.
    fn found(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(&'static str, usize, usize),
    ) -> Result<Found, RunError> {
        match &self.subject {
            Subject::Lemma(lemma) => {
                let result = lemma.prove(settings.solver, progress);
                Ok(Found { scripts: result.scripts, ..Found::statement(result.verdict, result.how, &result.json)? })
            }
            Subject::Mechanized(theorem) => {
                let result = theorem.check(&self.path, progress);
                Found::statement(result.verdict, result.how, &result.json)
            }
            Subject::Frontier(construction) => frontier(construction, progress),
            Subject::Instance(instance) => make::found(instance, settings.solver, progress),
        }
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
}

/// Writes the certificate with its files, and each question to a solver, byte by byte that of the digest on record.
fn keep(stem: &Path, kept: Option<(Files, String)>, scripts: &[(String, String)]) -> Result<(), String> {
    if let Some((files, json)) = kept {
        for (name, bytes) in files.named() {
            write_file(&ending(stem, &format!(".{name}")), bytes)?;
        }
        write_file(&ending(stem, ".json"), json.as_bytes())?;
    }
    for (name, text) in scripts {
        write_file(&ending(stem, &format!(".{}.smt2", name.replace(' ', "-"))), text.as_bytes())?;
    }
    Ok(())
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
    Found::statement(verdict, how, &json)
}
