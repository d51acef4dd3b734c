//! A feed-forward network: steps over earlier vectors.

use roundproof_format::{Encoding, Format};
use thiserror::Error;

use crate::model::contains;
use crate::{
    Convolution, Dense, Encodings, Layer, MAX_LAYERS, MAX_NEURONS, Matrix, Op, Placed, Sparse, SparseLayer, Step,
    Storage, Windows, is_admitted,
};

/// A feed-forward network: a vector of inputs, and steps, each of which makes one more vector of earlier ones. The last
/// one is the outputs.
///
/// Inputs and outputs have one format, that of the network; vectors between them may have others. A *layer* is what a step is
/// called where people read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    format: Format,
    input_dimension: usize,
    steps: Vec<Placed>,
}

/// Why steps are not a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// No layer, no input, or too many layers.
    #[error("a network needs an input and 1 to {MAX_LAYERS} layers; this one has {inputs} inputs and {layers} layers")]
    Shape {
        /// Inputs.
        inputs: usize,
        /// Layers.
        layers: usize,
    },
    /// Many more values than are stored.
    #[error(
        "layer {layer}: with it an evaluation makes {values} values that nothing is stored of; at most {MAX_NEURONS} are supported"
    )]
    Neurons {
        /// The layer, from 0.
        layer: usize,
        /// How many there are.
        values: usize,
    },
    /// What a layer reads does not exist, or does not go together.
    #[error("layer {layer}: {what}")]
    Reads {
        /// The layer, from 0.
        layer: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The parts of a layer do not belong together.
    #[error("layer {layer}: {what}")]
    Layer {
        /// The layer, from 0.
        layer: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Parameters of an activation that it may not have.
    #[error("layer {layer}: {what}")]
    Activation {
        /// The layer, from 0.
        layer: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A row whose columns point nowhere or are not ascending.
    #[error("layer {layer}, row {row}: column {column} {what}")]
    Column {
        /// The layer, from 0.
        layer: usize,
        /// The row, from 0.
        row: usize,
        /// The offending column.
        column: u32,
        /// What is wrong with it.
        what: String,
    },
    /// A weight or bias that is not a finite value of the format.
    #[error(
        "layer {layer}, row {row}: the {what} {bits:#x} is not a finite value of {format} that a network may store"
    )]
    Value {
        /// The layer, from 0.
        layer: usize,
        /// The row, from 0.
        row: usize,
        /// `weight` or `bias`.
        what: &'static str,
        /// Its bits.
        bits: u128,
        /// The network's format.
        format: Format,
    },
}

impl Network {
    /// A network of these layers, each over the one before, in one format.
    ///
    /// # Errors
    ///
    /// As [`Network::of_steps`].
    pub fn new(format: Format, input_dimension: usize, layers: Vec<Layer>) -> Result<Network, NetworkError> {
        let steps = layers.into_iter().enumerate().map(|(vector, layer)| layer.step(format, vector)).collect();
        Network::of_steps(format, input_dimension, steps)
    }

    /// A network of these steps.
    ///
    /// # Errors
    ///
    /// If shapes disagree, a step reads what does not exist before it or vectors of several formats, a column points outside of
    /// what is read or is not ascending within its row, a stored number or parameter is not finite (or, in `F(p)`, has an
    /// exponent beyond +-2^20), bounds of an activation are not in order, a maximum or a product is in a format that does not
    /// allow it, or the outputs are not in the network's format.
    pub fn of_steps(format: Format, input_dimension: usize, steps: Vec<Step>) -> Result<Network, NetworkError> {
        if input_dimension == 0 || steps.is_empty() || steps.len() > MAX_LAYERS {
            return Err(NetworkError::Shape { inputs: input_dimension, layers: steps.len() });
        }
        let mut network = Network { format, input_dimension, steps: Vec::with_capacity(steps.len()) };
        let mut unstored = 0;
        for (index, step) in steps.into_iter().enumerate() {
            let placed = network.place(index, step)?;
            // Before anything is gone through that may be as long.
            unstored += unstored_values(&placed);
            if unstored > MAX_NEURONS {
                return Err(NetworkError::Neurons { layer: index, values: unstored });
            }
            check_op(index, &placed)?;
            network.steps.push(placed);
        }
        match network.steps.last() {
            Some(last) if last.format() != format => {
                let what =
                    format!("the outputs are in {}, and the inputs in {format}: they need one format", last.format());
                Err(NetworkError::Layer { layer: network.steps.len() - 1, what })
            }
            _ => Ok(network),
        }
    }

    /// The format of inputs and outputs.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many inputs it takes.
    pub fn input_dimension(&self) -> usize {
        self.input_dimension
    }

