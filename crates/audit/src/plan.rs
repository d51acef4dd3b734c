//! What a graph is under a path model: sums with all their leaves, and what stands between them.
//!
//! A matrix product, a convolution, a sum over axes or an element-wise product is a sum, and so is the addition (or subtraction) of two
//! tensors. If what is added is itself a sum, or made of elements of sums by moving or negating them, the leaves of these sums are leaves
//! of this one: runtimes start sums at a bias, add residuals before they store, and keep the excess precision in between. That a sum is
//! formed by itself, stored, and added then, is one of the trees over the same leaves: `additions` has the reasons.
//!
//! Here is what a plan is and how it is made; `steps` says what each operation is, `products`, `additions` and `normalization` what the
//! sums are.

mod additions;
mod normalization;
mod products;
mod steps;

use std::ops::Range;
use std::sync::Arc;

use roundproof_format::{Format, Subnormals};
use roundproof_graph::{Graph, Node, Source, TensorId};

use crate::ends::Ends;
use crate::error::{NotCovered, refuse, tensor_place};
use crate::fixed::{Centered, Exactness, Fixed};
use crate::linear::Map;
use crate::model::{Copies, Narrowing, Operands, PathModel};
use crate::operands::Factors;
use crate::rounding::Grain;

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
    /// What is enclosed by the ends of what it reads.
    Ends(Ends),
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
    /// Sums that became part of this one.
    pub inner: Vec<Inner>,
    /// How many further values on the way to the sum may be narrowed, of whichever leaves.
    pub boundaries: u64,
    /// The exponent of what else may be lost on the way, where the sum of leaves is multiplied.
    pub lost: Option<i32>,
    /// Tensors of which the second may be subtracted from the first before anything is multiplied: that must be in range.
    pub subtracts: Vec<[TensorId; 2]>,
}

/// A sum within another: the node whose value the sum of these parts is.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub parts: Range<usize>,
    /// Whether it may be a value of its tensor, whatever the path model says of narrowing: if others read it too, or move its elements.
    pub stored: bool,
}

/// Leaves of one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub reads: TensorId,
    pub negative: bool,
    pub map: Arc<Map>,
    pub weights: Weights,
}

