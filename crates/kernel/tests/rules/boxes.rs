//! The rule `box-network`: one network that is accepted, and one change for each kind of rejection.

use roundproof_format::{Encoding, Format, Overflow};
use roundproof_kernel::{BoxRejection, Evidence, Node, Rejection, Separator, Verdict};
use roundproof_network::{Activation, Dataset, Layer, Network, PathModel};

use crate::common::*;

const F: Format = Format::BFLOAT16;

/// The boxes [1, 2] and [4, 4] with labels 3 and 5.
#[derive(Clone)]
struct Subject {
    layers: Vec<Layer>,
    nodes: Vec<Node>,
    data: Dataset,
    model: PathModel,
}

fn subject(activation: Activation) -> Subject {
    let (first, second) = match activation {
        Activation::Step => {
            // The thresholds are pred(1), succ(2), pred(4) and succ(4); upper ones are negated.
            let first: [(&[(u32, &str)], &str); 4] = [
                (&[(0, "-1")], "0.99609375"),
                (&[(0, "1")], "-2.015625"),
                (&[(0, "-1")], "3.984375"),
                (&[(0, "1")], "-4.03125"),
            ];
            let second: [(&[(u32, &str)], &str); 2] = [(&[(0, "-1"), (1, "-1")], "0"), (&[(2, "-1"), (3, "-1")], "0")];
            (layer(F, activation, &first), layer(F, activation, &second))
        }
        _ => {
            let first: [(&[(u32, &str)], &str); 4] =
                [(&[(0, "-1")], "1"), (&[(0, "1")], "-2"), (&[(0, "-2")], "8"), (&[(0, "1")], "-4")];
            let second: [(&[(u32, &str)], &str); 2] =
                [(&[(0, "-256"), (1, "-64")], "1"), (&[(2, "-32"), (3, "-32")], "1")];
            (layer(F, activation, &first), layer(F, activation, &second))
        }
    };
    let last = layer(F, Activation::Identity, &[(&[(0, "3"), (1, "5")], "0")]);
    let rows: [(&[&str], &[&str]); 5] =
        [(&["1"], &["3"]), (&["1.5"], &["3"]), (&["4"], &["5"]), (&["3"], &["0"]), (&["-1"], &["0"])];
    let nodes = vec![cut("2"), Node::Box(0), Node::Box(1)];
    Subject { layers: vec![first, second, last], nodes, data: texts(F, &rows), model: PathModel::all(F) }
}

fn cut(threshold: &str) -> Node {
    Node::Split { column: 0, threshold: value(F, threshold) }
}

impl Subject {
    fn verdict(&self) -> Result<Verdict, BoxRejection> {
        let network = Network::new(F, 1, self.layers.clone()).expect("well formed");
        let evidence = Evidence::BoxNetwork(Separator { nodes: self.nodes.clone() });
        judge(&self.model, &network, &self.data, &evidence).map_err(|rejection| match rejection {
            Rejection::Boxes(rejection) => rejection,
            other => panic!("{other}"),
        })
    }
}

fn rejected(activation: Activation, change: impl FnOnce(&mut Subject)) -> BoxRejection {
    let mut subject = subject(activation);
    change(&mut subject);
    subject.verdict().expect_err("rejected")
}

fn relu(change: impl FnOnce(&mut Subject)) -> BoxRejection {
    rejected(Activation::Relu, change)
}

fn step(change: impl FnOnce(&mut Subject)) -> BoxRejection {
    rejected(Activation::Step, change)
}

#[test]
fn the_unchanged_networks_are_accepted() {
    assert_eq!(subject(Activation::Relu).verdict(), Ok(Verdict::Proved));
    assert_eq!(subject(Activation::Step).verdict(), Ok(Verdict::Proved));
}

#[test]
fn flush() {
    let flush = |s: &mut Subject| s.model = PathModel::parse("all,subnormals=flush", F).expect("a model");
    assert_eq!(relu(flush), BoxRejection::Flush);
    assert_eq!(step(flush), BoxRejection::Flush);
}

#[test]
fn layers() {
    assert_eq!(relu(|s| s.layers[1].activation = Activation::Step), BoxRejection::Layers);
    assert_eq!(relu(|s| s.layers[2].activation = Activation::Relu), BoxRejection::Layers);
    let identity = |s: &mut Subject| s.layers.iter_mut().for_each(|layer| layer.activation = Activation::Identity);
    assert_eq!(relu(identity), BoxRejection::Layers);
    let fourth = layer(F, Activation::Identity, &[(&[(0, "1")], "0")]);
    assert_eq!(relu(|s| s.layers.push(fourth)), BoxRejection::Layers);
}

