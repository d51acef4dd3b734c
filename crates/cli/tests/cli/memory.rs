//! What `verify-all` remembers of earlier runs, and what it does not.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::common::{Folder, errors_of_form, program, validator};
use crate::verify_all::corpus;

/// The program, with a memory in the folder.
fn with_memory(folder: &Folder, arguments: &str) -> Command {
    let mut program = program();
    program.env_remove("CI").env("ROUNDPROOF_CACHE", folder.path("memory"));
    program.args(arguments.split(' ')).current_dir(folder.path("."));
    program
}

const ALL: &str = "verify-all --filter rows/ --filter sum/ --json";

/// The names of what was proved, and of what was remembered.
fn run(folder: &Folder, arguments: &str) -> [Vec<String>; 2] {
    let output = with_memory(folder, arguments).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(errors_of_form(&validator("verify-all"), &report), Vec::<String>::new());
    let rows = report["obligations"].as_array().unwrap();
    let named = |remembered: bool| {
        let rows = rows.iter().filter(|row| row["remembered"] == remembered);
        rows.map(|row| row["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let all = [named(false), named(true)];
    assert_eq!(report["remembered"], all[1].len());
    for row in rows {
        let right = if row["name"].as_str().unwrap().starts_with("refutations") { "Refuted" } else { "Proved" };
        assert_eq!((&row["verdict"], &row["as_expected"]), (&right.into(), &true.into()), "{row}");
    }
    all
}

/// How many results were proved, and how many remembered.
fn counts(folder: &Folder, arguments: &str) -> (usize, usize) {
    let [proved, remembered] = run(folder, arguments);
    (proved.len(), remembered.len())
}

/// Every file of the memory.
fn entries(folder: &Folder) -> Vec<PathBuf> {
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = below(folder.path("memory")).flat_map(below).collect();
    files.sort();
    files
}

#[test]
fn what_has_not_changed_is_not_proved_again() {
    let folder = corpus();
    assert_eq!(counts(&folder, ALL), (6, 0));
    assert_eq!(counts(&folder, ALL), (0, 6));
    // Another path to the same claims, and fewer of them.
    assert_eq!(counts(&folder, "verify-all proofs --filter rows/step --json"), (0, 2));
    // What is remembered is held against the record and the folder as what is proved is.
    folder.expect(0, "verify-all --filter rows/ --filter sum/ --bless");
    assert_eq!(counts(&folder, ALL), (0, 6));
    let file = "proofs/theorems/rows/record.json";
    let text = String::from_utf8(folder.read(file)).unwrap();
    folder.write(file, text.replacen("\"rows\": 2", "\"rows\": 3", 1));
    let output = with_memory(&folder, "verify-all --filter rows/").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("`3` on record, `2` found") && told.contains("4 remembered from earlier runs"), "{told}");
}

#[test]
fn what_has_changed_is_proved_again_and_nothing_else_is() {
    let folder = corpus();
    assert_eq!(counts(&folder, ALL), (6, 0));
    folder.write("proofs/theorems/rows/data.csv", "x,y\n1,2\n3,5\n");
    let [proved, remembered] = run(&folder, ALL);
    assert!(proved.iter().all(|name| name.starts_with("theorems/rows/")) && proved.len() == 4, "{proved:?}");
    assert!(remembered.iter().all(|name| name.starts_with("refutations/sum/")) && remembered.len() == 2);
    let claim = "proofs/refutations/sum/claim.toml";
    let text = String::from_utf8(folder.read(claim)).unwrap();
    folder.write(claim, text.replace("paths = \"all\"", "paths = \"paper\""));
    let [proved, _] = run(&folder, ALL);
    assert!(proved.iter().all(|name| name.starts_with("refutations/sum/")) && proved.len() == 2, "{proved:?}");
    // What was there before is still known.
    folder.write(claim, text);
    folder.write("proofs/theorems/rows/data.csv", "x,y\n1,2\n3,4\n");
    assert_eq!(counts(&folder, ALL), (0, 6));
}

#[test]
fn nothing_is_remembered_where_that_is_not_wanted() {
    let folder = corpus();
    assert_eq!(counts(&folder, ALL), (6, 0));
    assert_eq!(counts(&folder, &format!("{ALL} --fresh")), (6, 0));
    assert_eq!(counts(&folder, &format!("{ALL} --keep kept")), (6, 0));
    assert!(folder.path("kept/theorems/rows/relu.bfloat16.json").exists());
    let output = with_memory(&folder, ALL).env("CI", "true").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["remembered"], 0);
    assert_eq!(counts(&folder, ALL), (0, 6));
}

/// What is not whole, or lies in another's place, or says what it was not asked, is passed over.
#[test]
fn a_damaged_memory_is_passed_over() {
    let folder = corpus();
    assert_eq!(counts(&folder, ALL), (6, 0));
    let files = entries(&folder);
    assert_eq!(files.len(), 6);
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let restore = || files.iter().zip(&texts).for_each(|(file, text)| fs::write(file, text).unwrap());
    let damage = |change: &dyn Fn(usize, &str) -> String| {
        files.iter().enumerate().for_each(|(place, file)| fs::write(file, change(place, &texts[place])).unwrap());
        assert_eq!(counts(&folder, ALL), (6, 0));
        restore();
        assert_eq!(counts(&folder, ALL), (0, 6));
    };
    damage(&|_, text| text[..text.len() / 2].to_string());
    damage(&|_, _| String::new());
    damage(&|_, text| {
        text.replace("Proved", "Refuted").replace("Attested", "Proved").replace("\"wrong_rows\":0", "\"wrong_rows\":1")
    });
    damage(&|place, _| texts[(place + 1) % texts.len()].clone());
    damage(&|_, text| text.replacen("\"sha256\":\"", "\"sha256\":\"0", 1));
    // A folder in the place of a file stays, and what cannot be filed is proved each time.
    fs::remove_file(&files[0]).unwrap();
    fs::create_dir(&files[0]).unwrap();
    assert_eq!(counts(&folder, ALL), (1, 5));
    assert_eq!(counts(&folder, ALL), (1, 5));
}

#[test]
fn runs_at_once_and_runs_that_are_killed_leave_a_whole_memory() {
    let folder = corpus();
    for wait in [1, 5, 20, 60, 150] {
        let mut runs: Vec<_> = (0..2)
            .map(|_| with_memory(&folder, ALL).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
            .collect();
        sleep(Duration::from_millis(wait));
        for run in &mut runs {
            let _ = run.kill();
            run.wait().unwrap();
        }
        let (proved, remembered) = counts(&folder, ALL);
        assert_eq!(proved + remembered, 6);
        assert_eq!(counts(&folder, ALL), (0, 6));
        let _ = fs::remove_dir_all(folder.path("memory"));
    }
}
