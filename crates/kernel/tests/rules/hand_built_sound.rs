//! The rule `box-network` against every path, over random networks that no compiler wrote: nested boxes of both kinds of
//! units, repeated units and columns, several trees and outputs; functions at every finite input, and memorization.

use std::collections::BTreeMap;

use roundproof_exact::{Rational, decode};
use roundproof_format::{Encoding, Format, Overflow};
use roundproof_kernel::{Claim, Evidence, Node, Separator, Subject, check};
use roundproof_network::{Accumulator, Activation, Dataset, Layer, Network, PathModel};

use crate::common::*;
use crate::hand_built::*;

/// Beside those of all tests: extreme ones.
const MORE: &[&str] = &[
    "p=1,emin=0,emax=0,specials=finite",
    "p=1,emin=0,emax=3,specials=finite",
    "p=3,emin=0,emax=0,specials=finite",
    "p=1,emin=-1,emax=2,specials=finite",
    "p=2,emin=0,emax=0",
    "p=2,emin=1,emax=3,specials=finite",
    "p=2,emin=0,emax=2,specials=fnuz",
];

/// Networks for each setting.
const ROUNDS: usize = 30;

/// Models that make NaN of small sums.
const MORE_MODELS: &[&str] = &[
    "all,accumulator=p=2,emin=-1,emax=4/nan",
    "all,accumulator=p=2,emin=0,emax=0/nan",
    "paper,accumulator=p=2,emin=0,emax=0/nan",
    "all,accumulator=p=4,emin=0,emax=0/nan",
];
fn some_inputs(random: &mut Random, format: Format, dimension: usize, most: usize) -> Vec<Vec<Encoding>> {
    let all = values(format);
    if dimension == 1 && all.len() <= most {
        return all.into_iter().map(|value| vec![value]).collect();
    }
    (0..most).map(|_| (0..dimension).map(|_| *random.pick(&all)).collect()).collect()
}

/// Whether every path stays within the tolerance, and at how many inputs that could be told.
fn told(model: &PathModel, case: &Case, inputs: &[Vec<Encoding>], tolerance: &Rational) -> usize {
    let format = case.network.format();
    let mut told = 0;
    for input in inputs {
        let expected = values_of(&case.forest, input);
        let Some(outputs) = every_output(model, &case.network, input) else { continue };
        told += 1;
        for vector in outputs {
            for (output, expected) in vector.iter().zip(&expected) {
                let error = match decode(format, *output) {
                    Some(datum) if format.is_finite(*output) => {
                        Some((datum.rational().unwrap_or_default() - expected).abs())
                    }
                    _ => None,
                };
                assert!(
                    error.as_ref().is_some_and(|error| error <= tolerance),
                    "{format} {model} {input:?}: {expected}, off by {error:?} > {tolerance}\n{:?}\n{:?}\n{:?}",
                    case.network,
                    case.forest,
                    case.separator
                );
            }
        }
    }
    told
}

fn computes(model: &PathModel, case: &Case, tolerance: &Rational) -> bool {
    let claim = Claim::computes(&case.network, &case.forest, None, *model, tolerance.clone(), vec![]);
    let subject = Subject { network: &case.network, data: None, forest: Some(&case.forest) };
    check(&claim, &subject, &Evidence::BoxNetwork(case.separator.clone()), &mut |_, _| ()).is_ok()
}

/// The inputs with the forest's values as labels, where these are values.
fn rows(case: &Case, inputs: &[Vec<Encoding>]) -> Option<Dataset> {
    let format = case.network.format();
    let row = |input: &Vec<Encoding>| {
        let labels = values_of(&case.forest, input).iter().map(|sum| representable(format, sum)).collect::<Option<_>>();
        Some((input.clone(), labels?))
    };
    let rows: Vec<_> = inputs.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| dataset(format, &rows))
}

/// One stored number, or one node, is another one.
fn mutate(random: &mut Random, case: &mut Case) {
    let format = case.network.format();
    let all = values(format);
    let near = |random: &mut Random, value: Encoding| match all.iter().position(|&other| other == value) {
        Some(at) if !random.one_in(3) => all[(at + 1 + random.below(2) * (all.len() - 2)) % all.len()],
        _ => *random.pick(&all),
    };
    if random.one_in(3) {
        let nodes = &mut case.separator.nodes;
        let (place, other) = (random.below(nodes.len()), random.below(nodes.len()));
        match &mut nodes[place] {
            Node::Split { threshold, .. } => *threshold = near(random, *threshold),
            node => {
                let from = *node;
                let to = nodes[other];
                if !matches!(to, Node::Split { .. }) {
                    (nodes[place], nodes[other]) = (to, from);
                }
            }
        }
        return;
    }
    let mut layers = case.network.clone().into_layers().expect("layers");
    let index = random.below(3);
    let column = if random.one_in(2) { &mut layers[index].weights } else { &mut layers[index].bias };
    if !column.is_empty() {
        let place = random.below(column.len());
        column.set(place, near(random, column.get(place)));
    }
    case.network = Network::new(format, case.network.input_dimension(), layers).expect("still well formed");
}

