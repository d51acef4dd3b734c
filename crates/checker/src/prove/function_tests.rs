//! Claims about functions that are false, and claims that are not.

use std::path::Path;

use roundproof_construct::{approximate, compile};
use roundproof_exact::{Datum, Rational, decode, encode, order_key};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_judge::expected::expected;
use roundproof_judge::{Accuracy, Approximates, Approximation, Evidence, KernelProperty, Property, Subject, Verdict};
use roundproof_kernel::Claim;
use roundproof_network::{Activation, At, Encodings, Forest, Layer, Network, PathModel, Tree, TreeNode};
use roundproof_paths::{Plain, evaluate, is_right};
use roundproof_sources::models::{ForestOptions, Outputs, read_model};

use super::refute::Judged;

const F: Format = Format::FLOAT8_E5M2;

/// The plain path gives what a claim of the corpus says at every point; that there is another path, its record says.
#[test]
fn claims_of_the_corpus_hold_on_the_plain_path() {
    let check = |network: &Network, property: &Property, forest: &Forest, model: &PathModel, points: &[Encoding]| {
        for &point in points {
            let given = evaluate(network, &[point], model, &mut Plain).expect("a value")[0];
            let expected = expected(property, forest, &[point]).expect("a value");
            assert!(is_right(network.format(), given, expected.right[0]), "{point:?} {given:?}");
        }
        points.len()
    };
    // approximation-one-neuron
    for format in [Format::FLOAT8_E4M3FN, Format::FLOAT8_E5M2, Format::BFLOAT16] {
        let mut layer = Layer::new(format, Activation::Identity);
        layer.push([(0, format.one(false))], format.one(false));
        let network = Network::new(format, 1, vec![layer]).expect("a network");
        let (low, high) = (format.zero(), value(format, 4, 1));
        let accuracy = Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: format.default_overflow() };
        let function = Function::parse("x + 1").expect("a function");
        let approximation = Approximation { function, domain: vec![(low, high)], accuracy };
        let property = Property::from(Approximates { approximation, leaves: 0 });
        let forest = Forest::new(format, 1, Encodings::collect(format, [low]), vec![leaf(format)]).expect("a forest");
        assert!(check(&network, &property, &forest, &PathModel::all(format), &points(format, low, high)) > 60);
    }
    // approximation-flush
    let format = Format::BINARY16;
    let (low, high) = (format.zero(), value(format, 1, 1 << 20));
    let function = Function::parse("sqrt").expect("a function");
    let wanted = Approximation { function, domain: vec![(low, high)], accuracy: rounded(RoundingMode::TiesToEven) };
    let forest = approximate::approximate(&wanted, format, &mut |_, _| ()).expect("a tree");
    let property = Property::from(Approximates { approximation: wanted, leaves: 0 });
    let model = PathModel::parse("all,subnormals=flush", format).expect("a model");
    for activation in [Activation::Relu, Activation::Step] {
        let network = compile::compile(&forest, activation).expect("a network").network;
        assert_eq!(check(&network, &property, &forest, &model, &points(format, low, high)), 17);
    }
    // forest-any-order
    let format = Format::BFLOAT16;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proofs/refutations/forest-any-order/trees.model");
    let options = ForestOptions { outputs: Some(Outputs::Scores), grid: None, real_inputs: false };
    let forest = read_model(Path::new(file)).expect("a model").value.to_forest(format, &options).expect("a forest").0;
    let property = Property::from(KernelProperty::Computes {
        trees: 4,
        leaves: 8,
        tolerance: Rational::new(),
        exceptions: Vec::new(),
    });
    let ends = [true, false].map(|negative| format.largest(negative).expect("bounded"));
    for activation in [Activation::Relu, Activation::Step] {
        let network = compile::compile(&forest, activation).expect("a network").network;
        let all = points(format, ends[0], ends[1]);
        assert_eq!(check(&network, &property, &forest, &PathModel::all(format), &all), 65_279);
    }
}

/// A tree that gives 0.
fn leaf(format: Format) -> Tree {
    Tree { nodes: vec![TreeNode::Leaf], values: Encodings::collect(format, [format.zero()]) }
}

