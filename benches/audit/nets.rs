//! Larger nets, and what is measured beside a plain evaluation in `f32`.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{Graph, Node, Op, Reduction, Source, Tensor, TensorId, Unary};
use roundproof_network::{Axis, Datatype, Encodings, Geometry};

use crate::models::{digits, model};
use crate::{Found, fastest, judged};

const FORMAT: Format = Format::BINARY32;

/// Draws numbers, the same each time.
struct Draw(u64);

impl Draw {
    /// Between 0 and 1.
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    /// With a mean of 0 and a standard deviation of 1, nearly: of twelve uniform ones.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

fn encodings(values: impl IntoIterator<Item = f32>) -> Encodings {
    Encodings::collect(FORMAT, values.into_iter().map(|value| Encoding::from_bits(value.to_bits().into())))
}

/// A graph, put together node by node.
struct Builder {
    draw: Draw,
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    weights: usize,
}

impl Builder {
    fn new(seed: u64) -> Builder {
        Builder { draw: Draw(seed), tensors: Vec::new(), nodes: Vec::new(), weights: 0 }
    }

    fn tensor(&mut self, shape: &[usize], source: Source) -> TensorId {
        let name = format!("t{}", self.tensors.len());
        self.tensors.push(Tensor { name, shape: shape.to_vec(), datatype: Datatype::Float(FORMAT), source });
        self.tensors.len() - 1
    }

    fn drawn(&mut self, shape: &[usize], deviation: f32) -> TensorId {
        let count: usize = shape.iter().product();
        self.weights += count;
        let values: Vec<f32> = (0..count).map(|_| self.draw.normal() * deviation).collect();
        self.tensor(shape, Source::Constant(encodings(values)))
    }

    fn node(&mut self, op: Op, reads: &[TensorId], shape: &[usize]) -> TensorId {
        let writes = self.tensor(shape, Source::Node(self.nodes.len()));
        let name = format!("n{}", self.nodes.len());
        self.nodes.push(Node { name, op, reads: reads.to_vec(), writes });
        writes
    }

    fn relu(&mut self, x: TensorId) -> TensorId {
        let shape = self.tensors[x].shape.clone();
        self.node(Op::Unary(Unary::Relu), &[x], &shape)
    }

    fn dense(&mut self, x: TensorId, inputs: usize, outputs: usize) -> TensorId {
        let w = self.drawn(&[inputs, outputs], (2.0 / inputs as f32).sqrt());
        let b = self.drawn(&[outputs], 0.01);
        let product = self.node(Op::MatMul, &[x, w], &[1, outputs]);
        self.node(Op::Add, &[product, b], &[1, outputs])
    }

    /// 3 by 3, with padding.
    fn conv(&mut self, x: TensorId, outputs: usize, stride: usize, scale: f32) -> TensorId {
        let [_, channels, size, _] = self.tensors[x].shape[..] else { panic!("an image") };
        let axis = Axis { size, window: 3, stride, dilation: 1, before: 1, after: 1 };
        let geometry = Geometry::new(vec![axis, axis]).unwrap();
        let w = self.drawn(&[outputs, channels, 3, 3], scale * (2.0 / (9 * channels) as f32).sqrt());
        let b = self.drawn(&[1, outputs, 1, 1], 0.01);
        let shape = [1, outputs, size.div_ceil(stride), size.div_ceil(stride)];
        let product = self.node(Op::Conv { geometry, groups: 1 }, &[x, w], &shape);
        self.node(Op::Add, &[product, b], &shape)
    }

