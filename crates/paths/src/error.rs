//! Why a network has no value.

use roundproof_format::Encoding;
use roundproof_network::{Activation, At, ModelError, PathError};
use thiserror::Error;

/// Why a network has no value here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvaluateError {
    /// The format does not support the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A row of another length than the network's input dimension.
    #[error("{given} inputs for a network that takes {expected}")]
    Inputs {
        /// Inputs given.
        given: usize,
        /// The network's input dimension.
        expected: usize,
    },
    /// An input that is the encoding of no datum.
    #[error("input {column}: {bits:#x} is not a datum of the format")]
    Datum {
        /// The input, from 0.
        column: usize,
        /// Its bits.
        bits: u128,
    },
    /// A path that the sum or the model does not have.
    #[error("layer {layer}, neuron {neuron}: {error}")]
    Path {
        /// The layer, from 0.
        layer: usize,
        /// The neuron in it, from 0.
        neuron: usize,
        /// What is wrong with it.
        error: PathError,
    },
    /// A value that an activation does not admit.
    #[error("layer {layer}, neuron {neuron}: {activation} does not make {value:?} of {sum:?}")]
    Activation {
        /// The layer, from 0.
        layer: usize,
        /// The neuron in it, from 0.
        neuron: usize,
        /// What the neuron does to its sum.
        activation: Activation,
        /// Its sum.
        sum: Encoding,
        /// What was chosen for its value.
        value: Encoding,
    },
    /// A data set of another format or shape than the network's.
    #[error("the data set does not fit the network: another format or dimension")]
    Dataset,
    /// A row or point, output or neuron that does not exist.
    #[error("the witness speaks of {at:?}, output {output}, or of a neuron, that does not exist")]
    Witness {
        /// The witness's row or point.
        at: At,
        /// The witness's output.
        output: usize,
    },
}
