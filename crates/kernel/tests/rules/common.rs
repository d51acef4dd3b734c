//! Small networks, and everything they compute.

use std::collections::BTreeSet;

pub use roundproof_exact::Value;
use roundproof_exact::{Datum, Rational, encode, order_key, real};
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_kernel::{Claim, Evidence, Rejection, Subject, Verdict, check};
use roundproof_network::{
    Activation, At, Choice, Dataset, Encodings, Forest, Layer, Network, NeuronPath, PathModel, Tree, TreeNode,
    TreePath, Witness,
};
#[allow(unused_imports)] // not every test that is written with these speaks of every place
pub use roundproof_network::{BoxNumber, Input, Output, Place, Row, Site, Unit};
use roundproof_paths::{Enumeration, Keep, Machine, Sum, Term};

/// Formats of 4 to 8 bits with every scheme of special values, exponents that do not fill their field, p = 1, and `F(p)`.
pub const FORMATS: &[&str] = &[
    "float4_e2m1fn",
    "float6_e3m2fn",
    "p=2,emin=-1,emax=1",
    "p=3,emin=-1,emax=2",
    "p=3,emin=-1,emax=1,specials=fn",
    "p=2,emin=-2,emax=2,specials=fnuz",
    "p=1,emin=-2,emax=2,specials=finite",
    "p=3,emin=1,emax=3,specials=finite",
    "float8_e4m3fn",
    "F(1)",
    "F(2)",
    "F(3)",
];

/// Path models, for the formats that support them.
pub const MODELS: &[&str] = &[
    "all",
    "paper",
    "all,order=left-to-right",
    "all,contraction=none",
    "all,overflow=saturate",
    "all,overflow=nan",
    "all,overflow=nan,rounding=toward-zero",
    "paper,order=any",
    "paper,order=any,contraction=any",
    "all,rounding=toward-zero",
    "all,rounding=toward-positive",
    "all,rounding=ties-to-away",
    "all,rounding=toward-negative,order=left-to-right",
    "paper,order=any,contraction=any,overflow=saturate",
    "all,accumulator=p=4,emin=-2,emax=3,specials=finite",
    "all,accumulator=p=4,emin=-3,emax=3/saturate",
    "all,accumulator=p=4,emin=-3,emax=3/nan",
    "all,accumulator=p=4,emin=-3,emax=3",
    "paper,order=any,contraction=any,accumulator=p=4,emin=-3,emax=3",
    "all,overflow=nan,accumulator=p=4,emin=-4,emax=4",
    "all,overflow=saturate,accumulator=p=4,emin=-4,emax=4",
    "all,accumulator=p=3,emin=-1,emax=2/saturate",
    "all,accumulator=F(4)",
    "paper,contraction=any,accumulator=F(3)",
];

/// Every format with every model that it supports.
pub fn settings() -> Vec<(Format, PathModel)> {
    let formats = FORMATS.iter().map(|name| name.parse().expect(name));
    formats
        .flat_map(|format: Format| {
            MODELS.iter().filter_map(move |text| Some((format, PathModel::parse(text, format).ok()?)))
        })
        .collect()
}

/// A small generator of pseudorandom numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The finite values of a format, in their order, zero once; of `F(p)` those with small exponents.
pub fn values(format: Format) -> Vec<Encoding> {
    let mut found: Vec<Encoding> = if format.is_bounded() {
        format.encodings().filter(|&e| format.is_finite(e) && Some(e) != format.negative_zero()).collect()
    } else {
        let reals = (1 << (format.precision() - 1)..1 << format.precision()).flat_map(|significand: i64| {
            (-2..2).flat_map(move |exponent: i64| {
                let real = Rational::from(significand) * roundproof_exact::power_of_two(exponent);
                [real.clone(), -real]
            })
        });
        let all = reals.filter_map(|real| encode(format, &Datum::Finite(real)));
        all.chain([format.zero()]).collect()
    };
    found.sort_by_key(|&value| order_key(format, value));
    found
}

/// The encoding of a number such as `-0.75`, which is a value of the format.
pub fn value(format: Format, text: &str) -> Encoding {
    let real = roundproof_exact::parse_number(text).expect(text).value();
    if real == 0 { format.zero() } else { encode(format, &Datum::Finite(real)).expect(text) }
}

