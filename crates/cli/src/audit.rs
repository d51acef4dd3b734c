//! `roundproof audit`: whether a model of another tool decides the same on every machine.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use roundproof_audit::{self as audit, Decision, Loss, Margin, Missing, NAMED, NOT_COVERED, PathModel, Ties, Verdict};
use roundproof_exact::{Rational, parse_number, real};
use roundproof_files::Digest;
use roundproof_format::Format;
use roundproof_graph::{Graph, TensorId};
use roundproof_network::Encodings;
use roundproof_onnx::import::{self, ImportOptions, Model, import};
use serde::Serialize;

use crate::exit::Exit;
use crate::input::{self, Data, Names, TableOptions};
use crate::output::{Sheet, count, emit, emit_json, note};
use crate::parsers::Rows;
use crate::progress::Progress;

/// Rows that are judged between two looks at how far it is.
const WAVE: usize = 256;

const EXAMPLES: &str = "\
Each row of the data is `invariant`, if every rounding path of the path model gives the same decision, or `undecided`, with the \
margin that was missing. `roundproof paths` lists the path models; what none of them covers stands in every report.

The verdict rests on the crate `audit`, on the reader of ONNX models, on GMP, the compiler and the machine; there is no certificate of it \
that `roundproof check` could judge again.

Exit codes: 0 every row is invariant, 2 a wrong command line or input that cannot be read or is not covered, 3 a row is undecided.

Examples:
  roundproof audit model.onnx --data rows.npy
  roundproof audit model.onnx --data rows.csv --label class --paths nearest
  roundproof audit model.onnx --data rows.npy --decision value --tolerance 0.001 --rows 0..100 --json";

/// Say of each row whether an ONNX model decides the same on every rounding path
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    /// The ONNX model
    model: PathBuf,
    /// The rows: a table (CSV, .npy, .npz), rounded to the format of the model's inputs, or a safetensors data set
    #[arg(short, long, value_name = "DATA")]
    data: PathBuf,
    /// What is read off the output: argmax, top-K, sign, threshold, value or bits
    #[arg(long, value_name = "DECISION", default_value = "argmax")]
    decision: Reading,
    /// Whether a tie for the largest element is decided
    #[arg(long, value_enum, default_value = "any")]
    ties: TiesGiven,
    /// With top-K: whether the order of these places counts
    #[arg(long)]
    ordered: bool,
    /// With threshold: the limit, exactly as it is written
    #[arg(long, value_name = "NUMBER", required_if_eq("decision", "threshold"), value_parser = exact)]
    threshold: Option<Rational>,
    /// With value: by how much two paths may differ
    #[arg(long, value_name = "NUMBER", required_if_eq("decision", "value"), value_parser = exact)]
    tolerance: Option<Rational>,
    /// The path model: portable, once, nearest, all, or one of these and changes, as `nearest,narrowing=bias`
    #[arg(short, long, value_name = "MODEL", default_value = "portable", value_parser = PathModel::parse)]
    paths: PathModel,
    /// The output of the model, if it has several
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// The label column of the table, compared with the answers, by name or as #5 for the fifth
    #[arg(short, long = "label", value_name = "COLUMN")]
    label: Option<String>,
    #[command(flatten)]
    table: TableOptions,
    /// The rows to judge, from 0: 7, 0..10 (10 not among them), 5.. or lists of these with commas
    #[arg(short, long, value_name = "ROWS")]
    rows: Option<Rows>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What is read off the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Argmax,
    Top(usize),
    Sign,
    Threshold,
    Value,
    Bits,
}

impl FromStr for Reading {
    type Err = String;

    fn from_str(text: &str) -> Result<Reading, String> {
        Ok(match text {
            "argmax" => Reading::Argmax,
            "sign" => Reading::Sign,
            "threshold" => Reading::Threshold,
            "value" => Reading::Value,
            "bits" => Reading::Bits,
            other => {
                let count = other.strip_prefix("top-").and_then(|count| count.parse().ok()).filter(|count| *count > 0);
                Reading::Top(count.ok_or("argmax, top-K (as top-3), sign, threshold, value or bits is needed")?)
            }
        })
    }
}

/// What counts where two elements are the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TiesGiven {
    /// A tie is not decided: one element has to be larger than all others
    Any,
    /// The first one counts
    First,
}

fn exact(text: &str) -> Result<Rational, String> {
    parse_number(text).map(|number| number.value()).map_err(|error| format!("`{text}` {error}"))
}

