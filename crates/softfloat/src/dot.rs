//! Dot products accumulated in a wider format.

use std::fmt;

use roundproof_format::{Encoding, Format, RoundingMode, Status};

use crate::arithmetic::Arithmetic;
use crate::datum::{Unpacked, decode, encode};
use crate::round::Rounding;

/// Operands of [`Arithmetic::dot`] that it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotError {
    /// The vectors differ in length.
    Lengths {
        /// The length of the first one.
        a: usize,
        /// The length of the second one.
        b: usize,
    },
    /// The format of the accumulator lacks data of the format of the operands.
    NotContained {
        /// The format of the operands.
        narrow: Format,
        /// The format of the accumulator.
        wide: Format,
    },
}

impl fmt::Display for DotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DotError::Lengths { a, b } => write!(f, "a dot product of vectors of {a} and {b} elements"),
            DotError::NotContained { narrow, wide } => write!(f, "{wide} lacks data of {narrow} to accumulate"),
        }
    }
}

impl std::error::Error for DotError {}

/// Whether every finite value of `narrow`, and infinity and NaN where it has them, is a datum of `wide`. A negative
/// zero need not be.
pub fn contains(wide: Format, narrow: Format) -> bool {
    if narrow.has_infinity() && !wide.has_infinity() || narrow.has_nan() && !wide.has_nan() {
        return false;
    }
    if wide.precision() < narrow.precision() || (wide.is_bounded() && !narrow.is_bounded()) {
        return false;
    }
    // With all bits of a significand kept, and the ends within range, everything between them is.
    let holds = |encoding| match decode(narrow, encoding) {
        Unpacked::Finite { negative, significand, exponent } => encode(wide, negative, significand, exponent).is_some(),
        _ => false,
    };
    narrow.largest(false).is_none_or(|largest| holds(largest) && holds(Encoding::from_bits(1)))
}

impl Arithmetic {
    /// The sum of the products of `a` and `b`, accumulated in the arithmetic `wide` and rounded into this one at the
    /// end, with the flags raised in `wide`.
    ///
    /// Every product, and every sum from left to right, is rounded into `wide` in the direction `inside`; the first
    /// product is the first sum. Nothing summed up is +0. The last rounding is a [conversion](Arithmetic::convert). It
    /// knows nothing of flags raised before: they are the second part of the result. A -0 is +0 in a `wide` without it.
    ///
    /// # Errors
    ///
    /// If the vectors differ in length, or if `wide` does not [contain](contains) this format.
    pub fn dot<R: Rounding>(
        &self,
        rounding: R,
        wide: &Arithmetic,
        inside: RoundingMode,
        a: &[Encoding],
        b: &[Encoding],
    ) -> Result<(R::Output, Status), DotError> {
        if a.len() != b.len() {
            return Err(DotError::Lengths { a: a.len(), b: b.len() });
        }
        if !contains(wide.format(), self.format()) {
            return Err(DotError::NotContained { narrow: self.format(), wide: wide.format() });
        }
        let mut status = Status::NONE;
        let mut sum: Option<Encoding> = None;
        for (&a, &b) in a.iter().zip(b) {
            let [a, b] = [a, b].map(|operand| self.widened(wide, operand, &mut status));
            let product = wide.multiply(inside, a, b);
            status |= product.status;
            sum = Some(match sum {
                None => product.encoding,
                Some(sum) => {
                    let sum = wide.add(inside, sum, product.encoding);
                    status |= sum.status;
                    sum.encoding
                }
            });
        }
        let sum = sum.unwrap_or(wide.format().zero());
        Ok((self.convert(rounding, wide.format(), sum), status))
    }

    /// An operand in the wider format, exactly: an infinity too, whatever becomes of one in a conversion.
    fn widened(&self, wide: &Arithmetic, operand: Encoding, status: &mut Status) -> Encoding {
        if let Unpacked::Infinity { negative } = decode(self.format(), operand) {
            return wide.infinite(negative).encoding;
        }
        let outcome = wide.convert(RoundingMode::TowardZero, self.format(), operand);
        *status |= outcome.status;
        outcome.encoding
    }
}
