//! Intervals that no path leaves, tensor by tensor.
//!
//! Whatever a reader of a tensor may see on some path, narrowed or not, flushed or not, lies in its interval. `slack` says more of an
//! element of a step that is linear in what it reads: it is within `slack` of the linear map, with the middle of the weights for the
//! weights, at what was read; `offset` is the difference of the map at the middle of their intervals from the middle of its own. What
//! may be infinite or NaN on some path is not enclosed: the row is given up there.

use roundproof_format::Format;
use roundproof_graph::TensorId;
use roundproof_network::Encodings;

use crate::fixed::{BITS, Centered, Exactness, Fixed, ZERO_GRID, ceiling, weight_bits};
use crate::linear::{Dot, Map, dot};
use crate::model::{Division, Narrowing, PathModel};
use crate::plan::{Bend, Part, Placed, Plan, Step, Sum, Way, Weights, top};
use crate::rounding::{Grain, power};
use crate::sum::{Additions, Leaves};

/// What is known of a tensor for one row.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub fixed: Fixed,
    pub centered: Centered,
    /// Units of `fixed`; empty where it is zero.
    pub slack: Vec<i64>,
    /// By how much the linear map at the middles of what was read is above the middle of the interval, in half units; empty where
    /// that is zero, up to the slack.
    pub offset: Vec<i64>,
    pub exact: Exactness,
}

impl State {
    pub fn new(fixed: Fixed, slack: Vec<i64>, exact: Exactness) -> State {
        State { centered: fixed.centered(), fixed, slack, offset: Vec::new(), exact }
    }

    /// With smaller intervals, which no path leaves either. Those that leave nothing of one are not taken.
    pub fn within(self, low: &[i64], high: &[i64]) -> State {
        let before = self.centered.center;
        let Fixed { unit, low: mut lows, high: mut highs } = self.fixed;
        for (index, (least, most)) in low.iter().zip(high).enumerate() {
            let (low, high) = (lows[index].max(*least), highs[index].min(*most));
            if low <= high {
                (lows[index], highs[index]) = (low, high);
            }
        }
        let fixed = Fixed { unit, low: lows, high: highs };
        let centered = fixed.centered();
        let old = |index: usize| self.offset.get(index).copied().unwrap_or(0);
        let offset =
            before.iter().zip(&centered.center).enumerate().map(|(index, (before, now))| old(index) + before - now);
        State { offset: offset.collect(), centered, fixed, slack: self.slack, exact: self.exact }
    }
}