fn value(format: Format, numerator: i64, denominator: i64) -> Encoding {
    let real = Rational::from((numerator, denominator));
    if real == 0 { format.zero() } else { encode(format, &Datum::Finite(real)).expect("a value") }
}

fn wanted(function: &str, ends: (i64, i64), accuracy: Accuracy) -> Approximation {
    let domain = vec![(value(F, ends.0, 1), value(F, ends.1, 1))];
    Approximation { function: Function::parse(function).expect("a function"), domain, accuracy }
}

fn rounded(mode: RoundingMode) -> Accuracy {
    Accuracy::Rounded { mode, overflow: Overflow::Ieee }
}

fn judged(network: &Network, forest: &Forest, model: PathModel, wanted: &Approximation, offered: Evidence) -> Judged {
    let claim = Approximates::claim(network, forest, model, wanted.clone()).map(Property::from);
    let subject = Subject { network, data: None, forest: Some(forest) };
    Judged::of(&claim, &subject, offered, &mut |_, _, _| ()).expect("the model is one of the format")
}

/// Every value from one key to another.
fn points(format: Format, low: Encoding, high: Encoding) -> Vec<Encoding> {
    let key = |value| order_key(format, value);
    format
        .encodings()
        .filter(|&x| format.is_finite(x) && Some(x) != format.negative_zero())
        .filter(|&x| key(low) <= key(x) && key(x) <= key(high))
        .collect()
}

/// x + 1 by one neuron: right on the plain path at every point, and a direction away from it at some.
#[test]
fn one_neuron_is_right_on_one_path_and_wrong_on_another() {
    let wanted = wanted("x+1", (0, 4), rounded(RoundingMode::TiesToEven));
    let forest = approximate::approximate(&wanted, F, &mut |_, _| ()).expect("a tree");
    let mut layer = Layer::new(F, Activation::Identity);
    layer.push([(0, F.one(false))], F.one(false));
    let network = Network::new(F, 1, vec![layer]).expect("a network");
    let property = Property::from(Approximates { approximation: wanted.clone(), leaves: 0 });
    for point in points(F, wanted.domain[0].0, wanted.domain[0].1) {
        let given = evaluate(&network, &[point], &PathModel::all(F), &mut Plain).expect("a value")[0];
        let expected = expected(&property, &forest, &[point]).expect("a function");
        assert!(is_right(F, given, expected.right[0]), "{point:?}");
    }
    for (model, verdict) in [
        (PathModel::all(F), Verdict::Refuted),
        (PathModel::paper(F), Verdict::Unknown),
        (PathModel::parse("paper,order=any,contraction=any", F).expect("a model"), Verdict::Unknown),
        (PathModel::parse("paper,rounding=toward-zero", F).expect("a model"), Verdict::Refuted),
    ] {
        let found = judged(&network, &forest, model, &wanted, Evidence::Paths);
        assert_eq!(found.verdict, verdict, "{model}");
        assert_eq!(found.evidence.is_some(), verdict == Verdict::Refuted);
    }
}

/// What is true is proved, and without its evidence it is not refuted.
#[test]
fn no_claim_that_is_true_is_refuted() {
    for function in ["sqrt", "exp", "sin(9*x)"] {
        for accuracy in [
            rounded(RoundingMode::TiesToEven),
            rounded(RoundingMode::TowardNegative),
            Accuracy::Within(Rational::from(8)),
            Accuracy::Excess(Rational::from((1, 4))),
            Accuracy::Excess(Rational::from((1, 1024))),
        ] {
            let wanted = wanted(function, (0, 3), accuracy);
            let forest = approximate::approximate(&wanted, F, &mut |_, _| ()).expect("a tree");
            for activation in [Activation::Relu, Activation::Step] {
                let construction = compile::compile(&forest, activation).expect("a network");
                let judged =
                    |offered| judged(&construction.network, &forest, PathModel::all(F), &wanted, offered).verdict;
                assert_eq!(judged(construction.evidence.clone()), Verdict::Proved, "{function}");
                assert_eq!(judged(Evidence::Paths), Verdict::Unknown, "{function} {:?}", wanted.accuracy);
            }
        }
    }
}

