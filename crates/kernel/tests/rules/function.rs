//! The rule `box-network` for functions: a forest that is accepted, and one change for each kind of rejection.

use roundproof_exact::{Rational, encode};
use roundproof_format::{Encoding, Format, Overflow};
use roundproof_kernel::{
    BoxRejection, Claim, Evidence, Node, Property, Rejection, Separator, Subject, Verdict, boxes, check,
};
use roundproof_network::{Activation, Dataset, Encodings, Forest, Layer, Network, PathModel, Tree, TreeNode};

use crate::common::*;

/// p = 3, values up to 28: few enough to try them all.
const F: Format = Format::FLOAT6_E3M2FN;

/// A tree with two cuts, `x <= 1 ? (x <= -2 ? 4 : 5) : 7`, and one with a single leaf of 1.
#[derive(Clone)]
struct Case {
    layers: Vec<Layer>,
    nodes: Vec<Node>,
    trees: Vec<Tree>,
    base: Encodings,
    data: Option<Dataset>,
    claim: Option<Property>,
    model: PathModel,
}

fn cut(threshold: &str) -> Node {
    Node::Split { column: 0, threshold: value(F, threshold) }
}

fn split(threshold: &str) -> TreeNode {
    TreeNode::Split { column: 0, threshold: value(F, threshold) }
}

fn values_of(texts: &[&str]) -> Encodings {
    Encodings::collect(F, texts.iter().map(|text| value(F, text)))
}

/// The nested network of Step neurons: 4 is the bias, h0 = [x > -2] adds 1, and within it h1 = [x > 1] adds 2.
fn step() -> Case {
    let first = layer(F, Activation::Step, &[(&[(0, "-1")], "-2"), (&[(0, "-1")], "1")]);
    let second =
        layer(F, Activation::Step, &[(&[(0, "-1")], "0"), (&[(1, "-1")], "0"), (&[(1, "1"), (0, "-1")], "-1")]);
    let mut second_sorted = Layer::new(F, Activation::Step);
    for neuron in 0..second.rows() {
        let mut terms: Vec<_> = second.terms(neuron).collect();
        terms.sort_by_key(|&(column, _)| column);
        second_sorted.push(terms, second.bias.get(neuron));
    }
    // h2 = [-2 < x <= 1] is there for its own sake, with label 0.
    let last = layer(F, Activation::Identity, &[(&[(0, "1"), (1, "2"), (2, "0")], "5")]);
    let nodes = vec![cut("-2"), Node::Empty, Node::Nested(0), cut("1"), Node::Box(2), Node::Box(1), Node::Empty];
    let tree = Tree {
        nodes: vec![split("1"), split("-2"), TreeNode::Leaf, TreeNode::Leaf, TreeNode::Leaf],
        values: values_of(&["4", "5", "7"]),
    };
    let constant = Tree { nodes: vec![TreeNode::Leaf], values: values_of(&["1"]) };
    Case {
        layers: vec![first, second_sorted, last],
        nodes,
        trees: vec![tree, constant],
        base: values_of(&["0"]),
        data: None,
        claim: None,
        model: PathModel::all(F),
    }
}

/// The same function of disjoint ReLU boxes, the second tree and the base in the bias.
fn relu() -> Case {
    // Units: x > -2 is excluded (upper side), x <= -2, x > 1, x <= 1: a = -2, succ(-2) = -1.75, 1, succ(1) = 1.25.
    let first = layer(
        F,
        Activation::Relu,
        &[(&[(0, "1")], "2"), (&[(0, "-1")], "-1.75"), (&[(0, "1")], "-1"), (&[(0, "-1")], "1.25")],
    );
    let second =
        layer(F, Activation::Relu, &[(&[(0, "-4")], "1"), (&[(1, "-4"), (2, "-4")], "1"), (&[(3, "-4")], "1")]);
    let last = layer(F, Activation::Identity, &[(&[(0, "4"), (1, "5"), (2, "7")], "1")]);
    let nodes = vec![cut("1"), cut("-2"), Node::Box(0), Node::Box(1), Node::Box(2), Node::Empty];
    Case { layers: vec![first, second, last], nodes, ..step() }
}

