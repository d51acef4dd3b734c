//! Constructions: from data to a network, and the evidence that a judge needs for the claim that it should satisfy.
//!
//! | module | from | network | sound |
//! | --- | --- | --- | --- |
//! | [`point`] | a data set | a box network with one point box per distinct row | on every path |
//! | [`compile`](mod@compile) | a forest of decision trees | a box network with boxes where trees change their values | on every path and input |
//! | [`approximate`](mod@approximate) | a function of the reals | none: a tree, for `compile` | |
//! | [`learn`] | a data set | none: a decision tree, for a construction to start from | |
//! | [`classical`] | a data set, or a network | what is right over the reals, or nearly right | only as far as the corpus shows |
//!
//! [`generate`] makes data up.
//!
//! A construction is not trusted: what it builds is judged by `roundproof-kernel`.

pub mod approximate;
pub mod classical;
pub mod compile;
mod error;
pub mod generate;
pub mod learn;
pub mod point;
mod scale;

pub use error::{Attainable, ConstructError};

use roundproof_exact::Integer;
use roundproof_kernel::Evidence;
use roundproof_network::Network;

/// A network and the evidence for what it was built to do.
#[derive(Clone, Debug)]
pub struct Construction {
    /// The network.
    pub network: Network,
    /// Evidence for the kernel.
    pub evidence: Evidence,
}

/// Parameters of a box network with one point box for each of `n` rows of `d` inputs and `k` labels: `4d + (2d + 1) + k`
/// each, hidden biases counted though zero, and `k` output biases, which are zero, left out. The size that other
/// constructions are compared with; `6dn + 2n` for one label.
///
/// The points of a domain may be more than a machine counts: two values of binary128 are one of nearly 2^256.
pub fn reference_parameters(n: impl Into<Integer>, d: usize, k: usize) -> Integer {
    n.into() * (Integer::from(d) * 6u32 + 1u32 + Integer::from(k))
}

#[cfg(test)]
mod tests;
