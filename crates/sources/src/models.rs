//! Models of decision trees that other tools have trained: XGBoost, LightGBM, scikit-learn.
//!
//! A file is read as the function that it means on finite inputs, exactly: thresholds and leaves are rationals, the
//! value is a base and a sum of leaves (or their mean) in the reals. [`Model::to_forest`] then makes a
//! [`Forest`](roundproof_network::Forest) of it, and says what it had to round. Nothing passes through a host float.
//!
//! | tool | file | a split goes to the lower side if | numbers are |
//! | --- | --- | --- | --- |
//! | XGBoost | `save_model("x.json")` or `"x.ubj"`, see [`xgboost`] | `x < threshold` | binary32 |
//! | LightGBM | `save_model("x.txt")`, see [`lightgbm`] | `x <= threshold` | binary64 |
//! | scikit-learn | JSON of `scripts/export_sklearn.py`, see [`sklearn`] | `x <= threshold` | binary64 |
//!
//! Every split, also one by category, or one of LightGBM where zero means "missing", sends a finite union of intervals to
//! each of its sides; their ends are [`Cut`]s. An infinite threshold has every finite input on one side.
//!
//! XGBoost and scikit-learn round inputs to binary32 before they compare them, and LightGBM to binary64. In a format whose
//! values are not all values of that, a cut is put where the tool's rounding, ties to even, changes sides. So the forest
//! sends every finite input of its format where the tool sends it (if the tool takes it: inputs that overflow binary32 are
//! refused by XGBoost and scikit-learn).
//!
//! The value is the tool's raw score: the margin of XGBoost, the raw score of LightGBM, the fractions of the classes or
//! the means of scikit-learn. The tools add up in binary32 or binary64; their sums differ from the real ones by their
//! own roundings. What the tools make of a raw score afterwards (logistic functions, softmax) is not part of a model.
//!
//! # Missing values
//!
//! Every tool sends inputs that are missing down a side of their own. Here inputs are finite numbers and nothing is
//! missing, so default directions say nothing and are passed over. Whoever tells XGBoost that some number means "missing"
//! (`DMatrix(missing=0)`, or sparse input, whose absent entries are missing) computes another function; the file does
//! not say so. LightGBM's `zero_as_missing` is in the file, and read.

mod error;
mod forest;
pub mod lightgbm;
mod loose;
mod number;
pub mod sklearn;
mod tree;
mod ubjson;
pub mod xgboost;

use std::fmt;
use std::path::Path;

use roundproof_exact::Rational;
use roundproof_exact::text::approximate;
use roundproof_files::In;
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;

pub use error::{ConversionError, ModelError, ModelProblem, NodeProblem};
pub use forest::{ForestOptions, Outputs, Rounding};
pub use tree::{Cut, ModelNode, ModelTree};

/// The tool that a model is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// XGBoost.
    XgBoost,
    /// LightGBM.
    LightGbm,
    /// scikit-learn.
    ScikitLearn,
}

/// A model: `base + (sum of one leaf of each tree) / divisor`, in the reals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The tool it is from.
    pub kind: Kind,
    /// What it was trained for, in the tool's words: `binary:logistic`, `RandomForestClassifier`.
    pub objective: Option<String>,
    /// Inputs.
    pub dimension: usize,
    /// The names of the inputs, as many as there are inputs.
    pub feature_names: Option<Vec<String>>,
    /// The names of the classes, where the file has them: one for each output.
    pub classes: Option<Vec<String>>,
    /// The format that the tool itself rounds its inputs to before it compares them.
    pub inputs: Format,
    /// What is added to the leaves, one for each output.
    pub base: Vec<Rational>,
    /// What the sum of the leaves is divided by: 1, or of an average the number of trees that add to an output.
    pub divisor: usize,
    /// The trees.
    pub trees: Vec<ModelTree>,
    /// What there is to know about the reading.
    pub remarks: Vec<Remark>,
}

/// Something that was decided, or that the tool does otherwise, without being an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// XGBoost computes the margin from the base score by a logarithm, in binary32.
    BaseScore {
        /// The objective.
        objective: String,
        /// The base score, as the file has it.
        score: String,
        /// The margin that was taken.
        margin: Rational,
    },
    /// The file names a best iteration; all trees were taken.
    BestIteration {
        /// The iteration, as the file has it.
        iteration: String,
    },
    /// Votes are counted where scikit-learn adds up fractions.
    Votes,
    /// The tool rounds inputs to a format that does not have all values of the forest's format.
    PeerCast {
        /// The tool.
        kind: Kind,
        /// The format of its inputs.
        inputs: Format,
        /// The format of the forest.
        format: Format,
    },
}

