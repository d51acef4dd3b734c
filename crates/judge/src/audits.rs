//! Audits of models of other tools: their path models and decisions, in words. Nothing of these decides anything.

use roundproof_audit::PathModel;
use roundproof_files::Digest;
use roundproof_format::Format;

mod paths;
mod words;

pub use paths::{AuditPaths, contains};
pub use words::{decision, invariant, invariant_answer};

/// What an audit says, as far as something can be required of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// The format of the rows.
    pub format: Format,
    /// How many rows were judged.
    pub rows: usize,
    /// Under each path model, how many of them are invariant.
    pub models: Vec<(PathModel, usize)>,
    /// The digests of its files, by what they are: `model`, `graph`, `dataset`.
    pub files: Vec<(&'static str, Digest)>,
}
