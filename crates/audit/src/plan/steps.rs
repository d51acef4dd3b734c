//! Which step a node is: the one place that names every operation. Sums and normalizations have modules of their own.
//!
//! What is not a sum is evaluated element by element in one way on every path, up to the roundings that `forward` charges; an operation
//! of which that is not known is refused here.

use std::sync::Arc;

use roundproof_graph::{Op, Pool, Reduction, TensorId, Unary};
use roundproof_network::Encodings;

use super::{Bend, Part, Planner, Step, Weights, single};
use crate::ends::{Ends, attribute};
use crate::error::{NotCovered, refuse};
use crate::fixed::{BITS, Fixed};
use crate::linear::{Map, broadcast, walk};
use crate::rounding::Grain;

/// Bits of slopes.
const SLOPE_BITS: u32 = 24;

impl Planner<'_> {
    pub(super) fn step(&mut self, number: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let (reads, shape) = (&node.reads, self.shape(node.writes).to_vec());
        let lists =
            |planner: &Planner| reads.iter().map(|&id| broadcast(planner.shape(id), &shape)).collect::<Vec<_>>();
        let refused = |what: &str| Err(refuse(self.graph, number, what));
        Ok(match &node.op {
            Op::MatMul => self.product(number)?,
            Op::Conv { geometry, groups } => {
                let [_, channels, ..] = *self.shape(reads[0]) else { return refused("a shape without channels") };
                let map = Map::window(geometry, shape[1], channels / groups, *groups);
                self.part(number, reads[0], reads[1], map)?
            }
            Op::Mul => {
                let (x, w) = if self.is_constant(reads[0]) { (1, 0) } else { (0, 1) };
                let [of_x, of_w] = [x, w].map(|operand| broadcast(self.shape(reads[operand]), &shape));
                self.part(number, reads[x], reads[w], Map::each(of_x, Some(of_w)))?
            }
            Op::Add => Step::Sum(self.addition(number, reads, false, &shape)?),
            Op::Sub => Step::Sum(self.addition(number, reads, true, &shape)?),
            Op::Max => extreme_of_two(reads, &lists(self), true),
            Op::Min => extreme_of_two(reads, &lists(self), false),
            Op::PRelu => {
                let Some(values) = self.graph.tensors()[reads[1]].constant() else {
                    return refused("slopes that are not constants");
                };
                let format = self.graph.tensors()[reads[1]].format();
                let Some((mut fixed, _)) = Fixed::of(format, values, SLOPE_BITS) else {
                    return refused("a slope that is not finite");
                };
                if let Some(grain) = Grain::new(format, self.model).filter(|grain| grain.flushed) {
                    fixed.flush(grain.emin);
                }
                let list = &lists(self)[1];
                let spread = |ends: &[i64]| list.iter().map(|&index| ends[index as usize]).collect();
                let slopes = Fixed { unit: fixed.unit, low: spread(&fixed.low), high: spread(&fixed.high) };
                Step::Bend(Bend::Leaky(slopes.centered()), reads[0])
            }
            Op::Unary(unary) => self.unary(number, *unary, shape.iter().product())?,
            Op::Reduce { reduction, axes } => {
                let from = self.shape(reads[0]);
                let (starts, x) = groups(from, axes);
                match reduction {
                    Reduction::Sum => {
                        let map = Arc::new(Map::Listed { starts, x, w: None });
                        Step::Sum(single(Part { reads: reads[0], negative: false, map, weights: Weights::One }))
                    }
                    Reduction::Mean => {
                        let counts = starts.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
                        self.mean(number, Map::Listed { starts, x, w: None }, counts)?
                    }
                    Reduction::Max | Reduction::Min => {
                        if starts.windows(2).any(|pair| pair[0] == pair[1]) {
                            return refused("an extreme of nothing");
                        }
                        let picks = x.into_iter().map(|index| (0, index)).collect();
                        let greatest = match reduction {
                            Reduction::Max => true,
                            Reduction::Min | Reduction::Sum | Reduction::Mean => false,
                        };
                        Step::Extreme { reads: reads.clone(), starts, picks, greatest }
                    }
                }
            }
            Op::Pool { pool, geometry } => {
                let (mut starts, mut x, mut counts) = (vec![0], Vec::new(), Vec::new());
                for channel in 0..shape[1] {
                    for position in 0..geometry.positions() {
                        let taps = geometry.taps(position);
                        x.extend((0..taps.len()).map(|k| (channel * geometry.places() + taps.get(k).1) as u32));
                        starts.push(x.len() as u32);
                        counts.push(match pool {
                            Pool::Max | Pool::Average { padding_counts: false } => taps.len() as u32,
                            Pool::Average { padding_counts: true } => geometry.window() as u32,
                        });
                    }
                }
                match pool {
                    Pool::Max => {
                        let picks = x.into_iter().map(|index| (0, index)).collect();
                        Step::Extreme { reads: reads.clone(), starts, picks, greatest: true }
                    }
                    Pool::Average { padding_counts: _ } => {
                        self.mean(number, Map::Listed { starts, x, w: None }, counts)?
                    }
                }
            }
            Op::Arrange(picks) => {
                let picks = picks.iter().map(|pick| (pick.read, pick.element)).collect();
                Step::Pick { reads: reads.clone(), picks }
            }
            Op::Cast => Step::Cast(reads[0]),
            Op::Div => self.quotient(number, &shape)?,
            Op::BatchNormalization { epsilon } => self.batch_normalization(number, *epsilon)?,
            Op::Softmax { axis: _ } | Op::LogSoftmax { axis: _ } | Op::Normalize(_) | Op::Compare(_) | Op::Where => {
                self.ends(number)?
            }
        })
    }

    /// The mean of what is listed.
    fn mean(&self, number: usize, map: Map, counts: Vec<u32>) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let format = self.graph.tensors()[node.writes].format();
        // The reciprocals have to be normal.
        let most = format.emin().and_then(|emin| 1u32.checked_shl(emin.unsigned_abs())).unwrap_or(u32::MAX);
        match counts.iter().find(|&&count| count == 0 || count > most) {
            Some(count) => Err(refuse(self.graph, number, format!("a mean of {count} values in {format}"))),
            None => Ok(Step::Mean { reads: node.reads[0], map, counts }),
        }
    }

    /// What is enclosed by the ends of what it reads.
    fn ends(&self, number: usize) -> Result<Step, NotCovered> {
        let ends = Ends::of(self.graph, number, self.model)?;
        ends.map(Step::Ends).ok_or_else(|| refuse(self.graph, number, "this operation is not covered"))
    }

    fn unary(&self, number: usize, unary: Unary, elements: usize) -> Result<Step, NotCovered> {
        let node = &self.graph.nodes()[number];
        let read = node.reads[0];
        let format = self.graph.tensors()[node.writes].format();
        let bad = || refuse(self.graph, number, "a parameter that has no counterpart in the format of the tensor");
        let bend = match unary {
            Unary::Neg => Bend::Negate,
            Unary::Abs => Bend::Magnitude,
            Unary::Relu => Bend::Relu,
            Unary::Clip { low, high } => {
                let fixed = |limit| {
                    let limit = Fixed::of(format, &Encodings::collect(format, [limit]), BITS);
                    limit.map(|(fixed, _)| fixed).ok_or_else(bad)
                };
                let limit = |limit: Option<_>| limit.map(fixed).transpose();
                let limits = [limit(low)?, limit(high)?];
                let flushed = Grain::new(format, self.model).filter(|grain| grain.flushed);
                let mut subnormal = limits.iter().flatten().filter_map(|limit| {
                    let mut other = limit.clone();
                    other.flush(flushed?.emin);
                    (other != *limit).then_some(())
                });
                if subnormal.next().is_some() {
                    return Err(refuse(self.graph, number, "a limit that may be flushed"));
                }
                let [low, high] = limits;
                Bend::Clip { low, high }
            }
            Unary::LeakyRelu { slope } => {
                let slope = attribute(slope, format, self.model).ok_or_else(bad)?;
                let slope = slope.coarser((slope.unit).max(slope.top() - SLOPE_BITS as i32));
                let spread = |ends: &[i64]| vec![ends[0]; elements];
                Bend::Leaky(Fixed { unit: slope.unit, low: spread(&slope.low), high: spread(&slope.high) }.centered())
            }
            Unary::Sign => return Ok(Step::Sign(read)),
            Unary::HardSigmoid { slope: _, offset: _ } | Unary::Sqrt | Unary::Reciprocal | Unary::Function(_) => {
                return self.ends(number);
            }
        };
        Ok(Step::Bend(bend, read))
    }
}