    /// How many outputs it gives.
    pub fn output_dimension(&self) -> usize {
        self.steps.last().map_or(self.input_dimension, Placed::rows)
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Placed] {
        &self.steps
    }

    /// The steps, to be changed and passed to [`Network::of_steps`] again.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps.into_iter().map(Placed::into_step).collect()
    }

    /// Where a column of what a step reads comes from: the vector, and the place in it.
    ///
    /// # Panics
    ///
    /// If there is no such step or column.
    pub fn source(&self, step: usize, column: u32) -> (usize, usize) {
        let mut place = column as usize;
        for &vector in &self.steps[step].step().reads {
            let width = vector.checked_sub(1).map_or(self.input_dimension, |before| self.steps[before].rows());
            if place < width {
                return (vector, place);
            }
            place -= width;
        }
        panic!("step {step} does not read column {column}")
    }

    /// The layers, the one at the input first, of a network that is nothing but sparse sums in one format, each over the one
    /// before.
    pub fn as_layers(&self) -> Option<Vec<SparseLayer<'_>>> {
        self.steps.iter().enumerate().map(|(vector, step)| step.as_layer(vector)).collect()
    }

    /// The layers of such a network, to be changed and passed to [`Network::new`] again.
    pub fn into_layers(self) -> Option<Vec<Layer>> {
        self.as_layers()?;
        self.into_steps().into_iter().enumerate().map(|(vector, step)| Layer::of(step, vector)).collect()
    }

    /// Stored weights and biases, zeros included.
    pub fn parameters(&self) -> usize {
        self.steps.iter().map(Placed::parameters).sum()
    }

    /// The step with the sizes that follow from those before it.
    fn place(&self, index: usize, step: Step) -> Result<Placed, NetworkError> {
        let wrong = |what: String| Err(NetworkError::Reads { layer: index, what });
        let (mut inputs, mut operands) = (0usize, None);
        for &vector in &step.reads {
            let (width, format) = match vector.checked_sub(1) {
                None => (self.input_dimension, self.format),
                Some(before) => match self.steps.get(before) {
                    Some(before) => (before.rows(), before.format()),
                    None => return wrong(format!("reads vector {vector}, and there are {} before it", index + 1)),
                },
            };
            if let Some(other) = operands.replace(format)
                && other != format
            {
                return wrong(format!(
                    "reads vectors of {other} and of {format}: a layer that rounds one of them is needed first"
                ));
            }
            inputs = inputs.saturating_add(width);
        }
        let Some(operands) = operands else { return wrong("reads no vector".to_string()) };
        if inputs > u32::MAX as usize {
            return wrong(format!("reads {inputs} values; at most {} are supported", u32::MAX));
        }
        let rows = match &step.op {
            Op::Sum { matrix, bias } => matrix.rows(bias.len()),
            Op::Maximum(windows) => windows.rows(),
            Op::Product => Some(inputs / 2),
        };
        match rows {
            Some(rows) if (1..=u32::MAX as usize).contains(&rows) => Ok(Placed::new(step, operands, inputs, rows)),
            rows => {
                let rows = rows.map_or("too many".to_string(), |rows| rows.to_string());
                Err(NetworkError::Layer { layer: index, what: format!("{rows} rows; 1 to {} are supported", u32::MAX) })
            }
        }
    }
}

/// How many values a step makes beyond those that numbers are stored of: its neurons, and the copy of what it reads if that is
/// several vectors.
fn unstored_values(placed: &Placed) -> usize {
    let copied = if placed.step().reads.len() > 1 { placed.inputs() } else { 0 };
    let made = if is_unstored(&placed.step().op) { placed.rows() } else { 0 };
    copied + made
}

/// Whether a step may have more neurons than numbers are stored of it.
fn is_unstored(op: &Op) -> bool {
    match op {
        Op::Sum { matrix, bias: _ } => match matrix.storage() {
            Storage::Sparse(_) | Storage::Dense(_) => false,
            Storage::Convolution(_) => true,
        },
        Op::Maximum(Windows::Listed { row_ptr: _, columns: _ }) => false,
        Op::Maximum(Windows::Sliding { geometry: _, channels: _ }) | Op::Product => true,
    }
}

