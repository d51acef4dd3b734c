use std::collections::BTreeSet;

use roundproof_exact::{Overflow, RoundingMode, parse_number, round};
use roundproof_format::{Encoding, Format, Subnormals};
use roundproof_graph::{Node, Op, Pick, Reduction, Source, Tensor, Unary};
use roundproof_network::Datatype;

use super::*;
use crate::decision::Ties;
use crate::model::{Accumulator, Copies, Narrowing, Operands};
use crate::tests::{Leaf, Paths, Random, Small, finite, number};

mod random_paths;

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

    /// With another last bias, so that both outputs are about the same.
    fn close(mut self, values: &[Encoding]) -> Net {
        let mut x: Vec<i64> = self.input.iter().map(|&x| number(self.format, x)).collect();
        for (index, (weights, bias)) in self.layers.iter().enumerate() {
            let sum = |(output, &bias): (usize, &Encoding)| {
                let products =
                    x.iter().zip(weights).map(|(&x, w)| Leaf::Product(number(self.format, w[output]), x).product());
                products.sum::<i64>() + number(self.format, bias)
            };
            let sums: Vec<i64> = bias.iter().enumerate().map(sum).collect();
            x = sums.into_iter().map(|sum| if index + 1 < self.layers.len() { sum.max(0) } else { sum }).collect();
        }
        let (format, apart) = (self.format, x[0] - x[1]);
        let (_, bias) = self.layers.last_mut().expect("two layers");
        let wanted = number(format, bias[1]) + apart;
        bias[1] = *values.iter().min_by_key(|&&value| (number(format, value) - wanted).abs()).expect("values");
        self
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
/// Every so many nets are close.
fn compare(model: &PathModel, nets: usize, seed: u64, close: usize) -> (usize, usize, usize) {
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
    for number in 0..nets {
        let net = Net::draw(&mut random, format, &values);
        let net = if number % close == close - 1 { net.close(&values) } else { net };
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
        let (compared, invariant, certified) = compare(&model, nets, 11, 3);
        println!("{name}: {compared} nets, {invariant} invariant, {certified} of them certified");
        assert!(5 * certified >= 4 * invariant, "{name}");
    }
}

/// The same of many nets, half of which are close; so that each verdict is true of a fifth at least.
#[test]
#[ignore = "a hundred thousand nets with all of their paths: most of an hour"]
fn no_path_of_many_small_nets_contradicts_a_verdict() {
    for (index, (name, model)) in narrowings().into_iter().enumerate() {
        let nets = 100_000 / narrowings().len() + 1;
        let (compared, invariant, certified) = compare(&model, nets, 1000 + index as u64, 2);
        println!("{name}: {compared} nets, {invariant} invariant, {certified} of them certified");
        assert!(5 * certified >= 4 * invariant, "{name}");
        assert!(5 * invariant >= compared && 5 * (compared - invariant) >= compared, "{name}: {compared} {invariant}");
    }
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
    let operands =
        PathModel { operands: Operands::Rounded(Format::unbounded(11).expect("a format")), ..PathModel::ALL };
    let error = Audit::new(&graph, operands, x, ARGMAX).unwrap_err();
    assert!(error.to_string().contains("the path model"), "{error}");
    // All of them, in the order of the graph.
    let mut builder = Builder::new(format);
    let x = builder.input(&[1, 2]);
    let z = builder.node(Op::Softmax { axis: 1 }, &[x], &[1, 2]);
    let z = builder.node(Op::Unary(Unary::Relu), &[z], &[1, 2]);
    let z = builder.node(Op::LogSoftmax { axis: 1 }, &[z], &[1, 2]);
    let graph = builder.graph(z);
    let operands = PathModel { narrowing: Narrowing::Optional, ..operands };
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

/// A maximum whose interval was tightened: `-max(q, p)` is 0 on the path that rounds `4 + 3 2^-23` down, and `-2^-22` where it is rounded up.
#[test]
fn a_tightened_maximum_is_bounded_about_its_own_middle() {
    let format = Format::BINARY32;
    let mut graph = Builder::new(format);
    let inputs = [(); 4].map(|()| graph.input(&[1]));
    let constant = |graph: &mut Builder, text: &str| graph.constant(&[1], [value(format, text)]);
    let [four, step] = ["4", "0x1p-22"].map(|text| constant(&mut graph, text));
    let [a, b, c, d] = inputs;
    let s = graph.node(Op::Add, &[a, b], &[1]);
    let p = graph.node(Op::Sub, &[s, s], &[1]);
    let v = graph.node(Op::Add, &[c, d], &[1]);
    let v = graph.node(Op::Unary(Unary::Relu), &[v], &[1]);
    let q = graph.node(Op::Sub, &[v, four], &[1]);
    let q = graph.node(Op::Unary(Unary::Relu), &[q], &[1]);
    let q = graph.node(Op::Sub, &[q, step], &[1]);
    let largest = graph.node(Op::Max, &[q, p], &[1]);
    let out = graph.node(Op::Unary(Unary::Neg), &[largest], &[1]);
    let graph = graph.graph(out);
    let limit = power_of_two(-25) - power_of_two(-22);
    let audit = Audit::new(&graph, PathModel::ALL, out, Decision::Threshold { limit }).expect("covered");
    let inputs = ["1", "0x3p-25", "4", "0x3p-23"].map(|text| Encodings::collect(format, [value(format, text)]));
    let verdict = audit.row(&inputs).expect("a row");
    assert!(matches!(verdict, Verdict::Undecided(_)), "{verdict:?}");
}

/// A subnormal value that stands in two places may be flushed in one of them, and is then the smaller one.
#[test]
fn what_stands_in_several_places_is_flushed_in_some() {
    let format = Format::BINARY32;
    let first = Pick { read: 0, element: 0 };
    type Build<'a> = &'a dyn Fn(&mut Builder, TensorId) -> TensorId;
    let judge = |build: Build, input: &str| {
        let mut graph = Builder::new(format);
        let x = graph.input(&[1]);
        let out = build(&mut graph, x);
        let graph = graph.graph(out);
        let decision = Decision::Argmax { ties: Ties::First };
        let audit = Audit::new(&graph, PathModel::PORTABLE, out, decision).expect("covered");
        matches!(audit.row(&row(format, &[input])), Ok(Verdict::Invariant { answer: _, margin: _ }))
    };
    let twice = |graph: &mut Builder, x| graph.node(Op::Arrange(vec![first, first]), &[x], &[2]);
    let bent = |graph: &mut Builder, x| {
        let both = twice(graph, x);
        graph.node(Op::Unary(Unary::Relu), &[both], &[2])
    };
    let largest = |graph: &mut Builder, x| {
        let zeros = graph.constant(&[2], [value(format, "0"), value(format, "0")]);
        graph.node(Op::Max, &[x, zeros], &[2])
    };
    let chosen = |graph: &mut Builder, x| {
        let one = graph.constant(&[1], [value(format, "1")]);
        let zeros = graph.constant(&[2], [value(format, "0"), value(format, "0")]);
        graph.node(Op::Where, &[one, x, zeros], &[2])
    };
    let builds: [Build; 4] = [&twice, &bent, &largest, &chosen];
    for (number, build) in builds.into_iter().enumerate() {
        assert!(!judge(build, "0x3p-140"), "{number}");
        // What is normal is not flushed, so that both are the same.
        assert!(judge(build, "0x3p-100"), "{number}");
    }
}

/// What would be rounded up to the least normal value may be flushed by machines that ask before they round.
#[test]
fn what_is_rounded_to_a_normal_value_may_be_flushed() {
    let format = Format::BINARY32;
    let mut graph = Builder::new(format);
    let x = graph.input(&[1]);
    let weight = graph.constant(&[1], [value(format, "0x8006a4p-149")]);
    let out = graph.node(Op::Mul, &[x, weight], &[1]);
    let graph = graph.graph(out);
    let decision = Decision::Threshold { limit: power_of_two(-127) };
    let audit = Audit::new(&graph, PathModel::PORTABLE, out, decision).expect("covered");
    let verdict = audit.row(&row(format, &["0xfff2b8p-24"])).expect("a row");
    assert!(matches!(verdict, Verdict::Undecided(_)), "{verdict:?}");
}
