//! Conversion between formats.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode};

use crate::arithmetic::{Arithmetic, Faithful, Outcome};
use crate::layout::Layout;
use crate::real::Operand;
use crate::round::{BothNeighbours, Rounding};
use crate::word::Word;

impl Arithmetic {
    /// The value of `a`, an encoding in `from`, rounded into this arithmetic's format (IEEE 754-2019, clause 5.4.2).
    ///
    /// Special values that the destination lacks:
    ///
    /// - -0 becomes +0, exactly.
    /// - A NaN becomes the canonical NaN, with invalid raised if it signals. In a format without NaN it becomes +0,
    ///   with invalid raised.
    /// - An infinity stays one, exactly, if the format has infinities and the policy is not [`Overflow::Saturate`].
    ///   Else it overflows in every direction alike: NaN under [`Overflow::Nan`] in a format with NaN, the largest
    ///   finite value otherwise (in `F(p)` that of its 32-bit exponents), with overflow and inexact raised.
    pub fn convert(&self, mode: RoundingMode, from: Format, a: Encoding) -> Outcome {
        self.convert_from(mode, &Layout::of(from), a)
    }

    /// [`Arithmetic::convert`] toward negative and toward positive at once.
    pub fn convert_faithful(&self, from: Format, a: Encoding) -> Faithful {
        self.convert_from(BothNeighbours, &Layout::of(from), a)
    }

    #[inline]
    fn convert_from<R: Rounding>(&self, rounding: R, from: &Layout, a: Encoding) -> R::Output {
        if self.layout().narrow && from.narrow {
            self.convert_in::<u64, R>(rounding, from, a)
        } else {
            self.convert_in::<u128, R>(rounding, from, a)
        }
    }

    #[inline]
    fn convert_in<W: Word, R: Rounding>(&self, rounding: R, from: &Layout, a: Encoding) -> R::Output {
        rounding.settled(match from.unpack::<W>(a) {
            Operand::Finite(real) => return self.round_pack(rounding, real),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Infinite { negative } => self.convert_infinity(negative),
            Operand::Nan { signaling } => self.not_a_number(signaling || !self.format().has_nan()),
        })
    }

    fn convert_infinity(&self, negative: bool) -> Outcome {
        if self.format().has_infinity() && self.overflow() != Overflow::Saturate {
            self.infinite(negative)
        } else {
            self.beyond(negative, true)
        }
    }
}
