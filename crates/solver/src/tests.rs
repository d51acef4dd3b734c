//! Answers of Z3; and programs in its place that die, hang or say what is not an answer.

use std::time::Instant;

use super::*;

fn solver() -> Solver {
    testing::solver(Duration::from_secs(20))
}

#[test]
fn answers_are_told_apart() {
    let mut script = Script::new(Some("QF_BV"));
    script.line("(declare-const x (_ BitVec 8))");
    script.assert("(bvult x #x05)");
    let solver = solver();
    assert_eq!(solver.check(&script), Answer::Satisfiable);
    script.assert("(bvugt x #x09)");
    assert_eq!(solver.check(&script), Answer::Unsatisfiable);
}

#[test]
fn a_model_has_wide_values() {
    let mut script = Script::new(Some("QF_BV"));
    script.line("(declare-const x (_ BitVec 128))\n(declare-const y (_ BitVec 8))");
    script.assert("(= x (_ bv18446744073709551617 128))");
    script.assert("(= ((_ extract 7 0) x) y)");
    let constants = [("x", 128), ("y", 8)];
    let solver = solver();
    assert_eq!(solver.model(&script, &constants), Ok(vec![(1 << 64) + 1, 1]));
    script.assert("(= y #x00)");
    assert_eq!(solver.model(&script, &constants), Err(Answer::Unsatisfiable));
}

#[test]
fn text_that_is_not_understood_is_no_answer() {
    let mut script = Script::new(Some("QF_BV"));
    script.assert("(bvult y #x05)");
    let solver = solver();
    assert!(matches!(solver.check(&script), Answer::Unknown(reason) if reason.contains("0 of 1")));
    let unheard = Script::new(Some("QF_NONE"));
    assert!(matches!(solver.check(&unheard), Answer::Satisfiable | Answer::Unknown(_)));
}

/// Factors of the prime 2^127 - 1, in so many bits.
fn hard(width: u32) -> Script {
    let mut script = Script::new(Some("QF_BV"));
    for name in ["p", "q"] {
        script.line(&format!("(declare-const {name} (_ BitVec {width}))"));
        script
            .assert(&format!("(and (bvult {name} (_ bv18446744073709551616 {width})) (bvugt {name} (_ bv1 {width})))"));
    }
    script.assert(&format!("(= (bvmul p q) (_ bv170141183460469231731687303715884105727 {width}))"));
    script
}

#[test]
fn a_question_that_takes_too_long_or_too_much_is_no_answer() {
    testing::build_program();
    let hurried = Solver::new(Duration::from_millis(5));
    assert_eq!(hurried.check(&hard(128)), Answer::Unknown("timeout".to_string()));
    let narrow = Solver::with_memory(Duration::from_secs(60), 128);
    assert_eq!(narrow.check(&hard(2048)), Answer::Unknown("out of memory: 128 MiB are allowed".to_string()));
    assert!(narrow.0.idle.lock().unwrap().is_empty());
}

#[test]
fn the_version_is_the_running_one() {
    let version = solver().provenance();
    assert!(version.starts_with(|digit: char| digit.is_ascii_digit()), "{version}");
}

/// What greets as it should.
const GREETING: &str = r#"echo '{"protocol":1,"solver":"Z3","version":"5.4.1","memory_mib":4096}'"#;
const UNSAT: &str = r#"{"number":1,"assertions":2,"said":"unsat"}"#;

/// One that greets, passes for tested, and then does this. Its patience is a second.
fn doing(script: &str) -> Solver {
    let program = Program::shell(&format!("{GREETING}\n{script}"));
    let solver = Solver::asking(Ok(program), Duration::ZERO, MEMORY_MIB, Duration::from_secs(1));
    solver.0.version.set(Ok("5.4.1".to_string())).unwrap();
    solver
}

/// Two assertions about a constant of 8 bits.
fn contradiction() -> Script {
    let mut script = Script::new(None);
    script.line("(declare-const x (_ BitVec 8))");
    script.assert("(bvult x #x05)");
    script.assert("(bvugt x #x09)");
    script
}

fn asked(solver: &Solver) -> Result<Vec<u128>, Answer> {
    solver.model(&contradiction(), &[("x", 8)])
}

