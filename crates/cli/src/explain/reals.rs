//! What a network gives if nothing is rounded.

use roundproof_exact::{Datum, Rational, decode};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Network, Neuron, Placed};
use roundproof_paths::{Computed, NeuronTrace};

/// The real that an encoding stands for; none for an infinity or NaN.
pub fn real(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding).as_ref().and_then(Datum::rational)
}

/// Every neuron of every layer over the reals; none where an input is none.
pub fn layers(network: &Network, inputs: &[Encoding]) -> Vec<Vec<Option<Rational>>> {
    let mut vectors: Vec<Vec<Option<Rational>>> =
        vec![inputs.iter().map(|&input| real(network.format(), input)).collect()];
    for step in network.steps() {
        let (format, read) = (step.operands(), step.read(&vectors));
        let neuron = |row: usize| {
            let value = |column: u32| read[column as usize].as_ref();
            let computed = match step.neuron(row) {
                Neuron::Sum { terms, bias } => {
                    added(real(format, bias), terms.map(|(column, weight)| (real(format, weight), value(column))))
                }
                Neuron::Maximum(window) => largest(window.map(|column| value(column).cloned())),
                Neuron::Product([a, b]) => value(a).zip(value(b)).map(|(a, b)| Rational::from(a * b)),
            };
            activated(step.format(), step.activation(), computed)
        };
        let values = (0..step.rows()).map(neuron).collect();
        drop(read);
        vectors.push(values);
    }
    vectors.split_off(1)
}

/// What one neuron gives for the inputs that it had, if nothing in it is rounded.
pub fn of_neuron(step: &Placed, neuron: &NeuronTrace) -> Option<Rational> {
    let format = step.operands();
    let computed = match &neuron.computed {
        Computed::Sum { sum, path: _, steps: _ } => {
            let inputs: Vec<Option<Rational>> = sum.terms.iter().map(|term| real(format, term.input)).collect();
            let weights = sum.terms.iter().map(|term| real(format, term.weight));
            added(real(format, sum.bias), weights.zip(inputs.iter().map(Option::as_ref)))
        }
        Computed::Maximum { of, value: _ } => largest(of.iter().map(|&value| real(format, value))),
        Computed::Product { factors: [a, b], choice: _, value: _ } => {
            real(format, *a).zip(real(format, *b)).map(|(a, b)| a * b)
        }
    };
    activated(step.format(), step.activation(), computed)
}

fn largest(values: impl Iterator<Item = Option<Rational>>) -> Option<Rational> {
    values.collect::<Option<Vec<Rational>>>()?.into_iter().max()
}

fn added<'a>(
    bias: Option<Rational>,
    terms: impl Iterator<Item = (Option<Rational>, Option<&'a Rational>)>,
) -> Option<Rational> {
    let mut sum = bias?;
    for (weight, input) in terms {
        let (weight, input) = (weight?, input?);
        if weight != 0 && *input != 0 {
            sum += weight * input;
        }
    }
    Some(sum)
}

fn activated(format: Format, activation: Activation, sum: Option<Rational>) -> Option<Rational> {
    let sum = sum?;
    Some(match activation {
        Activation::Identity => sum,
        Activation::Relu if sum < 0 => Rational::new(),
        Activation::Relu => sum,
        Activation::Step => Rational::from(u32::from(sum >= 0)),
        Activation::LeakyRelu { slope } if sum < 0 => sum * real(format, slope)?,
        Activation::LeakyRelu { slope: _ } => sum,
        Activation::Clip { low, high } => Ord::clamp(sum, real(format, low)?, real(format, high)?),
        Activation::Sign => sum.signum(),
    })
}
