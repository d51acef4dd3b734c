//! How far a path may be from a reference evaluation, in the Euclidean norm, tensor by tensor.
//!
//! Intervals of the elements of a layer forget that all of them are made of the same elements of the one before: layer by layer they
//! grow by the largest sum of magnitudes of a row of weights. The distance of two vectors grows by no more than the spectral norm. Of
//! each tensor `h` a *middle* `m` and a *radius* `d` are known, with
//!
//! > `|h - m|_2 <= d` for every `h` that a reader may see on some path,
//!
//! narrowed or not, and of whichever copy, if each reader may see one of its own; and of a tensor that is only formed in some of the ways
//! of a sum, for the exact value of its linear map in the others (see `forward`). A middle need not be the value of a path.
//!
//! - **Linear.** What `forward` says of a step that is linear in what it reads, and what `backward` leans on: `h = h0 + o + sum_p A_p (x_p -
//!   c_p) + s` with `|s_i| <= slack_i`, where `h0` and `c_p` are the middles of intervals, `o` the offset, `A_p` the map of a part with the
//!   middles of its weights. Errors of every tree, narrowing, flushes of operands and the width of weights are in the slack. Put `m = h0 +
//!   o + sum_p A_p (m_p - c_p) + e`, `e` what rounding `m` to the units of the tensor adds. Then `h - m = sum_p A_p (x_p - m_p) + s - e`, and
//!   with `a_(p,i)` the rows of `A_p`
//!
//!   > `|h - m|_2 <= sum_p |A_p|_2 d_p + |slack + |e||_2`, and `|h_i - m_i| <= sum_p |a_(p,i)|_2 d_p + slack_i + |e_i|`
//!
//!   by the triangle and the Cauchy-Schwarz inequality. The latter is an interval beside that of `forward`; what is in both is kept. Parts
//!   may read the same tensor, or see copies of it: nothing was said of how the `x_p` are related.
//! - **Elementwise.** `h_i = f_i(x_i) + s_i` with `|f_i(t) - f_i(u)| <= L |t - u|`: `m = f(m_x) + e` and `d = L d_x + |slack + |e||_2`.
//! - **Extreme.** `|max_k x_k - max_k u_k| <= max_k |x_k - u_k|`, so that with no element in more than `r_p` of the sets that are
//!   compared, `d^2 = sum_p r_p d_p^2`, and `|slack + |e||_2` in addition. The same of elements that are picked, in which every set has one element.
//! - **Anything.** The middle of the interval, and `d` the norm of the distances of its ends: the *box*. Where a box is smaller than what
//!   the rules above give, it is taken in place of it.
//!
//! Norms of weights are counted once for a model; [`operator`] says how. Numbers are integers, and radii are [`Upper`]: rounded up.

mod operator;
mod upper;

use roundproof_graph::TensorId;

use crate::fixed::Centered;
use crate::forward::{Clip, State, shifted, weights_of};
use crate::linear::{Map, image};
use crate::plan::{Bend, Part, Placed, Plan, Step, Sum, Weights};
use operator::{Budget, Entries, Norms, times_root};
pub(crate) use upper::Upper;

/// How far a tensor may be from a middle.
#[derive(Clone, Debug)]
pub(crate) struct Ball {
    /// In half units of the intervals of the tensor.
    middle: Vec<i64>,
    radius: Upper,
}

/// The norms of the parts of each step of a plan, but for those whose weights are elements of a tensor.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    steps: Vec<Vec<Option<Norms>>>,
}

/// Middles beyond this many half units are not followed.
const FAR: i128 = 1 << 58;
/// A middle is moved to that of the interval if that is nearer than the radius by so many bits.
const NEAR: u32 = 6;
/// Half units beyond all intervals.
const NO_REACH: i64 = 1 << 61;

impl State {
    /// With a ball: the one that there is, as far as it is in the intervals, or their box.
    pub fn balled(mut self) -> State {
        self.ball = Some(match self.ball.take() {
            Some(ball) => ball.within(&self),
            None => Ball::boxed(&self),
        });
        self
    }
}

impl Ball {
    /// The box of the intervals.
    pub fn boxed(state: &State) -> Ball {
        let Centered { unit, center, radius } = &state.centered;
        let radii = radius.iter().flatten().map(|radius| radius.unsigned_abs());
        Ball { middle: center.clone(), radius: Upper::norm(radii, *unit) }
    }

