//! Claims that are false, and the witnesses against them.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, At, Dataset, Encodings, Layer, Network, PathModel, TreePath, Witness};
use roundproof_softfloat::{compare, encode, negate, next_down, order_key, power_of_two};

use super::{activation, datum, machines};
use crate::enumerate::{Enumeration, Keep};
use crate::evaluate::replay;
use crate::machine::{Machine, Sum, Term};
use crate::random::Random;
use crate::search::{Finding, SearchOptions, departures, minimise, search};

fn value(format: Format, n: i32) -> Encoding {
    encode(format, n < 0, n.unsigned_abs().into(), 0).unwrap()
}

fn dataset(format: Format, rows: &[(Encoding, Encoding)]) -> Dataset {
    let inputs = Encodings::collect(format, rows.iter().map(|row| row.0));
    let labels = Encodings::collect(format, rows.iter().map(|row| row.1));
    Dataset::new(format, 1, 1, inputs, labels).unwrap()
}

/// Searches, and checks all that can be checked of what is found.
fn hunt(network: &Network, data: &Dataset, model: &PathModel) -> Finding {
    let finding = search(network, data, model, &SearchOptions::default()).unwrap();
    if let Finding::Found(witness) = &finding {
        check(network, data, model, witness);
    }
    finding
}

fn check(network: &Network, data: &Dataset, model: &PathModel, witness: &Witness) {
    assert_eq!(replay(network, data, model, witness), Ok(witness.value));
    let At::Row(row) = witness.at else { panic!("{:?}", witness.at) };
    let label = data.label(row, witness.output);
    assert_ne!(compare(network.format(), witness.value, label), Some(Ordering::Equal));
    let places: Vec<(usize, usize)> = witness.neurons.iter().map(|n| (n.layer, n.neuron)).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "ascending: {places:?}");
    for neuron in &witness.neurons {
        let plain = TreePath::plain(neuron.path.tree().expect("a tree").products.len(), model);
        assert!(*neuron.path.tree().expect("a tree") != plain || neuron.value.is_some());
        neuron.path.tree().expect("a tree").check(plain.products.len(), model).unwrap();
    }
    // One neuron fewer, and the label is met: nothing can be dropped.
    for left_out in 0..witness.neurons.len() {
        let mut fewer = witness.clone();
        fewer.neurons.remove(left_out);
        let value = replay(network, data, model, &fewer).unwrap();
        assert_eq!(compare(network.format(), value, label), Some(Ordering::Equal));
    }
}

fn found(finding: Finding) -> Witness {
    match finding {
        Finding::Found(witness) => witness,
        other => panic!("no witness: {other:?}"),
    }
}

/// `y_1 + sum((y_i - y_(i-1)) * [x >= z_i])` with `z_i = i`, differences rounded to nearest.
fn telescoping(format: Format, labels: &[Encoding]) -> Network {
    let machine = Machine::new(format, &PathModel::paper(format)).unwrap();
    let plain = roundproof_network::Choice::plain(roundproof_format::RoundingMode::TiesToEven);
    let mut steps = Layer::new(format, Activation::Step);
    let mut last = Layer::new(format, Activation::Identity);
    let mut differences = Vec::new();
    for index in 1..labels.len() {
        steps.push([(0, value(format, 1))], value(format, -(index as i32)));
        let difference = machine.add(labels[index], negate(format, labels[index - 1]), plain);
        differences.push((index as u32 - 1, difference));
    }
    last.push(differences, labels[0]);
    Network::new(format, 1, vec![steps, last]).unwrap()
}

#[test]
fn the_telescoping_sum_is_refuted() {
    for name in ["float8_e4m3", "float8_e5m2", "float8_e4m3fn", "bfloat16"] {
        let format: Format = name.parse().unwrap();
        // 1, then large, then 1 again, …: what is added does not survive.
        let large = power_of_two(format, 7).unwrap();
        let third = encode(format, false, 3, -2).unwrap();
        let labels = [third, large, value(format, 1), large, third, value(format, 3)];
        let network = telescoping(format, &labels);
        let rows: Vec<(Encoding, Encoding)> =
            labels.iter().enumerate().map(|(index, &label)| (value(format, index as i32), label)).collect();
        found(hunt(&network, &dataset(format, &rows), &PathModel::all(format)));
    }
}

