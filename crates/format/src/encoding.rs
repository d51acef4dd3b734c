//! The bits of a datum.

use std::fmt;

/// The bits of a datum of some [`Format`](crate::Format), in the low bits of 128.
///
/// An encoding means nothing without its format, and two encodings of one value (the zeros) differ: comparing
/// encodings is the sharp comparison, comparing values the blunt one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Encoding(u128);

impl Encoding {
    /// The encoding with these bits.
    pub const fn from_bits(bits: u128) -> Encoding {
        Encoding(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::LowerHex for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}
