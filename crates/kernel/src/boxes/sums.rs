//! The last layer: when the sum of the labels of all boxes that are 1 is exact in every order, and how far off it can be
//! otherwise.
//!
//! At any input, the terms of output `o` are its bias, the labels `w` of the boxes on the paths down the trees, and zeros,
//! which change nothing (R7). With one tree, no nesting and no bias there is one term: exact (*selection*). In general let
//! `g` be the largest power of two that divides the bias and all labels of the output, and `P` and `N` the largest sums of
//! its positive and of its negative terms, tree by tree the worst path: every subset of the terms sums to at most
//! `max(P, N)` in magnitude, so that with `max(P, N) <= min(2^p g, largest)` every order is exact (R5).
//!
//! Else each addition of `m` terms of magnitude `A` in all errs by at most `2^(1-p)` of what it gives, to which a wider
//! accumulator adds one rounding: in all at most `A ((1 + 2^(1-p))^m - 1)`, as long as `A (1 + 2^(1-p))^m` is within the
//! format. Sums of values have no underflow error.

use std::collections::BTreeMap;

use roundproof_exact::{Rational, decode, power_of_two};
use roundproof_format::{Encoding, Format};
use roundproof_network::Network;
use rustc_hash::FxHashMap;

use super::separation::Regions;
use crate::growth::growth;
use crate::{BoxRejection, Node};

/// The labels of the boxes.
pub(super) struct Labels {
    starts: Vec<usize>,
    entries: Vec<(u32, Encoding)>,
    values: FxHashMap<Encoding, Rational>,
    bias: Vec<Rational>,
    format: Format,
}

impl Labels {
    /// The weights of layer 3 by box: compressed columns.
    pub fn of(network: &Network) -> Labels {
        let format = network.format();
        let last = &network.layers()[2];
        let boxes = network.layers()[1].rows();
        let mut starts = vec![0; boxes + 1];
        for &column in &last.columns {
            starts[column as usize + 1] += 1;
        }
        for index in 0..boxes {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, format.zero()); last.columns.len()];
        let mut values = FxHashMap::default();
        for output in 0..last.rows() {
            for (column, weight) in last.terms(output) {
                entries[next[column as usize]] = (output as u32, weight);
                next[column as usize] += 1;
                values.entry(weight).or_insert_with(|| value(format, weight));
            }
        }
        let bias = last.bias.iter().map(|bias| value(format, bias)).collect();
        Labels { starts, entries, values, bias, format }
    }

    /// The labels of a box, with their outputs.
    pub fn entries(&self, neuron: usize) -> &[(u32, Encoding)] {
        &self.entries[self.starts[neuron]..self.starts[neuron + 1]]
    }

    /// The labels of a box as numbers, with their outputs.
    pub fn terms(&self, neuron: usize) -> impl Iterator<Item = (usize, &Rational)> + '_ {
        self.entries(neuron).iter().map(|(output, label)| (*output as usize, &self.values[label]))
    }

    /// The biases of the outputs.
    pub fn bias(&self) -> &[Rational] {
        &self.bias
    }

    /// How far an output can be from the sum of its terms, on any path at any input: 0 if all are exact.
    ///
    /// # Errors
    ///
    /// If a sum may leave the format.
    pub fn error_bound(&self, regions: &Regions) -> Result<Rational, BoxRejection> {
        if regions.are_disjoint() && self.bias.iter().all(|bias| *bias == 0) {
            return Ok(Rational::new());
        }
        let mut grids: Vec<Option<i64>> = vec![None; self.bias.len()];
        let mut refine = |output: usize, label: &Rational| {
            if let Some(finest) = divisor_exponent(label) {
                let grid = &mut grids[output];
                *grid = Some(grid.map_or(finest, |grid| grid.min(finest)));
            }
        };
        self.bias.iter().enumerate().for_each(|(output, bias)| refine(output, bias));
        for neuron in 0..self.starts.len() - 1 {
            self.terms(neuron).for_each(|(output, label)| refine(output, label));
        }
        let extents = self.extents(regions);
        let largest = self.format.largest(false).map(|largest| value(self.format, largest));
        let beyond = |bound: &Rational| largest.as_ref().is_some_and(|largest| bound > largest);
        let mut worst = Rational::new();
        for (output, extent) in extents.iter().enumerate() {
            // Without a term that is not zero there is nothing to add.
            let Some(grid) = grids[output] else { continue };
            let reach = extent.positive.clone().max(extent.negative.clone());
            if reach <= power_of_two(grid + i64::from(self.format.precision())) && !beyond(&reach) {
                continue;
            }
            let magnitude = Rational::from(&extent.positive + &extent.negative);
            let grown = growth(self.format.precision(), extent.terms).map(|growth| growth * &magnitude);
            let Some(grown) = grown.filter(|grown| !beyond(grown)) else {
                return Err(BoxRejection::SumRange { output, reach: magnitude });
            };
            worst = worst.max(grown - magnitude);
        }
        Ok(worst)
    }

    /// The largest sums of terms of either sign, for each output.
    fn extents(&self, regions: &Regions) -> Vec<Extent> {
        let mut totals: Vec<Extent> = self.bias.iter().map(Extent::of).collect();
        for (index, &root) in regions.roots().iter().enumerate() {
            let end = regions.roots().get(index + 1).copied().unwrap_or(regions.nodes().len());
            // Along the path to the current node, and the largest of all paths of the tree, for the outputs met.
            let mut here: BTreeMap<usize, Extent> = BTreeMap::new();
            let mut most: BTreeMap<usize, Extent> = BTreeMap::new();
            regions.walk(root..end, &mut |neuron, entered| {
                for (output, label) in self.terms(neuron) {
                    let current = here.entry(output).or_default();
                    if entered {
                        current.add(label);
                        most.entry(output).or_default().cover(current);
                    } else {
                        current.remove(label);
                    }
                }
            });
            for (output, extent) in most {
                totals[output].positive += extent.positive;
                totals[output].negative += extent.negative;
                totals[output].terms += extent.terms;
            }
        }
        totals
    }
}

