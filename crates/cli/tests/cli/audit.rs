//! `audit`: verdicts about models of other tools, and what is refused.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::Folder;

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
