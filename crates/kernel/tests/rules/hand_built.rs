//! Random networks of boxes that no compiler wrote, each with a separator and the forest that it computes.

use std::collections::BTreeMap;

use roundproof_exact::{Datum, Rational, encode, power_of_two};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Node, Separator};
use roundproof_network::{Activation, Encodings, Forest, Layer, Network, Tree, TreeNode};

use crate::common::*;

pub fn representable(format: Format, real: &Rational) -> Option<Encoding> {
    if *real == 0 { Some(format.zero()) } else { encode(format, &Datum::Finite(real.clone())) }
}

/// One side of a cut: `x[column] <= values[at]`, or above.
#[derive(Clone, Copy)]
struct Cut {
    column: usize,
    at: usize,
    above: bool,
}

/// A separator, and where its boxes are.
struct Plan {
    nodes: Vec<Node>,
    trees: Vec<Tree>,
    boxes: Vec<Vec<Cut>>,
    labels: Vec<Vec<Rational>>,
    /// The boxes around, outer ones first.
    around: Vec<usize>,
    depth: usize,
}

struct Maker<'a> {
    random: &'a mut Random,
    format: Format,
    all: Vec<Encoding>,
    dimension: usize,
    outputs: usize,
    palette: Vec<Rational>,
}

impl Maker<'_> {
    fn label(&mut self) -> Vec<Rational> {
        (0..self.outputs).map(|_| self.random.pick(&self.palette).clone()).collect()
    }

    fn add_box(&mut self, plan: &mut Plan, cuts: &[Cut]) -> usize {
        plan.boxes.push(cuts.to_vec());
        let label = self.label();
        plan.labels.push(label);
        plan.boxes.len() - 1
    }

    /// A subtree, and the tree of the forest beside it; none if a leaf is not a value. `offset` is in every leaf.
    fn subtree(
        &mut self,
        plan: &mut Plan,
        tree: &mut (Vec<TreeNode>, Vec<Encoding>),
        cuts: &mut Vec<Cut>,
        budget: usize,
        offset: &[Rational],
    ) -> Option<()> {
        match self.random.below(if budget == 0 { 3 } else { 8 }) {
            kind @ (0 | 1) => {
                let mut sum = offset.to_vec();
                let mut inside = plan.around.clone();
                if kind == 0 {
                    let neuron = self.add_box(plan, cuts);
                    inside.push(neuron);
                    plan.nodes.push(Node::Box(neuron as u32));
                } else {
                    plan.nodes.push(Node::Empty);
                }
                for neuron in inside {
                    sum.iter_mut().zip(&plan.labels[neuron]).for_each(|(sum, label)| *sum += label);
                }
                tree.0.push(TreeNode::Leaf);
                for sum in sum {
                    tree.1.push(representable(self.format, &sum)?);
                }
                Some(())
            }
            2 | 3 if plan.around.len() < 3 => {
                let neuron = self.add_box(plan, cuts);
                plan.nodes.push(Node::Nested(neuron as u32));
                plan.around.push(neuron);
                plan.depth = plan.depth.max(plan.around.len());
                let done = self.subtree(plan, tree, cuts, budget.saturating_sub(1), offset);
                plan.around.pop();
                done
            }
            _ => {
                let column = self.random.below(self.dimension);
                // Around zero, where F(p) has no neighbours and sums are small, or anywhere.
                let at = if self.random.one_in(2) {
                    let zero = self.all.iter().position(|&value| self.format.is_zero(value)).expect("a value");
                    (zero + 1 - self.random.below(3)).min(self.all.len() - 1)
                } else {
                    self.random.below(self.all.len())
                };
                let threshold = self.all[at];
                let before = cuts.len();
                plan.nodes.push(Node::Split { column: column as u32, threshold });
                tree.0.push(TreeNode::Split { column: column as u32, threshold });
                for above in [false, true] {
                    cuts.push(Cut { column, at, above });
                    self.subtree(plan, tree, cuts, budget.saturating_sub(2), offset)?;
                    cuts.truncate(before);
                }
                Some(())
            }
        }
    }

    fn unit(units: &mut Vec<(u32, Encoding, Encoding)>, unit: (u32, Encoding, Encoding), fresh: bool) -> u32 {
        match units.iter().position(|other| *other == unit).filter(|_| !fresh) {
            Some(place) => place as u32,
            None => {
                units.push(unit);
                units.len() as u32 - 1
            }
        }
    }

    /// The units of a side of a Step box, with the weight of each: to fire or to be silent, as it comes.
    fn step_side(&mut self, cut: Cut) -> Option<((u32, Encoding, Encoding), bool)> {
        let (one, minus) = (self.format.one(false), self.format.one(true));
        let column = cut.column as u32;
        let at = self.all[cut.at];
        let above =
            self.all.get(cut.at + 1).and_then(|next| representable(self.format, &-number_of(self.format, *next)));
        match (self.random.one_in(2), above) {
            // Fires if x <= t.
            (true, _) | (_, None) => Some(((column, minus, at), !cut.above)),
            // Fires if x >= succ(t).
            (false, Some(bias)) if self.format.is_bounded() => Some(((column, one, bias), cut.above)),
            _ => None,
        }
    }

    /// The unit of a side of a ReLU box, and the exponent of its penalty.
    fn relu_side(&mut self, cut: Cut) -> Option<((u32, Encoding, Encoding), i64)> {
        let format = self.format;
        let (at, next) = (number_of(format, self.all[cut.at]), number_of(format, *self.all.get(cut.at + 1)?));
        let exponent = self.random.below(3) as i64;
        let scale = power_of_two(exponent);
        let (weight, bias) = if cut.above { (-scale.clone(), next.clone()) } else { (scale.clone(), -at.clone()) };
        let unit = (cut.column as u32, representable(format, &weight)?, representable(format, &(bias * scale))?);
        let gap = next - at;
        let mut strength = exponent;
        (-40..40).rev().find(|&e| power_of_two(e) <= gap).map(|e| strength += e)?;
        Some((unit, strength))
    }

    fn network(&mut self, plan: &Plan, bias: &[Rational], activation: Activation) -> Option<Network> {
        let format = self.format;
        let mut units = Vec::new();
        let mut boxes: Vec<(BTreeMap<u32, Encoding>, Encoding)> = Vec::new();
        for cuts in &plan.boxes {
            let mut terms = BTreeMap::new();
            let mut required = 0;
            for &cut in cuts {
                if activation == Activation::Step {
                    for _ in 0..if self.random.one_in(5) { 2 } else { 1 } {
                        let Some((unit, fires)) = self.step_side(cut) else { continue };
                        let fresh = self.random.one_in(4);
                        let place = Self::unit(&mut units, unit, fresh);
                        if terms.insert(place, format.one(!fires)).is_none() {
                            required += i64::from(fires);
                        }
                    }
                } else {
                    // The side at the end of the format excludes nothing.
                    let Some((unit, strength)) = self.relu_side(cut) else { continue };
                    let weights = (-3..4).filter_map(|e| Some((e, representable(format, &-power_of_two(e))?)));
                    let (e, weight) = *self.random.pick(&weights.collect::<Vec<_>>());
                    let copies = if strength + e >= 0 { 1 } else { 1 << (-strength - e).min(2) };
                    for copy in 0..copies {
                        let place = Self::unit(&mut units, unit, copy > 0);
                        terms.insert(place, weight);
                    }
                }
            }
            let bias = if activation == Activation::Step { -required } else { 1 };
            boxes.push((terms, representable(format, &Rational::from(bias))?));
        }
        if units.is_empty() {
            units.push((0, format.one(false), format.zero()));
        }
        if boxes.is_empty() {
            boxes.push((BTreeMap::new(), format.zero()));
        }
        let mut first = Layer::new(format, activation);
        units.into_iter().for_each(|(column, weight, bias)| first.push([(column, weight)], bias));
        let mut second = Layer::new(format, activation);
        boxes.into_iter().for_each(|(terms, bias)| second.push(terms, bias));
        let mut last = Layer::new(format, Activation::Identity);
        for (output, bias) in bias.iter().enumerate() {
            let mut terms = Vec::new();
            for (neuron, label) in plan.labels.iter().enumerate() {
                if label[output] != 0 || self.random.one_in(3) {
                    terms.push((neuron as u32, representable(format, &label[output])?));
                }
            }
            last.push(terms, representable(format, bias)?);
        }
        Network::new(format, self.dimension, vec![first, second, last]).ok()
    }
}

