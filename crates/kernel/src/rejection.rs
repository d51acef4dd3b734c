//! Why evidence was not accepted.

use roundproof_exact::text::{approximate_above, exact_dyadic};
use roundproof_exact::{Rational, Value};
use roundproof_format::{Format, Overflow};
use roundproof_network::{Activation, BoxNumber, Input, ModelError, Output, PathError, Place, Row, Site, Unit};
use thiserror::Error;

use crate::facts::Denied;

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
    /// The claim speaks of something that is not there, or not of something that is.
    #[error("{0}")]
    Subject(&'static str),
    /// The evidence is of a kind that establishes nothing about the property.
    #[error("what a network does on all inputs takes the evidence of a box network, or a witness against it")]
    Evidence,
    /// The claim lists other rows as exceptions than those whose label is not the forest's value.
    #[error(
        "the exceptions are other rows: where the claim has {}, the next label that is not the forest's value is in {}",
        row_or_none(*.claimed),
        row_or_none(*.found)
    )]
    Exceptions {
        /// The first exception that differs; none if there are no more.
        found: Option<Row>,
        /// What the claim has in its place; none if it has no more.
        claimed: Option<Row>,
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
    #[error("a box network has three layers, with the activations step, step, identity or relu, relu, identity")]
    Layers,
    /// Hidden layers of an activation that the rule does not speak of.
    #[error("hidden layers of {activation}: the rule is about step and relu")]
    Activation {
        /// The activation of the first layer.
        activation: Activation,
    },
    /// A unit of layer 1 that does not look at exactly one input.
    #[error("{unit} has {terms} weights, not one")]
    UnitTerms {
        /// The unit.
        unit: Unit,
        /// Its stored weights.
        terms: usize,
    },
    /// A weight of layer 1 that is not a power of two of at least 1 (ReLU), or not 1 in magnitude (Step).
    #[error("{unit}: weight {weight} is not +-K for a power of two K >= 1 (for Step, K = 1)")]
    UnitWeight {
        /// The unit.
        unit: Unit,
        /// Its weight.
        weight: Value,
    },
    /// A bias of layer 1 that is not K times a value of the format.
    #[error("{unit}: bias {bias} is not K times a value of the format")]
    UnitThreshold {
        /// The unit.
        unit: Unit,
        /// Its bias.
        bias: Value,
    },
    /// A threshold with nothing beyond it.
    #[error("{unit}: its threshold is the end of the format; such a side needs no unit")]
    UnitAtEnd {
        /// The unit.
        unit: Unit,
    },
    /// `K` times the neighbour of the threshold is beyond the largest value.
    #[error("{unit}: K times the value next to the threshold is beyond the largest value of the format")]
    UnitScale {
        /// The unit.
        unit: Unit,
    },
    /// In `F(p)`, a threshold at zero where all finite inputs are in question: zero has no neighbour.
    #[error("{unit}: its threshold is 0, which no ReLU unit tells from all other inputs in this format")]
    UnitAtZero {
        /// The unit.
        unit: Unit,
    },
    /// The bias of a box's neuron is not 1 (ReLU), or not minus the number of its weights 1 (Step).
    #[error("{neuron}: bias {bias} is not {expected}")]
    BoxBias {
        /// The box.
        neuron: BoxNumber,
        /// Its bias.
        bias: Value,
        /// What it should be.
        expected: i64,
    },
    /// A Step neuron with units that have to fire counts further than the format does exactly.
    #[error("{neuron}: {terms} terms are more than min(2^p, largest value), and some of them have weight 1")]
    BoxCount {
        /// The box.
        neuron: BoxNumber,
        /// Its stored weights.
        terms: usize,
    },
    /// A weight of layer 2 that is not -W for a power of two W (ReLU), or not 1 or -1 (Step).
    #[error("{neuron}: weight {weight} is not -W for a power of two W (for Step, 1 or -1)")]
    BoxWeight {
        /// The box.
        neuron: BoxNumber,
        /// The weight.
        weight: Value,
    },
    /// `W * K * gap < 1` for a side, and too few copies of its unit to make up for it.
    #[error(
        "{neuron}, {unit}: W * K * gap = 2^{strength} is below 1, and {copies} copies of the side \
         do not make up for it"
    )]
    Penalty {
        /// The box.
        neuron: BoxNumber,
        /// A unit of the side.
        unit: Unit,
        /// Binary exponent of its penalty.
        strength: i64,
        /// Units of the same side in the box.
        copies: usize,
    },
    /// The terms of an output may sum to more than the format holds.
    #[error("{output}: terms of up to {} in all may leave the format", exact_dyadic(reach.clone()))]
    SumRange {
        /// The output.
        output: Output,
        /// Their magnitudes, added up.
        reach: Rational,
    },
    /// The terms of an output do not add up exactly in every order, and the claim has no room for the error.
    #[error(
        "in some order, the terms of an output may add up to something else than their sum: within {}, which is proved, and the claim allows {}",
        approximate_above(bound), exact_dyadic(allowed.clone())
    )]
    Sum {
        /// The bound of the error.
        bound: Rational,
        /// What the claim allows.
        allowed: Rational,
    },
    /// The nodes are not a tree in preorder.
    #[error("separator: node {node} {what}")]
    Separator {
        /// The node, from 0.
        node: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A box that is named twice, or never.
    #[error("separator: {neuron} stands in {times} regions, not in one")]
    BoxRegions {
        /// The box.
        neuron: BoxNumber,
        /// How often it was met.
        times: usize,
    },
    /// A box that reaches over a cut above its region.
    #[error("separator: {neuron} has no side on {column} that keeps it {side} a cut above its region")]
    Overlap {
        /// The box.
        neuron: BoxNumber,
        /// The input that is cut.
        column: Input,
        /// `below` or `above`.
        side: &'static str,
    },
    /// A box that does not fill its region, where all inputs are in question.
    #[error("separator: {neuron} keeps {side} a threshold on {column} that no cut above its region has")]
    Unfilled {
        /// The box.
        neuron: BoxNumber,
        /// The input.
        column: Input,
        /// `below` or `above`.
        side: &'static str,
    },
    /// The separator has another number of trees than the forest.
    #[error("trees of the separator: {separator}, of the forest: {forest}")]
    Trees {
        /// Trees of the separator.
        separator: usize,
        /// Trees of the forest.
        forest: usize,
    },
    /// A leaf whose value is not what the boxes give.
    #[error("tree {tree}, leaf {leaf}, {output}: where the leaf is, the boxes give another value")]
    Leaf {
        /// The tree, from 0.
        tree: usize,
        /// The leaf, from 0 in preorder.
        leaf: usize,
        /// The output.
        output: Output,
    },
    /// A bias of layer 3 that is not what the trees and the base leave for it.
    #[error("{output}: the bias is {}, the trees and the base need {}", exact_dyadic(bias.clone()), exact_dyadic(needed.clone()))]
    Offset {
        /// The output.
        output: Output,
        /// The bias.
        bias: Rational,
        /// What it would have to be.
        needed: Rational,
    },
    /// A row whose label is not what its box gives.
    #[error("{row}, {output}: the network gives {} on every path, the label is {label}", exact_dyadic(given.clone()))]
    Label {
        /// The row.
        row: Row,
        /// The output.
        output: Output,
        /// What the boxes give.
        given: Rational,
        /// What the data set says.
        label: Value,
    },
    /// Under overflow to NaN, a sum that may overflow.
    #[error("{site}: under overflow={overflow} the sum may exceed the largest value")]
    Headroom {
        /// The neuron.
        site: Site,
        /// The policy.
        overflow: Overflow,
    },
    /// Under overflow to NaN, a Step unit that a box relies on, and that may be NaN.
    #[error(
        "{neuron}: under overflow to NaN {unit} may be NaN, which Step takes for silence, where it has \
         to fire"
    )]
    Silenced {
        /// The box.
        neuron: BoxNumber,
        /// The unit of layer 1.
        unit: Unit,
    },
}

