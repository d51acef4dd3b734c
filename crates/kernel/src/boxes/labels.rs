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

use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Output, SparseLayer};
use rustc_hash::FxHashMap;

use super::regions::Regions;
use crate::facts::{Facts, divisor_exponent};
use crate::{BoxRejection, stored};

/// The labels of the boxes.
pub(super) struct Labels {
    starts: Vec<usize>,
    entries: Vec<(u32, Encoding)>,
    values: FxHashMap<Encoding, Rational>,
    /// Those of the outputs.
    pub bias: Vec<Rational>,
    /// Whether all of these are 0.
    pub unbiased: bool,
}

impl Labels {
    /// The weights of layer 3 by box: compressed columns.
    pub fn of(format: Format, boxes: usize, last: SparseLayer<'_>) -> Labels {
        let mut starts = vec![0; boxes + 1];
        let outputs = || (0..last.rows()).flat_map(|output| last.terms(output).map(move |term| (output as u32, term)));
        for (_, (column, _)) in outputs() {
            starts[column as usize + 1] += 1;
        }
        for index in 0..boxes {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, format.zero()); starts[boxes]];
        let mut values = FxHashMap::default();
        for (output, (column, weight)) in outputs() {
            let place = &mut next[column as usize];
            entries[*place] = (output, weight);
            *place += 1;
            values.entry(weight).or_insert_with(|| stored(format, weight));
        }
        let bias: Vec<Rational> = last.bias.iter().map(|bias| stored(format, bias)).collect();
        let unbiased = bias.iter().all(|bias| *bias == 0);
        Labels { starts, entries, values, bias, unbiased }
    }

    /// The labels of a box, with their outputs.
    pub fn entries(&self, neuron: usize) -> &[(u32, Encoding)] {
        &self.entries[self.starts[neuron]..self.starts[neuron + 1]]
    }

    /// The labels of a box as numbers, with their outputs.
    pub fn terms(&self, neuron: usize) -> impl Iterator<Item = (usize, &Rational)> + '_ {
        self.entries(neuron).iter().map(|(output, label)| (*output as usize, &self.values[label]))
    }

    /// How far an output can be from the sum of its terms, on any path at any input: 0 if all are exact.
    ///
    /// # Errors
    ///
    /// If a sum may leave the format.
    pub fn error_bound(&self, facts: &Facts, regions: &Regions) -> Result<Rational, BoxRejection> {
        let (grid, error) = (facts.grid.as_ref()?, facts.error.as_ref()?);
        let mut worst = Rational::new();
        if regions.disjoint && self.unbiased {
            return Ok(worst);
        }
        let mut finest: Vec<Option<i64>> = self.bias.iter().map(divisor_exponent).collect();
        for (output, label) in (0..self.starts.len() - 1).flat_map(|neuron| self.terms(neuron)) {
            finest[output] = [finest[output], divisor_exponent(label)].into_iter().flatten().min();
        }
        for (output, extent) in self.extents(regions).iter().enumerate() {
            // Without a term that is not zero there is nothing to add.
            let Some(finest) = finest[output] else { continue };
            if grid.is_exact(finest, (&extent.positive).max(&extent.negative)) {
                continue;
            }
            let magnitude = Rational::from(&extent.positive + &extent.negative);
            match error.grown(&magnitude, extent.terms) {
                Some(grown) => worst = worst.max(grown - magnitude),
                None => return Err(BoxRejection::SumRange { output: Output(output), reach: magnitude }),
            }
        }
        Ok(worst)
    }

    /// The largest sums of terms of either sign, for each output.
    fn extents(&self, regions: &Regions) -> Vec<Extent> {
        let mut totals: Vec<Extent> = self.bias.iter().map(|bias| Extent::default().with(bias, true)).collect();
        for &root in regions.roots() {
            // Along the path to the current node, and the largest of all paths of the tree, for the outputs met.
            let mut here: BTreeMap<usize, Extent> = BTreeMap::new();
            let mut most: BTreeMap<usize, Extent> = BTreeMap::new();
            let Ok(()) = regions.walk(root, &mut |_, neuron, entered| {
                for (output, label) in self.terms(neuron) {
                    let current = here.entry(output).or_default();
                    *current = std::mem::take(current).with(label, entered);
                    if entered {
                        most.entry(output).or_default().cover(current);
                    }
                }
                Ok::<(), std::convert::Infallible>(())
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
    /// With a term, or without one that is in it.
    fn with(mut self, term: &Rational, present: bool) -> Extent {
        let sum = if *term > 0 { &mut self.positive } else { &mut self.negative };
        if (*term > 0) == present {
            *sum += term
        } else {
            *sum -= term
        }
        if *term != 0 {
            self.terms = if present { self.terms + 1 } else { self.terms - 1 };
        }
        self
    }

    fn cover(&mut self, other: &Extent) {
        for (most, other) in [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)] {
            if other > most {
                most.clone_from(other);
            }
        }
        self.terms = self.terms.max(other.terms);
    }
}
