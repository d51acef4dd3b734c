use roundproof_files::Digest;
use serde_json::{Value, json};

use super::*;
use crate::claim::RecordKind;
use crate::record_file::RecordFile;
use crate::refusal::RefusalKind;

fn certificate(property: Value) -> Value {
    let file = |name: &str| json!({ "path": name, "sha256": Digest::of(name.as_bytes()).to_string() });
    let mut claim = json!({
        "format": "bfloat16",
        "model": {
            "rounding": "any", "order": "any", "contraction": "any", "overflow": "ieee", "subnormals": "gradual",
            "accumulator": "same"
        },
        "shape": { "rows": 3, "input_dimension": 1, "output_dimension": 1, "layers": 3, "parameters": 9 }
    });
    let (fields, more) = (claim.as_object_mut().expect("an object"), property.as_object().expect("an object").clone());
    fields.extend(more);
    let mut record = json!({
        "schema": 1, "claim": claim, "network": file("network"), "verdict": "Proved",
        "evidence": { "kind": "box-network", "separator": "" }, "lemmas": [], "provenance": { "program": "p" }
    });
    let kind = record["claim"]["property"].as_str().expect("a property").to_string();
    if kind != "approximates" {
        record["dataset"] = file("data");
    }
    if kind != "memorizes" {
        record["forest"] = file("forest");
    }
    record
}

fn memorizes() -> Value {
    certificate(json!({ "property": "memorizes" }))
}

fn computes() -> Value {
    certificate(json!({
        "property": "computes", "trees": 1, "leaves": 4, "tolerance": "1/4", "exceptions": [0, 2]
    }))
}

fn approximates(accuracy: Value) -> Value {
    let mut record = certificate(json!({
        "property": "approximates", "function": "exp(x)", "leaves": 4, "accuracy": accuracy,
        "domain": [{ "low": "0xbf80", "high": "0x3f80" }]
    }));
    record["claim"]["shape"]["rows"] = json!(0);
    record
}

fn edited(record: &Value, pointer: &str, value: Value) -> Value {
    let mut record = record.clone();
    *record.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    record
}

fn proved() -> Established {
    Established::Verdict(Verdict::Proved)
}

fn refuted() -> Established {
    Established::Verdict(Verdict::Refuted)
}

fn order(outcomes: [Established; 2], records: [&Value; 2]) -> (Option<Ordering>, Vec<&'static str>) {
    let [one, other] = records.map(|record| Some(Statement::of_record(record).expect("a record")));
    let fields = fields(outcomes, [&one, &other]);
    (fields.order(), fields.0.iter().map(|field| field.field).collect())
}

/// How the second record, both with the same outcome, compares with the first; the other way round it is the reverse.
fn compared(established: Established, one: &Value, other: &Value) -> (Option<Ordering>, Vec<&'static str>) {
    let found = order([established; 2], [one, other]);
    let reverse = order([established; 2], [other, one]);
    assert_eq!(found.0.map(Ordering::reverse), reverse.0, "{one} {other}");
    found
}

#[test]
fn more_rounding_paths_are_stronger_field_by_field() {
    let all = memorizes();
    for (field, less) in [("rounding", "toward-zero"), ("order", "left-to-right"), ("contraction", "none")] {
        let one = edited(&all, &format!("/claim/model/{field}"), json!(less));
        assert_eq!(compared(proved(), &one, &all), (Some(Ordering::Greater), vec![field]));
        // A refutation needs but one path.
        assert_eq!(compared(refuted(), &one, &all), (Some(Ordering::Less), vec![field]));
    }
    let flush = edited(&all, "/claim/model/subnormals", json!("flush"));
    assert_eq!(compared(proved(), &all, &flush), (Some(Ordering::Greater), vec!["subnormals"]));
    let paper =
        edited(&edited(&all, "/claim/model/order", json!("left-to-right")), "/claim/model/contraction", json!("none"));
    assert_eq!(compared(proved(), &paper, &all), (Some(Ordering::Greater), vec!["order", "contraction"]));
    // Better in one field, worse in another.
    let mixed = edited(&flush, "/claim/model/order", json!("left-to-right"));
    assert_eq!(compared(proved(), &all, &mixed), (None, vec!["subnormals", "order"]));
    let wide = json!({ "format": "binary32", "overflow": "ieee" });
    for (field, other) in [("overflow", json!("saturate")), ("accumulator", wide)] {
        let other = edited(&all, &format!("/claim/model/{field}"), other);
        assert_eq!(compared(proved(), &all, &other), (None, vec![field]));
    }
    let directions = ["toward-zero", "toward-positive"].map(|mode| edited(&all, "/claim/model/rounding", json!(mode)));
    assert_eq!(compared(proved(), &directions[0], &directions[1]), (None, vec!["rounding"]));
}

