//! Which values a network can give on any path: an enclosure, never too small.
//!
//! Per neuron, inputs being sets of values ([`Reach`]) that are taken as independent of each other:
//!
//! - **left to right**, the set of the partial sum is carried along. Rounding is monotone in both operands, so the ends
//!   of a sum's range come from the ends of its operands': for inputs that are single values, and without flushes, the
//!   finite hull is exact.
//! - **any order**: terms that are zero on every path are left out (a sum with a zero is exact), then the grid bound
//!   ([`grid`]) is taken; unless that settles what the activation gives, and for at most [`SUBSET_TERMS`] remaining
//!   terms, the hull over all trees is built subset by subset ([`subsets`]), exact in the same sense.

mod grid;
mod set;
mod subsets;

use roundproof_format::Encoding;
use roundproof_network::{Activation, Network, Neuron, Order, PathModel, Placed};

use crate::error::EvaluateError;
use crate::machine::Machine;
use set::Summand;
pub use set::{Decision, Reach};

/// The most terms, zeros not counted, for which every tree is looked at.
pub(crate) const SUBSET_TERMS: usize = 8;

/// The number of terms up to which looking at every tree is cheaper than the grid bound.
const FEW_TERMS: usize = 3;

/// The set of values that each output of `network` can have on one row.
///
/// ```
/// use roundproof_format::{Encoding, Format};
/// use roundproof_network::{Activation, Layer, Network, PathModel};
/// use roundproof_paths::{Decision, reach};
///
/// // 16 x + x - 16 for x = 1, in four bits of precision: 17 is not a value.
/// let format = Format::FLOAT8_E4M3;
/// let [one, two, sixteen, minus_sixteen] = [0x38, 0x40, 0x58, 0xd8].map(Encoding::from_bits);
/// let mut layer = Layer::new(format, Activation::Identity);
/// layer.push([(0, sixteen), (1, one)], minus_sixteen);
/// let network = Network::new(format, 2, vec![layer])?;
///
/// let [output] = reach(&network, &[one, one], &PathModel::all(format))?[..] else { panic!() };
/// assert_eq!(output.finite, Some((format.zero(), two)));
/// assert_eq!(output.decides(format, format.zero()), Decision::Undecided);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the format does not support the model, or the inputs are not as many as the network takes.
pub fn reach(network: &Network, inputs: &[Encoding], model: &PathModel) -> Result<Vec<Reach>, EvaluateError> {
    let inputs: Vec<Reach> = inputs.iter().map(|&input| Reach::of(network.format(), input)).collect();
    let layers = reach_from(network, &inputs, model)?;
    Ok(layers.into_iter().next_back().unwrap_or(inputs))
}

/// The sets of values of all neurons, layer by layer, when each input is any value of its set.
///
/// # Errors
///
/// As [`reach`].
pub fn reach_from(network: &Network, inputs: &[Reach], model: &PathModel) -> Result<Vec<Vec<Reach>>, EvaluateError> {
    let machines = Machine::of_steps(network, model)?;
    if inputs.len() != network.input_dimension() {
        return Err(EvaluateError::Inputs { given: inputs.len(), expected: network.input_dimension() });
    }
    let mut vectors: Vec<Vec<Reach>> = vec![inputs.to_vec()];
    for (step, machine) in network.steps().iter().zip(&machines) {
        let read = step.read(&vectors);
        let values = (0..step.rows()).map(|neuron| neuron_reach(machine, step, neuron, &read)).collect();
        vectors.push(values);
    }
    Ok(vectors.split_off(1))
}

fn neuron_reach(machine: &Machine, step: &Placed, neuron: usize, read: &[Reach]) -> Reach {
    let value = match step.neuron(neuron) {
        Neuron::Sum { terms, bias } => {
            let terms: Vec<(Encoding, Reach)> = terms.map(|(column, weight)| (weight, read[column as usize])).collect();
            return sum_activated(machine, &terms, bias, step.activation());
        }
        Neuron::Maximum(window) => machine.reach_maximum(window.map(|column| read[column as usize])),
        Neuron::Product(columns) => machine.reach_multiplied(columns.map(|column| read[column as usize])),
    };
    machine.reach_activated(step.activation(), value)
}

/// The set of values of one sum, in the network's format: `terms` are weights with the sets of their inputs.
pub fn reach_sum(machine: &Machine, terms: &[(Encoding, Reach)], bias: Encoding) -> Reach {
    sum_activated(machine, terms, bias, Activation::Identity)
}

fn sum_activated(machine: &Machine, terms: &[(Encoding, Reach)], bias: Encoding, activation: Activation) -> Reach {
    let bias = Summand::bias(machine, bias, !terms.is_empty());
    let finish = |sum: Reach| machine.reach_activated(activation, machine.reach_round_out(sum));
    let products = terms.iter().map(|&(weight, input)| Summand::product(machine, weight, input));
    if machine.trees().order == Order::LeftToRight {
        return finish(left_to_right(machine, products, bias));
    }
    let summands: Vec<Summand> =
        products.chain([bias]).filter(|summand| !summand.is_zero(machine.accumulator())).collect();
    match summands[..] {
        [] => return finish(Reach::of(machine.accumulator(), machine.accumulator().zero())),
        [summand] => return finish(summand.rounded),
        _ => {}
    }
    if summands.len() <= FEW_TERMS {
        return finish(subsets::hull(machine, &summands));
    }
    let bound = finish(grid::bound(machine, &summands));
    if summands.len() > SUBSET_TERMS || bound.is_single(machine.format()) {
        return bound;
    }
    finish(subsets::hull(machine, &summands))
}

fn left_to_right(machine: &Machine, products: impl Iterator<Item = Summand>, bias: Summand) -> Reach {
    let mut summands = products.chain([bias]);
    // The first two summands may each be the contracted one.
    let (Some(first), second) = (summands.next(), summands.next()) else { return bias.rounded };
    let Some(second) = second else { return first.rounded };
    let mut sum = machine.reach_join(&first, &second);
    for summand in summands {
        sum = machine.reach_plus(sum, &summand);
    }
    sum
}

/// The grid bound alone, whatever the number of terms.
#[cfg(test)]
pub(crate) fn grid_for_tests(machine: &Machine, terms: &[(Encoding, Reach)], bias: Encoding) -> Reach {
    let products = terms.iter().map(|&(weight, input)| Summand::product(machine, weight, input));
    let summands: Vec<Summand> = products.chain([Summand::bias(machine, bias, !terms.is_empty())]).collect();
    let sum = if summands.len() < 2 { summands[0].rounded } else { grid::bound(machine, &summands) };
    machine.reach_round_out(sum)
}
