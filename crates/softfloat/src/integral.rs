//! Integers: rounding to them within a format, and conversion from and to fixed-width ones.

use std::fmt;

use roundproof_format::{Encoding, RoundingMode, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::{Operand, Real};
use crate::round::Rounding;
use crate::word::Word;

/// The integer that `mode` chooses for the magnitude of a real below `2^(BITS - 1)`, and whether it is another value.
///
/// Ties go to the even integer, whether or not its significand is even.
fn integral<W: Word>(mode: RoundingMode, real: Real<W>) -> (W, bool) {
    // What is left of the binary point, and what is right of it, moved to the top of a word.
    let (whole, rest) = match real.exponent {
        0.. => {
            let bits = real.exponent as u32 + 1;
            (real.significand >> (W::BITS - bits), real.significand << bits)
        }
        -1 => (W::ZERO, real.significand),
        // Below one half: all the same.
        _ => (W::ZERO, W::from(true)),
    };
    let half = W::from(true) << (W::BITS - 1);
    let up = match mode {
        RoundingMode::TiesToEven => rest > half || (rest == half && whole.is_odd()),
        RoundingMode::TiesToAway => rest >= half,
        RoundingMode::TowardPositive => rest != W::ZERO && !real.negative,
        RoundingMode::TowardNegative => rest != W::ZERO && real.negative,
        RoundingMode::TowardZero => false,
    };
    (whole + W::from(up), rest != W::ZERO)
}

/// A fixed-width integer format: unsigned, or signed in two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntegerFormat {
    bits: u32,
    signed: bool,
}

/// A width that no [`IntegerFormat`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedWidth {
    /// The bits asked for.
    pub bits: u32,
}

impl fmt::Display for UnsupportedWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "integers of {} bits are not supported: 1 to 128 are", self.bits)
    }
}

impl std::error::Error for UnsupportedWidth {}

impl IntegerFormat {
    /// Integers of `bits` bits, the sign of a signed one included.
    ///
    /// # Errors
    ///
    /// `bits` must be in `1..=128`.
    pub const fn new(bits: u32, signed: bool) -> Result<IntegerFormat, UnsupportedWidth> {
        if bits == 0 || bits > 128 { Err(UnsupportedWidth { bits }) } else { Ok(IntegerFormat { bits, signed }) }
    }

    /// The largest magnitude of this sign.
    const fn largest(self, negative: bool) -> u128 {
        match (self.signed, negative) {
            (false, false) => u128::MAX >> (128 - self.bits),
            (false, true) => 0,
            (true, false) => (1 << (self.bits - 1)) - 1,
            (true, true) => 1 << (self.bits - 1),
        }
    }

    const fn pack(self, negative: bool, magnitude: u128) -> Integer {
        match (self.signed, negative) {
            (false, _) => Integer::Unsigned(magnitude),
            (true, false) => Integer::Signed(magnitude as i128),
            (true, true) => Integer::Signed((magnitude as i128).wrapping_neg()),
        }
    }
}

/// A value of an [`IntegerFormat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Integer {
    /// Of a signed format.
    Signed(i128),
    /// Of an unsigned format.
    Unsigned(u128),
}

impl Arithmetic {
    /// The integer that `mode` chooses for `a`, without inexact (IEEE 754-2019, clause 5.3.1, roundToIntegral).
    ///
    /// A zero has the sign of `a`; infinities stay. Ties go to the even integer, even where `p = 1` makes every
    /// significand odd. The integer is a value of the format, but for one past the largest finite value, where that is
    /// no integer itself: the result then overflows as the policy says, with overflow and inexact raised.
    pub fn round_to_integral(&self, mode: RoundingMode, a: Encoding) -> Outcome {
        self.integral_of(mode, a, false)
    }

    /// [`Arithmetic::round_to_integral`], with inexact raised when the result is another value than `a`
    /// (roundToIntegralExact).
    pub fn round_to_integral_exact(&self, mode: RoundingMode, a: Encoding) -> Outcome {
        self.integral_of(mode, a, true)
    }

