//! Which neurons carry the error to the output.

use std::collections::BTreeSet;

use roundproof_exact::Rational;
use roundproof_files::text::{exact_decimal, exact_dyadic};
use roundproof_format::Encoding;
use roundproof_judge::point::Point;
use roundproof_network::{Network, PathModel, Witness};
use roundproof_paths::{NeuronTrace, Trace};
use serde::Serialize;

use super::operations::{Operation, Operations};
use super::reals::{of_neuron, real};
use crate::words;

/// How many neurons are told of, and how many operations, terms and sources of each.
const MOST: usize = 12;

#[derive(Serialize)]
pub struct Explanation {
    #[serde(flatten)]
    pub at: Place,
    pub output: usize,
    pub given: String,
    /// The output if nothing is rounded.
    pub over_the_reals: Option<String>,
    /// The output on the plain path.
    pub plain: String,
    /// From the input to the output; an error comes into being in the first ones.
    pub neurons: Vec<Neuron>,
    pub neurons_left_out: usize,
}

/// Where the network is wrong, and what it should give there.
#[derive(Default, Serialize)]
pub struct Place {
    /// Of a data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The inputs, if they are no row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<Vec<String>>,
    /// The point in words.
    #[serde(skip)]
    pub name: Option<String>,
    pub expected: String,
    /// What the function or the forest is there, and what is claimed of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

impl Place {
    /// A point, and what is claimed of it.
    pub fn of(point: &Point<'_>, witness: &Witness) -> Place {
        Place {
            row: None,
            point: Some(point.inputs()),
            name: Some(point.place()),
            expected: point.expected(witness.output),
            function: Some(point.function(witness.output, witness.value)),
        }
    }
}

/// A neuron that another value comes out of than over the reals; or, if there is none, the output.
#[derive(Serialize)]
pub struct Neuron {
    pub layer: usize,
    pub neuron: usize,
    /// With its parameters.
    pub activation: String,
    pub value: String,
    /// What it would give for the inputs that it had. None beside NaN and infinities.
    pub exact: Option<String>,
    pub over_the_reals: Option<String>,
    /// What it adds, zeros left out.
    pub terms: Vec<String>,
    pub terms_left_out: usize,
    /// The neurons below that are wrong already.
    pub takes: Vec<Source>,
    pub takes_left_out: usize,
    /// Its additions, if not from left to right.
    pub order: Option<String>,
    pub operations: Vec<Operation>,
    pub operations_left_out: usize,
}

#[derive(Serialize)]
pub struct Source {
    pub layer: usize,
    pub neuron: usize,
    pub value: String,
    pub over_the_reals: Option<String>,
}

/// What an explanation is made of.
pub struct Story<'a> {
    pub model: &'a PathModel,
    pub network: &'a Network,
    pub witness: &'a Witness,
    pub taken: &'a Trace,
    pub plain: &'a Trace,
    pub reals: &'a [Vec<Option<Rational>>],
}