/// Why a row is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Something may be beyond the largest value.
    Overflow,
    /// A divisor may be zero.
    Divisor,
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
                let unit = reads.iter().map(|&id| state(id).fixed.unit).max().unwrap_or(0);
                let operands: Vec<Fixed> = reads.iter().map(|&id| state(id).fixed.coarser(unit)).collect();
                let (low, high) = picks.iter().map(|&(read, at)| pick(&operands, read, at)).unzip();
                let moved = picks.iter().map(|&(read, _)| i64::from(state(reads[read as usize]).fixed.unit != unit));
                let moved: Vec<i64> = moved.collect();
                let slack = if moved.contains(&1) { moved } else { Vec::new() };
                State::new(Fixed { unit, low, high }, slack, joined(reads.iter().map(|&id| state(id).exact)))
            }
            Step::Extreme { reads, starts, picks, greatest } => {
                let unit = reads.iter().map(|&id| state(id).fixed.unit).max().unwrap_or(0);
                let operands: Vec<Fixed> = reads.iter().map(|&id| state(id).fixed.coarser(unit)).collect();
                let choose = |pair: &[u32], of: &dyn Fn((i64, i64)) -> i64| {
                    let ends = picks[pair[0] as usize..pair[1] as usize]
                        .iter()
                        .map(|&(read, at)| of(pick(&operands, read, at)));
                    if *greatest { ends.max() } else { ends.min() }.unwrap_or(0)
                };
                let low = starts.windows(2).map(|pair| choose(pair, &|(low, _)| low)).collect();
                let high = starts.windows(2).map(|pair| choose(pair, &|(_, high)| high)).collect();
                State::new(Fixed { unit, low, high }, Vec::new(), joined(reads.iter().map(|&id| state(id).exact)))
            }
            Step::Quotient { reads, lists } => self.quotient(reads.map(state), lists, *writes)?,
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
    fn seen(&self, storage: Grain, accumulator: Grain) -> Exactness {
        let wide = match self.model.narrowing {
            Narrowing::Once | Narrowing::Bias => storage,
            Narrowing::Optional => accumulator,
        };
        Exactness { grid: wide.least.min(storage.least), bits: wide.precision.max(storage.precision) }
    }

    /// How additions are rounded, in a sum of so many nodes, so many of which may be split into parts.
    fn additions(&self, storage: Grain, accumulator: Grain, boundaries: u64, splits: u64) -> Additions {
        let inner = match self.model.narrowing {
            Narrowing::Once => 0,
            Narrowing::Bias | Narrowing::Optional => boundaries,
        };
        // The parts, and the additions that join them.
        let parts = match u64::from(self.model.partials) {
            0 | 1 => 0,
            parts => splits * (2 * parts - 1),
        };
        let narrowed = (storage != accumulator && inner + parts > 0).then_some((storage, inner + parts));
        Additions { accumulator, narrowed }
    }

    /// A sum, in every way.
    ///
    /// The slack is about the first way, over what is known of the tensors that it reads. A value that came about in another way is one
    /// of the first with other errors: with none in the tensor that was folded, which its slack allows, and with its own in the result.
    fn sum<'s>(&self, sum: &Sum, writes: TensorId, state: &impl Fn(TensorId) -> &'s State) -> Result<State, Lost> {
        let Sum { ways } = sum;
        let mut made = ways.iter().map(|way| self.way(way, writes, state));
        let first = made.next().unwrap_or(Err(Lost::Overflow))?;
        made.try_fold(first, |all, other| Ok(joined_ways(&all, &other?)))
    }

    fn way<'s>(&self, way: &Way, writes: TensorId, state: &impl Fn(TensorId) -> &'s State) -> Result<State, Lost> {
        let Way { parts, boundaries, lost, subtracts } = way;
        let (storage, accumulator) = self.plan.grains[writes];
        let made: Vec<Option<Centered>> = parts.iter().map(|part| weights_of(part, state)).collect();
        let terms: Vec<Term> = parts
            .iter()
            .zip(&made)
            .map(|(part, made)| {
                let Part { reads, negative, map, weights } = part;
                let x = state(*reads);
                let (w, of_w) = match weights {
                    Weights::One => (None, None),
                    Weights::Constant(w, exact) => (Some(w), Some(*exact)),
                    Weights::Tensor(id) => (made.as_ref(), Some(state(*id).exact)),
                };
                Term { x: &x.centered, w, negative: *negative, map, of_x: x.exact, of_w }
            })
            .collect();
        let unit = common_unit(&terms);
        let splits = parts.iter().filter(|part| part.map.most() > 1).count().max(1);
        let additions = self.additions(storage, accumulator, *boundaries, splits as u64);
        if let Some(from) = subtracts {
            let [x, mean] = from.map(state);
            let unit = x.fixed.unit.max(mean.fixed.unit);
            let largest = [x, mean].map(|operand| u128::from(operand.fixed.coarser(unit).largest()));
            if !storage.reaches(largest[0] + largest[1], unit) || !accumulator.reaches(largest[0] + largest[1], unit) {
                return Err(Lost::Overflow);
            }
        }
        let flushes: Vec<Vec<Flushes>> =
            parts.iter().zip(&terms).map(|(part, term)| self.flushes(part, term)).collect();
        let elements = parts.first().map_or(0, |part| part.map.elements());
        let mut made = Made::new(unit, elements);
        for element in 0..elements {
            let mut all = Total::new();
            if let Some(lost) = lost {
                all.charge = power(*lost, unit).ok_or(Lost::Overflow)?;
            }
            for term in &terms {
                term.add(element, unit, accumulator, &mut all).ok_or(Lost::Overflow)?;
            }
            for flushes in flushes.iter().flatten() {
                all.spread += flushes.at(element, unit).ok_or(Lost::Overflow)?;
            }
            let (reach, largest) = all.reach();
            let leaves = Leaves { unit, count: all.count, reach, charge: all.charge, grid: Some(all.grid) };
            let error = additions.error(&leaves).ok_or(Lost::Overflow)?;
            // Multiples of a power of two that narrowing keeps.
            let kept = storage.holds(all.grid, largest + error, unit);
            made.push(all.center, all.radius, all.spread + error, largest + error, kept, storage, accumulator)?;
        }
        Ok(made.state(self.seen(storage, accumulator)))
    }

    /// What flushing operands may take from the products of a part. Each operation flushes its operands by itself: two elements of a
    /// result may see different ones, so that this is a slack of each, and not one of what they have in common.
    fn flushes<'t>(&self, part: &'t Part, term: &Term<'t>) -> Vec<Flushes<'t>> {
        let Part { reads, negative: _, map, weights } = part;
        let of_x = self.flushable(*reads, term.x).map(|x| Flushes { map, x, w: term.w.cloned() });
        let of_w = match (weights, term.w) {
            (Weights::Tensor(id), Some(w)) => {
                self.flushable(*id, w).map(|w| Flushes { map, x: magnitudes(term.x), w: Some(w) })
            }
            (Weights::One | Weights::Constant(_, _) | Weights::Tensor(_), _) => None,
        };
        of_x.into_iter().chain(of_w).collect()
    }

    /// What flushing may take from each element of a tensor: nothing of one that is normal on every path.
    fn flushable(&self, id: TensorId, operand: &Centered) -> Option<Centered> {
        let (storage, accumulator) = self.plan.grains[id];
        if !storage.flushed && !accumulator.flushed {
            return None;
        }
        let limit = power(storage.emin.max(accumulator.emin), operand.unit).unwrap_or(u128::MAX);
        let most = magnitudes(operand);
        let taken = most.center.iter().enumerate().map(|(index, &most)| {
            let radius = operand.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
            let least = operand.center[index].unsigned_abs().saturating_sub(radius);
            if u128::from(least) >= limit { 0 } else { i64::try_from(limit).map_or(most, |limit| limit.min(most)) }
        });
        let taken: Vec<i64> = taken.collect();
        taken.iter().any(|&taken| taken != 0).then_some(Centered { unit: operand.unit, center: taken, radius: None })
    }

    /// A mean: the sum over the number, the sum times the rounded reciprocal, or the sum of products with it.
    ///
    /// The exact mean of what is read is `c s`, `c` the reciprocal of a number `n`. The first way errs by the error of the sum over `n`,
    /// and by one rounding. The rounded reciprocal errs by `d <= 2^(1-p) / n`: the second way errs by `d` times the sum, with its error,
    /// in addition; and by the error of a sum of products with weights between `c - d` and `c + d` the third.
    fn mean(&self, reads: TensorId, x: &State, map: &Map, counts: &[u32], writes: TensorId) -> Result<State, Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let reciprocals = match self.model.division {
            Division::Quotient => false,
            Division::Any => true,
        };
        let additions = self.additions(storage, accumulator, 1, 1);
        let flushed = self.flushable(reads, &x.centered);
        // Room for the quotient's own bits.
        let unit = x.centered.unit - MEAN_BITS;
        let mut made = Made::new(unit, counts.len());
        for (element, &count) in counts.iter().enumerate() {
            let sum = dot(map, element, &x.centered, None);
            let (n, signed) = (u128::from(count), i128::from(count));
            let total =
                Total { center: sum.center, radius: sum.radius, size: sum.size, count: sum.count, ..Total::new() };
            let (reach, largest) = total.reach();
            let leaves = Leaves { unit: x.centered.unit, count: sum.count, reach, charge: 0, grid: Some(x.exact.grid) };
            let error = additions.error(&leaves).ok_or(Lost::Overflow)?;
            let over = |value: u128| (value << MEAN_BITS).div_ceil(n);
            let lost = |value: u128| (value >> (storage.precision - 1)) + 1;
            let center = (sum.center << MEAN_BITS).div_euclid(signed);
            let size = over(largest + error);
            // One for the quotient, which is rounded down.
            let mut spread = over(error) + 1;
            let mut largest = size;
            if reciprocals {
                spread += lost(size) + 1;
                largest += lost(size) + 1;
                let each = over(sum.size + sum.radius);
                let products = lost(each)
                    + lost(each)
                    + u128::from(sum.count) * accumulator.error(1, unit).ok_or(Lost::Overflow)?;
                let reach = over(reach) + lost(each) + 1;
                let leaves = Leaves { unit, count: sum.count, reach, charge: products, grid: None };
                let third = additions.error(&leaves).ok_or(Lost::Overflow)?;
                spread = spread.max(third + lost(each) + 2);
                largest = largest.max(reach + third);
            }
            if let Some(flushed) = &flushed {
                spread += over(dot(map, element, flushed, None).size) + 1;
            }
            spread += accumulator.error(largest, unit).ok_or(Lost::Overflow)?;
            made.push(center, over(sum.radius) + 1, spread, largest + spread, false, storage, accumulator)?;
        }
        Ok(made.state(self.seen(storage, accumulator)))
    }

    /// Quotients, by their ends.
    fn quotient(&self, [x, by]: [&State; 2], lists: &[Vec<u32>; 2], writes: TensorId) -> Result<State, Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let unit = x.fixed.unit - by.fixed.unit - QUOTIENT_BITS;
        let mut made = Made::new(unit - 1, lists[0].len());
        for (&of, &at) in lists[0].iter().zip(&lists[1]) {
            let ends =
                [x.fixed.low[of as usize], x.fixed.high[of as usize]].map(|end| i128::from(end) << QUOTIENT_BITS);
            let divisors = [by.fixed.low[at as usize], by.fixed.high[at as usize]].map(i128::from);
            if divisors[0] <= 0 && divisors[1] >= 0 {
                return Err(Lost::Divisor);
            }
            let all = ends.iter().flat_map(|end| divisors.iter().map(move |divisor| end.div_euclid(*divisor)));
            let (low, high) = all.fold((i128::MAX, i128::MIN), |(low, high), end| (low.min(end), high.max(end)));
            // A quotient is less than one unit from its Euclidean one.
            let (low, high) = (low - 1, high + 1);
            let largest = 2 * low.unsigned_abs().max(high.unsigned_abs());
            let error = accumulator.error(largest, unit - 1).ok_or(Lost::Overflow)?;
            made.push(low + high, (high - low).unsigned_abs(), error, largest + error, false, storage, accumulator)?;
        }
        Ok(made.state(self.seen(storage, accumulator)))
    }

    fn bend(&self, bend: &Bend, x: &State, writes: TensorId) -> Result<State, Lost> {
        let fixed = &x.fixed;
        let each = |of: &dyn Fn(i64, i64) -> (i64, i64)| {
            let (low, high) = fixed.low.iter().zip(&fixed.high).map(|(&low, &high)| of(low, high)).unzip();
            State::new(Fixed { unit: fixed.unit, low, high }, Vec::new(), x.exact)
        };
        Ok(match bend {
            Bend::Negate => each(&|low, high| (-high, -low)),
            Bend::Relu => each(&|low, high| (low.max(0), high.max(0))),
            Bend::Magnitude => each(&|low, high| {
                let least = if low <= 0 && high >= 0 { 0 } else { low.abs().min(high.abs()) };
                (least, low.abs().max(high.abs()))
            }),
            Bend::Clip { low, high } => {
                let clip = Clip::new(low.as_ref(), high.as_ref(), fixed.unit);
                let limits = [low, high]
                    .into_iter()
                    .flatten()
                    .map(|limit| Exactness { grid: limit.unit, bits: u64::BITS - limit.largest().leading_zeros() });
                let from = fixed.coarser(clip.unit);
                let (low, high) = from.low.iter().zip(&from.high).map(|(&low, &high)| clip.interval(low, high)).unzip();
                let slack = clip.slack + i64::from(clip.unit != fixed.unit);
                let slack = if slack == 0 { Vec::new() } else { vec![slack; from.low.len()] };
                State::new(Fixed { unit: clip.unit, low, high }, slack, joined([x.exact].into_iter().chain(limits)))
            }
            Bend::Leaky(slopes) => self.leaky(slopes, x, writes)?,
        })
    }

    /// The products with a slope, rounded in the accumulator and in the format, of what may be narrowed before or not.
    fn leaky(&self, slopes: &Centered, x: &State, writes: TensorId) -> Result<State, Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let unit = x.fixed.unit + slopes.unit;
        let (mut lows, mut highs, mut slacks) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (&low, &high)) in x.fixed.low.iter().zip(&x.fixed.high).enumerate() {
            let slope = i128::from(slopes.center[index]);
            let below = [low.min(0), high.min(0)].map(|end| i128::from(end) * slope);
            // What is not negative stays; in the units of the products.
            let above =
                [low.max(0), high.max(0)].map(|end| shifted(end, -slopes.unit)).map(|end| end.ok_or(Lost::Overflow));
            let [above_low, above_high] = [above[0]?, above[1]?];
            let negative = low.min(0).unsigned_abs();
            let mut error = 0;
            if low < 0 {
                let largest = u128::from(negative) * u128::from(slopes.center[index].unsigned_abs());
                let wobble = slopes.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
                let wobble = u128::from(negative) * u128::from(wobble);
                let rounded = accumulator.error(largest + wobble, unit).ok_or(Lost::Overflow)?;
                let stored = storage.error(largest + wobble + rounded, unit).ok_or(Lost::Overflow)?;
                // An operand that is flushed, be it larger than the result.
                let operand = match accumulator.flushed || storage.flushed {
                    true => power(storage.emin.max(accumulator.emin), x.fixed.unit)
                        .ok_or(Lost::Overflow)?
                        .min(negative.into()),
                    false => 0,
                };
                let steepest = u128::from(slopes.center[index].unsigned_abs())
                    + slopes.radius.as_ref().map_or(0, |radius| u128::from(radius[index].unsigned_abs()));
                let flushed = operand.checked_mul(steepest).ok_or(Lost::Overflow)?;
                error = wobble + rounded + stored + flushed;
                if !storage.reaches(largest + error, unit) {
                    return Err(Lost::Overflow);
                }
            }
            let ends = [below[0], below[1], above_low, above_high];
            // An end that is cut off at zero is zero, and the function is there wherever the interval reaches zero.
            let within: &[i128] = match (low < 0, high >= 0) {
                (true, true) => &ends,
                (true, false) => &ends[..2],
                (false, _) => &ends[2..],
            };
            let error = i128::try_from(error).map_err(|_| Lost::Overflow)?;
            lows.push(within.iter().min().map_or(0, |end| end - error));
            highs.push(within.iter().max().map_or(0, |end| end + error));
            slacks.push(error.unsigned_abs());
        }
        let fixed = Fixed::narrow(unit, &lows, &highs);
        let slack = cut(&slacks, fixed.unit - unit);
        Ok(State::new(fixed, slack, self.seen(storage, accumulator)))
    }
}

