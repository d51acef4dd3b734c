use std::collections::BTreeSet;

use roundproof_exact::{Overflow, RoundingMode, parse_number, round};
use roundproof_format::{Encoding, Format, Subnormals};
use roundproof_graph::{Node, Op, Pick, Pool, Reduction, Source, Tensor, Unary};
use roundproof_network::{Axis, Datatype, Geometry};

use super::*;
use crate::decision::Ties;
use crate::model::{Accumulator, Copies, Narrowing};
use crate::tests::{Leaf, Paths, Random, Small, finite, number};

/// A graph, put together node by node.
pub(crate) struct Builder {
    format: Format,
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
}

impl Builder {
    pub fn new(format: Format) -> Builder {
        Builder { format, tensors: Vec::new(), nodes: Vec::new() }
    }

    fn tensor(&mut self, shape: &[usize], source: Source) -> TensorId {
        let name = format!("t{}", self.tensors.len());
        self.tensors.push(Tensor { name, shape: shape.to_vec(), datatype: Datatype::Float(self.format), source });
        self.tensors.len() - 1
    }

    pub fn input(&mut self, shape: &[usize]) -> TensorId {
        self.tensor(shape, Source::Input)
    }

    pub fn constant(&mut self, shape: &[usize], values: impl IntoIterator<Item = Encoding>) -> TensorId {
        let values = Encodings::collect(self.format, values);
        self.tensor(shape, Source::Constant(values))
    }

    pub fn node(&mut self, op: Op, reads: &[TensorId], shape: &[usize]) -> TensorId {
        let writes = self.tensor(shape, Source::Node(self.nodes.len()));
        let name = format!("n{}", self.nodes.len());
        self.nodes.push(Node { name, op, reads: reads.to_vec(), writes });
        writes
    }

    pub fn graph(self, output: TensorId) -> Graph {
        Graph::new(self.tensors, self.nodes, vec![output]).expect("a graph")
    }
}

/// The value of a format that is nearest to a number.
fn value(format: Format, text: &str) -> Encoding {
    let number = parse_number(text).expect(text).value();
    round(&number, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding
}

fn row(format: Format, values: &[&str]) -> Vec<Encodings> {
    vec![Encodings::collect(format, values.iter().map(|text| value(format, text)))]
}

const ARGMAX: Decision = Decision::Argmax { ties: Ties::Any };

/// Two layers of weights `[inputs, outputs]` and biases.
struct Net {
    format: Format,
    layers: Vec<(Vec<Vec<Encoding>>, Vec<Encoding>)>,
    input: Vec<Encoding>,
}

impl Net {
    fn draw(random: &mut Random, format: Format, values: &[Encoding]) -> Net {
        let mut draw =
            |count: usize| -> Vec<Encoding> { (0..count).map(|_| values[random.below(values.len())]).collect() };
        let sizes = [3, 2, 2];
        let layers =
            (0..2).map(|layer| ((0..sizes[layer]).map(|_| draw(sizes[layer + 1])).collect(), draw(sizes[layer + 1])));
        let layers = layers.collect();
        Net { format, layers, input: draw(sizes[0]) }
    }

    fn graph(&self) -> Graph {
        let mut builder = Builder::new(self.format);
        let mut x = builder.input(&[1, self.input.len()]);
        for (number, (weights, bias)) in self.layers.iter().enumerate() {
            let (rows, columns) = (weights.len(), bias.len());
            let w = builder.constant(&[rows, columns], weights.iter().flatten().copied());
            let b = builder.constant(&[columns], bias.iter().copied());
            let product = builder.node(Op::MatMul, &[x, w], &[1, columns]);
            x = builder.node(Op::Add, &[product, b], &[1, columns]);
            if number + 1 < self.layers.len() {
                x = builder.node(Op::Unary(Unary::Relu), &[x], &[1, columns]);
            }
        }
        builder.graph(x)
    }

    /// The places that are largest on some path; none where a path overflows.
    fn decisions(&self, paths: &Paths, model: &PathModel, storage: &Small) -> Option<BTreeSet<Option<usize>>> {
        let start: Vec<i64> = self.input.iter().map(|&x| number(self.format, x)).collect();
        let mut inputs: BTreeSet<Vec<i64>> = BTreeSet::from([start]);
        for (layer, (weights, bias)) in self.layers.iter().enumerate() {
            let mut next = BTreeSet::new();
            for input in &inputs {
                let mut vectors = vec![Vec::new()];
                for (output, &bias) in bias.iter().enumerate() {
                    let products =
                        input.iter().zip(weights).map(|(&x, w)| Leaf::Product(number(self.format, w[output]), x));
                    let leaves: Vec<Leaf> = products.chain([Leaf::Number(number(self.format, bias))]).collect();
                    let inner = match model.narrowing {
                        Narrowing::Once => None,
                        Narrowing::Bias | Narrowing::Optional => Some((1 << weights.len()) - 1),
                    };
                    let mut values = BTreeSet::new();
                    for sum in (Paths { inner, ..*paths }).values(&leaves)? {
                        if paths.accumulator.format == storage.format || model.narrowing == Narrowing::Optional {
                            values.insert(sum);
                        }
                        if paths.accumulator.format != storage.format {
                            values.extend(storage.round(sum)?);
                        }
                    }
                    let relu = |value: i64| if layer + 1 < self.layers.len() { value.max(0) } else { value };
                    let values: BTreeSet<i64> = values.into_iter().map(relu).collect();
                    let longer = |vector: &Vec<i64>| {
                        values.iter().map(|&value| [&vector[..], &[value]].concat()).collect::<Vec<_>>()
                    };
                    vectors = vectors.iter().flat_map(longer).collect();
                }
                next.extend(vectors);
            }
            inputs = next;
        }
        let best = |vector: &Vec<i64>| {
            let largest = vector.iter().max().expect("outputs");
            let mut places = (0..vector.len()).filter(|&place| vector[place] == *largest);
            // A tie is not a strict winner.
            places.next().filter(|_| places.next().is_none())
        };
        Some(inputs.iter().map(best).collect())
    }
}

/// How many nets were compared with all of their paths; of how many of these all paths agree; how many of these were certified.
fn compare(model: &PathModel, nets: usize, seed: u64) -> (usize, usize, usize) {
    let format: Format = "p=4,emin=-3,emax=6,specials=finite".parse().expect("a format");
    let wide = model.accumulator(format).expect("an accumulator");
    let (storage, accumulator) = (Small::new(format, model), Small::new(wide, model));
    // The parts, and what joins them; and what the matrix product is by itself.
    let most = 2 * (model.partials as u8 - 1) + u8::from(model.partials > 1);
    let narrowed = (wide != format).then_some((storage, most));
    let paths = Paths { accumulator, narrowed, inner: None };
    let values: Vec<Encoding> =
        finite(format).into_iter().filter(|&value| number(format, value).abs() <= 4 << 24).collect();
    let mut random = Random(seed);
    let (mut compared, mut invariant, mut certified) = (0, 0, 0);
    for _ in 0..nets {
        let net = Net::draw(&mut random, format, &values);
        let graph = net.graph();
        let output = graph.outputs()[0];
        let audit = Audit::new(&graph, *model, output, ARGMAX).expect("covered");
        let input = vec![Encodings::collect(format, net.input.iter().copied())];
        let verdict = audit.row(&input).expect("a row");
        let Some(decisions) = net.decisions(&paths, model, &storage) else {
            // Something overflows on some path.
            assert!(matches!(verdict, Verdict::Undecided(Missing::Overflow { place: _ })), "{verdict:?}");
            continue;
        };
        compared += 1;
        let agreed = if decisions.len() == 1 { *decisions.first().expect("one") } else { None };
        invariant += usize::from(agreed.is_some());
        if let Verdict::Invariant { answer, margin: _ } = verdict {
            assert_eq!(Some(answer[0]), agreed, "{model}: {:?} {:?}", net.layers, net.input);
            certified += 1;
        }
    }
    (compared, invariant, certified)
}

fn narrowings() -> Vec<(&'static str, PathModel)> {
    let wide = Accumulator::Wider("p=6,emin=-5,emax=7,specials=finite".parse().expect("a format"));
    let same = PathModel { accumulator: Accumulator::Same, ..PathModel::ALL };
    vec![
        ("all", same),
        ("nearest", PathModel { accumulator: Accumulator::Same, ..PathModel::NEAREST }),
        ("all, flushed", PathModel { subnormals: Subnormals::Flush, copies: Copies::PerReader, ..same }),
        ("nearest, wider", PathModel { accumulator: wide, ..PathModel::NEAREST }),
        ("all, wider", PathModel { accumulator: wide, ..PathModel::ALL }),
        (
            "nearest, wider, before the bias",
            PathModel { accumulator: wide, narrowing: Narrowing::Bias, ..PathModel::NEAREST },
        ),
        ("portable, wider", PathModel { accumulator: wide, ..PathModel::PORTABLE }),
    ]
}

#[test]
fn no_path_of_a_small_net_contradicts_a_verdict() {
    for (name, model) in narrowings() {
        let nets = if model.narrowing == Narrowing::Optional { 150 } else { 600 };
        let (compared, invariant, certified) = compare(&model, nets, 11);
        println!("{name}: {compared} nets, {invariant} invariant, {certified} of them certified");
        assert!(certified > 0, "{name}");
    }
}

/// Of what an element of a tensor is made on one path, rational numbers and roundings of the test's own.
struct Path<'a> {
    graph: &'a Graph,
    random: Random,
    /// The format in which tensors that are not declared otherwise are formed.
    accumulator: Format,
}

