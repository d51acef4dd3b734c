//! What a graph is under a path model: sums with all their leaves, and what stands between them.
//!
//! A matrix product, a convolution, a sum over axes or an element-wise product is a sum, and so is the addition (or subtraction) of two
//! tensors. If what is added is itself a sum that nothing else reads, the leaves of that sum are leaves of this one: runtimes start sums
//! at a bias, add residuals before they store, and keep the excess precision in between. A tensor that several nodes read, or that is
//! an output, is a value of its own: one leaf.

use roundproof_format::{Encoding, Format, Subnormals};
use roundproof_graph::{Graph, Op, Pool, Reduction, Source, TensorId, Unary};
use roundproof_network::Encodings;

use crate::affine::{factors, reciprocals};
use crate::error::{NotCovered, refuse};
use crate::fixed::{BITS, Centered, Exactness, Fixed, weight_bits};
use crate::linear::{Map, broadcast, walk};
use crate::model::{Copies, Division, Folding, Narrowing, Operands, PathModel};
use crate::rounding::{Grain, power};

/// One evaluation, of one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub step: Step,
    pub writes: TensorId,
    /// The node that makes the tensor.
    pub node: usize,
    /// How many leaves there are in the sums up to this one, about.
    pub work: usize,
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
    /// Quotients of elements of two tensors.
    Quotient { reads: [TensorId; 2], lists: [Vec<u32>; 2] },
    /// -1, 0 or 1.
    Sign(TensorId),
    /// Rounded to the format of the result.
    Cast(TensorId),
}

/// A sum, in each way in which its leaves may be chosen. The first has what is known of the tensors it reads; in the others constant
/// affine maps are folded into weights.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub ways: Vec<Way>,
}