/// Bits by which quotients of tensors are finer than what is divided.
const QUOTIENT_BITS: i32 = 60;
/// Bits by which means are finer than what is divided.
const MEAN_BITS: i32 = 24;

/// `value / 2^unit`, if it is an integer that is not too large.
pub(crate) fn shifted(value: i64, by: i32) -> Option<i128> {
    let value = i128::from(value);
    match by {
        _ if value == 0 => Some(0),
        0..=60 => Some(value << by),
        ..0 | 61.. => None,
    }
}

fn pick(operands: &[Fixed], read: u32, at: u32) -> (i64, i64) {
    let Fixed { unit: _, low, high } = &operands[read as usize];
    (low[at as usize], high[at as usize])
}

fn joined(all: impl Iterator<Item = Exactness>) -> Exactness {
    all.reduce(|a, b| Exactness { grid: a.grid.min(b.grid), bits: a.bits.max(b.bits) })
        .unwrap_or(Exactness { grid: 0, bits: 0 })
}

/// Slacks in units that are larger by `2^shift`. What was cut off moved the ends by less than one of them.
fn cut(slacks: &[u128], shift: i32) -> Vec<i64> {
    let shift = shift.unsigned_abs();
    let moved = i128::from(shift > 0);
    let cut = slacks.iter().map(|&slack| {
        let slack = i128::try_from(slack).unwrap_or(i128::MAX >> 1);
        i64::try_from(ceiling(slack, shift) + moved).unwrap_or(i64::MAX)
    });
    cut.collect()
}

