//! The rule `witness`: what it must reject, and that what it accepts is what the path gives.

use roundproof_format::{Encoding, Format, RoundingMode, Subnormals};
use roundproof_kernel::{Evidence, Rejection, ReplayRejection, Verdict};
use roundproof_network::{
    Accumulator, Activation, At, Choice, Contraction, Dataset, Datatype, Flushes, Layer, Network, NeuronPath, Op,
    Order, PathError, PathModel, Rounding, Step, SumPath, TreePath, Witness,
};
use roundproof_paths as paths;

use crate::common::*;
use crate::reach_sound::random_network;

fn replay(model: &PathModel, network: &Network, data: &Dataset, witness: &Witness) -> Result<Verdict, ReplayRejection> {
    judge(model, network, data, &Evidence::Witness(witness.clone())).map_err(|rejection| match rejection {
        Rejection::Replay(rejection) => rejection,
        other => panic!("{other}"),
    })
}

/// 1 + 1/8 + 1/8 in float8_e5m2 is 1 or 1.25, and the witness takes the path up to 1.25.
fn subject() -> (Network, Dataset, Witness) {
    let f = Format::FLOAT8_E5M2;
    let terms: &[(u32, &str)] = &[(0, "1"), (1, "1")];
    let network = network(f, 2, vec![layer(f, Activation::Identity, &[(terms, "0.125"), (terms, "0")])]);
    let data = texts(f, &[(&["1", "0.125"], &["1", "1"])]);
    let model = PathModel::all(f);
    let mut up = TreePath::plain(2, &model);
    up.additions.iter_mut().for_each(|add| add.choice = Choice::plain(RoundingMode::TowardPositive));
    let neurons = vec![
        NeuronPath { layer: 0, neuron: 0, path: up.clone().into(), value: None },
        NeuronPath { layer: 0, neuron: 1, path: up.into(), value: None },
    ];
    (network, data, Witness { at: At::Row(0), output: 1, value: value(f, "1.25"), neurons })
}

fn rejected(change: impl FnOnce(&mut Witness)) -> ReplayRejection {
    let (network, data, mut witness) = subject();
    change(&mut witness);
    replay(&PathModel::all(network.format()), &network, &data, &witness).expect_err("rejected")
}

#[test]
fn the_unchanged_witness_refutes() {
    let (network, data, witness) = subject();
    assert_eq!(replay(&PathModel::all(network.format()), &network, &data, &witness), Ok(Verdict::Refuted));
}

#[test]
fn missing() {
    let missing = |place| ReplayRejection::Missing { place };
    assert_eq!(rejected(|w| w.at = At::Row(1)), missing(Place::Row(Row(1))));
    assert_eq!(rejected(|w| w.output = 2), missing(Place::Output(Output(2))));
    assert_eq!(rejected(|w| w.neurons[1].layer = 1), missing(Place::Site(site(1, 1))));
    assert_eq!(rejected(|w| w.neurons[1].neuron = usize::MAX), missing(Place::Site(site(0, usize::MAX))));
}

#[test]
fn unordered() {
    assert_eq!(rejected(|w| w.neurons.swap(0, 1)), ReplayRejection::Unordered { site: site(0, 0) });
    assert_eq!(rejected(|w| w.neurons[0].neuron = 1), ReplayRejection::Unordered { site: site(0, 1) });
}

#[test]
fn path() {
    let path = |change: fn(&mut TreePath)| match rejected(|w| change(w.neurons[1].path.tree_mut().expect("a tree"))) {
        ReplayRejection::Path { site: Site { layer: 0, neuron: 1 }, error } => error,
        other => panic!("{other}"),
    };
    assert!(matches!(path(|p| p.products.truncate(1)), PathError::Shape { products: 1, additions: 2, terms: 2 }));
    assert_eq!(path(|p| p.additions[1].left = 0), PathError::Operand { addition: 1, operand: 0 });
    assert!(matches!(path(|p| p.products[0].flushes.result = true), PathError::Model { .. }));
}

