//! What became of a certificate, in one line or as JSON.

use std::path::Path;
use std::str::FromStr;

use roundproof_exact::text::exact_decimal;
use roundproof_files::certificate::FileReference;
use roundproof_format::ParseError;
use roundproof_kernel::{Evidence, Subject, Verdict};
use roundproof_network::{At, Witness};
use serde::Serialize;

use crate::audits::{AuditJudged, AuditStatement, Audited, judge_audit};
use crate::point::Point;
use crate::require::Requirements;
use crate::statement::Statement;
use crate::words::{self, count};
use crate::{Certificate, Judged, Judgement, Reason, Unreadable, judge, read_audit};

/// How a program that judges certificates ends: the mildest first, and of several the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The verdict that is expected, of a claim that says what is required.
    AsExpected,
    /// Nothing was established: Unknown, Attested or Vacuous.
    NotEstablished,
    /// Refuted, and the kernel accepted the witness.
    Refuted,
    /// Accepted, but of a claim that does not say what is required; or Proved, where something else is expected.
    Unmet,
    /// The kernel rejected the evidence, or a file is another one.
    Rejected,
    /// A file that cannot be read.
    Unreadable,
}

impl Outcome {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Outcome::AsExpected => 0,
            Outcome::Rejected => 1,
            Outcome::Unreadable => 2,
            Outcome::NotEstablished => 3,
            Outcome::Refuted => 4,
            Outcome::Unmet => 5,
        }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Outcome {
        match verdict {
            Verdict::Proved => Outcome::AsExpected,
            Verdict::Refuted => Outcome::Refuted,
            Verdict::Attested | Verdict::Vacuous | Verdict::Unknown => Outcome::NotEstablished,
        }
    }
}

/// The verdict that is expected of a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// The claim holds.
    #[default]
    Proved,
    /// A path refutes it.
    Refuted,
}

impl FromStr for ExpectedVerdict {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<ExpectedVerdict, ParseError> {
        match text {
            "proved" => Ok(ExpectedVerdict::Proved),
            "refuted" => Ok(ExpectedVerdict::Refuted),
            _ => Err(ParseError::unknown("verdict to expect", text, ["proved", "refuted"])),
        }
    }
}

/// What somebody who relies on certificates wants of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The verdict.
    pub verdict: ExpectedVerdict,
    /// What the claim has to say.
    pub requirements: Requirements,
}

impl Wanted {
    /// How a program ends that was given such a verdict, of a claim that lacks what `unmet` says.
    fn outcome(&self, verdict: Verdict, unmet: &[String]) -> Outcome {
        let of_verdict = match (self.verdict, verdict) {
            (ExpectedVerdict::Refuted, Verdict::Refuted) => Outcome::AsExpected,
            (ExpectedVerdict::Refuted, Verdict::Proved) => Outcome::Unmet,
            (ExpectedVerdict::Proved | ExpectedVerdict::Refuted, verdict) => verdict.into(),
        };
        if unmet.is_empty() { of_verdict } else { of_verdict.max(Outcome::Unmet) }
    }
}

/// What became of one certificate, for people and for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it is.
    pub certificate: String,
    /// What was established, or is said and cannot be judged; none if the certificate was rejected or could not be read.
    pub verdict: Option<&'static str>,
    /// `accepted`, `rejected`, `not established` or `unreadable`.
    pub status: &'static str,
    /// What was accepted, or why it was not, in a sentence.
    pub detail: String,
    /// What is claimed, whatever became of it; none if the certificate could not be read.
    pub claim: Option<Statement>,
    /// What is said of a model of another tool, if that is what the certificate is about; `claim` is none then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditStatement>,
    /// The kind of evidence, if there is any.
    pub evidence: Option<&'static str>,
    /// The files that it is about, by what they are: of an accepted certificate, these very bytes were judged.
    pub files: Vec<NamedFile>,
    /// What was required of the claim and is not so; or what else was expected of the verdict.
    pub unmet: Vec<String>,
    /// Whether all is as expected and required.
    pub as_expected: bool,
    /// How the program is to end.
    #[serde(skip)]
    pub outcome: Outcome,
}

