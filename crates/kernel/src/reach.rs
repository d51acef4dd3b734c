//! The rule `paths`: an enclosure of the values of every neuron, on all paths at once, row by row.
//!
//! # The rule
//!
//! A neuron's inputs lie in intervals whose ends are data of the format. Each product lies between the rounded ends of
//! its exact interval, because rounding is monotone (R1). For the sum see [`sum`], for the activation
//! [`Activations::image`]. If at the end every output's interval is its label alone, and NaN was excluded everywhere, the network memorizes.
//!
//! The rule leans on no structure of the network and costs rows times weights. It can fail to establish a true claim:
//! intervals forget how values depend on each other. It does not cover flushed subnormals, nor values in `F(p)` with
//! exponents beyond [`MODERATE_EXPONENT`](crate::MODERATE_EXPONENT).

pub(crate) mod interval;
mod sum;

use roundproof_exact::Value;
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_network::{
    Accumulator, Activation, Contraction, Dataset, Network, Neuron, Order, Output, PathModel, Row, Site, Summation,
    Terms, Trees,
};
use rustc_hash::FxHashMap;

use crate::activation::Activations;
use crate::value::datum;
use crate::{ReachRejection, exponent_is_moderate, key, stored};
use interval::{Ends, Extended, Keys, Lost, Rounder};
use sum::{Additions, Floor, Summand};

/// The most one-term neurons, and the most bits of products, that are remembered at a time.
const MOST_UNITS: usize = 1 << 20;
const MOST_BITS: usize = 1 << 30;

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
    let format = network.format();
    // Steps over the same formats share what is remembered.
    let mut evaluators: Vec<Evaluator> = Vec::new();
    let mut of_step = Vec::new();
    for step in network.steps() {
        let formats = (step.operands(), step.format());
        let known = evaluators.iter().position(|evaluator| (evaluator.operands, evaluator.format) == formats);
        of_step.push(known.unwrap_or(evaluators.len()));
        if known.is_none() {
            let model = model.at(formats.0, formats.1).expect("the model was checked");
            evaluators.push(Evaluator::new(&model, formats.0, formats.1)?);
        }
    }
    for row in 0..data.rows() {
        progress(row, data.rows());
        let inputs = (0..data.dimension()).map(|column| Keys::point(key(format, data.input(row, column)))).collect();
        let mut vectors: Vec<Vec<Keys>> = vec![inputs];
        for (layer, step) in network.steps().iter().enumerate() {
            let (read, evaluator) = (step.read(&vectors), &mut evaluators[of_step[layer]]);
            let values = (0..step.rows())
                .map(|neuron| {
                    let enclosed = evaluator.neuron(step.neuron(neuron), step.activation(), &read);
                    enclosed.map_err(|lost| match lost {
                        Lost::Nan => ReachRejection::Nan { row: Row(row), site: Site { layer, neuron } },
                        Lost::Exponent => ReachRejection::Exponent { row: Row(row), site: Site { layer, neuron } },
                    })
                })
                .collect::<Result<_, _>>()?;
            drop(read);
            vectors.push(values);
        }
        let values = vectors.pop().unwrap_or_default();
        for (output, reached) in values.iter().enumerate() {
            let label = data.label(row, output);
            if *reached != Keys::point(key(format, label)) {
                let value = |encoding| Value { format, encoding };
                let between = Box::new((value(datum(format, reached.low)), value(datum(format, reached.high))));
                let (row, output, label) = (Row(row), Output(output), value(label));
                return Err(ReachRejection::Output { row, output, between, label });
            }
        }
    }
    progress(data.rows(), data.rows());
    Ok(())
}

/// Encloses neurons, and remembers products and one-term neurons, which repeat from row to row.
struct Evaluator {
    additions: Additions,
    /// Of weights, biases, and what they multiply.
    operands: Format,
    /// Of values.
    format: Format,
    /// The key of 1 among the operands.
    one: i128,
    activations: Activations,
    /// The one rounding of an element-wise product.
    own: Rounder,
    /// Into the accumulator.
    accumulate: Rounder,
    /// Out of a wider accumulator.
    narrow: Option<Rounder>,
    /// What step and sign, and what ReLU makes one value of.
    floors: Option<[Floor; 2]>,
    products: FxHashMap<(Encoding, Keys), u32>,
    summands: Vec<Summand>,
    bits: usize,
    units: FxHashMap<(Encoding, Encoding, Keys), Keys>,
}