/// Leaves that are added.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub parts: Vec<Part>,
    /// How many values on the way to the sum may be narrowed: those of each node, but for the last.
    pub boundaries: u64,
    /// The exponent of what else may be lost on the way, where the sum of leaves is multiplied.
    pub lost: Option<i32>,
    /// Tensors of which the second may be subtracted from the first before anything is multiplied: that must be in range.
    pub subtracts: Option<[TensorId; 2]>,
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
    /// Between limits.
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
    /// How many leaves its sums have, about.
    fn leaves(&self) -> usize {
        match self {
            Step::Sum(Sum { ways }) => {
                let parts = ways.first().into_iter().flat_map(|way| &way.parts);
                parts.map(|part| part.map.elements().saturating_mul(part.map.most())).fold(0, usize::saturating_add)
            }
            Step::Mean { reads: _, map, counts: _ } => map.elements().saturating_mul(map.most()),
            Step::Bend(_, _)
            | Step::Pick { reads: _, picks: _ }
            | Step::Extreme { reads: _, starts: _, picks: _, greatest: _ }
            | Step::Quotient { reads: _, lists: _ }
            | Step::Sign(_)
            | Step::Cast(_) => 0,
        }
    }

    /// Whether a tensor is read, but as constant weights.
    pub fn reads(&self, id: TensorId) -> bool {
        match self {
            Step::Sum(Sum { ways }) => ways.iter().flat_map(|way| &way.parts).any(|part| {
                let by_weights = match &part.weights {
                    Weights::One | Weights::Constant(_, _) => false,
                    Weights::Tensor(weights) => *weights == id,
                };
                part.reads == id || by_weights
            }),
            Step::Quotient { reads, lists: _ } => reads.contains(&id),
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
    // Every field has a rule: `Grain` rounds and flushes, the bound of sums holds in any order with any contraction, and takes narrowings
    // and parts as counts; means and quotients are bounded in each form of division, normalizations in each form of folding.
    let PathModel {
        rounding: _,
        order: _,
        contraction: _,
        accumulator: _,
        narrowing,
        partials: _,
        copies,
        subnormals,
        division: _,
        folding: _,
        operands,
    } = *model;
    match operands {
        Operands::Exact => {}
        Operands::Rounded(format) => {
            let reason = format!("operands that are rounded to {format} are not covered yet");
            return Err(NotCovered { place: "the path model".to_owned(), reason });
        }
    }
    // One copy of a tensor that its readers flush or narrow apart is not one.
    let flushed = match subnormals {
        Subnormals::Gradual => None,
        Subnormals::Flush => Some("copies=one with subnormals=flush is not covered; copies=per-reader is"),
    };
    let narrowed = match narrowing {
        Narrowing::Once | Narrowing::Bias => None,
        Narrowing::Optional => Some("copies=one with narrowing=optional is not covered; copies=per-reader is"),
    };
    let apart = match copies {
        Copies::PerReader => None,
        Copies::One => flushed.or(narrowed),
    };
    if let Some(reason) = apart {
        return Err(NotCovered { place: "the path model".to_owned(), reason: reason.to_owned() });
    }
    let mut grains = Vec::with_capacity(graph.tensors().len());
    for (id, tensor) in graph.tensors().iter().enumerate() {
        let format = tensor.format();
        let accumulator = model.accumulator(format).ok_or_else(|| NotCovered {
            place: format!("tensor {id} ({:?})", tensor.name),
            reason: format!("the accumulator of the path model does not have every value of {format}; accumulator=same, or a wider one, has"),
        })?;
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
    let mut work = 0usize;
    let placed = graph.nodes().iter().zip(steps).enumerate().filter_map(|(number, (node, step))| {
        // A sum that became part of another one is not evaluated by itself.
        let step = step.or_else(|| planner.sums[node.writes].take().map(Step::Sum))?;
        work = work.saturating_add(step.leaves());
        Some(Placed { step, writes: node.writes, node: number, work })
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
            Op::Add => Step::Sum(self.addition(number, reads, false, &shape)?),
            Op::Sub => Step::Sum(self.addition(number, reads, true, &shape)?),
            Op::Max => extreme_of_two(reads, &lists(self), true),
            Op::Min => extreme_of_two(reads, &lists(self), false),
            Op::PRelu => {
                let Some(values) = self.graph.tensors()[reads[1]].constant() else {
                    return refused("slopes that are not constants");
                };
                let format = self.graph.tensors()[reads[1]].format();
                let Some((mut fixed, _)) = Fixed::of(format, values, SLOPE_BITS) else {
                    return refused("a slope that is not finite");
                };
                if let Some(grain) = Grain::new(format, self.model).filter(|grain| grain.flushed) {
                    fixed.flush(grain.emin);
                }
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
            Op::Div => self.quotient(number, &shape)?,
            Op::BatchNormalization { epsilon } => self.batch_normalization(number, *epsilon)?,
            Op::Softmax { axis: _ } | Op::LogSoftmax { axis: _ } | Op::Normalize(_) | Op::Compare(_) | Op::Where => {
                return refused("this operation is not covered yet");
            }
        })
    }

    fn unary(&self, number: usize, unary: Unary, elements: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let read = node.reads[0];
        let format = self.graph.tensors()[node.writes].format();
        let attribute = |format: Format, encoding| {
            let values = Encodings::collect(format, [encoding]);
            let (fixed, exactness) = Fixed::of(format, &values, BITS)?;
            Some((fixed, exactness.bits))
        };
        // An attribute is there in binary32; as a value of the tensor's format it may be rounded.
        let rounded = |encoding| {
            let (mut fixed, bits) = attribute(Format::BINARY32, encoding)?;
            let grain = Grain::new(format, self.model)?;
            if bits > format.precision() || fixed.unit < grain.least || format.emin() > Format::BINARY32.emin() {
                let each = grain.error(fixed.largest().into(), fixed.unit)?.checked_mul(2)?;
                let each = i64::try_from(each).ok().filter(|each| *each < 1 << 55)?;
                fixed.low[0] -= each;
                fixed.high[0] += each;
            }
            if grain.flushed {
                fixed.flush(grain.emin);
            }
            grain.reaches(fixed.largest().into(), fixed.unit).then_some(fixed)
        };
        let bad = || refuse(self.graph, number, "a parameter that has no counterpart in the format of the tensor");
        let bend = match unary {
            Unary::Neg => Bend::Negate,
            Unary::Abs => Bend::Magnitude,
            Unary::Relu => Bend::Relu,
            Unary::Clip { low, high } => {
                let fixed = |limit| attribute(format, limit).map(|(fixed, _)| fixed).ok_or_else(bad);
                let limit = |limit: Option<_>| limit.map(fixed).transpose();
                let limits = [limit(low)?, limit(high)?];
                let flushed = Grain::new(format, self.model).filter(|grain| grain.flushed);
                let mut subnormal = limits.iter().flatten().filter_map(|limit| {
                    let mut other = limit.clone();
                    other.flush(flushed?.emin);
                    (other != *limit).then_some(())
                });
                if subnormal.next().is_some() {
                    return Err(refuse(self.graph, number, "a limit that may be flushed"));
                }
                let [low, high] = limits;
                Bend::Clip { low, high }
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

    /// The tensor behind moved or negated elements.
    fn origin(&self, mut id: TensorId) -> TensorId {
        loop {
            let node = match &self.graph.tensors()[id].source {
                Source::Node(number) => &self.graph.nodes()[*number],
                Source::Input | Source::Constant(_) => return id,
            };
            match &node.op {
                Op::Arrange(_) | Op::Unary(Unary::Neg) if node.reads.len() == 1 => id = node.reads[0],
                Op::Arrange(_)
                | Op::Unary(_)
                | Op::MatMul
                | Op::Conv { geometry: _, groups: _ }
                | Op::Add
                | Op::Sub
                | Op::Mul
                | Op::Div
                | Op::Max
                | Op::Min
                | Op::PRelu
                | Op::Reduce { reduction: _, axes: _ }
                | Op::Pool { pool: _, geometry: _ }
                | Op::BatchNormalization { epsilon: _ }
                | Op::Softmax { axis: _ }
                | Op::LogSoftmax { axis: _ }
                | Op::Normalize(_)
                | Op::Cast
                | Op::Compare(_)
                | Op::Where => return id,
            }
        }
    }

    /// The sum, or the difference, of two tensors.
    ///
    /// A sum whose elements are moved, broadcast or negated before something is added to it, or that others read and runtimes form again
    /// for this reader, may be one sum with what is added all the same. That is not covered.
    fn addition(
        &mut self,
        number: usize,
        reads: &[TensorId],
        subtracts: bool,
        shape: &[usize],
    ) -> Result<Sum, NotCovered> {
        let empty = Way { parts: Vec::new(), boundaries: 0, lost: None, subtracts: None };
        let mut whole = Sum { ways: vec![empty] };
        for (operand, &id) in reads.iter().enumerate() {
            let negative = subtracts && operand == 1;
            let alone = self.readers[id] == 1 && self.shape(id) == shape;
            let origin = self.origin(id);
            let formed_once = match self.model.copies {
                Copies::One => self.readers[origin] > 1,
                Copies::PerReader => false,
            };
            if self.sums[origin].is_some() && !(alone && origin == id) && !formed_once {
                return Err(refuse(
                    self.graph,
                    number,
                    "a sum that others read too, or whose elements are moved, broadcast or negated before this addition: runtimes may \
                     form all of it as one sum, which is not covered yet",
                ));
            }
            let read = match if alone { self.sums[id].take() } else { None } {
                Some(Sum { ways }) => ways.into_iter().map(|way| way.into_operand(negative)).collect(),
                None => {
                    let map = Map::each(broadcast(self.shape(id), shape), None);
                    let part = Part { reads: id, negative, map, weights: Weights::One };
                    vec![Way { parts: vec![part], boundaries: 0, lost: None, subtracts: None }]
                }
            };
            if whole.ways.len() * read.len() > MOST_WAYS {
                return Err(refuse(self.graph, number, "a sum of too many normalizations"));
            }
            let all: Option<Vec<Way>> =
                whole.ways.iter().flat_map(|way| read.iter().map(|more| way.with(more))).collect();
            let Some(all) = all else {
                return Err(refuse(self.graph, number, "a sum of two normalizations, which is not covered yet"));
            };
            whole.ways = all;
        }
        Ok(whole)
    }

    /// The quotient by a constant, as a product with its reciprocal; or by another tensor.
    fn quotient(&self, number: usize, shape: &[usize]) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let [x, w] = [0, 1].map(|operand| broadcast(self.shape(node.reads[operand]), shape));
        let divisor = &self.graph.tensors()[node.reads[1]];
        let Some(values) = divisor.constant() else {
            return Ok(Step::Quotient { reads: [node.reads[0], node.reads[1]], lists: [x, w] });
        };
        let format = divisor.format();
        let Some((fixed, powers)) = reciprocals(format, values) else {
            return Err(refuse(
                self.graph,
                number,
                format!("a divisor that is zero or has no normal reciprocal in {format}"),
            ));
        };
        let fixed = match self.model.division {
            // A reciprocal that was rounded, perhaps to the format of the tensor.
            Division::Any if !powers => fixed.loosened(format.precision() - 1),
            Division::Any | Division::Quotient => fixed,
        };
        let exactness = if powers { Exactness { grid: fixed.unit, bits: 1 } } else { INEXACT };
        let part = Part {
            reads: node.reads[0],
            negative: false,
            map: Map::each(x, Some(w)),
            weights: Weights::Constant(fixed.weights(), exactness),
        };
        Ok(Step::Sum(single(part)))
    }

    /// A batch normalization: `a (x - mean) + bias` with `a = scale / sqrt(variance + epsilon)`.
    ///
    /// Runtimes form `a` by some of: rounding epsilon to the format, the sum, the root, a reciprocal or a quotient, the product with
    /// the scale, and rounding to the format: six roundings, each by a factor within `1 +- 2^(1-p)`. What is added is `a x - a mean +
    /// bias`, in any tree; or `a (x - mean) + bias`, in which a rounding of the difference is one of `a` for both products, and one of the
    /// product the next; or `a x + c` with a rounded `c`. So all of these are trees over three leaves, with factors within `a (1 +- 8
    /// 2^(1-p))`. Twice as much is allowed.
    ///
    /// If folding is allowed and `x` is a sum that nothing else reads, its leaves may be multiplied instead: weights `a w`, rounded once
    /// more.
    fn batch_normalization(&self, number: usize, epsilon: Encoding) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let [x, scale, bias, mean, variance] = node.reads[..] else {
            return Err(refuse(self.graph, number, "another number of operands than five"));
        };
        let tensor = &self.graph.tensors()[node.writes];
        let (format, shape) = (tensor.format(), &tensor.shape);
        let constant = |id: TensorId| self.graph.tensors()[id].constant();
        let (Some(scales), Some(variances)) = (constant(scale), constant(variance)) else {
            return Err(refuse(self.graph, number, "scales or variances that are not constants"));
        };
        if format.precision() < 8 || format.emin().is_none_or(|emin| emin > Format::BFLOAT16.emin().unwrap_or(0)) {
            return Err(refuse(self.graph, number, format!("its constants in {format} are not covered")));
        }
        let Some(fixed) = factors(format, scales, variances, epsilon) else {
            return Err(refuse(
                self.graph,
                number,
                "a variance that is not positive, or a factor that is too large or too small",
            ));
        };
        let factors = fixed.loosened(format.precision() - 5);
        let ahead = shape.len() - 2;
        let of_channel = broadcast(&[&shape[1..2], &vec![1; ahead][..]].concat(), shape);
        let all = (0..of_channel.len() as u32).collect();
        let product = |reads: TensorId, list: Vec<u32>, negative| Part {
            reads,
            negative,
            map: Map::each(list, Some(of_channel.clone())),
            weights: Weights::Constant(factors.weights(), INEXACT),
        };
        let one = |reads: TensorId| Part {
            reads,
            negative: false,
            map: Map::each(of_channel.clone(), None),
            weights: Weights::One,
        };
        // A quotient of the difference and the root may fall below the grid, or be flushed, before it is multiplied by the scale; the
        // difference may be flushed before it is multiplied by the factor.
        let wide = Fixed::of(format, scales, BITS).map(|(fixed, _)| fixed).zip(Grain::new(format, self.model));
        let Some((scale_values, grain)) = wide else {
            return Err(refuse(self.graph, number, "scales that are not finite"));
        };
        let lost =
            Some(if grain.flushed { grain.emin } else { grain.least } + top(&factors).max(top(&scale_values)) + 1);
        let normal = |fixed: &Fixed| {
            let mut flushed = fixed.clone();
            flushed.flush(grain.emin);
            flushed == *fixed
        };
        if !normal(&scale_values) {
            return Err(refuse(self.graph, number, "a scale that is subnormal"));
        }
        let plain = Way {
            parts: vec![product(x, all, false), product(mean, of_channel.clone(), true), one(bias)],
            boundaries: 2,
            lost,
            subtracts: Some([x, mean]),
        };
        let mut ways = vec![plain];
        let folds = match self.model.folding {
            Folding::None => false,
            Folding::Any => self.readers[x] == 1,
        };
        if folds && let Some(Sum { ways: before }) = &self.sums[x] {
            for way in before {
                let mut parts = vec![product(mean, of_channel.clone(), true), one(bias)];
                for part in &way.parts {
                    let Some(folded) = part.multiplied(&factors, &of_channel) else {
                        return Err(refuse(
                            self.graph,
                            number,
                            "folding into the sum before it; `folding=none` leaves that out",
                        ));
                    };
                    let weights = match &folded.weights {
                        Weights::Constant(weights, _) => weights,
                        Weights::One | Weights::Tensor(_) => {
                            return Err(refuse(self.graph, number, "folding into what is not a sum with constants"));
                        }
                    };
                    if !are_normal(weights, grain) {
                        return Err(refuse(
                            self.graph,
                            number,
                            "a folded weight may be subnormal, or beyond the largest value; `folding=none` leaves folding out",
                        ));
                    }
                    parts.push(folded);
                }
                if way.subtracts.is_some() || way.lost.is_some() {
                    return Err(refuse(self.graph, number, "a normalization of a normalization"));
                }
                ways.push(Way { parts, boundaries: way.boundaries + 2, lost, subtracts: None });
            }
        }
        Ok(Step::Sum(Sum { ways }))
    }
}

impl Way {
    /// As part of another sum.
    fn into_operand(self, negated: bool) -> Way {
        let Way { parts, boundaries, lost, subtracts } = self;
        let parts = parts.into_iter().map(|Part { reads, negative, map, weights }| Part {
            reads,
            negative: negative != negated,
            map,
            weights,
        });
        Way { parts: parts.collect(), boundaries: boundaries + 1, lost, subtracts }
    }

    /// With more leaves; none if both are differences that have to be in range.
    fn with(&self, more: &Way) -> Option<Way> {
        let subtracts = match (self.subtracts, more.subtracts) {
            (Some(_), Some(_)) => return None,
            (one, other) => one.or(other),
        };
        // Both may be lost: twice the larger one.
        let lost = match (self.lost, more.lost) {
            (Some(one), Some(other)) => Some(one.max(other) + 1),
            (one, other) => one.or(other),
        };
        Some(Way {
            parts: self.parts.iter().chain(&more.parts).cloned().collect(),
            boundaries: self.boundaries + more.boundaries,
            lost,
            subtracts,
        })
    }
}

impl Part {
    /// The same leaves, each times the factor of its channel; none if that is not a sum of the same form.
    fn multiplied(&self, factors: &Fixed, of_channel: &[u32]) -> Option<Part> {
        let Part { reads, negative, map, weights } = self;
        let (map, weights) = match (map, weights) {
            (Map::Listed { starts, x, w: None }, Weights::One) if x.len() == of_channel.len() => {
                let map = Map::Listed { starts: starts.clone(), x: x.clone(), w: Some(of_channel.to_vec()) };
                (map, factors.weights())
            }
            (Map::Product { offsets, rows: 1, columns, inner, steps_x: _, steps_w }, Weights::Constant(w, _))
                if offsets.len() == 1 && *steps_w == [0, *inner, 1] && *columns == factors.low.len() =>
            {
                (map.clone(), w.multiplied(factors, |index| index / inner))
            }
            (Map::Window { taps: _, places: _, window, outputs, channels, group: _ }, Weights::Constant(w, _))
                if *outputs == factors.low.len() =>
            {
                let each = window * channels;
                (map.clone(), w.multiplied(factors, |index| index / each))
            }
            (Map::Listed { starts: _, x: _, w: _ } | Map::Product { .. } | Map::Window { .. }, _) => return None,
        };
        Some(Part { reads: *reads, negative: *negative, map, weights: Weights::Constant(weights, INEXACT) })
    }
}

/// What is a constant, but for its rounding.
const INEXACT: Exactness = Exactness { grid: -(1 << 24), bits: 1 << 12 };
/// The most ways in which one sum may be formed.
const MOST_WAYS: usize = 16;
/// Bits of slopes.
const SLOPE_BITS: u32 = 24;

fn extreme_of_two(reads: &[TensorId], lists: &[Vec<u32>], greatest: bool) -> Step {
    let picks = lists[0].iter().zip(&lists[1]).flat_map(|(&left, &right)| [(0, left), (1, right)]).collect();
    let starts = (0..=lists[0].len() as u32).map(|element| 2 * element).collect();
    Step::Extreme { reads: reads.to_vec(), starts, picks, greatest }
}

fn single(part: Part) -> Sum {
    Sum { ways: vec![Way { parts: vec![part], boundaries: 0, lost: None, subtracts: None }] }
}

/// Whether each weight is zero, or a normal value on every path.
fn are_normal(weights: &Centered, grain: Grain) -> bool {
    let least = power(grain.emin, weights.unit).unwrap_or(u128::MAX);
    weights.center.iter().enumerate().all(|(index, center)| {
        let radius = weights.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
        let magnitude = center.unsigned_abs();
        let is_zero = magnitude == 0 && radius == 0;
        let most = u128::from(magnitude) + u128::from(radius);
        is_zero || (u128::from(magnitude.saturating_sub(radius)) >= least && grain.reaches(most, weights.unit))
    })
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
