//! What a network does on its rounding paths: one path, random paths, reachable values, witnesses.
//!
//! # What is claimed, and what not
//!
//! This crate is fast and untrusted: no verdict rests on it. What it finds is handed to the kernel, which replays a
//! witness and propagates reachable values in its own exact arithmetic. All arithmetic here is that of
//! `roundproof-softfloat`: integers, and its slices, which compute on the host's floats where that is provably the same.
//!
//! | question | answer | strength |
//! | --- | --- | --- |
//! | what does this one path give? | [`evaluate`], [`trace`]; in many rows [`evaluate_rows`] | exact |
//! | which path? | a [`Chooser`]: [`Plain`], [`Fixed`], [`FromWitness`], [`Random`] | |
//! | which values do all paths give? | [`reach`] | an enclosure: never too small |
//! | which values does one small sum give, and how? | [`Enumeration`] | exact, exponential |
//! | on which path is a label, or what else is right ([`Targets`]), missed? | [`search`], [`minimise`] | finds, and only sometimes decides |
//!
//! # One neuron on one path
//!
//! A neuron adds the products of its stored weights with their inputs, and its bias. On a path
//! ([`TreePath`](roundproof_network::TreePath)):
//!
//! - a product that is not contracted is rounded once, into the accumulator's format if that is wider;
//! - an addition rounds the exact sum of its operands once, in the accumulator's format; a contracted product goes into
//!   it exactly (fused multiply-add);
//! - out of a wider accumulator the sum is rounded once more, into the format of the values and under its overflow policy;
//! - then comes the activation, in the format of the values. Only the leaky ReLU rounds something: the product of its slope
//!   and a negative sum, once, in a direction of the model.
//!
//! A step may make an element-wise product instead, which is rounded once, in the format of the values, or a maximum, which
//! rounds nothing. Where a step reads values of one format and makes values of another, weights and biases are in the format
//! that is read, and [`PathModel::at`](roundproof_network::PathModel::at) says in which one sums are formed.
//!
//! Under `subnormals=flush` every operation may read a subnormal operand as a zero of its sign, and replace a subnormal
//! result by one. Subnormal means: in the format that the number is in. The operands of a product (weight, then input)
//! are in the format that the step reads, those of an addition in the accumulator's, the operand of the last rounding in the
//! accumulator's and its result in that of the values. Moving a number into a wider accumulator is exact and no operation.
//! A contracted product reads its operands as *its* choice says, the other operand as the addition's `right` flag says;
//! the direction and `result` flag of the product's choice, and the `left` flag of the addition's, are then idle.

mod activation;
mod blocks;
mod choose;
mod enumerate;
mod error;
mod evaluate;
mod machine;
mod random;
mod reach;
mod search;
mod targets;

pub use choose::{Arrangement, Chooser, Fixed, FromWitness, Plain, Site};
pub use enumerate::{Enumeration, Keep};
pub use error::EvaluateError;
pub use evaluate::{Computed, NeuronTrace, Trace, check_witness, evaluate, evaluate_rows, replay, trace};
pub use machine::{Machine, Sum, SumTrace, Term};
pub use random::Random;
pub use reach::{Decision, Reach, reach, reach_from, reach_sum};
pub use search::{Finding, SearchOptions, minimise, search};
pub use targets::{Points, Right, Targets, is_right};

#[cfg(test)]
mod tests;
