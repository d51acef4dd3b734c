//! Everything on record under `proofs/`, as readable summaries: what changes there shows here, provenance aside.
//!
//! A snapshot shows, it proves nothing: `roundproof verify-all` proves every claim again and compares.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use roundproof_exact::text::exact_decimal;
use roundproof_files::Certificate;
use roundproof_judge::{Accuracy, Approximates, Evidence, KernelProperty, Property, Verdict};
use roundproof_kernel::Node;
use roundproof_network::At;
use serde_json::Value;

const REFUSAL: &str = ".refusal.txt";

fn proofs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs")
}

/// Every record below a folder, in order.
fn records(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.file_name().unwrap().to_string_lossy().to_string();
        if entry.is_dir() {
            files.extend(records(&entry));
        } else if name.ends_with(".json") || name.ends_with(REFUSAL) {
            files.push(entry);
        }
    }
    files
}

/// One text for each folder of claims.
fn summaries() -> BTreeMap<String, String> {
    let root = proofs();
    let mut summaries: BTreeMap<String, String> = BTreeMap::new();
    for part in
        ["lemmas", "refutations", "rocq", "theorems"].map(|part| root.join(part)).iter().filter(|part| part.exists())
    {
        for file in records(part) {
            let folder = file.parent().unwrap().strip_prefix(&root).unwrap();
            let folder = folder.to_string_lossy().replace(['/', '\\'], ".");
            let name = file.file_name().unwrap().to_string_lossy().to_string();
            let summary = summaries.entry(folder).or_default();
            writeln!(summary, "{name}\n{}", summary_of(part, &file)).unwrap();
        }
    }
    summaries
}