#[test]
fn value_and_label() {
    let f = Format::FLOAT8_E5M2;
    let (one, up) = (value(f, "1"), value(f, "1.25"));
    assert_eq!(rejected(|w| w.value = one), ReplayRejection::Value { given: of(f, up), said: of(f, one) });
    let plain = |w: &mut Witness| {
        w.neurons.pop();
        w.value = value(f, "1");
    };
    assert_eq!(rejected(plain), ReplayRejection::Holds { given: of(f, one) });
    // The other zero is the label, too.
    let negated = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "-1")], "0")])]);
    let data = texts(f, &[(&["0"], &["0"])]);
    let mut path = TreePath::plain(1, &PathModel::all(f));
    path.additions[0].choice.mode = RoundingMode::TowardNegative;
    let zero = f.negative_zero().expect("float8_e5m2 has one");
    let witness = Witness {
        at: At::Row(0),
        output: 0,
        value: zero,
        neurons: vec![NeuronPath { layer: 0, neuron: 0, path: path.into(), value: None }],
    };
    let holds = ReplayRejection::Holds { given: of(f, zero) };
    assert_eq!(replay(&PathModel::all(f), &negated, &data, &witness), Err(holds));
}

#[test]
fn nan_is_no_label() {
    let f = Format::FLOAT8_E5M2;
    let first = layer(f, Activation::Relu, &[(&[(0, "2")], "0"), (&[(0, "2")], "0")]);
    let last = layer(f, Activation::Identity, &[(&[(0, "1"), (1, "-1")], "0")]);
    let network = network(f, 1, vec![first, last]);
    let data = texts(f, &[(&["57344"], &["0"])]);
    let witness = Witness { at: At::Row(0), output: 0, value: f.nan().expect("float8_e5m2 has one"), neurons: vec![] };
    assert_eq!(replay(&PathModel::all(f), &network, &data, &witness), Ok(Verdict::Refuted));
}

#[test]
fn exponents_without_bound_are_given_up() {
    let f: Format = "F(2)".parse().expect("a format");
    let large = Encoding::from_bits((((1 << 20) + f.bias()) as u128) << f.trailing_bits());
    let growing = || {
        let mut layer = Layer::new(f, Activation::Identity);
        layer.push([(0, large)], f.zero());
        layer
    };
    let network = network(f, 1, (0..512).map(|_| growing()).collect());
    let data = texts(f, &[(&["1"], &["1"])]);
    let witness = Witness { at: At::Row(0), output: 0, value: f.zero(), neurons: vec![] };
    let rejected = replay(&PathModel::all(f), &network, &data, &witness);
    assert_eq!(rejected, Err(ReplayRejection::Exponent { site: site(4, 0) }));
}

