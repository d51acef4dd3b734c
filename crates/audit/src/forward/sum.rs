//! Sums: all leaves of an element added up, and what the theorem of `sum` says of them.
//!
//! A sum is within `E` of the exact sum of its leaves, on every tree. The leaves are products of a weight within `w +- v` with an operand
//! within `c +- r`: the exact sum is within `sum v (|c| + r)` of that with the weights `w`, which is the linear map that a bound goes
//! backward through. So the slack is `E`, that spread, what flushed operands may take, and the last narrowing.

use roundproof_graph::TensorId;

use super::flush::Flushes;
use super::state::{Made, joined};
use super::trees::{self, Accumulated, Leaf, MOST_LEAVES};
use super::{Context, Lost, State};
use crate::fixed::{BITS, Centered, Exactness, Fixed, ZERO_GRID, weight_bits};
use crate::linear::{Dot, Map, dot};
use crate::model::Narrowing;
use crate::plan::{Inner, Part, Sum, Way, Weights};
use crate::rounding::{Grain, power};
use crate::sum::{Known, Leaves};

impl Context<'_> {
    /// A sum, in every way.
    ///
    /// The slack is about the first way, over what is known of the tensors that it reads. A value that came about in another way is one
    /// of the first with other errors: with none in the tensor that was folded, which its slack allows, and with its own in the result.
    pub(super) fn sum<'s>(
        &self,
        sum: &Sum,
        writes: TensorId,
        state: &impl Fn(TensorId) -> &'s State,
    ) -> Result<State, Lost> {
        let Sum { ways } = sum;
        let alone = ways.len() == 1;
        let made = ways.iter().map(|way| self.way(way, alone, writes, state));
        let mut made = made.collect::<Result<Vec<State>, Lost>>()?;
        if made.len() > 1 {
            return joined_ways(&made).ok_or(Lost::Overflow);
        }
        made.pop().ok_or(Lost::Overflow)
    }

    fn way<'s>(
        &self,
        way: &Way,
        alone: bool,
        writes: TensorId,
        state: &impl Fn(TensorId) -> &'s State,
    ) -> Result<State, Lost> {
        let Way { parts, inner, boundaries, lost, subtracts } = way;
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
                    Weights::Constant(w, exact) => (Some(&**w), Some(*exact)),
                    Weights::Tensor(id) => (made.as_ref(), Some(state(*id).exact)),
                };
                Term { x: &x.centered, w, negative: *negative, map, of_x: x.exact, of_w }
            })
            .collect();
        let unit = common_unit(&terms);
        let splits = parts.iter().filter(|part| part.map.most() > 1).count().max(1);
        let mut additions = self.additions(storage, accumulator, *boundaries, splits as u64);
        let mut inner: Vec<&Inner> = inner.iter().filter(|inner| inner.stored || self.narrows_inside()).collect();
        if storage == accumulator {
            inner.clear();
        } else if !inner.is_empty() {
            additions.narrowed.get_or_insert((storage, 0));
        }
        for from in subtracts {
            let [x, mean] = from.map(state);
            let unit = x.fixed.unit.max(mean.fixed.unit);
            let largest = [x, mean].map(|operand| u128::from(operand.fixed.coarser(unit).largest()));
            if !storage.reaches(largest[0] + largest[1], unit) || !accumulator.reaches(largest[0] + largest[1], unit) {
                return Err(Lost::Overflow);
            }
        }
        let flushes: Vec<Vec<Flushes>> =
            parts.iter().zip(&terms).map(|(part, term)| self.flushes(part, term)).collect();
        let rounded = parts.iter().zip(&terms).map(|(part, term)| self.roundings(part, term, term.of_w));
        let rounded = rounded.collect::<Result<Vec<_>, Lost>>()?;
        let elements = parts.first().map_or(0, |part| part.map.elements());
        let mut made = Made::new(unit, elements);
        let mut each = vec![Total::new(); parts.len()];
        let mut known = Vec::with_capacity(inner.len());
        for element in 0..elements {
            for (((total, term), flushes), rounded) in each.iter_mut().zip(&terms).zip(&flushes).zip(&rounded) {
                *total = Total::new();
                term.add(element, unit, accumulator, total).ok_or(Lost::Overflow)?;
                for flushes in flushes {
                    total.spread += flushes.at(element, unit).ok_or(Lost::Overflow)?;
                }
                for moved in rounded {
                    let moved = moved.at(element, unit).ok_or(Lost::Overflow)?;
                    total.spread += moved;
                    // Products are larger by that, and so is what rounding them may cost.
                    total.charge += accumulator.share(moved);
                }
            }
            known.clear();
            known.extend(inner.iter().map(|inner| {
                let total = Total::of(&each[inner.parts.clone()]);
                Known { largest: total.reach().1, grid: total.grid }
            }));
            let mut all = Total::of(&each);
            if let Some(lost) = lost {
                all.charge += power(*lost, unit).ok_or(Lost::Overflow)?;
            }
            let (reach, largest) = all.reach();
            let leaves = Leaves { unit, count: all.count, reach, charge: all.charge, grid: Some(all.grid) };
            let mut error = additions.error(&leaves, &known).ok_or(Lost::Overflow)?;
            // Leaves whose factors are rounded first are not followed one by one.
            let as_they_are = rounded.iter().all(Vec::is_empty);
            let few = if as_they_are && (1..=MOST_LEAVES).contains(&all.count) {
                let anywhere = additions.narrowed.is_some_and(|(_, count)| count > 0);
                let accumulated = Accumulated { accumulator, storage, anywhere, inner: &inner };
                leaves_of(&terms, &flushes, element, unit, accumulator)
                    .and_then(|leaves| accumulated.every_tree(&leaves, unit))
            } else {
                None
            };
            if let Some(trees::Part { ends: _, error: found }) = few.as_ref().filter(|_| lost.is_none()) {
                error = error.min(*found);
            }
            // Multiples of a power of two that narrowing keeps.
            let kept = storage.holds(all.grid, largest + error, unit);
            made.push(all.center, all.radius, all.spread + error, largest + error, kept, storage, accumulator)?;
            // Where the tensor is folded, its exact value has to be within.
            if let Some(trees::Part { ends, error: _ }) = few.filter(|_| lost.is_none() && !self.plan.folded[writes]) {
                let narrowed = if kept || storage == accumulator { Some(ends) } else { storage.rounded(ends, unit) };
                let [low, high] = narrowed.ok_or(Lost::Overflow)?;
                let ends = match self.model.narrowing {
                    Narrowing::Once | Narrowing::Bias => [low, high],
                    Narrowing::Optional => [low.min(ends[0]), high.max(ends[1])],
                };
                // The slack of one of several ways is about the map.
                made.between(ends, all.center, alone && all.radius == 0 && all.spread == 0);
            }
        }
        Ok(made.state(self.seen(storage, accumulator)))
    }
}