/// However wild the path of a witness, what is left of it departs from the plain one in one place, or in two additions.
#[test]
fn witnesses_are_shortened_to_one_change() {
    let format = Format::BFLOAT16;
    let labels = [1, 256, 1, 3].map(|n| value(format, n));
    let network = telescoping(format, &labels);
    let rows: Vec<_> = labels.iter().enumerate().map(|(index, &label)| (value(format, index as i32), label)).collect();
    let data = dataset(format, &rows);
    let model = PathModel::all(format);
    let witness = found(hunt(&network, &data, &model));
    let [neuron] = &witness.neurons[..] else { panic!("one neuron: {witness:?}") };
    let plain = TreePath::plain(3, &model);
    let differing = neuron
        .path
        .tree()
        .expect("a tree")
        .additions
        .iter()
        .zip(&plain.additions)
        .filter(|(add, plain)| add != plain)
        .count();
    assert_eq!((differing, &neuron.path.tree().expect("a tree").products), (2, &plain.products), "{witness:?}");

    let (mut shortened, mut random_paths) = (0, 0);
    let machine = Machine::new(format, &model).unwrap();
    for seed in 0..200 {
        let mut random = Random::new(seed, 3);
        let inputs = [value(format, 3)];
        let Ok(trace) = crate::trace(&network, &inputs, &model, &mut random) else { panic!("a path") };
        let path = trace.layers[1][0].computed.path();
        let neurons = vec![roundproof_network::NeuronPath { layer: 1, neuron: 0, path, value: None }];
        let value = trace.layers[1][0].value;
        if compare(format, value, labels[3]) == Some(Ordering::Equal) {
            continue;
        }
        random_paths += 1;
        let witness = Witness { at: At::Row(3), output: 0, value, neurons };
        let short = minimise(&network, &data, machine.model(), witness).unwrap();
        check(&network, &data, &model, &short);
        shortened += usize::from(departures(&short, &network, &model) <= 2);
    }
    assert!(random_paths > 20 && shortened == random_paths, "{shortened} of {random_paths}");
}

#[test]
fn right_under_paper_is_not_right_under_all() {
    for name in ["float8_e4m3", "bfloat16", "binary32", "binary128"] {
        let format: Format = name.parse().unwrap();
        let p = format.precision() as i64;
        // 2^(p + 1) + 1 - 2^(p + 1) + (-1): 0 - 1 left to right, but 0 if the ones meet, and half a large ulp up.
        let large = power_of_two(format, p + 1).unwrap();
        let mut layer = Layer::new(format, Activation::Identity);
        layer.push([(0, large), (1, value(format, 1)), (2, negate(format, large))], value(format, -1));
        let network = Network::new(format, 3, vec![layer]).unwrap();
        let inputs = Encodings::collect(format, [value(format, 1); 3]);
        let labels = Encodings::collect(format, [value(format, -1)]);
        let data = Dataset::new(format, 3, 1, inputs, labels).unwrap();
        assert_eq!(hunt(&network, &data, &PathModel::paper(format)), Finding::Excluded, "{format}");
        let witness = found(hunt(&network, &data, &PathModel::all(format)));
        assert_eq!(witness.neurons.len(), 1);
    }
}

/// The ReLU gadget for the point `a`, with `W = 2^w` and `K = 1`.
fn gadget(format: Format, a: Encoding, w: i64) -> Network {
    let one = value(format, 1);
    let mut units = Layer::new(format, Activation::Relu);
    units.push([(0, negate(format, one))], a);
    units.push([(0, one)], negate(format, a));
    let mut indicator = Layer::new(format, Activation::Relu);
    let weight = negate(format, power_of_two(format, w).unwrap());
    indicator.push([(0, weight), (1, weight)], one);
    Network::new(format, 1, vec![units, indicator]).unwrap()
}