impl From<Denied> for BoxRejection {
    fn from(denied: Denied) -> BoxRejection {
        match denied {
            Denied::Flush => BoxRejection::Flush,
        }
    }
}

impl From<&Denied> for BoxRejection {
    fn from(denied: &Denied) -> BoxRejection {
        BoxRejection::from(*denied)
    }
}

/// Why the enclosures of reachable values do not establish the claim.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReachRejection {
    /// The rule does not cover flushed subnormals.
    #[error("the rule does not cover paths on which subnormals are flushed")]
    Flush,
    /// A neuron that may be NaN, as far as the enclosures tell.
    #[error("{row}, {site}: NaN cannot be excluded")]
    Nan {
        /// The row.
        row: Row,
        /// The neuron.
        site: Site,
    },
    /// In `F(p)`, a value whose exponent is beyond what the kernel computes with.
    #[error("{row}, {site}: the value has an exponent beyond +-2^22")]
    Exponent {
        /// The row.
        row: Row,
        /// The neuron.
        site: Site,
    },
    /// An output that may be something other than its label, as far as the enclosures tell.
    #[error("{row}, {output}: between {} and {} on every path, the label is {label}", between.0, between.1)]
    Output {
        /// The row.
        row: Row,
        /// The output.
        output: Output,
        /// No path gives less than the one, nor more than the other.
        between: Box<(Value, Value)>,
        /// The label.
        label: Value,
    },
}