/// The intervals of all ways, together; the slack is about the first. None of no ways.
///
/// A value `t` that came about in any way is within the slack of that way of the linear map at what was read, which is the map of the first
/// at values of the tensors that were folded without any error: `|t - A x| <= s`. With the middle `t0` of the result and `o` between it and
/// that of the first, `t - t0 = A (x - x0) + o + r`, where `r` is `t - A x` and what the first way's middle and offset, cut off twice, are off `A x0`: less than two units.
fn joined_ways(ways: &[State]) -> Option<State> {
    let unit = ways.iter().map(|way| way.fixed.unit).max()?;
    let all: Vec<Fixed> = ways.iter().map(|way| way.fixed.coarser(unit)).collect();
    let first = all.first()?;
    let count = first.low.len();
    let ends = |of: &dyn Fn(usize) -> Option<i64>| (0..count).map(of).collect::<Option<Vec<i64>>>();
    let low = ends(&|i| all.iter().map(|way| way.low[i]).min())?;
    let high = ends(&|i| all.iter().map(|way| way.high[i]).max())?;
    let of_first = ways.first()?;
    let by = (unit - of_first.fixed.unit).unsigned_abs().min(63);
    let own = |i: usize| of_first.offset.get(i).copied().unwrap_or(0) >> by;
    let offset = ends(&|i| Some(first.low[i] + first.high[i] - low[i] - high[i] + own(i)))?;
    // In units of the result, rounded up.
    let slack = |way: &State, i: usize| {
        let by = (unit - way.fixed.unit).unsigned_abs().min(63);
        -((-way.slack.get(i).copied().unwrap_or(0)) >> by)
    };
    let slack = ends(&|i| Some(ways.iter().map(|way| slack(way, i)).max()?.saturating_add(2)))?;
    let exact = joined(ways.iter().map(|way| way.exact));
    Some(State { offset, ..State::new(Fixed { unit, low, high }, slack, exact) })
}

