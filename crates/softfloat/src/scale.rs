//! Exponents: scaling by powers of two, and the exponent of a datum.

use roundproof_format::Encoding;

use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::{Operand, Real};
use crate::round::Rounding;

/// Beyond every difference of exponents of a format, and of sums of two of them: a larger scale does no more.
const SCALE_LIMIT: i64 = 1 << 40;

impl Arithmetic {
    /// `a * 2^n`, rounded once (IEEE 754-2019, clause 5.3.3, scaleB). Zeros and infinities stay.
    pub fn scale_b<R: Rounding>(&self, rounding: R, a: Encoding, n: i64) -> R::Output {
        rounding.settled(match self.layout().unpack::<u128>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Infinite { negative } => self.infinite(negative),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Finite(real) => {
                let exponent = real.exponent + n.clamp(-SCALE_LIMIT, SCALE_LIMIT);
                return self.round_pack(rounding, Real { exponent, ..real });
            }
        })
    }

    /// The exponent `e` of a finite value with `2^e <= |a| < 2^(e + 1)`, subnormal ones included (IEEE 754-2019, clause
    /// 5.3.3, logB with an integral result). None for zeros, infinities and NaN, where that operation is invalid.
    pub fn log_b(&self, a: Encoding) -> Option<i64> {
        match self.layout().unpack::<u128>(a) {
            Operand::Finite(real) => Some(real.exponent),
            Operand::Zero { .. } | Operand::Infinite { .. } | Operand::Nan { .. } => None,
        }
    }

    /// [`Arithmetic::log_b`] as a datum, rounded into the format where it is not a value of it.
    ///
    /// An infinity gives the positive one. A zero gives the negative one and raises divide-by-zero, as
    /// [`Arithmetic::divide`] does, and what is said there of policies without infinity holds here.
    pub fn log_b_datum<R: Rounding>(&self, rounding: R, a: Encoding) -> R::Output {
        rounding.settled(match self.layout().unpack::<u128>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Infinite { .. } => self.infinite(false),
            Operand::Zero { .. } => self.divided_by_zero(true),
            Operand::Finite(real) => return self.from_integer(rounding, real.exponent.into()),
        })
    }
}
