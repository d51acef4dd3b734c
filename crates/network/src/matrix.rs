//! The matrices of sums: what they are is the terms of their rows, however they are stored.

use roundproof_format::Encoding;

use crate::{Encodings, Geometry, Taps};

/// The matrix of a sum, in one of several storages. [`Matrix::terms`] says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix(Storage);

/// How a matrix is stored. Evaluators may read it instead of the terms, which say what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The weights that there are.
    Sparse(Sparse),
    /// All weights.
    Dense(Dense),
    /// Weights that rows share.
    Convolution(Convolution),
}

/// A sparse matrix in compressed rows. A weight that is not stored is not a term; a stored zero is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sparse {
    /// Where each row starts in `columns` and `weights`; one more entry than rows.
    pub row_ptr: Vec<u64>,
    /// The input that each weight multiplies, ascending within a row.
    pub columns: Vec<u32>,
    /// The weights.
    pub weights: Encodings,
}

/// A matrix of which every weight is stored and is a term, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Inputs, the weights of a row.
    pub inputs: usize,
    /// The weights.
    pub weights: Encodings,
}

/// A convolution (a cross-correlation: the window is not mirrored). Inputs and outputs are channels of a grid, channel by
/// channel; the channels stand in groups, and an output channel reads the input channels of its group.
///
/// Row `r` is output channel `r / positions` at position `r % positions`. Its terms are the input channels of the group in
/// order, and of each the places of the window that lie on the grid. What lies in the padding is not a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// The grid of one channel, and the window.
    pub geometry: Geometry,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Groups, of as many input channels and as many output channels each.
    pub groups: usize,
    /// The weights: by output channel, then by input channel of the group, then by place of the window.
    pub weights: Encodings,
}

impl Convolution {
    fn inputs_of_group(&self) -> usize {
        self.inputs / self.groups
    }

    /// How many weights there have to be.
    pub(crate) fn weight_count(&self) -> Option<usize> {
        self.outputs.checked_mul(self.inputs_of_group())?.checked_mul(self.geometry.window())
    }

    /// The terms of a row: their columns, and where their weights are stored.
    pub fn places(&self, row: usize) -> Places<'_> {
        let (channel, position) = (row / self.geometry.positions(), row % self.geometry.positions());
        let group = channel / (self.outputs / self.groups);
        let inputs = self.inputs_of_group();
        Places {
            first_input: group * inputs,
            first_kernel: channel * inputs,
            inputs,
            taps: self.geometry.taps(position),
            at: 0,
        }
    }
}

/// The terms of one row of a [`Convolution`]: column, and place of the weight.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    first_input: usize,
    first_kernel: usize,
    inputs: usize,
    taps: Taps<'a>,
    at: usize,
}

impl Iterator for Places<'_> {
    type Item = (u32, usize);

    fn next(&mut self) -> Option<(u32, usize)> {
        let taps = self.taps.len();
        if self.at >= self.inputs * taps {
            return None;
        }
        let (input, tap) = (self.at / taps, self.at % taps);
        self.at += 1;
        let (in_window, in_grid) = self.taps.get(tap);
        let geometry = self.taps.geometry();
        let column = (self.first_input + input) * geometry.places() + in_grid;
        Some((column as u32, (self.first_kernel + input) * geometry.window() + in_window))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.inputs * self.taps.len() - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Places<'_> {}

/// The `(column, weight)` terms of one row of a [`Matrix`].
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    weights: &'a Encodings,
    places: Stored<'a>,
}

