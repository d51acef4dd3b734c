//! Conversion between formats.

use roundproof_format::{Encoding, Format, Overflow};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::layout::Layout;
use crate::real::Operand;
use crate::round::Rounding;
use crate::word::Word;

impl Arithmetic {
    /// The value of `a`, an encoding in `from`, rounded into this arithmetic's format (IEEE 754-2019, clause 5.4.2).
    ///
    /// Special values that the destination or its policy lacks:
    ///
    /// - -0 becomes +0, exactly.
    /// - A NaN becomes the canonical NaN, with invalid raised if it signals. In a format without NaN it becomes +0,
    ///   with invalid raised.
    /// - An infinity stays one, exactly, under [`Overflow::Ieee`]. Else it overflows in every direction alike, to the
    ///   largest finite value or to NaN as the policy says, even in a format that has infinities. In `F(p)`, which has
    ///   none of these, it becomes +0, with invalid raised.
    pub fn convert<R: Rounding>(&self, rounding: R, from: Format, a: Encoding) -> R::Output {
        self.convert_from(rounding, &Layout::of(from), a)
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

    pub(crate) fn convert_infinity(&self, negative: bool) -> Outcome {
        if !self.format().is_bounded() {
            self.not_a_number(true)
        } else if self.overflow() == Overflow::Ieee {
            self.infinite(negative)
        } else {
            self.beyond(negative, true)
        }
    }
}
