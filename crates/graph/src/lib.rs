//! What a model of another tool computes: operations over tensors. Plain data with its invariants; no arithmetic, no files.
//!
//! A network that is built here is a [`Network`](roundproof_network::Network): sums whose rounding paths are known one by one. A
//! model that somebody else trained is a [`Graph`]: its operations are close to those of ONNX, one for one where these round
//! anything, and how a runtime fuses, splits or narrows them is not in the graph but in the path model under which it is judged.
//!
//! A graph is of one row: where a model has a batch axis, that axis has the size 1 here.
//!
//! A `Graph` that exists is well formed: every tensor that is read is there before, shapes and data types agree, every constant is
//! finite.

mod error;
mod graph;
mod op;
mod shape;

pub use error::{GraphError, Problem};
pub use graph::{Graph, Node, Source, Tensor, TensorId};
pub use op::{Comparison, Function, Norm, Op, Pick, Pool, Reduction, Unary};
pub use shape::{broadcast, elements, result_shape};

/// The most elements of a tensor, and the most operands that one element of a result is made of times the elements of the result:
/// no small file makes a large evaluation.
pub const MAX_ELEMENTS: usize = 1 << 28;
/// The most axes of a tensor.
pub const MAX_AXES: usize = 8;
/// The most nodes.
pub const MAX_NODES: usize = 1 << 16;
