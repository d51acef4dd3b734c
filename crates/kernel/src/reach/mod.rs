//! The rule `paths`: an enclosure of the values of every neuron, on all paths at once, row by row.
//!
//! # The rule
//!
//! A neuron's inputs lie in intervals whose ends are data of the format. Each product lies between the rounded ends of
//! its exact interval, because rounding is monotone (R1). For the sum see [`sum`]. The activation is monotone. If at
//! the end every output's interval is its label alone, and NaN was excluded everywhere, the network memorizes.
//!
//! The rule leans on no structure of the network and costs rows times weights. It can fail to establish a true claim:
//! intervals forget how values depend on each other. It does not cover flushed subnormals.

mod interval;
mod sum;

use roundproof_exact::{Rational, decode, order_key};
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_network::{Accumulator, Activation, Dataset, Layer, Network, PathModel};
use rustc_hash::FxHashMap;

use crate::ReachRejection;
use interval::{Extended, Keys, MaybeNan, Rounder, encoding_of_key};
use sum::Leaf;

/// The most products that are remembered at a time.
const MEMORY: usize = 1 << 20;

/// Checks that on every path of `model`, every output of every row of `data` is its label.
///
/// # Errors
///
/// If an enclosure is wider than the label, NaN cannot be excluded, or the model flushes.
pub fn check(
    model: &PathModel,
    network: &Network,
    data: &Dataset,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), ReachRejection> {
    if model.subnormals == Subnormals::Flush {
        return Err(ReachRejection::Flush);
    }
    let format = network.format();
    let key = |encoding| order_key(format, encoding).expect("stored values are finite");
    let mut evaluator = Evaluator::new(model, format);
    for row in 0..data.rows() {
        progress(row, data.rows());
        let mut values: Vec<Keys> =
            (0..data.dimension()).map(|column| Keys::point(key(data.input(row, column)))).collect();
        for (index, layer) in network.layers().iter().enumerate() {
            values = (0..layer.rows())
                .map(|neuron| {
                    let nan = |MaybeNan| ReachRejection::Nan { row, layer: index, neuron };
                    evaluator.neuron(layer, neuron, &values).map_err(nan)
                })
                .collect::<Result<_, _>>()?;
        }
        for (output, reached) in values.iter().enumerate() {
            let label = data.label(row, output);
            if *reached != Keys::point(key(label)) {
                let [low, high] = [reached.low, reached.high].map(|key| encoding_of_key(format, key));
                return Err(ReachRejection::Output { row, output, low, high, label });
            }
        }
    }
    progress(data.rows(), data.rows());
    Ok(())
}

/// Encloses neurons, and remembers products and one-term neurons, which repeat from row to row.
struct Evaluator<'a> {
    model: &'a PathModel,
    format: Format,
    /// Into the accumulator.
    accumulate: Rounder,
    /// Out of a wider accumulator.
    narrow: Option<Rounder>,
    products: FxHashMap<(Encoding, Keys), u32>,
    leaves: Vec<Leaf>,
    units: FxHashMap<(Encoding, Encoding, Keys), Keys>,
}

impl<'a> Evaluator<'a> {
    fn new(model: &'a PathModel, format: Format) -> Evaluator<'a> {
        let own = Rounder { format, overflow: model.overflow, rounding: model.rounding };
        let (accumulate, narrow) = match model.accumulator {
            Accumulator::Same => (own, None),
            Accumulator::Wider { format, overflow } => (Rounder { format, overflow, ..own }, Some(own)),
        };
        let (products, leaves, units) = (FxHashMap::default(), Vec::new(), FxHashMap::default());
        Evaluator { model, format, accumulate, narrow, products, leaves, units }
    }

    fn neuron(&mut self, layer: &Layer, neuron: usize, inputs: &[Keys]) -> Result<Keys, MaybeNan> {
        if self.leaves.len() > MEMORY {
            self.products.clear();
            self.leaves.clear();
        }
        if self.units.len() > MEMORY {
            self.units.clear();
        }
        let bias = layer.bias.get(neuron);
        let mut terms = layer.terms(neuron);
        let sum = if terms.len() == 1
            && let Some((column, weight)) = terms.next()
        {
            let place = (weight, bias, inputs[column as usize]);
            match self.units.get(&place) {
                Some(&sum) => sum,
                None => {
                    let sum = self.sum(std::iter::once((column, weight)), bias, inputs, Activation::Identity)?;
                    self.units.insert(place, sum);
                    sum
                }
            }
        } else {
            self.sum(terms, bias, inputs, layer.activation)?
        };
        Ok(activate(layer.activation, sum, order_key(self.format, self.format.one(false)).expect("1 is a value")))
    }

    /// The interval of a sum in the network's format. `activation` only tells what need not be known of it.
    fn sum(
        &mut self,
        terms: impl Iterator<Item = (u32, Encoding)>,
        bias: Encoding,
        inputs: &[Keys],
        activation: Activation,
    ) -> Result<Keys, MaybeNan> {
        let mut nonzero = Vec::new();
        for (column, weight) in terms {
            let input = inputs[column as usize];
            // A finite weight times zero is a zero, and adding it changes nothing (R7).
            if input != Keys::point(0) {
                let leaf = self.product(weight, input)?;
                if !self.leaves[leaf as usize].is_zero() {
                    nonzero.push(leaf);
                }
            }
        }
        let mut leaves: Vec<&Leaf> = nonzero.iter().map(|&leaf| &self.leaves[leaf as usize]).collect();
        let bias = Leaf::exact(rational(self.format, bias));
        if !bias.is_zero() {
            leaves.push(&bias);
        }
        let below_zero_suffices = activation == Activation::Relu;
        let sum = sum::enclose(self.model, &self.accumulate, &leaves, below_zero_suffices)?;
        match &self.narrow {
            None => Ok(self.accumulate.keys(&sum)),
            Some(narrow) => narrow.round(&sum),
        }
    }

    /// The product of a weight and an interval, as a leaf of the sum.
    fn product(&mut self, weight: Encoding, input: Keys) -> Result<u32, MaybeNan> {
        if let Some(&leaf) = self.products.get(&(weight, input)) {
            return Ok(leaf);
        }
        let factor = rational(self.format, weight);
        let [low, high] = [input.low, input.high].map(|key| Extended::of_key(self.format, key));
        if factor == 0 && [&low, &high].iter().any(|end| end.is_infinite()) {
            return Err(MaybeNan);
        }
        let (low, high) = (low.scale(&factor), high.scale(&factor));
        let exact = if factor < 0 { (high, low) } else { (low, high) };
        let rounded = self.accumulate.round(&exact)?;
        let leaf = self.leaves.len() as u32;
        self.leaves.push(Leaf { rounded: self.accumulate.ends(rounded), exact });
        self.products.insert((weight, input), leaf);
        Ok(leaf)
    }
}

fn rational(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite")
}

fn activate(activation: Activation, sum: Keys, one: i128) -> Keys {
    let each = |key: i128| match activation {
        Activation::Identity => key,
        Activation::Relu => key.max(0),
        Activation::Step => {
            if key >= 0 {
                one
            } else {
                0
            }
        }
    };
    Keys { low: each(sum.low), high: each(sum.high) }
}

/// Whether an overflow gives NaN.
fn overflows_to_nan(overflow: Overflow) -> bool {
    overflow == Overflow::Nan
}