fn check_op(index: usize, placed: &Placed) -> Result<(), NetworkError> {
    let wrong = |what: String| Err(NetworkError::Layer { layer: index, what });
    let (format, operands) = (placed.format(), placed.operands());
    if let Some(what) = placed.activation().flaw(format) {
        return Err(NetworkError::Activation { layer: index, what });
    }
    match &placed.step().op {
        Op::Sum { matrix, bias } => check_sum(index, placed, matrix, bias),
        Op::Maximum(windows) => {
            if format != operands {
                return wrong(format!(
                    "a maximum rounds nothing: it is in {operands}, as what it reads, and not in {format}"
                ));
            }
            match windows {
                Windows::Listed { row_ptr, columns } => {
                    check_rows(index, placed, row_ptr, columns)?;
                    match row_ptr.windows(2).position(|row| row[0] == row[1]) {
                        Some(row) => wrong(format!("row {row} is the maximum of no value")),
                        None => Ok(()),
                    }
                }
                Windows::Sliding { geometry, channels } => {
                    if geometry.places().checked_mul(*channels) != Some(placed.inputs()) {
                        let (places, inputs) = (geometry.places(), placed.inputs());
                        return wrong(format!(
                            "{channels} channels of {places} places are not the {inputs} values that it reads"
                        ));
                    }
                    match (0..geometry.positions()).find(|&position| geometry.taps(position).is_empty()) {
                        Some(position) => wrong(format!("the window at position {position} lies in the padding")),
                        None => Ok(()),
                    }
                }
            }
        }
        Op::Product => {
            if !contains(format, operands) {
                return wrong(format!(
                    "a product in {format} of values of {operands}, which {format} does not contain: a layer that rounds them is \
                     needed first, or one that rounds the product of {operands}"
                ));
            }
            let reads = &placed.step().reads;
            if reads.len() != 2 || !placed.inputs().is_multiple_of(2) {
                return wrong("a product is of two vectors of one size".to_string());
            }
            Ok(())
        }
    }
}

fn check_sum(index: usize, placed: &Placed, matrix: &Matrix, bias: &Encodings) -> Result<(), NetworkError> {
    let wrong = |what: String| Err(NetworkError::Layer { layer: index, what });
    let (format, weights) = (placed.operands(), matrix.weights());
    if !weights.fits(format) || !bias.fits(format) {
        return wrong(format!("weights and biases of {format} are stored in {} bits", format.storage_width()));
    }
    match matrix.storage() {
        Storage::Sparse(Sparse { row_ptr, columns, weights }) => {
            if row_ptr.len() != bias.len() + 1 || weights.len() != columns.len() {
                return wrong(format!(
                    "{} row pointers, {} biases, {} columns and {} weights do not belong together",
                    row_ptr.len(),
                    bias.len(),
                    columns.len(),
                    weights.len()
                ));
            }
            check_rows(index, placed, row_ptr, columns)?;
        }
        Storage::Dense(Dense { inputs, weights }) => {
            if *inputs != placed.inputs() || bias.len().checked_mul(*inputs) != Some(weights.len()) {
                return wrong(format!(
                    "{} weights, {inputs} in a row, and {} biases do not belong together, or with {} inputs",
                    weights.len(),
                    bias.len(),
                    placed.inputs()
                ));
            }
        }
        Storage::Convolution(convolution) => {
            let Convolution { geometry, inputs, outputs, groups, weights } = convolution;
            let divides = |channels: usize| *groups > 0 && channels.is_multiple_of(*groups);
            if !divides(*inputs) || !divides(*outputs) || *inputs == 0 {
                return wrong(format!("{inputs} channels in and {outputs} out are not of {groups} groups of one size"));
            }
            if geometry.places().checked_mul(*inputs) != Some(placed.inputs()) {
                let (places, read) = (geometry.places(), placed.inputs());
                return wrong(format!("{inputs} channels of {places} places are not the {read} values that it reads"));
            }
            if convolution.weight_count() != Some(weights.len()) || bias.len() != *outputs {
                return wrong(format!(
                    "{} weights and {} biases do not belong to {outputs} output channels, {} input channels each, and a window of {} \
                     places",
                    weights.len(),
                    bias.len(),
                    inputs / groups,
                    geometry.window()
                ));
            }
        }
    }
    // Row by row where there are rows of its own, so that the first wrong number is named by its row.
    let rows = match matrix.storage() {
        Storage::Sparse(_) | Storage::Dense(_) => placed.rows(),
        Storage::Convolution(_) => 0,
    };
    for row in 0..rows {
        for (_, weight) in matrix.terms(row) {
            check_value(format, index, row, "weight", weight)?;
        }
        check_value(format, index, row, "bias", bias.get(row))?;
    }
    if rows == 0 {
        let channel = |weight: usize| weight / (weights.len() / bias.len()).max(1);
        for (at, weight) in weights.iter().enumerate() {
            check_value(format, index, channel(at), "weight", weight)?;
        }
        for (row, bias) in bias.iter().enumerate() {
            check_value(format, index, row, "bias", bias)?;
        }
    }
    Ok(())
}