/// The same, with each interval wider by a slack.
fn widened(from: &State, slack: &[u128], exact: Exactness) -> Result<State, Lost> {
    let wide = |end: i64, slack: u128, sign: i128| {
        let slack = i128::try_from(slack).map_err(|_| Lost::Overflow)?;
        i128::from(end).checked_add(sign * slack).ok_or(Lost::Overflow)
    };
    let ends = |ends: &[i64], sign| -> Result<Vec<i128>, Lost> {
        ends.iter().zip(slack).map(|(&end, &slack)| wide(end, slack, sign)).collect()
    };
    let (low, high) = (ends(&from.fixed.low, -1)?, ends(&from.fixed.high, 1)?);
    let fixed = Fixed::narrow(from.fixed.unit, &low, &high);
    let slack = cut(slack, fixed.unit - from.fixed.unit);
    Ok(State::new(fixed, slack, exact))
}

/// The intervals of two ways, together; the slack is about the first.
fn joined_ways(first: &State, other: &State) -> State {
    let unit = first.fixed.unit.max(other.fixed.unit);
    let both = [first, other].map(|state| state.fixed.coarser(unit));
    let ends = |of: &dyn Fn(usize) -> i64| (0..both[0].low.len()).map(of).collect::<Vec<i64>>();
    let low = ends(&|i| both[0].low[i].min(both[1].low[i]));
    let high = ends(&|i| both[0].high[i].max(both[1].high[i]));
    // In units of the result, rounded up; the middle moved where ends were cut off.
    let slack = |state: &State, i: usize| {
        let by = (unit - state.fixed.unit).unsigned_abs().min(63);
        let slack = state.slack.get(i).copied().unwrap_or(0);
        -((-slack) >> by) + i64::from(by > 0)
    };
    let middle = |low: i64, high: i64| low + high;
    let offset = ends(&|i| middle(both[0].low[i], both[0].high[i]) - middle(low[i], high[i]));
    // What the first was already off by, rounded up, is part of the slack.
    let off = |i: usize| {
        let by = (unit - first.fixed.unit).unsigned_abs().min(63);
        let off = first.offset.get(i).map_or(0, |off| off.saturating_abs());
        -((-off) >> by) + i64::from(off != 0)
    };
    let slack = ends(&|i| {
        let apart = middle(both[1].low[i], both[1].high[i]) - middle(both[0].low[i], both[0].high[i]);
        let both = slack(first, i).max(slack(other, i).saturating_add(apart.abs()));
        both.saturating_add(off(i)).saturating_add(1)
    });
    State { offset, ..State::new(Fixed { unit, low, high }, slack, joined([first.exact, other.exact].into_iter())) }
}

