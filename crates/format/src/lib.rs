//! The vocabulary of Roundproof: formats and their encodings, rounding directions, overflow policies, status flags.
//!
//! There is no arithmetic here, and in particular no rounding: `roundproof-exact` and `roundproof-softfloat` each bring
//! their own, and share nothing but these words. The words are those of IEEE 754-2019; [`Format::smtlib`],
//! [`Format::mpfr`] and [`Format::flocq`] translate them into those of SMT-LIB, MPFR and Flocq.
//!
//! # What is here
//!
//! - [`Format`]: a precision, exponents, and which special values there are. It has a name ([`NAMED`] lists them), or is
//!   written `e5m7`, `p=8,emin=-126,emax=127,specials=fn`, or `F(8)`, which has every exponent.
//! - [`Encoding`]: the bits of a datum. They mean something only beside a format: [`Format::class`] says what.
//! - [`RoundingMode`], [`Overflow`], [`Subnormals`], [`Status`]: what an operation is told, and what it says.
//!
//! ```
//! use roundproof_format::{Class, Encoding, Format, Overflow};
//!
//! let format: Format = "float8_e4m3fn".parse()?;
//! assert_eq!((format.precision(), format.emin(), format.emax()), (4, Some(-6), Some(8)));
//! // The all-ones magnitude is a NaN, and there is no infinity: results saturate, or become NaN.
//! assert_eq!(format.class(Encoding::from_bits(0x7f)), Class::Nan);
//! assert!(!format.expresses(Overflow::Ieee) && format.expresses(Overflow::Saturate));
//! assert_eq!(format.largest(false), Some(Encoding::from_bits(0x7e)));
//! // A format without a name, in the words of IEEE 754 and of SMT-LIB.
//! assert_eq!("e5m7".parse::<Format>()?.smtlib(), Some((5, 8)));
//! # Ok::<(), roundproof_format::ParseError>(())
//! ```
//!
//! # Where next
//!
//! `roundproof-exact` says what rounding is; `roundproof-softfloat` computes it fast. `examples/formats.rs` prints the
//! table of all named formats.

mod conventions;
mod encoding;
mod error;
mod format;
mod mode;
mod names;

pub use conventions::{Flocq, Mpfr};
pub use encoding::Encoding;
pub use error::{FormatError, ParseError, UnsupportedPolicy};
pub use format::{Class, Format, Specials};
pub use mode::{Overflow, RoundingMode, Status, Subnormals};
pub use names::NAMED;

#[cfg(test)]
mod tests;