/// The leaves of an element that are not zero on all paths, one by one; none if there are more than a few, or they cannot be counted.
fn leaves_of(
    terms: &[Term],
    flushes: &[Vec<Flushes>],
    element: usize,
    unit: i32,
    accumulator: Grain,
) -> Option<Vec<Leaf>> {
    let (mut leaves, mut counted) = (Vec::new(), true);
    for (part, (term, flushes)) in terms.iter().zip(flushes).enumerate() {
        term.map.runs(element, |run| {
            for k in 0..run.count {
                let (at_x, at_w) = (run.at_x + k * run.step_x, run.at_w + k * run.step_w);
                match term.leaf(part, at_x, at_w, unit, accumulator) {
                    Some(mut leaf) if leaves.len() < MOST_LEAVES as usize => {
                        if flushes.iter().any(|flushes| flushes.touches(at_x, at_w)) {
                            leaf.ends = [leaf.ends[0].min(0), leaf.ends[1].max(0)];
                        }
                        if leaf.ends != [0, 0] {
                            leaves.push(leaf);
                        }
                    }
                    Some(leaf) => counted &= leaf.ends == [0, 0],
                    None => counted = false,
                }
            }
        });
    }
    counted.then_some(leaves)
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

/// One tensor's share of a sum.
pub(super) struct Term<'a> {
    pub(super) x: &'a Centered,
    pub(super) w: Option<&'a Centered>,
    pub(super) negative: bool,
    pub(super) map: &'a Map,
    pub(super) of_x: Exactness,
    pub(super) of_w: Option<Exactness>,
}

