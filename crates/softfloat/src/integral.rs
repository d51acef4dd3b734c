//! Integers: rounding to them within a format, and conversion from and to fixed-width ones.

use std::fmt;
use std::hint::select_unpredictable;

use roundproof_format::{Encoding, RoundingMode, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::real::{Operand, normalized};
use crate::round::{Rounding, Threshold};
use crate::word::Word;

/// The magnitude of a value, cut off after its units.
struct Whole<W> {
    integer: W,
    /// What was cut off, as a fraction of one: its binary point is left of the word.
    rest: W,
    /// How far right of the units the last place is.
    places: u32,
}

impl<W: Word> Whole<W> {
    /// Of `significand / 2^places`, for a significand of `precision` bits, at least two fewer than the word, and at least
    /// one place.
    #[inline(always)]
    fn of(precision: u32, significand: W, places: i64) -> Whole<W> {
        // With one place more than bits, it is less than a half, and so it is with more.
        let places = places.min(i64::from(precision) + 1) as u32;
        Whole { integer: significand >> places, rest: significand << (W::BITS - places), places }
    }

    /// The integer that `mode` chooses. Ties go to the even integer, whether or not its significand is even.
    #[inline(always)]
    fn rounded(&self, mode: RoundingMode, negative: bool) -> W {
        self.integer + W::from(mode.is_away(negative, self.integer.is_odd(), self.rest))
    }

    #[inline(always)]
    fn is_exact(&self) -> bool {
        self.rest == W::ZERO
    }
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

    /// The nearest integer to what is beyond this format.
    #[cold]
    fn nearest(self, negative: bool) -> (Integer, Status) {
        (self.pack(negative, self.largest(negative)), Status::INVALID)
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
    /// not an integer itself: the result then overflows as the policy says, with overflow and inexact raised.
    #[inline]
    pub fn round_to_integral(&self, mode: RoundingMode, a: Encoding) -> Outcome {
        self.integral_of(mode, a, false)
    }

    /// [`Arithmetic::round_to_integral`], with inexact raised when the result is another value than `a`
    /// (roundToIntegralExact).
    #[inline]
    pub fn round_to_integral_exact(&self, mode: RoundingMode, a: Encoding) -> Outcome {
        self.integral_of(mode, a, true)
    }

    #[inline(always)]
    pub(crate) fn integral_of(&self, mode: RoundingMode, a: Encoding, signals_inexact: bool) -> Outcome {
        if self.layout().narrow {
            self.integral_in::<u64>(mode, a, signals_inexact)
        } else {
            self.integral_in::<u128>(mode, a, signals_inexact)
        }
    }

    #[inline(always)]
    fn integral_in<W: Word>(&self, mode: RoundingMode, a: Encoding, signals_inexact: bool) -> Outcome {
        let layout = self.layout();
        if !layout.is_finite::<W>(a) {
            return self.integral_special(a);
        }
        let (negative, magnitude) = (layout.is_negative(a), layout.magnitude::<W>(a));
        let (field, significand) = layout.split(magnitude);
        let places = i64::from(layout.trailing) - (layout.emin - 1 + field);
        if places <= 0 {
            return Outcome::exact(a);
        }
        let whole = Whole::of(layout.precision, significand, places);
        let integer = whole.rounded(mode, negative);
        // Below one, the integer is 0 or 1. From one on, a carry out of the significand goes into the field.
        let one = select_unpredictable(integer == W::ZERO, W::ZERO, W::from_bits(self.format().one(false).bits()));
        let moved = magnitude - significand + (integer << whole.places.min(layout.trailing));
        let rounded = select_unpredictable(places > i64::from(layout.trailing), one, moved);
        let inexact = Status::INEXACT.when(signals_inexact & !whole.is_exact());
        if rounded > W::from_bits(layout.largest) {
            let Outcome { encoding, status } = self.beyond(negative, mode.overflows(negative));
            return Outcome { encoding, status: status | inexact };
        }
        Outcome { encoding: layout.pack(negative, rounded.bits()), status: inexact }
    }

    /// The integer of what is not finite, or no datum.
    #[cold]
    fn integral_special(&self, a: Encoding) -> Outcome {
        match self.layout().unpack::<u128>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Infinite { negative } => self.infinite(negative),
            Operand::Zero { negative } => Outcome::exact(self.layout().zero(negative)),
            Operand::Finite(_) => Outcome::exact(a),
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
    #[inline]
    pub fn to_integer(
        &self,
        mode: RoundingMode,
        a: Encoding,
        to: IntegerFormat,
        signals_inexact: bool,
    ) -> (Integer, Status) {
        self.integer_of(mode, a, to, signals_inexact)
    }

    #[inline(always)]
    pub(crate) fn integer_of(
        &self,
        mode: RoundingMode,
        a: Encoding,
        to: IntegerFormat,
        signals_inexact: bool,
    ) -> (Integer, Status) {
        if self.layout().narrow && to.bits <= 64 {
            self.integer_in::<u64>(mode, a, to, signals_inexact)
        } else {
            self.integer_in::<u128>(mode, a, to, signals_inexact)
        }
    }

    #[inline(always)]
    fn integer_in<W: Word>(
        &self,
        mode: RoundingMode,
        a: Encoding,
        to: IntegerFormat,
        signals_inexact: bool,
    ) -> (Integer, Status) {
        let layout = self.layout();
        if !layout.is_finite::<W>(a) {
            return self.integer_of_special(a, to);
        }
        let negative = layout.is_negative(a);
        let (field, significand) = layout.split(layout.magnitude::<W>(a));
        let exponent = layout.emin - 1 + field;
        let places = i64::from(layout.trailing) - exponent;
        let (integer, exact) = if places > 0 {
            let whole = Whole::of(layout.precision, significand, places);
            (whole.rounded(mode, negative), whole.is_exact())
        } else if exponent < i64::from(W::BITS) {
            (significand << places.unsigned_abs() as u32, true)
        } else {
            return to.nearest(negative);
        };
        if integer > W::from_bits(to.largest(negative)) {
            return to.nearest(negative);
        }
        (to.pack(negative, integer.bits()), Status::INEXACT.when(signals_inexact & !exact))
    }

    /// The integer of what is not finite, or no datum.
    #[cold]
    fn integer_of_special(&self, a: Encoding, to: IntegerFormat) -> (Integer, Status) {
        match self.layout().unpack::<u128>(a) {
            Operand::Nan { .. } => (to.pack(false, 0), Status::INVALID),
            Operand::Infinite { negative } => to.nearest(negative),
            Operand::Zero { .. } | Operand::Finite(_) => (to.pack(false, 0), Status::NONE),
        }
    }

    /// `n`, rounded into the format (IEEE 754-2019, clause 5.4.1, convertFromInt). 0 gives +0.
    #[inline]
    pub fn from_integer<R: Rounding>(&self, rounding: R, n: i128) -> R::Output {
        self.round_integer(rounding, n < 0, n.unsigned_abs())
    }

    /// [`Arithmetic::from_integer`] of an unsigned integer.
    #[inline]
    pub fn from_unsigned<R: Rounding>(&self, rounding: R, n: u128) -> R::Output {
        self.round_integer(rounding, false, n)
    }

    #[inline(always)]
    pub(crate) fn round_integer<R: Rounding>(&self, rounding: R, negative: bool, magnitude: u128) -> R::Output {
        if magnitude == 0 {
            rounding.settled(Outcome::exact(self.layout().zero(false)))
        } else if let (true, Ok(magnitude)) = (self.layout().narrow, u64::try_from(magnitude)) {
            self.round_pack(rounding, normalized(negative, magnitude))
        } else {
            self.round_pack(rounding, normalized(negative, magnitude))
        }
    }
}
