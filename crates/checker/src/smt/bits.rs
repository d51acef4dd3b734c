//! Floating-point arithmetic of any bounded format over bit-vectors.
//!
//! Z3 has a theory of its own ([`super::ieee`]), but not for formats without infinities, not where the exponent is wider
//! than the significand, and with a fused multiply-add that was wrong in earlier versions. This encoding takes every
//! bounded [`Format`], and is compared with `roundproof-exact` operation by operation in this crate's tests.
//!
//! A datum is its encoding. Magnitudes are ordered like the reals: exponent field above trailing significand, so the
//! next value is the next bit pattern, and the rounding away from zero is an increment. Inside an operation a number is
//! `Unpacked`: sign, *offset* (the exponent of the significand's top bit, less `emin`) and significand. An operation
//! forms its exact result, or one with the lost bits gathered in a sticky bit below it, and `rounding` turns that into
//! an encoding once.
//!
//! The last argument of every operation is its choice. [`Choices::Neighbours`]: a Boolean, true for the neighbour away
//! from zero, so that both values give exactly the set `R(t)` of allowed results (past the largest finite value: infinity
//! and the largest value, or the latter alone under `saturate`). An exact result has no choice, but for the sign of a zero
//! sum. [`Choices::Directions`]: one of the five rounding directions as three bits.

mod operations;
mod order;
mod real;
mod rounding;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials};

use super::term::{Lets, Truth, Vector, vector_sort};

/// What the last argument of an operation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choices {
    /// A Boolean: either neighbour.
    Neighbours,
    /// Three bits: a rounding direction, see [`direction`].
    Directions,
}

/// An operation that can be defined. `k` stands for exponents in two's complement, [`Bits::exponent_width`] bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `(add x y c)`, and with it `(subtract x y c)`.
    Add,
    /// `(multiply x y c)`.
    Multiply,
    /// `(scale k x c)`: `2^k * x`.
    Scale,
    /// `(fma x y z c)`: `x * y + z`, rounded once.
    FusedMultiplyAdd,
    /// `(scale-add k x y c)`: `2^k * x + y`, rounded once.
    ScaleAdd,
    /// `(scale-sum k x y c)`: `2^k * (x + y)`, rounded once; `k >= 0`, `x` and `y` finite.
    ScaleSum,
    /// `(round s e m c)`: a real, rounded; and with it how values compare with reals.
    Round,
}

/// The encoding of one format's arithmetic under one overflow policy.
#[derive(Clone, Debug)]
pub struct Bits {
    format: Format,
    saturates: bool,
    choices: Choices,
    emin: i64,
    emax: i64,
    /// Drops what a shift loses instead of gathering it: wrong, so that tests see it caught.
    loses_sticky: bool,
}

/// A finite number in parts: `(-1)^negative * significand`, where the top bit of the significand has the exponent
/// `emin + offset`.
struct Unpacked {
    negative: Truth,
    offset: Vector,
    significand: Vector,
}

/// The three bits of a rounding direction.
pub fn direction(mode: RoundingMode) -> &'static str {
    match mode {
        RoundingMode::TiesToEven => "#b000",
        RoundingMode::TiesToAway => "#b001",
        RoundingMode::TowardPositive => "#b010",
        RoundingMode::TowardNegative => "#b011",
        RoundingMode::TowardZero => "#b100",
    }
}

impl Bits {
    /// The encoding for a bounded format under `ieee` or `saturate` overflow; none for other formats and policies.
    pub fn new(format: Format, overflow: Overflow, choices: Choices) -> Option<Bits> {
        let saturates = match overflow {
            Overflow::Ieee if format.has_infinity() => false,
            Overflow::Saturate => true,
            _ => return None,
        };
        let (emin, emax) = (i64::from(format.emin()?), i64::from(format.emax()?));
        Some(Bits { format, saturates, choices, emin, emax, loses_sticky: false })
    }

    /// The encoding with a defect: shifts lose bits without a trace.
    #[cfg(test)]
    pub(crate) fn without_sticky(mut self) -> Bits {
        self.loses_sticky = true;
        self
    }

    /// Bits of an exponent `k`: enough for every exponent of a product, a sum or a scaled value, less `emin`.
    pub fn exponent_width(&self) -> u32 {
        let least = self.emin - 2 * i64::from(self.p()) - 2;
        let most = 2 * self.emax + 4 - self.emin;
        65 - most.max(-least).leading_zeros()
    }

    /// The sort of data.
    pub fn sort(&self) -> String {
        vector_sort(self.format.width())
    }

    /// The sort of exponents.
    pub fn exponent_sort(&self) -> String {
        vector_sort(self.exponent_width())
    }

