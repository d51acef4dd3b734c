//! A solver that runs, and the pipes to it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use thiserror::Error;
use wait_timeout::ChildExt;

use crate::program::Program;
use crate::protocol::{Greeting, PROTOCOL, Question, Reply};

/// The longest line that a solver may say, in bytes.
const LONGEST: u64 = 1 << 20;
/// How much of what it says is shown, in characters.
const SHOWN: usize = 200;
/// How long a process that closed its output may take to end, before it is ended.
const ENDING: Duration = Duration::from_secs(2);

/// Why a process gave no answer. It is not to be asked again.
#[derive(Debug, Error)]
pub enum Failure {
    /// It never ran.
    #[error("the solver cannot be started: {0}")]
    Start(io::Error),
    /// It ended by itself, or was killed by somebody else.
    #[error("the solver died ({status}){said}")]
    Died {
        /// How.
        status: ExitStatus,
        /// What it said on stderr, with a colon before it, or nothing.
        said: String,
    },
    /// It closed its output and went on.
    #[error("the solver closed its output, and was ended")]
    Closed,
    /// It took too long.
    #[error("the solver did not answer in {} s, and was ended", .0.as_secs())]
    Late(Duration),
    /// What it said is not what was to be said there.
    #[error("the solver said what is not an answer, and was ended: {why}: {said:?}")]
    Nonsense {
        /// The start of what it said.
        said: String,
        /// What is wrong with that.
        why: String,
    },
    /// The pipe broke.
    #[error("the pipe to the solver: {0}")]
    Pipe(io::Error),
}

/// A process that greeted. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    questions: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    lines: Receiver<io::Result<Vec<u8>>>,
    complaints: Receiver<Vec<u8>>,
    asked: u64,
}

impl Process {
    /// Starts a solver that may take `memory_mib` MiB, and waits for its greeting for `patience`.
    pub fn start(program: &Program, memory_mib: u32, patience: Duration) -> Result<(Process, Greeting), Failure> {
        let mut command = program.command();
        command.arg("--memory").arg(memory_mib.to_string());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::Start)?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three are piped")
        };
        let (questions, written) = writer(input);
        let (lines, complaints) = (lines(output), complaints(errors));
        let mut process = Process { child, questions, written, lines, complaints, asked: 0 };
        let greeting: Greeting = process.listen(patience)?;
        let Greeting { protocol, solver, version: _, memory_mib: memory } = &greeting;
        let wrong = if *protocol != PROTOCOL {
            format!("its protocol is {protocol}, not {PROTOCOL}: it was built from other sources")
        } else if solver != "Z3" {
            "it is not Z3".to_string()
        } else if *memory != memory_mib {
            format!("its limit of memory is not {memory_mib} MiB")
        } else {
            return Ok((process, greeting));
        };
        Err(Failure::Nonsense { said: format!("{greeting:?}"), why: wrong })
    }

    /// Puts a question, and waits `patience` for the reply to it, whatever its number was before. The reply is to this
    /// question; whether it is right is another matter.
    pub fn ask(&mut self, mut question: Question, patience: Duration) -> Result<Reply, Failure> {
        self.asked += 1;
        question.number = self.asked;
        if let Ok(early) = self.lines.try_recv() {
            return Err(nonsense(&early.unwrap_or_default(), "it was not asked yet"));
        }
        let mut line = serde_json::to_vec(&question).map_err(|error| Failure::Pipe(error.into()))?;
        line.push(b'\n');
        // If there is nobody to write it, there is no reply either.
        let _ = self.questions.send(line);
        let reply: Reply = self.listen(patience)?;
        match self.written.recv_timeout(ENDING) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Failure::Pipe(error)),
            Err(_) => return Err(nonsense(format!("{reply:?}").as_bytes(), "it did not read the question")),
        }
        if reply.number != question.number {
            let why = format!("the question is number {}", question.number);
            return Err(Failure::Nonsense { said: format!("{reply:?}"), why });
        }
        Ok(reply)
    }

    /// The next line, which must be one value in JSON and nothing else.
    fn listen<T: DeserializeOwned>(&mut self, patience: Duration) -> Result<T, Failure> {
        match self.lines.recv_timeout(patience) {
            Ok(Ok(line)) => read(&line),
            Ok(Err(error)) => Err(Failure::Pipe(error)),
            Err(RecvTimeoutError::Timeout) => Err(Failure::Late(patience)),
            Err(RecvTimeoutError::Disconnected) => match self.child.wait_timeout(ENDING) {
                Ok(Some(status)) => {
                    let said = self.complaints.recv_timeout(ENDING).unwrap_or_default();
                    let said = if said.is_empty() { String::new() } else { format!(": {:?}", shown(&said)) };
                    Err(Failure::Died { status, said })
                }
                Ok(None) => Err(Failure::Closed),
                Err(error) => Err(Failure::Pipe(error)),
            },
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

fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, Failure> {
    match line.strip_suffix(b"\n") {
        Some(text) => serde_json::from_slice(text).map_err(|error| nonsense(line, &error.to_string())),
        None if line.len() as u64 > LONGEST => Err(nonsense(line, &format!("a line of more than {LONGEST} bytes"))),
        None => Err(nonsense(line, "the line breaks off")),
    }
}

fn nonsense(said: &[u8], why: &str) -> Failure {
    Failure::Nonsense { said: shown(said), why: why.to_string() }
}

/// The start of a text that may be anything.
fn shown(said: &[u8]) -> String {
    String::from_utf8_lossy(&said[..said.len().min(4 * SHOWN)]).trim().chars().take(SHOWN).collect()
}

/// Writes what it is sent, and says when it has: a process that does not read must not stop this one.
fn writer(mut input: ChildStdin) -> (Sender<Vec<u8>>, Receiver<io::Result<()>>) {
    let (questions, waiting) = mpsc::channel::<Vec<u8>>();
    let (done, written) = mpsc::channel();
    thread::spawn(move || {
        for question in waiting {
            if done.send(input.write_all(&question).and_then(|()| input.flush())).is_err() {
                return;
            }
        }
    });
    (questions, written)
}

/// The lines that a process says, with their ends; each is read when the one before was taken.
fn lines(output: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(0);
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            let read = output.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line);
            let more = matches!(read, Ok(count) if count > 0);
            match read {
                Ok(0) => return,
                Ok(_) if sender.send(Ok(line)).is_err() => return,
                Ok(_) => {}
                Err(error) => drop(sender.send(Err(error))),
            }
            if !more {
                return;
            }
        }
    });
    receiver
}

/// The start of what a process complains of, once it has ended.
fn complaints(errors: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let (mut errors, mut said) = (errors, Vec::new());
        let _ = errors.by_ref().take(4 * SHOWN as u64).read_to_end(&mut said);
        let _ = io::copy(&mut errors, &mut io::sink());
        let _ = sender.send(said);
    });
    receiver
}
