//! Shapes: what an operation makes of the shapes that it reads.

use roundproof_network::Axis;

use crate::{MAX_AXES, MAX_ELEMENTS, Op, Pool, Problem};

/// How many elements a tensor of this shape has, unless there are too many to be a tensor.
pub fn elements(shape: &[usize]) -> Option<usize> {
    if shape.len() > MAX_AXES {
        return None;
    }
    let product = |least: usize| {
        shape.iter().try_fold(1usize, |all, &size| all.checked_mul(size.max(least)).filter(|&all| all <= MAX_ELEMENTS))
    };
    // An axis of size 0 hides no overflow of the others.
    product(1)?;
    product(0)
}

/// The shape that two shapes broadcast to, as NumPy and ONNX do: aligned at the last axis, sizes equal or 1.
pub fn broadcast(left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let axes = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(axes).map_or(1, |axis| shape[axis]);
    (0..axes)
        .map(|axis| match (size(left, axis), size(right, axis)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}

/// The shape of what an operation makes of tensors of these shapes, as many as it reads. `declared` is the shape of an
/// [arrangement](Op::Arrange), which alone has to say it; others ignore it.
///
/// # Errors
///
/// If the operation does not combine tensors of these shapes.
///
/// # Panics
///
/// If there are fewer shapes than it reads.
pub fn result_shape(op: &Op, reads: &[&[usize]], declared: &[usize]) -> Result<Vec<usize>, Problem> {
    let disagree = || Problem::Shapes { reads: reads.iter().map(|shape| shape.to_vec()).collect() };
    let pair = || broadcast(reads[0], reads[1]).ok_or_else(disagree);
    let axis_of =
        |axis: usize| if axis < reads[0].len() { Ok(()) } else { Err(Problem::Axis { axis, axes: reads[0].len() }) };
    match op {
        Op::MatMul => {
            let ([left @ .., m, k], [right @ .., rows, n]) = (reads[0], reads[1]) else { return Err(disagree()) };
            if k != rows {
                return Err(disagree());
            }
            let mut shape = broadcast(left, right).ok_or_else(disagree)?;
            shape.extend([*m, *n]);
            Ok(shape)
        }
        Op::Conv { geometry, groups } => {
            let ([1, channels, places @ ..], [outputs, taken, window @ ..]) = (reads[0], reads[1]) else {
                return Err(disagree());
            };
            let axes = geometry.axes();
            let fits = *groups > 0
                && taken.checked_mul(*groups) == Some(*channels)
                && outputs.is_multiple_of(*groups)
                && places.iter().eq(axes.iter().map(|axis| &axis.size))
                && window.iter().eq(axes.iter().map(|axis| &axis.window));
            if !fits {
                return Err(disagree());
            }
            Ok([1, *outputs].into_iter().chain(axes.iter().map(|axis| axis.counted())).collect())
        }
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Max | Op::Min | Op::Compare(_) => pair(),
        Op::PRelu => pair().and_then(|shape| if shape == reads[0] { Ok(shape) } else { Err(disagree()) }),
        Op::Unary(_) | Op::Cast => Ok(reads[0].to_vec()),
        Op::Softmax { axis } | Op::LogSoftmax { axis } => axis_of(*axis).map(|()| reads[0].to_vec()),
        Op::Normalize(_) => {
            axis_of(0)?;
            Ok(reads[0].to_vec())
        }
        Op::Reduce { reduction: _, axes } => {
            if !axes.is_sorted_by(|a, b| a < b) {
                return Err(Problem::Axes);
            }
            let mut shape = reads[0].to_vec();
            for &axis in axes {
                axis_of(axis)?;
                shape[axis] = 1;
            }
            Ok(shape)
        }
        Op::Pool { pool, geometry } => {
            let [1, channels, places @ ..] = reads[0] else { return Err(disagree()) };
            let axes = geometry.axes();
            if !places.iter().eq(axes.iter().map(|axis| &axis.size)) {
                return Err(disagree());
            }
            match pool {
                // A window that lies in the padding alone has no largest element, and no mean.
                Pool::Max | Pool::Average { padding_counts: false } => {
                    if axes.iter().any(has_empty_window) {
                        return Err(Problem::Window);
                    }
                }
                Pool::Average { padding_counts: true } => {}
            }
            Ok([1, *channels].into_iter().chain(axes.iter().map(|axis| axis.counted())).collect())
        }
        Op::BatchNormalization { epsilon: _ } => match reads[0] {
            [_, channels, ..] if reads[1..].iter().all(|shape| shape == &[*channels]) => Ok(reads[0].to_vec()),
            _ => Err(disagree()),
        },
        Op::Where => {
            let chosen = broadcast(reads[1], reads[2]).ok_or_else(disagree)?;
            broadcast(reads[0], &chosen).ok_or_else(disagree)
        }
        Op::Arrange(picks) => {
            if elements(declared) != Some(picks.len()) {
                return Err(Problem::Picks { picks: picks.len() });
            }
            for pick in picks {
                let there = reads.get(pick.read as usize).and_then(|shape| elements(shape));
                if there.is_none_or(|count| pick.element as usize >= count) {
                    return Err(Problem::Pick { read: pick.read, element: pick.element });
                }
            }
            Ok(declared.to_vec())
        }
    }
}

/// Whether the window lies in the padding alone at some position along an axis.
fn has_empty_window(axis: &Axis) -> bool {
    let &Axis { size, window, stride, dilation, before, after: _ } = axis;
    let positions = axis.counted();
    let is_empty = |position: usize| {
        let start = position * stride;
        // The first place of the window that is not ahead of the axis.
        let first = before.saturating_sub(start).div_ceil(dilation);
        first >= window || start + first * dilation >= size + before
    };
    // Unless the axis fits between two places of the window, only the first and the last position may miss it.
    match size >= dilation {
        true => is_empty(0) || is_empty(positions - 1),
        false => (0..positions).any(is_empty),
    }
}

/// How many operands one element of the result is made of, about: what an evaluation costs, over the elements of the result.
pub(crate) fn operands(op: &Op, reads: &[&[usize]]) -> usize {
    match op {
        Op::MatMul => reads[0].last().copied().unwrap_or(1),
        Op::Conv { geometry, groups: _ } => geometry.window().saturating_mul(reads[1][1]),
        Op::Pool { pool: _, geometry } => geometry.window(),
        Op::Reduce { reduction: _, axes } => axes.iter().map(|&axis| reads[0][axis]).fold(1, usize::saturating_mul),
        Op::Softmax { axis } | Op::LogSoftmax { axis } => reads[0][*axis],
        Op::Normalize(_) => reads[0].last().copied().unwrap_or(1),
        Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Max
        | Op::Min
        | Op::PRelu
        | Op::Unary(_)
        | Op::BatchNormalization { epsilon: _ }
        | Op::Arrange(_)
        | Op::Cast
        | Op::Compare(_)
        | Op::Where => 1,
    }
}

#[cfg(test)]
mod tests {
    use roundproof_network::Geometry;

    use super::*;

    #[test]
    fn empty_windows_are_those_without_taps() {
        let mut empty = 0;
        for size in 1..6 {
            for number in 0..4 * 3 * 4 * 36 {
                let (window, stride, dilation) = (number % 4 + 1, number / 4 % 3 + 1, number / 12 % 4 + 1);
                let (before, after) = (number / 48 % 6, number / 288 % 6);
                let axis = Axis { size, window, stride, dilation, before, after };
                let Ok(geometry) = Geometry::new(vec![axis]) else { continue };
                let expected = (0..geometry.positions()).any(|position| geometry.taps(position).is_empty());
                assert_eq!(has_empty_window(&axis), expected, "{axis:?}");
                empty += usize::from(expected);
            }
        }
        assert!(empty > 500, "{empty}");
    }

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(broadcast(&[2, 1, 3], &[4, 1]), Some(vec![2, 4, 3]));
        assert_eq!(broadcast(&[], &[4, 0]), Some(vec![4, 0]));
        assert_eq!(broadcast(&[1], &[0]), Some(vec![0]));
        assert_eq!(broadcast(&[2], &[3]), None);
        assert_eq!(elements(&[0, usize::MAX, 2]), None, "too large, though there are none");
        assert_eq!(elements(&[0, 5]), Some(0));
        assert_eq!(elements(&[1; MAX_AXES + 1]), None);
    }
}
