//! How much a linear map may lengthen a vector: the spectral norm, rounded up.
//!
//! For a matrix `A`, `|A|_F` is the square root of the sum of the squares of its entries, `|A|_1` the largest sum of magnitudes of a
//! column, `|A|_inf` of a row. `|A|_2 <= |A|_F` and `|A|_2^2 <= |A|_1 |A|_inf` (Golub and Van Loan, *Matrix Computations*, 2.3).
//!
//! **Squares.** `A = R + D` with `R` of few bits, so that `|A|_2 <= |R|_2 + |D|_F`. For `G = R R^T`, or `R^T R`, whichever is smaller,
//! `|R|_2^2 = |G|_2`. Let `K_0` be `G`, and `K_(t+1)` be `K_t^2`, each rounded to few bits, and `d_t` at least `|D|_F` of what that rounding
//! took off. `K_t` is symmetric, so that `|K_t|_2^2 = |K_t^2|_2 <= |K_(t+1)|_2 + d_(t+1)`, and
//! `|G|_2 <= d_0 + sqrt(d_1 + sqrt(d_2 + ... sqrt(d_T + |K_T|)))`, with the lesser of `|K_T|_F` and `|K_T|_inf` for the last. That is
//! more than `|G|_2` by a factor of at most `n^(2^-(T+1))` and what the roundings add: for 64 rows and columns and eight squares, 0.8 per
//! cent, and half of that for `A`.
//!
//! **Blocks.** If elements of the result come in blocks, each the product of one of several matrices with a part of the operand, and no
//! element of the operand is in more than `m` of these parts, then `|A x|^2 = sum_b |A_b x_b|^2 <= max |A_b|_2^2 sum_b |x_b|^2 <= m max
//! |A_b|_2^2 |x|^2`. A convolution is one block for each position and group of channels. It is the sum over the places of its window,
//! too, of maps in which no element of the operand is in two blocks; the lesser of the two is taken.

use super::upper::Upper;
use crate::fixed::Centered;
use crate::linear::Map;

/// The norms of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Norms {
    /// Of the map.
    pub whole: Upper,
    /// Of each row of it: of what makes one element.
    pub rows: Vec<Upper>,
    /// A power of two that no sum of magnitudes of the weights of an element reaches, in units of the weights.
    pub bits: u32,
}

/// Matrices with more rows, and more columns, are not squared.
const MOST: usize = 1024;
/// Bits of entries of squares, at most: so that they fit into 32.
const ENTRY_BITS: u32 = 30;

/// How many products may still be formed for norms. What is left out then is bounded by sums of magnitudes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(pub(super) u64);

impl Budget {
    /// What is enough for some matrices of 1,024 rows and columns.
    pub fn of_a_model() -> Budget {
        Budget(1 << 34)
    }