impl Case {
    fn verdict(&self) -> Result<Verdict, Rejection> {
        let network = Network::new(F, 1, self.layers.clone()).expect("well formed");
        let forest = Forest::new(F, 1, self.base.clone(), self.trees.clone()).expect("well formed");
        let mut claim = Claim::computes(&network, &forest, self.data.as_ref(), self.model, Rational::new(), Vec::new());
        if let Some(property) = &self.claim {
            claim.property = property.clone();
        }
        let evidence = Evidence::BoxNetwork(Separator { nodes: self.nodes.clone() });
        let subject = Subject { network: &network, data: self.data.as_ref(), forest: Some(&forest) };
        check(&claim, &subject, &evidence, &mut |_, _| ())
    }

    fn rejected(mut self, change: impl FnOnce(&mut Case)) -> Rejection {
        change(&mut self);
        self.verdict().expect_err("rejected")
    }

    fn boxes(self, change: impl FnOnce(&mut Case)) -> BoxRejection {
        match self.rejected(change) {
            Rejection::Boxes(rejection) => rejection,
            other => panic!("{other}"),
        }
    }
}

fn computes(tolerance: Rational, exceptions: Vec<usize>) -> Option<Property> {
    Some(Property::Computes { trees: 2, leaves: 4, tolerance, exceptions })
}

#[test]
fn the_unchanged_networks_are_accepted_and_do_what_was_claimed() {
    for case in [step(), relu()] {
        assert_eq!(case.verdict(), Ok(Verdict::Proved));
        let network = network(F, 1, case.layers.clone());
        for input in values(F) {
            let x = roundproof_exact::decode(F, input).and_then(|datum| datum.rational()).expect("finite");
            let expected = if x <= -2 {
                5
            } else if x <= 1 {
                6
            } else {
                8
            };
            let expected = encode(F, &roundproof_exact::Datum::Finite(expected.into())).expect("a value");
            let given = every_output(&case.model, &network, &[input]).expect("few paths");
            assert!(given.iter().all(|outputs| same_value(F, outputs[0], expected)), "{x}: {given:?}");
        }
    }
}

#[test]
fn flush() {
    let model = PathModel::parse("all,subnormals=flush", F).expect("a model");
    assert_eq!(step().boxes(|case| case.model = model), BoxRejection::Flush);
}

#[test]
fn labels_and_thresholds_are_those_of_the_forest() {
    let leaf = |tree, leaf| BoxRejection::Leaf { tree, leaf, output: Output(0) };
    // The first leaf sets the offset, and a later one differs from it.
    assert_eq!(step().boxes(|case| case.trees[0].values = values_of(&["4", "6", "7"])), leaf(0, 1));
    assert_eq!(relu().boxes(|case| case.trees[0].values = values_of(&["4", "5", "6"])), leaf(0, 2));
    for threshold in ["1.25", "0.875", "-2.5"] {
        assert!(matches!(step().boxes(|case| case.trees[0].nodes[0] = split(threshold)), BoxRejection::Leaf { .. }));
        assert!(matches!(relu().boxes(|case| case.trees[0].nodes[0] = split(threshold)), BoxRejection::Leaf { .. }));
    }
    // A unit whose threshold is another one keeps its box from filling the region, or within it.
    let unit = |threshold: &'static str| move |case: &mut Case| case.layers[0].bias.set(1, value(F, threshold));
    let overlap = BoxRejection::Overlap { neuron: BoxNumber(2), column: Input(0), side: "below" };
    assert_eq!(step().boxes(unit("1.25")), overlap);
    assert_eq!(
        step().boxes(unit("0.875")),
        BoxRejection::Unfilled { neuron: BoxNumber(2), column: Input(0), side: "above" }
    );
    let weight = |case: &mut Case| case.layers[2].weights.set(1, value(F, "1"));
    assert!(matches!(step().boxes(weight), BoxRejection::Leaf { .. }));
}

