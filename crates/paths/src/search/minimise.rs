//! A witness with nothing in it that it can do without.

use roundproof_network::{Choice, ModelError, Network, PathModel, SumPath, TreePath, Witness};

use super::shorter::shorten;
use crate::error::EvaluateError;
use crate::evaluate::replay;
use crate::targets::{Targets, is_right};

/// A smaller witness for the same row or point and output: neurons that may as well take the plain path are dropped, then the
/// paths of the others are made plain choice by choice, as long as the value is still not right, until nothing changes;
/// last, paths that depart from the plain one in one or two changes take the place of those that depart in more places;
/// and all of that again if then a neuron can be dropped.
/// No neuron of what is left can be dropped by itself; another witness may be smaller still. A witness of a
/// value that is right is returned as it is, but for its value, which is what the replay gives.
///
/// # Errors
///
/// As [`replay`].
pub fn minimise(
    network: &Network,
    targets: &dyn Targets,
    model: &PathModel,
    witness: Witness,
) -> Result<Witness, EvaluateError> {
    let mut witness = witness;
    witness.value = replay(network, targets, model, &witness)?;
    let right = targets.find(&witness.at).and_then(|point| targets.right(point, witness.output));
    let misses = |witness: &Witness| -> bool {
        let value = replay(network, targets, model, witness);
        value.is_ok_and(|value| !is_right(network.format(), value, right))
    };
    if !misses(&witness) {
        return Ok(witness);
    }
    witness.neurons.sort_by_key(|neuron| (neuron.layer, neuron.neuron));
    loop {
        let before = witness.clone();
        let dropped = drop_most(before.neurons.len(), |dropped| misses(&without(&before, dropped)));
        witness = without(&before, &dropped);
        for place in 0..witness.neurons.len() {
            let model = model_of(network, model, witness.neurons[place].layer)?;
            let path = witness.neurons[place].path.clone();
            let holds = |path: SumPath| {
                let mut candidate = witness.clone();
                candidate.neurons[place].path = path;
                misses(&candidate)
            };
            witness.neurons[place].path = match path {
                SumPath::Tree(path) => plainer(path, &model, &mut |path| holds(path.clone().into())).into(),
                SumPath::Product(choice) => {
                    SumPath::Product(plainer_choice(choice, &model, &mut |choice| holds(SumPath::Product(choice))))
                }
                SumPath::Maximum => SumPath::Maximum,
            };
            let mut unnamed = witness.clone();
            if unnamed.neurons[place].value.take().is_some() && misses(&unnamed) {
                witness = unnamed;
            }
        }
        let mut kept = Vec::with_capacity(witness.neurons.len());
        for neuron in std::mem::take(&mut witness.neurons) {
            let computed = network.steps()[neuron.layer].neuron(neuron.neuron);
            let plain = SumPath::plain(&computed, &model_of(network, model, neuron.layer)?);
            if neuron.value.is_some() || neuron.path != plain {
                kept.push(neuron);
            }
        }
        witness.neurons = kept;
        if witness == before {
            witness = shorten(network, model, witness, &misses);
            // A shorter path of one neuron may do without another neuron.
            let dropped = drop_most(witness.neurons.len(), |dropped| misses(&without(&witness, dropped)));
            if !dropped.contains(&true) {
                break;
            }
            witness = without(&witness, &dropped);
        }
    }
    witness.value = replay(network, targets, model, &witness)?;
    Ok(witness)
}

fn without(witness: &Witness, dropped: &[bool]) -> Witness {
    let kept = witness.neurons.iter().zip(dropped).filter(|(_, dropped)| !**dropped);
    Witness { neurons: kept.map(|(neuron, _)| neuron.clone()).collect(), at: witness.at.clone(), ..*witness }
}

/// The model of a step.
pub(super) fn model_of(network: &Network, model: &PathModel, layer: usize) -> Result<PathModel, ModelError> {
    let step = &network.steps()[layer];
    model.at(step.operands(), step.format())
}