impl Path<'_> {
    fn rounded(&mut self, format: Format, value: &Rational) -> Rational {
        let both = roundproof_exact::faithful(value, format, Overflow::Saturate);
        let chosen = if self.random.below(2) == 0 { both.below } else { both.above };
        roundproof_exact::real(format, chosen).expect("finite")
    }

    /// The sum of leaves, each a product or a number, in a random order; some products are fused.
    fn sum(&mut self, mut leaves: Vec<(Rational, bool)>) -> Rational {
        let mut sum = Rational::new();
        let mut first = true;
        while !leaves.is_empty() {
            let (leaf, is_product) = leaves.swap_remove(self.random.below(leaves.len()));
            let leaf = if is_product && (first || self.random.below(2) == 0) {
                self.rounded(self.accumulator, &leaf)
            } else {
                leaf
            };
            sum = if first { leaf } else { self.rounded(self.accumulator, &(sum + leaf)) };
            first = false;
        }
        sum
    }

    fn evaluate(&mut self, input: &[Rational]) -> Vec<Vec<Rational>> {
        let graph = self.graph;
        let mut values: Vec<Vec<Rational>> = Vec::new();
        for tensor in graph.tensors() {
            values.push(match &tensor.source {
                Source::Input => input.to_vec(),
                Source::Constant(all) => {
                    all.iter().map(|value| roundproof_exact::real(tensor.format(), value).expect("finite")).collect()
                }
                Source::Node(_) => Vec::new(),
            });
        }
        for node in graph.nodes() {
            let shape = &graph.tensors()[node.writes].shape;
            let shapes: Vec<&[usize]> = graph.reads(node).map(|tensor| &tensor.shape[..]).collect();
            let format = graph.tensors()[node.writes].format();
            let count: usize = shape.iter().product();
            let at = |read: usize, element: usize, values: &[Vec<Rational>]| {
                // From the last axis on, an axis of size 1 is read again and again.
                let (mut rest, mut place, mut step) = (element, 0, 1);
                for axis in (0..shape.len()).rev() {
                    let index = rest % shape[axis];
                    rest /= shape[axis];
                    if let Some(own) = (axis + shapes[read].len()).checked_sub(shape.len()) {
                        if shapes[read][own] != 1 {
                            place += index * step;
                        }
                        step *= shapes[read][own];
                    }
                }
                values[node.reads[read]][place].clone()
            };
            let mut made = Vec::new();
            for element in 0..count {
                let value = match &node.op {
                    Op::MatMul => {
                        let (inner, columns) = (shapes[0][1], shape[1]);
                        let (row, column) = (element / columns, element % columns);
                        let leaf = |k: usize| {
                            (
                                values[node.reads[0]][row * inner + k].clone()
                                    * &values[node.reads[1]][k * columns + column],
                                true,
                            )
                        };
                        self.sum((0..inner).map(leaf).collect())
                    }
                    Op::Conv { geometry, groups } => {
                        let positions = geometry.positions();
                        let (output, position) = (element / positions, element % positions);
                        let channels = shapes[1][1];
                        let first = output / (shape[1] / groups) * channels;
                        let mut leaves = Vec::new();
                        for channel in 0..channels {
                            let taps = geometry.taps(position);
                            for (tap, place) in (0..taps.len()).map(|k| taps.get(k)) {
                                let x = &values[node.reads[0]][(first + channel) * geometry.places() + place];
                                let w = &values[node.reads[1]][(output * channels + channel) * geometry.window() + tap];
                                leaves.push((Rational::from(x * w), true));
                            }
                        }
                        self.sum(leaves)
                    }
                    Op::Add => self.sum(vec![(at(0, element, &values), false), (at(1, element, &values), false)]),
                    Op::Sub => self.sum(vec![(at(0, element, &values), false), (-at(1, element, &values), false)]),
                    Op::Mul => self.sum(vec![(at(0, element, &values) * at(1, element, &values), true)]),
                    Op::Div if graph.tensors()[node.reads[1]].constant().is_some() && self.random.below(2) == 0 => {
                        let reciprocal = self.rounded(self.accumulator, &at(1, element, &values).recip());
                        self.sum(vec![(at(0, element, &values) * reciprocal, true)])
                    }
                    Op::Div => self.rounded(self.accumulator, &(at(0, element, &values) / at(1, element, &values))),
                    Op::BatchNormalization { epsilon } => {
                        let channel = element / (count / shape[1]);
                        let [scale, bias, mean, variance] =
                            [1, 2, 3, 4].map(|read| values[node.reads[read]][channel].clone());
                        let epsilon = roundproof_exact::real(Format::BINARY32, *epsilon).expect("finite");
                        let epsilon = self.rounded(self.accumulator, &epsilon);
                        let spread = self.rounded(self.accumulator, &(variance + epsilon));
                        // A root to thirty bits is rounded as the root is, nearly always.
                        let root = Rational::from(roundproof_exact::Integer::from(
                            (spread * power_of_two(120)).floor().numer().sqrt_ref(),
                        )) * power_of_two(-60);
                        let root = self.rounded(self.accumulator, &root);
                        let factor = self.rounded(self.accumulator, &(scale / root));
                        let x = at(0, element, &values);
                        if self.random.below(2) == 0 {
                            let moved = self.sum(vec![(x, false), (-mean, false)]);
                            let product = self.rounded(self.accumulator, &(moved * factor));
                            self.sum(vec![(product, false), (bias, false)])
                        } else {
                            let offset = self.sum(vec![(-mean * &factor, true), (bias, false)]);
                            self.sum(vec![(x * factor, true), (offset, false)])
                        }
                    }
                    Op::Max => at(0, element, &values).max(at(1, element, &values)),
                    Op::Min => at(0, element, &values).min(at(1, element, &values)),
                    Op::PRelu => {
                        let (x, slope) = (at(0, element, &values), at(1, element, &values));
                        if x < 0 { self.rounded(self.accumulator, &(x * slope)) } else { x }
                    }
                    Op::Unary(unary) => {
                        let x = at(0, element, &values);
                        let attribute = |format, encoding| roundproof_exact::real(format, encoding).expect("finite");
                        match unary {
                            Unary::Neg => -x,
                            Unary::Abs => x.abs(),
                            Unary::Relu => x.max(Rational::new()),
                            Unary::LeakyRelu { slope } if x < 0 => {
                                self.rounded(self.accumulator, &(x * attribute(Format::BINARY32, *slope)))
                            }
                            Unary::LeakyRelu { slope: _ } => x,
                            Unary::Clip { low, high } => {
                                let x = low.map_or(x.clone(), |low| x.max(attribute(format, low)));
                                high.map_or(x.clone(), |high| x.min(attribute(format, high)))
                            }
                            Unary::Sign => Rational::from(i32::from(x > 0) - i32::from(x < 0)),
                            other => panic!("{other:?} is not evaluated"),
                        }
                    }
                    Op::Reduce { reduction, axes } => {
                        assert_eq!((shapes[0].len(), &axes[..]), (2, &[1][..]));
                        let all: Vec<Rational> =
                            values[node.reads[0]].chunks(shapes[0][1]).nth(element).expect("a row").to_vec();
                        match reduction {
                            Reduction::Sum => self.sum(all.into_iter().map(|x| (x, false)).collect()),
                            Reduction::Mean => self.mean(all),
                            Reduction::Max => all.into_iter().max().expect("some"),
                            Reduction::Min => all.into_iter().min().expect("some"),
                        }
                    }
                    Op::Pool { pool, geometry } => {
                        let positions = geometry.positions();
                        let taps = geometry.taps(element % positions);
                        let first = element / positions * geometry.places();
                        let all: Vec<Rational> =
                            (0..taps.len()).map(|k| values[node.reads[0]][first + taps.get(k).1].clone()).collect();
                        match pool {
                            Pool::Max => all.into_iter().max().expect("some"),
                            Pool::Average { padding_counts: _ } => self.mean(all),
                        }
                    }
                    Op::Arrange(picks) => {
                        values[node.reads[picks[element].read as usize]][picks[element].element as usize].clone()
                    }
                    Op::Cast => at(0, element, &values),
                    other => panic!("{other:?} is not evaluated"),
                };
                made.push(self.rounded(format, &value));
            }
            values[node.writes] = made;
        }
        values
    }

    /// By a division, or by one of the two ways of multiplying with the rounded reciprocal.
    fn mean(&mut self, all: Vec<Rational>) -> Rational {
        let count = Rational::from(all.len());
        let way = self.random.below(3);
        if way == 0 {
            let sum = self.sum(all.into_iter().map(|x| (x, false)).collect());
            return self.rounded(self.accumulator, &(sum / count));
        }
        let reciprocal = self.rounded(self.accumulator, &count.recip());
        if way == 1 {
            let sum = self.sum(all.into_iter().map(|x| (x, false)).collect());
            return self.rounded(self.accumulator, &(sum * reciprocal));
        }
        self.sum(all.into_iter().map(|x| (x * &reciprocal, true)).collect())
    }
}

