//! A feed-forward network with sparse layers.

use std::ops::Range;

use roundproof_format::{Encoding, Format};
use thiserror::Error;

use crate::{Activation, Encodings, MAX_LAYERS, is_admitted};

/// One layer: a sparse matrix in compressed rows, a bias for every row, one activation.
///
/// Row `r` of the matrix is neuron `r`. A weight that is not stored is no term of the neuron's sum; a stored zero is
/// one (zero times infinity is NaN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Where each row starts in `columns` and `weights`; one more entry than rows.
    pub row_ptr: Vec<u64>,
    /// The input that each weight multiplies, ascending within a row.
    pub columns: Vec<u32>,
    /// The weights.
    pub weights: Encodings,
    /// One bias per row.
    pub bias: Encodings,
    /// Applied to every row's sum.
    pub activation: Activation,
}

impl Layer {
    /// An empty layer to push rows onto.
    pub fn new(format: Format, activation: Activation) -> Layer {
        Layer {
            row_ptr: vec![0],
            columns: Vec::new(),
            weights: Encodings::new(format),
            bias: Encodings::new(format),
            activation,
        }
    }

    /// Appends a neuron with these `(column, weight)` terms.
    pub fn push(&mut self, terms: impl IntoIterator<Item = (u32, Encoding)>, bias: Encoding) {
        for (column, weight) in terms {
            self.columns.push(column);
            self.weights.push(weight);
        }
        self.bias.push(bias);
        self.row_ptr.push(self.columns.len() as u64);
    }

    /// How many neurons there are.
    pub fn rows(&self) -> usize {
        self.bias.len()
    }

    /// Where the terms of row `row` stand in `columns` and `weights`.
    pub fn row(&self, row: usize) -> Range<usize> {
        self.row_ptr[row] as usize..self.row_ptr[row + 1] as usize
    }

    /// The `(column, weight)` terms of row `row`.
    pub fn terms(&self, row: usize) -> impl ExactSizeIterator<Item = (u32, Encoding)> + '_ {
        self.row(row).map(|index| (self.columns[index], self.weights.get(index)))
    }

    /// Weights and biases.
    pub fn parameters(&self) -> usize {
        self.weights.len() + self.bias.len()
    }
}

/// A feed-forward network over one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    format: Format,
    input_dimension: usize,
    layers: Vec<Layer>,
}

/// What makes layers no network.
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
    /// The vectors of a layer do not belong together.
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
    #[error("layer {layer}, row {row}: the {what} {bits:#x} is no finite value of {format} that a network may store")]
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
    /// A network of these layers.
    ///
    /// # Errors
    ///
    /// If shapes disagree, a column points outside the layer below or is not ascending within its row, a stored number or
    /// parameter is not finite (or, in `F(p)`, has an exponent beyond +-2^20), or bounds of an activation are not in order.
    pub fn new(format: Format, input_dimension: usize, layers: Vec<Layer>) -> Result<Network, NetworkError> {
        if input_dimension == 0 || layers.is_empty() || layers.len() > MAX_LAYERS {
            return Err(NetworkError::Shape { inputs: input_dimension, layers: layers.len() });
        }
        let mut inputs = input_dimension;
        for (index, layer) in layers.iter().enumerate() {
            check_layer(format, inputs, index, layer)?;
            inputs = layer.rows();
        }
        Ok(Network { format, input_dimension, layers })
    }

    /// The format of every number in and around the network.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many inputs it takes.
    pub fn input_dimension(&self) -> usize {
        self.input_dimension
    }

    /// How many outputs it gives.
    pub fn output_dimension(&self) -> usize {
        self.layers.last().map_or(self.input_dimension, Layer::rows)
    }

    /// The layers, the one at the input first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layers, to be changed and passed to [`Network::new`] again.
    pub fn into_layers(self) -> Vec<Layer> {
        self.layers
    }

    /// Stored weights and biases, zeros included.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Layer::parameters).sum()
    }
}

fn check_layer(format: Format, inputs: usize, index: usize, layer: &Layer) -> Result<(), NetworkError> {
    let wrong = |what: String| Err(NetworkError::Layer { layer: index, what });
    let (rows, stored) = (layer.rows(), layer.columns.len());
    if rows == 0 || rows > u32::MAX as usize {
        return wrong(format!("{rows} rows; 1 to {} are supported", u32::MAX));
    }
    if !layer.weights.fits(format) || !layer.bias.fits(format) {
        return wrong(format!("weights and biases of {format} are stored in {} bits", format.storage_width()));
    }
    if layer.row_ptr.len() != rows + 1 || layer.weights.len() != stored {
        return wrong(format!(
            "{} row pointers, {rows} biases, {stored} columns and {} weights do not belong together",
            layer.row_ptr.len(),
            layer.weights.len()
        ));
    }
    if layer.row_ptr[0] != 0 || layer.row_ptr[rows] != stored as u64 || layer.row_ptr.windows(2).any(|w| w[0] > w[1]) {
        return wrong(format!("row pointers must ascend from 0 to the {stored} stored weights"));
    }
    if let Some(what) = layer.activation.flaw(format) {
        return Err(NetworkError::Activation { layer: index, what });
    }
    for row in 0..rows {
        let mut least = 0;
        for (column, weight) in layer.terms(row) {
            let misplaced = |what| Err(NetworkError::Column { layer: index, row, column, what });
            if column as usize >= inputs {
                return misplaced(format!("is outside the {inputs} inputs of the layer"));
            }
            if u64::from(column) < least {
                return misplaced("is not above the one before it".to_string());
            }
            least = u64::from(column) + 1;
            check_value(format, index, row, "weight", weight)?;
        }
        check_value(format, index, row, "bias", layer.bias.get(row))?;
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
