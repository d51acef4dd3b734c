//! Z3, asked in SMT-LIB text: what is sent is what can be exported and given to another solver.

use std::sync::OnceLock;
use std::time::Duration;

use thiserror::Error;
use z3::ast::BV;
use z3::{Config, Params, SatResult, Solver as Z3Solver, with_z3_config};

/// The oldest Z3 that the bindings support. Debian 12's, which is older, is wrong about fused multiply-add.
pub const OLDEST: [u32; 3] = [4, 13, 3];

/// A list of SMT-LIB declarations and assertions, with what it takes to know that all of them arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    logic: Option<&'static str>,
    text: String,
    assertions: usize,
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
        self.assertions += 1;
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

    /// A script of this text, whose assertions start their lines.
    fn of_text(text: &str) -> Script {
        let assertions = text.lines().filter(|line| line.starts_with("(assert ")).count();
        Script { logic: None, text: text.to_string(), assertions }
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
    /// Too old.
    #[error(
        "this program runs with Z3 {version}; {}.{}.{} or later is needed. `./x setup` fetches one; a program that was \
         moved away from its folder may have found the system's instead",
        OLDEST[0], OLDEST[1], OLDEST[2]
    )]
    Old {
        /// The version that answered.
        version: String,
    },
    /// It answers a question of the self-test wrongly.
    #[error(
        "Z3 {version} fails the self-test {test}: {answer:?}, expected {expected:?}. Its answers are not to be trusted"
    )]
    Wrong {
        /// The version that answered.
        version: String,
        /// The question.
        test: &'static str,
        /// Its answer.
        answer: Answer,
        /// The right one.
        expected: Answer,
    },
}

/// A solver that passed the self-test.
#[derive(Clone, Copy, Debug)]
pub struct Solver {
    timeout: Duration,
}

/// The version of Z3 that this program *runs* with, which need not be the one it was built with.
pub fn version() -> String {
    let full = z3::full_version();
    full.strip_prefix("Z3 ").unwrap_or(full).trim().to_string()
}

impl Solver {
    /// A solver that gives up on a question after `timeout`.
    ///
    /// # Errors
    ///
    /// If the Z3 at hand is older than [`OLDEST`] or fails the self-test, which is run once.
    pub fn new(timeout: Duration) -> Result<Solver, SolverError> {
        static TESTED: OnceLock<Result<(), SolverError>> = OnceLock::new();
        TESTED.get_or_init(self_test).clone()?;
        Ok(Solver { timeout })
    }

    /// Asks whether a script is satisfiable.
    pub fn check(&self, script: &Script) -> Answer {
        check(script, self.timeout)
    }
}

impl Solver {
    /// The values of bit-vector constants of up to 128 bits in a model of the script, if the solver finds one. What it was
    /// asked before has no bearing on which one it finds.
    pub fn model(&self, script: &Script, constants: &[(&str, u32)]) -> Result<Vec<u128>, Answer> {
        with_z3_config(&Config::new(), || {
            let solver = loaded(script, self.timeout).map_err(Answer::Unknown)?;
            match solver.check() {
                SatResult::Sat => {}
                SatResult::Unsat => return Err(Answer::Unsatisfiable),
                SatResult::Unknown => return Err(Answer::Unknown(solver.get_reason_unknown().unwrap_or_default())),
            }
            let no_value = || Answer::Unknown("a model without values".to_string());
            let model = solver.get_model().ok_or_else(no_value)?;
            let value = |&(name, width): &(&str, u32)| {
                let constant = BV::new_const(name, width);
                let part = |high, low| model.eval(&constant.extract(high, low), true).and_then(|part| part.as_u64());
                let high = if width > 64 { part(width - 1, 64) } else { Some(0) };
                Some(u128::from(high?) << 64 | u128::from(part(width.min(64) - 1, 0)?))
            };
            constants.iter().map(|constant| value(constant).ok_or_else(no_value)).collect()
        })
    }
}

fn self_test() -> Result<(), SolverError> {
    let version = version();
    let parts: Vec<u32> = version.split(['.', ' ', '-']).map_while(|part| part.parse().ok()).collect();
    if parts.as_slice() < OLDEST.as_slice() {
        return Err(SolverError::Old { version });
    }
    let questions = [
        ("fma-sticky", include_str!("selftest/fma-sticky.smt2"), Answer::Satisfiable),
        ("fma-constant", include_str!("selftest/fma-constant.smt2"), Answer::Unsatisfiable),
    ];
    for (test, text, expected) in questions {
        let answer = check(&Script::of_text(text), Duration::from_secs(20));
        if answer != expected {
            return Err(SolverError::Wrong { version, test, answer, expected });
        }
    }
    Ok(())
}

/// A solver with the assertions of a script; or why it has not got them.
fn loaded(script: &Script, timeout: Duration) -> Result<Z3Solver, String> {
    let solver = match script.logic {
        None => Z3Solver::new(),
        Some(logic) => Z3Solver::new_for_logic(logic).ok_or_else(|| format!("no logic {logic}"))?,
    };
    solver.from_string(script.text.as_str());
    // Text that Z3 cannot read leaves the solver empty, without a word.
    let arrived = solver.get_assertions().len();
    if arrived != script.assertions {
        return Err(format!("{arrived} of {} assertions were understood", script.assertions));
    }
    let mut params = Params::new();
    params.set_u32("timeout", u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
    solver.set_params(&params);
    Ok(solver)
}

fn check(script: &Script, timeout: Duration) -> Answer {
    let solver = match loaded(script, timeout) {
        Ok(solver) => solver,
        Err(why) => return Answer::Unknown(why),
    };
    match solver.check() {
        SatResult::Sat => Answer::Satisfiable,
        SatResult::Unsat => Answer::Unsatisfiable,
        SatResult::Unknown => Answer::Unknown(solver.get_reason_unknown().unwrap_or_default()),
    }
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
        let mut script = Script::new(Some("QF_BV"));
        script.assert("(bvult y #x05)");
        assert!(matches!(solver().check(&script), Answer::Unknown(reason) if reason.contains("0 of 1")));
    }

    #[test]
    fn a_question_that_takes_too_long_is_no_answer() {
        let mut script = Script::new(Some("QF_BV"));
        for name in ["p", "q"] {
            script.line(&format!("(declare-const {name} (_ BitVec 128))"));
            script.assert(&format!("(and (bvult {name} (_ bv18446744073709551616 128)) (bvugt {name} (_ bv1 128)))"));
        }
        script.assert("(= (bvmul p q) (_ bv170141183460469231731687303715884105727 128))");
        let hurried = Solver { timeout: Duration::from_millis(50) };
        assert!(matches!(hurried.check(&script), Answer::Unknown(_)));
    }

    #[test]
    fn the_version_is_the_running_one() {
        assert!(version().starts_with(|digit: char| digit.is_ascii_digit()), "{}", version());
    }
}