/// Even those that are a ReLU, or nearly one, with these parameters.
#[test]
fn activations() {
    let one = F.one(false);
    let others = [
        Activation::LeakyRelu { slope: F.zero() },
        Activation::Clip { low: F.zero(), high: F.largest(false).expect("bounded") },
        Activation::Clip { low: F.zero(), high: one },
        Activation::Sign,
    ];
    for activation in others {
        let hidden = |s: &mut Subject| s.layers[..2].iter_mut().for_each(|layer| layer.activation = activation);
        for from in [Activation::Relu, Activation::Step] {
            let rejected = rejected(from, hidden);
            assert_eq!(rejected, BoxRejection::Activation { activation });
            assert!(rejected.to_string().contains(activation.name()), "{rejected}");
            for layer in 0..3 {
                let one = |s: &mut Subject| s.layers[layer].activation = activation;
                assert_eq!(self::rejected(from, one), BoxRejection::Activation { activation });
            }
        }
    }
}

#[test]
fn unit_terms() {
    let append = |terms: &'static [(u32, &'static str)]| {
        move |s: &mut Subject| s.layers[0].push(terms.iter().map(|&(column, w)| (column, value(F, w))), F.one(false))
    };
    assert_eq!(relu(append(&[])), BoxRejection::UnitTerms { unit: Unit(4), terms: 0 });
    assert_eq!(step(append(&[])), BoxRejection::UnitTerms { unit: Unit(4), terms: 0 });
    let mut first = Layer::new(F, Activation::Step);
    first.push([(0, F.one(true)), (1, F.one(true))], F.zero());
    let second = layer(F, Activation::Step, &[(&[(0, "-1")], "0")]);
    let last = layer(F, Activation::Identity, &[(&[(0, "1")], "0")]);
    let data = texts(F, &[(&["1", "1"], &["1"])]);
    let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
    let verdict = judge(&PathModel::all(F), &network(F, 2, vec![first, second, last]), &data, &evidence);
    assert_eq!(verdict, Err(Rejection::Boxes(BoxRejection::UnitTerms { unit: Unit(0), terms: 2 })));
}

#[test]
fn unit_weight() {
    let weight = |text: &'static str| move |s: &mut Subject| s.layers[0].weights.set(2, value(F, text));
    for text in ["0", "3", "-3", "0.5", "-0.25"] {
        assert_eq!(relu(weight(text)), BoxRejection::UnitWeight { unit: Unit(2), weight: number(F, text) });
        assert_eq!(step(weight(text)), BoxRejection::UnitWeight { unit: Unit(2), weight: number(F, text) });
    }
    assert_eq!(step(weight("-2")), BoxRejection::UnitWeight { unit: Unit(2), weight: number(F, "-2") });
}

#[test]
fn unit_threshold() {
    // Half the least value is not a value.
    let bias = Encoding::from_bits(1);
    assert_eq!(
        relu(|s| s.layers[0].bias.set(2, bias)),
        BoxRejection::UnitThreshold { unit: Unit(2), bias: of(F, bias) }
    );
}

#[test]
fn unit_at_end() {
    let least = F.largest(true).expect("bounded");
    assert_eq!(relu(|s| s.layers[0].bias.set(0, least)), BoxRejection::UnitAtEnd { unit: Unit(0) });
    assert_eq!(relu(|s| s.layers[0].bias.set(1, least)), BoxRejection::UnitAtEnd { unit: Unit(1) });
}

#[test]
fn unit_scale() {
    // K = 2, a = -largest / 2: K * a is the least value, K * pred(a) is beyond.
    let least = F.largest(true).expect("bounded");
    assert_eq!(relu(|s| s.layers[0].bias.set(2, least)), BoxRejection::UnitScale { unit: Unit(2) });
}

#[test]
fn box_bias() {
    let bias = |text: &'static str| move |s: &mut Subject| s.layers[1].bias.set(1, value(F, text));
    for text in ["0", "-1", "1.0078125"] {
        let bias_of = BoxRejection::BoxBias { neuron: BoxNumber(1), bias: number(F, text), expected: 1 };
        assert_eq!(relu(bias(text)), bias_of);
    }
    assert_eq!(step(bias("1")), BoxRejection::BoxBias { neuron: BoxNumber(1), bias: number(F, "1"), expected: 0 });
    // A unit that has to fire is to be taken off.
    let required = |s: &mut Subject| s.layers[1].weights.set(2, F.one(false));
    assert_eq!(step(required), BoxRejection::BoxBias { neuron: BoxNumber(1), bias: number(F, "0"), expected: -1 });
}

