//! `roundproof audit`: whether a model of another tool decides the same on every machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rayon::prelude::*;
use roundproof_audit::{self as audit, NOT_COVERED, NotCovered, PathModel};
use roundproof_exact::{Rational, parse_number, real};
use roundproof_files::Digest;
use roundproof_files::audit::{AuditCertificate, UnderPaths, word};
use roundproof_files::json::shorten;
use roundproof_files::safetensors::{AuditRows, graph_bytes};
use roundproof_format::{Encoding, Format};
use roundproof_graph::{Graph, TensorId};
use roundproof_judge::Requirements;
use roundproof_judge::audits::{self, AuditPaths, Audited};
use roundproof_network::Encodings;
use roundproof_onnx::import::{self, ImportOptions, Model, import};
use roundproof_sources::table::Remark;

use crate::exit::Exit;
use crate::function_table;
use crate::input::{self, Data, Names, TableOptions};
use crate::output::{count, emit, emit_json_rows, note};
use crate::parsers::{Rows, Shard};
use crate::progress::Progress;

mod decision;
mod keep;
mod list;
mod merge;
mod names;
mod report;

pub use list::Paths;
pub use merge::Merge;
#[cfg(test)]
pub use report::Report;

use decision::{DecisionOptions, Reading};
use keep::{Subject, Unfinished, origin};
use report::{Head, Judged, Tail, Tally, Uncovered, lines};

/// Rows that are judged between two looks at how far it is.
const WAVE: usize = 64;

/// What is audited where no path model is named: the first is what counts, the others stand beside it.
const BESIDE: [&str; 4] = ["portable", "once", "nearest", "all"];
/// And of models in binary32, as soon as rules cover it.
const TF32: &str = "portable,operands=tf32";

const EXAMPLES: &str = "\
Each row of the data is `invariant`, if every rounding path of the path model gives the same decision, or `undecided`, with the \
margin that was missing. `roundproof paths` lists the path models; what none of them covers stands in every report. Without --paths, \
the report has the named ones side by side; the exit code, what is required and the certificate are about `portable`.

The verdict rests on the crate `audit`, on the reader of ONNX models, on GMP, the compiler and the machine.

What can be required (--require KEY=VALUE,KEY=VALUE), among others that `roundproof check --help` lists:
  invariant=all     every row is invariant, under each path model; or a number of rows, or a percentage: invariant=99.5%
  paths=MODEL       this path model, or one that contains it, was asked for; `invariant` is then about that

DIR (--out) gets certificate.json, graph.safetensors and rows.safetensors when all rows are judged; until then, it has what was judged so far, \
from which --resume goes on. On an error in model or data, nothing is written. `roundproof check DIR` judges every row again.

Exit codes: 0 every row is invariant, or all is as required; 2 a wrong command line or input that cannot be read or is not covered; 3 a \
row is undecided, and nothing is said of how many have to be invariant; 5 something is not as required.

Examples:
  roundproof audit model.onnx --data rows.npy
  roundproof audit model.onnx --data rows.csv --label class --paths nearest --paths all
  roundproof audit model.onnx --data rows.npy --paths portable --require invariant=99%
  roundproof audit model.onnx --data rows.npy --out audited --resume
  roundproof audit model.onnx --data rows.npy --shard 1/4 --out part1
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
    #[command(flatten)]
    decision: DecisionOptions,
    /// A path model: portable, once, nearest, all, or one of these and changes, as `nearest,narrowing=bias`; may be repeated.
    /// With functions=measured, or functions=FILE.json, also of models with functions that runtimes approximate
    #[arg(short, long, value_name = "MODEL", value_parser = function_table::path_model)]
    paths: Vec<PathModel>,
    /// Which output of the model is read, if it has several; or any tensor inside it, by its name
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// The label column of the table, compared with the answers, by name or as #5 for the fifth
    #[arg(short, long = "label", value_name = "COLUMN")]
    label: Option<String>,
    /// What the places of the output are called: a file with a name a line, or a JSON array of names
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    table: TableOptions,
    /// The rows to judge, from 0: 7, 0..10 (10 not among them), 5.. or lists of these with commas
    #[arg(short, long, value_name = "ROWS")]
    rows: Option<Rows>,
    /// What is required, as below; may be repeated
    #[arg(long, value_name = "KEY=VALUE,…")]
    require: Vec<Requirements>,
    /// Where to put the certificate, the graph and the rows; nowhere, if left out
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an audit of the same that was interrupted: rows that were judged then are not judged again
    #[arg(long, requires = "out")]
    resume: bool,
    /// Judge one part of the rows, every N-th; `roundproof merge` makes one certificate of the parts
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// A path model, and the audit under it.
struct Asked<'a> {
    model: PathModel,
    paths: AuditPaths,
    audit: audit::Audit<'a>,
    /// Whether it counts, or stands beside those that do.
    counts: bool,
}

