//! What is claimed of a network and a function.

use roundproof_exact::Rational;
use roundproof_format::{Encoding, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_kernel::{Claim, Shape};
use roundproof_network::{Forest, Network, PathModel};

/// At every point of the domain, on every path, the one output of a network approximates a function of the reals. It takes a
/// forest of one tree, which is what the network computes at every finite input, and no data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approximates {
    /// The function, where, and how nearly.
    pub approximation: Approximation,
    /// Leaves of the tree.
    pub leaves: usize,
}

/// A function of the reals, where it is approximated, and how nearly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approximation {
    /// The function.
    pub function: Function,
    /// The least and the largest value of each variable, both finite: the domain is all values of the format between, in
    /// `F(p)` infinitely many around 0.
    pub domain: Vec<(Encoding, Encoding)>,
    /// How nearly.
    pub accuracy: Accuracy,
}

/// How nearly a function is approximated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// The output equals, as a value (+0 equals -0), the function rounded once.
    Rounded {
        /// In this direction.
        mode: RoundingMode,
        /// Beyond the largest value, by this policy.
        overflow: Overflow,
    },
    /// The output is at most this far from the function over the reals.
    Within(Rational),
    /// The output is at most this much farther from the function than the value of the format that is nearest to it: in
    /// mathematics, `|N(x) - f(x)| <= |f(x) - v| + e` for every finite value `v`. For 0, the output is such a value, whichever
    /// way ties go, and for every `e > 0` a continuous function on a compact domain has such a network.
    Excess(Rational),
}

impl Approximates {
    /// The claim that `network` computes `forest` under `model`, and so approximates a function.
    pub fn claim(
        network: &Network,
        forest: &Forest,
        model: PathModel,
        approximation: Approximation,
    ) -> Claim<Approximates> {
        let property = Approximates { approximation, leaves: forest.leaves() };
        Claim { format: network.format(), model, property, shape: Shape::of(network, None) }
    }
}