/// The weights of a part that are elements of a tensor.
pub(crate) fn weights_of<'s>(part: &Part, state: &impl Fn(TensorId) -> &'s State) -> Option<Centered> {
    match &part.weights {
        Weights::One | Weights::Constant(_, _) => None,
        Weights::Tensor(id) => {
            let fixed = &state(*id).fixed;
            let fixed = fixed.coarser(fixed.unit + (BITS - weight_bits(part.map.most())) as i32);
            Some(fixed.weights())
        }
    }
}

/// The largest magnitudes.
fn magnitudes(operand: &Centered) -> Centered {
    let radius = |index: usize| operand.radius.as_ref().map_or(0, |radius| radius[index].saturating_abs());
    let center =
        operand.center.iter().enumerate().map(|(index, center)| center.saturating_abs().saturating_add(radius(index)));
    Centered { unit: operand.unit, center: center.collect(), radius: None }
}

/// What flushing may take from operands, beside what they are multiplied by.
struct Flushes<'a> {
    map: &'a Map,
    x: Centered,
    w: Option<Centered>,
}

impl Flushes<'_> {
    /// What it may take from an element of the result, in these units.
    fn at(&self, element: usize, unit: i32) -> Option<u128> {
        let Dot { center: _, radius, size, spread, count: _, single: _, weights: _ } =
            dot(self.map, element, &self.x, self.w.as_ref());
        let all = radius.checked_add(size)?.checked_add(spread)?;
        match self.x.unit + self.w.as_ref().map_or(0, |w| w.unit) - unit {
            _ if all == 0 => Some(0),
            up @ 0..=125 if all.leading_zeros() > up.unsigned_abs() => Some(all << up),
            0.. => None,
            down => {
                let down = down.unsigned_abs().min(127);
                Some((all >> down) + 1)
            }
        }
    }
}

