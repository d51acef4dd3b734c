//! Layers: sparse sums, each over the one before, as most constructions make them.

use std::ops::Range;

use roundproof_format::{Encoding, Format};

use crate::{Activation, Datatype, Encodings, Matrix, Op, Sparse, Step, Storage};

/// One layer to build a network of: a sparse matrix in compressed rows, a bias for every row, one activation.
///
/// Row `r` of the matrix is neuron `r`. A weight that is not stored is not a term of the neuron's sum; a stored zero is
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

    /// The step that this is over vector `vector`, in one format.
    pub fn step(self, format: Format, vector: usize) -> Step {
        let Layer { row_ptr, columns, weights, bias, activation } = self;
        let matrix = Matrix::new(Storage::Sparse(Sparse { row_ptr, columns, weights }));
        Step { op: Op::Sum { matrix, bias }, reads: vec![vector], datatype: Datatype::Float(format), activation }
    }

    /// The layer that a step is, if it is one over vector `vector`; for a step of a network that is all layers.
    pub(crate) fn of(step: Step, vector: usize) -> Option<Layer> {
        let Step { op, reads, datatype: Datatype::Float(_), activation } = step;
        match op {
            Op::Sum { matrix, bias } if reads[..] == [vector] => match matrix.into_storage() {
                Storage::Sparse(Sparse { row_ptr, columns, weights }) => {
                    Some(Layer { row_ptr, columns, weights, bias, activation })
                }
                Storage::Dense(_) | Storage::Convolution(_) => None,
            },
            Op::Sum { matrix: _, bias: _ } | Op::Maximum(_) | Op::Product => None,
        }
    }
}
