//! `audit`: verdicts about models of other tools, and what is refused.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Folder, Run, program, tensors};

/// A folder with models and the rows that belong to them.
fn folder(names: &[&str]) -> Folder {
    let folder = Folder::new();
    for name in names.iter().chain(&["digits-test.npz"]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/onnx").join(name);
        folder.write(name, std::fs::read(path).expect(name));
    }
    folder
}

#[test]
fn rows_are_judged() {
    let folder = folder(&["mlp-64-64-10.onnx"]);
    let audit = "audit mlp-64-64-10.onnx --data digits-test.npz --label y --rows 0..4";
    let report = folder.expect_json(0, &format!("{audit} --paths portable"));
    assert_eq!(report["summary"][0]["invariant"], 4);
    assert!(report["not_covered"].as_str().is_some_and(|text| text.contains("TF32")));
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    let is_far = |row: &Value| row["margin"]["ratio"].as_f64() > Some(1000.0);
    assert!(rows.iter().all(|row| row["verdict"] == "invariant" && row["paths"] == "portable" && is_far(row)));
    // No two paths have to give the same bits.
    let text = folder.expect(3, &format!("{audit} --decision bits --paths all")).stdout;
    assert!(text.contains("row 0: undecided under all: two paths may differ by"), "{text}");
    assert!(text.contains("0 of 4 rows are invariant under all (rounding=any, order=any"), "{text}");
    assert!(folder.expect(0, "paths").stdout.contains("portable"));
}

/// Without --paths, the named ones stand beside `portable`, which counts; each verdict has the names of its path models.
#[test]
fn path_models_stand_side_by_side() {
    let folder = folder(&["mlp-64-64-10-bfloat16.onnx"]);
    let audit = "audit mlp-64-64-10-bfloat16.onnx --data digits-test.npz --label y --rows 112..115";
    let run = folder.expect(3, audit);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let begins = "row 112: invariant 5 under portable, once, nearest, all, the label; the margin is at least";
    assert!(lines[0].starts_with(begins), "{run:?}");
    assert!(lines[2].starts_with("row 114: undecided under portable: element 8 is "), "{run:?}");
    assert!(lines[3].starts_with("row 114: invariant 8 under once, nearest, all, not the label; "), "{run:?}");
    let report = folder.expect_json(3, audit);
    let summary = report["summary"].as_array().expect("a summary for each path model");
    let told = summary.iter().map(|it| (it["paths"]["name"].as_str(), it["asked"].as_bool(), it["invariant"].as_u64()));
    let told: Vec<_> = told.map(|(name, asked, count)| (name.expect("a name"), asked == Some(true), count)).collect();
    assert_eq!((told[0], told.len()), (("portable", true, Some(2)), 4));
    assert!(told[1..].iter().all(|(_, asked, _)| !asked));
    assert_eq!(summary[2]["paths"]["fields"]["copies"], "one");
    // What is required is about those that were asked for.
    for (arguments, code) in [
        ("--require invariant=2", 0),
        ("--require invariant=66%,rows=3", 0),
        ("--require invariant=67%", 5),
        ("--require invariant=all", 5),
        ("--require paths=portable", 3),
        ("--paths portable --paths nearest --require invariant=all", 5),
        ("--paths portable --paths nearest --require paths=nearest,invariant=all", 0),
        ("--paths nearest --require paths=portable,invariant=all", 5),
        ("--paths nearest --require property=decides,format=bfloat16,invariant=all,rows=4", 5),
        ("--paths nearest", 0),
        ("--paths nearest --paths portable", 3),
    ] {
        let run = folder.expect(code, &format!("{audit} {arguments}"));
        assert_eq!(run.stdout.contains("\n  but "), code == 5, "{arguments}: {run:?}");
    }
}

#[test]
fn places_have_names() {
    let folder = folder(&["mlp-64-64-10.onnx"]);
    let audit = "audit mlp-64-64-10.onnx --data digits-test.npz --label y --rows 0 --paths portable";
    folder.write("names.txt", "nought\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n");
    let report = folder.expect_json(0, &format!("{audit} --labels names.txt"));
    assert_eq!((&report["rows"][0]["names"][0], &report["rows"][0]["right"]), (&json!("three"), &json!(true)));
    folder.write("few.txt", "nought\none\n");
    let run = folder.expect(2, &format!("{audit} --labels few.txt"));
    assert!(run.stderr.contains("few.txt: has 2 names, and the output of the model has 10 places"), "{run:?}");
    let run = folder.expect(2, &format!("{audit} --labels names.txt --decision sign"));
    assert!(run.stderr.contains("--labels"), "{run:?}");
    // A model of scores decides no label.
    let run = folder.expect(2, &format!("{audit} --decision label"));
    assert!(run.stderr.contains("gives scores and no label"), "{run:?}");
}

