//! A network on one row, on one path.

use roundproof_format::{Class, Encoding};
use roundproof_network::{Dataset, Layer, ModelError, Network, PathError, PathModel, SumPath, Witness};
use thiserror::Error;

use crate::choose::{Chooser, FromWitness, Site};
use crate::machine::{Machine, Sum, SumTrace, Term};

/// Why a network has no value here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvaluateError {
    /// The format does not support the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A row of another length than the network's input dimension.
    #[error("{given} inputs for a network that takes {expected}")]
    Inputs {
        /// Inputs given.
        given: usize,
        /// The network's input dimension.
        expected: usize,
    },
    /// An input that is the encoding of no datum.
    #[error("input {column}: {bits:#x} is no datum of the format")]
    Datum {
        /// The input, from 0.
        column: usize,
        /// Its bits.
        bits: u128,
    },
    /// A path that the sum or the model does not have.
    #[error("layer {layer}, neuron {neuron}: {error}")]
    Path {
        /// The layer, from 0.
        layer: usize,
        /// The neuron in it, from 0.
        neuron: usize,
        /// What is wrong with it.
        error: PathError,
    },
    /// A data set of another format or shape than the network's.
    #[error("the data set does not fit the network: another format or dimension")]
    Dataset,
    /// A row, output or neuron that does not exist.
    #[error("the witness speaks of row {row}, output {output}, or of a neuron, that does not exist")]
    Witness {
        /// The witness's row.
        row: usize,
        /// The witness's output.
        output: usize,
    },
}

/// All that happened in one neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronTrace {
    /// What was added up.
    pub sum: Sum,
    /// The path taken.
    pub path: SumPath,
    /// What it gave, step by step.
    pub steps: SumTrace,
    /// The value after the activation.
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
    let mut values = inputs.to_vec();
    for index in 0..network.layers().len() {
        values = layer_values(network, &machine, index, &values, chooser)?;
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

/// The value that a witness's path gives at its output; whether it equals `witness.value`, and differs from the label,
/// is for the caller to compare.
///
/// # Errors
///
/// As [`evaluate`]; and if the data set does not fit the network, or the witness speaks of what does not exist.
pub fn replay(
    network: &Network,
    data: &Dataset,
    model: &PathModel,
    witness: &Witness,
) -> Result<Encoding, EvaluateError> {
    check_fit(network, data)?;
    let missing = EvaluateError::Witness { row: witness.row, output: witness.output };
    let listed = |path: &roundproof_network::NeuronPath| {
        network.layers().get(path.layer).is_some_and(|layer| path.neuron < layer.rows())
    };
    if witness.row >= data.rows() || witness.output >= data.outputs() || !witness.neurons.iter().all(listed) {
        return Err(missing);
    }
    let inputs = row_inputs(data, witness.row);
    let outputs = evaluate(network, &inputs, model, &mut FromWitness::new(witness))?;
    outputs.get(witness.output).copied().ok_or(missing)
}

pub(crate) fn check_fit(network: &Network, data: &Dataset) -> Result<(), EvaluateError> {
    let fits = data.format() == network.format()
        && data.dimension() == network.input_dimension()
        && data.outputs() == network.output_dimension();
    if fits { Ok(()) } else { Err(EvaluateError::Dataset) }
}

pub(crate) fn row_inputs(data: &Dataset, row: usize) -> Vec<Encoding> {
    (0..data.dimension()).map(|column| data.input(row, column)).collect()
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
    let terms = layer.terms(neuron).map(|(column, weight)| Term { weight, input: values[column as usize] }).collect();
    Sum { terms, bias: layer.bias.get(neuron) }
}

/// The values of layer `index` after its activation.
pub(crate) fn layer_values(
    network: &Network,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    let activation = network.layers()[index].activation;
    each_neuron(network, machine, index, values, chooser, |sum, path| {
        machine.activate(activation, machine.sum(&sum, path).value)
    })
}

fn layer_traces(
    network: &Network,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<NeuronTrace>, EvaluateError> {
    let activation = network.layers()[index].activation;
    each_neuron(network, machine, index, values, chooser, |sum, path| {
        let steps = machine.sum(&sum, path);
        let value = machine.activate(activation, steps.value);
        NeuronTrace { sum, path: path.clone(), steps, value }
    })
}

fn each_neuron<T>(
    network: &Network,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
    mut give: impl FnMut(Sum, &SumPath) -> T,
) -> Result<Vec<T>, EvaluateError> {
    let layer = &network.layers()[index];
    let mut results = Vec::with_capacity(layer.rows());
    for neuron in 0..layer.rows() {
        let sum = sum_of(layer, neuron, values);
        let path = chooser.choose(Site { layer: index, neuron }, &sum, machine);
        path.check(sum.terms.len(), machine.model()).map_err(|error| EvaluateError::Path {
            layer: index,
            neuron,
            error,
        })?;
        results.push(give(sum, &path));
    }
    Ok(results)
}