/// Which of `count` things to drop, so that `holds` of the set of dropped ones: halves, quarters, … then one by one.
/// `holds` of none is taken for granted.
fn drop_most(count: usize, mut holds: impl FnMut(&[bool]) -> bool) -> Vec<bool> {
    let mut dropped = vec![false; count];
    let mut size = count;
    while size > 0 {
        for start in (0..count).step_by(size) {
            let end = (start + size).min(count);
            if dropped[start..end].iter().all(|&dropped| dropped) {
                continue;
            }
            let mut more = dropped.clone();
            more[start..end].fill(true);
            if holds(&more) {
                dropped = more;
            }
        }
        size /= 2;
    }
    dropped
}

/// One thing about a path to make plain.
#[derive(Clone, Copy)]
enum Edit {
    /// This addition is not a fused multiply-add.
    Uncontract(usize),
    /// One part of the choice of this operation: products, then additions, then the rounding out of the accumulator.
    Part(usize, Part),
}

#[derive(Clone, Copy)]
enum Part {
    Mode,
    Left,
    Right,
    Result,
}

impl Part {
    const ALL: [Part; 4] = [Part::Mode, Part::Left, Part::Right, Part::Result];

    fn make_plain(self, choice: &mut Choice, plain: Choice) {
        match self {
            Part::Mode => choice.mode = plain.mode,
            Part::Left => choice.flushes.left = false,
            Part::Right => choice.flushes.right = false,
            Part::Result => choice.flushes.result = false,
        }
    }
}

/// The choice with what can be of the plain one.
fn plainer_choice(choice: Choice, model: &PathModel, holds: &mut impl FnMut(Choice) -> bool) -> Choice {
    let mut made = choice;
    for part in Part::ALL {
        let mut plainer = made;
        part.make_plain(&mut plainer, Choice::of(model));
        if plainer != made && holds(plainer) {
            made = plainer;
        }
    }
    made
}

/// The path with what can be of the plain one: first its tree, then single choices.
fn plainer(path: TreePath, model: &PathModel, holds: &mut impl FnMut(&TreePath) -> bool) -> TreePath {
    let plain = TreePath::plain(path.products.len(), model);
    // The plain tree, plain throughout or with each addition rounded as the one of the same number was.
    let mut in_order = plain.additions.clone();
    for (add, old) in in_order.iter_mut().zip(&path.additions) {
        add.choice = old.choice;
    }
    let trees = [plain.additions.clone(), in_order].map(|additions| TreePath { additions, ..path.clone() });
    let path = trees.into_iter().find(|tree| holds(tree)).unwrap_or(path);
    let Some(plain) = plain.products.first().copied().or(plain.narrowing) else { return path };
    let edits = edits(&path, plain);
    let made = drop_most(edits.len(), |made| holds(&edited(&path, &edits, made, plain)));
    edited(&path, &edits, &made, plain)
}

/// Every edit that changes something.
fn edits(path: &TreePath, plain: Choice) -> Vec<Edit> {
    let contracted = (0..path.additions.len()).filter(|&index| path.additions[index].contracted);
    let choices = path.products.iter().chain(path.additions.iter().map(|add| &add.choice)).chain(&path.narrowing);
    let parts = choices.enumerate().flat_map(|(operation, choice)| {
        let changes = move |part: &Part| {
            let mut made = *choice;
            part.make_plain(&mut made, plain);
            made != *choice
        };
        Part::ALL.into_iter().filter(changes).map(move |part| Edit::Part(operation, part))
    });
    contracted.map(Edit::Uncontract).chain(parts).collect()
}

fn edited(path: &TreePath, edits: &[Edit], made: &[bool], plain: Choice) -> TreePath {
    let mut path = path.clone();
    let made = || edits.iter().zip(made).filter(|(_, made)| **made).map(|(edit, _)| *edit);
    for edit in made() {
        if let Edit::Uncontract(index) = edit {
            path.additions[index].contracted = false;
        }
    }
    let additions = path.additions.iter_mut().map(|add| &mut add.choice);
    let mut choices: Vec<&mut Choice> = path.products.iter_mut().chain(additions).chain(&mut path.narrowing).collect();
    for edit in made() {
        if let Edit::Part(operation, part) = edit {
            part.make_plain(choices[operation], plain);
        }
    }
    path
}
