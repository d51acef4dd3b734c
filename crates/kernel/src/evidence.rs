//! What a prover hands to the kernel. All of it is checked, none of it believed.

use roundproof_format::Encoding;
use roundproof_network::Witness;

/// Evidence for a claim, or against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// For a box network: how its boxes are told apart. See [`crate::boxes`].
    BoxNetwork(Separator),
    /// For any network: nothing but the wish that the kernel propagate the values reachable on any path, row by row.
    /// See [`crate::reach`].
    Paths,
    /// Against the claim: a path that gives another value than the label. See [`crate::replay`].
    Witness(Witness),
}

/// A tree of axis-parallel cuts that puts every box of a box network into a region of its own.
///
/// The nodes stand in preorder: a [`Node::Split`] is followed by its whole lower side (`x[column] <= threshold`), then
/// by its whole upper side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Separator {
    /// The nodes, in preorder.
    pub nodes: Vec<Node>,
}

/// A node of a [`Separator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A cut: points with `x[column] <= threshold` lie on its lower side.
    Split {
        /// The input that is compared.
        column: u32,
        /// What it is compared with: a finite value of the format.
        threshold: Encoding,
    },
    /// The region of one box: the neuron of layer 2 (from 0) that indicates it.
    Box(u32),
    /// A region without a box.
    Empty,
}