    fn integral_of(&self, mode: RoundingMode, a: Encoding, signals_inexact: bool) -> Outcome {
        if self.layout().narrow {
            self.integral_in::<u64>(mode, a, signals_inexact)
        } else {
            self.integral_in::<u128>(mode, a, signals_inexact)
        }
    }

    fn integral_in<W: Word>(&self, mode: RoundingMode, a: Encoding, signals_inexact: bool) -> Outcome {
        match self.layout().unpack::<W>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Infinite { negative } => self.infinite(negative),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Finite(real) if real.exponent >= i64::from(self.layout().trailing) => Outcome::exact(a),
            Operand::Finite(real) => {
                let (whole, inexact) = integral(mode, real);
                let Outcome { encoding, status } = match normalized(real.negative, whole) {
                    Some(real) => self.round_pack(mode, real),
                    None => Outcome::exact(self.layout().zero(real.negative)),
                };
                let inexact = if inexact && signals_inexact { Status::INEXACT } else { Status::NONE };
                Outcome { encoding, status: status | inexact }
            }
        }
    }

    /// The integer that `mode` chooses for `a` (IEEE 754-2019, clause 5.8).
    ///
    /// One beyond `to`, and an infinity, give the nearest integer that `to` has, and NaN gives 0, with invalid raised
    /// and nothing else. Inexact is raised if `signals_inexact` and the result is another value than `a`
    /// (convertToIntegerExact...).
    ///
    /// ```
    /// use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
    /// use roundproof_softfloat::{Arithmetic, Integer, IntegerFormat};
    ///
    /// let arithmetic = Arithmetic::new(Format::BINARY32, Overflow::Ieee)?;
    /// let a = Encoding::from_bits((-2.5f32).to_bits().into());
    /// let to = IntegerFormat::new(8, true)?;
    /// let (n, status) = arithmetic.to_integer(RoundingMode::TiesToEven, a, to, true);
    /// assert_eq!((n, status), (Integer::Signed(-2), Status::INEXACT));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_integer(
        &self,
        mode: RoundingMode,
        a: Encoding,
        to: IntegerFormat,
        signals_inexact: bool,
    ) -> (Integer, Status) {
        let (negative, whole, inexact) = match self.layout().unpack::<u128>(a) {
            Operand::Nan { .. } => return (to.pack(false, 0), Status::INVALID),
            Operand::Zero { .. } => (false, Some(0), false),
            Operand::Infinite { negative } => (negative, None, false),
            Operand::Finite(real) => match real.exponent {
                128.. => (real.negative, None, false),
                // A significand has fewer bits than the word: this is an integer.
                127 => (real.negative, Some(real.significand), false),
                _ => {
                    let (whole, inexact) = integral(mode, real);
                    (real.negative, Some(whole), inexact)
                }
            },
        };
        let largest = to.largest(negative);
        match whole {
            Some(whole) if whole <= largest => {
                let inexact = inexact && signals_inexact;
                (to.pack(negative, whole), if inexact { Status::INEXACT } else { Status::NONE })
            }
            _ => (to.pack(negative, largest), Status::INVALID),
        }
    }

    /// `n`, rounded into the format (IEEE 754-2019, clause 5.4.1, convertFromInt). 0 gives +0.
    pub fn from_integer<R: Rounding>(&self, rounding: R, n: i128) -> R::Output {
        self.round_integer(rounding, n < 0, n.unsigned_abs())
    }

    /// [`Arithmetic::from_integer`] of an unsigned integer.
    pub fn from_unsigned<R: Rounding>(&self, rounding: R, n: u128) -> R::Output {
        self.round_integer(rounding, false, n)
    }

    fn round_integer<R: Rounding>(&self, rounding: R, negative: bool, magnitude: u128) -> R::Output {
        match normalized(negative, magnitude) {
            Some(real) => self.round_pack(rounding, real),
            None => rounding.settled(Outcome::exact(self.layout().zero(false))),
        }
    }
}

/// An integer as a real; none for zero.
fn normalized<W: Word>(negative: bool, magnitude: W) -> Option<Real<W>> {
    if magnitude == W::ZERO {
        return None;
    }
    let shift = magnitude.leading_zeros();
    Some(Real { negative, significand: magnitude << shift, exponent: i64::from(W::BITS - 1 - shift) })
}
