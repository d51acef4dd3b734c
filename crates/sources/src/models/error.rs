//! What can be wrong with a model.

use std::io;

use roundproof_exact::Integer;
use roundproof_files::{InFile, JsonError, Misfit};
use roundproof_format::Format;
use roundproof_network::ForestError;
use thiserror::Error;

use super::Outputs;

/// A file that holds no model that is read.
pub type ModelError = InFile<ModelProblem>;

/// What is wrong with a model's file. Trees and nodes are counted from 0, lines from 1.
#[derive(Debug, Error)]
pub enum ModelProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file is of no kind that is read.
    #[error(
        "{what}; save the model with save_model(\"model.json\") or \"model.ubj\" (XGBoost) or save_model(\"model.txt\") (LightGBM), or \
         export it with scripts/export_sklearn.py (scikit-learn)"
    )]
    Unknown {
        /// What it seems to be.
        what: &'static str,
    },
    /// The file is not JSON.
    #[error("is not JSON: {0}")]
    Json(#[source] JsonError),
    /// The file begins as XGBoost's binary JSON, and is not.
    #[error("byte {position}: {what}; the file is damaged or is not a model of XGBoost (.ubj): save the model again")]
    Binary {
        /// Where, from 0.
        position: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The file is JSON of another form.
    #[error("{0}; save or export the model again if the file was changed")]
    Form(#[from] Misfit),
    /// An export of another version.
    #[error("is of schema {found}, and 1 is read; export the model again with scripts/export_sklearn.py")]
    Schema {
        /// The version.
        found: usize,
    },
    /// A line of LightGBM's text that says nothing sensible.
    #[error("line {line}: {what}; save the model again")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Something that makes the model another function than a sum of trees that compare.
    #[error("{place}: {what} is not read; {remedy}")]
    Unsupported {
        /// Where it stands.
        place: String,
        /// What it is.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A number that cannot be taken.
    #[error("{place}: `{text}` {what}; save or export the model again, from data that are finite")]
    Number {
        /// Where it stands.
        place: String,
        /// Its text, shortened.
        text: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Two counts that should be the same.
    #[error("{place}: {found} {what}, and {expected} are needed; the file is damaged: save the model again")]
    Count {
        /// Where.
        place: String,
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Nodes that are not a tree.
    #[error("tree {tree}, {node}: {problem}; the file is damaged: save the model again")]
    Node {
        /// The tree.
        tree: usize,
        /// The node, or leaf.
        node: String,
        /// What is wrong with it.
        problem: NodeProblem,
    },
}

/// Why nodes are not a tree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NodeProblem {
    /// A child that is not there.
    #[error("has the child {child}, which is not there")]
    NoSuchChild {
        /// The child, as the file has it.
        child: String,
    },
    /// A child that pruning took out.
    #[error("has a child that is marked as deleted, {child}")]
    Deleted {
        /// The child.
        child: String,
    },
    /// A split without one of its sides.
    #[error("has one child; a split has two, a leaf none")]
    OneChild,
    /// A leaf whose vector of values is not there.
    #[error("has the values {vector}, which are not there")]
    NoSuchVector {
        /// Which one, as the file has it.
        vector: String,
    },
    /// A node below itself.
    #[error("lies below itself")]
    Cycle,
    /// A node with two parents.
    #[error("is a child twice")]
    Shared,
    /// A node that no path leads to.
    #[error("cannot be reached from the root")]
    Unreachable,
    /// An input that is not there.
    #[error("compares input {column}, and the model has {dimension} (from 0)")]
    Column {
        /// The input.
        column: String,
        /// How many there are.
        dimension: usize,
    },
}

/// Why a model gives no forest of a format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConversionError {
    /// A cut just below 0 in a format without a largest value there.
    #[error("a split is just below 0, and {format} has no largest value there; take a bounded format")]
    NoPredecessor {
        /// The format.
        format: Format,
    },
    /// Outputs that the model does not have.
    #[error("this model cannot give {outputs}: {why}; take --outputs scores")]
    Outputs {
        /// What was asked for.
        outputs: Outputs,
        /// Why not.
        why: String,
    },
    /// Two classes that are one number in the format.
    #[error(
        "the classes `{first}` and `{second}` are both {value} in {format}, and the number would not tell them apart; take \
         --outputs votes or scores, or a wider format"
    )]
    Classes {
        /// The name of one class.
        first: String,
        /// The name of another.
        second: String,
        /// What both become.
        value: String,
        /// The format.
        format: Format,
    },
    /// More trees than the format counts exactly.
    #[error(
        "the votes of {trees} trees do not add up exactly in {format}, which counts to {most}; take a format of higher \
         precision, or --outputs scores, whose error is bounded"
    )]
    Votes {
        /// How many trees vote.
        trees: usize,
        /// To which number every sum is exact.
        most: Integer,
        /// The format.
        format: Format,
    },
    /// A grid for outputs that need none, or one beyond every format.
    #[error("a grid of 2^{grid} does not do: {why}")]
    Grid {
        /// The exponent.
        grid: i64,
        /// Why not.
        why: &'static str,
    },
    /// A leaf or base beyond the format.
    #[error(
        "{place}: {value} is beyond the values of {format}; take a wider format, or train the model on scaled labels"
    )]
    OutOfRange {
        /// Where it stands.
        place: String,
        /// About how large it is.
        value: String,
        /// The format.
        format: Format,
    },
    /// A multiple of the grid that is not a value of the format.
    #[error(
        "{place}: the nearest multiple of 2^{grid} is not a value of {format}; take a coarser grid or a wider format"
    )]
    OffGrid {
        /// Where it stands.
        place: String,
        /// The exponent of the grid.
        grid: i64,
        /// The format.
        format: Format,
    },
    /// More values than are made.
    #[error(
        "{leaves} leaves of {outputs} outputs are more values than a forest is made with; take a smaller model, or one with fewer categories"
    )]
    Size {
        /// Leaves of all trees.
        leaves: usize,
        /// Outputs.
        outputs: usize,
    },
    /// Trees that make no forest.
    #[error(transparent)]
    Forest(#[from] ForestError),
}
