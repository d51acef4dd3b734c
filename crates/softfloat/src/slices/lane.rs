//! What a loop asks of a format.

use roundproof_format::RoundingMode;

use crate::Standard;

/// A format whose arithmetic the host can do. The trait is sealed.
pub trait Hardware: Lane {}

impl<L: Lane> Hardware for L {}

/// Arithmetic of one element, without branches.
///
/// The direction is a constant wherever this is compiled.
pub trait Lane: Standard {
    fn negate(a: Self::Bits) -> Self::Bits;

    fn sum(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> Self::Bits;

    /// The product, and whether it is left to [`Arithmetic`](crate::Arithmetic).
    fn product(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> (Self::Bits, bool);
}