fn axis(size: usize, window: usize, stride: usize, pad: usize) -> Axis {
    Axis { size, window, stride, dilation: 1, before: pad, after: pad }
}

/// Convolutions in groups, a residual, pools, a leaky unit.
fn convolutional(format: Format, random: &mut Random) -> Graph {
    let mut builder = Builder::new(format);
    let mut draw = |builder: &mut Builder, shape: &[usize]| {
        let count = shape.iter().product();
        let values: Vec<Encoding> =
            (0..count).map(|_| value(format, &format!("{}", random.below(65) as f64 / 32.0 - 1.0))).collect();
        builder.constant(shape, values)
    };
    let geometry = |stride| Geometry::new(vec![axis(4, 3, stride, 1), axis(4, 3, stride, 1)]).expect("a geometry");
    let x = builder.input(&[1, 2, 4, 4]);
    let w = draw(&mut builder, &[4, 1, 3, 3]);
    let b = draw(&mut builder, &[1, 4, 1, 1]);
    let shape = [1, 4, 4, 4];
    let z = builder.node(Op::Conv { geometry: geometry(1), groups: 2 }, &[x, w], &shape);
    let z = builder.node(Op::Add, &[z, b], &shape);
    let normal = [[0.5, 1.5], [-1.0, 1.0], [-1.0, 1.0], [0.25, 4.0]].map(|[low, high]| {
        let values = [0.0, 0.3, 0.6, 1.0].map(|at| value(format, &format!("{}", low + at * (high - low))));
        builder.constant(&[4], values)
    });
    let epsilon = value(Format::BINARY32, "1e-5");
    let z = builder.node(Op::BatchNormalization { epsilon }, &[&[z], &normal[..]].concat(), &shape);
    let skip = builder.node(Op::Unary(Unary::Relu), &[z], &shape);
    let w = draw(&mut builder, &[4, 4, 3, 3]);
    let z = builder.node(Op::Conv { geometry: geometry(1), groups: 1 }, &[skip, w], &shape);
    let z = builder.node(Op::Add, &[z, b], &shape);
    let z = builder.node(Op::Add, &[skip, z], &shape);
    let slope = Format::BINARY32;
    let z = builder.node(Op::Unary(Unary::LeakyRelu { slope: value(slope, "0.1") }), &[z], &shape);
    let pool = Geometry::new(vec![axis(4, 2, 2, 0), axis(4, 2, 2, 0)]).expect("a geometry");
    let z = builder.node(Op::Pool { pool: Pool::Max, geometry: pool }, &[z], &[1, 4, 2, 2]);
    let pool = Geometry::new(vec![axis(2, 2, 1, 1), axis(2, 2, 1, 0)]).expect("a geometry");
    let z =
        builder.node(Op::Pool { pool: Pool::Average { padding_counts: false }, geometry: pool }, &[z], &[1, 4, 3, 1]);
    let picks = (0..12).rev().map(|element| Pick { read: 0, element }).collect();
    let z = builder.node(Op::Arrange(picks), &[z], &[1, 12]);
    let w = draw(&mut builder, &[12, 3]);
    let b = draw(&mut builder, &[3]);
    let z = builder.node(Op::MatMul, &[z, w], &[1, 3]);
    let z = builder.node(Op::Add, &[b, z], &[1, 3]);
    builder.graph(z)
}

