//! A network on one row, on one path.

use std::borrow::Cow;

use roundproof_format::{Class, Encoding, RoundingMode};
use roundproof_network::{Activation, Choice, Network, Neuron, PathModel, Placed, SumPath, Terms, TreePath, Witness};

use crate::blocks;
use crate::choose::{Chooser, FromWitness, Site};
use crate::error::EvaluateError;
use crate::machine::{Machine, Sum, SumTrace, Term};
use crate::targets::Targets;

/// All that happened in one neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronTrace {
    /// What happened before the activation.
    pub computed: Computed,
    /// The value after the activation, one of those that it admits.
    pub value: Encoding,
}

/// All that happened in one neuron before its activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Computed {
    /// A sum of products.
    Sum {
        /// What was added up.
        sum: Sum,
        /// The path taken.
        path: TreePath,
        /// What it gave, step by step.
        steps: SumTrace,
    },
    /// The largest of some values.
    Maximum {
        /// The values.
        of: Vec<Encoding>,
        /// The largest.
        value: Encoding,
    },
    /// An element-wise product.
    Product {
        /// The factors.
        factors: [Encoding; 2],
        /// How it was rounded.
        choice: Choice,
        /// What it gave.
        value: Encoding,
    },
}

impl Computed {
    /// The path that led there.
    pub fn path(&self) -> SumPath {
        match self {
            Computed::Sum { sum: _, path, steps: _ } => SumPath::Tree(path.clone()),
            Computed::Maximum { of: _, value: _ } => SumPath::Maximum,
            Computed::Product { factors: _, choice, value: _ } => SumPath::Product(*choice),
        }
    }

    /// What the activation is applied to.
    pub fn value(&self) -> Encoding {
        match self {
            Computed::Sum { sum: _, path: _, steps } => steps.value,
            Computed::Maximum { of: _, value } | Computed::Product { factors: _, choice: _, value } => *value,
        }
    }
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
/// // 16 x + x - 16 for x = 1, in four bits of precision: 17 is not a value.
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
    let machines = machines_for(network, inputs, model)?;
    values(network, &machines, inputs, chooser)
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
    let machines = Machine::of_steps(network, model)?;
    rows.iter().try_for_each(|inputs| check_inputs(network, inputs))?;
    if let Some(mode) = in_order(&machines, chooser)
        && let Some(outputs) = blocks::network(network, &machines, rows, mode)
    {
        return Ok(outputs);
    }
    rows.iter().map(|inputs| values(network, &machines, inputs, chooser)).collect()
}

/// The one direction of every rounding in a network in which every neuron adds from left to right.
fn in_order(machines: &[Machine], chooser: &dyn Chooser) -> Option<RoundingMode> {
    let mut modes = machines.iter().enumerate().map(|(layer, machine)| chooser.in_order(layer, machine));
    let first = modes.next()??;
    modes.all(|mode| mode == Some(first)).then_some(first)
}

