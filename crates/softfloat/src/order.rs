//! The order of the data of a format.

use std::cmp::Ordering;

use roundproof_format::{Class, Encoding, Format};

use crate::layout::Layout;

impl Layout {
    /// The key of the least positive value is 1: in `F(p)` this is the encoding that the keys count from.
    const fn key_origin(&self) -> u128 {
        if self.gradual { 0 } else { (1 << self.trailing) - 1 }
    }

    /// The key of the last datum.
    const fn last_key(&self) -> i128 {
        (self.largest - self.key_origin()) as i128 + self.format.has_infinity() as i128
    }
}

/// A number for each datum that is not NaN, in the order of their values: neighbours have neighbouring keys, both zeros
/// 0, and the negative of a datum the negative of its key.
///
/// An infinity is the neighbour of the largest finite value. `F(p)` is taken with the exponents that its encodings
/// have, so that zero is the neighbour of the least positive one. An encoding of no datum has no key where the format
/// has NaN, else that of zero.
pub fn order_key(format: Format, encoding: Encoding) -> Option<i128> {
    let layout = Layout::of(format);
    let magnitude = encoding.bits() & (layout.sign_bit - 1);
    let key = match format.class(encoding) {
        Class::Zero => 0,
        Class::Subnormal | Class::Normal => (magnitude - layout.key_origin()) as i128,
        Class::Infinite => layout.last_key(),
        Class::Nan => return None,
        Class::Invalid => return if format.has_nan() { None } else { Some(0) },
    };
    Some(if format.is_sign_minus(encoding) { -key } else { key })
}

/// The datum with this [`order_key`]: +0 for 0, none beyond the last datum.
pub fn from_order_key(format: Format, key: i128) -> Option<Encoding> {
    let layout = Layout::of(format);
    let (negative, distance) = (key < 0, key.unsigned_abs());
    if distance > layout.last_key().unsigned_abs() {
        return None;
    }
    if distance == 0 {
        return Some(format.zero());
    }
    let magnitude = distance + layout.key_origin();
    if magnitude > layout.largest { format.infinity(negative) } else { Some(layout.pack(negative, magnitude)) }
}

/// The order of two data; none when one of them is NaN. The zeros are equal.
pub fn compare(format: Format, a: Encoding, b: Encoding) -> Option<Ordering> {
    Some(order_key(format, a)?.cmp(&order_key(format, b)?))
}

/// The least datum above this one (IEEE 754-2019, clause 5.3.1, nextUp). The negative value next to zero gives -0, or
/// +0 in a format without it. The last datum, and a NaN, give themselves; so does an encoding of no datum.
pub fn next_up(format: Format, encoding: Encoding) -> Encoding {
    step_by(format, encoding, 1)
}

/// The largest datum below this one: the mirror image of [`next_up`]. The positive value next to zero gives +0.
pub fn next_down(format: Format, encoding: Encoding) -> Encoding {
    step_by(format, encoding, -1)
}

fn step_by(format: Format, encoding: Encoding, step: i128) -> Encoding {
    if format.class(encoding) == Class::Invalid {
        return encoding;
    }
    match order_key(format, encoding) {
        None => encoding,
        Some(key) if key + step == 0 => Layout::of(format).zero(key < 0),
        Some(key) => from_order_key(format, key + step).unwrap_or(encoding),
    }
}
