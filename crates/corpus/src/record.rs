//! What is put on record of an obligation, and how it compares with what was committed.

use std::path::Path;

use roundproof_checker::frontier::Recorded;
use roundproof_files::certificate::SCHEMA;
use roundproof_files::{Certificate, Digest};
use roundproof_kernel::Verdict;
use serde_json::{Map, Value, json};

use crate::claim::RecordKind;
use crate::diff::statement::Statement;
use crate::refusal::{Refusal, RefusalKind};

/// The most bytes of evidence, as compact JSON, that stand on record; of longer evidence its digest does.
const SHORT: usize = 1024;

/// The files that a certificate names after its instance.
const FILES: [&str; 3] = ["network", "dataset", "forest"];

/// What came of an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Established {
    /// A verdict.
    Verdict(Verdict),
    /// A map, whose cells are established each by itself.
    Mapped,
    /// There is no network to speak of.
    Refused(RefusalKind),
}

impl Established {
    /// The word in tables and sums, without the kind of a refusal.
    pub const fn name(self) -> &'static str {
        match self {
            Established::Verdict(verdict) => verdict.name(),
            Established::Mapped => "Mapped",
            Established::Refused(_) => "refused",
        }
    }
}

impl std::fmt::Display for Established {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Established::Verdict(_) | Established::Mapped => f.pad(self.name()),
            Established::Refused(kind) => write!(f, "{}: {kind}", self.name()),
        }
    }
}

/// What is put on record: what is claimed, of what, and what came of it. Not who found it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What was established.
    Statement(Map<String, Value>),
    /// Why there is no network to speak of.
    Refusal(Refusal),
}

/// A field that is another one on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Where it stands, as `claim.shape.rows`.
    pub field: String,
    /// On record; none if it is not there.
    pub recorded: Option<Value>,
    /// As it was found now.
    pub found: Option<Value>,
}

impl std::fmt::Display for FieldChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [recorded, found] = [&self.recorded, &self.found]
            .map(|it| it.as_ref().map_or("nothing".to_string(), |it| crate::text::shortened(&it.to_string())));
        write!(f, "{}: {recorded} on record, {found} found", crate::text::shortened(&self.field))
    }
}

/// How a record compares with the committed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Same,
    /// A refusal of the same kind, in other words. Nothing that is claimed has changed.
    Reworded,
    /// Nothing was committed.
    New,
    /// Something else was committed, in these fields.
    Changed(Vec<FieldChange>),
}

impl Comparison {
    /// The word in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Comparison::Same => "same",
            Comparison::Reworded => "reworded",
            Comparison::New => "new",
            Comparison::Changed(_) => "changed",
        }
    }

    /// Whether something else is claimed than what was committed.
    pub const fn is_change(&self) -> bool {
        match self {
            Comparison::Same | Comparison::Reworded => false,
            Comparison::New | Comparison::Changed(_) => true,
        }
    }

    /// How what was found compares with what is on record.
    pub fn of(recorded: Option<&Record>, found: &Record) -> Comparison {
        match (recorded, found) {
            (None, _) => Comparison::New,
            (Some(recorded), found) if recorded == found => Comparison::Same,
            (Some(Record::Refusal(recorded)), Record::Refusal(found)) if recorded.kind == found.kind => {
                Comparison::Reworded
            }
            (Some(recorded), found) => {
                let mut changes = Vec::new();
                compare("", Some(&recorded.to_value()), Some(&found.to_value()), &mut changes);
                Comparison::Changed(changes)
            }
        }
    }
}

/// Which fields differ: of objects and of arrays of the same length each member by itself.
fn compare(field: &str, recorded: Option<&Value>, found: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let below = |name: &dyn std::fmt::Display| match field {
        "" => name.to_string(),
        field => format!("{field}.{name}"),
    };
    match (recorded, found) {
        (recorded, found) if recorded == found => {}
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().for_each(|name| compare(&below(name), one.get(name), other.get(name), changes));
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.for_each(|(index, (one, other))| compare(&below(&index), Some(one), Some(other), changes));
        }
        (recorded, found) => {
            changes.push(FieldChange { field: field.to_string(), recorded: recorded.cloned(), found: found.cloned() })
        }
    }
}

