//! The rule `box-network`: a network of box indicators, and a proof that every row is in the right box.
//!
//! # The network
//!
//! Layer 1 has one unit per bounded side, `v = act(w * x_j + c)`. Layer 2 has one neuron per box over the units of its
//! sides. Layer 3 adds up `y_i * h_i`. With `x' = x_j` for a lower side (`w < 0`) and `x' = -x_j` for an upper one:
//!
//! | | layer 1 | fires | silent | layer 2 |
//! | --- | --- | --- | --- | --- |
//! | Step | `Step(c - x')` | `x' <= c`: exactly 1 | `x' > c`: exactly 0 | `h = Step(0 - sum v)` |
//! | ReLU | `ReLU(c - K * x')`, `c = K * a` | `x' <= pred(a)`: at least `K * (a - pred(a))` | `x' >= a`: exactly 0 | `h = ReLU(1 - W * sum v)` |
//!
//! # The theorem
//!
//! If the side conditions hold that this module checks, then on every path of the model `h_i` is exactly 1 where all
//! sides of box `i` are silent and exactly 0 where one fires, so that the outputs are `y_i` where box `i` alone is not
//! excluded, and 0 where all are. Proof: a difference of values has its exact sign and is at least as large as the gap (R1,
//! R3); scaling by `K` is exact on the threshold and its neighbour, and monotone (R1, R4); a penalty of at least 1
//! dominates the 1 in every tree (R6), and a missing one leaves exactly 1; one `y_i * 1` among zeros is exactly `y_i`
//! (R7). The facts survive contraction, and a wider accumulator, whose last rounding keeps 0, 1, `y_i` and the signs.
//! They need gradual underflow, and under overflow to NaN that nothing overflows.
//!
//! # The separation
//!
//! Evidence is a tree of cuts that has each box in a region of its own; a box is checked against the cuts above it,
//! and a row follows the cuts down to the one box that may hold it. So each row meets one box, whatever their number.

mod gadget;
mod headroom;
mod separation;

use roundproof_exact::order_key;
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_network::{Accumulator, Dataset, Network, PathModel};

use crate::{BoxRejection, Separator};
use gadget::Gadget;
use separation::Regions;

/// Checks that `network` is a box network that gives every row of `data` its label on every path of `model`.
///
/// # Errors
///
/// The first side condition that fails. See [`BoxRejection`].
pub fn check(
    model: &PathModel,
    network: &Network,
    data: &Dataset,
    separator: &Separator,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), BoxRejection> {
    if model.subnormals == Subnormals::Flush {
        return Err(BoxRejection::Flush);
    }
    let gadget = Gadget::recognize(network, data)?;
    let accumulator_overflow = match model.accumulator {
        Accumulator::Same => model.overflow,
        Accumulator::Wider { overflow, .. } => overflow,
    };
    if [model.overflow, accumulator_overflow].contains(&Overflow::Nan) {
        headroom::check(network, data)?;
    }
    let regions = Regions::check(&gadget, separator)?;
    let labels = Labels::of(network);
    let mut expected = vec![network.format().zero(); data.outputs()];
    for row in 0..data.rows() {
        if row % 1024 == 0 {
            progress(row, data.rows());
        }
        expected.fill(network.format().zero());
        if let Some(neuron) = regions.locate(data, row).filter(|&neuron| gadget.contains(neuron, data, row)) {
            labels.copy(neuron, &mut expected);
        }
        for (output, &given) in expected.iter().enumerate() {
            let label = data.label(row, output);
            if key(network.format(), given) != key(network.format(), label) {
                return Err(BoxRejection::Label { row, output, given, label });
            }
        }
    }
    progress(data.rows(), data.rows());
    Ok(())
}

/// The order key of a stored value, which is finite by the invariants of networks and data sets.
fn key(format: Format, encoding: Encoding) -> i128 {
    order_key(format, encoding).expect("stored values are finite")
}

/// The weights of layer 3 by box: compressed columns.
struct Labels {
    starts: Vec<usize>,
    entries: Vec<(u32, Encoding)>,
}

impl Labels {
    fn of(network: &Network) -> Labels {
        let last = &network.layers()[2];
        let boxes = network.layers()[1].rows();
        let mut starts = vec![0; boxes + 1];
        for &column in &last.columns {
            starts[column as usize + 1] += 1;
        }
        for index in 0..boxes {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, network.format().zero()); last.columns.len()];
        for output in 0..last.rows() {
            for (column, weight) in last.terms(output) {
                entries[next[column as usize]] = (output as u32, weight);
                next[column as usize] += 1;
            }
        }
        Labels { starts, entries }
    }

    fn copy(&self, neuron: usize, into: &mut [Encoding]) {
        for &(output, label) in &self.entries[self.starts[neuron]..self.starts[neuron + 1]] {
            into[output as usize] = label;
        }
    }
}
