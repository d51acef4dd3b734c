//! A plain evaluation of a graph in binary64: every operation as its definition says, nothing rounded to the data types.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{
    Comparison, Function, Graph, Norm, Op, Pool, Reduction, Source, Tensor, TensorId, Unary, broadcast,
};
use roundproof_network::Geometry;
use roundproof_softfloat::{Unpacked, decode};

/// The number that an encoding stands for. Every finite value of a format up to binary64 is one.
pub fn number(format: Format, encoding: Encoding) -> f64 {
    match decode(format, encoding) {
        Unpacked::Nan => f64::NAN,
        Unpacked::Infinity { negative } => {
            if negative {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        Unpacked::Zero { negative } => {
            if negative {
                -0.0
            } else {
                0.0
            }
        }
        Unpacked::Finite { negative, significand, exponent } => {
            let magnitude =
                significand as f64 * 2f64.powi(exponent as i32 / 2) * 2f64.powi(exponent as i32 - exponent as i32 / 2);
            if negative { -magnitude } else { magnitude }
        }
    }
}

/// The elements of every tensor, given those of the inputs.
pub fn evaluate(graph: &Graph, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut given = inputs.iter();
    let mut values: Vec<Vec<f64>> = graph
        .tensors()
        .iter()
        .map(|tensor| match &tensor.source {
            Source::Input => given.next().expect("a value for each input").clone(),
            Source::Constant(constants) => constants.iter().map(|value| number(tensor.format(), value)).collect(),
            Source::Node(_) => Vec::new(),
        })
        .collect();
    assert!(given.next().is_none(), "as many inputs as values");
    for node in graph.nodes() {
        let reads: Vec<(&Tensor, &[f64])> =
            node.reads.iter().map(|&read| (&graph.tensors()[read], &values[read][..])).collect();
        let made = apply(&node.op, &reads, &graph.tensors()[node.writes]);
        assert_eq!(made.len(), graph.tensors()[node.writes].elements(), "{node:?}");
        values[node.writes] = made;
    }
    values
}

/// The elements of one tensor.
pub fn tensor(graph: &Graph, inputs: &[Vec<f64>], id: TensorId) -> Vec<f64> {
    evaluate(graph, inputs).swap_remove(id)
}

/// The place along each axis of an element.
fn places(shape: &[usize], mut element: usize) -> Vec<usize> {
    let mut places = vec![0; shape.len()];
    for (place, size) in places.iter_mut().zip(shape).rev() {
        (*place, element) = (element % size, element / size);
    }
    places
}

/// The element at these places of a shape, which is broadcast to theirs.
fn at(shape: &[usize], places: &[usize]) -> usize {
    let skipped = places.len() - shape.len();
    shape.iter().zip(&places[skipped..]).fold(0, |at, (&size, &place)| at * size + if size == 1 { 0 } else { place })
}

fn apply(op: &Op, reads: &[(&Tensor, &[f64])], result: &Tensor) -> Vec<f64> {
    let count = result.elements();
    let all = |of: &dyn Fn(Vec<usize>) -> f64| -> Vec<f64> {
        (0..count).map(|element| of(places(&result.shape, element))).collect()
    };
    let operand = |read: usize, places: &[usize]| reads[read].1[at(&reads[read].0.shape, places)];
    let pair = |of: &dyn Fn(f64, f64) -> f64| all(&|places| of(operand(0, &places), operand(1, &places)));
    let attribute = |encoding: Encoding| number(Format::BINARY32, encoding);
    let lane = |axis: usize, places: &[usize]| -> Vec<f64> {
        (0..reads[0].0.shape[axis])
            .map(|place| {
                let mut there = places.to_vec();
                there[axis] = place;
                operand(0, &there)
            })
            .collect()
    };
    match op {
        Op::MatMul => all(&|places| {
            let (rest, [row, column]) = places.split_last_chunk::<2>().expect("two axes");
            (0..reads[0].0.shape[reads[0].0.shape.len() - 1])
                .map(|k| operand(0, &[rest, &[*row, k]].concat()) * operand(1, &[rest, &[k, *column]].concat()))
                .sum()
        }),
        Op::Conv { geometry, groups } => convolution(geometry, *groups, reads, result),
        Op::Add => pair(&|a, b| a + b),
        Op::Sub => pair(&|a, b| a - b),
        Op::Mul => pair(&|a, b| a * b),
        Op::Div => pair(&|a, b| a / b),
        Op::Max => pair(&|a, b| if a.is_nan() || a > b { a } else { b }),
        Op::Min => pair(&|a, b| if a.is_nan() || a < b { a } else { b }),
        Op::PRelu => pair(&|x, slope| if x >= 0.0 { x } else { x * slope }),
        Op::Unary(unary) => {
            let format = result.format();
            reads[0].1.iter().map(|&x| of_one(unary, x, format)).collect()
        }
        Op::Reduce { reduction, axes } => {
            let mut lanes = vec![Vec::new(); count];
            for (element, &value) in reads[0].1.iter().enumerate() {
                let mut places = places(&reads[0].0.shape, element);
                for &axis in axes {
                    places[axis] = 0;
                }
                lanes[at(&result.shape, &places)].push(value);
            }
            let of = |lane: &Vec<f64>| match reduction {
                Reduction::Sum => lane.iter().sum(),
                Reduction::Mean => lane.iter().sum::<f64>() / lane.len() as f64,
                Reduction::Max => lane.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Reduction::Min => lane.iter().copied().fold(f64::INFINITY, f64::min),
            };
            lanes.iter().map(of).collect()
        }
        Op::Pool { pool, geometry } => {
            let channels = result.shape[1];
            let mut made = Vec::with_capacity(count);
            for channel in 0..channels {
                for position in 0..geometry.positions() {
                    let taps = geometry.taps(position);
                    let read = |tap| reads[0].1[channel * geometry.places() + taps.get(tap).1];
                    let window = (0..taps.len()).map(read);
                    made.push(match pool {
                        Pool::Max => window.fold(f64::NEG_INFINITY, f64::max),
                        Pool::Average { padding_counts: true } => window.sum::<f64>() / geometry.window() as f64,
                        Pool::Average { padding_counts: false } => window.sum::<f64>() / taps.len() as f64,
                    });
                }
            }
            made
        }
        Op::BatchNormalization { epsilon } => all(&|places| {
            let parameter = |read: usize| reads[read].1[places[1]];
            let deviation = (parameter(4) + attribute(*epsilon)).sqrt();
            (operand(0, &places) - parameter(3)) / deviation * parameter(1) + parameter(2)
        }),
        Op::Softmax { axis } => all(&|places| {
            let lane = lane(*axis, &places);
            let most = lane.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (operand(0, &places) - most).exp() / lane.iter().map(|x| (x - most).exp()).sum::<f64>()
        }),
        Op::LogSoftmax { axis } => all(&|places| {
            let lane = lane(*axis, &places);
            let most = lane.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            operand(0, &places) - most - lane.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
        }),
        Op::Normalize(norm) => all(&|places| {
            let lane = lane(places.len() - 1, &places);
            let divisor = match norm {
                Norm::Max => lane.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Norm::L1 => lane.iter().map(|x| x.abs()).sum(),
                Norm::L2 => lane.iter().map(|x| x * x).sum::<f64>().sqrt(),
            };
            if divisor == 0.0 { operand(0, &places) } else { operand(0, &places) / divisor }
        }),
        Op::Arrange(picks) => picks.iter().map(|pick| reads[pick.read as usize].1[pick.element as usize]).collect(),
        Op::Cast => reads[0].1.to_vec(),
        Op::Compare(comparison) => pair(&|a, b| {
            f64::from(match comparison {
                Comparison::Greater => a > b,
                Comparison::GreaterOrEqual => a >= b,
                Comparison::Less => a < b,
                Comparison::LessOrEqual => a <= b,
                Comparison::Equal => a == b,
            })
        }),
        Op::Where => {
            let chosen = broadcast(&reads[1].0.shape, &reads[2].0.shape).expect("they fit");
            assert!(broadcast(&chosen, &reads[0].0.shape).is_some());
            all(&|places| operand(if operand(0, &places) != 0.0 { 1 } else { 2 }, &places))
        }
    }
}

fn convolution(geometry: &Geometry, groups: usize, reads: &[(&Tensor, &[f64])], result: &Tensor) -> Vec<f64> {
    let (outputs, taken) = (reads[1].0.shape[0], reads[1].0.shape[1]);
    let mut made = Vec::with_capacity(result.elements());
    for output in 0..outputs {
        let group = output / (outputs / groups);
        for position in 0..geometry.positions() {
            let taps = geometry.taps(position);
            let mut sum = 0.0;
            for channel in 0..taken {
                for tap in 0..taps.len() {
                    let (window, place) = taps.get(tap);
                    let weight = reads[1].1[(output * taken + channel) * geometry.window() + window];
                    sum += weight * reads[0].1[(group * taken + channel) * geometry.places() + place];
                }
            }
            made.push(sum);
        }
    }
    made
}

/// The error function, by its series and, beyond 3, by its continued fraction.
fn erf(x: f64) -> f64 {
    let z = x.abs();
    let magnitude = if z < 3.0 {
        let (mut term, mut sum, mut n) = (z, z, 0.0);
        while f64::abs(term) > 1e-18 {
            n += 1.0;
            term *= -z * z / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    } else {
        let fraction = (1..60).rev().fold(z, |below, n| z + f64::from(n) / 2.0 / below);
        1.0 - (-z * z).exp() / fraction / std::f64::consts::PI.sqrt()
    };
    magnitude.copysign(x)
}

fn of_one(unary: &Unary, x: f64, format: Format) -> f64 {
    let attribute = |encoding: Encoding| number(Format::BINARY32, encoding);
    match *unary {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Relu => {
            if x > 0.0 {
                x
            } else {
                0.0
            }
        }
        Unary::LeakyRelu { slope } => {
            if x >= 0.0 {
                x
            } else {
                attribute(slope) * x
            }
        }
        Unary::Clip { low, high } => {
            let x = low.map_or(x, |low| x.max(number(format, low)));
            high.map_or(x, |high| x.min(number(format, high)))
        }
        Unary::HardSigmoid { slope, offset } => (attribute(slope) * x + attribute(offset)).clamp(0.0, 1.0),
        Unary::Sign => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        Unary::Sqrt => x.sqrt(),
        Unary::Reciprocal => 1.0 / x,
        Unary::Function(function) => match function {
            Function::Exp => x.exp(),
            Function::Log => x.ln(),
            Function::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Function::Tanh => x.tanh(),
            Function::Erf => erf(x),
            Function::Softplus => {
                if x > 0.0 {
                    x + (-x).exp().ln_1p()
                } else {
                    x.exp().ln_1p()
                }
            }
        },
    }
}
