//! What a datum is: the ten classes, signs, and the total order.

use roundproof_format::{Class, Encoding, Format};

use crate::datum::{abs, negate};
use crate::layout::Layout;
use crate::real::Operand;

/// The ten classes of IEEE 754-2019, clause 5.7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IeeeClass {
    /// A NaN that raises invalid.
    SignalingNan,
    /// Any other NaN.
    QuietNan,
    /// Minus infinity.
    NegativeInfinity,
    /// A normal value below zero.
    NegativeNormal,
    /// A subnormal value below zero.
    NegativeSubnormal,
    /// -0.
    NegativeZero,
    /// +0.
    PositiveZero,
    /// A subnormal value above zero.
    PositiveSubnormal,
    /// A normal value above zero.
    PositiveNormal,
    /// Plus infinity.
    PositiveInfinity,
}

/// Whether the sign is minus. What has none counts as plus: the zero and the NaN of a format without negative zero, and an encoding of
/// no datum.
fn is_minus(format: Format, encoding: Encoding) -> bool {
    let signed = match format.class(encoding) {
        Class::Invalid => false,
        Class::Zero | Class::Nan => format.has_negative_zero(),
        _ => true,
    };
    signed && format.is_sign_minus(encoding)
}

/// The class of a datum (IEEE 754-2019, clause 5.7.2). An encoding of no datum is a quiet NaN where the format has NaN,
/// else +0.
pub fn ieee_class(format: Format, encoding: Encoding) -> IeeeClass {
    let minus = is_minus(format, encoding);
    let signed = |negative, positive| if minus { negative } else { positive };
    match format.class(encoding) {
        Class::Zero => signed(IeeeClass::NegativeZero, IeeeClass::PositiveZero),
        Class::Subnormal => signed(IeeeClass::NegativeSubnormal, IeeeClass::PositiveSubnormal),
        Class::Normal => signed(IeeeClass::NegativeNormal, IeeeClass::PositiveNormal),
        Class::Infinite => signed(IeeeClass::NegativeInfinity, IeeeClass::PositiveInfinity),
        Class::Nan if is_signaling(format, encoding) => IeeeClass::SignalingNan,
        Class::Nan => IeeeClass::QuietNan,
        Class::Invalid if format.has_nan() => IeeeClass::QuietNan,
        Class::Invalid => IeeeClass::PositiveZero,
    }
}

/// Whether the encoding is that of a signaling NaN: the first bit of its trailing significand is 0 (IEEE 754-2019,
/// clause 6.2.1). Formats without infinity have none.
pub fn is_signaling(format: Format, encoding: Encoding) -> bool {
    matches!(Layout::of(format).unpack::<u128>(encoding), Operand::Nan { signaling: true })
}

/// Whether the encoding is that of a datum (IEEE 754-2019, clause 5.7.2, isCanonical).
pub fn is_canonical(format: Format, encoding: Encoding) -> bool {
    format.class(encoding) != Class::Invalid
}

/// Whether the encoding is that of a normal value.
pub fn is_normal(format: Format, encoding: Encoding) -> bool {
    format.class(encoding) == Class::Normal
}

/// Whether the encoding is that of an infinity.
pub fn is_infinite(format: Format, encoding: Encoding) -> bool {
    format.class(encoding) == Class::Infinite
}

/// `a` with the sign of `b` (IEEE 754-2019, clause 5.5.1), be they NaN or not. An `a` without a sign stays, as in
/// [`negate`]; a `b` without one counts as positive.
pub fn copy_sign(format: Format, a: Encoding, b: Encoding) -> Encoding {
    let magnitude = abs(format, a);
    if is_minus(format, b) { negate(format, magnitude) } else { magnitude }
}

/// `totalOrder(a, b)` (IEEE 754-2019, clause 5.10): whether `a` is not above `b` in the order of all data.
///
/// In that order -0 is below +0, negative NaN below and positive NaN above everything else, and signaling NaN within
/// quiet NaN. The one NaN of a format without negative zero is positive. An encoding of no datum stands where the
/// canonical NaN does, or +0 in a format without NaN.
pub fn total_order(format: Format, a: Encoding, b: Encoding) -> bool {
    total_key(format, a) <= total_key(format, b)
}

/// `totalOrderMag(a, b)` (IEEE 754-2019, clause 5.10): [`total_order`] without the signs.
pub fn total_order_magnitude(format: Format, a: Encoding, b: Encoding) -> bool {
    total_order(format, abs(format, a), abs(format, b))
}

/// Sign and magnitude are ordered as the data are.
fn total_key(format: Format, encoding: Encoding) -> i128 {
    let encoding = match format.class(encoding) {
        Class::Invalid => format.nan().unwrap_or(format.zero()),
        _ => encoding,
    };
    if format.is_nan(encoding) && !format.has_negative_zero() {
        return i128::MAX;
    }
    let magnitude = (encoding.bits() & (Layout::of(format).sign_bit - 1)) as i128;
    if is_minus(format, encoding) { -1 - magnitude } else { magnitude }
}
