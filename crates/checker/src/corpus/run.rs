//! Proving one obligation, and what is put on record of it.

use std::path::{Path, PathBuf};

use roundproof_files::certificate::{Certificate, RelativePath, SourceReference};
use roundproof_files::csv::{CsvData, CsvProblem, read_csv};
use roundproof_files::{Stored, write_atomically};
use roundproof_kernel::Verdict;
use roundproof_network::{Dataset, Encodings};
use thiserror::Error;

use super::claim::{Instance, Kind};
use super::compare::Comparison;
use super::{Expectation, Obligation, Subject};
use crate::memorize::{Preference, ProveError, Task, memorize};
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
    /// Where to put certificates with their networks and data sets, if anywhere: the same folders as in the corpus.
    pub keep: Option<&'a Path>,
    /// Whether to make what was found the committed record.
    pub bless: bool,
}

/// What is put on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A certificate, or what a solver said of a lemma: JSON.
    Json(String),
    /// Why there is no network to speak of.
    Refusal(String),
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
        let (verdict, how, record) = match &self.subject {
            Subject::Lemma(lemma) => {
                let result = lemma.prove(settings.solver, progress);
                (Some(result.verdict), result.how, Record::Json(result.json))
            }
            Subject::Instance(instance) => self.run_instance(instance, settings, progress)?,
        };
        let comparison = Comparison::with_committed(&self.stem, &record)?;
        let as_expected = match (self.expectation, verdict) {
            // A refusal is as expected if it is the committed one.
            (_, None) => comparison == Comparison::Same || settings.bless,
            (Expectation::Holds, Some(verdict)) => matches!(verdict, Verdict::Proved | Verdict::Attested),
            (Expectation::Fails, Some(verdict)) => verdict == Verdict::Refuted,
        };
        if settings.bless && as_expected && comparison != Comparison::Same {
            self.commit(&record)?;
        }
        Ok(Outcome { verdict, how, as_expected, comparison })
    }

    fn commit(&self, record: &Record) -> Result<(), RunError> {
        let (path, text, other) = match record {
            Record::Json(text) => (ending(&self.stem, CERTIFICATE), text, ending(&self.stem, REFUSAL)),
            Record::Refusal(text) => (ending(&self.stem, REFUSAL), text, ending(&self.stem, CERTIFICATE)),
        };
        write(&path, text.as_bytes())?;
        match std::fs::remove_file(&other) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::File(format!("{}: {error}", other.display())))
            }
            _ => Ok(()),
        }
    }

    fn run_instance(
        &self,
        instance: &Instance,
        settings: &Settings,
        progress: &mut dyn FnMut(&'static str, usize, usize),
    ) -> Result<(Option<Verdict>, String, Record), RunError> {
        let refused = |message: String| Ok((None, message.clone(), Record::Refusal(message + "\n")));
        let csv = match read_csv(&instance.data, &instance.labels, instance.format) {
            Ok(csv) => csv,
            Err(error) if matches!(*error.problem, CsvProblem::Unreadable(_)) => {
                return Err(RunError::File(error.to_string()));
            }
            Err(error) => return refused(error.problem.to_string()),
        };
        let chosen = select(&csv.value, instance.rows.as_deref()).map_err(RunError::File)?;
        let data = &chosen.dataset;
        let task = Task {
            strategy: instance.strategy,
            activation: instance.activation,
            model: instance.model,
            preference: Preference::Construction,
            prefix: format!("{}.", instance.name),
            source: source(instance, &csv),
        };
        let mut proof = match memorize(data, Some(&chosen.columns), &task, progress) {
            Ok(proof) => proof,
            Err(ProveError::Construct(error)) => {
                return refused(crate::memorize::describe(&error, &chosen));
            }
            Err(error) => return Err(error.into()),
        };
        let how = match instance.kind {
            Kind::Memorization => describe(&proof.certificate),
            Kind::WholeNetwork => {
                let answer = crate::whole::attest(settings.solver, &proof.network, data, &instance.model, progress);
                proof.certificate.verdict = answer.verdict;
                proof.certificate.evidence = None;
                proof.certificate.lemmas = vec![answer.lemma];
                answer.how
            }
        };
        let json = proof.certificate.to_json().map_err(|error| RunError::File(error.to_string()))?;
        if let Some(folder) = settings.keep {
            let stem = folder.join(&self.name);
            write(&ending(&stem, ".network.safetensors"), &proof.network_bytes)?;
            write(&ending(&stem, ".dataset.safetensors"), &proof.dataset_bytes)?;
            write(&ending(&stem, CERTIFICATE), json.as_bytes())?;
        }
        let how = match proof.rejection {
            Some(rejection) if proof.certificate.verdict == Verdict::Unknown => rejection.to_string(),
            _ => how,
        };
        Ok((Some(proof.certificate.verdict), how, Record::Json(json)))
    }
}

/// How the kernel came to a certificate's verdict, in words.
fn describe(certificate: &Certificate) -> String {
    use roundproof_kernel::Evidence;
    let shape = &certificate.claim.shape;
    match &certificate.evidence {
        Some(Evidence::BoxNetwork(_)) => {
            format!("kernel, box-network, {} rows, {} parameters", shape.rows, shape.parameters)
        }
        Some(Evidence::Paths) => format!("kernel, paths, {} rows, {} parameters", shape.rows, shape.parameters),
        Some(Evidence::Witness(witness)) => format!("kernel, witness replayed for row {}", witness.row),
        None => "no evidence".to_string(),
    }
}

fn source(instance: &Instance, csv: &Stored<CsvData>) -> Option<SourceReference> {
    let name = instance.data.file_name()?.to_str()?.parse::<RelativePath>().ok()?;
    Some(SourceReference { path: name, sha256: csv.digest, labels: instance.labels.clone() })
}

/// Some rows of a data set, with their lines.
fn select(csv: &CsvData, rows: Option<&[usize]>) -> Result<CsvData, String> {
    let Some(rows) = rows else { return Ok(csv.clone()) };
    let data = &csv.dataset;
    if let Some(row) = rows.iter().find(|&&row| row >= data.rows()) {
        return Err(format!("there is no row {row} in a data set of {}", data.rows()));
    }
    let format = data.format();
    let inputs = rows.iter().flat_map(|&row| (0..data.dimension()).map(move |column| data.input(row, column)));
    let labels = rows.iter().flat_map(|&row| (0..data.outputs()).map(move |column| data.label(row, column)));
    let (inputs, labels) = (Encodings::collect(format, inputs), Encodings::collect(format, labels));
    let dataset =
        Dataset::new(format, data.dimension(), data.outputs(), inputs, labels).map_err(|error| error.to_string())?;
    Ok(CsvData { dataset, lines: rows.iter().map(|&row| csv.lines[row]).collect(), ..csv.clone() })
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
