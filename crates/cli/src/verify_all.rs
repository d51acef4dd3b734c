//! `roundproof verify-all`: the corpus, proved again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use etcetera::{BaseStrategy, choose_base_strategy};
use rayon::prelude::*;
use roundproof_corpus::{
    Comparison, Corpus, Difference, Findings, LIST, Memory, Obligation, Outcome, RECORD, Record, Settings,
};
use roundproof_kernel::Verdict;
use roundproof_solver::{MEMORY_MIB, Solver};
use serde::{Serialize, Serializer};

use crate::exit::{self, Exit, WRITING};
use crate::output::{count, emit_json, emit_verdicts, table, table_text};
use crate::parsers::Shard;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Every claim in the folder DIR, and in every folder below it, is proved again and compared with the record.json that stands \
beside its claim.toml. A claim must be Proved or Attested, below a folder refutations/ Refuted, a map of the frontier Mapped, \
a refusal of the recorded kind, and every record the same as before (the words of refusals aside). DIR/obligations.json \
lists every folder with claims: one that was removed or added, or a record that is not the listed one, is told, too. \
`roundproof corpus new` begins a claim.

Z3 is asked where something is to be attested. Before anything is proved, it must pass a self-test of questions that \
releases of it have answered wrongly. It runs in the program roundproof-z3, which lies beside this one or is named by the \
environment variable ROUNDPROOF_SOLVER. If that dies of a question, or takes too much time or memory, the answer is not \
established, and all else is proved.

What an earlier run established is not proved again while nothing has changed that it depends on: the claim, the files that \
it names, Z3 or Rocq, the program. It lies in the cache folder of the user, or in that of the environment variable \
ROUNDPROOF_CACHE. --fresh proves all again; with --keep, or where the environment variable CI is set, nothing is remembered.

Exit codes: 0 all as expected, 1 a wrong verdict, or a record that is new, changed or not as listed (without --bless), 2 \
input that cannot be read, 3 something was not established.

Examples:
  roundproof verify-all
  roundproof verify-all my-claims --bless
  roundproof verify-all --filter telescoping --filter halved
  roundproof verify-all --shard 1/4 --threads 2 --keep target/proofs
  roundproof verify-all --bless
  roundproof verify-all --slow --filter theorems/representation";

/// Prove every claim of the corpus again, and compare with what is on record
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyAll {
    /// The folder of the claims; without it, proofs/ of the folder that this is run in
    #[arg(value_name = "DIR")]
    corpus: Option<PathBuf>,
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
    /// Prove everything again, whatever earlier runs established
    #[arg(long)]
    fresh: bool,
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

/// The corpus of the repository, from its top.
const PROOFS: &str = "proofs";
/// The environment variable with the folder of what earlier runs established.
const CACHE: &str = "ROUNDPROOF_CACHE";
/// The most fields of a changed record that the text names; JSON has all.
const MOST_CHANGES: usize = 8;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Report {
    /// The version that was asked, if one was.
    z3: Option<String>,
    /// `passed`, or `not needed`.
    self_test: &'static str,
    /// Each obligation, by name.
    obligations: Vec<Row>,
    /// How many of what kind.
    totals: Totals,
    /// Where the list of all folders, or a record, is not what is claimed.
    unlisted: Vec<Listed>,
    /// How many slow obligations were left out, for want of `--slow`.
    left_out: usize,
    /// How many results an earlier run established.
    remembered: usize,
    /// How long it took.
    seconds: f64,
}

/// One obligation and what came of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Row {
    /// Its name: its folder's, a slash, and its name there.
    name: String,
    /// `holds` or `fails`.
    expected: &'static str,
    /// A verdict; `Mapped` of a map whose cells are established, each by itself; `refused` if there is no network to speak
    /// of, `error` if the obligation could not be run.
    verdict: &'static str,
    /// How that was established, or why it was not, in words.
    how: String,
    /// `same`, `reworded`, `new` or `changed`; none on an error.
    record: Option<&'static str>,
    /// Where what was found is not what is on record, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    /// Whether it came out as its folder says.
    as_expected: bool,
    /// Whether an earlier run established it.
    remembered: bool,
    /// How long it took.
    seconds: f64,
    #[serde(skip)]
    found: Option<Record>,
    #[serde(skip)]
    exit: Exit,
}

/// A folder that is not as the list says, or an instance on record that is not claimed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Listed {
    /// The folder, or the instance.
    name: String,
    /// How, in words.
    #[serde(serialize_with = "displayed")]
    #[cfg_attr(test, schemars(with = "String"))]
    difference: Difference,
}

