//! Integer-only floating-point arithmetic for any binary format, and [`slices`] of some on the host's own.
//!
//! # What is claimed
//!
//! For every [`Format`], bounded or `F(p)`, every rounding direction and every overflow
//! policy that the format expresses, the operations of [`Arithmetic`] are correctly rounded in the sense of IEEE
//! 754-2019, clauses 4.3, 5.3, 5.4 and 7: the result is the exact one, rounded once. Minima and maxima are those of
//! clause 9.6. The tests compare encodings and status with `roundproof-exact`, which knows rationals and shares no code
//! with this crate; formats of up to 8 bits are enumerated completely. Nothing here is needed to believe a proof: this
//! crate is fast, `exact` is the definition.
//!
//! # How
//!
//! *Unpack, operate exactly, round once, pack.* An operand becomes sign, significand and exponent. Results keep their
//! exact value in a machine word, or in twice its width, but for bits below all that a rounding can see, which are jammed
//! into one sticky bit. The module `round` then cuts them off after the last place and chooses a neighbour. The word is
//! `u64` for every encoding of up to 64 bits with `p <= 60`, else `u128`.
//!
//! Quotients are one machine division where `2p` bits fit into a word. Those of more, and square roots, begin with an
//! approximation that is not too large (module `newton`), and an exact remainder corrects it. Integers and comparisons
//! are made of encodings as they are: the next encoding is that of the next value.
//!
//! # An example
//!
//! ```
//! use roundproof_softfloat::{Arithmetic, Format, Overflow, RoundingMode, Status, to_decimal};
//!
//! let format: Format = "e5m7".parse()?;
//! let arithmetic = Arithmetic::new(format, Overflow::Ieee)?;
//! let parsed = |text| arithmetic.parse(RoundingMode::TiesToEven, text);
//! let (tenth, three) = (parsed("0.1")?, parsed("3")?);
//! let product = arithmetic.multiply(RoundingMode::TowardPositive, tenth.encoding, three.encoding);
//! // The shortest text that is read back as this value, which is 77/256.
//! assert_eq!(to_decimal(format, product.encoding)?, "0.3");
//! assert_eq!(product.status, Status::INEXACT);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the format is known when a program is compiled, [`Standard`] has it for a type, as [`Binary32`]; many elements at
//! once are the matter of [`slices`]. `examples/rounding_table.rs` shows a sum in every direction of every named format.
//!
//! # What no standard says
//!
//! - A NaN result is always the canonical NaN ([`Format::nan`](roundproof_format::Format::nan)).
//! - An encoding of no datum ([`Class::Invalid`](roundproof_format::Class::Invalid)) is read as a quiet NaN where the
//!   format has one, else as +0. No operation panics.
//! - `F(p)` has exponents within +-2^31, as MPFR has an `emax`: a result beyond is replaced by the largest, a non-zero
//!   result below by the least magnitude, in every direction, with overflow or underflow raised beside inexact.
//! - Division of a finite value by zero raises divide-by-zero under every policy. Under a policy other than
//!   [`Overflow::Ieee`] the result is what overflow gives away from zero: the largest
//!   finite value or NaN. In `F(p)` it is +0, as are the results of its invalid operations.
//!   [`Arithmetic::log_b_datum`] of zero is such a division.
//! - A remainder is exact, and so has no direction: but one below the exponents of `F(p)` underflows as said.
//! - [`Arithmetic::round_to_integral`] takes ties to even integers where `p = 1`, too. An integer past the largest
//!   finite value overflows, and raises inexact with it even where no inexact was asked for.
//! - [`Arithmetic::to_integer`] gives the nearest integer of its format for what is beyond it, and 0 for NaN, both
//!   invalid.
//! - In a format without negative zero, zero and NaN have no sign: [`copy_sign`] takes and gives none, and
//!   [`total_order`] puts that NaN above everything.
//! - A flushed result raises underflow and inexact ([`flush_outcome`]), a flushed operand nothing.
//! - [`Arithmetic::convert`] says what becomes of special values that the destination lacks; [`Arithmetic::parse`] does
//!   the same with their names.
//! - The shortest text of the largest finite value is that of its distance to what would be the next: no text that
//!   overflows to it under a policy is used.

mod arithmetic;
mod class;
mod convert;
mod datum;
mod divide;
mod dot;
mod integral;
mod layout;
mod minmax;
mod newton;
mod order;
mod real;
mod remainder;
mod root;
mod round;
mod scale;
mod signal;
// The x87 unit does not round as IEEE 754 says.
#[cfg(any(not(target_arch = "x86"), target_feature = "sse2"))]
pub mod slices;
mod standard;
mod text;
mod word;

pub use arithmetic::{Arithmetic, Faithful, Outcome};
pub use class::{
    IeeeClass, copy_sign, ieee_class, is_canonical, is_infinite, is_normal, is_signaling, total_order,
    total_order_magnitude,
};
pub use datum::{Unpacked, abs, decode, encode, flush, is_subnormal, negate, power_of_two, relu, step};
pub use dot::{DotError, contains};
pub use integral::{Integer, IntegerFormat, UnsupportedWidth};
pub use order::{compare, from_order_key, next_down, next_up, order_key};
pub use round::{BothNeighbours, Rounding, Stochastic, ToOdd};
pub use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials, Status, UnsupportedPolicy};
pub use signal::{compare_quiet, compare_signaling, flush_outcome};
pub use standard::{Bfloat16, Binary16, Binary32, Binary64, Binary128, Float8E3m4, Float8E4m3, Float8E5m2, Standard};
pub use text::{BeyondDecimal, ParseNumberCause, ParseNumberError, to_decimal, to_decimal_digits, to_hexadecimal};
