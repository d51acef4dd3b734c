//! Minimum and maximum.

use std::cmp::Ordering;

use roundproof_format::Encoding;

use crate::arithmetic::{Arithmetic, Outcome};
use crate::class::{Sign, sign_of};
use crate::datum::abs;
use crate::layout::Layout;
use crate::order::compare;
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
        let [x, y] = [a, b].map(|e| self.layout().unpack::<u128>(e));
        let signals = |operand| matches!(operand, Operand::Nan { signaling: true });
        let canonical = self.not_a_number(signals(x) || signals(y));
        let number = |encoding| Outcome { encoding: canonical_number(self.layout(), encoding), ..canonical };
        let Some(order) = compare(self.format(), a, b) else {
            return match (x, y, nan) {
                (Operand::Nan { .. }, Operand::Nan { .. }, _) | (_, _, Nan::Wins) => canonical,
                (Operand::Nan { .. }, _, Nan::Loses) => number(b),
                (_, _, Nan::Loses) => number(a),
            };
        };
        let magnitudes = if magnitude {
            compare(self.format(), abs(self.format(), a), abs(self.format(), b)).unwrap_or(Ordering::Equal)
        } else {
            Ordering::Equal
        };
        let minus = |e| sign_of(self.format(), e) == Sign::Minus;
        let order = magnitudes.then(order).then(minus(b).cmp(&minus(a)));
        number(if first(order) { a } else { b })
    }
}

/// The encoding itself, or +0 for one of no datum.
fn canonical_number(layout: &Layout, encoding: Encoding) -> Encoding {
    match layout.unpack::<u128>(encoding) {
        Operand::Zero { negative } => layout.zero(negative),
        _ => encoding,
    }
}
