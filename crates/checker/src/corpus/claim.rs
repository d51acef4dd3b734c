//! `claim.toml`: one statement over several formats and activations.

use std::path::{Path, PathBuf};

use roundproof_files::InFile;
use roundproof_files::models::{ForestOptions, Outputs};
use roundproof_format::{Format, ParseError};
use roundproof_network::{Activation, ModelError, PathModel};
use serde::Deserialize;
use thiserror::Error;

use crate::prove::Strategy;

/// A claim as it stands in its file.
///
/// ```toml
/// statement = "A point box network memorizes the Iris data on every rounding path."
/// kind = "memorization"
/// data = "../../../../data/iris.csv"  # relative to this file
/// labels = ["class"]
/// strategy = "point"                  # point, tree, halved-penalties, telescoping-sum, counting-indicator
/// activations = ["relu", "step"]
/// formats = ["bfloat16", "binary32"]
/// paths = "all"                       # see `roundproof prove --help`
/// refused = ["float8_e5m2"]           # formats in which there must be no network: rows conflict, or values do not fit
/// ```
///
/// `rows = [0, 50, 100]` takes these rows of the data only, counted from 0. `max-leaves = 3` limits the tree of the strategy
/// `tree`. `kind = "whole-network"` asks Z3 about the whole network in one query instead of the kernel, as a cross-check
/// that leans on no lemma.
///
/// `kind = "forest"` compiles a model of another tool. It has `model`, a file, instead of a strategy, and may have
/// `outputs` and `grid` as `roundproof compile` has them. Data and labels may be left out; with them, the claim also says
/// in which rows an exact forest gives the label.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    statement: String,
    kind: Kind,
    data: Option<PathBuf>,
    #[serde(default)]
    labels: Vec<String>,
    strategy: Option<String>,
    max_leaves: Option<usize>,
    model: Option<PathBuf>,
    outputs: Option<String>,
    grid: Option<i64>,
    activations: Vec<String>,
    formats: Vec<String>,
    paths: String,
    rows: Option<Vec<usize>>,
    #[serde(default)]
    refused: Vec<String>,
}

/// The kinds of claims, as they are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Memorization,
    WholeNetwork,
    Forest,
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
    /// Of a model that another tool trained; the kernel judges.
    Model {
        /// The model's file.
        file: PathBuf,
        /// What is to be made of it.
        options: ForestOptions,
        /// Rows whose labels are compared.
        rows: Option<Rows>,
    },
}

/// Rows of a table.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The CSV file.
    pub file: PathBuf,
    /// Its label columns.
    pub labels: Vec<String>,
    /// The rows that are used, from 0; all if none are named.
    pub rows: Option<Vec<usize>>,
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
}

/// A `claim.toml` that says nothing that can be proved.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no TOML of the right form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A name in it means nothing.
    #[error(transparent)]
    Name(#[from] ParseError),
    /// A path model that a format lacks.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A format that is refused but not among the formats.
    #[error("refused names {0}, which is not among the formats")]
    Refused(Format),
    /// A strategy that makes networks of another activation only.
    #[error("the strategy {strategy} makes no {activation} networks")]
    Activation {
        /// The strategy.
        strategy: Strategy,
        /// The activation.
        activation: Activation,
    },
    /// A field that this kind of claim needs.
    #[error("a claim of this kind needs the field {0}")]
    Missing(&'static str),
    /// A field that this kind of claim does not have.
    #[error("a claim of this kind does not have the field {0}")]
    Stray(&'static str),
    /// No format, or no activation.
    #[error("formats and activations must name at least one each")]
    Empty,
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
        let parse = |names: &[String]| names.iter().map(|name| name.parse()).collect::<Result<Vec<Format>, _>>();
        let (refused, named) = (parse(&self.refused)?, parse(&self.formats)?);
        if let Some(format) = refused.iter().find(|format| !named.contains(format)) {
            return Err(ClaimError::Refused(*format));
        }
        let making = self.making(folder)?;
        let mut instances = Vec::new();
        for activation in &self.activations {
            for format in &self.formats {
                let (activation, format): (Activation, Format) = (activation.parse()?, format.parse()?);
                if let Making::Rows { strategy, .. } = making
                    && strategy.only_activation().is_some_and(|only| only != activation)
                {
                    return Err(ClaimError::Activation { strategy, activation });
                }
                instances.push(Instance {
                    name: format!("{activation}.{format}"),
                    making: making.clone(),
                    activation,
                    format,
                    model: PathModel::parse(&self.paths, format)?,
                    refused: refused.contains(&format),
                });
            }
        }
        if instances.is_empty() {
            return Err(ClaimError::Empty);
        }
        Ok(instances)
    }

    fn making(&self, folder: &Path) -> Result<Making, ClaimError> {
        let rows = match (&self.data, self.labels.is_empty()) {
            (Some(data), false) => {
                Some(Rows { file: folder.join(data), labels: self.labels.clone(), rows: self.rows.clone() })
            }
            (Some(_), true) => return Err(ClaimError::Missing("labels")),
            (None, false) => return Err(ClaimError::Stray("labels")),
            (None, true) if self.rows.is_some() => return Err(ClaimError::Stray("rows")),
            (None, true) => None,
        };
        let of_rows = [("strategy", self.strategy.is_some()), ("max-leaves", self.max_leaves.is_some())];
        let of_models =
            [("model", self.model.is_some()), ("outputs", self.outputs.is_some()), ("grid", self.grid.is_some())];
        let strays: &[(&str, bool)] = if self.kind == Kind::Forest { &of_rows } else { &of_models };
        if let Some((field, _)) = strays.iter().find(|(_, given)| *given) {
            return Err(ClaimError::Stray(field));
        }
        if self.kind == Kind::Forest {
            let file = folder.join(self.model.as_ref().ok_or(ClaimError::Missing("model"))?);
            let outputs = self.outputs.as_deref().map(outputs).transpose()?;
            return Ok(Making::Model { file, options: ForestOptions { outputs, grid: self.grid }, rows });
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

fn outputs(text: &str) -> Result<Outputs, ParseError> {
    let known = [("scores", Outputs::Scores), ("votes", Outputs::Votes), ("label", Outputs::Label)];
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, outputs)| *outputs);
    found.ok_or_else(|| ParseError::unknown("outputs", text, known.map(|(name, _)| name)))
}
