//! The rule `paths` against every path: an enclosure holds every value, and is no larger where it should be exact.

use roundproof_exact::{Datum, Rational, encode, order_key};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, ReachRejection, Rejection, Verdict};
use roundproof_network::{Accumulator, Activation, Contraction, Dataset, Layer, Network, PathModel, Rounding};

use crate::common::*;

/// A random layer; its weights are small integers as often as not, so that sums meet grids and thresholds.
fn random_layer(random: &mut Random, format: Format, inputs: usize, neurons: usize, activation: Activation) -> Layer {
    let all = values(format);
    // The values around zero, one, and two or its neighbour.
    let one = order_key(format, format.one(false));
    let at = |wanted: Option<i128>| all.iter().copied().find(|&value| order_key(format, value) == wanted);
    let keys = [Some(0), one, one.map(|key| -key), one.map(|key| key + 1), one.map(|key| -key - 1)];
    let few: Vec<Encoding> = keys.into_iter().filter_map(at).collect();
    let mut layer = Layer::new(format, activation);
    for _ in 0..neurons {
        let from = if random.one_in(3) { &few } else { &all };
        let terms: Vec<(u32, Encoding)> = {
            let drawn: Vec<_> = (0..inputs as u32).map(|column| (column, *random.pick(from))).collect();
            drawn.into_iter().filter(|_| !random.one_in(5)).collect()
        };
        layer.push(terms, *random.pick(from));
    }
    layer
}

pub fn random_network(random: &mut Random, format: Format) -> Network {
    let inputs = 1 + random.below(4);
    let depth = 1 + random.below(3);
    let mut layers = Vec::new();
    let mut below = inputs;
    for _ in 0..depth {
        let activation = activation(random, format);
        let neurons = 1 + random.below(3);
        layers.push(random_layer(random, format, below, neurons, activation));
        below = neurons;
    }
    network(format, inputs, layers)
}

/// One row, labelled with what some path gives, where that is a number.
fn random_row(random: &mut Random, model: &PathModel, network: &Network) -> Option<Dataset> {
    let format = network.format();
    let all = values(format);
    let inputs: Vec<Encoding> = (0..network.input_dimension()).map(|_| *random.pick(&all)).collect();
    let outputs = every_output(model, network, &inputs)?;
    let given: Vec<Vec<Encoding>> = outputs.into_iter().collect();
    let label = |&value: &Encoding| if format.is_finite(value) { value } else { format.zero() };
    let labels = random.pick(&given).iter().map(label).collect();
    Some(dataset(format, &[(inputs, labels)]))
}

#[test]
fn what_is_accepted_is_true_and_what_is_said_of_the_rest_holds() {
    let (mut accepted, mut enclosed, mut not_a_number) = (0, 0, 0);
    let mut random = Random(1);
    for (format, model) in settings() {
        for _ in 0..150 {
            let network = random_network(&mut random, format);
            let Some(data) = random_row(&mut random, &model, &network) else { continue };
            let outputs = every_output(&model, &network, &inputs_of(&data, 0)).expect("counted before");
            let context = || format!("{format} {model}\n{network:?}\n{data:?}");
            match judge(&model, &network, &data, &Evidence::Paths) {
                Ok(verdict) => {
                    assert_eq!(verdict, Verdict::Proved);
                    assert_eq!(memorizes(&model, &network, &data), Some(true), "{}", context());
                    accepted += 1;
                }
                Err(Rejection::Reach(ReachRejection::Output { output, between, .. })) => {
                    let [low, high] =
                        [between.0, between.1].map(|end| order_key(format, end.encoding).expect("a number"));
                    for vector in outputs {
                        let key = order_key(format, vector[output.0]);
                        assert!(key.is_some_and(|k| low <= k && k <= high), "{:?} {}", vector, context());
                    }
                    enclosed += 1;
                }
                Err(Rejection::Reach(ReachRejection::Nan { .. })) => not_a_number += 1,
                Err(other) => panic!("{other} {}", context()),
            }
        }
    }
    assert!(accepted > 5000 && enclosed > 5000, "{accepted} {enclosed} {not_a_number}");
}

/// One neuron with few products, where single roundings decide: all values of a few inputs and weights.
#[test]
fn an_enclosure_of_two_terms_is_exact() {
    let mut random = Random(2);
    for (format, model) in settings() {
        let all = values(format);
        for _ in 0..100 {
            let mut layer = Layer::new(format, Activation::Identity);
            layer.push([(0, *random.pick(&all))], *random.pick(&all));
            let network = network(format, 1, vec![layer]);
            let data = dataset(format, &[(vec![*random.pick(&all)], vec![*random.pick(&all)])]);
            let outputs = every_output(&model, &network, &inputs_of(&data, 0)).expect("few");
            let keys: Option<Vec<i128>> = outputs.iter().map(|vector| order_key(format, vector[0])).collect();
            let verdict = judge(&model, &network, &data, &Evidence::Paths);
            match (keys, verdict) {
                (None, verdict) => {
                    assert!(matches!(verdict, Err(Rejection::Reach(ReachRejection::Nan { .. }))), "{verdict:?}");
                }
                (Some(keys), Ok(_)) => assert!(keys.iter().all(|&k| Some(k) == order_key(format, data.label(0, 0)))),
                (Some(keys), Err(Rejection::Reach(ReachRejection::Output { between, .. }))) => {
                    let ends = (keys.iter().min().copied(), keys.iter().max().copied());
                    assert_eq!(
                        ends,
                        [between.0, between.1].map(|end| order_key(format, end.encoding)).into(),
                        "{format} {model} {network:?}"
                    );
                }
                // A NaN of the accumulator is +0 in a format without NaN: the rule gives up before that.
                (Some(_), Err(Rejection::Reach(ReachRejection::Nan { .. }))) if !format.has_nan() => {}
                (Some(_), Err(other)) => panic!("{other} {format} {model} {network:?} {data:?}"),
            }
        }
    }
}