    /// The same, or smaller: of what is in these intervals too.
    pub fn within(self, state: &State) -> Ball {
        let boxed = Ball::boxed(state);
        let apart = || self.middle.iter().zip(&boxed.middle).map(|(a, b)| a.abs_diff(*b));
        let unit = state.centered.unit;
        let radius = match &state.centered.radius {
            None => return boxed,
            Some(radii) => {
                let farthest = apart().zip(radii).map(|(apart, radius)| apart.saturating_add(radius.unsigned_abs()));
                self.radius.min(Upper::norm(farthest, unit))
            }
        };
        if boxed.radius <= radius {
            return boxed;
        }
        // The maps of those that read it need not be applied to the difference of the middles, if there is none.
        let moved = Upper::norm(apart(), unit);
        if moved.times(Upper::new(1 << NEAR, 0)) <= radius {
            return Ball { middle: boxed.middle, radius: radius.plus(moved) };
        }
        Ball { middle: self.middle, radius }
    }

    /// At most `nu (h - h')` for two values of the tensor, if `nu` is at most so long.
    pub fn between_copies(&self, nu: Upper) -> Upper {
        nu.times(self.radius.plus(self.radius))
    }
}

impl Lengths {
    /// Of a plan, tensors of which have so many elements.
    pub fn of(plan: &Plan, elements: impl Fn(TensorId) -> usize) -> Lengths {
        let mut budget = Budget::of_a_model();
        let mut part = |part: &Part| {
            let entries = match &part.weights {
                Weights::One => Entries::Weights(None),
                Weights::Constant(weights, _) => Entries::Weights(Some(weights)),
                Weights::Tensor(_) => return None,
            };
            Some(Norms::of(&part.map, entries, elements(part.reads), &mut budget))
        };
        let steps = plan.placed.iter().map(|placed| match &placed.step {
            Step::Sum(Sum { ways }) => ways.first().into_iter().flat_map(|way| &way.parts).map(&mut part).collect(),
            Step::Mean { reads, map, counts } => {
                vec![Some(Norms::simple(map, Entries::Reciprocals(counts), elements(*reads)))]
            }
            Step::Bend(_, _)
            | Step::Pick { reads: _, picks: _ }
            | Step::Extreme { reads: _, starts: _, picks: _, greatest: _ }
            | Step::Quotient { reads: _, lists: _ }
            | Step::Ends(_)
            | Step::Sign(_)
            | Step::Cast(_) => Vec::new(),
        });
        Lengths { steps: steps.collect() }
    }

    /// The state of what a step makes, with a ball; and with smaller intervals, where they follow.
    pub fn known(&self, index: usize, placed: &Placed, state: State, states: &[Option<State>]) -> State {
        let Some(made) = self.made(index, placed, &state, states) else {
            return state.balled();
        };
        let mut state = match &made.reach {
            None => state,
            Some(reach) => {
                let ends =
                    |sign: i64| made.ball.middle.iter().zip(reach).map(move |(middle, reach)| middle + sign * reach);
                let low: Vec<i64> = ends(-1).map(|end| end >> 1).collect();
                let high: Vec<i64> = ends(1).map(|end| (end + 1) >> 1).collect();
                state.within(&low, &high)
            }
        };
        state.ball = Some(made.ball);
        state.balled()
    }

    /// None where only the box is known.
    fn made(&self, index: usize, placed: &Placed, state: &State, states: &[Option<State>]) -> Option<Made> {
        let of = |id: TensorId| states[id].as_ref().expect("a step comes after what it reads");
        let operand = |id: TensorId| Operand::of(of(id));
        match &placed.step {
            Step::Sum(Sum { ways }) => {
                let mut sum = Linear::new(state)?;
                for (part, norms) in ways.first()?.parts.iter().zip(self.steps.get(index)?) {
                    let Part { reads, negative, map, weights } = part;
                    let made = weights_of(part, &of);
                    let w = match weights {
                        Weights::One => None,
                        Weights::Constant(w, _) => Some(&**w),
                        Weights::Tensor(_) => made.as_ref(),
                    };
                    let x = operand(*reads)?;
                    let of_row;
                    let norms = match norms {
                        Some(norms) => norms,
                        None => {
                            of_row = Norms::simple(map, Entries::Weights(w), x.off.len());
                            &of_row
                        }
                    };
                    sum.add(*negative, map, w, &x, norms)?;
                }
                sum.made(state)
            }
            Step::Mean { reads, map, counts } => {
                let mut sum = Linear::new(state)?;
                sum.add_mean(map, counts, &operand(*reads)?, self.steps.get(index)?.first()?.as_ref()?)?;
                sum.made(state)
            }
            Step::Cast(reads) => {
                let x = operand(*reads)?;
                let mut sum = Linear::new(state)?;
                for (element, &off) in x.off.iter().enumerate() {
                    sum.move_by(element, off.into(), x.unit)?;
                }
                sum.whole = x.radius;
                sum.ball(state)
            }
            Step::Pick { reads, picks } => {
                let all = reads.iter().map(|&id| operand(id)).collect::<Option<Vec<_>>>()?;
                let mut sum = Linear::new(state)?;
                for (element, &(read, at)) in picks.iter().enumerate() {
                    let x = &all[read as usize];
                    sum.move_by(element, x.off[at as usize].into(), x.unit)?;
                }
                sum.whole = joined(&all, picks);
                sum.ball(state)
            }
            Step::Extreme { reads, starts, picks, greatest } => {
                let all = reads.iter().map(|&id| operand(id)).collect::<Option<Vec<_>>>()?;
                let mut middle = Vec::with_capacity(starts.len());
                for pair in starts.windows(2) {
                    let mut values = Vec::new();
                    for &(read, at) in &picks[pair[0] as usize..pair[1] as usize] {
                        let x = &all[read as usize];
                        values.push(converted(x.middle[at as usize].into(), x.unit - state.centered.unit)?.0);
                    }
                    let chosen = if *greatest { values.into_iter().max() } else { values.into_iter().min() };
                    middle.push(near(chosen?)?);
                }
                // Rounded down, by less than one where units differ.
                let slack = |element: usize| state.slack.get(element).map_or(0, |slack| slack.unsigned_abs());
                let off = (0..middle.len()).map(|element| slack(element).saturating_mul(2).saturating_add(1));
                let radius = joined(&all, picks).plus(Upper::norm(off, state.centered.unit));
                Some(Made { ball: Ball { middle, radius }, reach: None })
            }
            Step::Bend(bend, reads) => bent(bend, &operand(*reads)?, state),
            Step::Quotient { reads: _, lists: _ } | Step::Ends(_) | Step::Sign(_) => None,
        }
    }
}

