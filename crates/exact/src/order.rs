//! Orders, minima and maxima of IEEE 754-2019, clauses 5.10, 5.11 and 9.6, by their definition.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format};
use rug::Rational;

use crate::arithmetic::{is_signaling, signal};
use crate::{Arithmetic, Datum, Rounded};

/// How two data compare (clause 5.11); none if they are unordered.
pub fn compare(a: &Datum, b: &Datum) -> Option<Ordering> {
    // A place on the line: beyond every real, or at a real.
    fn place(datum: &Datum) -> Option<(i32, Rational)> {
        match datum {
            Datum::Nan => None,
            Datum::Infinity { negative } => Some((if *negative { -1 } else { 1 }, Rational::new())),
            Datum::Zero { .. } => Some((0, Rational::new())),
            Datum::Finite(value) => Some((0, value.clone())),
        }
    }
    Some(place(a)?.cmp(&place(b)?))
}

/// `totalOrder(a, b)` (clause 5.10), for encodings of data. The one NaN of a format without negative zero is positive.
pub fn total_order(format: Format, a: Encoding, b: Encoding) -> bool {
    let [x, y] = [a, b].map(|e| crate::decode(format, e).expect("encodings of data"));
    let [negative_a, negative_b] = [a, b].map(|e| format.is_sign_minus(e) && Some(e) != format.nan());
    match (&x, &y) {
        (Datum::Nan, Datum::Nan) if negative_a != negative_b => negative_a,
        (Datum::Nan, Datum::Nan) => {
            // Signaling below quiet, then the lesser payload below the greater; reversed for negative NaNs.
            let place = |e| (!is_signaling(format, e), e.bits());
            let order = place(a).cmp(&place(b));
            if negative_a { order.is_ge() } else { order.is_le() }
        }
        (Datum::Nan, _) => negative_a,
        (_, Datum::Nan) => !negative_b,
        _ => match compare(&x, &y) {
            Some(Ordering::Equal) => negative_a >= negative_b,
            order => order == Some(Ordering::Less),
        },
    }
}

/// Which of two operands an operation of clause 9.6 takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extremum {
    /// The greater one, not the lesser.
    pub greater: bool,
    /// Magnitudes are compared first.
    pub magnitude: bool,
    /// A number is preferred to NaN.
    pub number: bool,
}

impl Arithmetic {
    /// The operation of clause 9.6 that `which` describes.
    pub fn extremum(&self, which: Extremum, a: Encoding, b: Encoding) -> Rounded {
        let status = signal([a, b].iter().any(|&operand| is_signaling(self.format, operand)));
        let encoding = match (self.datum(a), self.datum(b)) {
            (Datum::Nan, Datum::Nan) => self.canonical_nan(),
            (Datum::Nan, _) if which.number => b,
            (_, Datum::Nan) if which.number => a,
            (Datum::Nan, _) | (_, Datum::Nan) => self.canonical_nan(),
            (x, y) => {
                let magnitudes = if which.magnitude { compare(&magnitude(&x), &magnitude(&y)) } else { None };
                let order = match magnitudes {
                    Some(Ordering::Less) => Ordering::Less,
                    Some(Ordering::Greater) => Ordering::Greater,
                    _ => compare(&x, &y).expect("no NaN").then(y.is_negative().cmp(&x.is_negative())),
                };
                if (order == Ordering::Less) != which.greater { a } else { b }
            }
        };
        Rounded { encoding, status }
    }
}

fn magnitude(datum: &Datum) -> Datum {
    match datum {
        Datum::Infinity { .. } => Datum::Infinity { negative: false },
        Datum::Finite(value) => Datum::Finite(value.clone().abs()),
        other => other.clone(),
    }
}
