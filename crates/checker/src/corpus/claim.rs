//! `claim.toml`: one statement over several formats and activations.

use std::path::{Path, PathBuf};

use roundproof_exact::{Number, Rational, parse_number};
use roundproof_files::InFile;
use roundproof_format::{Format, ParseError};
use roundproof_network::{Activation, PathModel};
use roundproof_sources::models::{ForestOptions, Outputs};
use serde::Deserialize;

use super::all_values::AllValues;
use super::given::{GivenNetwork, NeuronText};
use super::wanted::Wanted;
use crate::parametric::Shape;
use crate::prove::Strategy;

mod error;
mod functions;
mod paths;
mod refused;
mod slow;

pub use error::ClaimError;
pub use functions::Flaw;
use functions::{Built, magnitude};
use paths::Paths;
use refused::Refused;
use slow::Slow;

/// A claim as it stands in its file.
///
/// ```toml
/// statement = "A point box network memorizes the Iris data on every rounding path."
/// kind = "memorization"
/// data = "../../../../data/iris.csv"  # relative to this file
/// labels = ["class"]
/// strategy = "point"                  # see `roundproof prove --help`
/// activations = ["relu", "step"]
/// formats = ["bfloat16", "binary32"]
/// paths = "all"                       # see `roundproof prove --help`; of several, ["paper", "all"], each an instance
/// refused = ["float8_e5m2"]           # formats in which there must be no network: rows conflict, values do not fit, ...;
///                                     # for one activation alone, "relu.float8_e5m2"
/// ```
///
/// `rows = [0, 50, 100]` takes these rows of the data only, counted from 0. `max-leaves = 3` limits the tree of the strategy
/// `tree`. `kind = "whole-network"` asks Z3 about the whole network in one query instead of the kernel, as a cross-check
/// that leans on no lemma.
///
/// `layers` is a network in place of a strategy: for each layer its neurons, as
/// `[{ weights = { 0 = "4", 2 = "-0x1p-3" }, bias = "1" }]`. The last layer is the identity, the others have the activation
/// of the instance.
///
/// `values = "all"` stands for a table instead of `data` and `labels`: a row for each finite datum of the format, or for
/// each tuple of `inputs` of them, and a result drawn from all finite values, or with `classes = 4` from the integers
/// below 4. `values = "float8_e4m3"` takes the values of this format, which the formats of the instances must have.
/// `seeds = [1, 2]` draws as many functions, each an instance.
///
/// `record = "digest"` puts the verdict, the shape and digests on record, but not the evidence, which may be long.
/// `slow = true` keeps the claim for `verify-all --slow`; `slow = ["binary16.paper"]` those instances whose names, after the
/// activation, are these.
///
/// `kind = "forest"` compiles a model of another tool. It has `model`, a file, instead of a strategy, and may have
/// `outputs` and `grid` as `roundproof compile` has them. Data and labels may be left out; with them, the claim also says
/// in which rows an exact forest gives the label.
///
/// `kind = "depth"` enumerates which functions on `points = ["-1", "0", "1"]` networks of two layers of any width compute,
/// and holds if there is one that they do not ([`crate::depth`]).
///
/// `kind = "approximation"` approximates a function. It has `function`, a name of the catalogue or an expression; `domain =
/// ["-4:4"]`, a range for each variable, or none for all finite values; and `eps = "0x1p-7"`, `excess = "0x1p-7"` (so much
/// farther than the nearest value), or none for results that are the function rounded to nearest, ties to even, beyond the
/// largest value by the policy `overflow = "saturate"`, or that of `paths` if none is named. Refused are formats that have no
/// value near enough, and functions that are not defined or infinite somewhere.
///
/// For claims that are false, a claim of these two kinds may say what is wrong with the network. `strategy =
/// "halved-penalties"` halves its penalties. An approximation may have `built = { rounding = "toward-zero" }`, `{ eps = "0x1p-3"
/// }` or `{ excess = "0x1p-3" }`: the tree approximates the function so and not as is claimed; or `layers`, as above, a network
/// in place of the tree's. A forest may have the `tolerance` that is claimed, in place of one that can be proved.
///
/// `kind = "parametric"` asks Z3 about every data set of `rows-count` rows of `inputs` inputs at once; with `steps = true`
/// not in one query but in steps ([`crate::parametric`]).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    statement: String,
    kind: Kind,
    data: Option<PathBuf>,
    #[serde(default)]
    labels: Vec<String>,
    strategy: Option<String>,
    layers: Option<Vec<Vec<NeuronText>>>,
    max_leaves: Option<usize>,
    model: Option<PathBuf>,
    outputs: Option<String>,
    grid: Option<i64>,
    function: Option<String>,
    domain: Option<Vec<String>>,
    eps: Option<String>,
    excess: Option<String>,
    overflow: Option<String>,
    built: Option<Built>,
    tolerance: Option<String>,
    points: Option<Vec<String>>,
    activations: Vec<String>,
    formats: Vec<String>,
    paths: Paths,
    rows: Option<Vec<usize>>,
    #[serde(default)]
    refused: Vec<String>,
    values: Option<String>,
    inputs: Option<usize>,
    rows_count: Option<usize>,
    #[serde(default)]
    steps: bool,
    classes: Option<u64>,
    #[serde(default)]
    seeds: Vec<u64>,
    #[serde(default)]
    record: RecordKind,
    #[serde(default)]
    slow: Slow,
}

