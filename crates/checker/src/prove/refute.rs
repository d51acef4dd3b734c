//! The kernel's verdict on what a construction offers; where it rejects that, on a witness.

use roundproof_judge::expected::expected;
use roundproof_judge::{Claim, Evidence, KernelProperty, Property, Rejection, Subject, Verdict, check};
use roundproof_paths::{EvaluateError, Finding, Points, SearchOptions, Targets, search};

use super::Progress;
use super::candidates::candidates;

/// What the kernel says.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// That of a proof or a refutation.
    pub(super) evidence: Option<Evidence>,
    /// Why it did not accept what was offered, if it did not.
    pub(super) rejection: Option<Rejection>,
}

impl Judged {
    /// Judges what is offered, and if that is rejected, looks for a witness and has it judged.
    pub(super) fn of(
        claim: &Claim,
        subject: &Subject<'_>,
        offered: Evidence,
        progress: Progress<'_>,
    ) -> Result<Judged, EvaluateError> {
        let judged = check(claim, subject, &offered, &mut |done, of| progress("judging", done, of));
        let (verdict, evidence, rejection) = match judged {
            Ok(verdict) => (verdict, Some(offered), None),
            Err(rejection) => {
                progress("searching for a witness", 0, 1);
                let found = find(claim, subject, &rejection)?;
                let judge = |evidence: &Evidence| check(claim, subject, evidence, &mut |_, _| ());
                match found.filter(|evidence| judge(evidence) == Ok(Verdict::Refuted)) {
                    Some(evidence) => (Verdict::Refuted, Some(evidence), Some(rejection)),
                    None => (Verdict::Unknown, None, Some(rejection)),
                }
            }
        };
        let evidence = evidence.filter(|_| matches!(verdict, Verdict::Proved | Verdict::Refuted));
        Ok(Judged { verdict, evidence, rejection })
    }
}

/// How many stored numbers all evaluations with one random path, or one deviation, for each point may look at.
const MOST_WORK: usize = 1 << 32;

/// A witness, if one is found: in a row, or at a point where the claim could fail.
fn find(claim: &Claim, subject: &Subject<'_>, rejection: &Rejection) -> Result<Option<Evidence>, EvaluateError> {
    let (network, mut options) = (subject.network, SearchOptions::default());
    let points;
    let targets: &dyn Targets = match (&claim.property, subject.data, subject.forest) {
        (Property::Kernel(KernelProperty::Memorizes), Some(data), _) => data,
        (Property::Kernel(KernelProperty::Computes { .. }) | Property::Approximates(_), _, Some(forest)) => {
            let mut all = Points::new(claim.format, network.input_dimension(), network.output_dimension());
            for point in candidates(claim, network, forest, subject.data, rejection) {
                // Where a function has no value, nothing is claimed that could be contradicted.
                if let Some(expected) = expected(&claim.property, forest, &point) {
                    all.push(point, expected.right);
                }
            }
            let each = MOST_WORK / network.parameters().saturating_mul(all.points()).max(1);
            options.random_paths = options.random_paths.min(each as u64);
            options.deviations = options.deviations.min(each.max(1));
            points = all;
            &points
        }
        _ => return Ok(None),
    };
    Ok(match search(network, targets, &claim.model, &options)? {
        Finding::Found(witness) => Some(Evidence::Witness(witness)),
        Finding::Excluded | Finding::Open(_) => None,
    })
}
