//! A binary floating-point format: its parameters, the layout of its encodings, and the encodings that have names.

use crate::{Encoding, FormatError, Overflow};

/// Bits of the exponent field of an encoding in `F(p)`: exponents within +-2^31.
const UNBOUNDED_EXPONENT_BITS: u32 = 32;

/// Which special values a bounded format has, and where its encodings keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Specials {
    /// Infinities and NaNs in the topmost exponent, and a negative zero (IEEE 754-2019, clause 3.4).
    Ieee,
    /// No infinity; the encoding of all ones in exponent and trailing significand is NaN, in either sign (`fn`).
    NanAllOnes,
    /// No infinity and no negative zero; the encoding that would be the negative zero is the only NaN (`fnuz`).
    NanNegativeZero,
    /// Neither infinity nor NaN; a negative zero.
    Finite,
}

impl Specials {
    /// Every scheme, in the order of declaration.
    pub const ALL: &'static [Specials] =
        &[Specials::Ieee, Specials::NanAllOnes, Specials::NanNegativeZero, Specials::Finite];

    /// The spelling in `specials=…`.
    pub const fn name(self) -> &'static str {
        match self {
            Specials::Ieee => "ieee",
            Specials::NanAllOnes => "fn",
            Specials::NanNegativeZero => "fnuz",
            Specials::Finite => "finite",
        }
    }
}

/// A set of floating-point data and their encodings.
///
/// A *bounded* format with precision `p` and exponents `emin..=emax` holds the reals `m * 2^(e - p + 1)` for integers
/// `|m| < 2^p` and `emin <= e <= emax` (IEEE 754-2019, clause 3.3, with its symbols), less the topmost significand
/// when [`Specials::NanAllOnes`] takes it. `F(p)` holds them for every integer `e`: no overflow, no underflow, no
/// special values, one zero.
///
/// # Encodings
///
/// From the most significant bit: the sign, `exponent_bits` of biased exponent, `p - 1` bits of trailing significand.
/// Exponent field 0 holds zero and the subnormals, field `k >= 1` the exponent `emin + k - 1`. An encoding in `F(p)`
/// has an exponent field of 32 bits with bias 2^31; field 0 is zero. So `F(p)` is unbounded as MPFR is: arithmetic
/// that leaves the field's range reports it, and data are admitted only far inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format {
    precision: u32,
    range: Option<Range>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Range {
    emin: i32,
    emax: i32,
    specials: Specials,
}

/// The class of an encoding (IEEE 754-2019, clause 5.7.2), without the sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Plus or minus zero.
    Zero,
    /// A non-zero value below `2^emin` in magnitude.
    Subnormal,
    /// A value with the leading bit of its significand set.
    Normal,
    /// Plus or minus infinity.
    Infinite,
    /// Not a number.
    Nan,
    /// No datum of the format has this encoding.
    Invalid,
}

impl Format {
    /// The largest precision of a bounded format (that of binary128).
    pub const MAX_PRECISION: u32 = 113;
    /// The largest precision of `F(p)`.
    pub const MAX_UNBOUNDED_PRECISION: u32 = 128 - UNBOUNDED_EXPONENT_BITS;
    /// The largest magnitude of `emin` and `emax`.
    pub const MAX_EXPONENT: i32 = 1 << 20;

    /// float4_e2m1fn.
    pub const FLOAT4_E2M1FN: Format = Format::of(2, 0, 2, Specials::Finite);
    /// float6_e2m3fn.
    pub const FLOAT6_E2M3FN: Format = Format::of(4, 0, 2, Specials::Finite);
    /// float6_e3m2fn.
    pub const FLOAT6_E3M2FN: Format = Format::of(3, -2, 4, Specials::Finite);
    /// float8_e3m4.
    pub const FLOAT8_E3M4: Format = Format::of(5, -2, 3, Specials::Ieee);
    /// float8_e4m3.
    pub const FLOAT8_E4M3: Format = Format::of(4, -6, 7, Specials::Ieee);
    /// float8_e4m3fn.
    pub const FLOAT8_E4M3FN: Format = Format::of(4, -6, 8, Specials::NanAllOnes);
    /// float8_e4m3fnuz.
    pub const FLOAT8_E4M3FNUZ: Format = Format::of(4, -7, 7, Specials::NanNegativeZero);
    /// float8_e4m3b11fnuz.
    pub const FLOAT8_E4M3B11FNUZ: Format = Format::of(4, -10, 4, Specials::NanNegativeZero);
    /// float8_e5m2.
    pub const FLOAT8_E5M2: Format = Format::of(3, -14, 15, Specials::Ieee);
    /// float8_e5m2fnuz.
    pub const FLOAT8_E5M2FNUZ: Format = Format::of(3, -15, 15, Specials::NanNegativeZero);
    /// bfloat16.
    pub const BFLOAT16: Format = Format::of(8, -126, 127, Specials::Ieee);
    /// binary16.
    pub const BINARY16: Format = Format::of(11, -14, 15, Specials::Ieee);
    /// TF32, an encoding of 19 bits.
    pub const TF32: Format = Format::of(11, -126, 127, Specials::Ieee);
    /// binary32.
    pub const BINARY32: Format = Format::of(24, -126, 127, Specials::Ieee);
    /// binary64.
    pub const BINARY64: Format = Format::of(53, -1022, 1023, Specials::Ieee);
    /// binary128.
    pub const BINARY128: Format = Format::of(113, -16382, 16383, Specials::Ieee);