/// What is put on record of what was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// The certificate.
    #[default]
    Certificate,
    /// The certificate with a digest in place of its evidence.
    Digest,
}

/// The kinds of claims, as they are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Memorization,
    WholeNetwork,
    Forest,
    Approximation,
    Parametric,
    Depth,
}

/// What the network of an instance is made of, and who judges it.
#[derive(Clone, Debug)]
pub enum Making {
    /// Of rows.
    Rows {
        /// The rows.
        rows: Rows,
        /// How the network is made.
        strategy: Strategy,
        /// The most leaves of a tree.
        max_leaves: Option<usize>,
        /// Whether Z3 is asked about the whole network, in one query, instead of the kernel.
        whole: bool,
    },
    /// Of rows, and a network that the claim has in full.
    Given {
        /// The rows.
        rows: Rows,
        /// The network.
        network: GivenNetwork,
    },
    /// Of a model that another tool trained; the kernel judges.
    Model {
        /// The model's file.
        file: PathBuf,
        /// What is to be made of it.
        options: ForestOptions,
        /// Rows whose labels are compared.
        rows: Option<Rows>,
        /// The tolerance that is claimed; none: one that can be proved.
        tolerance: Option<Rational>,
        /// What is wrong with the network.
        flaw: Flaw,
    },
    /// Of a function that it approximates; the kernel judges.
    Function(Wanted, Flaw),
    /// Of every data set of this shape; Z3 is asked, in steps or in one query.
    EveryDataSet(Shape, bool),
    /// Of nothing: all networks of two layers are enumerated, at these inputs.
    Depth(Vec<Number>),
}

/// Rows of a table.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Of a file.
    File {
        /// The CSV file.
        file: PathBuf,
        /// Its label columns.
        labels: Vec<String>,
        /// The rows that are used, from 0; all if none are named.
        rows: Option<Vec<usize>>,
    },
    /// All that there can be, with the results of some function.
    All(AllValues),
}

/// A claim, and the instances that it consists of.
#[derive(Clone, Debug)]
pub struct ClaimFile {
    /// What is claimed, in words.
    pub statement: String,
    instances: Vec<Instance>,
}

/// A claim about one network.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name among the instances of its claim.
    pub name: String,
    /// What its network is made of.
    pub making: Making,
    /// Its hidden activation.
    pub activation: Activation,
    /// Its format.
    pub format: Format,
    /// The rounding paths that it speaks of.
    pub model: PathModel,
    /// Whether there must be no network: rows conflict in the format, or values do not fit into it.
    pub refused: bool,
    /// What is put on record.
    pub record: RecordKind,
    /// Whether it takes so long that it is left out unless it is asked for.
    pub slow: bool,
}

impl ClaimFile {
    /// Reads a claim.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or says nothing that can be proved.
    pub fn read(path: &Path) -> Result<ClaimFile, InFile<ClaimError>> {
        let in_file = |problem: ClaimError| InFile { file: path.to_path_buf(), problem: Box::new(problem) };
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.into()))?;
        let text: Text = toml::from_str(&text).map_err(|error| in_file(error.into()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(ClaimFile { instances: text.instances(folder).map_err(in_file)?, statement: text.statement })
    }

    /// Its instances, at least one.
    pub fn instances(self) -> Vec<Instance> {
        self.instances
    }
}