impl Record {
    /// What is put on record of a certificate, or of what a solver said, in JSON.
    ///
    /// - `provenance` is left out, and `schema`, which is the form of the whole.
    /// - Files that are named after the instance are their digests alone.
    /// - Lemmas are their names, and the digest of the list with what is said of each.
    /// - Evidence that is longer than [`SHORT`], or all of it where the claim says `record = "digest"`, is its kind, its
    ///   length and its digest; so are the witnesses and the reasons of a map, panel by panel.
    ///
    /// # Errors
    ///
    /// If it is not a JSON object.
    pub(crate) fn of_json(name: &str, json: &str, kind: RecordKind) -> serde_json::Result<Record> {
        let mut fields: Map<String, Value> = serde_json::from_str(json)?;
        fields.retain(|field, _| field != "provenance" && field != "schema");
        for what in FILES {
            let Some(file) = fields.get_mut(what) else { continue };
            let sha256 = file["sha256"].clone();
            if *file == json!({ "path": file_name(name, what), "sha256": sha256 }) {
                *file = sha256;
            }
        }
        if let Some(lemmas) = fields.get_mut("lemmas") {
            let names: Vec<&str> =
                lemmas.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
            *lemmas = json!({ "names": names.join(" "), "sha256": digest(lemmas) });
        }
        if let Some(evidence) = fields.get_mut("evidence")
            && (kind == RecordKind::Digest || evidence.to_string().len() > SHORT)
        {
            let bytes = evidence.to_string().len();
            *evidence = json!({ "kind": evidence["kind"], "bytes": bytes, "sha256": digest(evidence) });
        }
        for panel in fields.get_mut("panels").and_then(Value::as_array_mut).into_iter().flatten() {
            for what in ["witnesses", "reasons"] {
                let Some(all) = panel.get_mut(what) else { continue };
                let count = all.as_object().map_or(0, Map::len);
                *all = json!({ "count": count, "sha256": digest(all) });
            }
        }
        Ok(Record::Statement(fields))
    }