/// A row, judged.
#[derive(Serialize)]
struct Judged {
    row: usize,
    verdict: &'static str,
    /// The places that the decision is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Vec<usize>>,
    /// What the model calls them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// Whether that is the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<Told>,
    /// Why nothing was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

/// A margin for people: decimal, rounded.
#[derive(Serialize)]
struct Told {
    element: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<usize>,
    distance: f64,
    taken: f64,
    /// Distance over what rounding may take; absent if that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    losses: Vec<LossTold>,
}

#[derive(Serialize)]
struct LossTold {
    node: String,
    taken: f64,
}

#[derive(Serialize)]
struct Summary {
    rows: usize,
    invariant: usize,
    undecided: usize,
    /// Rows whose answer is the label on every path.
    #[serde(skip_serializing_if = "Option::is_none")]
    certainly_right: Option<usize>,
    /// The least distance over what rounding may take, of the rows that are invariant.
    #[serde(skip_serializing_if = "Option::is_none")]
    least_ratio: Option<f64>,
}

#[derive(Serialize)]
struct Report {
    model: String,
    sha256: String,
    data: String,
    output: String,
    decision: String,
    paths: String,
    not_covered: &'static str,
    summary: Summary,
    rows: Vec<Judged>,
}

impl Audit {
    /// Judges the rows and prints what is said of them.
    pub fn execute(self) -> Result<Exit> {
        let bytes = std::fs::read(&self.model).with_context(|| format!("{}: cannot be read", self.model.display()))?;
        let options = ImportOptions { output: self.output.clone(), ..ImportOptions::default() };
        let model = import(&bytes, &options).with_context(|| self.model.display().to_string())?;
        let (tensor, names) = self.read_off(&model)?;
        let graph = &model.graph;
        let decision = self.decided();
        let single = graph.tensors()[tensor].elements() < 2;
        match decision {
            Decision::Argmax { ties: _ } | Decision::Top { count: _, ordered: _ } if single => bail!(
                "{}: its output {:?} has one element, and so one answer; use --decision value, sign or threshold",
                self.model.display(),
                model.output
            ),
            Decision::Argmax { ties: _ }
            | Decision::Top { count: _, ordered: _ }
            | Decision::Sign
            | Decision::Threshold { limit: _ }
            | Decision::Value { tolerance: _ }
            | Decision::Bits => {}
        }
        let audit = audit::Audit::new(graph, self.paths, tensor, decision.clone())
            .with_context(|| format!("{}: is not covered", self.model.display()))?;
        let data = self.read_data(graph)?;
        let rows = self.rows.clone().unwrap_or(Rows::of_all());
        let rows = rows.of(data.rows()).map_err(|error| anyhow!("--rows: {error}"))?;
        let progress = Progress::new();
        let mut judged = Vec::with_capacity(rows.len());
        for wave in rows.chunks(WAVE) {
            let all: Result<Vec<Judged>> =
                wave.par_iter().map(|&row| self.judge(&audit, graph, &names, &data, row)).collect();
            judged.extend(all?);
            progress.report("rows", judged.len(), rows.len());
        }
        drop(progress);
        let report = Report {
            model: self.model.display().to_string(),
            sha256: Digest::of(&bytes).to_string(),
            data: self.data.display().to_string(),
            output: model.output.clone(),
            decision: self.decision_text(&decision),
            paths: self.paths.to_string(),
            not_covered: NOT_COVERED,
            summary: summary(&judged, self.label.is_some()),
            rows: judged,
        };
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text())?;
        }
        for remark in &data.remarks {
            note(&format!("note: {}: {remark}", self.data.display()));
        }
        Ok(if report.summary.undecided == 0 { Exit::AsClaimed } else { Exit::NotEstablished })
    }

    /// The tensor that is read, and what the model calls its places.
    fn read_off(&self, model: &Model) -> Result<(TensorId, Vec<String>)> {
        let output = model.graph.outputs()[0];
        let counts_places = match self.decision {
            Reading::Argmax | Reading::Top(_) => true,
            Reading::Sign | Reading::Threshold | Reading::Value | Reading::Bits => false,
        };
        match &model.decision {
            Some(import::Decision::ArgMax { tensor, axis, labels }) if counts_places => {
                let shape = &model.graph.tensors()[*tensor].shape;
                if shape[*axis] != shape.iter().product::<usize>() {
                    bail!("{}: it decides several things of a row at once (shape {shape:?})", self.model.display());
                }
                Ok((*tensor, labels.clone()))
            }
            Some(_) | None => Ok((output, Vec::new())),
        }
    }

    fn decided(&self) -> Decision {
        let ties = match self.ties {
            TiesGiven::Any => Ties::Any,
            TiesGiven::First => Ties::First,
        };
        match self.decision {
            Reading::Argmax => Decision::Argmax { ties },
            Reading::Top(count) => Decision::Top { count, ordered: self.ordered },
            Reading::Sign => Decision::Sign,
            Reading::Threshold => Decision::Threshold { limit: self.threshold.clone().unwrap_or_default() },
            Reading::Value => Decision::Value { tolerance: self.tolerance.clone().unwrap_or_default() },
            Reading::Bits => Decision::Bits,
        }
    }

    fn decision_text(&self, decision: &Decision) -> String {
        match decision {
            Decision::Argmax { ties: Ties::Any } => "the largest element, larger than all others".to_owned(),
            Decision::Argmax { ties: Ties::First } => "the largest element, the first of equal ones".to_owned(),
            Decision::Top { count, ordered } => {
                format!("the {count} largest elements{}", if *ordered { ", in their order" } else { "" })
            }
            Decision::Sign => "the sign of each element".to_owned(),
            Decision::Threshold { limit } => format!("which elements are above {limit}, and which below"),
            Decision::Value { tolerance } => format!("each element, up to {tolerance}"),
            Decision::Bits => "the value of each element".to_owned(),
        }
    }

    fn read_data(&self, graph: &Graph) -> Result<Data> {
        let formats: Vec<Format> = graph.inputs().map(|id| graph.tensors()[id].format()).collect();
        let [format, others @ ..] = &formats[..] else { bail!("{}: has no input", self.model.display()) };
        if others.iter().any(|other| other != format) {
            bail!("{}: has inputs in several formats; a table is rounded to one", self.model.display());
        }
        let labels: Vec<String> = self.label.iter().cloned().collect();
        let named = Names { of: "model", file: &self.model, inputs: None };
        let data = input::data(&self.data, &labels, &self.table, *format, &named)?;
        let inputs: usize = graph.inputs().map(|id| graph.tensors()[id].elements()).sum();
        if inputs != data.dimension {
            bail!(
                "{}: has {}, the model {} takes {}; name labels with --label, or choose columns with --inputs or --drop",
                self.data.display(),
                count(data.dimension, "input column"),
                self.model.display(),
                count(inputs, "input"),
            );
        }
        Ok(data)
    }

    fn judge(&self, audit: &audit::Audit, graph: &Graph, names: &[String], data: &Data, row: usize) -> Result<Judged> {
        let mut values = data.input(row).into_iter();
        let inputs: Vec<Encodings> = graph
            .inputs()
            .map(|id| {
                let tensor = &graph.tensors()[id];
                Encodings::collect(tensor.format(), values.by_ref().take(tensor.elements()))
            })
            .collect();
        let verdict = audit.row(&inputs).with_context(|| format!("{}: row {row}", self.data.display()))?;
        Ok(match verdict {
            Verdict::Invariant { answer, margin } => {
                let called = |place: &usize| names.get(*place).cloned();
                let right = self.label.as_ref().and_then(|_| {
                    let format = graph.inputs().next().map(|id| graph.tensors()[id].format())?;
                    let label = real(format, *data.labels(row).first()?)?;
                    let place = *answer.first()?;
                    let name = names.get(place).and_then(|name| parse_number(name).ok()).map(|number| number.value());
                    Some(label == name.unwrap_or_else(|| Rational::from(place)))
                });
                Judged {
                    row,
                    verdict: "invariant",
                    names: answer.iter().filter_map(called).collect(),
                    answer: Some(answer),
                    right,
                    margin: margin.map(|margin| told(graph, &margin)),
                    missing: None,
                }
            }
            Verdict::Undecided(missing) => {
                let (margin, text) = match missing {
                    Missing::Margin(margin) => {
                        let margin = told(graph, &margin);
                        let text = margin.missing();
                        (Some(margin), text)
                    }
                    Missing::Overflow { place } => (None, format!("a value may be beyond the largest one at {place}")),
                    Missing::Divisor { place } => (None, format!("a divisor may be zero at {place}")),
                    Missing::Spread { element, spread } => {
                        (None, format!("two paths may differ by {:.3e} in element {element}", spread.to_f64()))
                    }
                    Missing::Decision => (None, "there are not so many elements".to_owned()),
                };
                Judged {
                    row,
                    verdict: "undecided",
                    answer: None,
                    names: Vec::new(),
                    right: None,
                    margin,
                    missing: Some(text),
                }
            }
        })
    }
}

