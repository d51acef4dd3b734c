//! Labels as weights of layer 3, and whether their sum is exact.

use roundproof_format::{Encoding, Format};
use roundproof_softfloat::{Unpacked, decode, encode, negate};

use super::parsimony::Assignment;
use super::prune::{Kind, Node, Pruned, exact_sum};

/// The biases of layer 3, and the boxes of each tree with what they add.
pub(super) struct Form {
    pub bias: Vec<Encoding>,
    /// By tree, and in each by node.
    pub boxes: Vec<Vec<LabelBox>>,
}

/// A box that is the region of a node.
pub(super) struct LabelBox {
    pub node: u32,
    /// Outputs, ascending, and their weights, none of them zero.
    pub weights: Vec<(u32, Encoding)>,
}

impl Form {
    /// Labels as differences. None if a difference, or a bias, is not a value of the format.
    pub fn of(format: Format, base: &[Encoding], trees: &[Pruned], assignments: &[Assignment]) -> Option<Form> {
        let mut bias = base.to_vec();
        let mut boxes = Vec::with_capacity(trees.len());
        for (tree, assignment) in trees.iter().zip(assignments) {
            for (sum, &value) in bias.iter_mut().zip(tree.labels.values(assignment.root)) {
                *sum = exact_sum(format, *sum, value)?;
            }
            boxes.push(differences(format, tree, assignment)?);
        }
        Some(Form { bias, boxes })
    }

    /// Whether the sum is exact on every path: it selects one box, or it obeys R5.
    pub fn is_exact(&self, format: Format, trees: &[Pruned]) -> bool {
        let nested = trees.iter().zip(&self.boxes).any(|(tree, boxes)| {
            boxes.iter().any(|label_box| matches!(tree.nodes[label_box.node as usize].kind, Kind::Split { .. }))
        });
        let selects = trees.len() == 1 && !nested;
        let mut sums: Vec<Option<Sums>> = self.bias.iter().map(|_| Some(Sums::default())).collect();
        for (output, sums) in sums.iter_mut().enumerate() {
            if selects && format.is_zero(self.bias[output]) {
                *sums = None;
            }
        }
        self.is_exact_in(format, trees, &mut sums)
    }

    fn weights(&self) -> impl Iterator<Item = (usize, Encoding)> + '_ {
        let biases = self.bias.iter().copied().enumerate();
        let boxes = self.boxes.iter().flatten().flat_map(|label_box| &label_box.weights);
        biases.chain(boxes.map(|&(output, weight)| (output as usize, weight)))
    }

    /// R5 for every output that has sums.
    fn is_exact_in(&self, format: Format, trees: &[Pruned], sums: &mut [Option<Sums>]) -> bool {
        for (output, weight) in self.weights() {
            if let (Some(sums), Some((_, exponent))) = (&mut sums[output], odd(format, weight)) {
                sums.grid = sums.grid.min(exponent);
            }
        }
        for (output, &bias) in self.bias.iter().enumerate() {
            let Some(sums) = &mut sums[output] else { continue };
            if !sums.add(format, bias) {
                return false;
            }
            sums.settle();
        }
        for (tree, boxes) in trees.iter().zip(&self.boxes) {
            if !add_tree(format, tree, boxes, sums) {
                return false;
            }
            sums.iter_mut().flatten().for_each(Sums::settle);
        }
        sums.iter().flatten().all(|sums| sums.done.iter().all(|&sum| fits(format, sum, sums.grid)))
    }
}

/// The largest sums of positive and of negative terms of one output, in units of `2^grid`.
#[derive(Clone, Copy)]
struct Sums {
    grid: i64,
    /// Over the bias and the trees before.
    done: [u128; 2],
    /// On the path to the current node.
    path: [u128; 2],
    /// The largest of any path of the tree.
    most: [u128; 2],
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { grid: i64::MAX, done: [0; 2], path: [0; 2], most: [0; 2] }
    }
}

