//! Which units and boxes there are, and the network that they make.

use std::collections::BTreeMap;

use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Node, Separator};
use roundproof_network::{Activation, Layer, Network};
use roundproof_softfloat::{encode, from_order_key, negate};

use super::form::{Form, LabelBox, fits};
use super::prune::{Descent, Kind, Pruned};
use super::sides::{Cut, Region, Sides, above};
use crate::ConstructError;

/// What a unit of layer 1 tells.
///
/// ReLU: the lower side above a cut, or mirrored the upper side up to it; perhaps in several copies. Step: fires from
/// the cut downwards, or mirrored from the value above it upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    column: u32,
    key: i128,
    mirrored: bool,
}

/// A term of a box: a unit that must be silent, or one that must fire.
#[derive(Clone, Copy)]
struct Term {
    unit: Unit,
    fires: bool,
}

/// A network in outline.
pub(super) struct Plan {
    bias: Vec<Encoding>,
    /// The place in layer 1 of each unit, or of the first of its copies.
    units: BTreeMap<Unit, u32>,
    unit_count: usize,
    /// Terms of all boxes, and where those of each box end.
    terms: Vec<Term>,
    ends: Vec<usize>,
    /// Outputs and weights of each box.
    weights: Vec<Vec<(u32, Encoding)>>,
    separator: Separator,
    parameters: usize,
}

impl Plan {
    /// # Errors
    ///
    /// If a side cannot be built, or there are too many units or boxes for a layer.
    pub fn of(form: Form, trees: &[Pruned], sides: &Sides) -> Result<Plan, ConstructError> {
        let mut plan = Plan {
            bias: form.bias,
            units: BTreeMap::new(),
            unit_count: 0,
            terms: Vec::new(),
            ends: Vec::new(),
            weights: Vec::new(),
            separator: Separator::default(),
            parameters: 0,
        };
        let mut boxes = form.boxes;
        if boxes.iter().all(Vec::is_empty)
            && let Some(first) = boxes.first_mut()
        {
            // A layer needs a neuron: all trees are leaves, and the box of the first is everything.
            first.push(LabelBox { node: 0, weights: Vec::new() });
        }
        for (index, (tree, boxes)) in trees.iter().zip(boxes).enumerate() {
            plan.add_tree(index, tree, boxes, sides)?;
        }
        plan.count(sides)?;
        Ok(plan)
    }

