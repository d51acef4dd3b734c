//! `roundproof schema`: what the JSON looks like that this program writes and prints.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::output::emit;

#[cfg(test)]
mod certificate;
#[cfg(test)]
pub mod report;
#[cfg(test)]
mod tests;

const EXAMPLES: &str = "\
The schemas follow JSON Schema, draft 2020-12. That of a certificate says which fields there are and how values are spelled, \
not which certificates are accepted: that is for the kernel to say, and CERTIFICATES.md tells what each field means.

Examples:
  roundproof schema certificate > certificate.schema.json
  roundproof schema check";

/// Print the JSON Schema of a certificate or of a report
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {
    /// Of which JSON: a certificate, or what the command of this name prints with --json
    document: Document,
}

/// What there is a schema of.
#[derive(Clone, Copy, ValueEnum)]
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
enum Document {
    Certificate,
    Check,
    Prove,
    Compile,
    Approximate,
    Audit,
    VerifyAll,
}

impl Document {
    /// The schema, as it is published.
    const fn text(self) -> &'static str {
        match self {
            Document::Certificate => include_str!("../schemas/certificate.schema.json"),
            Document::Check => include_str!("../schemas/check.schema.json"),
            Document::Prove => include_str!("../schemas/prove.schema.json"),
            Document::Compile => include_str!("../schemas/compile.schema.json"),
            Document::Approximate => include_str!("../schemas/approximate.schema.json"),
            Document::Audit => include_str!("../schemas/audit.schema.json"),
            Document::VerifyAll => include_str!("../schemas/verify-all.schema.json"),
        }
    }
}

impl Schema {
    /// Prints the schema.
    pub fn execute(self) -> Result<Exit> {
        emit(self.document.text())?;
        Ok(Exit::AsClaimed)
    }
}
