//! What becomes of the certificate of an audit.

use std::path::Path;

use roundproof_audit::{Audit, NotCovered, RowError, Verdict};
use roundproof_files::audit::{AuditCertificate, UnderPaths, word};
use roundproof_files::safetensors::{AuditRows, parse_audit_rows, parse_graph};
use roundproof_format::{Encoding, Format};
use roundproof_graph::{Graph, TensorId};
use roundproof_network::Encodings;
use thiserror::Error;

use super::{AuditPaths, size};
use crate::{Mismatch, Unreadable, referenced};

/// The certificate of an audit that was read, and what became of it.
#[derive(Clone, Debug)]
pub struct AuditJudged {
    /// The certificate.
    pub certificate: AuditCertificate,
    /// The format of the rows, if their file was read.
    pub format: Option<Format>,
    /// Whether every verdict is the one that the rule gives; or why the certificate is rejected.
    pub judgement: Result<(), AuditRejection>,
}

/// Why the certificate of an audit is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditRejection {
    /// A file is another one.
    #[error(transparent)]
    File(#[from] Mismatch),
    /// The claim is not about this graph, or not about these rows.
    #[error("the certificate says {what}: {said}; the files have {found}")]
    Subject {
        /// What is said.
        what: &'static str,
        /// The certificate's.
        said: String,
        /// What the files have.
        found: String,
    },
    /// The graph takes more work than a certificate is judged with.
    #[error("the graph takes more work than is done for a certificate: {0}")]
    Size(String),
    /// No rule is about a part of the graph, or of the path model.
    #[error("not covered under {paths}: {problem}")]
    NotCovered {
        /// The path model.
        paths: String,
        /// What is not covered.
        problem: NotCovered,
    },
    /// A row is not one of the graph's.
    #[error("row {row}: {problem}")]
    Row {
        /// Its number.
        row: u64,
        /// Why not.
        problem: RowError,
    },
    /// A verdict is another one.
    #[error("row {row} under {paths}: the certificate says {}, the rule gives {}", told(said), told(found))]
    Verdict {
        /// The number of the row.
        row: u64,
        /// The path model.
        paths: String,
        /// The certificate's word.
        said: String,
        /// The rule's.
        found: String,
    },
}

/// A word for a verdict, for people.
fn told(word: &str) -> String {
    match word {
        "-" => "undecided".to_string(),
        "+" => "invariant".to_string(),
        places => format!("invariant {}", places.replace(',', ", ")),
    }
}

/// The word for what the rule says of a row.
pub fn word_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Invariant { answer, margin: _ } => word(Some(answer)),
        Verdict::Undecided(_) => word(None),
    }
}

/// Judges the certificate of an audit, which stands at `path`, and the files beside it.
///
/// # Errors
///
/// If a file that it names cannot be read.
pub fn judge_audit(
    path: &Path,
    certificate: AuditCertificate,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<AuditJudged, Unreadable> {
    let rejected = |certificate, format, rejection| Ok(AuditJudged { certificate, format, judgement: Err(rejection) });
    let (file, bytes) = match referenced(path, &certificate.graph)? {
        Ok(read) => read,
        Err(mismatch) => return rejected(certificate, None, mismatch.into()),
    };
    let graph = parse_graph(&file, &bytes)?;
    let size = bytes.len();
    drop(bytes);
    let rows = match referenced(path, &certificate.dataset)? {
        Ok((file, bytes)) => parse_audit_rows(&file, &bytes)?,
        Err(mismatch) => return rejected(certificate, None, mismatch.into()),
    };
    let judgement = judge_rows(&certificate, &graph, size, &rows, progress);
    Ok(AuditJudged { certificate, format: Some(rows.format()), judgement })
}

/// Judges what a certificate says of these rows of a graph whose file has `size` bytes.
///
/// # Errors
///
/// If any of it is not so.
pub fn judge_rows(
    certificate: &AuditCertificate,
    graph: &Graph,
    size: usize,
    rows: &AuditRows,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), AuditRejection> {
    subject(certificate, graph, rows)?;
    size::check(graph, certificate.tensor, size).map_err(AuditRejection::Size)?;
    let AuditCertificate {
        decision,
        tensor,
        classes: _,
        inputs: _,
        rows: _,
        graph: _,
        dataset: _,
        model: _,
        source: _,
        audits,
        provenance: _,
    } = certificate;
    let mut done = 0;
    for UnderPaths { model, invariant: _, verdicts } in audits {
        let paths = || AuditPaths::new(model).name;
        let audit = Audit::new(graph, *model, *tensor, decision.clone());
        let audit = audit.map_err(|problem| AuditRejection::NotCovered { paths: paths(), problem })?;
        for (index, said) in verdicts.iter().enumerate() {
            let row = rows.numbers()[index];
            let verdict = audit.row(&inputs_of(graph, rows, index));
            let found = word_of(&verdict.map_err(|problem| AuditRejection::Row { row, problem })?);
            if **said != found {
                return Err(AuditRejection::Verdict { row, paths: paths(), said: said.to_string(), found });
            }
            done += 1;
            progress(done, verdicts.len() * audits.len());
        }
    }
    Ok(())
}

/// Whether the claim is about this graph and these rows.
fn subject(certificate: &AuditCertificate, graph: &Graph, rows: &AuditRows) -> Result<(), AuditRejection> {
    let differ = |what, said: &dyn ToString, found: &dyn ToString| {
        Err(AuditRejection::Subject { what, said: said.to_string(), found: found.to_string() })
    };
    let Some(read) = graph.tensors().get(certificate.tensor) else {
        return differ("the tensor", &certificate.tensor, &format!("{} tensors", graph.tensors().len()));
    };
    if !certificate.classes.is_empty() && certificate.classes.len() != read.elements() {
        return differ("the number of classes", &certificate.classes.len(), &read.elements());
    }
    if certificate.rows != rows.numbers().len() {
        return differ("the number of rows", &certificate.rows, &rows.numbers().len());
    }
    // A verdict for each of them is what the reader of certificates sees to.
    if let Some(audit) = certificate.audits.iter().find(|audit| audit.verdicts.len() != certificate.rows) {
        return differ("the number of verdicts", &audit.verdicts.len(), &certificate.rows);
    }
    let elements = graph.inputs().map(|id| graph.tensors()[id].elements()).try_fold(0usize, usize::checked_add);
    if certificate.inputs != rows.dimension() || elements != Some(rows.dimension()) {
        let found = format!("{} in a row, and a graph that takes {elements:?}", rows.dimension());
        return differ("the number of inputs", &certificate.inputs, &found);
    }
    match graph.inputs().map(|id| graph.tensors()[id].format()).find(|format| *format != rows.format()) {
        Some(format) => differ("nothing of inputs in two formats", &rows.format(), &format),
        None => Ok(()),
    }
}

/// The tensors of a row: its values in the order of the graph's inputs.
fn inputs_of(graph: &Graph, rows: &AuditRows, index: usize) -> Vec<Encodings> {
    let values = (index * rows.dimension()..(index + 1) * rows.dimension()).map(|place| rows.inputs().get(place));
    split(graph, values)
}

/// Values as the tensors that a graph takes, one after the other.
pub fn split(graph: &Graph, mut values: impl Iterator<Item = Encoding>) -> Vec<Encodings> {
    let tensor = |id: TensorId| {
        let tensor = &graph.tensors()[id];
        Encodings::collect(tensor.format(), values.by_ref().take(tensor.elements()))
    };
    graph.inputs().map(tensor).collect()
}
