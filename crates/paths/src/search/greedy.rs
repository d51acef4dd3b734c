//! Every neuron as low or as high as it can be, as suits one output.

use std::borrow::Cow;
use std::cmp::Ordering;

use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{Activation, Choice, Network, Neuron, Order, Placed, TreePath};
use roundproof_softfloat::order_key;

use super::plain;
use crate::choose::{Chooser, Fixed, Site};
use crate::enumerate::{Enumeration, Keep};
use crate::machine::{Machine, Sum};

/// Pushes one output down or up: a neuron goes the way in which more of the neurons above want to be pushed, counted
/// with the signs of their weights, as if all activations were monotone; of what its activation admits, it takes the
/// extreme value.
#[derive(Clone)]
pub(super) struct Greedy {
    /// Where each neuron is to go, layer by layer: down, nowhere, up.
    wants: Vec<Vec<Ordering>>,
    operations: usize,
}

impl Greedy {
    pub fn new(network: &Network, output: usize, high: bool, operations: usize) -> Greedy {
        let steps = network.steps();
        // Of every vector, the inputs first: how much each value is wanted to rise.
        let mut votes: Vec<Vec<i64>> = std::iter::once(network.input_dimension())
            .chain(steps.iter().map(Placed::rows))
            .map(|width| vec![0; width])
            .collect();
        votes[steps.len()][output] = if high { 1 } else { -1 };
        for (index, step) in steps.iter().enumerate().rev() {
            let mut below = vec![0i64; step.inputs()];
            let pushes = votes[index + 1].iter().map(|votes| votes.signum()).enumerate();
            for (neuron, push) in pushes.filter(|&(_, push)| push != 0) {
                match step.neuron(neuron) {
                    Neuron::Sum { terms, bias: _ } => {
                        let format = step.operands();
                        for (column, weight) in terms.filter(|&(_, weight)| !format.is_zero(weight)) {
                            below[column as usize] += if format.is_sign_minus(weight) { -push } else { push };
                        }
                    }
                    Neuron::Maximum(window) => window.for_each(|column| below[column as usize] += push),
                    // As if both factors were positive.
                    Neuron::Product(columns) => columns.iter().for_each(|&column| below[column as usize] += push),
                }
            }
            let mut below = below.into_iter();
            for &vector in &step.step().reads {
                votes[vector].iter_mut().zip(&mut below).for_each(|(votes, more)| *votes += more);
            }
        }
        let wants = votes.split_off(1).into_iter();
        let wants = wants.map(|votes| votes.into_iter().map(|votes| votes.cmp(&0)).collect()).collect();
        Greedy { wants, operations }
    }
}

impl Chooser for Greedy {
    fn is_plain(&self, site: Site) -> bool {
        self.wants[site.layer][site.neuron] == Ordering::Equal
    }

    fn choose(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        Cow::Owned(match self.wants[site.layer][site.neuron] {
            Ordering::Equal => plain(sum, machine),
            want => extreme(machine, sum, want == Ordering::Greater, self.operations),
        })
    }

    fn product(&mut self, site: Site, factors: [Encoding; 2], machine: &Machine) -> Choice {
        let key = |(value, _): &(Encoding, Choice)| order_key(machine.format(), *value);
        let products = machine.products(factors).into_iter();
        let extreme = match self.wants[site.layer][site.neuron] {
            Ordering::Less => products.min_by_key(key),
            Ordering::Equal => None,
            Ordering::Greater => products.max_by_key(key),
        };
        extreme.map_or(Choice::of(machine.model()), |(_, choice)| choice)
    }

    fn activate(&mut self, site: Site, activation: Activation, sum: Encoding, machine: &Machine) -> Option<Encoding> {
        let key = |value: &Encoding| order_key(machine.format(), *value);
        let admitted = machine.activations(activation, sum).into_iter();
        match self.wants[site.layer][site.neuron] {
            Ordering::Less => admitted.min_by_key(key),
            Ordering::Equal => None,
            Ordering::Greater => admitted.max_by_key(key),
        }
    }
}

/// The terms up to which every tree is looked at.
const SUBSET_TERMS: usize = 9;

/// A path to the lowest or highest value of a sum, or where all trees are too many, the best of the fixed paths. The
/// plain path if it is as good.
fn extreme(machine: &Machine, sum: &Sum, high: bool, operations: usize) -> TreePath {
    let format = machine.format();
    let rank = |value: Encoding| order_key(format, value).map(|key| if high { key } else { -key });
    let plain = plain(sum, machine);
    let mut best = (rank(machine.sum(sum, &plain).value), plain);
    let few = nonzero_terms(machine, sum) <= SUBSET_TERMS || machine.trees().order == Order::LeftToRight;
    if few && let Some(found) = Enumeration::new(machine, sum, Keep::Extremes, operations) {
        let top = found.values().into_iter().max_by_key(|&value| rank(value));
        if let Some(value) = top
            && rank(value) > best.0
            && let Some(path) = found.path(value)
        {
            best = (rank(value), path);
        }
        return best.1;
    }
    let mode = if high { RoundingMode::TowardPositive } else { RoundingMode::TowardNegative };
    for fixed in Fixed::all(machine, &[mode]) {
        let path = fixed.path(sum, machine);
        let value = rank(machine.sum(sum, &path).value);
        if value > best.0 {
            best = (value, path);
        }
    }
    best.1
}

fn nonzero_terms(machine: &Machine, sum: &Sum) -> usize {
    let format = machine.operands();
    let zero = |value| format.is_zero(value);
    sum.terms.iter().filter(|term| !zero(term.weight) && !zero(term.input)).count() + usize::from(!zero(sum.bias))
}
