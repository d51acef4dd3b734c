//! From nodes that point at each other to a tree in preorder.

use std::cell::Cell;

use roundproof_exact::Rational;

use super::number::Limit;
use super::{ModelProblem, NodeProblem};

/// A tree of a model. Its nodes stand in preorder, as those of a [`Tree`](roundproof_network::Tree) do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelTree {
    nodes: Vec<ModelNode>,
    /// The one output that the leaves add to; none if they have a value for each output.
    pub output: Option<usize>,
}

/// A node of a [`ModelTree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelNode {
    /// A choice by one input. What lies below the first cut goes to the lower side, what lies between it and the second
    /// to the upper side, and so on by turns; without a cut, everything goes to the lower side.
    Split {
        /// The input that is compared, from 0.
        column: u32,
        /// Where the sides meet, in ascending order.
        cuts: Vec<Cut>,
    },
    /// The end of a path.
    Leaf {
        /// The tool's own number of it: of the node (XGBoost, scikit-learn) or of the leaf (LightGBM).
        number: u32,
        /// Its value, or a value for each output; see [`ModelTree::output`].
        values: Vec<Rational>,
    },
}

/// A place in the reals that numbers lie below or above.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// Where it is.
    pub at: Rational,
    /// Whether `at` itself lies below it, as for `x <= at`; else it lies above, as for `x < at`.
    pub closed: bool,
}

impl Cut {
    /// The cut of `x < at`.
    pub fn before(at: impl Into<Rational>) -> Cut {
        Cut { at: at.into(), closed: false }
    }

    /// The cut of `x <= at`.
    pub fn after(at: impl Into<Rational>) -> Cut {
        Cut { at: at.into(), closed: true }
    }

    /// Whether `x` lies below it.
    pub fn is_above(&self, x: &Rational) -> bool {
        if self.closed { *x <= self.at } else { *x < self.at }
    }
}

/// How many categories the splits of a model may still name: each takes more room in memory than in the file.
pub(super) struct Room(Cell<u64>);

/// The most categories that the splits of a model name, all together.
const MOST_CATEGORIES: u64 = 1 << 22;

impl Default for Room {
    fn default() -> Room {
        Room(Cell::new(MOST_CATEGORIES))
    }
}

impl Room {
    /// Takes room for so many categories of a split of `tree`.
    pub(super) fn take(&self, categories: u64, tree: usize) -> Result<(), ModelProblem> {
        let left = self.0.get().checked_sub(categories).ok_or_else(|| ModelProblem::Unsupported {
            place: format!("tree {tree}"),
            what: format!("a model whose splits name more than {MOST_CATEGORIES} categories"),
            remedy: "train with fewer categories or trees",
        })?;
        self.0.set(left);
        Ok(())
    }
}

/// A node as a file has it.
#[derive(Debug)]
pub(super) enum FileNode {
    /// A split with the indices of its lower and its upper side; see [`ModelNode::Split`].
    Split {
        column: u32,
        cuts: Vec<Cut>,
        lower: usize,
        upper: usize,
    },
    Leaf {
        number: u32,
        values: Vec<Rational>,
    },
    /// Taken out by pruning: no path may lead to it.
    Deleted,
}

impl ModelTree {
    /// The tree whose root is the first of `nodes`, if every other node is the child of exactly one node above it.
    ///
    /// `name` spells the node of an index in errors.
    pub(super) fn build(
        tree: usize,
        mut nodes: Vec<FileNode>,
        output: Option<usize>,
        name: impl Fn(usize) -> String,
    ) -> Result<ModelTree, ModelProblem> {
        let wrong = |node: usize, problem| ModelProblem::Node { tree, node: name(node), problem };
        // Of each node that was met, the one above it; the root is above itself.
        let mut above: Vec<Option<usize>> = vec![None; nodes.len()];
        let mut ordered = Vec::with_capacity(nodes.len());
        // Nodes still to come, with those above them: the nearest last.
        let mut open = vec![(0, 0)];
        while let Some((index, parent)) = open.pop() {
            let no_child = || wrong(parent, NodeProblem::NoSuchChild { child: index.to_string() });
            let node = nodes.get_mut(index).ok_or_else(no_child)?;
            if above[index].is_some() {
                let cycle = is_at_or_above(&above, index, parent);
                return Err(wrong(index, if cycle { NodeProblem::Cycle } else { NodeProblem::Shared }));
            }
            above[index] = Some(parent);
            ordered.push(match std::mem::replace(node, FileNode::Deleted) {
                FileNode::Split { column, cuts, lower, upper } => {
                    open.extend([(upper, index), (lower, index)]);
                    ModelNode::Split { column, cuts }
                }
                FileNode::Leaf { number, values } => ModelNode::Leaf { number, values },
                FileNode::Deleted => return Err(wrong(parent, NodeProblem::Deleted { child: name(index) })),
            });
        }
        let lost = nodes.iter().zip(&above).position(|(node, above)| above.is_none() && !node.is_deleted());
        match lost {
            Some(index) => Err(wrong(index, NodeProblem::Unreachable)),
            None => Ok(ModelTree { nodes: ordered, output }),
        }
    }

    /// The nodes, in preorder: a split is followed by its whole lower side, then by its whole upper side.
    pub fn nodes(&self) -> &[ModelNode] {
        &self.nodes
    }

    /// How many leaves there are.
    pub fn leaves(&self) -> usize {
        self.nodes.len().div_ceil(2)
    }

    /// For each node, where what follows it and all below it begins.
    pub(super) fn ends(&self) -> Vec<usize> {
        let mut ends = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            ends[index] = match node {
                ModelNode::Leaf { .. } => index + 1,
                // The lower side begins behind the split, the upper side where the lower one ends.
                ModelNode::Split { .. } => ends[ends[index + 1]],
            };
        }
        ends
    }
}

impl FileNode {
    /// A comparison with one number: what lies below the cut that `cut` makes of it goes to the lower side. Every finite
    /// input lies on one side of an infinity.
    pub(super) fn compare(
        column: u32,
        limit: Limit,
        cut: impl Fn(Rational) -> Cut,
        [lower, upper]: [usize; 2],
    ) -> FileNode {
        match limit {
            Limit::Finite(at) => FileNode::Split { column, cuts: vec![cut(at)], lower, upper },
            Limit::Infinite { negative: false } => FileNode::Split { column, cuts: Vec::new(), lower, upper },
            Limit::Infinite { negative: true } => {
                FileNode::Split { column, cuts: Vec::new(), lower: upper, upper: lower }
            }
        }
    }

    fn is_deleted(&self) -> bool {
        matches!(self, FileNode::Deleted)
    }
}

/// Whether `node` is `below` or above it.
fn is_at_or_above(above: &[Option<usize>], node: usize, below: usize) -> bool {
    let mut place = below;
    loop {
        match above[place] {
            _ if place == node => return true,
            Some(parent) if parent != place => place = parent,
            _ => return false,
        }
    }
}