/// The number that a finite value is.
pub fn number_of(format: Format, value: Encoding) -> Rational {
    real(format, value).expect("finite")
}

/// Bits as a value of the format.
pub fn of(format: Format, encoding: Encoding) -> Value {
    Value { format, encoding }
}

/// A number as a value of the format.
pub fn number(format: Format, text: &str) -> Value {
    of(format, value(format, text))
}

pub fn site(layer: usize, neuron: usize) -> Site {
    Site { layer, neuron }
}

/// Any activation, with any parameters that it may have.
pub fn activation(random: &mut Random, format: Format) -> Activation {
    let all = values(format);
    let [low, high] = {
        let mut ends = [*random.pick(&all), *random.pick(&all)];
        ends.sort_by_key(|&value| order_key(format, value));
        ends
    };
    let without = Activation::WITHOUT_PARAMETERS;
    match random.below(without.len() + 2) {
        0 => Activation::LeakyRelu { slope: low },
        1 => Activation::Clip { low, high },
        other => without[other - 2],
    }
}

/// A layer of neurons, each with its terms and its bias.
pub fn layer(format: Format, activation: Activation, neurons: &[(&[(u32, &str)], &str)]) -> Layer {
    let mut layer = Layer::new(format, activation);
    for (terms, bias) in neurons {
        layer.push(terms.iter().map(|&(column, weight)| (column, value(format, weight))), value(format, bias));
    }
    layer
}

pub fn network(format: Format, inputs: usize, layers: Vec<Layer>) -> Network {
    Network::new(format, inputs, layers).expect("well formed")
}

/// Rows of inputs, each with its labels.
pub fn dataset(format: Format, rows: &[(Vec<Encoding>, Vec<Encoding>)]) -> Dataset {
    let (dimension, outputs) = (rows[0].0.len(), rows[0].1.len());
    let inputs = Encodings::collect(format, rows.iter().flat_map(|row| row.0.iter().copied()));
    let labels = Encodings::collect(format, rows.iter().flat_map(|row| row.1.iter().copied()));
    Dataset::new(format, dimension, outputs, inputs, labels).expect("well formed")
}

pub fn texts(format: Format, rows: &[(&[&str], &[&str])]) -> Dataset {
    let parse = |texts: &[&str]| texts.iter().map(|text| value(format, text)).collect();
    dataset(format, &rows.iter().map(|(inputs, labels)| (parse(inputs), parse(labels))).collect::<Vec<_>>())
}

pub fn judge(model: &PathModel, network: &Network, data: &Dataset, evidence: &Evidence) -> Result<Verdict, Rejection> {
    let claim = Claim::memorizes(network, data, *model);
    check(&claim, &Subject::memorizing(network, data), evidence, &mut |_, _| ())
}

pub fn same_value(format: Format, a: Encoding, b: Encoding) -> bool {
    order_key(format, a).is_some_and(|key| Some(key) == order_key(format, b))
}

/// Every vector of outputs that some path gives on a row; none if there are too many to tell.
pub fn every_output(model: &PathModel, network: &Network, inputs: &[Encoding]) -> Option<BTreeSet<Vec<Encoding>>> {
    const MOST: usize = 3000;
    let format = network.format();
    let machine = Machine::new(format, model).expect("a model of the format");
    let mut states = BTreeSet::from([inputs.to_vec()]);
    for layer in network.as_layers().expect("layers") {
        let mut next = BTreeSet::new();
        for state in &states {
            let mut vectors = vec![Vec::new()];
            for neuron in 0..layer.rows() {
                let terms = layer.terms(neuron);
                let terms = terms.map(|(column, weight)| Term { weight, input: state[column as usize] }).collect();
                let sum = Sum { terms, bias: layer.bias.get(neuron) };
                // The extremes are exact: where there is one, it is all.
                let extremes = Enumeration::new(&machine, &sum, Keep::Extremes, 200_000)?.values();
                let one = extremes.len() == 1 && !format.is_zero(extremes[0]);
                let all = if one { extremes } else { Enumeration::new(&machine, &sum, Keep::All, 200_000)?.values() };
                let values: BTreeSet<_> = all.iter().flat_map(|&v| machine.activations(layer.activation, v)).collect();
                if vectors.len() * values.len() > MOST {
                    return None;
                }
                vectors = vectors
                    .iter()
                    .flat_map(|vector: &Vec<Encoding>| {
                        values.iter().map(move |&value| vector.iter().copied().chain([value]).collect())
                    })
                    .collect();
            }
            next.extend(vectors);
            if next.len() > MOST {
                return None;
            }
        }
        states = next;
    }
    Some(states)
}