#[test]
fn what_is_refused_is_said() {
    let folder = folder(&["mlp-64-64-10.onnx", "digits-mlp.onnx"]);
    for (arguments, said) in [
        ("nothing.onnx --data digits-test.npz", "cannot be read"),
        ("mlp-64-64-10.onnx --data digits-test.npz", "has 65 input columns"),
        ("mlp-64-64-10.onnx --data digits-test.npz --paths portible", "did you mean `portable`?"),
        ("mlp-64-64-10.onnx --data digits-test.npz --label y --paths all,subnormals=flush", "not covered"),
        (
            "mlp-64-64-10.onnx --data digits-test.npz --label y --paths all,functions=none.json",
            "none.json\" cannot be read",
        ),
        ("mlp-64-64-10.onnx --data digits-test.npz --label y --rows 5000", "there is no row 5000"),
        ("digits-mlp.onnx --data digits-test.npz --label y", "Softmax"),
    ] {
        let run = folder.expect(2, &format!("audit {arguments}"));
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{arguments}: {}", run.stderr);
    }
}

const AUDIT: &str = "audit mlp-64-64-10-bfloat16.onnx --data digits-test.npz --label y";

/// What `check` says of `out`, with one text of its certificate replaced by another.
fn changed(folder: &Folder, from: &str, to: &str) -> Run {
    let certificate = String::from_utf8(folder.read("out/certificate.json")).expect("text");
    let text = certificate.replacen(from, to, 1);
    assert_ne!(text, certificate, "{from}");
    folder.write("out/certificate.json", text);
    let run = folder.run("check out");
    folder.write("out/certificate.json", certificate);
    run
}

