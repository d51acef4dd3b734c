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
use roundproof_format::Encoding;
use roundproof_network::{Forest, Tree, TreeNode};

use super::key;
use super::separation::{Bounds, Regions};
use super::sums::{Labels, value};
use crate::{BoxRejection, Node};

pub(super) fn check(
    labels: &Labels,
    regions: &Regions,
    forest: &Forest,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), BoxRejection> {
    let trees = forest.trees();
    if regions.roots().len() != trees.len() {
        return Err(BoxRejection::Trees { separator: regions.roots().len(), forest: trees.len() });
    }
    let mut total: Vec<Rational> = forest.base().iter().map(|base| value(forest.format(), base)).collect();
    for (index, tree) in trees.iter().enumerate() {
        progress(index, trees.len());
        let overlay = Overlay { labels, regions, forest, tree, index, links: tree.links() };
        for (total, offset) in total.iter_mut().zip(overlay.offset(regions.roots()[index])?) {
            *total += offset;
        }
    }
    match labels.bias().iter().zip(&total).position(|(bias, total)| bias != total) {
        Some(output) => {
            Err(BoxRejection::Offset { output, bias: labels.bias()[output].clone(), needed: total[output].clone() })
        }
        None => Ok(()),
    }
}

/// A tree of the separator over one of the forest.
struct Overlay<'a> {
    labels: &'a Labels,
    regions: &'a Regions<'a>,
    forest: &'a Forest,
    tree: &'a Tree,
    index: usize,
    links: Vec<u32>,
}

/// What is still to be done, the next thing last.
enum Step {
    /// Compare the subtrees at these nodes, of the separator and of the tree, within the bounds.
    Visit(usize, usize),
    Cut {
        column: u32,
        threshold: i128,
        above: bool,
    },
    Undo,
    /// The end of the region of a box.
    Leave(usize),
}

impl Overlay<'_> {
    /// What the leaves have more than the labels, one number for each output.
    fn offset(&self, root: usize) -> Result<Vec<Rational>, BoxRejection> {
        let outputs = self.forest.outputs();
        let mut offset: Option<Vec<Rational>> = None;
        let mut sums = vec![Rational::new(); outputs];
        let mut bounds = Bounds::default();
        let mut steps = vec![Step::Visit(root, 0)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Cut { column, threshold, above } => bounds.cut(column, threshold, above),
                Step::Undo => bounds.undo(),
                Step::Leave(neuron) => self.labels.terms(neuron).for_each(|(output, label)| sums[output] -= label),
                Step::Visit(node, other) => {
                    let other = self.descend(&bounds, other);
                    match self.regions.nodes()[node] {
                        Node::Nested(neuron) => {
                            self.enter(neuron, &mut sums);
                            steps.push(Step::Leave(neuron as usize));
                            steps.push(Step::Visit(node + 1, other));
                        }
                        Node::Split { column, threshold } => {
                            let sides = [node + 1, self.regions.upper(node)];
                            self.divide(&bounds, (column, threshold), sides.map(|node| (node, other)), &mut steps);
                        }
                        Node::Box(_) | Node::Empty => match self.tree.nodes[other] {
                            TreeNode::Split { column, threshold } => {
                                let sides = [other + 1, self.links[other] as usize];
                                self.divide(&bounds, (column, threshold), sides.map(|other| (node, other)), &mut steps);
                            }
                            TreeNode::Leaf => {
                                let found = self.difference(node, other, &mut sums);
                                self.compare(found, self.links[other] as usize, &mut offset)?;
                            }
                        },
                    }
                }
            }
        }
        Ok(offset.unwrap_or_else(|| vec![Rational::new(); outputs]))
    }

    /// The first node of the tree, from `node` on, that does not have the whole region on one side.
    fn descend(&self, bounds: &Bounds, mut node: usize) -> usize {
        while let TreeNode::Split { column, threshold } = self.tree.nodes[node] {
            match bounds.side(self.forest.format(), column, key(self.forest.format(), threshold)) {
                Some(true) => node = self.links[node] as usize,
                Some(false) => node += 1,
                None => break,
            }
        }
        node
    }

    /// Both sides of a cut, or the one that the region is on.
    fn divide(
        &self,
        bounds: &Bounds,
        (column, threshold): (u32, Encoding),
        [below, above]: [(usize, usize); 2],
        steps: &mut Vec<Step>,
    ) {
        let format = self.forest.format();
        let threshold = key(format, threshold);
        match bounds.side(format, column, threshold) {
            Some(is_above) => {
                let (node, other) = if is_above { above } else { below };
                steps.push(Step::Visit(node, other));
            }
            None => {
                for ((node, other), above) in [(above, true), (below, false)] {
                    steps.extend([Step::Undo, Step::Visit(node, other), Step::Cut { column, threshold, above }]);
                }
            }
        }
    }

    fn enter(&self, neuron: u32, sums: &mut [Rational]) {
        self.labels.terms(neuron as usize).for_each(|(output, label)| sums[output] += label);
    }

    /// What a leaf of the tree has more than the labels of the boxes at a leaf of the separator.
    fn difference(&self, node: usize, leaf: usize, sums: &mut [Rational]) -> Vec<Rational> {
        let format = self.forest.format();
        let first = self.links[leaf] as usize * sums.len();
        let values = (first..first + sums.len()).map(|index| value(format, self.tree.values.get(index)));
        let mut found: Vec<Rational> = values.zip(&*sums).map(|(value, sum)| value - sum).collect();
        if let Node::Box(neuron) = self.regions.nodes()[node] {
            self.labels.terms(neuron as usize).for_each(|(output, label)| found[output] -= label);
        }
        found
    }

    fn compare(
        &self,
        found: Vec<Rational>,
        leaf: usize,
        offset: &mut Option<Vec<Rational>>,
    ) -> Result<(), BoxRejection> {
        match offset {
            None => *offset = Some(found),
            Some(offset) => {
                if let Some(output) = offset.iter().zip(&found).position(|(offset, found)| offset != found) {
                    return Err(BoxRejection::Leaf { tree: self.index, leaf, output });
                }
            }
        }
        Ok(())
    }
}