/// Everything that rows are judged by.
struct Judging<'a> {
    command: &'a Audit,
    graph: &'a Graph,
    asked: Vec<Asked<'a>>,
    names: Vec<String>,
    data: Data,
    /// The names of the label's classes, if it is a column of names.
    classes: Option<Vec<String>>,
}

impl Audit {
    /// Judges the rows and prints what is said of them.
    pub fn execute(self) -> Result<Exit> {
        let bytes = std::fs::read(&self.model).with_context(|| format!("{}: cannot be read", self.model.display()))?;
        let options = ImportOptions { output: self.output.clone(), ..ImportOptions::default() };
        let model = import(&bytes, &options).with_context(|| self.model.display().to_string())?;
        let (tensor, names) = self.read_off(&model)?;
        let (asked, uncovered) = self.asked(&model.graph, tensor)?;
        let data = self.read_data(&model.graph)?;
        let classes = self.classes(&data);
        if classes.is_some() && names.is_empty() {
            bail!(
                "{}: the labels are names, and the places of the output {:?} of {} have none; say what they are called with --labels FILE",
                self.data.display(),
                model.output,
                self.model.display()
            );
        }
        let rows = self.rows.clone().unwrap_or(Rows::of_all());
        let mut rows = rows.of(data.rows()).map_err(|error| anyhow!("--rows: {error}"))?;
        rows.sort_unstable();
        rows.dedup();
        if let Some(shard) = self.shard {
            let mut position = 0..;
            rows.retain(|_| position.next().is_some_and(|position| shard.has(position)));
        }
        self.ensure_finite(&model.graph, &data, &rows)?;
        let head = Head {
            model: self.model.display().to_string(),
            sha256: Digest::of(&bytes).to_string(),
            data: self.data.display().to_string(),
            data_sha256: data.digest.to_string(),
            output: model.output.clone(),
            decision: audits::decision(&self.decision.decided()),
            not_covered: NOT_COVERED,
        };
        let subject = self.subject(&model, tensor, &names, &asked, &data, &rows, Digest::of(&bytes))?;
        let files = vec![
            ("model", subject.certificate.model.sha256),
            ("graph", subject.certificate.graph.sha256),
            ("dataset", subject.certificate.dataset.sha256),
        ];
        let mut unfinished = match &self.out {
            Some(out) => {
                let size = subject.graph.len();
                audits::check_size(&model.graph, tensor, size)
                    .map_err(|size| anyhow!("{}: is too large for a certificate: {size}", self.model.display()))?;
                Some(Unfinished::open(out, self.resume, &self.told(&subject, &asked))?)
            }
            None => None,
        };
        let judging = Judging { command: &self, graph: &model.graph, asked, names, classes, data };
        let (tallies, verdicts) = judging.rows(&rows, &head, unfinished.as_mut())?;
        let format = judging.graph.inputs().next().map_or(Format::BINARY32, |id| judging.graph.tensors()[id].format());
        let counted = judging.asked.iter().zip(&tallies).filter(|(asked, _)| asked.counts);
        let audited = Audited {
            format,
            rows: rows.len(),
            models: counted.clone().map(|(asked, tally)| (asked.model, tally.invariant())).collect(),
            files,
        };
        let requirements = self.require.iter().cloned().fold(Requirements::default(), Requirements::and);
        let unmet = requirements.unmet_by(&audited);
        let exit = if !unmet.is_empty() {
            Exit::Unmet
        } else if requirements.counts_rows() || counted.clone().all(|(_, tally)| tally.all()) {
            Exit::AsClaimed
        } else {
            Exit::NotEstablished
        };
        if let (Some(out), Some(unfinished)) = (&self.out, unfinished) {
            subject.place(out, verdicts)?;
            unfinished.finish()?;
        }
        let tail = Tail { summary: tallies.into_iter().map(Tally::summary).collect(), uncovered, unmet };
        if self.json {
            emit_json_rows::end(&tail)?;
        } else {
            emit(&tail.text(&head))?;
        }
        for remark in &judging.data.remarks {
            note(&format!("note: {}: {remark}", self.data.display()));
        }
        Ok(exit)
    }

