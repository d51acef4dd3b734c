//! Conversion between formats.

use roundproof_format::{Encoding, Format, Overflow};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::layout::Layout;
use crate::real::Operand;
use crate::round::Rounding;

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
    #[inline]
    pub fn convert<R: Rounding>(&self, rounding: R, from: Format, a: Encoding) -> R::Output {
        self.convert_from(rounding, &Layout::of(from), a)
    }

    #[inline(always)]
    pub(crate) fn convert_from<R: Rounding>(&self, rounding: R, from: &Layout, a: Encoding) -> R::Output {
        if from.narrow {
            match from.unpack_finite::<u64>(a) {
                Some(real) if self.layout().narrow => self.round_pack(rounding, real),
                // All of it fits.
                Some(real) => self.round_real(rounding, real.widened()),
                None => rounding.settled(self.convert_special(from, a)),
            }
        } else {
            match from.unpack_finite::<u128>(a) {
                Some(real) if self.layout().narrow && !R::WIDE => self.round_pack(rounding, real.jammed()),
                Some(real) => self.round_pack(rounding, real),
                None => rounding.settled(self.convert_special(from, a)),
            }
        }
    }

    #[cold]
    fn convert_special(&self, from: &Layout, a: Encoding) -> Outcome {
        match from.unpack::<u128>(a) {
            Operand::Finite(_) | Operand::Zero { negative: false } => Outcome::exact(self.layout().zero(false)),
            Operand::Zero { negative: true } => Outcome::exact(self.layout().zero(true)),
            Operand::Infinite { negative } => self.convert_infinity(negative),
            Operand::Nan { signaling } => self.not_a_number(signaling || !self.format().has_nan()),
        }
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
