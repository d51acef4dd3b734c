//! Random paths of graphs with every operation, evaluated in rational numbers: each reader of a tensor sees values of its own where the path
//! model has that, sums are formed again within others, split, begun with any leaf, flushed and folded.

use std::collections::BTreeMap;

use roundproof_exact::{Integer, faithful, real};
use roundproof_graph::{Node, Op, Pick, Pool, Reduction, Source, Unary};
use roundproof_network::{Axis, Geometry};

use super::*;
use crate::model::{Division, Folding};

/// A number that is added, or an exact product of two.
type Leaves = Vec<(Rational, bool)>;

/// One path.
struct Path<'a> {
    graph: &'a Graph,
    model: PathModel,
    random: Random,
    /// In which format sums are formed.
    accumulator: Format,
    readers: Vec<usize>,
    /// What each tensor is before it is narrowed.
    made: Vec<Vec<Rational>>,
    /// What the node that is evaluated sees of each.
    seen: BTreeMap<TensorId, Vec<Rational>>,
    /// How many sums were formed within others, and begun with a bias; how many values were flushed or not narrowed, weights folded.
    told: Told,
}

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    within: usize,
    flushed: usize,
    unnarrowed: usize,
    split: usize,
    folded: usize,
}

impl Told {
    fn and(self, other: Told) -> Told {
        Told {
            within: self.within + other.within,
            flushed: self.flushed + other.flushed,
            unnarrowed: self.unnarrowed + other.unnarrowed,
            split: self.split + other.split,
            folded: self.folded + other.folded,
        }
    }
}

