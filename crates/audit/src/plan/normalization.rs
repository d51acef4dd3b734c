//! Batch normalizations, in each form that runtimes give them; and folded into the weights of the sum before them.
//!
//! All forms are trees over the same leaves with factors that differ by a few roundings, so that one interval of the factor covers them.
//! The forms with other leaves are further ways of the sum.

use std::sync::Arc;

use roundproof_format::{Encoding, Format};
use roundproof_graph::TensorId;

use super::{INEXACT, Inner, Part, Planner, Step, Sum, Way, Weights};
use crate::affine::factors;
use crate::error::{NotCovered, refuse};
use crate::fixed::{BITS, Centered, Fixed};
use crate::linear::{Map, broadcast};
use crate::model::Folding;
use crate::rounding::{Grain, power};

impl Planner<'_> {
    /// A batch normalization: `a (x - mean) + bias` with `a = scale / sqrt(variance + epsilon)`.
    ///
    /// Runtimes form `a` by some of: rounding epsilon to the format, the sum, the root, a reciprocal or a quotient, the product with
    /// the scale, and rounding to the format: six roundings, each by a factor within `1 +- 2^(1-p)`. What is added is `a x - a mean +
    /// bias`, in any tree; or `a (x - mean) + bias`, in which a rounding of the difference is one of `a` for both products, and one of the
    /// product the next; or `a x + c` with a rounded `c`. So all of these are trees over three leaves, with factors within `a (1 +- 8
    /// 2^(1-p))`. Twice as much is allowed.
    ///
    /// If folding is allowed and `x` is a sum that nothing else reads, its leaves may be multiplied instead: weights `a w`, rounded once
    /// more.
    pub(super) fn batch_normalization(&self, number: usize, epsilon: Encoding) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let [x, scale, bias, mean, variance] = node.reads[..] else {
            return Err(refuse(self.graph, number, "another number of operands than five"));
        };
        let tensor = &self.graph.tensors()[node.writes];
        let (format, shape) = (tensor.format(), &tensor.shape);
        let constant = |id: TensorId| self.graph.tensors()[id].constant();
        let (Some(scales), Some(variances)) = (constant(scale), constant(variance)) else {
            return Err(refuse(self.graph, number, "scales or variances that are not constants"));
        };
        if format.precision() < 8 || format.emin().is_none_or(|emin| emin > Format::BFLOAT16.emin().unwrap_or(0)) {
            return Err(refuse(self.graph, number, format!("its constants in {format} are not covered")));
        }
        let Some(fixed) = factors(format, scales, variances, epsilon) else {
            return Err(refuse(
                self.graph,
                number,
                "a variance that is not positive, or a factor that is too large or too small",
            ));
        };
        let factors = fixed.loosened(format.precision() - 5);
        let ahead = shape.len() - 2;
        let of_channel = broadcast(&[&shape[1..2], &vec![1; ahead][..]].concat(), shape);
        let all = (0..of_channel.len() as u32).collect();
        let product = |reads: TensorId, list: Vec<u32>, negative| Part {
            reads,
            negative,
            map: Arc::new(Map::each(list, Some(of_channel.clone()))),
            weights: Weights::Constant(Arc::new(factors.weights()), INEXACT),
        };
        let one = |reads: TensorId| Part {
            reads,
            negative: false,
            map: Arc::new(Map::each(of_channel.clone(), None)),
            weights: Weights::One,
        };
        // A quotient of the difference and the root may fall below the grid, or be flushed, before it is multiplied by the scale; the
        // difference may be flushed before it is multiplied by the factor.
        let wide = Fixed::of(format, scales, BITS).map(|(fixed, _)| fixed).zip(Grain::new(format, self.model));
        let Some((scale_values, grain)) = wide else {
            return Err(refuse(self.graph, number, "scales that are not finite"));
        };
        let lost =
            Some(if grain.flushed { grain.emin } else { grain.least } + factors.top().max(scale_values.top()) + 1);
        let normal = |fixed: &Fixed| {
            let mut flushed = fixed.clone();
            flushed.flush(grain.emin);
            flushed == *fixed
        };
        if !normal(&scale_values) {
            return Err(refuse(self.graph, number, "a scale that is subnormal"));
        }
        let plain = Way {
            parts: vec![product(x, all, false), product(mean, of_channel.clone(), true), one(bias)],
            inner: Vec::new(),
            boundaries: 2,
            lost,
            subtracts: vec![[x, mean]],
        };
        let mut ways = vec![plain];
        let folds = match self.model.folding {
            Folding::None => false,
            Folding::Any => self.readers[x] == 1 && !self.moves(x),
        };
        if folds && let Some(Sum { ways: before }) = &self.sums[x] {
            for way in before {
                let mut parts = vec![product(mean, of_channel.clone(), true), one(bias)];
                for part in &way.parts {
                    let Some(folded) = part.multiplied(&factors, &of_channel) else {
                        return Err(refuse(
                            self.graph,
                            number,
                            "folding into the sum before it; `folding=none` leaves that out",
                        ));
                    };
                    let weights = match &folded.weights {
                        Weights::Constant(weights, _) => weights,
                        Weights::One | Weights::Tensor(_) => {
                            return Err(refuse(self.graph, number, "folding into what is not a sum with constants"));
                        }
                    };
                    if !are_normal(weights, grain) {
                        return Err(refuse(
                            self.graph,
                            number,
                            "a folded weight may be subnormal, or beyond the largest value; `folding=none` leaves folding out",
                        ));
                    }
                    parts.push(folded);
                }
                if !way.subtracts.is_empty() || way.lost.is_some() {
                    return Err(refuse(self.graph, number, "a normalization of a normalization"));
                }
                let inner = way
                    .inner
                    .iter()
                    .map(|Inner { parts, stored }| Inner { parts: parts.start + 2..parts.end + 2, stored: *stored });
                let inner = inner.chain([Inner { parts: 2..parts.len(), stored: false }]).collect();
                ways.push(Way { parts, inner, boundaries: 2, lost, subtracts: Vec::new() });
            }
        }
        Ok(Step::Sum(Sum { ways }))
    }
}

