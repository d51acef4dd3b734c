//! What `prove`, `compile` and `approximate` say.

use std::path::Path;
use std::time::Duration;

use roundproof_checker::prove::{NAMES, Proof};
use roundproof_construct::reference_parameters;
use roundproof_exact::text::{approximate, exact_decimal};
use roundproof_files::safetensors::parse_forest;
use roundproof_judge::point::Point;
use roundproof_judge::{Evidence, Inputs, Statement, Subject, Verdict};
use roundproof_network::{At, Witness};
use roundproof_sources::table::{Place as RowPlace, Table};
use serde::Serialize;

use super::{CERTIFICATE, CLASSES, classes};
use crate::output::{Sheet, Whole, count};
use crate::words;

/// What is said of a proof, for machines; for people, [`Report::sheet`].
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    verdict: &'static str,
    #[cfg_attr(test, schemars(with = "crate::schema::report::Statement"))]
    claim: Statement,
    /// The parameters of a network with one point box per row.
    reference_parameters: Option<Whole>,
    evidence: Option<&'static str>,
    /// Why the evidence that was offered first was not accepted, if it was not.
    rejection: Option<String>,
    refutation: Option<Refutation>,
    /// What rounding did to the table.
    rounding: Option<Rounding>,
    /// What there is to know about the reading of the table.
    remarks: Vec<String>,
    files: Option<Vec<String>>,
    seconds: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Refutation {
    #[serde(flatten)]
    at: Place,
    output: usize,
    value: String,
    encoding: String,
    replay: Option<String>,
}

/// Where the network is wrong, and what it should give there.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Place {
    Row {
        row: usize,
        line: Option<usize>,
        column: Option<String>,
        label: String,
    },
    Point {
        #[serde(skip)]
        name: String,
        point: Vec<String>,
        expected: String,
        function: String,
    },
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Rounding {
    inputs: usize,
    inexact_inputs: usize,
    labels: usize,
    inexact_labels: usize,
    worst: Option<Worst>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Worst {
    #[serde(skip)]
    place: RowPlace,
    line: Option<usize>,
    row: Option<usize>,
    column: String,
    text: String,
    rounded: String,
    relative_error: String,
}

impl Report {
    /// The report on a proof, and on the table if there was one.
    pub fn new(proof: &Proof, table: Option<&Table>, out: Option<&Path>, time: Duration) -> Report {
        let certificate = &proof.certificate;
        let (claim, shape) = (&certificate.claim, &certificate.claim.shape);
        let refutation = match (&certificate.evidence, table) {
            (Some(Evidence::Witness(witness)), table) => Refutation::new(witness, proof, table, out),
            _ => None,
        };
        let forest = proof.files.forest.as_deref().and_then(|bytes| parse_forest(Path::new(NAMES[2]), bytes).ok());
        let data = table.map(|table| &table.dataset);
        let subject = Subject { network: &proof.network, data, forest: forest.as_ref() };
        let reference = reference_parameters(shape.rows, shape.input_dimension, shape.output_dimension);
        let numbered = table.and_then(classes).map(|_| CLASSES);
        let files = || proof.files.named().map(|(name, _)| name).chain(numbered).chain([CERTIFICATE]);
        Report {
            verdict: certificate.verdict.name(),
            claim: Statement::new(claim, Some(&subject)),
            reference_parameters: (shape.rows > 0).then_some(Whole(reference)),
            evidence: certificate.evidence.as_ref().map(words::evidence_kind),
            rejection: proof.rejection.as_ref().map(ToString::to_string),
            refutation,
            rounding: table.map(Rounding::new),
            remarks: table.map_or_else(Vec::new, |table| table.remarks.iter().map(ToString::to_string).collect()),
            files: out.map(|out| files().map(|name| out.join(name).display().to_string()).collect()),
            seconds: time.as_secs_f64(),
        }
    }

    /// The report for people, without its end.
    pub fn sheet(&self, proof: &Proof, table: Option<&Table>) -> Sheet {
        let certificate = &proof.certificate;
        let claim = &certificate.claim;
        let mut sheet = Sheet::new(self.heading(certificate.verdict));
        sheet.line("claim", &self.claim.sentence);
        sheet.line("format", words::format(claim.format));
        sheet.line("network", words::network(&proof.network));
        if let Some(reference) = &self.reference_parameters {
            let reference = reference.parameters_beside(self.claim.shape.parameters);
            sheet.line("reference", format!("one point box per row has {reference}"));
        }
        if let (exceptions @ [_, ..], Some(table)) = (&self.claim.exceptions[..], table) {
            let place = |row: usize| table.places.of(row).to_string();
            sheet.line("other rows", words::rows(exceptions, place));
        }
        if let (Some(rounding), Some(table)) = (&self.rounding, table) {
            sheet.line("rounding", rounding.text(table));
        }
        for remark in &self.remarks {
            sheet.line("table", remark);
        }
        if let Some(refutation) = &self.refutation {
            sheet.line("witness", refutation.text());
            if let Some(replay) = &refutation.replay {
                sheet.line("replay", replay);
            }
        } else if let Some(evidence) = &certificate.evidence {
            sheet.line("evidence", words::evidence(evidence));
        }
        if let Some(rejection) = &self.rejection {
            sheet.line("rejected", rejection);
        }
        sheet
    }

    /// Where the files are, and how long it took.
    pub fn end(&self, sheet: &mut Sheet) {
        if let Some(files) = &self.files {
            sheet.line("files", files.join("\n"));
        }
        sheet.line("time", format!("{:.1} s", self.seconds));
    }

    fn heading(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Proved => "Proved: the kernel accepted the evidence",
            Verdict::Refuted if matches!(&self.refutation, Some(Refutation { at: Place::Point { .. }, .. })) => {
                "Refuted: on the path below, the network gives another value than is claimed"
            }
            Verdict::Refuted => "Refuted: on the path below, the network gives another value than the label",
            Verdict::Unknown if self.claim.inputs != Inputs::Rows => {
                "Unknown: the kernel rejected the evidence, and no point was found where a path contradicts the claim"
            }
            Verdict::Unknown => {
                "Unknown: the kernel rejected the evidence, and no path was found on which a label is missed"
            }
            Verdict::Vacuous => "Vacuous: there are no rows, so the claim says nothing",
            Verdict::Attested => "Attested: a solver said so; the kernel has nothing to check",
        }
    }
}

