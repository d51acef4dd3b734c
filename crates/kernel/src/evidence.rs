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
    /// Against the claim: a path that gives another value than is claimed, at a row or at a point. See [`crate::replay`].
    Witness(Witness),
}

/// Trees of axis-parallel cuts that say which boxes of a box network an input can be in.
///
/// The nodes stand in preorder: a [`Node::Split`] is followed by its whole lower side (`x[column] <= threshold`), then
/// by its whole upper side; a [`Node::Nested`] is followed by the subtree that its box goes with. Complete trees stand
/// one after another. Each box is named once, and lies within the region of the node that names it: at any input, only
/// the boxes on the paths down the trees can be 1. With one tree and no nested node, all boxes are disjoint.
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
    /// Above a subtree: the box of this neuron of layer 2 (from 0) lies within the subtree's region.
    Nested(u32),
    /// A leaf: the box of this neuron of layer 2 (from 0) lies within the region.
    Box(u32),
    /// A leaf without a box of its own.
    Empty,
}