/// A file that a certificate names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedFile {
    /// `network`, `dataset`, `forest` or `graph`.
    pub role: &'static str,
    /// Where it is, from the certificate's folder.
    pub path: String,
    /// The digest of its bytes: 64 hexadecimal digits.
    pub sha256: String,
}

impl Report {
    /// Judges the certificate at `path`, of which this is `wanted`.
    pub fn of(path: &Path, wanted: &Wanted, progress: &mut dyn FnMut(usize, usize)) -> Report {
        match read_audit(path) {
            Some(Ok(certificate)) => Report::on_audit(path, wanted, judge_audit(path, certificate, progress)),
            Some(Err(error)) => Report::unreadable(path.display().to_string(), &error),
            None => Report::on(path, wanted, judge(path, progress)),
        }
    }

    /// The report on what became of the certificate of an audit at `path`.
    pub fn on_audit(path: &Path, wanted: &Wanted, judged: Result<AuditJudged, Unreadable>) -> Report {
        let place = path.display().to_string();
        let AuditJudged { certificate, format, judgement } = match judged {
            Ok(judged) => judged,
            Err(error) => return Report::unreadable(place, &error),
        };
        let statement = AuditStatement::new(&certificate);
        let named = |role, file: &FileReference| NamedFile {
            role,
            path: file.path.to_string(),
            sha256: file.sha256.to_string(),
        };
        let files = vec![named("graph", &certificate.graph), named("dataset", &certificate.dataset)];
        let mut unmet = Vec::new();
        let (verdict, status, detail, outcome) = match (judgement, format) {
            (Err(rejection), _) => (None, "rejected", rejection.to_string(), Outcome::Rejected),
            (Ok(()), _) if certificate.rows == 0 => (
                Some(Verdict::Vacuous.name()),
                "not established",
                "Vacuous: there are no rows".to_string(),
                Outcome::NotEstablished,
            ),
            (Ok(()), format) => {
                if let Some(format) = format {
                    unmet = wanted.requirements.unmet_by(&Audited::of(&certificate, format));
                }
                if wanted.verdict == ExpectedVerdict::Refuted {
                    unmet.push("Refuted is expected, and nothing of an audit is".to_string());
                }
                let all = statement.all();
                let outcome = if !unmet.is_empty() {
                    Outcome::Unmet
                } else if all || wanted.requirements.counts_rows() {
                    Outcome::AsExpected
                } else {
                    Outcome::NotEstablished
                };
                let digest = |file: &FileReference| format!("{:.DIGITS$}", file.sha256.to_string());
                let (graph, rows) = (digest(&certificate.graph), digest(&certificate.dataset));
                let detail = format!("{} (graph {graph}, rows {rows})", statement.sentence);
                (Some(if all { "Invariant" } else { "Undecided" }), "accepted", detail, outcome)
            }
        };
        Report {
            certificate: place,
            verdict,
            status,
            detail,
            claim: None,
            audit: Some(statement),
            evidence: None,
            files,
            unmet,
            as_expected: outcome == Outcome::AsExpected,
            outcome,
        }
    }