#[test]
fn what_is_said_as_it_should_be_is_believed() {
    let say = |said: &str| asked(&doing(&format!("read line; echo '{said}'; exec sleep 9")));
    assert_eq!(say(UNSAT), Err(Answer::Unsatisfiable));
    assert_eq!(say(r#"{"number":1,"assertions":2,"said":{"sat":[255]}}"#), Ok(vec![255]));
    let unknown = say(r#"{"number":1,"assertions":2,"said":{"unknown":"timeout"}}"#);
    assert_eq!(unknown, Err(Answer::Unknown("timeout".to_string())));
}

/// Each is a way to say `unsat`, or something like it, that must not pass.
#[test]
fn what_is_no_answer_is_refused() {
    let unsat = |number: &str, assertions: &str, said: &str| {
        format!(r#"{{"number":{number},"assertions":{assertions},"said":{said}}}"#)
    };
    for (said, why) in [
        (unsat("1", "1", "\"unsat\""), "1 of 2 assertions were understood"),
        (unsat("1", "0", "\"unsat\""), "0 of 2 assertions were understood"),
        (unsat("1", "3", "\"unsat\""), "3 of 2 assertions were understood"),
        (unsat("1", "1", r#"{"sat":[1]}"#), "1 of 2 assertions were understood"),
        (unsat("0", "2", "\"unsat\""), "the question is number 1"),
        (unsat("2", "2", "\"unsat\""), "the question is number 1"),
        (unsat("1", "2", "\"UNSAT\""), "unknown variant `UNSAT`"),
        (unsat("1", "2", "\"uns\""), "unknown variant `uns`"),
        (unsat("1", "2", r#"{"unsat":1}"#), "expected unit"),
        (unsat("1", "2", "\"sat\""), "invalid type"),
        (unsat("1", "2", r#"{"sat":[]}"#), "0 values were given, not 1"),
        (unsat("1", "2", r#"{"sat":[1,2]}"#), "2 values were given, not 1"),
        (unsat("1", "2", r#"{"sat":[256]}"#), "x has 8 bits, and was given the value 0x100"),
        (unsat("1", "2", r#"{"sat":[-1]}"#), "number out of range"),
        (unsat("1", "2", r#"{"sat":[340282366920938463463374607431768211456]}"#), "number out of range"),
        (unsat("-1", "2", "\"unsat\""), "invalid value"),
        (UNSAT.replace('}', ""), "EOF while parsing"),
        (UNSAT.replace('}', ",\"said\":\"unsat\"}"), "duplicate field"),
        (UNSAT.replace('}', ",\"more\":1}"), "unknown field"),
        (UNSAT.replace("\"assertions\":2,", ""), "missing field `assertions`"),
        (format!("{UNSAT}{UNSAT}"), "trailing characters"),
        (format!("unsat {UNSAT}"), "expected value"),
        ("unsat".to_string(), "expected value"),
        (String::new(), "EOF while parsing"),
    ] {
        let solver = doing(&format!("read line; echo '{said}'; exec sleep 9"));
        match asked(&solver) {
            Err(Answer::Unknown(reason)) => assert!(reason.contains(why), "{said}: {reason}"),
            answer => panic!("{said}: {answer:?}"),
        }
    }
}

/// The whole line, or none of it; and not before the question.
#[test]
fn what_breaks_off_or_comes_early_is_refused() {
    let reason = |script: &str| match asked(&doing(script)) {
        Err(Answer::Unknown(reason)) => reason,
        answer => panic!("{script}: {answer:?}"),
    };
    let broken = reason(&format!("read line; printf '%s' '{UNSAT}'"));
    assert!(broken.contains("the line breaks off"), "{broken}");
    let unread = reason(&format!("echo '{UNSAT}'; exec sleep 9"));
    assert!(unread.contains("it was not asked yet") || unread.contains("the pipe"), "{unread}");
    let binary = reason(r"read line; printf '\377\000\n'; exec sleep 9");
    assert!(binary.contains("is not an answer"), "{binary}");
    // A reply to the question before.
    let twice = doing(&format!("read line; echo '{UNSAT}'; echo '{UNSAT}'; read line; exec sleep 9"));
    assert_eq!(twice.check(&contradiction()), Answer::Unsatisfiable);
    assert!(matches!(twice.check(&contradiction()), Answer::Unknown(_)));
}

#[test]
fn what_dies_hangs_or_does_not_stop_is_told_and_ended() {
    let since = Instant::now();
    for (script, why) in [
        ("read line; kill -KILL $$", "the solver died (signal: 9 (SIGKILL))"),
        ("read line; kill -ABRT $$", "the solver died (signal: 6 (SIGABRT)"),
        ("read line; echo 'out of memory' >&2; exit 101", "the solver died (exit status: 101): \"out of memory\""),
        ("read line; exit 0", "the solver died (exit status: 0)"),
        ("exit 3", "the solver died (exit status: 3)"),
        ("read line; exec sleep 60", "the solver did not answer in 1 s"),
        ("exec sleep 60", "the solver did not answer in 1 s"),
        ("read line; exec >&-; exec sleep 60", "closed its output"),
        ("read line; exec yes", "is not an answer"),
        // Two gigabytes, with no end of line.
        ("read line; head -c 2000000000 /dev/zero", "a line of more than 1048576 bytes"),
        ("read line; head -c 20000000 /dev/zero >&2; exit 1", "the solver died (exit status: 1)"),
    ] {
        match asked(&doing(script)) {
            Err(Answer::Unknown(reason)) => assert!(reason.contains(why), "{script}: {reason}"),
            answer => panic!("{script}: {answer:?}"),
        }
    }
    assert!(since.elapsed() < Duration::from_secs(50), "none was waited for");
}

/// More than a pipe holds, for one that does not read it.
#[test]
fn a_question_that_is_not_read_does_not_stop_who_asks() {
    let mut script = Script::new(None);
    script.line(&";".repeat(1 << 20));
    for (program, why) in [
        ("exec sleep 60".to_string(), "did not answer in 1 s"),
        (format!("echo '{UNSAT}'; exec sleep 60"), "is not an answer"),
    ] {
        let answer = doing(&program).check(&script);
        assert!(matches!(&answer, Answer::Unknown(reason) if reason.contains(why)), "{answer:?}");
    }
}

/// Those that are ended are gone; one that answers is asked again, but not for a model.
#[test]
fn a_process_is_used_again_only_if_it_answers() {
    let waiting = |solver: &Solver| solver.0.idle.lock().unwrap().len();
    let counting = r#"n=1; while read line; do
        echo "{\"number\":$n,\"assertions\":2,\"said\":$SAID}"; n=$((n + 1)); done"#;
    let solver = doing(&format!("SAID='{{\"sat\":[]}}'; {counting}"));
    for _ in 0..3 {
        assert_eq!((solver.check(&contradiction()), waiting(&solver)), (Answer::Satisfiable, 1));
    }
    for amiss in ["no", r#"{"number":2,"assertions":2,"said":{"unknown":"out of memory"}}"#] {
        let solver = doing(&format!("read line; echo '{UNSAT}'; read line; echo '{amiss}'; {counting}"));
        assert_eq!((solver.check(&contradiction()), waiting(&solver)), (Answer::Unsatisfiable, 1));
        let answer = solver.check(&contradiction());
        assert!(matches!(&answer, Answer::Unknown(_)) && waiting(&solver) == 0, "{answer:?}");
        assert_eq!(solver.check(&contradiction()), Answer::Unsatisfiable, "a new one");
    }
    let solver = doing(&format!("SAID='{{\"sat\":[7]}}'; {counting}"));
    for _ in 0..3 {
        assert_eq!((asked(&solver), waiting(&solver)), (Ok(vec![7]), 0));
    }
}

/// Another program may be put in its place while this one runs.
#[test]
fn a_new_process_has_the_z3_that_was_tested() {
    let solver = doing("exec sleep 9");
    let other = Solver::asking(solver.0.program.clone(), Duration::ZERO, MEMORY_MIB, Duration::from_secs(1));
    other.0.version.set(Ok("5.4.0".to_string())).unwrap();
    let why = "the solver is Z3 \"5.4.1\" now, and 5.4.0 passed the self-test";
    assert_eq!(other.check(&contradiction()), Answer::Unknown(why.to_string()));
    assert_eq!(asked(&other), Err(Answer::Unknown(why.to_string())));
}

#[test]
fn what_does_not_greet_is_not_asked() {
    let refused = |program: Program| {
        let solver = Solver::asking(Ok(program), Duration::from_secs(1), MEMORY_MIB, Duration::from_secs(1));
        // The question gets the same answer as the version.
        let error = solver.version().unwrap_err();
        assert_eq!(asked(&solver), Err(Answer::Unknown(error.to_string())));
        error
    };
    for (greeting, why) in [
        (GREETING.replace("\"protocol\":1", "\"protocol\":2"), "its protocol is 2, not 1"),
        (GREETING.replace("\"Z3\"", "\"Z4\""), "it is not Z3"),
        (GREETING.replace("4096", "4097"), "its limit of memory is not 4096 MiB"),
        (GREETING.replace("\"version\"", "\"vision\""), "unknown field"),
        ("echo Z3 version 5.4.1".to_string(), "expected value"),
        ("echo 'libz3.so: no such file' >&2; exit 127".to_string(), "exit status: 127): \"libz3.so: no such file\""),
        ("exec sleep 60".to_string(), "did not answer in 1 s"),
    ] {
        let error = refused(Program::shell(&format!("{greeting}; exec sleep 9")));
        assert!(matches!(&error, SolverError::Mute { why: told, .. } if told.contains(why)), "{greeting}: {error}");
    }
    let error = refused(Program::at("/nothing/there"));
    assert!(error.to_string().starts_with("/nothing/there cannot be asked: the solver cannot be started"), "{error}");
    for old in ["4.13.2", "4.8.12", "3", "", "new"] {
        let error = refused(Program::shell(&GREETING.replace("5.4.1", old)));
        assert!(matches!(&error, SolverError::Old { version, .. } if version == old), "{error}");
    }
}

/// One that gives the same answer to everything fails the self-test, whichever it is.
#[test]
fn what_answers_the_self_test_wrongly_is_not_asked() {
    for (said, test) in [("\\\"unsat\\\"", "fma-sticky"), ("{\\\"sat\\\":[]}", "fma-constant")] {
        let loyal = format!(
            r#"{GREETING}; n=1; while read line; do
            count=$(printf '%s' "$line" | sed 's/.*"assertions":\([0-9]*\).*/\1/')
            echo "{{\"number\":$n,\"assertions\":$count,\"said\":{said}}}"; n=$((n + 1)); done"#
        );
        let program = Ok(Program::shell(&loyal));
        let solver = Solver::asking(program, Duration::from_secs(1), MEMORY_MIB, Duration::from_secs(5));
        let error = solver.version().unwrap_err();
        assert!(matches!(&error, SolverError::Wrong { test: failed, .. } if *failed == test), "{error}");
    }
}