/// One of each of the others.
fn elementwise(format: Format, random: &mut Random) -> Graph {
    let mut builder = Builder::new(format);
    let mut draw = |builder: &mut Builder, shape: &[usize]| {
        let count = shape.iter().product();
        let values: Vec<Encoding> =
            (0..count).map(|_| value(format, &format!("{}", random.below(65) as f64 / 16.0 - 2.0))).collect();
        builder.constant(shape, values)
    };
    let x = builder.input(&[1, 32]);
    let split = |builder: &mut Builder, range: std::ops::Range<u32>, shape: &[usize]| {
        let picks = range.map(|element| Pick { read: 0, element }).collect();
        builder.node(Op::Arrange(picks), &[x], shape)
    };
    let left = split(&mut builder, 0..16, &[4, 4]);
    let right = split(&mut builder, 16..32, &[4, 4]);
    let shape = [4, 4];
    let w = draw(&mut builder, &[4]);
    let scaled = builder.node(Op::Mul, &[w, left], &shape);
    let shifted = builder.node(Op::Add, &[scaled, w], &shape);
    let divisors = builder.constant(&[4], ["3", "-1.75", "0.5", "8"].map(|text| value(format, text)));
    let shifted = builder.node(Op::Div, &[shifted, divisors], &shape);
    let positive = builder.node(Op::Unary(Unary::Abs), &[w], &[4]);
    let positive = builder.node(Op::Add, &[positive, positive], &[4]);
    let three = builder.constant(&[4], [value(format, "3"); 4]);
    let positive = builder.node(Op::Add, &[positive, three], &[4]);
    let right = builder.node(Op::Div, &[right, positive], &shape);
    let product = builder.node(Op::MatMul, &[shifted, right], &shape);
    let squared = builder.node(Op::Mul, &[product, product], &shape);
    let limits = Unary::Clip { low: Some(value(format, "-1.1")), high: Some(value(format, "6.3")) };
    let clipped = builder.node(Op::Unary(limits), &[product], &shape);
    let difference = builder.node(Op::Sub, &[squared, clipped], &shape);
    let slopes = draw(&mut builder, &[4]);
    let bent = builder.node(Op::PRelu, &[difference, slopes], &shape);
    let larger = builder.node(Op::Max, &[bent, shifted], &shape);
    let smaller = builder.node(Op::Min, &[larger, right], &shape);
    let magnitude = builder.node(Op::Unary(Unary::Abs), &[smaller], &shape);
    let negative = builder.node(Op::Unary(Unary::Neg), &[magnitude], &shape);
    let sign = builder.node(Op::Unary(Unary::Sign), &[product], &shape);
    let both = builder.node(Op::Add, &[negative, sign], &shape);
    let all = [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::Min]
        .map(|reduction| builder.node(Op::Reduce { reduction, axes: vec![1] }, &[both], &[4, 1]));
    let joined = (0..16).map(|k| Pick { read: k / 4, element: k % 4 }).collect();
    let z = builder.node(Op::Arrange(joined), &all, &[1, 16]);
    let w = draw(&mut builder, &[16, 3]);
    let z = builder.node(Op::MatMul, &[z, w], &[1, 3]);
    builder.graph(z)
}

