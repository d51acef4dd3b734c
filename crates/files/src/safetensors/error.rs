//! What can be wrong with a safetensors file.

use std::io;

use roundproof_format::Format;
use roundproof_graph::GraphError;
use roundproof_network::{DatasetError, ForestError, NetworkError};
use thiserror::Error;

use crate::{InFile, JsonError, Misfit};

/// A safetensors file that is not a network, a graph, a data set, or a forest.
pub type TensorError = InFile<TensorProblem>;

/// What is wrong with a safetensors file.
#[derive(Debug, Error)]
pub enum TensorProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file ends before its header does.
    #[error(
        "is not a safetensors file, or a truncated one: {bytes} bytes, {}",
        .header.map_or("too few for a header".to_string(), |header| format!("and a header of {header} bytes announced"))
    )]
    Truncated {
        /// Bytes in the file.
        bytes: usize,
        /// Bytes of the header, if the file is long enough to say so.
        header: Option<u64>,
    },
    /// The header is not JSON.
    #[error("the header is not strict JSON: {0}")]
    Header(#[source] JsonError),
    /// The header is JSON of another form.
    #[error("in the header, {0}")]
    Form(#[source] Misfit),
    /// A tensor's bytes are not where they should be.
    #[error("tensor `{tensor}`: {what}")]
    Layout {
        /// The tensor.
        tensor: String,
        /// Which rule is broken, with the numbers.
        what: String,
    },
    /// The tensors do not cover the data.
    #[error("{found} bytes of data after the header, but the tensors take {expected}; is the file truncated?")]
    Length {
        /// Bytes that the tensors take.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
    /// An entry of the metadata is missing.
    #[error("metadata `{key}` is missing")]
    MissingMetadata {
        /// The entry.
        key: &'static str,
    },
    /// An entry of the metadata says nothing sensible, or should not be there.
    #[error("metadata `{key}`: {what}")]
    Metadata {
        /// The entry.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// A tensor is missing.
    #[error("tensor `{tensor}` is missing")]
    Missing {
        /// The tensor.
        tensor: String,
    },
    /// A tensor that has no place in such a file.
    #[error("tensor `{tensor}` has no place in this file")]
    Unknown {
        /// The tensor.
        tensor: String,
    },
    /// A tensor of another element type.
    #[error("tensor `{tensor}` is of {found}; {expected} is needed")]
    Type {
        /// The tensor.
        tensor: String,
        /// Its element type.
        found: &'static str,
        /// The one needed.
        expected: &'static str,
    },
    /// A tensor of another shape.
    #[error("tensor `{tensor}` has the shape {found:?}; {expected} is needed")]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The one needed.
        expected: String,
    },
    /// A significand or an exponent that makes no value of `F(p)`.
    #[error("tensor `{tensor}`, element {index}: {what} is not a value of {format}")]
    Value {
        /// The tensor.
        tensor: String,
        /// The element, from 0, in row-major order.
        index: usize,
        /// Significand and exponent.
        what: String,
        /// The format.
        format: Format,
    },
    /// Layers that make no network.
    #[error("{place}: {source}")]
    Network {
        /// The tensor, or the entry of the metadata, that has the fault.
        place: String,
        /// The fault.
        source: NetworkError,
    },
    /// Tensors and nodes that make no graph.
    #[error(transparent)]
    Graph(GraphError),
    /// Columns that make no data set.
    #[error("tensor `{tensor}`: {source}")]
    Dataset {
        /// The tensor that has the fault.
        tensor: &'static str,
        /// The fault.
        source: DatasetError,
    },
    /// Trees that make no forest.
    #[error("tensor `{tensor}`: {source}")]
    Forest {
        /// The tensor that has the fault.
        tensor: &'static str,
        /// The fault.
        source: ForestError,
    },
}

impl From<Misfit> for TensorProblem {
    fn from(misfit: Misfit) -> TensorProblem {
        TensorProblem::Form(misfit)
    }
}