#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
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
        let root = claims_folder(self.corpus.as_deref())?;
        let read = || Corpus::read(&root).with_context(|| format!("the claims in {} cannot be read", root.display()));
        let mut corpus = read()?;
        let (chosen, left_out) = self.chosen(corpus.obligations())?;
        let mut unlisted = self.unlisted(&corpus, &chosen);
        self.check_keep(&root)?;
        let solver = Solver::with_memory(Duration::from_secs(self.timeout.into()), self.solver_memory);
        let asked = chosen.iter().any(Obligation::asks_solver);
        let z3 = if asked { Some(solver.version()?.to_string()) } else { None };
        let self_test = if asked { "passed" } else { "not needed" };
        let memory = self.memory();
        let settings =
            Settings { solver: &solver, keep: self.keep.as_deref(), writing: &WRITING, memory: memory.as_ref() };
        if self.keep.is_some() {
            exit::wrote_files();
        }
        let mut obligations = self.run(&corpus, &chosen, &settings);
        if let Some(memory) = memory {
            memory.prune();
        }
        let totals = Totals::of(&obligations);
        let remembered = obligations.iter().filter(|row| row.remembered).count();
        if self.bless {
            let found = findings(&chosen, &mut obligations);
            {
                let _writing = exit::writing();
                corpus.bless(&found, &unlisted).map_err(anyhow::Error::msg)?;
            }
            unlisted = self.unlisted(&read()?, &chosen);
        }
        let unlisted: Vec<Listed> =
            unlisted.into_iter().map(|(name, difference)| Listed { name, difference }).collect();
        let of_list = if unlisted.is_empty() { Exit::AsClaimed } else { Exit::Rejected };
        let exit = obligations.iter().map(|row| row.exit).fold(of_list, Exit::max);
        let seconds = since.elapsed().as_secs_f64();
        let report = Report { z3, self_test, obligations, totals, unlisted, left_out, remembered, seconds };
        if self.json {
            emit_json(&report)?;
        } else {
            emit_verdicts(&report.text(self.bless))?;
        }
        Ok(exit)
    }

    /// What earlier runs established, if that may count: not where files are wanted, nor in CI, whose verdict stands for
    /// itself.
    fn memory(&self) -> Option<Memory> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if self.keep.is_some() || set("CI").is_some_and(|value| value != "false") {
            return None;
        }
        let folder = match set(CACHE) {
            Some(folder) => PathBuf::from(folder),
            None => choose_base_strategy().ok()?.cache_dir().join("roundproof").join("verify-all"),
        };
        let memory = Memory::new(folder)?;
        Some(if self.fresh { memory.forgetful() } else { memory })
    }

    /// The records of the corpus are changed by --bless alone.
    fn check_keep(&self, root: &Path) -> Result<()> {
        let Some(keep) = &self.keep else { return Ok(()) };
        std::fs::create_dir_all(keep).with_context(|| format!("--keep: {} cannot be made", keep.display()))?;
        let (keep, root) = (keep.canonicalize()?, root.canonicalize()?);
        if keep.starts_with(&root) || root.starts_with(&keep) {
            bail!("--keep: {} overlaps the claims, whose records only --bless changes", keep.display());
        }
        Ok(())
    }

    /// Whether the filters leave an obligation.
    fn is_wanted(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    /// Where list and records are not what is claimed, of the folders of what is chosen and of those that the filters name;
    /// of a shard, of the former and of what is claimed no more.
    fn unlisted(&self, corpus: &Corpus, chosen: &[Obligation]) -> Vec<(String, Difference)> {
        let is_concerned = |(name, difference): &(String, Difference)| match difference {
            Difference::Gone => self.is_wanted(&format!("{name}/")),
            Difference::Unclaimed => self.is_wanted(name),
            Difference::Added | Difference::NoRecord | Difference::Outcomes { .. } | Difference::Record => {
                chosen.iter().any(|it| it.folder == *name)
            }
        };
        corpus.differences().into_iter().filter(is_concerned).collect()
    }

    /// What is to be proved, and how many slow obligations are left out.
    fn chosen(&self, all: &[Obligation]) -> Result<(Vec<Obligation>, usize)> {
        let known = all.len();
        let filtered: Vec<Obligation> =
            all.iter().filter(|obligation| self.is_wanted(&obligation.name)).cloned().collect();
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
    fn run(&self, corpus: &Corpus, obligations: &[Obligation], settings: &Settings) -> Vec<Row> {
        let progress = Progress::new();
        let done = AtomicUsize::new(0);
        progress.report("", 0, obligations.len());
        let prove = |obligation: &Obligation| {
            let since = Instant::now();
            let outcome = obligation.run(settings, corpus.recorded(obligation), &mut |what, _, _| {
                progress.message(format!("{}: {what}", obligation.name));
            });
            progress.report(obligation.name.clone(), 1 + done.fetch_add(1, Ordering::Relaxed), obligations.len());
            Row::new(obligation, outcome.map_err(Into::into), self.bless, since.elapsed())
        };
        obligations.par_iter().with_max_len(1).map(prove).collect()
    }
}

/// The folder of the claims: this one, or that of the repository, from its top.
///
/// # Errors
///
/// If there is none.
pub fn claims_folder(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(folder) if folder.is_dir() => Ok(folder.to_path_buf()),
        Some(folder) => bail!("{} is not a folder; claims are read from a folder and those below it", folder.display()),
        None if Path::new(PROOFS).is_dir() => Ok(PathBuf::from(PROOFS)),
        None => bail!(
            "there is no folder {PROOFS}/ here. In a checkout of Roundproof, run this at the top; for your own claims, name \
             their folder, as in `roundproof verify-all DIR`. `roundproof corpus new DIR/NAME --kind memorization` begins one"
        ),
    }
}

