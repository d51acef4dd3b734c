//! `claim.toml`: one statement over several formats and activations.
//!
//! ```toml
//! statement = "A point box network memorizes the Iris data on every rounding path."
//! kind = "memorization"
//! data = "../../../../data/iris.csv"  # relative to this file
//! labels = ["class"]
//! strategy = "point"                  # see `roundproof prove --help`
//! activations = ["relu", "step"]
//! formats = ["bfloat16", "binary32"]
//! paths = "all"                       # see `roundproof prove --help`; of several, ["paper", "all"], each an instance
//! refused = ["float8_e5m2"]           # formats in which there must be no network: rows conflict, values do not fit, ...;
//!                                     # for one activation alone, "relu.float8_e5m2"
//! ```
//!
//! `rows = [0, 50, 100]` takes these rows of the data only, counted from 0. `max-leaves = 3` limits the tree of the strategy
//! `tree`. `kind = "whole-network"` asks Z3 about the whole network in one query instead of the kernel, as a cross-check
//! that leans on no lemma.
//!
//! `layers` is a network in place of a strategy: for each layer its neurons, as
//! `[{ weights = { 0 = "4", 2 = "-0x1p-3" }, bias = "1" }]`. The last layer is the identity, the others have the activation
//! of the instance.
//!
//! `values = "all"` stands for a table instead of `data` and `labels`: a row for each finite datum of the format, or for
//! each tuple of `inputs` of them, and a result drawn from all finite values, or with `classes = 4` from the integers
//! below 4. `values = "float8_e4m3"` takes the values of this format, which the formats of the instances must have.
//! `seeds = [1, 2]` draws as many functions, each an instance.
//!
//! `record = "digest"` puts a digest of the evidence on record, however short it is.
//! `slow = true` keeps the claim for `verify-all --slow`; `slow = ["binary16.paper"]` those instances whose names, after the
//! activation, are these.
//!
//! `kind = "forest"` compiles a model of another tool. It has `model`, a file, instead of a strategy, and may have
//! `outputs` and `grid` as `roundproof compile` has them. With `inputs = "real"` the tree is meant and no tool, which would round
//! inputs before it compares them. Data and labels may be left out; with them, the claim also says
//! in which rows an exact forest gives the label.
//!
//! `kind = "depth"` enumerates which functions on `points = ["-1", "0", "1"]` networks of two layers of any width compute,
//! and holds if there is one that they do not ([`roundproof_checker::depth`]).
//!
//! `kind = "approximation"` approximates a function. It has `function`, a name of the catalogue or an expression; `domain =
//! ["-4:4"]`, a range for each variable, or none for all finite values; and `eps = "0x1p-7"`, `excess = "0x1p-7"` (so much
//! farther than the nearest value), or none for results that are the function rounded to nearest, ties to even, beyond the
//! largest value by the policy `overflow = "saturate"`, or that of `paths` if none is named. Refused are formats that have no
//! value near enough, and functions that are not defined or infinite somewhere.
//!
//! For claims that are false, a claim of these two kinds may say what is wrong with the network. `strategy =
//! "halved-penalties"` halves its penalties. An approximation may have `built = { rounding = "toward-zero" }`, `{ eps = "0x1p-3"
//! }` or `{ excess = "0x1p-3" }`: the tree approximates the function so and not as is claimed; or `layers`, as above, a network
//! in place of the tree's. A forest may have the `tolerance` that is claimed, in place of one that can be proved.
//!
//! `kind = "parametric"` asks Z3 about every data set of `rows-count` rows of `inputs` inputs at once; with `steps = true`
//! not in one query but in steps ([`roundproof_checker::parametric`]).

use std::path::{Path, PathBuf};

use roundproof_checker::parametric::Shape;
use roundproof_checker::prove::Strategy;
use roundproof_exact::{Number, Rational};
use roundproof_files::{Digest, InFile};
use roundproof_format::{Format, ParseError};
use roundproof_network::{Activation, ModelError, PathModel};
use roundproof_sources::models::ForestOptions;
use serde::Deserialize;
use thiserror::Error;

use crate::all_values::{AllValues, AllValuesError};
use crate::given::GivenNetwork;
use crate::new::Kind;
use crate::wanted::{Nearness, Wanted};

mod instances;
mod text;

use instances::Refused;
use text::{Fields, Head, OfNetwork, Text};