/// Values of random paths lie within the intervals of every tensor, and no form of them is below its bound.
#[test]
fn random_paths_stay_within() {
    let format: Format = "p=8,emin=-126,emax=127".parse().expect("a format");
    let wide = "p=12,emin=-140,emax=140".parse().expect("a format");
    let mut random = Random(5);
    let (mut compared, mut nearest) = (0, Rational::new());
    for (model, accumulator) in [
        (PathModel { accumulator: Accumulator::Same, ..PathModel::ALL }, format),
        (PathModel { accumulator: Accumulator::Wider(wide), narrowing: Narrowing::Bias, ..PathModel::ALL }, wide),
        (
            PathModel {
                accumulator: Accumulator::Wider(wide),
                rounding: PathModel::ALL.rounding,
                ..PathModel::PORTABLE
            },
            wide,
        ),
    ] {
        for sample in 0..16 {
            let graph =
                if sample % 2 == 0 { convolutional(format, &mut random) } else { elementwise(format, &mut random) };
            let input: Vec<Encoding> =
                (0..32).map(|_| value(format, &format!("{}", random.below(33) as f64 / 8.0 - 2.0))).collect();
            let output = graph.outputs()[0];
            let audit = Audit::new(&graph, model, output, ARGMAX).expect("covered");
            let row = vec![Encodings::collect(format, input.iter().copied())];
            let states = audit.enclose(&row, sample % 4 > 1).expect("a row").expect("within the format");
            let input: Vec<Rational> =
                input.iter().map(|&x| roundproof_exact::real(format, x).expect("finite")).collect();
            for seed in 0..6 {
                let values = Path { graph: &graph, random: Random(seed * 77 + sample), accumulator }.evaluate(&input);
                for placed in &audit.plan.placed {
                    let fixed = &states[placed.writes].as_ref().expect("made").fixed;
                    let unit = power_of_two(fixed.unit.into());
                    for (element, value) in values[placed.writes].iter().enumerate() {
                        let ends = [fixed.low[element], fixed.high[element]].map(|end| Rational::from(end) * &unit);
                        let node = &graph.nodes()[placed.node];
                        assert!(
                            ends[0] <= *value && *value <= ends[1],
                            "{model}: {} {element}: {value} {ends:?}",
                            node.op.name()
                        );
                        compared += 1;
                    }
                }
                for form in [vec![(0, 1), (1, -1)], vec![(2, 1)], vec![(0, -3), (1, 2), (2, 1)]] {
                    let bound = lower(&audit.context(), &states, output, &form).expect("counted");
                    let least = Rational::from(bound.value) * power_of_two(bound.unit.into());
                    let found: Rational = form.iter().map(|&(k, m)| values[output][k].clone() * m).sum();
                    assert!(least <= found, "{model}: {form:?} {} {}", least.to_f64(), found.to_f64());
                    // How much of what the bound takes off this path takes off.
                    let state = states[output].as_ref().expect("made");
                    let center: i64 = form.iter().map(|&(k, m)| state.centered.center[k] * m).sum();
                    let center = Rational::from(center) * power_of_two(state.centered.unit.into());
                    let taken = Rational::from(&center - &least);
                    if taken > 0 {
                        nearest = nearest.max((center - found) / taken);
                    }
                }
            }
        }
    }
    println!("{compared} values; the largest share of a bound that a random path takes: {:.3}", nearest.to_f64());
    assert!(compared > 50_000 && nearest > Rational::from((1, 100)));
}

/// Nets that detect their order or their precision: `(x + 2^24) - 2^24 - x` is 0 over the reals, and -x or 0 in binary32.
#[test]
fn nets_that_detect_their_arithmetic_are_never_invariant() {
    let format = Format::BINARY32;
    for gain in ["1", "16", "1048576"] {
        for fused in [true, false] {
            let mut builder = Builder::new(format);
            let x = builder.input(&[1, 1]);
            let big = builder.constant(&[1, 1], [value(format, "16777216")]);
            let mut z = builder.node(Op::Add, &[x, big], &[1, 1]);
            if !fused {
                z = builder.node(Op::Unary(Unary::Relu), &[z], &[1, 1]);
            }
            let z = builder.node(Op::Sub, &[z, big], &[1, 1]);
            let z = builder.node(Op::Sub, &[z, x], &[1, 1]);
            let gain = builder.constant(&[1, 2], [value(format, gain), format.zero()]);
            let limit = builder.constant(&[1, 2], [format.zero(), value(format, "-0.25")]);
            let z = builder.node(Op::MatMul, &[z, gain], &[1, 2]);
            let z = builder.node(Op::Add, &[z, limit], &[1, 2]);
            let graph = builder.graph(z);
            for model in [PathModel::PORTABLE, PathModel::ONCE, PathModel::NEAREST, PathModel::ALL] {
                let audit = Audit::new(&graph, model, z, ARGMAX).expect("covered");
                let verdict = audit.row(&row(format, &["0.7"])).expect("a row");
                assert!(matches!(verdict, Verdict::Undecided(Missing::Margin(_))), "{model}: {verdict:?}");
                // It is the arithmetic: a whole number is not lost.
                let verdict = audit.row(&row(format, &["0"])).expect("a row");
                assert!(matches!(verdict, Verdict::Invariant { answer: _, margin: _ }), "{model}: {verdict:?}");
            }
        }
    }
}

/// How far apart two paths may be, by the audit of a value.
fn spread(format: Format, model: PathModel, left: &[&str], right: &[&str]) -> Rational {
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, left.len()]);
    let w = builder.constant(&[right.len(), 1], right.iter().map(|text| value(format, text)));
    let z = builder.node(Op::MatMul, &[x, w], &[1, 1]);
    let graph = builder.graph(z);
    let decision = Decision::Value { tolerance: Rational::new() };
    match Audit::new(&graph, model, z, decision).expect("covered").row(&row(format, left)).expect("a row") {
        Verdict::Invariant { answer: _, margin: _ } => Rational::new(),
        Verdict::Undecided(Missing::Spread { element: 0, spread }) => spread,
        other => panic!("{other:?}"),
    }
}

/// Sums of which public reports tell.
#[test]
fn reports_of_others_lie_within() {
    let model = PathModel::NEAREST;
    // 4, 5, 6, 7 and 8, by the order alone.
    let ones = ["1"; 6];
    let values = ["0", "33554432", "-33554428", "1", "1", "1"];
    assert!(spread(Format::BINARY32, model, &values, &ones) >= 4);
    // Zero without fused multiply-add, and 4.27e-17 of either sign with it.
    let s = "0.70710678118654757";
    let found = spread(Format::BINARY64, model, &[s, s], &[s, &format!("-{s}")]);
    assert!(found >= parse_number("8.5e-17").expect("a number").value(), "{}", found.to_f64());
    // Four hundred ones in bfloat16, one after the other, are 256.
    let same = PathModel { accumulator: Accumulator::Same, ..model };
    assert!(spread(Format::BFLOAT16, same, &["1"; 400], &["1"; 400]) >= 144);
    assert_eq!(spread(Format::BFLOAT16, model, &["1"; 256], &["1"; 256]), 0);
    // A date is the next day's in binary32.
    assert_eq!(value(Format::BINARY32, "20180131"), value(Format::BINARY32, "20180132"));
}

