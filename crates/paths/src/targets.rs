//! Points, and what is right at them.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format};
use roundproof_network::{At, Dataset};
use roundproof_softfloat::compare;

use crate::reach::Reach;

/// The least and the largest value that are right for an output; none: no value is.
pub type Right = Option<(Encoding, Encoding)>;

/// Points, and which values are right for each output there: the labels of a data set, say.
pub trait Targets {
    /// The format of inputs and outputs.
    fn format(&self) -> Format;
    /// Inputs of a point, and outputs.
    fn dimensions(&self) -> (usize, usize);
    /// How many points there are.
    fn points(&self) -> usize;
    /// What a witness says of a point's place.
    fn at(&self, point: usize) -> At;
    /// The point at a place.
    fn find(&self, at: &At) -> Option<usize>;
    /// The inputs of a point.
    fn inputs(&self, point: usize) -> Vec<Encoding>;
    /// What is right for an output there.
    fn right(&self, point: usize, output: usize) -> Right;
}

/// Each row with its labels.
impl Targets for Dataset {
    fn format(&self) -> Format {
        self.format()
    }

    fn dimensions(&self) -> (usize, usize) {
        (self.dimension(), self.outputs())
    }

    fn points(&self) -> usize {
        self.rows()
    }

    fn at(&self, point: usize) -> At {
        At::Row(point)
    }

    fn find(&self, at: &At) -> Option<usize> {
        match at {
            At::Row(row) if *row < self.rows() => Some(*row),
            _ => None,
        }
    }

    fn inputs(&self, point: usize) -> Vec<Encoding> {
        (0..self.dimension()).map(|column| self.input(point, column)).collect()
    }

    fn right(&self, point: usize, output: usize) -> Right {
        let label = self.label(point, output);
        Some((label, label))
    }
}

/// Points that belong to no data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    format: Format,
    dimensions: (usize, usize),
    points: Vec<(Vec<Encoding>, Vec<Right>)>,
}

impl Points {
    /// No points yet, of so many inputs and outputs.
    pub fn new(format: Format, inputs: usize, outputs: usize) -> Points {
        Points { format, dimensions: (inputs, outputs), points: Vec::new() }
    }

    /// One more point, with what is right for each output.
    ///
    /// # Panics
    ///
    /// If there are not as many as there should be.
    pub fn push(&mut self, inputs: Vec<Encoding>, right: Vec<Right>) {
        assert_eq!((inputs.len(), right.len()), self.dimensions, "a point has all inputs and outputs");
        self.points.push((inputs, right));
    }
}

impl Targets for Points {
    fn format(&self) -> Format {
        self.format
    }

    fn dimensions(&self) -> (usize, usize) {
        self.dimensions
    }

    fn points(&self) -> usize {
        self.points.len()
    }

    fn at(&self, point: usize) -> At {
        At::Point(self.points[point].0.clone())
    }

    fn find(&self, at: &At) -> Option<usize> {
        let At::Point(inputs) = at else { return None };
        self.points.iter().position(|(point, _)| point == inputs)
    }

    fn inputs(&self, point: usize) -> Vec<Encoding> {
        self.points[point].0.clone()
    }

    fn right(&self, point: usize, output: usize) -> Right {
        self.points[point].1[output]
    }
}

/// Whether a value is right. NaN never is.
pub fn is_right(format: Format, value: Encoding, right: Right) -> bool {
    let Some((low, high)) = right else { return false };
    let above = compare(format, low, value).is_some_and(Ordering::is_le);
    above && compare(format, value, high).is_some_and(Ordering::is_le)
}

/// Whether all values of an enclosure are right.
pub(crate) fn are_right(format: Format, set: &Reach, right: Right) -> bool {
    let is_right = |value| is_right(format, value, right);
    let infinities = [(set.negative_infinity, true), (set.positive_infinity, false)];
    let mut infinities = infinities.into_iter().filter(|(is_there, _)| *is_there);
    !set.nan
        && set.finite.is_none_or(|(low, high)| is_right(low) && is_right(high))
        && infinities.all(|(_, negative)| format.infinity(negative).is_some_and(is_right))
}
