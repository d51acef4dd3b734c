//! `roundproof merge`: one certificate of the parts of an audit.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use roundproof_files::audit::{AuditCertificate, UnderPaths};
use roundproof_files::safetensors::{AuditRows, parse_audit_rows};
use roundproof_judge::audits::{AuditPaths, invariant};
use roundproof_judge::referenced;
use serde::Serialize;

use super::keep::{CERTIFICATE, Subject};
use crate::exit::Exit;
use crate::output::{Sheet, count, emit, emit_json};

const EXAMPLES: &str = "\
The parts are what `roundproof audit --shard I/N --out` made, of one model, one table and the same options. What comes of all parts is \
byte for byte what the audit of all rows gives. Files are read and their digests compared; nothing is judged again: `roundproof check` does.

Exit codes: 0 written, 2 parts that do not belong together or cannot be read.

Examples:
  roundproof audit model.onnx --data rows.npy --shard 1/2 --out part1
  roundproof audit model.onnx --data rows.npy --shard 2/2 --out part2
  roundproof merge part1 part2 --out whole";

/// Make one certificate of the parts of an audit
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Merge {
    /// The parts: folders, or certificates
    #[arg(value_name = "DIR", required = true)]
    parts: Vec<PathBuf>,
    /// Where to put the certificate and its files
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// A part of an audit.
struct Part {
    file: PathBuf,
    certificate: AuditCertificate,
    rows: AuditRows,
    graph: Vec<u8>,
}

/// What `merge` says.
#[derive(Serialize)]
struct Report {
    certificate: String,
    parts: usize,
    rows: usize,
    audits: Vec<Under>,
}

#[derive(Serialize)]
struct Under {
    paths: AuditPaths,
    invariant: usize,
}

impl Merge {
    /// Reads the parts, and writes what they are together.
    pub fn execute(self) -> Result<Exit> {
        let mut parts = self.parts.iter().map(|path| read(path));
        let mut whole = parts.next().ok_or_else(|| anyhow!("no part was named"))??;
        for part in parts {
            whole = join(whole, part?)?;
        }
        let Part { file: _, certificate, rows, graph } = whole;
        let verdicts = certificate.audits.iter().map(|audit| audit.verdicts.clone()).collect();
        let report = Report {
            certificate: self.out.join(CERTIFICATE).display().to_string(),
            parts: self.parts.len(),
            rows: rows.numbers().len(),
            audits: certificate
                .audits
                .iter()
                .map(|audit| Under { paths: AuditPaths::new(&audit.model), invariant: audit.invariant })
                .collect(),
        };
        Subject::new(certificate, graph, &rows)?.place(&self.out, verdicts)?;
        if self.json {
            emit_json(&report)?;
        } else {
            let headings = report.audits.iter().map(|under| invariant(under.invariant, report.rows, &under.paths));
            let mut sheet = Sheet::new(headings.collect::<Vec<String>>().join("\n"));
            sheet.line("written", format!("{}, of {}", report.certificate, count(report.parts, "part")));
            emit(&sheet.text())?;
        }
        Ok(Exit::AsClaimed)
    }
}

/// The part in a folder, or of a certificate.
fn read(path: &Path) -> Result<Part> {
    let file = if path.is_dir() { path.join(CERTIFICATE) } else { path.to_path_buf() };
    let bytes = fs::read(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let certificate = AuditCertificate::parse(&file, &bytes)?;
    let (_, graph) =
        referenced(&file, &certificate.graph)?.map_err(|mismatch| anyhow!("{}: {mismatch}", file.display()))?;
    let (named, rows) =
        referenced(&file, &certificate.dataset)?.map_err(|mismatch| anyhow!("{}: {mismatch}", file.display()))?;
    let rows = parse_audit_rows(&named, &rows)?;
    if rows.numbers().len() != certificate.rows || rows.dimension() != certificate.inputs {
        bail!("{}: is not about the rows in {}", file.display(), named.display());
    }
    Ok(Part { file, certificate, rows, graph })
}

/// Both together, if they are of one audit.
fn join(first: Part, second: Part) -> Result<Part> {
    let AuditCertificate {
        decision,
        tensor,
        classes,
        inputs,
        rows: _,
        graph,
        dataset: _,
        model,
        source,
        audits,
        provenance,
    } = &first.certificate;
    let other = &second.certificate;
    let models = |audits: &[UnderPaths]| audits.iter().map(|audit| audit.model).collect::<Vec<_>>();
    let differs = [
        ("the graph", graph.sha256 != other.graph.sha256),
        ("the model", model != &other.model),
        ("the file of the rows", source != &other.source),
        ("the format of the rows", first.rows.format() != second.rows.format()),
        ("the number of inputs", *inputs != other.inputs),
        ("the tensor that is read", *tensor != other.tensor),
        ("the decision", *decision != other.decision),
        ("the names of the classes", *classes != other.classes),
        ("the path models", models(audits) != models(&other.audits)),
        ("the version of roundproof", *provenance != other.provenance),
    ];
    if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
        bail!(
            "{} and {}: {what} is not the same; they are not parts of one audit",
            first.file.display(),
            second.file.display()
        );
    }
    let rows = first.rows.join(&second.rows).map_err(|row| {
        anyhow!("{} and {}: both have row {row}; each row is judged once", first.file.display(), second.file.display())
    })?;
    let mut certificate = first.certificate.clone();
    for (audit, other) in certificate.audits.iter_mut().zip(second.certificate.audits) {
        let mut words: Vec<(u64, Box<str>)> =
            first.rows.numbers().iter().copied().zip(std::mem::take(&mut audit.verdicts)).collect();
        words.extend(second.rows.numbers().iter().copied().zip(other.verdicts));
        words.sort_by_key(|(number, _)| *number);
        audit.verdicts = words.into_iter().map(|(_, word)| word).collect();
        audit.invariant += other.invariant;
    }
    certificate.rows = rows.numbers().len();
    Ok(Part { file: first.file, certificate, rows, graph: first.graph })
}
