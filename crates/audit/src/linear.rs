//! Linear maps of tensors: which leaves are added to which elements. One walk over them says what an evaluation adds up and what a
//! bound that goes backward scatters, so that these are transposes of each other.

use std::sync::Arc;

use roundproof_network::Geometry;

use crate::fixed::Centered;

/// Leaves of one element, evenly spaced: `x[at_x + k step_x] w[at_w + k step_w]` for `k < count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub at_x: usize,
    pub step_x: usize,
    pub at_w: usize,
    pub step_w: usize,
    pub count: usize,
}

/// Of which operands the leaves of each element are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Map {
    /// Products of matrices, one for each pair of offsets.
    Product {
        /// Where the matrices begin, in the operand and in the weights.
        offsets: Vec<(usize, usize)>,
        rows: usize,
        columns: usize,
        inner: usize,
        /// How far apart rows, columns and inner places are: in the operand, and in the weights.
        steps_x: [usize; 3],
        steps_w: [usize; 3],
    },
    /// A window that slides over places, with weights `[outputs, channels, window]`.
    Window {
        /// At each position, the places of the window that are not in the padding: in the window, and in the grid.
        taps: Vec<Vec<(u32, u32)>>,
        /// Places of the grid, and of the window.
        places: usize,
        window: usize,
        outputs: usize,
        /// Channels that an output reads, and outputs that read the same channels.
        channels: usize,
        group: usize,
    },
    /// Listed: those of element `i` begin at `starts[i]`. Without weights, what is listed is added as it is.
    Listed { starts: Vec<u32>, x: Vec<u32>, w: Option<Vec<u32>> },
    /// Elements of another map, in any order, any number of times; or an element without leaves.
    Selected { map: Arc<Map>, elements: Vec<Option<u32>> },
}

impl Map {
    /// The map of a convolution.
    pub fn window(geometry: &Geometry, outputs: usize, channels: usize, groups: usize) -> Map {
        let taps = (0..geometry.positions())
            .map(|position| {
                let taps = geometry.taps(position);
                (0..taps.len()).map(|index| taps.get(index)).map(|(tap, place)| (tap as u32, place as u32)).collect()
            })
            .collect();
        let (places, window) = (geometry.places(), geometry.window());
        Map::Window { taps, places, window, outputs, channels, group: outputs / groups }
    }

    /// The map that takes element `x[i]` for element `i`.
    pub fn each(x: Vec<u32>, w: Option<Vec<u32>>) -> Map {
        Map::Listed { starts: (0..=x.len() as u32).collect(), x, w }
    }

    /// The map that takes element `x[i]` for element `i`, or nothing.
    pub fn some(x: impl IntoIterator<Item = Option<u32>>) -> Map {
        let (mut starts, mut listed) = (vec![0], Vec::new());
        for x in x {
            listed.extend(x);
            starts.push(listed.len() as u32);
        }
        Map::Listed { starts, x: listed, w: None }
    }

    /// Elements of this map: for element `i` the leaves of `elements[i]`.
    pub fn selected(map: &Arc<Map>, elements: Vec<Option<u32>>) -> Map {
        match &**map {
            Map::Selected { map, elements: before } => {
                let elements = elements.into_iter().map(|element| element.and_then(|element| before[element as usize]));
                Map::Selected { map: Arc::clone(map), elements: elements.collect() }
            }
            Map::Product { .. } | Map::Window { .. } | Map::Listed { .. } => {
                Map::Selected { map: Arc::clone(map), elements }
            }
        }
    }

    /// How many elements there are.
    pub fn elements(&self) -> usize {
        match self {
            Map::Selected { map: _, elements } => elements.len(),
            Map::Product { offsets, rows, columns, inner: _, steps_x: _, steps_w: _ } => offsets.len() * rows * columns,
            Map::Window { taps, places: _, window: _, outputs, channels: _, group: _ } => outputs * taps.len(),
            Map::Listed { starts, x: _, w: _ } => starts.len() - 1,
        }
    }

