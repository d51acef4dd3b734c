//! Steps whose elements are enclosed by the ends of what they read.
//!
//! - **Comparisons** give 0 or 1: one of them where the intervals say which, both else. What is compared may be flushed first.
//! - **Choices** (`Where`) move elements where the condition is certain, and give what holds both elsewhere. A condition that is
//!   subnormal may be flushed, and then is false.
//! - Functions of one element are in `curve`, quotients by norms in `normalize`, Softmax in `softmax`.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{Comparison, Graph, Norm, Op, TensorId, Unary};
use roundproof_network::Encodings;

use crate::curve::{Curve, Ramp};
use crate::error::{NotCovered, refuse};
use crate::fixed::{BITS, Exactness, Fixed};
use crate::forward::{Context, Lost, State};
use crate::functions::Bound;
use crate::linear::broadcast;
use crate::model::PathModel;
use crate::rounding::Grain;
use crate::span::Span;

/// Such a step.
#[derive(Clone, Debug)]
pub(crate) enum Ends {
    /// A function of each element.
    Curve(Box<Curve>, TensorId),
    /// Between 0 and 1, linear in between.
    Ramp(Box<Ramp>, TensorId),
    /// Comparisons of elements of two tensors.
    Compare { comparison: Comparison, reads: [TensorId; 2], lists: [Vec<u32>; 2] },
    /// Elements of the second tensor where that of the first is not zero, of the third elsewhere.
    Where { reads: [TensorId; 3], lists: [Vec<u32>; 3] },
    /// Quotients by a norm of the elements of a lane, so many one after the other.
    Normalize { norm: Norm, reads: TensorId, lane: usize },
    /// Softmax over lanes, or its logarithm.
    Softmax { reads: TensorId, lanes: Vec<Vec<u32>>, exp: Bound, log: Option<Bound> },
}

impl Ends {
    /// The step of a node; none if it is not one of these.
    pub fn of(graph: &Graph, number: usize, model: &PathModel) -> Result<Option<Ends>, NotCovered> {
        let node = &graph.nodes()[number];
        let reads = &node.reads;
        let tensor = &graph.tensors()[node.writes];
        let format = tensor.format();
        let list = |operand: usize| broadcast(&graph.tensors()[reads[operand]].shape, &tensor.shape);
        let bound = |function| {
            let formed = model.accumulator(format).unwrap_or(format);
            model.functions.bound(function, formed).ok_or_else(|| {
                refuse(
                    graph,
                    number,
                    format!(
                        "runtimes approximate {} each in its own way, and functions={} says nothing of it in {formed}; functions=measured \
                         has a table of measured runtimes, for binary32 and binary64, and verdicts then rest on that table",
                        function.name(),
                        model.functions
                    ),
                )
            })
        };
        Ok(Some(match &node.op {
            Op::Unary(Unary::Sqrt) => Ends::Curve(Box::new(Curve::root()), reads[0]),
            Op::Unary(Unary::Reciprocal) => Ends::Curve(Box::new(Curve::reciprocal()), reads[0]),
            Op::Unary(Unary::Function(function)) => {
                Ends::Curve(Box::new(Curve::of(*function, bound(*function)?)), reads[0])
            }
            Op::Unary(Unary::HardSigmoid { slope, offset }) => {
                let constant = |encoding| {
                    let fixed = attribute(encoding, format, model);
                    fixed.map(|fixed| Span::of(&fixed, 0)).ok_or_else(|| {
                        refuse(graph, number, "a parameter that has no counterpart in the format of the tensor")
                    })
                };
                Ends::Ramp(Box::new(Ramp { slope: constant(*slope)?, offset: constant(*offset)? }), reads[0])
            }
            Op::Compare(comparison) => {
                Ends::Compare { comparison: *comparison, reads: [reads[0], reads[1]], lists: [list(0), list(1)] }
            }
            Op::Where => Ends::Where { reads: [reads[0], reads[1], reads[2]], lists: [list(0), list(1), list(2)] },
            Op::Normalize(norm) => {
                let lane = tensor.shape.last().copied().unwrap_or(1);
                Ends::Normalize { norm: *norm, reads: reads[0], lane }
            }
            Op::Softmax { axis } => {
                let exp = bound(roundproof_graph::Function::Exp)?;
                Ends::Softmax { reads: reads[0], lanes: lanes(&tensor.shape, *axis), exp, log: None }
            }
            Op::LogSoftmax { axis } => {
                let exp = bound(roundproof_graph::Function::Exp)?;
                let log = Some(bound(roundproof_graph::Function::Log)?);
                Ends::Softmax { reads: reads[0], lanes: lanes(&tensor.shape, *axis), exp, log }
            }
            Op::Unary(
                Unary::Neg
                | Unary::Abs
                | Unary::Relu
                | Unary::LeakyRelu { slope: _ }
                | Unary::Clip { low: _, high: _ }
                | Unary::Sign,
            )
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
            | Op::Arrange(_)
            | Op::Cast => return Ok(None),
        }))
    }

    /// The tensors that are read.
    pub fn operands(&self) -> Vec<TensorId> {
        match self {
            Ends::Curve(_, reads)
            | Ends::Ramp(_, reads)
            | Ends::Normalize { norm: _, reads, lane: _ }
            | Ends::Softmax { reads, lanes: _, exp: _, log: _ } => vec![*reads],
            Ends::Compare { comparison: _, reads, lists: _ } => reads.to_vec(),
            Ends::Where { reads, lists: _ } => reads.to_vec(),
        }
    }
}