impl<'a> Path<'a> {
    fn new(graph: &'a Graph, model: PathModel, accumulator: Format, seed: u64) -> Path<'a> {
        let mut readers = vec![0; graph.tensors().len()];
        graph.nodes().iter().flat_map(|node| &node.reads).chain(graph.outputs()).for_each(|&id| readers[id] += 1);
        let (made, seen) = (Vec::new(), BTreeMap::new());
        Path { graph, model, random: Random(seed), accumulator, readers, made, seen, told: Told::default() }
    }

    fn coin(&mut self) -> bool {
        self.random.below(2) == 0
    }

    fn exact(format: Format, encoding: Encoding) -> Rational {
        real(format, encoding).expect("finite")
    }

    /// Zero, or not, if it is subnormal.
    fn flushed(&mut self, format: Format, value: Rational) -> Rational {
        let subnormal = value.clone().abs() < power_of_two(format.emin().expect("bounded").into());
        if self.model.subnormals == Subnormals::Flush && subnormal && value != 0 && self.coin() {
            self.told.flushed += 1;
            return Rational::new();
        }
        value
    }

    fn rounded(&mut self, format: Format, value: &Rational) -> Rational {
        let both = faithful(value, format, Overflow::Saturate);
        let chosen = if self.coin() { both.below } else { both.above };
        if self.flushed(format, value.clone()) != *value {
            return Rational::new();
        }
        self.flushed(format, Self::exact(format, chosen))
    }

    fn computed(&mut self, value: &Rational) -> Rational {
        self.rounded(self.accumulator, value)
    }

    /// As an operand of one operation.
    fn operand(&mut self, id: TensorId, element: usize) -> Rational {
        let format = self.graph.tensors()[id].format();
        let value = self.seen(id)[element].clone();
        self.flushed(format, value)
    }

    /// What the node that is evaluated sees of a tensor.
    fn seen(&mut self, id: TensorId) -> &Vec<Rational> {
        if !self.seen.contains_key(&id) {
            let format = self.graph.tensors()[id].format();
            let values = self.made[id].clone();
            let values = values.into_iter().map(|value| {
                let both = faithful(&value, format, Overflow::Saturate);
                let is_value = both.below == both.above;
                if !is_value && self.model.narrowing == Narrowing::Optional && self.coin() {
                    self.told.unnarrowed += 1;
                    return value;
                }
                self.rounded(format, &value)
            });
            let values: Vec<Rational> = values.collect();
            if self.model.copies == Copies::One {
                self.made[id].clone_from(&values);
            }
            self.seen.insert(id, values);
        }
        &self.seen[&id]
    }

    /// The sum of leaves in a random order; some products are fused. It may be split in two, each narrowed, and their sum.
    fn sum(&mut self, mut leaves: Leaves, format: Format) -> Rational {
        if self.model.partials > 1 && leaves.len() > 2 && self.random.below(3) == 0 {
            self.told.split += 1;
            let rest = leaves.split_off(1 + self.random.below(leaves.len() - 1));
            let parts = [leaves, rest].map(|leaves| {
                let part = self.tree(leaves);
                self.rounded(format, &part)
            });
            let [one, other] = parts;
            let sum = self.computed(&(one + other));
            return self.rounded(format, &sum);
        }
        self.tree(leaves)
    }

    fn tree(&mut self, mut leaves: Leaves) -> Rational {
        let mut sum: Option<Rational> = None;
        while !leaves.is_empty() {
            let (leaf, is_product) = leaves.swap_remove(self.random.below(leaves.len()));
            let alone = is_product && (sum.is_none() || self.coin());
            let leaf = if alone { self.computed(&leaf) } else { leaf };
            sum = Some(match sum {
                None => leaf,
                Some(sum) => self.computed(&(sum + leaf)),
            });
        }
        sum.unwrap_or_default()
    }

    /// Where an element of a result is in what is read, broadcast.
    fn place(&self, node: &Node, read: usize, element: usize) -> usize {
        let tensors = self.graph.tensors();
        let (shape, own) = (&tensors[node.writes].shape, &tensors[node.reads[read]].shape);
        // From the last axis on, an axis of size 1 is read again and again.
        let (mut rest, mut place, mut step) = (element, 0, 1);
        for axis in (0..shape.len()).rev() {
            let index = rest % shape[axis];
            rest /= shape[axis];
            if let Some(axis) = (axis + own.len()).checked_sub(shape.len()) {
                place += if own[axis] == 1 { 0 } else { index * step };
                step *= own[axis];
            }
        }
        place
    }

    fn at(&mut self, node: &Node, read: usize, element: usize) -> Rational {
        let place = self.place(node, read, element);
        self.operand(node.reads[read], place)
    }

    /// The leaves of an element that a node reads: the element, or those of the sum that it is. A sum that only an addition of its shape
    /// reads is one sum with it, which is narrowed once under `once`.
    fn leaves(&mut self, node: &Node, read: usize, element: usize) -> Leaves {
        let (graph, id) = (self.graph, node.reads[read]);
        let tensors = graph.tensors();
        let joined = node.op.moved(0).is_none()
            && self.readers[id] == 1
            && tensors[id].shape == tensors[node.writes].shape
            && self.model.narrowing == Narrowing::Once;
        let again = match self.model.copies {
            Copies::One => self.readers[id] == 1,
            Copies::PerReader => true,
        };
        if again
            && let Source::Node(number) = tensors[id].source
            && (joined && graph.nodes()[number].op.moved(0).is_none() || self.random.below(4) > 0)
            && let Some(leaves) = self.terms(&graph.nodes()[number], element)
        {
            self.told.within += 1;
            return leaves;
        }
        vec![(self.operand(id, element), false)]
    }

    /// The leaves of an element that is a sum, or one that was moved.
    fn terms(&mut self, node: &Node, element: usize) -> Option<Leaves> {
        let graph = self.graph;
        let shape = &graph.tensors()[node.writes].shape;
        let shapes: Vec<&[usize]> = graph.reads(node).map(|tensor| &tensor.shape[..]).collect();
        let product = |path: &mut Self, at: [usize; 2]| {
            let x = path.operand(node.reads[0], at[0]);
            (x * path.operand(node.reads[1], at[1]), true)
        };
        Some(match &node.op {
            Op::MatMul => {
                let (inner, columns) = (shapes[0][1], shape[1]);
                let (row, column) = (element / columns, element % columns);
                (0..inner).map(|k| product(self, [row * inner + k, k * columns + column])).collect()
            }
            Op::Conv { geometry, groups } => {
                let positions = geometry.positions();
                let (output, position) = (element / positions, element % positions);
                let channels = shapes[1][1];
                let first = output / (shape[1] / groups) * channels;
                let taps = geometry.taps(position);
                let taps: Vec<(usize, usize)> = (0..taps.len()).map(|k| taps.get(k)).collect();
                let mut leaves = Vec::new();
                for channel in 0..channels {
                    for &(tap, place) in &taps {
                        let w = (output * channels + channel) * geometry.window() + tap;
                        leaves.push(product(self, [(first + channel) * geometry.places() + place, w]));
                    }
                }
                leaves
            }
            Op::Mul => {
                let at = [0, 1].map(|read| self.place(node, read, element));
                vec![product(self, at)]
            }
            Op::Add | Op::Sub => {
                let at = [0, 1].map(|read| self.place(node, read, element));
                let mut leaves = self.leaves(node, 0, at[0]);
                let others = self.leaves(node, 1, at[1]);
                let negated = node.op == Op::Sub;
                leaves.extend(others.into_iter().map(|(leaf, of)| (if negated { -leaf } else { leaf }, of)));
                leaves
            }
            Op::Reduce { reduction: Reduction::Sum, axes } => {
                assert_eq!((shapes[0].len(), &axes[..]), (2, &[1][..]));
                let (id, size) = (node.reads[0], shapes[0][1]);
                (element * size..(element + 1) * size).map(|at| (self.operand(id, at), false)).collect()
            }
            Op::BatchNormalization { epsilon } => self.normalized(node, *epsilon, element),
            moved => {
                let (Pick { read, element }, negated) = moved.moved(element)?;
                let leaves = self.leaves(node, read as usize, element as usize);
                leaves.into_iter().map(|(leaf, of)| (if negated { -leaf } else { leaf }, of)).collect()
            }
        })
    }

    /// A factor times the leaves of what is read, each weight rounded once more; or times what is read.
    fn normalized(&mut self, node: &Node, epsilon: Encoding, element: usize) -> Leaves {
        let graph = self.graph;
        let tensor = &graph.tensors()[node.writes];
        let channel = element / (tensor.elements() / tensor.shape[1]);
        let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|read| self.operand(node.reads[read], channel));
        let epsilon = Self::exact(Format::BINARY32, epsilon);
        let epsilon = self.computed(&epsilon);
        let spread = self.computed(&(variance + epsilon));
        // A root to sixty bits is rounded as the root is, nearly always.
        let root = Rational::from(Integer::from((spread * power_of_two(120)).floor().numer().sqrt_ref()));
        let root = self.computed(&(root * power_of_two(-60)));
        let factor = self.computed(&(scale / root));
        let x = node.reads[0];
        let sum = match graph.tensors()[x].source {
            Source::Node(number) => Some(&graph.nodes()[number]),
            Source::Input | Source::Constant(_) => None,
        };
        let folds = self.model.folding == Folding::Any && self.readers[x] == 1 && self.coin();
        // Folded into the weights of a convolution, or of one with a bias.
        if folds
            && let Some(sum) = sum.filter(|sum| sum.op == Op::Add)
            && let Source::Node(number) = graph.tensors()[sum.reads[0]].source
            && let Op::Conv { geometry: _, groups: _ } = graph.nodes()[number].op
            && self.readers[sum.reads[0]] == 1
        {
            self.told.folded += 1;
            let mut leaves = Vec::new();
            let at = self.place(sum, 1, element);
            let added = self.operand(sum.reads[1], at);
            leaves.push((added * &factor, true));
            // Rounding a product in the precision of the weight is rounding the weight, at other numbers alike.
            let format = tensor.format();
            for (leaf, _) in self.terms(&graph.nodes()[number], element).expect("a convolution") {
                let off = if self.coin() { 1 } else { -1 };
                let off = Rational::from(off) * power_of_two(-i64::from(format.precision())) + 1;
                leaves.push((leaf * &factor * off, true));
            }
            leaves.extend([(-mean * &factor, true), (bias, false)]);
            return leaves;
        }
        let x = self.operand(x, element);
        if self.coin() {
            let moved = self.tree(vec![(x, false), (-mean, false)]);
            let product = self.computed(&(moved * factor));
            vec![(product, false), (bias, false)]
        } else {
            vec![(x * &factor, true), (-mean * factor, true), (bias, false)]
        }
    }

