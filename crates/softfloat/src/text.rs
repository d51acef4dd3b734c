//! Conversions between data and character sequences (IEEE 754-2019, clause 5.12).

mod decimal;
mod hexadecimal;
mod parse;

pub use decimal::{BeyondDecimal, to_decimal, to_decimal_digits};
pub use hexadecimal::to_hexadecimal;
pub use parse::{ParseNumberCause, ParseNumberError};

use num_bigint::BigUint;

/// In `F(p)`, the largest magnitude of a decimal exponent that is read or written: beyond it the powers of ten would
/// have more than a third of a million bits.
const MAX_DECIMAL_EXPONENT: i64 = 100_000;

/// `2^two * 10^ten` as a quotient of two integers.
fn quotient_of_powers(two: i64, ten: i64) -> (BigUint, BigUint) {
    let five = BigUint::from(5u32).pow(u32::try_from(ten.unsigned_abs()).expect("decimal exponents are bounded"));
    let (mut above, mut below) = if ten < 0 { (BigUint::from(1u32), five) } else { (five, BigUint::from(1u32)) };
    let two = two + ten;
    *(if two < 0 { &mut below } else { &mut above }) <<= two.unsigned_abs();
    (above, below)
}
