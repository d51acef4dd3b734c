//! The vocabulary of Roundproof: formats and their encodings, rounding directions, overflow policies, status flags.
//!
//! There is no arithmetic here, and in particular no rounding: `roundproof-exact` and `roundproof-softfloat` each bring
//! their own, and share nothing but these words. The words are those of IEEE 754-2019; `conventions` translates them.

mod conventions;
mod encoding;
mod error;
mod format;
mod mode;
mod names;

pub use conventions::{Flocq, Mpfr};
pub use encoding::Encoding;
pub use error::{FormatError, ParseError};
pub use format::{Class, Format, Specials};
pub use mode::{Overflow, RoundingMode, Status, Subnormals};
pub use names::NAMED;

#[cfg(test)]
mod tests;
