//! `roundproof compile`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use roundproof_checker::prove::{Preference, ProveError, Strategy, Task, TreeOptions, compute};
use roundproof_exact::text::approximate_above;
use roundproof_exact::{Rational, decode};
use roundproof_files::certificate::{RelativePath, SourceReference};
use roundproof_format::Format;
use roundproof_judge::{KernelProperty, Property};
use roundproof_network::{Activation, Forest, PathModel, Tree};
use roundproof_sources::models::{ForestOptions, Model, Outputs, Rounding, read_model};
use serde::Serialize;

use crate::exit::Exit;
use crate::input::{self, Names, TableOptions, matched};
use crate::output::{Sheet, count, emit_json, emit_verdicts, note};
use crate::parsers;
use crate::progress::Progress;
use crate::prove::{PATHS_HELP, Report, place};
use crate::words;

const EXAMPLES: &str = "\
Models are read from XGBoost's JSON or binary JSON (save_model(\"x.json\") or \"x.ubj\"), LightGBM's text \
(save_model(\"x.txt\")) and the JSON that scripts/export_sklearn.py writes of scikit-learn's trees, forests and gradient \
boosting. Thresholds are rounded so that every value of the format takes the way that it takes in the tool; leaves are rounded to nearest, which is reported. What is proved is that \
the network computes the rounded forest at every finite input of the format, on every rounding path: exactly, where sums \
of leaves are exact in every order, else with a proven bound. Votes are exact as far as the format counts (to 256 in bfloat16; \
more trees are refused), and so are leaves on a --grid that is coarse enough.

DIR gets network.safetensors, forest.safetensors (the rounded forest) and certificate.json; with --data, also \
dataset.safetensors.

Exit codes: 0 Proved, 2 no network or a wrong command line, 3 Unknown, 4 Refuted.

Examples:
  roundproof compile model.json --format bfloat16 --out compiled
  roundproof compile forest.json --format float8_e4m3 --outputs votes
  roundproof compile model.txt --format binary32 --grid=-16 --activation step
  roundproof compile tree.json --format bfloat16 --data iris.csv --label class";

