//! Every combination of the values of all neurons, for one row.

use std::collections::{BTreeMap, BTreeSet};

use roundproof_format::Encoding;
use roundproof_network::{NeuronPath, SumPath, Witness};

use super::{Finding, Hunt, Possible, Row};
use crate::enumerate::Keep;
use crate::error::EvaluateError;
use crate::evaluate::replay;
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
        let steps = self.network.steps();
        let mut cone: Vec<Vec<bool>> = steps.iter().map(|step| vec![false; step.rows()]).collect();
        cone[steps.len() - 1][output] = true;
        for (index, step) in steps.iter().enumerate().rev() {
            for neuron in (0..step.rows()).filter(|&neuron| cone[index][neuron]).collect::<Vec<_>>() {
                for column in step.columns(neuron) {
                    let (vector, place) = self.network.source(index, column);
                    if let Some(before) = vector.checked_sub(1) {
                        cone[before][place] = true;
                    }
                }
            }
        }
        cone
    }

    /// All vectors that led to a state of the last of these layers, the inputs first.
    fn vectors(&self, row: &Row, layers: &[Vec<State>], state: usize) -> Vec<Vec<Encoding>> {
        let mut vectors = Vec::with_capacity(layers.len() + 1);
        let mut state = state;
        for states in layers.iter().rev() {
            vectors.push(states[state].values.clone());
            state = states[state].before;
        }
        vectors.push(row.inputs.clone());
        vectors.reverse();
        vectors
    }

    /// Of the vectors up to step `index`, those that a later step reads, but for the last one.
    fn kept(&self, index: usize) -> Vec<usize> {
        let later = self.network.steps()[index + 1..].iter().flat_map(|step| &step.step().reads).copied();
        let kept: BTreeSet<usize> = later.filter(|&vector| (1..=index).contains(&vector)).collect();
        kept.into_iter().collect()
    }

    fn states(&self, row: &Row, output: usize) -> Option<Vec<Vec<State>>> {
        let cone = self.cone(output);
        let mut layers: Vec<Vec<State>> = Vec::new();
        for (index, inside) in cone.iter().enumerate() {
            let mut next: Vec<State> = Vec::new();
            let mut known = BTreeSet::new();
            let kept = self.kept(index);
            for before in 0..layers.last().map_or(1, Vec::len) {
                let vectors = self.vectors(row, &layers, before);
                let choices = self.choices(index, inside, &self.network.steps()[index].read(&vectors))?;
                let combinations = choices.iter().try_fold(1usize, |all, choice| all.checked_mul(choice.len()))?;
                if next.len() + combinations > self.options.states * 4 {
                    return None;
                }
                let earlier: Vec<&Vec<Encoding>> = kept.iter().map(|&vector| &vectors[vector]).collect();
                for number in 0..combinations {
                    let state = combination(&choices, number, before);
                    let seen: Vec<Vec<Encoding>> = earlier.iter().copied().chain([&state.values]).cloned().collect();
                    if known.insert(seen) {
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
    fn choices(&self, index: usize, inside: &[bool], read: &[Encoding]) -> Option<Vec<Vec<(Encoding, Making)>>> {
        let (step, machine) = (&self.network.steps()[index], &self.machines[index]);
        let format = machine.format();
        let neuron_choices = |neuron: usize| {
            if !inside[neuron] {
                return Some(vec![(format.zero(), (format.zero(), None))]);
            }
            let found = Possible::of(machine, step, neuron, read, Keep::Values, self.options.operations)?;
            let mut values = BTreeMap::new();
            for sum in found.values() {
                let admitted = machine.activations(step.activation(), sum);
                for (place, &value) in admitted.iter().enumerate() {
                    let named = (place > 0).then_some(value);
                    let value = if format.is_zero(value) { format.zero() } else { value };
                    values.entry(value).or_insert((sum, named));
                }
            }
            Some(values.into_iter().collect())
        };
        (0..step.rows()).map(neuron_choices).collect()
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
        let vectors = self.vectors(row, layers, state);
        let mut neurons = Vec::new();
        let mut state = state;
        for index in (0..layers.len()).rev() {
            let reached = &layers[index][state];
            let (step, machine) = (&self.network.steps()[index], &self.machines[index]);
            let read = step.read(&vectors);
            for neuron in (0..step.rows()).rev().filter(|&neuron| cone[index][neuron]) {
                let found = Possible::of(machine, step, neuron, &read, Keep::Values, self.options.operations);
                let (total, value) = reached.sums[neuron];
                let Some(path) = found.and_then(|found| found.path(total)) else { return Ok(None) };
                if value.is_some() || path != SumPath::plain(&step.neuron(neuron), machine.model()) {
                    neurons.push(NeuronPath { layer: index, neuron, path, value });
                }
            }
            state = reached.before;
        }
        neurons.reverse();
        let at = self.targets.at(row.index);
        let mut witness = Witness { at, output, value: self.network.format().zero(), neurons };
        witness.value = replay(self.network, self.targets, self.model, &witness)?;
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
