//! The dot product with a wider accumulator.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use roundproof_format::{Encoding, RoundingMode};

use super::lane::{Hardware, Lane};
use super::{BLOCK, LengthMismatch};
use crate::{Bfloat16, Binary16, Binary32, Binary64, Float8E3m4, Float8E4m3, Float8E5m2, Standard};

/// A format whose products can be summed in the format `A`, which has all its values. The trait is sealed.
pub trait AccumulateIn<A: Lane>: Sums<A> + Hardware {}

impl<A: Lane, L: Sums<A> + Hardware> AccumulateIn<A> for L {}

/// Sums of products of widened elements.
pub trait Sums<A: Lane>: Lane {
    /// `sum`, and after it each product in order.
    fn products_after(sum: A::Bits, a: &[Self::Bits], b: &[Self::Bits]) -> A::Bits;
}

macro_rules! sums {
    ($($name:ident in $wide:ident, $float:ty, $widen:expr;)+) => { $(
        impl Sums<$wide> for $name {
            #[inline(always)]
            fn products_after(sum: <$wide as Standard>::Bits, a: &[Self::Bits], b: &[Self::Bits]) -> <$wide as Standard>::Bits {
                let widen: fn(Self::Bits) -> $float = $widen;
                let mut sum = <$float>::from_bits(sum);
                for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
                    // The sums have to wait for one another, the products do not.
                    let mut products = [<$float>::default(); BLOCK];
                    for ((&a, &b), product) in a.iter().zip(b).zip(&mut products) {
                        *product = widen(a) * widen(b);
                    }
                    for product in &products[..a.len()] {
                        sum += product;
                    }
                }
                sum.to_bits()
            }
        }
    )+ };
}

sums! {
    Float8E3m4 in Binary32, f32, |a| f32::from_bits(Float8E3m4::widen(a));
    Float8E4m3 in Binary32, f32, |a| f32::from_bits(Float8E4m3::widen(a));
    Float8E5m2 in Binary32, f32, |a| f32::from_bits(Float8E5m2::widen(a));
    Binary16 in Binary32, f32, |a| f32::from_bits(Binary16::widen(a));
    Bfloat16 in Binary32, f32, |a| f32::from_bits(Bfloat16::widen(a));
    Binary16 in Binary64, f64, |a| f32::from_bits(Binary16::widen(a)).into();
    Bfloat16 in Binary64, f64, |a| f32::from_bits(Bfloat16::widen(a)).into();
    Binary32 in Binary64, f64, |a| f32::from_bits(a).into();
}

/// The dot product of elements of the format `H`: every element is converted to the wider format `A`; from +0, each
/// product is added in order, products and sums rounded in `A`, ties to even; at the end `mode` rounds to `H`.
///
/// The products are exact in `A`, but for those of bfloat16 that underflow in binary32.
///
/// ```
/// use roundproof_format::RoundingMode;
/// use roundproof_softfloat::{Binary16, Binary32, slices};
///
/// // 256 * 256 overflows binary16, but is taken away again.
/// let (a, b) = ([0x5c00, 0x5c00, 0x3c00], [0x5c00, 0xdc00, 0x3c00]);
/// assert_eq!(slices::dot::<Binary16, Binary32>(RoundingMode::TiesToEven, &a, &b), Ok(0x3c00));
/// ```
///
/// # Errors
///
/// If the lengths differ.
pub fn dot<H: AccumulateIn<A>, A: Hardware>(
    mode: RoundingMode,
    a: &[H::Bits],
    b: &[H::Bits],
) -> Result<H::Bits, LengthMismatch> {
    if a.len() != b.len() {
        return Err(LengthMismatch { expected: a.len(), found: b.len() });
    }
    let sum = Arch::new().dispatch(Dot::<H, A> { a, b, accumulator: PhantomData });
    let rounded = H::ARITHMETIC.convert(mode, A::FORMAT, Encoding::from_bits(sum.into())).encoding;
    Ok(rounded.bits().try_into().unwrap_or_default())
}

struct Dot<'a, H: Hardware, A> {
    a: &'a [H::Bits],
    b: &'a [H::Bits],
    accumulator: PhantomData<A>,
}

impl<H: AccumulateIn<A>, A: Hardware> WithSimd for Dot<'_, H, A> {
    type Output = A::Bits;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> A::Bits {
        H::products_after(A::Bits::default(), self.a, self.b)
    }
}