/// What the leaves of one element add up to, in units of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) center: i128,
    pub(super) radius: u128,
    pub(super) size: u128,
    pub(super) spread: u128,
    pub(super) charge: u128,
    pub(super) count: u64,
    /// The exponent of a power of two that divides every value of every leaf.
    pub(super) grid: i32,
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

    /// One leaf, in units of the sum.
    fn leaf(&self, part: usize, at_x: usize, at_w: usize, unit: i32, accumulator: Grain) -> Option<Leaf> {
        let ends = |operand: &Centered, at: usize| {
            let radius = operand.radius.as_ref().map_or(0, |radius| radius[at]);
            [operand.center[at] - radius, operand.center[at] + radius].map(i128::from)
        };
        let x = ends(self.x, at_x);
        let w = self.w.map_or([1, 1], |w| ends(w, at_w));
        let all = [x[0] * w[0], x[0] * w[1], x[1] * w[0], x[1] * w[1]];
        let (mut low, mut high) = (all.into_iter().min()?, all.into_iter().max()?);
        if self.negative {
            (low, high) = (-high, -low);
        }
        let single = low == high;
        let own = |n: i128, of: Exactness| match n {
            0 => Exactness { grid: ZERO_GRID, bits: 0 },
            _ => Exactness {
                grid: of.grid + n.trailing_zeros() as i32,
                bits: i128::BITS - n.unsigned_abs().leading_zeros() - n.trailing_zeros(),
            },
        };
        let of = |ends: [i128; 2], unit: i32, of: Exactness| {
            if ends[0] == ends[1] { own(ends[0], Exactness { grid: unit, bits: 0 }) } else { of }
        };
        let of_x = of(x, self.x.unit, self.of_x);
        let (of_w, is_product) = match (self.w, self.of_w) {
            (Some(w), Some(of_w)) => (of(ends(w, at_w), w.unit, of_w), true),
            _ => (Exactness { grid: 0, bits: 0 }, false),
        };
        let grid = if single {
            own(low, Exactness { grid: self.unit(), bits: 0 }).grid
        } else {
            of_x.grid.saturating_add(of_w.grid)
        };
        let bits = if single { own(low, Exactness { grid: 0, bits: 0 }).bits } else { of_x.bits + of_w.bits };
        let rounds = is_product && !(bits <= accumulator.precision && grid >= accumulator.grid());
        let shifted = |end: i128, up: bool| match self.unit() - unit {
            _ if end == 0 => Some(0),
            by @ 0..=126 => (end.unsigned_abs().leading_zeros() > by.unsigned_abs() + 1).then(|| end << by),
            127.. => None,
            by => {
                let by = by.unsigned_abs().min(127);
                Some(if up { -((-end) >> by) } else { end >> by })
            }
        };
        Some(Leaf { part, ends: [shifted(low, false)?, shifted(high, true)?], rounds, grid })
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
                let moved = u128::from((sum.center >> down) << down != sum.center);
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
    pub(super) fn new() -> Total {
        Total { center: 0, radius: 0, size: 0, spread: 0, charge: 0, count: 0, grid: ZERO_GRID }
    }

    /// All of these.
    fn of(parts: &[Total]) -> Total {
        parts.iter().fold(Total::new(), |all, part| Total {
            center: all.center + part.center,
            radius: all.radius + part.radius,
            size: all.size + part.size,
            spread: all.spread + part.spread,
            charge: all.charge + part.charge,
            count: all.count + part.count,
            grid: all.grid.min(part.grid),
        })
    }

    /// What no part of the leaves exceeds, and what all of them together do not.
    pub(super) fn reach(&self) -> (u128, u128) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that come about in three ways, in units of their own: each lies in the interval that is joined, and within the slack of the
    /// first way's map.
    #[test]
    fn every_way_is_within_what_is_joined() {
        // x is read, and each way is x up to an error of its own, moved a little: all in units of 1/16.
        let (low, high) = (-640i64, 960i64);
        let ways: [(i32, i64, i64); 3] = [(-4, 20, 0), (-2, 4, 3), (-3, 30, -9)];
        let states: Vec<State> = ways
            .iter()
            .map(|&(unit, error, moved)| {
                let by = 1i64 << (unit + 4);
                // Outward, with a unit for what is cut off.
                let [least, most] = [low + moved - error * by, high + moved + error * by];
                let fixed = Fixed { unit, low: vec![least.div_euclid(by)], high: vec![-(-most).div_euclid(by)] };
                let slack = error + moved.unsigned_abs().div_ceil(by.unsigned_abs()) as i64 + 1;
                let exact = Exactness { grid: unit, bits: 20 };
                let mut state = State::new(fixed, vec![slack], exact);
                // The map at the middle of x, less the middle of the interval, in half units.
                state.offset = vec![(low + high) / by - state.centered.center[0]];
                state
            })
            .collect();
        for count in 1..=3 {
            let joined = joined_ways(&states[..count]).expect("ways");
            let by = 1i64 << (joined.fixed.unit + 4);
            let slack = 2 * joined.slack[0] * by;
            for &(unit, error, moved) in &ways[..count] {
                for x in [low, -3, 0, 17, high] {
                    for off in [-error, 0, error] {
                        let value = x + moved + off * (1 << (unit + 4));
                        assert!(
                            joined.fixed.low[0] * by <= value && value <= joined.fixed.high[0] * by,
                            "{count} {value}"
                        );
                        // Twice, so that middles are integers.
                        let of_value = 2 * value - joined.centered.center[0] * by;
                        let of_map = 2 * x - (low + high) + joined.offset[0] * by;
                        assert!((of_value - of_map).abs() <= slack, "{count} {x} {value}: {of_value} {of_map} {slack}");
                    }
                }
            }
        }
    }
}
