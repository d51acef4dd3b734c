//! Many rows at once, on paths that add from left to right in one direction, on the host's own arithmetic:
//! `roundproof_softfloat::slices` says why that is the same.
//!
//! What this gives is, encoding by encoding, what [`Machine::in_order`] gives neuron by neuron: that is the definition,
//! and all that there is for other formats, accumulators and overflow policies.

use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{Activation, Encodings, Layer, Store};
use roundproof_softfloat::Standard;
use roundproof_softfloat::slices::{self, Block, Hardware, Rows, affine};

use crate::machine::Machine;

/// Rows that are computed together.
const LANES: usize = 32;

/// From this many rows on, as many as [`LANES`] take less time together than one by one.
const ENOUGH: usize = 6;

/// What a layer's values for [`LANES`] rows may take, in bytes; else rows are computed one by one.
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
                if $machine.format() == <roundproof_softfloat::$format as roundproof_softfloat::Standard>::FORMAT =>
            {
                type $name = roundproof_softfloat::$format;
                Some($value)
            })+
            _ => None,
        }
    };
}
pub(crate) use on_hardware;

/// The outputs of `layers` on each of `rows`, every neuron from left to right in `mode`; none if this is not the host's
/// arithmetic, or an activation is not a [`Function`].
pub(crate) fn in_order(
    machine: &Machine,
    layers: &[Layer],
    rows: &[&[Encoding]],
    mode: RoundingMode,
) -> Option<Vec<Vec<Encoding>>> {
    let layers: Vec<(&Layer, Function)> =
        layers.iter().map(|layer| Some((layer, Function::of(layer.activation)?))).collect::<Option<_>>()?;
    on_hardware!(machine, H => in_chunks::<H>(&layers, rows, mode))
}

fn in_chunks<H: Hardware>(layers: &[(&Layer, Function)], rows: &[&[Encoding]], mode: RoundingMode) -> Vec<Vec<Encoding>>
where
    H::Bits: Stored,
{
    let widest = layers.iter().map(|(layer, _)| layer.rows()).max().unwrap_or(0);
    let fits = widest.saturating_mul(LANES * size_of::<H::Bits>()) <= ROOM;
    let mut outputs = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(LANES) {
        if fits && chunk.len() >= ENOUGH {
            outputs.extend(together::<H, LANES>(layers, chunk, mode));
        } else {
            outputs.extend(chunk.chunks(1).flat_map(|row| together::<H, 1>(layers, row, mode)));
        }
    }
    outputs
}

/// At most `L` rows.
fn together<H: Hardware, const L: usize>(
    layers: &[(&Layer, Function)],
    rows: &[&[Encoding]],
    mode: RoundingMode,
) -> Vec<Vec<Encoding>>
where
    H::Bits: Stored,
{
    let mut values = Block::default();
    for column in 0..rows.first().map_or(0, |row| row.len()) {
        let mut elements = [H::Bits::default(); L];
        for (element, row) in elements.iter_mut().zip(rows) {
            *element = bits::<H>(row[column]);
        }
        values.push(elements);
    }
    for &(layer, function) in layers {
        let activate = |elements: &mut [H::Bits; L]| activate::<H>(function, elements);
        values = affine::<H, _, L>(mode, &Sparse::<H::Bits>::of(layer), &values, activate);
    }
    let output = |row: usize| (0..values.len()).map(|output| encoding(values.get(output)[row])).collect();
    (0..rows.len()).map(output).collect()
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

/// A layer, with the integers that its encodings are stored in.
struct Sparse<'a, B> {
    layer: &'a Layer,
    weights: &'a [B],
    bias: &'a [B],
}

impl<'a, B: Stored> Sparse<'a, B> {
    fn of(layer: &'a Layer) -> Sparse<'a, B> {
        Sparse { layer, weights: B::stored(&layer.weights), bias: B::stored(&layer.bias) }
    }
}

impl<B: Copy> Rows<B> for Sparse<'_, B> {
    fn rows(&self) -> usize {
        self.bias.len()
    }

    #[inline(always)]
    fn terms(&self, row: usize) -> impl Iterator<Item = (usize, B)> {
        let stored = self.layer.row(row);
        let weights = self.weights[stored.clone()].iter();
        self.layer.columns[stored].iter().zip(weights).map(|(&column, &weight)| (column as usize, weight))
    }

    #[inline(always)]
    fn bias(&self, row: usize) -> B {
        self.bias[row]
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
