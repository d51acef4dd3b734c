//! Rows, judged.

use roundproof_exact::{Rational, power_of_two};
use roundproof_graph::{Graph, TensorId};
use roundproof_network::Encodings;

use crate::backward::{bounds, lower};
use crate::decision::{Decision, Need};
use crate::error::{NotCovered, RowError, place, tensor_place};
use crate::forward::{Context, Lost, State, single};
use crate::model::PathModel;
use crate::norms::Lengths;
use crate::plan::{Plan, Step, plan};
use crate::softmax::{Above, above};

/// A graph, a path model and a decision: everything but the rows.
#[derive(Clone, Debug)]
pub struct Audit<'a> {
    graph: &'a Graph,
    model: PathModel,
    decision: Decision,
    output: TensorId,
    plan: Plan,
    lengths: Lengths,
    constants: Vec<(TensorId, State)>,
}

/// What is said of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every path of the model gives this decision.
    Invariant {
        /// The places that the decision is about: that of the largest element, of the top elements, or of those above a limit.
        answer: Vec<usize>,
        /// The form that is nearest to changing it, if there is one.
        margin: Option<Margin>,
    },
    /// It was not shown that every path gives the same decision.
    Undecided(Missing),
}

/// What was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A margin: a difference of outputs may be taken away by rounding.
    Margin(Margin),
    /// A value, somewhere on the way, may be beyond the largest one of its format.
    Overflow {
        /// The node.
        place: String,
    },
    /// A divisor may be zero on some path.
    Divisor {
        /// The node.
        place: String,
    },
    /// An operand may be where a function is not defined, or has no bound.
    Domain {
        /// The node.
        place: String,
    },
    /// Outputs differ between paths by more than is allowed, or may.
    Spread {
        /// Which element may.
        element: usize,
        /// By how much, at most.
        spread: Rational,
    },
    /// The decision is not one at all: more places are asked for than there are.
    Decision,
}

/// How far a difference of two outputs is from zero, and how much of that rounding may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Margin {
    /// The element that has to be the larger one.
    pub element: usize,
    /// The other one; none if a limit is.
    pub other: Option<usize>,
    /// The difference in the middle of all paths.
    pub distance: Rational,
    /// What it may be less on some path, at most.
    pub taken: Rational,
    /// Where most of that is lost, the greatest first; empty if the intervals of both outputs were enough.
    pub losses: Vec<Loss>,
}

/// What a node adds to a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The node, by number.
    pub node: usize,
    /// How much.
    pub taken: Rational,
}

/// What is known of each tensor; or why nothing is, and where.
pub(crate) type Enclosed = Result<Vec<Option<State>>, (Lost, String)>;

/// The most work of bounds for the elements of a tensor: their number times the leaves of the sums that each goes through.
const TIGHTENING: usize = 1 << 26;
/// How many losses are told.
const LOSSES: usize = 3;

