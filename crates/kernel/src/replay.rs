//! The rule `witness`: one path, replayed in exact arithmetic, that gives another value than is claimed.
//!
//! It is at a place of the domain of the claim: a row, or a point of the witness's own choice ([`at`]). The value that the path
//! gives there is not what the claim needs: another one than the label, or farther from the forest's than is allowed. The
//! network need not be a box network then, nor the path model one for which that rule stands.
//!
//! Operands are read in the format in which they stand: inputs in theirs, and so weights and biases, partial sums in
//! the accumulator's. A flush replaces a subnormal datum of that format by a zero of its sign, and leaves everything
//! else alone. For a contracted product, its own choice says how the factors are read and nothing else of it acts; of
//! the addition, the flush of the left operand, which is never formed, does not act.

use roundproof_exact::{Arithmetic, Value, order_key};
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{
    Accumulator, Choice, Network, Neuron, NeuronPath, Output, PathModel, Place, Site, SumPath, Summation, Terms,
    TreePath, Trees, Witness,
};

use crate::activation::Activations;
use crate::value::flush;
use crate::{Domain, ReplayRejection, exponent_is_moderate};

/// The inputs at the place of `witness`, if it is one of `domain`; and the value that its path gives there, which is what it
/// says.
///
/// # Errors
///
/// If it is at no such place, is not a path of `model`, or gives another value than it says.
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

pub(crate) fn exists(place: Place, is_there: bool) -> Result<(), ReplayRejection> {
    if is_there { Ok(()) } else { Err(ReplayRejection::Missing { place }) }
}

/// The value that the path of `witness` gives for these inputs, if it is a path of `model` and the value that it says.
fn value(
    model: &PathModel,
    network: &Network,
    inputs: Vec<Encoding>,
    witness: &Witness,
) -> Result<Encoding, ReplayRejection> {
    exists(Place::Output(Output(witness.output)), witness.output < network.output_dimension())?;
    let sites: Vec<Site> =
        witness.neurons.iter().map(|&NeuronPath { layer, neuron, .. }| Site { layer, neuron }).collect();
    for &site in &sites {
        let step = network.steps().get(site.layer);
        exists(Place::Site(site), step.is_some_and(|step| site.neuron < step.rows()))?;
    }
    if let Some(pair) = sites.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(ReplayRejection::Unordered { site: pair[1] });
    }

    let mut listed = witness.neurons.iter().peekable();
    let mut vectors = vec![inputs];
    for (layer, step) in network.steps().iter().enumerate() {
        let format = step.format();
        let model = &model.at(step.operands(), format).expect("the model was checked");
        let (replay, activations) = (Replay::new(model, step.operands(), format), Activations::new(model, format));
        let read = step.read(&vectors);
        let mut values = Vec::with_capacity(step.rows());
        for row in 0..step.rows() {
            let (neuron, site) = (step.neuron(row), Site { layer, neuron: row });
            let own = listed.next_if(|path| (path.layer, path.neuron) == (layer, row));
            if let Some(own) = own {
                let checked = own.path.check(&neuron, model);
                checked.map_err(|error| ReplayRejection::Path { site, error })?;
            }
            let plain;
            let path = match own {
                Some(own) => &own.path,
                None => {
                    plain = SumPath::plain(&neuron, model);
                    &plain
                }
            };
            let sum = replay.neuron(neuron, &read, path);
            let value = match own.and_then(|own| own.value) {
                None => activations.plain(step.activation(), sum),
                Some(value) if activations.admits(step.activation(), sum, value) => value,
                Some(value) => {
                    let [sum, value] = [sum, value].map(|encoding| Value { format, encoding });
                    return Err(ReplayRejection::Activation { site, sum, value });
                }
            };
            if order_key(format, value).is_some_and(|key| !exponent_is_moderate(format, key)) {
                return Err(ReplayRejection::Exponent { site });
            }
            values.push(value);
        }
        drop(read);
        vectors.push(values);
    }
    let given = vectors.last().expect("the inputs are one")[witness.output];
    if given != witness.value {
        let [given, said] = [given, witness.value].map(|encoding| Value { format: network.format(), encoding });
        return Err(ReplayRejection::Value { given, said });
    }
    Ok(given)
}