/// One tensor's share of a sum.
struct Term<'a> {
    x: &'a Centered,
    w: Option<&'a Centered>,
    negative: bool,
    map: &'a Map,
    of_x: Exactness,
    of_w: Option<Exactness>,
}

/// What the leaves of one element add up to, in units of the sum.
#[derive(Clone, Copy, Debug)]
struct Total {
    center: i128,
    radius: u128,
    size: u128,
    spread: u128,
    charge: u128,
    count: u64,
    /// The exponent of a power of two that divides every value of every leaf.
    grid: i32,
}

impl Term<'_> {
    fn unit(&self) -> i32 {
        self.x.unit + self.w.map_or(0, |w| w.unit)
    }

    /// The exponent of a power of two that divides every value of these leaves.
    fn grid(&self, sum: &Dot) -> i32 {
        let whole = self.of_x.grid.saturating_add(self.of_w.map_or(0, |of_w| of_w.grid));
        if self.w.is_some_and(|w| w.radius.is_some()) {
            return whole;
        }
        let unit = self.w.map_or(0, |w| w.unit);
        let single = if sum.single == 0 { ZERO_GRID } else { sum.single.trailing_zeros() as i32 + self.x.unit + unit };
        let wide =
            if sum.weights == 0 { ZERO_GRID } else { sum.weights.trailing_zeros() as i32 + unit + self.of_x.grid };
        whole.max(single.min(wide))
    }

    /// The exponent of a power of two that no sum of leaves exceeds, if they are not all zero.
    fn top(&self) -> Option<i32> {
        let longest = |operand: &Centered| {
            let center = operand.center.iter().map(|center| center.unsigned_abs()).max().unwrap_or(0);
            let radius = operand.radius.iter().flatten().map(|radius| radius.unsigned_abs()).max().unwrap_or(0);
            u64::BITS - (center + radius).leading_zeros()
        };
        let (x, w) = (longest(self.x), self.w.map_or(1, longest));
        let leaves = usize::BITS - self.map.most().leading_zeros();
        (x > 0 && w > 0).then(|| self.unit() + (x + w + leaves) as i32)
    }

    fn add(&self, element: usize, unit: i32, accumulator: Grain, all: &mut Total) -> Option<()> {
        let sum = dot(self.map, element, self.x, self.w);
        let (center, [radius, size, spread]) = match self.unit() - unit {
            up @ 0.. => {
                let up = if sum.size == 0 && sum.radius == 0 && sum.spread == 0 { 0 } else { up };
                (sum.center << up, [sum.radius, sum.size, sum.spread].map(|value| value << up))
            }
            down => {
                let down = down.unsigned_abs().min(127);
                let up = |value: u128| (value >> down) + u128::from(value & ((1 << down) - 1) != 0);
                let moved = u128::from(sum.center & ((1 << down) - 1) != 0);
                (sum.center >> down, [up(sum.radius), up(sum.size) + moved, up(sum.spread) + moved])
            }
        };
        let grid = self.grid(&sum);
        all.grid = all.grid.min(grid);
        if let Some(of_w) = self.of_w {
            let count = u128::from(sum.count);
            let short = of_w.bits + self.of_x.bits <= accumulator.precision;
            if !(short && grid >= accumulator.grid()) {
                // Each product may fall below the grid, and be flushed there.
                all.charge += count.checked_mul(accumulator.error(1, unit)?)?;
            }
            if !short {
                // An ulp is at most 2^(1-p) of a value that is normal.
                let all_of_them = size.checked_add(radius)?.checked_add(spread)?;
                all.charge += accumulator.share(all_of_them);
            }
        }
        all.center += if self.negative { -center } else { center };
        all.radius += radius;
        all.size += size;
        all.spread += spread;
        all.count += sum.count;
        Some(())
    }
}

