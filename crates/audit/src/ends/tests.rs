//! Random paths of every operation, formed in a small format by a table that is used up to its ends, within what is enclosed.

use roundproof_exact::{Overflow, Rational, RoundingMode, faithful, parse_number, power_of_two, real, round};
use roundproof_functions::Function as Real;
use roundproof_graph::{Function, Node, Op, Pick, Source, Tensor};
use roundproof_network::Datatype;

use super::*;
use crate::audit::{Audit, Missing, Verdict};
use crate::decision::{Decision, Ties};
use crate::functions::{Functions, Table};
use crate::model::Accumulator;
use crate::tests::Random;

/// A graph of one input, put together node by node.
struct Builder {
    format: Format,
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
}

impl Builder {
    fn new(format: Format, inputs: &[usize]) -> Builder {
        let mut builder = Builder { format, tensors: Vec::new(), nodes: Vec::new() };
        builder.tensor(inputs, Source::Input);
        builder
    }

    fn tensor(&mut self, shape: &[usize], source: Source) -> TensorId {
        let name = format!("t{}", self.tensors.len());
        self.tensors.push(Tensor { name, shape: shape.to_vec(), datatype: Datatype::Float(self.format), source });
        self.tensors.len() - 1
    }

    fn constant(&mut self, shape: &[usize], texts: &[String]) -> TensorId {
        let values = Encodings::collect(self.format, texts.iter().map(|text| value(self.format, text)));
        self.tensor(shape, Source::Constant(values))
    }

    fn node(&mut self, op: Op, reads: &[TensorId], shape: &[usize]) -> TensorId {
        let writes = self.tensor(shape, Source::Node(self.nodes.len()));
        let name = format!("n{}", self.nodes.len());
        self.nodes.push(Node { name, op, reads: reads.to_vec(), writes });
        writes
    }

    fn graph(self, output: TensorId) -> Graph {
        Graph::new(self.tensors, self.nodes, vec![output]).expect("a graph")
    }
}

fn value(format: Format, text: &str) -> Encoding {
    let number = parse_number(text).expect(text).value();
    round(&number, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding
}

fn row(format: Format, values: &[&str]) -> Vec<Encodings> {
    vec![Encodings::collect(format, values.iter().map(|text| value(format, text)))]
}

/// The table of these tests: errors that are large beside a rounding.
fn table(format: Format) -> Table {
    let mut table = Table::new(format).expect("a format with a name");
    for function in Function::ALL {
        let bound = Bound::parse(function, "0x1p-5", "0x1p-9", None, None).expect("a bound");
        table.set(function, bound).expect("none yet");
    }
    table
}

/// What is formed on one path.
struct Path<'a> {
    graph: &'a Graph,
    random: Random,
    flushed: bool,
}