impl Story<'_> {
    /// From the wrong output down to where the error comes from, told the other way round.
    pub fn tell(&self, at: Place) -> Explanation {
        let format = self.network.format();
        let Witness { output, value, .. } = *self.witness;
        let last = self.network.layers().len() - 1;
        // What is wrong over the reals too is told of all the way down.
        let blameless = real(format, value) == self.reals[last][output];
        let mut wanted = BTreeSet::from([output]);
        let mut told = Vec::new();
        let mut neurons_left_out = 0;
        for layer in (0..self.network.layers().len()).rev() {
            let mut below = BTreeSet::new();
            for &neuron in wanted.iter().rev() {
                below.extend(if blameless { self.inputs(layer, neuron) } else { self.sources(layer, neuron) });
                if told.len() < MOST {
                    told.push(self.neuron(layer, neuron));
                } else {
                    neurons_left_out += 1;
                }
            }
            wanted = below;
        }
        told.reverse();
        Explanation {
            at,
            output,
            given: exact_decimal(format, value),
            over_the_reals: self.reals[last][output].clone().map(exact_dyadic),
            plain: exact_decimal(format, self.plain.layers[last][output].value),
            neurons: told,
            neurons_left_out,
        }
    }

    /// The neurons below that are not as over the reals and enter with another weight than zero, or are not finite.
    fn sources(&self, layer: usize, neuron: usize) -> Vec<usize> {
        if layer == 0 {
            return Vec::new();
        }
        let format = self.network.format();
        let weighs = |(column, weight): (u32, Encoding)| {
            let (below, value) = (column as usize, self.taken.layers[layer - 1][column as usize].value);
            let real = real(format, value);
            let matters = !format.is_zero(weight) || real.is_none();
            (matters && (real.is_none() || real != self.reals[layer - 1][below])).then_some(below)
        };
        let columns: BTreeSet<usize> = self.network.layers()[layer].terms(neuron).filter_map(weighs).collect();
        columns.into_iter().collect()
    }

    /// The neurons below that are not zero and enter with another weight than zero.
    fn inputs(&self, layer: usize, neuron: usize) -> Vec<usize> {
        let format = self.network.format();
        let Some(below) = layer.checked_sub(1) else { return Vec::new() };
        let zero = |column: u32| format.is_zero(self.taken.layers[below][column as usize].value);
        let terms = self.network.layers()[layer].terms(neuron);
        terms.filter(|&(column, weight)| !format.is_zero(weight) && !zero(column)).map(|(c, _)| c as usize).collect()
    }

    fn neuron(&self, layer: usize, neuron: usize) -> Neuron {
        let format = self.network.format();
        let taken = &self.taken.layers[layer][neuron];
        let activation = self.network.layers()[layer].activation;
        let exact = of_neuron(format, activation, taken);
        let operations = Operations { format, model: self.model, activation, neuron: taken };
        let as_exact = exact.is_some() && exact == real(format, taken.value);
        // A neuron that makes what its inputs say of them is told of for its inputs alone.
        let mut inexact = if as_exact { Vec::new() } else { operations.inexact() };
        let operations_left_out = inexact.len().saturating_sub(MOST);
        inexact.truncate(MOST);
        let (mut terms, sources) = (self.terms(taken), self.sources(layer, neuron));
        let takes = sources.iter().take(MOST).map(|&below| Source {
            layer: layer - 1,
            neuron: below,
            value: exact_decimal(format, self.taken.layers[layer - 1][below].value),
            over_the_reals: self.reals[layer - 1][below].clone().map(exact_dyadic),
        });
        let terms_left_out = terms.len().saturating_sub(MOST);
        terms.truncate(MOST);
        Neuron {
            layer,
            neuron,
            activation: words::activation(format, activation),
            value: exact_decimal(format, taken.value),
            exact: exact.map(exact_dyadic),
            over_the_reals: self.reals[layer][neuron].clone().map(exact_dyadic),
            terms,
            terms_left_out,
            takes_left_out: sources.len().saturating_sub(MOST),
            takes: takes.collect(),
            order: operations.order(),
            operations: inexact,
            operations_left_out,
        }
    }

    /// What a neuron adds: products by number, equal ones in a row together, and the bias, unless they are zero.
    fn terms(&self, neuron: &NeuronTrace) -> Vec<String> {
        let format = self.network.format();
        let spell = |value| exact_decimal(format, value);
        let zero = |value| format.is_zero(value);
        let terms = neuron.sum.terms.iter().enumerate().filter(|(_, term)| {
            let (weight, input) = (zero(term.weight), zero(term.input));
            !(weight || input) || !(format.is_finite(term.weight) && format.is_finite(term.input))
        });
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (index, term) in terms {
            let factors = format!("{} * {}", spell(term.weight), spell(term.input));
            match runs.last_mut() {
                Some((_, last, same)) if *last + 1 == index && *same == factors => *last = index,
                _ => runs.push((index, index, factors)),
            }
        }
        let terms = runs.into_iter().map(|(first, last, factors)| match first == last {
            true => format!("p{first} = {factors}"),
            false => format!("p{first} to p{last} = {factors}"),
        });
        let bias = (!zero(neuron.sum.bias)).then(|| format!("b = {}", spell(neuron.sum.bias)));
        terms.chain(bias).collect()
    }
}
