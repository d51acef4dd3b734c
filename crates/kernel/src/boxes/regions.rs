//! Where the boxes of a box network are, and which of them an input may be in.

use std::collections::BTreeMap;

use roundproof_format::Format;
use roundproof_network::{BoxNumber, Input, Parts, Preorder, Turn};

use super::indicators::Indicators;
use crate::cut::{Bounds, Event, Place, Walk};
use crate::{BoxRejection, Node, Separator, key};

/// A separator whose every region holds the boxes that it names, and no other.
pub(super) struct Regions<'a> {
    pub format: Format,
    nodes: &'a [Node],
    preorder: Preorder,
    /// Whether at every input at most one box is 1: there is one tree, and no box within another one.
    pub disjoint: bool,
}

impl<'a> Regions<'a> {
    /// Checks that each box is named once and lies within its region; if `filled`, that it is the region.
    pub fn check(boxes: &Indicators, separator: &'a Separator, filled: bool) -> Result<Regions<'a>, BoxRejection> {
        let (nodes, format) = (separator.nodes.as_slice(), boxes.units.format);
        let wrong = |node, what| Err(BoxRejection::Separator { node, what });
        let mut times = vec![0usize; boxes.count()];
        for (index, node) in nodes.iter().enumerate() {
            match *node {
                Node::Split { column, threshold: _ } if column as usize >= boxes.units.inputs => {
                    return wrong(index, "cuts an input that is not there");
                }
                Node::Split { column: _, threshold } if !format.is_finite(threshold) => {
                    return wrong(index, "cuts at no finite value of the format");
                }
                Node::Nested(neuron) | Node::Box(neuron) => match times.get_mut(neuron as usize) {
                    Some(count) => *count += 1,
                    None => return wrong(index, "names a box that is not there"),
                },
                Node::Split { column: _, threshold: _ } | Node::Empty => {}
            }
        }
        let preorder = Preorder::of(nodes.iter().map(|node| match node {
            Node::Split { column: _, threshold: _ } => Parts::Two,
            Node::Nested(_) => Parts::One,
            Node::Box(_) | Node::Empty => Parts::None,
        }));
        if !preorder.is_complete() || preorder.len() != nodes.len() {
            return wrong(nodes.len(), "is missing: the tree is incomplete");
        }
        if let Some(neuron) = times.iter().position(|&count| count != 1) {
            return Err(BoxRejection::BoxRegions { neuron: BoxNumber(neuron), times: times[neuron] });
        }
        let nested = nodes.iter().any(|node| match node {
            Node::Nested(_) => true,
            Node::Split { column: _, threshold: _ } | Node::Box(_) | Node::Empty => false,
        });
        let disjoint = preorder.roots().len() == 1 && !nested;
        let regions = Regions { format, nodes, preorder, disjoint };
        for &root in regions.roots() {
            regions.walk(root, &mut |bounds, neuron, entered| {
                if entered { check_region(boxes, neuron, bounds, filled) } else { Ok(()) }
            })?;
        }
        Ok(regions)
    }

    /// Goes through a tree: `visit(bounds, box, true)` where the region of a box begins, `visit(bounds, box, false)` where it ends.
    pub fn walk<E>(&self, root: usize, visit: &mut dyn FnMut(&Bounds, usize, bool) -> Result<(), E>) -> Result<(), E> {
        let mut walk = Walk::new(root);
        while let Some(event) = walk.next() {
            match event {
                Event::Leave(neuron) => visit(&walk.bounds, neuron as usize, false)?,
                Event::Visit(node) => match self.nodes[node] {
                    Node::Split { column, threshold } => {
                        walk.split(column, key(self.format, threshold), self.sides(node));
                    }
                    Node::Nested(neuron) => {
                        visit(&walk.bounds, neuron as usize, true)?;
                        walk.enter(neuron, node + 1);
                    }
                    Node::Box(neuron) => {
                        visit(&walk.bounds, neuron as usize, true)?;
                        visit(&walk.bounds, neuron as usize, false)?;
                    }
                    Node::Empty => {}
                },
            }
        }
        Ok(())
    }

    pub fn node(&self, node: usize) -> Node {
        self.nodes[node]
    }

    /// Where the lower and the upper side of a split begin.
    pub fn sides(&self, split: usize) -> [usize; 2] {
        self.preorder.sides(split)
    }

    /// Where each tree begins.
    pub fn roots(&self) -> &[usize] {
        self.preorder.roots()
    }

    /// The boxes that an input may be in, whose keys are these, in the order of the trees, outer ones first.
    pub fn locate(&self, input: impl Fn(u32) -> i128 + Copy) -> impl Iterator<Item = usize> {
        let turn = move |node: usize| match self.nodes[node] {
            Node::Split { column, threshold } if input(column) > key(self.format, threshold) => Turn::Second,
            Node::Split { column: _, threshold: _ } | Node::Nested(_) => Turn::First,
            Node::Box(_) | Node::Empty => Turn::End,
        };
        let nodes = self.roots().iter().flat_map(move |&root| self.preorder.path(root, turn));
        nodes.filter_map(|node| match self.nodes[node] {
            Node::Nested(neuron) | Node::Box(neuron) => Some(neuron as usize),
            Node::Split { column: _, threshold: _ } | Node::Empty => None,
        })
    }
}

/// Whether the sides of a box exclude every point beyond every cut above its region; if `filled`, whether they exclude
/// no other point.
fn check_region(boxes: &Indicators, neuron: usize, bounds: &Bounds, filled: bool) -> Result<(), BoxRejection> {
    // Where the strongest side of each kind stops firing; sides that nothing asks for are left out.
    let mut sides: BTreeMap<Place, i128> = BTreeMap::new();
    for side in boxes.sides(neuron) {
        let place = (side.column, side.upper);
        if let Some(most) = side.fires_up_to.filter(|_| filled || bounds.tightest.contains_key(&place)) {
            let strongest = sides.entry(place).or_insert(most);
            *strongest = most.max(*strongest);
        }
    }
    let neuron = BoxNumber(neuron);
    for (place @ &(column, upper), &bound) in &bounds.tightest {
        if sides.get(place).is_none_or(|&most| most < bound) {
            let side = if upper { "below" } else { "above" };
            return Err(BoxRejection::Overlap { neuron, column: Input(column as usize), side });
        }
    }
    if filled {
        for (place @ &(column, upper), &most) in &sides {
            if bounds.tightest.get(place).is_none_or(|&bound| bound < most) {
                let side = if upper { "above" } else { "below" };
                return Err(BoxRejection::Unfilled { neuron, column: Input(column as usize), side });
            }
        }
    }
    Ok(())
}