impl Model {
    /// `k`: how many outputs it gives.
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// The names of the inputs, if somebody gave them: LightGBM makes up `Column_0` and so on where there are none.
    pub fn input_names(&self) -> Option<&[String]> {
        let names = self.feature_names.as_deref()?;
        let made_up = names.iter().enumerate().all(|(index, name)| *name == format!("Column_{index}"));
        (!made_up).then_some(names)
    }

    /// Leaves of all trees together.
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(ModelTree::leaves).sum()
    }
}

/// The model in a file, of whichever tool, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or holds no model whose meaning on finite inputs is a sum of trees; see [`ModelProblem`].
pub fn read_model(path: &Path) -> Result<Stored<Model>, ModelError> {
    let bytes = std::fs::read(path).map_err(ModelProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_model(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The model in `bytes`, which come from `file`; see [`read_model`].
///
/// # Errors
///
/// As [`read_model`].
pub fn parse_model(file: &Path, bytes: &[u8]) -> Result<Model, ModelError> {
    parse(bytes).in_file(file)
}

/// Tells the tools apart by what is in the file, never by its name.
fn parse(bytes: &[u8]) -> Result<Model, ModelProblem> {
    let unknown = |what| Err(ModelProblem::Unknown { what });
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let start = &bytes[start..];
    match start.first() {
        None => return unknown("is empty"),
        Some(0x80) => return unknown("is a pickle, which is a program and not data"),
        Some(b'[') => return unknown("is a dump of trees without what goes with them"),
        Some(b'{') if matches!(start.get(1), Some(b'L' | b'l' | b'U' | b'i' | b'I' | b'#' | b'$')) => {
            let json = ubjson::to_json(start).map_err(|(position, what)| ModelProblem::Binary { position, what })?;
            return parse_json(&json);
        }
        _ if start.starts_with(b"binf") => return unknown("is a model of XGBoost in its old binary form"),
        _ => {}
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ModelProblem::Unknown { what: "is not text" })?;
    if !text.trim_start().starts_with('{') {
        let first = text.trim_start().lines().next().unwrap_or_default();
        return if first.trim_end() == "tree" {
            lightgbm::parse(text)
        } else {
            unknown("is neither JSON nor LightGBM's")
        };
    }
    parse_json(&loose::quote_not_finite(text))
}

fn parse_json(text: &str) -> Result<Model, ModelProblem> {
    let unknown = |what| Err(ModelProblem::Unknown { what });
    let document = loose::Loose::root(text)?.object()?;
    if document.has("learner") {
        xgboost::parse(document)
    } else if document.has("schema") {
        sklearn::parse(text)
    } else if document.has("tree_info") {
        unknown("is a dump of a model of LightGBM")
    } else {
        unknown("is JSON, but neither XGBoost's (no `learner`) nor scripts/export_sklearn.py's (no `schema`)")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::XgBoost => "XGBoost",
            Kind::LightGbm => "LightGBM",
            Kind::ScikitLearn => "scikit-learn",
        })
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::BaseScore { objective, score, margin } => {
                let sign = if *margin < 0 { "-" } else { "" };
                let size = approximate(&margin.clone().abs());
                write!(
                    f,
                    "the base score {score} of {objective} is taken as the margin {sign}{size}, the binary32 value \
                     nearest to the logarithm; XGBoost's own may be a neighbour of it"
                )
            }
            Remark::BestIteration { iteration } => write!(
                f,
                "the model names iteration {iteration} as the best, and all of its trees are taken; save \
                 `model[:{iteration} + 1]` to have those alone"
            ),
            Remark::Votes => f.write_str(
                "each tree has one vote; scikit-learn's predict adds up the fractions in the leaves, and may choose another class: \
                 --outputs scores gives these",
            ),
            Remark::PeerCast { kind, inputs, format } => write!(
                f,
                "{kind} rounds its inputs to {inputs}, ties to even, before it compares them; thresholds stand where that \
                 rounding changes sides, so that each value of {format} goes where the tool sends it"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
