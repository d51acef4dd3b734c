//! The rule `box-network` against every path: what it accepts is true on every row, whatever was changed.

use roundproof_construct::point;
use roundproof_exact::order_key;
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Node, Rejection, Separator};
use roundproof_network::{Activation, Dataset, Layer, Network, PathModel};
use roundproof_paths::{Plain, evaluate};

use crate::common::*;

/// Accepted or not; if so, the claim is true. None if there are too many paths to tell.
fn accepted(model: &PathModel, network: &Network, data: &Dataset, separator: &Separator) -> Option<bool> {
    let evidence = Evidence::BoxNetwork(separator.clone());
    match judge(model, network, data, &evidence) {
        Ok(_) => {
            let truth = memorizes(model, network, data)?;
            assert!(truth, "{} {model}\n{network:?}\n{data:?}\n{separator:?}", network.format());
            Some(true)
        }
        Err(Rejection::Boxes(_)) => Some(false),
        Err(other) => panic!("{other}"),
    }
}

/// `data` with labels that some path gives, so that a changed network is not rejected for them alone.
fn relabelled(model: &PathModel, network: &Network, data: &Dataset) -> Option<Dataset> {
    let format = data.format();
    let row = |row| {
        let inputs = inputs_of(data, row);
        let outputs = evaluate(network, &inputs, model, &mut Plain).expect("well formed");
        outputs.iter().all(|&output| format.is_finite(output)).then_some((inputs, outputs))
    };
    Some(dataset(format, &(0..data.rows()).map(row).collect::<Option<Vec<_>>>()?))
}

fn models(format: Format) -> impl Iterator<Item = PathModel> {
    let few = [
        "all",
        "all,overflow=nan",
        "all,overflow=saturate",
        "all,accumulator=p=5,emin=-9,emax=9",
        "all,rounding=toward-zero",
    ];
    few.into_iter().filter_map(move |text| PathModel::parse(text, format).ok())
}

/// Point boxes around some values, with further rows outside.
fn points(random: &mut Random, format: Format, activation: Activation) -> Option<(Dataset, Network, Separator)> {
    let all = values(format);
    let dimension = 1 + random.below(2);
    let pick = |random: &mut Random, count| (0..count).map(|_| *random.pick(&all)).collect::<Vec<_>>();
    let rows: Vec<_> = (0..1 + random.below(3)).map(|_| (pick(random, dimension), pick(random, 1))).collect();
    if rows.iter().all(|(inputs, _)| inputs.iter().all(|&input| format.is_zero(input))) {
        // In F(p), nothing is to be told apart.
        return None;
    }
    let memorized = dataset(format, &rows);
    let built = point::memorize(&memorized, activation).ok()?;
    let Evidence::BoxNetwork(separator) = built.evidence else { return None };
    let mut rows: Vec<_> =
        (0..memorized.rows()).map(|row| (inputs_of(&memorized, row), vec![memorized.label(row, 0)])).collect();
    // In F(p), only the values that the network was built for are told apart.
    for _ in 0..if format.is_bounded() { 6 } else { 0 } {
        let inputs = pick(random, dimension);
        if !rows.iter().any(|(row, _)| *row == inputs) {
            rows.push((inputs, vec![format.zero()]));
        }
    }
    Some((dataset(format, &rows), built.network, separator))
}

fn mutate_separator(random: &mut Random, format: Format, separator: &Separator) -> Separator {
    let all = values(format);
    let mut nodes = separator.nodes.clone();
    let place = random.below(nodes.len());
    match (&mut nodes[place], random.below(3)) {
        (Node::Split { threshold, .. }, 0 | 1) => *threshold = changed(random, &all, *threshold),
        (Node::Split { column, .. }, _) => *column ^= 1,
        (node, 0) => *node = Node::Empty,
        (node, _) => *node = Node::Box(random.below(4) as u32),
    }
    if random.one_in(4) {
        let other = random.below(nodes.len());
        nodes.swap(place, other);
    }
    Separator { nodes }
}

#[test]
fn one_change_is_rejected_or_true() {
    let mut random = Random(11);
    let (mut original, mut network_kept, mut network_lost, mut separator_kept, mut separator_lost) = (0, 0, 0, 0, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().expect(name)) {
        for model in models(format) {
            for activation in [Activation::Step, Activation::Relu] {
                for _ in 0..12 {
                    let Some((data, network, separator)) = points(&mut random, format, activation) else { continue };
                    original += usize::from(accepted(&model, &network, &data, &separator) == Some(true));
                    for _ in 0..8 {
                        let mutated = mutate_network(&mut random, &network);
                        let data =
                            if random.one_in(2) { relabelled(&model, &mutated, &data) } else { Some(data.clone()) };
                        let Some(data) = data.filter(|_| mutated != network) else { continue };
                        match accepted(&model, &mutated, &data, &separator) {
                            Some(true) => network_kept += 1,
                            Some(false) => network_lost += 1,
                            None => {}
                        }
                    }
                    for _ in 0..4 {
                        let mutated = mutate_separator(&mut random, format, &separator);
                        match accepted(&model, &network, &data, &mutated) {
                            Some(true) => separator_kept += usize::from(mutated != separator),
                            Some(false) => separator_lost += 1,
                            None => {}
                        }
                    }
                }
            }
        }
    }
    let counts = (original, network_kept, network_lost, separator_kept, separator_lost);
    assert!(original > 500 && network_kept > 500 && network_lost > 1000, "{counts:?}");
    assert!(separator_kept > 100 && separator_lost > 1000, "{counts:?}");
}

