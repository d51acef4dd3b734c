//! What a compiled network must satisfy, looked at input by input.

use roundproof_construct::Construction;
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Node};
use roundproof_network::{Forest, Network, PathModel};
use roundproof_paths::{Decision, Plain, Random, evaluate, reach};
use roundproof_softfloat::{encode, order_key};

use crate::forests::{UNIT, inputs, sums, value};

/// Every row of the inputs of a forest.
fn rows(forest: &Forest) -> Vec<Vec<Encoding>> {
    let values = inputs(forest.format());
    let mut rows = vec![Vec::new()];
    for _ in 0..forest.dimension() {
        rows =
            rows.iter().flat_map(|row: &Vec<_>| values.iter().map(move |&v| [row.as_slice(), &[v]].concat())).collect();
    }
    rows
}

fn nodes(construction: &Construction) -> &[Node] {
    let Evidence::BoxNetwork(separator) = &construction.evidence else { panic!("a box network") };
    &separator.nodes
}

/// The boxes on the paths of a row down the trees; and how many trees there are.
fn located(format: Format, nodes: &[Node], row: &[Encoding]) -> (Vec<u32>, usize) {
    let key = |value| order_key(format, value).expect("finite");
    let (mut boxes, mut trees, mut at) = (Vec::new(), 0, 0);
    while at < nodes.len() {
        trees += 1;
        at = walk(nodes, at, true, &mut |column: u32, cut| key(row[column as usize]) <= key(cut), &mut boxes);
    }
    (boxes, trees)
}

/// Walks over the tree at a node, and returns where it ends.
fn walk(
    nodes: &[Node],
    at: usize,
    inside: bool,
    lower: &mut dyn FnMut(u32, Encoding) -> bool,
    boxes: &mut Vec<u32>,
) -> usize {
    match nodes[at] {
        Node::Split { column, threshold } => {
            let below = lower(column, threshold);
            let upper = walk(nodes, at + 1, inside && below, lower, boxes);
            walk(nodes, upper, inside && !below, lower, boxes)
        }
        Node::Nested(number) => {
            boxes.extend(inside.then_some(number));
            walk(nodes, at + 1, inside, lower, boxes)
        }
        Node::Box(number) => {
            boxes.extend(inside.then_some(number));
            at + 1
        }
        Node::Empty => at + 1,
    }
}

/// Whether the kernel's conditions say that the sum of an output is exact, from the network and its separator alone.
pub fn is_exact(forest: &Forest, construction: &Construction, output: usize) -> bool {
    let (format, nodes) = (forest.format(), nodes(construction));
    let last = &construction.network.as_layers().expect("layers")[2];
    let bias = value(format, last.bias.get(output));
    let nested = nodes.iter().any(|node| matches!(node, Node::Nested(_)));
    let mut weights = vec![0; construction.network.as_layers().expect("layers")[1].rows()];
    for (column, weight) in last.terms(output) {
        weights[column as usize] = value(format, weight);
    }
    let grid = weights.iter().chain([&bias]).filter(|&&w| w != 0).map(|w| w.trailing_zeros()).min();
    let Some(grid) = grid else { return true };
    let (mut at, mut trees, mut bounds) = (0, 0, [bias.max(0), (-bias).max(0)]);
    while at < nodes.len() {
        let (most, end) = largest(nodes, at, &weights, [0, 0]);
        (at, trees) = (end, trees + 1);
        bounds = [bounds[0] + most[0], bounds[1] + most[1]];
    }
    if trees == 1 && !nested && bias == 0 {
        return true;
    }
    let most = bounds[0].max(bounds[1]);
    most >> grid <= 1 << format.precision() && encode(format, false, most as u128, UNIT).is_some()
}

/// The largest sums of positive and negative weights on the paths of the tree at a node, and where it ends.
fn largest(nodes: &[Node], at: usize, weights: &[i128], above: [i128; 2]) -> ([i128; 2], usize) {
    let with = |number: u32| {
        let weight = weights[number as usize];
        [above[0] + weight.max(0), above[1] + (-weight).max(0)]
    };
    match nodes[at] {
        Node::Split { .. } => {
            let (lower, upper) = largest(nodes, at + 1, weights, above);
            let (higher, end) = largest(nodes, upper, weights, above);
            ([lower[0].max(higher[0]), lower[1].max(higher[1])], end)
        }
        Node::Nested(number) => largest(nodes, at + 1, weights, with(number)),
        Node::Box(number) => (with(number), at + 1),
        Node::Empty => (above, at + 1),
    }
}