    /// The certificate without verdicts, and its files.
    #[allow(clippy::too_many_arguments)] // what a certificate is about is that much
    fn subject(
        &self,
        model: &Model,
        tensor: TensorId,
        names: &[String],
        asked: &[Asked<'_>],
        data: &Data,
        rows: &[usize],
        sha256: Digest,
    ) -> Result<Subject> {
        let format = model.graph.inputs().next().map_or(Format::BINARY32, |id| model.graph.tensors()[id].format());
        let inputs = Encodings::collect(format, rows.iter().flat_map(|&row| data.input(row)));
        let numbers = rows.iter().map(|&row| row as u64).collect();
        let of_rows = AuditRows::new(format, data.dimension, inputs, numbers)
            .map_err(|problem| anyhow!("{}: {problem}", self.data.display()))?;
        let counted = asked.iter().filter(|asked| asked.counts);
        let origin_of_rows = origin(&self.data, "data", data.digest)?;
        let certificate = AuditCertificate {
            decision: self.decision.decided(),
            tensor,
            classes: names.to_vec(),
            inputs: data.dimension,
            rows: rows.len(),
            graph: origin_of_rows.clone(),
            dataset: origin_of_rows.clone(),
            model: origin(&self.model, "model.onnx", sha256)?,
            source: origin_of_rows,
            audits: counted
                .map(|asked| UnderPaths { model: asked.model, invariant: 0, verdicts: Vec::new() })
                .collect(),
            provenance: [("version".to_string(), crate::VERSION.to_string())].into(),
        };
        Subject::new(certificate, graph_bytes(&model.graph), &of_rows)
    }

    /// What an audit is of, by name: another one does not go on with it.
    fn told(&self, subject: &Subject, asked: &[Asked<'_>]) -> BTreeMap<String, String> {
        let AuditCertificate { decision, tensor, classes, graph, dataset, model, source, provenance, .. } =
            &subject.certificate;
        let names: Vec<String> = asked.iter().map(|asked| asked.paths.in_full()).collect();
        let told = [
            ("the model", model.sha256.to_string()),
            ("the table", source.sha256.to_string()),
            ("the graph", graph.sha256.to_string()),
            ("the rows", dataset.sha256.to_string()),
            ("the decision", audits::decision(decision)),
            ("the tensor that is read", tensor.to_string()),
            ("the names of classes", format!("{classes:?}")),
            ("the label column", format!("{:?}", self.label)),
            ("the path models", names.join("; ")),
            ("the version of roundproof", format!("{provenance:?}")),
        ];
        told.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }

    /// The audits, one for each path model; and of those that were not asked for by name, why they are not covered.
    fn asked<'a>(&self, graph: &'a Graph, tensor: TensorId) -> Result<(Vec<Asked<'a>>, Vec<Uncovered>)> {
        let decision = self.decision.decided();
        let elements = graph.tensors()[tensor].elements();
        if elements < 2 && self.decision.decision.counts_places() {
            bail!(
                "{}: its output {:?} has one element, and so one answer; use --decision value, sign or threshold",
                self.model.display(),
                graph.tensors()[tensor].name
            );
        }
        if let Reading::Top(count) = self.decision.decision
            && count > elements
        {
            bail!(
                "--decision: the {count} largest of {elements} elements are asked for; the output {:?} of {} has no more",
                graph.tensors()[tensor].name,
                self.model.display()
            );
        }
        let audit = |model: PathModel, counts| -> Result<Asked<'a>, NotCovered> {
            let audit = audit::Audit::new(graph, model, tensor, decision.clone())?;
            Ok(Asked { model, paths: AuditPaths::new(&model), audit, counts })
        };
        let refused = || format!("{}: is not covered", self.model.display());
        let (mut asked, mut uncovered) = (Vec::new(), Vec::new());
        if !self.paths.is_empty() {
            for &model in &self.paths {
                if !asked.iter().any(|before: &Asked<'_>| before.model == model) {
                    let paths = AuditPaths::new(&model).name;
                    asked.push(audit(model, true).with_context(|| format!("{} under {paths}", refused()))?);
                }
            }
            return Ok((asked, uncovered));
        }
        for (index, name) in BESIDE.into_iter().enumerate() {
            match audit(PathModel::parse(name)?, index == 0) {
                Ok(audit) => asked.push(audit),
                Err(error) if index == 0 => return Err(error).with_context(|| format!("{} under {name}", refused())),
                Err(error) => uncovered.push(Uncovered { paths: name.to_string(), reason: error.to_string() }),
            }
        }
        let in_binary32 = graph.inputs().all(|id| graph.tensors()[id].format() == Format::BINARY32);
        if in_binary32 && let Ok(audit) = audit(PathModel::parse(TF32)?, false) {
            asked.push(audit);
        }
        Ok((asked, uncovered))
    }