impl Path<'_> {
    fn format(&self) -> Format {
        self.graph.tensors()[0].format()
    }

    fn is_subnormal(&self, x: &Rational) -> bool {
        let least = power_of_two(self.format().emin().expect("bounded").into());
        *x != 0 && Rational::from(x.abs_ref()) < least
    }

    /// An operand.
    fn read(&mut self, x: &Rational) -> Rational {
        if self.flushed && self.is_subnormal(x) && self.random.below(2) == 0 { Rational::new() } else { x.clone() }
    }

    fn rounded(&mut self, x: &Rational) -> Rational {
        let both = faithful(x, self.format(), Overflow::Saturate);
        let chosen = if self.random.below(2) == 0 { both.below } else { both.above };
        let rounded = real(self.format(), chosen).expect("finite");
        self.read(&rounded)
    }

    fn sum(&mut self, mut leaves: Vec<Rational>) -> Rational {
        while leaves.len() > 1 {
            let a = leaves.swap_remove(self.random.below(leaves.len()));
            let b = leaves.swap_remove(self.random.below(leaves.len()));
            let (a, b) = (self.read(&a), self.read(&b));
            leaves.push(self.rounded(&(a + b)));
        }
        leaves.pop().unwrap_or_default()
    }

    fn quotient(&mut self, x: &Rational, by: &Rational) -> Rational {
        let x = self.read(x);
        if self.random.below(2) == 0 {
            return self.rounded(&Rational::from(&x / by));
        }
        let reciprocal = self.rounded(&Rational::from(by.recip_ref()));
        let reciprocal = self.read(&reciprocal);
        self.rounded(&(x * reciprocal))
    }

    fn root(&mut self, x: &Rational) -> Rational {
        let (low, high) =
            Real::parse("sqrt(x)").expect("it is one").enclose(&[(x.clone(), x.clone())], 80).expect("a root");
        let middle = if low == high { low } else { (low + high) / 2 };
        self.rounded(&middle)
    }

    /// A value at an end of what the table allows, or in between.
    fn function(&mut self, function: Function, x: &Rational) -> Rational {
        let x = self.read(x);
        let text = match function {
            Function::Exp => "exp(x)",
            Function::Log => "log(x)",
            Function::Sigmoid => "sigmoid(x)",
            Function::Tanh => "tanh(x)",
            Function::Erf => "erf(x)",
            Function::Softplus => "softplus(x)",
        };
        let (low, high) = Real::parse(text).expect(text).enclose(&[(x.clone(), x)], 80).expect(text);
        let least = Rational::from(low.abs_ref()).min(Rational::from(high.abs_ref()));
        let error = least * power_of_two(-5) + power_of_two(-9);
        let (target, up) = match self.random.below(3) {
            0 => (high - error, true),
            1 => (low + error, false),
            _ => (low, self.random.below(2) == 0),
        };
        // From an end of what is allowed rounded toward the function.
        let both = faithful(&target, self.format(), Overflow::Saturate);
        let found = real(self.format(), if up { both.above } else { both.below }).expect("finite");
        self.read(&found)
    }

    fn softmax(&mut self, lane: &[Rational], logarithm: bool) -> Vec<Rational> {
        let read: Vec<Rational> = lane.iter().map(|z| self.read(z)).collect();
        let most = read.iter().max().expect("a lane").clone();
        let mut exponentials = Vec::new();
        for z in lane {
            let (z, m) = (self.read(z), self.read(&most));
            let t = self.rounded(&(z - m));
            exponentials.push(self.function(Function::Exp, &t));
        }
        let sum = self.sum(exponentials.clone());
        if !logarithm {
            return exponentials.iter().map(|e| self.quotient(e, &sum)).collect();
        }
        let log = self.function(Function::Log, &sum);
        lane.iter().map(|z| self.sum(vec![z.clone(), -most.clone(), -log.clone()])).collect()
    }

    fn normalized(&mut self, norm: Norm, lane: &[Rational]) -> Vec<Rational> {
        let read: Vec<Rational> = lane.iter().map(|x| self.read(x)).collect();
        match norm {
            Norm::Max => {
                let most = read.iter().max().expect("a lane").clone();
                lane.iter().map(|x| self.quotient(x, &most)).collect()
            }
            Norm::L1 => {
                let sum = self.sum(read.into_iter().map(Rational::abs).collect());
                lane.iter().map(|x| self.quotient(x, &sum)).collect()
            }
            Norm::L2 => {
                let squares: Vec<Rational> = read.iter().map(|x| self.rounded(&Rational::from(x * x))).collect();
                let sum = self.sum(squares.clone());
                if self.random.below(2) == 0 {
                    let root = self.root(&sum);
                    return lane.iter().map(|x| self.quotient(x, &root)).collect();
                }
                let each = |(square, x): (&Rational, &Rational)| {
                    let ratio = self.rounded(&Rational::from(square / &sum));
                    let root = self.root(&ratio);
                    if *x < 0 { -root } else { root }
                };
                squares.iter().zip(lane).map(each).collect()
            }
        }
    }

    fn evaluate(&mut self, input: &[Rational]) -> Vec<Vec<Rational>> {
        let mut values: Vec<Vec<Rational>> = vec![input.to_vec()];
        let graph = self.graph;
        for tensor in &graph.tensors()[1..] {
            let constant = |all: &Encodings| all.iter().map(|x| real(tensor.format(), x).expect("finite")).collect();
            values.push(tensor.constant().map_or_else(Vec::new, constant));
        }
        for node in graph.nodes() {
            let reads: Vec<Vec<Rational>> = node.reads.iter().map(|&id| values[id].clone()).collect();
            let attribute = |encoding| real(Format::BINARY32, encoding).expect("finite");
            let made: Vec<Rational> = match &node.op {
                Op::MatMul => {
                    let (inner, columns) = (reads[0].len(), reads[1].len() / reads[0].len());
                    let product = |column: usize| {
                        let leaf =
                            |k: usize| self.rounded(&Rational::from(&reads[0][k] * &reads[1][k * columns + column]));
                        let leaves = (0..inner).map(leaf).collect();
                        self.sum(leaves)
                    };
                    (0..columns).map(product).collect()
                }
                Op::Unary(Unary::Function(function)) => reads[0].iter().map(|x| self.function(*function, x)).collect(),
                Op::Unary(Unary::Sqrt) => {
                    let root = |x: &Rational| {
                        let x = self.read(x);
                        self.root(&x)
                    };
                    reads[0].iter().map(root).collect()
                }
                Op::Unary(Unary::Reciprocal) => {
                    reads[0].iter().map(|x| self.rounded(&Rational::from(x.recip_ref()))).collect()
                }
                Op::Unary(Unary::Abs) => reads[0].iter().map(|x| Rational::from(x.abs_ref())).collect(),
                Op::Unary(Unary::HardSigmoid { slope, offset }) => {
                    let (slope, offset) = (attribute(*slope), attribute(*offset));
                    let each = |x: &Rational| {
                        let x = self.read(x);
                        let product = self.rounded(&(x * &slope));
                        let sum = self.rounded(&(product + &offset));
                        sum.max(Rational::new()).min(Rational::from(1))
                    };
                    reads[0].iter().map(each).collect()
                }
                Op::Compare(comparison) => {
                    let each = |(a, b): (&Rational, &Rational)| {
                        let (a, b) = (self.read(a), self.read(b));
                        Rational::from(i32::from(match comparison {
                            Comparison::Greater => a > b,
                            Comparison::GreaterOrEqual => a >= b,
                            Comparison::Less => a < b,
                            Comparison::LessOrEqual => a <= b,
                            Comparison::Equal => a == b,
                        }))
                    };
                    reads[0].iter().zip(&reads[1]).map(each).collect()
                }
                Op::Where => {
                    let each = |k: usize| if reads[0][k] != 0 { reads[1][k].clone() } else { reads[2][k].clone() };
                    (0..reads[0].len()).map(each).collect()
                }
                Op::Normalize(norm) => self.normalized(*norm, &reads[0]),
                Op::Softmax { axis: _ } => self.softmax(&reads[0], false),
                Op::LogSoftmax { axis: _ } => self.softmax(&reads[0], true),
                Op::Arrange(picks) => {
                    picks.iter().map(|pick| reads[pick.read as usize][pick.element as usize].clone()).collect()
                }
                other => panic!("{other:?} is not evaluated"),
            };
            values[node.writes] = made;
        }
        values
    }
}