/// Whether only leaves have boxes, and nothing but the base is in the biases.
fn is_flat(forest: &Forest, construction: &Construction) -> bool {
    let format = forest.format();
    let biases = construction.network.as_layers().expect("layers")[2].bias.iter().zip(forest.base().iter());
    let mut unchanged =
        biases.map(|(bias, base)| value(format, bias) == value(format, base) || value(format, bias) == 0);
    unchanged.all(|unchanged| unchanged) && !nodes(construction).iter().any(|node| matches!(node, Node::Nested(_)))
}

/// Checks a compiled network on every input, or as many as stand for all: that the boxes on the paths of the separator,
/// and no others, are 1 on every path of arithmetic; that their weights add up to the forest's value; and that the
/// outputs are that value on every path where the sum is exact. Where it is not, the form must be the flat one, with the
/// leaves as they are. Returns for how many outputs the sum is exact.
pub fn check(forest: &Forest, construction: &Construction) -> usize {
    let format = forest.format();
    let network = &construction.network;
    let model = PathModel::all(format);
    let layers = network.clone().into_layers().expect("layers");
    let hidden = Network::new(format, forest.dimension(), layers[..2].to_vec()).expect("two layers");
    let nodes = nodes(construction);
    let mut named: Vec<u32> = nodes
        .iter()
        .filter_map(|node| if let Node::Box(number) | Node::Nested(number) = *node { Some(number) } else { None })
        .collect();
    named.sort_unstable();
    assert_eq!(
        named,
        (0..hidden.as_layers().expect("layers")[1].rows() as u32).collect::<Vec<_>>(),
        "each box is named once"
    );
    let exact: Vec<bool> = (0..forest.outputs()).map(|output| is_exact(forest, construction, output)).collect();
    if exact.contains(&false) && !is_flat(forest, construction) {
        panic!("neither flat nor exact: {network:?} {nodes:?}");
    }
    for (number, row) in rows(forest).iter().enumerate() {
        let (boxes, trees) = located(format, nodes, row);
        assert_eq!(trees, forest.trees().len());
        let indicators = reach(&hidden, row, &model).expect("the model");
        for (neuron, indicator) in indicators.iter().enumerate() {
            let expected = if boxes.contains(&(neuron as u32)) { format.one(false) } else { format.zero() };
            assert_eq!(indicator.decides(format, expected), Decision::Always, "box {neuron} at {row:?}: {network:?}");
        }
        let expected = sums(forest, row);
        for (output, &sum) in expected.iter().enumerate() {
            let last = &network.as_layers().expect("layers")[2];
            let terms = last.terms(output).filter(|(column, _)| boxes.contains(column));
            let given: i128 = terms.map(|(_, weight)| value(format, weight)).sum();
            assert_eq!(given + value(format, last.bias.get(output)), sum, "output {output} at {row:?}: {network:?}");
        }
        let mut random = Random::new(1, number as u64);
        for outputs in [
            evaluate(network, row, &model, &mut Plain).expect("a path"),
            evaluate(network, row, &model, &mut random).expect("a path"),
        ] {
            for output in (0..exact.len()).filter(|&output| exact[output]) {
                assert_eq!(value(format, outputs[output]), expected[output], "output {output} at {row:?}: {network:?}");
            }
        }
        if number % 8 == 0 {
            for (output, reached) in reach(network, row, &model).expect("the model").iter().enumerate() {
                let (magnitude, negative) = (expected[output].unsigned_abs(), expected[output] < 0);
                if exact[output] {
                    let sum = encode(format, negative, magnitude, UNIT).expect("an exact sum is a value");
                    assert_eq!(
                        reached.decides(format, sum),
                        Decision::Always,
                        "output {output} at {row:?}: {network:?}"
                    );
                }
            }
        }
    }
    exact.iter().filter(|&&exact| exact).count()
}