/// A network, and what is said of it.
pub struct Case {
    pub network: Network,
    pub separator: Separator,
    pub forest: Forest,
    /// How many boxes lie within each other.
    pub depth: usize,
}

pub fn case(random: &mut Random, format: Format, activation: Activation) -> Option<Case> {
    let all = values(format);
    let (dimension, outputs) = (1 + random.below(2), 1 + random.below(2));
    let reals: Vec<Rational> = all.iter().map(|&value| number_of(format, value)).collect();
    let palette = match random.below(3) {
        0 => reals,
        1 => reals.into_iter().filter(|real| real.clone().abs() <= 2).collect(),
        _ => reals.into_iter().filter(|real| *real == 0 || real.clone().abs() == 1).collect(),
    };
    let mut maker = Maker { random, format, all, dimension, outputs, palette };
    let mut plan = Plan { nodes: vec![], trees: vec![], boxes: vec![], labels: vec![], around: vec![], depth: 0 };
    let mut bias = vec![Rational::new(); outputs];
    for _ in 0..1 + maker.random.below(3) {
        let offset = if maker.random.one_in(2) { vec![Rational::new(); outputs] } else { maker.label() };
        bias.iter_mut().zip(&offset).for_each(|(bias, offset)| *bias += offset);
        let mut tree = (Vec::new(), Vec::new());
        let budget = maker.random.below(6);
        maker.subtree(&mut plan, &mut tree, &mut Vec::new(), budget, &offset)?;
        plan.trees.push(Tree { nodes: tree.0, values: Encodings::collect(format, tree.1) });
    }
    let network = maker.network(&plan, &bias, activation)?;
    // Without boxes there is a box more, which no tree names.
    let mut nodes = std::mem::take(&mut plan.nodes);
    if plan.boxes.is_empty() {
        let place = nodes.iter().position(|node| *node == Node::Empty)?;
        nodes[place] = Node::Box(0);
    }
    let base = Encodings::collect(format, vec![format.zero(); outputs]);
    let forest = Forest::new(format, dimension, base, plan.trees).expect("well formed");
    Some(Case { network, separator: Separator { nodes }, forest, depth: plan.depth })
}
