//! Why there is no ONNX model of a network.

use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_network::ModelError;
use thiserror::Error;

use crate::ELEMENTS;

/// Why there is no ONNX model of a network under a path model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExportError {
    /// A format without a type.
    #[error(
        "ONNX has no type for {format}; there are models of networks in {}: build one in such a format",
        ELEMENTS.iter().map(|(format, _)| format.to_string()).collect::<Vec<_>>().join(", ")
    )]
    Format {
        /// The format.
        format: Format,
    },
    /// A direction in which no runtime rounds.
    #[error(
        "operations of ONNX round to nearest, ties to even, and the claim is about rounding={mode} alone: prove it with \
         rounding=any or rounding=ties-to-even"
    )]
    Rounding {
        /// The direction.
        mode: RoundingMode,
    },
    /// An overflow that ONNX does not have.
    #[error(
        "operations of ONNX Runtime on {format} do not overflow as the claim has it, overflow={overflow}: prove it with \
         overflow={}",
        if format.width() == 8 { "saturate" } else { "ieee" }
    )]
    Overflow {
        /// The format.
        format: Format,
        /// What overflow gives.
        overflow: Overflow,
    },
    /// A Cast over two sizes.
    #[error(
        "sums in {from} that become values of {to}: runtimes cast by way of binary32, and round twice; prove it with \
         accumulator=binary32"
    )]
    Narrowing {
        /// Where sums are formed.
        from: Format,
        /// What they become.
        to: Format,
    },
    /// Formats of a step that the path model does not have.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// More than protobuf can hold.
    #[error(
        "the ONNX model would have more than 2 GiB, the most that protobuf allows; export a smaller network (as of --strategy tree)"
    )]
    Size,
}