/// What a graph of these formats comes to under a path model.
fn judged(
    graph: &Graph,
    tensor: TensorId,
    model: &str,
    decision: Decision,
    values: &[&str],
) -> Result<Verdict, NotCovered> {
    let format = graph.tensors()[tensor].format();
    let audit = Audit::new(graph, PathModel::parse(model).expect(model), tensor, decision)?;
    Ok(audit.row(&row(format, values)).expect("a row"))
}

fn is_invariant(verdict: &Result<Verdict, NotCovered>) -> bool {
    matches!(verdict, Ok(Verdict::Invariant { answer: _, margin: _ }))
}

/// Two elements are made of one subnormal operand, and one of the two products may flush it alone.
#[test]
fn each_product_flushes_its_operands_by_itself() {
    let format = Format::BINARY16;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 1]);
    let w = builder.constant(&[1, 2], ["1024", "1024"].map(|text| value(format, text)));
    let b = builder.constant(&[1, 2], ["0x1p-6", "0"].map(|text| value(format, text)));
    let z = builder.node(Op::MatMul, &[x, w], &[1, 2]);
    let z = builder.node(Op::Add, &[z, b], &[1, 2]);
    let graph = builder.graph(z);
    for model in ["portable", "once"] {
        // Flushed in the first element, 2^-6; not in the second, 2^-5.
        assert!(!is_invariant(&judged(&graph, z, model, ARGMAX, &["0x1p-15"])), "{model}");
        let verdict = judged(&graph, z, model, ARGMAX, &["0x1p-10"]);
        assert!(is_invariant(&verdict), "{model}: {verdict:?}");
    }
    assert!(is_invariant(&judged(&graph, z, "nearest", ARGMAX, &["0x1p-15"])));
    for apart in ["all,subnormals=flush", "nearest,narrowing=optional"] {
        let error = judged(&graph, z, apart, ARGMAX, &["1"]).unwrap_err();
        assert!(error.to_string().contains("copies=per-reader"), "{error}");
    }
}

/// By how much two paths may differ in an element of a tensor; nothing if none may.
fn spread_of(graph: &Graph, tensor: TensorId, model: &str, values: &[&str]) -> Rational {
    match judged(graph, tensor, model, Decision::Value { tolerance: Rational::new() }, values).expect("covered") {
        Verdict::Invariant { answer: _, margin: _ } => Rational::new(),
        Verdict::Undecided(Missing::Spread { element: _, spread }) => spread,
        other => panic!("{other:?}"),
    }
}

/// What is added behind moved elements of a sum may come first: 2^24 + 1 + 1 + 1 is 2^24 then, and 2^24 + 3 rounded otherwise.
#[test]
fn a_sum_may_be_continued_behind_moved_elements() {
    let format = Format::BINARY32;
    let continued = |ops: &[(Op, &[usize])], last: &[usize]| {
        let mut builder = Builder::new(format);
        let x = builder.input(&[1, 3]);
        let w = builder.constant(&[3, 1], ["1", "1", "1"].map(|text| value(format, text)));
        let b = builder.constant(last, vec![value(format, "16777216"); last.iter().product()]);
        let mut z = builder.node(Op::MatMul, &[x, w], &[1, 1]);
        for (op, shape) in ops {
            z = builder.node(op.clone(), &[z], shape);
        }
        let z = builder.node(Op::Sub, &[b, z], last);
        (builder.graph(z), z)
    };
    let moved = || Op::Arrange(vec![Pick { read: 0, element: 0 }]);
    let twice = || Op::Arrange(vec![Pick { read: 0, element: 0 }; 2]);
    let negated = || Op::Unary(Unary::Neg);
    for (ops, last) in [
        (vec![(moved(), &[1][..])], &[1][..]),
        (vec![(moved(), &[1]), (negated(), &[1]), (moved(), &[1, 1]), (negated(), &[1, 1])], &[1, 1]),
        (vec![(twice(), &[2])], &[2]),
        // Broadcast by the addition.
        (vec![(moved(), &[1])], &[3]),
        (vec![], &[2, 2]),
    ] {
        let (graph, z) = continued(&ops, last);
        for model in ["portable", "once", "nearest", "all"] {
            let found = spread_of(&graph, z, model, &["-1", "-1", "-1"]);
            assert!(found >= 4, "{model} {ops:?}: {found}");
        }
    }
}

/// A sum that others read, people among them, may be formed again for each of them.
#[test]
fn a_sum_may_be_formed_again_for_another_reader() {
    let format = Format::BINARY32;
    let second = |is_output: bool| {
        let mut builder = Builder::new(format);
        let x = builder.input(&[1, 1]);
        let one = builder.constant(&[1, 1], [value(format, "1")]);
        let big = builder.constant(&[1, 1], [value(format, "16777216")]);
        let s = builder.node(Op::Add, &[x, one], &[1, 1]);
        let u = builder.node(Op::Add, &[s, big], &[1, 1]);
        if is_output {
            let Builder { format: _, tensors, nodes } = builder;
            (Graph::new(tensors, nodes, vec![s, u]).expect("a graph"), u)
        } else {
            let z = builder.node(Op::Mul, &[u, s], &[1, 1]);
            (builder.graph(z), u)
        }
    };
    for (graph, u) in [second(true), second(false)] {
        for (model, again) in [("portable", true), ("once", true), ("nearest", false), ("all", false)] {
            // 2 + 2^24 is exact. 1 + 2^24 is not, so that the sum may be 2^24.
            let found = spread_of(&graph, u, model, &["1"]);
            assert_eq!(found >= 4, again, "{model}: {found}");
        }
    }
}

/// Each node that reads a sum twice doubles its leaves: there is an end to that.
#[test]
fn sums_of_sums_of_sums_come_to_an_end() {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 1]);
    let mut z = x;
    for _ in 0..40 {
        z = builder.node(Op::Add, &[z, z], &[1, 1]);
    }
    let graph = builder.graph(z);
    let error = judged(&graph, z, "portable", Decision::Sign, &["1"]).unwrap_err().to_string();
    assert!(error.lines().count() > 1 && error.contains("more than 128 tensors"), "{error}");
    assert!(is_invariant(&judged(&graph, z, "nearest", Decision::Sign, &["1"])));
}

