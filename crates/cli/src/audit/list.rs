//! `roundproof paths`: the path models of audits.

use anyhow::Result;
use clap::Args;
use roundproof_audit::{NAMED, NOT_COVERED, PathModel};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Sheet, emit, emit_json};

const PATHS_EXAMPLES: &str = "\
A path model is named, or named and changed, field by field: `nearest,narrowing=bias`. Fields are rounding (any, or a direction), order \
(any, left-to-right), contraction (any, none), narrowing (once, bias, optional), partials (into how many parts a sum may be split that \
are narrowed each), copies (one, per-reader), subnormals (gradual, flush), division (quotient, any), folding (none, any), operands \
(exact) and, last, accumulator (same, or a format).

Examples:
  roundproof paths
  roundproof paths --json";

/// List the path models of audits
#[derive(Args)]
#[command(after_help = PATHS_EXAMPLES)]
pub struct Paths {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    meaning: &'static str,
    paths: String,
}

impl Paths {
    /// Prints them.
    pub fn execute(self) -> Result<Exit> {
        let mut all = Vec::new();
        for (name, meaning) in NAMED {
            all.push(Named { name, meaning, paths: PathModel::parse(name)?.to_string() });
        }
        if self.json {
            emit_json(&all)?;
        } else {
            let mut sheet = Sheet::new("Path models of `roundproof audit`");
            for Named { name, meaning, paths } in &all {
                sheet.line(*name, format!("{meaning}\n{}", paths.replace(',', ", ")));
            }
            sheet.line("note", NOT_COVERED);
            emit(&sheet.text())?;
        }
        Ok(Exit::AsClaimed)
    }
}
