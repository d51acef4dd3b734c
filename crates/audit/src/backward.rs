//! A lower bound of a linear form of a tensor over all paths, by weak duality, backward through the steps.
//!
//! Let `y = sum nu h` for multipliers `nu` of a tensor `h`, and `h0` the middle of its interval. What is known of a path about `h` bounds
//! `nu (h - h0)` from below by multipliers of what `h` was made of:
//!
//! - **Linear.** `h - h0 = A (x - x0) + o + s` with `|s| <= slack`, so `nu (h - h0) >= (A^T nu) (x - x0) + nu o - |nu| slack`.
//! - **Elementwise.** `h = f(x) + s`. For any `lambda`, `nu (h - h0) >= lambda (x - x0) + min { nu (f(t) - h0) - lambda (t - x0) : t in
//!   [xl, xh] } - |nu| slack`. `f` is linear in pieces, so that the minimum is at an end or where it bends.
//! - **Extreme.** The largest element is at least each of them, and at most any that no other one exceeds.
//! - **Function.** `h = f(x0) + c (x - x0) + d` is linear, for multipliers `c` and a slack that are of this row: see `curve`.
//! - **Choice.** Elements that are moved, where the condition is certain.
//! - **Anything.** `nu (h - h0) >= -|nu| (hh - hl) / 2`.
//!
//! In the end only multipliers of inputs and constants are left, and what was taken off on the way is the bound. Any choice of `lambda` is
//! sound. Multipliers are rounded to [`MULTIPLIER_BITS`]: with `nu'` in place of `nu`, `nu (h - h0) >= nu' (h - h0) - |nu - nu'| (hh -
//! hl) / 2`. If each reader of a tensor may see a copy of its own, the multipliers of all readers go to one copy, and those of each but
//! the first cost `|nu| (hh - hl)` more: two copies of one element lie in its interval. Or they cost `2 |nu|_2 d`, since two copies lie in
//! the ball of radius `d` that `norms` has, if that is less.

use roundproof_graph::TensorId;

use crate::ends::{Choice, Ends};
use crate::fixed::Fixed;
use crate::forward::{Clip, Context, State, weights_of};
use crate::linear::scatter;
use crate::model::Copies;
use crate::norms::Upper;
use crate::plan::{Bend, Part, Placed, Step, Sum, Weights};

/// Bits of multipliers.
const MULTIPLIER_BITS: u32 = 31;

/// A lower bound of a form, `value 2^unit`, and what each step took off it.
#[derive(Clone, Debug)]
pub(crate) struct Lower {
    pub value: i128,
    pub unit: i32,
    /// For each step of the plan, in the same units.
    pub losses: Vec<i128>,
}

/// Multipliers that are gathered for a tensor: `values 2^unit`, each of them off by at most `error` units.
struct Gathered {
    unit: i32,
    values: Vec<i128>,
    error: u128,
    readers: u32,
}

/// The same, rounded.
struct Multipliers {
    unit: i32,
    values: Vec<i64>,
    /// How far each may be from what it stands for.
    error: u64,
}

impl Gathered {
    fn round(&self) -> Multipliers {
        let shift = crate::fixed::excess(self.values.iter(), MULTIPLIER_BITS);
        let error = u64::try_from((self.error >> shift) + 1).unwrap_or(u64::MAX);
        Multipliers {
            unit: self.unit + shift as i32,
            values: self.values.iter().map(|&value| (value >> shift) as i64).collect(),
            error: if shift == 0 && self.error == 0 { 0 } else { error.saturating_add(1) },
        }
    }
}

/// Intervals of a tensor from bounds of each of its elements by itself, in units of its state: the least that each may be, and the
/// most. An element that has no bound is left as it is.
pub(crate) fn bounds(context: &Context, states: &[Option<State>], tensor: TensorId) -> Option<(Vec<i64>, Vec<i64>)> {
    let fixed = &states[tensor].as_ref()?.fixed;
    let (mut least, mut most) = (fixed.low.clone(), fixed.high.clone());
    for element in 0..least.len() {
        // What does not change its sign is followed exactly.
        if least[element] >= 0 || most[element] <= 0 {
            continue;
        }
        let end = |form: &[(usize, i64)]| {
            let Lower { value, unit, losses: _ } = lower(context, states, tensor, form)?;
            i64::try_from(convert(value, unit - fixed.unit)?).ok()
        };
        if let Some(low) = end(&[(element, 1)]) {
            least[element] = low;
        }
        if let Some(low) = end(&[(element, -1)]) {
            most[element] = -low;
        }
    }
    Some((least, most))
}