/// Both of two normalizations have to be in range where one sum is made of them.
#[test]
fn two_normalizations_may_be_one_sum() {
    let format = Format::BINARY32;
    let both = |first: &str, second: &str| {
        let mut builder = Builder::new(format);
        let x = builder.input(&[1, 1]);
        let epsilon = Format::BINARY32.zero();
        let made = [first, second].map(|mean| {
            let constants = ["0x1p-20", "1", mean, "1"].map(|text| builder.constant(&[1], [value(format, text)]));
            let reads: Vec<TensorId> = [x].into_iter().chain(constants).collect();
            builder.node(Op::BatchNormalization { epsilon }, &reads, &[1, 1])
        });
        let z = builder.node(Op::Add, &made, &[1, 1]);
        (builder.graph(z), z)
    };
    for (first, second, lost) in [("0", "1", false), ("-0x1.8p127", "1", true), ("1", "-0x1.8p127", true)] {
        let (graph, z) = both(first, second);
        let verdict = judged(&graph, z, "nearest", Decision::Sign, &[if lost { "0x1.8p127" } else { "2" }]);
        let overflow = matches!(verdict, Ok(Verdict::Undecided(Missing::Overflow { place: _ })));
        assert_eq!((overflow, is_invariant(&verdict)), (lost, !lost), "{verdict:?}");
    }
}

/// The products of a mean with the reciprocal may fall below the grid, and be flushed, though it is a power of two.
#[test]
fn a_mean_of_four_small_values_may_be_zero() {
    let mut builder = Builder::new(Format::BINARY32);
    let x = builder.input(&[1, 4]);
    let z = builder.node(Op::Reduce { reduction: Reduction::Mean, axes: vec![1] }, &[x], &[1, 1]);
    let graph = builder.graph(z);
    for (model, small) in [("nearest", "0x1p-149"), ("all", "0x1p-149"), ("portable", "0x1p-125"), ("once", "0x1p-125")]
    {
        assert!(!is_invariant(&judged(&graph, z, model, Decision::Sign, &[small; 4])), "{model}");
        assert!(is_invariant(&judged(&graph, z, model, Decision::Sign, &["0x1p-100"; 4])), "{model}");
    }
}

/// Slopes and limits are operands, and flushed as others are.
#[test]
fn slopes_and_limits_are_flushed() {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 1]);
    let slope = builder.constant(&[1, 1], [value(format, "0x1p-140")]);
    let b = builder.constant(&[1, 1], [value(format, "0x1p-21")]);
    let z = builder.node(Op::PRelu, &[x, slope], &[1, 1]);
    let z = builder.node(Op::Add, &[z, b], &[1, 1]);
    let graph = builder.graph(z);
    assert!(!is_invariant(&judged(&graph, z, "portable", Decision::Sign, &["-0x1p120"])));
    assert!(is_invariant(&judged(&graph, z, "nearest", Decision::Sign, &["-0x1.000002p120"])));
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 1]);
    let low = Some(value(format, "0x1p-140"));
    let z = builder.node(Op::Unary(Unary::Clip { low, high: None }), &[x], &[1, 1]);
    let graph = builder.graph(z);
    let error = judged(&graph, z, "portable", Decision::Sign, &["1"]).unwrap_err();
    assert!(error.to_string().contains("a limit that may be flushed"), "{error}");
    assert!(is_invariant(&judged(&graph, z, "nearest", Decision::Sign, &["1"])));
}

/// The ways of a batch normalization: what is subtracted first has to be in range, what is folded has to be normal.
#[test]
fn normalizations_that_runtimes_form_otherwise_are_not_taken_as_written() {
    let format = Format::BINARY32;
    let normalized = |weight: Option<&str>, [scale, bias, mean, variance]: [&str; 4]| {
        let mut builder = Builder::new(format);
        let x = builder.input(&[1, 1]);
        let mut z = x;
        if let Some(weight) = weight {
            let w = builder.constant(&[1, 1], [value(format, weight)]);
            z = builder.node(Op::MatMul, &[x, w], &[1, 1]);
        }
        let constants = [scale, bias, mean, variance].map(|text| builder.constant(&[1], [value(format, text)]));
        let epsilon = Format::BINARY32.zero();
        let reads: Vec<TensorId> = [z].into_iter().chain(constants).collect();
        let z = builder.node(Op::BatchNormalization { epsilon }, &reads, &[1, 1]);
        (builder.graph(z), z)
    };
    // The difference is beyond the largest value.
    let (graph, z) = normalized(None, ["0x1p-20", "0", "-0x1.8p127", "1"]);
    let verdict = judged(&graph, z, "nearest", Decision::Sign, &["0x1.8p127"]);
    assert!(matches!(verdict, Ok(Verdict::Undecided(Missing::Overflow { place: _ }))), "{verdict:?}");
    // The quotient by the root falls below the grid, or is flushed, before the scale makes it large.
    let (graph, z) = normalized(None, ["0x1p120", "0", "0", "0x1p100"]);
    assert!(!is_invariant(&judged(&graph, z, "portable", Decision::Sign, &["0x1p-77"])));
    assert!(!is_invariant(&judged(&graph, z, "nearest", Decision::Sign, &["0x3p-149"])));
    assert!(is_invariant(&judged(&graph, z, "nearest", Decision::Sign, &["1"])));
    // A folded weight is subnormal, or infinite.
    for (weight, scale) in [("0x1p-100", "0x1p-40"), ("0x1p60", "0x1p90")] {
        let (graph, z) = normalized(Some(weight), [scale, "0", "0", "1"]);
        let error = judged(&graph, z, "nearest", Decision::Sign, &["1"]).unwrap_err();
        assert!(error.to_string().contains("folded weight"), "{error}");
        assert!(judged(&graph, z, "nearest,folding=none", Decision::Sign, &["0x1p-100"]).is_ok());
    }
    let (graph, z) = normalized(None, ["0x1p-140", "0", "0", "0x1p-100"]);
    let error = judged(&graph, z, "portable", Decision::Sign, &["1"]).unwrap_err();
    assert!(error.to_string().contains("a scale that is subnormal"), "{error}");
}