/// Sums of the terms of either sign (the negative ones without it), and their number.
#[derive(Clone, Debug, Default)]
struct Extent {
    positive: Rational,
    negative: Rational,
    terms: usize,
}

impl Extent {
    fn of(term: &Rational) -> Extent {
        let mut extent = Extent::default();
        extent.add(term);
        extent
    }

    fn add(&mut self, term: &Rational) {
        if *term > 0 {
            self.positive += term;
        } else {
            self.negative -= term;
        }
        self.terms += usize::from(*term != 0);
    }

    fn remove(&mut self, term: &Rational) {
        if *term > 0 {
            self.positive -= term;
        } else {
            self.negative += term;
        }
        self.terms -= usize::from(*term != 0);
    }

    fn cover(&mut self, other: &Extent) {
        if other.positive > self.positive {
            self.positive.clone_from(&other.positive);
        }
        if other.negative > self.negative {
            self.negative.clone_from(&other.negative);
        }
        self.terms = self.terms.max(other.terms);
    }
}

/// The exponent of the largest power of two that divides a number of the form `m 2^e`; none for 0.
fn divisor_exponent(value: &Rational) -> Option<i64> {
    let zeros = value.numer().find_one(0)?;
    Some(i64::from(zeros) - i64::from(value.denom().significant_bits() - 1))
}

pub(super) fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite")
}

impl Regions<'_> {
    /// Goes through a tree in preorder: `visit(box, true)` where the region of a box begins, `visit(box, false)` where it
    /// ends.
    fn walk(&self, tree: std::ops::Range<usize>, visit: &mut dyn FnMut(usize, bool)) {
        // Of each open node, whether its lower side is done, and the box that ends with it.
        let mut open: Vec<(bool, Option<usize>)> = Vec::new();
        for index in tree {
            match self.nodes()[index] {
                Node::Split { .. } => {
                    open.push((false, None));
                    continue;
                }
                Node::Nested(neuron) => {
                    visit(neuron as usize, true);
                    open.push((true, Some(neuron as usize)));
                    continue;
                }
                Node::Box(neuron) => {
                    visit(neuron as usize, true);
                    visit(neuron as usize, false);
                }
                Node::Empty => {}
            }
            while let Some((done, neuron)) = open.last_mut() {
                if !*done {
                    *done = true;
                    break;
                }
                if let Some(neuron) = neuron {
                    visit(*neuron, false);
                }
                open.pop();
            }
        }
    }
}
