//! One process of Z3.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Answer, Program};

/// The most memory of one process, in megabytes.
const MOST_MEMORY: u32 = 8192;
/// How much longer than its own time limit a process may take to say so, before it is ended.
const GRACE: Duration = Duration::from_secs(3);

/// A process that waits for a question. It ends with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// Questions asked so far: each answer ends with the number of its question.
    asked: u64,
}

/// An answer, and of a satisfiable script the values that were asked for.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) values: Vec<u128>,
}

impl Process {
    pub(super) fn start(program: &Program) -> io::Result<Process> {
        let mut child = Command::new(&program.path)
            .args(["-smt2", "-in", &format!("-memory:{MOST_MEMORY}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        let (sender, lines) = channel();
        // Reads all that the process says, so that it never waits for a reader; ends with it.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Process { child, input, lines, asked: 0 })
    }

    /// Asks about a script, and for the values of bit-vector constants if it is satisfiable. What was asked before is
    /// forgotten first.
    ///
    /// # Errors
    ///
    /// Why there is no answer, if the process is not fit to be asked again: it ended, was ended, or said something that
    /// is no answer to this.
    pub(super) fn ask(
        &mut self,
        logic: Option<&str>,
        text: &str,
        constants: &[&str],
        timeout: Duration,
    ) -> Result<Reply, String> {
        let deadline = || Instant::now() + timeout + GRACE;
        let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX - 1);
        let logic = logic.map(|logic| format!("(set-logic {logic})\n")).unwrap_or_default();
        let head = format!("(reset)\n(set-option :timeout {milliseconds})\n{logic}");
        // An answer is one only after this line and before the next: what the text itself may print is none.
        let before = self.send(&[&head, text], deadline())?;
        if let Some(said) = before.first() {
            return Err(format!("the solver said `{said}` before it was asked"));
        }
        let answers = self.send(&["(check-sat)"], deadline())?;
        let answer = match answers.as_slice() {
            [word] if word == "sat" => Answer::Satisfiable,
            [word] if word == "unsat" => Answer::Unsatisfiable,
            [word] if word == "unknown" => Answer::Unknown(self.reason(deadline())?),
            said => return Err(format!("the solver said `{}`", said.join(" "))),
        };
        let mut values = Vec::new();
        if answer == Answer::Satisfiable {
            for constant in constants {
                let said = self.send(&[&format!("(get-value ({constant}))")], deadline())?.join(" ");
                values
                    .push(value(constant, &said).ok_or_else(|| format!("a value that was not understood: `{said}`"))?);
            }
        }
        Ok(Reply { answer, values })
    }

    fn reason(&mut self, deadline: Instant) -> Result<String, String> {
        let said = self.send(&["(get-info :reason-unknown)"], deadline)?.join(" ");
        let reason = said.strip_prefix("(:reason-unknown ").and_then(|rest| rest.strip_suffix(')'));
        Ok(reason.unwrap_or(&said).trim_matches('"').to_string())
    }

    /// Sends commands, and gives the lines that they print.
    fn send(&mut self, commands: &[&str], deadline: Instant) -> Result<Vec<String>, String> {
        self.asked += 1;
        let end = format!("end of {}", self.asked);
        let ended = |error: io::Error| format!("the solver ended: {error}");
        for command in commands {
            self.input.write_all(command.as_bytes()).map_err(ended)?;
        }
        self.input.write_all(format!("\n(echo \"{end}\")\n").as_bytes()).map_err(ended)?;
        self.input.flush().map_err(ended)?;
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line == end => return Ok(lines),
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Timeout) => return Err("the solver took too long, and was ended".to_string()),
                Err(RecvTimeoutError::Disconnected) => {
                    let said = lines.join(" ");
                    return Err(format!(
                        "the solver ended{}",
                        if said.is_empty() { said } else { format!(": {said}") }
                    ));
                }
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number in `((x #x0f))` or `((x #b01))`, of up to 128 bits.
fn value(constant: &str, said: &str) -> Option<u128> {
    let literal = said.strip_prefix("((")?.strip_prefix(constant)?.strip_prefix(' ')?.strip_suffix("))")?;
    match literal.split_at_checked(2)? {
        ("#x", digits) => u128::from_str_radix(digits, 16).ok(),
        ("#b", digits) => u128::from_str_radix(digits, 2).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_either_radix() {
        assert_eq!(value("x", "((x #x0f))"), Some(15));
        assert_eq!(value("x", "((x #b101))"), Some(5));
        assert_eq!(value("|a b|", "((|a b| #xffffffffffffffffffffffffffffffff))"), Some(u128::MAX));
        for wrong in ["((y #x0f))", "((x 15))", "((x #x))", "(error \"no model\")", "((x #x0ff", ""] {
            assert_eq!(value("x", wrong), None, "{wrong}");
        }
    }
}