#[test]
fn offsets() {
    let needed =
        |needed: i32, bias: i32| BoxRejection::Offset { output: Output(0), bias: bias.into(), needed: needed.into() };
    assert_eq!(step().boxes(|case| case.layers[2].bias.set(0, value(F, "4"))), needed(5, 4));
    assert_eq!(step().boxes(|case| case.base = values_of(&["2"])), needed(7, 5));
    assert_eq!(step().boxes(|case| case.trees[1].values = values_of(&["0"])), needed(4, 5));
}

#[test]
fn trees() {
    assert_eq!(step().boxes(|case| case.nodes.truncate(6)), BoxRejection::Trees { separator: 1, forest: 2 });
    assert_eq!(step().boxes(|case| drop(case.trees.pop())), BoxRejection::Trees { separator: 2, forest: 1 });
}

/// A unit that has to fire is counted; too many terms are not exact, in any format.
#[test]
fn counted_sides() {
    let two = |case: &mut Case| case.layers[1].bias.set(2, value(F, "-2"));
    assert_eq!(step().boxes(two), BoxRejection::BoxBias { neuron: BoxNumber(2), bias: number(F, "-2"), expected: -1 });
    // 2^p = 8 terms are the most.
    for (copies, accepted) in [(7, true), (8, false)] {
        let mut case = step();
        let mut second = Layer::new(F, Activation::Step);
        for neuron in 0..2 {
            second.push(case.layers[1].terms(neuron).collect::<Vec<_>>(), F.zero());
        }
        let further = (0..copies).map(|copy| (2 + copy, F.one(true)));
        let terms = case.layers[1].terms(2).filter(|&(unit, _)| unit == 1).chain(further);
        second.push(terms.collect::<Vec<_>>(), F.one(true));
        (0..copies).for_each(|_| case.layers[0].push([(0, F.one(true))], value(F, "-2")));
        case.layers[1] = second;
        let verdict = case.verdict();
        if accepted {
            assert_eq!(verdict, Ok(Verdict::Proved));
        } else {
            assert_eq!(verdict, Err(Rejection::Boxes(BoxRejection::BoxCount { neuron: BoxNumber(2), terms: 9 })));
        }
    }
}

/// Labels whose sums are not values: 8 + 4 + 1 in three bits.
#[test]
fn sums() {
    let coarse = |case: &mut Case| {
        case.layers[2].weights.set(1, value(F, "8"));
        case.trees[0].values = values_of(&["4", "5", "12"]);
        case.layers[2].bias.set(0, value(F, "4"));
        case.trees[1].values = values_of(&["0"]);
    };
    let BoxRejection::Sum { bound, allowed } = step().boxes(coarse) else { panic!("another rejection") };
    assert!(allowed == 0 && bound > 0);
    let beyond = |case: &mut Case| case.layers[2].weights.set(1, value(F, "28"));
    assert_eq!(step().boxes(beyond), BoxRejection::SumRange { output: Output(0), reach: 34.into() });

    // Two trees of 8 and 1.25: in three bits the sums are rounded, and never off by more than the bound.
    let first = layer(F, Activation::Step, &[(&[(0, "-1")], "1")]);
    let second = layer(F, Activation::Step, &[(&[(0, "-1")], "0"), (&[(0, "1")], "-1")]);
    let last = layer(F, Activation::Identity, &[(&[(0, "8"), (1, "1.25")], "0.25")]);
    let network = network(F, 1, vec![first, second, last]);
    let tree =
        |values: &[&str]| Tree { nodes: vec![split("1"), TreeNode::Leaf, TreeNode::Leaf], values: values_of(values) };
    let forest =
        Forest::new(F, 1, values_of(&["0.25"]), vec![tree(&["0", "8"]), tree(&["1.25", "0"])]).expect("a forest");
    let nodes = vec![cut("1"), Node::Empty, Node::Box(0), cut("1"), Node::Box(1), Node::Empty];
    let separator = Separator { nodes };
    let model = PathModel::all(F);
    let bound = boxes::error_bound(&model, &network, &separator).expect("within the format");
    let subject = Subject { network: &network, data: None, forest: Some(&forest) };
    let judge = |tolerance: Rational| {
        let claim = Claim::computes(&network, &forest, None, model, tolerance, vec![]);
        check(&claim, &subject, &Evidence::BoxNetwork(separator.clone()), &mut |_, _| ())
    };
    assert_eq!(judge(bound.clone()), Ok(Verdict::Proved));
    let less = &bound - Rational::from((1, 1 << 20));
    assert!(matches!(judge(less), Err(Rejection::Boxes(BoxRejection::Sum { .. }))));
    for input in values(F) {
        let above = order_of(input) > order_of(F.one(false));
        let exact = if above { Rational::from((33, 4)) } else { Rational::from((3, 2)) };
        for outputs in every_output(&model, &network, &[input]).expect("few paths") {
            let given = roundproof_exact::decode(F, outputs[0]).and_then(|datum| datum.rational()).expect("finite");
            assert!((given - &exact).abs() <= bound);
        }
    }
}