/// Compile a decision tree or a forest to a network, and prove that it computes it on every input
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Compile {
    /// The model: XGBoost's JSON (.json, .ubj), LightGBM's text, or the JSON of scripts/export_sklearn.py
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The floating-point format of the network and its inputs; see `roundproof formats`
    #[arg(short, long)]
    format: Format,
    /// The activation of the hidden layers
    #[arg(short, long, default_value = "relu", value_parser = parsers::activation())]
    activation: Activation,
    /// What the network gives: raw scores, the number of trees that vote for each class, or the class of a single tree
    #[arg(long, value_parser = parsers::outputs(), long_help = "\
What the network gives. `scores` are the model's raw scores, `votes` count for each class the trees that have it as their \
first, and add up exactly to as many trees as the format counts, to 2^p; `label` is the number of the class of a single \
tree, and refused where two classes are one number in the format. The default is `label` for a single tree of scikit-learn whose \
classes are numbers, and `scores` for every other model.")]
    outputs: Option<Outputs>,
    /// Round leaves to multiples of 2^GRID, so that their sums stay exact
    #[arg(long, allow_negative_numbers = true)]
    grid: Option<i64>,
    /// A table whose labels are compared with the values of the forest, if sums of its leaves are exact
    #[arg(short, long, value_name = "DATA", requires = "labels")]
    data: Option<PathBuf>,
    /// A label column of the table, once for each output
    #[arg(short, long = "label", value_name = "COLUMN", requires = "data")]
    labels: Vec<String>,
    #[command(flatten)]
    table: TableOptions,
    /// The rounding paths that the claim speaks of: all, paper, or either with changes
    #[arg(short, long, default_value = "all", value_name = "MODEL", long_help = PATHS_HELP)]
    paths: String,
    /// Where to put the network, the forest and the certificate; nowhere, if left out
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What reading did to a model, and the report on the proof.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compiled {
    model: ModelReport,
    /// Whether the labels of --data were compared.
    compared: bool,
    #[serde(flatten)]
    report: Report,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ModelReport {
    tool: String,
    objective: Option<String>,
    classes: Option<Vec<String>>,
    trees: usize,
    leaves: usize,
    rounded_thresholds: usize,
    pruned_splits: usize,
    rounded_leaves: usize,
    rounded_base: usize,
    largest_rounding: Option<String>,
    remarks: Vec<String>,
}

impl Compile {
    /// Reads the model, makes the network, has it judged, and writes the files.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let model_of_paths = PathModel::parse(&self.paths, self.format).context("--paths")?;
        let stored = read_model(&self.model)?;
        let options = ForestOptions { outputs: self.outputs, grid: self.grid, real_inputs: false };
        let (forest, rounding) = stored
            .value
            .to_forest(self.format, &options)
            .map_err(|error| anyhow!("{}: {error}", self.model.display()))?;
        let table = match &self.data {
            Some(data) => {
                let table = |choice: &_| input::table(data, choice, self.format);
                let other = Names { of: "model", file: &self.model, inputs: stored.value.input_names() };
                Some(matched(data, &self.table, &self.labels, &other, &table)?)
            }
            None => None,
        };
        let path = self.model.file_name().and_then(|name| name.to_str()?.parse::<RelativePath>().ok());
        let task = Task {
            strategy: Strategy::Tree,
            activation: self.activation,
            model: model_of_paths,
            tree: TreeOptions::default(),
            preference: Preference::Construction,
            prefix: String::new(),
            source: path.map(|path| SourceReference { path, sha256: stored.digest, labels: Vec::new() }),
            input_names: stored.value.input_names().and_then(|names| input::told_apart(names.to_vec())),
        };
        let progress = Progress::new();
        let mut report = |what, done, of| progress.report(what, done, of);
        let rows = table.as_ref().map(|table| (&table.value.dataset, Some(&table.value.columns)));
        let proof = compute(&forest, rows, &task, &mut report).map_err(|error| {
            let file = match (&error, &self.data) {
                (ProveError::Columns { .. }, Some(data)) => data,
                _ => &self.model,
            };
            anyhow!("{}: {error}", file.display())
        })?;
        drop(progress);
        if let Some(out) = &self.out {
            place(
                out,
                &proof,
                table.as_ref().map(|table| &table.value).filter(|_| proof.certificate.dataset.is_some()),
            )?;
        }
        // Labels are compared with an exact forest only.
        let compared = proof.certificate.dataset.is_some();
        let table = table.as_ref().map(|table| &table.value).filter(|_| compared);
        let report = Report::new(&proof, table, self.out.as_deref(), since.elapsed());
        let model =
            ModelReport::new(&stored.value, &rounding, useless_bound(&proof.certificate.claim.property, &forest));
        if self.json {
            emit_json(&Compiled { model, compared, report })?;
        } else {
            let mut sheet = report.sheet(&proof, table);
            model.tell(&mut sheet, &self.format);
            report.end(&mut sheet);
            emit_verdicts(&sheet.text())?;
            if let (Some(data), false) = (&self.data, compared) {
                let data = data.display();
                note(&format!(
                    "note: {data}: no label was compared, since sums of leaves are not exact in every order; a coarser \
                     --grid makes them so, and so do --outputs votes where leaves are fractions of classes"
                ));
            }
            if self.out.is_none() {
                note("note: nothing was written; --out DIR keeps the network, the forest and the certificate");
            }
        }
        Ok(proof.certificate.verdict.into())
    }
}

/// What to say of a proven bound that every sum of leaves meets: it is no smaller than their range.
fn useless_bound(property: &Property, forest: &Forest) -> Option<String> {
    let Property::Kernel(KernelProperty::Computes { tolerance, .. }) = property else { return None };
    let range = (0..forest.outputs()).map(|output| range(forest, output)).max()?;
    (*tolerance != 0 && *tolerance >= range).then(|| {
        format!(
            "the bound says little: the sums of leaves themselves lie within {}; take a format of higher precision, or a \
             --grid, on which sums are exact",
            approximate_above(&range)
        )
    })
}

/// How far the largest sum of leaves is from the smallest, at most.
fn range(forest: &Forest, output: usize) -> Rational {
    let value = |encoding| decode(forest.format(), encoding).and_then(|datum| datum.rational()).unwrap_or_default();
    let spread = |tree: &Tree| {
        let own = (0..tree.leaves()).map(|leaf| value(tree.values.get(leaf * forest.outputs() + output)));
        let own: Vec<Rational> = own.collect();
        own.iter().max().cloned().unwrap_or_default() - own.iter().min().cloned().unwrap_or_default()
    };
    forest.trees().iter().map(spread).sum()
}

impl ModelReport {
    fn new(model: &Model, rounding: &Rounding, further: Option<String>) -> ModelReport {
        ModelReport {
            tool: model.kind.to_string(),
            objective: model.objective.clone(),
            classes: model.classes.clone(),
            trees: model.trees.len(),
            leaves: model.leaves(),
            rounded_thresholds: rounding.thresholds,
            pruned_splits: rounding.pruned,
            rounded_leaves: rounding.leaves,
            rounded_base: rounding.base,
            largest_rounding: (rounding.largest_error != 0).then(|| approximate_above(&rounding.largest_error)),
            remarks: rounding.remarks.iter().map(ToString::to_string).chain(further).collect(),
        }
    }

    fn tell(&self, sheet: &mut Sheet, format: &Format) {
        let objective = self.objective.as_ref().map(|objective| format!(", {objective}")).unwrap_or_default();
        sheet.line(
            "model",
            format!("{}{objective}: {} with {}", self.tool, count(self.trees, "tree"), words::leaf_count(self.leaves)),
        );
        let thresholds = match (self.rounded_thresholds, self.pruned_splits) {
            (0, 0) => format!("every one is a value of {format}"),
            (rounded, pruned) => format!(
                "{rounded} rounded, so that each value of {format} goes where it went; {} that no value needs",
                count(pruned, "split")
            ),
        };
        sheet.line("thresholds", thresholds);
        let leaves = match &self.largest_rounding {
            None => "none was rounded".to_string(),
            Some(most) => format!(
                "{} rounded, by at most {most}; the claim is about the rounded ones",
                self.rounded_leaves + self.rounded_base
            ),
        };
        sheet.line("leaves", leaves);
        if let Some(classes) = &self.classes {
            sheet.line("classes", classes.join(", "));
        }
        for remark in &self.remarks {
            sheet.line("remark", remark);
        }
    }
}