#[test]
fn a_weight_one_power_too_small_is_refuted_and_the_right_one_not() {
    for name in ["float8_e4m3", "bfloat16", "binary16", "binary64"] {
        let format: Format = name.parse().unwrap();
        // Below 1 the gap is 2^-p.
        let p = format.precision() as i64;
        let a = value(format, 1);
        let data = dataset(format, &[(a, value(format, 1)), (next_down(format, a), value(format, 0))]);
        let model = PathModel::all(format);
        assert_eq!(hunt(&gadget(format, a, p), &data, &model), Finding::Excluded);
        let witness = found(hunt(&gadget(format, a, p - 1), &data, &model));
        assert_eq!((witness.at, witness.neurons.len()), (At::Row(1), 0), "the plain path misses");
    }
}

#[test]
fn a_threshold_falls_under_flush_alone() {
    for name in ["float8_e4m3", "float8_e5m2", "bfloat16", "binary32"] {
        let format: Format = name.parse().unwrap();
        // [x < a] for neighbours that are normal, with a subnormal difference.
        let a = encode(format, false, 3, i64::from(format.emin().unwrap()) - 1).unwrap();
        let below = next_down(format, a);
        let mut layer = Layer::new(format, Activation::Step);
        layer.push([(0, value(format, 1))], negate(format, a));
        let network = Network::new(format, 1, vec![layer]).unwrap();
        let data = dataset(format, &[(below, value(format, 0)), (a, value(format, 1))]);
        assert_eq!(hunt(&network, &data, &PathModel::all(format)), Finding::Excluded);
        let flush = PathModel::parse("all,subnormals=flush", format).unwrap();
        let witness = found(hunt(&network, &data, &flush));
        let choice = witness.neurons[0].path.tree().expect("a tree").additions[0].choice;
        assert!(choice.flushes.result && !choice.flushes.left && !choice.flushes.right, "minimal: {choice:?}");
    }
}

#[test]
fn a_value_in_the_middle_is_found() {
    // The output is 2 where the first neuron gives a certain value between its extremes, and 1 elsewhere.
    let format = Format::FLOAT8_E4M3;
    let machine = Machine::new(format, &PathModel::all(format)).unwrap();
    let mut random = Random::new(31, 0);
    let mut refuted = 0;
    while refuted < 100 {
        let weights: [Encoding; 3] = std::array::from_fn(|_| datum(&mut random, format, false));
        let row: [Encoding; 3] = std::array::from_fn(|_| datum(&mut random, format, false));
        let terms = weights.iter().zip(row).map(|(&weight, input)| Term { weight, input }).collect();
        let sum = Sum { terms, bias: format.zero() };
        let mut values = Enumeration::new(&machine, &sum, Keep::Values, usize::MAX).unwrap().values();
        values.retain(|&value| format.is_finite(value));
        values.sort_by_key(|&value| order_key(format, value));
        if values.len() < 3 {
            continue;
        }
        let middle = values[values.len() / 2];
        let mut first = Layer::new(format, Activation::Identity);
        first.push((0..3).zip(weights), format.zero());
        let mut second = Layer::new(format, Activation::Step);
        second.push([(0, value(format, 1))], negate(format, middle));
        second.push([(0, value(format, -1))], middle);
        let mut last = Layer::new(format, Activation::Identity);
        last.push([(0, value(format, 1)), (1, value(format, 1))], value(format, 0));
        let network = Network::new(format, 3, vec![first, second, last]).unwrap();
        let labels = Encodings::collect(format, [value(format, 1)]);
        let data = Dataset::new(format, 3, 1, Encodings::collect(format, row), labels).unwrap();
        found(hunt(&network, &data, machine.model()));
        // Without luck, by looking at everything.
        let options = SearchOptions { random_paths: 0, deviations: 0, ..SearchOptions::default() };
        check(&network, &data, machine.model(), &found(search(&network, &data, machine.model(), &options).unwrap()));
        refuted += 1;
    }
}

