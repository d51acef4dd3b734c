//! Box networks of symbolic data sets: every value of every row and label at once, and every path.
//!
//! For a number of rows and inputs, one script has the data set, the powers of two of its construction and a choice for
//! every operation as symbolic constants, and the box network as terms over them. It states no lemma. Unsatisfiable
//! means: no data set of that shape, no construction that the side conditions allow and no path gives another value than
//! the label.
//!
//! Where one query takes Z3 too long, it is asked in steps: of each unit, product and box in turn, that something holds of
//! it; then of the output. A step takes from the ones before it what they found, and nothing else of their results. All of
//! them are about the terms of the one script.

mod query;
mod record;
mod sum;

use std::time::Instant;

use roundproof_format::{Format, Subnormals};
use roundproof_kernel::Verdict;
use roundproof_network::{Activation, PathModel};

use query::Query;
pub use query::{Defect, Shape};
use record::Asked;
use roundproof_solver::{Answer, Script, Solver};
pub use sum::Choices;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parametric {
    /// Of the hidden layers.
    pub activation: Activation,
    /// Of all values.
    pub format: Format,
    /// Which paths there are.
    pub model: PathModel,
    /// The shape of all the data sets.
    pub shape: Shape,
    /// Whether it is asked in steps.
    pub steps: bool,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// `Attested`, `Vacuous` or `Unknown`.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The record.
    pub json: String,
    /// The questions by name, each as a file for any solver.
    pub scripts: Vec<(String, String)>,
}

/// A question, its expected answer, and a name.
struct Question {
    name: String,
    script: Script,
    expected: Answer,
}

impl Parametric {
    /// Asks. Models with any rounding, gradual underflow and no wider accumulator are covered; others come out `Unknown`. A time-out is `Unknown`, too.
    pub fn attest(&self, solver: &Solver, progress: &mut dyn FnMut(&'static str, usize, usize)) -> Answered {
        let Some((choices, questions)) = self.questions() else {
            let how = format!("not covered: {} under {}", self.format, self.model);
            return Answered { verdict: Verdict::Unknown, how, json: String::new(), scripts: Vec::new() };
        };
        let start = Instant::now();
        let of = questions.len();
        let mut asked = Vec::with_capacity(of);
        let mut verdict = Verdict::Attested;
        let mut amiss = None;
        for (index, question) in questions.iter().enumerate() {
            progress("asking Z3", index, of);
            let answer = solver.check(&question.script);
            if answer != question.expected && verdict == Verdict::Attested {
                let vacuous = answer == Answer::Unsatisfiable && question.expected == Answer::Satisfiable;
                verdict = if vacuous { Verdict::Vacuous } else { Verdict::Unknown };
                amiss = Some(format!("{}: {answer:?}", question.name));
            }
            asked.push(Asked::new(&question.name, &answer, &question.script));
            if amiss.is_some() {
                break;
            }
        }
        progress("asking Z3", of, of);
        let seconds = start.elapsed().as_secs_f64();
        let how = amiss.unwrap_or_else(|| {
            let way = if self.steps { "in steps" } else { "one query" };
            format!("z3: every data set, {way}, {} symbolic choices, {seconds:.1} s", choices.total())
        });
        let json = record::json(self, choices, asked, verdict, solver, seconds);
        let scripts = questions.into_iter().map(|question| (question.name, question.script.to_smtlib())).collect();
        Answered { verdict, how, json, scripts }
    }

    fn questions(&self) -> Option<(Choices, Vec<Question>)> {
        if self.model.subnormals != Subnormals::Gradual {
            return None;
        }
        let query = Query::new(self.activation, self.format, &self.model, self.shape, None)?;
        let mut questions = vec![Question {
            name: "assumptions".to_string(),
            script: query.script.clone(),
            expected: Answer::Satisfiable,
        }];
        for (name, assumption) in self.cases(&query) {
            questions.push(Question { name, script: query.with(&assumption), expected: Answer::Satisfiable });
        }
        if self.steps {
            questions.extend(steps(&query));
        } else {
            questions.push(Question {
                name: "another value than the label".to_string(),
                script: query.negation(),
                expected: Answer::Unsatisfiable,
            });
        }
        Some((query.choices, questions))
    }

    /// What the assumptions must leave possible.
    fn cases(&self, query: &Query) -> Vec<(String, String)> {
        let bits = |encoding: u128| query.bits.constant(roundproof_format::Encoding::from_bits(encoding));
        let normal = 1u128 << self.format.trailing_bits();
        let mut cases: Vec<(String, String)> =
            (0..self.shape.rows).map(|row| (format!("row {row}"), query.row.is(row as u128).to_string())).collect();
        // Without a scale for every side, these need not be data sets of the construction.
        if let [first, second, ..] = query.inputs.as_slice() {
            let both = |a: String, b: String| format!("(and (= {} {a}) (= {} {b}))", first[0], second[0]);
            if !self.lacks_scales() {
                let difference = both(bits(normal), bits(normal + 1));
                cases.push(("a difference that is subnormal or the least".to_string(), difference));
                cases.push(("a zero beside a subnormal value".to_string(), both(bits(0), bits(1))));
            }
            let largest = ("largest".to_string(), "(neg largest)".to_string());
            cases.push(("the largest value beside its negative".to_string(), both(largest.0, largest.1)));
        }
        if self.format.has_infinity() && self.activation == Activation::Relu {
            let infinite = query.units().map(|unit| format!("(and {} (is-infinite {}))", unit.0, unit.1));
            cases.push(("an infinite unit".to_string(), format!("(or {})", infinite.collect::<Vec<_>>().join(" "))));
        }
        cases
    }

    /// ReLU in a format with sides that have no `K` and `W`, zero's among them.
    fn lacks_scales(&self) -> bool {
        self.activation == Activation::Relu && !relu_at_zero(self.format)
    }
}

/// Whether a ReLU side at zero has powers of two `K <= 2^emax` and `W <= 2^emax` with `W K gap >= 1`.
fn relu_at_zero(format: Format) -> bool {
    let (Some(emin), Some(emax)) = (format.emin(), format.emax()) else { return false };
    let least = i64::from(emin) - i64::from(format.trailing_bits());
    2 * i64::from(emax) + least >= 0
}

/// The steps: each cut follows from those of the levels before, of whose results nothing else is known; and so does the
/// label.
fn steps(query: &Query) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut known = query.script.clone();
    for (cuts, what) in query.cuts.iter().zip(["unit", "product", "box"]) {
        for (index, cut) in cuts.iter().enumerate() {
            let mut script = known.clone();
            script.assert(&format!("(not {})", cut.formula));
            questions.push(Question { name: format!("{what} {index}"), script, expected: Answer::Unsatisfiable });
        }
        let names: Vec<String> = cuts.iter().map(|cut| cut.name.clone()).collect();
        known = known.without_definitions(&names);
        for cut in cuts {
            known.assert(&cut.formula);
        }
    }
    known.assert(&format!("(not {})", query.right));
    let name = "another value than the label".to_string();
    questions.push(Question { name, script: known, expected: Answer::Unsatisfiable });
    questions
}

#[cfg(test)]
mod tests;
