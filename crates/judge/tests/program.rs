//! The program `roundproof-check`: its lines, its JSON and its exit codes; and what it rejects.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use roundproof_construct::point::memorize;
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference, Property};
use roundproof_files::safetensors::{dataset_bytes, network_bytes};
use roundproof_format::{Encoding, Format};
use roundproof_judge::{Judgement, Reason, Unreadable, Verdict, judge};
use roundproof_kernel::Claim;
use roundproof_network::{Activation, At, Dataset, Encodings, PathModel, Witness};

const FORMAT: Format = Format::BFLOAT16;

/// A folder with a certificate that holds, and its files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), |_| ());
    folder
}

/// 1 -> 2, 2 -> 1, memorized; and `change` made to the certificate.
fn write(folder: &Path, change: impl FnOnce(&mut Certificate)) -> PathBuf {
    let column = |bits: [u128; 2]| Encodings::collect(FORMAT, bits.map(Encoding::from_bits));
    let data = Dataset::new(FORMAT, 1, 1, column([0x3f80, 0x4000]), column([0x4000, 0x3f80])).unwrap();
    let built = memorize(&data, Activation::Step).unwrap();
    let claim = Claim::memorizes(&built.network, &data, PathModel::all(FORMAT));
    let write = |name: &str, bytes: Vec<u8>| {
        fs::write(folder.join(name), &bytes).unwrap();
        FileReference { path: name.parse().unwrap(), sha256: Digest::of(&bytes) }
    };
    let mut certificate = Certificate {
        claim: claim.map(Property::from),
        network: write("network.safetensors", network_bytes(&built.network)),
        network_source: None,
        dataset: Some(write("dataset.safetensors", dataset_bytes(&data, None))),
        forest: None,
        source: None,
        verdict: Verdict::Proved,
        evidence: Some(built.evidence),
        lemmas: Vec::new(),
        provenance: Default::default(),
    };
    change(&mut certificate);
    let path = folder.join("certificate.json");
    certificate.write(&path).unwrap();
    path
}

/// Exit code, stdout and stderr.
fn run(folder: &Path, arguments: &str) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_roundproof-check"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_holds_is_proved() {
    let folder = folder();
    let (code, stdout, stderr) = run(folder.path(), "certificate.json");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(stdout);
    let (code, stdout, _) = run(folder.path(), "--json certificate.json");
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(stdout);
}

#[test]
fn a_gate_lets_nothing_else_pass() {
    let folder = folder();
    for (arguments, code) in [
        ("certificate.json --require paths=all,exceptions=0,format=bfloat16 --expect proved", 0),
        ("--require=paths=paper --require=rows=2 certificate.json", 0),
        ("certificate.json --require paths=all,subnormals=flush", 5),
        ("certificate.json --require rows=2 --require rows=3", 5),
        ("certificate.json --expect refuted", 5),
        ("certificate.json --expect attested", 2),
        ("certificate.json --require row=2", 2),
        ("certificate.json --require", 2),
        (".", 0),
        (". certificate.json --require rows=3", 5),
    ] {
        let (found, stdout, stderr) = run(folder.path(), arguments);
        assert_eq!(found, Some(code), "{arguments}: {stdout}{stderr}");
        assert_eq!(stdout.contains("\n          but "), code == 5, "{arguments}: {stdout}");
    }
    // A label that no path gives: refuted by the plain path, and accepted as that.
    write(folder.path(), |certificate| {
        let file = folder.path().join("dataset.safetensors");
        let mut bytes = fs::read(&file).unwrap();
        let labels = bytes.len() - 4;
        bytes[labels..].copy_from_slice(&[0x40, 0x40, 0x80, 0x3f]);
        fs::write(&file, &bytes).unwrap();
        certificate.dataset.as_mut().unwrap().sha256 = Digest::of(&bytes);
        let value = Encoding::from_bits(0x4000);
        let witness = Witness { at: At::Row(0), output: 0, value, neurons: Vec::new() };
        certificate.evidence = Some(roundproof_judge::Evidence::Witness(witness));
        certificate.verdict = Verdict::Refuted;
    });
    for (arguments, code) in [
        ("certificate.json", 4),
        ("certificate.json --expect refuted", 0),
        ("certificate.json --expect refuted --require paths=all,rows=2", 0),
        ("certificate.json --expect refuted --require rows=3", 5),
    ] {
        let (found, stdout, stderr) = run(folder.path(), arguments);
        assert_eq!(found, Some(code), "{arguments}: {stdout}{stderr}");
        assert!(
            stdout.starts_with(
                "Refuted   certificate.json: row 0, output 0: a path gives 2, the label is 3; what is refuted: on every"
            ),
            "{stdout}"
        );
    }
}

