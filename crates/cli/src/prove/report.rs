//! What `prove` says.

use std::path::Path;
use std::time::Duration;

use roundproof_checker::memorize::Proof;
use roundproof_construct::reference_parameters;
use roundproof_files::csv::CsvData;
use roundproof_files::text::{approximate, exact_decimal};
use roundproof_kernel::{Evidence, Verdict};
use roundproof_network::Witness;
use serde::Serialize;

use super::FILES;
use crate::output::{Sheet, count};
use crate::words;

/// What `prove` says, for machines; for people, [`Report::text`].
#[derive(Serialize)]
pub struct Report {
    verdict: &'static str,
    claim: String,
    format: String,
    paths: String,
    rows: usize,
    inputs: usize,
    outputs: usize,
    layers: usize,
    parameters: usize,
    reference_parameters: usize,
    evidence: Option<&'static str>,
    /// Why the evidence that was offered first was not accepted, if it was not.
    rejection: Option<String>,
    refutation: Option<Refutation>,
    rounding: Rounding,
    files: Option<Vec<String>>,
    seconds: f64,
}

#[derive(Serialize)]
struct Refutation {
    row: usize,
    line: Option<usize>,
    output: usize,
    column: Option<String>,
    label: String,
    value: String,
    encoding: String,
    replay: Option<String>,
}

#[derive(Serialize)]
struct Rounding {
    inputs: usize,
    inexact_inputs: usize,
    labels: usize,
    inexact_labels: usize,
    worst: Option<Worst>,
}

#[derive(Serialize)]
struct Worst {
    line: usize,
    column: String,
    text: String,
    rounded: String,
    relative_error: String,
}

impl Report {
    /// The report on a proof of a table.
    pub fn new(proof: &Proof, csv: &CsvData, out: Option<&Path>, time: Duration) -> Report {
        let certificate = &proof.certificate;
        let (claim, shape) = (&certificate.claim, &certificate.claim.shape);
        let refutation = match &certificate.evidence {
            Some(Evidence::Witness(witness)) => Some(Refutation::new(witness, csv, out)),
            _ => None,
        };
        Report {
            verdict: certificate.verdict.name(),
            claim: words::claim(claim),
            format: claim.format.to_string(),
            paths: claim.model.to_string(),
            rows: shape.rows,
            inputs: shape.input_dimension,
            outputs: shape.output_dimension,
            layers: shape.layers,
            parameters: shape.parameters,
            reference_parameters: reference_parameters(shape.rows, shape.input_dimension, shape.output_dimension),
            evidence: certificate.evidence.as_ref().map(words::evidence_kind),
            rejection: proof.rejection.as_ref().map(ToString::to_string),
            refutation,
            rounding: Rounding::new(csv),
            files: out.map(|out| FILES.iter().map(|name| out.join(name).display().to_string()).collect()),
            seconds: time.as_secs_f64(),
        }
    }

    /// The report for people.
    pub fn text(&self, proof: &Proof, csv: &CsvData) -> String {
        let certificate = &proof.certificate;
        let claim = &certificate.claim;
        let mut sheet = Sheet::new(self.heading(certificate.verdict));
        sheet.line("claim", &self.claim);
        sheet.line("format", words::format(claim.format));
        sheet.line("paths", words::model(&claim.model, claim.format));
        sheet.line("network", words::network(&proof.network));
        let reference = self.reference_parameters;
        sheet.line("size", format!("{} parameters; one point box per row has {reference}", self.parameters));
        sheet.line("rounding", self.rounding.text(csv));
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
        if let Some(files) = &self.files {
            sheet.line("files", files.join("\n"));
        }
        sheet.line("time", format!("{:.1} s", self.seconds));
        sheet.text()
    }

    fn heading(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Proved => "Proved: the kernel accepted the evidence",
            Verdict::Refuted => "Refuted: on the path below, the network gives another value than the label",
            Verdict::Unknown => {
                "Unknown: the kernel rejected the evidence, and no path was found on which a label is missed"
            }
            Verdict::Vacuous => "Vacuous: there are no rows, so the claim says nothing",
            Verdict::Attested => "Attested: a solver said so; the kernel has nothing to check",
        }
    }
}

impl Refutation {
    fn new(witness: &Witness, csv: &CsvData, out: Option<&Path>) -> Refutation {
        let format = csv.dataset.format();
        let quoted = |name: &str| {
            let text = out.map(|out| out.join(name).display().to_string()).unwrap_or_default();
            if text.contains(|c: char| c.is_whitespace() || c == '\'') { format!("{text:?}") } else { text }
        };
        let [network, dataset, certificate] = FILES.map(quoted);
        Refutation {
            row: witness.row,
            line: csv.lines.get(witness.row).copied(),
            output: witness.output,
            column: csv.columns.labels.get(witness.output).cloned(),
            label: exact_decimal(format, csv.dataset.label(witness.row, witness.output)),
            value: exact_decimal(format, witness.value),
            encoding: words::bits(format, witness.value),
            replay: out.map(|_| format!("roundproof run {network} {dataset} --path {certificate}")),
        }
    }

    fn text(&self) -> String {
        let line = self.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let column = self.column.as_ref().map(|column| format!(", label `{column}`")).unwrap_or_default();
        format!("row {}{line}{column}: expected {}, the path gives {}", self.row, self.label, self.value)
    }
}

impl Rounding {
    fn new(csv: &CsvData) -> Rounding {
        let (data, report) = (&csv.dataset, &csv.report);
        let worst = report.worst.as_ref().map(|worst| Worst {
            line: worst.line,
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

    fn text(&self, csv: &CsvData) -> String {
        let format = csv.dataset.format();
        let Some(worst) = &self.worst else { return format!("every input and label is a value of {format}") };
        format!(
            "{} of {} and {} of {} are no values of {format} and were rounded to nearest\nworst: line {}, column `{}`: {} \
             became {} (relative error {})",
            self.inexact_inputs,
            count(self.inputs, "input"),
            self.inexact_labels,
            count(self.labels, "label"),
            worst.line,
            worst.column,
            worst.text,
            worst.rounded,
            worst.relative_error,
        )
    }
}