fn summary_of(part: &Path, file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    if file.to_string_lossy().ends_with(REFUSAL) {
        let kind = text.lines().next().unwrap_or_default();
        return format!("  refused: {kind}\n");
    }
    if part.ends_with("lemmas") {
        return lemma(&serde_json::from_str(&text).unwrap());
    }
    if part.ends_with("rocq") {
        return theorem(&serde_json::from_str(&text).unwrap());
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    if value["evidence"]["sha256"].is_string() {
        assert!(part.ends_with("theorems") && value["verdict"] == "Proved", "{}", file.display());
        return digests(&value);
    }
    if value["kind"] == "depth" {
        let expected = if part.ends_with("theorems") { "Attested" } else { "Refuted" };
        assert_eq!(value["verdict"], expected, "{}", file.display());
        return depth(&value);
    }
    if value["questions"].is_array() {
        assert!(part.ends_with("theorems") && value["verdict"] == "Attested", "{}", file.display());
        return parametric(&value);
    }
    let certificate = Certificate::read(file).unwrap().value;
    let expected = match part.ends_with("theorems") {
        true => matches!(certificate.verdict, Verdict::Proved | Verdict::Attested),
        false => certificate.verdict == Verdict::Refuted,
    };
    assert!(expected, "{}: {} is not what its folder says", file.display(), certificate.verdict);
    assert_eq!(certificate.to_json().unwrap(), text, "{}: written as it is read", file.display());
    claim(&certificate)
}

fn claim(certificate: &Certificate) -> String {
    let (claim, shape) = (&certificate.claim, &certificate.claim.shape);
    let mut summary = format!("  {}: {} under {}\n", certificate.verdict, claim.format, claim.model);
    writeln!(
        summary,
        "  {} rows, {} inputs, {} outputs, {} layers, {} parameters",
        shape.rows, shape.input_dimension, shape.output_dimension, shape.layers, shape.parameters
    )
    .unwrap();
    if let Property::Kernel(KernelProperty::Computes { trees, leaves, tolerance, exceptions }) = &claim.property {
        let but = if exceptions.is_empty() { String::new() } else { format!(", labels but of rows {exceptions:?}") };
        writeln!(summary, "  computes {trees} trees, {leaves} leaves, error at most {tolerance}{but}").unwrap();
    }
    if let Property::Approximates(property) = &claim.property {
        let Approximates { approximation, leaves } = &**property;
        let accuracy = match &approximation.accuracy {
            Accuracy::Rounded { mode, .. } => format!("rounded {mode}"),
            Accuracy::Within(error) => format!("error at most {error}"),
            Accuracy::Excess(excess) => format!("excess at most {excess}"),
        };
        writeln!(summary, "  approximates {}, {accuracy}, {leaves} leaves", approximation.function).unwrap();
    }
    let evidence = match &certificate.evidence {
        None => "none".to_string(),
        Some(Evidence::Paths) => "paths".to_string(),
        Some(Evidence::BoxNetwork(separator)) => {
            let boxes = separator.nodes.iter().filter(|node| matches!(node, Node::Box(_) | Node::Nested(_))).count();
            format!("box-network, {} nodes, {boxes} boxes", separator.nodes.len())
        }
        Some(Evidence::Witness(witness)) => {
            let value = exact_decimal(claim.format, witness.value);
            let neurons = witness.neurons.len();
            let at = match &witness.at {
                At::Row(row) => format!("row {row}"),
                At::Point(point) => {
                    let inputs: Vec<String> = point.iter().map(|&input| exact_decimal(claim.format, input)).collect();
                    format!("at {}", inputs.join(", "))
                }
            };
            format!("witness, {at}, output {} gives {value}, {neurons} neurons off the plain path", witness.output)
        }
    };
    writeln!(summary, "  evidence: {evidence}").unwrap();
    writeln!(summary, "  network {} {}", certificate.network.path, certificate.network.sha256).unwrap();
    for (what, file) in [("dataset", &certificate.dataset), ("forest", &certificate.forest)] {
        if let Some(file) = file {
            writeln!(summary, "  {what} {} {}", file.path, file.sha256).unwrap();
        }
    }
    if let Some(source) = &certificate.source {
        let labels = if source.labels.is_empty() { "" } else { &format!(", labels {}", source.labels.join(", ")) };
        writeln!(summary, "  from {} {}{labels}", source.path, source.sha256).unwrap();
    }
    for lemma in &certificate.lemmas {
        writeln!(summary, "  leans on {}: {}", lemma.name, lemma.established).unwrap();
    }
    summary
}

/// An enumeration of the functions that two layers compute.
fn depth(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or("-").to_string();
    format!(
        "  {}: {} {} under {}\n  points {}: {} of {} functions, {} units; first not computed {}{}\n",
        text("verdict"),
        text("activation"),
        text("format"),
        text("paths"),
        record["points"],
        record["computed_at_most"],
        record["functions"],
        record["units"],
        record["first_not_computed"],
        record["proved"].as_u64().map_or(String::new(), |proved| format!(", {proved} proved"))
    )
}

/// Every data set of a shape, by the questions that were asked.
fn parametric(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or("-").to_string();
    let questions = record["questions"].as_array().map_or(0, Vec::len);
    format!(
        "  {}: {} {} under {}\n  {} rows, {} inputs: {questions} questions, {} roundings\n",
        text("verdict"),
        text("activation"),
        text("format"),
        text("paths"),
        record["rows"],
        record["inputs"],
        record["roundings"],
    )
}

/// A record with a digest in place of its evidence.
fn digests(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let (claim, evidence) = (&record["claim"], &record["evidence"]);
    let shape = &claim["shape"];
    let mut summary = format!(
        "  {}, {}: {} rows, {} inputs, {} parameters",
        text(&record["verdict"]),
        text(&claim["property"]),
        shape["rows"],
        shape["input_dimension"],
        shape["parameters"]
    );
    if let Some(exceptions) = claim["exceptions"].as_array() {
        write!(summary, ", {} leaves, {} other labels", claim["leaves"], exceptions.len()).unwrap();
    }
    if let Some(function) = claim["function"].as_str() {
        write!(summary, ", {} leaves\n  {function}, {}", claim["leaves"], claim["accuracy"]).unwrap();
    }
    let (kind, bytes) = (text(&evidence["kind"]), &evidence["bytes"]);
    writeln!(summary, "\n  evidence: {kind}, {bytes} bytes, {}", text(&evidence["sha256"])).unwrap();
    writeln!(summary, "  network {}", text(&record["network"]["sha256"])).unwrap();
    summary
}

/// What a theorem in Rocq says, and what it assumes.
fn theorem(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let assumptions = record["assumptions"].as_array().into_iter().flatten();
    let assumptions: Vec<String> = assumptions.map(text).collect();
    let said = (text(&record["verdict"]), text(&record["file"]), text(&record["words"]));
    let statement = text(&record["statement"]);
    format!("  {}, {}: {}\n  {statement}\n  assumes {}\n", said.0, said.1, said.2, assumptions.join(", "))
}

/// The statement of a lemma, and how many questions were asked about which scope in which encoding.
fn lemma(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let mut scopes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for question in record["questions"].as_array().into_iter().flatten() {
        *scopes.entry((text(&question["scope"]), text(&question["encoding"]))).or_default() += 1;
    }
    let mut summary = format!("  {}: {}\n", text(&record["verdict"]), text(&record["statement"]));
    for ((scope, encoding), count) in scopes {
        writeln!(summary, "  {scope}, {encoding}: {count} questions").unwrap();
    }
    summary
}

#[test]
fn records_are_shown() {
    let summaries = summaries();
    assert!(!summaries.is_empty(), "an empty corpus shows nothing");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        for (folder, summary) in &summaries {
            insta::assert_snapshot!(folder.as_str(), summary);
        }
    });
}

#[test]
fn no_snapshot_outlives_its_records() {
    let summaries = summaries();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().to_string();
        if let Some(folder) = name.strip_suffix(".snap") {
            assert!(summaries.contains_key(folder), "{name} shows what is no longer on record: delete it");
        }
    }
}
