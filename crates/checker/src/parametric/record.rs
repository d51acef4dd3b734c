//! What is put on record of a symbolic data set.

use roundproof_files::Digest;
use roundproof_kernel::Verdict;
use serde::Serialize;

use super::{Choices, Parametric};
use roundproof_solver::{Answer, Script, Solver};

/// The version of this description.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record {
    schema: u32,
    statement: String,
    verdict: &'static str,
    format: String,
    paths: String,
    activation: &'static str,
    rows: usize,
    inputs: usize,
    roundings: usize,
    orders: usize,
    contractions: usize,
    steps: bool,
    questions: Vec<Asked>,
    provenance: Provenance,
}

/// A question with its answer, and the digest of the exact text that was asked.
#[derive(Serialize)]
pub(super) struct Asked {
    question: String,
    answer: String,
}

#[derive(Serialize)]
struct Provenance {
    z3: String,
    seconds: String,
}

impl Asked {
    pub(super) fn new(question: &str, answer: &Answer, script: &Script) -> Asked {
        let word = match answer {
            Answer::Satisfiable => "sat",
            Answer::Unsatisfiable => "unsat",
            Answer::Unknown(_) => "unknown",
        };
        let digest = Digest::of(script.to_smtlib().as_bytes());
        Asked { question: question.to_string(), answer: format!("{word} sha256:{digest}") }
    }
}

/// The record. All but the provenance is the same whenever the same was established.
pub(super) fn json(
    asked: &Parametric,
    choices: Choices,
    questions: Vec<Asked>,
    verdict: Verdict,
    solver: &Solver,
    time: f64,
) -> String {
    let shape = asked.shape;
    let record = Record {
        schema: SCHEMA,
        statement: format!(
            "For every data set of {} pairwise distinct rows of {} finite inputs with a finite label each, and every box \
             network of it that the side conditions allow: every path gives the label of each row.",
            shape.rows, shape.inputs
        ),
        verdict: verdict.name(),
        format: asked.format.to_string(),
        paths: asked.model.to_string(),
        activation: asked.activation.name(),
        rows: shape.rows,
        inputs: shape.inputs,
        roundings: choices.roundings,
        orders: choices.orders,
        contractions: choices.contractions,
        steps: asked.steps,
        questions,
        provenance: Provenance { z3: solver.provenance(), seconds: format!("{time:.1}") },
    };
    // Strings and integers alone: nothing of it can fail to become JSON.
    serde_json::to_string_pretty(&record).unwrap_or_default() + "\n"
}