fn extreme_of_two(reads: &[TensorId], lists: &[Vec<u32>], greatest: bool) -> Step {
    let picks = lists[0].iter().zip(&lists[1]).flat_map(|(&left, &right)| [(0, left), (1, right)]).collect();
    let starts = (0..=lists[0].len() as u32).map(|element| 2 * element).collect();
    Step::Extreme { reads: reads.to_vec(), starts, picks, greatest }
}

/// For each element of what a reduction over axes makes, which elements it is made of.
fn groups(from: &[usize], axes: &[usize]) -> (Vec<u32>, Vec<u32>) {
    let mut steps = vec![1; from.len()];
    for axis in (1..from.len()).rev() {
        steps[axis - 1] = steps[axis] * from[axis];
    }
    let choose = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        (0..from.len()).filter(|axis| axes.contains(axis) == inside).map(|axis| (from[axis], steps[axis])).unzip()
    };
    let ((kept, kept_steps), (gone, gone_steps)) = (choose(false), choose(true));
    let inner = walk(&gone, &gone_steps);
    let mut starts = vec![0];
    let mut x = Vec::new();
    for place in walk(&kept, &kept_steps) {
        x.extend(inner.iter().map(|step| place + step));
        starts.push(x.len() as u32);
    }
    (starts, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_take_every_element_once() {
        assert_eq!(groups(&[2, 3], &[1]), (vec![0, 3, 6], vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(groups(&[2, 3], &[0]), (vec![0, 2, 4, 6], vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(groups(&[2, 2], &[0, 1]), (vec![0, 4], vec![0, 1, 2, 3]));
        assert_eq!(groups(&[2], &[]), (vec![0, 1, 2], vec![0, 1]));
    }
}