    /// The most leaves of an element; of what is selected, the most that an element of the whole map has: weights that are elements of a
    /// tensor are cut down to bits that depend on it, and the same ones have to have the same middles wherever they are used.
    pub fn most(&self) -> usize {
        match self {
            Map::Selected { map, elements: _ } => map.most(),
            Map::Product { offsets: _, rows: _, columns: _, inner, steps_x: _, steps_w: _ } => *inner,
            Map::Window { taps, places: _, window: _, outputs: _, channels, group: _ } => {
                taps.iter().map(Vec::len).max().unwrap_or(0) * channels
            }
            Map::Listed { starts, x: _, w: _ } => {
                starts.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
            }
        }
    }

    /// The leaves of an element, in runs.
    #[inline]
    pub fn runs(&self, element: usize, mut run: impl FnMut(Run)) {
        match self {
            Map::Selected { map, elements } => {
                if let Some(element) = elements[element] {
                    map.runs(element as usize, run);
                }
            }
            Map::Product { offsets, rows, columns, inner, steps_x, steps_w } => {
                let (row, column) = (element / columns % rows, element % columns);
                let (x, w) = offsets[element / (rows * columns)];
                run(Run {
                    at_x: x + row * steps_x[0] + column * steps_x[1],
                    step_x: steps_x[2],
                    at_w: w + row * steps_w[0] + column * steps_w[1],
                    step_w: steps_w[2],
                    count: *inner,
                });
            }
            Map::Window { taps, places, window, outputs: _, channels, group } => {
                let (output, position) = (element / taps.len(), element % taps.len());
                let first = output / group * channels;
                for &(tap, place) in &taps[position] {
                    run(Run {
                        at_x: first * places + place as usize,
                        step_x: *places,
                        at_w: output * channels * window + tap as usize,
                        step_w: *window,
                        count: *channels,
                    });
                }
            }
            Map::Listed { starts, x, w } => {
                for index in starts[element] as usize..starts[element + 1] as usize {
                    let at_w = w.as_ref().map_or(0, |w| w[index] as usize);
                    run(Run { at_x: x[index] as usize, step_x: 0, at_w, step_w: 0, count: 1 });
                }
            }
        }
    }
}

/// What an element's leaves add up to, in units of the two operands: sums over the leaves `(w +- v) (c +- r)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dot {
    /// Of `w c`.
    pub center: i128,
    /// Of `|w| r`.
    pub radius: u128,
    /// Of `|w c|`.
    pub size: u128,
    /// Of `v (|c| + r)`: how far the sum may be from one with the weights `w`.
    pub spread: u128,
    /// How many leaves are not zero on all paths.
    pub count: u64,
    /// Every power of two that divides this divides all leaves that are single values.
    pub single: u128,
    /// The same of the weights of the others.
    pub weights: u64,
}

/// The weight of what is added as it is.
const ONE: [i64; 1] = [1];

/// The leaves of an element, added up; without weights, each has the weight 1.
pub(crate) fn dot(map: &Map, element: usize, x: &Centered, w: Option<&Centered>) -> Dot {
    let mut sum = Dot::default();
    let weights: &[i64] = w.map_or(&ONE, |w| &w.center);
    map.runs(element, |run| {
        match &x.radius {
            None => exact_run(&mut sum, &run, &x.center, weights),
            Some(radius) => wide_run(&mut sum, &run, &x.center, radius, weights),
        }
        if let Some(spread) = w.and_then(|w| w.radius.as_ref()) {
            for k in 0..run.count {
                let (at_x, at_w) = (run.at_x + k * run.step_x, run.at_w + k * run.step_w);
                let radius = x.radius.as_ref().map_or(0, |radius| radius[at_x].unsigned_abs());
                let magnitude = x.center[at_x].unsigned_abs() + radius;
                let by = u128::from(spread[at_w].unsigned_abs()) * u128::from(magnitude);
                sum.spread += by;
                // A weight whose center is zero is a leaf all the same.
                sum.count += u64::from(by != 0 && weights[at_w] == 0);
            }
        }
    });
    sum
}

