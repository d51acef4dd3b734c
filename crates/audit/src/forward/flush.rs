//! What flushing operands may take.
//!
//! An operand that may be subnormal on some path may be read as zero by one operation and as it is by another, so that what that takes
//! off a product belongs to each element of the result by itself. Results that are flushed are charged as roundings are.

use roundproof_graph::TensorId;

use super::sum::Term;
use super::{Context, Lost, State};
use crate::fixed::{Centered, Exactness};
use crate::linear::{Dot, Map, dot};
use crate::plan::{Part, Weights};
use crate::rounding::power;

impl Context<'_> {
    /// What flushing operands may take from the products of a part. Each operation flushes its operands by itself: two elements of a
    /// result may see different ones, so that this is a slack of each, and not one of what they have in common.
    pub(super) fn flushes<'t>(&self, part: &'t Part, term: &Term<'t>) -> Vec<Flushes<'t>> {
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

    /// How far the products of a part may be moved by factors that are rounded first. `factors` are what is multiplied: see `operands`.
    pub(super) fn roundings<'t>(
        &self,
        part: &'t Part,
        term: &Term<'t>,
        of_w: Option<Exactness>,
    ) -> Result<Vec<Flushes<'t>>, Lost> {
        let Part { reads, negative: _, map, weights } = part;
        let (Some(factors), Some(w)) = (&self.plan.factors, term.w) else { return Ok(Vec::new()) };
        let moved = factors.moved(term.x, term.of_x).ok_or(Lost::Overflow)?;
        // What x may be read as: farther from zero by that, or flushed.
        let farther = |more: &Centered| {
            let most = magnitudes(term.x);
            let center = most.center.iter().zip(&more.center).map(|(most, more)| most.saturating_add(*more));
            Centered { unit: most.unit, center: center.collect(), radius: None }
        };
        let other = match (weights, of_w) {
            (Weights::Tensor(id), Some(of_w)) => {
                let of_w = factors.moved(w, of_w).ok_or(Lost::Overflow)?;
                let flushed = self.flushable(*id, w).map(|w| Flushes { map, x: moved.clone(), w: Some(w) });
                let beside = self.flushable(*reads, term.x).map(|x| Flushes { map, x, w: Some(of_w.clone()) });
                let all = [Flushes { map, x: farther(&moved), w: Some(of_w) }];
                all.into_iter().chain(flushed).chain(beside).collect()
            }
            // Intervals already.
            (Weights::One | Weights::Constant(_, _) | Weights::Tensor(_), _) => Vec::new(),
        };
        Ok([Flushes { map, x: moved, w: Some(w.clone()) }].into_iter().chain(other).collect())
    }

    /// What flushing may take from elements that are moved, in these units; nothing of one that is moved to a single place, since flushing
    /// it there is a path on which it was flushed where it was made. What stands in several places may be flushed in some of them:
    /// threads have flags of their own.
    pub fn flushed_apart<'s>(
        &self,
        reads: &[TensorId],
        picks: &[(u32, u32)],
        unit: i32,
        state: &impl Fn(TensorId) -> &'s State,
    ) -> Vec<i64> {
        let mut taken: Vec<Option<(Vec<u32>, Vec<i64>)>> = Vec::with_capacity(reads.len());
        for &id in reads {
            let x = &state(id).centered;
            taken.push(self.flushable(id, x).map(|flushable| {
                let down = (unit - x.unit).unsigned_abs().min(62);
                let each = flushable.center.iter().map(|&taken| -((-taken) >> down));
                (vec![0; x.center.len()], each.collect())
            }));
        }
        for &(read, at) in picks {
            if let Some((places, _)) = &mut taken[read as usize] {
                places[at as usize] += 1;
            }
        }
        let each = picks.iter().map(|&(read, at)| match &taken[read as usize] {
            Some((places, taken)) if places[at as usize] > 1 => taken[at as usize],
            Some(_) | None => 0,
        });
        each.collect()
    }

    /// What flushing may take from each element of a tensor: nothing of one that is normal on every path.
    pub(super) fn flushable(&self, id: TensorId, operand: &Centered) -> Option<Centered> {
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
}

/// The largest magnitudes.
fn magnitudes(operand: &Centered) -> Centered {
    let radius = |index: usize| operand.radius.as_ref().map_or(0, |radius| radius[index].saturating_abs());
    let center =
        operand.center.iter().enumerate().map(|(index, center)| center.saturating_abs().saturating_add(radius(index)));
    Centered { unit: operand.unit, center: center.collect(), radius: None }
}

/// What flushing may take from operands, beside what they are multiplied by.
pub(super) struct Flushes<'a> {
    map: &'a Map,
    x: Centered,
    w: Option<Centered>,
}

impl Flushes<'_> {
    /// Whether it may take anything from the product of these two.
    pub(super) fn touches(&self, at_x: usize, at_w: usize) -> bool {
        self.x.center[at_x] != 0 && self.w.as_ref().is_none_or(|w| w.center[at_w] != 0 || w.radius.is_some())
    }

    /// What it may take from an element of the result, in these units.
    pub(super) fn at(&self, element: usize, unit: i32) -> Option<u128> {
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
