//! THE definition of floating-point rounding: exact rationals in, one encoding out.
//!
//! Everything here is meant to be read against IEEE 754-2019 and to be obviously right; speed is for
//! `roundproof-softfloat`, which is written apart from this crate and compared with it encoding by encoding. Reals are
//! [`rug::Rational`], so nothing is ever approximated before the one rounding at the end.
//!
//! - [`decode`], [`encode`], [`real`], [`order_key`], [`of_order_key`]: data as values.
//! - [`round()`]: the definition, in five directions, [`round_to_odd`], [`round_stochastically`]; [`faithful`]: the relation "is one of the two neighbours of".
//! - [`Arithmetic`]: the operations, for comparison with other implementations.
//! - [`compare`], [`total_order`], [`Extremum`]: orders, minima and maxima.
//! - [`Value`], [`text`]: data as exact text.
//! - [`parse_number`]: exact values of decimal and hexadecimal text.
//!
//! ```
//! use roundproof_exact::text::exact_decimal;
//! use roundproof_exact::{Format, Overflow, Rational, RoundingMode, Status, faithful, round};
//!
//! // A third in bfloat16, to nearest and toward positive: the two neighbours of 1/3, and no other value.
//! let (format, overflow, third) = (Format::BFLOAT16, Overflow::Ieee, Rational::from((1, 3)));
//! let nearest = round(&third, format, RoundingMode::TiesToEven, overflow);
//! let above = round(&third, format, RoundingMode::TowardPositive, overflow);
//! assert_eq!(exact_decimal(format, nearest.encoding), "0.333984375");
//! assert_eq!(nearest.status, Status::INEXACT);
//! assert_eq!(faithful(&third, format, overflow).above, above.encoding);
//! ```
//!
//! # Where next
//!
//! `examples/sum_orders.rs` adds one sum in two orders, and fused. `roundproof-kernel` judges networks with
//! this crate; `roundproof-functions` encloses real functions, and rounds them by [`round()`].

mod arithmetic;
mod datum;
mod number;
mod operations;
mod order;
mod rounding;
pub mod text;
mod value;

pub use arithmetic::Arithmetic;
pub use datum::{Datum, Parts, decode, encode, encode_parts, of_order_key, order_key, parts, real};
pub use number::{Number, NumberError, parse_number};
pub use order::{Extremum, compare, total_order};
pub use rounding::{Faithful, Rounded, faithful, power_of_two, round, round_stochastically, round_to_odd};
pub use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials, Status, UnsupportedPolicy};
pub use rug::{Integer, Rational};
pub use value::Value;

#[cfg(test)]
mod tests;