/// A ball, and how far each element may be from its middle, in half units.
struct Made {
    ball: Ball,
    reach: Option<Vec<i64>>,
}

/// What a step reads.
struct Operand<'a> {
    /// Half units of its intervals.
    unit: i32,
    middle: &'a [i64],
    /// How far the middle is above those of the intervals.
    off: Vec<i64>,
    moved: bool,
    radius: Upper,
}

impl<'a> Operand<'a> {
    fn of(state: &'a State) -> Option<Operand<'a>> {
        let Ball { middle, radius } = state.ball.as_ref()?;
        let off: Vec<i64> = middle.iter().zip(&state.centered.center).map(|(middle, center)| middle - center).collect();
        let moved = off.iter().any(|&off| off != 0);
        Some(Operand { unit: state.centered.unit, middle, off, moved, radius: *radius })
    }
}

/// A step that is linear, part by part.
struct Linear {
    unit: i32,
    middle: Vec<i128>,
    /// How much was rounded off each, at most.
    cut: Vec<u64>,
    whole: Upper,
    rows: Vec<Upper>,
}

impl Linear {
    /// The middle of the intervals of the result, and its offset.
    fn new(state: &State) -> Option<Linear> {
        let count = state.centered.center.len();
        let offset = |index: usize| state.offset.get(index).map_or(0, |&offset| offset.into());
        let middle =
            state.centered.center.iter().enumerate().map(|(index, &center)| i128::from(center) + offset(index));
        Some(Linear {
            unit: state.centered.unit,
            middle: middle.collect(),
            cut: vec![0; count],
            whole: Upper::ZERO,
            rows: vec![Upper::ZERO; count],
        })
    }

    /// Moves the middle of an element by `value 2^unit`, rounded down.
    fn move_by(&mut self, element: usize, value: i128, unit: i32) -> Option<()> {
        let (value, cut) = converted(value, unit - self.unit)?;
        self.middle[element] = self.middle[element].checked_add(value)?;
        self.cut[element] += u64::from(cut);
        Some(())
    }

    fn lengthen(&mut self, x: &Operand, norms: &Norms) {
        self.whole = self.whole.plus(norms.whole.times(x.radius));
        self.rows.iter_mut().zip(&norms.rows).for_each(|(row, norm)| *row = row.plus(norm.times(x.radius)));
    }

    fn add(&mut self, negative: bool, map: &Map, w: Option<&Centered>, x: &Operand, norms: &Norms) -> Option<()> {
        self.lengthen(x, norms);
        if x.moved {
            if norms.bits > MOST_BITS {
                return None;
            }
            let unit = x.unit + w.map_or(0, |w| w.unit);
            for element in 0..self.middle.len() {
                let image = image(map, element, &x.off, w);
                self.move_by(element, if negative { -image } else { image }, unit)?;
            }
        }
        Some(())
    }

    fn add_mean(&mut self, map: &Map, counts: &[u32], x: &Operand, norms: &Norms) -> Option<()> {
        self.lengthen(x, norms);
        if x.moved {
            for (element, &count) in counts.iter().enumerate() {
                let image = image(map, element, &x.off, None).checked_shl(MEAN_BITS)?;
                self.cut[element] += 1;
                self.move_by(element, image.div_euclid(count.into()), x.unit - MEAN_BITS as i32)?;
            }
        }
        Some(())
    }

