//! Which neurons carry the error to the output.

use std::collections::BTreeSet;

use roundproof_exact::Rational;
use roundproof_exact::text::{exact_decimal, exact_dyadic};
use roundproof_format::{Encoding, Format};
use roundproof_judge::point::Point;
use roundproof_network::{Network, PathModel, Witness};
use roundproof_paths::{Computed, NeuronTrace, Trace};
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
    /// The inputs, if they are not a row.
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
    /// `sum`, `maximum` or `product`.
    pub computes: &'static str,
    /// With its parameters.
    pub activation: String,
    pub value: String,
    /// What it would give for the inputs that it had. None beside NaN and infinities.
    pub exact: Option<String>,
    pub over_the_reals: Option<String>,
    /// What it adds, zeros left out; what it multiplies, or is the largest of.
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
    /// Of each layer.
    pub models: &'a [PathModel],
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
        let last = self.network.steps().len() - 1;
        // What is wrong over the reals too is told of all the way down.
        let blameless = real(format, value) == self.reals[last][output];
        let mut wanted = vec![BTreeSet::new(); last + 1];
        wanted[last].insert(output);
        let mut told = Vec::new();
        let mut neurons_left_out = 0;
        for layer in (0..=last).rev() {
            for neuron in std::mem::take(&mut wanted[layer]).into_iter().rev() {
                let below = if blameless { self.inputs(layer, neuron) } else { self.sources(layer, neuron) };
                for (before, below) in below {
                    wanted[before].insert(below);
                }
                if told.len() < MOST {
                    told.push(self.neuron(layer, neuron));
                } else {
                    neurons_left_out += 1;
                }
            }
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

    /// The layers and neurons below that enter, with their values; in the order of the columns, those with a weight of zero marked.
    fn below(&self, layer: usize, neuron: usize) -> Vec<((usize, usize), Encoding, bool)> {
        let step = &self.network.steps()[layer];
        let columns: Vec<(u32, bool)> = match step.neuron(neuron) {
            roundproof_network::Neuron::Sum { terms, bias: _ } => {
                terms.map(|(column, weight)| (column, step.operands().is_zero(weight))).collect()
            }
            roundproof_network::Neuron::Maximum(window) => window.map(|column| (column, false)).collect(),
            roundproof_network::Neuron::Product(columns) => columns.map(|column| (column, false)).to_vec(),
        };
        let below = columns.into_iter().filter_map(|(column, weightless)| {
            let (vector, place) = self.network.source(layer, column);
            let before = vector.checked_sub(1)?;
            Some(((before, place), self.taken.layers[before][place].value, weightless))
        });
        below.collect()
    }

    /// The neurons below that are not as over the reals and enter with another weight than zero, or are not finite.
    fn sources(&self, layer: usize, neuron: usize) -> BTreeSet<(usize, usize)> {
        let operands = self.network.steps()[layer].operands();
        let matters = |&((before, place), value, weightless): &((usize, usize), Encoding, bool)| {
            let real = real(operands, value);
            real.is_none() || !weightless && real != self.reals[before][place]
        };
        self.below(layer, neuron).into_iter().filter(matters).map(|(at, _, _)| at).collect()
    }

    /// The neurons below that are not zero and enter with another weight than zero.
    fn inputs(&self, layer: usize, neuron: usize) -> BTreeSet<(usize, usize)> {
        let operands = self.network.steps()[layer].operands();
        let below = self.below(layer, neuron).into_iter();
        below.filter(|&(_, value, weightless)| !weightless && !operands.is_zero(value)).map(|(at, _, _)| at).collect()
    }

    fn neuron(&self, layer: usize, neuron: usize) -> Neuron {
        let step = &self.network.steps()[layer];
        let (operands, format, activation) = (step.operands(), step.format(), step.activation());
        let taken = &self.taken.layers[layer][neuron];
        let exact = of_neuron(step, taken);
        let operations = Operations { operands, format, model: self.models[layer], activation, neuron: taken };
        let as_exact = exact.is_some() && exact == real(format, taken.value);
        // A neuron that makes what its inputs say of them is told of for its inputs alone.
        let mut inexact = if as_exact { Vec::new() } else { operations.inexact() };
        let operations_left_out = inexact.len().saturating_sub(MOST);
        inexact.truncate(MOST);
        let (mut terms, sources) = (terms(operands, taken), self.sources(layer, neuron));
        let takes = sources.iter().take(MOST).map(|&(layer, neuron)| Source {
            layer,
            neuron,
            value: exact_decimal(operands, self.taken.layers[layer][neuron].value),
            over_the_reals: self.reals[layer][neuron].clone().map(exact_dyadic),
        });
        let terms_left_out = terms.len().saturating_sub(MOST);
        terms.truncate(MOST);
        Neuron {
            layer,
            neuron,
            computes: match taken.computed {
                Computed::Sum { .. } => "sum",
                Computed::Maximum { .. } => "maximum",
                Computed::Product { .. } => "product",
            },
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
}

/// What a neuron adds: products by number, equal ones in a row together, and the bias, unless they are zero; or what it
/// multiplies, or is the largest of.
fn terms(format: Format, neuron: &NeuronTrace) -> Vec<String> {
    let spell = |value| exact_decimal(format, value);
    let zero = |value| format.is_zero(value);
    let sum = match &neuron.computed {
        Computed::Sum { sum, path: _, steps: _ } => sum,
        Computed::Maximum { of, value: _ } => return of.iter().map(|&value| spell(value)).collect(),
        Computed::Product { factors, choice: _, value: _ } => return factors.map(spell).to_vec(),
    };
    let terms = sum.terms.iter().enumerate().filter(|(_, term)| {
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
    let bias = (!zero(sum.bias)).then(|| format!("b = {}", spell(sum.bias)));
    terms.chain(bias).collect()
}
