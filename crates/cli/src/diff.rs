//! `roundproof diff`: two corpora side by side.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use roundproof_corpus::diff::strength::FieldOrder;
use roundproof_corpus::diff::{Change, Claims, Compared, diff};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{count, emit, emit_json, table, table_text};

const EXAMPLES: &str = "\
Claims are told apart by their names: their folder, and their entry in its record.json. A claim is stronger than another if it implies it and not \
the other way round: Proved instead of Attested, more rounding paths, a larger domain, a smaller tolerance, fewer exceptions, \
all else equal. Of two refutations, the one of the weaker claim is stronger. What differs in another way, or for the better in \
one field and for the worse in another, is incomparable. A network that differs is not a difference, unless it is refuted.

Exit codes: 0 every claim of FIRST is in SECOND, as strong or stronger, 1 some are weaker, incomparable or gone, 2 input that \
cannot be read.

Examples:
  roundproof diff ../release/proofs proofs
  roundproof diff --json before proofs";

/// Which claims of a corpus are stronger, weaker or gone in another
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    /// A folder with claims, like proofs/
    first: PathBuf,
    /// The same, later
    second: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    claims: Vec<Row>,
    /// How many claims there are of each change, those that are the same too.
    totals: BTreeMap<&'static str, usize>,
}

/// A claim that is not the same.
#[derive(Serialize)]
struct Row {
    name: String,
    /// `other record`, `stronger`, `weaker`, `incomparable`, `gone` or `new`.
    change: &'static str,
    first: Option<String>,
    second: Option<String>,
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Field {
    field: &'static str,
    change: &'static str,
    first: String,
    second: String,
}

/// The most fields of a claim that a table shows.
const MOST_FIELDS: usize = 3;
/// The most characters of a field in a table.
const MOST_CHARACTERS: usize = 40;

impl Diff {
    /// Compares the two.
    pub fn execute(self) -> Result<Exit> {
        let read =
            |path: &PathBuf| Claims::read(path).with_context(|| format!("{} cannot be compared", path.display()));
        let claims = diff(&read(&self.first)?, &read(&self.second)?);
        let exit = if claims.iter().all(|claim| claim.change.is_kept()) { Exit::AsClaimed } else { Exit::Rejected };
        let report = Report::of(claims);
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text())?;
        }
        Ok(exit)
    }
}

impl Report {
    fn of(claims: Vec<Compared>) -> Report {
        let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
        for claim in &claims {
            *totals.entry(claim.change.name()).or_default() += 1;
        }
        let changed = claims.into_iter().filter(|claim| claim.change != Change::Same);
        Report { claims: changed.map(Row::of).collect(), totals }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.claims.is_empty() {
            let mut table = table(&["name", "change", "what"]);
            for row in &self.claims {
                table.add_row([row.name.escape_debug().to_string().as_str(), row.change, &row.what()]);
            }
            text += &(table_text(&table) + "\n");
        }
        let totals = Change::ALL
            .iter()
            .filter_map(|change| self.totals.get(change.name()).map(|number| format!("{number} {}", change.name())));
        let all: usize = self.totals.values().sum();
        text + &format!("{}: {}\n", count(all, "claim"), totals.collect::<Vec<_>>().join(", "))
    }
}

impl Row {
    fn of(claim: Compared) -> Row {
        let Compared { name, change, established, fields } = claim;
        let [first, second] = established.map(|established| established.map(|it| it.to_string()));
        Row { name, change: change.name(), first, second, fields: fields.into_iter().map(Field::of).collect() }
    }

    /// What differs, in short.
    fn what(&self) -> String {
        let mut parts: Vec<String> = self.fields.iter().take(MOST_FIELDS).map(Field::text).collect();
        if self.fields.len() > MOST_FIELDS {
            parts.push(format!("and {} more", self.fields.len() - MOST_FIELDS));
        }
        if parts.is_empty() {
            parts.extend(self.first.iter().chain(&self.second).next().cloned());
        }
        parts.join("; ")
    }
}

impl Field {
    fn of(field: FieldOrder) -> Field {
        let FieldOrder { field, order, values: [first, second] } = field;
        let change = match order {
            Some(Ordering::Greater) => Change::Stronger,
            Some(Ordering::Less) => Change::Weaker,
            Some(Ordering::Equal) => Change::Same,
            None => Change::Incomparable,
        };
        Field { field, change: change.name(), first, second }
    }

    fn text(&self) -> String {
        let [first, second] = [&self.first, &self.second].map(|value| shortened(value));
        format!("{}: {first} -> {second} ({})", self.field, self.change)
    }
}

/// The first characters, on one line.
fn shortened(text: &str) -> String {
    let escaped: String = text.escape_debug().collect();
    if escaped.chars().count() <= MOST_CHARACTERS {
        return escaped;
    }
    escaped.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}