#[test]
fn box_weight() {
    let weight = |text: &'static str| move |s: &mut Subject| s.layers[1].weights.set(2, value(F, text));
    for text in ["0", "32", "-33"] {
        assert_eq!(relu(weight(text)), BoxRejection::BoxWeight { neuron: BoxNumber(1), weight: number(F, text) });
    }
    for text in ["0", "2", "-2", "-0.5"] {
        assert_eq!(step(weight(text)), BoxRejection::BoxWeight { neuron: BoxNumber(1), weight: number(F, text) });
    }
}

#[test]
fn penalty() {
    let half = |s: &mut Subject| s.layers[1].weights.set(2, value(F, "-16"));
    assert_eq!(relu(half), BoxRejection::Penalty { neuron: BoxNumber(1), unit: Unit(2), strength: -1, copies: 1 });
}

/// Copies of the weak unit: a second of the same side makes up for it, one of another side, or a weaker one, does not.
#[test]
fn penalty_of_copies() {
    let copies = |unit: (&'static str, &'static str), weight: &'static str, count: u32| {
        move |s: &mut Subject| {
            let mut second = Layer::new(F, Activation::Relu);
            second.push(s.layers[1].terms(0).collect::<Vec<_>>(), F.one(false));
            let further = (0..count).map(|copy| (4 + copy, value(F, weight)));
            let terms = [(2, value(F, "-8")), (3, value(F, "-32"))].into_iter().chain(further);
            second.push(terms.collect::<Vec<_>>(), F.one(false));
            s.layers[1] = second;
            (0..count).for_each(|_| s.layers[0].push([(0, value(F, unit.0))], value(F, unit.1)));
        }
    };
    // The side needs four units at 2^-2, among them those with another K.
    let (same, wider) = (("-2", "8"), ("-1", "4"));
    let weak = |copies| BoxRejection::Penalty { neuron: BoxNumber(1), unit: Unit(2), strength: -2, copies };
    for (unit, weight) in [(same, "-8"), (wider, "-16")] {
        for count in [0, 1, 2] {
            assert_eq!(relu(copies(unit, weight, count)), weak(1 + count as usize));
        }
        let mut accepted = subject(Activation::Relu);
        copies(unit, weight, 3)(&mut accepted);
        assert_eq!(accepted.verdict(), Ok(Verdict::Proved));
    }
    assert_eq!(relu(copies(same, "-4", 3)), weak(4));
    // Another threshold is another side, strong or weak.
    assert_eq!(relu(copies(("-1", "3.984375"), "-64", 3)), weak(1));
    let mut strong = subject(Activation::Relu);
    copies(same, "-32", 1)(&mut strong);
    assert_eq!(strong.verdict(), Ok(Verdict::Proved));
}

/// A bias is a term of the sum like the labels.
#[test]
fn output_bias() {
    let bias = |text: &'static str| move |s: &mut Subject| s.layers[2].bias.set(0, value(F, text));
    let given =
        |given: i32| BoxRejection::Label { row: Row(0), output: Output(0), given: given.into(), label: number(F, "3") };
    assert_eq!(relu(bias("1")), given(4));
    let mut zero = subject(Activation::Relu);
    zero.layers[2].bias.set(0, F.negative_zero().expect("bfloat16 has one"));
    assert_eq!(zero.verdict(), Ok(Verdict::Proved));
    let mut shifted = subject(Activation::Relu);
    shifted.layers[2].bias.set(0, F.one(false));
    shifted.data = texts(F, &[(&["1"], &["4"]), (&["4"], &["6"]), (&["3"], &["1"])]);
    assert_eq!(shifted.verdict(), Ok(Verdict::Proved));
}

