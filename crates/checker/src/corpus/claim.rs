//! `claim.toml`: one statement over several formats and activations.

use std::path::{Path, PathBuf};

use roundproof_files::InFile;
use roundproof_format::{Format, ParseError};
use roundproof_network::{Activation, ModelError, PathModel};
use serde::Deserialize;
use thiserror::Error;

use crate::memorize::Strategy;

/// A claim as it stands in its file.
///
/// ```toml
/// statement = "A point box network memorizes the Iris data on every rounding path."
/// kind = "memorization"
/// data = "../../../../data/iris.csv"  # relative to this file
/// labels = ["class"]
/// strategy = "point"                  # point, halved-penalties, telescoping-sum
/// activations = ["relu", "step"]
/// formats = ["bfloat16", "binary32"]
/// paths = "all"                       # see `roundproof prove --help`
/// refused = ["float8_e5m2"]           # formats in which there must be no network: rows conflict, or values do not fit
/// ```
///
/// `rows = [0, 50, 100]` takes these rows of the data only, counted from 0. `kind = "whole-network"` asks Z3 about the
/// whole network in one query instead of the kernel, as a cross-check that leans on no lemma.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    statement: String,
    kind: Kind,
    data: PathBuf,
    labels: Vec<String>,
    strategy: String,
    activations: Vec<String>,
    formats: Vec<String>,
    paths: String,
    rows: Option<Vec<usize>>,
    #[serde(default)]
    refused: Vec<String>,
}

/// How an instance is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// By the kernel.
    Memorization,
    /// By Z3, as one query.
    WholeNetwork,
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
    /// The CSV file.
    pub data: PathBuf,
    /// Its label columns.
    pub labels: Vec<String>,
    /// How the network is made.
    pub strategy: Strategy,
    /// Its hidden activation.
    pub activation: Activation,
    /// Its format.
    pub format: Format,
    /// The rounding paths that it speaks of.
    pub model: PathModel,
    /// The rows of the data that are used, from 0; all if none are named.
    pub rows: Option<Vec<usize>>,
    /// How it is to be proved.
    pub kind: Kind,
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
        let strategy: Strategy = self.strategy.parse()?;
        let mut instances = Vec::new();
        for activation in &self.activations {
            for format in &self.formats {
                let (activation, format): (Activation, Format) = (activation.parse()?, format.parse()?);
                if strategy.only_activation().is_some_and(|only| only != activation) {
                    return Err(ClaimError::Activation { strategy, activation });
                }
                instances.push(Instance {
                    name: format!("{activation}.{format}"),
                    data: folder.join(&self.data),
                    labels: self.labels.clone(),
                    strategy,
                    activation,
                    format,
                    model: PathModel::parse(&self.paths, format)?,
                    rows: self.rows.clone(),
                    kind: self.kind,
                    refused: refused.contains(&format),
                });
            }
        }
        if instances.is_empty() {
            return Err(ClaimError::Empty);
        }
        Ok(instances)
    }
}