fn makes_nan(model: &PathModel) -> bool {
    model.overflow == Overflow::Nan
        || matches!(model.summation.trees().accumulator, Accumulator::Wider { overflow: Overflow::Nan, .. })
}

/// What accepted claims were about.
#[derive(Debug, Default)]
struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn add(&mut self, model: &PathModel, case: &Case) {
        let (network, format) = (&case.network, case.network.format());
        let second = &network.as_layers().expect("layers")[1];
        let required = |neuron| second.terms(neuron).filter(|&(_, weight)| number_of(format, weight) == 1).count();
        let trees = case.forest.trees().len();
        let unbounded =
            matches!(model.summation.trees().accumulator, Accumulator::Wider { format, .. } if !format.is_bounded());
        let nan = makes_nan(model);
        let step = second.activation == Activation::Step;
        for (name, holds) in [
            ("all", true),
            ("two sides that have to fire", step && (0..second.rows()).any(|neuron| required(neuron) >= 2)),
            ("ReLU", !step),
            ("copies", !step && (0..second.rows()).any(|neuron| second.count(neuron) >= 4)),
            ("nested twice", case.depth >= 2),
            ("two outputs", network.output_dimension() == 2),
            ("several trees", trees >= 2),
            ("nested in several trees", trees >= 2 && case.depth >= 1),
            ("p = 1", format.precision() == 1),
            ("F(p)", !format.is_bounded()),
            ("accumulator", matches!(model.summation.trees().accumulator, Accumulator::Wider { .. })),
            ("accumulator F(p)", unbounded && format.is_bounded()),
            ("overflow to NaN", nan),
        ] {
            *self.0.entry(name).or_default() += usize::from(holds);
        }
    }

    fn at_least(&self, least: &[(&str, usize)]) {
        for (name, least) in least {
            assert!(self.0.get(name).is_some_and(|count| count >= least), "{name}: {self:?}");
        }
    }
}

fn all_settings() -> Vec<(Format, PathModel)> {
    let more = MORE.iter().flat_map(|name| {
        let format: Format = name.parse().expect(name);
        MODELS.iter().chain(MORE_MODELS).filter_map(move |text| Some((format, PathModel::parse(text, format).ok()?)))
    });
    settings().into_iter().chain(more).collect()
}

/// How many accepted claims of each kind there are at least.
const LEAST: &[(&str, usize)] = &[
    ("all", 2900),
    ("two sides that have to fire", 200),
    ("ReLU", 900),
    ("copies", 15),
    ("nested twice", 600),
    ("two outputs", 500),
    ("several trees", 500),
    ("nested in several trees", 900),
    ("p = 1", 250),
    ("F(p)", 80),
    ("accumulator", 400),
    ("accumulator F(p)", 80),
    ("overflow to NaN", 100),
];

#[test]
fn functions_of_hand_built_networks_are_what_the_kernel_says() {
    let mut random = Random(31);
    let (mut exact, mut bounded, mut mutated) = (Counts::default(), Counts::default(), Counts::default());
    let mut lost = 0;
    for (format, model) in all_settings() {
        for round in 0..ROUNDS {
            let activation = if round % 2 == 0 { Activation::Step } else { Activation::Relu };
            let Some(mut case) = case(&mut random, format, activation) else { continue };
            let inputs = some_inputs(&mut random, format, case.network.input_dimension(), 12);
            let bound = roundproof_kernel::boxes::error_bound(&model, &case.network, &case.separator);
            let tolerance = bound.unwrap_or_default();
            if computes(&model, &case, &tolerance) && told(&model, &case, &inputs, &tolerance) > 0 {
                if tolerance == 0 { &mut exact } else { &mut bounded }.add(&model, &case);
            }
            for _ in 0..3 {
                mutate(&mut random, &mut case);
                if !computes(&model, &case, &tolerance) {
                    lost += 1;
                } else if told(&model, &case, &inputs, &tolerance) > 0 {
                    mutated.add(&model, &case);
                }
            }
        }
    }
    exact.at_least(LEAST);
    bounded.at_least(&[("all", 80), ("several trees", 50), ("nested twice", 10), ("accumulator", 15), ("p = 1", 8)]);
    mutated.at_least(&[("all", 1000), ("nested twice", 100), ("two sides that have to fire", 30), ("ReLU", 300)]);
    assert!(lost > 8000, "{lost}");
}

