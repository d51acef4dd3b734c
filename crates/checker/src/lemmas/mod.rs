//! The lemmas behind the rules of the kernel, asked of Z3.
//!
//! A lemma is one statement, asked for every format at once (`every_format`) and for one format after another
//! (`formats`). Every question is asked twice: can the assumptions hold (else it is vacuous), and can they hold while the
//! conclusion does not (else it is attested). `proofs/lemmas/` has what was answered, with the digest of each question.

mod catalogue;
mod every_format;
mod formats;
mod independence;
mod record;

use std::time::{Duration, Instant};

use roundproof_files::certificate::LemmaReference;
use roundproof_format::Format;
use roundproof_kernel::Verdict;

use crate::solver::{Answer, Script, Solver};

pub use catalogue::catalogue;

/// A statement about rounding, for one format after another and for all at once.
#[derive(Debug)]
pub struct Lemma {
    /// Its name, and that of its record.
    pub name: &'static str,
    /// What it says, in words.
    pub statement: &'static str,
    /// Whether the rule `box-network` of the kernel leans on it.
    pub behind_boxes: bool,
    /// Its questions for every format at once.
    every_format: fn() -> Vec<Question>,
    /// Its questions for one format.
    formats: fn(Format) -> Vec<Question>,
}

/// Something to ask of a solver.
#[derive(Clone, Debug)]
pub struct Question {
    /// The format that it is about, or `every format`.
    pub scope: String,
    /// `reals`, `bit-vectors` or `floating-point`.
    pub encoding: &'static str,
    /// Which case of the lemma.
    pub case: String,
    /// Declarations and assumptions.
    pub assumptions: Script,
    /// What follows from them.
    pub conclusion: String,
}

impl Question {
    /// The assumptions with the negated conclusion.
    pub fn negation(&self) -> Script {
        let mut script = self.assumptions.clone();
        script.assert(&format!("(not {})", self.conclusion));
        script
    }

    /// A name for files of this question.
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.scope.replace(' ', "-"), self.encoding, self.case.replace(' ', "-"))
    }
}

/// What a solver said of a question.
#[derive(Clone, Debug)]
struct Reply {
    question: Question,
    possible: Answer,
    negation: Answer,
    time: Duration,
}

impl Reply {
    fn verdict(&self) -> Verdict {
        match (&self.possible, &self.negation) {
            (Answer::Satisfiable, Answer::Unsatisfiable) => Verdict::Attested,
            (Answer::Unsatisfiable, _) => Verdict::Vacuous,
            _ => Verdict::Unknown,
        }
    }
}

/// What was established of a lemma.
#[derive(Clone, Debug)]
pub struct LemmaResult {
    /// `Attested`, if the solver answered every question as it should.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The record.
    pub json: String,
}

impl Lemma {
    /// Every question of the lemma, for every format at once and for each of the named formats.
    pub fn questions(&self) -> Vec<Question> {
        let named = roundproof_format::NAMED.iter().flat_map(|(_, format, _)| (self.formats)(*format));
        (self.every_format)().into_iter().chain(named).collect()
    }

    /// Asks every question.
    pub fn prove(&self, solver: &Solver, progress: &mut dyn FnMut(&'static str, usize, usize)) -> LemmaResult {
        let questions = self.questions();
        let of = questions.len();
        let mut replies = Vec::with_capacity(of);
        for (index, question) in questions.into_iter().enumerate() {
            progress("asking Z3", index, of);
            let start = Instant::now();
            let possible = solver.check(&question.assumptions);
            let negation = solver.check(&question.negation());
            replies.push(Reply { question, possible, negation, time: start.elapsed() });
        }
        progress("asking Z3", of, of);
        let verdict = overall(&replies);
        LemmaResult { verdict, how: how(&replies, verdict), json: record::json(self, &replies, verdict) }
    }
}

/// `Attested` if every reply is; else the gravest of what is amiss.
fn overall(replies: &[Reply]) -> Verdict {
    let verdicts = || replies.iter().map(Reply::verdict);
    if replies.is_empty() || verdicts().any(|verdict| verdict == Verdict::Unknown) {
        Verdict::Unknown
    } else if verdicts().any(|verdict| verdict == Verdict::Vacuous) {
        Verdict::Vacuous
    } else {
        Verdict::Attested
    }
}

fn how(replies: &[Reply], verdict: Verdict) -> String {
    if let Some(reply) = replies.iter().find(|reply| reply.verdict() != Verdict::Attested) {
        let Reply { question, possible, negation, .. } = reply;
        return format!("{}: assumptions {possible:?}, negation {negation:?}", question.name());
    }
    let Some(slowest) = replies.iter().max_by_key(|reply| reply.time) else {
        return "no question was asked".to_string();
    };
    let word = if verdict == Verdict::Attested { "z3" } else { "not established" };
    let (count, time) = (replies.len(), slowest.time.as_secs_f64());
    format!("{word}: {count} questions, slowest {time:.1} s ({})", slowest.question.name())
}

/// The lemmas that a verdict on a box network leans on, with how each is established for `format`.
///
/// The same on every machine: it says what the committed records say, which [`Lemma::prove`] establishes again.
pub fn behind_box_networks(format: Format) -> Vec<LemmaReference> {
    let lemmas = catalogue().iter().filter(|lemma| lemma.behind_boxes);
    lemmas
        .map(|lemma| {
            let named = roundproof_format::NAMED.iter().any(|(_, named, _)| *named == format);
            let mut encodings: Vec<&str> = if named {
                (lemma.formats)(format).iter().map(|question| question.encoding).collect()
            } else {
                Vec::new()
            };
            encodings.sort_unstable();
            encodings.dedup();
            let general = "for every format from the axioms";
            let established = if encodings.is_empty() {
                format!("attested {general}; that {format} satisfies them is proved in words only")
            } else {
                format!(
                    "attested for {format} under overflow={}, in the cases that its record lists ({}); and {general}",
                    format.default_overflow(),
                    encodings.join(", ")
                )
            };
            LemmaReference { name: lemma.name.to_string(), established }
        })
        .collect()
}

#[cfg(test)]
mod tests;