    /// As it stands in a file.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Record::Statement(fields) => Value::Object(fields.clone()),
            Record::Refusal(Refusal { kind, words }) => json!({ "refused": kind.name(), "words": words }),
        }
    }

    /// Reads what [`Record::to_value`] makes.
    ///
    /// # Errors
    ///
    /// If it is not the record of an obligation with this name.
    pub(crate) fn of_value(name: &str, value: Value) -> Result<Record, String> {
        let Value::Object(fields) = value else { return Err("it is not an object".to_string()) };
        if fields.contains_key("refused") {
            let text = |field: &str| fields.get(field).and_then(Value::as_str);
            return match (text("refused"), text("words"), fields.len()) {
                (Some(kind), Some(words), 2) => {
                    let kind = kind.parse().map_err(|error: roundproof_format::ParseError| error.to_string())?;
                    Ok(Record::Refusal(Refusal { kind, words: words.to_string() }))
                }
                _ => Err("a refusal has the fields refused and words, two texts".to_string()),
            };
        }
        check_fields(&fields)?;
        let record = Record::Statement(fields);
        record.established()?;
        record.map(name)?;
        Ok(record)
    }

    /// What came of the obligation.
    ///
    /// # Errors
    ///
    /// If it does not say so.
    pub fn established(&self) -> Result<Established, String> {
        let fields = match self {
            Record::Refusal(refusal) => return Ok(Established::Refused(refusal.kind)),
            Record::Statement(fields) => fields,
        };
        match (fields.get("verdict"), fields.contains_key("panels")) {
            (None, true) => Ok(Established::Mapped),
            (Some(Value::String(word)), false) => {
                let known = Verdict::ALL.iter().find(|verdict| verdict.name() == word);
                known
                    .map(|&verdict| Established::Verdict(verdict))
                    .ok_or_else(|| format!("{} is not a verdict", crate::text::shortened(word)))
            }
            _ => Err("a record has a verdict, but for a map of the frontier".to_string()),
        }
    }

    /// The map that it is, without witnesses and reasons; none if it is something else.
    ///
    /// # Errors
    ///
    /// If it is not a record of the corpus, or its cells are not those of its grid.
    pub fn map(&self, name: &str) -> Result<Option<Recorded>, String> {
        match self.statement(name)? {
            Some(Statement::Map(map)) => match map.panels.iter().find(|panel| map.statuses(panel).is_none()) {
                Some(panel) => Err(format!("{}, {}: the cells are not those of its grid", panel.paths, panel.family)),
                None => Ok(Some(*map)),
            },
            _ => Ok(None),
        }
    }

    /// What is claimed; none of a refusal.
    ///
    /// # Errors
    ///
    /// If it is not a record of the corpus.
    pub(crate) fn statement(&self, name: &str) -> Result<Option<Statement>, String> {
        let Record::Statement(fields) = self else { return Ok(None) };
        let mut fields = fields.clone();
        for what in FILES {
            if let Some(sha256 @ Value::String(_)) = fields.get(what) {
                let file = json!({ "path": file_name(name, what), "sha256": sha256 });
                fields.insert(what.to_string(), file);
            }
        }
        if fields.contains_key("claim") {
            fields.insert("schema".to_string(), SCHEMA.into());
            fields.insert("provenance".to_string(), json!({}));
            check_condensed(&fields, "lemmas", &["names", "sha256"])?;
            fields.insert("lemmas".to_string(), json!([]));
            if fields.get("evidence").is_some_and(|evidence| evidence.get("sha256").is_some()) {
                check_condensed(&fields, "evidence", &["bytes", "kind", "sha256"])?;
            } else {
                let text = Value::Object(fields.clone()).to_string();
                Certificate::parse(Path::new("record"), text.as_bytes()).map_err(|error| error.problem.to_string())?;
            }
        }
        for panel in fields.get_mut("panels").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(panel) = panel.as_object_mut() else { continue };
            for what in ["witnesses", "reasons"] {
                if panel.contains_key(what) {
                    check_condensed(panel, what, &["count", "sha256"])?;
                    panel.remove(what);
                }
            }
        }
        Statement::of_record(&Value::Object(fields)).map(Some)
    }
}

/// The fields of what is not about one network: those by which it is told, those that it has too, and those that it may have.
const OTHERS: [[&[&str]; 3]; 5] = [
    [&["lemma"], &["statement", "verdict"], &["counterexamples", "enumerated", "questions"]],
    [&["theorem"], &["assumptions", "file", "statement", "verdict", "words"], &[]],
    [
        &["panels"],
        &["construction", "every_value", "exponent_bits", "inputs", "letters", "precisions", "statement"],
        &[],
    ],
    [
        &["points"],
        &[
            "activation",
            "computed_at_most",
            "first_not_computed",
            "format",
            "functions",
            "kind",
            "partial_sums",
            "paths",
            "units",
            "values",
            "verdict",
        ],
        &["proved"],
    ],
    [
        &["questions", "rows"],
        &[
            "activation",
            "contractions",
            "format",
            "inputs",
            "orders",
            "paths",
            "roundings",
            "statement",
            "steps",
            "verdict",
        ],
        &[],
    ],
];

/// A record that is not about one network has all fields of its kind and no others. One about a network is read as a
/// certificate, which checks that by itself.
fn check_fields(fields: &Map<String, Value>) -> Result<(), String> {
    if fields.contains_key("claim") {
        return Ok(());
    }
    let has = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    let kind = OTHERS.iter().find(|[told_by, ..]| has(told_by));
    let [told_by, needed, more] = kind.ok_or("it is of no kind of record: a claim, a lemma, a theorem or a map")?;
    if let Some(missing) = needed.iter().find(|name| !fields.contains_key(**name)) {
        return Err(format!("it lacks the field {missing}"));
    }
    let known = |name: &&String| [told_by, needed, more].iter().any(|names| names.contains(&name.as_str()));
    match fields.keys().find(|name| !known(name)) {
        Some(stray) => Err(format!("it does not have the field {}", crate::text::shortened(stray))),
        None => Ok(()),
    }
}

