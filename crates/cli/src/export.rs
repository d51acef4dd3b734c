//! `roundproof export`: a network in the notation of other tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use roundproof_files::safetensors::parse_network;
use roundproof_files::{Digest, write_atomically};
use roundproof_judge::{Judged, Judgement, Report, Statement, Verdict, Wanted, judge};
use roundproof_network::{Network, Order, PathModel};
use serde::Serialize;

use crate::exit::{self, Exit};
use crate::input::{self, Kind};
use crate::output::{Sheet, count, emit, emit_json, emit_verdicts, error};
use crate::progress::Progress;

const EXAMPLES: &str = "\
The graph has the terms that the network has and no other, and an operation for each rounding: it is one rounding path, that of \
`roundproof run --order pairwise` (or left-to-right, where the claim is about that order alone). So the claim of a certificate, which \
the kernel judges first, holds of the graph too, if the runtime rounds as ONNX says; the model's description says what that takes. \
Inputs and outputs are tensors of the network's format, `inputs` and `outputs`, one row after the other.

There are models of networks in binary64, binary32, binary16, bfloat16, and, where sums saturate, \
float8_e4m3fn, _e4m3fnuz, _e5m2 and _e5m2fnuz.

Exit codes: 0 exported, 1 rejected, 2 what cannot be read or exported, 3 nothing that the kernel could check, 4 Refuted.

Examples:
  roundproof export out/certificate.json --onnx digits.onnx
  roundproof export network.safetensors --paths paper --onnx network.onnx";

/// Write a network as an ONNX model of which its claim holds
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// A certificate that says Proved, or a network alone, of which nothing is claimed
    #[arg(value_name = "CERTIFICATE|NETWORK")]
    file: PathBuf,
    /// Where to write the ONNX model
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
    /// Of a network alone, the path model that the graph is to be a path of: all, paper, or changes to either [default: all]
    #[arg(short, long, value_name = "MODEL")]
    paths: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// A network, and what is known of it.
struct Subject {
    network: Network,
    model: PathModel,
    claim: Option<String>,
    /// What the description has of files: names and digests.
    files: Vec<(&'static str, Digest)>,
}

/// What was written.
#[derive(Serialize)]
struct Exported {
    onnx: String,
    sha256: String,
    bytes: usize,
    nodes: usize,
    opset: i64,
    format: String,
    paths: String,
    parameters: usize,
    claim: Option<String>,
    condition: String,
}

impl Export {
    /// Writes the model.
    pub fn execute(self) -> Result<Exit> {
        let subject = match self.subject()? {
            Ok(subject) => subject,
            Err(exit) => return Ok(exit),
        };
        let exported = self.export(&subject)?;
        if self.json {
            emit_json(&exported)?;
        } else {
            emit(&exported.text())?;
        }
        Ok(Exit::AsClaimed)
    }

    /// What is to be exported; or how the program ends without it.
    fn subject(&self) -> Result<Result<Subject, Exit>> {
        let path = &self.file;
        let bytes = fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let place = |path: &Path| fs::canonicalize(path).ok();
        if place(&self.onnx).is_some_and(|out| Some(out) == place(path)) {
            bail!("--onnx {}: is the file that is to be exported; name another one", self.onnx.display());
        }
        match input::kind(&bytes) {
            Kind::Network => Ok(Ok(self.network_alone(&bytes)?)),
            Kind::Certificate => self.certified(&bytes),
            Kind::Graph | Kind::Dataset | Kind::Forest | Kind::Rows | Kind::Arrays | Kind::Text => Err(anyhow!(
                "{}: is not a certificate or a network: these are what `roundproof prove --out` writes",
                path.display()
            )),
        }
    }

    fn network_alone(&self, bytes: &[u8]) -> Result<Subject> {
        let network = parse_network(&self.file, bytes)?;
        let text = self.paths.as_deref().unwrap_or("all");
        let model = PathModel::parse(text, network.format()).context("--paths")?;
        Ok(Subject { network, model, claim: None, files: vec![("network", Digest::of(bytes))] })
    }

