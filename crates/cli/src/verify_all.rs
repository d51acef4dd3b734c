//! `roundproof verify-all`: the corpus, proved again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use rayon::prelude::*;
use roundproof_corpus::{Comparison, Difference, Expectation, LIST, List, Obligation, Outcome, Settings, obligations};
use roundproof_kernel::Verdict;
use roundproof_solver::{MEMORY_MIB, Solver};
use serde::{Serialize, Serializer};

use crate::exit::{self, Exit, WRITING};
use crate::output::{count, emit_json, emit_verdicts, table, table_text};
use crate::parsers::Shard;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Every obligation under PROOFS is proved again and compared with the record that stands beside it. A theorem must be Proved \
or Attested, a refutation Refuted, a map of the frontier Mapped, a refusal of the recorded kind, and every record the same as \
before (provenance, and the words of refusals, aside). PROOFS/obligations.jsonl lists every obligation: a claim that was \
removed or added, or a record that is not the listed one, is told, too.

Z3 is asked where something is to be attested. Before anything is proved, it must pass a self-test of questions that \
releases of it have answered wrongly. It runs in the program roundproof-z3, which lies beside this one or is named by the \
environment variable ROUNDPROOF_SOLVER. If that dies of a question, or takes too much time or memory, the answer is not \
established, and all else is proved.

Exit codes: 0 all as expected, 1 a wrong verdict, or a record that is new, changed or not as listed (without --bless), 2 \
input that cannot be read, 3 something was not established.

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
    /// Make what was found the record, where the verdict is the expected one, and list it
    #[arg(long)]
    bless: bool,
    /// How long Z3 may think about one question; many times what the hardest takes on an idle machine
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// How much memory Z3 may take for one question; one is asked on each thread
    #[arg(long, value_name = "MIB", default_value_t = MEMORY_MIB, value_parser = clap::value_parser!(u32).range(64..))]
    solver_memory: u32,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    /// The version that was asked, if one was.
    z3: Option<String>,
    self_test: &'static str,
    obligations: Vec<Row>,
    totals: Totals,
    /// Where the list of all obligations is not what is claimed and on record.
    unlisted: Vec<Listed>,
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
    /// `same`, `reworded`, `new` or `changed`; none on an error.
    record: Option<&'static str>,
    as_expected: bool,
    seconds: f64,
    #[serde(skip)]
    exit: Exit,
}

/// An obligation that is not as the list says.
#[derive(Serialize)]
struct Listed {
    name: String,
    #[serde(serialize_with = "displayed")]
    difference: Difference,
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
    /// Refusals of the recorded kind in other words.
    reworded: usize,
}

impl VerifyAll {
    /// Proves everything that is asked for.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let all = obligations(&self.proofs)
            .with_context(|| format!("the corpus {} cannot be read", self.proofs.display()))?;
        let names: Vec<String> = all.iter().map(|obligation| obligation.name.clone()).collect();
        let claimed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let (chosen, left_out) = self.chosen(all)?;
        let mut list = List::read(&self.proofs)?;
        let mut unlisted = self.unlisted(&list, &claimed, &chosen)?;
        self.check_keep()?;
        let solver = Solver::with_memory(Duration::from_secs(self.timeout.into()), self.solver_memory);
        let asked = chosen.iter().any(Obligation::asks_solver);
        let z3 = if asked { Some(solver.version()?.to_string()) } else { None };
        let self_test = if asked { "passed" } else { "not needed" };
        let settings = Settings { solver: &solver, keep: self.keep.as_deref(), writing: &WRITING, bless: self.bless };
        if self.bless || self.keep.is_some() {
            exit::wrote_files();
        }
        let obligations = self.run(&chosen, &settings);
        let totals = Totals::of(&obligations);
        if self.bless {
            self.bless(&mut list, &obligations, &unlisted)?;
            unlisted = self.unlisted(&list, &claimed, &chosen)?;
        }
        let of_list = if unlisted.is_empty() { Exit::AsClaimed } else { Exit::Rejected };
        let exit = obligations.iter().map(|row| row.exit).fold(of_list, Exit::max);
        let seconds = since.elapsed().as_secs_f64();
        let report = Report { z3, self_test, obligations, totals, unlisted, left_out, seconds };
        if self.json {
            emit_json(&report)?;
        } else {
            emit_verdicts(&report.text(self.bless))?;
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

    /// Whether the filters leave an obligation.
    fn is_wanted(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    /// Where the list is not what is claimed and on record, of what the filters leave; of a shard, what is in it or claimed
    /// no more.
    fn unlisted(&self, list: &List, claimed: &BTreeSet<&str>, chosen: &[Obligation]) -> Result<Vec<Listed>> {
        let in_shard = |name: &str| self.shard.is_none() || chosen.iter().any(|it| it.name == name);
        let concerned = |name: &str| self.is_wanted(name) && (in_shard(name) || !claimed.contains(name));
        let differences = list.differences(claimed, &List::of_records(&self.proofs)?).into_iter();
        let differences = differences.filter(|(name, _)| concerned(name));
        Ok(differences.map(|(name, difference)| Listed { name, difference }).collect())
    }

    /// Lists what came out as expected, and takes off what is claimed no more.
    fn bless(&self, list: &mut List, rows: &[Row], unlisted: &[Listed]) -> Result<()> {
        let before = list.clone();
        let records = List::of_records(&self.proofs)?;
        for row in rows.iter().filter(|row| row.as_expected) {
            list.take_over(&row.name, &records);
        }
        for Listed { name, .. } in unlisted.iter().filter(|it| it.difference == Difference::Gone) {
            list.take_off(name);
        }
        if *list != before {
            let _writing = WRITING.lock();
            list.write(&self.proofs).map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    /// What is to be proved, and how many slow obligations are left out.
    fn chosen(&self, all: Vec<Obligation>) -> Result<(Vec<Obligation>, usize)> {
        let known = all.len();
        let filtered: Vec<Obligation> = all.into_iter().filter(|obligation| self.is_wanted(&obligation.name)).collect();
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
                    _ if !as_expected || (comparison.is_change() && !bless) => Exit::Rejected,
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
            totals.reworded += usize::from(row.record == Some(Comparison::Reworded.name()));
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
        for Listed { name, difference } in &self.unlisted {
            text += &format!("list: {} {difference}\n", name.escape_debug());
        }
        let totals = &self.totals;
        text += &format!("{} ({:.1} s)\n", totals.text(), self.seconds);
        text += &match (totals.unexpected, totals.new + totals.changed) {
            (0, 0) if self.unlisted.is_empty() => "all as expected, and every record the same\n".to_string(),
            (0, 0) => format!(
                "all as expected, but {} not as {LIST} says: --bless lists what was proved\n",
                count(self.unlisted.len(), "obligation")
            ),
            (0, _) if bless => {
                format!("all as expected; {} new and {} changed on record\n", totals.new, totals.changed)
            }
            (0, _) => format!(
                "verdicts as expected, but {} new and {} changed: --bless makes them the record\n",
                totals.new, totals.changed
            ),
            (unexpected, _) => format!("{unexpected} not as expected\n"),
        };
        if totals.reworded > 0 {
            let refusals = count(totals.reworded, "refusal");
            text += &format!("{refusals} of the recorded kind in other words: --bless makes them the record\n");
        }
        if self.left_out > 0 {
            text += &format!("{} left out: --slow proves them too\n", count(self.left_out, "slow obligation"));
        }
        text + &match &self.z3 {
            Some(version) => format!("Z3 {version}, self-test {}\n", self.self_test),
            None => "Z3 was not asked\n".to_string(),
        }
    }
}

fn displayed<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
