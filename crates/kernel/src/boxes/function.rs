//! That the boxes of a network are a forest: at every input, the labels of the boxes that are 1 and the biases sum up to
//! the leaves and the base.
//!
//! Tree by tree, the regions of the separator and those of the forest are laid over each other; where a box region meets
//! a leaf, the leaf less the labels must be one and the same number in the whole tree. These numbers and the base must
//! be the biases.
//!
//! The work is in proportion to the places where a region meets a leaf. Trees that cut alike have as many as leaves; trees
//! that cut different inputs may have as many as the product of their leaves, and it takes that long to say so.

use roundproof_exact::Rational;
use roundproof_network::{Forest, Output, Preorder, Tree, TreeNode};

use super::Piecewise;
use crate::cut::{Event, Walk};
use crate::{BoxRejection, Node, key, stored};

/// Checks that the boxes are `forest`.
pub(super) fn check(
    pieces: &Piecewise,
    forest: &Forest,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), BoxRejection> {
    let (trees, roots, bias) = (forest.trees(), pieces.regions.roots(), &pieces.labels.bias);
    if roots.len() != trees.len() {
        return Err(BoxRejection::Trees { separator: roots.len(), forest: trees.len() });
    }
    let mut total: Vec<Rational> = forest.base().iter().map(|base| stored(forest.format(), base)).collect();
    for (index, (tree, &root)) in trees.iter().zip(roots).enumerate() {
        progress(index, trees.len());
        let overlay = Overlay { pieces, forest, tree, index, preorder: tree.preorder() };
        for (total, offset) in total.iter_mut().zip(overlay.offset(root)?) {
            *total += offset;
        }
    }
    match bias.iter().zip(total).enumerate().find(|(_, (bias, total))| *bias != total) {
        Some((output, (bias, needed))) => {
            Err(BoxRejection::Offset { output: Output(output), bias: bias.clone(), needed })
        }
        None => Ok(()),
    }
}

/// A tree of the separator over one of the forest.
struct Overlay<'a> {
    pieces: &'a Piecewise<'a>,
    forest: &'a Forest,
    tree: &'a Tree,
    index: usize,
    preorder: Preorder,
}

impl Overlay<'_> {
    /// What the leaves have more than the labels, one number for each output.
    fn offset(&self, root: usize) -> Result<Vec<Rational>, BoxRejection> {
        let (regions, format) = (&self.pieces.regions, self.forest.format());
        let mut offset: Option<Vec<Rational>> = None;
        let mut sums = vec![Rational::new(); self.forest.outputs()];
        // Nodes of the separator and of the tree.
        let mut walk = Walk::new((root, 0));
        while let Some(event) = walk.next() {
            let (node, other) = match event {
                Event::Visit((node, other)) => (node, self.descend(&walk, other)),
                Event::Leave(neuron) => {
                    self.terms(neuron).for_each(|(output, label)| sums[output] -= label);
                    continue;
                }
            };
            let (column, threshold, sides) = match (regions.node(node), self.tree.nodes[other]) {
                (Node::Nested(neuron), TreeNode::Split { column: _, threshold: _ } | TreeNode::Leaf) => {
                    self.terms(neuron).for_each(|(output, label)| sums[output] += label);
                    walk.enter(neuron, (node + 1, other));
                    continue;
                }
                (Node::Split { column, threshold }, TreeNode::Split { column: _, threshold: _ } | TreeNode::Leaf) => {
                    (column, threshold, regions.sides(node).map(|node| (node, other)))
                }
                (Node::Box(_) | Node::Empty, TreeNode::Split { column, threshold }) => {
                    (column, threshold, self.preorder.sides(other).map(|other| (node, other)))
                }
                (leaf @ (Node::Box(_) | Node::Empty), TreeNode::Leaf) => {
                    let number = self.preorder.link(other);
                    let found = self.difference(leaf, number, &sums);
                    match &offset {
                        None => offset = Some(found),
                        Some(offset) => {
                            if let Some(output) = offset.iter().zip(&found).position(|(offset, found)| offset != found)
                            {
                                let output = Output(output);
                                return Err(BoxRejection::Leaf { tree: self.index, leaf: number, output });
                            }
                        }
                    }
                    continue;
                }
            };
            // Both sides of a cut, or the one that the region is on.
            let ([below, above], threshold) = (sides, key(format, threshold));
            match walk.bounds.side(format, column, threshold) {
                Some(true) => walk.visit(above),
                Some(false) => walk.visit(below),
                None => walk.split(column, threshold, [below, above]),
            }
        }
        Ok(offset.unwrap_or(sums))
    }

    /// The first node of the tree, from `node` on, that does not have the whole region on one side.
    fn descend<T>(&self, walk: &Walk<T>, mut node: usize) -> usize {
        let format = self.forest.format();
        loop {
            let side = match self.tree.nodes[node] {
                TreeNode::Split { column, threshold } => walk.bounds.side(format, column, key(format, threshold)),
                TreeNode::Leaf => None,
            };
            match side {
                Some(above) => node = self.preorder.sides(node)[usize::from(above)],
                None => return node,
            }
        }
    }

    fn terms(&self, neuron: u32) -> impl Iterator<Item = (usize, &Rational)> {
        self.pieces.labels.terms(neuron as usize)
    }

    /// What a leaf of the tree has more than the labels of the boxes at a leaf of the separator.
    fn difference(&self, at: Node, leaf: usize, sums: &[Rational]) -> Vec<Rational> {
        let values = (leaf * sums.len()..).map(|index| stored(self.forest.format(), self.tree.values.get(index)));
        let mut found: Vec<Rational> = sums.iter().zip(values).map(|(sum, value)| value - sum).collect();
        match at {
            Node::Box(neuron) => self.terms(neuron).for_each(|(output, label)| found[output] -= label),
            Node::Nested(_) | Node::Empty | Node::Split { column: _, threshold: _ } => {}
        }
        found
    }
}