/// 1.25 * 1.25 = 1.5625 lies between 1.5 and 1.75 in float8_e5m2.
#[test]
fn the_choice_of_a_product_is_one_of_the_model() {
    let f = Format::FLOAT8_E5M2;
    let datatype = Datatype::Float(f);
    let square = Step { op: Op::Product, reads: vec![0, 0], datatype, activation: Activation::Identity };
    let square = Network::of_steps(f, 1, vec![square]).expect("a network");
    let data = texts(f, &[(&["1.25"], &["2"])]);
    let taken = |model: &PathModel, choice, given: &str| {
        let neurons = vec![NeuronPath { layer: 0, neuron: 0, path: SumPath::Product(choice), value: None }];
        replay(model, &square, &data, &Witness { at: At::Row(0), output: 0, value: value(f, given), neurons })
    };
    let (all, paper) = (PathModel::all(f), PathModel::paper(f));
    let up = Choice::plain(RoundingMode::TowardPositive);
    assert_eq!(taken(&all, up, "1.75"), Ok(Verdict::Refuted));
    assert_eq!(taken(&paper, Choice::plain(RoundingMode::TiesToEven), "1.5"), Ok(Verdict::Refuted));
    let foreign = |taken: Result<Verdict, ReplayRejection>| match taken {
        Err(ReplayRejection::Path { error: PathError::Model { what, .. }, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(foreign(taken(&paper, up, "1.75")), "rounding toward-positive");
    for flag in 0..3 {
        let flushes = Flushes { left: flag == 0, right: flag == 1, result: flag == 2 };
        assert_eq!(foreign(taken(&all, Choice { flushes, ..up }, "1.75")), "a flush");
    }
}

/// -0.625 * 3 = -1.875 lies between -2 and -1.75 in float8_e5m2: ties to even takes -2, and the path -1.75.
#[test]
fn the_value_of_an_activation_is_one_that_it_admits() {
    let f = Format::FLOAT8_E5M2;
    let model = PathModel::all(f);
    let subject = |activation| network(f, 1, vec![layer(f, activation, &[(&[(0, "-3")], "0")])]);
    let leaky = subject(Activation::LeakyRelu { slope: value(f, "0.625") });
    let data = texts(f, &[(&["1"], &["-2"])]);
    let witness = |given: &str, named: Option<&str>| {
        let path = TreePath::plain(1, &model).into();
        let neurons = vec![NeuronPath { layer: 0, neuron: 0, path, value: named.map(|named| value(f, named)) }];
        Witness { at: At::Row(0), output: 0, value: value(f, given), neurons }
    };
    assert_eq!(replay(&model, &leaky, &data, &witness("-1.75", Some("-1.75"))), Ok(Verdict::Refuted));
    let holds = ReplayRejection::Holds { given: number(f, "-2") };
    assert_eq!(replay(&model, &leaky, &data, &witness("-2", Some("-2"))), Err(holds.clone()));
    assert_eq!(replay(&model, &leaky, &data, &witness("-2", None)), Err(holds));
    let unsaid = ReplayRejection::Value { given: number(f, "-2"), said: number(f, "-1.75") };
    assert_eq!(replay(&model, &leaky, &data, &witness("-1.75", None)), Err(unsaid));
    let sum = number(f, "-3");
    let foreign = |v| ReplayRejection::Activation { site: site(0, 0), sum, value: number(f, v) };
    for other in ["-1.5", "-2.5", "1.75", "0", "-3"] {
        assert_eq!(replay(&model, &leaky, &data, &witness(other, Some(other))), Err(foreign(other)));
    }
    // In one direction there is one value, and other activations have but one.
    let down = PathModel { rounding: Rounding::Mode(RoundingMode::TowardNegative), ..model };
    let mut downward = witness("-1.75", Some("-1.75"));
    downward.neurons[0].path = TreePath::plain(1, &down).into();
    assert_eq!(replay(&down, &leaky, &data, &downward), Err(foreign("-1.75")));
    for activation in [Activation::Relu, Activation::Identity, Activation::Sign] {
        let rejected = replay(&model, &subject(activation), &data, &witness("-1.75", Some("-1.75")));
        assert_eq!(rejected, Err(foreign("-1.75")), "{activation}");
    }
}

/// A change that leads out of the model, or out of all paths; none if this path has no place for it.
fn spoil(random: &mut Random, model: &PathModel, path: &mut TreePath) -> Option<()> {
    let terms = path.products.len();
    let choices = terms + path.additions.len();
    match random.below(7) {
        0 => {
            let Rounding::Mode(mode) = model.rounding else { return None };
            let other = *RoundingMode::ALL.iter().find(|&&other| other != mode)?;
            let index = (choices > 0).then(|| random.below(choices))?;
            if index < terms {
                path.products[index].mode = other
            } else {
                path.additions[index - terms].choice.mode = other
            }
        }
        1 if model.subnormals == Subnormals::Gradual => path.additions.last_mut()?.choice.flushes.left = true,
        2 if model.summation.trees().contraction == Contraction::None => path.additions.first_mut()?.contracted = true,
        // A sum is not a product that could be contracted.
        2 => {
            let add = path.additions.iter_mut().find(|add| add.left as usize >= terms && !add.contracted)?;
            add.contracted = true;
        }
        3 if matches!(model.summation.trees().accumulator, Accumulator::Same) => {
            path.narrowing = Some(Choice::plain(RoundingMode::TiesToEven))
        }
        3 => path.narrowing = None,
        4 => {
            let first = path.additions.first()?.left;
            path.additions.last_mut()?.right = first;
        }
        5 => {
            path.products.pop()?;
        }
        6 if model.summation.trees().order == Order::LeftToRight && terms >= 2 => {
            // The bias first: a tree, but not this one.
            let (first, last) = (path.additions[0].right, path.additions[terms - 1].right);
            path.additions[0].right = last;
            path.additions[terms - 1].right = first;
            path.additions.iter_mut().for_each(|add| add.contracted = false);
        }
        _ => return None,
    }
    Some(())
}

/// Paths drawn by an implementation that shares no arithmetic with the kernel: the kernel finds the same values.
#[test]
fn a_path_refutes_if_and_only_if_it_differs_from_the_label() {
    let mut random = Random(21);
    let (mut refuted, mut agreed, mut spoiled) = (0, 0, 0);
    let flushing =
        ["all,subnormals=flush", "paper,subnormals=flush", "all,subnormals=flush,accumulator=p=4,emin=-3,emax=3"];
    let flushing = FORMATS.iter().flat_map(|name| {
        let format: Format = name.parse().expect(name);
        flushing.iter().filter_map(move |text| Some((format, PathModel::parse(text, format).ok()?)))
    });
    for (format, model) in settings().into_iter().chain(flushing) {
        let all = values(format);
        for path in 0..60 {
            let network = random_network(&mut random, format);
            let inputs: Vec<Encoding> = (0..network.input_dimension()).map(|_| *random.pick(&all)).collect();
            let mut chooser = paths::Random::new(21, path);
            let trace = paths::trace(&network, &inputs, &model, &mut chooser).expect("a path of the model");
            let outputs: Vec<Encoding> =
                trace.layers.last().expect("a layer").iter().map(|neuron| neuron.value).collect();
            let output = random.below(outputs.len());
            let labels: Vec<Encoding> = outputs
                .iter()
                .map(|&given| if random.one_in(2) && format.is_finite(given) { given } else { *random.pick(&all) })
                .collect();
            let neurons: Vec<NeuronPath> = trace
                .layers
                .into_iter()
                .enumerate()
                .flat_map(|(layer, neurons)| {
                    neurons.into_iter().enumerate().map(move |(neuron, n)| {
                        // The value of every neuron is named; that of the plain path need not be.
                        NeuronPath { layer, neuron, path: n.computed.path(), value: Some(n.value) }
                    })
                })
                .collect();
            let data = dataset(format, &[(inputs, labels.clone())]);
            let mut witness = Witness { at: At::Row(0), output, value: outputs[output], neurons };
            let context = || format!("{format} {model}\n{network:?}\n{data:?}");
            match replay(&model, &network, &data, &witness) {
                Ok(verdict) => {
                    assert_eq!(verdict, Verdict::Refuted);
                    assert!(!same_value(format, outputs[output], labels[output]), "{}", context());
                    refuted += 1;
                }
                Err(ReplayRejection::Holds { .. }) => {
                    assert!(same_value(format, outputs[output], labels[output]), "{}", context());
                    agreed += 1;
                }
                Err(other) => panic!("{other} {}", context()),
            }
            let at = random.below(witness.neurons.len());
            let (layer, neuron) = (witness.neurons[at].layer, witness.neurons[at].neuron);
            if spoil(&mut random, &model, witness.neurons[at].path.tree_mut().expect("a tree")).is_some() {
                let rejected = replay(&model, &network, &data, &witness);
                let expected = |e: &ReplayRejection| matches!(e, ReplayRejection::Path { site: at, .. } if *at == site(layer, neuron));
                assert!(rejected.as_ref().is_err_and(expected), "{rejected:?} {witness:?} {}", context());
                spoiled += 1;
            }
        }
    }
    assert!(refuted > 3000 && agreed > 2000 && spoiled > 4000, "{refuted} {agreed} {spoiled}");
}
