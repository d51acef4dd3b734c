//! Where the boxes of a box network are, and which of them an input may be in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use roundproof_format::{Encoding, Format};
use roundproof_network::Dataset;

use super::gadget::Gadget;
use super::key;
use crate::{BoxRejection, Node, Separator};

/// A separator whose every region holds the boxes that it names, and no other.
pub(super) struct Regions<'a> {
    nodes: &'a [Node],
    format: Format,
    /// Where the upper side of each split begins.
    upper: Vec<usize>,
    /// Where each tree begins.
    roots: Vec<usize>,
    /// Whether a box may lie within another one.
    nested: bool,
}

/// What the cuts above a node leave of an input: `(column, true)` bounds it from above, `(column, false)` from below.
///
/// Bounds are keys beyond which nothing lies, mirrored for upper ones, as for a side that excludes the same: all `x'`
/// of the region have keys above the bound.
#[derive(Default)]
pub(super) struct Bounds {
    tightest: BTreeMap<(u32, bool), i128>,
    undo: Vec<((u32, bool), Option<i128>)>,
}

impl Bounds {
    /// One side of a cut: the points with `x[column] <= threshold`, or those above. To be undone once.
    pub fn cut(&mut self, column: u32, threshold: i128, above: bool) {
        // Below a cut, x <= threshold is -x >= -threshold.
        let bound = if above { threshold } else { -threshold - 1 };
        let place = (column, !above);
        match self.tightest.entry(place) {
            Entry::Occupied(mut entry) => {
                self.undo.push((place, Some(*entry.get())));
                entry.insert(bound.max(*entry.get()));
            }
            Entry::Vacant(entry) => {
                self.undo.push((place, None));
                entry.insert(bound);
            }
        }
    }

    /// Takes back the last cut.
    pub fn undo(&mut self) {
        match self.undo.pop() {
            Some((place, Some(bound))) => drop(self.tightest.insert(place, bound)),
            Some((place, None)) => drop(self.tightest.remove(&place)),
            None => {}
        }
    }

    /// On which side of a cut the whole region lies, if on one; true is above.
    pub fn side(&self, format: Format, column: u32, threshold: i128) -> Option<bool> {
        let end = format.largest(false).map(|largest| key(format, largest));
        if self.tightest.get(&(column, false)).is_some_and(|&bound| bound >= threshold) {
            Some(true)
        } else if self.tightest.get(&(column, true)).is_some_and(|&bound| bound >= -threshold - 1)
            || end.is_some_and(|end| threshold >= end)
        {
            Some(false)
        } else {
            None
        }
    }
}

/// A node of which not all is known to be seen.
enum Open {
    Split { node: usize, column: u32, threshold: Encoding, above: bool },
    Nested,
}

