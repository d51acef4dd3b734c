//! The rule `witness`: one path, replayed in exact arithmetic, that gives another value than is claimed.
//!
//! It is at a place of the domain of the claim: a row, or a point of the witness's own choice ([`at`]). The value that the path
//! gives there is not what the claim needs: another one than the label, or farther from the forest's than is allowed. The
//! network need not be a box network then, nor the path model one for which that rule stands.
//!
//! Operands are read in the format in which they stand: weights, inputs and biases in the network's, partial sums in
//! the accumulator's. A flush replaces a subnormal datum of that format by a zero of its sign, and leaves everything
//! else alone. For a contracted product, its own choice says how the factors are read and nothing else of it acts; of
//! the addition, the flush of the left operand, which is never formed, does not act.

use roundproof_exact::{Arithmetic, order_key};
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{
    Accumulator, Choice, Layer, Network, PathModel, SumPath, Summation, TreePath, Trees, Witness,
};

use crate::activation::Activations;
use crate::value::flush;
use crate::{Domain, ReplayRejection, exponent_is_moderate};

/// The inputs at the place of `witness`, if it is one of `domain`; and the value that its path gives there, which is what it
/// says.
///
/// # Errors
///
/// If it is at no such place, is no path of `model`, or gives another value than it says.
pub fn at(
    model: &PathModel,
    network: &Network,
    domain: Domain<'_>,
    witness: &Witness,
) -> Result<(Vec<Encoding>, Encoding), ReplayRejection> {
    let inputs = domain.inputs(network, &witness.at)?;
    let given = value(model, network, inputs.clone(), witness)?;
    Ok((inputs, given))
}

pub(crate) fn exists(what: &'static str, index: usize, count: usize) -> Result<(), ReplayRejection> {
    if index < count { Ok(()) } else { Err(ReplayRejection::Missing { what, index }) }
}

/// The value that the path of `witness` gives for these inputs, if it is a path of `model` and the value that it says.
fn value(
    model: &PathModel,
    network: &Network,
    inputs: Vec<Encoding>,
    witness: &Witness,
) -> Result<Encoding, ReplayRejection> {
    exists("output", witness.output, network.output_dimension())?;
    for path in &witness.neurons {
        exists("layer", path.layer, network.layers().len())?;
        exists("neuron", path.neuron, network.layers()[path.layer].rows())?;
    }
    let place = |index: usize| (witness.neurons[index].layer, witness.neurons[index].neuron);
    if let Some(index) = (1..witness.neurons.len()).find(|&index| place(index - 1) >= place(index)) {
        let (layer, neuron) = place(index);
        return Err(ReplayRejection::Unordered { layer, neuron });
    }

    let mut listed = witness.neurons.iter().peekable();
    let replay = Replay::new(model, network.format());
    let activations = Activations::new(model, network.format());
    let mut values = inputs;
    for (index, layer) in network.layers().iter().enumerate() {
        let mut next = Vec::with_capacity(layer.rows());
        for neuron in 0..layer.rows() {
            let terms = layer.row(neuron).len();
            let own = listed.next_if(|path| (path.layer, path.neuron) == (index, neuron));
            if let Some(own) = own {
                own.path.check(terms, model).map_err(|error| ReplayRejection::Path { layer: index, neuron, error })?;
            }
            let plain;
            let path = match own {
                Some(own) => &own.path,
                None => {
                    plain = SumPath::plain(terms, model);
                    &plain
                }
            };
            let sum = replay.sum(layer, neuron, &values, path);
            let value = match own.and_then(|own| own.value) {
                None => activations.plain(layer.activation, sum),
                Some(value) if activations.admits(layer.activation, sum, value) => value,
                Some(value) => return Err(ReplayRejection::Activation { layer: index, neuron, sum, value }),
            };
            if order_key(network.format(), value).is_some_and(|key| !exponent_is_moderate(network.format(), key)) {
                return Err(ReplayRejection::Exponent { layer: index, neuron });
            }
            next.push(value);
        }
        values = next;
    }
    let given = values[witness.output];
    if given != witness.value {
        return Err(ReplayRejection::Value { given, said: witness.value });
    }
    Ok(given)
}

struct Replay {
    format: Format,
    accumulator: Format,
    sums: Arithmetic,
    own: Arithmetic,
}

impl Replay {
    fn new(model: &PathModel, format: Format) -> Replay {
        // What the other fields allow is seen to by `SumPath::check`, and what they leave open is in the path.
        let PathModel { rounding: _, overflow: own, subnormals: _, summation } = *model;
        let Summation::Trees(Trees { order: _, contraction: _, accumulator }) = summation;
        let (accumulator, overflow) = match accumulator {
            Accumulator::Same => (format, own),
            Accumulator::Wider { format, overflow } => (format, overflow),
        };
        let arithmetic = |format, overflow| Arithmetic::new(format, overflow).expect("the model was checked");
        Replay { format, accumulator, sums: arithmetic(accumulator, overflow), own: arithmetic(format, own) }
    }

    /// The sum of a neuron, in the network's format.
    fn sum(&self, layer: &Layer, neuron: usize, inputs: &[Encoding], path: &SumPath) -> Encoding {
        match path {
            SumPath::Tree(path) => self.tree(layer, neuron, inputs, path),
        }
    }

    /// The value of a sum on one tree, in the network's format.
    fn tree(&self, layer: &Layer, neuron: usize, inputs: &[Encoding], path: &TreePath) -> Encoding {
        // The factors of every product, then the terms in the order of their numbers.
        let factors: Vec<(Encoding, Encoding)> = layer
            .terms(neuron)
            .zip(&path.products)
            .map(|((column, weight), choice)| {
                let read = |flushed, operand| self.widen(flush(self.format, flushed, operand));
                (read(choice.flushes.left, weight), read(choice.flushes.right, inputs[column as usize]))
            })
            .collect();
        let mut terms: Vec<Encoding> = factors
            .iter()
            .zip(&path.products)
            .map(|(&(weight, input), choice)| {
                flush(self.accumulator, choice.flushes.result, self.sums.multiply(choice.mode, weight, input).encoding)
            })
            .collect();
        terms.push(self.widen(layer.bias.get(neuron)));
        for add in &path.additions {
            let Choice { mode, flushes } = add.choice;
            let right = flush(self.accumulator, flushes.right, terms[add.right as usize]);
            let sum = if add.contracted {
                let (weight, input) = factors[add.left as usize];
                self.sums.fused_multiply_add(mode, weight, input, right)
            } else {
                let left = flush(self.accumulator, flushes.left, terms[add.left as usize]);
                self.sums.add(mode, left, right)
            };
            terms.push(flush(self.accumulator, flushes.result, sum.encoding));
        }
        let sum = *terms.last().expect("the bias is a term");
        match path.narrowing {
            None => sum,
            Some(Choice { mode, flushes }) => {
                let operand = flush(self.accumulator, flushes.left, sum);
                flush(self.format, flushes.result, self.own.convert(mode, self.accumulator, operand).encoding)
            }
        }
    }

    /// A value of the network's format in the accumulator, which contains it.
    fn widen(&self, encoding: Encoding) -> Encoding {
        if self.accumulator == self.format {
            return encoding;
        }
        self.sums.convert(RoundingMode::TowardZero, self.format, encoding).encoding
    }
}
