//! What a graph is under a path model: sums with all their leaves, and what stands between them.
//!
//! A matrix product, a convolution, a sum over axes or an element-wise product is a sum, and so is the addition (or subtraction) of two
//! tensors. If what is added is itself a sum that nothing else reads, the leaves of that sum are leaves of this one: runtimes start sums
//! at a bias, add residuals before they store, and keep the excess precision in between. A tensor that several nodes read, or that is
//! an output, is a value of its own: one leaf.

use roundproof_format::Format;
use roundproof_graph::{Graph, Op, Pool, Reduction, Source, TensorId, Unary};

use crate::error::{NotCovered, refuse};
use crate::fixed::{Centered, Exactness, Fixed, weight_bits};
use crate::linear::{Map, broadcast, walk};
use crate::model::{Folding, Operands, PathModel};
use crate::rounding::Grain;

/// One evaluation, of one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub step: Step,
    pub writes: TensorId,
    /// The node that makes the tensor.
    pub node: usize,
}

/// How a tensor is made of others.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A sum.
    Sum(Sum),
    /// A function of each element that rounds nothing, or a product with a slope.
    Bend(Bend, TensorId),
    /// Elements of other tensors.
    Pick { reads: Vec<TensorId>, picks: Vec<(u32, u32)> },
    /// The largest, or the smallest, of the elements of tensors: those of element `i` begin at `starts[i]`.
    Extreme { reads: Vec<TensorId>, starts: Vec<u32>, picks: Vec<(u32, u32)>, greatest: bool },
    /// A mean.
    Mean { reads: TensorId, map: Map, counts: Vec<u32> },
    /// -1, 0 or 1.
    Sign(TensorId),
    /// Rounded to the format of the result.
    Cast(TensorId),
}

/// Leaves that are added.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub parts: Vec<Part>,
    /// How many nodes it is made of, but for the last: there, too, it may be narrowed.
    pub boundaries: u64,
}

/// Leaves of one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub reads: TensorId,
    pub negative: bool,
    pub map: Map,
    pub weights: Weights,
}

/// What the elements of a tensor are multiplied by.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    /// Nothing.
    One,
    /// Constants.
    Constant(Centered, Exactness),
    /// Elements of another tensor.
    Tensor(TensorId),
}

/// A function of each element, linear in pieces.
#[derive(Clone, Debug)]
pub(crate) enum Bend {
    Negate,
    Magnitude,
    Relu,
    /// Between limits: each of them, and what it may be rounded to.
    Clip {
        low: Option<Fixed>,
        high: Option<Fixed>,
    },
    /// A product with a slope below zero, for each element.
    Leaky(Centered),
}

/// Everything that is the same for all rows.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub placed: Vec<Placed>,
    /// Of each tensor: its format, and that in which it is formed.
    pub grains: Vec<(Grain, Grain)>,
}

impl Step {
    /// Whether a tensor is read, but as constant weights.
    pub fn reads(&self, id: TensorId) -> bool {
        match self {
            Step::Sum(sum) => sum.parts.iter().any(|part| {
                let by_weights = match &part.weights {
                    Weights::One | Weights::Constant(..) => false,
                    Weights::Tensor(weights) => *weights == id,
                };
                part.reads == id || by_weights
            }),
            Step::Bend(_, reads) | Step::Sign(reads) | Step::Cast(reads) => *reads == id,
            Step::Mean { reads, map: _, counts: _ } => *reads == id,
            Step::Pick { reads, picks: _ } | Step::Extreme { reads, starts: _, picks: _, greatest: _ } => {
                reads.contains(&id)
            }
        }
    }
}

