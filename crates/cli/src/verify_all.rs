//! `roundproof verify-all`: the corpus, proved again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use rayon::prelude::*;
use roundproof_checker::corpus::{Comparison, Expectation, Obligation, Outcome, Settings, obligations};
use roundproof_checker::solver::{self, Solver};
use roundproof_kernel::Verdict;
use serde::Serialize;

use crate::exit::{Exit, WRITING};
use crate::output::{count, emit, emit_json, table, table_text};
use crate::parsers::Shard;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Every obligation under PROOFS is proved again and compared with the record that stands beside it. A theorem must be Proved \
or Attested, a refutation Refuted, a map of the frontier Mapped, a refusal the recorded one, and every record the same as \
before (provenance aside).

Before anything is proved, Z3 must pass a self-test of questions that releases of it have answered wrongly.

Exit codes: 0 all as expected, 1 a wrong verdict or a record that is new or changed (without --bless), 2 input that cannot \
be read, 3 something was not established.

Examples:
  roundproof verify-all
  roundproof verify-all --filter telescoping --filter halved
  roundproof verify-all --shard 1/4 --threads 2 --keep target/proofs
  roundproof verify-all --bless
  roundproof verify-all --slow --filter theorems/representation";

/// Prove every claim of the corpus again, and compare with what is on record
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyAll {
    /// The corpus: a folder with lemmas/, rocq/, theorems/, refutations/ and frontier/
    #[arg(default_value = "proofs")]
    proofs: PathBuf,
    /// Only obligations whose names contain this text; of several, any
    #[arg(long = "filter", value_name = "SUBSTRING")]
    filters: Vec<String>,
    /// Only every N-th obligation, from the I-th on, of those that the filters leave
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Also the obligations whose claims say that they are slow
    #[arg(long)]
    slow: bool,
    /// Put the certificates, with their networks and data sets, and every question to Z3 as .smt2, into this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Make what was found the record, where the verdict is the expected one
    #[arg(long)]
    bless: bool,
    /// How long Z3 may think about one question; many times what the hardest takes on an idle machine
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    z3: String,
    self_test: &'static str,
    obligations: Vec<Row>,
    totals: Totals,
    /// How many slow obligations were left out, for want of `--slow`.
    left_out: usize,
    seconds: f64,
}

/// One obligation and what came of it.
#[derive(Serialize)]
struct Row {
    name: String,
    /// `holds` or `fails`.
    expected: &'static str,
    /// A verdict; `Mapped` of a map whose cells are established, each by itself; `refused` if there is no network to speak
    /// of, `error` if the obligation could not be run.
    verdict: &'static str,
    how: String,
    /// `same`, `new` or `changed`; none on an error.
    record: Option<&'static str>,
    as_expected: bool,
    seconds: f64,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Default, Serialize)]
struct Totals {
    obligations: usize,
    proved: usize,
    mapped: usize,
    attested: usize,
    refuted: usize,
    refused: usize,
    not_established: usize,
    errors: usize,
    unexpected: usize,
    new: usize,
    changed: usize,
}

impl VerifyAll {
    /// Proves everything that is asked for.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let (chosen, left_out) = self.chosen()?;
        self.check_keep()?;
        let solver = Solver::new(Duration::from_secs(self.timeout.into()))?;
        let settings = Settings { solver: &solver, keep: self.keep.as_deref(), writing: &WRITING, bless: self.bless };
        let obligations = self.run(&chosen, &settings);
        let totals = Totals::of(&obligations);
        let exit = obligations.iter().map(|row| row.exit).max().unwrap_or(Exit::AsClaimed);
        let seconds = since.elapsed().as_secs_f64();
        let report = Report { z3: solver::version(), self_test: "passed", obligations, totals, left_out, seconds };
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text(self.bless))?;
        }
        Ok(exit)
    }

    /// The records of the corpus are changed by --bless alone.
    fn check_keep(&self) -> Result<()> {
        let Some(keep) = &self.keep else { return Ok(()) };
        std::fs::create_dir_all(keep).with_context(|| format!("--keep: {} cannot be made", keep.display()))?;
        let (keep, proofs) = (keep.canonicalize()?, self.proofs.canonicalize()?);
        if keep.starts_with(&proofs) || proofs.starts_with(&keep) {
            bail!("--keep: {} overlaps the corpus, whose records only --bless changes", keep.display());
        }
        Ok(())
    }

    /// What is to be proved, and how many slow obligations are left out.
    fn chosen(&self) -> Result<(Vec<Obligation>, usize)> {
        let all = obligations(&self.proofs)
            .with_context(|| format!("the corpus {} cannot be read", self.proofs.display()))?;
        let known = all.len();
        let wanted = |name: &str| self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter));
        let filtered: Vec<Obligation> = all.into_iter().filter(|obligation| wanted(&obligation.name)).collect();
        if filtered.is_empty() {
            bail!("--filter: no name of the {} contains {}", count(known, "obligation"), self.filters.join(" or "));
        }
        let matching = filtered.len();
        let filtered: Vec<Obligation> =
            filtered.into_iter().filter(|obligation| self.slow || !obligation.is_slow()).collect();
        let left_out = matching - filtered.len();
        if filtered.is_empty() {
            bail!("--filter: all that is left is slow: add --slow");
        }
        let shard = filtered.into_iter().enumerate();
        let shard = shard.filter(|(position, _)| self.shard.is_none_or(|shard| shard.has(*position)));
        let chosen: Vec<Obligation> = shard.map(|(_, obligation)| obligation).collect();
        if chosen.is_empty() {
            bail!("--shard: there is nothing in it; use no more shards than obligations");
        }
        Ok((chosen, left_out))
    }

    /// The results, in the order of the obligations, which is that of their names.
    fn run(&self, obligations: &[Obligation], settings: &Settings) -> Vec<Row> {
        let progress = Progress::new();
        let done = AtomicUsize::new(0);
        progress.report("", 0, obligations.len());
        let prove = |obligation: &Obligation| {
            let since = Instant::now();
            let outcome = obligation.run(settings, &mut |what, _, _| {
                progress.message(format!("{}: {what}", obligation.name));
            });
            progress.report(obligation.name.clone(), 1 + done.fetch_add(1, Ordering::Relaxed), obligations.len());
            Row::new(obligation, outcome.map_err(Into::into), self.bless, since.elapsed())
        };
        obligations.par_iter().with_max_len(1).map(prove).collect()
    }
}

