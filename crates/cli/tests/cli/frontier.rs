//! The map of where constructions hold: as a table, as JSON, as a picture, and as a part of the corpus.

use std::fs;

use crate::common::Folder;

const SMALL: &str = "frontier --precisions 1..3 --exponent-bits 2..4";

#[test]
fn a_small_map_as_a_table() {
    let folder = Folder::new();
    let run = folder.expect(
        0,
        &format!("{SMALL} --construction point-relu --construction counting-2 --paths all --paths all,overflow=nan"),
    );
    insta::assert_snapshot!(run.stdout);
    assert!(run.stderr.is_empty(), "{run:?}");
}

#[test]
fn json_and_pictures_are_the_same_every_time() {
    let folder = Folder::new();
    let only = "--construction tree-step --family ieee";
    let one = folder.expect(0, &format!("{SMALL} {only} --json --svg one.svg"));
    let other = folder.expect(0, &format!("{SMALL} {only} --json --svg other.svg --threads 1"));
    assert_eq!((&one.stdout, folder.read("one.svg")), (&other.stdout, folder.read("other.svg")));
    let map = folder.expect_json(0, &format!("{SMALL} {only} --paths all,subnormals=flush"));
    let panel = &map[0]["panels"][0];
    assert_eq!((panel["cells"]["e3"].as_str(), &panel["least"]), (Some(".FF"), &serde_json::Value::Null));
    let witness = panel["witnesses"]["e3m1"].as_str().unwrap();
    assert!(witness.contains("row ") && witness.contains("a path gives"), "{witness}");
    let picture = String::from_utf8(folder.read("one.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("no format") && picture.contains("tree-step"));
    assert!(!picture.contains("unknown"), "no cell is unknown, and the legend has no colour for it");
}

#[test]
fn what_cannot_be_looked_at_is_refused() {
    let folder = Folder::new();
    for (arguments, reason) in [
        ("frontier --precisions 0..3", "1 to 12 are looked at"),
        ("frontier --precisions 3..1", "from the least to the most"),
        ("frontier --exponent-bits 2..9", "2 to 8 are looked at"),
        ("frontier --construction point-rule", "point-relu"),
        ("frontier --family iee", "ieee"),
        ("frontier --paths al --precisions 3..3 --exponent-bits 2..2", "did you mean `all`?"),
        // Before minutes of work on the whole map.
        ("frontier --paths all --paths al", "did you mean `all`?"),
        ("frontier --svg missing/a.svg", "missing/a.svg: cannot be written: its folder does not exist"),
    ] {
        let run = folder.expect(2, arguments);
        assert!(run.stderr.contains(reason) && run.stdout.is_empty(), "{arguments}: {run:?}");
    }
    assert!(folder.files().is_empty());
}

/// A map that was altered on disk is another one; and one that is missing is new.
#[test]
fn maps_on_record_are_compared() {
    let folder = Folder::new();
    for part in ["theorems/a", "refutations/a"] {
        fs::create_dir_all(folder.path(&format!("proofs/{part}"))).unwrap();
        let claim = "statement = \"s\"\nkind = \"memorization\"\ndata = \"d.csv\"\nlabels = [\"y\"]\n\
                     strategy = \"point\"\nactivations = [\"step\"]\nformats = [\"bfloat16\"]\npaths = \"all\"\n";
        folder.write(&format!("proofs/{part}/claim.toml"), claim);
    }
    fs::create_dir_all(folder.path("proofs/frontier")).unwrap();
    let all = "verify-all --filter frontier/counting-2";
    let run = folder.expect(1, all);
    assert!(run.stdout.contains("2 new and 0 changed"), "{run:?}");
    folder.expect(0, &format!("{all} --bless"));
    folder.expect(0, all);
    let file = "proofs/frontier/record.json";
    let text = String::from_utf8(folder.read(file)).unwrap();
    folder.write(file, text.replacen(".hhhhhhhhhhh", ".hhhhhhhhhhF", 1));
    let run = folder.expect(1, all);
    assert!(run.stdout.contains("0 new and 1 changed"), "{run:?}");
}
