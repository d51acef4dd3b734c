//! Approximations against another evaluation of the function, at every point and on every path: what is accepted is true,
//! whatever was changed, and what is said to be too far or another value is so.

use roundproof_approximation::rule::check_tree;
use roundproof_approximation::{Accuracy, Approximates, Approximation, ApproximationRejection as Kind, check};
use roundproof_construct::approximate::approximate;
use roundproof_construct::compile::compile;
use roundproof_exact::{Rational, decode, order_key, power_of_two, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_kernel::Subject;
use roundproof_network::{Activation, Encodings, Forest, PathModel, Tree, TreeNode};

use crate::common::*;
use crate::real::{Missing, Real};

const SMALL: &[&str] = &[
    "float4_e2m1fn",
    "float6_e3m2fn",
    "p=2,emin=-1,emax=1",
    "p=3,emin=-1,emax=1,specials=fn",
    "p=2,emin=-2,emax=2,specials=fnuz",
    "p=1,emin=-2,emax=2,specials=finite",
    "p=3,emin=1,emax=3,specials=finite",
    "F(2)",
];

fn random_accuracy(random: &mut Random, format: Format) -> Accuracy {
    let error = Rational::from((random.below(9) as u32, 1u32 << random.below(4)));
    match random.below(3) {
        0 => Accuracy::Within(error),
        1 => Accuracy::Excess(if random.one_in(3) { Rational::new() } else { error / 2 }),
        _ => {
            let policies = [Overflow::Ieee, Overflow::Saturate, Overflow::Nan];
            let overflow = policies.into_iter().find(|&it| format.expresses(it) && !random.one_in(2));
            let overflow = overflow.unwrap_or(Overflow::Saturate);
            Accuracy::Rounded { mode: *random.pick(RoundingMode::ALL), overflow }
        }
    }
}

fn random_domain(random: &mut Random, format: Format, variables: usize) -> Vec<(Encoding, Encoding)> {
    let all = values(format);
    let range = |_| {
        let [a, b] = [random.below(all.len()), random.below(all.len())];
        let end = |index: usize| match format.negative_zero() {
            Some(zero) if format.is_zero(all[index]) && index.is_multiple_of(2) => zero,
            _ => all[index],
        };
        (end(a.min(b)), end(a.max(b)))
    };
    (0..variables).map(range).collect()
}

/// All points of the domain; in `F(p)` some, very small ones among them.
fn points(format: Format, domain: &[(Encoding, Encoding)]) -> Vec<Vec<Encoding>> {
    let mut all = values(format);
    if !format.is_bounded() {
        let tiny = [-100i64, -8].into_iter().flat_map(|n| [power_of_two(n), -power_of_two(n)]);
        let encode = |real: Rational| round(&real, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
        all.extend(tiny.map(encode));
    }
    let key = |value| order_key(format, value);
    domain.iter().fold(vec![vec![]], |points, &(low, high)| {
        let inside = all.iter().filter(|&&value| key(low) <= key(value) && key(value) <= key(high));
        inside.flat_map(|&value| points.iter().map(move |point| [point.as_slice(), &[value]].concat())).collect()
    })
}

/// Whether an output at a point is as claimed; none if the evaluation does not tell.
fn holds(
    format: Format,
    all: &[Rational],
    accuracy: &Accuracy,
    output: &Rational,
    ends: &(Rational, Rational),
) -> Option<bool> {
    let at = |real: &Rational| {
        let distance = |other: &Rational| Rational::from(other - real).abs();
        match accuracy {
            Accuracy::Within(error) => distance(output) <= *error,
            Accuracy::Excess(excess) => {
                let nearest = all.iter().map(distance).min().expect("values");
                distance(output) - nearest <= *excess
            }
            Accuracy::Rounded { mode, overflow } => {
                let rounded = round(real, format, *mode, *overflow).encoding;
                decode(format, rounded).and_then(|datum| datum.rational()).is_some_and(|value| value == *output)
            }
        }
    };
    // What holds at both ends holds between. What fails at both does, if the output or a change of rounding is not between.
    let outside = || match accuracy {
        Accuracy::Rounded { mode, overflow } => {
            round(&ends.0, format, *mode, *overflow).encoding == round(&ends.1, format, *mode, *overflow).encoding
        }
        _ => *output < ends.0 || ends.1 < *output || ends.0 == ends.1,
    };
    match (at(&ends.0), at(&ends.1)) {
        (true, true) => Some(true),
        (false, false) if outside() => Some(false),
        _ => None,
    }
}

/// What holds of outputs at all points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Holds,
    Fails,
    Unclear,
}

/// Whether these outputs, any of which a path may give, approximate the function at these points.
fn truth(
    format: Format,
    function: &Real,
    accuracy: &Accuracy,
    points: &[Vec<Encoding>],
    outputs: &mut dyn FnMut(&[Encoding]) -> Vec<Option<Rational>>,
) -> Truth {
    let mut all: Vec<Rational> = values(format).into_iter().map(|value| number_of(format, value)).collect();
    let mut found = Truth::Holds;
    for point in points {
        let reals: Vec<Rational> = point.iter().map(|&value| number_of(format, value)).collect();
        let known = match function.at(&reals) {
            Err(Missing::Undefined) => return Truth::Fails,
            Err(Missing::Unclear) => {
                found = Truth::Unclear;
                continue;
            }
            Ok(known) => known.ends(),
        };
        if !format.is_bounded() {
            let near = |mode| number_of(format, round(&known.0, format, mode, Overflow::Saturate).encoding);
            all = vec![near(RoundingMode::TowardNegative), near(RoundingMode::TowardPositive)];
        }
        for output in outputs(point) {
            match output.map_or(Some(false), |output| holds(format, &all, accuracy, &output, &known)) {
                Some(true) => {}
                Some(false) => return Truth::Fails,
                None => found = Truth::Unclear,
            }
        }
    }
    found
}

/// The forest with one threshold, label or the base changed.
fn mutate(random: &mut Random, forest: &Forest) -> Forest {
    let all = values(forest.format());
    let (mut base, mut tree) = (forest.base().clone(), forest.trees()[0].clone());
    if random.one_in(8) {
        base.set(0, *random.pick(&all));
    } else {
        let place = random.below(tree.nodes.len());
        match &mut tree.nodes[place] {
            TreeNode::Split { threshold, .. } => *threshold = changed(random, &all, *threshold),
            TreeNode::Leaf => {
                let leaf = random.below(tree.values.len());
                tree.values.set(leaf, changed(random, &all, tree.values.get(leaf)));
            }
        }
    }
    Forest::new(forest.format(), forest.dimension(), base, vec![tree]).expect("well formed")
}

fn constant(random: &mut Random, format: Format, dimension: usize) -> Forest {
    let all = values(format);
    let tree = Tree { nodes: vec![TreeNode::Leaf], values: Encodings::collect(format, [*random.pick(&all)]) };
    Forest::new(format, dimension, Encodings::collect(format, [format.zero()]), vec![tree]).expect("well formed")
}

#[derive(Debug, Default)]
struct Counts {
    proved: usize,
    unclear: usize,
    rejected: usize,
    incomplete: usize,
    networks: usize,
}

/// Judges a tree, and compares.
fn compare(counts: &mut Counts, function: &Real, wanted: &Approximation, forest: &Forest) {
    let format = forest.format();
    let judged = check_tree(wanted, forest, &mut |_, _| ());
    let points = points(format, &wanted.domain);
    let truth = truth(format, function, &wanted.accuracy, &points, &mut |point| {
        vec![Some(values_of(forest, point).swap_remove(0))]
    });
    let context = || format!("{format} {wanted:?} {}\n{forest:?}\n{judged:?}", function.text());
    match (&judged, truth) {
        (Ok(()), Truth::Fails) => panic!("accepted, and false: {}", context()),
        (Ok(()), Truth::Holds) => counts.proved += 1,
        (Ok(()), Truth::Unclear) => counts.unclear += 1,
        (Err(Kind::Value { .. } | Kind::Error { .. }), Truth::Holds) if format.is_bounded() => {
            panic!("rejected, and true: {}", context())
        }
        (Err(_), Truth::Holds) => counts.incomplete += 1,
        (Err(_), _) => counts.rejected += 1,
    }
}

/// Compiles the tree, changes the network, and compares what every path gives.
fn compare_network(random: &mut Random, counts: &mut Counts, function: &Real, wanted: &Approximation, forest: &Forest) {
    let format = forest.format();
    let activation = *random.pick(&[Activation::Step, Activation::Relu]);
    let Ok(built) = compile(forest, activation) else { return };
    let models =
        ["all", "all,overflow=saturate", "paper", "all,accumulator=p=5,emin=-9,emax=9", "all,accumulator=F(5)"];
    let Ok(model) = PathModel::parse(models[random.below(models.len())], format) else { return };
    // The paths of large sums take long to enumerate.
    if built.network.parameters() > 40 {
        return;
    }
    let network = if random.one_in(2) { mutate_network(random, &built.network) } else { built.network };
    let claim = Approximates::claim(&network, forest, model, wanted.clone());
    let subject = Subject { network: &network, data: None, forest: Some(forest) };
    if check(&claim, &subject, &built.evidence, &mut |_, _| ()).is_err() {
        return;
    }
    let mut points = points(format, &wanted.domain);
    while points.len() > 16 {
        let drop = random.below(points.len());
        points.swap_remove(drop);
    }
    let mut outputs = |point: &[Encoding]| -> Vec<Option<Rational>> {
        let vectors = every_output(&model, &network, point).into_iter().flatten();
        vectors.map(|vector| decode(format, vector[0]).and_then(|datum| datum.rational())).collect()
    };
    let truth = truth(format, function, &wanted.accuracy, &points, &mut outputs);
    assert!(truth != Truth::Fails, "{format} {model} {wanted:?} {}\n{network:?}\n{forest:?}", function.text());
    counts.networks += 1;
}

#[test]
fn what_is_accepted_is_true_at_every_point() {
    let mut random = Random(31);
    let rounds = 60;
    let mut counts = Counts::default();
    for format in SMALL.iter().map(|name| name.parse::<Format>().expect(name)) {
        for _ in 0..rounds {
            let variables = if random.one_in(4) && format.width() <= 5 { 2 } else { 1 };
            let tree = Real::random(&mut random, 3, variables);
            let function = Function::parse(&tree.text()).expect("well formed");
            let domain = random_domain(&mut random, format, function.arity());
            let wanted = Approximation { function, domain, accuracy: random_accuracy(&mut random, format) };
            let built = approximate(&wanted, format, &mut |_, _| ());
            let forest = built.unwrap_or_else(|_| constant(&mut random, format, wanted.function.arity()));
            compare(&mut counts, &tree, &wanted, &forest);
            for _ in 0..3 {
                compare(&mut counts, &tree, &wanted, &mutate(&mut random, &forest));
                let domain = random_domain(&mut random, format, wanted.function.arity());
                let accuracy = random_accuracy(&mut random, format);
                let moved = Approximation { domain, ..wanted.clone() };
                compare(&mut counts, &tree, &moved, &forest);
                compare(&mut counts, &tree, &Approximation { accuracy, ..wanted.clone() }, &forest);
                compare_network(&mut random, &mut counts, &tree, &wanted, &forest);
            }
        }
    }
    let Counts { proved, unclear, rejected, incomplete, networks } = counts;
    assert!(proved > 1000 && rejected > 2000 && networks > 300, "{counts:?}");
    assert!(unclear < 200 && incomplete < 20, "{counts:?}");
}
