//! What is not judged, and why a row is not.

use roundproof_graph::{Graph, Node, TensorId};
use thiserror::Error;

/// Parts of a graph, or fields of a path model, that no rule of this crate is about: all of them, in the order of the graph. Nothing is
/// said then about any row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", lines(.refusals))]
pub struct NotCovered {
    /// Each of them; one at least.
    pub refusals: Vec<Refusal>,
}

fn lines(refusals: &[Refusal]) -> String {
    let lines: Vec<String> = refusals.iter().map(|Refusal { place, reason }| format!("{place}: {reason}")).collect();
    lines.join("\n")
}

/// A part of a graph, or a field of a path model, that no rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
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

/// The place of a tensor.
pub(crate) fn tensor_place(graph: &Graph, id: TensorId) -> String {
    format!("tensor {id} ({:?})", graph.tensors()[id].name)
}

/// The refusal of a node.
pub(crate) fn refuse(graph: &Graph, number: usize, reason: impl Into<String>) -> NotCovered {
    NotCovered::at(place(number, &graph.nodes()[number]), reason)
}

impl NotCovered {
    /// The refusal of what is at a place.
    pub(crate) fn at(place: impl Into<String>, reason: impl Into<String>) -> NotCovered {
        NotCovered { refusals: vec![Refusal { place: place.into(), reason: reason.into() }] }
    }
}
