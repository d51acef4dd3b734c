//! How the program ends when its surroundings do not play along.

#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Folder, program};

#[test]
fn a_reader_that_has_enough_ends_it_quietly_and_never_as_proved() {
    let folder = Folder::with("iris.csv");
    folder.expect(0, "prove iris.csv -l class -f bfloat16 --out out");
    for arguments in [
        "run out/network.safetensors out/dataset.safetensors --output-format csv",
        "check out/certificate.json",
        "formats",
        "show out/certificate.json --json",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = program();
        program.args(arguments.split(' ')).current_dir(folder.path(".")).stdout(writer);
        let output = program.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments}");
    }
}

#[test]
fn an_interrupt_ends_it_at_once_and_leaves_no_file() {
    let folder = Folder::with("digits.csv");
    let before = folder.files();
    let child = program()
        .args("prove digits.csv -l class -f bfloat16 --evidence paths --out out".split(' '))
        .current_dir(folder.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sleep(Duration::from_millis(600));
    let since = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted, nothing written\n");
    assert!(since.elapsed() < Duration::from_secs(5));
    assert!(folder.files() == before && !folder.path("out").exists());
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let folder = Folder::with("iris.csv");
    fs::create_dir_all(folder.path("out/certificate.json")).unwrap();
    folder.write("file", "");
    let before = folder.files();
    let run = folder.expect(2, "prove iris.csv -l class -f bfloat16 --out out");
    assert_eq!(run.stderr, "error: out: cannot be written to: certificate.json is a folder\n");
    let run = folder.expect(2, "prove iris.csv -l class -f bfloat16 --out file");
    assert!(run.stderr.starts_with("error: file: cannot be written to"), "{run:?}");
    assert!(folder.files() == before);
}

#[test]
fn the_check_asks_no_solver() {
    let source = include_str!("../../src/check.rs");
    assert!(!source.contains("roundproof_checker") && !source.contains("roundproof_solver"));
}
