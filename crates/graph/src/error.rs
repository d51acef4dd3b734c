//! Why operations and tensors make no graph.

use thiserror::Error;

use crate::{MAX_AXES, MAX_ELEMENTS, MAX_NODES};

/// Why operations and tensors make no graph: where, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct GraphError {
    /// The tensor or node, by number and name.
    pub place: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong at a tensor or a node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Too many nodes.
    #[error("{nodes} nodes; at most {MAX_NODES} are supported")]
    Nodes {
        /// How many there are.
        nodes: usize,
    },
    /// A tensor of no size that is supported.
    #[error("the shape {shape:?}; a tensor has at most {MAX_AXES} axes and {MAX_ELEMENTS} elements")]
    Size {
        /// Its shape.
        shape: Vec<usize>,
    },
    /// More work than an evaluation may be.
    #[error(
        "each of {elements} elements is made of {operands} operands; at most {MAX_ELEMENTS} of them all are supported"
    )]
    Work {
        /// How many elements the result has.
        elements: usize,
        /// Of how many operands each is made.
        operands: usize,
    },
    /// A constant with another number of elements than its shape.
    #[error("{stored} values are stored, and the shape {shape:?} has another number of elements")]
    Stored {
        /// How many values there are.
        stored: usize,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A constant that is stored in another width than its format's, or is not finite.
    #[error("element {element} is not a finite value of {format}")]
    Value {
        /// Which element.
        element: usize,
        /// The format.
        format: roundproof_format::Format,
    },
    /// The wrong number of operands.
    #[error("{op} reads {expected} tensors, not {found}")]
    Reads {
        /// The operation.
        op: &'static str,
        /// How many it reads.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// A tensor that is not there, or is made later.
    #[error("tensor {tensor} is not an input, a constant or the result of an earlier node")]
    Unmade {
        /// Its number.
        tensor: usize,
    },
    /// A tensor that two nodes make, or one that says that another makes it.
    #[error("it is not this node that makes tensor {tensor}")]
    Maker {
        /// Its number.
        tensor: usize,
    },
    /// Shapes that the operation does not combine.
    #[error("the shapes {reads:?} do not fit together")]
    Shapes {
        /// The shapes of what is read.
        reads: Vec<Vec<usize>>,
    },
    /// The shape of the result is another one.
    #[error("the result has the shape {found:?}, and {declared:?} is declared")]
    Result {
        /// What the operation makes.
        found: Vec<usize>,
        /// What the tensor says.
        declared: Vec<usize>,
    },
    /// An axis that is not there.
    #[error("axis {axis} of a tensor that has {axes} axes")]
    Axis {
        /// The axis, from 0.
        axis: usize,
        /// How many there are.
        axes: usize,
    },
    /// Axes that do not ascend.
    #[error("axes have to ascend")]
    Axes,
    /// A window that reads nothing.
    #[error("a window lies in the padding alone")]
    Window,
    /// Another number of picked elements than the result has.
    #[error("{picks} elements are picked, and the result has another number of elements")]
    Picks {
        /// How many there are.
        picks: usize,
    },
    /// A picked element that is not there.
    #[error("element {element} of operand {read} is not there")]
    Pick {
        /// Which operand.
        read: u32,
        /// Which element.
        element: u32,
    },
    /// Data types that the operation does not combine.
    #[error("operands and result have to have one data type")]
    Datatypes,
    /// Not a constant where the operation needs one.
    #[error("operand {read} has to be a constant")]
    Constant {
        /// Which operand.
        read: usize,
    },
    /// An attribute that is not a finite value.
    #[error("a parameter of {op} is not a finite value")]
    Attribute {
        /// The operation.
        op: &'static str,
    },
    /// No outputs.
    #[error("a graph has at least one input and one output")]
    Empty,
}