/// The plan of a graph of which these tensors are read.
pub(crate) fn plan(graph: &Graph, model: &PathModel, outputs: &[TensorId]) -> Result<Plan, NotCovered> {
    match model.operands {
        Operands::Exact => {}
        Operands::Rounded(format) => {
            let reason = format!("operands that are rounded to {format} are not covered yet");
            return Err(NotCovered { place: "the path model".to_owned(), reason });
        }
    }
    // Only nodes that are not covered fold.
    match model.folding {
        Folding::None | Folding::Any => {}
    }
    let mut grains = Vec::with_capacity(graph.tensors().len());
    for (id, tensor) in graph.tensors().iter().enumerate() {
        let format = tensor.format();
        let accumulator = model.accumulator(format);
        let pair = Grain::new(format, model).zip(Grain::new(accumulator, model));
        let pair = pair.filter(|_| accumulator.precision() <= Format::BINARY64.precision());
        grains.push(pair.ok_or_else(|| NotCovered {
            place: format!("tensor {id} ({:?})", tensor.name),
            reason: format!(
                "sums in {accumulator} are not covered: bounded formats of at most 53 bits of precision are"
            ),
        })?);
    }
    let mut readers = vec![0u32; graph.tensors().len()];
    for &id in graph.nodes().iter().flat_map(|node| &node.reads).chain(outputs).chain(graph.outputs()) {
        readers[id] += 1;
    }
    let needed = needed(graph, outputs);
    let mut planner = Planner { graph, model, readers: &readers, sums: vec![None; graph.tensors().len()] };
    let mut steps: Vec<Option<Step>> = Vec::new();
    for (number, node) in graph.nodes().iter().enumerate() {
        steps.push(None);
        if needed[node.writes] {
            match planner.step(number)? {
                Step::Sum(sum) => planner.sums[node.writes] = Some(sum),
                other => steps[number] = Some(other),
            }
        }
    }
    let placed = graph.nodes().iter().zip(steps).enumerate().filter_map(|(number, (node, step))| {
        // A sum that became part of another one is not evaluated by itself.
        let step = step.or_else(|| planner.sums[node.writes].take().map(Step::Sum))?;
        Some(Placed { step, writes: node.writes, node: number })
    });
    let placed = placed.collect();
    Ok(Plan { placed, grains })
}

/// Which tensors the outputs are made of.
fn needed(graph: &Graph, outputs: &[TensorId]) -> Vec<bool> {
    let mut needed = vec![false; graph.tensors().len()];
    outputs.iter().for_each(|&id| needed[id] = true);
    for node in graph.nodes().iter().rev() {
        if needed[node.writes] {
            node.reads.iter().for_each(|&id| needed[id] = true);
        }
    }
    needed
}

struct Planner<'a> {
    graph: &'a Graph,
    model: &'a PathModel,
    readers: &'a [u32],
    /// Sums that may still become part of others.
    sums: Vec<Option<Sum>>,
}

