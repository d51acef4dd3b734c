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
//! last layer see [`labels`]. The facts survive contraction, and a wider accumulator, whose last rounding keeps 0, 1, the
//! sums and the signs. They need gradual underflow, and under overflow to NaN that nothing overflows or, with Step,
//! that no box relies on a unit that NaN may silence ([`overflow`]).
//!
//! # The separation
//!
//! Evidence is a tree of cuts, or several, that name each box where its region is; a box is checked against the cuts
//! above it, and an input follows the cuts of each tree down to the boxes that may hold it. So each row meets few boxes,
//! whatever their number; and where the boxes fill their regions, what holds for the trees holds for every input.

mod function;
mod indicators;
mod labels;
mod overflow;
mod regions;
mod units;

use roundproof_exact::{Rational, Value};
use roundproof_network::{Dataset, Forest, Network, Output, PathModel, Row};

use crate::facts::Facts;
use crate::{BoxRejection, Domain, Separator, key, stored};
use indicators::Indicators;
use labels::Labels;
use regions::Regions;
use units::{Role, Units};

/// A box network whose side conditions hold: at every input of a domain and on every path, each output is the sum of its bias and
/// the labels of the boxes around the input, or at most an error away from it.
pub(crate) struct Piecewise<'a> {
    boxes: Indicators<'a>,
    regions: Regions<'a>,
    labels: Labels,
    error: Rational,
}

/// Recognizes `network` as a box network whose regions are those of `separator`. Where all finite inputs are in question, the
/// boxes are the regions.
///
/// # Errors
///
/// The first side condition that fails. See [`BoxRejection`].
pub(crate) fn recognize<'a>(
    network: &'a Network,
    facts: &Facts,
    domain: Domain<'_>,
    separator: &'a Separator,
) -> Result<Piecewise<'a>, BoxRejection> {
    let threshold = facts.threshold?;
    // The theorem speaks of sparse sums in one format, each over the one before: a network of other steps has no such layers.
    let layers = network.as_layers().unwrap_or_default();
    let [first, second, last] = layers[..] else { return Err(BoxRejection::Layers) };
    let activations = (Role::of(first.activation)?, Role::of(second.activation)?, Role::of(last.activation)?);
    let hidden = match activations {
        (Role::Hidden(a), Role::Hidden(b), Role::Output) if a == b => a,
        (Role::Hidden(_) | Role::Output, Role::Hidden(_) | Role::Output, Role::Hidden(_) | Role::Output) => {
            return Err(BoxRejection::Layers);
        }
    };
    let units = Units::recognize(network, hidden, first, threshold, &domain)?;
    let boxes = Indicators::recognize(facts, units, second)?;
    overflow::check(facts, &boxes, &domain)?;
    let filled = match domain {
        Domain::Rows(_) => false,
        Domain::AllFinite => true,
    };
    let regions = Regions::check(&boxes, separator, filled)?;
    let labels = Labels::of(network.format(), boxes.count(), last);
    let error = labels.error_bound(facts, &regions)?;
    Ok(Piecewise { boxes, regions, labels, error })
}

/// The least tolerance with which the kernel accepts the sums of a box network over every finite input.
///
/// # Errors
///
/// If the network is not a box network over every finite input, the separator is none of it, or a sum may leave the format.
pub fn error_bound(model: &PathModel, network: &Network, separator: &Separator) -> Result<Rational, BoxRejection> {
    let pieces = recognize(network, &Facts::of(model, network.format()), Domain::AllFinite, separator)?;
    Ok(pieces.error)
}

impl Piecewise<'_> {
    /// Checks that every row of `data`, which is the domain, has its label.
    ///
    /// # Errors
    ///
    /// If a row has not, or sums are not exact.
    pub fn check_labels(&self, data: &Dataset, progress: &mut dyn FnMut(usize, usize)) -> Result<(), BoxRejection> {
        self.within(&Rational::new())?;
        for row in 0..data.rows() {
            if row % 1024 == 0 {
                progress(row, data.rows());
            }
            self.check_row(data, row)?;
        }
        progress(data.rows(), data.rows());
        Ok(())
    }

    /// Checks that every output is the value of `forest` at every finite input, or at most `tolerance` away from it.
    ///
    /// # Errors
    ///
    /// If it is not, or sums are not as exact.
    pub fn check_forest(
        &self,
        forest: &Forest,
        tolerance: &Rational,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), BoxRejection> {
        self.within(tolerance)?;
        function::check(self, forest, progress)
    }

    fn within(&self, allowed: &Rational) -> Result<(), BoxRejection> {
        if self.error <= *allowed {
            return Ok(());
        }
        Err(BoxRejection::Sum { bound: self.error.clone(), allowed: allowed.clone() })
    }

    /// Checks that the labels of a row are the sums of what is around it.
    fn check_row(&self, data: &Dataset, row: usize) -> Result<(), BoxRejection> {
        let format = data.format();
        let input = |column: u32| key(format, data.input(row, column as usize));
        let inside = |&neuron: &usize| self.boxes.sides(neuron).all(|side| !side.excludes(input(side.column)));
        let around: Vec<usize> = self.regions.locate(input).filter(inside).collect();
        // The usual case: one box, whose labels are those of the row, and no bias.
        if let ([neuron], true) = (around.as_slice(), self.regions.disjoint && self.labels.unbiased)
            && let entries = self.labels.entries(*neuron)
            && entries.len() == data.outputs()
            && entries.iter().all(|&(output, label)| label == data.label(row, output as usize))
        {
            return Ok(());
        }
        let mut given = self.labels.bias.clone();
        for neuron in around {
            self.labels.terms(neuron).for_each(|(output, label)| given[output] += label);
        }
        for (output, given) in given.into_iter().enumerate() {
            let label = data.label(row, output);
            if given != stored(format, label) {
                let label = Value { format, encoding: label };
                return Err(BoxRejection::Label { row: Row(row), output: Output(output), given, label });
            }
        }
        Ok(())
    }
}
