//! The error of a sum over all trees.
//!
//! Leaves `t_i` in `[tl_i, th_i]`; `rho` is 1 for rounding to either neighbour and 1/2 to nearest; `ulp(x)` is
//! `max(2^(floor(log2 |x|) - p + 1), s)` for the least positive value `s`. What one computed value `t` costs is at most
//! `err(|t|)`: `rho ulp(t)`, or `2^emin` if that is more and it may be flushed to zero: only what is rounded to a subnormal value is, and is
//! at most `2^emin` then, as roundings do not fall. `err` does not fall either.
//!
//! **Identity.** The root is the sum of the leaves and of one error for each computed value: an addition rounds the exact sum of its two
//! *computed* operands. A product that is contracted costs nothing by itself.
//!
//! **Theorem.** Let `m` leaves not be zero on all paths, `P`, `N` and `S` the sums of `max(t, 0)`, `max(-t, 0)` and `|t|`, and
//! `M >= sup max(P, N)` over the box of the leaves; `max(P, N) = (S + |sum t|) / 2`. Let `E_0` be what is charged for the leaves by
//! themselves, and `E_(k+1) = E_k + err(M + E_k)`. On every tree, with every contraction, `|root - sum t| <= E_(m-1)` as long as `M +
//! E_(m-1)` is at most the largest value. *Proof, by induction on the tree:* fix the leaves. A part with the leaves `I`, `k` of which are
//! not zero, has a value `x` with `|x - sum_I t| <= E_(k-1)`, formed with the charges of `I` alone. If two parts are added, of `j` and `k`
//! such leaves, their errors add up to at most `E_(j+k-2)`, since `err` does not fall: the climbs one after the other are the climb of
//! both. The exact sum of the two values is at most `max(P, N) + E_(j+k-2)` in magnitude, as a part of the leaves sums up to no more
//! than all positive or all negative ones, and the one rounding costs `err` of that. A part without such leaves is zero, and adding it
//! rounds nothing, or a contracted product by itself, which its charge pays. So does the bound hold at the root.
//!
//! **Grid.** If a power of two `g` divides every value of every leaf, and is at least the least positive value (if subnormals may be
//! flushed, at least `2^emin`), then every computed value is a multiple of `g`, and additions with `M + E_k <= g 2^p` are exact.
//!
//! **Narrowing.** If at most `q` of the computed values are rounded once more, into a format in which that costs `err'`, then
//! `E_0 + q err'(M + E)` in place of `E_0` gives a bound `E`, for any `E` that is at least as large: a computed value is at most `M + E`
//! in magnitude, and what is charged anywhere in a climb is at most that much more at its end. `M + E` has to be within both formats, and
//! `g` at least the least positive value of both. Of a value of which it is known that its leaves are `I`, narrowing costs less:
//! `err'(sup |sum_I t| + E)`, as the value is within `E` of their sum; and nothing if `g` divides them and `sup |sum_I t| + E` is at most
//! `g 2^p'`, for then it is a value of the narrow format.

use crate::rounding::Grain;

/// How sums are formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Additions {
    /// Where.
    pub accumulator: Grain,
    /// Into which format computed values may be narrowed, and how many of them.
    pub narrowed: Option<(Grain, u64)>,
}

/// A value on the way that may be narrowed, and of which the leaves are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// `sup |sum_I t|`.
    pub largest: u128,
    /// The exponent of a power of two that divides every value of its leaves.
    pub grid: i32,
}

/// What is known of the leaves of one sum, in units of `2^unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaves {
    pub unit: i32,
    /// How many there are that are not zero on all paths, at least.
    pub count: u64,
    /// `M`: at least the sum of the positive ones, and of the magnitudes of the negative ones, wherever in their boxes they are.
    pub reach: u128,
    /// `E_0`: what is charged for rounding and flushing leaves by themselves.
    pub charge: u128,
    /// The exponent of a power of two that divides every value of every leaf.
    pub grid: Option<i32>,
}

impl Additions {
    /// How far a sum may be from the exact sum of its leaves, at most, if these values may be narrowed too; none if a partial sum may be
    /// beyond a largest value.
    pub fn error(&self, leaves: &Leaves, known: &[Known]) -> Option<u128> {
        let Additions { accumulator, narrowed } = self;
        let mut bound = self.climb(leaves, leaves.charge)?;
        if let Some((storage, count)) = narrowed {
            loop {
                let mut charge = leaves.charge;
                if *count > 0 {
                    let each = storage.error(leaves.reach.checked_add(bound)?, leaves.unit)?;
                    charge = charge.checked_add(each.checked_mul((*count).into())?)?;
                }
                for Known { largest, grid } in known {
                    let largest = largest.checked_add(bound)?;
                    if !storage.holds(*grid, largest, leaves.unit) {
                        charge = charge.checked_add(storage.error(largest, leaves.unit)?)?;
                    }
                }
                let higher = self.climb(leaves, charge)?;
                // An error that does not grow any more was charged at a magnitude that is not exceeded. Each round but the
                // last reaches another power of two.
                if higher <= bound {
                    break;
                }
                bound = higher;
            }
            let within = |largest: u128| Some(storage.reaches(largest.checked_add(bound)?, leaves.unit));
            let any = *count == 0 || within(leaves.reach)?;
            let mut known = known.iter().map(|known| within(known.largest));
            if !any || !known.all(|within| within == Some(true)) {
                return None;
            }
        }
        accumulator.reaches(leaves.reach.checked_add(bound)?, leaves.unit).then_some(bound)
    }

    /// `E_(m-1)` from this `E_0`. One division for each power of two that it passes.
    fn climb(&self, leaves: &Leaves, start: u128) -> Option<u128> {
        let Leaves { unit, count, reach, charge: _, grid } = *leaves;
        let limit = grid.map_or(0, |grid| self.exact_below(grid, unit));
        let (mut bound, mut left) = (start, u128::from(count.saturating_sub(1)));
        while left > 0 {
            let magnitude = reach.checked_add(bound)?;
            if magnitude <= limit {
                break;
            }
            let each = self.accumulator.error(magnitude, unit)?;
            // As long as the magnitude is below the next power of two, each addition costs the same.
            let next = 1u128.checked_shl(magnitude.ilog2() + 1)?;
            let steps = (next - magnitude).div_ceil(each).min(left);
            bound = bound.checked_add(steps.checked_mul(each)?)?;
            left -= steps;
        }
        Some(bound)
    }

    /// Sums of multiples of `2^grid` up to this magnitude are exact.
    fn exact_below(&self, grid: i32, unit: i32) -> u128 {
        let Additions { accumulator, narrowed } = self;
        if grid < accumulator.grid() || narrowed.is_some_and(|(storage, _)| grid < storage.grid()) {
            return 0;
        }
        let exponent = i64::from(grid) + i64::from(accumulator.precision) - i64::from(unit);
        match u32::try_from(exponent) {
            Ok(by) if by <= 126 => 1 << by,
            // Far beyond all that is counted here; or below a single unit.
            Ok(_) => u128::MAX,
            Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
