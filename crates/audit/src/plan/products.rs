//! Sums of products: of two tensors, and of one with constants; and the quotient by a constant, which is a product with its reciprocal.
//!
//! A constant weight is there once for all rows: in fixed point, with zero in its interval where an operation may flush it. Columns of a
//! matrix become rows, so that what is added lies side by side.

use std::sync::Arc;

use roundproof_graph::{Source, TensorId};

use super::{INEXACT, Part, Planner, Step, Weights, single};
use crate::affine::reciprocals;
use crate::error::{NotCovered, refuse};
use crate::fixed::{Exactness, Fixed, weight_bits};
use crate::linear::{Map, broadcast, walk};
use crate::model::Division;
use crate::rounding::Grain;

impl Planner<'_> {
    /// A matrix product.
    pub(super) fn product(&mut self, number: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let (left, right) = (self.shape(node.reads[0]), self.shape(node.reads[1]));
        let shape = self.shape(node.writes);
        let ([.., rows, inner], [.., columns]) = (left, right) else {
            return Err(refuse(self.graph, number, "a matrix with less than two axes"));
        };
        let (rows, inner, columns) = (*rows, *inner, *columns);
        let batches = &shape[..shape.len() - 2];
        let offsets_of = |of: &[usize], size: usize| -> Vec<usize> {
            broadcast(&of[..of.len() - 2], batches).into_iter().map(|batch| batch as usize * size).collect()
        };
        let lefts = offsets_of(left, rows * inner);
        let rights = offsets_of(right, inner * columns);
        let swapped = self.is_constant(node.reads[0]) && !self.is_constant(node.reads[1]);
        let mut steps = [[inner, 0, 1], [0, 1, columns]];
        let mut offsets: Vec<(usize, usize)> = lefts.into_iter().zip(rights).collect();
        let (mut x, mut w) = (node.reads[0], node.reads[1]);
        if swapped {
            steps.swap(0, 1);
            offsets.iter_mut().for_each(|pair| *pair = (pair.1, pair.0));
            (x, w) = (w, x);
        }
        let map = Map::Product { offsets, rows, columns, inner, steps_x: steps[0], steps_w: steps[1] };
        self.part(number, x, w, map)
    }

    /// A sum of products of one tensor with another.
    pub(super) fn part(&self, number: usize, x: TensorId, w: TensorId, mut map: Map) -> Result<Step, NotCovered> {
        let tensor = &self.graph.tensors()[w];
        let weights = match &tensor.source {
            Source::Constant(values) => {
                let fixed = Fixed::of(tensor.format(), values, weight_bits(map.most()));
                let Some((mut fixed, exactness)) = fixed else {
                    return Err(refuse(self.graph, number, "a weight that is not finite"));
                };
                if let Some(grain) = Grain::new(tensor.format(), self.model).filter(|grain| grain.flushed) {
                    fixed.flush(grain.emin);
                }
                // Columns become rows, so that what is added lies side by side.
                if let Map::Product { offsets, rows: _, columns, inner, steps_x: _, steps_w } = &mut map
                    && *steps_w == [0, 1, *columns]
                    && offsets.iter().all(|&(_, at)| at == 0)
                    && fixed.low.len() == *columns * *inner
                {
                    let turned = walk(&[*columns, *inner], &[1, *columns]);
                    let turn = |ends: &[i64]| turned.iter().map(|&index| ends[index as usize]).collect::<Vec<_>>();
                    (fixed.low, fixed.high) = (turn(&fixed.low), turn(&fixed.high));
                    *steps_w = [0, *inner, 1];
                }
                Weights::Constant(Arc::new(fixed.weights()), exactness)
            }
            Source::Input | Source::Node(_) => Weights::Tensor(w),
        };
        Ok(Step::Sum(single(Part { reads: x, negative: false, map: Arc::new(map), weights })))
    }

    /// The quotient by a constant, as a product with its reciprocal; or by another tensor.
    pub(super) fn quotient(&self, number: usize, shape: &[usize]) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let [x, w] = [0, 1].map(|operand| broadcast(self.shape(node.reads[operand]), shape));
        let divisor = &self.graph.tensors()[node.reads[1]];
        let Some(values) = divisor.constant() else {
            return Ok(Step::Quotient { reads: [node.reads[0], node.reads[1]], lists: [x, w] });
        };
        let format = divisor.format();
        let Some((fixed, powers)) = reciprocals(format, values) else {
            return Err(refuse(
                self.graph,
                number,
                format!("a divisor that is zero or has no normal reciprocal in {format}"),
            ));
        };
        let fixed = match self.model.division {
            // A reciprocal that was rounded, perhaps to the format of the tensor.
            Division::Any if !powers => fixed.loosened(format.precision() - 1),
            Division::Any | Division::Quotient => fixed,
        };
        let exactness = if powers { Exactness { grid: fixed.unit, bits: 1 } } else { INEXACT };
        let part = Part {
            reads: node.reads[0],
            negative: false,
            map: Arc::new(Map::each(x, Some(w))),
            weights: Weights::Constant(Arc::new(fixed.weights()), exactness),
        };
        Ok(Step::Sum(single(part)))
    }
}