#[inline]
fn exact_run(sum: &mut Dot, run: &Run, center: &[i64], weights: &[i64]) {
    let mut add = |c: i64, w: i64| {
        let product = i128::from(c) * i128::from(w);
        sum.center += product;
        sum.size += product.unsigned_abs();
        sum.count += u64::from(product != 0);
        sum.single |= product.unsigned_abs();
    };
    if run.step_x == 1 && run.step_w == 1 {
        let (x, w) = (&center[run.at_x..run.at_x + run.count], &weights[run.at_w..run.at_w + run.count]);
        x.iter().zip(w).for_each(|(&c, &w)| add(c, w));
    } else {
        (0..run.count).for_each(|k| add(center[run.at_x + k * run.step_x], weights[run.at_w + k * run.step_w]));
    }
}

#[inline]
fn wide_run(sum: &mut Dot, run: &Run, center: &[i64], radius: &[i64], weights: &[i64]) {
    let mut add = |c: i64, r: i64, w: i64| {
        let product = i128::from(c) * i128::from(w);
        sum.center += product;
        sum.size += product.unsigned_abs();
        sum.radius += u128::from(r.unsigned_abs()) * u128::from(w.unsigned_abs());
        sum.count += u64::from(w != 0 && c | r != 0);
        if r == 0 {
            sum.single |= product.unsigned_abs();
        } else {
            sum.weights |= w.unsigned_abs();
        }
    };
    if run.step_x == 1 && run.step_w == 1 {
        let (x, w) = (run.at_x..run.at_x + run.count, run.at_w..run.at_w + run.count);
        let operands = center[x.clone()].iter().zip(&radius[x]);
        operands.zip(&weights[w]).for_each(|((&c, &r), &w)| add(c, r, w));
    } else {
        for k in 0..run.count {
            let at = run.at_x + k * run.step_x;
            add(center[at], radius[at], weights[run.at_w + k * run.step_w]);
        }
    }
}

/// The sum of the leaves of an element.
pub(crate) fn image(map: &Map, element: usize, x: &[i64], w: Option<&Centered>) -> i128 {
    let weights: &[i64] = w.map_or(&ONE, |w| &w.center);
    let mut sum = 0;
    map.runs(element, |run| {
        let mut add = |x: i64, w: i64| sum += i128::from(x) * i128::from(w);
        if run.step_x == 1 && run.step_w == 1 {
            let (x, w) = (&x[run.at_x..run.at_x + run.count], &weights[run.at_w..run.at_w + run.count]);
            x.iter().zip(w).for_each(|(&x, &w)| add(x, w));
        } else {
            (0..run.count).for_each(|k| add(x[run.at_x + k * run.step_x], weights[run.at_w + k * run.step_w]));
        }
    });
    sum
}

/// Adds `multiplier` times the weights of an element's leaves to what is gathered for their operands.
pub(crate) fn scatter(map: &Map, element: usize, multiplier: i64, w: Option<&Centered>, gathered: &mut [i128]) {
    if multiplier == 0 {
        return;
    }
    let weights: &[i64] = w.map_or(&ONE, |w| &w.center);
    map.runs(element, |run| {
        if run.step_x == 1 && run.step_w == 1 {
            let to = &mut gathered[run.at_x..run.at_x + run.count];
            let from = &weights[run.at_w..run.at_w + run.count];
            to.iter_mut().zip(from).for_each(|(to, &w)| *to += i128::from(w) * i128::from(multiplier));
        } else {
            for k in 0..run.count {
                let w = weights[run.at_w + k * run.step_w];
                gathered[run.at_x + k * run.step_x] += i128::from(w) * i128::from(multiplier);
            }
        }
    });
}

/// Which element of a tensor of shape `from` goes to each element of one of shape `to`, broadcast.
pub(crate) fn broadcast(from: &[usize], to: &[usize]) -> Vec<u32> {
    let ahead = to.len() - from.len();
    let mut steps = vec![0; to.len()];
    let mut step = 1;
    for axis in (0..from.len()).rev() {
        if from[axis] != 1 {
            steps[ahead + axis] = step;
        }
        step *= from[axis];
    }
    walk(to, &steps)
}