impl Evaluator {
    /// Follows single additions, and so takes the model apart itself.
    fn new(model: &PathModel, operands: Format, format: Format) -> Result<Evaluator, ReachRejection> {
        let PathModel { rounding, overflow, subnormals, summation } = *model;
        let Summation::Trees(Trees { order, contraction, accumulator }) = summation;
        match subnormals {
            Subnormals::Gradual => {}
            Subnormals::Flush => return Err(ReachRejection::Flush),
        }
        let in_order = match order {
            Order::LeftToRight => true,
            Order::Any => false,
        };
        let contracted = match contraction {
            Contraction::None => false,
            Contraction::Any => true,
        };
        let own = Rounder::new(format, overflow, rounding);
        let (accumulate, narrow) = match accumulator {
            Accumulator::Same => (own.clone(), None),
            Accumulator::Wider { format, overflow } => (Rounder::new(format, overflow, rounding), Some(own.clone())),
        };
        let key_of_one = |format: Format| key(format, format.one(false));
        let minus_one = -key_of_one(accumulate.format);
        // Out of a wider accumulator, a sum however far below zero may become NaN.
        let floors =
            narrow.as_ref().is_none_or(Rounder::keeps_order).then_some([-1, 0].map(|key| Floor { key, minus_one }));
        let (products, summands, units) = (FxHashMap::default(), Vec::new(), FxHashMap::default());
        let (additions, one, activations) =
            (Additions { in_order, contracted }, key_of_one(operands), Activations::new(model, format));
        let bits = 0;
        Ok(Evaluator {
            additions,
            operands,
            format,
            one,
            activations,
            own,
            accumulate,
            narrow,
            floors,
            products,
            summands,
            bits,
            units,
        })
    }

    fn neuron(&mut self, neuron: Neuron<'_>, activation: Activation, inputs: &[Keys]) -> Result<Keys, Lost> {
        let sum = match neuron {
            Neuron::Sum { terms, bias } => self.unit_or_sum(terms, bias, activation, inputs)?,
            // Order and values are those of the operands, whose format it has.
            Neuron::Maximum(window) => {
                let inputs = window.map(|column| inputs[column as usize]);
                let larger = |a: Keys, b: Keys| Keys { low: a.low.max(b.low), high: a.high.max(b.high) };
                inputs.reduce(larger).expect("a maximum is of one value at least")
            }
            Neuron::Product(columns) => {
                self.own.round(&self.multiplied(columns.map(|column| inputs[column as usize]))?)?
            }
        };
        let value = self.activations.image(activation, sum)?;
        let moderate =
            [sum.low, sum.high, value.low, value.high].iter().all(|&key| exponent_is_moderate(self.format, key));
        if moderate { Ok(value) } else { Err(Lost::Exponent) }
    }

    /// The exact products of any values of two intervals. The least and the largest one are among those of ends.
    fn multiplied(&self, factors: [Keys; 2]) -> Result<Ends, Lost> {
        let [a, b] = factors.map(|keys| [keys.low, keys.high].map(|key| Extended::of_key(self.operands, key)));
        // An infinity is worth following only where it stays one, and where it is not multiplied by zero.
        let infinite = |ends: &[Extended; 2]| ends.iter().any(Extended::is_infinite);
        let zero = |keys: Keys| keys.low <= 0 && keys.high >= 0;
        if infinite(&a) || infinite(&b) {
            let kept = match self.own.overflow {
                Overflow::Ieee => true,
                Overflow::Saturate | Overflow::Nan => false,
            };
            if !kept || infinite(&a) && zero(factors[1]) || infinite(&b) && zero(factors[0]) {
                return Err(Lost::Nan);
            }
        }
        let mut corners: Vec<Extended> = a.iter().flat_map(|a| b.iter().map(|b| a.multiply(b))).collect();
        corners.sort();
        Ok((corners.remove(0), corners.pop().expect("three are left")))
    }