/// Every accepted claim of a few networks for each setting is true; what these were, unchanged and changed, and how many
/// changed ones were lost.
fn memorization(
    random: &mut Random,
    settings: impl IntoIterator<Item = (Format, PathModel)>,
    rounds: usize,
) -> (Counts, Counts, usize) {
    let (mut kept, mut mutated, mut lost) = (Counts::default(), Counts::default(), 0);
    for (format, model) in settings {
        for round in 0..rounds {
            let activation = if round % 2 == 0 { Activation::Step } else { Activation::Relu };
            let Some(mut case) = case(random, format, activation) else { continue };
            let most = 1 + random.below(8);
            let mut inputs = some_inputs(random, format, case.network.input_dimension(), most);
            if random.one_in(4) {
                inputs = vec![vec![format.zero(); case.network.input_dimension()]];
            }
            let Some(data) = rows(&case, &inputs) else { continue };
            for change in 0..4 {
                if change > 0 {
                    mutate(random, &mut case);
                }
                let evidence = Evidence::BoxNetwork(case.separator.clone());
                if judge(&model, &case.network, &data, &evidence).is_err() {
                    lost += usize::from(change > 0);
                    continue;
                }
                let Some(truth) = memorizes(&model, &case.network, &data) else { continue };
                assert!(truth, "{format} {model}\n{:?}\n{data:?}\n{:?}", case.network, case.separator);
                if change == 0 { &mut kept } else { &mut mutated }.add(&model, &case);
            }
        }
    }
    (kept, mutated, lost)
}

#[test]
fn memorization_by_hand_built_networks_is_what_the_kernel_says() {
    let (kept, mutated, lost) = memorization(&mut Random(37), all_settings(), ROUNDS);
    kept.at_least(LEAST);
    mutated.at_least(&[("all", 1000), ("nested twice", 100), ("two sides that have to fire", 30), ("ReLU", 300)]);
    assert!(lost > 8000, "{lost}");
}

/// In `F(p)`, what a unit at zero tells depends on the data in its column.
#[test]
fn memorization_around_a_zero_without_neighbours_is_what_the_kernel_says() {
    let focused = all_settings().into_iter().filter(|(format, _)| !format.is_bounded());
    let (kept, mutated, lost) = memorization(&mut Random(41), focused, 6 * ROUNDS);
    kept.at_least(&[("F(p)", 1000), ("ReLU", 400), ("nested in several trees", 200), ("nested twice", 100)]);
    mutated.at_least(&[("F(p)", 1000), ("ReLU", 300)]);
    assert!(lost > 6000, "{lost}");
}

/// In formats without NaN, that of an accumulator becomes a zero, which lets a Step neuron fire: some to many units that
/// fire, in every format, under every model that makes NaN.
#[test]
fn ones_of_step_units_that_overflow_are_told() {
    let (mut proved, mut wrong) = (0, 0);
    for (format, model) in all_settings().into_iter().filter(|(_, model)| makes_nan(model)) {
        for units in 1..6 {
            let mut first = Layer::new(format, Activation::Step);
            (0..units).for_each(|unit| first.push([(0, format.one(unit % 2 == 1))], format.zero()));
            let mut second = Layer::new(format, Activation::Step);
            second.push((0..units).map(|unit| (unit, format.one(true))), format.zero());
            let last = layer(format, Activation::Identity, &[(&[(0, "1")], "0")]);
            let network = network(format, 1, vec![first, second, last]);
            let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
            for input in values(format) {
                let inside = units == 1 && number_of(format, input) < 0;
                let label = if inside { format.one(false) } else { format.zero() };
                let data = dataset(format, &[(vec![input], vec![label])]);
                let Some(truth) = memorizes(&model, &network, &data) else { continue };
                let accepted = judge(&model, &network, &data, &evidence).is_ok();
                assert!(truth || !accepted, "{format} {model} {units} {input:?}");
                proved += usize::from(accepted);
                wrong += usize::from(!truth);
            }
        }
    }
    assert!(proved > 300 && wrong >= 5, "{proved} {wrong}");
}

/// Two units fire at 0, and an accumulator that makes NaN of what overflows gives NaN for their sum; in a format
/// without NaN that is zero, and a Step neuron takes it for inside.
#[test]
fn a_sum_of_step_units_that_overflows_to_nan_is_no_proof() {
    let format: Format = "p=1,emin=0,emax=0,specials=finite".parse().expect("a format");
    let model = PathModel::parse("paper,accumulator=p=2,emin=0,emax=0/nan", format).expect("a model");
    let first = layer(format, Activation::Step, &[(&[(0, "1")], "0"), (&[(0, "-1")], "0")]);
    let second = layer(format, Activation::Step, &[(&[(0, "-1"), (1, "-1")], "0")]);
    let last = layer(format, Activation::Identity, &[(&[(0, "1")], "0")]);
    let network = network(format, 1, vec![first, second, last]);
    let data = texts(format, &[(&["0"], &["0"])]);
    assert_eq!(memorizes(&model, &network, &data), Some(false));
    let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
    let rejection = judge(&model, &network, &data, &evidence).expect_err("false");
    assert!(rejection.to_string().contains("overflow"), "{rejection}");
}
