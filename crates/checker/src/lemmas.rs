//! The lemmas behind the rules of the kernel, asked of Z3.

use roundproof_files::certificate::LemmaReference;
use roundproof_format::Format;
use roundproof_kernel::Verdict;

use crate::solver::Solver;

/// A statement about rounding, for one format after another or for all at once.
#[derive(Debug)]
pub struct Lemma {
    /// Its name, and that of its record.
    pub name: &'static str,
    /// What it says, in words.
    pub statement: &'static str,
}

/// What was established of a lemma.
#[derive(Clone, Debug)]
pub struct LemmaResult {
    /// `Attested`, if the solver answered every query as it should.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The record.
    pub json: String,
}

/// Every lemma.
pub fn catalogue() -> &'static [Lemma] {
    &[]
}

impl Lemma {
    /// Asks every query of the lemma.
    pub fn prove(&self, _solver: &Solver, _progress: &mut dyn FnMut(&'static str, usize, usize)) -> LemmaResult {
        LemmaResult { verdict: Verdict::Unknown, how: String::new(), json: String::new() }
    }
}

/// The lemmas that a verdict on a box network leans on, with how each is established for `format`.
pub fn behind_box_networks(_format: Format) -> Vec<LemmaReference> {
    Vec::new()
}
