//! Values: their order keys, the numbers that they are, and what a flush makes of them.

use roundproof_exact::{Rational, of_order_key, order_key, real};
use roundproof_format::{Class, Encoding, Format};

/// In `F(p)`, the largest magnitude of the exponent of a neuron's value that is computed with. Stored values have at most
/// [`UNBOUNDED_EXPONENT_LIMIT`](roundproof_network::UNBOUNDED_EXPONENT_LIMIT); without a limit, each layer could double
/// the memory that an exact number takes.
pub const MODERATE_EXPONENT: i64 = 1 << 22;

/// Whether the finite datum with this order key may be computed with: in `F(p)`, if it is 0 or has an exponent of at most
/// [`MODERATE_EXPONENT`] in magnitude.
pub fn exponent_is_moderate(format: Format, key: i128) -> bool {
    let field = (key.unsigned_abs() >> format.trailing_bits()) as i64;
    format.is_bounded() || key == 0 || (field - format.bias()).abs() <= MODERATE_EXPONENT
}

/// The order key of a stored value, which is finite by the invariants of networks, forests and data sets.
pub fn key(format: Format, encoding: Encoding) -> i128 {
    order_key(format, encoding).expect("stored values are finite")
}

/// The number that a stored value is.
pub fn stored(format: Format, encoding: Encoding) -> Rational {
    real(format, encoding).expect("stored values are finite")
}

/// The datum with an order key that is one's.
pub fn datum(format: Format, key: i128) -> Encoding {
    of_order_key(format, key).expect("a key is that of a datum")
}

/// A datum as it is read or written: if it is subnormal and flushed, a zero of its sign.
pub(crate) fn flush(format: Format, flushed: bool, encoding: Encoding) -> Encoding {
    if !flushed || format.class(encoding) != Class::Subnormal {
        return encoding;
    }
    let zero = if format.is_sign_minus(encoding) { format.negative_zero() } else { None };
    zero.unwrap_or(format.zero())
}
