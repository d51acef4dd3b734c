//! Integer-only floating-point arithmetic for any binary format.
//!
//! # What is claimed
//!
//! For every [`Format`](roundproof_format::Format), bounded or `F(p)`, every rounding direction and every overflow
//! policy that the format expresses, the operations of [`Arithmetic`] are correctly rounded in the sense of IEEE
//! 754-2019, clauses 4.3, 5.4 and 7: the result is the exact one, rounded once. The tests compare encodings and status
//! with `roundproof-exact`, which knows rationals and shares no code with this crate; formats of up to 8 bits are
//! enumerated completely. Nothing here is needed to believe a proof: this crate is fast, `exact` is the definition.
//!
//! # How
//!
//! *Unpack, operate exactly, round once, pack.* An operand becomes sign, significand with its leading bit at the top of
//! a machine word, and exponent. Sums and products keep their exact value in that word, or in twice its width, but for
//! bits below all that a rounding can see, which are jammed into one sticky bit. One function, `round_pack`, then makes
//! an encoding of it. The word is `u64` for every encoding of up to 64 bits with `p <= 60`, else `u128`.
//!
//! # What no standard says
//!
//! - A NaN result is always the canonical NaN ([`Format::nan`](roundproof_format::Format::nan)).
//! - An encoding of no datum ([`Class::Invalid`](roundproof_format::Class::Invalid)) is read as a quiet NaN where the
//!   format has one, else as +0. No operation panics.
//! - `F(p)` has exponents within +-2^31, as MPFR has an `emax`: a result beyond is replaced by the largest, a non-zero
//!   result below by the least magnitude, in every direction, with overflow or underflow raised beside inexact.
//! - [`Arithmetic::convert`] says what becomes of special values that the destination lacks.

mod arithmetic;
mod convert;
mod datum;
mod layout;
mod order;
mod real;
mod round;

mod text;
mod word;

pub use arithmetic::{Arithmetic, Faithful, Outcome, UnsupportedPolicy};
pub use datum::{Unpacked, abs, decode, encode, flush, is_subnormal, negate, power_of_two, relu, step};
pub use order::{compare, from_order_key, next_down, next_up, order_key};
pub use round::{BothNeighbours, Rounding};
pub use text::{BeyondDecimal, ParseNumberCause, ParseNumberError, to_decimal, to_decimal_digits, to_hexadecimal};
