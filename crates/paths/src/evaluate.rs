//! A network on one row, on one path.

use std::borrow::Cow;

use roundproof_format::{Class, Encoding, RoundingMode};
use roundproof_network::{Activation, Choice, Layer, Network, PathModel, TreePath, Witness};

use crate::blocks;
use crate::choose::{Chooser, FromWitness, Site};
use crate::error::EvaluateError;
use crate::machine::{Machine, Sum, SumTrace, Term};
use crate::targets::Targets;

/// All that happened in one neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronTrace {
    /// What was added up.
    pub sum: Sum,
    /// The path taken.
    pub path: TreePath,
    /// What it gave, step by step.
    pub steps: SumTrace,
    /// The value after the activation, one of those that it admits.
    pub value: Encoding,
}

/// All that happened in a network: its layers, each with its neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The neurons of every layer.
    pub layers: Vec<Vec<NeuronTrace>>,
}

/// The outputs of `network` on one row, on the path that `chooser` takes. An infinity or NaN among the inputs is an
/// input like any other.
///
/// ```
/// use roundproof_format::{Encoding, Format, RoundingMode};
/// use roundproof_network::{Activation, Layer, Network, PathModel};
/// use roundproof_paths::{Arrangement, Fixed, Plain, evaluate};
///
/// // 16 x + x - 16 for x = 1, in four bits of precision: 17 is no value.
/// let format = Format::FLOAT8_E4M3;
/// let [one, two, sixteen, minus_sixteen] = [0x38, 0x40, 0x58, 0xd8].map(Encoding::from_bits);
/// let mut layer = Layer::new(format, Activation::Relu);
/// layer.push([(0, sixteen), (1, one)], minus_sixteen);
/// let network = Network::new(format, 2, vec![layer])?;
/// let model = PathModel::all(format);
///
/// assert_eq!(evaluate(&network, &[one, one], &model, &mut Plain)?, [format.zero()]);
/// let mode = RoundingMode::TowardPositive;
/// let mut upward = Fixed { mode, arrangement: Arrangement::LeftToRight, contract: false, flush: false };
/// assert_eq!(evaluate(&network, &[one, one], &model, &mut upward)?, [two]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the format does not support the model, the inputs are not as many as the network takes or no data of the format,
/// or a chosen path is not in the model.
pub fn evaluate(
    network: &Network,
    inputs: &[Encoding],
    model: &PathModel,
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    let machine = machine_for(network, inputs, model)?;
    values(network, &machine, inputs, chooser)
}

/// [`evaluate`] for each of several rows, one after the other: in blocks, and much faster, where every neuron adds from
/// left to right in one direction and the host has the format's arithmetic.
///
/// # Errors
///
/// As [`evaluate`], for the first row that has one.
pub fn evaluate_rows(
    network: &Network,
    rows: &[&[Encoding]],
    model: &PathModel,
    chooser: &mut dyn Chooser,
) -> Result<Vec<Vec<Encoding>>, EvaluateError> {
    let machine = Machine::new(network.format(), model)?;
    rows.iter().try_for_each(|inputs| check_inputs(network, inputs))?;
    if let Some(mode) = in_order(network, &machine, chooser)
        && let Some(outputs) = blocks::in_order(&machine, network.layers(), rows, mode)
    {
        return Ok(outputs);
    }
    rows.iter().map(|inputs| values(network, &machine, inputs, chooser)).collect()
}

/// The one direction of every rounding in a network in which every neuron adds from left to right.
fn in_order(network: &Network, machine: &Machine, chooser: &dyn Chooser) -> Option<RoundingMode> {
    let mut modes = (0..network.layers().len()).map(|layer| chooser.in_order(layer, machine));
    let first = modes.next()??;
    modes.all(|mode| mode == Some(first)).then_some(first)
}

/// The outputs on one row of data.
pub(crate) fn values(
    network: &Network,
    machine: &Machine,
    inputs: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    if let Some(mode) = in_order(network, machine, chooser)
        && let Some(mut outputs) = blocks::in_order(machine, network.layers(), &[inputs], mode)
    {
        return Ok(outputs.remove(0));
    }
    let mut values = inputs.to_vec();
    for index in 0..network.layers().len() {
        values = layer_values(network, machine, index, &values, chooser)?;
    }
    Ok(values)
}

/// [`evaluate`], telling everything.
///
/// # Errors
///
/// As [`evaluate`].
pub fn trace(
    network: &Network,
    inputs: &[Encoding],
    model: &PathModel,
    chooser: &mut dyn Chooser,
) -> Result<Trace, EvaluateError> {
    let machine = machine_for(network, inputs, model)?;
    let mut values = inputs.to_vec();
    let mut layers = Vec::with_capacity(network.layers().len());
    for index in 0..network.layers().len() {
        let neurons = layer_traces(network, &machine, index, &values, chooser)?;
        values = neurons.iter().map(|neuron| neuron.value).collect();
        layers.push(neurons);
    }
    Ok(Trace { layers })
}

