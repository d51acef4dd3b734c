//! Sums: all leaves of an element added up, and what the theorem of `sum` says of them.
//!
//! A sum is within `E` of the exact sum of its leaves, on every tree. The leaves are products of a weight within `w +- v` with an operand
//! within `c +- r`: the exact sum is within `sum v (|c| + r)` of that with the weights `w`, which is the linear map that a bound goes
//! backward through. So the slack is `E`, that spread, what flushed operands may take, and the last narrowing.

use roundproof_graph::TensorId;

use super::flush::Flushes;
use super::state::{Made, joined};
use super::{Context, Lost, State};
use crate::fixed::{BITS, Centered, Exactness, Fixed, ZERO_GRID, weight_bits};
use crate::linear::{Dot, Map, dot};
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
        let mut made = ways.iter().map(|way| self.way(way, writes, state)).collect::<Result<Vec<State>, Lost>>()?;
        if made.len() > 1 {
            return joined_ways(&made).ok_or(Lost::Overflow);
        }
        made.pop().ok_or(Lost::Overflow)
    }

    fn way<'s>(&self, way: &Way, writes: TensorId, state: &impl Fn(TensorId) -> &'s State) -> Result<State, Lost> {
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
            let error = additions.error(&leaves, &known).ok_or(Lost::Overflow)?;
            // Multiples of a power of two that narrowing keeps.
            let kept = storage.holds(all.grid, largest + error, unit);
            made.push(all.center, all.radius, all.spread + error, largest + error, kept, storage, accumulator)?;
        }
        Ok(made.state(self.seen(storage, accumulator)))
    }
}

/// The intervals of all ways, together; the slack is about the first. None of no ways.
///
/// A value `t` that came about in any way is within the slack of that way of the linear map at what was read, which is the map of the first
/// at values of the tensors that were folded without any error: `|t - A x| <= s`. With the middle `t0` of the result and `o` between it and
/// that of the first, `t - t0 = A (x - x0) + o + r`, where `r` is `t - A x` and what the first way's middle is off `A x0`: less than a unit.
fn joined_ways(ways: &[State]) -> Option<State> {
    let unit = ways.iter().map(|way| way.fixed.unit).max()?;
    let all: Vec<Fixed> = ways.iter().map(|way| way.fixed.coarser(unit)).collect();
    let first = all.first()?;
    let count = first.low.len();
    let ends = |of: &dyn Fn(usize) -> Option<i64>| (0..count).map(of).collect::<Option<Vec<i64>>>();
    let low = ends(&|i| all.iter().map(|way| way.low[i]).min())?;
    let high = ends(&|i| all.iter().map(|way| way.high[i]).max())?;
    let offset = ends(&|i| Some(first.low[i] + first.high[i] - low[i] - high[i]))?;
    // In units of the result, rounded up.
    let slack = |way: &State, i: usize| {
        let by = (unit - way.fixed.unit).unsigned_abs().min(63);
        -((-way.slack.get(i).copied().unwrap_or(0)) >> by)
    };
    let slack = ends(&|i| Some(ways.iter().map(|way| slack(way, i)).max()?.saturating_add(1)))?;
    let exact = joined(ways.iter().map(|way| way.exact));
    Some(State { offset, ..State::new(Fixed { unit, low, high }, slack, exact) })
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
