//! Means, and quotients of two tensors.
//!
//! A mean is linear, in each of the forms that runtimes give it; a quotient is enclosed by its ends, and only where no divisor is zero.

use roundproof_graph::TensorId;

use super::state::Made;
use super::sum::Total;
use super::{Context, Lost, State};
use crate::linear::{Map, dot};
use crate::model::Division;
use crate::sum::Leaves;

/// Bits by which quotients of tensors are finer than what is divided.
const QUOTIENT_BITS: i32 = 60;
/// Bits by which means are finer than what is divided.
const MEAN_BITS: i32 = 24;

impl Context<'_> {
    /// A mean: the sum over the number, the sum times the rounded reciprocal, or the sum of products with it.
    ///
    /// The exact mean of what is read is `c s`, `c` the reciprocal of a number `n`. The first way errs by the error of the sum over `n`,
    /// and by one rounding. The rounded reciprocal errs by `d <= 2^(1-p) / n`: the second way errs by `d` times the sum, with its error,
    /// in addition; and by the error of a sum of products with weights between `c - d` and `c + d` the third.
    pub(super) fn mean(
        &self,
        reads: TensorId,
        x: &State,
        map: &Map,
        counts: &[u32],
        writes: TensorId,
    ) -> Result<State, Lost> {
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
            let error = additions.error(&leaves, &[]).ok_or(Lost::Overflow)?;
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
                let third = additions.error(&leaves, &[]).ok_or(Lost::Overflow)?;
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
    pub(super) fn quotient(
        &self,
        [x, by]: [&State; 2],
        lists: &[Vec<u32>; 2],
        writes: TensorId,
    ) -> Result<State, Lost> {
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
}
