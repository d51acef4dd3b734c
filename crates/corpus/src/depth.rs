//! What two layers compute, as a claim of the corpus.

use std::collections::BTreeMap;

use roundproof_checker::depth::Question;
use roundproof_exact::Number;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_kernel::Verdict;
use roundproof_softfloat::to_decimal;
use serde::Serialize;

use crate::claim::Instance;

/// The version of records.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record {
    schema: u32,
    kind: &'static str,
    format: String,
    activation: &'static str,
    paths: String,
    points: Vec<String>,
    values: usize,
    units: usize,
    partial_sums: usize,
    functions: usize,
    computed_at_most: usize,
    first_not_computed: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proved: Option<usize>,
    verdict: &'static str,
    provenance: BTreeMap<&'static str, String>,
}

/// Enumerates the functions of two layers; attested if some function is none of them, refuted if the kernel proves a network
/// for every function. Gives the verdict, how it was come to, and the record.
pub(crate) fn enumerate(instance: &Instance, points: &[Number]) -> Result<(Verdict, String, String), String> {
    let format = instance.format;
    let at = |number: &Number| {
        let rounded = number.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
        match rounded.status == Status::NONE {
            true => Ok(rounded.encoding),
            false => Err(format!("points: {} is not a value of {format}", decimal(format, rounded.encoding))),
        }
    };
    let points = points.iter().map(at).collect::<Result<Vec<Encoding>, String>>()?;
    let question = Question { format, activation: instance.activation, model: instance.model, points };
    let answer = question.answer().map_err(|error| error.to_string())?;
    let missing = answer.missing().next();
    let is_proved = |labels: &Vec<Encoding>| {
        answer.network(labels).is_some_and(|network| question.is_answered_by(&network, labels))
    };
    let proved = missing.is_none().then(|| answer.computed().filter(is_proved).count());
    let (verdict, word) = match proved {
        None => (Verdict::Attested, "Attested"),
        Some(proved) if proved == answer.functions() => (Verdict::Refuted, "Refuted"),
        Some(_) => (Verdict::Unknown, "Unknown"),
    };
    let names = |encodings: &[Encoding]| encodings.iter().map(|one| decimal(format, *one)).collect::<Vec<String>>();
    let record = Record {
        schema: SCHEMA,
        kind: "depth",
        format: format.to_string(),
        activation: instance.activation.name(),
        paths: instance.model.to_string(),
        points: names(&question.points),
        values: answer.values(),
        units: answer.units(),
        partial_sums: answer.sums(),
        functions: answer.functions(),
        computed_at_most: answer.found(),
        first_not_computed: missing.as_deref().map(names),
        proved,
        verdict: word,
        provenance: BTreeMap::new(),
    };
    let json = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())? + "\n";
    let how = match proved {
        None => format!("enumerated: at most {} of {} functions in two layers", answer.found(), answer.functions()),
        Some(proved) => format!("kernel, paths: {proved} of {} functions in two layers", answer.functions()),
    };
    Ok((verdict, how, json))
}

fn decimal(format: Format, encoding: Encoding) -> String {
    to_decimal(format, encoding).unwrap_or_else(|_| format!("{:#x}", encoding.bits()))
}
