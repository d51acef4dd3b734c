//! Intervals that no path leaves, tensor by tensor.
//!
//! Whatever a reader of a tensor may see on some path, narrowed or not, flushed or not, lies in its interval. `slack` says more of an
//! element of a step that is linear in what it reads: it is within `slack` of the linear map, with the middle of the weights for the
//! weights, at what was read; `offset` is the difference of the map at the middle of their intervals from the middle of its own. What
//! may be infinite or NaN on some path is not enclosed: the row is given up there.
//!
//! `sum` encloses sums, with `flush`; `division` means and quotients, `bend` activations; what only moves or chooses elements is here; `ends` is a module of its own.

mod bend;
mod division;
mod flush;
mod state;
mod sum;
mod trees;

use roundproof_format::Format;
use roundproof_graph::TensorId;
use roundproof_network::Encodings;

use crate::fixed::{BITS, Exactness, Fixed};
use crate::model::{Narrowing, PathModel};
use crate::plan::{Placed, Plan, Step};
use crate::rounding::Grain;
use crate::sum::Additions;

pub(crate) use bend::{Clip, shifted};
pub(crate) use state::State;
use state::{joined, widened};
pub(crate) use sum::weights_of;

/// Why a row is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Something may be beyond the largest value.
    Overflow,
    /// A divisor may be zero.
    Divisor,
    /// An operand may be where a function is not defined, or has no bound.
    Domain,
}

/// What enclosing needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub model: &'a PathModel,
    pub plan: &'a Plan,
}

/// The state of a tensor of single values.
pub(crate) fn single(format: Format, grain: Grain, values: &Encodings) -> Option<State> {
    let (mut fixed, exact) = Fixed::of(format, values, BITS)?;
    if grain.flushed {
        fixed.flush(grain.emin);
    }
    Some(State::new(fixed, Vec::new(), exact))
}

impl Context<'_> {
    /// The state of what a step makes.
    pub fn enclose(&self, placed: &Placed, states: &[Option<State>]) -> Result<State, Lost> {
        let Placed { step, writes, node: _, work: _ } = placed;
        let state = |id: TensorId| states[id].as_ref().expect("a step comes after what it reads");
        let (storage, accumulator) = self.plan.grains[*writes];
        Ok(match step {
            Step::Sum(sum) => self.sum(sum, *writes, &state)?,
            Step::Mean { reads, map, counts } => self.mean(*reads, state(*reads), map, counts, *writes)?,
            Step::Bend(bend, reads) => self.bend(bend, state(*reads), *writes)?,
            Step::Pick { reads, picks } => {
                let unit = Fixed::common_unit(reads.iter().map(|&id| &state(id).fixed));
                let operands: Vec<Fixed> = reads.iter().map(|&id| state(id).fixed.coarser(unit)).collect();
                let (low, high) = picks.iter().map(|&(read, at)| pick(&operands, read, at)).unzip();
                let flushed = self.flushed_apart(reads, picks, unit, &state);
                let moved = picks.iter().map(|&(read, _)| i64::from(state(reads[read as usize]).fixed.unit != unit));
                let slack = some(moved.zip(flushed).map(|(moved, flushed)| moved + flushed).collect());
                State::new(Fixed { unit, low, high }, slack, joined(reads.iter().map(|&id| state(id).exact)))
            }
            Step::Extreme { reads, starts, picks, greatest } => {
                let unit = Fixed::common_unit(reads.iter().map(|&id| &state(id).fixed));
                let operands: Vec<Fixed> = reads.iter().map(|&id| state(id).fixed.coarser(unit)).collect();
                let choose = |pair: &[u32], of: &dyn Fn((i64, i64)) -> i64| {
                    let ends = picks[pair[0] as usize..pair[1] as usize]
                        .iter()
                        .map(|&(read, at)| of(pick(&operands, read, at)));
                    if *greatest { ends.max() } else { ends.min() }.unwrap_or(0)
                };
                let low = starts.windows(2).map(|pair| choose(pair, &|(low, _)| low)).collect();
                let high = starts.windows(2).map(|pair| choose(pair, &|(_, high)| high)).collect();
                let flushed = self.flushed_apart(reads, picks, unit, &state);
                let most =
                    |pair: &[u32]| flushed[pair[0] as usize..pair[1] as usize].iter().copied().max().unwrap_or(0);
                let slack = some(starts.windows(2).map(most).collect());
                State::new(Fixed { unit, low, high }, slack, joined(reads.iter().map(|&id| state(id).exact)))
            }
            Step::Quotient { reads, lists } => self.quotient(reads.map(state), lists, *writes)?,
            Step::Ends(ends) => self.ends(ends, *writes, &state)?,
            Step::Sign(reads) => {
                let fixed = &state(*reads).fixed;
                let sign = |ends: &[i64]| ends.iter().map(|end| end.signum()).collect();
                let fixed = Fixed { unit: 0, low: sign(&fixed.low), high: sign(&fixed.high) };
                State::new(fixed, Vec::new(), Exactness { grid: 0, bits: 1 })
            }
            Step::Cast(reads) => {
                let from = state(*reads);
                let kept = from.exact.bits <= storage.precision && from.exact.grid >= storage.grid();
                let unit = from.fixed.unit;
                let slack = from.fixed.low.iter().zip(&from.fixed.high).map(|(low, high)| {
                    let magnitude = low.unsigned_abs().max(high.unsigned_abs()).into();
                    let error = if kept { 0 } else { storage.error(magnitude, unit).ok_or(Lost::Overflow)? };
                    if storage.reaches(magnitude + error, unit) { Ok(error) } else { Err(Lost::Overflow) }
                });
                let slack = slack.collect::<Result<Vec<u128>, Lost>>()?;
                let exact =
                    if kept { from.exact } else { joined([from.exact, self.seen(storage, accumulator)].into_iter()) };
                widened(from, &slack, exact)?
            }
        })
    }

    /// What readers of a sum see: values of its format, or of the accumulator's, too.
    pub fn seen(&self, storage: Grain, accumulator: Grain) -> Exactness {
        let wide = match self.model.narrowing {
            Narrowing::Once | Narrowing::Bias => storage,
            Narrowing::Optional => accumulator,
        };
        Exactness { grid: wide.least.min(storage.least), bits: wide.precision.max(storage.precision) }
    }

    /// How additions are rounded, in a sum with so many values that may be narrowed where node boundaries are, so many of whose parts may
    /// be split.
    fn additions(&self, storage: Grain, accumulator: Grain, boundaries: u64, splits: u64) -> Additions {
        let boundaries = if self.narrows_inside() { boundaries } else { 0 };
        // The parts, and the additions that join them.
        let parts = match u64::from(self.model.partials) {
            0 | 1 => 0,
            parts => splits * (2 * parts - 1),
        };
        let narrowed = (storage != accumulator && boundaries + parts > 0).then_some((storage, boundaries + parts));
        Additions { accumulator, narrowed }
    }

    /// Whether values on the way to a sum are narrowed where node boundaries are.
    fn narrows_inside(&self) -> bool {
        match self.model.narrowing {
            Narrowing::Once => false,
            Narrowing::Bias | Narrowing::Optional => true,
        }
    }
}