#[derive(Clone, Debug)]
enum Stored<'a> {
    Sparse { columns: &'a [u32], at: usize },
    Dense { column: u32, inputs: u32, at: usize },
    Convolution(Places<'a>),
}

impl Iterator for Terms<'_> {
    type Item = (u32, Encoding);

    #[inline]
    fn next(&mut self) -> Option<(u32, Encoding)> {
        let (column, at) = match &mut self.places {
            Stored::Sparse { columns, at } => {
                let (&column, rest) = columns.split_first()?;
                *columns = rest;
                *at += 1;
                (column, *at - 1)
            }
            Stored::Dense { column, inputs, at } => {
                if column == inputs {
                    return None;
                }
                (*column, *at) = (*column + 1, *at + 1);
                (*column - 1, *at - 1)
            }
            Stored::Convolution(places) => places.next()?,
        };
        Some((column, self.weights.get(at)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.places {
            Stored::Sparse { columns, at: _ } => columns.len(),
            Stored::Dense { column, inputs, at: _ } => (inputs - column) as usize,
            Stored::Convolution(places) => places.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Terms<'_> {}

impl Matrix {
    /// A matrix, stored like this. Whether its parts belong together is for [`Network::new`](crate::Network::of_steps) to say.
    pub const fn new(storage: Storage) -> Matrix {
        Matrix(storage)
    }

    /// How it is stored.
    pub const fn storage(&self) -> &Storage {
        &self.0
    }

    pub(crate) fn into_storage(self) -> Storage {
        self.0
    }

    /// The `(column, weight)` terms of row `row`, columns ascending.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[inline]
    pub fn terms(&self, row: usize) -> Terms<'_> {
        match &self.0 {
            Storage::Sparse(Sparse { row_ptr, columns, weights }) => {
                let stored = row_ptr[row] as usize..row_ptr[row + 1] as usize;
                Terms { weights, places: Stored::Sparse { at: stored.start, columns: &columns[stored] } }
            }
            Storage::Dense(Dense { inputs, weights }) => {
                Terms { weights, places: Stored::Dense { column: 0, inputs: *inputs as u32, at: row * inputs } }
            }
            Storage::Convolution(convolution) => {
                Terms { weights: &convolution.weights, places: Stored::Convolution(convolution.places(row)) }
            }
        }
    }

    /// The stored weights.
    pub fn weights(&self) -> &Encodings {
        match &self.0 {
            Storage::Sparse(sparse) => &sparse.weights,
            Storage::Dense(dense) => &dense.weights,
            Storage::Convolution(convolution) => &convolution.weights,
        }
    }

    /// Which stored bias is that of row `row`: the output channels of a convolution have one each.
    #[inline]
    pub fn bias_of(&self, row: usize) -> usize {
        match &self.0 {
            Storage::Sparse(_) | Storage::Dense(_) => row,
            Storage::Convolution(convolution) => row / convolution.geometry.positions(),
        }
    }

    /// How many rows there are, with this many biases.
    pub(crate) fn rows(&self, biases: usize) -> Option<usize> {
        match &self.0 {
            Storage::Sparse(_) | Storage::Dense(_) => Some(biases),
            Storage::Convolution(convolution) => convolution.geometry.positions().checked_mul(biases),
        }
    }
}

/// What a maximum is taken of: the columns of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Those that are listed, ascending and at least one in each row.
    Listed {
        /// Where each row starts in `columns`; one more entry than rows.
        row_ptr: Vec<u64>,
        /// Columns.
        columns: Vec<u32>,
    },
    /// What lies under a window that slides over the grid of each channel: max-pooling. What lies in the padding is not in it.
    Sliding {
        /// The grid of one channel, and the window.
        geometry: Geometry,
        /// Channels.
        channels: usize,
    },
}

/// The columns of one row of [`Windows`], ascending.
#[derive(Clone, Debug)]
pub struct Window<'a>(Listed<'a>);

#[derive(Clone, Debug)]
enum Listed<'a> {
    Listed(std::slice::Iter<'a, u32>),
    Sliding { first: usize, taps: Taps<'a>, at: usize },
}

impl Iterator for Window<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match &mut self.0 {
            Listed::Listed(columns) => columns.next().copied(),
            Listed::Sliding { first, taps, at } => {
                if *at >= taps.len() {
                    return None;
                }
                *at += 1;
                Some((*first + taps.get(*at - 1).1) as u32)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Listed::Listed(columns) => columns.len(),
            Listed::Sliding { first: _, taps, at } => taps.len() - at,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Window<'_> {}

impl Windows {
    /// The columns of row `row`.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn window(&self, row: usize) -> Window<'_> {
        Window(match self {
            Windows::Listed { row_ptr, columns } => {
                Listed::Listed(columns[row_ptr[row] as usize..row_ptr[row + 1] as usize].iter())
            }
            Windows::Sliding { geometry, channels: _ } => {
                let (channel, position) = (row / geometry.positions(), row % geometry.positions());
                Listed::Sliding { first: channel * geometry.places(), taps: geometry.taps(position), at: 0 }
            }
        })
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> Option<usize> {
        match self {
            Windows::Listed { row_ptr, columns: _ } => row_ptr.len().checked_sub(1),
            Windows::Sliding { geometry, channels } => geometry.positions().checked_mul(*channels),
        }
    }
}

#[cfg(test)]
mod tests {
    use roundproof_format::Format;

    use super::*;
    use crate::Axis;

    /// Written as loops over channels and places, the way that the operator is defined: ONNX, Conv; each weight is its own number.
    #[test]
    fn a_convolution_is_what_loops_over_channels_and_places_say() {
        let format = Format::BINARY32;
        for (inputs, outputs, groups) in [(1, 1, 1), (2, 3, 1), (4, 4, 2), (4, 2, 2), (6, 9, 3), (3, 6, 3)] {
            for (stride, dilation, before, after) in [(1, 1, 0, 0), (2, 1, 1, 0), (1, 2, 1, 2), (3, 2, 2, 2)] {
                let rows = Axis { size: 5, window: 2, stride, dilation, before, after };
                let columns = Axis { size: 4, window: 3, stride: 1, dilation: 1, before: after, after: before };
                let geometry = Geometry::new(vec![rows, columns]).unwrap();
                let of_group = inputs / groups;
                let weights =
                    Encodings::collect(format, (0..outputs * of_group * 6).map(|it| Encoding::from_bits(it as u128)));
                let counts = [rows.counted(), columns.counted()];
                let convolution = Convolution { geometry, inputs, outputs, groups, weights };
                let matrix = Matrix::new(Storage::Convolution(convolution));
                assert_eq!(matrix.rows(outputs), Some(outputs * counts[0] * counts[1]));
                for channel in 0..outputs {
                    let group = channel / (outputs / groups);
                    for y in 0..counts[0] {
                        for x in 0..counts[1] {
                            let mut expected = Vec::new();
                            for input in 0..of_group {
                                for (ky, kx) in (0..2).flat_map(|ky| (0..3).map(move |kx| (ky, kx))) {
                                    let at_y = (y * stride + ky * dilation).checked_sub(before).filter(|at| *at < 5);
                                    let at_x = (x + kx).checked_sub(after).filter(|at| *at < 4);
                                    if let (Some(at_y), Some(at_x)) = (at_y, at_x) {
                                        let column = ((group * of_group + input) * 5 + at_y) * 4 + at_x;
                                        let weight = ((channel * of_group + input) * 2 + ky) * 3 + kx;
                                        expected.push((column as u32, Encoding::from_bits(weight as u128)));
                                    }
                                }
                            }
                            let row = (channel * counts[0] + y) * counts[1] + x;
                            assert_eq!(matrix.terms(row).collect::<Vec<_>>(), expected, "{groups} groups, row {row}");
                            assert_eq!(matrix.terms(row).len(), expected.len());
                            assert_eq!(matrix.bias_of(row), channel);
                        }
                    }
                }
            }
        }
    }
}
