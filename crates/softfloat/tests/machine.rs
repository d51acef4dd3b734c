//! A peer: the machine's own binary32 and binary64, which round ties to even.

use proptest::prelude::*;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::{Arithmetic, relu, step};

/// Bits of a float of `1 + exponent + trailing` bits, gathered where things happen: fields of all zeros, all ones, and
/// near them, exponents close to one another.
fn bits(exponent: u32, trailing: u32) -> impl Strategy<Value = u64> {
    let ones = (1u64 << exponent) - 1;
    let fields = prop_oneof![
        3 => 0..=ones,
        2 => (0u64..5).prop_map(move |k| ones / 2 - 2 + k),
        1 => (0u64..3, any::<bool>()).prop_map(move |(k, top)| if top { ones - k } else { k }),
        1 => (0u64..6).prop_map(move |k| ones / 2 - u64::from(trailing) - 2 + k),
    ];
    let full = (1u64 << trailing) - 1;
    let significands = prop_oneof![
        2 => 0..=full,
        1 => (0..=trailing).prop_map(move |k| full & (full << k)),
        1 => (0..=trailing).prop_map(move |k| full >> k),
        1 => (0..trailing).prop_map(|k| 1 << k),
        1 => (0u64..3).prop_map(move |k| k | 1 << (trailing - 1)),
    ];
    (any::<bool>(), fields, significands).prop_map(move |(sign, field, significand)| {
        u64::from(sign) << (exponent + trailing) | field << trailing | significand
    })
}

macro_rules! peer {
    ($name:ident, $float:ty, $format:expr, $exponent:literal, $trailing:literal) => {
        mod $name {
            use super::*;

            fn encoding(x: $float) -> Encoding {
                // The machine's NaN can be negative; ours is the canonical one.
                if x.is_nan() { $format.nan().expect("a NaN") } else { Encoding::from_bits(x.to_bits().into()) }
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(200_000))]

                #[test]
                fn agrees(a in bits($exponent, $trailing), b in bits($exponent, $trailing), c in bits($exponent, $trailing)) {
                    let arithmetic = Arithmetic::new($format, Overflow::Ieee).expect("an IEEE format");
                    let [x, y, z] = [a, b, c].map(|bits| <$float>::from_bits(bits as _));
                    let [a, b, c] = [a, b, c].map(|bits| Encoding::from_bits(bits.into()));
                    let mode = RoundingMode::TiesToEven;
                    prop_assert_eq!(arithmetic.add(mode, a, b).encoding, encoding(x + y));
                    prop_assert_eq!(arithmetic.subtract(mode, a, b).encoding, encoding(x - y));
                    prop_assert_eq!(arithmetic.multiply(mode, a, b).encoding, encoding(x * y));
                    prop_assert_eq!(arithmetic.fused_multiply_add(mode, a, b, c).encoding, encoding(x.mul_add(y, z)));
                    // An addend that cancels most of the product.
                    let near = -(x * y);
                    prop_assert_eq!(
                        arithmetic.fused_multiply_add(mode, a, b, encoding(near)).encoding,
                        encoding(x.mul_add(y, near))
                    );
                    prop_assert_eq!(step($format, a), encoding(if x >= 0.0 { 1.0 } else { 0.0 }));
                    prop_assert_eq!(relu($format, a), encoding(if x > 0.0 || x.is_nan() { x } else { 0.0 }));
                }
            }
        }
    };
}

peer!(binary32, f32, Format::BINARY32, 8, 23);
peer!(binary64, f64, Format::BINARY64, 11, 52);

fn is_binary32_nan(bits: u64) -> bool {
    f32::from_bits(bits as u32).is_nan()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200_000))]

    #[test]
    fn conversions_agree(wide in bits(11, 52), narrow in bits(8, 23)) {
        let mode = RoundingMode::TiesToEven;
        let to32 = Arithmetic::new(Format::BINARY32, Overflow::Ieee).expect("an IEEE format");
        let to64 = Arithmetic::new(Format::BINARY64, Overflow::Ieee).expect("an IEEE format");
        let double = f64::from_bits(wide);
        if !double.is_nan() {
            let ours = to32.convert(mode, Format::BINARY64, Encoding::from_bits(wide.into())).encoding;
            prop_assert_eq!(ours, Encoding::from_bits((double as f32).to_bits().into()));
        }
        if !is_binary32_nan(narrow) {
            let ours = to64.convert(mode, Format::BINARY32, Encoding::from_bits(narrow.into())).encoding;
            let single = f32::from_bits(narrow as u32);
            prop_assert_eq!(ours, Encoding::from_bits(f64::from(single).to_bits().into()));
        }
    }
}