#[test]
fn small_networks_are_decided_rightly() {
    // Whatever random paths find, the search finds too; and what it excludes, they never find.
    let mut random = Random::new(32, 0);
    let (mut refuted, mut excluded) = (0, 0);
    for machine in machines() {
        let format = machine.format();
        for _ in 0..8 {
            let mut hidden = Layer::new(format, activation(&mut random, format));
            for _ in 0..2 {
                let [a, b, bias] = std::array::from_fn(|_| datum(&mut random, format, false));
                hidden.push([(0, a), (1, b)], bias);
            }
            let mut last = Layer::new(format, activation(&mut random, format));
            let [a, b, bias] = std::array::from_fn(|_| datum(&mut random, format, false));
            last.push([(0, a), (1, b)], bias);
            let network = Network::new(format, 2, vec![hidden, last]).unwrap();
            let inputs: Vec<Encoding> = (0..2).map(|_| datum(&mut random, format, false)).collect();
            let label = crate::evaluate(&network, &inputs, machine.model(), &mut crate::Plain).unwrap()[0];
            if !format.is_finite(label) {
                continue;
            }
            let labels = Encodings::collect(format, [label]);
            let data = Dataset::new(format, 2, 1, Encodings::collect(format, inputs.iter().copied()), labels).unwrap();
            let finding = hunt(&network, &data, machine.model());
            refuted += usize::from(matches!(finding, Finding::Found(_)));
            excluded += usize::from(finding == Finding::Excluded);
            if !matches!(finding, Finding::Found(_)) {
                for path in 0..100 {
                    let mut chooser = Random::new(33, path);
                    let value = crate::evaluate(&network, &inputs, machine.model(), &mut chooser).unwrap()[0];
                    assert_eq!(compare(format, value, label), Some(Ordering::Equal), "{format} {}", machine.model());
                }
            }
        }
    }
    assert!(refuted > 50 && excluded > 50, "{refuted} {excluded}");
}

#[test]
fn long_sums_are_refuted_and_their_witnesses_are_small() {
    for name in ["bfloat16", "binary32"] {
        let format: Format = name.parse().unwrap();
        let mut random = Random::new(34, 0);
        for _ in 0..10 {
            let mut layer = Layer::new(format, Activation::Identity);
            let mut any = || encode(format, random.coin(), (1 + random.below(255)).into(), -4).unwrap();
            let terms: Vec<(u32, Encoding)> = (0..40).map(|i| (i, any())).collect();
            layer.push(terms, format.zero());
            // Products that binary32 has to round too.
            let row: Vec<Encoding> =
                (0..40).map(|_| if format == Format::BINARY32 { next_down(format, any()) } else { any() }).collect();
            let network = Network::new(format, 40, vec![layer]).unwrap();
            let model = PathModel::all(format);
            let label = crate::evaluate(&network, &row, &model, &mut crate::Plain).unwrap()[0];
            let labels = Encodings::collect(format, [label]);
            let data = Dataset::new(format, 40, 1, Encodings::collect(format, row), labels).unwrap();
            let witness = found(hunt(&network, &data, &model));
            let path = &witness.neurons[0].path.tree().expect("a tree");
            // Another tree, or a few other choices.
            let usual = TreePath::plain(40, &model).products[0];
            let changed = path.products.iter().filter(|&&choice| choice != usual).count()
                + path.additions.iter().filter(|add| add.choice != usual || add.contracted).count();
            assert!(changed <= 3, "{format}: {changed} choices");
        }
    }
}

#[test]
fn a_witness_that_does_not_miss_stays() {
    let format = Format::BFLOAT16;
    let data = dataset(format, &[(value(format, 1), value(format, 1))]);
    let network = gadget(format, value(format, 1), 8);
    let witness = Witness { at: At::Row(0), output: 0, value: value(format, 3), neurons: vec![] };
    let kept = minimise(&network, &data, &PathModel::all(format), witness).unwrap();
    assert_eq!(kept.value, value(format, 1));
}
