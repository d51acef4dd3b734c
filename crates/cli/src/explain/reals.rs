//! What a network gives if nothing is rounded.

use roundproof_exact::{Datum, Rational, decode};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Network};
use roundproof_paths::NeuronTrace;

/// The real that an encoding stands for; none for an infinity or NaN.
pub fn real(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding).as_ref().and_then(Datum::rational)
}

/// Every neuron of every layer over the reals; none where an input is none.
pub fn layers(network: &Network, inputs: &[Encoding]) -> Vec<Vec<Option<Rational>>> {
    let format = network.format();
    let mut below: Vec<Option<Rational>> = inputs.iter().map(|&input| real(format, input)).collect();
    let mut layers = Vec::new();
    for layer in network.layers() {
        let neuron = |row: usize| {
            let terms =
                layer.terms(row).map(|(column, weight)| (real(format, weight), below[column as usize].as_ref()));
            activated(format, layer.activation, real(format, layer.bias.get(row)), terms)
        };
        below = (0..layer.rows()).map(neuron).collect();
        layers.push(below.clone());
    }
    layers
}

/// What one neuron gives for the inputs that it had, if nothing in it is rounded.
pub fn of_neuron(format: Format, activation: Activation, neuron: &NeuronTrace) -> Option<Rational> {
    let inputs: Vec<Option<Rational>> = neuron.sum.terms.iter().map(|term| real(format, term.input)).collect();
    let terms = neuron.sum.terms.iter().zip(&inputs).map(|(term, input)| (real(format, term.weight), input.as_ref()));
    activated(format, activation, real(format, neuron.sum.bias), terms)
}

fn activated<'a>(
    format: Format,
    activation: Activation,
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