    /// Evaluates every node; what people see of each tensor.
    fn evaluate(&mut self, input: &[Rational]) -> Vec<Vec<Rational>> {
        let graph = self.graph;
        for tensor in graph.tensors() {
            self.made.push(match &tensor.source {
                Source::Input => input.to_vec(),
                Source::Constant(all) => all.iter().map(|value| Self::exact(tensor.format(), value)).collect(),
                Source::Node(_) => Vec::new(),
            });
        }
        for node in graph.nodes() {
            self.seen.clear();
            let tensor = &graph.tensors()[node.writes];
            let made = (0..tensor.elements()).map(|element| match self.terms(node, element) {
                // What only moves elements rounds nothing.
                Some(leaves) if node.op.moved(element).is_none() => self.sum(leaves, tensor.format()),
                Some(_) | None => self.element(node, element),
            });
            self.made[node.writes] = made.collect();
        }
        self.seen.clear();
        (0..graph.tensors().len()).map(|id| self.seen(id).clone()).collect()
    }

    /// An element of what is not a sum.
    fn element(&mut self, node: &Node, element: usize) -> Rational {
        let graph = self.graph;
        let format = graph.tensors()[node.writes].format();
        let shapes: Vec<&[usize]> = graph.reads(node).map(|tensor| &tensor.shape[..]).collect();
        if let Some((Pick { read, element }, negated)) = node.op.moved(element) {
            let value = self.seen(node.reads[read as usize])[element as usize].clone();
            return if negated { -value } else { value };
        }
        match &node.op {
            Op::Div => {
                let (x, by) = (self.at(node, 0, element), self.at(node, 1, element));
                let constant = graph.tensors()[node.reads[1]].constant().is_some();
                if constant && self.model.division == Division::Any && self.coin() {
                    let reciprocal = self.computed(&by.recip());
                    return self.computed(&(x * reciprocal));
                }
                self.computed(&(x / by))
            }
            Op::Max => self.at(node, 0, element).max(self.at(node, 1, element)),
            Op::Min => self.at(node, 0, element).min(self.at(node, 1, element)),
            Op::PRelu => {
                let (x, slope) = (self.at(node, 0, element), self.at(node, 1, element));
                if x < 0 { self.computed(&(x * slope)) } else { x }
            }
            Op::Unary(unary) => {
                let x = self.at(node, 0, element);
                match unary {
                    Unary::Abs => x.abs(),
                    Unary::Relu => x.max(Rational::new()),
                    Unary::LeakyRelu { slope } if x < 0 => {
                        let slope = Self::exact(Format::BINARY32, *slope);
                        self.computed(&(x * slope))
                    }
                    Unary::LeakyRelu { slope: _ } => x,
                    Unary::Clip { low, high } => {
                        let x = low.map_or(x.clone(), |low| x.max(Self::exact(format, low)));
                        high.map_or(x.clone(), |high| x.min(Self::exact(format, high)))
                    }
                    Unary::Sign => Rational::from(i32::from(x > 0) - i32::from(x < 0)),
                    other => panic!("{other:?} is not evaluated"),
                }
            }
            Op::Reduce { reduction, axes } => {
                assert_eq!((shapes[0].len(), &axes[..]), (2, &[1][..]));
                let (id, size) = (node.reads[0], shapes[0][1]);
                let all: Vec<Rational> =
                    (element * size..(element + 1) * size).map(|at| self.operand(id, at)).collect();
                match reduction {
                    Reduction::Mean => self.mean(all, format),
                    Reduction::Max => all.into_iter().max().expect("some"),
                    Reduction::Min => all.into_iter().min().expect("some"),
                    Reduction::Sum => panic!("a sum has leaves"),
                }
            }
            Op::Pool { pool, geometry } => {
                let positions = geometry.positions();
                let taps = geometry.taps(element % positions);
                let first = element / positions * geometry.places();
                let all: Vec<Rational> =
                    (0..taps.len()).map(|k| self.operand(node.reads[0], first + taps.get(k).1)).collect();
                match pool {
                    Pool::Max => all.into_iter().max().expect("some"),
                    Pool::Average { padding_counts: _ } => self.mean(all, format),
                }
            }
            Op::Cast => self.at(node, 0, element),
            other => panic!("{other:?} is not evaluated"),
        }
    }