const WIDTH: usize = 5;
const SHAPE: [usize; 2] = [1, WIDTH];

/// A product with a matrix; an operation; another product.
fn graph(format: Format, random: &mut Random, op: &Op) -> Graph {
    let mut builder = Builder::new(format, &SHAPE);
    let mut weights = |builder: &mut Builder, scale: f64| {
        let texts: Vec<String> =
            (0..WIDTH * WIDTH).map(|_| format!("{}", (random.below(65) as f64 / 32.0 - 1.0) * scale)).collect();
        let w = builder.constant(&[WIDTH, WIDTH], &texts);
        (w, texts)
    };
    let (w, _) = weights(&mut builder, 1.0);
    let z = builder.node(Op::MatMul, &[0, w], &SHAPE);
    let (w, _) = weights(&mut builder, 0.5);
    let made = match op {
        Op::Unary(Unary::Sqrt | Unary::Reciprocal | Unary::Function(Function::Log)) => {
            let z = builder.node(Op::Unary(Unary::Abs), &[z], &SHAPE);
            builder.node(op.clone(), &[z], &SHAPE)
        }
        Op::Where => {
            let other = builder.node(Op::MatMul, &[0, w], &SHAPE);
            let condition = builder.node(Op::Compare(Comparison::Greater), &[z, other], &SHAPE);
            builder.node(Op::Where, &[condition, z, other], &SHAPE)
        }
        Op::Compare(_) => {
            let other = builder.node(Op::MatMul, &[0, w], &SHAPE);
            builder.node(op.clone(), &[z, other], &SHAPE)
        }
        other => builder.node(other.clone(), &[z], &SHAPE),
    };
    let (w, _) = weights(&mut builder, 1.0);
    let y = builder.node(Op::MatMul, &[made, w], &SHAPE);
    builder.graph(y)
}

