//! What a loop asks of a format.

use std::fmt;

use roundproof_format::{Format, RoundingMode};

/// A format whose arithmetic the host can do. The trait is sealed; `H::Bits` is the unsigned integer of its width.
pub trait Hardware: Lane {}

impl<L: Lane> Hardware for L {}

/// Arithmetic of one element, without branches.
///
/// The direction is a constant wherever this is compiled.
pub trait Lane {
    /// An encoding.
    type Bits: Copy + Default + Eq + fmt::Debug + Into<u128> + TryFrom<u128> + Send + Sync;

    /// The format.
    const FORMAT: Format;

    fn negate(a: Self::Bits) -> Self::Bits;

    fn sum(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> Self::Bits;

    /// The product, and whether it is left to [`Arithmetic`](crate::Arithmetic).
    fn product(mode: RoundingMode, a: Self::Bits, b: Self::Bits) -> (Self::Bits, bool);
}
