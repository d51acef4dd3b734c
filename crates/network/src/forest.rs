//! Decision trees, and forests whose trees are added up.

use roundproof_format::{Encoding, Format};
use thiserror::Error;

use crate::{Encodings, Parts, Preorder, Turn, is_admitted};

/// A function from `d` inputs to `k` outputs: a base, and trees whose leaves are added to it.
///
/// Its value at an input is the sum in the reals, `base + sum of one leaf of each tree`; nothing is rounded. A single
/// decision tree is a forest of one with a base of zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forest {
    format: Format,
    dimension: usize,
    base: Encodings,
    trees: Vec<Tree>,
}

/// A binary decision tree whose nodes stand in preorder: a split is followed by its whole lower side, then by its whole
/// upper side. So its leaves are disjoint and cover every input, whatever the splits are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The nodes, in preorder.
    pub nodes: Vec<TreeNode>,
    /// The values of the leaves, `k` for each, in the order of the leaves in `nodes`.
    pub values: Encodings,
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeNode {
    /// Inputs with `x[column] <= threshold` go to the lower side.
    Split {
        /// The input that is compared, from 0.
        column: u32,
        /// What it is compared with: a finite value of the format.
        threshold: Encoding,
    },
    /// The end of a path. Its values are the next `k` of [`Tree::values`].
    Leaf,
}

/// What makes trees no forest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ForestError {
    /// No input, no output, or no tree; or more inputs than columns can be numbered.
    #[error(
        "a forest needs an input (and fewer than 2^32), an output and a tree; here are {dimension}, {outputs} and {trees}"
    )]
    Shape {
        /// Inputs.
        dimension: usize,
        /// Outputs.
        outputs: usize,
        /// Trees.
        trees: usize,
    },
    /// Nodes that are not a tree in preorder.
    #[error("tree {tree}, node {node}: {what}")]
    Node {
        /// The tree, from 0.
        tree: usize,
        /// The node, from 0.
        node: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// More or fewer values than the leaves have.
    #[error("tree {tree}: {leaves} leaves of {outputs} outputs do not go with {values} values")]
    Values {
        /// The tree, from 0.
        tree: usize,
        /// Its leaves.
        leaves: usize,
        /// Outputs of the forest.
        outputs: usize,
        /// Values that are there.
        values: usize,
    },
    /// A threshold, leaf or base that is not a finite value of the format.
    #[error("{place}: {bits:#x} is not a finite value of {format} that a forest may hold")]
    Value {
        /// Where it stands.
        place: String,
        /// Its bits.
        bits: u128,
        /// The forest's format.
        format: Format,
    },
    /// Values are stored in another width than the format's.
    #[error("values of {format} are stored in {width} bits")]
    Width {
        /// The forest's format.
        format: Format,
        /// Its storage width.
        width: u32,
    },
}

impl Forest {
    /// A forest over `dimension` inputs with as many outputs as `base` has entries.
    ///
    /// # Errors
    ///
    /// If something is missing, nodes are not a tree in preorder, or a number is not finite (or, in `F(p)`, has an exponent
    /// beyond +-2^20).
    pub fn new(format: Format, dimension: usize, base: Encodings, trees: Vec<Tree>) -> Result<Forest, ForestError> {
        if dimension == 0 || dimension > u32::MAX as usize || base.is_empty() || trees.is_empty() {
            return Err(ForestError::Shape { dimension, outputs: base.len(), trees: trees.len() });
        }
        if !base.fits(format) || trees.iter().any(|tree| !tree.values.fits(format)) {
            return Err(ForestError::Width { format, width: format.storage_width() });
        }
        let refused = |place: String, value: Encoding| ForestError::Value { place, bits: value.bits(), format };
        if let Some((output, value)) = base.iter().enumerate().find(|&(_, value)| !is_admitted(format, value)) {
            return Err(refused(format!("base, output {output}"), value));
        }
        for (index, tree) in trees.iter().enumerate() {
            tree.check(format, dimension, base.len(), index)?;
            if let Some((place, value)) = tree.values.iter().enumerate().find(|&(_, value)| !is_admitted(format, value))
            {
                let (leaf, output) = (place / base.len(), place % base.len());
                return Err(refused(format!("tree {index}, leaf {leaf}, output {output}"), value));
            }
        }
        Ok(Forest { format, dimension, base, trees })
    }

    /// The format of every number in it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// `d`: how many inputs it takes.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// `k`: how many outputs it gives.
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// What is added to the leaves, one for each output.
    pub fn base(&self) -> &Encodings {
        &self.base
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Leaves of all trees together.
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(Tree::leaves).sum()
    }
}

impl Tree {
    /// How many leaves there are.
    pub fn leaves(&self) -> usize {
        // A binary tree has one leaf more than it has splits.
        self.nodes.len().div_ceil(2)
    }

