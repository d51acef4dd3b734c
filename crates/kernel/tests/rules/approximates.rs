//! That a network approximates a function: claims that hold, and one change for each kind of rejection.

use roundproof_construct::approximate::approximate;
use roundproof_construct::compile::compile;
use roundproof_exact::Rational;
use roundproof_exact::functions::Function;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_kernel::{
    Accuracy, Approximation, ApproximationRejection as Kind, BoxRejection, Claim, Evidence, Property, Rejection,
    Subject, Verdict, approximation, check,
};
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
    approximation::check(wanted, forest, &mut |_, _| ())
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
            let claim = Claim::approximates(&construction.network, &forest, model, wanted.clone());
            let subject = Subject { network: &construction.network, data: None, forest: Some(&forest) };
            let judge =
                |claim: &Claim, subject: &Subject, evidence: &Evidence| check(claim, subject, evidence, &mut |_, _| ());
            assert_eq!(judge(&claim, &subject, &construction.evidence), Ok(Verdict::Proved));

            let rejected = judge(&claim, &subject, &Evidence::Paths).unwrap_err();
            assert_eq!(rejected, Rejection::Evidence);
            let without = Subject { forest: None, ..subject };
            assert!(matches!(judge(&claim, &without, &construction.evidence), Err(Rejection::Subject(_))));
            let zeros = |count| Encodings::collect(F, vec![F.zero(); count]);
            let data = Dataset::new(F, forest.dimension(), 1, zeros(forest.dimension()), zeros(1)).unwrap();
            let with_data = Subject { data: Some(&data), ..subject };
            let mut about_rows = claim.clone();
            about_rows.shape.rows = 1;
            assert!(matches!(judge(&about_rows, &with_data, &construction.evidence), Err(Rejection::Subject(_))));
            let mut miscounted = claim.clone();
            let Property::Approximates { leaves, .. } = &mut miscounted.property else { unreachable!() };
            *leaves += 1;
            assert!(matches!(
                judge(&miscounted, &subject, &construction.evidence),
                Err(Rejection::Size { what: "leaves", .. })
            ));

            // A forest that approximates as well, and is not what the network computes.
            let other = with_leaf(&forest, 0, 1);
            let subject = Subject { forest: Some(&other), ..subject };
            let rejected = judge(&claim, &subject, &construction.evidence).unwrap_err();
            assert!(matches!(rejected, Rejection::Boxes(BoxRejection::Leaf { .. } | BoxRejection::Offset { .. })));
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
    assert!(matches!(rejected(&rounded("1/x", &[("0", "2.5")])), Kind::Function { .. }));
    assert!(matches!(rejected(&within("1/x", &SQUARE, (9, 1))), Kind::Function { .. } | Kind::Error { .. }));

    let mut twice = forest.trees().to_vec();
    twice.push(twice[0].clone());
    let twice = Forest::new(F, 1, forest.base().clone(), twice).unwrap();
    assert!(matches!(judge(&square, &twice), Err(Kind::Forest { trees: 2, outputs: 1 })));
}

#[test]
fn domains_of_too_many_points_and_formats_without_bound_are_refused() {
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
    assert!(matches!(judge(&over(unbounded), &constant(unbounded)), Err(Kind::Unbounded { .. })));
    let infinite = Approximation { domain: vec![(wide.zero(), wide.infinity(false).unwrap())], ..over(wide) };
    assert!(matches!(judge(&infinite, &constant(wide)), Err(Kind::Domain { .. })));
}