fn told(graph: &Graph, margin: &Margin) -> Told {
    let Margin { element, other, distance, taken, losses } = margin;
    let loss = |Loss { node, taken }: &Loss| {
        let place = &graph.nodes()[*node];
        LossTold { node: format!("{} {:?}", place.op.name(), place.name), taken: taken.to_f64() }
    };
    Told {
        element: *element,
        other: *other,
        distance: distance.to_f64(),
        taken: taken.to_f64(),
        ratio: (*taken > 0).then(|| Rational::from(distance / taken).to_f64()),
        losses: losses.iter().map(loss).collect(),
    }
}

impl Told {
    fn against(&self) -> String {
        self.other.map_or("the limit".to_owned(), |other| format!("element {other}"))
    }

    fn missing(&self) -> String {
        let mut text = format!(
            "element {} is {:.3e} from {}, and rounding may take {:.3e}",
            self.element,
            self.distance,
            self.against(),
            self.taken
        );
        for (index, loss) in self.losses.iter().enumerate() {
            let _ = write!(text, "{}{:.3e} at {}", if index == 0 { ": " } else { ", " }, loss.taken, loss.node);
        }
        text
    }
}

fn summary(judged: &[Judged], labelled: bool) -> Summary {
    let invariant = judged.iter().filter(|row| row.answer.is_some()).count();
    let ratios = judged.iter().filter(|row| row.answer.is_some()).filter_map(|row| row.margin.as_ref()?.ratio);
    Summary {
        rows: judged.len(),
        invariant,
        undecided: judged.len() - invariant,
        certainly_right: labelled.then(|| judged.iter().filter(|row| row.right == Some(true)).count()),
        least_ratio: ratios.min_by(f64::total_cmp),
    }
}

