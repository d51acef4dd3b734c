//! Decision trees that are grown, compiled and proved; limited ones, which name the rows that they miss; and meddling.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::{Folder, Run, tensors, tolerance};

const PROVE: &str = "prove iris.csv -l class -f bfloat16 -s tree --out out";

#[test]
fn every_row_of_every_table_and_every_input_beside() {
    let mut summary = String::new();
    for data in ["iris", "wine", "digits"] {
        let folder = Folder::with(&format!("{data}.csv"));
        for activation in ["relu", "step"] {
            let report = folder.expect_json(
                0,
                &format!("prove {data}.csv -l class -f bfloat16 -s tree -a {activation} --out {activation}"),
            );
            assert_eq!((&report["verdict"], &report["evidence"]), (&json!("Proved"), &json!("box-network")));
            assert_eq!((tolerance(&report), &report["claim"]["exceptions"]), ("0", &json!([])));
            let (parameters, reference) = (&report["claim"]["shape"]["parameters"], &report["reference_parameters"]);
            writeln!(summary, "{data}, {activation}: {parameters} parameters, the reference {reference}").unwrap();
            writeln!(summary, "  {}", report["claim"]["sentence"].as_str().unwrap()).unwrap();
            folder.expect(0, &format!("check {activation}/certificate.json"));
            let run = folder.expect(0, &format!("run {activation}/network.safetensors {data}.csv -l class --rows 0.."));
            assert!(!run.stdout.contains("differs"), "{run:?}");
        }
    }
    insta::assert_snapshot!(summary);
}

#[test]
fn the_same_tree_gives_the_same_files() {
    let folder = Folder::with("iris.csv");
    folder.expect(0, PROVE);
    let before = folder.files();
    folder.expect(0, &format!("{PROVE} --threads 1"));
    assert!(folder.files() == before, "the same bytes");
}

#[test]
fn a_limited_tree_claims_which_rows_it_misses() {
    let folder = Folder::with("digits.csv");
    let arguments = "prove digits.csv -l class -f bfloat16 -s tree --max-leaves 100 --out out";
    let report = folder.expect_json(0, arguments);
    assert_eq!(
        report["claim"]["sentence"],
        "on every rounding path (all: any direction for each rounding, additions in any order, products fused or not, \
         overflow to infinity, gradual underflow), every finite input gives exactly the value of a tree with 100 leaves, \
         the sign of a zero aside; that is the label of 1744 of 1797 rows"
    );
    let run = folder.expect(0, arguments);
    assert!(run.stdout.contains("  other rows  line 6, line 39, "), "{run:?}");
    assert!(run.stdout.contains(", and 33 more\n"), "{run:?}");
    let run = folder.expect(0, "check out/certificate.json");
    assert!(run.stdout.contains("that is the label of 1744 of 1797 rows (bfloat16, 1797 rows, "), "{run:?}");

    // The rows that are named are those that a computation misses, and no others.
    let exceptions = folder.json("out/certificate.json")["claim"]["exceptions"].clone();
    assert_eq!(exceptions, report["claim"]["exceptions"]);
    let run = folder.expect(0, "run out/network.safetensors out/dataset.safetensors --output-format json --fma");
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let missed: Vec<&Value> = rows.iter().filter(|row| row["equal"] == false).map(|row| &row["row"]).collect();
    assert_eq!((rows.len(), missed.len()), (1797, 53));
    assert_eq!(exceptions.as_array().unwrap().iter().collect::<Vec<_>>(), missed);
}

#[test]
fn limits_and_their_absence() {
    let folder = Folder::with("iris.csv");
    let leaves = |options: &str| {
        let report = folder.expect_json(0, &format!("prove iris.csv -l class -f bfloat16 -s tree {options}"));
        (
            report["claim"]["outputs"]["leaves"].as_u64().unwrap(),
            report["claim"]["exceptions"].as_array().unwrap().len(),
        )
    };
    assert_eq!(leaves("--max-leaves 1"), (1, 100));
    assert_eq!(leaves("--max-leaves 3"), (3, 6));
    assert_eq!(leaves("--max-leaves 1000"), leaves(""));
    assert_eq!(leaves("--min-rows 151"), (1, 100));
    assert!(leaves("--min-rows 5").0 < leaves("").0);
    let (found, missed) = leaves("--optimize 0.2 --seed 3");
    assert!(found <= leaves("").0 && missed == 0);
}

