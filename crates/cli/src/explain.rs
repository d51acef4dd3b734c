//! `roundproof explain`: a refutation in words.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use roundproof_files::Certificate;
use roundproof_files::safetensors::{parse_dataset, parse_network};
use roundproof_format::Encoding;
use roundproof_kernel::{Evidence, Subject, Verdict, check};
use roundproof_paths::{FromWitness, Plain, trace};

use crate::check::referenced;
use crate::exit::Exit;
use crate::input;
use crate::output::{emit, emit_json};

mod operations;
mod reals;
mod story;
mod text;

use story::{Explanation, Story};

const EXAMPLES: &str = "\
The kernel replays the witness first. Told are the neurons that carry the error to the output, each with the operations \
that are not exact: the exact value, its two neighbours in the format, and the one that the path takes. An order is told \
where it is not from left to right: p0, p1, ... are the products, b the bias, fma(p0, b) is fused.

Exit codes: 0 the refutation stands, 1 the kernel rejects it, 2 a file that cannot be read, or no refutation.

Examples:
  roundproof explain broken/certificate.json
  roundproof explain broken/certificate.json --json";

/// Say how a refuted network comes to its wrong output
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// A certificate that says Refuted
    certificate: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains the certificate.
    pub fn execute(self) -> Result<Exit> {
        match explain(&self.certificate)? {
            Ok(explanation) if self.json => emit_json(&explanation)?,
            Ok(explanation) => emit(&explanation.text())?,
            Err(reason) => {
                emit(&format!("rejected  {}: {reason}\n", self.certificate.display()))?;
                return Ok(Exit::Rejected);
            }
        }
        Ok(Exit::AsClaimed)
    }
}

/// The explanation, or why the refutation is none.
fn explain(path: &Path) -> Result<Result<Explanation, String>> {
    let read = Certificate::read(path).map_err(|error| input::instead(path, input::Kind::Certificate, error.into()));
    let certificate = read?.value;
    let shown = path.display();
    let Some(evidence @ Evidence::Witness(witness)) = &certificate.evidence else {
        bail!(
            "{shown}: says {}, and there is no path to explain: only a Refuted certificate has one; `roundproof check` \
             judges the others",
            certificate.verdict
        );
    };
    let reference = certificate.dataset.as_ref().ok_or_else(|| anyhow!("{shown}: names no data set"))?;
    let (network, data) = match (referenced(path, &certificate.network)?, referenced(path, reference)?) {
        (Ok((network, bytes)), Ok((data, rows))) => {
            (parse_network(&network, &bytes)?, parse_dataset(&data, &rows)?.dataset)
        }
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    match check(&certificate.claim, &Subject::memorizing(&network, &data), evidence, &mut |_, _| ()) {
        Ok(Verdict::Refuted) => {}
        Ok(other) => return Ok(Err(format!("the kernel says {other}"))),
        Err(rejection) => return Ok(Err(rejection.to_string())),
    }
    let inputs: Vec<Encoding> = (0..data.dimension()).map(|column| data.input(witness.row, column)).collect();
    let model = &certificate.claim.model;
    let taken = trace(&network, &inputs, model, &mut FromWitness::new(witness))?;
    let plain = trace(&network, &inputs, model, &mut Plain)?;
    let reals = reals::layers(&network, &inputs);
    let story = Story { model, network: &network, witness, taken: &taken, plain: &plain, reals: &reals };
    Ok(Ok(story.tell(data.label(witness.row, witness.output))))
}
