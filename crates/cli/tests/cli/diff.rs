//! `diff`: two corpora.

use serde_json::Value;

use crate::common::Folder;

const CLAIM: &str = r#"
statement = "A point box network memorizes these rows."
kind = "memorization"
data = "data.csv"
labels = ["y"]
strategy = "point"
activations = ["step"]
formats = ["bfloat16"]
paths = "all"
"#;

/// Two corpora of two claims each: the first has one that the second lacks, and the second proves less of the other.
fn corpora() -> Folder {
    let folder = Folder::new();
    for (corpus, paths, other) in [("first", "all", "gone"), ("second", "all,order=left-to-right", "new")] {
        for claim in ["rows", other] {
            let text = CLAIM.replace("\"all\"", &format!("\"{paths}\""));
            folder.write(&format!("{corpus}/theorems/{claim}/claim.toml"), text);
            folder.write(&format!("{corpus}/theorems/{claim}/data.csv"), "x,y\n1,2\n3,4\n");
        }
        folder.write(&format!("{corpus}/refutations/sum/claim.toml"), CLAIM.replace("point\"", "telescoping-sum\""));
        folder.write(&format!("{corpus}/refutations/sum/data.csv"), "x,y\n0,0\n1,100\n2,0.1\n");
        std::fs::create_dir_all(folder.path(&format!("{corpus}/lemmas"))).unwrap();
        folder.expect(0, &format!("verify-all {corpus} --filter theorems/ --filter refutations/ --bless"));
    }
    folder
}

#[test]
fn what_is_weaker_or_gone_is_told() {
    let folder = corpora();
    let run = folder.expect(1, "diff first second");
    for (name, what) in [
        ("theorems/gone/step.bfloat16", "gone"),
        ("theorems/new/step.bfloat16", "new"),
        ("theorems/rows/step.bfloat16", "order: any -> left-to-right (weaker)"),
    ] {
        let line = run.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(what), "{run:?}");
    }
    assert!(run.stdout.ends_with("4 claims: 1 same, 1 weaker, 1 gone, 1 new\n"), "{run:?}");
    let run = folder.expect(1, "diff second first");
    assert!(run.stdout.contains("4 claims: 1 same, 1 stronger, 1 gone, 1 new"), "{run:?}");
    let run = folder.expect(0, "diff first first");
    assert_eq!(run.stdout, "3 claims: 3 same\n");

    let report: Value = folder.expect_json(1, "diff first second");
    let rows = report["claims"].as_array().unwrap();
    let weaker = rows.iter().find(|row| row["change"] == "weaker").unwrap();
    assert_eq!((&weaker["fields"][0]["field"], &weaker["fields"][0]["first"]), (&"order".into(), &"any".into()));
    assert_eq!(report["totals"]["gone"], 1);

    // What is stronger or new alone is not a loss.
    std::fs::remove_dir_all(folder.path("second/theorems/new")).unwrap();
    std::fs::remove_dir_all(folder.path("first/theorems/gone")).unwrap();
    folder.expect(0, "diff second first");
    folder.expect(1, "diff first second");
}

#[test]
fn what_is_no_corpus_is_refused() {
    let folder = corpora();
    for (arguments, reason) in [
        ("diff first nothing", "nothing"),
        ("diff first first/lemmas", "there is no record in it"),
        ("diff first first/theorems/rows/claim.toml", "claim.toml"),
        ("diff first", "required"),
    ] {
        let run = folder.expect(2, arguments);
        assert!(run.stderr.contains(reason), "{run:?}");
    }
}
