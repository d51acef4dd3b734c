//! What became of a certificate, in one line or as JSON.

use std::path::Path;

use roundproof_exact::text::exact_decimal;
use roundproof_kernel::{Evidence, Subject, Verdict};
use roundproof_network::{At, Witness};
use serde::Serialize;

use crate::point::Point;
use crate::words::{self, count};
use crate::{Certificate, Judged, Judgement, Reason, Unreadable, judge};

/// How a program that judges certificates ends: the mildest first, and of several the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Proved.
    Proved,
    /// Nothing was established: Unknown, Attested or Vacuous.
    NotEstablished,
    /// Refuted, or rejected.
    Rejected,
    /// A file that cannot be read.
    Unreadable,
}

impl Outcome {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Outcome::Proved => 0,
            Outcome::Rejected => 1,
            Outcome::Unreadable => 2,
            Outcome::NotEstablished => 3,
        }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Outcome {
        match verdict {
            Verdict::Proved => Outcome::Proved,
            Verdict::Refuted => Outcome::Rejected,
            Verdict::Attested | Verdict::Vacuous | Verdict::Unknown => Outcome::NotEstablished,
        }
    }
}

/// What became of one certificate, for people and for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it is.
    pub certificate: String,
    /// The verdict; none if there is none.
    pub verdict: Option<&'static str>,
    /// `accepted`, `rejected`, `not established` or `unreadable`.
    pub status: &'static str,
    /// What was accepted, or why it was not.
    pub detail: String,
    /// How the program is to end.
    #[serde(skip)]
    pub outcome: Outcome,
}

impl Report {
    /// Judges the certificate at `path`.
    pub fn of(path: &Path, progress: &mut dyn FnMut(usize, usize)) -> Report {
        Report::on(path, judge(path, progress))
    }

    /// The report on what became of the certificate at `path`.
    pub fn on(path: &Path, judged: Result<Judged, Unreadable>) -> Report {
        let (verdict, status, detail, outcome) = match &judged {
            Ok(judged) => match &judged.judgement {
                Judgement::Accepted(verdict) => (Some(*verdict), "accepted", accepted(judged), (*verdict).into()),
                Judgement::Rejected(reason) => (None, "rejected", rejected(reason), Outcome::Rejected),
                Judgement::NotEstablished(verdict) => {
                    (Some(*verdict), "not established", not_established(*verdict), Outcome::NotEstablished)
                }
            },
            Err(error) => (None, "unreadable", error.to_string(), Outcome::Unreadable),
        };
        let certificate = path.display().to_string();
        Report { certificate, verdict: verdict.map(Verdict::name), status, detail, outcome }
    }

    /// The report in one line, with a line feed.
    pub fn line(&self) -> String {
        let word = if self.status == "accepted" { self.verdict.unwrap_or(self.status) } else { self.status };
        format!("{word:8}  {}: {}\n", self.certificate, self.detail)
    }
}

fn not_established(verdict: Verdict) -> String {
    let why = match verdict {
        Verdict::Vacuous => "Vacuous: the data set has no rows, so the claim says nothing",
        Verdict::Attested => "Attested: a solver said so, and the kernel has nothing to check again",
        Verdict::Unknown | Verdict::Proved | Verdict::Refuted => {
            "Unknown: the certificate has no evidence for the kernel to check"
        }
    };
    why.to_string()
}

fn rejected(reason: &Reason) -> String {
    match reason {
        Reason::File(mismatch) => mismatch.to_string(),
        Reason::Evidence(rejection) => rejection.to_string(),
        Reason::Verdict { said, found } => format!("the certificate says {said}, the kernel says {found}"),
        Reason::NotVacuous { rows } => {
            format!("the certificate says Vacuous, and the data set has {}", count(*rows, "row"))
        }
    }
}

fn accepted(Judged { certificate, files, .. }: &Judged) -> String {
    match (files, &certificate.evidence) {
        (Some(files), Some(evidence)) => with_evidence(certificate, &files.subject(), evidence),
        _ => words::claim(&certificate.claim),
    }
}

fn with_evidence(certificate: &Certificate, subject: &Subject<'_>, evidence: &Evidence) -> String {
    let (claim, shape) = (&certificate.claim, &certificate.claim.shape);
    let format = claim.format;
    let mut about = vec![format.to_string()];
    about.extend(subject.data.map(|_| count(shape.rows, "row")));
    about.extend([count(shape.parameters, "parameter"), words::evidence_kind(evidence).to_string()]);
    let about = about.join(", ");
    let Evidence::Witness(Witness { at, output, value, .. }) = evidence else {
        return format!("{} ({about})", words::claim(claim));
    };
    let given = exact_decimal(format, *value);
    match (at, subject.data, subject.forest) {
        (At::Row(row), Some(data), _) => {
            let label = exact_decimal(format, data.label(*row, *output));
            format!("row {row}, output {output}: a path gives {given}, the label is {label} ({about})")
        }
        (At::Point(inputs), _, Some(forest)) => match Point::new(claim, forest, inputs) {
            Some(point) => {
                let (place, function) = (point.place(), point.function(*output, *value));
                format!("at {place}, output {output}: a path gives {given}, and {function} ({about})")
            }
            None => format!("output {output}: a path gives {given} ({about})"),
        },
        _ => format!("output {output}: a path gives {given} ({about})"),
    }
}