/// Slacks, if there is one.
pub(crate) fn some(slack: Vec<i64>) -> Vec<i64> {
    if slack.iter().all(|&slack| slack == 0) { Vec::new() } else { slack }
}

fn pick(operands: &[Fixed], read: u32, at: u32) -> (i64, i64) {
    let Fixed { unit: _, low, high } = &operands[read as usize];
    (low[at as usize], high[at as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a sum that is split into S parts, these are narrowed, and so are the S - 1 additions that join them; of each product by itself.
    #[test]
    fn parts_are_narrowed_and_so_are_the_additions_that_join_them() {
        let plan = Plan { placed: Vec::new(), grains: Vec::new(), factors: None, folded: Vec::new() };
        for (partials, splits, expected) in [(1, 3, None), (2, 1, Some(3)), (2, 3, Some(9)), (4, 2, Some(14))] {
            let model = PathModel { partials, narrowing: Narrowing::Once, ..PathModel::PORTABLE };
            let [storage, accumulator] = [Format::BFLOAT16, Format::BINARY32].map(|format| Grain::new(format, &model));
            let (storage, accumulator) = (storage.expect("bounded"), accumulator.expect("bounded"));
            let context = Context { model: &model, plan: &plan };
            let counted = |additions: Additions| additions.narrowed.map(|(_, count)| count);
            assert_eq!(counted(context.additions(storage, accumulator, 5, splits)), expected, "{partials} {splits}");
            let model = PathModel { narrowing: Narrowing::Optional, ..model };
            let context = Context { model: &model, plan: &plan };
            let with_boundaries = counted(context.additions(storage, accumulator, 5, splits));
            assert_eq!(with_boundaries, Some(expected.unwrap_or(0) + 5), "{partials} {splits}");
            // A value that is stored where it is formed is not narrowed.
            assert_eq!(counted(context.additions(storage, storage, 5, splits)), None);
        }
    }
}