    /// The sort of choices.
    pub fn choice_sort(&self) -> &'static str {
        match self.choices {
            Choices::Neighbours => "Bool",
            Choices::Directions => "(_ BitVec 3)",
        }
    }

    /// An encoding as a constant.
    pub fn constant(&self, encoding: Encoding) -> String {
        Vector::constant(encoding.bits(), self.format.width()).to_string()
    }

    /// An exponent as a constant.
    pub fn exponent(&self, k: i64) -> String {
        Vector::signed(k, self.exponent_width()).to_string()
    }

    /// Definitions of the vocabulary (constants, comparisons, neighbours, activations, scaled values) and of these
    /// operations, a command each.
    pub fn definitions(&self, operations: &[Operation]) -> Vec<String> {
        let mut lines = self.vocabulary();
        for operation in operations {
            lines.extend(self.operation(*operation));
        }
        lines
    }

    /// `(define-fun name ((parameter sort) ...) result body)`. Parameters called `k` are exponents, `c` choices, `s e m`
    /// a real, all others data.
    fn define(&self, name: &str, parameters: &str, result: &str, body: String) -> String {
        let sorted = parameters.split_whitespace().map(|parameter| match parameter {
            "s" => "(s Bool)".to_string(),
            "e" => format!("(e {})", self.real_exponent_sort()),
            "m" => format!("(m {})", self.real_significand_sort()),
            "k" => format!("(k {})", self.exponent_sort()),
            "c" => format!("(c {})", self.choice_sort()),
            datum => format!("({datum} {})", self.sort()),
        });
        format!("(define-fun {name} ({}) {result}\n {body})", sorted.collect::<Vec<_>>().join(" "))
    }

    fn p(&self) -> u32 {
        self.format.precision()
    }

    fn trailing(&self) -> u32 {
        self.format.trailing_bits()
    }

    fn exponent_bits(&self) -> u32 {
        self.format.exponent_bits()
    }

    /// Bits of a magnitude.
    fn magnitude_width(&self) -> u32 {
        self.format.width() - 1
    }

    /// The largest finite magnitude.
    fn largest(&self) -> u128 {
        self.format.largest(false).map_or(0, Encoding::bits)
    }

    /// The magnitude of infinity.
    fn infinity(&self) -> Option<u128> {
        self.format.infinity(false).map(Encoding::bits)
    }

    fn datum(&self, name: &str) -> Vector {
        Vector::new(name, self.format.width())
    }

    fn sign(&self, x: &Vector) -> Truth {
        x.top()
    }

    fn magnitude(&self, x: &Vector) -> Vector {
        x.low(self.magnitude_width())
    }

    fn is_zero(&self, x: &Vector) -> Truth {
        if self.format.has_negative_zero() { self.magnitude(x).is_zero() } else { x.is_zero() }
    }

    fn is_infinite(&self, x: &Vector) -> Truth {
        self.infinity().map_or(Truth::no(), |infinity| self.magnitude(x).is(infinity))
    }

    /// Whether a magnitude is that of a finite value (or of the one NaN of `fnuz` formats).
    fn within_range(&self, x: &Vector) -> Truth {
        if self.largest() == (1 << self.magnitude_width()) - 1 {
            return Truth::yes();
        }
        self.magnitude(x).at_most(&Vector::constant(self.largest(), self.magnitude_width()))
    }

    /// NaN, or the encoding of nothing, which counts as NaN; false throughout in formats without NaN.
    fn is_nan(&self, x: &Vector) -> Truth {
        match self.format.specials() {
            Some(Specials::Ieee | Specials::NanAllOnes) => self.within_range(x).or(&self.is_infinite(x)).not(),
            Some(Specials::NanNegativeZero) => {
                let nan = x.is(1 << self.magnitude_width());
                nan.or(&self.within_range(x).not())
            }
            Some(Specials::Finite) | None => Truth::no(),
        }
    }

    fn is_finite(&self, x: &Vector) -> Truth {
        let within = self.within_range(x);
        if self.format.specials() == Some(Specials::NanNegativeZero) {
            within.and(&self.is_nan(x).not())
        } else {
            within
        }
    }

    /// A sign and a magnitude as an encoding; a zero loses its sign in formats with one zero.
    fn pack(&self, negative: &Truth, magnitude: &Vector) -> Vector {
        let negative =
            if self.format.has_negative_zero() { negative.clone() } else { negative.and(&magnitude.is_nonzero()) };
        negative.as_bit().join(magnitude)
    }

    /// The parts of a finite value, as they stand: a subnormal significand has a leading zero. The offset is unsigned.
    fn unpack(&self, lets: &mut Lets, x: &Vector) -> Unpacked {
        let field = lets.vector("field", x.slice(self.trailing(), self.exponent_bits()));
        let normal = lets.truth("normal", field.is_nonzero());
        let significand = lets.vector("significand", normal.as_bit().join(&x.low(self.trailing())));
        let offset = normal.pick(&field.previous(), &Vector::zero(self.exponent_bits()));
        Unpacked { negative: self.sign(x), offset: lets.vector("offset", offset), significand }
    }

    /// The parts of a finite value with the top bit of the significand set. The offset is in two's complement,
    /// [`Bits::exponent_width`] bits wide. A zero has the least offset, so that pairs (offset, significand) are ordered
    /// as magnitudes are.
    fn unpack_normalized(&self, lets: &mut Lets, x: &Vector) -> Unpacked {
        let width = self.exponent_width();
        let plain = self.unpack(lets, x);
        let (significand, shift) = rounding::normalize(lets, plain.significand, None);
        let offset = lets.vector("offset", plain.offset.widen(width).minus(&shift.widen(width)));
        let offset = lets.vector("offset", significand.is_zero().pick(&self.least_offset(), &offset));
        Unpacked { negative: plain.negative, offset, significand }
    }

    fn least_offset(&self) -> Vector {
        let width = self.exponent_width();
        Vector::constant(1 << (width - 1), width)
    }
}

#[cfg(test)]
mod tests;
