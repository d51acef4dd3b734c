//! Which additions are one sum.
//!
//! A sum that is added to something may be formed by itself, rounded to a value of its tensor, and added then; or runtimes add its leaves
//! and the other ones in an order of their own, since they keep the sum in the accumulator, begin it with what is added, or form it again
//! for this reader. So may a sum whose elements are moved, broadcast or negated in between. Either is a tree over all leaves together, and
//! in the first the value of the sum is one that may be narrowed: an [`Inner`] sum. So one way, with all leaves, covers both, and what is
//! charged for narrowing is more than the value costs that is stored.
//!
//! Under `copies=one` all that read a tensor see the same value of it: what has several readers, or is an output, is then a leaf.

use std::sync::Arc;

use roundproof_graph::{Pick, TensorId};

use super::{Inner, Part, Planner, Sum, Way, Weights};
use crate::error::{NotCovered, refuse};
use crate::linear::{Map, broadcast};
use crate::model::Copies;

/// The most ways in which one sum may be formed.
const MOST_WAYS: usize = 16;
/// The most tensors whose elements the leaves of one sum may be.
const MOST_PARTS: usize = 128;

impl Planner<'_> {
    /// The sum that a tensor is, or is made of by moving elements, as far as its readers may form it again.
    fn formed(&self, id: TensorId) -> Option<&Sum> {
        match self.model.copies {
            Copies::One if self.readers[id] > 1 => None,
            Copies::One | Copies::PerReader => self.sums[id].as_ref(),
        }
    }

    /// The sum, or the difference, of two tensors.
    pub(super) fn addition(
        &self,
        number: usize,
        reads: &[TensorId],
        subtracts: bool,
        shape: &[usize],
    ) -> Result<Sum, NotCovered> {
        let mut whole = Sum { ways: vec![Way::of(Vec::new())] };
        for (operand, &id) in reads.iter().enumerate() {
            let negative = subtracts && operand == 1;
            let same = self.shape(id) == shape;
            let list = || broadcast(self.shape(id), shape);
            let read = match self.formed(id) {
                Some(Sum { ways }) => {
                    let stored = self.readers[id] > 1 || !same || self.moves(id);
                    let elements = (!same).then(|| list().into_iter().map(Some).collect::<Vec<_>>());
                    ways.iter().map(|way| way.operand(negative, elements.as_deref()).within(stored)).collect()
                }
                None => {
                    let map = Arc::new(Map::each(list(), None));
                    vec![Way::of(vec![Part { reads: id, negative, map, weights: Weights::One }])]
                }
            };
            whole = self.joined(number, &whole, &read)?;
        }
        Ok(whole)
    }

    /// Whether a node makes a tensor by moving elements.
    pub(super) fn moves(&self, id: TensorId) -> bool {
        self.made_by(id).is_some_and(|node| node.op.moved(0).is_some())
    }

    /// What a node that moves elements is as a sum, if it moves elements of one.
    pub(super) fn moved(&self, number: usize) -> Result<Option<Sum>, NotCovered> {
        let node = &self.graph.nodes()[number];
        let count = self.graph.tensors()[node.writes].elements();
        if count == 0 || node.reads.iter().all(|&id| self.formed(id).is_none()) {
            return Ok(None);
        }
        let moved: Option<Vec<_>> = (0..count).map(|element| node.op.moved(element)).collect();
        let Some(moved) = moved else { return Ok(None) };
        let negative = moved.first().is_some_and(|(_, negated)| *negated);
        let mut whole = Sum { ways: vec![Way::of(Vec::new())] };
        for (read, &id) in node.reads.iter().enumerate() {
            let of_this = |pick: &Pick| (pick.read as usize == read).then_some(pick.element);
            let elements: Vec<Option<u32>> = moved.iter().map(|(pick, _)| of_this(pick)).collect();
            if elements.iter().all(Option::is_none) {
                continue;
            }
            let read: Vec<Way> = match self.formed(id) {
                Some(Sum { ways }) => ways.iter().map(|way| way.operand(negative, Some(&elements))).collect(),
                None => {
                    let map = Arc::new(Map::some(elements));
                    vec![Way::of(vec![Part { reads: id, negative, map, weights: Weights::One }])]
                }
            };
            whole = self.joined(number, &whole, &read)?;
        }
        Ok(Some(whole))
    }

    /// Each of these ways with each of those.
    fn joined(&self, number: usize, whole: &Sum, more: &[Way]) -> Result<Sum, NotCovered> {
        if whole.ways.len() * more.len() > MOST_WAYS {
            return Err(refuse(
                self.graph,
                number,
                format!(
                    "a sum of too many normalizations: more than {MOST_WAYS} ways; `folding=none` leaves those out in which they are folded"
                ),
            ));
        }
        let ways: Vec<Way> = whole.ways.iter().flat_map(|way| more.iter().map(|more| way.with(more))).collect();
        if ways.iter().any(|way| way.parts.len() > MOST_PARTS) {
            return Err(refuse(
                self.graph,
                number,
                format!(
                    "a sum of the leaves of more than {MOST_PARTS} tensors, if sums that are added are formed again"
                ),
            ));
        }
        Ok(Sum { ways })
    }
}

impl Way {
    /// As part of another sum: with the opposite sign, or of these elements.
    fn operand(&self, negated: bool, elements: Option<&[Option<u32>]>) -> Way {
        let Way { parts, inner, boundaries, lost, subtracts } = self;
        let parts = parts.iter().map(|Part { reads, negative, map, weights }| Part {
            reads: *reads,
            negative: *negative != negated,
            map: match elements {
                None => Arc::clone(map),
                Some(elements) => Arc::new(Map::selected(map, elements.to_vec())),
            },
            weights: weights.clone(),
        });
        let (inner, subtracts) = (inner.clone(), subtracts.clone());
        Way { parts: parts.collect(), inner, boundaries: *boundaries, lost: *lost, subtracts }
    }

    /// As a sum that becomes part of another one.
    fn within(mut self, stored: bool) -> Way {
        self.inner.push(Inner { parts: 0..self.parts.len(), stored });
        self
    }

    /// With more leaves.
    fn with(&self, more: &Way) -> Way {
        // Both may be lost: twice the larger one.
        let lost = match (self.lost, more.lost) {
            (Some(one), Some(other)) => Some(one.max(other) + 1),
            (one, other) => one.or(other),
        };
        let before = self.parts.len();
        let shifted = more
            .inner
            .iter()
            .map(|Inner { parts, stored }| Inner { parts: before + parts.start..before + parts.end, stored: *stored });
        Way {
            parts: self.parts.iter().chain(&more.parts).cloned().collect(),
            inner: self.inner.iter().cloned().chain(shifted).collect(),
            boundaries: self.boundaries + more.boundaries,
            lost,
            subtracts: self.subtracts.iter().chain(&more.subtracts).copied().collect(),
        }
    }
}