/// The elements of each lane along an axis.
fn lanes(shape: &[usize], axis: usize) -> Vec<Vec<u32>> {
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let size = shape[axis];
    let lane = |start: usize| (0..size).map(move |k| (start + k * inner) as u32).collect();
    (0..outer).flat_map(|outer| (0..inner).map(move |at| outer * size * inner + at)).map(lane).collect()
}

/// An attribute, which is there in binary32; as a value of the tensor's format it may be rounded. None if it has no counterpart there.
pub(crate) fn attribute(encoding: Encoding, format: Format, model: &PathModel) -> Option<Fixed> {
    let values = Encodings::collect(Format::BINARY32, [encoding]);
    let (mut fixed, Exactness { grid: _, bits }) = Fixed::of(Format::BINARY32, &values, BITS)?;
    let grain = Grain::new(format, model)?;
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
}

/// What a condition chooses: the first, the second, or either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    First,
    Second,
    Either,
}

impl Context<'_> {
    /// The state of what such a step makes.
    pub fn ends<'s>(
        &self,
        ends: &Ends,
        writes: TensorId,
        state: &impl Fn(TensorId) -> &'s State,
    ) -> Result<State, Lost> {
        match ends {
            Ends::Curve(curve, reads) => self.curve(curve, *reads, state(*reads), writes),
            Ends::Ramp(ramp, reads) => self.ramp(ramp, *reads, state(*reads), writes),
            Ends::Compare { comparison, reads, lists } => {
                let each = lists[0].iter().zip(&lists[1]).map(|(&a, &b)| {
                    let (a, _) = self.operand(reads[0], state(reads[0]), a as usize);
                    let (b, _) = self.operand(reads[1], state(reads[1]), b as usize);
                    compared(*comparison, &a, &b)
                });
                let (low, high) = each.unzip();
                Ok(State::new(Fixed { unit: 0, low, high }, Vec::new(), Exactness { grid: 0, bits: 1 }))
            }
            Ends::Where { reads, lists } => {
                let unit = Fixed::common_unit(reads[1..].iter().map(|&id| &state(id).fixed));
                let operands = [reads[1], reads[2]].map(|id| state(id).fixed.coarser(unit));
                let moved = [reads[1], reads[2]].map(|id| i64::from(state(id).fixed.unit != unit));
                let picks =
                    [0, 1].map(|read| lists[read as usize + 1].iter().map(|&at| (read, at)).collect::<Vec<_>>());
                let flushed = picks.map(|picks| self.flushed_apart(&reads[1..], &picks, unit, state));
                let (mut low, mut high, mut slack) = (Vec::new(), Vec::new(), Vec::new());
                for (element, &condition) in lists[0].iter().enumerate() {
                    let at = |operand: usize| {
                        let index = lists[operand + 1][element] as usize;
                        let slack = moved[operand] + flushed[operand][element];
                        (operands[operand].low[index], operands[operand].high[index], slack)
                    };
                    let (first, second) = (at(0), at(1));
                    let chosen = match self.choice(reads[0], state(reads[0]), condition as usize) {
                        Choice::First => first,
                        Choice::Second => second,
                        // A bound takes the whole interval off.
                        Choice::Either => (first.0.min(second.0), first.1.max(second.1), 0),
                    };
                    low.push(chosen.0);
                    high.push(chosen.1);
                    slack.push(chosen.2);
                }
                let exact = [reads[1], reads[2]].map(|id| state(id).exact);
                let exact =
                    Exactness { grid: exact[0].grid.min(exact[1].grid), bits: exact[0].bits.max(exact[1].bits) };
                Ok(State::new(Fixed { unit, low, high }, slack, exact))
            }
            Ends::Normalize { norm, reads, lane } => self.normalize(*norm, *reads, state(*reads), *lane, writes),
            Ends::Softmax { reads, lanes, exp, log } => self.softmax(*reads, state(*reads), lanes, *exp, *log, writes),
        }
    }

    /// What a condition may be.
    pub fn choice(&self, id: TensorId, state: &State, element: usize) -> Choice {
        let (condition, _) = self.operand(id, state, element);
        match (condition.holds_zero(), condition.low == 0 && condition.high == 0) {
            (false, _) => Choice::First,
            (true, true) => Choice::Second,
            (true, false) => Choice::Either,
        }
    }
}

/// The least and the largest that a comparison of elements of two intervals may give.
fn compared(comparison: Comparison, a: &Span, b: &Span) -> (i64, i64) {
    let (always, never) = match comparison {
        Comparison::Greater => (a.low > b.high, a.high <= b.low),
        Comparison::GreaterOrEqual => (a.low >= b.high, a.high < b.low),
        Comparison::Less => (a.high < b.low, a.low >= b.high),
        Comparison::LessOrEqual => (a.high <= b.low, a.low > b.high),
        Comparison::Equal => (a.low == b.high && b.low == a.high, a.high < b.low || b.high < a.low),
    };
    (i64::from(always), i64::from(!never))
}

#[cfg(test)]
mod tests;