/// Checks that compressed rows are rows, and that columns exist and ascend in each.
fn check_rows(index: usize, placed: &Placed, row_ptr: &[u64], columns: &[u32]) -> Result<(), NetworkError> {
    let (rows, stored, inputs) = (placed.rows(), columns.len(), placed.inputs());
    if row_ptr[0] != 0 || row_ptr[rows] != stored as u64 || row_ptr.windows(2).any(|w| w[0] > w[1]) {
        let what = format!("row pointers must ascend from 0 to the {stored} stored weights");
        return Err(NetworkError::Layer { layer: index, what });
    }
    for row in 0..rows {
        let mut least = 0;
        for &column in &columns[row_ptr[row] as usize..row_ptr[row + 1] as usize] {
            let misplaced = |what| Err(NetworkError::Column { layer: index, row, column, what });
            if column as usize >= inputs {
                return misplaced(format!("is outside the {inputs} inputs of the layer"));
            }
            if u64::from(column) < least {
                return misplaced("is not above the one before it".to_string());
            }
            least = u64::from(column) + 1;
        }
    }
    Ok(())
}

fn check_value(
    format: Format,
    layer: usize,
    row: usize,
    what: &'static str,
    value: Encoding,
) -> Result<(), NetworkError> {
    if is_admitted(format, value) {
        Ok(())
    } else {
        Err(NetworkError::Value { layer, row, what, bits: value.bits(), format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Axis, Datatype, Geometry};

    const F: Format = Format::BFLOAT16;

    fn layer() -> Layer {
        let mut layer = Layer::new(F, Activation::Relu);
        layer.push([(0, F.one(false)), (1, F.one(true))], F.zero());
        layer.push([(1, F.one(false))], F.one(false));
        layer
    }

    fn rejected(inputs: usize, change: impl FnOnce(&mut Layer)) -> String {
        let mut layer = layer();
        change(&mut layer);
        Network::new(F, inputs, vec![layer]).unwrap_err().to_string()
    }

    #[test]
    fn a_network_counts_what_it_stores() {
        let network = Network::new(F, 2, vec![layer()]).expect("well formed");
        assert_eq!((network.parameters(), network.output_dimension()), (5, 2));
    }

    #[test]
    fn each_broken_invariant_is_named() {
        assert!(rejected(0, |_| ()).contains("0 inputs"));
        assert!(rejected(1, |_| ()).contains("outside the 1 inputs"));
        assert!(rejected(2, |l| l.columns[1] = 0).contains("not above"));
        assert!(rejected(2, |l| l.row_ptr[1] = 9).contains("must ascend"));
        assert!(rejected(2, |l| l.row_ptr[0] = 1).contains("must ascend"));
        assert!(rejected(2, |l| l.row_ptr.push(3)).contains("do not belong together"));
        assert!(rejected(2, |l| l.bias = Encodings::new(F)).contains("0 rows"));
        assert!(rejected(2, |l| l.weights.set(0, Encoding::from_bits(0x7f80))).contains("weight 0x7f80"));
        assert!(rejected(2, |l| l.bias.set(1, Encoding::from_bits(0x7fc0))).contains("bias 0x7fc0"));
        assert!(rejected(2, |l| l.weights = Encodings::from_store(crate::Store::U8(vec![0; 3]))).contains("16 bits"));
    }

    /// What a file of a few bytes can say: none of it is gone through.
    #[test]
    fn a_few_bytes_make_no_large_evaluation() {
        let step =
            |op, reads: Vec<usize>| Step { op, reads, datatype: Datatype::Float(F), activation: Activation::Identity };
        let rejected = |inputs: usize, step| Network::of_steps(F, inputs, vec![step]).unwrap_err().to_string();
        let many = u32::MAX as usize;
        let geometry = Geometry::new(vec![Axis::plain(many, 1)]).expect("a geometry");
        let pooling = step(Op::Maximum(Windows::Sliding { geometry, channels: 1 }), vec![0]);
        assert!(rejected(many, pooling).contains("4294967295 values that nothing is stored of"));
        assert!(rejected(1 << 27, step(Op::Product, vec![0, 0])).contains("402653184 values"));
        let mut layer = layer();
        layer.columns = vec![0, 1, 1];
        let several = Step { reads: vec![0; 1 << 26], ..layer.step(F, 0) };
        assert!(rejected(2, several).contains("134217728 values"));
    }

    #[test]
    fn exponents_of_unbounded_formats_are_bounded_in_storage() {
        let f = Format::unbounded(3).expect("a format");
        let value = |exponent: i64| Encoding::from_bits((((exponent + f.bias()) as u128) << 2) | 1);
        let with = |weight| {
            let mut layer = Layer::new(f, Activation::Identity);
            layer.push([(0, weight)], f.zero());
            Network::new(f, 1, vec![layer])
        };
        assert!(with(value(1 << 20)).is_ok() && with(value(-(1 << 20))).is_ok());
        assert!(with(value((1 << 20) + 1)).is_err());
    }
}
