//! Operations over slices of encodings, on the host's own binary32 and binary64.
//!
//! The result of every element is, bit for bit, the encoding that [`Arithmetic`] gives under
//! [`Overflow::Ieee`](roundproof_format::Overflow::Ieee). There are no status flags. The loops have no branches, so the
//! compiler makes vector instructions of them, the best that the processor has, found at run time. As everywhere in
//! Rust, the floating-point environment is the default one: ties to even, no flushing of subnormals.
//!
//! # Why the results are the same
//!
//! Below, `r` is the host's result, ties to even, and the *error* is the exact result less `r`. Its sign tells on which
//! side of `r` the exact result lies, so both neighbours of that are known, and every direction is a choice between the
//! two. A tie is found by comparing twice the error with the distance to the neighbour beyond.
//!
//! - **Sums** of binary32 and binary64. The error of a sum that does not overflow is a value of the format, subnormal
//!   or not, and three operations give it when the operand larger in magnitude comes first (Dekker 1971; Muller et al.,
//!   *Handbook of Floating-Point Arithmetic*, 2nd edition, 4.3.1). A sum that overflows gives an infinite error of the
//!   opposite sign: the neighbours are the largest finite value and infinity.
//! - **Products** of binary32. Significands of 24 bits give at most 48, and exponents stay within those of binary64:
//!   the product is exact there. So is its difference from `r`, a multiple of the last place of the product that is not
//!   larger than it; or infinite, as above.
//! - **Products** of binary64. The significands, as values in [1, 2), have a product of two binary64 values, by
//!   Dekker's algorithm: each factor is cut into two of 26 bits, whose products are exact. While `r` is normal its
//!   error has the sign of theirs. A product below 2^-1076 lies between zero and the least value. Other products with a
//!   subnormal operand or result are left to [`Arithmetic`].
//! - **binary16, bfloat16 and narrower formats**, whose values binary32 has all. Rounding twice, first to binary32, is
//!   innocuous for sums because 24 >= 2p + 2 for p <= 11 (Figueroa, *When is double rounding innocuous?*, 1995); sums
//!   below the normal range of either format are exact in both. Products of binary16 are exact in binary32: 22 bits,
//!   and multiples of 2^-48. Products of bfloat16 have 16 bits, and are inexact in binary32 only where its last place
//!   is fixed at 2^-149. To be rounded there to a tie of bfloat16, which is at least 2^-134, without being one, a
//!   product would need a last place of 2^-150 or less, thus be 2^-134 - 2^-150, and 2^16 - 1 is not a product of integers
//!   below 2^8. In the other directions the first rounding is to odd: toward zero, with the last bit set if inexact.
//!   Rounding after it is that of the exact result, because binary32 has two bits more, and a smaller least value
//!   (Boldo and Melquiond, *Emulation of FMA and correctly rounded sums*, 2008).
//!
//! [`affine`] keeps the values of narrower formats in binary32 between operations, rounded there to the places of the format,
//! and NaNs as the host makes them until a sum is done.
//!
//! The narrower formats have less in every respect than binary16. For all of these the tests enumerate every pair of
//! encodings; for 16 bits those are slow, and ignored by default.

mod affine;
mod dot;
mod lane;
mod narrow;
mod wide;

use std::fmt;
use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use roundproof_format::{Encoding, RoundingMode};

use crate::Arithmetic;

pub use affine::{Block, Rows, affine};
pub use dot::{AccumulateIn, dot};
pub use lane::Hardware;

/// Elements that are computed together.
const BLOCK: usize = 64;

/// Slices of different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    /// The length of the first operand, which the others should have.
    pub expected: usize,
    /// The first other length.
    pub found: usize,
}

impl fmt::Display for LengthMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slices of {} and of {} elements", self.expected, self.found)
    }
}

impl std::error::Error for LengthMismatch {}

macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident, $faithful:ident, $operation:ident;)+) => { $(
        $(#[$meta])*
        ///
        /// # Errors
        ///
        /// If the lengths differ.
        pub fn $name<H: Hardware>(
            mode: RoundingMode,
            a: &[H::Bits],
            b: &[H::Bits],
            out: &mut [H::Bits],
        ) -> Result<(), LengthMismatch> {
            match mode {
                RoundingMode::TiesToEven => run::<H, $operation, TiesToEven, 1>(a, b, [out]),
                RoundingMode::TiesToAway => run::<H, $operation, TiesToAway, 1>(a, b, [out]),
                RoundingMode::TowardPositive => run::<H, $operation, TowardPositive, 1>(a, b, [out]),
                RoundingMode::TowardNegative => run::<H, $operation, TowardNegative, 1>(a, b, [out]),
                RoundingMode::TowardZero => run::<H, $operation, TowardZero, 1>(a, b, [out]),
            }
        }

        #[doc = concat!("[`", stringify!($name), "`] toward negative and toward positive at once: the faithful pair.")]
        ///
        /// # Errors
        ///
        /// If the lengths differ.
        pub fn $faithful<H: Hardware>(
            a: &[H::Bits],
            b: &[H::Bits],
            below: &mut [H::Bits],
            above: &mut [H::Bits],
        ) -> Result<(), LengthMismatch> {
            run::<H, $operation, Faithful, 2>(a, b, [below, above])
        }
    )+ };
}

operations! {
    /// `a + b` of each pair of elements.
    ///
    /// ```
    /// use roundproof_format::RoundingMode;
    /// use roundproof_softfloat::{Bfloat16, slices};
    ///
    /// // 1 + 2^-8 lies half way between 1 and its successor.
    /// let (a, b, mut sum) = ([0x3f80; 3], [0x3b80; 3], [0; 3]);
    /// slices::add::<Bfloat16>(RoundingMode::TiesToAway, &a, &b, &mut sum)?;
    /// assert_eq!(sum, [0x3f81; 3]);
    /// # Ok::<(), slices::LengthMismatch>(())
    /// ```
    add, add_faithful, Add;
    /// `a - b` of each pair of elements.
    subtract, subtract_faithful, Subtract;
    /// `a * b` of each pair of elements.
    multiply, multiply_faithful, Multiply;
}

/// [`relu`](crate::relu) of each element, in place.
#[inline(always)]
pub fn relu<H: Hardware>(elements: &mut [H::Bits]) {
    elements.iter_mut().for_each(|element| *element = H::relu(*element));
}

/// [`step`](crate::step) of each element, in place.
#[inline(always)]
pub fn step<H: Hardware>(elements: &mut [H::Bits]) {
    elements.iter_mut().for_each(|element| *element = H::step(*element));
}

trait Operation {
    fn lane<H: Hardware>(mode: RoundingMode, a: H::Bits, b: H::Bits) -> (H::Bits, bool);

    /// What is left to [`Arithmetic`].
    fn scalar(arithmetic: &Arithmetic, mode: RoundingMode, a: Encoding, b: Encoding) -> Encoding;
}

macro_rules! operation {
    ($name:ident, $method:ident, $lane:expr) => {
        struct $name;

        impl Operation for $name {
            #[inline(always)]
            fn lane<H: Hardware>(mode: RoundingMode, a: H::Bits, b: H::Bits) -> (H::Bits, bool) {
                let lane: fn(RoundingMode, H::Bits, H::Bits) -> (H::Bits, bool) = $lane;
                lane(mode, a, b)
            }

            fn scalar(arithmetic: &Arithmetic, mode: RoundingMode, a: Encoding, b: Encoding) -> Encoding {
                arithmetic.$method(mode, a, b).encoding
            }
        }
    };
}

operation!(Add, add, |mode, a, b| (H::sum(mode, a, b), false));
operation!(Subtract, subtract, |mode, a, b| (H::sum(mode, a, H::negate(b)), false));
operation!(Multiply, multiply, H::product);

/// One direction or several, known when the loop is compiled.
trait Directions<const N: usize> {
    const MODES: [RoundingMode; N];
}

