//! Why evidence was not accepted.

use roundproof_format::{Encoding, Format, Overflow};
use roundproof_network::{ModelError, PathError};
use thiserror::Error;

/// Why the kernel did not accept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The claim names another format.
    #[error("the claim is about {claimed}, the {of} is in {found}")]
    Format {
        /// Network or data set.
        of: &'static str,
        /// The claim's format.
        claimed: Format,
        /// Its format.
        found: Format,
    },
    /// The claim names another size.
    #[error("the claim says {claimed} {what}, there are {found}")]
    Size {
        /// What was counted.
        what: &'static str,
        /// The claim's number.
        claimed: usize,
        /// The number found.
        found: usize,
    },
    /// The path model is none for the format.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The evidence for a box network does not hold.
    #[error("box-network: {0}")]
    Boxes(#[from] BoxRejection),
    /// The reachable values do not establish the claim.
    #[error("paths: {0}")]
    Reach(#[from] ReachRejection),
    /// The witness does not replay.
    #[error("witness: {0}")]
    Replay(#[from] ReplayRejection),
}

/// Why a network with a separator is not accepted as a box network that memorizes. One kind per side condition.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BoxRejection {
    /// The rule needs gradual underflow: a flushed difference hides which side of a threshold an input is on.
    #[error("the rule does not hold where subnormals may be flushed")]
    Flush,
    /// Not three layers with activations a, a, identity.
    #[error("a box network has three layers, step, step, identity or relu, relu, identity")]
    Layers,
    /// A unit of layer 1 that does not look at exactly one input.
    #[error("layer 1, unit {unit}: {terms} weights, not one")]
    UnitTerms {
        /// The unit, from 0.
        unit: usize,
        /// Its stored weights.
        terms: usize,
    },
    /// A weight of layer 1 that is no power of two of at least 1 (ReLU), or not 1 in magnitude (Step).
    #[error("layer 1, unit {unit}: weight {weight:?} is not +-K for a power of two K >= 1 (for Step, K = 1)")]
    UnitWeight {
        /// The unit, from 0.
        unit: usize,
        /// Its weight.
        weight: Encoding,
    },
    /// A bias of layer 1 that is not K times a value of the format.
    #[error("layer 1, unit {unit}: bias {bias:?} is not K times a value of the format")]
    UnitThreshold {
        /// The unit, from 0.
        unit: usize,
        /// Its bias.
        bias: Encoding,
    },
    /// A threshold with nothing beyond it.
    #[error("layer 1, unit {unit}: its threshold is the end of the format; such a side needs no unit")]
    UnitAtEnd {
        /// The unit, from 0.
        unit: usize,
    },
    /// `K` times the neighbour of the threshold is beyond the largest value.
    #[error("layer 1, unit {unit}: K times the value next to the threshold is beyond the largest value of the format")]
    UnitScale {
        /// The unit, from 0.
        unit: usize,
    },
    /// The bias of a box's neuron is not 1 (ReLU) or 0 (Step).
    #[error("layer 2, box {neuron}: bias {bias:?} is not {expected}")]
    BoxBias {
        /// The neuron, from 0.
        neuron: usize,
        /// Its bias.
        bias: Encoding,
        /// What it should be.
        expected: u8,
    },
    /// A weight of layer 2 that is not -W for a power of two W (ReLU), or not -1 (Step).
    #[error("layer 2, box {neuron}: weight {weight:?} is not -W for a power of two W (for Step, W = 1)")]
    BoxWeight {
        /// The neuron, from 0.
        neuron: usize,
        /// The weight.
        weight: Encoding,
    },
    /// `W * K * gap < 1` for a side, and too few copies of its unit to make up for it.
    #[error(
        "layer 2, box {neuron}, unit {unit}: W * K * gap = 2^{strength} is below 1, and {copies} copies of the side \
         do not make up for it"
    )]
    Penalty {
        /// The neuron, from 0.
        neuron: usize,
        /// A unit of the side.
        unit: usize,
        /// Binary exponent of its penalty.
        strength: i64,
        /// Units of the same side in the box.
        copies: usize,
    },
    /// A bias of layer 3 other than zero.
    #[error("layer 3, output {output}: bias {bias:?} is not 0")]
    OutputBias {
        /// The output, from 0.
        output: usize,
        /// Its bias.
        bias: Encoding,
    },
    /// The nodes are no tree in preorder.
    #[error("separator: node {node}: {what}")]
    Separator {
        /// The node, from 0.
        node: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A box that is named twice, or never.
    #[error("separator: box {neuron} stands in {times} regions, not in one")]
    BoxRegions {
        /// The neuron of layer 2, from 0.
        neuron: usize,
        /// How often it was met.
        times: usize,
    },
    /// A box that reaches over a cut above its region.
    #[error("separator: box {neuron} has no side on input {column} that keeps it {side} the cut at {threshold:?}")]
    Overlap {
        /// The neuron of layer 2, from 0.
        neuron: usize,
        /// The input that is cut.
        column: u32,
        /// `below` or `above`.
        side: &'static str,
        /// The cut.
        threshold: Encoding,
    },
    /// A row whose label is not what its box gives.
    #[error("row {row}, output {output}: the network gives {given:?} on every path, the label is {label:?}")]
    Label {
        /// The row, from 0.
        row: usize,
        /// The output, from 0.
        output: usize,
        /// What the box gives.
        given: Encoding,
        /// What the data set says.
        label: Encoding,
    },
    /// Under overflow to NaN, a sum that may overflow.
    #[error("layer {layer}, neuron {neuron}: under overflow={overflow} the sum may exceed the largest value")]
    Headroom {
        /// The layer, from 1.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
        /// The policy.
        overflow: Overflow,
    },
}