/// Why a witness does not refute the claim.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayRejection {
    /// A row, output or neuron that does not exist.
    #[error("there is no {place}")]
    Missing {
        /// What is not there.
        place: Place,
    },
    /// The neurons are not listed in ascending order, each once.
    #[error("{site} is listed out of order")]
    Unordered {
        /// The neuron.
        site: Site,
    },
    /// A neuron's path is none of the model.
    #[error("{site}: {error}")]
    Path {
        /// The neuron.
        site: Site,
        /// What is wrong with it.
        error: PathError,
    },
    /// A neuron's value that its activation does not admit for its sum.
    #[error("{site}: the activation does not make {value} of {sum}")]
    Activation {
        /// The neuron.
        site: Site,
        /// The replayed sum.
        sum: Value,
        /// The witness's value.
        value: Value,
    },
    /// In `F(p)`, a value whose exponent is beyond what the kernel computes with.
    #[error("{site}: the value has an exponent beyond +-2^22")]
    Exponent {
        /// The neuron.
        site: Site,
    },
    /// The path gives another value than the witness says.
    #[error("the path gives {given}, the witness says {said}")]
    Value {
        /// The replayed value.
        given: Value,
        /// The witness's.
        said: Value,
    },
    /// A witness at a row against a claim about points, or the other way round.
    #[error("a witness against this claim is at {needed}")]
    At {
        /// `a row` or `a point`.
        needed: &'static str,
    },
    /// More or fewer inputs than the network takes.
    #[error("inputs of the witness: {given}, of the network: {expected}")]
    Inputs {
        /// Those of the witness.
        given: usize,
        /// Those of the network.
        expected: usize,
    },
    /// An input that is not a finite value of the format, or in `F(p)` has an exponent beyond +-2^22.
    #[error("{input}: {value} is not a finite value that the claim is about")]
    Input {
        /// The input.
        input: Input,
        /// What the witness has for it.
        value: Value,
    },
    /// An input beyond the domain that the claim is about.
    #[error("{input}: {value} is outside the domain")]
    Outside {
        /// The input.
        input: Input,
        /// What the witness has for it.
        value: Value,
    },
    /// The path gives what is claimed: it contradicts nothing.
    #[error("the path gives {given}, with which the claim holds there")]
    Holds {
        /// What the path gives.
        given: Value,
    },
}

fn row_or_none(row: Option<Row>) -> String {
    row.map_or("no row".to_string(), |row| row.to_string())
}
