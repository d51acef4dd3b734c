//! What becomes of a certificate.

use std::path::Path;

use roundproof_files::certificate::Certificate;
use roundproof_kernel::Verdict;
use roundproof_network::Dataset;

use crate::{Mismatch, Named, Rejection, Unreadable, check, read_certificate};

/// A certificate that was read, and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The certificate.
    pub certificate: Certificate,
    /// The files that it names; none if one of them has another digest.
    pub files: Option<Named>,
    /// What became of it.
    pub judgement: Judgement,
}

/// What became of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The evidence establishes what the certificate says: `Proved` or `Refuted`.
    Accepted(Verdict),
    /// The files are others, the evidence does not hold, or it establishes something else.
    Rejected(Reason),
    /// The certificate says `Attested`, `Vacuous` or `Unknown`, and there is nothing to judge.
    NotEstablished(Verdict),
}

/// Why a certificate is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A file is another one.
    File(Mismatch),
    /// The evidence does not hold.
    Evidence(Rejection),
    /// The evidence establishes another verdict than the certificate says.
    Verdict {
        /// The certificate's.
        said: Verdict,
        /// The one that the evidence establishes.
        found: Verdict,
    },
    /// The certificate says that there is nothing to prove, and the data set has rows.
    NotVacuous {
        /// How many.
        rows: usize,
    },
}

/// Judges the certificate at `path` and the files beside it.
///
/// `progress` is told, from time to time, how many of how many steps are done; it cannot influence the result.
///
/// # Errors
///
/// If the certificate or a file that it names cannot be read. A file with another digest than the certificate says is not
/// an error but a rejection.
pub fn judge(path: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Judged, Unreadable> {
    let certificate = read_certificate(path)?;
    let files = match Named::read(path, &certificate)? {
        Ok(files) => files,
        Err(mismatch) => {
            let judgement = Judgement::Rejected(Reason::File(mismatch));
            return Ok(Judged { certificate, files: None, judgement });
        }
    };
    let subject = files.subject();
    let judgement = match (&certificate.evidence, certificate.verdict) {
        (Some(evidence), said) => match check(&certificate.claim, &subject, evidence, progress) {
            Err(rejection) => Judgement::Rejected(Reason::Evidence(rejection)),
            Ok(found) if found != said => Judgement::Rejected(Reason::Verdict { said, found }),
            Ok(found) => Judgement::Accepted(found),
        },
        (None, Verdict::Vacuous) => match subject.data.map_or(0, Dataset::rows) {
            0 => Judgement::NotEstablished(Verdict::Vacuous),
            rows => Judgement::Rejected(Reason::NotVacuous { rows }),
        },
        (None, verdict) => Judgement::NotEstablished(verdict),
    };
    Ok(Judged { certificate, files: Some(files), judgement })
}
