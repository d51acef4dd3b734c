//! Constructions that are right over the reals, or one step short of right: what the corpus refutes.

mod counting;

use roundproof_format::{Encoding, Overflow, RoundingMode};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network, NetworkError};
use roundproof_softfloat::{Arithmetic, negate, order_key};

use crate::ConstructError;
use crate::scale::scaled;

pub use counting::{counted_ramps, counting_indicator};

/// The telescoping sum `y_1 + sum (y_i - y_(i-1)) * Step(x - z_i)` over the distinct inputs `z_1 < z_2 < …` of a data set
/// with one input and one label.
///
/// Over the reals it memorizes the data. In floating point the differences are rounded (ties-to-even) when they are
/// stored, and the partial sums when they are added.
///
/// # Errors
///
/// If the data set has another shape, no rows, or two rows with one input.
pub fn telescoping_sum(data: &Dataset) -> Result<Network, ConstructError> {
    if data.dimension() != 1 || data.outputs() != 1 {
        return Err(ConstructError::Unsuitable("the telescoping sum takes one input and gives one output"));
    }
    if data.rows() == 0 {
        return Err(ConstructError::Empty);
    }
    let format = data.format();
    let input_key = |row: usize| order_key(format, data.input(row, 0)).expect("stored values are finite");
    let mut rows: Vec<usize> = (0..data.rows()).collect();
    rows.sort_by_key(|&row| input_key(row));
    if let Some(pair) = rows.windows(2).find(|pair| input_key(pair[0]) == input_key(pair[1])) {
        return Err(ConstructError::Conflict { first: pair[0], second: pair[1], output: 0, format });
    }
    let arithmetic = Arithmetic::new(format, Overflow::Saturate).expect("every format saturates");
    let mut first = Layer::new(format, Activation::Step);
    let mut differences: Vec<(u32, Encoding)> = Vec::new();
    for pair in rows.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|row| data.label(row, 0));
        differences.push((first.rows() as u32, arithmetic.subtract(RoundingMode::TiesToEven, after, before).encoding));
        first.push([(0, format.one(false))], negate(format, data.input(pair[1], 0)));
    }
    if first.rows() == 0 {
        // One row needs no threshold; a layer needs a unit.
        first.push([], format.zero());
    }
    let mut last = Layer::new(format, Activation::Identity);
    last.push(differences, data.label(rows[0], 0));
    Ok(Network::new(format, 1, vec![first, last]).expect("a construction is well formed"))
}

/// A network with every weight stored, zeros where there was none: what a dense matrix product computes.
///
/// On finite values a stored zero changes nothing. Beside an infinity it makes NaN.
///
/// # Errors
///
/// If that takes more than 2^24 weights, or the network is more than layers, each over the one before.
pub fn dense(network: Network) -> Result<Network, ConstructError> {
    const MOST: usize = 1 << 24;
    let (format, inputs) = (network.format(), network.input_dimension());
    let mut columns = inputs;
    let mut layers = Vec::new();
    let given = network.as_layers().ok_or(ConstructError::Unsuitable(NOT_LAYERS))?;
    for layer in given {
        if layer.rows().saturating_mul(columns) > MOST {
            return Err(ConstructError::Unsuitable(
                "stored densely, the network has a layer of more than 2^24 weights",
            ));
        }
        let mut stored = Layer::new(format, layer.activation);
        for row in 0..layer.rows() {
            let mut weights = vec![format.zero(); columns];
            for (column, weight) in layer.terms(row) {
                weights[column as usize] = weight;
            }
            stored.push((0..).zip(weights), layer.bias.get(row));
        }
        columns = layer.rows();
        layers.push(stored);
    }
    Ok(Network::new(format, inputs, layers)?)
}

const NOT_LAYERS: &str = "the network is more than sparse layers, each over the one before";

/// A box network with every penalty `W` halved: one power of two too small wherever `W * K * gap` was 1.
///
/// # Errors
///
/// If the network is not one that could be a box network, or a halved weight is not a value of the format.
pub fn halve_penalties(network: Network) -> Result<Network, ConstructError> {
    let (format, inputs) = (network.format(), network.input_dimension());
    let mut layers = network.into_layers().ok_or(ConstructError::Unsuitable(NOT_LAYERS))?;
    let Some(second) = layers.get_mut(1) else {
        return Err(ConstructError::Unsuitable("a network with one layer has no penalties"));
    };
    let halved: Option<Vec<Encoding>> = second.weights.iter().map(|weight| scaled(format, weight, -1)).collect();
    let halved = halved.ok_or(ConstructError::Unsuitable("half of a penalty is not a value of the format"))?;
    second.weights = Encodings::collect(format, halved);
    Network::new(format, inputs, layers)
        .map_err(|_: NetworkError| ConstructError::Unsuitable("the weakened network is none"))
}
