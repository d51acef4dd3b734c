//! Sizes counted by hand, forms that are chosen, and refusals.

use std::time::{Duration, Instant};

use roundproof_construct::compile::{compile, parameters};
use roundproof_construct::{ConstructError, Construction};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Node};
use roundproof_network::TreeNode::{self, Leaf};
use roundproof_network::{Activation, Encodings, Forest, Tree};
use roundproof_softfloat::{encode, from_order_key, negate, order_key};

use crate::HIDDEN;
use crate::forests::integer;
use crate::judge::{check, is_exact};

const F: Format = Format::BFLOAT16;

fn split(format: Format, column: u32, threshold: i64) -> TreeNode {
    TreeNode::Split { column, threshold: integer(format, threshold) }
}

fn tree(format: Format, nodes: &[TreeNode], values: &[i64]) -> Tree {
    let values = Encodings::collect(format, values.iter().map(|&value| integer(format, value)));
    Tree { nodes: nodes.to_vec(), values }
}

fn forest(format: Format, dimension: usize, base: &[i64], trees: Vec<Tree>) -> Forest {
    let base = Encodings::collect(format, base.iter().map(|&value| integer(format, value)));
    Forest::new(format, dimension, base, trees).expect("a forest")
}

fn separator(construction: &Construction) -> &[Node] {
    let Evidence::BoxNetwork(separator) = &construction.evidence else { panic!("a box network") };
    &separator.nodes
}

/// Units, terms of boxes, boxes, and weights of outputs.
fn counts(construction: &Construction) -> [usize; 4] {
    let layers = construction.network.as_layers().expect("layers");
    [layers[0].rows(), layers[1].weights.len(), layers[1].rows(), layers[2].weights.len()]
}

#[test]
fn a_stump_is_one_unit_one_box_and_a_bias() {
    let forest = forest(F, 1, &[0], vec![tree(F, &[split(F, 0, 1), Leaf, Leaf], &[2, 5])]);
    for activation in HIDDEN {
        let built = compile(&forest, activation).expect("a network");
        assert_eq!(counts(&built), [1, 1, 1, 1]);
        // The unit and the box have two parameters each, and there is a weight and a bias.
        assert_eq!(parameters(&forest, activation), Some(6));
    }
}

#[test]
fn three_classes_take_two_nested_boxes() {
    let nodes = [split(F, 0, 1), Leaf, split(F, 1, 2), Leaf, Leaf];
    let forest = forest(F, 2, &[0; 3], vec![tree(F, &nodes, &[1, 0, 0, 0, 1, 0, 0, 0, 1])]);
    for activation in HIDDEN {
        let built = compile(&forest, activation).expect("a network");
        // All that is above the first cut, and in it all that is above the second: 1 + 2 sides. Two weights each.
        assert_eq!(counts(&built), [2, 3, 2, 4]);
        assert_eq!(parameters(&forest, activation), Some(2 * 2 + 3 + 2 + 4 + 3));
        assert_eq!(separator(&built)[2], Node::Nested(0));
    }
}

#[test]
fn one_step_unit_serves_both_sides_of_a_cut_and_all_trees() {
    // Three intervals of one input, twice.
    let nodes = [split(F, 0, 1), Leaf, split(F, 0, 3), Leaf, Leaf];
    let trees = vec![tree(F, &nodes, &[4, 1, 9]), tree(F, &nodes, &[4, 16, 9])];
    let forest = forest(F, 1, &[0], trees);
    let step = compile(&forest, Activation::Step).expect("a network");
    assert_eq!(step.network.as_layers().expect("layers")[0].rows(), 2);
    // The side above 1 and the side up to 1, of any boxes, are of one unit for each direction.
    let relu = compile(&forest, Activation::Relu).expect("a network");
    assert!((2..=4).contains(&relu.network.as_layers().expect("layers")[0].rows()));
    for built in [&step, &relu] {
        assert!(is_exact(&forest, built, 0));
    }
}

#[test]
fn unreachable_sides_and_equal_leaves_and_cuts_at_the_end_take_nothing() {
    let largest = TreeNode::Split { column: 1, threshold: F.largest(false).expect("bounded") };
    // x <= 1 has no side above 2; above 1, both sides of a cut give 7; nothing is above the largest value.
    let nodes = [largest, split(F, 0, 1), split(F, 0, 2), Leaf, Leaf, split(F, 1, 5), Leaf, Leaf, Leaf];
    let pruned = forest(F, 2, &[0], vec![tree(F, &nodes, &[3, 99, 7, 7, 50])]);
    let plain = forest(F, 2, &[0], vec![tree(F, &[split(F, 0, 1), Leaf, Leaf], &[3, 7])]);
    for activation in HIDDEN {
        let [pruned, plain] = [&pruned, &plain].map(|forest| compile(forest, activation).expect("a network"));
        assert_eq!(pruned.network, plain.network);
        assert_eq!(pruned.evidence, plain.evidence);
    }
}

