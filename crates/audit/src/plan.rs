//! What a graph is under a path model: sums with all their leaves, and what stands between them.
//!
//! A matrix product, a convolution, a sum over axes or an element-wise product is a sum, and so is the addition (or subtraction) of two
//! tensors. If what is added is itself a sum that nothing else reads, the leaves of that sum are leaves of this one: runtimes start sums
//! at a bias, add residuals before they store, and keep the excess precision in between. A tensor that several nodes read, or that is
//! an output, is a value of its own: one leaf.
//!
//! Here is what a plan is and how it is made; `steps` says what each operation is, `products`, `additions` and `normalization` what the
//! sums are.

mod additions;
mod normalization;
mod products;
mod steps;

use roundproof_format::{Format, Subnormals};
use roundproof_graph::{Graph, TensorId};

use crate::error::NotCovered;
use crate::fixed::{Centered, Exactness, Fixed};
use crate::linear::Map;
use crate::model::{Copies, Narrowing, Operands, PathModel};
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
}

/// What is a constant, but for its rounding.
const INEXACT: Exactness = Exactness { grid: -(1 << 24), bits: 1 << 12 };

fn single(part: Part) -> Sum {
    Sum { ways: vec![Way { parts: vec![part], boundaries: 0, lost: None, subtracts: None }] }
}
