//! Windows that slide over a grid: where convolutions and pooling read.

use thiserror::Error;

/// One axis of a grid, and of the window that slides over it.
///
/// The window begins `before` places ahead of the axis, and is moved by `stride` as long as all of it lies within the axis and
/// its padding. A place of the window that lies in the padding reads nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Places of the grid.
    pub size: usize,
    /// Places of the window.
    pub window: usize,
    /// How far the window is moved.
    pub stride: usize,
    /// How far the places of the window are apart.
    pub dilation: usize,
    /// Padding ahead of the grid.
    pub before: usize,
    /// Padding behind the grid.
    pub after: usize,
}

/// A window over the axes of a grid of values, the last axis fastest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    axes: Vec<Axis>,
}

/// Why axes make no geometry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GeometryError {
    /// Not a number of axes that is supported.
    #[error("{axes} axes; 1 to {most} are supported", most = Geometry::MOST_AXES)]
    Axes {
        /// How many there are.
        axes: usize,
    },
    /// Something is zero that may not be.
    #[error("axis {axis}: its size, window, stride and dilation have to be positive")]
    Zero {
        /// The axis, from 0.
        axis: usize,
    },
    /// Padding without end.
    #[error("axis {axis}: its padding, {before} and {after}, is more than its size, {size}, on a side")]
    Padding {
        /// The axis, from 0.
        axis: usize,
        /// Padding ahead.
        before: usize,
        /// Padding behind.
        after: usize,
        /// Places of the axis.
        size: usize,
    },
    /// A window that fits nowhere, or a grid with more places than can be counted.
    #[error(
        "axis {axis}: a window of {window} places, {dilation} apart, does not fit into {size} places and their padding"
    )]
    Window {
        /// The axis, from 0.
        axis: usize,
        /// Places of the window.
        window: usize,
        /// How far they are apart.
        dilation: usize,
        /// Places of the axis.
        size: usize,
    },
}

impl Axis {
    /// An axis with a window that is moved by one place, without gaps or padding.
    pub const fn plain(size: usize, window: usize) -> Axis {
        Axis { size, window, stride: 1, dilation: 1, before: 0, after: 0 }
    }

    /// How many places the window has to be at, if it fits at all.
    fn positions(&self) -> Option<usize> {
        let extent = self.dilation.checked_mul(self.window.checked_sub(1)?)?.checked_add(1)?;
        let padded = self.size.checked_add(self.before)?.checked_add(self.after)?;
        Some(padded.checked_sub(extent)? / self.stride + 1)
    }

    /// The places of the window that lie on the axis when it is at `position`: the first, and how many.
    fn taps(&self, position: usize) -> (usize, usize) {
        let start = position * self.stride;
        // Place k lies at start + k dilation - before.
        let first = self.before.saturating_sub(start).div_ceil(self.dilation);
        let end = (self.size + self.before).saturating_sub(start).div_ceil(self.dilation).min(self.window);
        (first, end.saturating_sub(first))
    }

    /// Where place `tap` of the window lies on the axis.
    fn place(&self, position: usize, tap: usize) -> usize {
        position * self.stride + tap * self.dilation - self.before
    }
}

impl Geometry {
    /// The most axes.
    pub const MOST_AXES: usize = 3;

    /// The geometry of these axes, the last one fastest.
    ///
    /// # Errors
    ///
    /// If there are none or too many, a size, window, stride or dilation is zero, padding is longer than its axis, or a window
    /// fits nowhere.
    pub fn new(axes: Vec<Axis>) -> Result<Geometry, GeometryError> {
        if axes.is_empty() || axes.len() > Geometry::MOST_AXES {
            return Err(GeometryError::Axes { axes: axes.len() });
        }
        for (axis, &Axis { size, window, stride, dilation, before, after }) in axes.iter().enumerate() {
            if [size, window, stride, dilation].contains(&0) {
                return Err(GeometryError::Zero { axis });
            }
            if before > size || after > size {
                return Err(GeometryError::Padding { axis, before, after, size });
            }
            if axes[axis].positions().is_none() {
                return Err(GeometryError::Window { axis, window, dilation, size });
            }
        }
        let geometry = Geometry { axes };
        // Whoever multiplies sizes of a geometry that exists need not look again.
        let countable = [Axis::size as fn(&Axis) -> usize, Axis::window, Axis::counted];
        if countable.iter().any(|of| {
            geometry.axes.iter().try_fold(1u32, |all, axis| all.checked_mul(u32::try_from(of(axis)).ok()?)).is_none()
        }) {
            let Axis { size, window, dilation, .. } = geometry.axes[0];
            return Err(GeometryError::Window { axis: 0, window, dilation, size });
        }
        Ok(geometry)
    }

    /// The axes, the last one fastest.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many values the grid has.
    pub fn places(&self) -> usize {
        self.axes.iter().map(Axis::size).product()
    }

    /// How many places the window has.
    pub fn window(&self) -> usize {
        self.axes.iter().map(Axis::window).product()
    }

    /// How many positions the window takes.
    pub fn positions(&self) -> usize {
        self.axes.iter().map(Axis::counted).product()
    }

    /// What the window reads at `position`.
    pub fn taps(&self, position: usize) -> Taps<'_> {
        let mut rest = position;
        let mut ranges = [(0, 0, 0); Geometry::MOST_AXES];
        let mut count = 1;
        for (range, axis) in ranges.iter_mut().zip(&self.axes).rev() {
            let at = rest % axis.counted();
            rest /= axis.counted();
            let (first, taps) = axis.taps(at);
            *range = (at, first, taps);
            count *= taps;
        }
        Taps { geometry: self, ranges, count }
    }
}