#[test]
fn a_folder_is_its_certificates() {
    let folder = folder();
    let inner = folder.path().join("b/c");
    fs::create_dir_all(&inner).unwrap();
    for name in ["certificate.json", "network.safetensors", "dataset.safetensors"] {
        fs::copy(folder.path().join(name), inner.join(name)).unwrap();
    }
    fs::write(folder.path().join("classes.json"), "{\"classes\": [\"a\", \"b\"]}").unwrap();
    fs::write(folder.path().join("b/list.json"), "[1, 2]").unwrap();
    fs::write(folder.path().join("b/notes.txt"), "not JSON").unwrap();
    let (code, stdout, stderr) = run(folder.path(), ".");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let places: Vec<&str> = stdout.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["Proved    ./b/c/certificate.json", "Proved    ./certificate.json"]);
    // What is damaged is not left out.
    let text = fs::read_to_string(inner.join("certificate.json")).unwrap();
    for damaged in [
        &text[..text.len() / 2],
        "",
        &text.replace("\"schema\": 1", "\"schema\": 2"),
        &text.replace("\"schema\": 1,", ""),
    ] {
        fs::write(inner.join("certificate.json"), damaged).unwrap();
        assert_eq!(run(folder.path(), ".").0, Some(2), "{damaged}");
    }
    fs::remove_file(inner.join("certificate.json")).unwrap();
    let (code, _, stderr) = run(folder.path(), "b .");
    assert_eq!((code, stderr.as_str()), (Some(2), "error: b: has no certificates in it\n"));
}

#[test]
fn each_file_and_each_word_counts() {
    let folder = folder();
    let path = folder.path().join("certificate.json");
    // Any bit of any file.
    for name in ["network.safetensors", "dataset.safetensors"] {
        let file = folder.path().join(name);
        let bytes = fs::read(&file).unwrap();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(&file, changed).unwrap();
            let judged = judge(&path, &mut |_, _| ()).unwrap();
            assert!(matches!(judged.judgement, Judgement::Rejected(Reason::File(_))), "{name} {place}");
            let (code, stdout, _) = run(folder.path(), "certificate.json");
            assert_eq!(code, Some(1));
            assert!(
                stdout.starts_with("rejected  certificate.json: ") && stdout.contains("has the SHA-256"),
                "{stdout}"
            );
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(judge(&path, &mut |_, _| ()), Err(Unreadable::Missing { .. })));
        let (code, stdout, stderr) = run(folder.path(), "certificate.json");
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with("error: certificate.json: names "), "{stderr}");
        fs::write(&file, bytes).unwrap();
    }
    // A file with the right digest, and another network than the evidence is about.
    write(folder.path(), |certificate| {
        let file = folder.path().join("network.safetensors");
        let mut bytes = fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&file, &bytes).unwrap();
        certificate.network.sha256 = Digest::of(&bytes);
    });
    assert!(matches!(judge(&path, &mut |_, _| ()).unwrap().judgement, Judgement::Rejected(Reason::Evidence(_))));
    assert_eq!(run(folder.path(), "certificate.json").0, Some(1));
    // Another size.
    write(folder.path(), |certificate| certificate.claim.shape.parameters += 1);
    assert!(matches!(judge(&path, &mut |_, _| ()).unwrap().judgement, Judgement::Rejected(Reason::Evidence(_))));
    // A witness that is none.
    write(folder.path(), |certificate| {
        let witness = Witness { at: At::Row(0), output: 0, value: FORMAT.zero(), neurons: Vec::new() };
        certificate.evidence = Some(roundproof_judge::Evidence::Witness(witness));
        certificate.verdict = Verdict::Refuted;
    });
    assert!(matches!(judge(&path, &mut |_, _| ()).unwrap().judgement, Judgement::Rejected(Reason::Evidence(_))));
}

#[test]
fn nothing_to_judge_is_not_established_and_the_worst_counts() {
    let folder = folder();
    fs::copy(folder.path().join("certificate.json"), folder.path().join("proved.json")).unwrap();
    for (verdict, code) in [(Verdict::Attested, 3), (Verdict::Unknown, 3), (Verdict::Vacuous, 1)] {
        write(folder.path(), |certificate| {
            certificate.verdict = verdict;
            certificate.evidence = None;
        });
        assert_eq!(run(folder.path(), "certificate.json").0, Some(code), "{verdict}");
        assert_eq!(run(folder.path(), "proved.json certificate.json").0, Some(code), "{verdict}");
        assert_eq!(run(folder.path(), "proved.json nothing.json certificate.json").0, Some(2), "{verdict}");
    }
    fs::write(folder.path().join("empty.json"), "").unwrap();
    let (code, stdout, stderr) = run(folder.path(), "--json empty.json network.safetensors");
    assert_eq!((code, stderr.as_str()), (Some(2), ""));
    assert!(stdout.contains("network.safetensors: is a network, and a certificate is needed"), "{stdout}");
}

#[test]
fn usage_is_no_verdict() {
    let folder = folder();
    for wrong in ["", "--jsom certificate.json", "-x"] {
        let (code, stdout, stderr) = run(folder.path(), wrong);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{wrong}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
    let (code, stdout, _) = run(folder.path(), "--help");
    assert!(code == Some(0) && stdout.contains("Exit codes:"));
    assert!(run(folder.path(), "--version").1.starts_with("roundproof-check "));
    assert_eq!(run(folder.path(), "-- --json").0, Some(2), "a file of that name is not there");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_never_proved() {
    let folder = folder();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut program = Command::new(env!("CARGO_BIN_EXE_roundproof-check"));
    let program = program.arg("certificate.json").current_dir(folder.path()).stdout(writer).stderr(Stdio::null());
    assert_eq!(program.status().unwrap().code(), Some(141));
}
