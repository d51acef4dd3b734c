//! Witnesses with fewer departures from the plain path.

use roundproof_format::{RoundingMode, Subnormals};
use roundproof_network::{
    Addition, Choice, Contraction, Network, NeuronPath, Order, PathModel, Rounding, SumPath, Summation, TreePath,
    Witness,
};

use super::minimise::model_of;

/// In how many places a witness departs from the plain path: additions of other operands, fused ones, directions, flushes,
/// and values that are named.
pub(crate) fn departures(witness: &Witness, network: &Network, model: &PathModel) -> usize {
    let of_neuron = |neuron: &NeuronPath| {
        let path = match &neuron.path {
            SumPath::Tree(path) => model_of(network, model, neuron.layer).map_or(0, |model| of_path(path, &model)),
            SumPath::Product(choice) => of_choice(choice, &Choice::of(model)),
            SumPath::Maximum => 0,
        };
        path + usize::from(neuron.value.is_some())
    };
    witness.neurons.iter().map(of_neuron).sum()
}

fn of_choice(choice: &Choice, plain: &Choice) -> usize {
    let flushes = [choice.flushes.left, choice.flushes.right, choice.flushes.result];
    usize::from(choice.mode != plain.mode) + flushes.into_iter().filter(|flag| *flag).count()
}

fn of_path(path: &TreePath, model: &PathModel) -> usize {
    let plain = TreePath::plain(path.products.len(), model);
    let operands = |add: &Addition| (add.left.min(add.right), add.left.max(add.right));
    let additions = path.additions.iter().zip(&plain.additions);
    let trees = additions.filter(|(add, plain)| operands(add) != operands(plain)).count();
    let fused = path.additions.iter().filter(|add| add.contracted).count();
    let choices = choices(path).zip(choices(&plain)).map(|(choice, plain)| of_choice(choice, plain));
    trees + fused + choices.sum::<usize>()
}

fn choices(path: &TreePath) -> impl Iterator<Item = &Choice> {
    path.products.iter().chain(path.additions.iter().map(|add| &add.choice)).chain(&path.narrowing)
}

fn choice_mut(path: &mut TreePath, operation: usize) -> Option<&mut Choice> {
    let additions = path.additions.iter_mut().map(|add| &mut add.choice);
    path.products.iter_mut().chain(additions).chain(&mut path.narrowing).nth(operation)
}

/// The most products of a sum whose paths are gone through, and the most paths.
const MOST_TERMS: usize = 24;
const MOST_PATHS: usize = 4096;
/// The most weights that all evaluations together look at.
const MOST_WORK: usize = 1 << 26;

/// A change of the path of one neuron.
#[derive(Clone, Copy)]
enum Change {
    /// Leaf `from` is added in place `to` of the order from left to right.
    Move { from: usize, to: usize },
    /// Two neighbours in the order are added first.
    First(usize),
    /// An addition is fused.
    Fuse(usize),
    /// An operation is rounded in this direction.
    Direct(usize, RoundingMode),
    /// An operand or the result of an operation is flushed.
    Flush(usize, usize),
}

/// Replaces paths of a witness by such that differ from the plain one in one or two changes, if that departs from it in
/// fewer places, and `misses` still holds. Every path with one change is looked at, and with two as far as they are few,
/// one neuron at a time.
pub(super) fn shorten(
    network: &Network,
    model: &PathModel,
    mut witness: Witness,
    misses: &impl Fn(&Witness) -> bool,
) -> Witness {
    let mut evaluations = MOST_WORK / network.parameters().max(1);
    for place in 0..witness.neurons.len() {
        let SumPath::Tree(path) = &witness.neurons[place].path else { continue };
        let Ok(model) = &model_of(network, model, witness.neurons[place].layer) else { continue };
        let (terms, now) = (path.products.len(), of_path(path, model));
        if now < 2 || terms > MOST_TERMS {
            continue;
        }
        let mut paths: Vec<(usize, TreePath)> = candidates(terms, model)
            .into_iter()
            .map(|path| (of_path(&path, model), path))
            .filter(|(departures, _)| (1..now).contains(departures))
            .collect();
        paths.sort_by_key(|(departures, _)| *departures);
        for (_, path) in paths {
            let Some(left) = evaluations.checked_sub(1) else { return witness };
            evaluations = left;
            let mut candidate = witness.clone();
            candidate.neurons[place].path = path.into();
            if misses(&candidate) {
                witness = candidate;
                break;
            }
        }
    }
    witness
}

