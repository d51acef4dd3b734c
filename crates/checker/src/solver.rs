//! Z3, asked in SMT-LIB text: what is sent is what can be exported and given to another solver.
//!
//! The solver is a program of its own, spoken to over pipes. A crash, a question that takes too long or too much memory is
//! the end of that program and an [`Answer::Unknown`], never the end of this one.

mod process;
mod program;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use thiserror::Error;

use process::Process;
pub use program::{Program, VARIABLE};

/// The oldest Z3 that is asked. Debian 12's, which is older, is wrong about fused multiply-add.
pub const OLDEST: [u32; 3] = [4, 13, 3];

/// A list of SMT-LIB declarations and assertions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    logic: Option<&'static str>,
    text: String,
}

impl Script {
    /// An empty script for an SMT-LIB logic, or for the solver's choice.
    pub fn new(logic: Option<&'static str>) -> Script {
        Script { logic, ..Script::default() }
    }

    /// Appends a line that asserts nothing: a declaration, a definition or a comment.
    pub fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Appends an assertion.
    pub fn assert(&mut self, formula: &str) {
        self.text.push_str("(assert ");
        self.text.push_str(formula);
        self.text.push_str(")\n");
    }

    /// The script as a file for any solver.
    pub fn to_smtlib(&self) -> String {
        let logic = self.logic.map(|logic| format!("(set-logic {logic})\n")).unwrap_or_default();
        format!("{logic}{}(check-sat)\n", self.text)
    }

    /// The script with constants in place of the definitions of these names, of which nothing is known then. What it
    /// implies, the script implies.
    pub fn without_definitions(&self, names: &[String]) -> Script {
        let mut script = Script { text: String::with_capacity(self.text.len()), ..self.clone() };
        for line in self.text.lines() {
            let defined = line.strip_prefix("(define-fun ").and_then(|rest| rest.split_once(" () "));
            match defined.filter(|(name, _)| names.iter().any(|known| known == name)) {
                Some((name, rest)) => script.line(&format!("(declare-const {name} {})", sort_at_start(rest))),
                None => script.line(line),
            }
        }
        script
    }

    /// A script of this text.
    fn of_text(text: &str) -> Script {
        Script { logic: None, text: text.to_string() }
    }
}

/// The sort with which the rest of a definition starts.
fn sort_at_start(text: &str) -> &str {
    let end = if text.starts_with('(') { text.find(')').map(|at| at + 1) } else { text.find(' ') };
    text.split_at(end.unwrap_or(text.len())).0
}

/// What a solver says. `Unknown` is never a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a model.
    Satisfiable,
    /// There is none.
    Unsatisfiable,
    /// Not told, with the reason.
    Unknown(String),
}

/// Why there is no solver to ask.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SolverError {
    /// No program was found.
    #[error(
        "no Z3 was found: neither the one that `./x setup` fetches into .tools/ beside this program, nor `z3` on the PATH. \
         {VARIABLE} may name one"
    )]
    Missing,
    /// What was named or found does not say that it is Z3.
    #[error("{program} does not tell a version of Z3: {why}")]
    NotZ3 {
        /// Where it is.
        program: String,
        /// What went wrong.
        why: String,
    },
    /// Too old.
    #[error(
        "{program} is Z3 {version}; {}.{}.{} or later is needed. `./x setup` fetches one", OLDEST[0], OLDEST[1], OLDEST[2]
    )]
    Old {
        /// Where it is.
        program: String,
        /// Its version.
        version: String,
    },
    /// It answers a question of the self-test wrongly.
    #[error(
        "Z3 {version} fails the self-test {test}: {answer:?}, expected {expected:?}. Its answers are not to be trusted"
    )]
    Wrong {
        /// Its version.
        version: String,
        /// The question.
        test: &'static str,
        /// Its answer.
        answer: Answer,
        /// The right one.
        expected: Answer,
    },
}

/// A solver that passed the self-test. Each thread that asks has a process of its own, and processes are used again.
#[derive(Clone, Debug)]
pub struct Solver {
    program: Program,
    timeout: Duration,
    idle: Arc<Mutex<Vec<Process>>>,
}

/// The version of the Z3 that is asked, or `none`.
pub fn version() -> String {
    Program::found().map_or_else(|_| "none".to_string(), |program| program.version)
}

impl Solver {
    /// A solver that gives up on a question after `timeout`.
    ///
    /// # Errors
    ///
    /// If there is no Z3, or it is older than [`OLDEST`] or fails the self-test, which is run once.
    pub fn new(timeout: Duration) -> Result<Solver, SolverError> {
        static TESTED: OnceLock<Result<Program, SolverError>> = OnceLock::new();
        let program = TESTED.get_or_init(|| Program::found().and_then(self_test)).clone()?;
        Ok(Solver::untested(program, timeout))
    }

    fn untested(program: Program, timeout: Duration) -> Solver {
        Solver { program, timeout, idle: Arc::default() }
    }

    /// Asks whether a script is satisfiable.
    pub fn check(&self, script: &Script) -> Answer {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut process = match idle().map_or_else(|| Process::start(&self.program), Ok) {
            Ok(process) => process,
            Err(error) => return Answer::Unknown(format!("{} cannot be started: {error}", self.program)),
        };
        match process.ask(script.logic, &script.text, &[], self.timeout) {
            Ok(reply) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
                reply.answer
            }
            // What is left of it is not asked again.
            Err(why) => Answer::Unknown(why),
        }
    }

    /// The values of bit-vector constants of up to 128 bits in a model of the script, if the solver finds one. What it was
    /// asked before has no bearing on which one it finds: a process of its own is asked.
    ///
    /// # Errors
    ///
    /// The answer, if there is no model.
    pub fn model(&self, script: &Script, constants: &[(&str, u32)]) -> Result<Vec<u128>, Answer> {
        let unknown = |why: String| Answer::Unknown(why);
        let mut process = Process::start(&self.program)
            .map_err(|error| unknown(format!("{} cannot be started: {error}", self.program)))?;
        let names: Vec<&str> = constants.iter().map(|(name, _)| *name).collect();
        let reply = process.ask(script.logic, &script.text, &names, self.timeout).map_err(unknown)?;
        match reply.answer {
            Answer::Satisfiable => Ok(reply.values),
            other => Err(other),
        }
    }
}

