//! Constructions that are right over the reals, or one step short of right: what the corpus refutes.

use std::collections::BTreeMap;

use roundproof_exact::{Datum, Rational, encode};
use roundproof_format::{Encoding, Overflow, RoundingMode};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network, NetworkError};
use roundproof_softfloat::{Arithmetic, negate, order_key};

use crate::ConstructError;
use crate::scale::scaled;

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

/// Indicators that count: of each row `z` with `d` columns, `Step(x_j - z_j) + Step(z_j - x_j)` summed over `j` and compared
/// with `2d`; then the labels, weighed by the indicators.
///
/// Over the reals it memorizes the data. In floating point the count is exact only up to `2^p`: beyond it, adding 1 may
/// leave a partial sum as it is, and the comparison fails.
///
/// # Errors
///
/// If there are no rows, no inputs or several labels, two rows have one input, or `2d` is no value of the format.
pub fn counting_indicator(data: &Dataset) -> Result<Network, ConstructError> {
    if data.outputs() != 1 || data.dimension() == 0 {
        return Err(ConstructError::Unsuitable("the counting indicator takes inputs and gives one output"));
    }
    if data.rows() == 0 {
        return Err(ConstructError::Empty);
    }
    let format = data.format();
    let mut seen = BTreeMap::new();
    for row in 0..data.rows() {
        let keys: Vec<Option<i128>> = (0..data.dimension()).map(|j| order_key(format, data.input(row, j))).collect();
        if let Some(first) = seen.insert(keys, row) {
            return Err(ConstructError::Conflict { first, second: row, output: 0, format });
        }
    }
    let bounds = Rational::from(2 * data.dimension());
    let count = encode(format, &Datum::Finite(-bounds))
        .ok_or(ConstructError::Unsuitable("the number of bounds, two for each input, is no value of the format"))?;
    let mut first = Layer::new(format, Activation::Step);
    let mut second = Layer::new(format, Activation::Step);
    let mut last = Layer::new(format, Activation::Identity);
    let one = format.one(false);
    for row in 0..data.rows() {
        let start = first.rows() as u32;
        for column in 0..data.dimension() {
            let value = data.input(row, column);
            first.push([(column as u32, one)], negate(format, value));
            first.push([(column as u32, negate(format, one))], value);
        }
        second.push((start..first.rows() as u32).map(|unit| (unit, one)), count);
    }
    last.push((0..data.rows()).map(|row| (row as u32, data.label(row, 0))), format.zero());
    Ok(Network::new(format, data.dimension(), vec![first, second, last]).expect("a construction is well formed"))
}

/// A box network with every penalty `W` halved: one power of two too small wherever `W * K * gap` was 1.
///
/// # Errors
///
/// If the network is not one that could be a box network, or a halved weight is no value of the format.
pub fn halve_penalties(network: Network) -> Result<Network, ConstructError> {
    let (format, inputs) = (network.format(), network.input_dimension());
    let mut layers = network.into_layers();
    let Some(second) = layers.get_mut(1) else {
        return Err(ConstructError::Unsuitable("a network with one layer has no penalties"));
    };
    let halved: Option<Vec<Encoding>> = second.weights.iter().map(|weight| scaled(format, weight, -1)).collect();
    let halved = halved.ok_or(ConstructError::Unsuitable("half of a penalty is no value of the format"))?;
    second.weights = Encodings::collect(format, halved);
    Network::new(format, inputs, layers)
        .map_err(|_: NetworkError| ConstructError::Unsuitable("the weakened network is none"))
}