impl Row {
    fn new(obligation: &Obligation, outcome: Result<Outcome>, bless: bool, time: Duration) -> Row {
        let row = Row {
            name: obligation.name.clone(),
            expected: match obligation.expectation {
                Expectation::Holds => "holds",
                Expectation::Fails => "fails",
            },
            verdict: "error",
            how: String::new(),
            record: None,
            as_expected: false,
            seconds: time.as_secs_f64(),
            exit: Exit::Unreadable,
        };
        match outcome {
            Err(error) => Row { how: crate::output::chain(&error), ..row },
            Ok(Outcome { verdict, how, as_expected, comparison }) => Row {
                verdict: match verdict {
                    Some(Verdict::Proved) if obligation.is_map() => "Mapped",
                    verdict => verdict.map_or("refused", Verdict::name),
                },
                how,
                record: Some(comparison.name()),
                as_expected,
                exit: match verdict {
                    Some(Verdict::Unknown | Verdict::Vacuous) if !as_expected => Exit::NotEstablished,
                    _ if !as_expected || (comparison != Comparison::Same && !bless) => Exit::Rejected,
                    _ => Exit::AsClaimed,
                },
                ..row
            },
        }
    }
}

impl Totals {
    fn of(rows: &[Row]) -> Totals {
        let mut totals = Totals { obligations: rows.len(), ..Totals::default() };
        for row in rows {
            *match row.verdict {
                "Proved" => &mut totals.proved,
                "Mapped" => &mut totals.mapped,
                "Attested" => &mut totals.attested,
                "Refuted" => &mut totals.refuted,
                "refused" => &mut totals.refused,
                "error" => &mut totals.errors,
                _ => &mut totals.not_established,
            } += 1;
            totals.unexpected += usize::from(!row.as_expected);
            totals.new += usize::from(row.record == Some(Comparison::New.name()));
            totals.changed += usize::from(row.record == Some(Comparison::Changed.name()));
        }
        totals
    }

    fn text(&self) -> String {
        let parts = [
            (self.proved, "proved"),
            (self.mapped, "mapped"),
            (self.attested, "attested"),
            (self.refuted, "refuted"),
            (self.refused, "refused"),
            (self.not_established, "not established"),
            (self.errors, "not run"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
        format!("{}: {}", count(self.obligations, "obligation"), parts.join(", "))
    }
}

impl Report {
    fn text(&self, bless: bool) -> String {
        let mut table = table(&["name", "verdict", "how", "record", "time"]);
        for row in &self.obligations {
            let how = shortened(row.how.lines().next().unwrap_or_default(), 64);
            let time = format!("{:.1} s", row.seconds);
            table.add_row([row.name.as_str(), row.verdict, how.as_str(), row.record.unwrap_or("-"), time.as_str()]);
        }
        let mut text = table_text(&table) + "\n";
        for row in self.obligations.iter().filter(|row| !row.as_expected) {
            text += &format!(
                "unexpected: {}: the claim {}, and came out {}: {}\n",
                row.name,
                if row.expected == "holds" { "must hold" } else { "must fail" },
                row.verdict,
                row.how
            );
        }
        let totals = &self.totals;
        text += &format!("{} ({:.1} s)\n", totals.text(), self.seconds);
        text += &match (totals.unexpected, totals.new + totals.changed) {
            (0, 0) => "all as expected, and every record the same\n".to_string(),
            (0, _) if bless => {
                format!("all as expected; {} new and {} changed on record\n", totals.new, totals.changed)
            }
            (0, _) => format!(
                "verdicts as expected, but {} new and {} changed: --bless makes them the record\n",
                totals.new, totals.changed
            ),
            (unexpected, _) => format!("{unexpected} not as expected\n"),
        };
        if self.left_out > 0 {
            text += &format!("{} left out: --slow proves them too\n", count(self.left_out, "slow obligation"));
        }
        text + &format!("Z3 {}, self-test {}\n", self.z3, self.self_test)
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
