//! What is put on record of a lemma.

use std::collections::BTreeMap;

use roundproof_files::Digest;
use roundproof_format::Encoding;
use roundproof_kernel::Verdict;
use serde::Serialize;

use super::enumeration::Enumerated;
use super::{Found, Lemma, Refutation};
use roundproof_solver::{Answer, Script, Solver};

/// The version of this description.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    lemma: &'a str,
    statement: &'a str,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<Asked<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enumerated: Option<Enumeration<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counterexamples: Vec<Refuted<'a>>,
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

/// Cases that hold, every one of them.
#[derive(Serialize)]
struct Enumeration<'a> {
    cases: u64,
    formats: &'a [Enumerated],
}

/// A statement that is false, and where.
#[derive(Serialize)]
struct Refuted<'a> {
    scope: &'a str,
    encoding: &'a str,
    case: &'a str,
    assumptions: String,
    negation: String,
    at: BTreeMap<&'static str, String>,
    replayed: &'a str,
}

#[derive(Serialize)]
struct Provenance {
    z3: String,
    seconds: String,
}

/// The record of a lemma. All but the provenance is the same whenever the same was established.
pub(super) fn json(lemma: &Lemma, found: &Found, verdict: Verdict, solver: &Solver) -> String {
    let questions = found.replies.iter().map(|reply| {
        let question = &reply.question;
        Asked {
            scope: &question.scope,
            encoding: question.encoding,
            case: &question.case,
            assumptions: answered(&reply.possible, &question.assumptions),
            negation: answered(&reply.negation, &question.negation()),
        }
    });
    let cases = found.enumerated.iter().map(Enumerated::total).sum();
    let enumerated = Some(Enumeration { cases, formats: &found.enumerated }).filter(|all| !all.formats.is_empty());
    let seconds: f64 = found.replies.iter().map(|reply| reply.time.as_secs_f64()).sum();
    let record = Record {
        schema: SCHEMA,
        lemma: lemma.name,
        statement: lemma.statement,
        verdict: verdict.name(),
        questions: questions.collect(),
        enumerated,
        counterexamples: found.refutations.iter().filter_map(refuted).collect(),
        provenance: Provenance { z3: solver.provenance(), seconds: format!("{seconds:.1}") },
    };
    // Strings and integers alone: nothing of it can fail to become JSON.
    serde_json::to_string_pretty(&record).unwrap_or_default() + "\n"
}

/// The counterexample, if there is one; if not, the verdict is not `Attested`.
fn refuted(refutation: &Refutation) -> Option<Refuted<'_>> {
    let (question, found) = (&refutation.falsehood.question, refutation.found.as_ref().ok()?);
    let digits = refutation.falsehood.format.width().div_ceil(4) as usize;
    let hexadecimal = |encoding: Encoding| format!("0x{:0digits$x}", encoding.bits());
    Some(Refuted {
        scope: &question.scope,
        encoding: question.encoding,
        case: &question.case,
        assumptions: answered(&refutation.possible, &question.assumptions),
        negation: answered(&Answer::Satisfiable, &question.negation()),
        at: found.at.iter().map(|&(name, encoding)| (name, hexadecimal(encoding))).collect(),
        replayed: &found.replayed,
    })
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
