//! What an audit says, in one sentence and part by part. Nothing of this decides anything.

use roundproof_audit::NOT_COVERED;
use roundproof_files::audit::{AuditCertificate, UnderPaths};
use roundproof_format::Format;
use serde::Serialize;

use super::{AuditPaths, Audited, words};
use crate::words::count;

/// What the certificate of an audit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditStatement {
    /// The whole of it in a sentence.
    pub sentence: String,
    /// What is read off the model.
    pub decision: String,
    /// How many rows were judged.
    pub rows: usize,
    /// Under each path model.
    pub audits: Vec<StatedPaths>,
    /// What no verdict is about, unless its path model names it.
    pub not_covered: &'static str,
}

/// What is said under a path model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatedPaths {
    /// The path model.
    pub paths: AuditPaths,
    /// How many rows are invariant.
    pub invariant: usize,
}

impl AuditStatement {
    /// What `certificate` says.
    pub fn new(certificate: &AuditCertificate) -> AuditStatement {
        let rows = certificate.rows;
        let stated = |UnderPaths { model, invariant, verdicts: _ }: &UnderPaths| StatedPaths {
            paths: AuditPaths::new(model),
            invariant: *invariant,
        };
        let audits: Vec<StatedPaths> = certificate.audits.iter().map(stated).collect();
        let said: Vec<String> =
            audits.iter().map(|stated| words::invariant(stated.invariant, rows, &stated.paths)).collect();
        let decision = words::decision(&certificate.decision);
        let sentence =
            format!("{}; what is decided: {decision}, of {}", said.join("; "), count(certificate.inputs, "input"));
        AuditStatement { sentence, decision, rows, audits, not_covered: NOT_COVERED }
    }

    /// Whether every row is invariant under each path model.
    pub fn all(&self) -> bool {
        self.audits.iter().all(|stated| stated.invariant == self.rows)
    }
}

impl Audited {
    /// What something can be required of: a certificate about rows of this format.
    pub fn of(certificate: &AuditCertificate, format: Format) -> Audited {
        Audited {
            format,
            rows: certificate.rows,
            models: certificate.audits.iter().map(|audit| (audit.model, audit.invariant)).collect(),
            files: vec![
                ("graph", certificate.graph.sha256),
                ("dataset", certificate.dataset.sha256),
                ("model", certificate.model.sha256),
            ],
        }
    }
}
