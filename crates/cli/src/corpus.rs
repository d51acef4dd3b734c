//! `roundproof corpus`: what is claimed in a folder, and a claim to begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use roundproof_corpus::{Corpus, Kind, Obligation};
use serde::Serialize;

use crate::exit::{self, Exit};
use crate::output::{count, emit, emit_json, table, table_text};
use crate::verify_all::claims_folder;

const EXAMPLES: &str = "\
`list` shows every claim below a folder with the verdict that is on record; `verify-all` alone proves anything. `new` writes \
a claim.toml that `verify-all` takes as it is, each field explained, with what data it needs.

Exit codes: 0 done, 1 some claims are not on record, or the records are not as listed, 2 input that cannot be read.

Examples:
  roundproof corpus list
  roundproof corpus list my-claims --filter relu --verdict refused
  roundproof corpus new my-claims/rows --kind memorization
  roundproof verify-all my-claims --bless";

/// List the claims of a folder, or begin one
#[derive(Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct CorpusCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(List),
    New(New),
}

/// Every claim below a folder, with the verdict on record
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct List {
    /// The folder of the claims; without it, proofs/ of the folder that this is run in
    #[arg(value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Only claims whose names contain this text; of several, any
    #[arg(long = "filter", value_name = "SUBSTRING")]
    filters: Vec<String>,
    /// Only claims with this verdict on record: Proved, Attested, Refuted, Mapped, refused, or none
    #[arg(long, value_name = "VERDICT", value_parser = VERDICTS)]
    verdict: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// The words of verdicts on record; `none` if there is no record.
const VERDICTS: [&str; 8] = ["Proved", "Attested", "Refuted", "Vacuous", "Unknown", "Mapped", "refused", NONE];
const NONE: &str = "none";

/// Begin a claim in a folder that has none
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct New {
    /// The folder of the claim; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// memorization, whole-network, forest, approximation, parametric or depth
    #[arg(long)]
    kind: Kind,
}

#[derive(Serialize)]
struct Report {
    claims: Vec<Row>,
    /// How many claims there are of each verdict on record.
    totals: BTreeMap<&'static str, usize>,
    /// What is on record and not claimed, or not as the list says.
    differences: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// `holds` or `fails`.
    expected: &'static str,
    verdict: &'static str,
    /// The kind of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'static str>,
    slow: bool,
}

impl CorpusCommand {
    /// Lists, or begins.
    pub fn execute(self) -> Result<Exit> {
        match self.action {
            Action::List(list) => list.execute(),
            Action::New(new) => new.execute(),
        }
    }
}

impl List {
    fn execute(self) -> Result<Exit> {
        let root = claims_folder(self.corpus.as_deref())?;
        let corpus = Corpus::read(&root).with_context(|| format!("the claims in {} cannot be read", root.display()))?;
        let rows = corpus.obligations().iter().map(|obligation| Row::new(&corpus, obligation));
        let rows: Vec<Row> = rows.collect::<Result<_>>()?;
        let is_wanted = |row: &Row| {
            (self.filters.is_empty() || self.filters.iter().any(|filter| row.name.contains(filter)))
                && self.verdict.as_ref().is_none_or(|verdict| row.verdict == verdict)
        };
        let (known, claims) = (rows.len(), rows.into_iter().filter(is_wanted).collect::<Vec<Row>>());
        if claims.is_empty() {
            bail!("none of {} is left by --filter and --verdict", count(known, "claim"));
        }
        let mut totals = BTreeMap::new();
        claims.iter().for_each(|row| *totals.entry(row.verdict).or_default() += 1);
        let differences = corpus.differences().into_iter();
        let differences = differences.map(|(name, difference)| format!("{} {difference}", name.escape_debug()));
        let report = Report { claims, totals, differences: differences.collect() };
        let is_complete = report.differences.is_empty() && !report.totals.contains_key(NONE);
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text())?;
        }
        Ok(if is_complete { Exit::AsClaimed } else { Exit::Rejected })
    }
}

impl Row {
    fn new(corpus: &Corpus, obligation: &Obligation) -> Result<Row> {
        use roundproof_corpus::Established;
        let established = corpus.recorded(obligation).map(|record| record.established());
        let established = established.transpose().map_err(anyhow::Error::msg)?;
        Ok(Row {
            name: obligation.name.clone(),
            expected: obligation.expectation.name(),
            verdict: established.map_or(NONE, Established::name),
            refusal: match established {
                Some(Established::Refused(kind)) => Some(kind.name()),
                Some(Established::Verdict(_) | Established::Mapped) | None => None,
            },
            slow: obligation.is_slow(),
        })
    }
}

impl Report {
    fn text(&self) -> String {
        let mut table = table(&["name", "expected", "on record"]);
        for row in &self.claims {
            let verdict = row.refusal.map_or(row.verdict.to_string(), |kind| format!("{}: {kind}", row.verdict));
            let verdict = if row.slow { format!("{verdict} (slow)") } else { verdict };
            table.add_row([row.name.escape_debug().to_string().as_str(), row.expected, &verdict]);
        }
        let mut text = table_text(&table) + "\n";
        for difference in &self.differences {
            text += &format!("list: {difference}\n");
        }
        let totals: Vec<String> = self.totals.iter().map(|(verdict, number)| format!("{number} {verdict}")).collect();
        text + &format!("{}: {}\n", count(self.claims.len(), "claim"), totals.join(", "))
    }
}

impl New {
    fn execute(self) -> Result<Exit> {
        let files = {
            let _writing = exit::writing();
            self.kind.begin(&self.folder)?
        };
        let mut text = String::new();
        for file in &files {
            text += &format!("written  {}\n", file.display());
        }
        emit(&format!(
            "{text}Prove it, and put it on record: roundproof verify-all {} --bless\n",
            self.folder.display()
        ))?;
        Ok(Exit::AsClaimed)
    }
}
