//! Random forests, and what they compute, in exact integers.

use proptest::collection::vec;
use proptest::prelude::*;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Encodings, Forest, Tree, TreeNode};
use roundproof_softfloat::{Unpacked, decode, encode, from_order_key, order_key};

/// Values are counted in units of two to this power: those here are multiples of it.
pub const UNIT: i64 = -20;

/// The value of an encoding, in units.
pub fn value(format: Format, encoding: Encoding) -> i128 {
    match decode(format, encoding) {
        Unpacked::Zero { .. } => 0,
        Unpacked::Finite { negative, significand, exponent } => {
            let zeros = significand.trailing_zeros();
            let magnitude = ((significand >> zeros) as i128) << (exponent + i64::from(zeros) - UNIT);
            if negative { -magnitude } else { magnitude }
        }
        special => panic!("{special:?}"),
    }
}

pub fn integer(format: Format, integer: i64) -> Encoding {
    encode(format, integer < 0, integer.unsigned_abs().into(), 0).expect("a small integer")
}

/// Inputs to test: every value of a bounded format, else those around one and zero, and far out ones.
pub fn inputs(format: Format) -> Vec<Encoding> {
    if format.is_bounded() {
        return format.encodings().filter(|&encoding| format.is_finite(encoding)).collect();
    }
    let one = order_key(format, format.one(false)).expect("finite");
    let spread = 3 << format.trailing_bits();
    let positive = (one - spread..=one + spread).chain([1, 2]);
    let both = positive.flat_map(|key| [key, -key]).chain([0]);
    both.map(|key| from_order_key(format, key).expect("a value")).collect()
}

/// A tree to be, with places among lists of values.
#[derive(Clone, Debug)]
pub enum Sketch {
    Leaf(Vec<prop::sample::Index>),
    Split(u32, prop::sample::Index, Box<(Sketch, Sketch)>),
}

fn sketch(dimension: u32, outputs: usize) -> impl Strategy<Value = Sketch> {
    let leaf = vec(any::<prop::sample::Index>(), outputs).prop_map(Sketch::Leaf);
    leaf.prop_recursive(5, 24, 2, move |inner| {
        (0..dimension, any::<prop::sample::Index>(), inner.clone(), inner)
            .prop_map(|(column, cut, lower, upper)| Sketch::Split(column, cut, Box::new((lower, upper))))
    })
}

fn draw(sketch: &Sketch, cuts: &[Encoding], labels: &[Encoding], tree: &mut Tree) {
    match sketch {
        Sketch::Leaf(values) => {
            tree.nodes.push(TreeNode::Leaf);
            tree.values.extend(values.iter().map(|value| *value.get(labels)));
        }
        Sketch::Split(column, cut, sides) => {
            tree.nodes.push(TreeNode::Split { column: *column, threshold: *cut.get(cuts) });
            draw(&sides.0, cuts, labels, tree);
            draw(&sides.1, cuts, labels, tree);
        }
    }
}

/// Random forests of up to 3 trees, 2 inputs and 2 outputs. `zero` is whether cuts may be at zero.
pub fn forest(format: Format, zero: bool) -> impl Strategy<Value = Forest> {
    let labels = prop_oneof![
        Just(vec![format.zero(), format.one(false)]),
        Just([-1, 0, 1, 2].map(|label| integer(format, label)).to_vec()),
        Just(stored(format)),
    ];
    let shape = (1u32..=2, 1usize..=2, 1usize..=3);
    (shape, labels, any::<[prop::sample::Index; 2]>(), any::<bool>()).prop_flat_map(
        move |((dimension, outputs, trees), labels, base, no_base)| {
            vec(sketch(dimension, outputs), trees).prop_map(move |sketches| {
                let mut cuts = stored(format);
                cuts.retain(|&cut| zero || !format.is_zero(cut));
                let trees = sketches.iter().map(|sketch| {
                    let mut tree = Tree { nodes: Vec::new(), values: Encodings::new(format) };
                    draw(sketch, &cuts, &labels, &mut tree);
                    tree
                });
                let base =
                    base.iter().take(outputs).map(|base| if no_base { format.zero() } else { *base.get(&labels) });
                let base = Encodings::collect(format, base);
                Forest::new(format, dimension as usize, base, trees.collect()).expect("a forest")
            })
        },
    )
}

/// The inputs that may be stored.
fn stored(format: Format) -> Vec<Encoding> {
    let mut values = inputs(format);
    values
        .retain(|&value| format.is_bounded() || order_key(format, value).is_some_and(|key| key.abs() > 2 || key == 0));
    values
}

/// What a forest computes, in units.
pub fn sums(forest: &Forest, row: &[Encoding]) -> Vec<i128> {
    let format = forest.format();
    let key = |value| order_key(format, value).expect("finite");
    let mut sums: Vec<i128> = forest.base().iter().map(|base| value(format, base)).collect();
    for tree in forest.trees() {
        let (links, mut node) = (tree.preorder(), 0);
        while let TreeNode::Split { column, threshold } = tree.nodes[node] {
            node = if key(row[column as usize]) <= key(threshold) { node + 1 } else { links.link(node) };
        }
        for (output, sum) in sums.iter_mut().enumerate() {
            *sum += value(format, tree.values.get(links.link(node) * forest.outputs() + output));
        }
    }
    sums
}
