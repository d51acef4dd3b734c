//! What is claimed, read from a record.

use std::collections::BTreeSet;
use std::path::Path;

use roundproof_checker::frontier::Recorded;
use roundproof_files::Certificate;
use roundproof_format::Format;
use roundproof_network::{Activation, PathModel};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What is claimed, as far as strength is concerned.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// About one network.
    Network(Box<Certificate>),
    /// A lemma, and the cases in which it is attested.
    Lemma {
        /// In words.
        statement: String,
        /// Each case with its answer and the digest of what was asked.
        cases: BTreeSet<String>,
    },
    /// A theorem in Rocq.
    Theorem {
        /// As it stands in its file.
        statement: String,
        /// The axioms that it assumes.
        assumptions: BTreeSet<String>,
    },
    /// About every data set of a shape.
    EveryDataSet(Scope, [u64; 2]),
    /// About all networks of two layers, at these points.
    Depth(Scope, Vec<String>),
    /// A map of a construction.
    Map(Box<Recorded>),
}

/// Where a statement about many networks is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The format.
    pub format: Format,
    /// The rounding paths.
    pub model: PathModel,
    /// The hidden activation.
    pub activation: Activation,
}

/// A record of a lemma.
#[derive(Deserialize)]
struct LemmaRecord {
    statement: String,
    #[serde(default)]
    questions: Vec<Value>,
    enumerated: Option<Enumerated>,
    #[serde(default)]
    counterexamples: Vec<Value>,
}

#[derive(Deserialize)]
struct Enumerated {
    formats: Vec<Value>,
}

/// A record of a theorem in Rocq.
#[derive(Deserialize)]
struct TheoremRecord {
    statement: String,
    assumptions: BTreeSet<String>,
}

/// A record of a statement about many networks.
#[derive(Deserialize)]
struct ScopeRecord {
    format: String,
    paths: String,
    activation: String,
}

#[derive(Deserialize)]
struct ShapeRecord {
    rows: u64,
    inputs: u64,
}

#[derive(Deserialize)]
struct PointsRecord {
    points: Vec<String>,
}

impl Statement {
    /// What kind of statement it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Statement::Network(_) => "about one network",
            Statement::Lemma { .. } => "a lemma",
            Statement::Theorem { .. } => "a theorem in Rocq",
            Statement::EveryDataSet(..) => "about every data set",
            Statement::Depth(..) => "about all networks of two layers",
            Statement::Map(_) => "a map",
        }
    }

    /// What a record states, whatever came of it.
    ///
    /// # Errors
    ///
    /// If it is not a record of the corpus.
    pub fn of_record(record: &Value) -> Result<Statement, String> {
        let Value::Object(fields) = record else { return Err("it is not an object".to_string()) };
        if fields.contains_key("claim") {
            return certificate(fields.clone()).map(|certificate| Statement::Network(Box::new(certificate)));
        }
        if fields.contains_key("lemma") {
            let LemmaRecord { statement, questions, enumerated, counterexamples } = read(record)?;
            let enumerated = enumerated.map_or_else(Vec::new, |enumerated| enumerated.formats);
            let cases = questions.into_iter().chain(enumerated).chain(counterexamples);
            return Ok(Statement::Lemma { statement, cases: cases.map(|case| case.to_string()).collect() });
        }
        if fields.contains_key("theorem") {
            let TheoremRecord { statement, assumptions } = read(record)?;
            return Ok(Statement::Theorem { statement, assumptions });
        }
        if fields.contains_key("panels") {
            return read(record).map(|map| Statement::Map(Box::new(map)));
        }
        if fields.get("kind").is_some_and(|kind| kind == "depth") {
            let PointsRecord { points } = read(record)?;
            return Ok(Statement::Depth(scope(record)?, points));
        }
        let ShapeRecord { rows, inputs } = read(record)?;
        Ok(Statement::EveryDataSet(scope(record)?, [rows, inputs]))
    }
}

fn read<'de, T: Deserialize<'de>>(record: &'de Value) -> Result<T, String> {
    T::deserialize(record).map_err(|error| error.to_string())
}

fn scope(record: &Value) -> Result<Scope, String> {
    let ScopeRecord { format, paths, activation } = read(record)?;
    let format: Format = format.parse().map_err(shown)?;
    let (model, activation) = (PathModel::parse(&paths, format).map_err(shown)?, activation.parse().map_err(shown)?);
    Ok(Scope { format, model, activation })
}

/// What a certificate claims. Its evidence, which a digest may stand for, is not a part of that: it is read as one without.
fn certificate(mut fields: Map<String, Value>) -> Result<Certificate, String> {
    fields.remove("evidence");
    fields.insert("verdict".to_string(), Value::from("Unknown"));
    Certificate::parse(Path::new("record"), Value::Object(fields).to_string().as_bytes())
        .map_err(|error| error.problem.to_string())
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}
