//! What needs Z3 and what does not; and what a solver does to a run that is none, or dies.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Folder, program, shared};
use crate::verify_all::corpus;

/// What the loader is told to load stands in a program by its name.
#[test]
fn the_program_does_not_load_z3() {
    let this = PathBuf::from(program().get_program());
    let loads = |path: &Path| fs::read(path).unwrap().windows(8).any(|bytes| bytes == b"libz3.so");
    assert!(!loads(&this));
    assert!(loads(&this.with_file_name("roundproof-z3")), "and it would be seen");
}

/// A corpus on record, beside the lemmas, of which none is.
fn on_record() -> Folder {
    let folder = corpus();
    fs::copy(shared("iris.csv"), folder.path("iris.csv")).unwrap();
    folder.expect(0, "verify-all --filter rows/ --bless");
    folder
}

fn run_asking(solver: &Path, folder: &Folder, arguments: &str) -> (Option<i32>, String, String) {
    let mut program = program();
    program.env("ROUNDPROOF_SOLVER", solver).args(arguments.split(' ')).current_dir(folder.path("."));
    let output = program.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn without_a_solver_all_that_asks_none_works() {
    let folder = on_record();
    for solver in ["/nothing/there", "/bin/true", "/bin/cat"] {
        for (code, arguments) in [
            (0, "formats"),
            (0, "prove iris.csv -l class -f bfloat16 --out out"),
            (0, "check out/certificate.json"),
            (0, "verify-all --filter rows/"),
            (2, "verify-all --filter rows/ --filter lemmas/grid-sums"),
        ] {
            let (ended, stdout, stderr) = run_asking(Path::new(solver), &folder, arguments);
            assert_eq!(ended, Some(code), "{solver} {arguments}: {stdout}{stderr}");
            if arguments == "verify-all --filter rows/" {
                assert!(stdout.ends_with("every record the same\nZ3 was not asked\n"), "{stdout}");
            }
            if code == 2 {
                assert!(stderr.starts_with(&format!("error: {solver} cannot be asked: the solver ")), "{stderr}");
                assert!(stderr.ends_with("must be a roundproof-z3 that was built with this program\n"), "{stderr}");
            }
        }
        let (code, stdout, _) = run_asking(Path::new(solver), &folder, "--version");
        assert!(code == Some(0) && stdout.contains("\nZ3 none: ") && stdout.contains(solver), "{stdout}");
    }
}

#[test]
fn a_solver_that_dies_is_a_row_and_not_the_end() {
    let folder = on_record();
    let solver = folder.path("solver");
    // It passes the self-test, and dies of what comes next. Another process writes it: one that this one starts meanwhile
    // would keep it open, and what is open for writing cannot be run.
    let beside = PathBuf::from(program().get_program()).with_file_name("roundproof-z3");
    let pass = "read -r line; printf '%s\\n' \"$line\"";
    let text = format!("#!/bin/sh\n{{ {pass}; {pass}; sleep 5; }} | {} \"$@\"\n", beside.display());
    let mut writing = Command::new("sh");
    writing.args(["-c", "printf %s \"$0\" > solver && chmod +x solver", &text]).current_dir(folder.path("."));
    assert!(writing.status().unwrap().success());
    let (code, stdout, stderr) =
        run_asking(&solver, &folder, "verify-all --timeout 9 --filter rows/ --filter lemmas/grid-sums");
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    let row = |name: &str| stdout.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        row("lemmas/grid-sums").contains("Unknown") && row("theorems/rows/step.bfloat16").contains("Proved"),
        "{stdout}"
    );
    assert!(stdout.contains("Unknown(\"the solver died (exit status: 137)"), "{stdout}");
}
