//! The rule `box-network` for functions against every path, at every finite input: what it accepts is true, whatever was
//! changed.

use roundproof_construct::compile;
use roundproof_exact::{Datum, Rational, decode};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Claim, Evidence, Node, Separator, Subject, boxes, check};
use roundproof_network::{Activation, Encodings, Forest, Network, PathModel, Tree, TreeNode};

use crate::common::*;

/// A tree of some cuts at random places, with random labels.
fn tree(random: &mut Random, format: Format, dimension: usize, labels: &[Encoding], cuts: usize) -> Tree {
    let all = values(format);
    let mut nodes = Vec::new();
    // Cuts that are still to be spent below each open place.
    let mut open = vec![cuts];
    while let Some(cuts) = open.pop() {
        if cuts == 0 {
            nodes.push(TreeNode::Leaf);
        } else {
            nodes.push(TreeNode::Split { column: random.below(dimension) as u32, threshold: *random.pick(&all) });
            let below = random.below(cuts);
            open.extend([cuts - 1 - below, below]);
        }
    }
    let leaves = nodes.iter().filter(|node| **node == TreeNode::Leaf).count();
    let values = (0..leaves).map(|_| *random.pick(labels));
    Tree { values: Encodings::collect(format, values), nodes }
}

/// Labels 0, 1, 2, -1 as far as there are such, or anything.
fn labels(random: &mut Random, format: Format) -> Vec<Encoding> {
    let all = values(format);
    if random.one_in(3) {
        return all;
    }
    let small = |value: &Encoding| [-1, 0, 1, 2].iter().any(|&n| number_of(format, *value) == n);
    all.into_iter().filter(small).collect()
}

fn forest(random: &mut Random, format: Format) -> Forest {
    let dimension = 1 + random.below(2);
    let labels = labels(random, format);
    let trees = (0..1 + random.below(2)).map(|_| {
        let cuts = random.below(4);
        tree(random, format, dimension, &labels, cuts)
    });
    let trees: Vec<Tree> = trees.collect();
    let base = Encodings::collect(format, [*random.pick(&labels)]);
    Forest::new(format, dimension, base, trees).expect("well formed")
}

/// Inputs at which a change can show: all of one dimension, some pairs of two.
fn inputs(random: &mut Random, format: Format, dimension: usize) -> Vec<Vec<Encoding>> {
    let all = values(format);
    match dimension {
        1 => all.into_iter().map(|value| vec![value]).collect(),
        _ => (0..40).map(|_| vec![*random.pick(&all), *random.pick(&all)]).collect(),
    }
}

/// Whether the kernel accepts; if it does, every path at the inputs stays within the tolerance.
fn accepted(
    random: &mut Random,
    model: &PathModel,
    network: &Network,
    forest: &Forest,
    separator: &Separator,
    tolerance: &Rational,
) -> bool {
    let claim = Claim::computes(network, forest, None, *model, tolerance.clone(), vec![]);
    let subject = Subject { network, data: None, forest: Some(forest) };
    if check(&claim, &subject, &Evidence::BoxNetwork(separator.clone()), &mut |_, _| ()).is_err() {
        return false;
    }
    let format = forest.format();
    for input in inputs(random, format, forest.dimension()) {
        let expected = values_of(forest, &input).swap_remove(0);
        let Some(outputs) = every_output(model, network, &input) else { continue };
        for output in outputs {
            let Some(Datum::Finite(given)) = decode(format, output[0]) else {
                // Zeros are told apart from other finite data.
                assert!(format.is_zero(output[0]) && expected.clone().abs() <= *tolerance, "{input:?}");
                continue;
            };
            let error = (given - &expected).abs();
            assert!(
                error <= *tolerance,
                "{format} {model} {input:?}: off by {error}\n{network:?}\n{forest:?}\n{separator:?}"
            );
        }
    }
    true
}

fn mutate_separator(random: &mut Random, format: Format, separator: &Separator) -> Separator {
    let all = values(format);
    let mut nodes = separator.nodes.clone();
    let place = random.below(nodes.len());
    match (&mut nodes[place], random.below(4)) {
        (Node::Split { threshold, .. }, 0..=2) => *threshold = changed(random, &all, *threshold),
        (Node::Split { column, .. }, _) => *column ^= 1,
        (node, 0) => *node = Node::Empty,
        (node, 1) => *node = Node::Nested(random.below(3) as u32),
        (node, _) => *node = Node::Box(random.below(4) as u32),
    }
    Separator { nodes }
}

fn mutate_forest(random: &mut Random, forest: &Forest) -> Forest {
    let all = values(forest.format());
    let mut trees = forest.trees().to_vec();
    let index = random.below(trees.len());
    let tree = &mut trees[index];
    let place = random.below(tree.nodes.len());
    match &mut tree.nodes[place] {
        TreeNode::Split { threshold, .. } => *threshold = changed(random, &all, *threshold),
        TreeNode::Leaf => {
            let leaf = random.below(tree.values.len());
            tree.values.set(leaf, changed(random, &all, tree.values.get(leaf)));
        }
    }
    Forest::new(forest.format(), forest.dimension(), forest.base().clone(), trees).expect("well formed")
}

#[test]
fn what_is_compiled_is_accepted_and_what_is_accepted_is_true() {
    let mut random = Random(21);
    let models =
        ["all", "all,overflow=saturate", "all,accumulator=p=5,emin=-9,emax=9", "paper", "all,rounding=toward-zero"];
    let (mut exact, mut bounded, mut kept, mut lost) = (0, 0, 0, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().expect(name)) {
        for model in models.iter().filter_map(|text| PathModel::parse(text, format).ok()) {
            for round in 0..24 {
                let activation = if round % 2 == 0 { Activation::Step } else { Activation::Relu };
                let forest = forest(&mut random, format);
                let Ok(built) = compile::compile(&forest, activation) else { continue };
                let Evidence::BoxNetwork(separator) = &built.evidence else { panic!("a box network") };
                // The only way for a compiled network to be turned down is a sum beyond the format.
                let Ok(bound) = boxes::error_bound(&model, &built.network, separator) else { continue };
                assert!(
                    accepted(&mut random, &model, &built.network, &forest, separator, &bound),
                    "{format} {model} {forest:?}"
                );
                exact += usize::from(bound == 0);
                bounded += usize::from(bound != 0);
                for _ in 0..6 {
                    let (network, cuts, function) = match random.below(3) {
                        0 => (mutate_network(&mut random, &built.network), separator.clone(), forest.clone()),
                        1 => (built.network.clone(), mutate_separator(&mut random, format, separator), forest.clone()),
                        _ => (built.network.clone(), separator.clone(), mutate_forest(&mut random, &forest)),
                    };
                    if accepted(&mut random, &model, &network, &function, &cuts, &bound) {
                        kept += 1;
                    } else {
                        lost += 1;
                    }
                }
            }
        }
    }
    let counts = (exact, bounded, kept, lost);
    assert!(exact > 300 && bounded > 50 && kept > 100 && lost > 1000, "{counts:?}");
}