impl Axis {
    fn size(&self) -> usize {
        self.size
    }

    fn window(&self) -> usize {
        self.window
    }

    /// How many positions the window takes along the axis; 0 if it fits nowhere.
    pub fn counted(&self) -> usize {
        self.positions().unwrap_or(0)
    }
}

/// What a window reads at one position, in the order of its places.
#[derive(Clone, Copy, Debug)]
pub struct Taps<'a> {
    geometry: &'a Geometry,
    /// Of every axis the position, the first place of the window that lies on it, and how many do.
    ranges: [(usize, usize, usize); Geometry::MOST_AXES],
    count: usize,
}

impl<'a> Taps<'a> {
    /// Whose taps they are.
    pub fn geometry(&self) -> &'a Geometry {
        self.geometry
    }

    /// How many values are read.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether all of the window lies in the padding.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Of the value that is read as number `index`: its place in the window, and in the grid.
    pub fn get(&self, index: usize) -> (usize, usize) {
        let (mut rest, mut in_window, mut in_grid) = (index, 0, 0);
        let (mut window, mut grid) = (1, 1);
        for (axis, &(position, first, taps)) in self.geometry.axes.iter().zip(&self.ranges).rev() {
            let tap = first + rest % taps;
            rest /= taps;
            in_window += window * tap;
            in_grid += grid * axis.place(position, tap);
            window *= axis.window;
            grid *= axis.size;
        }
        (in_window, in_grid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place of the window, one after the other.
    fn by_hand(axes: &[Axis]) -> Vec<Vec<(usize, usize)>> {
        let counts = |of: &dyn Fn(&Axis) -> usize| axes.iter().map(of).collect::<Vec<_>>();
        let all = |counts: &[usize]| {
            let total: usize = counts.iter().product();
            (0..total)
                .map(|mut number| {
                    let mut digits = vec![0; counts.len()];
                    for (digit, count) in digits.iter_mut().zip(counts).rev() {
                        (*digit, number) = (number % count, number / count);
                    }
                    digits
                })
                .collect::<Vec<_>>()
        };
        let outputs = counts(&|axis| {
            let padded = (axis.size + axis.before + axis.after) as i64;
            (0..padded)
                .step_by(axis.stride)
                .filter(|start| start + (((axis.window - 1) * axis.dilation) as i64) < padded)
                .count()
        });
        all(&outputs)
            .iter()
            .map(|position| {
                all(&counts(&|axis| axis.window))
                    .iter()
                    .enumerate()
                    .filter_map(|(index, tap)| {
                        let mut flat = 0;
                        for (axis, (position, tap)) in axes.iter().zip(position.iter().zip(tap)) {
                            let at = (position * axis.stride + tap * axis.dilation) as i64 - axis.before as i64;
                            if at < 0 || at >= axis.size as i64 {
                                return None;
                            }
                            flat = flat * axis.size + at as usize;
                        }
                        Some((index, flat))
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn taps_are_those_of_a_walk_over_every_place() {
        let sizes = [(1, 1), (3, 2), (5, 3)];
        let axes: Vec<Axis> = sizes
            .iter()
            .flat_map(|&(size, window)| {
                (1..3).flat_map(move |stride| (1..3).map(move |dilation| (size, window, stride, dilation)))
            })
            .flat_map(|(size, window, stride, dilation)| {
                (0..=size.min(2)).flat_map(move |before| {
                    (0..=size.min(1)).map(move |after| Axis { size, window, stride, dilation, before, after })
                })
            })
            .filter(|&axis| Geometry::new(vec![axis]).is_ok())
            .collect();
        let mut checked = 0;
        for (index, &first) in axes.iter().enumerate() {
            for &second in axes.iter().skip(index % 7).step_by(7) {
                let geometry = Geometry::new(vec![first, second]).expect("both axes are");
                let expected = by_hand(&[first, second]);
                assert_eq!(geometry.positions(), expected.len());
                for (position, expected) in expected.iter().enumerate() {
                    let taps = geometry.taps(position);
                    let found: Vec<_> = (0..taps.len()).map(|index| taps.get(index)).collect();
                    assert_eq!(&found, expected, "{geometry:?} at {position}");
                    checked += found.len();
                }
            }
        }
        assert!(checked > 5000, "{checked}");
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        let rejected = |axes: Vec<Axis>| Geometry::new(axes).unwrap_err().to_string();
        assert!(rejected(vec![]).contains("0 axes"));
        assert!(rejected(vec![Axis::plain(2, 1); 4]).contains("4 axes"));
        assert!(rejected(vec![Axis::plain(2, 0)]).contains("positive"));
        assert!(rejected(vec![Axis { stride: 0, ..Axis::plain(2, 1) }]).contains("positive"));
        assert!(rejected(vec![Axis { before: 3, ..Axis::plain(2, 1) }]).contains("padding"));
        assert!(rejected(vec![Axis::plain(2, 3)]).contains("does not fit"));
        assert!(rejected(vec![Axis { dilation: usize::MAX, ..Axis::plain(2, 2) }]).contains("does not fit"));
        assert!(rejected(vec![Axis::plain(1 << 20, 1), Axis::plain(1 << 20, 1)]).contains("does not fit"));
    }
}