fn order_of(encoding: Encoding) -> Option<i128> {
    roundproof_exact::order_key(F, encoding)
}

/// 448 + 1 is beyond the largest value, and 8 * 448 too.
#[test]
fn all_inputs_may_overflow_to_nan() {
    let f = Format::FLOAT8_E4M3FN;
    let step = (Activation::Step, "-1", "1", "0", BoxRejection::Silenced { neuron: BoxNumber(0), unit: Unit(0) });
    let headroom = BoxRejection::Headroom { site: site(0, 0), overflow: Overflow::Nan };
    let relu = (Activation::Relu, "-8", "9", "1", headroom);
    for (activation, weight, bias, constant, rejection) in [step, relu] {
        let first = layer(f, activation, &[(&[(0, weight)], bias)]);
        let second = layer(f, activation, &[(&[(0, "-1")], constant)]);
        let last = layer(f, Activation::Identity, &[(&[(0, "3")], "0")]);
        let network = network(f, 1, vec![first, second, last]);
        let nodes = vec![TreeNode::Split { column: 0, threshold: f.one(false) }, TreeNode::Leaf, TreeNode::Leaf];
        let values = Encodings::collect(f, [f.zero(), value(f, "3")]);
        let tree = Tree { nodes, values };
        let forest = Forest::new(f, 1, Encodings::collect(f, [f.zero()]), vec![tree]).expect("a forest");
        let separator = vec![Node::Split { column: 0, threshold: f.one(false) }, Node::Empty, Node::Box(0)];
        let evidence = Evidence::BoxNetwork(Separator { nodes: separator });
        let subject = Subject { network: &network, data: None, forest: Some(&forest) };
        let judge = |text: &str| {
            let model = PathModel::parse(text, f).expect(text);
            let claim = Claim::computes(&network, &forest, None, model, Rational::new(), vec![]);
            check(&claim, &subject, &evidence, &mut |_, _| ())
        };
        assert_eq!(judge("all,overflow=saturate"), Ok(Verdict::Proved));
        assert_eq!(judge("all,overflow=nan"), Err(Rejection::Boxes(rejection)));
    }
}

/// In `F(p)` nothing is next to zero: a ReLU unit cannot tell zero from all that is below it; a Step unit can.
#[test]
fn zero_in_an_unbounded_format() {
    let f = Format::unbounded(3).expect("a format");
    let judge = |activation, unit: (&str, &str), sides: (&str, &str)| {
        let first = layer(f, activation, &[(&[(0, unit.0)], unit.1)]);
        let second = layer(f, activation, &[(&[(0, sides.0)], sides.1)]);
        let last = layer(f, Activation::Identity, &[(&[(0, "3")], "0")]);
        let network = network(f, 1, vec![first, second, last]);
        let nodes = vec![TreeNode::Split { column: 0, threshold: f.zero() }, TreeNode::Leaf, TreeNode::Leaf];
        let values = Encodings::collect(f, [value(f, "3"), f.zero()]);
        let base = Encodings::collect(f, [f.zero()]);
        let forest = Forest::new(f, 1, base, vec![Tree { nodes, values }]).expect("a forest");
        let separator = vec![Node::Split { column: 0, threshold: f.zero() }, Node::Box(0), Node::Empty];
        let claim = Claim::computes(&network, &forest, None, PathModel::all(f), Rational::new(), vec![]);
        let subject = Subject { network: &network, data: None, forest: Some(&forest) };
        check(&claim, &subject, &Evidence::BoxNetwork(Separator { nodes: separator }), &mut |_, _| ())
    };
    // x <= 0 fires Step(0 - x).
    assert_eq!(judge(Activation::Step, ("-1", "0"), ("1", "-1")), Ok(Verdict::Proved));
    let zero = Rejection::Boxes(BoxRejection::UnitAtZero { unit: Unit(0) });
    assert_eq!(judge(Activation::Relu, ("1", "0"), ("-1", "1")), Err(zero));
}

