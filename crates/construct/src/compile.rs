//! From a forest of decision trees to a box network that computes it on every input.
//!
//! # What is built
//!
//! A box is the region of a node of a tree: what all cuts above it leave. Layer 1 has a unit for each distinct cut that
//! bounds a box; under the step activation one unit `Step(t - x)` serves both sides of a cut, as it must fire for boxes
//! below and be silent for boxes above. Layer 2 has a neuron for each box, layer 3 adds up what boxes contribute.
//!
//! Trees are pruned first: sides that no input reaches go, and cuts between equal leaves. Then labels are chosen for
//! inner nodes too, so that a leaf needs a box only where its value is not that of the node above it; boxes are then
//! nested, and their weights are differences of labels. What is above the root goes into the output bias.
//!
//! # Exactness
//!
//! A single flat tree selects one box, which is always exact. Any other sum must obey R5 of the kernel: on no path down
//! the trees may the positive (or the negative) terms exceed `2^p` units of their common power of two, or the largest
//! value. Of the forms whose sum is exact, the one with the fewest parameters is taken; if there is none, the flat one,
//! which adds one exact leaf of each tree.

mod form;
mod parsimony;
mod plan;
mod prune;
mod sides;

use roundproof_kernel::Evidence;
use roundproof_network::{Activation, Forest};

use crate::error::check_hidden;
use crate::{ConstructError, Construction};
use form::Form;
use parsimony::{Assignment, Parsimony};
use plan::Plan;
use prune::{Pruned, prune};
use sides::Sides;

/// A box network with the given hidden activation that computes `forest` on every finite input of the format, and a
/// separator of its boxes.
///
/// Where no form of the sum over trees is known to be exact on every path, the network adds exact leaves.
///
/// # Errors
///
/// If the activation is neither step nor ReLU; (ReLU) the format has no scale for a side, or is `F(p)` and a box ends at zero;
/// or the network would be too large, or hold a number that none may hold.
pub fn compile(forest: &Forest, activation: Activation) -> Result<Construction, ConstructError> {
    let sides = sides_of(forest, activation)?;
    let plan = best_plan(forest, &sides)?;
    let (network, separator) = plan.build(&sides, forest.dimension())?;
    Ok(Construction { network, evidence: Evidence::BoxNetwork(separator) })
}

/// How many parameters the network of [`compile`] has, without building it; none if there is no network.
pub fn parameters(forest: &Forest, activation: Activation) -> Option<usize> {
    let sides = sides_of(forest, activation).ok()?;
    best_plan(forest, &sides).ok().map(|plan| plan.parameters())
}

fn sides_of(forest: &Forest, activation: Activation) -> Result<Sides, ConstructError> {
    check_hidden(activation)?;
    Ok(Sides::of(forest, activation))
}

/// Of the exact forms that can be built the smallest, the first of equal ones; if there is none, the flat form.
fn best_plan(forest: &Forest, sides: &Sides) -> Result<Plan, ConstructError> {
    let format = forest.format();
    let (base, trees) = prune(forest, sides);
    let flat: Vec<Assignment> = trees.iter().map(Assignment::flat).collect();
    let mut candidates = nested(&trees);
    candidates.push(flat.clone());
    candidates.dedup();
    let mut best: Option<Plan> = None;
    for assignments in candidates {
        let Some(form) = Form::of(format, &base, &trees, &assignments) else { continue };
        if !form.is_exact(format, &trees) {
            continue;
        }
        // One form may have sides that the format cannot build, and another not.
        if let Ok(plan) = Plan::of(form, &trees, sides)
            && best.as_ref().is_none_or(|best| plan.parameters() < best.parameters())
        {
            best = Some(plan);
        }
    }
    match best {
        Some(plan) => Ok(plan),
        None => {
            let form = Form::of(format, &base, &trees, &flat).expect("leaves and base as they are");
            Plan::of(form, &trees, sides)
        }
    }
}

/// Labels for inner nodes: with any label above the roots, and with zero.
fn nested(trees: &[Pruned]) -> Vec<Vec<Assignment>> {
    let (best, below_zero) = trees
        .iter()
        .map(|tree| {
            let parsimony = Parsimony::of(tree, weights_of_a_change(tree));
            (parsimony.best(), parsimony.below(0))
        })
        .unzip();
    vec![best, below_zero]
}

/// How many weights a change of label takes: the most between two labels of a tree, if there are few.
fn weights_of_a_change(tree: &Pruned) -> usize {
    const FEW: u32 = 32;
    let labels = tree.labels.len() as u32;
    let used = 1..labels.min(FEW + 1);
    let pairs = used.clone().flat_map(|a| used.clone().map(move |b| (a, b)));
    let most = pairs.map(|(a, b)| tree.labels.difference(a, b)).max().unwrap_or(0);
    if labels > FEW { tree.labels.outputs() } else { most.max(1) }
}

#[cfg(test)]
mod tests;