impl Total {
    fn new() -> Total {
        Total { center: 0, radius: 0, size: 0, spread: 0, charge: 0, count: 0, grid: ZERO_GRID }
    }

    /// What no part of the leaves exceeds, and what all of them together do not.
    fn reach(&self) -> (u128, u128) {
        let wide = self.radius + self.spread;
        let (all, largest) = (self.size + wide, self.center.unsigned_abs() + wide);
        ((all + largest).div_ceil(2), largest)
    }
}

/// Units in which all terms can be added, and what rounding costs be told, however few bits there are.
fn common_unit(terms: &[Term]) -> i32 {
    let present = || terms.iter().filter_map(|term| Some((term.unit(), term.top()?)));
    let least = present().map(|(unit, _)| unit).min().unwrap_or(0);
    let kinds = (usize::BITS - terms.len().leading_zeros()) as i32;
    let top = present().map(|(_, top)| top).max();
    top.map_or(0, |top| (top + kinds - SUM_BITS).max(least.min(top - FINE_BITS)))
}

/// Bits by which a unit is below the sums.
const FINE_BITS: i32 = 90;

/// Bits of a sum of leaves.
const SUM_BITS: i32 = 122;

/// Elements that are made one after the other.
struct Made {
    unit: i32,
    low: Vec<i128>,
    high: Vec<i128>,
    slack: Vec<u128>,
}

