//! Audits of models of other tools.
//!
//! [`judge_audit`] reads the files that a certificate names, and has every row judged again by the rule of `roundproof-audit`. The other
//! parts say what an audit is about, in words and for programs; nothing of these decides anything.

use roundproof_audit::PathModel;
use roundproof_files::Digest;
use roundproof_format::Format;

mod judging;
mod paths;
mod size;
mod statement;
mod words;

pub use judging::{AuditJudged, AuditRejection, judge_audit, judge_rows, split, word_of};
pub use paths::{AuditPaths, contains};
pub use size::check as check_size;
pub use statement::{AuditStatement, StatedPaths};
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
