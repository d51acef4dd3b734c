//! Every combination of the values of all neurons, for one row.

use std::collections::{BTreeMap, BTreeSet};

use roundproof_format::Encoding;
use roundproof_network::{NeuronPath, TreePath, Witness};

use super::{Finding, Hunt, Row};
use crate::enumerate::{Enumeration, Keep};
use crate::error::EvaluateError;
use crate::evaluate::{replay, sum_of};
use crate::targets::is_right;

/// The values of one layer on some path.
struct State {
    values: Vec<Encoding>,
    /// The state of the layer below that it came from, and how each neuron comes to its value.
    before: usize,
    sums: Vec<Making>,
}

/// How a neuron comes to a value: its sum, and its value if that is not the one of the plain path.
type Making = (Encoding, Option<Encoding>);

impl Hunt<'_> {
    /// Looks at every combination of values, layer by layer, unless they are too many. Neurons choose independently of
    /// each other, so the values of a layer above given ones below are all combinations of its neurons' values.
    pub(super) fn exhaust(&self, row: &Row) -> Result<Finding, EvaluateError> {
        let mut excluded = true;
        for &output in &row.outputs {
            let Some(layers) = self.states(row, output) else {
                excluded = false;
                continue;
            };
            let right = self.targets.right(row.index, output);
            let hits = |state: &State| is_right(self.network.format(), state.values[output], right);
            let found = layers.last().into_iter().flatten().position(|state| !hits(state));
            let Some(state) = found else { continue };
            match self.witness(row, output, &layers, state)? {
                Some(witness) => return Ok(Finding::Found(witness)),
                None => excluded = false,
            }
        }
        Ok(if excluded { Finding::Excluded } else { Finding::Open(vec![row.index]) })
    }

    /// The neurons that an output depends on, layer by layer.
    fn cone(&self, output: usize) -> Vec<Vec<bool>> {
        let layers = self.network.layers();
        let mut cone: Vec<Vec<bool>> = layers.iter().map(|layer| vec![false; layer.rows()]).collect();
        let last = layers.len() - 1;
        cone[last][output] = true;
        for index in (1..layers.len()).rev() {
            for neuron in 0..layers[index].rows() {
                if cone[index][neuron] {
                    for (column, _) in layers[index].terms(neuron) {
                        cone[index - 1][column as usize] = true;
                    }
                }
            }
        }
        cone
    }

    fn states(&self, row: &Row, output: usize) -> Option<Vec<Vec<State>>> {
        let cone = self.cone(output);
        let mut layers: Vec<Vec<State>> = Vec::new();
        for (index, inside) in cone.iter().enumerate() {
            let mut next: Vec<State> = Vec::new();
            let mut known = BTreeSet::new();
            let below = layers.last().map_or(1, Vec::len);
            for before in 0..below {
                let values = layers.last().map_or(&row.inputs, |states| &states[before].values);
                let choices = self.choices(index, inside, values)?;
                let combinations = choices.iter().try_fold(1usize, |all, choice| all.checked_mul(choice.len()))?;
                if next.len() + combinations > self.options.states * 4 {
                    return None;
                }
                for number in 0..combinations {
                    let state = combination(&choices, number, before);
                    if known.insert(state.values.clone()) {
                        next.push(state);
                    }
                }
                if next.len() > self.options.states {
                    return None;
                }
            }
            layers.push(next);
        }
        Some(layers)
    }

    /// For each neuron of a layer, its values after the activation (zeros as +0), each with how it comes to it. A neuron
    /// outside the cone is 0.
    fn choices(&self, index: usize, inside: &[bool], below: &[Encoding]) -> Option<Vec<Vec<(Encoding, Making)>>> {
        let layer = &self.network.layers()[index];
        let format = self.network.format();
        let neuron_choices = |neuron: usize| {
            if !inside[neuron] {
                return Some(vec![(format.zero(), (format.zero(), None))]);
            }
            let sum = sum_of(layer, neuron, below);
            let found = Enumeration::new(&self.machine, &sum, Keep::Values, self.options.operations)?;
            let mut values = BTreeMap::new();
            for sum in found.values() {
                let admitted = self.machine.activations(layer.activation, sum);
                for (place, &value) in admitted.iter().enumerate() {
                    let named = (place > 0).then_some(value);
                    let value = if format.is_zero(value) { format.zero() } else { value };
                    values.entry(value).or_insert((sum, named));
                }
            }
            Some(values.into_iter().collect())
        };
        (0..layer.rows()).map(neuron_choices).collect()
    }

    /// The paths that led to a state of the last layer, checked by a replay.
    fn witness(
        &self,
        row: &Row,
        output: usize,
        layers: &[Vec<State>],
        state: usize,
    ) -> Result<Option<Witness>, EvaluateError> {
        let cone = self.cone(output);
        let mut neurons = Vec::new();
        let mut state = state;
        for index in (0..layers.len()).rev() {
            let reached = &layers[index][state];
            let below = if index == 0 { &row.inputs } else { &layers[index - 1][reached.before].values };
            let layer = &self.network.layers()[index];
            for neuron in (0..layer.rows()).rev().filter(|&neuron| cone[index][neuron]) {
                let sum = sum_of(layer, neuron, below);
                let found = Enumeration::new(&self.machine, &sum, Keep::Values, self.options.operations);
                let (total, value) = reached.sums[neuron];
                let Some(path) = found.and_then(|found| found.path(total)) else { return Ok(None) };
                if value.is_some() || path != TreePath::plain(sum.terms.len(), self.machine.model()) {
                    neurons.push(NeuronPath { layer: index, neuron, path: path.into(), value });
                }
            }
            state = reached.before;
        }
        neurons.reverse();
        let at = self.targets.at(row.index);
        let mut witness = Witness { at, output, value: self.network.format().zero(), neurons };
        witness.value = replay(self.network, self.targets, self.machine.model(), &witness)?;
        let hits = is_right(self.network.format(), witness.value, self.targets.right(row.index, output));
        Ok((!hits).then_some(witness))
    }
}

/// Combination `number` of the choices, counted in mixed radix.
fn combination(choices: &[Vec<(Encoding, Making)>], number: usize, before: usize) -> State {
    let mut rest = number;
    let mut pick = |options: &Vec<(Encoding, Making)>| {
        let picked = options[rest % options.len()];
        rest /= options.len();
        picked
    };
    let (values, sums) = choices.iter().map(&mut pick).unzip();
    State { values, before, sums }
}