fn operations() -> Vec<Op> {
    let constant = |text: &str| value(Format::BINARY32, text);
    let mut all: Vec<Op> = Function::ALL.into_iter().map(|function| Op::Unary(Unary::Function(function))).collect();
    all.extend([
        Op::Unary(Unary::Sqrt),
        Op::Unary(Unary::Reciprocal),
        Op::Unary(Unary::HardSigmoid { slope: constant("0.2"), offset: constant("0.5") }),
        Op::Compare(Comparison::LessOrEqual),
        Op::Where,
        Op::Normalize(Norm::Max),
        Op::Normalize(Norm::L1),
        Op::Normalize(Norm::L2),
        Op::Softmax { axis: 1 },
        Op::LogSoftmax { axis: 1 },
    ]);
    all
}

/// Values of random paths lie within the intervals of every tensor, and no form of them is below its bound.
#[test]
fn random_paths_of_functions_stay_within() {
    let format = Format::BFLOAT16;
    let mut random = Random(17);
    let (mut compared, mut given_up, mut nearest) = (0, 0, Rational::new());
    for op in operations() {
        let (mut judged, mut sharpest) = (0, Rational::new());
        for sample in 0..12 {
            let model = PathModel {
                accumulator: Accumulator::Same,
                functions: Functions::Given(table(format)),
                ..if sample % 3 == 0 {
                    PathModel::ALL
                } else {
                    PathModel { rounding: PathModel::ALL.rounding, ..PathModel::ONCE }
                }
            };
            let graph = graph(format, &mut random, &op);
            let output = graph.outputs()[0];
            let audit = Audit::new(&graph, model, output, Decision::Argmax { ties: Ties::Any }).expect("covered");
            // Some far below the least normal value.
            let scale = if sample % 4 == 3 { power_of_two(-128) } else { power_of_two(-3) };
            let input: Vec<Rational> =
                (0..WIDTH).map(|_| Rational::from(random.below(65) as i32 - 32) * &scale).collect();
            let encode = |x: &Rational| round(x, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
            let values = vec![Encodings::collect(format, input.iter().map(encode))];
            let input: Vec<Rational> = input.iter().map(|x| real(format, encode(x)).expect("finite")).collect();
            let Ok(states) = audit.enclose(&values, sample % 2 == 1).expect("a row") else {
                given_up += 1;
                continue;
            };
            judged += 1;
            for seed in 0..12 {
                let flushed = sample % 3 != 0;
                let found = Path { graph: &graph, random: Random(seed * 91 + sample), flushed }.evaluate(&input);
                for (id, state) in states.iter().enumerate().filter_map(|(id, state)| Some((id, state.as_ref()?))) {
                    for (element, value) in found[id].iter().enumerate() {
                        let Span { low, high } = Span::of(&state.fixed, element);
                        let ends = [low.to_f64(), high.to_f64()];
                        assert!(
                            low <= *value && *value <= high,
                            "{op:?} {sample} {id} {element}: {} {ends:?}",
                            value.to_f64()
                        );
                        compared += 1;
                    }
                }
                for form in [vec![(0, 1), (1, -1)], vec![(2, 1)], vec![(0, -3), (1, 2), (4, 1)]] {
                    let bound = crate::backward::lower(&audit.context(), &states, output, &form).expect("counted");
                    let least = Rational::from(bound.value) * power_of_two(bound.unit.into());
                    let value: Rational = form.iter().map(|&(k, m)| found[output][k].clone() * m).sum();
                    assert!(least <= value, "{op:?} {sample}: {form:?} {} {}", least.to_f64(), value.to_f64());
                    let state = states[output].as_ref().expect("made");
                    let center: i64 = form.iter().map(|&(k, m)| state.centered.center[k] * m).sum();
                    let center = Rational::from(center) * power_of_two(state.centered.unit.into());
                    let taken = Rational::from(&center - &least);
                    if taken > 0 {
                        sharpest = sharpest.max((center - value) / taken);
                    }
                }
            }
        }
        println!("{op:?}: {judged} rows, the largest share of a bound that a path takes: {:.3}", sharpest.to_f64());
        assert!(judged > 3, "{op:?}");
        nearest = nearest.max(sharpest);
    }
    assert!(compared > 20_000 && given_up < 80 && nearest > Rational::from((1, 4)), "{compared} {given_up}");
}

/// What an output of Softmax says of two scores, over random paths: whichever is said to be the larger one always is.
#[test]
fn the_larger_output_of_softmax_is_the_larger_one_on_every_path() {
    let format = Format::BFLOAT16;
    let mut random = Random(23);
    let (mut said, mut beyond_intervals, mut undecided_that_flip, mut flips) = (0, 0, 0, 0);
    for sample in 0..400 {
        let logarithm = sample % 4 == 3;
        let normalized = match sample % 4 {
            1 => Some(Norm::L1),
            2 => Some(Norm::Max),
            _ => None,
        };
        let mut builder = Builder::new(format, &SHAPE);
        let op = if logarithm { Op::LogSoftmax { axis: 1 } } else { Op::Softmax { axis: 1 } };
        let mut y = builder.node(op, &[0], &SHAPE);
        if let Some(norm) = normalized {
            y = builder.node(Op::Normalize(norm), &[y], &SHAPE);
        }
        let picks = (0..WIDTH as u32).rev().map(|element| Pick { read: 0, element }).collect();
        let y = builder.node(Op::Arrange(picks), &[y], &SHAPE);
        let graph = builder.graph(y);
        let model = PathModel {
            accumulator: Accumulator::Same,
            functions: Functions::Given(table(format)),
            rounding: PathModel::ALL.rounding,
            ..PathModel::ONCE
        };
        // The two greatest are close to one another.
        let apart = Rational::from((random.below(60) as i32, 128));
        let mut input: Vec<Rational> =
            (0..WIDTH).map(|_| Rational::from((random.below(160) as i32 - 200, 64))).collect();
        input[1] = Rational::from(1);
        input[3] = Rational::from(1) + apart;
        let encode = |x: &Rational| round(x, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
        let values = vec![Encodings::collect(format, input.iter().map(encode))];
        let input: Vec<Rational> = input.iter().map(|x| real(format, encode(x)).expect("finite")).collect();
        let audit = Audit::new(&graph, model, y, Decision::Argmax { ties: Ties::Any }).expect("covered");
        let states = audit.enclose(&values, false).expect("a row").expect("finite");
        let largest = |seed: u64| {
            let found = Path { graph: &graph, random: Random(seed), flushed: true }.evaluate(&input);
            let most = found[y].iter().max().expect("elements");
            let places: Vec<usize> = (0..WIDTH).filter(|&k| found[y][k] == *most).collect();
            places
        };
        let all: Vec<Vec<usize>> = (0..40).map(|seed| largest(seed * 577 + sample)).collect();
        flips += usize::from(all.iter().any(|places| *places != all[0]));
        match audit.row(&values).expect("a row") {
            Verdict::Invariant { answer, margin: _ } => {
                assert!(all.iter().all(|places| *places == answer), "{sample}: {answer:?} {all:?}");
                said += 1;
                let fixed = &states[y].as_ref().expect("made").fixed;
                let others = (0..WIDTH).filter(|k| *k != answer[0]).map(|k| fixed.high[k]).max().expect("others");
                beyond_intervals += usize::from(fixed.low[answer[0]] <= others);
            }
            Verdict::Undecided(_) => undecided_that_flip += usize::from(all.iter().any(|places| *places != all[0])),
        }
    }
    println!(
        "{said} decided, {beyond_intervals} of them not by intervals; {flips} flip, all {undecided_that_flip} undecided"
    );
    assert!(said > 150 && beyond_intervals > 20 && flips > 20 && flips == undecided_that_flip);
}

/// Scores that are told apart no more once the largest is subtracted, or once exp is off by its absolute error; and scores that are.
#[test]
fn scores_have_to_differ_by_what_each_step_may_take() {
    let format = Format::BINARY32;
    let judge = |absolute: &str, scores: [&str; 3]| {
        let mut builder = Builder::new(format, &[1, 3]);
        let y = builder.node(Op::Softmax { axis: 1 }, &[0], &[1, 3]);
        let graph = builder.graph(y);
        let mut table = Table::new(format).expect("a format with a name");
        let exp = Bound::parse(Function::Exp, "0x1p-30", absolute, None, None).expect("a bound");
        table.set(Function::Exp, exp).expect("none yet");
        let model = PathModel { functions: Functions::Given(table), ..PathModel::NEAREST };
        let audit = Audit::new(&graph, model, y, Decision::Top { count: 2, ordered: true }).expect("covered");
        matches!(audit.row(&row(format, &scores)), Ok(Verdict::Invariant { answer: _, margin: _ }))
    };
    // -24 + 2^-20 is in the middle of two values, and becomes -24.
    assert!(!judge("0x1p-149", ["12", "-0xbfffffp-20", "-12"]));
    assert!(judge("0x1p-149", ["12", "-0xbffffcp-20", "-12"]));
    // exp(-20) is about 2^-29.
    assert!(!judge("0x1p-30", ["0", "-20", "-0x5004p-10"]));
    assert!(judge("0x1p-60", ["0", "-20", "-0x5004p-10"]));
}

/// What ONNX Runtime 1.32.0 gave, in binary32: arguments, results.
const RECORDED: [(Function, &str, &str); 13] = [
    (Function::Exp, "0x1.3e1d000000000p+4", "0x1.9b392e0000000p+28"),
    (Function::Exp, "-0x1.b587e80000000p+3", "0x1.3599940000000p-20"),
    (Function::Log, "0x1.6cfd240000000p+6", "0x1.20de600000000p+2"),
    (Function::Log, "0x1.3b053c0000000p+0", "0x1.a8e0d20000000p-3"),
    (Function::Sigmoid, "0x1.246ca60000000p+2", "0x1.fabf240000000p-1"),
    (Function::Sigmoid, "-0x1.7fb5b40000000p+2", "0x1.458d000000000p-9"),
    (Function::Tanh, "0x1.e4ef4a0000000p+1", "0x1.ff79ce0000000p-1"),
    (Function::Tanh, "0x1.e4ef4a0000000p+1", "0x1.ff79ce0000000p-1"),
    (Function::Tanh, "-0x1.1ffeb00000000p+3", "-0x1.0000020000000p+0"),
    (Function::Erf, "0x1.1281320000000p+0", "0x1.bdbe280000000p-1"),
    (Function::Erf, "-0x1.df31b40000000p-3", "-0x1.0980aa0000000p-2"),
    (Function::Softplus, "0x1.3d7b9a0000000p+3", "0x1.3d7c000000000p+3"),
    (Function::Softplus, "-0x1.2c95c80000000p+2", "0x1.29ae2e0000000p-7"),
];

/// Whether a table holds what was recorded.
fn holds(function: Function, bound: Bound, argument: &str, result: &str) -> bool {
    let format = Format::BINARY32;
    let mut builder = Builder::new(format, &[1, 1]);
    let y = builder.node(Op::Unary(Unary::Function(function)), &[0], &[1, 1]);
    let graph = builder.graph(y);
    let mut table = Table::new(format).expect("a format with a name");
    table.set(function, bound).expect("none yet");
    let model = PathModel { functions: Functions::Given(table), ..PathModel::NEAREST };
    let audit = Audit::new(&graph, model, y, Decision::Bits).expect("covered");
    let within = audit.enclosure(&row(format, &[argument])).expect("a row").expect("finite");
    let result = parse_number(result).expect(result).value();
    within[0].0 <= result && result <= within[0].1
}

/// The measured table holds these; half of what each of them needs does not.
#[test]
fn recordings_lie_within_the_table_and_not_within_less() {
    for (function, argument, result) in RECORDED {
        let bound = Functions::Measured.bound(function, Format::BINARY32).expect("measured");
        assert!(holds(function, bound, argument, result), "{function:?} {argument}");
        // The least power of two, as an absolute error and without limits, that holds it.
        let only = |exponent: i32| {
            let absolute = format!("0x1p{exponent}");
            Bound::parse(function, "0", &absolute, None, None).expect("a bound")
        };
        let least = (-160..40).find(|&exponent| holds(function, only(exponent), argument, result)).expect("some");
        assert!(!holds(function, only(least - 1), argument, result), "{function:?} {argument}: {least}");
        assert!(least > -150, "{function:?} {argument}: it is not the correctly rounded result");
    }
    // Beyond 1 in magnitude: a table that says otherwise is wrong.
    let tanh = Functions::Measured.bound(Function::Tanh, Format::BINARY32).expect("measured");
    let (_, argument, result) = RECORDED.iter().find(|(_, _, result)| result.starts_with("-0x1.000002")).expect("tanh");
    let one = Bound { least: Some(crate::functions::Dyadic { significand: -1, exponent: 0 }), ..tanh };
    assert!(holds(Function::Tanh, tanh, argument, result) && !holds(Function::Tanh, one, argument, result));
}

/// The tables of `data/functions` are those that this crate has, and were measured with room.
#[test]
fn the_measured_tables_are_those_on_record() {
    for table in crate::functions::MEASURED {
        let path = format!("{}/../../data/functions/{}.json", env!("CARGO_MANIFEST_DIR"), table.format);
        let file: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("a table")).expect("JSON");
        assert_eq!(file["format"], table.format.to_string());
        let mut read = Table::new(table.format).expect("a format with a name");
        for (name, entry) in file["functions"].as_object().expect("functions") {
            let function = crate::functions::function_named(name).expect(name);
            let text = |key: &str| entry[key].as_str();
            let required = |key: &str| text(key).expect(key);
            let bound =
                Bound::parse(function, required("relative"), required("absolute"), text("least"), text("largest"))
                    .expect(name);
            for (runtime, seen) in entry["measured"].as_object().expect("runtimes") {
                assert!(seen["arguments"].as_u64().expect("a number") > 1000, "{name} {runtime}");
                let needed = parse_number(seen["relative"].as_str().expect("text")).expect("a number").value();
                assert!(needed * 2 <= bound.relative.rational(), "{name} {runtime}");
            }
            read.set(function, bound).expect("once");
        }
        assert_eq!(read, table);
    }
}

/// What may not be divided by, or has no root or logarithm, gives a row up.
#[test]
fn operands_outside_of_the_domain_are_told() {
    let format = Format::BINARY32;
    for (op, argument, domain) in [
        (Op::Unary(Unary::Sqrt), "-1", true),
        (Op::Unary(Unary::Function(Function::Log)), "0", true),
        (Op::Unary(Unary::Reciprocal), "0", false),
        (Op::Unary(Unary::Reciprocal), "0x1p-140", false),
    ] {
        let mut builder = Builder::new(format, &[1, 1]);
        let y = builder.node(op.clone(), &[0], &[1, 1]);
        let graph = builder.graph(y);
        let model = PathModel { functions: Functions::Measured, ..PathModel::PORTABLE };
        let verdict = Audit::new(&graph, model, y, Decision::Sign).expect("covered").row(&row(format, &[argument]));
        match verdict.expect("a row") {
            Verdict::Undecided(Missing::Domain { place }) => assert!(domain && place.contains(op.name())),
            Verdict::Undecided(Missing::Divisor { place }) => assert!(!domain && place.contains(op.name())),
            other => panic!("{op:?}: {other:?}"),
        }
    }
    // Lanes of zeros stay zero; where the norm may be zero and is not always, the row is given up.
    for (norm, values, covered) in [
        (Norm::L1, ["0", "0"], true),
        (Norm::L2, ["0", "0"], true),
        (Norm::Max, ["0", "-1"], false),
        (Norm::L1, ["0x1p-140", "0"], false),
        (Norm::L2, ["0x1p-80", "0"], false),
        (Norm::L2, ["0x1p-40", "0"], true),
    ] {
        let mut builder = Builder::new(format, &[1, 2]);
        let y = builder.node(Op::Normalize(norm), &[0], &[1, 2]);
        let graph = builder.graph(y);
        let audit = Audit::new(&graph, PathModel::PORTABLE, y, Decision::Bits).expect("covered");
        let found = audit.enclosure(&row(format, &values)).expect("a row").is_some();
        assert_eq!(found, covered, "{norm:?} {values:?}");
    }
}

/// Every pair of intervals of few integers, beside all of their elements.
#[test]
fn comparisons_are_certain_where_all_elements_agree() {
    let spans: Vec<(i32, i32)> = (0..5).flat_map(|low| (low..5).map(move |high| (low, high))).collect();
    let span = |(low, high): (i32, i32)| Span { low: low.into(), high: high.into() };
    type Compare = fn(&i32, &i32) -> bool;
    let all: [(Comparison, Compare); 5] = [
        (Comparison::Greater, i32::gt),
        (Comparison::GreaterOrEqual, i32::ge),
        (Comparison::Less, i32::lt),
        (Comparison::LessOrEqual, i32::le),
        (Comparison::Equal, i32::eq),
    ];
    for (comparison, holds) in all {
        for &a in &spans {
            for &b in &spans {
                let found: Vec<i64> =
                    (a.0..=a.1).flat_map(|x| (b.0..=b.1).map(move |y| i64::from(holds(&x, &y)))).collect();
                let expected = (*found.iter().min().expect("some"), *found.iter().max().expect("some"));
                assert_eq!(compared(comparison, &span(a), &span(b)), expected, "{comparison:?} {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn lanes_take_every_element_once() {
    assert_eq!(lanes(&[2, 3], 1), [vec![0, 1, 2], vec![3, 4, 5]]);
    assert_eq!(lanes(&[2, 3], 0), [vec![0, 3], vec![1, 4], vec![2, 5]]);
    assert_eq!(lanes(&[2, 2, 2], 1), [vec![0, 2], vec![1, 3], vec![4, 6], vec![5, 7]]);
}
