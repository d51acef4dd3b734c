//! `audit`: verdicts about models of other tools, and what is refused.

use std::path::Path;

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
    let report = folder.expect_json(0, audit);
    assert_eq!(report["summary"]["invariant"], 4);
    assert!(report["not_covered"].as_str().is_some_and(|text| text.contains("TF32")));
    let rows = report["rows"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["verdict"] == "invariant" && row["margin"]["ratio"].as_f64() > Some(1000.0)));
    // No two paths have to give the same bits.
    let text = folder.expect(3, &format!("{audit} --decision bits")).stdout;
    assert!(text.contains("row 0: undecided: two paths may differ by") && text.contains("0 of 4 rows are invariant"));
    assert!(folder.expect(0, "paths").stdout.contains("portable"));
}

#[test]
fn what_is_refused_is_said() {
    let folder = folder(&["mlp-64-64-10.onnx", "digits-mlp.onnx"]);
    for (arguments, said) in [
        ("nothing.onnx --data digits-test.npz", "cannot be read"),
        ("mlp-64-64-10.onnx --data digits-test.npz", "has 65 input columns"),
        ("mlp-64-64-10.onnx --data digits-test.npz --paths portible", "did you mean `portable`?"),
        ("mlp-64-64-10.onnx --data digits-test.npz --label y --paths portable,operands=tf32", "not covered"),
        ("mlp-64-64-10.onnx --data digits-test.npz --label y --rows 5000", "there is no row 5000"),
        ("digits-mlp.onnx --data digits-test.npz --label y", "Softmax"),
    ] {
        let run = folder.expect(2, &format!("audit {arguments}"));
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{arguments}: {}", run.stderr);
    }
}