    fn graph(self, output: TensorId) -> Graph {
        Graph::new(self.tensors, self.nodes, vec![output]).unwrap()
    }
}

fn perceptron(sizes: &[usize]) -> Graph {
    let mut builder = Builder::new(1);
    let mut x = builder.tensor(&[1, sizes[0]], Source::Input);
    for (layer, pair) in sizes.windows(2).enumerate() {
        x = builder.dense(x, pair[0], pair[1]);
        if layer + 2 < sizes.len() {
            x = builder.relu(x);
        }
    }
    builder.graph(x)
}

/// Seven convolutions, three skips, and how many weights there are.
fn residual() -> (Graph, usize) {
    let mut builder = Builder::new(2);
    let x = builder.tensor(&[1, 3, 32, 32], Source::Input);
    let z = builder.conv(x, 48, 1, 1.0);
    let mut x = builder.relu(z);
    for (channels, stride) in [(48, 1), (96, 2), (96, 1)] {
        let before = x;
        let z = builder.conv(x, channels, stride, 1.0);
        let z = builder.relu(z);
        let z = builder.conv(z, channels, 1, 0.5);
        let skip = if builder.tensors[before].shape == builder.tensors[z].shape { Some(before) } else { None };
        let z = match skip {
            Some(before) => {
                let shape = builder.tensors[z].shape.clone();
                builder.node(Op::Add, &[before, z], &shape)
            }
            None => z,
        };
        x = builder.relu(z);
    }
    let z = builder.node(Op::Reduce { reduction: Reduction::Mean, axes: vec![2, 3] }, &[x], &[1, 96, 1, 1]);
    let picks = (0..96).map(|element| roundproof_graph::Pick { read: 0, element }).collect();
    let z = builder.node(Op::Arrange(picks), &[z], &[1, 96]);
    let z = builder.dense(z, 96, 10);
    let weights = builder.weights;
    (builder.graph(z), weights)
}

fn rows(count: usize, inputs: usize) -> Vec<Vec<Encodings>> {
    let mut draw = Draw(3);
    (0..count).map(|_| vec![encodings((0..inputs).map(|_| draw.uniform()))]).collect()
}

/// The weights of each layer, and its bias: `[inputs][outputs]`.
fn layers(graph: &Graph) -> Vec<(Vec<f32>, Vec<f32>)> {
    let values = |tensor: &Tensor| {
        let all = tensor.constant()?;
        Some((tensor.shape.clone(), all.iter().map(|value| f32::from_bits(value.bits() as u32)).collect::<Vec<f32>>()))
    };
    let constants: Vec<(Vec<usize>, Vec<f32>)> = graph.tensors().iter().filter_map(values).collect();
    constants.chunks(2).map(|pair| (pair[0].1.clone(), pair[1].1.clone())).collect()
}

/// Plainly: each sum from left to right.
fn evaluate(layers: &[(Vec<f32>, Vec<f32>)], row: &[f32]) -> Vec<f32> {
    let mut x = row.to_vec();
    for (layer, (weights, bias)) in layers.iter().enumerate() {
        let sum = |output: usize| {
            let mut sum = 0.0;
            for (weight, x) in weights[output * x.len()..(output + 1) * x.len()].iter().zip(&x) {
                sum += weight * x;
            }
            let sum = sum + bias[output];
            if layer + 1 < layers.len() { f32::max(sum, 0.0) } else { sum }
        };
        x = (0..bias.len()).map(sum).collect();
    }
    x
}

/// Prints what an audit takes beside an evaluation.
fn beside(name: &str, graph: &Graph, rows: &[Vec<Encodings>], goal: &str) {
    // Rows of weights side by side, which is the faster way.
    let layers: Vec<(Vec<f32>, Vec<f32>)> = layers(graph)
        .into_iter()
        .map(|(weights, bias)| {
            let inputs = weights.len() / bias.len();
            let turned = (0..weights.len()).map(|at| weights[at % inputs * bias.len() + at / inputs]);
            (turned.collect(), bias)
        })
        .collect();
    let plain: Vec<Vec<f32>> =
        rows.iter().map(|row| row[0].iter().map(|value| f32::from_bits(value.bits() as u32)).collect()).collect();
    for paths in ["all", "nearest", "portable"] {
        let runs = 3;
        let mut found: Option<Found> = None;
        for _ in 0..runs {
            let other = judged(graph, paths, rows);
            if found.as_ref().is_none_or(|found| other.seconds < found.seconds) {
                found = Some(other);
            }
        }
        let Found { loading, seconds, rows: count, invariant } = found.unwrap();
        let peer = fastest(runs, || plain.iter().map(|row| evaluate(&layers, row)).collect::<Vec<_>>());
        println!(
            "{name}, {paths}: {invariant} of {count} rows invariant; {:.0} rows/s ({goal}), {:.3} ms a row, {:.1} times a plain f32 \
             evaluation ({:.4} ms); loading {:.0} ms",
            count as f64 / seconds,
            1e3 * seconds / count as f64,
            seconds / peer,
            1e3 * peer / count as f64,
            1e3 * loading,
        );
    }
}

/// Measures and prints.
pub fn measure(most: usize) {
    let trained = model("mlp-64-128-128-10");
    beside("64-128-128-10, trained, digits", &trained.graph, &digits(&trained, most.min(1797)), "2,000");
    let wide = perceptron(&[784, 512, 512, 10]);
    beside("784-512-512-10, drawn", &wide, &rows(most.min(100), 784), "100");
    let layer = perceptron(&[4096, 4096]);
    beside("a layer of 4096 x 4096, drawn", &layer, &rows(most.min(3), 4096), "at most 20 times");
    let (graph, weights) = residual();
    let images = rows(most.min(10), 3 * 32 * 32);
    for paths in ["nearest", "portable", "all"] {
        let Found { loading, seconds, rows, invariant } = judged(&graph, paths, &images);
        println!(
            "residual, 32 x 32 x 3, {weights} weights, drawn, {paths}: {invariant} of {rows} rows invariant; {:.2} s a row; loading {:.1} s",
            seconds / rows as f64,
            loading
        );
    }
}