#[test]
fn tolerances_exceptions_and_files_are_ordered() {
    let base = computes();
    let exact = edited(&base, "/claim/tolerance", json!("1/8"));
    assert_eq!(compared(proved(), &base, &exact), (Some(Ordering::Greater), vec!["tolerance"]));
    for (rows, order) in
        [(json!([2]), Some(Ordering::Greater)), (json!([0, 1, 2]), Some(Ordering::Less)), (json!([0, 1]), None)]
    {
        let other = edited(&base, "/claim/exceptions", rows);
        assert_eq!(compared(proved(), &base, &other), (order, vec!["exceptions"]));
    }
    let digest = json!(Digest::of(b"another").to_string());
    let other = |pointer: &str| edited(&base, pointer, digest.clone());
    assert_eq!(compared(proved(), &base, &other("/dataset/sha256")), (None, vec!["data set"]));
    assert_eq!(compared(proved(), &base, &other("/forest/sha256")), (None, vec!["forest"]));
    // The network, its evidence and where they come from are not what is claimed; but a refutation is about its network.
    assert_eq!(compared(proved(), &base, &other("/network/sha256")), (Some(Ordering::Equal), vec![]));
    assert_eq!(compared(refuted(), &base, &other("/network/sha256")), (None, vec!["network"]));
    let evidence = edited(&base, "/evidence/separator", json!("#0"));
    assert_eq!(compared(proved(), &base, &evidence), (Some(Ordering::Equal), vec![]));
    // Of rows more is said than without.
    let mut without = edited(&edited(&base, "/claim/exceptions", json!([])), "/claim/shape/rows", json!(0));
    without.as_object_mut().expect("an object").remove("dataset");
    assert_eq!(compared(proved(), &without, &base), (Some(Ordering::Greater), vec!["data set"]));
    let format = edited(&base, "/claim/format", json!("binary32"));
    assert_eq!(compared(proved(), &base, &format), (None, vec!["format"]));
    assert_eq!(compared(proved(), &base, &memorizes()), (None, vec!["property"]));
}

#[test]
fn domains_and_accuracies_are_ordered() {
    let within = |error: &str| approximates(json!({ "error": error }));
    let base = within("1/8");
    assert_eq!(compared(proved(), &base, &within("1/16")), (Some(Ordering::Greater), vec!["accuracy"]));
    let excess = |excess: &str| approximates(json!({ "excess": excess }));
    assert_eq!(compared(proved(), &excess("0"), &excess("1/2")), (Some(Ordering::Less), vec!["accuracy"]));
    assert_eq!(compared(proved(), &excess("1/8"), &base), (None, vec!["accuracy"]));
    let rounded = |mode: &str| approximates(json!({ "rounding": mode, "overflow": "ieee" }));
    assert_eq!(compared(proved(), &rounded("ties-to-even"), &rounded("ties-to-away")), (None, vec!["accuracy"]));
    let domain = |low: &str, high: &str| edited(&base, "/claim/domain/0", json!({ "low": low, "high": high }));
    for (low, high, order) in [
        ("0xbf80", "0x4000", Some(Ordering::Greater)),
        ("0xc000", "0x4000", Some(Ordering::Greater)),
        ("0x8000", "0x3f80", Some(Ordering::Less)),
        ("0x0000", "0x4000", None),
    ] {
        assert_eq!(compared(proved(), &base, &domain(low, high)), (order, vec!["domain"]), "{low}:{high}");
    }
    // Zeros are one value.
    assert_eq!(compared(proved(), &domain("0x8000", "0x3f80"), &domain("0x0000", "0x3f80")).0, Some(Ordering::Equal));
    let function = edited(&base, "/claim/function", json!("sin(x)"));
    assert_eq!(compared(proved(), &base, &function), (None, vec!["function"]));
    // The tree that goes with it is evidence.
    let tree = edited(&base, "/forest/sha256", json!(Digest::of(b"another").to_string()));
    assert_eq!(compared(proved(), &base, &tree), (Some(Ordering::Equal), vec![]));
}

