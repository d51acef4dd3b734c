//! Choosing labels, beside the recurrence as it is written.

use proptest::collection::vec;
use proptest::prelude::*;
use roundproof_format::Format;
use roundproof_network::{Activation, Encodings, Forest, Tree, TreeNode};
use roundproof_softfloat::{encode, from_order_key};

use super::*;
use prune::Kind;

const F: Format = Format::BINARY16;

/// A tree from choices: each says whether the next node is a split, and its column and cut, or its label.
fn forest(choices: &[(bool, u32, i128)], labels: i128) -> Forest {
    let (mut nodes, mut values, mut open) = (Vec::new(), Vec::new(), 1);
    for &(is_split, column, cut) in choices {
        if open == 0 {
            break;
        }
        if is_split {
            open += 1;
            nodes.push(TreeNode::Split { column, threshold: from_order_key(F, cut).expect("a value") });
        } else {
            open -= 1;
            nodes.push(TreeNode::Leaf);
            values.push(cut % labels);
        }
    }
    for _ in 0..open {
        nodes.push(TreeNode::Leaf);
        values.push(0);
    }
    let value = |&value: &i128| encode(F, value < 0, value.unsigned_abs(), 0).expect("a small integer");
    let tree = Tree { nodes, values: Encodings::collect(F, values.iter().map(value)) };
    Forest::new(F, 3, Encodings::collect(F, [F.zero()]), vec![tree]).expect("a forest")
}

/// What the boxes of an assignment cost.
fn cost(tree: &Pruned, assignment: &Assignment, outputs: i64) -> i64 {
    let mut above = vec![assignment.root];
    let mut sum = 0;
    for (node, &label) in tree.nodes.iter().zip(&assignment.labels) {
        if above.pop().expect("a tree in preorder") != label {
            sum += node.terms + 1 + outputs;
        }
        match node.kind {
            Kind::Split { .. } => above.extend([label, label]),
            Kind::Leaf { label: own } => assert_eq!(label, own),
        }
    }
    sum
}

/// `f` of the root, for every label.
fn dense(tree: &Pruned, outputs: i64) -> Vec<i64> {
    let mut open: Vec<Vec<i64>> = Vec::new();
    for node in tree.nodes.iter().rev() {
        let price = node.terms + 1 + outputs;
        let mut prices = match node.kind {
            Kind::Leaf { label } => {
                (0..tree.labels.len()).map(|other| if other == label as usize { 0 } else { 1 << 40 }).collect()
            }
            Kind::Split { .. } => {
                let (lower, upper) = (open.pop().expect("a side"), open.pop().expect("a side"));
                lower.iter().zip(&upper).map(|(a, b)| a + b).collect::<Vec<i64>>()
            }
        };
        let least = *prices.iter().min().expect("a label");
        prices.iter_mut().for_each(|own| *own = (*own).min(price + least));
        open.push(prices);
    }
    open.pop().expect("the root")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sparse_prices_are_the_least(
        choices in vec((prop::bool::weighted(0.6), 0u32..3, -40i128..40), 1..120),
        labels in 1i128..40,
        outputs in 1usize..4,
    ) {
        let forest = forest(&choices, labels);
        let sides = Sides::of(&forest, Activation::Step);
        let (_, trees) = prune(&forest, &sides);
        let [tree] = &trees[..] else { panic!("one tree") };
        let parsimony = Parsimony::of(tree, outputs);
        let prices = dense(tree, outputs as i64);
        let best = parsimony.best();
        prop_assert_eq!(cost(tree, &best, outputs as i64), *prices.iter().min().expect("a label"));
        for root in 0..tree.labels.len() as u32 {
            let below = parsimony.below(root);
            prop_assert_eq!(cost(tree, &below, outputs as i64), prices[root as usize], "root {}", root);
        }
    }

    #[test]
    fn pruned_trees_have_no_more_to_prune(choices in vec((prop::bool::weighted(0.6), 0u32..2, -9i128..9), 1..80)) {
        let first = forest(&choices, 3);
        let sides = Sides::of(&first, Activation::Step);
        let (_, trees) = prune(&first, &sides);
        let tree = &trees[0];
        let mut nodes = Vec::new();
        let mut values = Encodings::new(F);
        for node in &tree.nodes {
            match node.kind {
                Kind::Split { column, cut, .. } => {
                    nodes.push(TreeNode::Split { column, threshold: from_order_key(F, cut.key).expect("a value") });
                }
                Kind::Leaf { label } => {
                    nodes.push(TreeNode::Leaf);
                    values.extend(tree.labels.values(label).iter().copied());
                }
            }
        }
        let count = nodes.len();
        let base = Encodings::collect(F, [F.zero()]);
        let again = Forest::new(F, 3, base, vec![Tree { nodes, values }]).expect("a forest");
        let (_, trees) = prune(&again, &sides);
        prop_assert_eq!(trees[0].nodes.len(), count);
        // What the nodes cost is what their regions have sides.
        let mut descent = prune::Descent::new(tree, &sides);
        for (index, node) in tree.nodes.iter().enumerate() {
            descent.enter(index as u32);
            prop_assert_eq!(descent.region.terms(), node.terms);
            prop_assert_eq!(descent.region.sides().count() as i64, node.terms);
        }
    }
}