/// The value that a witness's path gives at its output; whether it equals `witness.value`, and is not right, is for the
/// caller to compare.
///
/// # Errors
///
/// As [`evaluate`]; and if the data set, or what else has the points, does not fit the network, or the witness speaks of what does not exist.
pub fn replay(
    network: &Network,
    targets: &dyn Targets,
    model: &PathModel,
    witness: &Witness,
) -> Result<Encoding, EvaluateError> {
    check_fit(network, targets)?;
    let missing = EvaluateError::Witness { at: witness.at.clone(), output: witness.output };
    let listed = |path: &roundproof_network::NeuronPath| {
        network.layers().get(path.layer).is_some_and(|layer| path.neuron < layer.rows())
    };
    let Some(point) = targets.find(&witness.at) else { return Err(missing) };
    if !witness.neurons.iter().all(listed) {
        return Err(missing);
    }
    let inputs = targets.inputs(point);
    let outputs = evaluate(network, &inputs, model, &mut FromWitness::new(witness))?;
    outputs.get(witness.output).copied().ok_or(missing)
}

pub(crate) fn check_fit(network: &Network, targets: &dyn Targets) -> Result<(), EvaluateError> {
    let dimensions = (network.input_dimension(), network.output_dimension());
    let fits = targets.format() == network.format() && targets.dimensions() == dimensions;
    if fits { Ok(()) } else { Err(EvaluateError::Dataset) }
}

/// The machine of `model`, after a look at the inputs.
fn machine_for(network: &Network, inputs: &[Encoding], model: &PathModel) -> Result<Machine, EvaluateError> {
    let machine = Machine::new(network.format(), model)?;
    check_inputs(network, inputs)?;
    Ok(machine)
}

fn check_inputs(network: &Network, inputs: &[Encoding]) -> Result<(), EvaluateError> {
    if inputs.len() != network.input_dimension() {
        return Err(EvaluateError::Inputs { given: inputs.len(), expected: network.input_dimension() });
    }
    let invalid = |encoding: &Encoding| network.format().class(*encoding) == Class::Invalid;
    match inputs.iter().position(invalid) {
        Some(column) => Err(EvaluateError::Datum { column, bits: inputs[column].bits() }),
        None => Ok(()),
    }
}

/// What neuron `neuron` of `layer` adds up when the layer below gave `values`.
pub(crate) fn sum_of(layer: &Layer, neuron: usize, values: &[Encoding]) -> Sum {
    Sum { terms: terms_of(layer, neuron, values).collect(), bias: layer.bias.get(neuron) }
}

fn terms_of<'a>(layer: &'a Layer, neuron: usize, values: &'a [Encoding]) -> impl Iterator<Item = Term> + 'a {
    layer.terms(neuron).map(|(column, weight)| Term { weight, input: values[column as usize] })
}

/// The values of layer `index` after its activation.
pub(crate) fn layer_values(
    network: &Network,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    let layer = &network.layers()[index];
    let in_order = chooser.in_order(index, machine);
    if let Some(mode) = in_order
        && let Some(mut results) = blocks::in_order(machine, std::slice::from_ref(layer), &[values], mode)
    {
        return Ok(results.remove(0));
    }
    let mut results = Vec::with_capacity(layer.rows());
    for neuron in 0..layer.rows() {
        let site = Site { layer: index, neuron };
        let plain = || chooser.is_plain(site).then(|| machine.plain_mode());
        results.push(if let Some(mode) = in_order.or_else(plain) {
            let sum = machine.in_order(terms_of(layer, neuron, values), layer.bias.get(neuron), mode);
            machine.activate_with(layer.activation, sum, Choice::plain(mode))
        } else {
            let sum = sum_of(layer, neuron, values);
            let sum = chooser.value(site, &sum, machine).map_err(|error| EvaluateError::Path {
                layer: index,
                neuron,
                error,
            })?;
            checked_value(machine, site, layer.activation, sum, chooser)?
        });
    }
    Ok(results)
}

fn layer_traces(
    network: &Network,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<NeuronTrace>, EvaluateError> {
    let layer = &network.layers()[index];
    let mut results = Vec::with_capacity(layer.rows());
    for neuron in 0..layer.rows() {
        let sum = sum_of(layer, neuron, values);
        let path = checked_path(machine, index, neuron, &sum, chooser)?.into_owned();
        let steps = machine.sum(&sum, &path);
        let value = checked_value(machine, Site { layer: index, neuron }, layer.activation, steps.value, chooser)?;
        results.push(NeuronTrace { sum, path, steps, value });
    }
    Ok(results)
}

/// The chosen path, which must be one of the sum and in the model.
fn checked_path<'a>(
    machine: &Machine,
    layer: usize,
    neuron: usize,
    sum: &Sum,
    chooser: &'a mut dyn Chooser,
) -> Result<Cow<'a, TreePath>, EvaluateError> {
    let path = chooser.choose(Site { layer, neuron }, sum, machine);
    match path.check(sum.terms.len(), machine.model()) {
        Ok(()) => Ok(path),
        Err(error) => Err(EvaluateError::Path { layer, neuron, error }),
    }
}

/// The chosen value of a neuron, which its activation must admit.
fn checked_value(
    machine: &Machine,
    Site { layer, neuron }: Site,
    activation: Activation,
    sum: Encoding,
    chooser: &mut dyn Chooser,
) -> Result<Encoding, EvaluateError> {
    let usual = machine.activate(activation, sum);
    match chooser.activate(Site { layer, neuron }, activation, sum, machine) {
        Some(value) if value != usual && !machine.activations(activation, sum).contains(&value) => {
            Err(EvaluateError::Activation { layer, neuron, activation, sum, value })
        }
        chosen => Ok(chosen.unwrap_or(usual)),
    }
}