#[test]
fn decisions_are_judged() {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 3]);
    let one = ["1", "0", "0", "0", "1", "0", "0", "0", "1"].map(|text| value(format, text));
    let w = builder.constant(&[3, 3], one);
    let z = builder.node(Op::MatMul, &[x, w], &[1, 3]);
    let graph = builder.graph(z);
    let judge = |decision: &Decision, values: &[&str]| {
        let audit = Audit::new(&graph, PathModel::PORTABLE, z, decision.clone()).expect("covered");
        match audit.row(&row(format, values)).expect("a row") {
            Verdict::Invariant { answer, margin: _ } => Ok(answer),
            Verdict::Undecided(missing) => Err(missing),
        }
    };
    let first = Decision::Argmax { ties: Ties::First };
    assert_eq!(judge(&ARGMAX, &["1", "3", "2"]), Ok(vec![1]));
    assert!(matches!(judge(&ARGMAX, &["3", "3", "2"]), Err(Missing::Margin(_))));
    assert_eq!(judge(&first, &["2", "3", "3"]), Ok(vec![1]));
    assert_eq!(judge(&Decision::Top { count: 2, ordered: true }, &["1", "3", "2"]), Ok(vec![1, 2]));
    assert!(judge(&Decision::Top { count: 2, ordered: false }, &["3", "3", "2"]).is_ok());
    assert!(judge(&Decision::Top { count: 2, ordered: true }, &["3", "3", "2"]).is_err());
    assert_eq!(judge(&Decision::Top { count: 4, ordered: true }, &["3", "3", "2"]), Err(Missing::Decision));
    assert_eq!(judge(&Decision::Sign, &["-1", "3", "2"]), Ok(vec![1, 2]));
    assert!(judge(&Decision::Sign, &["-1", "0", "2"]).is_err());
    let limit = |text| Decision::Threshold { limit: parse_number(text).expect("a number").value() };
    assert_eq!(judge(&limit("2.5"), &["-1", "3", "2"]), Ok(vec![1]));
    assert!(judge(&limit("2"), &["-1", "3", "2"]).is_err());
    assert_eq!(judge(&Decision::Bits, &["-1", "3", "2"]), Ok(vec![]));
}

#[test]
fn what_is_not_a_row_is_refused() {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Unary(Unary::Relu), &[x], &[1, 2]);
    let graph = builder.graph(z);
    let audit = Audit::new(&graph, PathModel::ALL, z, ARGMAX).expect("covered");
    let message = |inputs: &[Encodings]| audit.row(inputs).unwrap_err().to_string();
    assert_eq!(message(&[]), "the model has 1 inputs, not 0");
    assert!(message(&row(format, &["1"])).contains("has 2 elements, not 1"));
    let infinite = Encodings::collect(format, [format.zero(), format.infinity(false).expect("infinities")]);
    assert!(message(&[infinite]).contains("element 1: not a finite value of binary32"));
}

#[test]
fn what_no_rule_is_about_is_refused_by_name() {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Softmax { axis: 1 }, &[x], &[1, 2]);
    let graph = builder.graph(z);
    let error = Audit::new(&graph, PathModel::ALL, z, ARGMAX).unwrap_err();
    assert!(error.to_string().starts_with("node 0 (\"n0\", Softmax): "), "{error}");
    let operands = PathModel::parse("portable,operands=tf32").expect("a model");
    let error = Audit::new(&graph, operands, x, ARGMAX).unwrap_err();
    assert!(error.to_string().contains("the path model"), "{error}");
    // All of them, in the order of the graph.
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Softmax { axis: 1 }, &[x], &[1, 2]);
    let z = builder.node(Op::Unary(Unary::Relu), &[z], &[1, 2]);
    let z = builder.node(Op::LogSoftmax { axis: 1 }, &[z], &[1, 2]);
    let graph = builder.graph(z);
    let operands = PathModel::parse("nearest,operands=tf32,narrowing=optional").expect("a model");
    let error = Audit::new(&graph, operands, z, ARGMAX).unwrap_err();
    let places: Vec<&str> = error.refusals.iter().map(|refusal| &refusal.place[..]).collect();
    assert_eq!(places, ["the path model", "the path model", "node 0 (\"n0\", Softmax)", "node 2 (\"n2\", LogSoftmax)"]);
    assert_eq!(error.to_string().lines().count(), 4);
    let mut builder = Builder::new(Format::unbounded(24).expect("a format"));
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Unary(Unary::Relu), &[x], &[1, 2]);
    let graph = builder.graph(z);
    let error = Audit::new(&graph, PathModel::ALL, z, ARGMAX).unwrap_err();
    assert!(error.to_string().contains("does not have every value of F(24)"), "{error}");
    let same = PathModel::parse("all,accumulator=same").expect("a model");
    let error = Audit::new(&graph, same, z, ARGMAX).unwrap_err();
    assert!(error.to_string().contains("bounded formats"), "{error}");
    // Nothing is claimed of an accumulator that sums of this type cannot have.
    let mut builder = Builder::new(Format::BFLOAT16);
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Unary(Unary::Relu), &[x], &[1, 2]);
    let graph = builder.graph(z);
    let narrow = PathModel::parse("all,accumulator=binary16").expect("a model");
    let error = Audit::new(&graph, narrow, z, ARGMAX).unwrap_err();
    assert!(error.to_string().contains("does not have every value of bfloat16"), "{error}");
    assert!(Audit::new(&graph, PathModel::ALL, z, ARGMAX).is_ok());
}

#[test]
fn an_overflow_on_some_path_is_told() {
    let format = Format::BINARY16;
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 2]);
    let w = builder.constant(&[2, 1], [value(format, "2"), value(format, "-2")]);
    let z = builder.node(Op::MatMul, &[x, w], &[1, 1]);
    let graph = builder.graph(z);
    let same = PathModel { accumulator: Accumulator::Same, ..PathModel::ALL };
    let audit = Audit::new(&graph, same, z, Decision::Sign).expect("covered");
    let verdict = audit.row(&row(format, &["65000", "64000"])).expect("a row");
    let Verdict::Undecided(Missing::Overflow { place }) = verdict else { panic!("{verdict:?}") };
    assert_eq!(place, "node 0 (\"n0\", MatMul)");
    // Sums in binary32 do not overflow, and their difference does not when it is narrowed.
    let audit = Audit::new(&graph, PathModel::ALL, z, Decision::Sign).expect("covered");
    assert!(matches!(audit.row(&row(format, &["65000", "64000"])), Ok(Verdict::Invariant { answer: _, margin: _ })));
    assert_eq!(PathModel::ONCE.copies, Copies::PerReader);
}