/// What is left of a form, and what was taken off.
struct Run<'a> {
    context: &'a Context<'a>,
    states: &'a [Option<State>],
    gathered: Vec<Option<Gathered>>,
    value: i128,
    unit: i32,
    losses: Vec<i128>,
}

/// `value 2^(unit of value)` in units, rounded down.
fn convert(value: i128, by: i32) -> Option<i128> {
    match by {
        _ if value == 0 => Some(0),
        0.. => {
            let by = by.unsigned_abs();
            (by < value.unsigned_abs().leading_zeros().saturating_sub(2)).then(|| value << by)
        }
        _ => Some(value >> by.unsigned_abs().min(127)),
    }
}

/// A lower bound of `sum m h` over all paths, for multipliers `(element, m)` of a tensor; none if it cannot be counted.
pub(crate) fn lower(
    context: &Context,
    states: &[Option<State>],
    tensor: TensorId,
    form: &[(usize, i64)],
) -> Option<Lower> {
    let state = states[tensor].as_ref()?;
    let mut values = vec![0; state.fixed.low.len()];
    form.iter().for_each(|&(element, multiplier)| values[element] += i128::from(multiplier));
    let value =
        form.iter().map(|&(element, m)| i128::from(m) * i128::from(state.centered.center[element])).sum::<i128>();
    let mut run = Run {
        context,
        states,
        gathered: (0..states.len()).map(|_| None).collect(),
        // The middle of the form, with some room for what is smaller.
        value: value << ROOM,
        unit: state.centered.unit - ROOM,
        losses: vec![0; context.plan.placed.len()],
    };
    run.gathered[tensor] = Some(Gathered { unit: 0, values, error: 0, readers: 1 });
    for (index, placed) in context.plan.placed.iter().enumerate().rev() {
        let Some(gathered) = run.gathered[placed.writes].take() else { continue };
        let before = run.value;
        run.step(placed, &gathered.round())?;
        run.losses[index] += before - run.value;
    }
    // What nothing makes.
    for id in 0..states.len() {
        if let Some(gathered) = run.gathered[id].take() {
            run.boxed(id, &gathered.round())?;
        }
    }
    Some(Lower { value: run.value, unit: run.unit, losses: run.losses })
}

/// Bits below those of the tensor that is bounded.
const ROOM: i32 = 16;

