//! Questions in SMT-LIB, put to Z3, which is a program of its own: `roundproof-z3`.
//!
//! What is sent is what can be exported and given to another solver. The program has Z3's library in it, and nothing that
//! asks has: if Z3 crashes, takes more memory than it may or does not come to an end, that program ends, the answer is
//! [`Answer::Unknown`] with the reason, and whoever asked goes on.
//!
//! Each thread that asks has a process of its own, which is asked again: processes take longer to start than most questions
//! to answer, and a Z3 that has answered similar ones before is faster. A model is asked of a new process: which one Z3 finds
//! depends on what it did before, and what is on record should not. A process that said anything but `sat` or `unsat` is killed, and never asked again.
//!
//! `unsat` is believed if it is the one value on its line, bears the number of the question, and comes with as many
//! assertions as were sent.

mod process;
mod program;
pub mod protocol;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use thiserror::Error;

use process::Process;
pub use program::{PROGRAM, Program, VARIABLE};
use protocol::{Constant, Greeting, Question, Reply, Said};

/// The oldest Z3 that the bindings support. Debian 12's, which is older, is wrong about fused multiply-add.
pub const OLDEST: [u32; 3] = [4, 13, 3];

/// How much memory Z3 may take for one question if nothing else is said, in MiB. The questions on record take less than 600.
pub const MEMORY_MIB: u32 = 4096;

/// How long a program may take beyond what Z3 was told, to read a question and to notice that its time is up.
const GRACE: Duration = Duration::from_secs(30);

/// How long it may think about a question of the self-test, whatever others may take.
const TESTING: Duration = Duration::from_secs(20);

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

    /// As it goes to the program.
    fn question(&self, timeout: Duration, constants: &[(&str, u32)]) -> Question {
        let Script { logic, text, assertions } = self;
        Question {
            number: 0,
            logic: logic.map(str::to_string),
            text: text.clone(),
            assertions: *assertions,
            timeout_ms: u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
            constants: constants.iter().map(|&(name, width)| Constant { name: name.to_string(), width }).collect(),
        }
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
    /// No program.
    #[error(
        "{PROGRAM} is not in {}, beside this program: `cargo build --package {PROGRAM}`, or `./x build` for a release, puts it \
         there; or {VARIABLE} may name one", .folder.display()
    )]
    Missing {
        /// Where it should be.
        folder: PathBuf,
    },
    /// A program that does not speak the [`protocol`].
    #[error("{program} cannot be asked: {why}. It must be a {PROGRAM} that was built with this program")]
    Mute {
        /// Where it is.
        program: String,
        /// What went wrong.
        why: String,
    },
    /// Too old.
    #[error(
        "{program} runs with Z3 {version}; {}.{}.{} or later is needed. `./x setup` fetches one; a program that was moved away \
         from its folder may have found the system's instead",
        OLDEST[0], OLDEST[1], OLDEST[2]
    )]
    Old {
        /// Where it is.
        program: String,
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

/// Asks a program. Clones share its processes.
#[derive(Clone, Debug)]
pub struct Solver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    program: Result<Program, SolverError>,
    timeout: Duration,
    memory_mib: u32,
    grace: Duration,
    /// The version, once the self-test was passed.
    version: OnceLock<Result<String, SolverError>>,
    /// Processes that wait for a question.
    idle: Mutex<Vec<Process>>,
}

impl Solver {
    /// A solver that gives up on a question after `timeout`. Nothing is started before the first one.
    pub fn new(timeout: Duration) -> Solver {
        Solver::with_memory(timeout, MEMORY_MIB)
    }

    /// The same, with another limit of memory for each question, in MiB.
    pub fn with_memory(timeout: Duration, memory_mib: u32) -> Solver {
        Solver::asking(Program::found(), timeout, memory_mib, GRACE)
    }

    fn asking(program: Result<Program, SolverError>, timeout: Duration, memory_mib: u32, grace: Duration) -> Solver {
        let (version, idle) = (OnceLock::new(), Mutex::default());
        Solver(Arc::new(Shared { program, timeout, memory_mib, grace, version, idle }))
    }

    /// The version of the Z3 that is asked, which need not be the one that the program was built with. The first question
    /// waits for this, too.
    ///
    /// # Errors
    ///
    /// If there is no program, or its Z3 is older than [`OLDEST`] or fails the self-test.
    pub fn version(&self) -> Result<&str, SolverError> {
        self.0.version.get_or_init(|| self.0.self_test()).as_deref().map_err(Clone::clone)
    }

    /// The version for the provenance of a record, which may be `none`.
    pub fn provenance(&self) -> String {
        self.version().unwrap_or("none").to_string()
    }

