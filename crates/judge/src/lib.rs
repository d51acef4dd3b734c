//! The judge: what a certificate claims, and the rule that is meant for it.
//!
//! Claims about data sets and forests go to the kernel, claims about functions to `roundproof-approximation`. Nothing is
//! decided here but which of the two is asked.

pub use roundproof_approximation::{Accuracy, Approximates, Approximation, ApproximationRejection, Rejection};
pub use roundproof_files::certificate::{Claim, KernelProperty, Property};
pub use roundproof_kernel::{Evidence, Shape, Subject, Verdict};

/// Judges `evidence` for or against `claim`.
///
/// `progress` is told, from time to time, how many of how many steps are done; it cannot influence the result.
///
/// # Errors
///
/// If the claim does not describe this subject, its path model is none for the format, or the evidence fails a check. A
/// rejection says nothing about the claim's truth.
pub fn check(
    claim: &Claim,
    subject: &Subject<'_>,
    evidence: &Evidence,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Verdict, Rejection> {
    match &claim.property {
        Property::Kernel(property) => {
            Ok(roundproof_kernel::check(&claim.with(property.clone()), subject, evidence, progress)?)
        }
        Property::Approximates(approximates) => {
            roundproof_approximation::check(&claim.with(Approximates::clone(approximates)), subject, evidence, progress)
        }
    }
}