#[test]
fn what_does_not_go_together_is_refused_and_leaves_nothing() {
    let folder = Folder::with("iris.csv");
    let mut messages = String::new();
    for (code, options) in [
        (2, "-f float8_e5m2 -s tree"),
        (2, "-f float4_e2m1fn -s tree"),
        (2, "-f bfloat16 --max-leaves 3"),
        (2, "-f bfloat16 --min-rows 3 -s point"),
        (2, "-f bfloat16 --optimize 3 -s halved-penalties"),
        (2, "-f bfloat16 -s tree --max-leaves 0"),
        (2, "-f bfloat16 -s tree --optimize -1"),
        (2, "-f bfloat16 -s tree --seed 1"),
        (2, "-f bfloat16 -s tree --evidence paths"),
        (2, "-f bfloat16 -s tree -l petal_length"),
    ] {
        let run = folder.expect(code, &format!("prove iris.csv -l class {options} --out out"));
        assert!(run.stdout.is_empty() && !folder.path("out").exists(), "{run:?}");
        writeln!(messages, "{options}\n{}", run.stderr).unwrap();
    }
    insta::assert_snapshot!(messages);
    // What is not covered by the rule is not established, and says so.
    let run = folder.expect(3, "prove iris.csv -l class -s tree -f bfloat16 --paths all,subnormals=flush --out out");
    assert!(run.stdout.starts_with("Unknown: the kernel rejected the evidence"), "{run:?}");
    assert!(run.stdout.contains("subnormals may be flushed"), "{run:?}");
    let run = folder.expect(3, "check out/certificate.json");
    assert!(run.stdout.starts_with("not established  out/certificate.json: Unknown"), "{run:?}");
    // Or it is false, and a path says so.
    let run = folder.expect(4, "prove iris.csv -l class -s tree -f float8_e4m3fn --paths all,overflow=nan --out out");
    assert!(
        run.stdout.starts_with("Refuted: on the path below, the network gives another value than is claimed"),
        "{run:?}"
    );
    assert!(run.stdout.contains("under overflow=nan the sum may exceed the largest value"), "{run:?}");
    assert!(run.stdout.contains("the path gives nan\n             the tree gives 0\n"), "{run:?}");
    assert!(
        folder.expect(4, "check out/certificate.json").stdout.starts_with("Refuted   out/certificate.json: at x0 = ")
    );
    folder.expect(0, "explain out/certificate.json");
    folder.expect(0, "run out/network.safetensors --path out/certificate.json");
    for options in ["-f F(8)", "-f bfloat16 --paths all,accumulator=binary32", "-f bfloat16 --paths paper"] {
        folder.expect(0, &format!("prove iris.csv -l class -s tree {options} --out out"));
        folder.expect(0, "check out/certificate.json");
    }
}

fn proved() -> Folder {
    let folder = Folder::with("iris.csv");
    folder.expect(0, &format!("{PROVE} --max-leaves 4"));
    folder
}

#[track_caller]
fn rejected(run: &Run, why: &str) {
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("rejected  out/certificate.json: ") && run.stdout.contains(why), "{why}: {run:?}");
}