    const fn of(precision: u32, emin: i32, emax: i32, specials: Specials) -> Format {
        Format { precision, range: Some(Range { emin, emax, specials }) }
    }

    /// The bounded format with these parameters.
    ///
    /// # Errors
    ///
    /// `p` must be in `1..=113`, `emin <= emax` within +-2^20, 1 a value of the format, an encoding within 128 bits,
    /// and the special values must find a place: NaN and infinity share the topmost exponent, so [`Specials::Ieee`]
    /// needs `p >= 2`; [`Specials::NanAllOnes`] needs `p >= 2` and an exponent range that fills its field.
    pub fn new(precision: u32, emin: i32, emax: i32, specials: Specials) -> Result<Format, FormatError> {
        if precision == 0 || precision > Self::MAX_PRECISION {
            return Err(FormatError::Precision { precision, most: Self::MAX_PRECISION });
        }
        let most = Self::MAX_EXPONENT;
        if emin > emax || emin < -most || emax > most {
            return Err(FormatError::Exponents { emin, emax, most });
        }
        let format = Format::of(precision, emin, emax, specials);
        if format.width() > 128 {
            return Err(FormatError::Width { width: format.width() });
        }
        let refuse = |reason| Err(FormatError::Specials { specials: specials.name(), reason });
        match specials {
            Specials::Ieee if precision == 1 => {
                return refuse("with p = 1 there is no bit to tell NaN from infinity; use specials=finite");
            }
            Specials::NanAllOnes if precision == 1 => {
                return refuse("with p = 1 the NaN would take a whole exponent; use specials=finite");
            }
            Specials::NanAllOnes if emax - emin + 1 != (1 << format.exponent_bits()) - 1 => {
                return refuse(
                    "the exponents do not fill their field, so all ones is not an exponent; use specials=ieee or finite",
                );
            }
            Specials::Ieee | Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite => {}
        }
        // 1 is a multiple of the least spacing, and not beyond the largest value.
        if emin - precision as i32 + 1 > 0 || emax < 0 {
            return Err(FormatError::NoOne { precision, emin, emax });
        }
        Ok(format)
    }

    /// `F(p)`: precision `p`, every exponent (the paper's first setting).
    ///
    /// # Errors
    ///
    /// `p` must be in `1..=96`.
    pub fn unbounded(precision: u32) -> Result<Format, FormatError> {
        if precision == 0 || precision > Self::MAX_UNBOUNDED_PRECISION {
            return Err(FormatError::Precision { precision, most: Self::MAX_UNBOUNDED_PRECISION });
        }
        Ok(Format { precision, range: None })
    }

    /// `p`: bits of the significand, the leading one included.
    pub const fn precision(&self) -> u32 {
        self.precision
    }

    /// The least exponent of a normal value; none for `F(p)`.
    pub const fn emin(&self) -> Option<i32> {
        match self.range {
            Some(range) => Some(range.emin),
            None => None,
        }
    }

    /// The largest exponent; none for `F(p)`.
    pub const fn emax(&self) -> Option<i32> {
        match self.range {
            Some(range) => Some(range.emax),
            None => None,
        }
    }

    /// The special values; none for `F(p)`.
    pub const fn specials(&self) -> Option<Specials> {
        match self.range {
            Some(range) => Some(range.specials),
            None => None,
        }
    }