/// What stands for something longer has these fields, among them a digest, and no others.
fn check_condensed(fields: &Map<String, Value>, name: &str, of: &[&str]) -> Result<(), String> {
    let found = fields.get(name).and_then(Value::as_object);
    let is_digest = |value: &Value| value.as_str().is_some_and(|text| text.parse::<Digest>().is_ok());
    match found {
        Some(found) if found.keys().eq(of) && found.get("sha256").is_some_and(is_digest) => Ok(()),
        _ => Err(format!("{name} has the fields {}, the last one a digest", of.join(", "))),
    }
}

/// The SHA-256 of compact JSON with sorted keys.
fn digest(value: &Value) -> String {
    Digest::of(value.to_string().as_bytes()).to_string()
}

fn file_name(instance: &str, what: &str) -> String {
    format!("{instance}.{what}.safetensors")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lemma() -> Value {
        json!({ "lemma": "gap", "statement": "s", "verdict": "Attested", "questions": [{ "case": "a" }] })
    }

    #[test]
    fn provenance_does_not_count_and_long_evidence_is_its_digest() {
        let certificate = |separator: &str, program: &str| {
            json!({
                "schema": 1, "verdict": "Proved", "network": { "path": "a.network.safetensors", "sha256": "0" },
                "dataset": { "path": "other", "sha256": "1" }, "lemmas": [{ "name": "gap", "established": "e" }],
                "evidence": { "kind": "box-network", "separator": separator }, "provenance": { "program": program }
            })
            .to_string()
        };
        let record = |text: &str, kind| Record::of_json("a", text, kind).expect("a record");
        let short = record(&certificate("#0", "p"), RecordKind::Evidence);
        assert_eq!(short, record(&certificate("#0", "q"), RecordKind::Evidence));
        let value = short.to_value();
        assert_eq!((&value["network"], &value["dataset"]["path"]), (&json!("0"), &json!("other")));
        assert_eq!((&value["evidence"]["separator"], &value["lemmas"]["names"]), (&json!("#0"), &json!("gap")));
        let long = "#0".repeat(SHORT);
        for (separator, kind) in [("#0", RecordKind::Digest), (&long, RecordKind::Evidence)] {
            let evidence = json!({ "kind": "box-network", "separator": separator });
            let value = record(&certificate(separator, "p"), kind).to_value();
            let bytes = evidence.to_string().len();
            assert_eq!(
                value["evidence"],
                json!({ "kind": "box-network", "bytes": bytes, "sha256": digest(&evidence) })
            );
        }
        // What only digests stand for still differs.
        let one = record(&certificate(&long, "p"), RecordKind::Evidence);
        let other = record(&certificate(&long.replacen('0', "1", 1), "p"), RecordKind::Evidence);
        let Comparison::Changed(changes) = Comparison::of(Some(&one), &other) else { panic!("the same") };
        assert_eq!(changes.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["evidence.sha256"]);
    }

    #[test]
    fn every_field_is_known_and_none_is_missing() {
        let read = |value: Value| Record::of_value("gap", value);
        assert_eq!(read(lemma()).expect("a record").to_value(), lemma());
        for field in ["statement", "verdict"] {
            let mut value = lemma();
            value.as_object_mut().expect("an object").remove(field);
            assert!(read(value).is_err_and(|error| error.contains(field)), "{field}");
        }
        for (field, value, reason) in [
            ("stray", json!(1), "does not have the field `stray`"),
            ("verdict", json!("Proven"), "is not a verdict"),
            ("refused", json!("no-scale"), "a refusal has the fields"),
            ("claim", json!({}), "lemmas has the fields"),
        ] {
            let mut record = lemma();
            record[field] = value;
            assert!(read(record).is_err_and(|error| error.contains(reason)), "{reason}");
        }
        for value in
            [json!([]), json!({}), json!({ "verdict": "Proved" }), json!({ "refused": "no-scael", "words": "" })]
        {
            assert!(read(value.clone()).is_err(), "{value}");
        }
    }
}
