//! Statements that must be false: what goes wrong where an axiom does not hold.

use roundproof_format::{Encoding, Format};
use roundproof_kernel::Verdict;

use super::Question;
use roundproof_solver::{Answer, Solver};

/// A question whose conclusion must be false somewhere: a solver says where, and exact arithmetic evaluates it there.
#[derive(Clone, Debug)]
pub(super) struct Falsehood {
    pub(super) question: Question,
    pub(super) format: Format,
    /// The data that are asked for.
    pub(super) at: Vec<&'static str>,
    /// What happens at these data, in words, if the statement is false there.
    pub(super) replay: fn(Format, &[Encoding]) -> Option<String>,
}

/// Where a statement is false, and why, in words.
#[derive(Clone, Debug)]
pub(super) struct Counterexample {
    pub(super) at: Vec<(&'static str, Encoding)>,
    pub(super) replayed: String,
}

/// What came of a falsehood.
#[derive(Clone, Debug)]
pub(super) struct Refutation {
    pub(super) falsehood: Falsehood,
    pub(super) possible: Answer,
    pub(super) found: Result<Counterexample, String>,
}

impl Falsehood {
    pub(super) fn refute(self, solver: &Solver) -> Refutation {
        let possible = solver.check(&self.question.assumptions);
        let found = self.counterexample(solver);
        Refutation { falsehood: self, possible, found }
    }

    /// Data at which the statement is false.
    fn counterexample(&self, solver: &Solver) -> Result<Counterexample, String> {
        let width = self.format.width();
        let constants: Vec<(&str, u32)> = self.at.iter().map(|&name| (name, width)).collect();
        let data = match solver.model(&self.question.negation(), &constants) {
            Ok(data) => data,
            Err(answer) => return Err(format!("negation {answer:?}")),
        };
        let data: Vec<Encoding> = data.into_iter().map(Encoding::from_bits).collect();
        let replayed = (self.replay)(self.format, &data).ok_or("exact arithmetic does not confirm it")?;
        Ok(Counterexample { at: self.at.iter().copied().zip(data).collect(), replayed })
    }
}

impl Refutation {
    /// `Attested` if the statement is false.
    pub(super) fn verdict(&self) -> Verdict {
        match (&self.possible, &self.found) {
            (Answer::Satisfiable, Ok(_)) => Verdict::Attested,
            (Answer::Unsatisfiable, _) => Verdict::Vacuous,
            _ => Verdict::Unknown,
        }
    }
}