/// What the elements of a tensor are multiplied by.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    /// Nothing.
    One,
    /// Constants.
    Constant(Arc<Centered>, Exactness),
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
    /// Into which the factors of products may be rounded.
    pub factors: Option<Factors>,
    /// Whether a tensor is folded into another one on some paths, where it would have been the exact sum of its leaves.
    pub folded: Vec<bool>,
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
            | Step::Ends(_)
            | Step::Sign(_)
            | Step::Cast(_) => 0,
        }
    }

    /// The tensors that are read, but for constant weights; some more than once.
    fn operands(&self) -> Vec<TensorId> {
        match self {
            Step::Sum(Sum { ways }) => {
                let parts = ways.iter().flat_map(|way| &way.parts);
                let operands = parts.flat_map(|part| {
                    let by_weights = match &part.weights {
                        Weights::One | Weights::Constant(_, _) => None,
                        Weights::Tensor(weights) => Some(*weights),
                    };
                    [part.reads].into_iter().chain(by_weights)
                });
                operands.chain(ways.iter().flat_map(|way| way.subtracts.iter().flatten().copied())).collect()
            }
            Step::Ends(ends) => ends.operands(),
            Step::Quotient { reads, lists: _ } => reads.to_vec(),
            Step::Bend(_, reads) | Step::Sign(reads) | Step::Cast(reads) => vec![*reads],
            Step::Mean { reads, map: _, counts: _ } => vec![*reads],
            Step::Pick { reads, picks: _ } | Step::Extreme { reads, starts: _, picks: _, greatest: _ } => reads.clone(),
        }
    }

    /// The tensors that the first way of a sum reads, and another one does not.
    fn folds(&self) -> Vec<TensorId> {
        match self {
            Step::Sum(Sum { ways }) => {
                let reads = |way: &Way, id: TensorId| way.parts.iter().any(|part| part.reads == id);
                let first = ways.iter().take(1).flat_map(|way| &way.parts).map(|part| part.reads);
                first.filter(|&id| ways.iter().any(|way| !reads(way, id))).collect()
            }
            Step::Bend(_, _)
            | Step::Pick { reads: _, picks: _ }
            | Step::Extreme { reads: _, starts: _, picks: _, greatest: _ }
            | Step::Mean { reads: _, map: _, counts: _ }
            | Step::Quotient { reads: _, lists: _ }
            | Step::Ends(_)
            | Step::Sign(_)
            | Step::Cast(_) => Vec::new(),
        }
    }

    /// Whether a tensor is read, but as constant weights.
    pub fn reads(&self, id: TensorId) -> bool {
        self.operands().contains(&id)
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
        functions: _,
    } = *model;
    let mut refusals = Vec::new();
    let mut refused = |NotCovered { refusals: more }: NotCovered| refusals.extend(more);
    let factors = match operands {
        Operands::Exact => None,
        Operands::Rounded(format) => match Factors::new(format, model) {
            Some(factors) => Some(factors),
            None => {
                let reason = format!(
                    "operands that are rounded to {format} are not covered: a format with a largest value is needed"
                );
                refused(NotCovered::at("the path model", reason));
                None
            }
        },
    };
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
        refused(NotCovered::at("the path model", reason));
    }
    let mut grains = Vec::with_capacity(graph.tensors().len());
    // The first tensor of each format that is not covered.
    let mut formats: Vec<Format> = Vec::new();
    for (id, tensor) in graph.tensors().iter().enumerate() {
        let format = tensor.format();
        match pair(model, format) {
            Ok(pair) => grains.push(pair),
            Err(_) if formats.contains(&format) => {}
            Err(reason) => {
                refused(NotCovered::at(tensor_place(graph, id), reason));
                formats.push(format);
            }
        }
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
            match planner.step(number) {
                Ok(Step::Sum(sum)) => planner.sums[node.writes] = Some(sum),
                Ok(other) => {
                    steps[number] = Some(other);
                    match planner.moved(number) {
                        Ok(sum) => planner.sums[node.writes] = sum,
                        Err(error) => refused(error),
                    }
                }
                Err(error) => refused(error),
            }
        }
    }
    if !refusals.is_empty() {
        return Err(NotCovered { refusals });
    }
    // What is part of other sums alone is not evaluated by itself.
    let mut read = vec![false; graph.tensors().len()];
    outputs.iter().for_each(|&id| read[id] = true);
    let mut placed = Vec::new();
    for (number, (node, step)) in graph.nodes().iter().zip(steps).enumerate().rev() {
        let step = step.or_else(|| planner.sums[node.writes].take().map(Step::Sum));
        if let Some(step) = step.filter(|_| read[node.writes]) {
            step.operands().into_iter().for_each(|id| read[id] = true);
            placed.push(Placed { step, writes: node.writes, node: number, work: 0 });
        }
    }
    placed.reverse();
    let mut work = 0usize;
    for placed in &mut placed {
        work = work.saturating_add(placed.step.leaves());
        placed.work = work;
    }
    let mut folded = vec![false; graph.tensors().len()];
    for placed in &placed {
        placed.step.folds().into_iter().for_each(|id| folded[id] = true);
    }
    if let Some(factors) = &factors {
        factors.widen(&mut placed).map_err(|number| {
            refuse(
                graph,
                number,
                format!("a weight that may be beyond the largest value of the format in operands={}", model.operands),
            )
        })?;
    }
    Ok(Plan { placed, grains, factors, folded })
}

/// How tensors of a format are stored, and how they are formed; or why that is not covered.
fn pair(model: &PathModel, format: Format) -> Result<(Grain, Grain), String> {
    let accumulator = model.accumulator(format).ok_or_else(|| {
        format!("the accumulator of the path model does not have every value of {format}; accumulator=same, or a wider one, has")
    })?;
    let pair = Grain::new(format, model).zip(Grain::new(accumulator, model));
    pair.filter(|_| accumulator.precision() <= Format::BINARY64.precision()).ok_or_else(|| {
        format!("sums in {accumulator} are not covered: bounded formats of at most 53 bits of precision are")
    })
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
    /// Of each tensor the sum that it is, or whose elements it is made of by moving them alone.
    sums: Vec<Option<Sum>>,
}

impl Planner<'_> {
    fn shape(&self, id: TensorId) -> &[usize] {
        &self.graph.tensors()[id].shape
    }

    /// The node that makes a tensor, if one does.
    fn made_by(&self, id: TensorId) -> Option<&Node> {
        match &self.graph.tensors()[id].source {
            Source::Node(number) => self.graph.nodes().get(*number),
            Source::Input | Source::Constant(_) => None,
        }
    }

    fn is_constant(&self, id: TensorId) -> bool {
        self.graph.tensors()[id].constant().is_some()
    }
}

/// What is a constant, but for its rounding.
const INEXACT: Exactness = Exactness { grid: -(1 << 24), bits: 1 << 12 };

fn single(part: Part) -> Sum {
    Sum { ways: vec![Way::of(vec![part])] }
}

impl Way {
    /// Leaves that are added, and nothing else.
    fn of(parts: Vec<Part>) -> Way {
        Way { parts, inner: Vec::new(), boundaries: 0, lost: None, subtracts: Vec::new() }
    }
}