impl Part {
    /// The same leaves, each times the factor of its channel; none if that is not a sum of the same form.
    fn multiplied(&self, factors: &Fixed, of_channel: &[u32]) -> Option<Part> {
        let Part { reads, negative, map, weights } = self;
        let (map, weights) = match (&**map, weights) {
            (Map::Listed { starts, x, w: None }, Weights::One) if x.len() == of_channel.len() => {
                let map = Map::Listed { starts: starts.clone(), x: x.clone(), w: Some(of_channel.to_vec()) };
                (Arc::new(map), factors.weights())
            }
            (Map::Product { offsets, rows: 1, columns, inner, steps_x: _, steps_w }, Weights::Constant(w, _))
                if offsets.len() == 1 && *steps_w == [0, *inner, 1] && *columns == factors.low.len() =>
            {
                (Arc::clone(map), w.multiplied(factors, |index| index / inner))
            }
            (Map::Window { taps: _, places: _, window, outputs, channels, group: _ }, Weights::Constant(w, _))
                if *outputs == factors.low.len() =>
            {
                let each = window * channels;
                (Arc::clone(map), w.multiplied(factors, |index| index / each))
            }
            (Map::Listed { .. } | Map::Product { .. } | Map::Window { .. } | Map::Selected { .. }, _) => return None,
        };
        let weights = Weights::Constant(Arc::new(weights), INEXACT);
        Some(Part { reads: *reads, negative: *negative, map, weights })
    }
}

/// Whether each weight is zero, or a normal value on every path.
fn are_normal(weights: &Centered, grain: Grain) -> bool {
    let least = power(grain.emin, weights.unit).unwrap_or(u128::MAX);
    weights.center.iter().enumerate().all(|(index, center)| {
        let radius = weights.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
        let magnitude = center.unsigned_abs();
        let is_zero = magnitude == 0 && radius == 0;
        let most = u128::from(magnitude) + u128::from(radius);
        is_zero || (u128::from(magnitude.saturating_sub(radius)) >= least && grain.reaches(most, weights.unit))
    })
}