impl Refutation {
    fn new(witness: &Witness, proof: &Proof, table: Option<&Table>, out: Option<&Path>) -> Option<Refutation> {
        let claim = &proof.certificate.claim;
        let format = claim.format;
        let quoted = |name: &str| {
            let text = out.map(|out| out.join(name).display().to_string()).unwrap_or_default();
            if text.contains(|c: char| c.is_whitespace() || c == '\'') { format!("{text:?}") } else { text }
        };
        let [network, dataset, certificate] = [NAMES[0], NAMES[1], CERTIFICATE].map(quoted);
        let (at, arguments) = match (&witness.at, table) {
            (At::Row(row), Some(table)) => {
                let at = Place::Row {
                    row: *row,
                    line: table.places.of(*row).line(),
                    column: table.columns.labels.get(witness.output).cloned(),
                    label: exact_decimal(format, table.dataset.label(*row, witness.output)),
                };
                (at, format!("{network} {dataset}"))
            }
            (At::Row(_), None) => return None,
            (At::Point(inputs), _) => {
                let forest = parse_forest(Path::new(NAMES[2]), proof.files.forest.as_deref()?).ok()?;
                let point = Point::new(claim, &forest, inputs)?;
                let at = Place::Point {
                    name: point.place(),
                    point: point.inputs(),
                    expected: point.expected(witness.output),
                    function: point.function(witness.output, witness.value),
                };
                (at, network)
            }
        };
        Some(Refutation {
            at,
            output: witness.output,
            value: exact_decimal(format, witness.value),
            encoding: words::bits(format, witness.value),
            replay: out.map(|_| format!("roundproof run {arguments} --path {certificate}")),
        })
    }

    fn text(&self) -> String {
        match &self.at {
            Place::Row { row, line, column, label } => {
                let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
                let column = column.as_ref().map(|column| format!(", label `{column}`")).unwrap_or_default();
                format!("row {row}{line}{column}: expected {label}, the path gives {}", self.value)
            }
            Place::Point { name, expected, function, .. } => {
                let output = self.output;
                format!("at {name}, output {output}: expected {expected}, the path gives {}\n{function}", self.value)
            }
        }
    }
}

impl Rounding {
    fn new(table: &Table) -> Rounding {
        let (data, report) = (&table.dataset, &table.report);
        let worst = report.worst.as_ref().map(|worst| Worst {
            place: worst.place,
            line: worst.place.line(),
            row: if let RowPlace::Row(row) = worst.place { Some(row) } else { None },
            column: worst.column.clone(),
            text: worst.text.clone(),
            rounded: exact_decimal(data.format(), worst.rounded),
            relative_error: approximate(&worst.relative_error),
        });
        Rounding {
            inputs: data.rows() * data.dimension(),
            inexact_inputs: report.inexact_inputs,
            labels: data.rows() * data.outputs(),
            inexact_labels: report.inexact_labels,
            worst,
        }
    }

    fn text(&self, table: &Table) -> String {
        let format = table.dataset.format();
        let Some(worst) = &self.worst else { return format!("every input and label is a value of {format}") };
        format!(
            "{} of {} and {} of {} are not values of {format} and were rounded to nearest\nworst: {}, column `{}`: {} \
             became {} (relative error {})",
            self.inexact_inputs,
            count(self.inputs, "input"),
            self.inexact_labels,
            count(self.labels, "label"),
            worst.place,
            worst.column,
            worst.text,
            worst.rounded,
            worst.relative_error,
        )
    }
}