impl Report {
    fn text(&self) -> String {
        let Report { model, sha256: _, data: _, output, decision, paths, not_covered, summary, rows } = self;
        let mut text = String::new();
        for row in rows {
            let _ = write!(text, "row {}: {}", row.row, row.verdict);
            if let Some(answer) = row.answer.as_ref().filter(|answer| !answer.is_empty()) {
                let places = if row.names.is_empty() {
                    answer.iter().map(usize::to_string).collect()
                } else {
                    row.names.iter().map(|name| format!("{name:?}")).collect::<Vec<String>>()
                };
                let _ = write!(text, " {}", places.join(", "));
            }
            match row.right {
                Some(true) => text.push_str(", the label"),
                Some(false) => text.push_str(", not the label"),
                None => {}
            }
            if let Some(missing) = &row.missing {
                let _ = write!(text, ": {missing}");
            } else if let Some(Told { ratio: Some(ratio), .. }) = &row.margin {
                let _ = write!(text, "; the margin is {ratio:.3e} times what rounding may take");
            }
            text.push('\n');
        }
        let Summary { rows: total, invariant, undecided, certainly_right, least_ratio } = summary;
        let mut sheet = Sheet::new(format!("{invariant} of {} are invariant", count(*total, "row")));
        sheet.line("model", format!("{model}, output {output:?}"));
        sheet.line("decision", decision);
        sheet.line("paths", paths);
        if *undecided > 0 {
            sheet.line("undecided", count(*undecided, "row"));
        }
        if let Some(right) = certainly_right {
            sheet.line("labels", format!("{} have their label on every path", count(*right, "row")));
        }
        if let Some(ratio) = least_ratio {
            sheet.line("margin", format!("at least {ratio:.3e} times what rounding may take, where it is invariant"));
        }
        sheet.line("note", *not_covered);
        text + &sheet.text()
    }
}

const PATHS_EXAMPLES: &str = "\
A path model is named, or named and changed, field by field: `nearest,narrowing=bias`. Fields are rounding (any, or a direction), order \
(any, left-to-right), contraction (any, none), narrowing (once, bias, optional), partials (into how many parts a sum may be split that \
are narrowed each), copies (one, per-reader), subnormals (gradual, flush), division (quotient, any), folding (none, any), operands \
(exact) and, last, accumulator (same, or a format).

Examples:
  roundproof paths
  roundproof paths --json";

/// List the path models of audits
#[derive(Args)]
#[command(after_help = PATHS_EXAMPLES)]
pub struct Paths {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    meaning: &'static str,
    paths: String,
}

impl Paths {
    /// Prints them.
    pub fn execute(self) -> Result<Exit> {
        let mut all = Vec::new();
        for (name, meaning) in NAMED {
            all.push(Named { name, meaning, paths: PathModel::parse(name)?.to_string() });
        }
        if self.json {
            emit_json(&all)?;
        } else {
            let mut sheet = Sheet::new("Path models of `roundproof audit`");
            for Named { name, meaning, paths } in &all {
                sheet.line(*name, format!("{meaning}\n{}", paths.replace(',', ", ")));
            }
            sheet.line("note", NOT_COVERED);
            emit(&sheet.text())?;
        }
        Ok(Exit::AsClaimed)
    }
}