/// What is put on record of what was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// The evidence if it is short, else its digest.
    #[default]
    Evidence,
    /// The digest of the evidence.
    Digest,
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

impl Making {
    /// Whether a solver is asked, instead of the kernel.
    pub fn asks_solver(&self) -> bool {
        match self {
            Making::Rows { whole, .. } => *whole,
            Making::EveryDataSet(..) => true,
            Making::Given { .. } | Making::Model { .. } | Making::Function(..) | Making::Depth(_) => false,
        }
    }
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

/// What is wrong with a network of a function or a forest, in a claim that is false.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// How the network is made of the tree: `tree`, or `halved-penalties`.
    pub(crate) strategy: Strategy,
    /// How nearly the tree approximates the function; none: as is claimed.
    pub(crate) built: Option<Nearness>,
    /// A network in place of that of the tree.
    pub(crate) network: Option<GivenNetwork>,
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
    /// The digest of the claim that it is of.
    pub claim: Digest,
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
        ClaimFile::parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(in_file)
    }

    /// Its instances, at least one.
    pub fn instances(self) -> Vec<Instance> {
        self.instances
    }
}

/// A `claim.toml` that says nothing that can be proved.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not TOML of the right form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A name in it means nothing.
    #[error(transparent)]
    Name(#[from] ParseError),
    /// A function, a domain or an error that means nothing.
    #[error("{0}")]
    Value(String),
    /// A path model that a format lacks.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An instance that is refused but not claimed.
    #[error("refused names {0}, which is not among the formats, or not among the activations")]
    Refused(String),
    /// An instance that is slow but not claimed.
    #[error("slow names {0}; an instance is named as FORMAT, or as FORMAT.PATHS where there are several paths")]
    Slow(String),
    /// A strategy that makes networks of another activation only.
    #[error("the strategy {strategy} makes no {activation} networks")]
    Activation {
        /// The strategy.
        strategy: Strategy,
        /// The activation.
        activation: Activation,
    },
    /// A field that goes with no other of this claim.
    #[error("line {line}: a claim of this kind, with its other fields, does not have the field {field}")]
    Stray {
        /// The field.
        field: String,
        /// Its line, from 1.
        line: usize,
    },
    /// A limit on leaves where nothing has leaves.
    #[error("max-leaves limits the strategy tree; {0} makes no tree")]
    Leaves(Strategy),
    /// A function on all values of a format that does not have it.
    #[error(transparent)]
    AllValues(#[from] AllValuesError),
    /// No format, or no activation.
    #[error("formats and activations must name at least one each")]
    Empty,
}

impl ClaimFile {
    /// Reads a claim that stands in `folder`.
    fn parse(text: &str, folder: &Path) -> Result<ClaimFile, ClaimError> {
        let mut fields = Fields::parse(text)?;
        let Head { statement, kind, activations, formats, paths, slow } = fields.take()?;
        let activations: Vec<Activation> = activations.into_iter().map(|Text(activation)| activation).collect();
        let formats: Vec<Format> = formats.into_iter().map(|Text(format)| format).collect();
        let makings = text::makings(kind, &mut fields, folder)?;
        let OfNetwork { refused, record } = match kind {
            Kind::Memorization | Kind::WholeNetwork | Kind::Forest | Kind::Approximation => fields.take()?,
            Kind::Parametric | Kind::Depth => OfNetwork::default(),
        };
        fields.finish()?;
        let refused = Refused::read(&refused, &activations, &formats)?;
        let mut instances = Vec::new();
        for activation in activations {
            for &format in &formats {
                let paths = paths.named();
                let each = makings.iter().flat_map(|making| paths.iter().map(move |paths| (making, paths)));
                for ((suffix, making), (paths_suffix, paths)) in each {
                    check(making, activation, format)?;
                    let name = format!("{format}{suffix}{paths_suffix}");
                    instances.push(Instance {
                        slow: slow.has(&name),
                        name: format!("{activation}.{name}"),
                        claim: Digest::of(text.as_bytes()),
                        making: making.clone(),
                        activation,
                        format,
                        model: PathModel::parse(paths, format)?,
                        refused: refused.has(activation, format),
                        record,
                    });
                }
            }
        }
        if instances.is_empty() {
            return Err(ClaimError::Empty);
        }
        slow.check(&instances)?;
        Ok(ClaimFile { statement, instances })
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

#[cfg(test)]
mod tests;
