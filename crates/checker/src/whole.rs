//! Whole small networks in one query.

use roundproof_files::certificate::LemmaReference;
use roundproof_kernel::Verdict;
use roundproof_network::{Dataset, Network, PathModel};

use crate::solver::Solver;

/// What a solver said of a whole network.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// `Attested`, `Refuted` by a model, or `Unknown`.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The query, by its digest.
    pub lemma: LemmaReference,
}

/// Asks whether `network` can miss a label of `data` on a path of `model`, in one query.
pub fn attest(
    _solver: &Solver,
    _network: &Network,
    _data: &Dataset,
    _model: &PathModel,
    _progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Attestation {
    let lemma = LemmaReference { name: String::new(), established: String::new() };
    Attestation { verdict: Verdict::Unknown, how: String::new(), lemma }
}