impl Text {
    fn instances(&self, folder: &Path) -> Result<Vec<Instance>, ClaimError> {
        let formats = self.formats.iter().map(|name| name.parse()).collect::<Result<Vec<Format>, _>>()?;
        let activations = self.activations.iter().map(|name| name.parse()).collect::<Result<Vec<Activation>, _>>()?;
        let refused = Refused::read(&self.refused, &activations, &formats)?;
        let makings = self.makings(folder)?;
        let mut instances = Vec::new();
        for activation in activations {
            for &format in &formats {
                let paths = self.paths.named();
                let each = makings.iter().flat_map(|making| paths.iter().map(move |paths| (making, paths)));
                for ((suffix, making), (paths_suffix, paths)) in each {
                    check(making, activation, format)?;
                    let name = format!("{format}{suffix}{paths_suffix}");
                    instances.push(Instance {
                        slow: self.slow.has(&name),
                        name: format!("{activation}.{name}"),
                        making: making.clone(),
                        activation,
                        format,
                        model: PathModel::parse(paths, format)?,
                        refused: refused.has(activation, format),
                        record: self.record,
                    });
                }
            }
        }
        if instances.is_empty() {
            return Err(ClaimError::Empty);
        }
        self.slow.check(&instances)?;
        Ok(instances)
    }

    /// One for each seed, with what tells them apart; else one.
    fn makings(&self, folder: &Path) -> Result<Vec<(String, Making)>, ClaimError> {
        if self.kind == Kind::Parametric {
            return Ok(vec![(String::new(), self.every_data_set()?)]);
        }
        if let Some((field, _)) =
            [("rows-count", self.rows_count.is_some()), ("steps", self.steps)].iter().find(|(_, given)| *given)
        {
            return Err(ClaimError::Stray(field));
        }
        let Some(values) = &self.values else {
            let strays = [("inputs", self.inputs.is_some()), ("classes", self.classes.is_some())];
            let strays = strays.into_iter().chain([("seeds", !self.seeds.is_empty())]);
            return match strays.into_iter().find(|(_, given)| *given) {
                Some((field, _)) => Err(ClaimError::Stray(field)),
                None => Ok(vec![(String::new(), self.making(folder, self.file_rows(folder)?)?)]),
            };
        };
        let strays = [
            ("data", self.data.is_some()),
            ("labels", !self.labels.is_empty()),
            ("rows", self.rows.is_some()),
            ("values", self.kind == Kind::Forest),
        ];
        if let Some((field, _)) = strays.iter().find(|(_, given)| *given) {
            return Err(ClaimError::Stray(field));
        }
        if self.seeds.is_empty() {
            return Err(ClaimError::Missing("seeds"));
        }
        let of = (values != "all").then(|| values.parse()).transpose()?;
        let function = |seed| AllValues { of, inputs: self.inputs.unwrap_or(1), classes: self.classes, seed };
        let one = |&seed: &u64| Ok((format!(".seed-{seed}"), self.making(folder, Some(Rows::All(function(seed))))?));
        self.seeds.iter().map(one).collect()
    }

    fn file_rows(&self, folder: &Path) -> Result<Option<Rows>, ClaimError> {
        match (&self.data, self.labels.is_empty()) {
            (Some(data), false) => {
                Ok(Some(Rows::File { file: folder.join(data), labels: self.labels.clone(), rows: self.rows.clone() }))
            }
            (Some(_), true) => Err(ClaimError::Missing("labels")),
            (None, false) => Err(ClaimError::Stray("labels")),
            (None, true) if self.rows.is_some() => Err(ClaimError::Stray("rows")),
            (None, true) => Ok(None),
        }
    }