impl Planner<'_> {
    fn shape(&self, id: TensorId) -> &[usize] {
        &self.graph.tensors()[id].shape
    }

    fn is_constant(&self, id: TensorId) -> bool {
        self.graph.tensors()[id].constant().is_some()
    }

    /// The mean of what is listed.
    fn mean(&self, number: usize, map: Map, counts: Vec<u32>) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let format = self.graph.tensors()[node.writes].format();
        // The reciprocals have to be normal.
        let most = format.emin().and_then(|emin| 1u32.checked_shl(emin.unsigned_abs())).unwrap_or(u32::MAX);
        match counts.iter().find(|&&count| count == 0 || count > most) {
            Some(count) => Err(refuse(self.graph, number, format!("a mean of {count} values in {format}"))),
            None => Ok(Step::Mean { reads: node.reads[0], map, counts }),
        }
    }

    fn step(&mut self, number: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let (reads, shape) = (&node.reads, self.shape(node.writes).to_vec());
        let lists =
            |planner: &Planner| reads.iter().map(|&id| broadcast(planner.shape(id), &shape)).collect::<Vec<_>>();
        let refused = |what: &str| Err(refuse(self.graph, number, what));
        Ok(match &node.op {
            Op::MatMul => self.product(number)?,
            Op::Conv { geometry, groups } => {
                let [_, channels, ..] = *self.shape(reads[0]) else { return refused("a shape without channels") };
                let map = Map::window(geometry, shape[1], channels / groups, *groups);
                self.part(number, reads[0], reads[1], map)?
            }
            Op::Mul => {
                let (x, w) = if self.is_constant(reads[0]) { (1, 0) } else { (0, 1) };
                let [of_x, of_w] = [x, w].map(|operand| broadcast(self.shape(reads[operand]), &shape));
                self.part(number, reads[x], reads[w], Map::each(of_x, Some(of_w)))?
            }
            Op::Add => Step::Sum(self.addition(reads, false, &shape)),
            Op::Sub => Step::Sum(self.addition(reads, true, &shape)),
            Op::Max => extreme_of_two(reads, &lists(self), true),
            Op::Min => extreme_of_two(reads, &lists(self), false),
            Op::PRelu => {
                let Some(values) = self.graph.tensors()[reads[1]].constant() else {
                    return refused("slopes that are not constants");
                };
                let format = self.graph.tensors()[reads[1]].format();
                let Some((fixed, _)) = Fixed::of(format, values, SLOPE_BITS) else {
                    return refused("a slope that is not finite");
                };
                let list = &lists(self)[1];
                let spread = |ends: &[i64]| list.iter().map(|&index| ends[index as usize]).collect();
                let slopes = Fixed { unit: fixed.unit, low: spread(&fixed.low), high: spread(&fixed.high) };
                Step::Bend(Bend::Leaky(slopes.centered()), reads[0])
            }
            Op::Unary(unary) => self.unary(number, *unary, shape.iter().product())?,
            Op::Reduce { reduction, axes } => {
                let from = self.shape(reads[0]);
                let (starts, x) = groups(from, axes);
                match reduction {
                    Reduction::Sum => {
                        let map = Map::Listed { starts, x, w: None };
                        Step::Sum(single(Part { reads: reads[0], negative: false, map, weights: Weights::One }))
                    }
                    Reduction::Mean => {
                        let counts = starts.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
                        self.mean(number, Map::Listed { starts, x, w: None }, counts)?
                    }
                    Reduction::Max | Reduction::Min => {
                        if starts.windows(2).any(|pair| pair[0] == pair[1]) {
                            return refused("an extreme of nothing");
                        }
                        let picks = x.into_iter().map(|index| (0, index)).collect();
                        let greatest = match reduction {
                            Reduction::Max => true,
                            Reduction::Min | Reduction::Sum | Reduction::Mean => false,
                        };
                        Step::Extreme { reads: reads.clone(), starts, picks, greatest }
                    }
                }
            }
            Op::Pool { pool, geometry } => {
                let (mut starts, mut x, mut counts) = (vec![0], Vec::new(), Vec::new());
                for channel in 0..shape[1] {
                    for position in 0..geometry.positions() {
                        let taps = geometry.taps(position);
                        x.extend((0..taps.len()).map(|k| (channel * geometry.places() + taps.get(k).1) as u32));
                        starts.push(x.len() as u32);
                        counts.push(match pool {
                            Pool::Max | Pool::Average { padding_counts: false } => taps.len() as u32,
                            Pool::Average { padding_counts: true } => geometry.window() as u32,
                        });
                    }
                }
                match pool {
                    Pool::Max => {
                        let picks = x.into_iter().map(|index| (0, index)).collect();
                        Step::Extreme { reads: reads.clone(), starts, picks, greatest: true }
                    }
                    Pool::Average { padding_counts: _ } => {
                        self.mean(number, Map::Listed { starts, x, w: None }, counts)?
                    }
                }
            }
            Op::Arrange(picks) => {
                let picks = picks.iter().map(|pick| (pick.read, pick.element)).collect();
                Step::Pick { reads: reads.clone(), picks }
            }
            Op::Cast => Step::Cast(reads[0]),
            Op::Div
            | Op::BatchNormalization { epsilon: _ }
            | Op::Softmax { axis: _ }
            | Op::LogSoftmax { axis: _ }
            | Op::Normalize(_)
            | Op::Compare(_)
            | Op::Where => return refused("this operation is not covered yet"),
        })
    }

    fn unary(&self, number: usize, unary: Unary, elements: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let read = node.reads[0];
        let format = self.graph.tensors()[node.writes].format();
        let attribute = |encoding| {
            let values = roundproof_network::Encodings::collect(Format::BINARY32, [encoding]);
            let (fixed, exactness) = Fixed::of(Format::BINARY32, &values, 24)?;
            Some((fixed, exactness.bits))
        };
        // An attribute is there in binary32; as a value of the tensor's format it may be rounded.
        let rounded = |encoding| {
            let (mut fixed, bits) = attribute(encoding)?;
            let grain = Grain::new(format, self.model)?;
            if bits > format.precision() || fixed.unit < grain.least || format.emin() > Format::BINARY32.emin() {
                let each = grain.error(fixed.largest().into(), fixed.unit)?.checked_mul(2)?;
                let each = i64::try_from(each).ok().filter(|each| *each < 1 << 55)?;
                fixed.low[0] -= each;
                fixed.high[0] += each;
            }
            Some(fixed)
        };
        let bad = || refuse(self.graph, number, "a parameter that has no counterpart in the format of the tensor");
        let bend = match unary {
            Unary::Neg => Bend::Negate,
            Unary::Abs => Bend::Magnitude,
            Unary::Relu => Bend::Relu,
            Unary::Clip { low, high } => {
                let limit = |limit: Option<_>| limit.map(|limit| rounded(limit).ok_or_else(bad)).transpose();
                Bend::Clip { low: limit(low)?, high: limit(high)? }
            }
            Unary::LeakyRelu { slope } => {
                let slope = rounded(slope).ok_or_else(bad)?;
                let slope = slope.coarser((slope.unit).max(top(&slope) - SLOPE_BITS as i32));
                let spread = |ends: &[i64]| vec![ends[0]; elements];
                Bend::Leaky(Fixed { unit: slope.unit, low: spread(&slope.low), high: spread(&slope.high) }.centered())
            }
            Unary::Sign => return Ok(Step::Sign(read)),
            Unary::HardSigmoid { slope: _, offset: _ } | Unary::Sqrt | Unary::Reciprocal | Unary::Function(_) => {
                return Err(refuse(self.graph, number, "this operation is not covered yet"));
            }
        };
        Ok(Step::Bend(bend, read))
    }

    /// A matrix product.
    fn product(&mut self, number: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let (left, right) = (self.shape(node.reads[0]), self.shape(node.reads[1]));
        let shape = self.shape(node.writes);
        let ([.., rows, inner], [.., columns]) = (left, right) else {
            return Err(refuse(self.graph, number, "a matrix with less than two axes"));
        };
        let (rows, inner, columns) = (*rows, *inner, *columns);
        let batches = &shape[..shape.len() - 2];
        let offsets_of = |of: &[usize], size: usize| -> Vec<usize> {
            broadcast(&of[..of.len() - 2], batches).into_iter().map(|batch| batch as usize * size).collect()
        };
        let lefts = offsets_of(left, rows * inner);
        let rights = offsets_of(right, inner * columns);
        let swapped = self.is_constant(node.reads[0]) && !self.is_constant(node.reads[1]);
        let mut steps = [[inner, 0, 1], [0, 1, columns]];
        let mut offsets: Vec<(usize, usize)> = lefts.into_iter().zip(rights).collect();
        let (mut x, mut w) = (node.reads[0], node.reads[1]);
        if swapped {
            steps.swap(0, 1);
            offsets.iter_mut().for_each(|pair| *pair = (pair.1, pair.0));
            (x, w) = (w, x);
        }
        let map = Map::Product { offsets, rows, columns, inner, steps_x: steps[0], steps_w: steps[1] };
        self.part(number, x, w, map)
    }

    /// A sum of products of one tensor with another.
    fn part(&self, number: usize, x: TensorId, w: TensorId, mut map: Map) -> Result<Step, NotCovered> {
        let tensor = &self.graph.tensors()[w];
        let weights = match &tensor.source {
            Source::Constant(values) => {
                let fixed = Fixed::of(tensor.format(), values, weight_bits(map.most()));
                let Some((mut fixed, exactness)) = fixed else {
                    return Err(refuse(self.graph, number, "a weight that is not finite"));
                };
                if let Some(grain) = Grain::new(tensor.format(), self.model).filter(|grain| grain.flushed) {
                    fixed.flush(grain.emin);
                }
                // Columns become rows, so that what is added lies side by side.
                if let Map::Product { offsets, rows: _, columns, inner, steps_x: _, steps_w } = &mut map
                    && *steps_w == [0, 1, *columns]
                    && offsets.iter().all(|&(_, at)| at == 0)
                    && fixed.low.len() == *columns * *inner
                {
                    let turned = walk(&[*columns, *inner], &[1, *columns]);
                    let turn = |ends: &[i64]| turned.iter().map(|&index| ends[index as usize]).collect::<Vec<_>>();
                    (fixed.low, fixed.high) = (turn(&fixed.low), turn(&fixed.high));
                    *steps_w = [0, *inner, 1];
                }
                Weights::Constant(fixed.weights(), exactness)
            }
            Source::Input | Source::Node(_) => Weights::Tensor(w),
        };
        Ok(Step::Sum(single(Part { reads: x, negative: false, map, weights })))
    }

    /// The sum, or the difference, of two tensors.
    fn addition(&mut self, reads: &[TensorId], subtracts: bool, shape: &[usize]) -> Sum {
        let mut whole = Sum { parts: Vec::new(), boundaries: 0 };
        for (operand, &id) in reads.iter().enumerate() {
            let negative = subtracts && operand == 1;
            let alone = self.readers[id] == 1 && self.shape(id) == shape;
            match if alone { self.sums[id].take() } else { None } {
                Some(Sum { parts, boundaries }) => {
                    whole.boundaries += boundaries + 1;
                    whole.parts.extend(parts.into_iter().map(|part| {
                        let Part { reads, negative: before, map, weights } = part;
                        Part { reads, negative: before != negative, map, weights }
                    }));
                }
                None => {
                    let map = Map::each(broadcast(self.shape(id), shape), None);
                    whole.parts.push(Part { reads: id, negative, map, weights: Weights::One });
                }
            }
        }
        whole
    }
}

