//! `roundproof check`: the kernel alone. No solver is asked anything on this path.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use roundproof_judge::{ExpectedVerdict, Outcome, Report, Requirements, Wanted, certificates};

use crate::exit::Exit;
use crate::output::{emit_json, emit_verdicts, note};
use crate::progress::Progress;

const EXAMPLES: &str = "\
The network and the data set that a certificate names are looked for beside it. Their digests are compared, and the \
kernel judges the evidence in exact arithmetic; whatever the certificate says is believed only if the kernel says so too.

A folder stands for the certificates in it and below: each .json file that has the fields of one, or cannot be read as JSON.

What can be required (--require KEY=VALUE,KEY=VALUE):
  paths=MODEL       the claim speaks of every path of this model: all, paper, or one with changes
  format=FORMAT     it is about this format
  property=NAME     memorizes, computes, approximates or decides
  inputs=finite     it speaks of every finite input, not of rows or a domain alone
  exceptions=N      at most N rows have other labels than is computed
  rows=N            at least N rows are spoken of
  tolerance=X       an output is at most X off: a number, or n/d
  encodings=equal   every path gives the same encodings; elsewhere, one may give -0 and another +0
  network=SHA256    it is about this file; also dataset=, forest=, and of an audit graph=, model=
  invariant=all     of an audit: every row is invariant, or a number of rows, or a percentage, as 99%; with paths=, under a path model \
that has all of these paths

Exit codes: 0 as expected and required, 1 rejected, 2 a file that cannot be read, 3 nothing for the kernel to check, or an audit \
with undecided rows of which nothing is required, 4 Refuted, 5 accepted, but not what is expected or required. Of several certificates, the worst counts: 2 before 1, 5, 4 and 3.

Examples:
  roundproof check certificate.json
  roundproof check --require paths=all,exceptions=0,format=bfloat16 certificates/
  roundproof check --expect refuted broken/certificate.json
  roundproof check --json runs/*/certificate.json";

/// Let the kernel judge certificates again, with no solver
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Certificates, or folders of them
    #[arg(value_name = "CERTIFICATE|FOLDER", required = true)]
    certificates: Vec<PathBuf>,
    /// The verdict that is to come out: proved or refuted
    #[arg(long, value_name = "VERDICT", default_value = "proved")]
    expect: ExpectedVerdict,
    /// What the claims have to say, as below; may be repeated
    #[arg(long, value_name = "KEY=VALUE,…")]
    require: Vec<Requirements>,
    /// Print a JSON array instead of lines
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Judges each certificate.
    pub fn execute(self) -> Result<Exit> {
        let requirements = self.require.into_iter().fold(Requirements::default(), Requirements::and);
        let wanted = Wanted { verdict: self.expect, requirements };
        let mut worst = Outcome::AsExpected;
        let mut reports = Vec::new();
        for path in &self.certificates {
            let found = match certificates(path) {
                Ok(found) => found,
                Err(error) => {
                    note(&format!("error: {error}"));
                    worst = Outcome::Unreadable;
                    continue;
                }
            };
            for path in found {
                let progress = Progress::new();
                let report = Report::of(&path, &wanted, &mut |done, of| progress.report("judging", done, of));
                drop(progress);
                worst = worst.max(report.outcome);
                if self.json {
                    reports.push(report);
                } else if report.outcome == Outcome::Unreadable {
                    note(&format!("error: {}", report.detail));
                } else {
                    emit_verdicts(&report.text())?;
                }
            }
        }
        if self.json {
            emit_json(&reports)?;
        }
        Ok(worst.into())
    }
}
