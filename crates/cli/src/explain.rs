//! `roundproof explain`: a refutation in words.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use roundproof_exact::text::exact_decimal;
use roundproof_judge::point::Point;
use roundproof_judge::{Evidence, Named, Verdict, check, read_certificate};
use roundproof_network::{At, Placed};
use roundproof_paths::{FromWitness, Plain, trace};

use crate::exit::Exit;
use crate::output::{emit_json, emit_verdicts};

mod operations;
mod reals;
mod story;
mod text;

use story::{Explanation, Place, Story};

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
            Ok(explanation) => emit_verdicts(&explanation.text())?,
            Err(reason) => {
                emit_verdicts(&format!("rejected  {}: {reason}\n", self.certificate.display()))?;
                return Ok(Exit::Rejected);
            }
        }
        Ok(Exit::AsClaimed)
    }
}

/// The explanation, or why the refutation is none.
fn explain(path: &Path) -> Result<Result<Explanation, String>> {
    let certificate = read_certificate(path)?;
    let shown = path.display();
    let Some(evidence @ Evidence::Witness(witness)) = &certificate.evidence else {
        bail!(
            "{shown}: says {}, and there is no path to explain: only a Refuted certificate has one; `roundproof check` \
             judges the others",
            certificate.verdict
        );
    };
    let files = match Named::read(path, &certificate)? {
        Ok(files) => files,
        Err(mismatch) => return Ok(Err(mismatch.to_string())),
    };
    let Named { network, data, forest } = &files;
    match check(&certificate.claim, &files.subject(), evidence, &mut |_, _| ()) {
        Ok(Verdict::Refuted) => {}
        Ok(other) => return Ok(Err(format!("the kernel says {other}"))),
        Err(rejection) => return Ok(Err(rejection.to_string())),
    }
    let format = certificate.claim.format;
    let (inputs, at) = match (&witness.at, data, forest) {
        (At::Row(row), Some(data), _) => {
            let inputs = (0..data.dimension()).map(|column| data.input(*row, column)).collect();
            let label = exact_decimal(format, data.label(*row, witness.output));
            (inputs, Place { row: Some(*row), expected: label, ..Place::default() })
        }
        (At::Point(inputs), _, Some(forest)) => {
            let point = Point::new(&certificate.claim, forest, inputs);
            let point = point.ok_or_else(|| anyhow!("{shown}: nothing is known of the function at the point"))?;
            (inputs.clone(), Place::of(&point, witness))
        }
        _ => bail!("{shown}: names neither a row of a data set nor a point of a forest"),
    };
    let model = &certificate.claim.model;
    let taken = trace(network, &inputs, model, &mut FromWitness::new(witness))?;
    let plain = trace(network, &inputs, model, &mut Plain)?;
    let reals = reals::layers(network, &inputs);
    let of_step = |step: &Placed| model.at(step.operands(), step.format());
    let models = network.steps().iter().map(of_step).collect::<Result<Vec<_>, _>>()?;
    let story = Story { models: &models, network, witness, taken: &taken, plain: &plain, reals: &reals };
    Ok(Ok(story.tell(at)))
}
