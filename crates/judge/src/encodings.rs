//! Whether every path gives the same encodings, and not only the same numbers: one path may give -0 and another +0.

use roundproof_exact::{Rational, real};
use roundproof_kernel::Subject;
use roundproof_network::Forest;

use crate::{Accuracy, Claim, KernelProperty, Property};

/// Whether a claim gives each output as a real number, the same on every path.
pub fn is_exact(property: &Property) -> bool {
    match property {
        Property::Kernel(KernelProperty::Memorizes) => true,
        Property::Kernel(KernelProperty::Computes { tolerance, trees: _, leaves: _, exceptions: _ }) => *tolerance == 0,
        Property::Approximates(property) => match &property.approximation.accuracy {
            Accuracy::Rounded { mode: _, overflow: _ } => true,
            Accuracy::Within(error) => *error == 0,
            Accuracy::Excess(_) => false,
        },
    }
}

/// Whether a claim that holds gives each output by one encoding: whether it gives it as a number ([`is_exact`]), and either the
/// format has one zero or no output is zero. Every other number has one encoding.
pub fn has_equal_encodings(claim: &Claim, subject: &Subject<'_>) -> bool {
    if !is_exact(&claim.property) {
        return false;
    }
    let format = claim.format;
    if !format.has_negative_zero() {
        return true;
    }
    match &claim.property {
        Property::Kernel(KernelProperty::Memorizes) => subject.data.is_some_and(|data| {
            (0..data.rows()).all(|row| (0..data.outputs()).all(|output| !format.is_zero(data.label(row, output))))
        }),
        // The leaves of the tree that goes with an approximation are what the network gives.
        Property::Kernel(KernelProperty::Computes { trees: _, leaves: _, tolerance: _, exceptions: _ })
        | Property::Approximates(_) => subject
            .forest
            .is_some_and(|forest| (0..forest.outputs()).all(|output| never_zero(forest, output).unwrap_or(false))),
    }
}

/// Whether the value of a forest is not zero anywhere, so far as the least and the largest leaf of each tree can say; of a single
/// tree, each leaf is looked at. None if a number is not finite.
fn never_zero(forest: &Forest, output: usize) -> Option<bool> {
    let format = forest.format();
    let base = real(format, forest.base().get(output))?;
    let (mut low, mut high) = (base.clone(), base.clone());
    for tree in forest.trees() {
        let leaves = tree.values.iter().skip(output).step_by(forest.outputs());
        let leaves: Vec<Rational> = leaves.map(|value| real(format, value)).collect::<Option<_>>()?;
        if forest.trees().len() == 1 {
            return Some(leaves.iter().all(|leaf| Rational::from(leaf + &base) != 0));
        }
        low += leaves.iter().min()?;
        high += leaves.iter().max()?;
    }
    Some(low > 0 || high < 0)
}