pub fn inputs_of(data: &Dataset, row: usize) -> Vec<Encoding> {
    (0..data.dimension()).map(|column| data.input(row, column)).collect()
}

/// Whether the network gives the labels on every path; none if there are too many.
pub fn memorizes(model: &PathModel, network: &Network, data: &Dataset) -> Option<bool> {
    let format = network.format();
    for row in 0..data.rows() {
        let outputs = every_output(model, network, &inputs_of(data, row))?;
        let right =
            |vector: &Vec<Encoding>| (0..data.outputs()).all(|o| same_value(format, vector[o], data.label(row, o)));
        if !outputs.iter().all(right) {
            return Some(false);
        }
    }
    Some(true)
}

/// A neighbour, or any other value.
pub fn changed(random: &mut Random, all: &[Encoding], value: Encoding) -> Encoding {
    let at = all.iter().position(|&other| other == value).unwrap_or(0);
    match random.below(3) {
        0 => all[(at + 1) % all.len()],
        1 => all[(at + all.len() - 1) % all.len()],
        _ => *random.pick(all),
    }
}

/// One stored number of the network is another one.
pub fn mutate_network(random: &mut Random, network: &Network) -> Network {
    let format = network.format();
    let all = values(format);
    let mut layers = network.clone().into_layers().expect("layers");
    let index = random.below(layers.len());
    let layer = &mut layers[index];
    let column = if random.one_in(2) { &mut layer.weights } else { &mut layer.bias };
    if !column.is_empty() {
        let place = random.below(column.len());
        column.set(place, changed(random, &all, column.get(place)));
    }
    Network::new(format, network.input_dimension(), layers).expect("still well formed")
}

/// `x <= 1 ? low : high`, in one variable.
pub fn tree(format: Format, low: &str, high: &str) -> Forest {
    let nodes = vec![TreeNode::Split { column: 0, threshold: format.one(false) }, TreeNode::Leaf, TreeNode::Leaf];
    let values = Encodings::collect(format, [value(format, low), value(format, high)]);
    let base = Encodings::collect(format, [format.zero()]);
    Forest::new(format, 1, base, vec![Tree { nodes, values }]).expect("well formed")
}

/// `x + 1` by one neuron.
pub fn plus_one(format: Format) -> Network {
    network(format, 1, vec![layer(format, Activation::Identity, &[(&[(0, "1")], "1")])])
}

pub fn mode_of_addition(mode: RoundingMode, model: &PathModel) -> Vec<NeuronPath> {
    let mut path = TreePath::plain(1, model);
    path.additions[0].choice = Choice::plain(mode);
    vec![NeuronPath { layer: 0, neuron: 0, path: path.into(), value: None }]
}

pub fn witness(point: &[Encoding], given: Encoding, neurons: Vec<NeuronPath>) -> Witness {
    Witness { at: At::Point(point.to_vec()), output: 0, value: given, neurons }
}

/// What a forest gives at a point, for each output: every tree is gone down anew.
pub fn values_of(forest: &Forest, input: &[Encoding]) -> Vec<Rational> {
    let format = forest.format();
    let mut sums: Vec<Rational> = forest.base().iter().map(|base| number_of(format, base)).collect();
    for tree in forest.trees() {
        let (links, mut node) = (tree.preorder(), 0);
        while let TreeNode::Split { column, threshold } = tree.nodes[node] {
            let below = order_key(format, input[column as usize]) <= order_key(format, threshold);
            node = if below { node + 1 } else { links.link(node) };
        }
        let first = links.link(node) * sums.len();
        sums.iter_mut()
            .enumerate()
            .for_each(|(output, sum)| *sum += number_of(format, tree.values.get(first + output)));
    }
    sums
}
