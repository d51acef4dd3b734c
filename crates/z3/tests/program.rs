//! The program by itself: what it says, and that it ends with who started it.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

/// A program that runs, and is killed when this is dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> Started {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundproof-z3"));
    Started(command.args(["--memory", "1024"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

/// The exit code, and what is said on stdout and stderr, of a program that ends by itself.
fn run(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundproof-z3"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // When its input ends, it ends without a word: the pipe stays open.
    let mut pipe = child.stdin.take().unwrap();
    // It may have ended before.
    let _ = pipe.write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A question of 8 bits, and one that takes Z3 longer than anybody waits: the factors of a prime.
const EASY: &str = r#"{"number":7,"logic":"QF_BV","text":"(declare-const x (_ BitVec 8)) (assert (= x #x2a))","assertions":1,"timeout_ms":9000,"constants":[{"name":"x","width":8}]}"#;
const HARD: &str = r#"{"number":8,"logic":"QF_BV","text":"(declare-const p (_ BitVec 128)) (declare-const q (_ BitVec 128)) (assert (bvult p (_ bv18446744073709551616 128))) (assert (bvult q (_ bv18446744073709551616 128))) (assert (= (bvmul p q) (_ bv170141183460469231731687303715884105727 128)))","assertions":3,"timeout_ms":4000000000,"constants":[]}"#;

#[test]
fn it_greets_and_replies() {
    let Started(program) = &mut start();
    let mut input = program.stdin.take().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    assert!(greeting.starts_with(r#"{"protocol":1,"solver":"Z3","version":""#), "{greeting}");
    assert!(greeting.ends_with(r#","memory_mib":1024}"#), "{greeting}");
    for (question, reply) in [
        (EASY.to_string(), r#"{"number":7,"assertions":1,"said":{"sat":[42]}}"#),
        (EASY.replace("assert (=", "assert (distinct x"), r#"{"number":7,"assertions":1,"said":"unsat"}"#),
        (
            EASY.replace("(assert", "(assent"),
            r#""assertions":0,"said":{"unknown":"0 of 1 assertions were understood"}}"#,
        ),
        (EASY.replace("\"assertions\":1", "\"assertions\":2"), r#"{"unknown":"1 of 2 assertions were understood"}}"#),
        (EASY.replace("\"width\":8", "\"width\":0"), r#"{"unknown":"\"x\" has 0 bits, not 1 to 128"}}"#),
        (EASY.replace("\"width\":8", "\"width\":129"), r#"{"unknown":"\"x\" has 129 bits, not 1 to 128"}}"#),
        // What was asserted before is gone.
        (EASY.to_string(), r#"{"number":7,"assertions":1,"said":{"sat":[42]}}"#),
    ] {
        input.write_all(format!("{question}\n").as_bytes()).unwrap();
        let said = lines.next().unwrap().unwrap();
        assert!(said.ends_with(reply), "{question}: {said}");
    }
}

#[test]
fn it_ends_with_its_input_even_while_it_thinks() {
    for question in ["", EASY, HARD] {
        let Started(program) = &mut start();
        let mut input = program.stdin.take().unwrap();
        if !question.is_empty() {
            input.write_all(format!("{question}\n").as_bytes()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(program.try_wait().unwrap(), None, "{question}");
        drop(input);
        assert!(program.wait_timeout(Duration::from_secs(20)).unwrap().is_some(), "{question}");
    }
}

#[test]
fn what_is_no_question_ends_it_with_a_word() {
    let number = EASY.replace("\"number\":7", "\"number\":\"7\"");
    for (arguments, input, why) in [
        (vec!["--memory", "1024"], "(check-sat)\n", "no question: expected value"),
        (vec!["--memory", "1024"], number.as_str(), "no question: invalid type"),
        (vec!["--memory", "much"], "", "--memory \"much\": invalid digit"),
        (vec![], "", "it was started with []"),
    ] {
        let (code, _, said) = run(&arguments, &format!("{input}\n"));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.starts_with(&format!("error: {why}")), "{said}");
    }
}

#[test]
fn it_tells_about_itself() {
    let (code, said, _) = run(&["--version"], "");
    assert!(code == Some(0) && said.starts_with("Z3 "), "{said}");
    let (code, said, _) = run(&["--help"], "");
    assert!(code == Some(0) && said.contains("ROUNDPROOF_SOLVER"), "{said}");
}
