//! Single data: between encodings and exact values, signs, and the operations that only look.

use roundproof_format::{Class, Encoding, Format};

use crate::layout::Layout;

/// What an encoding stands for, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unpacked {
    /// Not a number.
    Nan,
    /// An infinity.
    Infinity {
        /// Its sign.
        negative: bool,
    },
    /// A zero.
    Zero {
        /// Its sign.
        negative: bool,
    },
    /// The value `significand * 2^exponent`, or its negative.
    Finite {
        /// The sign.
        negative: bool,
        /// Below `2^p`, never zero.
        significand: u128,
        /// The exponent of one unit in the last place.
        exponent: i64,
    },
}

/// What `encoding` stands for. An encoding of no datum is NaN where the format has one, else +0.
///
/// ```
/// use roundproof_format::{Encoding, Format};
/// use roundproof_softfloat::{Unpacked, decode};
///
/// let three = Encoding::from_bits(3.0f32.to_bits().into());
/// assert_eq!(
///     decode(Format::BINARY32, three),
///     Unpacked::Finite { negative: false, significand: 3 << 22, exponent: -22 }
/// );
/// ```
pub fn decode(format: Format, encoding: Encoding) -> Unpacked {
    let layout = Layout::of(format);
    let negative = format.is_sign_minus(encoding);
    let least = layout.emin - i64::from(layout.trailing);
    let field = (encoding.bits() & (layout.sign_bit - 1)) >> layout.trailing;
    let trailing = encoding.bits() & ((1 << layout.trailing) - 1);
    match format.class(encoding) {
        Class::Zero => Unpacked::Zero { negative },
        Class::Subnormal => Unpacked::Finite { negative, significand: trailing, exponent: least },
        Class::Normal => Unpacked::Finite {
            negative,
            significand: trailing | 1 << layout.trailing,
            exponent: least + field as i64 - 1,
        },
        Class::Infinite => Unpacked::Infinity { negative },
        Class::Nan => Unpacked::Nan,
        Class::Invalid if format.has_nan() => Unpacked::Nan,
        Class::Invalid => Unpacked::Zero { negative: false },
    }
}

/// The encoding of `significand * 2^exponent`, or of its negative, if that is a finite value of the format: nothing is
/// rounded. A negative zero is +0 in a format without one.
pub fn encode(format: Format, negative: bool, significand: u128, exponent: i64) -> Option<Encoding> {
    let layout = Layout::of(format);
    if significand == 0 {
        return Some(layout.zero(negative));
    }
    let odd = significand >> significand.trailing_zeros();
    let last = exponent.checked_add(significand.trailing_zeros().into())?;
    let leading = last.checked_add(odd.ilog2().into())?;
    if leading > layout.emax || (leading < layout.emin && !layout.gradual) {
        return None;
    }
    // Where the last place of the significand is, in this format: at or below the last bit that is set.
    let unit = leading.max(layout.emin) - i64::from(layout.trailing);
    let shift = u32::try_from(last - unit).ok()?;
    let field = u128::try_from(leading - layout.emin).unwrap_or(0);
    let magnitude = (field << layout.trailing) + (odd << shift);
    (magnitude <= layout.largest).then(|| layout.pack(negative, magnitude))
}

/// The encoding of `2^k`, if it is a value of the format.
pub fn power_of_two(format: Format, k: i64) -> Option<Encoding> {
    encode(format, false, 1, k)
}

/// The encoding with its sign bit reversed (IEEE 754-2019, clause 5.5.1), that of a NaN included. The zero and the NaN
/// of a format without negative zero have no sign and stay, and so does an encoding of no datum.
pub fn negate(format: Format, encoding: Encoding) -> Encoding {
    match format.class(encoding) {
        Class::Invalid => encoding,
        Class::Zero | Class::Nan if !format.has_negative_zero() => encoding,
        _ => Encoding::from_bits(encoding.bits() ^ Layout::of(format).sign_bit),
    }
}

/// The encoding with its sign bit cleared. What has no sign stays, as in [`negate`].
pub fn abs(format: Format, encoding: Encoding) -> Encoding {
    if format.is_sign_minus(encoding) { negate(format, encoding) } else { encoding }
}

/// Whether the encoding is that of a subnormal value.
pub fn is_subnormal(format: Format, encoding: Encoding) -> bool {
    let layout = Layout::of(format);
    layout.finite::<u128>(encoding).is_some_and(|(_, magnitude)| magnitude >> layout.trailing == 0)
}

/// A zero of its sign for a subnormal value (+0 in a format without -0); everything else itself.
pub fn flush(format: Format, encoding: Encoding) -> Encoding {
    let layout = Layout::of(format);
    match layout.finite::<u128>(encoding) {
        Some((negative, magnitude)) if magnitude >> layout.trailing == 0 => layout.zero(negative),
        _ => encoding,
    }
}

/// `max(v, 0)`: `v` if it is above zero, else +0, -0 included. NaN gives the canonical NaN.
pub fn relu(format: Format, encoding: Encoding) -> Encoding {
    match Layout::of(format).finite::<u128>(encoding) {
        Some((true, _)) => format.zero(),
        Some((false, _)) => encoding,
        None => match format.class(encoding) {
            Class::Nan | Class::Invalid => format.nan().unwrap_or(format.zero()),
            Class::Infinite if !format.is_sign_minus(encoding) => encoding,
            _ => format.zero(),
        },
    }
}

/// 1 if `v >= 0`, -0 included, else +0. NaN gives +0.
pub fn step(format: Format, encoding: Encoding) -> Encoding {
    let below = match Layout::of(format).finite::<u128>(encoding) {
        Some((negative, _)) => negative,
        None => match format.class(encoding) {
            Class::Nan => true,
            Class::Invalid => format.has_nan(),
            Class::Infinite => format.is_sign_minus(encoding),
            _ => false,
        },
    };
    if below { format.zero() } else { format.one(false) }
}