    /// Whether the exponent is bounded: false for `F(p)` alone.
    pub const fn is_bounded(&self) -> bool {
        self.range.is_some()
    }

    /// Whether the format has infinities.
    pub const fn has_infinity(&self) -> bool {
        match self.specials() {
            Some(Specials::Ieee) => true,
            Some(Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite) | None => false,
        }
    }

    /// Whether the format has a NaN.
    pub const fn has_nan(&self) -> bool {
        match self.specials() {
            Some(Specials::Ieee | Specials::NanAllOnes | Specials::NanNegativeZero) => true,
            Some(Specials::Finite) | None => false,
        }
    }

    /// Whether the format has a negative zero.
    pub const fn has_negative_zero(&self) -> bool {
        match self.specials() {
            Some(Specials::Ieee | Specials::NanAllOnes | Specials::Finite) => true,
            Some(Specials::NanNegativeZero) | None => false,
        }
    }

    /// Whether results of the format can obey this policy. `F(p)`, where nothing overflows, obeys every one.
    pub const fn expresses(&self, overflow: Overflow) -> bool {
        match overflow {
            Overflow::Saturate => true,
            Overflow::Ieee => !self.is_bounded() || self.has_infinity(),
            Overflow::Nan => !self.is_bounded() || self.has_nan(),
        }
    }

    /// The policy of the default path model: `ieee` where the format has infinities (and for `F(p)`, where it never
    /// acts), else `saturate`.
    pub const fn default_overflow(&self) -> Overflow {
        if self.expresses(Overflow::Ieee) { Overflow::Ieee } else { Overflow::Saturate }
    }

    /// Bits of the exponent field.
    #[inline]
    pub const fn exponent_bits(&self) -> u32 {
        match self.range {
            None => UNBOUNDED_EXPONENT_BITS,
            Some(Range { emin, emax, specials }) => {
                // Codes: one for zero and subnormals, one per exponent, one for the IEEE specials.
                let codes = (emax - emin + 2) as u32
                    + match specials {
                        Specials::Ieee => 1,
                        Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite => 0,
                    };
                u32::BITS - (codes - 1).leading_zeros()
            }
        }
    }

    /// Bits of the trailing significand field: `p - 1`.
    pub const fn trailing_bits(&self) -> u32 {
        self.precision - 1
    }

    /// Bits of an encoding.
    pub const fn width(&self) -> u32 {
        1 + self.exponent_bits() + self.trailing_bits()
    }

    /// Bits of the smallest of 8, 16, 32, 64 and 128 that hold an encoding.
    pub const fn storage_width(&self) -> u32 {
        let width = self.width().next_power_of_two();
        if width < 8 { 8 } else { width }
    }

    /// What to subtract from an exponent field of 1 or more to get the exponent.
    pub const fn bias(&self) -> i64 {
        match self.range {
            Some(range) => 1 - range.emin as i64,
            None => 1 << (UNBOUNDED_EXPONENT_BITS - 1),
        }
    }

    /// The largest integral significand (below `2^p`) at `emax`.
    pub const fn largest_significand(&self) -> u128 {
        let all_ones = (1 << self.precision) - 1;
        match self.specials() {
            Some(Specials::NanAllOnes) => all_ones - 1,
            Some(Specials::Ieee | Specials::NanNegativeZero | Specials::Finite) | None => all_ones,
        }
    }

    const fn sign_bit(&self) -> u128 {
        1 << (self.width() - 1)
    }

    const fn signed(&self, negative: bool, magnitude: u128) -> Encoding {
        Encoding::from_bits(if negative { magnitude | self.sign_bit() } else { magnitude })
    }

    /// The exponent field with all bits set, in place.
    const fn top_exponent(&self) -> u128 {
        ((1 << self.exponent_bits()) - 1) << self.trailing_bits()
    }

    /// The encoding of +0.
    pub const fn zero(&self) -> Encoding {
        Encoding::from_bits(0)
    }

    /// The encoding of -0, where the format has one.
    pub const fn negative_zero(&self) -> Option<Encoding> {
        if self.has_negative_zero() { Some(self.signed(true, 0)) } else { None }
    }

    /// The encoding of 1 or -1.
    pub const fn one(&self, negative: bool) -> Encoding {
        let field = self.bias();
        let magnitude = if field >= 1 {
            (field as u128) << self.trailing_bits()
        } else {
            // 1 is subnormal: an integer multiple of 2^(emin - p + 1).
            1 << (self.precision as i64 - 2 + field)
        };
        self.signed(negative, magnitude)
    }

