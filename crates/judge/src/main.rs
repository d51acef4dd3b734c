//! `roundproof-check`: judges certificates, and does nothing else.
//!
//! What `roundproof check` prints, with the same exit codes; but neither a solver nor a prover is in this program.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use roundproof_judge::{Outcome, Report};

const HELP: &str = "\
Let the kernel judge certificates again, with no solver

Usage: roundproof-check [--json] CERTIFICATE...

The network and the data set that a certificate names are looked for beside it. Their digests are compared, and the
kernel judges the evidence in exact arithmetic; whatever the certificate says is believed only if the kernel says so too.

Options:
      --json     Print a JSON array instead of lines
  -h, --help     Print help
  -V, --version  Print the version

Exit codes: 0 Proved, 1 Refuted or rejected, 2 a file that cannot be read, 3 nothing for the kernel to check. Of several
certificates, the worst counts: 2 before 1 before 3.
";

/// The commit that it was built from, if whoever built it says so, as `./x build` does.
const COMMIT: Option<&str> = option_env!("ROUNDPROOF_COMMIT");

/// What a shell reports of a program that a closed pipe ended. Never 0, which would say Proved.
const BROKEN_PIPE: u8 = 141;

/// What the command line asks for.
enum Asked {
    Judge { certificates: Vec<PathBuf>, json: bool },
    Text(String),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "error: this is a defect in roundproof; nothing was proved: {panic}");
    }));
    let done = match asked(std::env::args_os().skip(1)) {
        Ok(Asked::Judge { certificates, json }) => judge(&certificates, json),
        Ok(Asked::Text(text)) => io::stdout().lock().write_all(text.as_bytes()).map(|()| Outcome::Proved),
        Err(usage) => {
            let _ = writeln!(io::stderr(), "error: {usage}\n\nFor more information, try '--help'.");
            Ok(Outcome::Unreadable)
        }
    };
    match done {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(BROKEN_PIPE),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(Outcome::Unreadable.code())
        }
    }
}

fn asked(arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let (mut certificates, mut json, mut only_files) = (Vec::new(), false, false);
    for argument in arguments {
        match argument.to_str().filter(|_| !only_files) {
            Some("--") => only_files = true,
            Some("--json") => json = true,
            Some("-h" | "--help") => return Ok(Asked::Text(HELP.to_string())),
            Some("-V" | "--version") => {
                let commit = COMMIT.map_or(String::new(), |commit| format!(" ({commit})"));
                return Ok(Asked::Text(format!("roundproof-check {}{commit}\n", env!("CARGO_PKG_VERSION"))));
            }
            Some(option) if option.starts_with('-') => return Err(format!("unknown option {option:?}")),
            _ => certificates.push(PathBuf::from(argument)),
        }
    }
    if certificates.is_empty() {
        return Err("no certificate was named: roundproof-check [--json] CERTIFICATE...".to_string());
    }
    Ok(Asked::Judge { certificates, json })
}

fn judge(certificates: &[PathBuf], json: bool) -> io::Result<Outcome> {
    let mut stdout = io::stdout().lock();
    let mut reports = Vec::new();
    for path in certificates {
        let report = Report::of(path, &mut |_, _| ());
        if !json {
            if report.outcome == Outcome::Unreadable {
                let _ = writeln!(io::stderr(), "error: {}", report.detail);
            } else {
                stdout.write_all(report.line().as_bytes())?;
                stdout.flush()?;
            }
        }
        reports.push(report);
    }
    if json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&reports)?)?;
    }
    stdout.flush()?;
    Ok(reports.iter().map(|report| report.outcome).max().unwrap_or(Outcome::Unreadable))
}
