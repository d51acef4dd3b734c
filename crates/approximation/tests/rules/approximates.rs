//! That a network approximates a function: claims that hold, and one change for each kind of rejection.

#![allow(clippy::unwrap_used)]

use roundproof_approximation::rule::{MOST_ENCLOSURES, check_tree};
use roundproof_approximation::{
    Accuracy, Approximates, Approximation, ApproximationRejection as Kind, Rejection, check,
};
use roundproof_construct::approximate::approximate;
use roundproof_construct::compile::compile;
use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_kernel::{BoxRejection, Claim, Evidence, Rejection as KernelRejection, Subject, Verdict};
use roundproof_network::{Activation, Dataset, Encodings, Forest, PathModel, Tree};

use crate::common::*;

const F: Format = Format::FLOAT6_E3M2FN;

fn wanted(function: &str, ranges: &[(&str, &str)], accuracy: Accuracy) -> Approximation {
    Approximation {
        function: Function::parse(function).unwrap(),
        domain: ranges.iter().map(|&(low, high)| (value(F, low), value(F, high))).collect(),
        accuracy,
    }
}

fn rounded(function: &str, ranges: &[(&str, &str)]) -> Approximation {
    wanted(function, ranges, Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Saturate })
}

fn within(function: &str, ranges: &[(&str, &str)], error: (i32, i32)) -> Approximation {
    wanted(function, ranges, Accuracy::Within(Rational::from(error)))
}

fn tree(wanted: &Approximation) -> Forest {
    approximate(wanted, F, &mut |_, _| ()).unwrap()
}

fn judge(wanted: &Approximation, forest: &Forest) -> Result<(), Kind> {
    check_tree(wanted, forest, &mut |_, _| ())
}

/// The forest with another value in one leaf.
fn with_leaf(forest: &Forest, leaf: usize, key_change: i64) -> Forest {
    let tree = &forest.trees()[0];
    let values = tree.values.iter().enumerate().map(|(index, value)| {
        let bits = value.bits() as i64 + if index == leaf { key_change } else { 0 };
        Encoding::from_bits(bits as u128)
    });
    let tree = Tree { nodes: tree.nodes.clone(), values: Encodings::collect(F, values) };
    Forest::new(F, forest.dimension(), forest.base().clone(), vec![tree]).unwrap()
}

const SQUARE: [(&str, &str); 1] = [("-2", "2.5")];
const WHOLE: [(&str, &str); 2] = [("-28", "28"), ("-28", "28")];

#[test]
fn networks_of_either_activation_are_proved() {
    let claims = [rounded("square", &SQUARE), within("square", &SQUARE, (1, 2)), rounded("mul", &WHOLE)];
    for wanted in claims.iter().chain(&[within("mul", &[("-2", "2"), ("-1", "3")], (1, 2))]) {
        for activation in [Activation::Relu, Activation::Step] {
            let forest = tree(wanted);
            let construction = compile(&forest, activation).unwrap();
            let model = PathModel::parse("all,overflow=saturate", F).unwrap();
            let claim = Approximates::claim(&construction.network, &forest, model, wanted.clone());
            let subject = Subject { network: &construction.network, data: None, forest: Some(&forest) };
            let judge = |claim: &Claim<Approximates>, subject: &Subject, evidence: &Evidence| {
                check(claim, subject, evidence, &mut |_, _| ())
            };
            assert_eq!(judge(&claim, &subject, &construction.evidence), Ok(Verdict::Proved));

            let rejected = judge(&claim, &subject, &Evidence::Paths).unwrap_err();
            assert_eq!(rejected, KernelRejection::Evidence.into());
            let without = Subject { forest: None, ..subject };
            assert!(matches!(
                judge(&claim, &without, &construction.evidence),
                Err(Rejection::Kernel(KernelRejection::Subject(_)))
            ));
            let zeros = |count| Encodings::collect(F, vec![F.zero(); count]);
            let data = Dataset::new(F, forest.dimension(), 1, zeros(forest.dimension()), zeros(1)).unwrap();
            let with_data = Subject { data: Some(&data), ..subject };
            let mut about_rows = claim.clone();
            about_rows.shape.rows = 1;
            assert!(matches!(
                judge(&about_rows, &with_data, &construction.evidence),
                Err(Rejection::Kernel(KernelRejection::Subject(_)))
            ));
            let mut miscounted = claim.clone();
            miscounted.property.leaves += 1;
            assert!(matches!(
                judge(&miscounted, &subject, &construction.evidence),
                Err(Rejection::Kernel(KernelRejection::Size { what: "leaves", .. }))
            ));

            // A forest that approximates as well, and is not what the network computes.
            let other = with_leaf(&forest, 0, 1);
            let subject = Subject { forest: Some(&other), ..subject };
            let rejected = judge(&claim, &subject, &construction.evidence).unwrap_err();
            assert!(matches!(
                rejected,
                Rejection::Kernel(KernelRejection::Boxes(BoxRejection::Leaf { .. } | BoxRejection::Offset { .. }))
            ));
        }
    }
}