    fn making(&self, folder: &Path, rows: Option<Rows>) -> Result<Making, ClaimError> {
        let making = [("strategy", self.strategy.is_some()), ("max-leaves", self.max_leaves.is_some())];
        let layers = [("layers", self.layers.is_some())];
        let of_rows = [making.as_slice(), &layers].concat();
        let of_models = [
            ("model", self.model.is_some()),
            ("outputs", self.outputs.is_some()),
            ("grid", self.grid.is_some()),
            ("tolerance", self.tolerance.is_some()),
        ];
        let of_functions = [
            ("function", self.function.is_some()),
            ("domain", self.domain.is_some()),
            ("eps", self.eps.is_some()),
            ("excess", self.excess.is_some()),
            ("overflow", self.overflow.is_some()),
            ("built", self.built.is_some()),
        ];
        let strays: &[&[(&'static str, bool)]] = match self.kind {
            Kind::Forest => &[&making[1..], &layers, &of_functions],
            Kind::Approximation => &[&making[1..], &of_models, &[("data", rows.is_some())]],
            Kind::Depth => &[&of_rows, &of_models, &of_functions, &[("data", rows.is_some())]],
            Kind::Memorization | Kind::WholeNetwork | Kind::Parametric => &[&of_models, &of_functions],
        };
        if let Some((field, _)) = strays.iter().copied().flatten().find(|(_, given)| *given) {
            return Err(ClaimError::Stray(field));
        }
        if self.points.is_some() && self.kind != Kind::Depth {
            return Err(ClaimError::Stray("points"));
        }
        if self.kind == Kind::Depth {
            let points = self.points.as_ref().ok_or(ClaimError::Missing("points"))?;
            return Ok(Making::Depth(points.iter().map(|text| number(text)).collect::<Result<_, _>>()?));
        }
        if self.kind == Kind::Approximation {
            return Ok(Making::Function(self.wanted()?, self.flaw()?));
        }
        if self.kind == Kind::Forest {
            let file = folder.join(self.model.as_ref().ok_or(ClaimError::Missing("model"))?);
            let outputs = self.outputs.as_deref().map(outputs).transpose()?;
            let options = ForestOptions { outputs, grid: self.grid };
            let tolerance = self.tolerance.as_ref().map(magnitude).transpose()?;
            return Ok(Making::Model { file, options, rows, tolerance, flaw: self.flaw()? });
        }
        if let Some(layers) = &self.layers {
            let strays = [making.as_slice(), &[("kind", self.kind == Kind::WholeNetwork)]].concat();
            if let Some((field, _)) = strays.iter().find(|(_, given)| *given) {
                return Err(ClaimError::Stray(field));
            }
            let network = GivenNetwork::new(layers).map_err(ClaimError::Value)?;
            return Ok(Making::Given { rows: rows.ok_or(ClaimError::Missing("data"))?, network });
        }
        let strategy: Strategy = self.strategy.as_deref().ok_or(ClaimError::Missing("strategy"))?.parse()?;
        if self.max_leaves.is_some() && strategy != Strategy::Tree {
            return Err(ClaimError::Stray("max-leaves"));
        }
        Ok(Making::Rows {
            rows: rows.ok_or(ClaimError::Missing("data"))?,
            strategy,
            max_leaves: self.max_leaves,
            whole: self.kind == Kind::WholeNetwork,
        })
    }
}

/// Whether such a network can be asked for.
fn check(making: &Making, activation: Activation, format: Format) -> Result<(), ClaimError> {
    if let Making::Given { network, .. } | Making::Function(_, Flaw { network: Some(network), .. }) = making {
        network.check(activation).map_err(ClaimError::Value)?;
    }
    if let Making::Function(_, flaw) | Making::Model { flaw, .. } = making {
        makes(flaw.strategy, activation)?;
    }
    let Making::Rows { strategy, rows, .. } = making else { return Ok(()) };
    makes(*strategy, activation)?;
    if let Rows::All(function) = rows {
        function.check(format)?;
    }
    Ok(())
}

/// Whether a strategy makes networks of this activation.
fn makes(strategy: Strategy, activation: Activation) -> Result<(), ClaimError> {
    match strategy.only_activation() {
        Some(only) if only != activation => Err(ClaimError::Activation { strategy, activation }),
        _ => Ok(()),
    }
}

fn number(text: &str) -> Result<Number, ClaimError> {
    parse_number(text.trim()).map_err(|error| ClaimError::Value(format!("`{text}` {error}")))
}

fn outputs(text: &str) -> Result<Outputs, ParseError> {
    let known = [("scores", Outputs::Scores), ("votes", Outputs::Votes), ("label", Outputs::Label)];
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, outputs)| *outputs);
    found.ok_or_else(|| ParseError::unknown("outputs", text, known.map(|(name, _)| name)))
}

mod parametric;
#[cfg(test)]
mod tests;