impl Sums {
    /// Whether the term leaves the sum of its path within `2^p` units, as it must be.
    fn add(&mut self, format: Format, weight: Encoding) -> bool {
        let Some((sign, units)) = self.units(format, weight) else { return odd(format, weight).is_none() };
        self.path[sign] += units;
        self.most[sign] = self.most[sign].max(self.path[sign]);
        self.most[sign] <= most_units(format)
    }

    fn remove(&mut self, format: Format, weight: Encoding) {
        if let Some((sign, units)) = self.units(format, weight) {
            self.path[sign] -= units;
        }
    }

    /// Whether the weight is negative, and its magnitude in units, if that is at most `2^p`.
    fn units(&self, format: Format, weight: Encoding) -> Option<(usize, u128)> {
        let (significand, exponent) = odd(format, weight)?;
        let shift = u32::try_from(exponent - self.grid).ok().filter(|&shift| shift <= significand.leading_zeros())?;
        let units = significand << shift;
        (units <= most_units(format)).then_some((usize::from(format.is_sign_minus(weight)), units))
    }

    fn settle(&mut self) {
        for sign in 0..2 {
            self.done[sign] = self.done[sign].saturating_add(self.most[sign]);
        }
        (self.path, self.most) = ([0; 2], [0; 2]);
    }
}

/// Adds every path of a tree. False once a sum is beyond every bound.
fn add_tree(format: Format, tree: &Pruned, boxes: &[LabelBox], sums: &mut [Option<Sums>]) -> bool {
    let mut open: Vec<(u32, &LabelBox)> = Vec::new();
    for label_box in boxes {
        while let Some((_, above)) = open.pop_if(|&mut (end, _)| end <= label_box.node) {
            for &(output, weight) in &above.weights {
                if let Some(sums) = &mut sums[output as usize] {
                    sums.remove(format, weight);
                }
            }
        }
        for &(output, weight) in &label_box.weights {
            if let Some(sums) = &mut sums[output as usize]
                && !sums.add(format, weight)
            {
                return false;
            }
        }
        open.push((tree.ends[label_box.node as usize], label_box));
    }
    true
}

/// `2^p`, the units up to which every multiple of a unit is a value.
fn most_units(format: Format) -> u128 {
    1 << format.precision()
}

/// Whether `count` units of `2^grid` are at most `2^p` units and within the format: the bound of R5.
pub(super) fn fits(format: Format, count: u128, grid: i64) -> bool {
    count == 0 || (count <= most_units(format) && encode(format, false, count, grid).is_some())
}

/// The odd significand and the exponent of a value that is not zero.
fn odd(format: Format, value: Encoding) -> Option<(u128, i64)> {
    match decode(format, value) {
        Unpacked::Finite { significand, exponent, .. } => {
            let zeros = significand.trailing_zeros();
            Some((significand >> zeros, exponent + i64::from(zeros)))
        }
        _ => None,
    }
}

fn differences(format: Format, tree: &Pruned, assignment: &Assignment) -> Option<Vec<LabelBox>> {
    let mut boxes = Vec::new();
    let mut above = vec![assignment.root];
    for (node, (&label, Node { kind, .. })) in assignment.labels.iter().zip(&tree.nodes).enumerate() {
        let given = above.pop().expect("a tree in preorder");
        if label != given {
            let mut weights = Vec::new();
            let pairs = tree.labels.values(given).iter().zip(tree.labels.values(label));
            for (output, (&from, &to)) in pairs.enumerate() {
                let difference = exact_sum(format, to, negate(format, from))?;
                if !format.is_zero(difference) {
                    weights.push((output as u32, difference));
                }
            }
            boxes.push(LabelBox { node: node as u32, weights });
        }
        if let Kind::Split { .. } = kind {
            above.extend([label, label]);
        }
    }
    Some(boxes)
}