    fn take(&mut self, products: u64) -> bool {
        let left = self.0.checked_sub(products);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Weights of the leaves of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entries<'a> {
    /// Constants, or ones.
    Weights(Option<&'a Centered>),
    /// Of element `i`, the reciprocal of `counts[i]`.
    Reciprocals(&'a [u32]),
}

/// Bits behind the point of reciprocals.
const RECIPROCAL_BITS: u32 = 40;
/// Bits of the magnitudes that are added and squared: of these, 2^31 may be.
const SHORT_BITS: u32 = 48;

impl Norms {
    /// Of a map of a tensor with so many elements.
    pub fn of(map: &Map, entries: Entries, elements: usize, budget: &mut Budget) -> Norms {
        let mut norms = Norms::simple(map, entries, elements);
        let structured = match entries {
            Entries::Weights(Some(weights)) => structured(map, weights, elements, budget),
            Entries::Weights(None) | Entries::Reciprocals(_) => None,
        };
        norms.whole = structured.map_or(norms.whole, |norm| norm.min(norms.whole));
        norms
    }

    /// The same, by sums of magnitudes alone: at the cost of one evaluation.
    pub fn simple(map: &Map, entries: Entries, elements: usize) -> Norms {
        let (unit, shift) = match entries {
            Entries::Weights(None) => (0, 0),
            Entries::Weights(Some(weights)) => {
                let all = weights.center.iter().fold(0, |all, weight| all | weight.unsigned_abs());
                (weights.unit, (u64::BITS - all.leading_zeros()).saturating_sub(SHORT_BITS))
            }
            Entries::Reciprocals(_) => (-(RECIPROCAL_BITS as i32), 0),
        };
        let cut = |weight: u64| (weight >> shift) + u64::from(weight & ((1 << shift) - 1) != 0);
        let mut columns = vec![0u128; elements];
        let mut rows = Vec::with_capacity(map.elements());
        let (mut most, mut squares) = (0u128, Upper::ZERO);
        // By which element each was read last.
        let mut readers = vec![usize::MAX; elements];
        let unit = i64::from(unit) + i64::from(shift);
        for element in 0..map.elements() {
            let (mut sum, mut square, mut repeated) = (0u128, 0u128, false);
            map.runs(element, |run| {
                for k in 0..run.count {
                    let weight = match entries {
                        Entries::Weights(None) => 1,
                        Entries::Weights(Some(weights)) => {
                            cut(weights.center[run.at_w + k * run.step_w].unsigned_abs())
                        }
                        Entries::Reciprocals(counts) => (1u64 << RECIPROCAL_BITS).div_ceil(counts[element].into()),
                    };
                    sum += u128::from(weight);
                    square += u128::from(weight).pow(2);
                    let at_x = run.at_x + k * run.step_x;
                    columns[at_x] += u128::from(weight);
                    repeated |= std::mem::replace(&mut readers[at_x], element) == element;
                }
            });
            most = most.max(sum);
            // Leaves of one operand are one entry, which is at most the sum of their weights.
            let square = if repeated {
                Upper::new(sum, unit).times(Upper::new(sum, unit))
            } else {
                Upper::new(square, 2 * unit)
            };
            squares = squares.plus(square);
            rows.push(square.root());
        }
        let tallest = columns.into_iter().max().unwrap_or(0);
        let of_sums = Upper::new(most, unit).times(Upper::new(tallest, unit));
        let bits = u128::BITS - most.leading_zeros() + shift;
        Norms { whole: of_sums.min(squares).root(), rows, bits }
    }
}

/// By blocks; none if there are no such, or if they are too much to count.
fn structured(map: &Map, weights: &Centered, elements: usize, budget: &mut Budget) -> Option<Upper> {
    match map {
        Map::Product { offsets, rows, columns, inner, steps_x, steps_w } => {
            // Each row of the result is made of a row of the operand, or each column of a column of it.
            let by_rows = (*columns == 1 || steps_x[1] == 0) && (*rows == 1 || steps_w[0] == 0);
            let by_columns = (*rows == 1 || steps_x[0] == 0) && (*columns == 1 || steps_w[1] == 0);
            let (copies, step_x, outputs, step_w) = match (by_rows, by_columns) {
                (true, _) => (*rows, steps_x[0], *columns, steps_w[1]),
                (false, true) => (*columns, steps_x[1], *rows, steps_w[0]),
                (false, false) => return None,
            };
            let mut readers = vec![0u32; elements];
            let (mut largest, mut last) = (Upper::ZERO, None);
            for &(at_x, at_w) in offsets {
                for copy in 0..copies {
                    (0..*inner).for_each(|k| readers[at_x + copy * step_x + k * steps_x[2]] += 1);
                }
                if last != Some(at_w) {
                    last = Some(at_w);
                    let entry = |row: usize, k: usize| weights.center[at_w + row * step_w + k * steps_w[2]];
                    largest = largest.max(Matrix::new(outputs, *inner, weights.unit, entry).norm(budget)?);
                }
            }
            Some(times_root(largest, &readers))
        }
        Map::Window { taps, places, window, outputs, channels, group } => {
            // Which places are read at how many positions, and through each tap.
            let mut readers = vec![0u32; *places];
            let mut through = vec![vec![0u32; *places]; *window];
            for &(tap, place) in taps.iter().flatten() {
                readers[place as usize] += 1;
                through[tap as usize][place as usize] += 1;
            }
            let (mut of_blocks, mut of_taps) = (Upper::ZERO, vec![Upper::ZERO; *window]);
            for first in (0..*outputs).step_by(*group) {
                let start = first * channels * window;
                let rows = (*group).min(outputs - first);
                let entry = |row: usize, k: usize| weights.center[start + row * channels * window + k];
                of_blocks = of_blocks.max(Matrix::new(rows, channels * window, weights.unit, entry).norm(budget)?);
                for (tap, of_tap) in of_taps.iter_mut().enumerate() {
                    let entry =
                        |row: usize, channel: usize| weights.center[start + (row * channels + channel) * window + tap];
                    *of_tap = (*of_tap).max(Matrix::new(rows, *channels, weights.unit, entry).norm(budget)?);
                }
            }
            let each = of_taps.into_iter().zip(&through).map(|(norm, readers)| times_root(norm, readers));
            let sum = each.fold(Upper::ZERO, Upper::plus);
            Some(times_root(of_blocks, &readers).min(sum))
        }
        Map::Selected { map, elements: selected } => {
            // Each row of the other map, as often as it is taken.
            let mut taken = vec![0u32; map.elements()];
            selected.iter().flatten().for_each(|&element| taken[element as usize] += 1);
            Some(times_root(structured(map, weights, elements, budget)?, &taken))
        }
        Map::Listed { starts: _, x: _, w: _ } => None,
    }
}

/// Times the square root of the largest of these numbers.
pub(crate) fn times_root(norm: Upper, readers: &[u32]) -> Upper {
    let most = readers.iter().copied().max().unwrap_or(0);
    norm.times(Upper::new(most.into(), 0).root())
}

/// Rows of numbers, in units of `2^unit`: `count` rows, as long as the others.
#[derive(Clone, Debug)]
struct Short {
    unit: i32,
    count: usize,
    length: usize,
    entries: Vec<i32>,
    /// At least the Frobenius norm of what was rounded off.
    off: Upper,
}

/// A matrix, by its entries.
struct Matrix<F: Fn(usize, usize) -> i64> {
    rows: usize,
    columns: usize,
    unit: i32,
    entry: F,
}

impl<F: Fn(usize, usize) -> i64> Matrix<F> {
    fn new(rows: usize, columns: usize, unit: i32, entry: F) -> Matrix<F> {
        Matrix { rows, columns, unit, entry }
    }

    /// The spectral norm, rounded up; none if it would take too long.
    fn norm(&self, budget: &mut Budget) -> Option<Upper> {
        let (count, length) = (self.rows.min(self.columns), self.rows.max(self.columns));
        if count > MOST {
            return None;
        }
        let squares: u32 = if count <= MOST / 4 { 8 } else { 5 };
        let (n, m) = (count as u64, length as u64);
        if !budget.take(n * n * (m + n * u64::from(squares))) {
            return None;
        }
        // The shorter sides are rows.
        let turned = self.rows > self.columns;
        let at = |row: usize, column: usize| if turned { (self.entry)(column, row) } else { (self.entry)(row, column) };
        let entries: Vec<i64> = (0..count)
            .flat_map(|row| (0..length).map(move |column| (row, column)))
            .map(|(row, column)| at(row, column))
            .collect();
        let matrix = Short::of(&entries, count, length, self.unit);
        let mut gram = matrix.gram();
        let mut off = vec![gram.off];
        for _ in 0..squares {
            gram = gram.gram();
            off.push(gram.off);
        }
        let last = gram.frobenius().min(gram.largest_row());
        let whole = off.iter().skip(1).rev().fold(last, |norm, off| off.plus(norm).root());
        Some(matrix.off.plus(off[0].plus(whole).root()))
    }
}

impl Short {
    /// Rounded to nearest, to so few bits that the sum of the products of two rows fits into 62.
    fn of(values: &[i64], count: usize, length: usize, unit: i32) -> Short {
        let all = values.iter().fold(0, |all, value| all | value.unsigned_abs());
        let long = usize::BITS - length.leading_zeros();
        let bits = (62u32.saturating_sub(long) / 2).min(ENTRY_BITS);
        let shift = (u64::BITS - all.leading_zeros()).saturating_sub(bits);
        let mut off = 0u128;
        let round = |value: &i64| {
            let (value, half) = (i128::from(*value), (1i128 << shift) >> 1);
            let rounded = (value + half) >> shift;
            off += (value - (rounded << shift)).unsigned_abs().pow(2);
            i32::try_from(rounded).expect("it has so few bits")
        };
        let entries = values.iter().map(round).collect();
        let off = Upper::new(off, 2 * i64::from(unit)).root();
        Short { unit: unit + shift as i32, count, length, entries, off }
    }

    fn row(&self, row: usize) -> &[i32] {
        &self.entries[row * self.length..(row + 1) * self.length]
    }

    /// The products of all rows with all rows, rounded.
    fn gram(&self) -> Short {
        let mut values = vec![0; self.count * self.count];
        for i in 0..self.count {
            for j in 0..=i {
                let product: i64 =
                    self.row(i).iter().zip(self.row(j)).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
                values[i * self.count + j] = product;
                values[j * self.count + i] = product;
            }
        }
        Short::of(&values, self.count, self.count, 2 * self.unit)
    }

    fn frobenius(&self) -> Upper {
        Upper::norm(self.entries.iter().map(|entry| entry.unsigned_abs().into()), self.unit)
    }

    fn largest_row(&self) -> Upper {
        let sum = |row: usize| self.row(row).iter().map(|entry| u128::from(entry.unsigned_abs())).sum();
        Upper::new((0..self.count).map(sum).max().unwrap_or(0), self.unit.into())
    }
}