/// One changed label is never accepted: the network gives what it gave.
#[test]
fn a_changed_label_is_rejected() {
    let mut random = Random(12);
    let mut rejected = 0;
    for format in FORMATS.iter().map(|name| name.parse::<Format>().expect(name)) {
        for activation in [Activation::Step, Activation::Relu] {
            for _ in 0..20 {
                let Some((data, network, separator)) = points(&mut random, format, activation) else { continue };
                let model = PathModel::all(format);
                let row = random.below(data.rows());
                let other = changed(&mut random, &values(format), data.label(row, 0));
                if accepted(&model, &network, &data, &separator) != Some(true) || other == data.label(row, 0) {
                    continue;
                }
                let label = |r| if r == row { other } else { data.label(r, 0) };
                let rows: Vec<_> = (0..data.rows()).map(|r| (inputs_of(&data, r), vec![label(r)])).collect();
                assert_eq!(accepted(&model, &network, &dataset(format, &rows), &separator), Some(false));
                rejected += 1;
            }
        }
    }
    assert!(rejected > 200, "{rejected}");
}

/// A network in the shape of boxes with random thresholds, scales, penalties and copies, on all values of the format.
fn box_like(random: &mut Random, format: Format, activation: Activation) -> (Network, Separator) {
    let all = values(format);
    let one = order_key(format, format.one(false));
    let powers: Vec<Encoding> = all
        .iter()
        .copied()
        .filter(|&v| {
            let real = roundproof_exact::decode(format, v).and_then(|datum| datum.rational()).expect("finite");
            let power = |q: &roundproof_exact::Integer| q.is_power_of_two();
            real > 0 && power(real.numer()) && power(real.denom())
        })
        .collect();
    let scales: Vec<Encoding> = powers.iter().copied().filter(|&v| order_key(format, v) >= one).collect();
    let negated = |v: Encoding| {
        let key = order_key(format, v).map(|key| -key);
        all.iter().copied().find(|&other| order_key(format, other) == key).expect("symmetric")
    };
    let step = activation == Activation::Step;
    let (mut first, mut second) = (Layer::new(format, activation), Layer::new(format, activation));
    let boxes = 1 + random.below(2);
    for _ in 0..boxes {
        let mut terms = Vec::new();
        for upper in [false, true] {
            if random.one_in(4) {
                continue;
            }
            let (scale, bias) = (if step { format.one(false) } else { *random.pick(&scales) }, *random.pick(&all));
            let penalty = if step { format.one(false) } else { *random.pick(&powers) };
            let copies = if step { 1 } else { *random.pick(if boxes == 1 { &[1, 2, 4] } else { &[1, 1, 2] }) };
            for _ in 0..copies {
                let penalty = if !step && random.one_in(5) { *random.pick(&powers) } else { penalty };
                terms.push((first.rows() as u32, negated(penalty)));
                first.push([(0, if upper { scale } else { negated(scale) })], bias);
            }
        }
        second.push(terms, if step { format.zero() } else { format.one(false) });
    }
    if first.rows() == 0 {
        first.push([(0, format.one(false))], format.zero());
    }
    let mut last = Layer::new(format, Activation::Identity);
    last.push((0..boxes as u32).map(|column| (column, *random.pick(&all))).collect::<Vec<_>>(), format.zero());
    let split = Node::Split { column: 0, threshold: *random.pick(&all) };
    let nodes = match (boxes, random.one_in(2)) {
        (1, _) => vec![Node::Box(0)],
        (_, true) => vec![split, Node::Box(0), Node::Box(1)],
        (_, false) => vec![split, Node::Box(1), Node::Box(0)],
    };
    (network(format, 1, vec![first, second, last]), Separator { nodes })
}

#[test]
fn what_is_accepted_is_true_on_all_values() {
    let mut random = Random(13);
    let (mut kept, mut copied) = (0, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().expect(name)) {
        // Every value, or every so many.
        let all: Vec<Encoding> = values(format).into_iter().step_by(values(format).len() / 24 + 1).collect();
        let inputs: Vec<_> = all.iter().map(|&value| (vec![value], vec![format.zero()])).collect();
        let inputs = dataset(format, &inputs);
        for model in models(format) {
            for round in 0..40 {
                let activation = if round % 5 == 0 { Activation::Step } else { Activation::Relu };
                let (network, separator) = box_like(&mut random, format, activation);
                let Some(data) = relabelled(&model, &network, &inputs) else { continue };
                if accepted(&model, &network, &data, &separator) == Some(true) {
                    kept += 1;
                    copied += usize::from(network.as_layers().expect("layers")[1].count(0) > 2);
                }
            }
        }
    }
    assert!(kept > 300 && copied > 40, "{kept} {copied}");
}