#[test]
fn every_leaf_that_meets_the_domain_is_judged() {
    for wanted in [rounded("square", &SQUARE), within("square", &SQUARE, (1, 4)), rounded("mul", &WHOLE)] {
        let forest = tree(&wanted);
        assert_eq!(judge(&wanted, &forest), Ok(()));
        for leaf in 0..forest.leaves() {
            // Three steps: to another value, whatever room the error left.
            let bits = forest.trees()[0].values.get(leaf).bits();
            let change = if bits & 0x1f >= 4 { -4 } else { 4 };
            let rejected = judge(&wanted, &with_leaf(&forest, leaf, change)).unwrap_err();
            assert!(matches!(rejected, Kind::Value { .. } | Kind::Error { .. }), "{leaf}: {rejected}");
        }
    }
}

#[test]
fn another_function_error_or_domain_is_rejected() {
    let exact = rounded("square", &SQUARE);
    let forest = tree(&exact);
    let rejected = |wanted: &Approximation| judge(wanted, &forest).unwrap_err();
    assert!(matches!(rejected(&rounded("x*x+x", &SQUARE)), Kind::Value { .. }));
    assert!(matches!(rejected(&rounded("square", &[("-2", "3")])), Kind::Value { .. }));
    let toward_zero = Accuracy::Rounded { mode: RoundingMode::TowardZero, overflow: Overflow::Saturate };
    assert!(matches!(rejected(&Approximation { accuracy: toward_zero, ..exact }), Kind::Value { .. }));
    // A smaller domain is a part of what was shown.
    assert_eq!(judge(&rounded("square", &[("-1", "1.25")]), &forest), Ok(()));

    let near = within("square", &SQUARE, (1, 2));
    let forest = tree(&near);
    let rejected = |wanted: &Approximation| judge(wanted, &forest).unwrap_err();
    assert!(matches!(rejected(&within("square", &SQUARE, (1, 64))), Kind::Error { .. }));
    assert!(matches!(rejected(&within("square", &[("-2", "4")], (1, 2))), Kind::Error { .. }));
    assert!(matches!(rejected(&within("x*x+1", &SQUARE, (1, 2))), Kind::Error { .. }));
    assert_eq!(judge(&within("square", &SQUARE, (5, 8)), &forest), Ok(()));
}

#[test]
fn what_is_no_approximation_is_named() {
    let square = rounded("square", &SQUARE);
    let forest = tree(&square);
    let rejected = |wanted: &Approximation| judge(wanted, &forest).unwrap_err();
    assert!(matches!(rejected(&rounded("mul", &WHOLE)), Kind::Variables { variables: 2, inputs: 1, ranges: 2 }));
    assert!(matches!(rejected(&rounded("square", &WHOLE)), Kind::Variables { variables: 1, inputs: 1, ranges: 2 }));
    assert!(matches!(rejected(&rounded("square", &[("2", "1")])), Kind::Domain { variable: 0, .. }));
    // Where a function has no value, no tree approximates it: whatever the leaves say at other points.
    assert!(matches!(rejected(&rounded("1/x", &[("0", "0")])), Kind::Function { .. }));
    assert!(matches!(rejected(&within("1/x", &[("0", "0")], (99, 1))), Kind::Function { .. }));
    assert!(matches!(rejected(&within("1/x", &SQUARE, (99, 1))), Kind::Function { .. }));
    // A policy that the format lacks: rounding would have no result beyond the largest value.
    for overflow in [Overflow::Ieee, Overflow::Nan] {
        let lacking = wanted("exp", &[("-2", "28")], Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow });
        assert_eq!(rejected(&lacking), Kind::Policy { format: F, overflow });
    }

    let mut twice = forest.trees().to_vec();
    twice.push(twice[0].clone());
    let twice = Forest::new(F, 1, forest.base().clone(), twice).unwrap();
    assert!(matches!(judge(&square, &twice), Err(Kind::Forest { trees: 2, outputs: 1 })));
}

