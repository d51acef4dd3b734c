//! Every refutation of the corpus, judged by a program that shares no code with this one: `scripts/second_judge.py`, plain
//! Python, written from CERTIFICATES.md.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Folder, errors_of_form, validator};

/// What the second judge says of certificates: its exit code, and its lines.
pub fn second_judge(certificates: &[PathBuf]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/second_judge.py");
    let output = Command::new("python3").arg(script).args(certificates).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// The refutations of the corpus, with the networks and data that they are about.
fn refutations() -> (Folder, Vec<PathBuf>) {
    let proofs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proofs").canonicalize().unwrap();
    let folder = Folder::new();
    folder.expect(0, &format!("verify-all {} --filter refutations/ --keep kept", proofs.display()));
    let certificates = folder.files().into_keys().filter(|path| path.extension().is_some_and(|name| name == "json"));
    let certificates = certificates.filter(|path| {
        let certificate: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        certificate["verdict"] == "Refuted"
    });
    let certificates = certificates.collect();
    (folder, certificates)
}

#[test]
fn every_refutation_is_one_for_a_program_that_shares_no_code() {
    let (folder, certificates) = refutations();
    let (code, said) = second_judge(&certificates);
    let refuted = said.lines().filter(|line| line.starts_with("Refuted")).count();
    // Those of approximations need the value of a function: their paths are replayed, and that is all.
    let replayed = said.lines().filter(|line| line.starts_with("not judged") && line.contains("gives that value"));
    assert_eq!((code, refuted + replayed.count()), (3, certificates.len()), "{said}");
    assert!(refuted > 100, "{refuted} of {}", certificates.len());
    let of_form = validator("certificate");
    for path in &certificates {
        let certificate: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(errors_of_form(&of_form, &certificate), Vec::<String>::new(), "{}", path.display());
    }

    // And what is changed is not.
    let judged = |certificate: &Value, beside: &Path| {
        let changed = beside.with_file_name("changed.json");
        std::fs::write(&changed, certificate.to_string()).unwrap();
        second_judge(&[changed])
    };
    let mut rejected = 0;
    for path in certificates.iter().filter(|path| said.contains(&format!("Refuted     {}:", path.display()))).step_by(5)
    {
        let certificate: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut changes: Vec<(&str, Value)> = vec![
            ("/evidence/value", changed_digit(&certificate["evidence"]["value"])),
            ("/network/sha256", json!("0".repeat(64))),
            ("/claim/shape/parameters", json!(0)),
            ("/evidence/output", json!(99)),
        ];
        let path_text = certificate["evidence"]["neurons"][0]["path"].as_str();
        if let Some(text) = path_text
            && certificate["claim"]["model"]["subnormals"] == "gradual"
        {
            let flushed = text.split(' ').next().map(|terms| format!("{terms} RNE; p0 RNE/o"));
            changes.push(("/evidence/neurons/0/path", json!(flushed)));
        }
        if path_text.is_some() && certificate["claim"]["model"]["rounding"] == "any" {
            changes.push(("/claim/model/rounding", json!("toward-zero")));
        }
        assert_eq!(judged(&certificate, path).0, 0, "{}", path.display());
        for (pointer, value) in changes {
            let mut changed = certificate.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let (code, said) = judged(&changed, path);
            assert!([1, 2].contains(&code), "{}: {pointer}: {said}", path.display());
            rejected += 1;
        }
    }
    assert!(rejected > 80, "{rejected} changes were tried");
    drop(folder);
}

/// Another value of the same length.
fn changed_digit(value: &Value) -> Value {
    let text = value.as_str().unwrap();
    let (before, last) = text.split_at(text.len() - 1);
    json!(format!("{before}{}", if last == "0" { "1" } else { "0" }))
}