#[test]
fn certificates_are_judged_again_and_every_change_is_seen() {
    let folder = folder(&["mlp-64-64-10-bfloat16.onnx"]);
    let run = folder.expect(3, &format!("{AUDIT} --rows 110..118 --paths portable --paths nearest --out out"));
    assert!(run.stdout.contains("7 of 8 rows are invariant under portable"), "{run:?}");
    assert_eq!(folder.files().keys().filter(|path| path.starts_with(folder.path("out"))).count(), 3);
    // Undecided rows are no fault if nothing else is required.
    for (arguments, code) in [
        ("", 3),
        ("--require invariant=7", 0),
        ("--require invariant=all", 5),
        ("--require paths=once,invariant=87.5%,rows=8,format=bfloat16,property=decides", 0),
        ("--require paths=nearest,invariant=all", 0),
        ("--require paths=all", 5),
        ("--require exceptions=0", 5),
        ("--expect refuted", 5),
    ] {
        let run = folder.expect(code, &format!("check out {arguments}"));
        assert!(
            run.stdout.starts_with("Undecided  out/certificate.json: 7 of 8 rows are invariant under portable"),
            "{run:?}"
        );
    }
    let report = folder.expect_json(3, "check out");
    assert_eq!(report[0]["audit"]["audits"][1]["invariant"], 8);
    assert!(report[0]["audit"]["not_covered"].as_str().is_some_and(|text| text.contains("TF32")));
    let digest = report[0]["files"][0]["sha256"].as_str().expect("a digest").to_string();
    folder.expect(0, &format!("check out --require graph={digest},invariant=7"));

    let certificate = String::from_utf8(folder.read("out/certificate.json")).expect("text");
    let at = certificate.find("\"verdicts\": \"").expect("verdicts") + "\"verdicts\": \"".len();
    let words: Vec<&str> = certificate[at..].split('"').next().expect("words").split(' ').collect();
    let undecided = words.iter().position(|word| *word == "-").expect("a row that is undecided");
    let with = |index: usize, word: &str| {
        let mut words = words.clone();
        words[index] = word;
        words.join(" ")
    };
    let verdicts = words.join(" ");
    // More than the rule gives, less than it gives, another answer.
    let more =
        certificate.replacen(&verdicts, &with(undecided, "8"), 1).replacen("\"invariant\": 7", "\"invariant\": 8", 1);
    let less = certificate.replacen(&verdicts, &with(0, "-"), 1).replacen("\"invariant\": 7", "\"invariant\": 6", 1);
    for text in [more, less, certificate.replacen(&verdicts, &with(0, "9,1"), 1)] {
        folder.write("out/certificate.json", text);
        let run = folder.expect(1, "check out");
        assert!(run.stdout.starts_with("rejected  out/certificate.json: row 11"), "{run:?}");
        assert!(
            run.stdout.contains("under portable: the certificate says") && run.stdout.contains("the rule gives"),
            "{run:?}"
        );
    }
    folder.write("out/certificate.json", &certificate);
    for (from, to, code) in [
        ("\"inputs\": 64", "\"inputs\": 63", 1),
        ("\"tensor\": ", "\"tensor\": 9", 1),
        ("\"ties\": \"any\"", "\"ties\": \"last\"", 2),
        ("\"copies\": \"per-reader\"", "\"copies\": \"one\"", 1),
        ("\"operands\": \"exact\"", "\"operands\": \"exactly\"", 2),
        ("\"sha256\": \"", "\"sha256\": \"0", 2),
        ("\"provenance\"", "\"checked\": 1, \"provenance\"", 2),
        ("bugs.", "and no bugs.", 2),
    ] {
        let run = changed(&folder, from, to);
        assert_eq!(run.code, code, "{to}: {run:?}");
    }
    // A weight, an input, another number of a row, a byte behind the end: another file.
    for name in ["graph", "rows"] {
        let file = format!("out/{name}.safetensors");
        let bytes = folder.read(&file);
        let mut others = vec![[&bytes[..], b"x"].concat(), bytes.clone()];
        *others[1].last_mut().expect("bytes") ^= 1;
        for other in others {
            folder.write(&file, other);
            let run = folder.expect(1, "check out");
            assert!(run.stdout.contains("has the SHA-256"), "{run:?}");
        }
        folder.write(&file, &bytes);
    }
    // Even if the certificate has its digest: verdicts are about the values.
    for (name, field) in [("graph", "graph"), ("rows", "dataset")] {
        let (file, mut rejected) = (format!("out/{name}.safetensors"), 0);
        let bytes = folder.read(&file);
        let places: Vec<(String, (std::ops::Range<usize>, usize))> = tensors(&bytes).into_iter().collect();
        for (tensor, (place, size)) in &places {
            if tensor == "numbers" {
                continue;
            }
            let mut other = bytes.clone();
            // The sign of many of its values.
            for at in (place.start + size - 1..place.end).step_by(*size) {
                other[at] ^= 0x80;
            }
            let mut sealed: Value = serde_json::from_str(&certificate).expect("JSON");
            sealed[field]["sha256"] = roundproof_files::Digest::of(&other).to_string().into();
            folder.write(&file, other);
            folder.write("out/certificate.json", sealed.to_string());
            rejected += usize::from(folder.run("check out").code == 1);
        }
        assert!(rejected > 0, "{file}");
        folder.write(&file, &bytes);
    }
}

/// The parts together are the whole, byte for byte; what are no parts of one audit is said.
#[test]
fn parts_are_merged() {
    let folder = folder(&["mlp-64-64-10-bfloat16.onnx"]);
    let audit = format!("{AUDIT} --rows 100..120,3 --paths portable");
    folder.expect(3, &format!("{audit} --out out/whole"));
    for part in 1..=3 {
        folder.run(&format!("{audit} --shard {part}/3 --out out/{part}"));
    }
    folder.expect(0, "merge out/3 out/1/certificate.json out/2 --out out/merged");
    for file in ["certificate.json", "graph.safetensors", "rows.safetensors"] {
        assert!(folder.read(&format!("out/whole/{file}")) == folder.read(&format!("out/merged/{file}")), "{file}");
    }
    folder.expect(0, "check out/merged --require rows=21,invariant=20");
    folder.expect(0, &format!("{AUDIT} --rows 0 --paths nearest --out out/other"));
    for (parts, said) in [
        ("out/1 out/1", "both have row"),
        ("out/1 out/whole", "both have row"),
        ("out/1 out/other", "the path models is not the same"),
        ("out/1 out/nothing", "cannot be read"),
        ("out/1 digits-test.npz", "digits-test.npz"),
    ] {
        let run = folder.expect(2, &format!("merge {parts} --out out/wrong"));
        assert!(run.stderr.contains(said) && !folder.path("out/wrong").exists(), "{parts}: {run:?}");
    }
}

