//! The sizes of the networks of each strategy.

use serde_json::{Value, json};

use crate::common::{Folder, shared};

fn folder() -> Folder {
    let folder = Folder::with("iris.csv");
    std::fs::copy(shared("wine.csv"), folder.path("wine.csv")).unwrap();
    folder
}

#[test]
fn as_a_table_and_as_json() {
    let folder = folder();
    insta::assert_snapshot!(folder.expect(0, "sizes iris.csv wine.csv -l class -f bfloat16").stdout);
    insta::assert_snapshot!(folder.expect(0, "sizes iris.csv wine.csv -l class -f bfloat16 --json").stdout);
}

#[test]
fn sizes_are_those_of_the_networks_that_are_proved() {
    let folder = folder();
    let sizes = folder.expect_json(0, "sizes iris.csv -l class -f float8_e4m3 -f F(8)");
    let rows: &Vec<Value> = sizes.as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        for strategy in ["point", "tree"] {
            let [format, activation] = ["format", "activation"].map(|name| row[name].as_str().unwrap());
            let proof =
                folder.expect_json(0, &format!("prove iris.csv -l class -f {format} -a {activation} -s {strategy}"));
            assert_eq!(row[strategy], proof["claim"]["shape"]["parameters"], "{row}");
        }
    }
}

#[test]
fn where_there_is_no_network_the_reason_is_told_once() {
    let folder = folder();
    let run = folder.expect(0, "sizes iris.csv -l class -f float8_e5m2 -f bfloat16 --no-point");
    insta::assert_snapshot!(run.stdout);
    let report = folder.expect_json(0, "sizes iris.csv -l class -f float8_e5m2");
    assert_eq!((&report[0]["point"], &report[0]["tree"]), (&Value::Null, &Value::Null));
    assert!(report[0]["refused"].as_str().unwrap().starts_with("line 56 and line 135 have the same inputs"));
    assert_eq!(report[0]["rows"], json!(150));
    let run = folder.expect(2, "sizes iris.csv nothing.csv -l class -f bfloat16");
    assert!(run.stdout.is_empty() && run.stderr.starts_with("error: nothing.csv: cannot be read"), "{run:?}");
    let run = folder.expect(2, "sizes iris.csv -l klass -f bfloat16");
    assert!(run.stderr.contains("did you mean `class`?"), "{run:?}");
}