#[test]
fn outcomes_are_ordered() {
    let verdict = Established::Verdict;
    let [attested, unknown, vacuous] = [Verdict::Attested, Verdict::Unknown, Verdict::Vacuous].map(verdict);
    let [scale, conflict] = [RefusalKind::NoScale, RefusalKind::Conflict].map(Established::Refused);
    let (record, weaker) = (memorizes(), edited(&memorizes(), "/claim/model/order", json!("left-to-right")));
    for (one, other, expected) in [
        (attested, proved(), Some(Ordering::Greater)),
        (unknown, attested, Some(Ordering::Greater)),
        (vacuous, refuted(), Some(Ordering::Greater)),
        (unknown, vacuous, Some(Ordering::Equal)),
        (refuted(), proved(), None),
        (attested, refuted(), None),
        (scale, scale, Some(Ordering::Equal)),
        (scale, conflict, None),
        (scale, proved(), None),
        (unknown, conflict, None),
        (Established::Mapped, proved(), None),
    ] {
        for (outcomes, expected) in [([one, other], expected), ([other, one], expected.map(Ordering::reverse))] {
            assert_eq!(order(outcomes, [&record; 2]).0, expected, "{one} {other}");
        }
    }
    // What establishes nothing is below all, whatever it is about; a better verdict on a weaker claim is incomparable.
    assert_eq!(order([unknown, proved()], [&record, &weaker]).0, Some(Ordering::Greater));
    assert_eq!(order([attested, proved()], [&record, &weaker]), (None, vec!["outcome", "order"]));
    assert_eq!(order([attested, proved()], [&weaker, &record]), (Some(Ordering::Greater), vec!["outcome", "order"]));
}

#[test]
fn statements_about_many_networks_are_ordered() {
    let attested = Established::Verdict(Verdict::Attested);
    let question = |case: &str| json!({ "scope": "bfloat16", "case": case });
    let lemma = |cases: &[&str]| {
        let questions: Vec<Value> = cases.iter().map(|case| question(case)).collect();
        json!({ "lemma": "gap", "statement": "s", "questions": questions })
    };
    assert_eq!(compared(attested, &lemma(&["a"]), &lemma(&["a", "b"])), (Some(Ordering::Greater), vec!["cases"]));
    assert_eq!(compared(attested, &lemma(&["a"]), &lemma(&["b"])).0, None);
    let other = edited(&lemma(&["a"]), "/statement", json!("t"));
    assert_eq!(compared(attested, &lemma(&["a"]), &other), (None, vec!["statement"]));

    let theorem = |axioms: &[&str]| json!({ "theorem": "t", "statement": "s", "assumptions": axioms });
    let classic = theorem(&["classic"]);
    assert_eq!(compared(attested, &classic, &theorem(&[])), (Some(Ordering::Greater), vec!["assumptions"]));
    assert_eq!(compared(attested, &classic, &theorem(&["choice"])).0, None);

    let [all, paper] = ["all", "paper"];
    let parametric = |rows: u64, paths: &str| json!({ "format": "bfloat16", "activation": "relu", "paths": paths, "rows": rows, "inputs": 1, "questions": [] });
    assert_eq!(compared(attested, &parametric(3, paper), &parametric(3, all)).0, Some(Ordering::Greater));
    assert_eq!(compared(attested, &parametric(2, all), &parametric(3, all)), (None, vec!["shape"]));
    // That no network is right on all paths says more of fewer paths; that some are, of more.
    let depth = |paths: &str, points: &[&str]| json!({ "kind": "depth", "format": "bfloat16", "activation": "relu", "paths": paths, "points": points });
    assert_eq!(compared(attested, &depth(all, &["0"]), &depth(paper, &["0"])).0, Some(Ordering::Greater));
    assert_eq!(compared(refuted(), &depth(all, &["0"]), &depth(paper, &["0"])).0, Some(Ordering::Less));
    assert_eq!(compared(attested, &depth(all, &["0"]), &depth(all, &["0", "1"])), (None, vec!["points"]));
    assert_eq!(compared(attested, &depth(all, &["0"]), &lemma(&["a"])), (None, vec!["kind"]));
}