#[test]
fn any_byte_that_changed_is_noticed() {
    let folder = proved();
    for name in ["network", "forest", "dataset"] {
        let file = format!("out/{name}.safetensors");
        let bytes = folder.read(&file);
        for place in (0..bytes.len()).step_by(1 + bytes.len() / 16) {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            folder.write(&file, changed);
            rejected(&folder.run("check out/certificate.json"), &format!("{name}.safetensors has the SHA-256"));
        }
        folder.write(&file, bytes);
    }
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn every_number_of_the_forest_matters_though_the_digest_is_right() {
    let folder = proved();
    let bytes = folder.read("out/forest.safetensors");
    let columns = tensors(&bytes)["columns"].0.clone();
    let is_leaf = |node: usize| bytes[columns.clone()][4 * node..][..4] == [0xff; 4];
    let mut reasons = std::collections::BTreeSet::new();
    for (name, (range, size)) in tensors(&bytes) {
        for element in 0..range.len() / size {
            // One unit in the last place; another input; another start.
            let mut changed = bytes.clone();
            changed[range.start + element * size] ^= 1;
            let run = folder.check_resealed("forest.safetensors", &changed);
            assert!(run.code == 1 || run.code == 2, "{name} {element}: {run:?}");
            let reading = name == "starts" || (is_leaf(element) && ["columns", "thresholds"].contains(&name.as_str()));
            assert_eq!(run.code == 2, reading, "{name} {element}: {run:?}");
            let text = format!("{}{}", run.stdout, run.stderr);
            reasons.insert(format!("{name}: {}", text.split_once(": ").unwrap().1.trim_end()));
        }
    }
    insta::assert_snapshot!(reasons.into_iter().collect::<Vec<_>>().join("\n"));
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn every_number_of_the_network_and_the_data_matters_too() {
    let folder = proved();
    let bytes = folder.read("out/network.safetensors");
    for (name, (range, size)) in tensors(&bytes) {
        for element in 0..range.len() / size {
            let mut changed = bytes.clone();
            changed[range.start + element * size] ^= 1;
            let run = folder.check_resealed("network.safetensors", &changed);
            assert!(run.code == 1 || run.code == 2, "{name} {element}: {run:?}");
        }
    }
    // A label that changed makes a right row wrong.
    let bytes = folder.read("out/dataset.safetensors");
    let (labels, size) = tensors(&bytes)["labels"].clone();
    let exceptions = folder.json("out/certificate.json")["claim"]["exceptions"].clone();
    let missed = |row: usize| exceptions.as_array().unwrap().contains(&row.into());
    for row in (0..150).filter(|&row| !missed(row)) {
        let mut changed = bytes.clone();
        changed[labels.start + row * size] ^= 1;
        let run = folder.check_resealed("dataset.safetensors", &changed);
        rejected(&run, "row");
    }
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn every_change_of_the_claim_is_rejected() {
    let folder = proved();
    let certificate = folder.json("out/certificate.json");
    let exceptions: Vec<Value> = certificate["claim"]["exceptions"].as_array().unwrap().clone();
    assert_eq!(exceptions.len(), 4);
    let mut changes: Vec<(&str, Value)> = vec![
        ("/claim/exceptions", json!([])),
        ("/claim/exceptions", json!(exceptions[1..])),
        ("/claim/exceptions", json!(exceptions[..3])),
        ("/claim/exceptions", json!([[0].map(Value::from).to_vec(), exceptions.clone()].concat())),
        ("/claim/exceptions", json!([exceptions.clone(), vec![150.into()]].concat())),
        ("/claim/exceptions", json!(exceptions.iter().rev().collect::<Vec<_>>())),
        ("/claim/exceptions", json!([exceptions.clone(), vec![exceptions[3].clone()]].concat())),
        ("/claim/tolerance", json!("-1")),
        ("/claim/tolerance", json!("1/0")),
        ("/claim/trees", json!(2)),
        ("/claim/leaves", json!(5)),
        ("/claim/shape/rows", json!(149)),
        ("/claim/shape/parameters", json!(16)),
        ("/claim/format", json!("binary16")),
        ("/claim/model/subnormals", json!("flush")),
        ("/claim/property", json!("memorizes")),
        ("/forest", Value::Null),
        ("/dataset", Value::Null),
        ("/verdict", json!("Refuted")),
        ("/evidence/kind", json!("paths")),
    ];
    let separator = certificate["evidence"]["separator"].as_str().unwrap();
    changes.push(("/evidence/separator", json!(separator.replacen(' ', " #0 ", 1))));
    changes.push(("/evidence/separator", json!(separator.rsplit_once(' ').unwrap().0)));
    changes.push(("/evidence/separator", json!(separator.replace("+0", "+1"))));
    changes.push(("/evidence/separator", json!(separator.replace("#1", "#0"))));
    changes.push(("/evidence/separator", json!(separator.replacen(":0x", ":0x0", 1))));
    changes.push(("/evidence/separator", json!(separator.replacen("2:", "3:", 1))));
    let mut messages = String::new();
    for (pointer, value) in changes {
        let run = folder.check_with(pointer, value.clone());
        assert!(run.code == 1 || run.code == 2, "{pointer} {value}: {run:?}");
        writeln!(messages, "{pointer} = {value}\n  {} {}{}", run.code, run.stdout, run.stderr).unwrap();
    }
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>")] }, { insta::assert_snapshot!(messages) });
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn a_certificate_moves_with_its_files_and_not_without() {
    let folder = proved();
    std::fs::rename(folder.path("out"), folder.path("elsewhere")).unwrap();
    folder.expect(0, "check elsewhere/certificate.json");
    let report = folder.expect_json(0, "check elsewhere/certificate.json");
    assert_eq!((&report[0]["verdict"], &report[0]["status"]), (&json!("Proved"), &json!("accepted")));
    std::fs::remove_file(folder.path("elsewhere/forest.safetensors")).unwrap();
    let run = folder.expect(2, "check elsewhere/certificate.json");
    assert!(run.stderr.contains("names elsewhere/forest.safetensors, which cannot be read beside it"), "{run:?}");
}

#[test]
fn a_file_in_the_place_of_another_is_told_what_it_is() {
    let folder = proved();
    for (arguments, message) in [
        (
            "run out/forest.safetensors iris.csv -l class",
            "out/forest.safetensors: is a forest, and a network is needed",
        ),
        (
            "run out/network.safetensors out/forest.safetensors",
            "out/forest.safetensors: is a forest, and a data set is needed",
        ),
        ("check out/network.safetensors", "out/network.safetensors: is a network, and a certificate is needed"),
        (
            "prove out/forest.safetensors -l class -f bfloat16",
            "out/forest.safetensors: is not a table; a CSV with a header",
        ),
    ] {
        let run = folder.expect(2, arguments);
        assert!(run.stdout.is_empty() && run.stderr.starts_with(&format!("error: {message}")), "{run:?}");
    }
}

#[test]
fn a_tree_is_shown() {
    let folder = proved();
    let texts = ["network", "forest", "dataset"].map(|name| {
        let file = format!("out/{name}.safetensors");
        let shown = folder.expect_json(0, &format!("show {file}"));
        assert_eq!(shown["kind"], if name == "dataset" { "data-set" } else { name });
        folder.expect(0, &format!("show {file}")).stdout
    });
    let certificate = folder.expect(0, "show out/certificate.json").stdout;
    let lines = certificate.lines().filter(|line| !line.contains("leans on") && !line.contains("provenance"));
    let text = texts.join("\n") + "\n" + &lines.collect::<Vec<_>>().join("\n");
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>")] }, { insta::assert_snapshot!(text) });
}