    /// Asks whether a script is satisfiable.
    pub fn check(&self, script: &Script) -> Answer {
        match self.version() {
            Ok(_) => self.0.check(script, self.0.timeout),
            Err(error) => Answer::Unknown(error.to_string()),
        }
    }

    /// The values of bit-vector constants of up to 128 bits in a model of the script, if the solver finds one. What was
    /// asked before has no bearing on which one it finds: a process of its own is asked.
    ///
    /// # Errors
    ///
    /// The answer, if there is no model.
    pub fn model(&self, script: &Script, constants: &[(&str, u32)]) -> Result<Vec<u128>, Answer> {
        self.version().map_err(|error| Answer::Unknown(error.to_string()))?;
        let timeout = self.0.timeout;
        let said = self.0.start().and_then(|mut process| self.0.ask(&mut process, script, constants, timeout));
        match said {
            Ok(Said::Sat(values)) => Ok(values),
            Ok(Said::Unsat) => Err(Answer::Unsatisfiable),
            Ok(Said::Unknown(reason)) | Err(reason) => Err(Answer::Unknown(reason)),
        }
    }
}

impl Shared {
    /// Asks a process that waits, or a new one. It waits again if it said `sat` or `unsat`: Z3 that ran out of memory, for
    /// one, is good for nothing more.
    fn check(&self, script: &Script, timeout: Duration) -> Answer {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let said = waiting.map_or_else(|| self.start(), Ok).and_then(|mut process| {
            let said = self.ask(&mut process, script, &[], timeout)?;
            Ok((process, said))
        });
        match said {
            Ok((_, Said::Unknown(reason))) | Err(reason) => Answer::Unknown(reason),
            Ok((process, said)) => {
                idle().push(process);
                if said == Said::Unsat { Answer::Unsatisfiable } else { Answer::Satisfiable }
            }
        }
    }

    /// A new process, with the Z3 that passed the self-test.
    fn start(&self) -> Result<Process, String> {
        let program = self.program.as_ref().map_err(ToString::to_string)?;
        let started = Process::start(program, self.memory_mib, self.grace);
        let (process, greeting) = started.map_err(|failure| failure.to_string())?;
        match self.version.get() {
            Some(Ok(tested)) if *tested != greeting.version => {
                Err(format!("the solver is Z3 {:?} now, and {tested} passed the self-test", greeting.version))
            }
            _ => Ok(process),
        }
    }

    fn ask(
        &self,
        process: &mut Process,
        script: &Script,
        constants: &[(&str, u32)],
        timeout: Duration,
    ) -> Result<Said, String> {
        let question = script.question(timeout, constants);
        let reply = process.ask(question, timeout + self.grace).map_err(|failure| failure.to_string())?;
        believed(reply, script, constants)
    }

    /// The version of Z3, if it is new enough and answers two questions rightly about which some versions are wrong.
    fn self_test(&self) -> Result<String, SolverError> {
        let program = self.program.as_ref().map_err(Clone::clone)?;
        let (process, greeting) = Process::start(program, self.memory_mib, self.grace)
            .map_err(|failure| SolverError::Mute { program: program.to_string(), why: failure.to_string() })?;
        let Greeting { version, .. } = greeting;
        let parts: Vec<u32> = version.split(['.', ' ', '-']).map_while(|part| part.parse().ok()).collect();
        if parts.as_slice() < OLDEST.as_slice() {
            return Err(SolverError::Old { program: program.to_string(), version });
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        let questions = [
            ("fma-sticky", include_str!("selftest/fma-sticky.smt2"), Answer::Satisfiable),
            ("fma-constant", include_str!("selftest/fma-constant.smt2"), Answer::Unsatisfiable),
        ];
        for (test, text, expected) in questions {
            let answer = self.check(&Script::of_text(text), TESTING);
            if answer != expected {
                return Err(SolverError::Wrong { version, test, answer, expected });
            }
        }
        Ok(version)
    }
}

/// What a reply says, if it can be one to this script.
fn believed(reply: Reply, script: &Script, constants: &[(&str, u32)]) -> Result<Said, String> {
    let Reply { number: _, assertions, said } = reply;
    if matches!(said, Said::Unknown(_)) {
        return Ok(said);
    }
    if assertions != script.assertions {
        return Err(format!("{assertions} of {} assertions were understood", script.assertions));
    }
    if let Said::Sat(values) = &said {
        if values.len() != constants.len() {
            return Err(format!("{} values were given, not {}", values.len(), constants.len()));
        }
        for (value, (name, width)) in values.iter().zip(constants) {
            if value.checked_shr(*width).unwrap_or(0) != 0 {
                return Err(format!("{name} has {width} bits, and was given the value {value:#x}"));
            }
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests;