/// Bits of slopes.
const SLOPE_BITS: u32 = 24;

fn extreme_of_two(reads: &[TensorId], lists: &[Vec<u32>], greatest: bool) -> Step {
    let picks = lists[0].iter().zip(&lists[1]).flat_map(|(&left, &right)| [(0, left), (1, right)]).collect();
    let starts = (0..=lists[0].len() as u32).map(|element| 2 * element).collect();
    Step::Extreme { reads: reads.to_vec(), starts, picks, greatest }
}

fn single(part: Part) -> Sum {
    Sum { parts: vec![part], boundaries: 0 }
}

/// The exponent of a power of two above all ends.
pub(crate) fn top(fixed: &Fixed) -> i32 {
    fixed.unit + (u64::BITS - fixed.largest().leading_zeros()) as i32
}

/// For each element of what a reduction over axes makes, which elements it is made of.
fn groups(from: &[usize], axes: &[usize]) -> (Vec<u32>, Vec<u32>) {
    let mut steps = vec![1; from.len()];
    for axis in (1..from.len()).rev() {
        steps[axis - 1] = steps[axis] * from[axis];
    }
    let choose = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        (0..from.len()).filter(|axis| axes.contains(axis) == inside).map(|axis| (from[axis], steps[axis])).unzip()
    };
    let ((kept, kept_steps), (gone, gone_steps)) = (choose(false), choose(true));
    let inner = walk(&gone, &gone_steps);
    let mut starts = vec![0];
    let mut x = Vec::new();
    for place in walk(&kept, &kept_steps) {
        x.extend(inner.iter().map(|step| place + step));
        starts.push(x.len() as u32);
    }
    (starts, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_take_every_element_once() {
        assert_eq!(groups(&[2, 3], &[1]), (vec![0, 3, 6], vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(groups(&[2, 3], &[0]), (vec![0, 2, 4, 6], vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(groups(&[2, 2], &[0, 1]), (vec![0, 4], vec![0, 1, 2, 3]));
        assert_eq!(groups(&[2], &[]), (vec![0, 1, 2], vec![0, 1]));
    }
}
