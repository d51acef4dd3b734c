//! Which additions are one sum.
//!
//! An addition of a sum that nothing else reads is that sum with one more leaf: whatever tree a runtime takes, with the first sum rounded
//! to a value in between or not, is a tree over all leaves. A sum that others read, or that is an output, is a value of its own.

use roundproof_graph::{Source, TensorId};

use super::{Part, Planner, Sum, Way, Weights};
use crate::error::{NotCovered, refuse};
use crate::linear::{Map, broadcast};
use crate::model::Copies;

/// The most ways in which one sum may be formed.
const MOST_WAYS: usize = 16;

impl Planner<'_> {
    /// The sum, or the difference, of two tensors.
    ///
    /// A sum whose elements are moved, broadcast or negated before something is added to it, or that others read and runtimes form again
    /// for this reader, may be one sum with what is added all the same. That is not covered.
    pub(super) fn addition(
        &mut self,
        number: usize,
        reads: &[TensorId],
        subtracts: bool,
        shape: &[usize],
    ) -> Result<Sum, NotCovered> {
        let empty = Way { parts: Vec::new(), boundaries: 0, lost: None, subtracts: None };
        let mut whole = Sum { ways: vec![empty] };
        for (operand, &id) in reads.iter().enumerate() {
            let negative = subtracts && operand == 1;
            let alone = self.readers[id] == 1 && self.shape(id) == shape;
            let origin = self.origin(id);
            let formed_once = match self.model.copies {
                Copies::One => self.readers[origin] > 1,
                Copies::PerReader => false,
            };
            if self.sums[origin].is_some() && !(alone && origin == id) && !formed_once {
                return Err(refuse(
                    self.graph,
                    number,
                    "a sum that others read too, or whose elements are moved, broadcast or negated before this addition: runtimes may \
                     form all of it as one sum, which is not covered yet",
                ));
            }
            let read = match if alone { self.sums[id].take() } else { None } {
                Some(Sum { ways }) => ways.into_iter().map(|way| way.into_operand(negative)).collect(),
                None => {
                    let map = Map::each(broadcast(self.shape(id), shape), None);
                    let part = Part { reads: id, negative, map, weights: Weights::One };
                    vec![Way { parts: vec![part], boundaries: 0, lost: None, subtracts: None }]
                }
            };
            if whole.ways.len() * read.len() > MOST_WAYS {
                return Err(refuse(self.graph, number, "a sum of too many normalizations"));
            }
            let all: Option<Vec<Way>> =
                whole.ways.iter().flat_map(|way| read.iter().map(|more| way.with(more))).collect();
            let Some(all) = all else {
                return Err(refuse(self.graph, number, "a sum of two normalizations, which is not covered yet"));
            };
            whole.ways = all;
        }
        Ok(whole)
    }

    /// The tensor behind moved or negated elements.
    fn origin(&self, mut id: TensorId) -> TensorId {
        loop {
            let node = match &self.graph.tensors()[id].source {
                Source::Node(number) => &self.graph.nodes()[*number],
                Source::Input | Source::Constant(_) => return id,
            };
            match node.op.moved(0) {
                Some(_) if node.reads.len() == 1 => id = node.reads[0],
                Some(_) | None => return id,
            }
        }
    }
}

impl Way {
    /// As part of another sum.
    fn into_operand(self, negated: bool) -> Way {
        let Way { parts, boundaries, lost, subtracts } = self;
        let parts = parts.into_iter().map(|Part { reads, negative, map, weights }| Part {
            reads,
            negative: negative != negated,
            map,
            weights,
        });
        Way { parts: parts.collect(), boundaries: boundaries + 1, lost, subtracts }
    }

    /// With more leaves; none if both are differences that have to be in range.
    fn with(&self, more: &Way) -> Option<Way> {
        let subtracts = match (self.subtracts, more.subtracts) {
            (Some(_), Some(_)) => return None,
            (one, other) => one.or(other),
        };
        // Both may be lost: twice the larger one.
        let lost = match (self.lost, more.lost) {
            (Some(one), Some(other)) => Some(one.max(other) + 1),
            (one, other) => one.or(other),
        };
        Some(Way {
            parts: self.parts.iter().chain(&more.parts).cloned().collect(),
            boundaries: self.boundaries + more.boundaries,
            lost,
            subtracts,
        })
    }
}