#[test]
fn separator() {
    let wrong = |nodes: Vec<Node>| match relu(|s| s.nodes = nodes) {
        BoxRejection::Separator { node, what } => (node, what),
        other => panic!("{other}"),
    };
    let split = |column, threshold| Node::Split { column, threshold };
    assert_eq!(wrong(vec![]), (0, "is missing: the tree is incomplete"));
    assert_eq!(wrong(vec![cut("2"), Node::Box(0)]), (2, "is missing: the tree is incomplete"));
    let longer = vec![cut("2"), Node::Box(0), Node::Box(1), cut("2"), Node::Empty];
    assert_eq!(wrong(longer), (5, "is missing: the tree is incomplete"));
    assert_eq!(wrong(vec![Node::Nested(0)]), (1, "is missing: the tree is incomplete"));
    assert_eq!(wrong(vec![cut("2"), Node::Box(0), Node::Box(2)]), (2, "names a box that is not there"));
    let infinity = F.infinity(false).expect("bfloat16 has one");
    for bits in [infinity, Encoding::from_bits(0x7fc0), Encoding::from_bits(1 << 16)] {
        assert_eq!(wrong(vec![split(0, bits)]), (0, "cuts at no finite value of the format"));
    }
    assert_eq!(wrong(vec![split(1, F.zero())]), (0, "cuts an input that is not there"));
    assert_eq!(wrong(vec![split(u32::MAX, F.zero())]), (0, "cuts an input that is not there"));
}

#[test]
fn box_regions() {
    let regions = |nodes: Vec<Node>| relu(|s| s.nodes = nodes);
    let missing = BoxRejection::BoxRegions { neuron: BoxNumber(1), times: 0 };
    assert_eq!(regions(vec![cut("2"), Node::Box(0), Node::Empty]), missing);
    assert_eq!(regions(vec![Node::Box(0)]), missing);
    // The empty box [4, 1] may stand in every region, but only once.
    let twice = |s: &mut Subject| {
        s.layers[0].bias.set(3, value(F, "-1"));
        s.layers[1].weights.set(3, value(F, "-128"));
        s.nodes = vec![cut("2"), Node::Box(0), cut("3"), Node::Box(1), Node::Box(1)];
    };
    assert_eq!(relu(twice), BoxRejection::BoxRegions { neuron: BoxNumber(1), times: 2 });
}

#[test]
fn overlap() {
    let overlap = |neuron, side| BoxRejection::Overlap { neuron: BoxNumber(neuron), column: Input(0), side };
    let moved = |threshold: &'static str| move |s: &mut Subject| s.nodes[0] = cut(threshold);
    for activation in [Activation::Relu, Activation::Step] {
        // From just below 2, and up to 4, the cut goes through a box; between them it is in order.
        assert_eq!(rejected(activation, moved("1.9921875")), overlap(0, "below"));
        assert_eq!(rejected(activation, moved("4")), overlap(1, "above"));
        for threshold in ["2.015625", "3.984375"] {
            let mut between = subject(activation);
            moved(threshold)(&mut between);
            assert_eq!(between.verdict(), Ok(Verdict::Proved));
        }
        let swapped = |s: &mut Subject| s.nodes.swap(1, 2);
        assert_eq!(rejected(activation, swapped), overlap(1, "below"));
    }
    // A box without an upper side is not kept below any cut.
    let open = |s: &mut Subject| {
        let mut second = Layer::new(F, Activation::Relu);
        second.push([(0, value(F, "-256"))], F.one(false));
        second.push(s.layers[1].terms(1).collect::<Vec<_>>(), F.one(false));
        s.layers[1] = second;
    };
    assert_eq!(relu(open), overlap(0, "below"));
}

#[test]
fn label() {
    let rows = |input: &'static str, label: &'static str| {
        move |s: &mut Subject| s.data = texts(F, &[(&["1"], &["3"]), (&[input], &[label])])
    };
    let wrong = |given: &str, label: &str| BoxRejection::Label {
        row: Row(1),
        output: Output(0),
        given: roundproof_exact::parse_number(given).expect(given).value(),
        label: number(F, label),
    };
    for activation in [Activation::Relu, Activation::Step] {
        assert_eq!(rejected(activation, rows("1.5", "5")), wrong("3", "5"));
        assert_eq!(rejected(activation, rows("3", "3")), wrong("0", "3"));
        assert_eq!(rejected(activation, rows("2.015625", "3")), wrong("0", "3"));
        assert_eq!(rejected(activation, rows("0.99609375", "3")), wrong("0", "3"));
    }
    // A label without a weight is zero.
    let unlabelled = |s: &mut Subject| s.layers[2] = layer(F, Activation::Identity, &[(&[(1, "5")], "0")]);
    let zero = BoxRejection::Label { row: Row(0), output: Output(0), given: 0.into(), label: number(F, "3") };
    assert_eq!(relu(unlabelled), zero);
}