#[test]
fn a_constant_is_the_smallest_network() {
    let small: Format = "float4_e2m1fn".parse().expect("a format");
    for (format, base) in [(F, 3), (F, 0), (small, 1), (Format::unbounded(2).expect("a format"), 2)] {
        for values in [[1, 1], [0, 0]] {
            let nodes = [split(format, 0, 1), Leaf, Leaf];
            let forest = forest(format, 1, &[base], vec![tree(format, &nodes, &values); 2]);
            for activation in HIDDEN {
                let built = compile(&forest, activation).expect("a network");
                assert_eq!((counts(&built), parameters(&forest, activation)), ([1, 0, 1, 0], Some(4)));
                assert_eq!(separator(&built), [Node::Box(0), Node::Empty]);
                if format.width() < 16 || !format.is_bounded() {
                    assert_eq!(check(&forest, &built), 1);
                }
            }
        }
    }
}

#[test]
fn sums_beyond_exactness_fall_back_to_flat_boxes() {
    // Nested differences of 255 reach 510 on one path: beyond 2^8 units of 1.
    let nodes = [split(F, 0, 1), Leaf, split(F, 0, 3), Leaf, split(F, 0, 5), Leaf, Leaf];
    let alternating = forest(F, 1, &[0], vec![tree(F, &nodes, &[0, 255, 1, 254])]);
    let flat = compile(&alternating, Activation::Step).expect("a network");
    assert!(is_exact(&alternating, &flat, 0));
    assert!(!separator(&flat).iter().any(|node| matches!(node, Node::Nested(_))));
    // Two trees whose sum needs nine bits: exact leaves are added, and the sum may be rounded.
    let both = forest(F, 1, &[0], vec![tree(F, &nodes, &[0, 255, 1, 254]); 2]);
    let rounded = compile(&both, Activation::Step).expect("a network");
    assert!(!is_exact(&both, &rounded, 0));
    assert_eq!(counts(&rounded)[2], 6);
}

#[test]
fn sums_of_exactly_two_to_the_precision_are_exact_and_beyond_are_not() {
    let stump = |values: [i64; 2]| tree(F, &[split(F, 0, 1), Leaf, Leaf], &values);
    // 2^8 units of 1: exact. One unit more, and 256 + 1 is not a value.
    let within = forest(F, 1, &[1], vec![stump([0, 127]), stump([0, 128])]);
    let beyond = forest(F, 1, &[2], vec![stump([0, 127]), stump([0, 128])]);
    for (forest, exact) in [(within, true), (beyond, false)] {
        let built = compile(&forest, Activation::Step).expect("a network");
        assert_eq!(is_exact(&forest, &built, 0), exact);
    }
}

#[test]
fn a_base_goes_into_the_leaves_of_a_single_tree() {
    // A bias beside the weights 1/128 and 2 would be beyond R5.
    let tiny = encode(F, false, 1, -7).expect("a value");
    let nodes = vec![split(F, 0, 1), Leaf, split(F, 0, 3), Leaf, Leaf];
    let with = |largest| {
        let values = Encodings::collect(F, [tiny, integer(F, largest), F.zero()]);
        let base = Encodings::collect(F, [integer(F, 1)]);
        Forest::new(F, 1, base, vec![Tree { nodes: nodes.clone(), values }]).expect("a forest")
    };
    // 1 + 1/128 and 1 + 2 are values; 1 + 256 is none.
    for (largest, exact) in [(2, true), (256, false)] {
        let forest = with(largest);
        let built = compile(&forest, Activation::Step).expect("a network");
        assert_eq!(F.is_zero(built.network.as_layers().expect("layers")[2].bias.get(0)), exact);
        assert_eq!(is_exact(&forest, &built, 0), exact);
    }
}

#[test]
fn boxes_with_more_sides_than_their_format_counts_use_mirrored_units() {
    // In p = 1, two ones can be counted; a cell of two inputs has four sides.
    let f: Format = "p=1,emin=-1,emax=1,specials=finite".parse().expect("a format");
    let cell = [split(f, 0, 1), split(f, 0, -1), Leaf, split(f, 1, 1), split(f, 1, -1), Leaf, Leaf, Leaf, Leaf];
    let forest = forest(f, 2, &[0], vec![tree(f, &cell, &[0, 0, 1, 0, 0])]);
    let built = compile(&forest, Activation::Step).expect("a network");
    let [first, second, _] = built.network.as_layers().expect("layers")[..] else { panic!("three layers") };
    assert_eq!((first.rows(), second.rows()), (4, 1));
    assert_eq!(first.weights.iter().filter(|&weight| weight == f.one(false)).count(), 2);
    assert!(second.weights.iter().all(|weight| weight == f.one(true)) && f.is_zero(second.bias.get(0)));
    assert_eq!(check(&forest, &built), 1);
}

