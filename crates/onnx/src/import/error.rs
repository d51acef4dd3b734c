//! Why a model cannot be imported.

use std::fmt;

use roundproof_graph::GraphError;
use roundproof_network::GeometryError;
use thiserror::Error;

use super::scan::ScanError;

/// Why a model cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    /// The bytes are not a model, or one with parts that are not supported.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The bytes are not what protobuf writes.
    #[error("the bytes are not an ONNX model: {0}")]
    Decode(#[from] prost::DecodeError),
    /// Something of the model as a whole.
    #[error("{what}")]
    Model {
        /// What is wrong, and what to do.
        what: String,
    },
    /// Inputs, initializers and nodes that are not supported: all of them.
    #[error("{}", list(.0))]
    Parts(Vec<PartError>),
    /// What was made is not a graph: it is too large.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

fn list(parts: &[PartError]) -> String {
    let lines: Vec<String> = parts.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What is wrong with an input, an initializer, a node or an output.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{part}: {problem}")]
pub struct PartError {
    /// Which of them.
    pub part: Part,
    /// What is wrong.
    pub problem: Problem,
}

/// A part of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// An input, by name.
    Input(String),
    /// A constant, by name.
    Initializer(String),
    /// A node.
    Node {
        /// Its number, from 0.
        number: usize,
        /// Its name, or the name of what it makes.
        name: String,
        /// Its operator.
        operator: String,
    },
    /// An output, by name.
    Output(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Input(name) => write!(f, "input {}", quoted(name)),
            Part::Initializer(name) => write!(f, "initializer {}", quoted(name)),
            Part::Node { number, name, operator } => write!(f, "node {number} ({}, {})", quoted(name), bare(operator)),
            Part::Output(name) => write!(f, "output {}", quoted(name)),
        }
    }
}

/// Foreign text, as much of it as a message can hold.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The name of an operator, in quotes if it is not such a name.
pub(super) fn bare(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !text.is_empty() && text.len() <= 60 && text.chars().all(plain) { text.to_string() } else { quoted(text) }
}

/// What is wrong with a part of a model, or not supported in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// An operator that is not supported.
    #[error("the operator is not supported; {remedy}")]
    Operator {
        /// What to do.
        remedy: String,
    },
    /// An attribute that is missing, of another type, or not supported.
    #[error("attribute {}: {what}", bare(.attribute))]
    Attribute {
        /// Its name.
        attribute: String,
        /// What is wrong, and what is supported.
        what: String,
    },
    /// An operand that is missing, of another type, or not supported.
    #[error("operand {operand}: {what}")]
    Operand {
        /// Which one, from 0.
        operand: usize,
        /// What is wrong, and what is supported.
        what: String,
    },
    /// A tensor of shapes or types that do not fit.
    #[error(transparent)]
    Graph(#[from] roundproof_graph::Problem),
    /// A window that does not fit.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    pub(super) fn other(what: impl Into<String>) -> Problem {
        Problem::Other(what.into())
    }

    pub(super) fn operand(operand: usize, what: impl Into<String>) -> Problem {
        Problem::Operand { operand, what: what.into() }
    }

    pub(super) fn attribute(attribute: &str, what: impl Into<String>) -> Problem {
        Problem::Attribute { attribute: attribute.to_string(), what: what.into() }
    }
}