#[test]
fn domains_of_too_many_points_are_refused() {
    let constant = |format: Format| {
        let values = Encodings::collect(format, [format.zero()]);
        let tree = Tree { nodes: vec![roundproof_network::TreeNode::Leaf], values: values.clone() };
        Forest::new(format, 1, values, vec![tree]).unwrap()
    };
    let over = |format: Format| {
        let accuracy = Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Ieee };
        let ends = (format.zero(), format.one(false));
        Approximation { function: Function::parse("square").unwrap(), domain: vec![ends], accuracy }
    };
    let [wide, unbounded] = [Format::BINARY32, Format::unbounded(4).unwrap()];
    assert!(matches!(judge(&over(wide), &constant(wide)), Err(Kind::Points { most: 65536, .. })));
    assert!(matches!(judge(&over(unbounded), &constant(unbounded)), Err(Kind::Infinite { variable: 0, .. })));
    let infinite = Approximation { domain: vec![(wide.zero(), wide.infinity(false).unwrap())], ..over(wide) };
    assert!(matches!(judge(&infinite, &constant(wide)), Err(Kind::Domain { .. })));
}

/// A tree of one leaf.
fn leaf(format: Format, text: &str) -> Forest {
    let tree = Tree {
        nodes: vec![roundproof_network::TreeNode::Leaf],
        values: Encodings::collect(format, [value(format, text)]),
    };
    Forest::new(format, 1, Encodings::collect(format, [format.zero()]), vec![tree]).unwrap()
}

fn over(format: Format, function: &str, (low, high): (&str, &str), accuracy: Accuracy) -> Approximation {
    let domain = vec![(value(format, low), value(format, high))];
    Approximation { function: Function::parse(function).unwrap(), domain, accuracy }
}

#[test]
fn what_no_precision_decides_is_undecided_and_work_has_an_end() {
    // This is x, which no enclosure of a composed function shows.
    let at_a_point = over(F, "log(exp(x))", ("2", "2"), Accuracy::Within(Rational::new()));
    assert!(matches!(judge(&at_a_point, &leaf(F, "2")), Err(Kind::Undecided { bits: 4096.., .. })));
    // This is 0, and enclosures over boxes are as wide as these: every point would be visited.
    let wide = Format::BINARY32;
    let everywhere = over(wide, "x-x", ("1", "2"), Accuracy::Within(Rational::from((1, 1 << 30))));
    let judged = judge(&everywhere, &leaf(wide, "0"));
    assert_eq!(judged, Err(Kind::Work { most: MOST_ENCLOSURES }));
}