    /// The encoding of an infinity, where the format has one.
    pub const fn infinity(&self, negative: bool) -> Option<Encoding> {
        if self.has_infinity() { Some(self.signed(negative, self.top_exponent())) } else { None }
    }

    /// The encoding of the canonical NaN, where the format has one: positive and quiet.
    pub const fn nan(&self) -> Option<Encoding> {
        match self.specials() {
            Some(Specials::Ieee) => Some(Encoding::from_bits(self.top_exponent() | 1 << (self.trailing_bits() - 1))),
            Some(Specials::NanAllOnes) => Some(Encoding::from_bits(self.sign_bit() - 1)),
            Some(Specials::NanNegativeZero) => Some(Encoding::from_bits(self.sign_bit())),
            Some(Specials::Finite) | None => None,
        }
    }

    /// The encoding of the largest finite value, or of its negative; none in `F(p)`.
    #[inline]
    pub const fn largest(&self, negative: bool) -> Option<Encoding> {
        match self.range {
            None => None,
            Some(range) => {
                let field = (range.emax - range.emin + 1) as u128;
                let trailing = self.largest_significand() & ((1 << self.trailing_bits()) - 1);
                Some(self.signed(negative, field << self.trailing_bits() | trailing))
            }
        }
    }

    /// The class of an encoding. Bits above [`Format::width`] make it [`Class::Invalid`].
    #[inline]
    pub const fn class(&self, encoding: Encoding) -> Class {
        let (bits, width) = (encoding.bits(), self.width());
        if width < 128 && bits >> width != 0 {
            return Class::Invalid;
        }
        let sign_bit = 1 << (width - 1);
        let magnitude = bits & (sign_bit - 1);
        if magnitude == 0 {
            return match self.specials() {
                Some(Specials::Ieee | Specials::NanAllOnes | Specials::Finite) => Class::Zero,
                Some(Specials::NanNegativeZero) if bits != 0 => Class::Nan,
                None if bits != 0 => Class::Invalid,
                Some(Specials::NanNegativeZero) | None => Class::Zero,
            };
        }
        match self.largest(false) {
            Some(largest) if magnitude > largest.bits() => self.class_beyond(magnitude),
            _ if magnitude >> self.trailing_bits() != 0 => Class::Normal,
            Some(_) => Class::Subnormal,
            None => Class::Invalid,
        }
    }

    /// The class of what is above the largest finite value.
    const fn class_beyond(&self, magnitude: u128) -> Class {
        let top = self.top_exponent();
        match self.specials() {
            Some(Specials::Ieee) if magnitude == top => Class::Infinite,
            Some(Specials::Ieee) if magnitude > top => Class::Nan,
            Some(Specials::NanAllOnes) if magnitude == self.sign_bit() - 1 => Class::Nan,
            Some(Specials::Ieee | Specials::NanAllOnes | Specials::NanNegativeZero | Specials::Finite) | None => {
                Class::Invalid
            }
        }
    }

    /// Whether the encoding is that of a finite value.
    #[inline]
    pub const fn is_finite(&self, encoding: Encoding) -> bool {
        matches!(self.class(encoding), Class::Zero | Class::Subnormal | Class::Normal)
    }

    /// Whether the encoding is that of a zero.
    pub const fn is_zero(&self, encoding: Encoding) -> bool {
        matches!(self.class(encoding), Class::Zero)
    }

    /// Whether the encoding is that of a NaN.
    pub const fn is_nan(&self, encoding: Encoding) -> bool {
        matches!(self.class(encoding), Class::Nan)
    }

    /// Whether the sign bit is set.
    pub const fn is_sign_minus(&self, encoding: Encoding) -> bool {
        encoding.bits() & self.sign_bit() != 0
    }

    /// Every encoding of a datum of the format, in the order of the bits. For formats of up to 20 bits.
    ///
    /// # Panics
    ///
    /// If an encoding has more than 20 bits.
    pub fn encodings(self) -> impl Iterator<Item = Encoding> + Clone {
        assert!(self.width() <= 20, "{self} has too many encodings to enumerate");
        (0..1u128 << self.width())
            .map(Encoding::from_bits)
            .filter(move |&encoding| self.class(encoding) != Class::Invalid)
    }
}
