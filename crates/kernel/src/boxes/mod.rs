//! The rule `box-network`: a network of box indicators, and what it computes.
//!
//! # The network
//!
//! Layer 1 has units that see one input each, `v = act(w * x_j + c)`. Layer 2 has one neuron per box over the units of
//! its sides. Layer 3 adds up `w_i * h_i` and its bias. With `x' = x_j` for a lower side (`w < 0`) and `x' = -x_j` for an
//! upper one:
//!
//! | | layer 1 | fires | silent | layer 2 |
//! | --- | --- | --- | --- | --- |
//! | Step | `Step(c - x')` | `x' <= c`: exactly 1 | `x' > c`: exactly 0 | `h = Step(sum v+ - sum v- - #v+)` |
//! | ReLU | `ReLU(c - K * x')`, `c = K * a` | `x' <= pred(a)`: at least `K * (a - pred(a))` | `x' >= a`: exactly 0 | `h = ReLU(1 - W * sum v)` |
//!
//! A unit of weight 1 in a Step neuron (`v+`) has to fire inside the box, every other one has to be silent.
//!
//! # The theorem
//!
//! If the side conditions hold that this module checks, then on every path of the model `h_i` is exactly 1 in box `i`,
//! where no side excludes the input, and exactly 0 elsewhere; and each output is the sum of its bias and the `w_i` of the
//! boxes around the input: exactly, or within a bound. Proof: a difference of values has its exact sign and is at least
//! as large as the gap (R1, R3); scaling by `K` is exact on the threshold and its neighbour, and monotone (R1, R4); a
//! penalty of at least 1 dominates the 1 in every tree (R6), and a missing one leaves exactly 1; a Step neuron without
//! `v+` has a sum of at most 0, which is 0 only if nothing fires (R1), and one with `v+` adds integers exactly (R5); for the
//! last layer see [`sums`]. The facts survive contraction, and a wider accumulator, whose last rounding keeps 0, 1, the
//! sums and the signs. They need gradual underflow, and under overflow to NaN that nothing overflows ([`headroom`]) or, with
//! Step, that no box relies on a unit that NaN may silence ([`silence`]).
//!
//! # The separation
//!
//! Evidence is a tree of cuts, or several, that name each box where its region is; a box is checked against the cuts
//! above it, and an input follows the cuts of each tree down to the boxes that may hold it. So each row meets few boxes,
//! whatever their number; and where the boxes fill their regions, what holds for the trees holds for every input.

mod function;
mod gadget;
mod headroom;
mod separation;
mod silence;
mod sums;

use roundproof_exact::{Rational, order_key};
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_network::{Accumulator, Activation, Dataset, Forest, Network, PathModel, Summation};
use rustc_hash::FxHashMap;

use crate::{BoxRejection, Separator};
use gadget::Gadget;
use separation::Regions;
use sums::Labels;

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
    let gadget = recognize(model, network, Some(data))?;
    let regions = Regions::check(&gadget, separator, false)?;
    let labels = Labels::of(network);
    check_sums(&labels, &regions, &Rational::new())?;
    let mut rows = Rows { gadget: &gadget, regions: &regions, labels: &labels, known: FxHashMap::default() };
    for row in 0..data.rows() {
        if row % 1024 == 0 {
            progress(row, data.rows());
        }
        rows.check(data, row)?;
    }
    progress(data.rows(), data.rows());
    Ok(())
}

/// Checks that `network` is a box network that computes `forest` at every finite input, on every path of `model`, but for
/// an error of at most `tolerance` in each output.
///
/// # Errors
///
/// The first side condition that fails. See [`BoxRejection`].
pub fn check_function(
    model: &PathModel,
    network: &Network,
    forest: &Forest,
    separator: &Separator,
    tolerance: &Rational,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), BoxRejection> {
    let gadget = recognize(model, network, None)?;
    let regions = Regions::check(&gadget, separator, true)?;
    let labels = Labels::of(network);
    check_sums(&labels, &regions, tolerance)?;
    function::check(&labels, &regions, forest, progress)
}

/// The least tolerance with which [`check_function`] accepts the sums of a network.
///
/// # Errors
///
/// If the network is no box network over every finite input, the separator is none of it, or a sum may leave the format.
pub fn error_bound(model: &PathModel, network: &Network, separator: &Separator) -> Result<Rational, BoxRejection> {
    let gadget = recognize(model, network, None)?;
    let regions = Regions::check(&gadget, separator, false)?;
    Labels::of(network).error_bound(&regions)
}

/// `data` are the inputs in question; none: all finite ones.
fn recognize<'a>(model: &PathModel, network: &'a Network, data: Option<&Dataset>) -> Result<Gadget<'a>, BoxRejection> {
    if model.subnormals == Subnormals::Flush {
        return Err(BoxRejection::Flush);
    }
    let gadget = Gadget::recognize(network, data)?;
    let Summation::Trees(trees) = &model.summation;
    let accumulator_overflow = match trees.accumulator {
        Accumulator::Same => model.overflow,
        Accumulator::Wider { overflow, .. } => overflow,
    };
    if [model.overflow, accumulator_overflow].contains(&Overflow::Nan) {
        // Step reads NaN as silence, where the format has one.
        let silent = network.layers()[0].activation == Activation::Step && network.format().has_nan();
        if silent { silence::check(network, data)? } else { headroom::check(network, data)? }
    }
    Ok(gadget)
}

fn check_sums(labels: &Labels, regions: &Regions, allowed: &Rational) -> Result<(), BoxRejection> {
    let bound = labels.error_bound(regions)?;
    if bound > *allowed { Err(BoxRejection::Sum { bound, allowed: allowed.clone() }) } else { Ok(()) }
}

/// The order key of a stored value, which is finite by the invariants of networks, forests and data sets.
fn key(format: Format, encoding: Encoding) -> i128 {
    order_key(format, encoding).expect("stored values are finite")
}

/// The rows of a data set, each compared with what the boxes around it give.
struct Rows<'a> {
    gadget: &'a Gadget<'a>,
    regions: &'a Regions<'a>,
    labels: &'a Labels,
    /// Labels of the data set as numbers.
    known: FxHashMap<Encoding, Rational>,
}

impl Rows<'_> {
    fn check(&mut self, data: &Dataset, row: usize) -> Result<(), BoxRejection> {
        let format = data.format();
        let mut found: Vec<usize> = Vec::new();
        self.regions.locate(data, row, &mut |neuron| {
            if self.gadget.contains(neuron, data, row) {
                found.push(neuron);
            }
        });
        if let ([neuron], true) = (found.as_slice(), self.regions.are_disjoint())
            && let entries = self.labels.entries(*neuron)
            && entries.len() == data.outputs()
            && entries.iter().all(|&(output, label)| label == data.label(row, output as usize))
        {
            // The usual case: one box, whose labels are those of the row, and no bias.
            if self.labels.bias().iter().all(|bias| *bias == 0) {
                return Ok(());
            }
        }
        let mut given = self.labels.bias().to_vec();
        for neuron in found {
            self.labels.terms(neuron).for_each(|(output, label)| given[output] += label);
        }
        for (output, given) in given.into_iter().enumerate() {
            let label = data.label(row, output);
            let expected = self.known.entry(label).or_insert_with(|| sums::value(format, label));
            if given != *expected {
                return Err(BoxRejection::Label { row, output, given, label });
            }
        }
        Ok(())
    }
}