/// A tree of one accuracy, claimed to be of another: refuted just where it is false at some point.
#[test]
fn a_false_leaf_is_refuted_by_the_plain_path() {
    let accuracies = [
        rounded(RoundingMode::TiesToEven),
        rounded(RoundingMode::TowardZero),
        Accuracy::Within(Rational::from((1, 4))),
        Accuracy::Within(Rational::from((1, 16))),
        Accuracy::Excess(Rational::new()),
        Accuracy::Excess(Rational::from((1, 16))),
    ];
    let (mut proved, mut refuted) = (0, 0);
    for built in &accuracies {
        let wanted = |accuracy: &Accuracy| wanted("sqrt", (1, 4), accuracy.clone());
        let Ok(forest) = approximate::approximate(&wanted(built), F, &mut |_, _| ()) else { continue };
        let construction = compile::compile(&forest, Activation::Relu).expect("a network");
        for claimed in &accuracies {
            let wanted = wanted(claimed);
            let property = Property::from(Approximates { approximation: wanted.clone(), leaves: 0 });
            let right = points(F, wanted.domain[0].0, wanted.domain[0].1).into_iter().all(|point| {
                let given =
                    evaluate(&construction.network, &[point], &PathModel::all(F), &mut Plain).expect("a value")[0];
                is_right(F, given, expected(&property, &forest, &[point]).expect("a function").right[0])
            });
            let offered = construction.evidence.clone();
            let found = judged(&construction.network, &forest, PathModel::all(F), &wanted, offered);
            let plain = |evidence: Option<Evidence>| matches!(evidence, Some(Evidence::Witness(witness)) if witness.neurons.is_empty());
            match right {
                true => assert_eq!(found.verdict, Verdict::Proved, "{built:?} {claimed:?}"),
                false => assert!(found.verdict == Verdict::Refuted && plain(found.evidence), "{built:?} {claimed:?}"),
            }
            *if right { &mut proved } else { &mut refuted } += 1;
        }
    }
    assert!(proved > 5 && refuted > 5, "{proved} {refuted}");
}

/// A network of another forest, in many inputs, is refuted within the leaf that differs.
#[test]
fn a_forest_with_another_leaf_is_refuted_there() {
    let cut = |column, threshold| TreeNode::Split { column, threshold };
    let tree = |values: [i64; 4]| {
        let nodes = vec![
            cut(0, value(F, 1, 1)),
            cut(3, value(F, -2, 1)),
            TreeNode::Leaf,
            TreeNode::Leaf,
            cut(4, value(F, 1, 2)),
            TreeNode::Leaf,
            TreeNode::Leaf,
        ];
        Tree { nodes, values: Encodings::collect(F, values.map(|leaf| value(F, leaf, 1))) }
    };
    let forest = |values| Forest::new(F, 5, Encodings::collect(F, [F.zero()]), vec![tree(values)]).expect("a forest");
    for leaf in 0..4 {
        let right = forest([1, 2, 3, 4]);
        let mut other = [1, 2, 3, 4];
        other[leaf] = 5;
        let other = forest(other);
        for activation in [Activation::Relu, Activation::Step] {
            let construction = compile::compile(&other, activation).expect("a network");
            let claim =
                Claim::computes(&construction.network, &right, None, PathModel::all(F), Rational::new(), Vec::new())
                    .map(Property::from);
            let subject = Subject { network: &construction.network, data: None, forest: Some(&right) };
            let found = Judged::of(&claim, &subject, construction.evidence, &mut |_, _, _| ()).expect("a model");
            let Some(Evidence::Witness(witness)) = found.evidence else { panic!("{:?}", found.rejection) };
            let At::Point(point) = &witness.at else { panic!("{:?}", witness.at) };
            let real = |input: usize| decode(F, point[input]).and_then(|datum| datum.rational()).expect("finite");
            let place = match real(0) <= 1 {
                true => usize::from(real(3) > -2),
                false => 2 + usize::from(real(4) > Rational::from((1, 2))),
            };
            assert_eq!((found.verdict, place, witness.value), (Verdict::Refuted, leaf, value(F, 5, 1)));
        }
    }
}
