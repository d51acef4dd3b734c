//! `roundproof-check`: judges certificates, and does nothing else.
//!
//! What `roundproof check` prints, with the same exit codes; but neither a solver nor a prover is in this program.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use roundproof_judge::{Outcome, Report, Wanted, certificates};

const HELP: &str = "\
Let the kernel judge certificates again, with no solver

Usage: roundproof-check [OPTIONS] CERTIFICATE|FOLDER...

The network and the data set that a certificate names are looked for beside it. Their digests are compared, and the
kernel judges the evidence in exact arithmetic; whatever the certificate says is believed only if the kernel says so too.
The certificate of an audit is Invariant if every row of it is, under each path model; if all is as required, undecided rows are no fault.
A folder stands for the certificates in it and below.

Options:
      --expect VERDICT     The verdict that is to come out: proved (the default) or refuted
      --require KEY=VALUE  What the claim has to say: paths, format, property, inputs, exceptions, rows, tolerance,
                           encodings, network, dataset or forest; of an audit invariant, paths, rows,
                           format, graph, dataset or model; several with commas, or by repeating the option
      --json               Print a JSON array instead of lines
  -h, --help               Print help
  -V, --version            Print the version

Exit codes: 0 as expected and required, 1 rejected, 2 a file that cannot be read, 3 nothing for the kernel to check, or rows undecided, 4 Refuted,
5 accepted, but not what is expected or required. Of several certificates, the worst counts: 2 before 1, 5, 4 and 3.

Examples:
  roundproof-check out/certificate.json
  roundproof-check --require paths=all,exceptions=0,format=bfloat16 certificates/
  roundproof-check --expect refuted broken/certificate.json
";

/// The commit that it was built from, if whoever built it says so, as `./x build` does.
const COMMIT: Option<&str> = option_env!("ROUNDPROOF_COMMIT");

/// What a shell reports of a program that a closed pipe ended. Never 0, which would say Proved.
const BROKEN_PIPE: u8 = 141;

/// What the command line asks for.
enum Asked {
    Judge { paths: Vec<PathBuf>, wanted: Wanted, json: bool },
    Text(String),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "error: this is a defect in roundproof; nothing was proved: {panic}");
    }));
    let done = match asked() {
        Ok(Asked::Judge { paths, wanted, json }) => judge(&paths, &wanted, json),
        Ok(Asked::Text(text)) => io::stdout().lock().write_all(text.as_bytes()).map(|()| Outcome::AsExpected),
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

fn asked() -> Result<Asked, lexopt::Error> {
    let (mut paths, mut wanted, mut json) = (Vec::new(), Wanted::default(), false);
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("json") => json = true,
            Arg::Long("expect") => wanted.verdict = parser.value()?.parse()?,
            Arg::Long("require") => {
                wanted.requirements = std::mem::take(&mut wanted.requirements).and(parser.value()?.parse()?);
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(Asked::Text(HELP.to_string())),
            Arg::Short('V') | Arg::Long("version") => {
                let commit = COMMIT.map_or(String::new(), |commit| format!(" ({commit})"));
                return Ok(Asked::Text(format!("roundproof-check {}{commit}\n", env!("CARGO_PKG_VERSION"))));
            }
            Arg::Value(path) => paths.push(PathBuf::from(path)),
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected()),
        }
    }
    if paths.is_empty() {
        return Err("no certificate was named: roundproof-check CERTIFICATE|FOLDER...".into());
    }
    Ok(Asked::Judge { paths, wanted, json })
}

fn judge(paths: &[PathBuf], wanted: &Wanted, json: bool) -> io::Result<Outcome> {
    let mut stdout = io::stdout().lock();
    let mut worst = Outcome::AsExpected;
    let mut reports = Vec::new();
    for path in paths {
        let found = match certificates(path) {
            Ok(found) => found,
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {error}");
                worst = Outcome::Unreadable;
                continue;
            }
        };
        for path in found {
            let report = Report::of(&path, wanted, &mut |_, _| ());
            worst = worst.max(report.outcome);
            if json {
                reports.push(report);
            } else if report.outcome == Outcome::Unreadable {
                let _ = writeln!(io::stderr(), "error: {}", report.detail);
            } else {
                stdout.write_all(report.text().as_bytes())?;
                stdout.flush()?;
            }
        }
    }
    if json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&reports)?)?;
    }
    stdout.flush()?;
    Ok(worst)
}