fn candidates(terms: usize, model: &PathModel) -> Vec<TreePath> {
    let plain = TreePath::plain(terms, model);
    let Summation::Trees(model_trees) = &model.summation;
    let trees: Vec<Change> = if model_trees.order == Order::Any { tree_changes(terms) } else { Vec::new() };
    let others = other_changes(&plain, model);
    let single = trees.iter().chain(&others).map(|&change| vec![change]);
    let with_tree = trees.iter().flat_map(|&tree| others.iter().map(move |&other| vec![tree, other]));
    let pairs = (0..others.len()).flat_map(|a| (a + 1..others.len()).map(move |b| (a, b)));
    let pairs = pairs.map(|(a, b)| vec![others[a], others[b]]);
    let all = single.chain(with_tree).chain(pairs).take(MOST_PATHS);
    all.filter_map(|changes| changed(&plain, &changes)).filter(|path| path.check(terms, model).is_ok()).collect()
}

fn tree_changes(terms: usize) -> Vec<Change> {
    let moves = (0..=terms).flat_map(|from| (0..=terms).map(move |to| Change::Move { from, to }));
    let moves = moves.filter(|change| !matches!(change, Change::Move { from, to } if from == to));
    moves.chain((1..terms).map(Change::First)).collect()
}

fn other_changes(plain: &TreePath, model: &PathModel) -> Vec<Change> {
    let operations = choices(plain).count();
    let mut changes = Vec::new();
    let Summation::Trees(trees) = &model.summation;
    if trees.contraction == Contraction::Any {
        changes.extend((0..plain.additions.len()).map(Change::Fuse));
    }
    if model.rounding == Rounding::Any {
        let modes = [RoundingMode::TowardNegative, RoundingMode::TowardPositive];
        changes.extend((0..operations).flat_map(|at| modes.map(|mode| Change::Direct(at, mode))));
    }
    if model.subnormals == Subnormals::Flush {
        changes.extend((0..operations).flat_map(|at| [0, 1, 2].map(|which| Change::Flush(at, which))));
    }
    changes
}

/// The path with these changes, a change of the tree first; none if there is no such thing.
fn changed(plain: &TreePath, changes: &[Change]) -> Option<TreePath> {
    let mut path = plain.clone();
    let terms = path.products.len();
    for &change in changes {
        match change {
            Change::Move { from, to } => {
                let mut order: Vec<u32> = (0..=terms as u32).collect();
                let leaf = order.remove(from);
                order.insert(to, leaf);
                for (index, add) in path.additions.iter_mut().enumerate() {
                    add.left = if index == 0 { order[0] } else { (terms + index) as u32 };
                    add.right = order[index + 1];
                }
            }
            Change::First(leaf) => {
                // That sum, then from left to right over what is left, with it in the place of the two.
                let sum = (terms + 1) as u32;
                let mut order: Vec<u32> = (0..=terms as u32).filter(|&other| other as usize != leaf + 1).collect();
                order[leaf] = sum;
                let first = path.additions.first_mut()?;
                (first.left, first.right) = (leaf as u32, leaf as u32 + 1);
                for (index, add) in path.additions.iter_mut().enumerate().skip(1) {
                    add.left = if index == 1 { order[0] } else { (terms + index) as u32 };
                    add.right = order[index];
                }
            }
            Change::Fuse(at) => {
                let add = path.additions.get_mut(at)?;
                // The product that comes in on the right, which is the only one but in the first addition.
                if (add.right as usize) < terms {
                    (add.left, add.right) = (add.right, add.left);
                }
                add.contracted = true;
            }
            Change::Direct(at, mode) => choice_mut(&mut path, at)?.mode = mode,
            Change::Flush(at, which) => {
                let flushes = &mut choice_mut(&mut path, at)?.flushes;
                *[&mut flushes.left, &mut flushes.right, &mut flushes.result][which] = true;
            }
        }
    }
    Some(path)
}