    /// Half units by which the result may be off the map of what was read.
    fn errors<'s>(&'s self, state: &'s State) -> impl Iterator<Item = u64> + Clone + 's {
        let slack = |index: usize| state.slack.get(index).map_or(0, |slack| slack.unsigned_abs());
        self.cut.iter().enumerate().map(move |(index, cut)| slack(index).saturating_mul(2).saturating_add(*cut))
    }

    fn ball(&self, state: &State) -> Option<Made> {
        let radius = self.whole.plus(Upper::norm(self.errors(state), self.unit));
        let middle = self.middle.iter().map(|&middle| near(middle)).collect::<Option<Vec<_>>>()?;
        Some(Made { ball: Ball { middle, radius }, reach: None })
    }

    /// The ball, and what the elements are within by themselves.
    fn made(&self, state: &State) -> Option<Made> {
        let reach = self.rows.iter().zip(self.errors(state)).map(|(row, error)| {
            let reach = row.units(self.unit).and_then(|row| i64::try_from(row.checked_add(error.into())?).ok());
            reach.map_or(NO_REACH, |reach| reach.min(NO_REACH))
        });
        Some(Made { reach: Some(reach.collect()), ..self.ball(state)? })
    }
}

/// Elementwise: `f` at the middle, in the units of the result.
fn bent(bend: &Bend, x: &Operand, state: &State) -> Option<Made> {
    let unit = state.centered.unit;
    // Values of the function are in half units that are finer by so many bits.
    let (finer, steepest) = match bend {
        Bend::Negate | Bend::Magnitude | Bend::Relu | Bend::Clip { low: _, high: _ } => (0, Upper::ZERO),
        Bend::Leaky(slopes) => {
            let steepest = slopes.center.iter().map(|slope| slope.unsigned_abs()).max().unwrap_or(0);
            (-slopes.unit, Upper::new(steepest.into(), slopes.unit.into()))
        }
    };
    let clip = match bend {
        Bend::Clip { low, high } => {
            let clip = Clip::new(low.as_ref(), high.as_ref(), x.unit + 1);
            // Limits in units of their own are not compared.
            (clip.unit == x.unit + 1).then_some(clip)?.bends()
        }
        Bend::Negate | Bend::Magnitude | Bend::Relu | Bend::Leaky(_) => [0, 0],
    };
    let mut sum = Linear::new(state)?;
    for (element, &middle) in x.middle.iter().enumerate() {
        let value = match bend {
            Bend::Negate => (-middle).into(),
            Bend::Magnitude => middle.abs().into(),
            Bend::Relu => middle.max(0).into(),
            Bend::Clip { low: _, high: _ } => middle.max(2 * clip[0]).min(2 * clip[1]).into(),
            Bend::Leaky(slopes) if middle < 0 => i128::from(middle) * i128::from(slopes.center[element]),
            Bend::Leaky(_) => shifted(middle, finer)?,
        };
        let (value, cut) = converted(value, x.unit - finer - unit)?;
        sum.middle[element] = value;
        sum.cut[element] = cut.into();
    }
    sum.whole = x.radius.times(steepest.max(Upper::new(1, 0)));
    sum.ball(state)
}

/// The radius of elements that are picked, or the most of which are.
fn joined(all: &[Operand], picks: &[(u32, u32)]) -> Upper {
    let mut readers: Vec<Vec<u32>> = all.iter().map(|x| vec![0; x.middle.len()]).collect();
    picks.iter().for_each(|&(read, at)| readers[read as usize][at as usize] += 1);
    let squares = all.iter().zip(&readers).map(|(x, readers)| {
        let radius = times_root(x.radius, readers);
        radius.times(radius)
    });
    squares.fold(Upper::ZERO, Upper::plus).root()
}

/// `value 2^by`, rounded down, and whether anything was cut off; none if that is too large.
fn converted(value: i128, by: i32) -> Option<(i128, bool)> {
    match u32::try_from(by) {
        _ if value == 0 => Some((0, false)),
        Ok(up) => (up < value.unsigned_abs().leading_zeros().saturating_sub(1)).then(|| (value << up, false)),
        Err(_) => {
            let down = by.unsigned_abs().min(127);
            let floor = value >> down;
            Some((floor, by < -127 || floor << down != value))
        }
    }
}

fn near(middle: i128) -> Option<i64> {
    i64::try_from(middle).ok().filter(|middle| i128::from(middle.unsigned_abs()) < FAR)
}

/// Sums of magnitudes of weights with more bits are not multiplied by differences of middles: their sum is to stay below `2^126`.
const MOST_BITS: u32 = 67;
/// Bits by which the middles of means are finer than those of what is read.
const MEAN_BITS: u32 = 24;

#[cfg(test)]
mod tests;