impl Run<'_> {
    fn state(&self, id: TensorId) -> Option<&State> {
        self.states[id].as_ref()
    }

    /// Adds `value 2^unit` to the bound, rounded down.
    fn add(&mut self, value: i128, unit: i32) -> Option<()> {
        self.value = self.value.checked_add(convert(value, unit - self.unit)?)?;
        Some(())
    }

    /// Takes all off that the tensor may differ from the middle of its interval by.
    fn boxed(&mut self, id: TensorId, nu: &Multipliers) -> Option<()> {
        let state = self.state(id)?;
        let Some(radius) = &state.centered.radius else { return Some(()) };
        let mut lost = 0i128;
        for (&nu_i, &radius) in nu.values.iter().zip(radius) {
            let magnitude = i128::from(nu_i.unsigned_abs()) + i128::from(nu.error);
            lost = lost.checked_add(magnitude.checked_mul(radius.into())?)?;
        }
        let unit = nu.unit + state.centered.unit;
        self.add(-lost, unit)
    }

    /// Takes off what rounded multipliers and the slack of a tensor may cost.
    fn slack(&mut self, id: TensorId, nu: &Multipliers) -> Option<()> {
        let state = self.state(id)?;
        let mut lost = 0i128;
        if nu.error != 0
            && let Some(radius) = &state.centered.radius
        {
            let sum = radius.iter().map(|&radius| i128::from(radius)).sum::<i128>();
            lost = sum.checked_mul(nu.error.into())?;
        }
        // Slacks are in whole units, radii in half ones.
        let slack: i128 = nu
            .values
            .iter()
            .zip(&state.slack)
            .map(|(nu, &slack)| i128::from(nu.unsigned_abs()) * i128::from(slack))
            .sum();
        let lost = lost.checked_add(slack.checked_mul(2)?)?;
        let unit = nu.unit + state.centered.unit;
        self.add(lost.checked_neg()?, unit)
    }

    /// Adds what the linear map at the middles of what was read is above the middle of a tensor, of the elements that are such a map.
    fn offset(&mut self, id: TensorId, nu: &Multipliers, linear: impl Fn(usize) -> bool) -> Option<()> {
        let state = self.state(id)?;
        let each = nu.values.iter().zip(&state.offset).enumerate().filter(|(element, _)| linear(*element));
        let offset: i128 = each.map(|(_, (&nu, &offset))| i128::from(nu) * i128::from(offset)).sum();
        let unit = nu.unit + state.centered.unit;
        self.add(offset, unit)
    }

    /// Both, for a step that is linear in every element.
    fn linear(&mut self, id: TensorId, nu: &Multipliers) -> Option<()> {
        self.slack(id, nu)?;
        self.offset(id, nu, |_| true)
    }

    /// Gathers multipliers for a tensor.
    fn gather(&mut self, id: TensorId, unit: i32, values: Vec<i128>, error: u128) -> Option<()> {
        let Some(before) = self.gathered[id].take() else {
            self.gathered[id] = Some(Gathered { unit, values, error, readers: 1 });
            return Some(());
        };
        match self.context.model.copies {
            Copies::One => {}
            Copies::PerReader => {
                // What this reader sees may be another copy.
                let state = self.state(id)?;
                if let Some(radius) = &state.centered.radius {
                    let mut lost = 0i128;
                    let down = crate::fixed::excess(values.iter(), 62);
                    let magnitude = |value: &i128| (value.unsigned_abs() >> down) + (error >> down) + 2;
                    for (value, &radius) in values.iter().zip(radius) {
                        let magnitude = i128::try_from(magnitude(value)).ok()?;
                        lost = lost.checked_add(magnitude.checked_mul(i128::from(radius) * 2)?)?;
                    }
                    let unit = unit + down as i32;
                    let boxed = Upper::new(lost.unsigned_abs(), (unit + state.centered.unit).into());
                    let lengths = values.iter().map(|value| u64::try_from(magnitude(value)).unwrap_or(u64::MAX));
                    let lost = match &state.ball {
                        Some(ball) if error >> down < 1 << 62 => {
                            boxed.min(ball.between_copies(Upper::norm(lengths, unit)))
                        }
                        Some(_) | None => boxed,
                    };
                    let lost = i128::try_from(lost.units(self.unit)?).ok()?;
                    self.value = self.value.checked_sub(lost)?;
                }
            }
        }
        // In the larger unit of the two. One unit is lost where the other was cut off.
        let coarse = unit.max(before.unit);
        let cut = |values: Vec<i128>, by: i32, error: u128| {
            let by = by.unsigned_abs().min(127);
            let error = if by == 0 { error } else { (error >> by) + 2 };
            (values.into_iter().map(|value| value >> by).collect::<Vec<_>>(), error)
        };
        let (one, one_error) = cut(before.values, coarse - before.unit, before.error);
        let (other, other_error) = cut(values, coarse - unit, error);
        let sum = one.iter().zip(&other).map(|(a, b)| a.checked_add(*b)).collect::<Option<Vec<_>>>()?;
        let error = one_error.checked_add(other_error)?;
        self.gathered[id] = Some(Gathered { unit: coarse, values: sum, error, readers: before.readers + 1 });
        Some(())
    }

    fn step(&mut self, placed: &Placed, nu: &Multipliers) -> Option<()> {
        let Placed { step, writes, node: _, work: _ } = placed;
        match step {
            Step::Sum(Sum { ways }) => {
                self.linear(*writes, nu)?;
                ways.first()?.parts.iter().try_for_each(|part| self.part(part, nu))
            }
            Step::Mean { reads, map, counts } => {
                self.linear(*writes, nu)?;
                let mut values = vec![0i128; self.state(*reads)?.fixed.low.len()];
                for (element, (&nu, &count)) in nu.values.iter().zip(counts).enumerate() {
                    // Off by less than one unit for each mean that an element is part of.
                    let each = (i128::from(nu) << MEAN_BITS) / i128::from(count);
                    scatter(map, element, i64::try_from(each).ok()?, None, &mut values);
                }
                self.gather(*reads, nu.unit - MEAN_BITS, values, counts.len() as u128)
            }
            Step::Pick { reads, picks } => {
                self.linear(*writes, nu)?;
                let mut all: Vec<Vec<i128>> = Vec::new();
                for &id in reads {
                    all.push(vec![0; self.state(id)?.fixed.low.len()]);
                }
                for (&(read, at), &nu) in picks.iter().zip(&nu.values) {
                    all[read as usize][at as usize] += i128::from(nu);
                }
                reads.iter().zip(all).try_for_each(|(&id, values)| self.gather(id, nu.unit, values, 0))
            }
            Step::Cast(reads) => {
                self.linear(*writes, nu)?;
                let values = nu.values.iter().map(|&nu| nu.into()).collect();
                self.gather(*reads, nu.unit, values, 0)
            }
            Step::Bend(bend, reads) => self.bend(bend, *reads, *writes, nu),
            Step::Extreme { reads, starts, picks, greatest } => {
                self.extreme(reads, starts, picks, *greatest, *writes, nu)
            }
            Step::Ends(ends) => self.ends(ends, *writes, nu),
            Step::Sign(_) | Step::Quotient { reads: _, lists: _ } => self.boxed(*writes, nu),
        }
    }

    fn ends(&mut self, ends: &Ends, writes: TensorId, nu: &Multipliers) -> Option<()> {
        match ends {
            Ends::Curve(_, reads) | Ends::Ramp(_, reads) => {
                let slopes = self.state(writes)?.slopes.clone()?;
                self.linear(writes, nu)?;
                let values =
                    nu.values.iter().zip(&slopes.center).map(|(&nu, &slope)| i128::from(nu) * i128::from(slope));
                self.gather(*reads, nu.unit + slopes.unit, values.collect(), 0)
            }
            Ends::Where { reads, lists } => {
                self.slack(writes, nu)?;
                let condition = self.state(reads[0])?;
                let chosen: Vec<Choice> =
                    lists[0].iter().map(|&at| self.context.choice(reads[0], condition, at as usize)).collect();
                self.offset(writes, nu, |element| match chosen[element] {
                    Choice::First | Choice::Second => true,
                    Choice::Either => false,
                })?;
                let mut all = [Vec::new(), Vec::new()];
                for operand in 0..2 {
                    all[operand] = vec![0; self.state(reads[operand + 1])?.fixed.low.len()];
                }
                let h = &self.state(writes)?.centered;
                let mut lost = 0i128;
                for (element, &nu) in nu.values.iter().enumerate() {
                    let operand = match chosen[element] {
                        Choice::First => 0,
                        Choice::Second => 1,
                        Choice::Either => {
                            let radius = h.radius.as_ref().map_or(0, |radius| radius[element]);
                            lost = lost.checked_add(i128::from(nu.unsigned_abs()) * i128::from(radius))?;
                            continue;
                        }
                    };
                    all[operand][lists[operand + 1][element] as usize] += i128::from(nu);
                }
                let unit = nu.unit + h.unit;
                self.add(-lost, unit)?;
                let [first, second] = all;
                self.gather(reads[1], nu.unit, first, 0)?;
                self.gather(reads[2], nu.unit, second, 0)
            }
            Ends::Compare { comparison: _, reads: _, lists: _ }
            | Ends::Normalize { norm: _, reads: _, lane: _ }
            | Ends::Softmax { reads: _, lanes: _, exp: _, log: _ } => self.boxed(writes, nu),
        }
    }

    fn part(&mut self, part: &Part, nu: &Multipliers) -> Option<()> {
        let Part { reads, negative, map, weights } = part;
        let states = self.states;
        let made = weights_of(part, &|id| states[id].as_ref().expect("a step comes after what it reads"));
        let w = match weights {
            Weights::One => None,
            Weights::Constant(w, _) => Some(&**w),
            Weights::Tensor(_) => made.as_ref(),
        };
        let mut values = vec![0; self.state(*reads)?.fixed.low.len()];
        for (element, &nu) in nu.values.iter().enumerate() {
            scatter(map, element, if *negative { -nu } else { nu }, w, &mut values);
        }
        self.gather(*reads, nu.unit + w.map_or(0, |w| w.unit), values, 0)
    }

    fn bend(&mut self, bend: &Bend, reads: TensorId, writes: TensorId, nu: &Multipliers) -> Option<()> {
        self.slack(writes, nu)?;
        let (x, h) = (self.state(reads)?, self.state(writes)?);
        let Fixed { unit: _, low, high } = &x.fixed;
        let clip = match bend {
            Bend::Clip { low, high } => Some(Clip::new(low.as_ref(), high.as_ref(), x.fixed.unit)),
            Bend::Negate | Bend::Magnitude | Bend::Relu | Bend::Leaky(_) => None,
        };
        // Values of the function are in these units, finer than those of what it reads by so many bits.
        let finer = match bend {
            Bend::Negate | Bend::Magnitude | Bend::Relu => 0,
            Bend::Clip { low: _, high: _ } if clip.is_some_and(|clip| clip.unit == x.fixed.unit) => 0,
            Bend::Clip { low: _, high: _ } => return self.boxed(writes, nu),
            Bend::Leaky(slopes) if (0..=MOST_FINER).contains(&-slopes.unit) => -slopes.unit,
            Bend::Leaky(_) => return self.boxed(writes, nu),
        };
        let unit = x.fixed.unit - finer;
        let (mut values, mut total) = (Vec::with_capacity(low.len()), 0i128);
        for (index, &nu_i) in nu.values.iter().enumerate() {
            let (xl, xh) = (low[index], high[index]);
            let slope = match bend {
                Bend::Leaky(slopes) => slopes.center[index],
                Bend::Negate | Bend::Magnitude | Bend::Relu | Bend::Clip { low: _, high: _ } => 0,
            };
            let of = |t: i64| -> Option<i128> {
                Some(match bend {
                    Bend::Negate => -i128::from(t),
                    Bend::Magnitude => i128::from(t.abs()),
                    Bend::Relu => i128::from(t.max(0)),
                    Bend::Clip { low: _, high: _ } => i128::from(clip?.value(t)),
                    Bend::Leaky(_) if t < 0 => i128::from(t) * i128::from(slope),
                    Bend::Leaky(_) => crate::forward::shifted(t, finer)?,
                })
            };
            let lambda = if xl == xh { 0 } else { chord(nu_i, of(xl)?, of(xh)?, xl, xh, finer, bend)? };
            values.push(i128::from(lambda));
            if nu_i == 0 {
                continue;
            }
            let at = |t: i64| -> Option<i128> {
                let by = i128::from(lambda).checked_mul(t.into())?.checked_shl(finer.unsigned_abs())?;
                i128::from(nu_i).checked_mul(of(t)?)?.checked_sub(by)
            };
            let bends = match bend {
                Bend::Negate => [0, 0],
                Bend::Magnitude | Bend::Relu | Bend::Leaky(_) => [0, 0],
                Bend::Clip { low: _, high: _ } => clip?.bends(),
            };
            let mut least = at(xl)?.min(at(xh)?);
            for t in bends {
                if xl < t && t < xh {
                    least = least.min(at(t)?);
                }
            }
            // Plus lambda x0, in half units.
            let middle = i128::from(lambda).checked_mul((xl + xh).into())?.checked_shl(finer.unsigned_abs())?;
            total = total.checked_add(least.checked_mul(2)?.checked_add(middle)?)?;
        }
        let reference: i128 =
            nu.values.iter().zip(&h.centered.center).map(|(&nu, &center)| i128::from(nu) * i128::from(center)).sum();
        let at = (nu.unit + unit - 1, nu.unit + h.centered.unit);
        self.add(total, at.0)?;
        self.add(-reference, at.1)?;
        self.gather(reads, nu.unit, values, 0)
    }

    fn extreme(
        &mut self,
        reads: &[TensorId],
        starts: &[u32],
        picks: &[(u32, u32)],
        greatest: bool,
        writes: TensorId,
        nu: &Multipliers,
    ) -> Option<()> {
        self.slack(writes, nu)?;
        let h = self.state(writes)?;
        let unit = h.centered.unit;
        let mut operands = Vec::new();
        let mut all: Vec<Vec<i128>> = Vec::new();
        for &id in reads {
            let state = self.state(id)?;
            operands.push(state.fixed.coarser(h.fixed.unit));
            all.push(vec![0; state.fixed.low.len()]);
        }
        let mut total = 0i128;
        for (element, &nu_i) in nu.values.iter().enumerate() {
            let ends = |&(read, at): &(u32, u32)| {
                (operands[read as usize].low[at as usize], operands[read as usize].high[at as usize])
            };
            let among = &picks[starts[element] as usize..starts[element + 1] as usize];
            let sign = if greatest { 1 } else { -1 };
            let middle = |pick: &(u32, u32)| {
                let (low, high) = ends(pick);
                sign * (low + high)
            };
            let Some(best) = among.iter().max_by_key(|pick| middle(pick)) else { continue };
            let (low, high) = ends(best);
            // Each is a bound on one side; on the other, one that no other exceeds.
            let dominates = among.iter().all(|other| {
                let (other_low, other_high) = ends(other);
                other == best || if greatest { other_high <= low } else { other_low >= high }
            });
            let center = i128::from(h.centered.center[element]);
            if (nu_i >= 0) == greatest || dominates {
                all[best.0 as usize][best.1 as usize] += i128::from(nu_i);
                // From the middle of the one to that of the other; one unit where the operand was cut off.
                let moved = i128::from(low + high) - center;
                let cut = i128::from(nu_i.unsigned_abs())
                    * i128::from(2 * i64::from(self.state(reads[best.0 as usize])?.fixed.unit != h.fixed.unit));
                total = total.checked_add(i128::from(nu_i) * moved)?.checked_sub(cut)?;
            } else {
                let radius = h.centered.radius.as_ref().map_or(0, |radius| radius[element]);
                total = total.checked_sub(i128::from(nu_i.unsigned_abs()) * i128::from(radius))?;
            }
        }
        let at = nu.unit + unit;
        self.add(total, at)?;
        reads.iter().zip(all).try_for_each(|(&id, values)| self.gather(id, nu.unit, values, 0))
    }
}

/// Slopes with more bits behind the point are not followed.
const MOST_FINER: i32 = 32;
/// Bits that the multipliers of what a mean is made of are finer by.
const MEAN_BITS: i32 = 24;

/// A multiplier of `t` near the slope of `nu f(t)` between two ends: that of the chord, or of one side where the function turns
/// upward, which no chord is below.
fn chord(nu: i64, at_low: i128, at_high: i128, low: i64, high: i64, finer: i32, bend: &Bend) -> Option<i64> {
    let width = i128::from(high) - i128::from(low);
    let rise = i128::from(nu).checked_mul(at_high - at_low)? >> finer.unsigned_abs();
    let slope = i64::try_from(rise / width).ok()?;
    Some(match bend {
        Bend::Relu if nu > 0 && low < 0 && high > 0 => {
            if high > -low {
                nu
            } else {
                0
            }
        }
        Bend::Relu | Bend::Negate | Bend::Magnitude | Bend::Clip { low: _, high: _ } | Bend::Leaky(_) => slope,
    })
}