impl<'a> Regions<'a> {
    /// Checks that each box is named once and lies within its region; if `filled`, that it is the region.
    pub fn check(gadget: &Gadget, separator: &'a Separator, filled: bool) -> Result<Regions<'a>, BoxRejection> {
        let nodes = separator.nodes.as_slice();
        let wrong = |node, what| Err(BoxRejection::Separator { node, what });
        let format = gadget.format();
        let mut regions = Regions { nodes, format, upper: vec![0; nodes.len()], roots: Vec::new(), nested: false };
        let mut times = vec![0usize; gadget.boxes()];
        let mut bounds = Bounds::default();
        let mut open: Vec<Open> = Vec::new();
        let mut complete = true;
        for (index, node) in nodes.iter().enumerate() {
            if complete {
                regions.roots.push(index);
                complete = false;
            }
            match *node {
                Node::Split { column, threshold } => {
                    if column as usize >= gadget.input_dimension() {
                        return wrong(index, "cuts an input that is not there");
                    }
                    if !format.is_finite(threshold) {
                        return wrong(index, "cuts at no finite value of the format");
                    }
                    bounds.cut(column, key(format, threshold), false);
                    open.push(Open::Split { node: index, column, threshold, above: false });
                    continue;
                }
                Node::Nested(neuron) | Node::Box(neuron) => {
                    let neuron = neuron as usize;
                    let Some(count) = times.get_mut(neuron) else {
                        return wrong(index, "names a box that is not there");
                    };
                    *count += 1;
                    check_region(gadget, neuron, &bounds, filled)?;
                    if let Node::Nested(_) = node {
                        regions.nested = true;
                        open.push(Open::Nested);
                        continue;
                    }
                }
                Node::Empty => {}
            }
            complete = regions.close(index, &mut open, &mut bounds);
        }
        if !complete || nodes.is_empty() {
            return wrong(nodes.len(), "is missing: the tree is incomplete");
        }
        match times.iter().position(|&count| count != 1) {
            Some(neuron) => Err(BoxRejection::BoxRegions { neuron, times: times[neuron] }),
            None => Ok(regions),
        }
    }

    /// After the leaf at `index`: goes on above the innermost cut of which only the lower side was seen. Gives whether
    /// there is none, so that the tree is complete.
    fn close(&mut self, index: usize, open: &mut Vec<Open>, bounds: &mut Bounds) -> bool {
        while let Some(top) = open.last_mut() {
            if let Open::Split { node, column, threshold, above } = top {
                bounds.undo();
                if !*above {
                    *above = true;
                    self.upper[*node] = index + 1;
                    bounds.cut(*column, key(self.format, *threshold), true);
                    return false;
                }
            }
            open.pop();
        }
        true
    }

    pub fn nodes(&self) -> &'a [Node] {
        self.nodes
    }

    /// Where each tree begins.
    pub fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// Where the upper side of a split begins.
    pub fn upper(&self, split: usize) -> usize {
        self.upper[split]
    }

    /// Whether at every input at most one box is 1.
    pub fn are_disjoint(&self) -> bool {
        self.roots.len() == 1 && !self.nested
    }

    /// The boxes that a row may be in, in the order of the trees, outer ones first.
    pub fn locate(&self, data: &Dataset, row: usize, visit: &mut dyn FnMut(usize)) {
        for &root in &self.roots {
            let mut node = root;
            loop {
                match self.nodes[node] {
                    Node::Split { column, threshold } => {
                        let below = key(self.format, data.input(row, column as usize)) <= key(self.format, threshold);
                        node = if below { node + 1 } else { self.upper[node] };
                    }
                    Node::Nested(neuron) => {
                        visit(neuron as usize);
                        node += 1;
                    }
                    Node::Box(neuron) => {
                        visit(neuron as usize);
                        break;
                    }
                    Node::Empty => break,
                }
            }
        }
    }
}

/// Whether the sides of a box exclude every point beyond every cut above its region; if `filled`, whether they exclude
/// no other point.
fn check_region(gadget: &Gadget, neuron: usize, bounds: &Bounds, filled: bool) -> Result<(), BoxRejection> {
    // Where the strongest side of each kind stops firing; sides that nothing asks for are left out.
    let mut sides: BTreeMap<(u32, bool), i128> = BTreeMap::new();
    for (column, side) in gadget.sides(neuron) {
        let place = (column, side.upper);
        if let Some(most) = side.fires_up_to.filter(|_| filled || bounds.tightest.contains_key(&place)) {
            let strongest = sides.entry(place).or_insert(most);
            *strongest = most.max(*strongest);
        }
    }
    for (place @ &(column, upper), &bound) in &bounds.tightest {
        if sides.get(place).is_none_or(|&most| most < bound) {
            let side = if upper { "below" } else { "above" };
            return Err(BoxRejection::Overlap { neuron, column, side });
        }
    }
    if filled {
        for (place @ &(column, upper), &most) in &sides {
            if bounds.tightest.get(place).is_none_or(|&bound| bound < most) {
                let side = if upper { "above" } else { "below" };
                return Err(BoxRejection::Unfilled { neuron, column, side });
            }
        }
    }
    Ok(())
}