/// What came out as expected, for the record.
fn findings(chosen: &[Obligation], rows: &mut [Row]) -> Findings {
    let mut found = Findings::new();
    for (obligation, row) in chosen.iter().zip(rows).filter(|(_, row)| row.as_expected) {
        if let Some(record) = row.found.take() {
            found.entry(obligation.folder.clone()).or_default().insert(obligation.entry.clone(), record);
        }
    }
    found
}

impl Row {
    fn new(obligation: &Obligation, outcome: Result<Outcome>, bless: bool, time: Duration) -> Row {
        let row = Row {
            name: obligation.name.clone(),
            expected: obligation.expectation.name(),
            verdict: "error",
            how: String::new(),
            record: None,
            changes: Vec::new(),
            found: None,
            as_expected: false,
            remembered: false,
            seconds: time.as_secs_f64(),
            exit: Exit::Unreadable,
        };
        match outcome {
            Err(error) => Row { how: crate::output::chain(&error), ..row },
            Ok(Outcome { verdict, how, as_expected, record, comparison, remembered }) => Row {
                remembered,
                verdict: match verdict {
                    Some(Verdict::Proved) if obligation.is_map() => "Mapped",
                    verdict => verdict.map_or("refused", Verdict::name),
                },
                how,
                record: Some(comparison.name()),
                changes: match &comparison {
                    Comparison::Changed(changes) => changes.iter().map(ToString::to_string).collect(),
                    Comparison::Same | Comparison::Reworded | Comparison::New => Vec::new(),
                },
                found: Some(record),
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
            totals.changed += usize::from(row.record == Some("changed"));
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
            let time = if row.remembered { "-".to_string() } else { format!("{:.1} s", row.seconds) };
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
        for row in self.obligations.iter().filter(|row| !row.changes.is_empty()) {
            for change in row.changes.iter().take(MOST_CHANGES) {
                text += &format!("changed: {}: {change}\n", row.name);
            }
            if row.changes.len() > MOST_CHANGES {
                text += &format!("changed: {}: and {} more\n", row.name, row.changes.len() - MOST_CHANGES);
            }
        }
        for Listed { name, difference } in &self.unlisted {
            text += &format!("list: {} {difference}\n", name.escape_debug());
        }
        let totals = &self.totals;
        text += &format!("{} ({:.1} s)\n", totals.text(), self.seconds);
        text += &match (totals.unexpected, totals.new + totals.changed) {
            (0, 0) if self.unlisted.is_empty() => "all as expected, and every record the same\n".to_string(),
            (0, 0) => format!(
                "all as expected, but {} as {LIST} or {RECORD} says: --bless takes over what was proved, if that is all \
                 of a folder\n",
                match self.unlisted.len() {
                    1 => "1 entry is not".to_string(),
                    number => format!("{number} entries are not"),
                }
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
            let record = if bless { ", now on record" } else { ": --bless makes them the record" };
            text += &format!("{refusals} of the recorded kind in other words{record}\n");
        }
        if self.remembered > 0 {
            text += &format!("{} remembered from earlier runs: --fresh proves all again\n", self.remembered);
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