/// The outputs on one row of data. `machines` are those of the network's steps.
pub(crate) fn values(
    network: &Network,
    machines: &[Machine],
    inputs: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    if let Some(mode) = in_order(machines, chooser)
        && let Some(mut outputs) = blocks::network(network, machines, &[inputs], mode)
    {
        return Ok(outputs.remove(0));
    }
    let mut vectors = vec![inputs.to_vec()];
    for (index, step) in network.steps().iter().enumerate() {
        let values = step_values(step, &machines[index], index, &step.read(&vectors), chooser)?;
        vectors.push(values);
    }
    Ok(vectors.pop().unwrap_or_default())
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
    let machines = machines_for(network, inputs, model)?;
    let mut vectors = vec![inputs.to_vec()];
    let mut layers = Vec::with_capacity(network.steps().len());
    for (index, step) in network.steps().iter().enumerate() {
        let neurons = step_traces(step, &machines[index], index, &step.read(&vectors), chooser)?;
        vectors.push(neurons.iter().map(|neuron| neuron.value).collect());
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
    let Some(point) = targets.find(&witness.at) else { return Err(missing) };
    check_witness(network, model, witness)?;
    let inputs = targets.inputs(point);
    let outputs = evaluate(network, &inputs, model, &mut FromWitness::new(witness))?;
    outputs.get(witness.output).copied().ok_or(missing)
}

/// Whether the paths that a witness lists are paths of their neurons: trees of sums, roundings of products, nothing of a
/// maximum, and each in the model.
///
/// # Errors
///
/// The first that is not; and if the formats do not support the model, or a neuron does not exist.
pub fn check_witness(network: &Network, model: &PathModel, witness: &Witness) -> Result<(), EvaluateError> {
    for path in &witness.neurons {
        let (layer, neuron) = (path.layer, path.neuron);
        let step = network.steps().get(layer).filter(|step| neuron < step.rows());
        let step = step.ok_or_else(|| EvaluateError::Witness { at: witness.at.clone(), output: witness.output })?;
        let model = model.at(step.operands(), step.format())?;
        let checked = path.path.check(&step.neuron(neuron), &model);
        checked.map_err(|error| EvaluateError::Path { layer, neuron, error })?;
    }
    Ok(())
}

pub(crate) fn check_fit(network: &Network, targets: &dyn Targets) -> Result<(), EvaluateError> {
    let dimensions = (network.input_dimension(), network.output_dimension());
    let fits = targets.format() == network.format() && targets.dimensions() == dimensions;
    if fits { Ok(()) } else { Err(EvaluateError::Dataset) }
}

/// The machines of the steps, after a look at the inputs.
fn machines_for(network: &Network, inputs: &[Encoding], model: &PathModel) -> Result<Vec<Machine>, EvaluateError> {
    let machines = Machine::of_steps(network, model)?;
    check_inputs(network, inputs)?;
    Ok(machines)
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

/// What a neuron adds up when its step reads `values`.
pub(crate) fn sum_of(terms: Terms<'_>, bias: Encoding, values: &[Encoding]) -> Sum {
    Sum { terms: terms_of(terms, values).collect(), bias }
}

fn terms_of<'a>(terms: Terms<'a>, values: &'a [Encoding]) -> impl Iterator<Item = Term> + 'a {
    terms.map(|(column, weight)| Term { weight, input: values[column as usize] })
}

/// The values of a step, number `index`, after its activation, where it reads `values`.
pub(crate) fn step_values(
    step: &Placed,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<Encoding>, EvaluateError> {
    let in_order = chooser.in_order(index, machine);
    if let Some(mode) = in_order
        && let Some(results) = blocks::step(step, machine, values, mode)
    {
        return Ok(results);
    }
    let activation = step.activation();
    let mut results = Vec::with_capacity(step.rows());
    for neuron in 0..step.rows() {
        let site = Site { layer: index, neuron };
        let plain = || chooser.is_plain(site).then(|| machine.plain_mode());
        let given = in_order.or_else(plain);
        let choice = given.map(Choice::plain);
        let before = match (step.neuron(neuron), given) {
            (Neuron::Sum { terms, bias }, Some(mode)) => machine.in_order(terms_of(terms, values), bias, mode),
            (Neuron::Sum { terms, bias }, None) => {
                let sum = sum_of(terms, bias, values);
                let value = chooser.value(site, &sum, machine);
                value.map_err(|error| EvaluateError::Path { layer: index, neuron, error })?
            }
            (Neuron::Maximum(window), _) => machine.maximum(window.map(|column| values[column as usize])),
            (Neuron::Product(columns), _) => {
                let factors = columns.map(|column| values[column as usize]);
                let choice = choice.map_or_else(|| checked_choice(machine, site, factors, chooser), Ok)?;
                machine.multiply(factors, choice)
            }
        };
        results.push(match choice {
            Some(choice) => machine.activate_with(activation, before, choice),
            None => checked_value(machine, site, activation, before, chooser)?,
        });
    }
    Ok(results)
}

fn step_traces(
    step: &Placed,
    machine: &Machine,
    index: usize,
    values: &[Encoding],
    chooser: &mut dyn Chooser,
) -> Result<Vec<NeuronTrace>, EvaluateError> {
    let mut results = Vec::with_capacity(step.rows());
    for neuron in 0..step.rows() {
        let site = Site { layer: index, neuron };
        let computed = match step.neuron(neuron) {
            Neuron::Sum { terms, bias } => {
                let sum = sum_of(terms, bias, values);
                let path = checked_path(machine, index, neuron, &sum, chooser)?.into_owned();
                let steps = machine.sum(&sum, &path);
                Computed::Sum { sum, path, steps }
            }
            Neuron::Maximum(window) => {
                let of: Vec<Encoding> = window.map(|column| values[column as usize]).collect();
                Computed::Maximum { value: machine.maximum(of.iter().copied()), of }
            }
            Neuron::Product(columns) => {
                let factors = columns.map(|column| values[column as usize]);
                let choice = checked_choice(machine, site, factors, chooser)?;
                Computed::Product { factors, choice, value: machine.multiply(factors, choice) }
            }
        };
        let value = checked_value(machine, site, step.activation(), computed.value(), chooser)?;
        results.push(NeuronTrace { computed, value });
    }
    Ok(results)
}

/// The chosen rounding of a product, which must be in the model.
fn checked_choice(
    machine: &Machine,
    site: Site,
    factors: [Encoding; 2],
    chooser: &mut dyn Chooser,
) -> Result<Choice, EvaluateError> {
    let choice = chooser.product(site, factors, machine);
    let Site { layer, neuron } = site;
    choice.check(machine.model()).map_err(|error| EvaluateError::Path { layer, neuron, error })?;
    Ok(choice)
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
