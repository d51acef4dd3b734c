//! Many rows at once, on paths that add from left to right in one direction, on the host's own arithmetic:
//! `roundproof_softfloat::slices` says why that is the same.
//!
//! What this gives is, encoding by encoding, what [`Machine::in_order`] gives neuron by neuron: that is the definition,
//! and all that there is for other formats, accumulators and overflow policies.

use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{Activation, Convolution, Encodings, Matrix, Network, Op, Placed, Sparse, Storage, Store};
use roundproof_softfloat::Standard;
use roundproof_softfloat::slices::{self, Block, Hardware, Rows, affine};

use crate::machine::Machine;

/// Rows that are computed together.
const LANES: usize = 32;

/// From this many rows on, as many as [`LANES`] take less time together than one by one.
const ENOUGH: usize = 6;

/// What all values for [`LANES`] rows may take, in bytes; else rows are computed one by one.
const ROOM: usize = 1 << 28;

/// An expression over the machine's format as a type, `$name`; none if the format is not one of the host's, overflows
/// differently or has a wider accumulator.
macro_rules! on_hardware {
    ($machine:expr, $name:ident => $value:expr) => {
        on_hardware!($machine, $name => $value;
            Bfloat16, Binary16, Binary32, Binary64, Float8E3m4, Float8E4m3, Float8E5m2)
    };
    ($machine:expr, $name:ident => $value:expr; $($format:ident),+) => {
        match ($machine.trees().accumulator, $machine.model().overflow) {
            $((roundproof_network::Accumulator::Same, roundproof_format::Overflow::Ieee)
                if [$machine.operands(), $machine.format()]
                    == [<roundproof_softfloat::$format as roundproof_softfloat::Standard>::FORMAT; 2] =>
            {
                type $name = roundproof_softfloat::$format;
                Some($value)
            })+
            _ => None,
        }
    };
}
pub(crate) use on_hardware;

/// The outputs of a network on each of `rows`, every neuron from left to right in `mode`; none if this is not the host's
/// arithmetic throughout, or a step is not a sum with an activation that is a [`Function`].
pub(crate) fn network(
    network: &Network,
    machines: &[Machine],
    rows: &[&[Encoding]],
    mode: RoundingMode,
) -> Option<Vec<Vec<Encoding>>> {
    let machine = machines.first()?;
    let in_one_format =
        |machine: &Machine| (machine.operands(), machine.format()) == (network.format(), network.format());
    if !machines.iter().all(in_one_format) {
        return None;
    }
    let sums: Vec<Sum<'_>> = network.steps().iter().map(Sum::of).collect::<Option<_>>()?;
    on_hardware!(machine, H => in_chunks::<H>(&sums, rows, mode))
}

/// The values of one step, likewise.
pub(crate) fn step(step: &Placed, machine: &Machine, values: &[Encoding], mode: RoundingMode) -> Option<Vec<Encoding>> {
    let sum = Sum::of(step)?;
    on_hardware!(machine, H => {
        let values = sum.values::<H, 1>(mode, &block::<H, 1>(&[values]));
        (0..values.len()).map(|row| encoding(values.get(row)[0])).collect()
    })
}

/// A step that is a sum.
struct Sum<'a> {
    reads: &'a [usize],
    matrix: &'a Matrix,
    bias: &'a Encodings,
    rows: usize,
    function: Function,
}

