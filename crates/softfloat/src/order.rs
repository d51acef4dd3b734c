//! The order of the data of a format.

use std::cmp::Ordering;

use roundproof_format::{Class, Encoding, Format};

use crate::layout::Layout;

impl Layout {
    /// The order of two data; none when one of them is NaN.
    #[inline(always)]
    pub fn order(&self, a: Encoding, b: Encoding) -> Option<Ordering> {
        let quick = if self.narrow { self.quick_order::<u64>(a, b) } else { self.quick_order::<u128>(a, b) };
        if quick.is_some() { quick } else { self.order_by_keys(a, b) }
    }

    #[cold]
    fn order_by_keys(&self, a: Encoding, b: Encoding) -> Option<Ordering> {
        Some(self.order_key(a)?.cmp(&self.order_key(b)?))
    }

    /// The key of the last datum.
    const fn last_key(&self) -> i128 {
        (self.largest - self.least + 1) as i128 + self.format.has_infinity() as i128
    }

    #[inline]
    fn order_key(&self, encoding: Encoding) -> Option<i128> {
        match self.finite::<u128>(encoding) {
            Some((negative, magnitude)) => {
                let key = (magnitude - self.least + 1) as i128;
                Some(if negative { -key } else { key })
            }
            None => self.order_key_special(encoding),
        }
    }

    fn order_key_special(&self, encoding: Encoding) -> Option<i128> {
        match self.format.class(encoding) {
            Class::Infinite if self.format.is_sign_minus(encoding) => Some(-self.last_key()),
            Class::Infinite => Some(self.last_key()),
            Class::Nan => None,
            Class::Invalid if self.format.has_nan() => None,
            _ => Some(0),
        }
    }
}

/// A number for each datum that is not NaN, in the order of their values: neighbours have neighbouring keys, both zeros
/// 0, and the negative of a datum the negative of its key.
///
/// An infinity is the neighbour of the largest finite value. `F(p)` is taken with the exponents that its encodings
/// have, so that zero is the neighbour of the least positive one. An encoding of no datum has no key where the format
/// has NaN, else that of zero.
pub fn order_key(format: Format, encoding: Encoding) -> Option<i128> {
    Layout::of(format).order_key(encoding)
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
    let magnitude = distance - 1 + layout.least;
    if magnitude > layout.largest { format.infinity(negative) } else { Some(layout.pack(negative, magnitude)) }
}

/// The order of two data; none when one of them is NaN. The zeros are equal.
#[inline]
pub fn compare(format: Format, a: Encoding, b: Encoding) -> Option<Ordering> {
    Layout::of(format).order(a, b)
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
