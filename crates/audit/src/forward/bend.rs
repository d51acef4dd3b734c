//! Functions of each element that are linear in pieces: they round nothing, but for the product with the slope of a leaky unit.
//!
//! Each takes the ends of an interval, and its bends within, to what it may give.

use roundproof_graph::TensorId;

use super::state::{cut, joined};
use super::{Context, Lost, State};
use crate::fixed::{BITS, Centered, Exactness, Fixed};
use crate::plan::Bend;
use crate::rounding::power;

impl Context<'_> {
    pub(super) fn bend(&self, bend: &Bend, x: &State, writes: TensorId) -> Result<State, Lost> {
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

/// `value / 2^unit`, if it is an integer that is not too large.
pub(crate) fn shifted(value: i64, by: i32) -> Option<i128> {
    let value = i128::from(value);
    match by {
        _ if value == 0 => Some(0),
        0..=60 => Some(value << by),
        ..0 | 61.. => None,
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
        let fits = |limit: &Fixed| if limit.largest() == 0 { unit } else { limit.top() - BITS as i32 };
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