    fn certified(&self, bytes: &[u8]) -> Result<Result<Subject, Exit>> {
        let path = &self.file;
        if self.paths.is_some() {
            bail!("--paths: {} says which paths its claim is about; name the network alone", path.display());
        }
        let progress = Progress::new();
        let judged = judge(path, &mut |done, of| progress.report("judging", done, of))?;
        drop(progress);
        let Judged { certificate, files: Some(files), judgement: Judgement::Accepted(Verdict::Proved) } = judged else {
            let report = Report::on(path, &Wanted::default(), Ok(judged));
            emit_verdicts(&report.text())?;
            error("only what is Proved is exported with its claim; a network alone is exported without one");
            return Ok(Err(report.outcome.into()));
        };
        let named = [("dataset", &certificate.dataset), ("forest", &certificate.forest)];
        let mut digests = vec![("certificate", Digest::of(bytes)), ("network", certificate.network.sha256)];
        digests.extend(named.iter().filter_map(|(name, file)| Some((*name, file.as_ref()?.sha256))));
        let claim = Some(Statement::new(&certificate.claim, Some(&files.subject())).sentence);
        Ok(Ok(Subject { network: files.network, model: certificate.claim.model, claim, files: digests }))
    }

    fn export(&self, subject: &Subject) -> Result<Exported> {
        let Subject { network, model, claim, files } = subject;
        let condition = roundproof_onnx::condition(network, model);
        let order = match model.summation.trees().order {
            Order::Any => "pairwise",
            Order::LeftToRight => "left-to-right",
        };
        let description = match claim {
            Some(claim) => format!(
                "Proved of a network: {claim}. This graph is one of these paths, that of `roundproof run --order {order}`, if {condition}."
            ),
            None => format!(
                "Nothing is claimed of this network. The graph is the path of `roundproof run --order {order}`, if {condition}."
            ),
        };
        let mut metadata =
            vec![("format", network.format().to_string()), ("paths", model.to_string()), ("order", order.to_string())];
        metadata.extend(
            claim.iter().flat_map(|claim| [("verdict", Verdict::Proved.to_string()), ("claim", claim.clone())]),
        );
        metadata.push(("condition", condition.clone()));
        let digests: Vec<_> =
            files.iter().map(|(name, digest)| (format!("{name}_sha256"), digest.to_string())).collect();
        metadata.extend(digests.iter().map(|(name, digest)| (name.as_str(), digest.clone())));
        let proto = roundproof_onnx::export(network, model, &description, &metadata)
            .with_context(|| self.file.display().to_string())?;
        let bytes = roundproof_onnx::bytes(&proto);
        let _writing = exit::writing();
        write_atomically(&self.onnx, &bytes)?;
        Ok(Exported {
            onnx: self.onnx.display().to_string(),
            sha256: Digest::of(&bytes).to_string(),
            bytes: bytes.len(),
            nodes: proto.graph.as_ref().map_or(0, |graph| graph.node.len()),
            opset: proto.opset_import.first().and_then(|opset| opset.version).unwrap_or(0),
            format: network.format().to_string(),
            paths: model.to_string(),
            parameters: network.parameters(),
            claim: claim.clone(),
            condition,
        })
    }
}

impl Exported {
    fn text(&self) -> String {
        let mut sheet = Sheet::new("Exported");
        let (nodes, bytes) = (count(self.nodes, "node"), count(self.bytes, "byte"));
        sheet.line("model", format!("{}: {bytes}, {nodes}, opset {}", self.onnx, self.opset));
        sheet.line("network", format!("{} in {}", count(self.parameters, "parameter"), self.format));
        sheet.line("paths", &self.paths);
        sheet.line("claim", self.claim.as_deref().unwrap_or("none: of a network alone nothing is claimed"));
        sheet.line("holds if", &self.condition);
        sheet.text()
    }
}
