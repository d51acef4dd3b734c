//! `roundproof check`: the kernel alone. No solver is asked anything on this path.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use roundproof_judge::{Outcome, Report};

use crate::exit::Exit;
use crate::output::{emit_json, emit_verdicts, note};
use crate::progress::Progress;

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

impl Check {
    /// Judges each certificate.
    pub fn execute(self) -> Result<Exit> {
        let mut reports = Vec::new();
        for path in &self.certificates {
            let progress = Progress::new();
            let report = Report::of(path, &mut |done, of| progress.report("judging", done, of));
            drop(progress);
            if !self.json {
                if report.outcome == Outcome::Unreadable {
                    note(&format!("error: {}", report.detail));
                } else {
                    emit_verdicts(&report.line())?;
                }
            }
            reports.push(report);
        }
        if self.json {
            emit_json(&reports)?;
        }
        Ok(reports.iter().map(|report| report.outcome).max().map_or(Exit::AsClaimed, Exit::from))
    }
}