    fn unit_or_sum(
        &mut self,
        mut terms: Terms<'_>,
        bias: Encoding,
        activation: Activation,
        inputs: &[Keys],
    ) -> Result<Keys, Lost> {
        if terms.len() != 1 {
            return self.sum(terms, bias, inputs, activation);
        }
        let Some((column, weight)) = terms.next() else { return self.sum(terms, bias, inputs, activation) };
        let place = (weight, bias, inputs[column as usize]);
        if let Some(&sum) = self.units.get(&place) {
            return Ok(sum);
        }
        let sum = self.sum(std::iter::once((column, weight)), bias, inputs, Activation::Identity)?;
        if self.units.len() >= MOST_UNITS {
            self.units.clear();
        }
        self.units.insert(place, sum);
        Ok(sum)
    }

    /// The interval of a sum in the network's format. `activation` only tells what need not be known of it.
    fn sum(
        &mut self,
        terms: impl Iterator<Item = (u32, Encoding)>,
        bias: Encoding,
        inputs: &[Keys],
        activation: Activation,
    ) -> Result<Keys, Lost> {
        if self.bits > MOST_BITS {
            self.products.clear();
            self.summands.clear();
            self.bits = 0;
        }
        let mut nonzero = Vec::new();
        for (column, weight) in terms {
            let input = inputs[column as usize];
            // A finite weight times zero is a zero.
            if input != Keys::point(0) {
                let summand = self.product(weight, input)?;
                if !self.summands[summand as usize].is_zero() {
                    nonzero.push(summand);
                }
            }
        }
        // The bias is a product with 1.
        if !self.operands.is_zero(bias) {
            nonzero.push(self.product(bias, Keys::point(self.one))?);
        }
        let summands: Vec<&Summand> = nonzero.iter().map(|&summand| &self.summands[summand as usize]).collect();
        let floor = self.floors.and_then(|[negative, at_most_zero]| match activation {
            Activation::Step | Activation::Sign => Some(negative),
            Activation::Relu => Some(at_most_zero),
            Activation::Clip { low, high: _ } => (key(self.format, low) >= 0).then_some(at_most_zero),
            Activation::Identity | Activation::LeakyRelu { slope: _ } => None,
        });
        let sum = sum::enclose(self.additions, &self.accumulate, &summands, floor)?;
        let sum = match &self.narrow {
            None => sum,
            Some(narrow) => narrow.round(&self.accumulate.ends(sum))?,
        };
        let moderate = [sum.low, sum.high].iter().all(|&key| exponent_is_moderate(self.format, key));
        if moderate { Ok(sum) } else { Err(Lost::Exponent) }
    }

    /// The product of a weight and an interval, as a summand of the sum.
    fn product(&mut self, weight: Encoding, input: Keys) -> Result<u32, Lost> {
        if let Some(&summand) = self.products.get(&(weight, input)) {
            return Ok(summand);
        }
        let factor = stored(self.operands, weight);
        let (low, high) = (self.widen(input.low)?, self.widen(input.high)?);
        if factor == 0 && [&low, &high].iter().any(|end| end.is_infinite()) {
            return Err(Lost::Nan);
        }
        let (low, high) = (low.scale(&factor), high.scale(&factor));
        let exact = if factor < 0 { (high, low) } else { (low, high) };
        let new = Summand::new(self.additions, &self.accumulate, exact)?;
        let summand = self.summands.len() as u32;
        self.bits += new.size();
        self.summands.push(new);
        self.products.insert((weight, input), summand);
        Ok(summand)
    }

    /// An operand in the accumulator. Of an infinity, its overflow policy makes what it makes of one
    /// in any conversion. In an accumulator of the same format nothing is converted: an infinity, which an activation may have
    /// made, would be an operand of sums that know of none.
    fn widen(&self, key: i128) -> Result<Extended, Lost> {
        let value = Extended::of_key(self.operands, key);
        if !value.is_infinite() {
            return Ok(value);
        }
        let largest = match self.accumulate.overflow {
            Overflow::Ieee => return Ok(value),
            Overflow::Saturate if self.accumulate.format == self.operands => None,
            Overflow::Saturate => self.accumulate.largest.clone(),
            Overflow::Nan => None,
        };
        let largest = Extended::Finite(largest.ok_or(Lost::Nan)?);
        Ok(if value == Extended::Minus { largest.negate() } else { largest })
    }
}

#[cfg(test)]
mod tests;
