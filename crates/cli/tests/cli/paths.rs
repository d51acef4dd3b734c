//! `run` and `show`: values on chosen paths, and a refutation replayed.

use serde_json::Value;

use crate::common::{Folder, message};

const STEPS: &str = "x,y\n0,0\n1,100\n2,0.1\n3,7\n";

fn refuted() -> Folder {
    let folder = Folder::new();
    folder.write("steps.csv", STEPS);
    let run = folder.expect(4, "prove steps.csv -l y -f bfloat16 --strategy telescoping-sum --out out");
    assert!(run.stdout.starts_with("Refuted: "), "{run:?}");
    let witness = "row 2 (line 4), label `y`: expected 0.10009765625, the path gives 0";
    assert!(run.stdout.contains(witness), "{run:?}");
    folder
}

#[test]
fn a_refutation_replays() {
    let folder = refuted();
    let check = folder.expect(4, "check out/certificate.json");
    assert!(check.stdout.starts_with("Refuted   out/certificate.json: row 2, output 0: a path gives 0"), "{check:?}");
    let replay = "run out/network.safetensors out/dataset.safetensors --path out/certificate.json";
    let mut messages = message(&folder.expect(0, replay));
    // The paths of a certificate are those of its own network and data.
    folder.write("other.csv", "x,y\n0,1\n1,2\n");
    folder.expect(0, "prove other.csv -l y -f bfloat16 --out other");
    for (files, certificate) in [("other", "out"), ("other", "other")] {
        let run = format!(
            "run {files}/network.safetensors {files}/dataset.safetensors --path {certificate}/certificate.json"
        );
        messages += &message(&folder.expect(2, &run));
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn weakened_penalties_are_refuted_by_a_path_that_is_not_the_plain_one() {
    let folder = Folder::new();
    folder.write("pair.csv", "x,y\n1,0\n1.0078125,1\n");
    let run = folder.expect(4, "prove pair.csv -l y -f bfloat16 --strategy halved-penalties --out out --json");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let refutation = &report["refutation"];
    let replay = refutation["replay"].as_str().unwrap().strip_prefix("roundproof ").unwrap();
    let run = folder.expect(0, &format!("{replay} --output-format json"));
    let rows: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(rows[0]["row"], refutation["row"]);
    assert_eq!(rows[0]["outputs"][0]["value"], refutation["value"]);
    assert_eq!(rows[0]["equal"], false);
}

#[test]
fn one_path_after_another() {
    let folder = refuted();
    let values = |options: &str| {
        let run =
            folder.expect(0, &format!("run out/network.safetensors steps.csv -l y --output-format csv {options}"));
        run.stdout.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_string()).collect::<Vec<String>>()
    };
    assert_eq!(values(""), ["0", "100", "0", "6.90625"]);
    assert_eq!(values("--rows 1..3"), ["100", "0"]);
    assert_eq!(values("--rows 3,0"), ["6.90625", "0"]);
    assert_eq!(
        values("--mode toward-negative --order right-to-left --fma --rows 3"),
        values("--mode toward-negative --order right-to-left --rows 3")
    );
    assert_eq!(values("--accumulator binary32"), ["0", "100", "0", "6.90625"]);
    for order in ["pairwise", "bias-first", "ascending", "descending", "negative-first", "positive-first"] {
        assert_eq!(values(&format!("--order {order}")).len(), 4);
    }
    assert_eq!(values("--order random --seed 5"), values("--order random --seed 5"), "a seed names a path");
    let seeds: Vec<_> = (0..8).map(|seed| values(&format!("--order random --fma --seed {seed}"))).collect();
    assert!(seeds.iter().any(|values| values != &seeds[0]), "seeds differ: {seeds:?}");
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = refuted();
    folder.write("wide.csv", "a,b,y\n1,2,3\n");
    let mut messages = String::new();
    for arguments in [
        "run out/network.safetensors wide.csv -l y",
        "run out/network.safetensors steps.csv -l y --rows 2..9",
        "run out/network.safetensors steps.csv -l y --rows 4..2",
        "run out/network.safetensors steps.csv -l y --order pairwise --path out/certificate.json",
        "run out/network.safetensors steps.csv -l y --order pairwize",
        "run out/network.safetensors steps.csv -l y --mode up",
        "run out/network.safetensors steps.csv -l y --accumulator binary16",
        "run out/network.safetensors steps.csv -l y --accumulator binary32/sature",
        "run out/network.safetensors out/dataset.safetensors -l y",
        "run out/network.safetensors out/network.safetensors",
        "run out/dataset.safetensors out/dataset.safetensors",
        "run steps.csv out/dataset.safetensors",
        "show steps.csv",
        "show nothing.safetensors",
    ] {
        messages += &format!("$ roundproof {arguments}\n{}\n", message(&folder.expect(2, arguments)));
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn files_are_shown() {
    let folder = refuted();
    let mut shown = String::new();
    for file in ["network.safetensors", "dataset.safetensors", "certificate.json"] {
        shown += &folder.expect(0, &format!("show out/{file}")).stdout;
        let json = folder.expect(0, &format!("show out/{file} --json")).stdout;
        assert!(serde_json::from_str::<Value>(&json).unwrap()["sha256"].is_string());
    }
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>"), (r"z3: .*", "z3: <version>")] }, {
        insta::assert_snapshot!(shown);
    });
}