    /// The report on what became of the certificate at `path`.
    pub fn on(path: &Path, wanted: &Wanted, judged: Result<Judged, Unreadable>) -> Report {
        let place = path.display().to_string();
        let judged = match judged {
            Ok(judged) => judged,
            Err(error) => return Report::unreadable(place, &error),
        };
        let subject = judged.files.as_ref().map(|files| files.subject());
        let claim = Statement::new(&judged.certificate.claim, subject.as_ref());
        let mut unmet = Vec::new();
        let (verdict, status, detail, outcome) = match &judged.judgement {
            Judgement::Accepted(verdict) => {
                unmet =
                    subject.map_or_else(Vec::new, |subject| wanted.requirements.unmet(&judged.certificate, &subject));
                if let (ExpectedVerdict::Refuted, Verdict::Proved) = (wanted.verdict, verdict) {
                    unmet.push("Refuted is expected, and the claim is Proved".to_string());
                }
                let outcome = wanted.outcome(*verdict, &unmet);
                (Some(*verdict), "accepted", accepted(&judged, &claim), outcome)
            }
            Judgement::Rejected(reason) => (None, "rejected", rejected(reason), Outcome::Rejected),
            Judgement::NotEstablished(verdict) => {
                (Some(*verdict), "not established", not_established(*verdict), Outcome::NotEstablished)
            }
        };
        let Certificate { network, dataset, forest, evidence, .. } = &judged.certificate;
        let named = |role, file: &FileReference| NamedFile {
            role,
            path: file.path.to_string(),
            sha256: file.sha256.to_string(),
        };
        let files = [Some(named("network", network))].into_iter().chain([
            dataset.as_ref().map(|file| named("dataset", file)),
            forest.as_ref().map(|file| named("forest", file)),
        ]);
        Report {
            certificate: place,
            verdict: verdict.map(Verdict::name),
            status,
            detail,
            claim: Some(claim),
            audit: None,
            evidence: evidence.as_ref().map(words::evidence_kind),
            files: files.flatten().collect(),
            unmet,
            as_expected: outcome == Outcome::AsExpected,
            outcome,
        }
    }

    fn unreadable(certificate: String, error: &Unreadable) -> Report {
        Report {
            certificate,
            verdict: None,
            status: "unreadable",
            detail: error.to_string(),
            claim: None,
            audit: None,
            evidence: None,
            files: Vec::new(),
            unmet: Vec::new(),
            as_expected: false,
            outcome: Outcome::Unreadable,
        }
    }

    /// The report in a line, with a line feed; below it, what is not as it should be.
    pub fn text(&self) -> String {
        let word = if self.status == "accepted" { self.verdict.unwrap_or(self.status) } else { self.status };
        let unmet = self.unmet.iter().map(|unmet| format!("          but {unmet}\n"));
        format!("{word:8}  {}: {}\n", self.certificate, self.detail) + &unmet.collect::<String>()
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

/// Digits of a digest that a line shows: enough to tell files apart, not to rely on.
const DIGITS: usize = 12;

fn accepted(judged: &Judged, claim: &Statement) -> String {
    let Judged { certificate, files, .. } = judged;
    let shape = &claim.shape;
    let mut about = vec![claim.format.clone()];
    about.extend((shape.rows > 0).then(|| count(shape.rows, "row")));
    about.push(count(shape.parameters, "parameter"));
    about.extend(certificate.evidence.as_ref().map(|evidence| words::evidence_kind(evidence).to_string()));
    let digest = |role: &str, file: &FileReference| format!("{role} {:.DIGITS$}", file.sha256.to_string());
    about.push(digest("network", &certificate.network));
    about.extend(certificate.dataset.as_ref().map(|file| digest("data set", file)));
    about.extend(certificate.forest.as_ref().map(|file| digest("forest", file)));
    let about = about.join(", ");
    match (files, &certificate.evidence) {
        (Some(files), Some(Evidence::Witness(witness))) => {
            let refuted = refutation(certificate, &files.subject(), witness);
            format!("{refuted}; what is refuted: {} ({about})", claim.sentence)
        }
        _ => format!("{} ({about})", claim.sentence),
    }
}

/// What a witness shows.
fn refutation(certificate: &Certificate, subject: &Subject<'_>, witness: &Witness) -> String {
    let claim = &certificate.claim;
    let Witness { at, output, value, neurons: _ } = witness;
    let given = exact_decimal(claim.format, *value);
    match (at, subject.data, subject.forest) {
        (At::Row(row), Some(data), _) => {
            let label = exact_decimal(claim.format, data.label(*row, *output));
            format!("row {row}, output {output}: a path gives {given}, the label is {label}")
        }
        (At::Point(inputs), _, Some(forest)) => match Point::new(claim, forest, inputs) {
            Some(point) => {
                let (place, function) = (point.place(), point.function(*output, *value));
                format!("at {place}, output {output}: a path gives {given}, and {function}")
            }
            None => format!("output {output}: a path gives {given}"),
        },
        _ => format!("output {output}: a path gives {given}"),
    }
}