#[test]
fn maps_are_ordered_cell_by_cell() {
    let map = |cells: &str| {
        json!({
            "construction": "c", "statement": "s", "inputs": 1, "precisions": [1, 3], "exponent_bits": [2, 2],
            "every_value": 8, "letters": {},
            "panels": [{ "paths": "all", "family": "ieee", "least": null, "cells": { "e2": cells } }]
        })
    };
    for (one, other, order) in [
        ("hhh", "hHh", Some(Ordering::Greater)),
        ("HpN", "PhN", Some(Ordering::Equal)),
        ("n??", "NF?", Some(Ordering::Greater)),
        ("H.F", "H-F", Some(Ordering::Equal)),
        ("H.F", "HHF", Some(Ordering::Greater)),
        ("HHF", "HHH", None),
        ("HhF", "hHF", None),
        ("NNN", "FNN", None),
    ] {
        assert_eq!(compared(Established::Mapped, &map(one), &map(other)).0, order, "{one} {other}");
    }
    let other = edited(&map("HHH"), "/statement", json!("t"));
    assert_eq!(compared(Established::Mapped, &map("HHH"), &other), (None, vec!["statement"]));
}

#[test]
fn folders_are_compared_by_name() {
    let corpus = |records: &[(&str, &Value)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let entries = records.iter().map(|(name, record)| {
            let record = Record::of_json(name, &record.to_string(), RecordKind::Evidence).expect("a record");
            (name.to_string(), record)
        });
        let mut file = RecordFile { entries: entries.collect(), digest: None };
        file.write(&folder.path().join("theorems")).expect("a file");
        folder
    };
    let (all, less) = (memorizes(), edited(&memorizes(), "/claim/model/order", json!("left-to-right")));
    let other = edited(&all, "/evidence", json!({ "kind": "paths" }));
    let first = corpus(&[("a", &all), ("b", &less), ("c", &all), ("d", &all), ("e", &all)]);
    let second = corpus(&[("a", &all), ("b", &all), ("c", &less), ("d", &other), ("f", &all)]);
    let folders = [&first, &second].map(|folder| Claims::read(folder.path()).expect("a folder"));
    let changes = |one: &Claims, other: &Claims| diff(one, other).iter().map(|it| it.change).collect::<Vec<Change>>();
    use Change::{Gone, New, OtherRecord, Same, Stronger, Weaker};
    assert_eq!(changes(&folders[0], &folders[1]), [Same, Stronger, Weaker, OtherRecord, Gone, New]);
    assert_eq!(changes(&folders[1], &folders[0]), [Same, Weaker, Stronger, OtherRecord, New, Gone]);
    // Of a part of a corpus the same.
    let parts = [&first, &second].map(|folder| Claims::read(&folder.path().join("theorems")).expect("a folder"));
    assert_eq!(changes(&parts[0], &parts[1]), changes(&folders[0], &folders[1]));
    let error = |path: &Path| Claims::read(path).expect_err("no corpus").to_string();
    assert!(error(&first.path().join("nothing")).contains("nothing"));
    assert!(error(tempfile::tempdir().expect("a folder").path()).contains("there is no record in it"));
}