    /// The links between the nodes: of a split, to its upper side; of a leaf, its number. The nodes of a tree of a [`Forest`] are
    /// one tree.
    pub fn preorder(&self) -> Preorder {
        Preorder::of(self.nodes.iter().map(|node| match node {
            TreeNode::Split { column: _, threshold: _ } => Parts::Two,
            TreeNode::Leaf => Parts::None,
        }))
    }

    /// The leaf, by its number, that an input reaches: above the cuts of which `above` says so, below the others.
    pub fn leaf(&self, preorder: &Preorder, above: impl Fn(u32, Encoding) -> bool) -> usize {
        let turn = |node: usize| match self.nodes[node] {
            TreeNode::Leaf => Turn::End,
            TreeNode::Split { column, threshold } if above(column, threshold) => Turn::Second,
            TreeNode::Split { column: _, threshold: _ } => Turn::First,
        };
        preorder.link(preorder.path(0, turn).last().unwrap_or(0))
    }

    fn check(&self, format: Format, dimension: usize, outputs: usize, tree: usize) -> Result<(), ForestError> {
        let wrong = |node, what| Err(ForestError::Node { tree, node, what });
        if self.nodes.len() > u32::MAX as usize {
            return wrong(self.nodes.len(), "is more than a tree may have");
        }
        for (index, node) in self.nodes.iter().enumerate() {
            match *node {
                TreeNode::Split { column, threshold: _ } if column as usize >= dimension => {
                    return wrong(index, "compares an input that is not there");
                }
                TreeNode::Split { column: _, threshold } if !is_admitted(format, threshold) => {
                    return wrong(index, "compares with no finite value of the format that a forest may hold");
                }
                TreeNode::Split { column: _, threshold: _ } | TreeNode::Leaf => {}
            }
        }
        let preorder = self.preorder();
        if let Some(&index) = preorder.roots().get(1) {
            return wrong(index, "stands after the end of the tree");
        }
        if !preorder.is_complete() {
            return wrong(self.nodes.len(), "is missing: the tree is incomplete");
        }
        if self.leaves().checked_mul(outputs) != Some(self.values.len()) {
            return Err(ForestError::Values { tree, leaves: self.leaves(), outputs, values: self.values.len() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: Format = Format::FLOAT8_E5M2;
    const SPLIT: TreeNode = TreeNode::Split { column: 0, threshold: Encoding::from_bits(0x3c) };

    fn forest(nodes: Vec<TreeNode>, values: &[u128]) -> Result<Forest, ForestError> {
        let values = Encodings::collect(F, values.iter().map(|&bits| Encoding::from_bits(bits)));
        Forest::new(F, 1, Encodings::collect(F, [F.zero()]), vec![Tree { nodes, values }])
    }

    #[test]
    fn a_tree_knows_its_sides_and_leaves() {
        use TreeNode::Leaf;
        let forest = forest(vec![SPLIT, SPLIT, Leaf, Leaf, SPLIT, Leaf, Leaf], &[1, 2, 3, 4]).expect("a forest");
        assert_eq!((forest.leaves(), forest.outputs(), forest.dimension()), (4, 1, 1));
        let links = forest.trees()[0].preorder();
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|node| links.link(node)), [4, 3, 0, 1, 6, 2, 3]);
        assert_eq!(Tree { nodes: vec![Leaf], values: Encodings::new(F) }.preorder().link(0), 0);
    }

    #[test]
    fn each_broken_invariant_is_named() {
        use TreeNode::Leaf;
        let text = |nodes, values: &[u128]| forest(nodes, values).unwrap_err().to_string();
        assert!(text(vec![], &[]).contains("incomplete"));
        assert!(text(vec![SPLIT, Leaf], &[1]).contains("tree 0, node 2: is missing"));
        assert!(text(vec![Leaf, Leaf], &[1, 2]).contains("node 1: stands after the end"));
        assert!(text(vec![SPLIT, Leaf, Leaf], &[1]).contains("2 leaves of 1 outputs do not go with 1 values"));
        assert!(text(vec![Leaf], &[0x7c]).starts_with("tree 0, leaf 0, output 0: 0x7c"));
        let beside = TreeNode::Split { column: 1, threshold: F.zero() };
        assert!(text(vec![beside, Leaf, Leaf], &[1, 2]).contains("not there"));
        let infinite = TreeNode::Split { column: 0, threshold: Encoding::from_bits(0x7c) };
        assert!(text(vec![infinite, Leaf, Leaf], &[1, 2]).contains("no finite value"));
        let none = Forest::new(F, 1, Encodings::new(F), vec![]).unwrap_err();
        assert!(matches!(none, ForestError::Shape { .. }));
        let wide = Encodings::collect(Format::BINARY32, [F.zero()]);
        assert!(matches!(
            Forest::new(F, 1, wide, vec![Tree { nodes: vec![Leaf], values: Encodings::collect(F, [F.zero()]) }]),
            Err(ForestError::Width { .. })
        ));
    }
}