#[test]
fn cuts_without_a_neighbour_or_a_scale_are_named() {
    let f = Format::unbounded(3).expect("a format");
    let nodes = [split(f, 0, 1), split(f, 0, 0), Leaf, Leaf, Leaf];
    let at_zero = forest(f, 1, &[0], vec![tree(f, &[Leaf], &[1]), tree(f, &nodes, &[1, 2, 3])]);
    assert!(compile(&at_zero, Activation::Step).is_ok());
    let error = compile(&at_zero, Activation::Relu).unwrap_err();
    assert_eq!(error, ConstructError::NoNeighbour { tree: 1, node: 1, column: 0, format: f });
    assert_eq!(parameters(&at_zero, Activation::Relu), None);

    let narrow = Format::FLOAT8_E4M3B11FNUZ;
    let least = from_order_key(narrow, 1).expect("a value");
    let nodes = vec![TreeNode::Split { column: 0, threshold: least }, Leaf, Leaf];
    let values = Encodings::collect(narrow, [narrow.zero(), narrow.one(false)]);
    let base = Encodings::collect(narrow, [narrow.zero()]);
    let narrow = Forest::new(narrow, 1, base, vec![Tree { nodes, values }]).expect("a forest");
    assert!(compile(&narrow, Activation::Step).is_ok());
    let error = compile(&narrow, Activation::Relu).unwrap_err();
    assert!(matches!(error, ConstructError::NoScaleAtCut { tree: 0, node: 0, column: 0, .. }), "{error}");
    assert!(matches!(compile(&narrow, Activation::Identity), Err(ConstructError::Unsuitable(_))));
}

#[test]
fn numbers_that_no_network_may_hold_are_refused() {
    let f = Format::unbounded(3).expect("a format");
    let one = order_key(f, f.one(false)).expect("finite");
    // The value next above the last that may be stored.
    let last = from_order_key(f, one + (1 << 22) + 3).expect("a value");
    let nodes = vec![TreeNode::Split { column: 0, threshold: last }, Leaf, Leaf];
    let values = Encodings::collect(f, [f.zero(), f.one(false)]);
    let forest = Forest::new(f, 1, Encodings::collect(f, [f.zero()]), vec![Tree { nodes, values }]).expect("a forest");
    assert!(compile(&forest, Activation::Step).is_ok());
    assert!(matches!(compile(&forest, Activation::Relu), Err(ConstructError::Network(_))));
}

#[test]
fn a_difference_that_no_network_may_hold_is_not_taken() {
    let f = Format::unbounded(3).expect("a format");
    let last = encode(f, false, 1, 1 << 20).expect("a value");
    let values = Encodings::collect(f, [last, negate(f, last)]);
    let tree = Tree { nodes: vec![split(f, 0, 1), Leaf, Leaf], values };
    let forest = Forest::new(f, 1, Encodings::collect(f, [f.zero()]), vec![tree]).expect("a forest");
    for activation in HIDDEN {
        // One box would have to add twice the last value: each leaf has one of its own.
        assert_eq!(counts(&compile(&forest, activation).expect("a network"))[2..], [2, 2]);
    }
}

/// A tree of cuts of one input at the integers from 0 on, each below the upper side of the one before.
fn chain(format: Format, splits: usize, label: impl Fn(usize) -> Encoding) -> Forest {
    let mut nodes = Vec::new();
    for index in 0..splits {
        nodes.extend([split(format, 0, index as i64), Leaf]);
    }
    nodes.push(Leaf);
    let values = Encodings::collect(format, (0..=splits).map(label));
    let base = Encodings::collect(format, [format.zero()]);
    Forest::new(format, 1, base, vec![Tree { nodes, values }]).expect("a forest")
}

#[test]
fn deep_chains_compile_quickly() {
    let f = Format::BINARY32;
    let start = Instant::now();
    for activation in HIDDEN {
        let two = chain(f, 50_000, |leaf| integer(f, (leaf % 2) as i64));
        let built = compile(&two, activation).expect("a network");
        // Of two labels, one is above the root: every other leaf has a box, or every leaf a nested one.
        assert!((25_000..=50_000).contains(&built.network.as_layers().expect("layers")[1].rows()));
        let distinct = chain(f, 50_000, |leaf| integer(f, leaf as i64 * 3 % 50_021));
        let built = compile(&distinct, activation).expect("a network");
        assert_eq!(built.network.as_layers().expect("layers")[1].rows(), 50_000);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    println!("{:?}", start.elapsed());
}