    /// The tensor that is read, and what its places are called.
    fn read_off(&self, model: &Model) -> Result<(TensorId, Vec<String>)> {
        let output = model.graph.outputs()[0];
        let decision = model.decision.as_ref().filter(|_| self.decision.decision.counts_places());
        let (tensor, names) = match decision {
            Some(import::Decision::ArgMax { tensor, axis, labels }) => {
                let shape = &model.graph.tensors()[*tensor].shape;
                if shape[*axis] != shape.iter().product::<usize>() {
                    bail!("{}: it decides several things of a row at once (shape {shape:?})", self.model.display());
                }
                (*tensor, labels.clone())
            }
            None if self.decision.decision == Reading::Label => bail!(
                "{}: gives scores and no label: it has no ArgMax or classifier at its end; use --decision argmax, and --labels FILE \
                 for the names of the classes",
                self.model.display()
            ),
            None => (output, Vec::new()),
        };
        let Some(file) = &self.labels else { return Ok((tensor, names)) };
        if !self.decision.decision.counts_places() {
            bail!("--labels: names the places of the largest elements; use it with --decision argmax, label or top-K");
        }
        Ok((tensor, names::read(file, model.graph.tensors()[tensor].elements())?))
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

    /// Refuses infinities and NaN before anything is judged.
    fn ensure_finite(&self, graph: &Graph, data: &Data, rows: &[usize]) -> Result<()> {
        let Some(format) = graph.inputs().next().map(|id| graph.tensors()[id].format()) else { return Ok(()) };
        for &row in rows {
            let Some((column, value)) =
                data.input(row).into_iter().enumerate().find(|(_, value)| !format.is_finite(*value))
            else {
                continue;
            };
            let name = data.columns.as_ref().and_then(|columns| columns.inputs.get(column));
            let name = name.map_or(String::new(), |name| format!(" (`{}`)", shorten(name)));
            let place = data.places.as_ref().map(|places| places.of(row).to_string());
            let place = place
                .filter(|place| *place != format!("row {row}"))
                .map_or(String::new(), |place| format!(" ({place})"));
            bail!(
                "{}: row {row}{place}, input {column}{name}: {} is not a finite value of {format}; leave the row out with --rows, or mend it",
                self.data.display(),
                roundproof_exact::text::exact_decimal(format, value)
            );
        }
        Ok(())
    }

    /// Whether answers are compared with labels; a column of labels that are not compared is no input all the same.
    fn is_labelled(&self) -> bool {
        self.label.is_some() && self.decision.decision.counts_places()
    }

    /// The names of the label's classes in the order of their numbers, if the column has names.
    fn classes(&self, data: &Data) -> Option<Vec<String>> {
        if !self.is_labelled() {
            return None;
        }
        let label = data.columns.as_ref()?.labels.first()?;
        data.remarks.iter().find_map(|remark| match remark {
            Remark::Classes { column, names } if column == label => Some(names.clone()),
            _ => None,
        })
    }
}

impl Judging<'_> {
    /// Judges rows in waves, prints each wave and adds it to what is unfinished; the rows that stand there already are not judged
    /// again. Gives the tallies, and a word for each row, for those path models that count.
    fn rows(
        &self,
        rows: &[usize],
        head: &Head,
        mut unfinished: Option<&mut Unfinished>,
    ) -> Result<(Vec<Tally>, Words)> {
        let labelled = self.command.is_labelled();
        let tally = |asked: &Asked<'_>| Tally::new(asked.paths.clone(), asked.counts, labelled);
        let mut tallies: Vec<Tally> = self.asked.iter().map(tally).collect();
        let progress = Progress::new();
        if self.command.json {
            emit_json_rows::begin(head)?;
        }
        let mut done = 0;
        let mut words: Words = vec![Vec::new(); self.asked.iter().filter(|asked| asked.counts).count()];
        let mut tell = |judged: &[Vec<Judged>], done: usize| {
            for row in judged {
                tallies.iter_mut().zip(row).for_each(|(tally, judged)| tally.add(judged));
                let counted = self.asked.iter().zip(row).filter(|(asked, _)| asked.counts);
                let said = counted.map(|(_, judged)| word(judged.answer.as_deref()).into_boxed_str());
                words.iter_mut().zip(said).for_each(|(words, said)| words.push(said));
            }
            if self.command.json {
                emit_json_rows::rows(done == 0, judged.iter().flatten())
            } else {
                Ok(emit(&judged.iter().map(|row| lines(row)).collect::<String>())?)
            }
        };
        if let Some(unfinished) = &unfinished {
            for (row, judged) in rows.iter().zip(unfinished.read()?) {
                let judged = judged?;
                let same =
                    |(asked, judged): (&Asked<'_>, &Judged)| asked.paths.name == judged.paths && *row == judged.row;
                if judged.len() != self.asked.len() || !self.asked.iter().zip(&judged).all(same) {
                    bail!("{}: row {row} was judged otherwise; remove the file to begin anew", unfinished.place());
                }
                tell(&[judged], done)?;
                done += 1;
            }
        }
        for wave in rows[done..].chunks(WAVE) {
            let judged: Result<Vec<Vec<Judged>>> = wave.par_iter().map(|&row| self.row(row)).collect();
            let judged = judged?;
            if let Some(unfinished) = &mut unfinished {
                unfinished.add(&judged)?;
            }
            tell(&judged, done)?;
            done += wave.len();
            progress.report("rows", done, rows.len());
        }
        Ok((tallies, words))
    }

    /// Judges a row under each path model.
    fn row(&self, row: usize) -> Result<Vec<Judged>> {
        let inputs = audits::split(self.graph, self.data.input(row).into_iter());
        let label = self.data.labels(row).first().copied().filter(|_| self.command.is_labelled());
        let judge = |asked: &Asked<'_>| {
            let verdict = asked.audit.row(&inputs);
            let verdict = verdict.with_context(|| format!("{}: row {row}", self.command.data.display()))?;
            let called = |place: usize| self.names.get(place).cloned();
            let right = |answer: &[usize]| self.is_right(label?, *answer.first()?);
            Ok(Judged::new(self.graph, row, &asked.paths, verdict, called, right))
        };
        self.asked.iter().map(judge).collect()
    }

    /// Whether a place is the label: by what both are called, if they are called something, else by number.
    fn is_right(&self, label: Encoding, place: usize) -> Option<bool> {
        let format = self.graph.inputs().next().map(|id| self.graph.tensors()[id].format())?;
        let label = real(format, label)?;
        let name = self.names.get(place);
        if let (Some(classes), Some(name)) = (&self.classes, name) {
            let class = usize::try_from(label.numer().to_u64().filter(|_| *label.denom() == 1)?).ok()?;
            return Some(classes.get(class)? == name);
        }
        let number = name.and_then(|name| parse_number(name).ok()).map(|number| number.value());
        Some(label == number.unwrap_or_else(|| Rational::from(place)))
    }
}

/// A word for each row, for each path model that counts.
type Words = Vec<Vec<Box<str>>>;
