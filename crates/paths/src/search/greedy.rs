//! Every neuron as low or as high as it can be, as suits one output.

use std::borrow::Cow;
use std::cmp::Ordering;

use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{Activation, Network, Order, TreePath};
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
        let format = network.format();
        let layers = network.layers();
        let mut wants: Vec<Vec<Ordering>> = layers.iter().map(|layer| vec![Ordering::Equal; layer.rows()]).collect();
        let last = layers.len() - 1;
        wants[last][output] = if high { Ordering::Greater } else { Ordering::Less };
        for index in (1..layers.len()).rev() {
            let mut votes = vec![0i64; layers[index - 1].rows()];
            for (neuron, want) in wants[index].iter().enumerate() {
                for (column, weight) in layers[index].terms(neuron) {
                    let push = if format.is_sign_minus(weight) { want.reverse() } else { *want };
                    if !format.is_zero(weight) {
                        votes[column as usize] += push as i64;
                    }
                }
            }
            for (want, votes) in wants[index - 1].iter_mut().zip(votes) {
                *want = votes.cmp(&0);
            }
        }
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
    let format = machine.format();
    let zero = |value| format.is_zero(value);
    sum.terms.iter().filter(|term| !zero(term.weight) && !zero(term.input)).count() + usize::from(!zero(sum.bias))
}