impl<'a> Audit<'a> {
    /// The audit of a decision about `output`.
    ///
    /// # Errors
    ///
    /// If no rule covers a node that the output is made of, or a field of the path model; all of these are named.
    ///
    /// # Panics
    ///
    /// If the graph has no tensor `output`.
    pub fn new(
        graph: &'a Graph,
        model: PathModel,
        output: TensorId,
        decision: Decision,
    ) -> Result<Audit<'a>, NotCovered> {
        let plan = plan(graph, &model, &[output])?;
        let mut constants = Vec::new();
        for (id, tensor) in graph.tensors().iter().enumerate() {
            if let Some(values) = tensor.constant()
                && plan.reads(id, output)
            {
                let state = single(tensor.format(), plan.grains[id].0, values)
                    .ok_or_else(|| NotCovered::at(tensor_place(graph, id), "a constant that is not finite"))?;
                constants.push((id, state.balled()));
            }
        }
        let lengths = Lengths::of(&plan, |id| graph.tensors()[id].elements());
        Ok(Audit { graph, model, decision, output, plan, lengths, constants })
    }

    /// The path model.
    pub fn model(&self) -> &PathModel {
        &self.model
    }

    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Judges a row: a tensor for each input, in the order of [`Graph::inputs`].
    ///
    /// # Errors
    ///
    /// If it is not a row of this model.
    pub fn row(&self, inputs: &[Encodings]) -> Result<Verdict, RowError> {
        Ok(match self.enclose(inputs, false)? {
            Ok(states) => match self.decide(&states) {
                decided @ Verdict::Invariant { answer: _, margin: _ } => decided,
                // Once more, with intervals from bounds of what an activation bends.
                undecided @ Verdict::Undecided(_) => match self.enclose(inputs, true)? {
                    Ok(states) => self.decide(&states),
                    Err(_) => undecided,
                },
            },
            Err((Lost::Overflow, place)) => Verdict::Undecided(Missing::Overflow { place }),
            Err((Lost::Divisor, place)) => Verdict::Undecided(Missing::Divisor { place }),
            Err((Lost::Domain, place)) => Verdict::Undecided(Missing::Domain { place }),
        })
    }

    /// Of each element of the output the least and the largest that it may be on any path, for a row; none where a value on the way may
    /// not be finite.
    ///
    /// # Errors
    ///
    /// If it is not a row of this model.
    pub fn enclosure(&self, inputs: &[Encodings]) -> Result<Option<Vec<(Rational, Rational)>>, RowError> {
        let Ok(states) = self.enclose(inputs, false)? else { return Ok(None) };
        let Some(output) = &states[self.output] else { return Ok(None) };
        let unit = power_of_two(output.fixed.unit.into());
        let ends = output.fixed.low.iter().zip(&output.fixed.high);
        Ok(Some(ends.map(|(low, high)| (Rational::from(*low) * &unit, Rational::from(*high) * &unit)).collect()))
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context { model: &self.model, plan: &self.plan }
    }

    /// What is known of each tensor for a row; or why there is nothing to be known, and where.
    pub(crate) fn enclose(&self, inputs: &[Encodings], tightened: bool) -> Result<Enclosed, RowError> {
        let mut states: Vec<Option<State>> = vec![None; self.graph.tensors().len()];
        let expected = self.graph.inputs().count();
        if inputs.len() != expected {
            return Err(RowError::Inputs { expected, found: inputs.len() });
        }
        for (id, values) in self.graph.inputs().zip(inputs) {
            states[id] = Some(self.input(id, values)?);
        }
        for (id, state) in &self.constants {
            states[*id] = Some(state.clone());
        }
        for (index, placed) in self.plan.placed.iter().enumerate() {
            match self.context().enclose(placed, &states) {
                Ok(state) => {
                    let state = self.lengths.known(index, placed, state, &states);
                    // Each bound goes through all that is before.
                    let bounded =
                        state.fixed.low.iter().zip(&state.fixed.high).filter(|(low, high)| **low < 0 && **high > 0);
                    let small = bounded.count().saturating_mul(placed.work) <= TIGHTENING;
                    states[placed.writes] = Some(state);
                    if tightened && small && self.plan.bends(placed.writes) {
                        self.tighten(&mut states, placed.writes);
                    }
                }
                Err(lost) => return Ok(Err((lost, place(placed.node, &self.graph.nodes()[placed.node])))),
            }
        }
        Ok(Ok(states))
    }

    /// Replaces intervals by smaller ones, where bounds of the elements give such.
    fn tighten(&self, states: &mut [Option<State>], id: TensorId) {
        if let Some((least, most)) = bounds(&self.context(), states, id)
            && let Some(state) = states[id].take()
        {
            states[id] = Some(state.within(&least, &most).balled());
        }
    }

    fn input(&self, id: TensorId, values: &Encodings) -> Result<State, RowError> {
        let tensor = &self.graph.tensors()[id];
        let (name, format) = (&tensor.name, tensor.format());
        if values.len() != tensor.elements() {
            let (expected, found) = (tensor.elements(), values.len());
            return Err(RowError::Elements { name: name.clone(), expected, found });
        }
        let element = values.iter().position(|value| !format.is_finite(value)).unwrap_or(0);
        let state = single(format, self.plan.grains[id].0, values);
        state.map(State::balled).ok_or_else(|| RowError::Value { name: name.clone(), element, format })
    }

    fn decide(&self, states: &[Option<State>]) -> Verdict {
        let Some(output) = &states[self.output] else { return Verdict::Undecided(Missing::Decision) };
        match &self.decision {
            Decision::Value { tolerance } => self.values(states, output, tolerance),
            Decision::Bits => self.values(states, output, &Rational::new()),
            Decision::Argmax { ties: _ }
            | Decision::Top { count: _, ordered: _ }
            | Decision::Sign
            | Decision::Threshold { limit: _ } => self.needs(states, output),
        }
    }

    fn needs(&self, states: &[Option<State>], output: &State) -> Verdict {
        let unit = power_of_two(output.centered.unit.into());
        let middle: Vec<i128> = output.centered.center.iter().map(|&center| center.into()).collect();
        let Some((answer, needs)) = self.decision.needs(&middle, &unit) else {
            return Verdict::Undecided(Missing::Decision);
        };
        let mut nearest: Option<Margin> = None;
        for need in &needs {
            let (holds, margin) = self.need(states, output, need);
            if !holds {
                return Verdict::Undecided(Missing::Margin(margin));
            }
            let nearer = nearest.as_ref().is_none_or(|nearest| {
                Rational::from(&margin.distance * &nearest.taken) < Rational::from(&nearest.distance * &margin.taken)
            });
            if nearer {
                nearest = Some(margin);
            }
        }
        Verdict::Invariant { answer, margin: nearest }
    }

    /// Whether a form is positive on every path, and how far from zero it is.
    fn need(&self, states: &[Option<State>], output: &State, need: &Need) -> (bool, Margin) {
        let Need { plus, negated, minus, limit, or_zero } = need;
        let sign = if *negated { -1 } else { 1 };
        let unit = power_of_two(output.centered.unit.into());
        let center = |place: usize| i128::from(output.centered.center[place]);
        let radius = |place: usize| output.centered.radius.as_ref().map_or(0, |radius| i128::from(radius[place]));
        let middle = i128::from(sign) * center(*plus) - minus.map_or(0, center);
        let distance = Rational::from(middle) * &unit - limit;
        let positive = |least: &Rational| *least > 0 || (*or_zero && *least == 0);
        let margin = |taken: Rational, losses| Margin {
            element: *plus,
            other: *minus,
            distance: distance.clone(),
            taken,
            losses,
        };
        let by_intervals = Rational::from(radius(*plus) + minus.map_or(0, radius)) * &unit;
        if positive(&Rational::from(&distance - &by_intervals)) {
            return (true, margin(by_intervals, Vec::new()));
        }
        if let (false, Some(other)) = (*negated, *minus)
            && *limit == 0
            && let Some(Above { distance, taken }) = above(&self.context(), states, self.output, *plus, other)
            && taken < distance
        {
            return (true, Margin { element: *plus, other: *minus, distance, taken, losses: Vec::new() });
        }
        let form: Vec<(usize, i64)> = [(*plus, sign)].into_iter().chain(minus.map(|minus| (minus, -1))).collect();
        let Some(bound) = lower(&self.context(), states, self.output, &form) else {
            return (false, margin(by_intervals, Vec::new()));
        };
        let unit = power_of_two(bound.unit.into());
        let least = Rational::from(bound.value) * &unit - limit;
        let mut losses: Vec<(i128, usize)> = bound.losses.iter().copied().zip(0..).collect();
        losses.sort_unstable_by(|a, b| b.cmp(a));
        let losses = losses.into_iter().take(LOSSES).filter(|(loss, _)| *loss > 0);
        let losses =
            losses.map(|(loss, step)| Loss { node: self.plan.placed[step].node, taken: Rational::from(loss) * &unit });
        (positive(&least), margin(Rational::from(&distance - &least), losses.collect()))
    }

    /// Whether no two paths differ by more than a tolerance in any element.
    fn values(&self, states: &[Option<State>], output: &State, tolerance: &Rational) -> Verdict {
        let unit = power_of_two(output.fixed.unit.into());
        for (element, (&low, &high)) in output.fixed.low.iter().zip(&output.fixed.high).enumerate() {
            let mut spread = Rational::from(i128::from(high) - i128::from(low)) * &unit;
            if spread > *tolerance
                && let Some(least) = lower(&self.context(), states, self.output, &[(element, 1)])
                && let Some(most) = lower(&self.context(), states, self.output, &[(element, -1)])
            {
                let value =
                    |bound: &crate::backward::Lower| Rational::from(bound.value) * power_of_two(bound.unit.into());
                let by_forms = -value(&least) - value(&most);
                if by_forms < spread {
                    spread = by_forms;
                }
            }
            if spread > *tolerance {
                return Verdict::Undecided(Missing::Spread { element, spread });
            }
        }
        Verdict::Invariant { answer: Vec::new(), margin: None }
    }
}

impl Plan {
    /// Whether an activation reads a tensor.
    fn bends(&self, id: TensorId) -> bool {
        self.placed.iter().any(|placed| match &placed.step {
            Step::Bend(_, reads) => *reads == id,
            Step::Sum(_)
            | Step::Pick { reads: _, picks: _ }
            | Step::Extreme { reads: _, starts: _, picks: _, greatest: _ }
            | Step::Mean { reads: _, map: _, counts: _ }
            | Step::Quotient { reads: _, lists: _ }
            | Step::Ends(_)
            | Step::Sign(_)
            | Step::Cast(_) => false,
        })
    }

    /// Whether a step reads a tensor, or people do.
    fn reads(&self, id: TensorId, output: TensorId) -> bool {
        id == output || self.placed.iter().any(|placed| placed.step.reads(id))
    }
}

#[cfg(test)]
mod tests;
