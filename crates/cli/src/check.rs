//! `roundproof check`: the kernel alone. No solver is asked anything on this path.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use roundproof_files::certificate::{Certificate, FileReference};
use roundproof_files::safetensors::{parse_dataset, parse_forest, parse_network};
use roundproof_files::{Digest, text::exact_decimal};
use roundproof_judge::{Evidence, Subject, Verdict};
use roundproof_network::{At, Dataset, Forest, Network, Witness};
use serde::Serialize;

use crate::exit::Exit;
use crate::input;
use crate::output::{chain, count, emit, emit_json, note};
use crate::point::Point;
use crate::progress::Progress;
use crate::words;

const EXAMPLES: &str = "\
The network and the data set that a certificate names are looked for beside it. Their digests are compared, and the \
kernel judges the evidence in exact arithmetic; whatever the certificate says is believed only if the kernel says so too.

Exit codes: 0 Proved, 1 Refuted or rejected, 2 a file that cannot be read, 3 nothing for the kernel to check. Of several \
certificates, the worst counts: 2 before 1 before 3.

Examples:
  roundproof check certificate.json
  roundproof check --json runs/*/certificate.json";

/// Let the kernel judge certificates again, with no solver
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Certificates
    #[arg(value_name = "CERTIFICATE", required = true)]
    certificates: Vec<PathBuf>,
    /// Print a JSON array instead of lines
    #[arg(long)]
    json: bool,
}

/// What became of one certificate.
#[derive(Serialize)]
struct Report {
    certificate: String,
    /// The kernel's verdict; none if it has none.
    verdict: Option<&'static str>,
    /// `accepted`, `rejected`, `not established` or `unreadable`.
    status: &'static str,
    /// What was accepted, or why it was not.
    detail: String,
    #[serde(skip)]
    exit: Exit,
}

/// What the kernel says of a certificate, or why it says nothing.
enum Judgement {
    Agreed(Verdict, String),
    Rejected(String),
    NotEstablished(Verdict, String),
}

impl Check {
    /// Judges each certificate.
    pub fn execute(self) -> Result<Exit> {
        let mut reports = Vec::new();
        for path in &self.certificates {
            let report = Report::of(path);
            if !self.json {
                if report.exit == Exit::Unreadable {
                    note(&format!("error: {}", report.detail));
                } else {
                    emit(&report.line())?;
                }
            }
            reports.push(report);
        }
        if self.json {
            emit_json(&reports)?;
        }
        Ok(reports.iter().map(|report| report.exit).max().unwrap_or(Exit::AsClaimed))
    }
}

impl Report {
    fn of(path: &Path) -> Report {
        let certificate = path.display().to_string();
        let (verdict, status, detail, exit) = match judge(path) {
            Ok(Judgement::Agreed(verdict, detail)) => (Some(verdict), "accepted", detail, verdict.into()),
            Ok(Judgement::Rejected(reason)) => (None, "rejected", reason, Exit::Rejected),
            Ok(Judgement::NotEstablished(verdict, reason)) => {
                (Some(verdict), "not established", reason, Exit::NotEstablished)
            }
            Err(error) => (None, "unreadable", chain(&error), Exit::Unreadable),
        };
        Report { certificate, verdict: verdict.map(Verdict::name), status, detail, exit }
    }

    fn line(&self) -> String {
        let word = if self.status == "accepted" { self.verdict.unwrap_or(self.status) } else { self.status };
        format!("{word:8}  {}: {}\n", self.certificate, self.detail)
    }
}

/// A file beside the certificate, or what is wrong with it.
pub fn referenced(certificate: &Path, file: &FileReference) -> Result<std::result::Result<(PathBuf, Vec<u8>), String>> {
    let path = file.path.beside(certificate);
    let bytes = fs::read(&path).with_context(|| {
        format!("{}: names {}, which cannot be read beside it", certificate.display(), path.display())
    })?;
    let digest = Digest::of(&bytes);
    if digest != file.sha256 {
        return Ok(Err(format!("{} has the SHA-256 {digest}, the certificate says {}", file.path, file.sha256)));
    }
    Ok(Ok((path, bytes)))
}

/// The files that a certificate names.
pub struct Named {
    pub network: Network,
    pub data: Option<Dataset>,
    pub forest: Option<Forest>,
}

impl Named {
    /// Reads them beside the certificate; or says which is another one.
    pub fn read(path: &Path, certificate: &Certificate) -> Result<std::result::Result<Named, String>> {
        // One file after the other: each in memory only until it is parsed.
        macro_rules! parsed {
            ($reference:expr, $parse:expr) => {
                match referenced(path, $reference)? {
                    Ok((file, bytes)) => $parse(&file, &bytes)?,
                    Err(reason) => return Ok(Err(reason)),
                }
            };
        }
        let network = parsed!(&certificate.network, parse_network);
        let data = match &certificate.dataset {
            Some(reference) => Some(parsed!(reference, parse_dataset).dataset),
            None => None,
        };
        let forest = match &certificate.forest {
            Some(reference) => Some(parsed!(reference, parse_forest)),
            None => None,
        };
        Ok(Ok(Named { network, data, forest }))
    }

    /// What the claim is about.
    pub fn subject(&self) -> Subject<'_> {
        Subject { network: &self.network, data: self.data.as_ref(), forest: self.forest.as_ref() }
    }
}

fn judge(path: &Path) -> Result<Judgement> {
    let read = Certificate::read(path).map_err(|error| input::instead(path, input::Kind::Certificate, error.into()));
    let certificate = read?.value;
    let files = match Named::read(path, &certificate)? {
        Ok(files) => files,
        Err(reason) => return Ok(Judgement::Rejected(reason)),
    };
    let subject = files.subject();
    let rows = subject.data.map_or(0, Dataset::rows);
    Ok(match (&certificate.evidence, certificate.verdict) {
        (Some(evidence), said) => with_evidence(&certificate, said, &subject, evidence),
        (None, Verdict::Vacuous) if rows > 0 => {
            let rows = count(rows, "row");
            Judgement::Rejected(format!("the certificate says Vacuous, and the data set has {rows}"))
        }
        (None, verdict) => {
            let why = match verdict {
                Verdict::Vacuous => "Vacuous: the data set has no rows, so the claim says nothing",
                Verdict::Attested => "Attested: a solver said so, and the kernel has nothing to check again",
                _ => "Unknown: the certificate has no evidence for the kernel to check",
            };
            Judgement::NotEstablished(verdict, why.to_string())
        }
    })
}

fn with_evidence(certificate: &Certificate, said: Verdict, subject: &Subject, evidence: &Evidence) -> Judgement {
    let progress = Progress::new();
    let claim = &certificate.claim;
    let mut report = |done, of| progress.report("judging", done, of);
    match roundproof_judge::check(claim, subject, evidence, &mut report) {
        Err(rejection) => Judgement::Rejected(words::rejection(&rejection, claim.format)),
        Ok(found) if found != said => {
            Judgement::Rejected(format!("the certificate says {said}, the kernel says {found}"))
        }
        Ok(found) => Judgement::Agreed(found, accepted(certificate, subject, evidence)),
    }
}

fn accepted(certificate: &Certificate, subject: &Subject, evidence: &Evidence) -> String {
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
