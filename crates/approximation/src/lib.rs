//! The judge of claims about functions of the reals.
//!
//! That a network approximates a function is two things: the network computes a tree at every finite input, on every path,
//! which the kernel judges; and each leaf of the tree is near the function wherever it meets the domain, which [`rule`]
//! judges, with enclosures from `roundproof-functions`. A witness against the claim is a path that the kernel replays, and a
//! value that is not what is claimed at its point.
//!
//! So claims about data sets and forests rest on the kernel alone, and neither on this crate nor on MPFR. It is trusted as
//! the kernel is, and bounded in the same way: no solver, no serialization, no threads, no input or output, no floating
//! point of the host.

mod claim;
mod rejection;
pub mod rule;

pub use claim::{Accuracy, Approximates, Approximation};
pub use rejection::{ApproximationRejection, Region, Rejection};

use roundproof_exact::Rational;
use roundproof_kernel::{Claim, Domain, Evidence, NO_FOREST, Property, Subject, Verdict, check_subject, replay};

/// Judges `evidence` for or against `claim`, as [`roundproof_kernel::check`] does for claims without a function.
///
/// Gives [`Verdict::Proved`] or [`Verdict::Refuted`]. What refutes an approximation is what the network gives, whatever
/// the tree that goes with the claim.
///
/// # Errors
///
/// If the claim does not describe this subject, its path model is none for the format, or the evidence fails a check. A
/// rejection says nothing about the claim's truth.
pub fn check(
    claim: &Claim<Approximates>,
    subject: &Subject<'_>,
    evidence: &Evidence,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Verdict, Rejection> {
    let Approximates { approximation, leaves } = &claim.property;
    // What the network has to do at every finite input.
    let computes = claim.with(Property::Computes {
        trees: subject.forest.map_or(0, |forest| forest.trees().len()),
        leaves: *leaves,
        tolerance: Rational::new(),
        exceptions: Vec::new(),
    });
    check_subject(&computes, subject)?;
    if subject.data.is_some() {
        let takes_none = "that a network approximates a function takes no data set";
        return Err(roundproof_kernel::Rejection::Subject(takes_none).into());
    }
    let forest = subject.forest.ok_or(NO_FOREST)?;
    match evidence {
        Evidence::Witness(witness) => {
            let (point, given) = replay::at(&claim.model, subject.network, Domain::AllFinite, witness)?;
            rule::contradicts(approximation, forest, &point, given)?;
            Ok(Verdict::Refuted)
        }
        Evidence::BoxNetwork(_) | Evidence::Paths => {
            let computed = roundproof_kernel::check(&computes, subject, evidence, progress)?;
            rule::check_tree(approximation, forest, progress)?;
            Ok(computed)
        }
    }
}