#[test]
fn an_excess_is_beyond_the_error_of_the_nearest_value() {
    let excess = |function, ranges, error: (i32, i32)| wanted(function, ranges, Accuracy::Excess(error.into()));
    // With excess 0 every result is a nearest value; of 2.25, next to 2 and 2.5, either is.
    let nearest = excess("square", &SQUARE, (0, 1));
    let forest = tree(&nearest);
    assert_eq!(judge(&nearest, &forest), Ok(()));
    let tie = over(F, "9/4", ("0", "1"), Accuracy::Excess(Rational::new()));
    for (label, holds) in [("2", true), ("2.5", true), ("1.75", false), ("3", false)] {
        let judged = judge(&tie, &leaf(F, label));
        assert!(if holds { judged.is_ok() } else { matches!(judged, Err(Kind::Error { .. })) }, "{label}: {judged:?}");
    }
    // A label rounded in a direction is not within every excess: 2.4, of which 2.5 is nearest, downward.
    let down = |excess: (i32, i32)| over(F, "2.4", ("0", "1"), Accuracy::Excess(excess.into()));
    assert!(matches!(judge(&down((29, 100)), &leaf(F, "2")), Err(Kind::Error { .. })));
    assert_eq!(judge(&down((3, 10)), &leaf(F, "2")), Ok(()));
    // Beyond the largest value, that value is the nearest.
    let beyond = over(F, "100", ("0", "1"), Accuracy::Excess(Rational::new()));
    assert_eq!(judge(&beyond, &leaf(F, "28")), Ok(()));
    assert!(matches!(judge(&beyond, &leaf(F, "24")), Err(Kind::Error { .. })));
    // Each leaf moved by one step is another value, of which none is nearest.
    for leaf in 0..forest.leaves() {
        let bits = forest.trees()[0].values.get(leaf).bits();
        let change = if bits & 0x1f >= 1 { -1 } else { 1 };
        let judged = judge(&nearest, &with_leaf(&forest, leaf, change));
        assert!(matches!(judged, Err(Kind::Error { .. })), "{leaf}: {judged:?}");
    }
}

#[test]
fn with_unbounded_exponents_a_leaf_is_judged_over_the_reals_up_to_zero() {
    let format = Format::unbounded(4).unwrap();
    let within = |error: (i32, i32)| Accuracy::Within(error.into());
    for accuracy in [within((1, 8)), Accuracy::Excess((1, 64).into())] {
        for function in ["x", "square", "sqrt", "exp"] {
            let wanted = over(format, function, ("0", "1"), accuracy.clone());
            let forest = approximate(&wanted, format, &mut |_, _| ()).unwrap();
            assert_eq!(judge(&wanted, &forest), Ok(()), "{function}");
            for activation in [Activation::Relu, Activation::Step] {
                let construction = compile(&forest, activation).unwrap();
                let claim = Approximates::claim(&construction.network, &forest, PathModel::all(format), wanted.clone());
                let subject = Subject { network: &construction.network, data: None, forest: Some(&forest) };
                assert_eq!(check(&claim, &subject, &construction.evidence, &mut |_, _| ()), Ok(Verdict::Proved));
            }
        }
    }
    // A cut at 0: what is above it begins at 0, not at the least value that can be written.
    let nodes = [
        roundproof_network::TreeNode::Split { column: 0, threshold: format.zero() },
        roundproof_network::TreeNode::Leaf,
        roundproof_network::TreeNode::Leaf,
    ];
    let tree = Tree { nodes: nodes.to_vec(), values: Encodings::collect(format, [format.zero(), format.one(false)]) };
    let forest = Forest::new(format, 1, Encodings::collect(format, [format.zero()]), vec![tree]).unwrap();
    let near = over(format, "1-x/2", ("0", "1"), within((1, 2)));
    assert!(matches!(judge(&near, &forest), Err(Kind::Error { .. })));
    let above = over(format, "x", ("0", "1"), within((7, 8)));
    assert!(matches!(judge(&above, &forest), Err(Kind::Error { .. })));
    assert_eq!(judge(&over(format, "x", ("0", "1"), within((1, 1))), &forest), Ok(()));
    // No label fits on both sides of a jump, however small the parts.
    let jump = over(format, "1/x", ("0", "1"), within((9, 1)));
    assert!(judge(&jump, &leaf(format, "1")).is_err());
    // Without 0 the points of a range can be counted.
    let rounded = Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Saturate };
    let exact = over(format, "sqrt", ("1", "4"), rounded);
    let forest = approximate(&exact, format, &mut |_, _| ()).unwrap();
    assert_eq!(judge(&exact, &forest), Ok(()));
    let smaller = Approximation { function: Function::parse("x/2").unwrap(), ..exact };
    assert!(matches!(judge(&smaller, &forest), Err(Kind::Value { .. })));
}
