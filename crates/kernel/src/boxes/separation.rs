//! That the boxes of a box network are apart, and in which of them a row may be.

use roundproof_format::Encoding;
use roundproof_network::Dataset;

use super::gadget::Gadget;
use super::key;
use crate::{BoxRejection, Node, Separator};

/// A separator whose every region holds the box that it names and no other.
pub(super) struct Regions<'a> {
    gadget: &'a Gadget<'a>,
    nodes: &'a [Node],
    /// Where the upper side of each split begins.
    upper: Vec<usize>,
}

/// A cut above a region, and the side of it on which the region lies.
struct Cut {
    column: u32,
    threshold: Encoding,
    above: bool,
    node: usize,
}

impl<'a> Regions<'a> {
    pub fn check(gadget: &'a Gadget<'a>, separator: &'a Separator) -> Result<Regions<'a>, BoxRejection> {
        let nodes = separator.nodes.as_slice();
        let wrong = |node, what| Err(BoxRejection::Separator { node, what });
        let mut upper = vec![0; nodes.len()];
        let mut times = vec![0usize; gadget.boxes()];
        let mut cuts: Vec<Cut> = Vec::new();
        let mut complete = false;
        for (index, node) in nodes.iter().enumerate() {
            if complete {
                return wrong(index, "stands after the end of the tree");
            }
            match *node {
                Node::Split { column, threshold } => {
                    if column as usize >= gadget.input_dimension() {
                        return wrong(index, "cuts an input that is not there");
                    }
                    if !gadget.format().is_finite(threshold) {
                        return wrong(index, "cuts at no finite value of the format");
                    }
                    cuts.push(Cut { column, threshold, above: false, node: index });
                    continue;
                }
                Node::Box(neuron) => {
                    let neuron = neuron as usize;
                    let Some(count) = times.get_mut(neuron) else {
                        return wrong(index, "names a box that is not there");
                    };
                    *count += 1;
                    check_region(gadget, neuron, &cuts)?;
                }
                Node::Nested(_) => return wrong(index, "nests boxes"),
                Node::Empty => {}
            }
            // A region is complete: go on above the innermost cut of which only the lower side was seen.
            while cuts.last().is_some_and(|cut| cut.above) {
                cuts.pop();
            }
            match cuts.last_mut() {
                Some(cut) => {
                    cut.above = true;
                    upper[cut.node] = index + 1;
                }
                None => complete = true,
            }
        }
        if !complete {
            return wrong(nodes.len(), "is missing: the tree is incomplete");
        }
        match times.iter().position(|&count| count != 1) {
            Some(neuron) => Err(BoxRejection::BoxRegions { neuron, times: times[neuron] }),
            None => Ok(Regions { gadget, nodes, upper }),
        }
    }

    /// The only box that a row may be in.
    pub fn locate(&self, data: &Dataset, row: usize) -> Option<usize> {
        let format = self.gadget.format();
        let mut node = 0;
        loop {
            match self.nodes[node] {
                Node::Split { column, threshold } => {
                    let below = key(format, data.input(row, column as usize)) <= key(format, threshold);
                    node = if below { node + 1 } else { self.upper[node] };
                }
                Node::Box(neuron) => return Some(neuron as usize),
                Node::Nested(_) | Node::Empty => return None,
            }
        }
    }
}

/// Whether the sides of a box exclude every point beyond every cut above its region.
fn check_region(gadget: &Gadget, neuron: usize, cuts: &[Cut]) -> Result<(), BoxRejection> {
    let mut reach: Vec<(u32, bool, i128)> =
        gadget.sides(neuron).filter_map(|(column, side)| Some((column, side.upper, side.fires_up_to?))).collect();
    reach.sort_unstable();
    for cut in cuts {
        let threshold = key(gadget.format(), cut.threshold);
        // Points above the cut have keys from threshold + 1; an upper side sees them mirrored, up to -threshold - 1.
        let needed = if cut.above { threshold } else { -threshold - 1 };
        let upper = !cut.above;
        let last = reach.partition_point(|&(column, is_upper, _)| (column, is_upper) <= (cut.column, upper));
        let kept = last
            .checked_sub(1)
            .map(|index| reach[index])
            .is_some_and(|(column, is_upper, most)| (column, is_upper) == (cut.column, upper) && most >= needed);
        if !kept {
            let side = if cut.above { "above" } else { "below" };
            return Err(BoxRejection::Overlap { neuron, column: cut.column, side, threshold: cut.threshold });
        }
    }
    Ok(())
}