#[test]
fn rows_and_exceptions() {
    let data = |case: &mut Case| case.data = Some(texts(F, &[(&["-2"], &["5"]), (&["0"], &["6"]), (&["3"], &["7"])]));
    let wrong = |found: Option<usize>, claimed: Option<usize>| Rejection::Exceptions {
        found: found.map(Row),
        claimed: claimed.map(Row),
    };
    assert_eq!(step().rejected(data), wrong(Some(2), None));
    let with = |exceptions: Vec<usize>| {
        move |case: &mut Case| {
            data(case);
            case.claim = computes(Rational::new(), exceptions);
        }
    };
    let mut right = step();
    with(vec![2])(&mut right);
    assert_eq!(right.verdict(), Ok(Verdict::Proved));
    assert_eq!(step().rejected(with(vec![1])), wrong(Some(2), Some(1)));
    assert_eq!(step().rejected(with(vec![1, 2])), wrong(Some(2), Some(1)));
    assert_eq!(step().rejected(with(vec![2, 3])), wrong(None, Some(3)));
    assert_eq!(step().rejected(with(vec![2, 2])), wrong(None, Some(2)));
}

#[test]
fn subjects() {
    let subject = |change: &dyn Fn(&mut Case)| match step().rejected(change) {
        Rejection::Subject(what) => what,
        other => panic!("{other}"),
    };
    assert_eq!(
        subject(&|case| case.claim = computes(Rational::new(), vec![0])),
        "there are exceptions and no data set"
    );
    let tolerant = |case: &mut Case| {
        case.claim = computes(1.into(), vec![]);
        case.data = Some(texts(F, &[(&["-2"], &["5"])]));
    };
    assert_eq!(subject(&tolerant), "labels are compared with tolerance 0 only");
    let memorizes = |case: &mut Case| {
        case.claim = Some(Property::Memorizes);
        case.data = Some(texts(F, &[(&["-2"], &["5"])]));
    };
    assert_eq!(subject(&memorizes), "memorization takes a data set and no forest");
    let counts = |trees, leaves| {
        move |case: &mut Case| {
            case.claim = Some(Property::Computes { trees, leaves, tolerance: Rational::new(), exceptions: vec![] });
        }
    };
    assert_eq!(step().rejected(counts(3, 4)), Rejection::Size { what: "trees", claimed: 3, found: 2 });
    assert_eq!(step().rejected(counts(2, 5)), Rejection::Size { what: "leaves", claimed: 5, found: 4 });

    let case = step();
    let network = network(F, 1, case.layers);
    let forest = Forest::new(F, 1, case.base, case.trees).expect("a forest");
    let claim = Claim::computes(&network, &forest, None, case.model, Rational::new(), vec![]);
    let judge = |forest: Option<&Forest>, evidence: &Evidence| {
        check(&claim, &Subject { network: &network, data: None, forest }, evidence, &mut |_, _| ())
    };
    assert_eq!(judge(Some(&forest), &Evidence::Paths), Err(Rejection::Evidence));
    let none = Err(Rejection::Subject("there is no forest to be computed"));
    assert_eq!(judge(None, &Evidence::BoxNetwork(Separator { nodes: case.nodes })), none);
}
