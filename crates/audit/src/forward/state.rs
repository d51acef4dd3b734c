//! What is known of a tensor, and how it is put together element by element.
//!
//! Ends are computed in wide integers, and cut down to the bits of intervals once all are there: outward, which moves the middle by less
//! than a unit, and that unit is slack.

use super::Lost;
use crate::fixed::{Centered, Exactness, Fixed, ZERO_GRID, ceiling};
use crate::norms::Ball;
use crate::rounding::Grain;

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
    /// Of a step that is linear, up to the slack, in what it reads, by multipliers of this row: these.
    pub slopes: Option<Centered>,
    /// How far the tensor may be from a middle, where that is known.
    pub ball: Option<Ball>,
}

impl State {
    pub fn new(fixed: Fixed, slack: Vec<i64>, exact: Exactness) -> State {
        State { centered: fixed.centered(), fixed, slack, offset: Vec::new(), exact, slopes: None, ball: None }
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
        let (slack, exact, slopes, ball) = (self.slack, self.exact, self.slopes, self.ball);
        State { offset: offset.collect(), centered, fixed, slack, exact, slopes, ball }
    }
}

pub(super) fn joined(all: impl Iterator<Item = Exactness>) -> Exactness {
    all.reduce(|a, b| Exactness { grid: a.grid.min(b.grid), bits: a.bits.max(b.bits) })
        .unwrap_or(Exactness { grid: 0, bits: 0 })
}

/// Slacks in units that are larger by `2^shift`. What was cut off moved the ends by less than one of them.
pub(super) fn cut(slacks: &[u128], shift: i32) -> Vec<i64> {
    let shift = shift.unsigned_abs();
    let moved = i128::from(shift > 0);
    let cut = slacks.iter().map(|&slack| {
        let slack = i128::try_from(slack).unwrap_or(i128::MAX >> 1);
        i64::try_from(ceiling(slack, shift) + moved).unwrap_or(i64::MAX)
    });
    cut.collect()
}

/// The same, with each interval wider by a slack.
pub(super) fn widened(from: &State, slack: &[u128], exact: Exactness) -> Result<State, Lost> {
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

/// Elements that are made one after the other.
pub(super) struct Made {
    unit: i32,
    low: Vec<i128>,
    high: Vec<i128>,
    slack: Vec<u128>,
    /// By how much the linear map at the middles of what was read is above the middle of the interval, in half units.
    offset: Vec<i128>,
}

impl Made {
    pub(super) fn new(unit: i32, elements: usize) -> Made {
        let (low, high, slack) =
            (Vec::with_capacity(elements), Vec::with_capacity(elements), Vec::with_capacity(elements));
        Made { unit, low, high, slack, offset: vec![0; elements] }
    }

    /// With ends that the element made last is between as well. Of a map of single values, which is one value, the slack is about the middle.
    pub(super) fn between(&mut self, [least, most]: [i128; 2], center: i128, single: bool) {
        if let (Some(low), Some(high), Some(slack)) = (self.low.last_mut(), self.high.last_mut(), self.slack.last_mut())
        {
            (*low, *high) = ((*low).max(least), (*high).min(most));
            let middle = *low + *high;
            if single {
                *slack = (*high - *low).unsigned_abs().div_ceil(2);
            } else {
                self.offset[self.low.len() - 1] = 2 * center - middle;
            }
        }
    }

    /// An element that is, before it is narrowed, within `error` of a linear map, and at most `largest` in magnitude; `kept`: narrowing
    /// does not change it.
    #[allow(clippy::too_many_arguments)] // one call for each kind of step
    pub(super) fn push(
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

    pub(super) fn state(&self, exact: Exactness) -> State {
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
        // Rounded down: together with the middle, which moves by less than half a unit, that is less than the unit of slack.
        let shift = (fixed.unit - self.unit).unsigned_abs();
        let offset = self.offset.iter().map(|&offset| i64::try_from(offset >> shift.min(127)).unwrap_or(i64::MAX));
        let offset = if self.offset.iter().all(|&offset| offset == 0) { Vec::new() } else { offset.collect() };
        State { offset, ..State::new(fixed, slack, exact) }
    }
}
