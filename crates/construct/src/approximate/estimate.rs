//! About how many leaves a tree has, for every error at once.
//!
//! In one variable, leaves are grown from a place in each of many cells of the domain, and how much error each length takes is
//! noted: a cell has as many leaves as the one that was grown fits into it. In two, cuts do not depend on the error, and the errors
//! along descents from the root tell at which depth a leaf would be.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use roundproof_exact::Rational;

use super::places::Places;
use super::search::Search;
use crate::ConstructError;

/// Into how many cells a domain of one variable is cut.
const CELLS: usize = 1 << 9;
/// Leaves shorter than this part of a cell, as a power of two, are not grown.
const SHORTEST: u32 = 17;
/// Descents in two variables, and how deep they are at most.
const DESCENTS: u64 = 1 << 8;
const DEEPEST: u32 = 64;

/// Lengths of a leaf, in those of its cell, and the errors that they take, both increasing. None in a cell of one place.
type Lengths = Vec<(f64, f64)>;

/// What was found of a tree.
pub enum Curve {
    /// Of each cell a leaf.
    Cells(Vec<Lengths>),
    /// Of each descent, the error that the region at each depth takes.
    Descents(Vec<Vec<f64>>),
}

impl Curve {
    /// About how many leaves the tree within an error has.
    pub fn leaves(&self, error: &Rational) -> f64 {
        let error = error.to_f64();
        match self {
            Curve::Cells(cells) => {
                let of_cell = |leaf: &Lengths| if leaf.is_empty() { 1.0 } else { length(leaf, error).recip() };
                1.0 + cells.iter().map(of_cell).sum::<f64>()
            }
            // Two to the depth at which a leaf is met, on average (Knuth, Estimating the efficiency of backtrack programs,
            // Math. Comp. 29, 1975).
            Curve::Descents(descents) => {
                let depth = |errors: &Vec<f64>| errors.iter().take_while(|&&other| other > error).count();
                descents.iter().map(|errors| (depth(errors) as f64).exp2()).sum::<f64>() / descents.len() as f64
            }
        }
    }
}

/// The length of a leaf within an error, between those that were grown.
fn length(leaf: &[(f64, f64)], error: f64) -> f64 {
    let beyond = leaf.partition_point(|&(_, other)| other <= error);
    let (shorter, longer) = (beyond.checked_sub(1).map(|index| leaf[index]), leaf.get(beyond));
    match (shorter, longer) {
        (Some((length, _)), None) => length,
        (Some((short, less)), Some(&(long, more))) if more.is_finite() => {
            short + (long - short) * (error - less) / (more - less)
        }
        (Some((short, _)), Some(_)) => short,
        (None, Some(&(long, more))) => long * (error / more),
        (None, None) => f64::NAN,
    }
}

/// A part of the domain of one variable.
struct Cell {
    places: (i128, i128),
    /// By how much the function varies; infinite if that is not known.
    varies: f64,
    width: f64,
}

impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Cell) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Cell) -> Ordering {
        let by = |cell: &Cell| (cell.varies, cell.width, cell.places);
        let ((a, b, c), (d, e, f)) = (by(self), by(other));
        a.total_cmp(&d).then_with(|| b.total_cmp(&e)).then_with(|| c.cmp(&f))
    }
}

impl Search<'_> {
    /// What errors trees take, from this error on.
    ///
    /// # Errors
    ///
    /// If the error is too small at a place that is visited.
    pub fn curve(&self) -> Result<Curve, ConstructError> {
        match self.places {
            [places] => self.by_cells(places).map(Curve::Cells),
            _ => self.by_descents().map(Curve::Descents),
        }
    }

    /// Cells are cut where the function varies most, of equal ones the widest: in the middle of their places, which finds any
    /// binade in a few cuts.
    fn by_cells(&self, places: &Places) -> Result<Vec<Lengths>, ConstructError> {
        let cell = |range| {
            let (low, high) = places.reals(range);
            let varies = self.enclose(&[range]).map_or(f64::INFINITY, |(low, high)| (high - low).to_f64());
            Cell { places: range, varies, width: (high - low).to_f64() }
        };
        let (mut open, mut done) = (BinaryHeap::from([cell(places.range)]), Vec::new());
        while open.len() + done.len() < CELLS
            && let Some(widest) = open.pop()
        {
            let (low, high) = widest.places;
            if low == high {
                done.push(widest);
                continue;
            }
            // Rounded down.
            let middle = (low & high) + ((low ^ high) >> 1);
            open.extend([cell((low, middle)), cell((middle + 1, high))]);
        }
        let mut all: Vec<Cell> = done.into_iter().chain(open).collect();
        all.sort_by(|one, other| other.cmp(one));
        let (mut leaves, mut too_fine) = (Vec::with_capacity(all.len()), None);
        for cell in all {
            match self.leaf(places, cell.places) {
                Ok(leaf) => leaves.push(leaf),
                // Elsewhere there may be what no error mends, which is told rather.
                Err(error @ ConstructError::TooFine { .. }) => too_fine = too_fine.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        too_fine.map_or(Ok(leaves), Err)
    }

    /// Lengths of a leaf from the middle of a cell on, each twice as many places as the one before, and the error that each takes.
    fn leaf(&self, places: &Places, (low, high): (i128, i128)) -> Result<Lengths, ConstructError> {
        self.fit_place(&[low])?;
        if low == high {
            return Ok(Vec::new());
        }
        let (first, last) = places.reals((low, high));
        let width = last - first;
        let start = places.middle((low, high)) + 1;
        let (from, end) = (places.reals((start, start)).0, places.range.1);
        let (mut leaf, mut step) = (Vec::new(), (high.abs_diff(low) >> SHORTEST).max(1));
        loop {
            let last = if step < end.abs_diff(start) { start.saturating_add_unsigned(step) } else { end };
            // Widths, and lengths in tiny cells, may be more than a double holds.
            let length = ((places.reals((start, last)).1 - &from) / &width).to_f64().min(f64::MAX);
            leaf.push((length, self.takes(&[(start, last)])));
            if last == end {
                return Ok(leaf);
            }
            step = step.saturating_mul(2);
        }
    }

    /// Descents are spread evenly, by multiples of the golden ratio.
    fn by_descents(&self) -> Result<Vec<Vec<f64>>, ConstructError> {
        let mut descents = Vec::new();
        for descent in 0..DESCENTS {
            let turns = descent.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut region: Vec<(i128, i128)> = self.places.iter().map(|places| places.range).collect();
            let mut errors = Vec::new();
            for depth in 0..DEEPEST {
                if self.fit(&region)?.is_some() {
                    break;
                }
                errors.push(self.takes(&region));
                let Some((_, lower, upper)) = self.halves(&region) else { break };
                region = if turns >> (63 - depth) & 1 == 0 { lower } else { upper };
            }
            descents.push(errors);
        }
        Ok(descents)
    }

    /// The error that the nearest value to the middle of a region takes; infinite, if the function is not seen to be defined.
    fn takes(&self, region: &[(i128, i128)]) -> f64 {
        match self.enclose(region) {
            Ok((low, high)) => self.error_of_middle(&low, &high).1.to_f64(),
            Err(_) => f64::INFINITY,
        }
    }
}
