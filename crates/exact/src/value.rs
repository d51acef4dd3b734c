//! A datum with the format that gives it a meaning.

use std::fmt;

use roundproof_format::{Encoding, Format};

use crate::decode;
use crate::text::exact_decimal;

/// Bits, and the format whose datum they encode. Two are equal if they are the same bits of the same format: as sharp as
/// encodings are, so that the zeros differ, and NaN equals itself.
///
/// It displays itself exactly, as a number and as bits: `1.5 (0x3fc0)`. Bits that encode nothing say so.
///
/// ```
/// use roundproof_exact::Value;
/// use roundproof_format::{Encoding, Format};
///
/// let value = Value { format: Format::BFLOAT16, encoding: Encoding::from_bits(0x3fc0) };
/// assert_eq!(value.to_string(), "1.5 (0x3fc0)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// The format.
    pub format: Format,
    /// The bits.
    pub encoding: Encoding,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&exact_decimal(self.format, self.encoding))?;
        if decode(self.format, self.encoding).is_some() { write!(f, " ({:#x})", self.encoding) } else { Ok(()) }
    }
}
