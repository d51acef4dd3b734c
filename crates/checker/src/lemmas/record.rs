//! What is put on record of a lemma.

use roundproof_files::Digest;
use roundproof_kernel::Verdict;
use serde::Serialize;

use super::{Lemma, Reply};
use crate::solver::{Answer, Script};

/// The version of this description.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    lemma: &'a str,
    statement: &'a str,
    verdict: &'a str,
    questions: Vec<Asked<'a>>,
    provenance: Provenance,
}

#[derive(Serialize)]
struct Asked<'a> {
    scope: &'a str,
    encoding: &'a str,
    case: &'a str,
    assumptions: String,
    negation: String,
}

#[derive(Serialize)]
struct Provenance {
    z3: String,
    seconds: String,
}

/// The record of a lemma. All but the provenance is the same whenever the same was established.
pub(super) fn json(lemma: &Lemma, replies: &[Reply], verdict: Verdict) -> String {
    let asked = |reply: &'_ Reply| -> (String, String) {
        (answered(&reply.possible, &reply.question.assumptions), answered(&reply.negation, &reply.question.negation()))
    };
    let questions = replies.iter().map(|reply| {
        let (assumptions, negation) = asked(reply);
        let question = &reply.question;
        Asked { scope: &question.scope, encoding: question.encoding, case: &question.case, assumptions, negation }
    });
    let seconds: f64 = replies.iter().map(|reply| reply.time.as_secs_f64()).sum();
    let record = Record {
        schema: SCHEMA,
        lemma: lemma.name,
        statement: lemma.statement,
        verdict: verdict.name(),
        questions: questions.collect(),
        provenance: Provenance { z3: crate::solver::version(), seconds: format!("{seconds:.1}") },
    };
    // Strings and integers alone: nothing of it can fail to become JSON.
    serde_json::to_string_pretty(&record).unwrap_or_default() + "\n"
}

/// An answer, with the digest of the exact text that was asked.
fn answered(answer: &Answer, script: &Script) -> String {
    let word = match answer {
        Answer::Satisfiable => "sat",
        Answer::Unsatisfiable => "unsat",
        Answer::Unknown(_) => "unknown",
    };
    format!("{word} sha256:{}", Digest::of(script.to_smtlib().as_bytes()))
}