/// The arithmetic of one step.
struct Replay {
    /// Of weights, biases, and what they multiply.
    operands: Format,
    /// Of values.
    format: Format,
    accumulator: Format,
    sums: Arithmetic,
    own: Arithmetic,
}

impl Replay {
    /// `model` is that of the step.
    fn new(model: &PathModel, operands: Format, format: Format) -> Replay {
        // What the other fields allow is seen to by `SumPath::check`, and what they leave open is in the path.
        let PathModel { rounding: _, overflow: own, subnormals: _, summation } = *model;
        let Summation::Trees(Trees { order: _, contraction: _, accumulator }) = summation;
        let (accumulator, overflow) = match accumulator {
            Accumulator::Same => (format, own),
            Accumulator::Wider { format, overflow } => (format, overflow),
        };
        let arithmetic = |format, overflow| Arithmetic::new(format, overflow).expect("the model was checked");
        let (sums, own) = (arithmetic(accumulator, overflow), arithmetic(format, own));
        Replay { operands, format, accumulator, sums, own }
    }

    /// What a neuron gives before its activation, on a path that is one of it.
    fn neuron(&self, neuron: Neuron<'_>, inputs: &[Encoding], path: &SumPath) -> Encoding {
        match (neuron, path) {
            (Neuron::Sum { terms, bias }, SumPath::Tree(path)) => self.tree(terms, bias, inputs, path),
            (Neuron::Product(columns), SumPath::Product(choice)) => {
                self.product(columns.map(|column| inputs[column as usize]), *choice)
            }
            (Neuron::Maximum(window), SumPath::Maximum) => self.maximum(window.map(|column| inputs[column as usize])),
            (Neuron::Sum { terms: _, bias: _ }, SumPath::Product(_) | SumPath::Maximum)
            | (Neuron::Product(_), SumPath::Tree(_) | SumPath::Maximum)
            | (Neuron::Maximum(_), SumPath::Tree(_) | SumPath::Product(_)) => unreachable!("the path was checked"),
        }
    }

    /// An element-wise product: its factors are read in the format in which they stand, and it is rounded once.
    fn product(&self, factors: [Encoding; 2], choice: Choice) -> Encoding {
        let Choice { mode, flushes } = choice;
        let read = |flushed, factor| self.read(&self.own, self.format, flush(self.operands, flushed, factor));
        let [left, right] = [read(flushes.left, factors[0]), read(flushes.right, factors[1])];
        flush(self.format, flushes.result, self.own.multiply(mode, left, right).encoding)
    }

    /// The largest of some values, of which there is one at least: NaN if one is NaN, and +0 above -0.
    fn maximum(&self, values: impl Iterator<Item = Encoding>) -> Encoding {
        let mut largest: Option<(i128, bool, Encoding)> = None;
        for value in values {
            let Some(key) = order_key(self.format, value) else {
                return self.format.nan().expect("what has no place in the order is NaN");
            };
            let positive = !self.format.is_sign_minus(value);
            if largest.is_none_or(|(most, sign, _)| (most, sign) < (key, positive)) {
                largest = Some((key, positive, value));
            }
        }
        largest.expect("a maximum is of one value at least").2
    }

    /// The value of a sum on one tree, in the format of values.
    fn tree(&self, terms: Terms<'_>, bias: Encoding, inputs: &[Encoding], path: &TreePath) -> Encoding {
        // The factors of every product, then the terms in the order of their numbers.
        let factors: Vec<(Encoding, Encoding)> = terms
            .zip(&path.products)
            .map(|((column, weight), choice)| {
                let read = |flushed, operand| self.widen(flush(self.operands, flushed, operand));
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
        terms.push(self.widen(bias));
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

    /// An operand in the accumulator.
    fn widen(&self, encoding: Encoding) -> Encoding {
        self.read(&self.sums, self.accumulator, encoding)
    }

    /// An operand in a format that contains it.
    fn read(&self, arithmetic: &Arithmetic, format: Format, encoding: Encoding) -> Encoding {
        if format == self.operands {
            return encoding;
        }
        arithmetic.convert(RoundingMode::TowardZero, self.operands, encoding).encoding
    }
}

#[cfg(test)]
mod tests;
