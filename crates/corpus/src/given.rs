//! A network that a claim has in full, in whatever format.

use std::collections::BTreeMap;

use roundproof_exact::{Datum, Number, encode, parse_number};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Layer, Network};
use serde::Deserialize;

/// A neuron as it stands in a claim: weights by column, and a bias, as numbers in text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronText {
    #[serde(default)]
    weights: BTreeMap<String, String>,
    bias: String,
}

/// A network over the reals; in a format that has all its numbers, a network.
#[derive(Clone, Debug)]
pub struct GivenNetwork {
    layers: Vec<Vec<Neuron>>,
}

#[derive(Clone, Debug)]
struct Neuron {
    weights: BTreeMap<u32, Number>,
    bias: Number,
}

impl GivenNetwork {
    /// Reads its numbers.
    ///
    /// # Errors
    ///
    /// If there is no layer, or a column or a number is none.
    pub fn new(layers: &[Vec<NeuronText>]) -> Result<GivenNetwork, String> {
        if layers.is_empty() {
            return Err("layers: a network has at least one".to_string());
        }
        let number = |text: &String| parse_number(text).map_err(|error| format!("layers: `{text}` {error}"));
        let column = |text: &String| text.parse::<u32>().map_err(|_| format!("layers: `{text}` is not a column"));
        let neuron = |text: &NeuronText| {
            let weights = text.weights.iter().map(|(at, weight)| Ok((column(at)?, number(weight)?)));
            Ok::<_, String>(Neuron { weights: weights.collect::<Result<_, String>>()?, bias: number(&text.bias)? })
        };
        let layer = |neurons: &Vec<NeuronText>| neurons.iter().map(neuron).collect::<Result<Vec<_>, _>>();
        Ok(GivenNetwork { layers: layers.iter().map(layer).collect::<Result<_, _>>()? })
    }

    /// Whether its layers can have this activation, which is the identity for a network of one layer alone.
    ///
    /// # Errors
    ///
    /// If they cannot.
    pub fn check(&self, activation: Activation) -> Result<(), String> {
        match (self.layers.len() == 1, activation == Activation::Identity) {
            (true, false) => Err("layers: one layer is the identity: activations = [\"identity\"]".to_string()),
            (false, true) => Err("layers: hidden layers of the identity are not claimed about".to_string()),
            _ => Ok(()),
        }
    }

    /// The network in a format.
    ///
    /// # Errors
    ///
    /// If the format lacks one of its numbers, or it is not a network for so many inputs.
    pub fn in_format(&self, format: Format, activation: Activation, inputs: usize) -> Result<Network, String> {
        let value = |number: &Number| -> Result<Encoding, String> {
            let number = number.value();
            let value = match number == 0 {
                true => Some(format.zero()),
                false => encode(format, &Datum::Finite(number.clone())),
            };
            value.ok_or_else(|| format!("layers: {number} is not a value of {format}"))
        };
        let mut layers = Vec::new();
        for (index, neurons) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let mut layer = Layer::new(format, if last { Activation::Identity } else { activation });
            for neuron in neurons {
                let weights = neuron.weights.iter().map(|(&column, weight)| Ok((column, value(weight)?)));
                layer.push(weights.collect::<Result<Vec<_>, String>>()?, value(&neuron.bias)?);
            }
            layers.push(layer);
        }
        Network::new(format, inputs, layers).map_err(|error| format!("layers: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GivenNetwork, String> {
        let layers: BTreeMap<String, Vec<Vec<NeuronText>>> = toml::from_str(text).map_err(|error| error.to_string())?;
        GivenNetwork::new(&layers["layers"])
    }

    #[test]
    fn every_number_is_a_value_and_every_column_is_there() {
        let network = read("layers = [[{ weights = { 0 = \"4\", 1 = \"0\" }, bias = \"-0x1p-1\" }]]").unwrap();
        let made = network.in_format(Format::BFLOAT16, Activation::Identity, 2).unwrap();
        assert_eq!(
            (made.parameters(), made.as_layers().expect("layers")[0].terms(0).count()),
            (3, 2),
            "a stored zero is stored"
        );
        assert!(network.in_format(Format::BFLOAT16, Activation::Identity, 1).is_err(), "no second column");
        assert!(network.check(Activation::Relu).is_err());
        for (text, reason) in [
            ("layers = []", "at least one"),
            ("layers = [[{ weights = { x = \"4\" }, bias = \"0\" }]]", "not a column"),
            ("layers = [[{ weights = { 0 = \"four\" }, bias = \"0\" }]]", "`four`"),
            ("layers = [[{ weights = { 0 = \"4\" } }]]", "bias"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let error = read("layers = [[{ bias = \"0.1\" }]]").unwrap().in_format(Format::BFLOAT16, Activation::Relu, 1);
        assert!(error.unwrap_err().contains("not a value of bfloat16"));
    }
}