impl<'a> Sum<'a> {
    fn of(placed: &'a Placed) -> Option<Sum<'a>> {
        let (step, rows, function) = (placed.step(), placed.rows(), Function::of(placed.activation())?);
        match &step.op {
            Op::Sum { matrix, bias } => Some(Sum { reads: &step.reads, matrix, bias, rows, function }),
            Op::Maximum(_) | Op::Product => None,
        }
    }

    /// The values, where these are read.
    fn values<H: Hardware, const L: usize>(&self, mode: RoundingMode, read: &Block<H::Bits, L>) -> Block<H::Bits, L>
    where
        H::Bits: Stored,
    {
        let activate = |elements: &mut [H::Bits; L]| activate::<H>(self.function, elements);
        let (weights, bias) = (H::Bits::stored(self.matrix.weights()), H::Bits::stored(self.bias));
        match self.matrix.storage() {
            Storage::Sparse(sparse) => affine::<H, _, L>(mode, &SparseRows { sparse, weights, bias }, read, activate),
            Storage::Dense(dense) => {
                affine::<H, _, L>(mode, &DenseRows { inputs: dense.inputs, weights, bias }, read, activate)
            }
            Storage::Convolution(convolution) => {
                let rows = ConvolutionRows { convolution, rows: self.rows, matrix: self.matrix, weights, bias };
                affine::<H, _, L>(mode, &rows, read, activate)
            }
        }
    }
}

fn in_chunks<H: Hardware>(sums: &[Sum<'_>], rows: &[&[Encoding]], mode: RoundingMode) -> Vec<Vec<Encoding>>
where
    H::Bits: Stored,
{
    let values = sums.iter().map(|sum| sum.rows).fold(0, usize::saturating_add);
    let fits = values.saturating_mul(LANES * size_of::<H::Bits>()) <= ROOM;
    let mut outputs = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(LANES) {
        if fits && chunk.len() >= ENOUGH {
            outputs.extend(together::<H, LANES>(sums, chunk, mode));
        } else {
            outputs.extend(chunk.chunks(1).flat_map(|row| together::<H, 1>(sums, row, mode)));
        }
    }
    outputs
}

/// At most `L` rows.
fn together<H: Hardware, const L: usize>(
    sums: &[Sum<'_>],
    rows: &[&[Encoding]],
    mode: RoundingMode,
) -> Vec<Vec<Encoding>>
where
    H::Bits: Stored,
{
    let mut vectors = vec![block::<H, L>(rows)];
    for sum in sums {
        let values = match *sum.reads {
            [only] => sum.values::<H, L>(mode, &vectors[only]),
            _ => {
                let mut read = Block::default();
                for vector in sum.reads.iter().map(|&vector| &vectors[vector]) {
                    (0..vector.len()).for_each(|coordinate| read.push(*vector.get(coordinate)));
                }
                sum.values::<H, L>(mode, &read)
            }
        };
        vectors.push(values);
    }
    let Some(outputs) = vectors.pop() else { return Vec::new() };
    let of_row = |row: usize| (0..outputs.len()).map(|output| encoding(outputs.get(output)[row])).collect();
    (0..rows.len()).map(of_row).collect()
}

/// Rows of data side by side.
fn block<H: Hardware, const L: usize>(rows: &[&[Encoding]]) -> Block<H::Bits, L> {
    let mut values = Block::default();
    for column in 0..rows.first().map_or(0, |row| row.len()) {
        let mut elements = [H::Bits::default(); L];
        for (element, row) in elements.iter_mut().zip(rows) {
            *element = bits::<H>(row[column]);
        }
        values.push(elements);
    }
    values
}

/// A datum of the format, whose encodings have no more bits than that.
#[inline]
pub(crate) fn bits<H: Standard>(encoding: Encoding) -> H::Bits {
    encoding.bits().try_into().unwrap_or_default()
}

fn encoding(bits: impl Into<u128>) -> Encoding {
    Encoding::from_bits(bits.into())
}

/// What blocks can be activated by.
#[derive(Clone, Copy)]
enum Function {
    Identity,
    Relu,
    Step,
}

impl Function {
    /// None for an activation that is none of these.
    fn of(activation: Activation) -> Option<Function> {
        match activation {
            Activation::Identity => Some(Function::Identity),
            Activation::Relu => Some(Function::Relu),
            Activation::Step => Some(Function::Step),
            Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } | Activation::Sign => None,
        }
    }
}

#[inline(always)]
fn activate<H: Hardware>(function: Function, elements: &mut [H::Bits]) {
    match function {
        Function::Identity => {}
        Function::Relu => slices::relu::<H>(elements),
        Function::Step => slices::step::<H>(elements),
    }
}

/// A sparse matrix, with the integers that its encodings are stored in.
struct SparseRows<'a, B> {
    sparse: &'a Sparse,
    weights: &'a [B],
    bias: &'a [B],
}

impl<B: Copy> Rows<B> for SparseRows<'_, B> {
    fn rows(&self) -> usize {
        self.bias.len()
    }

    #[inline(always)]
    fn terms(&self, row: usize) -> impl Iterator<Item = (usize, B)> {
        let stored = self.sparse.row_ptr[row] as usize..self.sparse.row_ptr[row + 1] as usize;
        let weights = self.weights[stored.clone()].iter();
        self.sparse.columns[stored].iter().zip(weights).map(|(&column, &weight)| (column as usize, weight))
    }

    #[inline(always)]
    fn bias(&self, row: usize) -> B {
        self.bias[row]
    }
}

/// A dense one.
struct DenseRows<'a, B> {
    inputs: usize,
    weights: &'a [B],
    bias: &'a [B],
}

impl<B: Copy> Rows<B> for DenseRows<'_, B> {
    fn rows(&self) -> usize {
        self.bias.len()
    }

    #[inline(always)]
    fn terms(&self, row: usize) -> impl Iterator<Item = (usize, B)> {
        self.weights[row * self.inputs..(row + 1) * self.inputs].iter().copied().enumerate()
    }

    #[inline(always)]
    fn bias(&self, row: usize) -> B {
        self.bias[row]
    }
}

/// A convolution.
struct ConvolutionRows<'a, B> {
    convolution: &'a Convolution,
    matrix: &'a Matrix,
    rows: usize,
    weights: &'a [B],
    bias: &'a [B],
}

impl<B: Copy> Rows<B> for ConvolutionRows<'_, B> {
    fn rows(&self) -> usize {
        self.rows
    }

    #[inline(always)]
    fn terms(&self, row: usize) -> impl Iterator<Item = (usize, B)> {
        self.convolution.places(row).map(|(column, weight)| (column as usize, self.weights[weight]))
    }

    #[inline(always)]
    fn bias(&self, row: usize) -> B {
        self.bias[self.matrix.bias_of(row)]
    }
}

/// An integer that encodings of as many bits are stored in.
trait Stored: Sized {
    /// The integers behind a column; none if they have another width, which the invariants of a network exclude.
    fn stored(column: &Encodings) -> &[Self];
}

macro_rules! stored {
    ($($bits:ident in $store:ident),+) => { $(
        impl Stored for $bits {
            fn stored(column: &Encodings) -> &[$bits] {
                if let Store::$store(bits) = column.store() { bits } else { &[] }
            }
        }
    )+ };
}

stored!(u8 in U8, u16 in U16, u32 in U32, u64 in U64);
