//! The steps of a network: what each computes, of which vectors, and in which data type.

use std::borrow::Cow;

use roundproof_format::{Encoding, Format};

use crate::{Activation, Encodings, Matrix, Sparse, Storage, Terms, Window, Windows};

/// What the values of a vector are. Whoever computes with them names every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datatype {
    /// Data of a floating-point format.
    Float(Format),
}

/// One step: a vector made of earlier ones, neuron by neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What each neuron computes.
    pub op: Op,
    /// The vectors that it reads, one behind the other: 0 is the inputs, `k` what step `k - 1` made. They are of one data type,
    /// and so are the stored numbers.
    pub reads: Vec<usize>,
    /// The data type of the values.
    pub datatype: Datatype,
    /// Applied to every row's result, in the data type of the values.
    pub activation: Activation,
}

/// What a step computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sums of products and a bias, formed as the path model says.
    Sum {
        /// The weights.
        matrix: Matrix,
        /// One for each row; of a convolution, one for each output channel.
        bias: Encodings,
    },
    /// The largest of several values. Nothing is rounded: the values have the data type of what is read. NaN if one is NaN, and
    /// +0 is above -0 (`maximum` of IEEE 754-2019, clause 9.6).
    Maximum(Windows),
    /// The products of two vectors, element by element, each rounded once, in the data type of the values, which contains that
    /// of the factors. An operation of the path model like any other: its direction, overflow policy and flushes are those of
    /// the model.
    Product,
}

impl Op {
    /// The name in files and in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Op::Sum { matrix: _, bias: _ } => "sum",
            Op::Maximum(_) => "maximum",
            Op::Product => "product",
        }
    }
}

/// One row of a step. Columns are places in what the step reads.
#[derive(Clone, Debug)]
pub enum Neuron<'a> {
    /// A sum of products, and its bias.
    Sum {
        /// Columns and weights.
        terms: Terms<'a>,
        /// The bias.
        bias: Encoding,
    },
    /// The largest of these columns.
    Maximum(Window<'a>),
    /// The product of two columns.
    Product([u32; 2]),
}

/// A step in its network: with the sizes that follow from the steps before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    step: Step,
    operands: Format,
    read: usize,
    rows: usize,
}

impl Placed {
    pub(crate) fn new(step: Step, operands: Format, read: usize, rows: usize) -> Placed {
        Placed { step, operands, read, rows }
    }

    /// The step.
    pub fn step(&self) -> &Step {
        &self.step
    }

    pub(crate) fn into_step(self) -> Step {
        self.step
    }

    /// How many neurons there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many values it reads.
    pub fn inputs(&self) -> usize {
        self.read
    }

    /// The activation.
    pub fn activation(&self) -> Activation {
        self.step.activation
    }

    /// The format of what it reads, and of its weights and biases.
    pub fn operands(&self) -> Format {
        self.operands
    }

    /// The format of its values, and of the parameters of its activation.
    pub fn format(&self) -> Format {
        let Datatype::Float(format) = self.step.datatype;
        format
    }

    /// What row `row` computes.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[inline]
    pub fn neuron(&self, row: usize) -> Neuron<'_> {
        match &self.step.op {
            Op::Sum { matrix, bias } => Neuron::Sum { terms: matrix.terms(row), bias: bias.get(matrix.bias_of(row)) },
            Op::Maximum(windows) => Neuron::Maximum(windows.window(row)),
            Op::Product => Neuron::Product([row as u32, (self.read / 2 + row) as u32]),
        }
    }

    /// The columns that row `row` reads.
    pub fn columns(&self, row: usize) -> Vec<u32> {
        match self.neuron(row) {
            Neuron::Sum { terms, bias: _ } => terms.map(|(column, _)| column).collect(),
            Neuron::Maximum(window) => window.collect(),
            Neuron::Product(columns) => columns.to_vec(),
        }
    }

    /// What the step reads, of the vectors so far.
    pub fn read<'v, T: Clone>(&self, vectors: &'v [Vec<T>]) -> Cow<'v, [T]> {
        match self.step.reads[..] {
            [only] => Cow::Borrowed(&vectors[only]),
            _ => Cow::Owned(self.step.reads.iter().flat_map(|&vector| &vectors[vector]).cloned().collect()),
        }
    }

    /// Stored numbers: weights and biases.
    pub fn parameters(&self) -> usize {
        match &self.step.op {
            Op::Sum { matrix, bias } => matrix.weights().len() + bias.len(),
            Op::Maximum(_) | Op::Product => 0,
        }
    }

    /// The step as a layer, if it is a sparse sum in one format over this vector alone.
    pub(crate) fn as_layer(&self, vector: usize) -> Option<SparseLayer<'_>> {
        let Step { op, reads, datatype: Datatype::Float(format), activation } = &self.step;
        if reads[..] != [vector] || *format != self.operands {
            return None;
        }
        match op {
            Op::Sum { matrix, bias } => match matrix.storage() {
                Storage::Sparse(Sparse { row_ptr, columns, weights }) => {
                    Some(SparseLayer { row_ptr, columns, weights, bias, activation: *activation })
                }
                Storage::Dense(_) | Storage::Convolution(_) => None,
            },
            Op::Maximum(_) | Op::Product => None,
        }
    }
}

/// A step that is a sparse sum over the vector before it, seen as a layer. See [`Network::as_layers`](crate::Network::as_layers).
#[derive(Clone, Copy, Debug)]
pub struct SparseLayer<'a> {
    /// As in [`Sparse`].
    pub row_ptr: &'a [u64],
    /// As in [`Sparse`].
    pub columns: &'a [u32],
    /// As in [`Sparse`].
    pub weights: &'a Encodings,
    /// One bias per row.
    pub bias: &'a Encodings,
    /// Applied to every row's sum.
    pub activation: Activation,
}

impl<'a> SparseLayer<'a> {
    /// How many neurons there are.
    pub fn rows(&self) -> usize {
        self.bias.len()
    }

    /// How many terms row `row` has.
    pub fn count(&self, row: usize) -> usize {
        (self.row_ptr[row + 1] - self.row_ptr[row]) as usize
    }

    /// The `(column, weight)` terms of row `row`.
    pub fn terms(&self, row: usize) -> impl ExactSizeIterator<Item = (u32, Encoding)> + use<'a> {
        let (columns, weights) = (self.columns, self.weights);
        let stored = self.row_ptr[row] as usize..self.row_ptr[row + 1] as usize;
        stored.map(move |index| (columns[index], weights.get(index)))
    }
}
