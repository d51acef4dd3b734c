//! The judge of certificates: what `roundproof check` and the program `roundproof-check` are.
//!
//! A certificate says what is claimed, of which files, and on what evidence. [`judge`] reads it and the files that it names,
//! compares their digests, and has the evidence judged by the rule that is meant for the claim: claims about data sets and
//! forests by the kernel, claims about functions by `roundproof-approximation`. What the certificate says is believed only if
//! the rule says so too. No solver and no prover is linked, and none is asked.
//!
//! - [`check`]: a claim, its subject and evidence, in memory.
//! - [`judge`]: a certificate and its files; [`Judged`], a [`Judgement`] with its reasons as types.
//! - [`Statement`]: what a claim says, under which path model, in a sentence and part by part.
//! - [`Requirements`]: what a reader asks of a claim, beyond that it holds.
//! - [`Report`]: what became of a certificate as one line or as JSON, with the exit code; [`certificates`], those of a folder.
//! - [`audits`]: certificates about models of other tools, judged by `roundproof-audit`, row by row.
//! - [`words`], [`point`], [`expected`]: parts of claims and rejections in words. Nothing of these decides anything.
//!
//! ```
//! use roundproof_judge::{Judgement, Verdict, judge};
//!
//! # use roundproof_files::{certificate::*, safetensors::*, Digest};
//! # use roundproof_format::{Encoding, Format};
//! # use roundproof_network::{Activation, Dataset, Encodings, PathModel};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("certificate.json");
//! # {
//! #     let format = Format::BFLOAT16;
//! #     let column = |bits: [u128; 2]| Encodings::collect(format, bits.map(Encoding::from_bits));
//! #     let data = Dataset::new(format, 1, 1, column([0x3f80, 0x4000]), column([0x4000, 0x3f80]))?;
//! #     let built = roundproof_construct::point::memorize(&data, Activation::Step)?;
//! #     let claim = roundproof_kernel::Claim::memorizes(&built.network, &data, PathModel::all(format));
//! #     let write = |name: &str, bytes: Vec<u8>| -> std::io::Result<FileReference> {
//! #         std::fs::write(folder.path().join(name), &bytes)?;
//! #         Ok(FileReference { path: name.parse().unwrap(), sha256: Digest::of(&bytes) })
//! #     };
//! #     let certificate = Certificate {
//! #         claim: claim.map(Property::from),
//! #         network: write("network.safetensors", network_bytes(&built.network))?,
//! #         network_source: None,
//! #         dataset: Some(write("dataset.safetensors", dataset_bytes(&data, None))?),
//! #         forest: None,
//! #         source: None,
//! #         verdict: Verdict::Proved,
//! #         evidence: Some(built.evidence),
//! #         lemmas: Vec::new(),
//! #         provenance: Default::default(),
//! #     };
//! #     certificate.write(&path)?;
//! # }
//! // A certificate, with the network and the data set that it names beside it.
//! let judged = judge(&path, &mut |_done, _of| ())?;
//! assert!(matches!(judged.judgement, Judgement::Accepted(Verdict::Proved)));
//!
//! // One bit of one file, and it is rejected.
//! let network = path.with_file_name("network.safetensors");
//! let mut bytes = std::fs::read(&network)?;
//! *bytes.last_mut().unwrap() ^= 1;
//! std::fs::write(&network, bytes)?;
//! let judged = judge(&path, &mut |_done, _of| ())?;
//! assert!(matches!(judged.judgement, Judgement::Rejected(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod audits;
mod encodings;
pub mod expected;
mod folder;
mod judgement;
mod named;
pub mod paths;
pub mod point;
mod report;
mod require;
mod statement;
pub mod words;

pub use folder::{FolderProblem, certificates};
pub use judgement::{Judged, Judgement, Reason, judge};
pub use named::{Mismatch, Named, Unreadable, read_audit, read_certificate, referenced};
pub use report::{ExpectedVerdict, NamedFile, Outcome, Report, Wanted};
pub use require::{RequirementError, Requirements};
pub use roundproof_approximation::{Accuracy, Approximates, Approximation, ApproximationRejection, Rejection};
pub use roundproof_files::certificate::{Certificate, Claim, KernelProperty, Property};
pub use roundproof_kernel::{Evidence, Shape, Subject, Verdict};
pub use statement::{Inputs, Nearness, Outputs, Range, Sizes, Statement};

/// Judges `evidence` for or against `claim`, by the rule that is meant for it.
///
/// `progress` is told, from time to time, how many of how many steps are done; it cannot influence the result.
///
/// Gives [`Verdict::Proved`] if the evidence establishes the claim, [`Verdict::Refuted`] if it is a witness against
/// it, [`Verdict::Vacuous`] if the claim is about the rows of a data set that has none.
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
            let claim = claim.with(Approximates::clone(approximates));
            roundproof_approximation::check(&claim, subject, evidence, progress)
        }
    }
}
