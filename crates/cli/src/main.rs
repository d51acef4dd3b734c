//! The binary `roundproof`: commands, progress, exit codes.
//!
//! A command reads its files, asks the crates below, and prints what they say: results on stdout, notes and progress on
//! stderr. It ends with one of the codes of [`exit::Exit`], whatever happens.

mod approximate;
mod audit;
mod check;
mod compile;
mod corpus;
mod diff;
mod exit;
mod explain;
mod export;
mod formats;
mod frontier;
mod function_table;
mod generate;
mod input;
mod memory;
mod output;
mod parsers;
mod progress;
mod prove;
mod run;
mod schema;
mod shell;
mod show;
mod sizes;
mod verify_all;
mod words;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};
use roundproof_solver::Solver;

use exit::Exit;

/// The version, and the commit that it was built from if that is known.
const VERSION: &str = env!("ROUNDPROOF_VERSION");

const LONG_ABOUT: &str = "\
Neural networks that compute exactly what they claim, in floating point, on every rounding path.

`prove` makes a network of a table and proves that it gives every label exactly: whatever the rounding directions, the \
order of the additions and the use of fused multiply-adds. `compile` does the same for decision trees and forests of \
other tools, at every finite input. `check` lets a small kernel judge a certificate again, with no solver. `run` computes \
one path.";

const AFTER_HELP: &str = "\
Exit codes:
  0  Proved; or all as expected
  1  rejected, or not as it was on record
  2  a wrong command line, or input that cannot be read
  3  not established: Unknown, Attested or Vacuous
  4  Refuted
  5  accepted, but not what `check` was to expect or require

Examples:
  roundproof prove iris.csv --label class --format bfloat16 --out iris
  roundproof prove digits.csv --label class --format bfloat16 --strategy tree --out tree
  roundproof compile model.json --format bfloat16 --out compiled
  roundproof check iris/certificate.json
  roundproof run iris/network.safetensors iris/dataset.safetensors --order pairwise --fma --rows 0..10
  roundproof verify-all --filter telescoping";

#[derive(Parser)]
#[command(
    name = "roundproof",
    about = "Neural networks that compute exactly what they claim, on every rounding path",
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    disable_version_flag = true,
    arg_required_else_help = true,
    override_usage = "roundproof <COMMAND>",
    max_term_width = 110
)]
struct Cli {
    /// Print the version of roundproof, its commit, and the version of the Z3 that it asks
    #[arg(short = 'V', long)]
    version: bool,
    /// Print results and errors, but no notes and no progress
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Whether verdicts and help are in colour; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    color: ColorChoice,
    /// How many threads compute; 0 is one for each processor
    #[arg(long, global = true, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Formats(formats::Formats),
    Frontier(frontier::Frontier),
    Generate(generate::Generate),
    Prove(prove::Prove),
    Compile(compile::Compile),
    Approximate(approximate::Approximate),
    Audit(audit::Audit),
    Merge(audit::Merge),
    Paths(audit::Paths),
    Sizes(sizes::Sizes),
    Check(check::Check),
    Explain(explain::Explain),
    Run(run::Run),
    Export(export::Export),
    Show(show::Show),
    VerifyAll(verify_all::VerifyAll),
    Corpus(corpus::CorpusCommand),
    Diff(diff::Diff),
    Completions(shell::Completions),
    Man(shell::Man),
    Schema(schema::Schema),
}

fn main() -> ExitCode {
    exit::report_defects();
    exit::end_on_interrupt();
    choose_colours(std::env::args());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and errors of usage alike; clap's code for errors is 2.
        Err(message) => message.exit(),
    };
    match execute(cli) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => exit::BROKEN_PIPE.into(),
        Err(error) => {
            output::error(&output::chain(&error));
            Exit::Unreadable.into()
        }
    }
}

fn execute(cli: Cli) -> Result<Exit> {
    if cli.version {
        let solver = Solver::new(Duration::from_secs(20));
        let z3 = solver.version().map_or_else(|error| format!("none: {error}"), str::to_string);
        output::emit(&format!("roundproof {VERSION}\nZ3 {z3}\n"))?;
        return Ok(Exit::AsClaimed);
    }
    if cli.quiet {
        output::be_quiet();
    }
    rayon::ThreadPoolBuilder::new().num_threads(cli.threads).build_global().context("--threads")?;
    match cli.command {
        None => Ok(Exit::Unreadable),
        Some(Command::Formats(command)) => command.execute(),
        Some(Command::Frontier(command)) => command.execute(),
        Some(Command::Generate(command)) => command.execute(),
        Some(Command::Prove(command)) => command.execute(),
        Some(Command::Compile(command)) => command.execute(),
        Some(Command::Approximate(command)) => command.execute(),
        Some(Command::Audit(command)) => command.execute(),
        Some(Command::Merge(command)) => command.execute(),
        Some(Command::Paths(command)) => command.execute(),
        Some(Command::Sizes(command)) => command.execute(),
        Some(Command::Check(command)) => command.execute(),
        Some(Command::Explain(command)) => command.execute(),
        Some(Command::Run(command)) => command.execute(),
        Some(Command::Export(command)) => command.execute(),
        Some(Command::Show(command)) => command.execute(),
        Some(Command::VerifyAll(command)) => command.execute(),
        Some(Command::Corpus(command)) => command.execute(),
        Some(Command::Diff(command)) => command.execute(),
        Some(Command::Completions(command)) => command.execute(&mut Cli::command()),
        Some(Command::Man(command)) => command.execute(Cli::command()),
        Some(Command::Schema(command)) => command.execute(),
    }
}

/// Takes `--color` from the command line before that is read: help and errors of usage are in colour too. What is not a
/// choice is told as such by whoever reads the command line.
fn choose_colours(arguments: impl Iterator<Item = String>) {
    let arguments: Vec<String> = arguments.take_while(|argument| argument != "--").collect();
    let apart = arguments.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1].as_str());
    let joined = arguments.iter().filter_map(|argument| argument.strip_prefix("--color="));
    match apart.chain(joined).next() {
        Some("always") => anstream::ColorChoice::Always.write_global(),
        Some("never") => anstream::ColorChoice::Never.write_global(),
        _ => {}
    }
}

/// Whether whoever read stdout has enough, as `head` has after some lines.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| Some(cause.downcast_ref::<io::Error>()?.kind());
    error.chain().any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_every_argument_is_documented() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        command.build();
        let helped = |command: &clap::Command| {
            let help = command.get_arguments().find(|argument| argument.get_help().is_none());
            assert!(help.is_none(), "{}: {help:?} has no help", command.get_name());
        };
        helped(&command);
        for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
            helped(subcommand);
            let examples = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Example"), "{} shows no example", subcommand.get_name());
        }
    }
}