/// An audit that is interrupted keeps what it judged, and goes on from there.
#[cfg(unix)]
#[test]
fn an_interrupted_audit_goes_on() {
    let folder = folder(&["mlp-64-64-10-bfloat16.onnx"]);
    let whole = folder.expect(3, &format!("{AUDIT} --out whole"));
    // Nobody reads what it prints: it waits there until it is ended.
    let mut child = program();
    child.args(format!("{AUDIT} --json --out out").split(' ')).current_dir(folder.path("."));
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let unfinished = folder.path("out/unfinished.jsonl");
    let lines = || std::fs::read_to_string(&unfinished).map_or(0, |text| text.lines().count());
    while lines() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("interrupted: out/unfinished.jsonl has what was done so far"), "{said}");
    let kept = lines();
    assert!(kept > 1 && kept < 360 && !folder.path("out/certificate.json").exists());
    // Half a line, as from a machine that was switched off.
    let mut text = folder.read("out/unfinished.jsonl");
    text.extend(b"[{\"row\":");
    folder.write("out/unfinished.jsonl", &text);
    for (arguments, said) in [
        (format!("{AUDIT} --out out"), "--resume goes on with it"),
        (format!("{AUDIT} --out out --resume --paths all"), "the path models was"),
        (format!("{AUDIT} --out out --resume --rows 0..300"), "the rows was"),
        (format!("{AUDIT} --out out --resume --decision top-2"), "the decision was"),
    ] {
        let run = folder.expect(2, &arguments);
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{arguments}: {run:?}");
    }
    let run = folder.expect(3, &format!("{AUDIT} --out out --resume"));
    assert!(run.stdout == whole.stdout, "{run:?}");
    for file in ["certificate.json", "graph.safetensors", "rows.safetensors"] {
        assert!(folder.read(&format!("whole/{file}")) == folder.read(&format!("out/{file}")), "{file}");
    }
    assert!(!unfinished.exists());
    // What was kept is not judged again; the judge sees what was changed of it.
    let changed = String::from_utf8(text).expect("text").replacen("\"answer\":[3]", "\"answer\":[4]", 1);
    folder.write("out/unfinished.jsonl", changed);
    let run = folder.expect(3, &format!("{AUDIT} --out out --resume"));
    assert!(run.stdout.starts_with("row 0: invariant 4 under portable"), "{run:?}");
    let run = folder.expect(1, "check out");
    assert!(
        run.stdout.contains("row 0 under portable: the certificate says invariant 4, the rule gives invariant 3"),
        "{run:?}"
    );
}

/// What the table calls classes has to be what the model calls places; and no more places are asked for than there are.
#[test]
fn labels_and_places_have_to_go_together() {
    let folder = folder(&["mlp-64-64-10.onnx"]);
    let header: Vec<String> = (0..64).map(|column| format!("x{column}")).collect();
    let cells = vec!["1"; 64].join(",");
    folder.write("named.csv", format!("{},kind\n{cells},tree\n{cells},shrub\n", header.join(",")));
    let audit = "audit mlp-64-64-10.onnx --data named.csv --label kind";
    let run = folder.expect(2, audit);
    let told = "error: named.csv: the labels are names, and the places of the output \"y\" of mlp-64-64-10.onnx have none; say what they \
                are called with --labels FILE\n";
    assert_eq!(run.stderr, told);
    folder.write("names.txt", "a\nb\nc\nd\ne\nf\ng\nh\nshrub\ntree\n");
    let report = folder.expect_json(0, &format!("{audit} --labels names.txt --paths portable"));
    assert!(report["rows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["right"].is_boolean())), "{report}");
    // Nothing is compared with labels where no place is decided.
    let report = folder.expect_json(0, &format!("{audit} --decision value --tolerance 1 --paths portable"));
    assert!(report["rows"][0]["right"].is_null() && report["summary"][0]["certainly_right"].is_null(), "{report}");
    let run = folder.expect(2, "audit mlp-64-64-10.onnx --data digits-test.npz --label y --decision top-11");
    assert!(run.stderr.contains("the 11 largest of 10 elements are asked for"), "{run:?}");
}
