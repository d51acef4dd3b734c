//! From data to hexadecimal-significand character sequences.

use roundproof_format::{Encoding, Format};

use crate::datum::{Unpacked, decode};

/// The datum as a hexadecimal-significand character sequence, exactly (IEEE 754-2019, clause 5.12.3): the leading bit,
/// the others as hexadecimal digits, trailing zeros left out, and the exponent of 2 in decimal. NaN is `nan`, without
/// sign or payload; infinities are `inf` and `-inf`, zeros `0x0p+0` and `-0x0p+0`.
///
/// Reading it gives the same encoding, but the canonical NaN for any other.
///
/// ```
/// use roundproof_format::{Encoding, Format};
/// use roundproof_softfloat::to_hexadecimal;
///
/// let twelve = Encoding::from_bits(12.0f32.to_bits().into());
/// assert_eq!(to_hexadecimal(Format::BINARY32, twelve), "0x1.8p+3");
/// ```
pub fn to_hexadecimal(format: Format, encoding: Encoding) -> String {
    let sign = |negative| if negative { "-" } else { "" };
    match decode(format, encoding) {
        Unpacked::Nan => "nan".to_string(),
        Unpacked::Infinity { negative } => format!("{}inf", sign(negative)),
        Unpacked::Zero { negative } => format!("{}0x0p+0", sign(negative)),
        Unpacked::Finite { negative, significand, exponent } => {
            let leading = significand.ilog2();
            // What is below the leading bit, at the top of the word.
            let fraction = (significand << (127 - leading)) << 1;
            let digits = format!("{fraction:032x}");
            let digits = digits.trim_end_matches('0');
            let point = if digits.is_empty() { "" } else { "." };
            format!("{}0x1{point}{digits}p{:+}", sign(negative), exponent + i64::from(leading))
        }
    }
}
