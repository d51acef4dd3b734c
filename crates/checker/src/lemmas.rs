//! The lemmas behind the rules of the kernel, asked of Z3.
//!
//! A lemma is one statement, asked for every format at once (`every_format`) and for one format after another
//! (`formats`). Every question is asked twice: can the assumptions hold (else it is vacuous), and can they hold while the
//! conclusion does not (else it is attested). `proofs/lemmas/` has what was answered, with the digest of each question.

mod catalogue;
mod enumeration;
mod every_format;
mod falsehood;
mod formats;
mod independence;
mod record;

use std::time::{Duration, Instant};

use roundproof_files::certificate::LemmaReference;
use roundproof_format::Format;
use roundproof_kernel::Verdict;

use enumeration::Enumerated;
use falsehood::{Falsehood, Refutation};
use roundproof_solver::{Answer, Script, Solver};

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
    /// What else there is beside questions that must come out attested.
    beside: Beside,
}

/// What a record has beside questions that must come out attested.
#[derive(Debug)]
enum Beside {
    /// Nothing.
    Nothing,
    /// Cases of one format, all of them, in exact arithmetic.
    Enumeration(fn(Format) -> Option<Enumerated>),
    /// Statements about one format that are false.
    Falsehoods(fn(Format) -> Vec<Falsehood>),
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
    /// The questions by name, each as a file for any solver.
    pub scripts: Vec<(String, String)>,
}

impl Lemma {
    /// Every question of the lemma, for every format at once and for each of the named formats.
    pub fn questions(&self) -> Vec<Question> {
        let named = roundproof_format::NAMED.iter().flat_map(|(_, format, _)| (self.formats)(*format));
        (self.every_format)().into_iter().chain(named).collect()
    }

    /// Asks every question, and establishes what there is beside.
    pub fn prove(&self, solver: &Solver, progress: &mut dyn FnMut(&'static str, usize, usize)) -> LemmaResult {
        let questions = self.questions();
        let of = questions.len();
        let mut found = Found::default();
        for (index, question) in questions.into_iter().enumerate() {
            progress("asking Z3", index, of);
            let start = Instant::now();
            let possible = solver.check(&question.assumptions);
            let negation = solver.check(&question.negation());
            found.replies.push(Reply { question, possible, negation, time: start.elapsed() });
        }
        progress("asking Z3", of, of);
        let formats: Vec<Format> = roundproof_format::NAMED.iter().map(|(_, format, _)| *format).collect();
        for (index, format) in formats.iter().enumerate() {
            progress("beside the questions", index, formats.len());
            match self.beside {
                Beside::Nothing => {}
                Beside::Enumeration(of) => found.enumerated.extend(of(*format)),
                Beside::Falsehoods(of) => {
                    found.refutations.extend(of(*format).into_iter().map(|falsehood| falsehood.refute(solver)));
                }
            }
        }
        let verdict = found.verdict();
        let json = record::json(self, &found, verdict, solver);
        LemmaResult { verdict, how: found.how(), json, scripts: found.scripts() }
    }
}

/// What was answered of a lemma.
#[derive(Debug, Default)]
struct Found {
    replies: Vec<Reply>,
    enumerated: Vec<Enumerated>,
    refutations: Vec<Refutation>,
}

impl Found {
    /// `Attested` if every part is; else the gravest of what is amiss.
    fn verdict(&self) -> Verdict {
        let verdicts: Vec<Verdict> =
            self.replies.iter().map(Reply::verdict).chain(self.refutations.iter().map(Refutation::verdict)).collect();
        let enumerated = self.enumerated.iter().all(|enumerated| enumerated.failure().is_none());
        if verdicts.is_empty() || verdicts.contains(&Verdict::Unknown) || !enumerated {
            Verdict::Unknown
        } else if verdicts.contains(&Verdict::Vacuous) {
            Verdict::Vacuous
        } else {
            Verdict::Attested
        }
    }

    fn how(&self) -> String {
        if let Some(reply) = self.replies.iter().find(|reply| reply.verdict() != Verdict::Attested) {
            let Reply { question, possible, negation, .. } = reply;
            return format!("{}: assumptions {possible:?}, negation {negation:?}", question.name());
        }
        if let Some(failed) = self.refutations.iter().find(|refutation| refutation.verdict() != Verdict::Attested) {
            let why = failed.found.as_ref().err().cloned().unwrap_or_default();
            return format!("{}: assumptions {:?}, {why}", failed.falsehood.question.name(), failed.possible);
        }
        if let Some(failure) = self.enumerated.iter().find_map(Enumerated::failure) {
            return failure;
        }
        let mut parts = Vec::new();
        if let Some(slowest) = self.replies.iter().max_by_key(|reply| reply.time) {
            let (count, time) = (self.replies.len(), slowest.time.as_secs_f64());
            parts.push(format!("z3: {count} questions, slowest {time:.1} s ({})", slowest.question.name()));
        }
        if !self.enumerated.is_empty() {
            let cases: u64 = self.enumerated.iter().map(Enumerated::total).sum();
            parts.push(format!("{cases} cases enumerated"));
        }
        if !self.refutations.is_empty() {
            parts.push(format!("z3: {} counterexamples, replayed", self.refutations.len()));
        }
        if parts.is_empty() { "no question was asked".to_string() } else { parts.join("; ") }
    }

    /// What the solver was asked, by name, each as a file for any solver.
    fn scripts(&self) -> Vec<(String, String)> {
        let refuted = self.refutations.iter().map(|refutation| &refutation.falsehood.question);
        let questions = self.replies.iter().map(|reply| &reply.question).chain(refuted);
        questions
            .flat_map(|question| {
                let name = question.name();
                [("assumptions", &question.assumptions), ("negation", &question.negation())]
                    .map(|(what, script)| (format!("{name}.{what}"), script.to_smtlib()))
            })
            .collect()
    }
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
                let satisfied = match (named, format.is_bounded()) {
                    (true, _) => "is on record in lemmas/axioms",
                    (false, false) => "is proved in Rocq",
                    (false, true) => "is proved in words only",
                };
                format!("attested {general}; that {format} satisfies them {satisfied}")
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