    /// Weights and biases of the network.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    fn add_tree(
        &mut self,
        index: usize,
        tree: &Pruned,
        boxes: Vec<LabelBox>,
        sides: &Sides,
    ) -> Result<(), ConstructError> {
        let mut boxes = boxes.into_iter().peekable();
        let mut descent = Descent::new(tree, sides);
        for (place, node) in tree.nodes.iter().enumerate() {
            descent.enter(place as u32);
            let number = match boxes.next_if(|label_box| label_box.node == place as u32) {
                Some(label_box) => {
                    self.add_box(index, &descent.region, sides)?;
                    self.weights.push(label_box.weights);
                    Some(self.weights.len() as u32 - 1)
                }
                None => None,
            };
            let nodes = &mut self.separator.nodes;
            match node.kind {
                Kind::Leaf { .. } => nodes.push(number.map_or(Node::Empty, Node::Box)),
                Kind::Split { column, cut, .. } => {
                    nodes.extend(number.map(Node::Nested));
                    nodes.push(Node::Split { column, threshold: threshold(sides.format, cut) });
                }
            }
        }
        Ok(())
    }

    /// The terms of a box that is the region.
    fn add_box(&mut self, tree: usize, region: &Region, sides: &Sides) -> Result<(), ConstructError> {
        if self.ends.len() == u32::MAX as usize {
            return Err(ConstructError::TooLarge { units: self.ends.len() + 1 });
        }
        // The counting form adds up as many ones as there are terms.
        let counts = sides.activation == Activation::Step && fits(sides.format, region.terms() as u128, 0);
        for (column, upper, cut) in region.sides() {
            let unit = |mirrored| Unit { column, key: cut.key, mirrored };
            let term = match sides.activation {
                Activation::Relu => {
                    check_relu(tree, (column, upper, cut), sides)?;
                    Term { unit: unit(upper), fires: false }
                }
                _ if upper && counts => Term { unit: unit(false), fires: true },
                _ if upper && above(sides.format, cut.key).is_none() => {
                    return Err(no_neighbour(tree, column, cut, sides.format));
                }
                _ => Term { unit: unit(upper), fires: false },
            };
            self.units.insert(term.unit, 0);
            self.terms.push(term);
        }
        self.ends.push(self.terms.len());
        Ok(())
    }

    /// Gives the units their places.
    fn count(&mut self, sides: &Sides) -> Result<(), ConstructError> {
        let mut units = 0usize;
        for (&unit, place) in &mut self.units {
            *place = units as u32;
            units += copies(unit, sides);
            if units > u32::MAX as usize {
                return Err(ConstructError::TooLarge { units });
            }
        }
        // A layer needs a unit.
        self.unit_count = units.max(1);
        let terms: usize = self.terms.iter().map(|term| copies(term.unit, sides)).sum();
        let weights: usize = self.weights.iter().map(Vec::len).sum();
        self.parameters = 2 * self.unit_count + terms + self.ends.len() + weights + self.bias.len();
        Ok(())
    }

    /// The network, and the separator of its boxes.
    ///
    /// # Errors
    ///
    /// If a number is none that a network may hold.
    pub fn build(self, sides: &Sides, dimension: usize) -> Result<(Network, Separator), ConstructError> {
        let format = sides.format;
        let layers = vec![self.first(sides), self.second(sides), self.last(format)];
        Ok((Network::new(format, dimension, layers)?, self.separator))
    }

    fn first(&self, sides: &Sides) -> Layer {
        let format = sides.format;
        let mut layer = Layer::new(format, sides.activation);
        for &unit in self.units.keys() {
            match sides.activation {
                Activation::Relu => {
                    let side = sides.relu(unit.mirrored, unit.key).expect("checked for the box");
                    for _ in 0..side.copies {
                        layer.push([(unit.column, side.weight)], side.bias);
                    }
                }
                _ if unit.mirrored => {
                    let above = above(format, unit.key).expect("checked for the box");
                    layer.push([(unit.column, format.one(false))], negate(format, above));
                }
                _ => {
                    let threshold = from_order_key(format, unit.key).expect("the key of a threshold");
                    layer.push([(unit.column, format.one(true))], threshold);
                }
            }
        }
        if layer.rows() == 0 {
            // No box listens to this one. It has values on both sides, with a neighbour below.
            layer.push([(0, format.one(true))], if format.is_bounded() { format.zero() } else { format.one(true) });
        }
        layer
    }

    fn second(&self, sides: &Sides) -> Layer {
        let format = sides.format;
        let mut layer = Layer::new(format, sides.activation);
        let mut start = 0;
        for &end in &self.ends {
            let mut row = Vec::with_capacity(end - start);
            let mut firing = 0u128;
            for term in &self.terms[start..end] {
                let place = self.units[&term.unit];
                match sides.activation {
                    Activation::Relu => {
                        let side = sides.relu(term.unit.mirrored, term.unit.key).expect("checked for the box");
                        let weight = negate(format, side.penalty);
                        row.extend((0..side.copies).map(|copy| (place + copy, weight)));
                    }
                    _ => {
                        firing += u128::from(term.fires);
                        row.push((place, format.one(!term.fires)));
                    }
                }
            }
            row.sort_unstable_by_key(|&(place, _)| place);
            let bias = match sides.activation {
                Activation::Relu => format.one(false),
                _ if firing == 0 => format.zero(),
                _ => encode(format, true, firing, 0).expect("the counting form is within the format"),
            };
            layer.push(row, bias);
            start = end;
        }
        layer
    }

    fn last(&self, format: Format) -> Layer {
        let mut rows: Vec<Vec<(u32, Encoding)>> = vec![Vec::new(); self.bias.len()];
        for (number, weights) in self.weights.iter().enumerate() {
            for &(output, weight) in weights {
                rows[output as usize].push((number as u32, weight));
            }
        }
        let mut layer = Layer::new(format, Activation::Identity);
        for (row, &bias) in rows.into_iter().zip(&self.bias) {
            layer.push(row, bias);
        }
        layer
    }
}

fn copies(unit: Unit, sides: &Sides) -> usize {
    sides.relu(unit.mirrored, unit.key).map_or(1, |side| side.copies as usize)
}

fn threshold(format: Format, cut: Cut) -> Encoding {
    from_order_key(format, cut.key).expect("the key of a threshold")
}

fn no_neighbour(tree: usize, column: u32, cut: Cut, format: Format) -> ConstructError {
    ConstructError::NoNeighbour { tree, node: cut.node as usize, column, format }
}

fn check_relu(tree: usize, (column, upper, cut): (u32, bool, Cut), sides: &Sides) -> Result<(), ConstructError> {
    let format = sides.format;
    if sides.relu(upper, cut.key).is_some() {
        return Ok(());
    }
    if above(format, cut.key).is_none() {
        return Err(no_neighbour(tree, column, cut, format));
    }
    Err(ConstructError::NoScaleAtCut {
        tree,
        node: cut.node as usize,
        column,
        threshold: threshold(format, cut),
        side: if upper { "upper" } else { "lower" },
        format,
    })
}