/// float8_e4m3fn under overflow to NaN: the unit gives at most 97, and 16 times that is beyond 448.
#[test]
fn headroom() {
    let f = Format::FLOAT8_E4M3FN;
    let judge_with = |overflow, penalty: &str, bound: &str| {
        let first = layer(f, Activation::Relu, &[(&[(0, "-1")], "1")]);
        let second = layer(f, Activation::Relu, &[(&[(0, penalty)], "1")]);
        let last = layer(f, Activation::Identity, &[(&[(0, "3")], "0")]);
        let network = network(f, 1, vec![first, second, last]);
        let data = texts(f, &[(&["1"], &["3"]), (&[bound], &["0"])]);
        let model = PathModel { overflow, ..PathModel::all(f) };
        let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
        (judge(&model, &network, &data, &evidence), memorizes(&model, &network, &data))
    };
    let exceeds = |layer| Rejection::Boxes(BoxRejection::Headroom { site: site(layer, 0), overflow: Overflow::Nan });
    assert_eq!(judge_with(Overflow::Nan, "-16", "-96"), (Err(exceeds(1)), Some(false)));
    assert_eq!(judge_with(Overflow::Nan, "-16", "-448"), (Err(exceeds(0)), Some(false)));
    assert_eq!(judge_with(Overflow::Saturate, "-16", "-448"), (Ok(Verdict::Proved), Some(true)));
    assert_eq!(judge_with(Overflow::Nan, "-16", "-8"), (Ok(Verdict::Proved), Some(true)));
}

/// A unit or a box that is within the format says nothing of the next, which differs in one of weight, bias and input.
#[test]
fn headroom_of_the_second() {
    let f = Format::FLOAT8_E4M3FN;
    type Row<'a> = (&'a [(u32, &'a str)], &'a str);
    let judge_with = |units: &[Row], boxes: &[Row], inputs: [&str; 2]| {
        let first = layer(f, Activation::Relu, units);
        let last = layer(f, Activation::Identity, &[(&[(0, "3")], "0")]);
        let network = network(f, 2, vec![first, layer(f, Activation::Relu, boxes), last]);
        let model = PathModel { overflow: Overflow::Nan, ..PathModel::all(f) };
        let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
        judge(&model, &network, &texts(f, &[(&inputs, &["0"])]), &evidence)
    };
    let exceeds =
        |layer| Err(Rejection::Boxes(BoxRejection::Headroom { site: site(layer, 1), overflow: Overflow::Nan }));
    let one: Row = (&[(0, "-16")], "1");
    assert_eq!(judge_with(&[(&[(0, "-1")], "1"), (&[(0, "-1")], "416")], &[one], ["208", "0"]), exceeds(0));
    assert_eq!(judge_with(&[(&[(0, "-1")], "1"), (&[(0, "-4")], "1")], &[one], ["208", "0"]), exceeds(0));
    assert_eq!(judge_with(&[(&[(0, "-1")], "1"), (&[(1, "-1")], "1")], &[one], ["8", "448"]), exceeds(0));
    let units: [Row; 2] = [(&[(0, "-1")], "1"), (&[(1, "-1")], "1")];
    assert_eq!(judge_with(&units, &[one, (&[(1, "-16")], "1")], ["8", "96"]), exceeds(1));
    assert_eq!(judge_with(&units, &[one, (&[(0, "-64")], "1")], ["8", "8"]), exceeds(1));
}

/// The ends of a format whose keys fill 128 bits.
#[test]
fn keys_of_128_bits() {
    let f: Format = "p=113,emin=-16382,emax=16384,specials=finite".parse().expect("a format");
    let (least, most) = (f.largest(true).expect("bounded"), f.largest(false).expect("bounded"));
    for activation in [Activation::Step, Activation::Relu] {
        let mut first = Layer::new(f, activation);
        first.push([(0, f.one(false))], most);
        first.push([(0, f.one(true))], most);
        first.push([(0, f.one(true))], least);
        let bias = if activation == Activation::Step { f.zero() } else { f.one(false) };
        let mut second = Layer::new(f, activation);
        second.push([(0, f.one(true))], bias);
        let last = layer(f, Activation::Identity, &[(&[(0, "1")], "0")]);
        let network = network(f, 1, vec![first, second, last]);
        let data = dataset(f, &[(vec![least], vec![f.zero()]), (vec![most], vec![f.zero()])]);
        for threshold in [least, most] {
            let nodes = vec![Node::Split { column: 0, threshold }, Node::Box(0), Node::Empty];
            let evidence = Evidence::BoxNetwork(Separator { nodes });
            let verdict = judge(&PathModel::all(f), &network, &data, &evidence);
            assert_eq!(verdict.is_ok(), activation == Activation::Step, "{verdict:?}");
        }
    }
}