/// Sums of ones, however many and in whatever order, are exact.
#[test]
fn an_enclosure_on_a_grid_is_exact() {
    for (format, model) in settings() {
        let one = format.one(false);
        // 3 = 2^p - 1 has a place in every format with p >= 2 here, 2 in the others.
        let terms = if format.precision() == 1 { 2 } else { 3 };
        let sum = value(format, if terms == 2 { "2" } else { "3" });
        let mut layer = Layer::new(format, Activation::Identity);
        layer.push((0..terms).map(|column| (column, one)), format.zero());
        let network = network(format, terms as usize, vec![layer]);
        let data = dataset(format, &[(vec![one; terms as usize], vec![sum])]);
        assert_eq!(judge(&model, &network, &data, &Evidence::Paths), Ok(Verdict::Proved), "{format} {model}");
    }
}

/// A count of `n` ones compared with `n` is exact in every order up to `n = min(2^p, max)`, and not beyond 2^p.
#[test]
fn an_enclosure_of_a_compared_count_is_exact_up_to_the_precision() {
    let (mut exact, mut beyond) = (0, 0);
    for (format, model) in settings() {
        for count in 1..=(1u32 << format.precision().min(4)) + 2 {
            let Some(bias) = encode(format, &Datum::Finite(-Rational::from(count))) else { continue };
            let mut layer = Layer::new(format, Activation::Identity);
            layer.push((0..count).map(|column| (column, format.one(false))), bias);
            let network = network(format, count as usize, vec![layer]);
            let data = dataset(format, &[(vec![format.one(false); count as usize], vec![format.zero()])]);
            let proved = judge(&model, &network, &data, &Evidence::Paths) == Ok(Verdict::Proved);
            if count <= 1 << format.precision() {
                assert!(proved, "{format} {model} {count}");
                exact += 1;
            } else if model.rounding == Rounding::Any && model.summation.trees().accumulator == Accumulator::Same {
                assert!(!proved, "{format} {model} {count}");
                beyond += 1;
            }
        }
    }
    assert!(exact > 100 && beyond > 10, "{exact} {beyond}");
}

/// Thresholds behind sums of several terms: where a bound that is too low by one value would show.
#[test]
fn thresholds_behind_sums_are_not_crossed_unseen() {
    let mut random = Random(3);
    let (mut accepted, mut true_claims) = (0, 0);
    for (format, model) in settings() {
        let all = values(format);
        let small: Vec<Encoding> = all
            .iter()
            .copied()
            .filter(|&v| order_key(format, v).is_some_and(|key| key.abs() <= 3) || !format.is_bounded())
            .collect();
        for _ in 0..150 {
            let from = if random.one_in(2) { &small } else { &all };
            let inputs = 3 + random.below(2);
            let mut first = Layer::new(format, Activation::Identity);
            first.push(
                (0..inputs as u32).map(|column| (column, *random.pick(from))).collect::<Vec<_>>(),
                *random.pick(from),
            );
            let mut second = Layer::new(format, *random.pick(&[Activation::Step, Activation::Relu]));
            second.push([(0, format.one(random.one_in(2)))], *random.pick(from));
            let network = network(format, inputs, vec![first, second]);
            let row: Vec<Encoding> = (0..inputs).map(|_| *random.pick(from)).collect();
            let label = *random.pick(&[format.zero(), format.one(false)]);
            let data = dataset(format, &[(row, vec![label])]);
            let Some(truth) = memorizes(&model, &network, &data) else { continue };
            true_claims += usize::from(truth);
            if judge(&model, &network, &data, &Evidence::Paths).is_ok() {
                accepted += 1;
                assert!(truth, "{format} {model}\n{network:?}\n{data:?}");
            }
        }
    }
    assert!(accepted * 2 > true_claims, "{accepted} of {true_claims}");
}

/// Under one direction, or where nothing is contracted, the tests above would miss a rule that only they need.
#[test]
fn every_kind_of_model_is_among_the_settings() {
    let settings = settings();
    assert!(
        settings
            .iter()
            .any(|(_, m)| m.rounding != Rounding::Any && m.summation.trees().contraction == Contraction::Any)
    );
    assert!(settings.len() > 150, "{}", settings.len());
}
