//! Minimum and maximum.

use std::cmp::Ordering;

use roundproof_format::Encoding;

use crate::arithmetic::{Arithmetic, Outcome};
use crate::class::is_signaling;
use crate::layout::Layout;
use crate::real::Operand;

/// What is done with a NaN beside a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nan {
    Wins,
    Loses,
}

impl Arithmetic {
    /// The lesser of two data, NaN if one is NaN (IEEE 754-2019, clause 9.6). -0 is below +0. A signaling NaN raises
    /// invalid, here and in all that follow.
    pub fn minimum(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Wins, a, b, |order| order.is_le(), false)
    }

    /// The lesser of two data, the number if one is NaN.
    pub fn minimum_number(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Loses, a, b, |order| order.is_le(), false)
    }

    /// The greater of two data, NaN if one is NaN.
    pub fn maximum(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Wins, a, b, |order| order.is_ge(), false)
    }

    /// The greater of two data, the number if one is NaN.
    pub fn maximum_number(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Loses, a, b, |order| order.is_ge(), false)
    }

    /// The datum of lesser magnitude, the [`minimum`](Arithmetic::minimum) of equal ones, NaN if one is NaN.
    pub fn minimum_magnitude(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Wins, a, b, |order| order.is_le(), true)
    }

    /// The datum of lesser magnitude, the [`minimum`](Arithmetic::minimum) of equal ones, the number if one is NaN.
    pub fn minimum_magnitude_number(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Loses, a, b, |order| order.is_le(), true)
    }

    /// The datum of greater magnitude, the [`maximum`](Arithmetic::maximum) of equal ones, NaN if one is NaN.
    pub fn maximum_magnitude(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Wins, a, b, |order| order.is_ge(), true)
    }

    /// The datum of greater magnitude, the [`maximum`](Arithmetic::maximum) of equal ones, the number if one is NaN.
    pub fn maximum_magnitude_number(&self, a: Encoding, b: Encoding) -> Outcome {
        self.extremum(Nan::Loses, a, b, |order| order.is_ge(), true)
    }

    fn extremum(&self, nan: Nan, a: Encoding, b: Encoding, first: fn(Ordering) -> bool, magnitude: bool) -> Outcome {
        let datum = |key, encoding| match key {
            // Of an encoding of no datum, too.
            0 => self.layout().zero(false),
            -1 => self.layout().zero(true),
            _ => encoding,
        };
        let (x, y) = (key(self.layout(), a), key(self.layout(), b));
        if let (Some(x), Some(y)) = (x, y) {
            let magnitudes = if magnitude { size(x).cmp(&size(y)) } else { Ordering::Equal };
            return Outcome::exact(if first(magnitudes.then(x.cmp(&y))) { datum(x, a) } else { datum(y, b) });
        }
        let canonical = self.not_a_number([a, b].iter().any(|&e| is_signaling(self.format(), e)));
        match (nan, x, y) {
            (Nan::Loses, Some(x), _) => Outcome { encoding: datum(x, a), ..canonical },
            (Nan::Loses, _, Some(y)) => Outcome { encoding: datum(y, b), ..canonical },
            _ => canonical,
        }
    }
}

/// A number in the order of the data that are not NaN: that of +0 is 0, that of -0 is -1, and changing the sign of a
/// datum is the complement.
#[inline]
fn key(layout: &Layout, encoding: Encoding) -> Option<i128> {
    let signed = |negative, magnitude: i128| Some(if negative { !magnitude } else { magnitude });
    if let Some((negative, magnitude)) = layout.finite::<u128>(encoding) {
        return signed(negative, magnitude as i128);
    }
    match layout.unpack::<u128>(encoding) {
        Operand::Zero { negative } => signed(negative, 0),
        Operand::Infinite { negative } => signed(negative, i128::MAX),
        Operand::Finite(_) | Operand::Nan { .. } => None,
    }
}

/// The key of the magnitude.
fn size(key: i128) -> i128 {
    if key < 0 { !key } else { key }
}
