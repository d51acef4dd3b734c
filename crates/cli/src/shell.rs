//! `roundproof completions` and `roundproof man`: what shells and manuals want to know of the command line.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::Shell;
use clap_mangen::Man as Page;
use roundproof_files::write_atomically;

use crate::exit::{self, Exit};
use crate::output::emit;

const NAME: &str = "roundproof";

const COMPLETIONS: &str = "\
Examples:
  roundproof completions bash > ~/.local/share/bash-completion/completions/roundproof
  roundproof completions zsh > ~/.zfunc/_roundproof
  roundproof completions fish > ~/.config/fish/completions/roundproof.fish";

/// Print a script with which a shell completes commands and options
#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script for `command`.
    pub fn execute(self, command: &mut clap::Command) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, NAME, &mut script);
        emit(&String::from_utf8(script)?)?;
        Ok(Exit::AsClaimed)
    }
}

const MAN: &str = "\
Examples:
  roundproof man | man -l -
  roundproof man ~/.local/share/man/man1";

/// Write manual pages: roundproof.1, and one for each command
#[derive(Args)]
#[command(after_help = MAN)]
pub struct Man {
    /// The folder that gets them, and is made if there is none; left out, roundproof.1 is printed
    #[arg(value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    /// Prints or writes the pages of `command`.
    pub fn execute(self, command: clap::Command) -> Result<Exit> {
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let Some(out) = &self.out else {
            emit(&page(command)?)?;
            return Ok(Exit::AsClaimed);
        };
        std::fs::create_dir_all(out).with_context(|| format!("{}: cannot be made", out.display()))?;
        let mut commands: Vec<clap::Command> = command.get_subcommands().cloned().collect();
        commands.push(command);
        for command in commands {
            let file = out.join(Page::new(command.clone()).get_filename());
            let text = page(command)?;
            let _writing = exit::writing();
            write_atomically(&file, text.as_bytes())?;
        }
        Ok(Exit::AsClaimed)
    }
}

fn page(command: clap::Command) -> Result<String> {
    let mut text = Vec::new();
    Page::new(command).render(&mut text)?;
    Ok(String::from_utf8(text)?)
}