macro_rules! directions {
    ($($name:ident: $count:literal = [$($mode:ident),+];)+) => { $(
        struct $name;

        impl Directions<$count> for $name {
            const MODES: [RoundingMode; $count] = [$(RoundingMode::$mode),+];
        }
    )+ };
}

directions! {
    TiesToEven: 1 = [TiesToEven];
    TiesToAway: 1 = [TiesToAway];
    TowardPositive: 1 = [TowardPositive];
    TowardNegative: 1 = [TowardNegative];
    TowardZero: 1 = [TowardZero];
    Faithful: 2 = [TowardNegative, TowardPositive];
}

fn run<H: Hardware, O: Operation, D: Directions<N>, const N: usize>(
    a: &[H::Bits],
    b: &[H::Bits],
    out: [&mut [H::Bits]; N],
) -> Result<(), LengthMismatch> {
    let expected = a.len();
    let mut lengths = std::iter::once(b.len()).chain(out.iter().map(|out| out.len()));
    if let Some(found) = lengths.find(|&found| found != expected) {
        return Err(LengthMismatch { expected, found });
    }
    Arch::new().dispatch(Loop::<H, O, D, N> { a, b, out, marker: PhantomData });
    Ok(())
}

struct Loop<'a, H: Hardware, O, D, const N: usize> {
    a: &'a [H::Bits],
    b: &'a [H::Bits],
    out: [&'a mut [H::Bits]; N],
    marker: PhantomData<(O, D)>,
}

impl<H: Hardware, O: Operation, D: Directions<N>, const N: usize> WithSimd for Loop<'_, H, O, D, N> {
    type Output = ();

    /// Compiled once for each set of vector instructions.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Loop { a, b, out, .. } = self;
        let ((a, last_a), (b, last_b)) = (a.as_chunks::<BLOCK>(), b.as_chunks::<BLOCK>());
        let mut out = out.map(|out| out.as_chunks_mut::<BLOCK>());
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            block::<H, O, D, N>(a, b, out.each_mut().map(|(blocks, _)| &mut blocks[i]));
        }
        if !last_a.is_empty() {
            let mut blocks = [[H::Bits::default(); BLOCK]; N];
            block::<H, O, D, N>(&filled(last_a), &filled(last_b), blocks.each_mut());
            for ((_, last), block) in out.into_iter().zip(blocks) {
                last.copy_from_slice(&block[..last.len()]);
            }
        }
    }
}

fn filled<B: Copy + Default>(last: &[B]) -> [B; BLOCK] {
    let mut block = [B::default(); BLOCK];
    block[..last.len()].copy_from_slice(last);
    block
}

#[inline(always)]
fn block<H: Hardware, O: Operation, D: Directions<N>, const N: usize>(
    a: &[H::Bits; BLOCK],
    b: &[H::Bits; BLOCK],
    mut out: [&mut [H::Bits; BLOCK]; N],
) {
    let mut left = [false; BLOCK];
    for i in 0..BLOCK {
        for (out, mode) in out.iter_mut().zip(D::MODES) {
            (out[i], left[i]) = O::lane::<H>(mode, a[i], b[i]);
        }
    }
    if left.contains(&true) {
        leave::<H, O, D, N, BLOCK>(a, b, out, &left);
    }
}

/// Leaves some elements to [`Arithmetic`].
#[cold]
fn leave<H: Hardware, O: Operation, D: Directions<N>, const N: usize, const L: usize>(
    a: &[H::Bits; L],
    b: &[H::Bits; L],
    mut out: [&mut [H::Bits; L]; N],
    left: &[bool; L],
) {
    for i in (0..L).filter(|&i| left[i]) {
        let [a, b] = [a[i], b[i]].map(|bits| Encoding::from_bits(bits.into()));
        for (out, mode) in out.iter_mut().zip(D::MODES) {
            let bits = O::scalar(H::ARITHMETIC, mode, a, b).bits();
            out[i] = bits.try_into().unwrap_or_default();
        }
    }
}
