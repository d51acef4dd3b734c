//! `roundproof-z3`: Z3's library behind a pipe, as [`roundproof_solver::protocol`] describes it.
//!
//! When the input ends, the program ends, whatever Z3 is at: it cannot outlive who started it.

mod ask;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use roundproof_solver::protocol::{Greeting, PROTOCOL, Question};

const HELP: &str = "\
Answer questions that roundproof asks of Z3, one a line of the standard input

Usage: roundproof-z3 --memory MIB

roundproof starts this program by itself, if it lies beside it or the environment variable ROUNDPROOF_SOLVER names it.

Options:
      --memory MIB  How much memory Z3 may take for a question
  -h, --help        Print help
  -V, --version     Print the version of Z3
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["-h" | "--help"] => io::stdout().write_all(HELP.as_bytes()).map_err(|error| error.to_string()),
        ["-V" | "--version"] => writeln!(io::stdout(), "Z3 {}", ask::version()).map_err(|error| error.to_string()),
        ["--memory", mib] => match mib.parse() {
            Ok(mib) => serve(mib),
            Err(error) => Err(format!("--memory {mib:?}: {error}")),
        },
        _ => Err(format!("it was started with {arguments:?}; see --help")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(memory_mib: u32) -> Result<(), String> {
    ask::limit_memory(memory_mib);
    let (protocol, solver, version) = (PROTOCOL, "Z3".to_string(), ask::version());
    say(&Greeting { protocol, solver, version, memory_mib })?;
    for line in lines() {
        let question: Question = serde_json::from_slice(&line?).map_err(|error| format!("no question: {error}"))?;
        say(&ask::reply(question, memory_mib))?;
    }
    Ok(())
}

fn say(value: &impl serde::Serialize) -> Result<(), String> {
    let mut line = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line).and_then(|()| stdout.flush()).map_err(|error| error.to_string())
}

/// The lines of the input, which are read while Z3 thinks.
fn lines() -> Receiver<Result<Vec<u8>, String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match stdin.read_until(b'\n', &mut line) {
                Ok(0) => end(),
                Ok(_) => drop(sender.send(Ok(line))),
                Err(error) => {
                    let _ = sender.send(Err(format!("the input: {error}")));
                    return;
                }
            }
        }
    });
    receiver
}

/// Ends the program without a word. Returning from `main` would wait for Z3, and `exit` would take its library apart while it
/// thinks.
fn end() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
