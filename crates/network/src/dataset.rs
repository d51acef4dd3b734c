//! Rows of inputs and labels, rounded to a format.

use roundproof_format::{Encoding, Format};
use thiserror::Error;

use crate::{Encodings, is_admitted};

/// `n` rows of `d` inputs and `k` labels, all finite values of one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    format: Format,
    dimension: usize,
    outputs: usize,
    inputs: Encodings,
    labels: Encodings,
}

/// What makes two columns of encodings no data set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DatasetError {
    /// Lengths that are not a multiple of the dimensions, or disagree.
    #[error("{inputs} inputs and {labels} labels are not rows of {dimension} inputs and {outputs} labels")]
    Shape {
        /// Encodings among the inputs.
        inputs: usize,
        /// Encodings among the labels.
        labels: usize,
        /// Inputs per row.
        dimension: usize,
        /// Labels per row.
        outputs: usize,
    },
    /// The columns are stored in another width than the format's.
    #[error("values of {format} are stored in {width} bits")]
    Width {
        /// The data set's format.
        format: Format,
        /// Its storage width.
        width: u32,
    },
    /// An entry that is not a finite value of the format.
    #[error("row {row}, {what} {column}: {bits:#x} is not a finite value of {format} that a data set may hold")]
    Value {
        /// The row, from 0.
        row: usize,
        /// `input` or `label`.
        what: &'static str,
        /// The column among the inputs or labels, from 0.
        column: usize,
        /// The bits.
        bits: u128,
        /// The data set's format.
        format: Format,
    },
}

impl Dataset {
    /// A data set of row-major `inputs` (`d` a row) and `labels` (`k` a row).
    ///
    /// # Errors
    ///
    /// If the lengths make no whole rows, or an entry is not finite (or, in `F(p)`, has an exponent beyond +-2^20).
    pub fn new(
        format: Format,
        dimension: usize,
        outputs: usize,
        inputs: Encodings,
        labels: Encodings,
    ) -> Result<Dataset, DatasetError> {
        let rows = labels.len().checked_div(outputs).unwrap_or(0);
        if dimension == 0
            || outputs == 0
            || rows.checked_mul(dimension) != Some(inputs.len())
            || rows.checked_mul(outputs) != Some(labels.len())
        {
            return Err(DatasetError::Shape { inputs: inputs.len(), labels: labels.len(), dimension, outputs });
        }
        if !inputs.fits(format) || !labels.fits(format) {
            return Err(DatasetError::Width { format, width: format.storage_width() });
        }
        for (what, column, width) in [("input", &inputs, dimension), ("label", &labels, outputs)] {
            if let Some((index, value)) = column.iter().enumerate().find(|&(_, value)| !is_admitted(format, value)) {
                let (row, column) = (index / width, index % width);
                return Err(DatasetError::Value { row, what, column, bits: value.bits(), format });
            }
        }
        Ok(Dataset { format, dimension, outputs, inputs, labels })
    }

    /// The format of every entry.
    pub fn format(&self) -> Format {
        self.format
    }

    /// `n`: how many rows there are.
    pub fn rows(&self) -> usize {
        self.labels.len() / self.outputs
    }

    /// `d`: inputs per row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// `k`: labels per row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// All inputs, row-major.
    pub fn inputs(&self) -> &Encodings {
        &self.inputs
    }

    /// All labels, row-major.
    pub fn labels(&self) -> &Encodings {
        &self.labels
    }

    /// Input `column` of row `row`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn input(&self, row: usize, column: usize) -> Encoding {
        debug_assert!(column < self.dimension);
        self.inputs.get(row * self.dimension + column)
    }

    /// Label `column` of row `row`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn label(&self, row: usize, column: usize) -> Encoding {
        debug_assert!(column < self.outputs);
        self.labels.get(row * self.outputs + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: Format = Format::FLOAT8_E5M2;

    fn dataset(inputs: &[u128], labels: &[u128]) -> Result<Dataset, DatasetError> {
        let column = |bits: &[u128]| Encodings::collect(F, bits.iter().map(|&b| Encoding::from_bits(b)));
        Dataset::new(F, 2, 1, column(inputs), column(labels))
    }

    #[test]
    fn rows_are_counted_and_read() {
        let data = dataset(&[1, 2, 3, 4], &[5, 6]).expect("two rows");
        assert_eq!((data.rows(), data.dimension(), data.outputs()), (2, 2, 1));
        assert_eq!((data.input(1, 0).bits(), data.label(1, 0).bits()), (3, 6));
        assert_eq!(dataset(&[], &[]).map(|data| data.rows()), Ok(0));
    }

    #[test]
    fn partial_rows_and_special_values_are_refused() {
        assert!(matches!(dataset(&[1, 2, 3], &[5]), Err(DatasetError::Shape { .. })));
        let error = dataset(&[1, 2, 3, 4], &[5, 0x7c]).unwrap_err().to_string();
        assert!(error.starts_with("row 1, label 0: 0x7c"), "{error}");
        let error = dataset(&[1, 2, 3, 0x7d], &[5, 6]).unwrap_err().to_string();
        assert!(error.starts_with("row 1, input 1: 0x7d"), "{error}");
    }
}