/// The program, if it answers two questions rightly about which some versions of Z3 are wrong.
fn self_test(program: Program) -> Result<Program, SolverError> {
    let questions = [
        ("fma-sticky", include_str!("selftest/fma-sticky.smt2"), Answer::Satisfiable),
        ("fma-constant", include_str!("selftest/fma-constant.smt2"), Answer::Unsatisfiable),
    ];
    let solver = Solver::untested(program, Duration::from_secs(20));
    for (test, text, expected) in questions {
        let answer = solver.check(&Script::of_text(text));
        if answer != expected {
            return Err(SolverError::Wrong { version: solver.program.version, test, answer, expected });
        }
    }
    Ok(solver.program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solver() -> Solver {
        Solver::new(Duration::from_secs(20)).expect("a Z3 that passes the self-test")
    }

    #[test]
    fn answers_are_told_apart() {
        let mut script = Script::new(Some("QF_BV"));
        script.line("(declare-const x (_ BitVec 8))");
        script.assert("(bvult x #x05)");
        assert_eq!(solver().check(&script), Answer::Satisfiable);
        script.assert("(bvugt x #x09)");
        assert_eq!(solver().check(&script), Answer::Unsatisfiable);
    }

    #[test]
    fn a_model_has_wide_values() {
        let mut script = Script::new(Some("QF_BV"));
        script.line("(declare-const x (_ BitVec 128))\n(declare-const y (_ BitVec 8))");
        script.assert("(= x (_ bv18446744073709551617 128))");
        script.assert("(= ((_ extract 7 0) x) y)");
        let constants = [("x", 128), ("y", 8)];
        assert_eq!(solver().model(&script, &constants), Ok(vec![(1 << 64) + 1, 1]));
        script.assert("(= y #x00)");
        assert_eq!(solver().model(&script, &constants), Err(Answer::Unsatisfiable));
    }

    #[test]
    fn text_that_is_not_understood_is_no_answer() {
        for wrong in ["(bvult y #x05)", "(bvult #x04 #x05))", ") (assert true", "(= 1 \"a\")"] {
            let mut script = Script::new(Some("QF_BV"));
            script.assert(wrong);
            assert!(matches!(solver().check(&script), Answer::Unknown(reason) if reason.contains("error")), "{wrong}");
        }
        // What swallows the question is no answer either.
        let hurried = Solver { timeout: Duration::from_millis(100), ..solver() };
        for wrong in ["(bvult #x04 (", "(= \" \"", "true) (exit"] {
            let mut script = Script::new(Some("QF_BV"));
            script.assert(wrong);
            assert!(matches!(hurried.check(&script), Answer::Unknown(_)), "{wrong}");
        }
        // And what is asked next has an answer of its own.
        assert_eq!(hurried.check(&Script::new(None)), Answer::Satisfiable);
    }

    #[test]
    fn an_answer_that_the_text_prints_is_none() {
        for text in ["(echo \"unsat\")", "(check-sat)"] {
            let mut script = Script::new(None);
            script.assert("true");
            script.line(text);
            assert!(matches!(solver().check(&script), Answer::Unknown(_)), "{text}");
        }
    }

    #[test]
    fn a_question_that_takes_too_long_is_no_answer() {
        let hurried = Solver { timeout: Duration::from_millis(50), ..solver() };
        assert!(matches!(hurried.check(&factoring()), Answer::Unknown(_)));
    }

    /// Primes whose product is a Mersenne number: no solver finds that there are none.
    fn factoring() -> Script {
        let mut script = Script::new(Some("QF_BV"));
        for name in ["p", "q"] {
            script.line(&format!("(declare-const {name} (_ BitVec 128))"));
            script.assert(&format!("(and (bvult {name} (_ bv18446744073709551616 128)) (bvugt {name} (_ bv1 128)))"));
        }
        script.assert("(= (bvmul p q) (_ bv170141183460469231731687303715884105727 128))");
        script
    }

    #[test]
    fn a_process_that_dies_is_no_answer_and_the_next_one_lives() {
        let solver = solver();
        let mut script = Script::new(None);
        script.line("(exit)");
        assert!(matches!(solver.check(&script), Answer::Unknown(reason) if reason.contains("ended")));
        assert_eq!(solver.check(&Script::new(None)), Answer::Satisfiable);
    }

    #[test]
    fn what_was_asked_before_does_not_matter() {
        let solver = solver();
        let mut first = Script::new(Some("QF_BV"));
        first.line("(declare-const x (_ BitVec 8))");
        first.assert("false");
        let mut second = Script::new(Some("QF_LIA"));
        second.line("(declare-const x Int)");
        second.assert("(> x 1)");
        for _ in 0..3 {
            assert_eq!(solver.check(&first), Answer::Unsatisfiable);
            assert_eq!(solver.check(&second), Answer::Satisfiable);
        }
        assert_eq!(solver.idle.lock().unwrap().len(), 1, "one process was asked");
    }

    #[test]
    fn the_version_is_that_of_the_program() {
        assert!(version().starts_with(|digit: char| digit.is_ascii_digit()), "{}", version());
    }
}