    /// By a division, or by one of the two ways of multiplying with the rounded reciprocal.
    fn mean(&mut self, all: Vec<Rational>, format: Format) -> Rational {
        let count = Rational::from(all.len());
        let way = if self.model.division == Division::Any { self.random.below(3) } else { 0 };
        let numbers = |all: Vec<Rational>| all.into_iter().map(|x| (x, false)).collect();
        if way == 0 {
            let sum = self.sum(numbers(all), format);
            return self.computed(&(sum / count));
        }
        let reciprocal = self.computed(&count.recip());
        if way == 1 {
            let sum = self.sum(numbers(all), format);
            return self.computed(&(sum * reciprocal));
        }
        self.sum(all.into_iter().map(|x| (x * &reciprocal, true)).collect(), format)
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

/// Sums whose elements are moved, negated, broadcast, concatenated and read again, and added to others then.
fn continued(format: Format, random: &mut Random) -> Graph {
    let mut builder = Builder::new(format);
    let mut draw = |builder: &mut Builder, shape: &[usize]| {
        let count = shape.iter().product();
        let values: Vec<Encoding> =
            (0..count).map(|_| value(format, &format!("{}", random.below(65) as f64 / 32.0 - 1.0))).collect();
        builder.constant(shape, values)
    };
    let x = builder.input(&[1, 32]);
    let rows = |range: std::ops::Range<u32>| Op::Arrange(range.map(|element| Pick { read: 0, element }).collect());
    let left = builder.node(rows(0..16), &[x], &[4, 4]);
    let right = builder.node(rows(16..32), &[x], &[4, 4]);
    let w = draw(&mut builder, &[4, 4]);
    let first = builder.node(Op::MatMul, &[left, w], &[4, 4]);
    let w = draw(&mut builder, &[4, 4]);
    let second = builder.node(Op::MatMul, &[right, w], &[4, 4]);
    // Transposed, one after the other, and backward; some elements twice, some of the input.
    let transposed = (0..16).map(|k| Pick { read: 0, element: k % 4 * 4 + k / 4 }).collect();
    let transposed = builder.node(Op::Arrange(transposed), &[first], &[4, 4]);
    let b = draw(&mut builder, &[4]);
    let biased = builder.node(Op::Add, &[transposed, b], &[4, 4]);
    let picks = (0..16).map(|k| Pick { read: k % 3, element: (7 * k + 3) % 16 }).collect();
    let mixed = builder.node(Op::Arrange(picks), &[biased, second, left], &[4, 4]);
    let negated = builder.node(Op::Unary(Unary::Neg), &[mixed], &[4, 4]);
    let again = builder.node(Op::Sub, &[second, negated], &[4, 4]);
    let bent = builder.node(Op::Unary(Unary::Relu), &[again], &[4, 4]);
    let w = draw(&mut builder, &[4, 4]);
    let third = builder.node(Op::MatMul, &[bent, w], &[4, 4]);
    // A residual of a sum that the activation reads too.
    let skip = builder.node(Op::Add, &[third, again], &[4, 4]);
    let w = draw(&mut builder, &[4, 1]);
    let single = builder.node(Op::MatMul, &[skip, w], &[4, 1]);
    let broadcast = builder.node(Op::Add, &[single, skip], &[4, 4]);
    let flat = builder.node(rows(0..16), &[broadcast], &[1, 16]);
    let w = draw(&mut builder, &[16, 3]);
    let z = builder.node(Op::MatMul, &[flat, w], &[1, 3]);
    let z = builder.node(rows(0..3), &[z], &[3]);
    let b = draw(&mut builder, &[1, 3]);
    let z = builder.node(Op::Add, &[b, z], &[1, 3]);
    let Builder { format: _, tensors, nodes } = builder;
    // One in the middle is an output as well.
    Graph::new(tensors, nodes, vec![z, skip]).expect("a graph")
}

/// Values of random paths lie within the intervals of every tensor, and no form of them is below its bound.
#[test]
fn random_paths_stay_within() {
    let format: Format = "p=8,emin=-126,emax=127".parse().expect("a format");
    let wide = "p=12,emin=-140,emax=140".parse().expect("a format");
    // Where what is small is subnormal.
    let coarse: Format = "p=8,emin=-5,emax=127".parse().expect("a format");
    let mut random = Random(5);
    let (mut compared, mut nearest, mut farthest, mut told) = (0, Rational::new(), 0f64, Told::default());
    let any = |model: PathModel| PathModel { rounding: PathModel::ALL.rounding, ..model };
    let wider = Accumulator::Wider(wide);
    for (model, format, accumulator) in [
        (PathModel { accumulator: Accumulator::Same, ..PathModel::ALL }, format, format),
        (PathModel { accumulator: wider, narrowing: Narrowing::Bias, ..PathModel::ALL }, format, wide),
        (PathModel { accumulator: wider, ..any(PathModel::PORTABLE) }, format, wide),
        (PathModel { accumulator: wider, ..any(PathModel::ONCE) }, format, wide),
        (PathModel { accumulator: wider, ..any(PathModel::PORTABLE) }, coarse, wide),
        (PathModel { accumulator: Accumulator::Same, ..any(PathModel::PORTABLE) }, coarse, coarse),
    ] {
        for sample in 0..12 {
            let graph = match sample % 3 {
                // Constants of normalizations are not covered in such a format.
                0 if format == coarse => continue,
                0 => convolutional(format, &mut random),
                1 => elementwise(format, &mut random),
                _ => continued(format, &mut random),
            };
            let input: Vec<Encoding> =
                (0..32).map(|_| value(format, &format!("{}", random.below(33) as f64 / 8.0 - 2.0))).collect();
            let output = graph.outputs()[0];
            let audit = Audit::new(&graph, model, output, ARGMAX).expect("covered");
            let row = vec![Encodings::collect(format, input.iter().copied())];
            let states = audit.enclose(&row, sample % 2 > 0).expect("a row").expect("within the format");
            let input: Vec<Rational> = input.iter().map(|&x| real(format, x).expect("finite")).collect();
            for seed in 0..4 {
                let mut path = Path::new(&graph, model, accumulator, seed * 77 + sample);
                let values = path.evaluate(&input);
                told = told.and(path.told);
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
                    let ball = states[placed.writes].as_ref().expect("made").ball.as_ref().expect("known");
                    let share = ball.share(unit, &values[placed.writes]);
                    assert!(share <= 1.0, "{model}: {}: {share}", graph.nodes()[placed.node].op.name());
                    farthest = farthest.max(share);
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
    println!("{told:?}");
    let Told { within, flushed, unnarrowed, split, folded } = told;
    assert!([within, flushed, unnarrowed, split, folded].iter().all(|&count| count > 500));
    println!(
        "{compared} values; the largest share that a random path takes: of a bound {:.3}, of a radius {farthest:.3}",
        nearest.to_f64()
    );
    assert!(compared > 50_000 && nearest > Rational::from((1, 100)) && farthest > 0.1);
}

/// Radii are kept, and reached to a good part: what is left out of one, or too small, does not hold.
#[test]
fn radii_are_not_far_beyond_paths() {
    let format: Format = "p=8,emin=-126,emax=127".parse().expect("a format");
    let model = PathModel { accumulator: Accumulator::Same, ..PathModel::ALL };
    let mut builder = Builder::new(format);
    let constant = |builder: &mut Builder, shape: &[usize], texts: &[&str]| {
        builder.constant(shape, texts.iter().map(|text| value(format, text)))
    };
    let x = builder.input(&[1, 1]);
    let w = constant(&mut builder, &[1, 1], &["-1.71875"]);
    let a = builder.node(Op::MatMul, &[x, w], &[1, 1]);
    let picks = vec![Pick { read: 0, element: 0 }; 2];
    let b = builder.node(Op::Arrange(picks), &[a], &[1, 2]);
    let slopes = constant(&mut builder, &[2], &["3", "3"]);
    let c = builder.node(Op::PRelu, &[b, slopes], &[1, 2]);
    let w = constant(&mut builder, &[2], &["-7"; 2]);
    let d = builder.node(Op::Mul, &[c, w], &[1, 2]);
    let e = builder.node(Op::Unary(Unary::Abs), &[d], &[1, 2]);
    let f = builder.node(Op::Reduce { reduction: Reduction::Max, axes: vec![1] }, &[e], &[1, 1]);
    let w = constant(&mut builder, &[1, 1], &["-64"]);
    let g = builder.node(Op::Mul, &[a, w], &[1, 1]);
    let h = builder.node(Op::Unary(Unary::Relu), &[g], &[1, 1]);
    let i = builder.node(Op::Add, &[f, h], &[1, 1]);
    let j = builder.node(Op::Arrange((0..2).map(|read| Pick { read, element: 0 }).collect()), &[i, f], &[1, 2]);
    let k = builder.node(Op::Reduce { reduction: Reduction::Mean, axes: vec![1] }, &[j], &[1, 1]);
    let graph = builder.graph(k);
    let audit = Audit::new(&graph, model, k, Decision::Sign).expect("covered");
    let mut shares = vec![0f64; graph.tensors().len()];
    let mut random = Random(8);
    for _ in 0..60 {
        let input = value(format, &format!("{}", 1.0 + random.below(128) as f64 / 128.0));
        let states = audit.enclose(&[Encodings::collect(format, [input])], false).expect("a row").expect("in range");
        let input = [real(format, input).expect("finite")];
        for seed in 0..200 {
            let values = Path::new(&graph, model, format, seed).evaluate(&input);
            for placed in &audit.plan.placed {
                let state = states[placed.writes].as_ref().expect("made");
                let ball = state.ball.as_ref().expect("known");
                let share = ball.share(power_of_two(state.fixed.unit.into()), &values[placed.writes]);
                assert!(share <= 1.0, "{}: {share}", graph.nodes()[placed.node].op.name());
                shares[placed.writes] = shares[placed.writes].max(share);
            }
        }
    }
    for placed in &audit.plan.placed {
        let share = shares[placed.writes];
        println!("{}: {share:.3} of the radius", graph.nodes()[placed.node].op.name());
        assert!(share > 0.25, "{share}");
    }
}