/// The sums of indices times steps, over all indices of a shape, the last axis fastest.
pub(crate) fn walk(shape: &[usize], steps: &[usize]) -> Vec<u32> {
    let mut places = vec![0u32];
    for (&size, &step) in shape.iter().zip(steps) {
        places = places.iter().flat_map(|&place| (0..size).map(move |index| place + (index * step) as u32)).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use roundproof_network::Axis;

    use super::*;

    #[test]
    fn elements_broadcast_as_numpy_has_it() {
        assert_eq!(broadcast(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(broadcast(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(broadcast(&[], &[2]), [0, 0]);
        assert_eq!(broadcast(&[1, 2, 1], &[2, 2, 2]), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert!(broadcast(&[2], &[0, 2]).is_empty());
    }

    #[test]
    fn windows_read_what_a_loop_reads() {
        let axis = Axis { size: 4, window: 3, stride: 1, dilation: 1, before: 1, after: 1 };
        let geometry = Geometry::new(vec![axis]).expect("an axis");
        // Two groups of one channel each, four outputs.
        let map = Map::window(&geometry, 4, 1, 2);
        assert_eq!((map.elements(), map.most()), (16, 3));
        let x = Centered { unit: 0, center: (1..9).collect(), radius: None };
        let w = Centered {
            unit: 0,
            center: (0..12).map(|k| 10i64.pow(k % 3) * i64::from(k / 3 + 1)).collect(),
            radius: None,
        };
        for output in 0..4usize {
            for position in 0..4usize {
                let by_hand: i64 = (0..3)
                    .filter_map(|tap| {
                        let place = (position + tap).checked_sub(1).filter(|place| *place < 4)?;
                        Some(x.center[output / 2 * 4 + place] * w.center[output * 3 + tap])
                    })
                    .sum();
                assert_eq!(dot(&map, output * 4 + position, &x, Some(&w)).center, i128::from(by_hand));
            }
        }
    }

    /// What an element adds up, all leaves spelt out, and that gathering is the transpose.
    #[test]
    fn sums_and_their_transpose_agree() {
        let map = Map::Product {
            offsets: vec![(0, 0), (4, 6)],
            rows: 2,
            columns: 3,
            inner: 2,
            steps_x: [2, 0, 1],
            steps_w: [0, 1, 3],
        };
        let x =
            Centered { unit: 0, center: vec![3, -1, 4, 0, -5, 9, 2, 0], radius: Some(vec![1, 0, 2, 0, 1, 1, 0, 3]) };
        let w = Centered { unit: 0, center: (-6..6).collect(), radius: Some(vec![1; 12]) };
        let mut total = 0;
        let mut gathered = vec![0; 8];
        for element in 0..12 {
            let sum = dot(&map, element, &x, Some(&w));
            let (batch, row, column) = (element / 6, element / 3 % 2, element % 3);
            let leaves = (0..2).map(|k| (batch * 4 + row * 2 + k, batch * 6 + k * 3 + column));
            let mut by_hand = Dot::default();
            for (at_x, at_w) in leaves {
                let (c, w) = (x.center[at_x], w.center[at_w]);
                let r = x.radius.as_ref().expect("radii")[at_x];
                by_hand.center += i128::from(c * w);
                by_hand.size += u128::from((c * w).unsigned_abs());
                by_hand.radius += (r * w.abs()) as u128;
                by_hand.spread += (c.abs() + r) as u128;
                by_hand.count += u64::from(c | r != 0);
                if r == 0 {
                    by_hand.single |= u128::from((c * w).unsigned_abs());
                } else {
                    by_hand.weights |= w.unsigned_abs();
                }
            }
            assert_eq!(sum, by_hand, "{element}");
            let multiplier = element as i64 - 5;
            total += sum.center * i128::from(multiplier);
            scatter(&map, element, multiplier, Some(&w), &mut gathered);
        }
        let transposed: i128 = gathered.iter().zip(&x.center).map(|(&nu, &c)| nu * i128::from(c)).sum();
        assert_eq!(total, transposed);
    }
}