impl Made {
    fn new(unit: i32, elements: usize) -> Made {
        let (low, high, slack) =
            (Vec::with_capacity(elements), Vec::with_capacity(elements), Vec::with_capacity(elements));
        Made { unit, low, high, slack }
    }

    /// An element that is, before it is narrowed, within `error` of a linear map, and at most `largest` in magnitude; `kept`: narrowing
    /// does not change it.
    #[allow(clippy::too_many_arguments)] // one call for each kind of step
    fn push(
        &mut self,
        center: i128,
        radius: u128,
        error: u128,
        largest: u128,
        kept: bool,
        storage: Grain,
        accumulator: Grain,
    ) -> Result<(), Lost> {
        if !accumulator.reaches(largest, self.unit) || !storage.reaches(largest, self.unit) {
            return Err(Lost::Overflow);
        }
        let narrowed = if kept || storage == accumulator { Some(0) } else { storage.error(largest, self.unit) };
        let slack = error + narrowed.ok_or(Lost::Overflow)?;
        let wide = i128::try_from(radius + slack).map_err(|_| Lost::Overflow)?;
        self.low.push(center.checked_sub(wide).ok_or(Lost::Overflow)?);
        self.high.push(center.checked_add(wide).ok_or(Lost::Overflow)?);
        self.slack.push(slack);
        Ok(())
    }

    fn state(&self, exact: Exactness) -> State {
        let fixed = Fixed::narrow(self.unit, &self.low, &self.high);
        let slack = cut(&self.slack, fixed.unit - self.unit);
        // Single values say themselves what divides them.
        let all = fixed.low.iter().fold(0, |all, end| all | end.unsigned_abs());
        let exact = match fixed.low == fixed.high {
            true if all == 0 => Exactness { grid: ZERO_GRID, bits: 0 },
            true => {
                let grid = fixed.unit + all.trailing_zeros() as i32;
                let bits = u64::BITS - all.leading_zeros() - all.trailing_zeros();
                Exactness { grid: exact.grid.max(grid), bits: exact.bits.min(bits) }
            }
            false => exact,
        };
        State::new(fixed, slack, exact)
    }
}

/// Limits in one unit: the least and the greatest that each may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clip {
    pub unit: i32,
    low: (i64, i64),
    high: (i64, i64),
    pub slack: i64,
}

impl Clip {
    /// In units that are at least so large.
    pub fn new(low: Option<&Fixed>, high: Option<&Fixed>, unit: i32) -> Clip {
        let fits = |limit: &Fixed| if limit.largest() == 0 { unit } else { top(limit) - BITS as i32 };
        let unit = [low, high].into_iter().flatten().map(fits).fold(unit, i32::max);
        let ends = |limit: Option<&Fixed>, none: i64| {
            limit.map_or((none, none), |limit| {
                let by = if limit.largest() == 0 { 0 } else { limit.unit - unit };
                let floor = |end: i64| {
                    let end = i128::from(end);
                    if by >= 0 { end << by } else { end >> by.unsigned_abs().min(127) }
                };
                let cast = |end: i128| i64::try_from(end).unwrap_or(none);
                (cast(floor(limit.low[0])), cast(-floor(-limit.high[0])))
            })
        };
        let (low, high) = (ends(low, NEVER_BELOW), ends(high, -NEVER_BELOW));
        Clip { unit, low, high, slack: (low.1 - low.0).max(high.1 - high.0) }
    }

    /// All that may come of an interval.
    pub fn interval(&self, low: i64, high: i64) -> (i64, i64) {
        (low.max(self.low.0).min(self.high.0), high.max(self.low.1).min(self.high.1))
    }

    /// What comes of a value, if the limits are the least that they may be; no others are farther away than the slack.
    pub fn value(&self, value: i64) -> i64 {
        value.max(self.low.0).min(self.high.0)
    }

    /// Where it bends.
    pub fn bends(&self) -> [i64; 2] {
        [self.low.0, self.high.0]
    }
}

/// Below every end of an interval.
const NEVER_BELOW: i64 = -(1 << 60);
