//! What is not judged, and why a row is not.

use roundproof_graph::{Graph, Node};
use thiserror::Error;

/// A part of a graph, or a field of a path model, that no rule of this crate is about. Nothing is said then about any row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct NotCovered {
    /// Which node, tensor or field.
    pub place: String,
    /// What is not covered, and what would be.
    pub reason: String,
}

/// A row that is not one of the model's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RowError {
    /// Another number of tensors than the model has inputs.
    #[error("the model has {expected} inputs, not {found}")]
    Inputs {
        /// How many it has.
        expected: usize,
        /// How many tensors there are.
        found: usize,
    },
    /// Another number of elements.
    #[error("input {name:?} has {expected} elements, not {found}")]
    Elements {
        /// The name of the input.
        name: String,
        /// How many it has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Not a number of the input's format.
    #[error("input {name:?}, element {element}: not a finite value of {format}")]
    Value {
        /// The name of the input.
        name: String,
        /// Which element, the last axis fastest.
        element: usize,
        /// The format.
        format: roundproof_format::Format,
    },
}

/// The place of a node, with the names that the model gives.
pub(crate) fn place(number: usize, node: &Node) -> String {
    let Node { name, op, reads: _, writes: _ } = node;
    format!("node {number} ({name:?}, {})", op.name())
}

/// The refusal of a node.
pub(crate) fn refuse(graph: &Graph, number: usize, reason: impl Into<String>) -> NotCovered {
    NotCovered { place: place(number, &graph.nodes()[number]), reason: reason.into() }
}