/// Why the enclosures of reachable values do not establish the claim.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReachRejection {
    /// The rule does not cover flushed subnormals.
    #[error("the rule does not cover paths on which subnormals are flushed")]
    Flush,
    /// A neuron that may be NaN, as far as the enclosures tell.
    #[error("row {row}, layer {layer}, neuron {neuron}: NaN cannot be excluded")]
    Nan {
        /// The row, from 0.
        row: usize,
        /// The layer, from 0.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
    },
    /// In `F(p)`, a value whose exponent is beyond what the kernel computes with.
    #[error("row {row}, layer {layer}, neuron {neuron}: an exponent beyond +-2^22")]
    Exponent {
        /// The row, from 0.
        row: usize,
        /// The layer, from 0.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
    },
    /// An output that may be something other than its label, as far as the enclosures tell.
    #[error("row {row}, output {output}: between {low:?} and {high:?} on every path, the label is {label:?}")]
    Output {
        /// The row, from 0.
        row: usize,
        /// The output, from 0.
        output: usize,
        /// No path gives less.
        low: Encoding,
        /// No path gives more.
        high: Encoding,
        /// The label.
        label: Encoding,
    },
}

/// Why a witness does not refute the claim.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayRejection {
    /// The row or output does not exist.
    #[error("there is no {what} {index}")]
    Missing {
        /// Row, output or neuron.
        what: &'static str,
        /// Its number.
        index: usize,
    },
    /// The neurons are not listed in ascending order, each once.
    #[error("neuron {neuron} of layer {layer} is listed out of order")]
    Unordered {
        /// The layer, from 0.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
    },
    /// A neuron's path is none of the model.
    #[error("layer {layer}, neuron {neuron}: {error}")]
    Path {
        /// The layer, from 0.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
        /// What is wrong with it.
        error: PathError,
    },
    /// In `F(p)`, a value whose exponent is beyond what the kernel computes with.
    #[error("layer {layer}, neuron {neuron}: an exponent beyond +-2^22")]
    Exponent {
        /// The layer, from 0.
        layer: usize,
        /// The neuron, from 0.
        neuron: usize,
    },
    /// The path gives another value than the witness says.
    #[error("the path gives {given:?}, the witness says {said:?}")]
    Value {
        /// The replayed value.
        given: Encoding,
        /// The witness's.
        said: Encoding,
    },
    /// The path gives the label: it contradicts nothing.
    #[error("the path gives the label {label:?}")]
    Agrees {
        /// The label.
        label: Encoding,
    },
}
