//! The operations beyond sums and products, compared with the machine's in binary32 and binary64.

use proptest::prelude::*;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::{Arithmetic, Integer, IntegerFormat, compare, copy_sign, total_order};

/// Bits of a float, with exponent fields near the middle and one another half of the time.
fn bits(exponent: u32, trailing: u32) -> impl Strategy<Value = u64> {
    let ones = (1u64 << exponent) - 1;
    let fields = prop_oneof![
        3 => 0..=ones,
        4 => (0u64..140).prop_map(move |k| (ones / 2 - 70 + k) & ones),
        1 => (0u64..3, any::<bool>()).prop_map(move |(k, top)| if top { ones - k } else { k }),
    ];
    let full = (1u64 << trailing) - 1;
    let significands = prop_oneof![
        2 => 0..=full,
        1 => (0..=trailing).prop_map(move |k| full & (full << k)),
        1 => (0..=trailing).prop_map(move |k| full >> k),
        1 => 0u64..3,
    ];
    (any::<bool>(), fields, significands)
        .prop_map(move |(sign, field, low)| u64::from(sign) << (exponent + trailing) | field << trailing | low)
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
                #![proptest_config(ProptestConfig::with_cases(100_000))]

                #[test]
                fn agrees(a in bits($exponent, $trailing), b in bits($exponent, $trailing), n in any::<i128>(), shift in 0..127u32) {
                    let arithmetic = Arithmetic::new($format, Overflow::Ieee).expect("an IEEE format");
                    let [x, y] = [a, b].map(|bits| <$float>::from_bits(bits as _));
                    let [a, b] = [a, b].map(|bits| Encoding::from_bits(bits.into()));
                    let even = RoundingMode::TiesToEven;
                    prop_assert_eq!(arithmetic.divide(even, a, b).encoding, encoding(x / y));
                    prop_assert_eq!(arithmetic.square_root(even, a).encoding, encoding(x.sqrt()));
                    let square = encoding(x * x);
                    prop_assert_eq!(arithmetic.square_root(even, square).encoding, encoding((x * x).sqrt()));
                    let product = x * y;
                    prop_assert_eq!(arithmetic.divide(even, encoding(product), a).encoding, encoding(product / x));
                    for (mode, integral) in [
                        (RoundingMode::TiesToEven, x.round_ties_even()),
                        (RoundingMode::TiesToAway, x.round()),
                        (RoundingMode::TowardPositive, x.ceil()),
                        (RoundingMode::TowardNegative, x.floor()),
                        (RoundingMode::TowardZero, x.trunc()),
                    ] {
                        prop_assert_eq!(arithmetic.round_to_integral(mode, a).encoding, encoding(integral));
                    }
                    // The machine's remainder is that of division toward zero: it differs by one divisor or none.
                    let rest = arithmetic.remainder(a, b).encoding;
                    let truncated = x % y;
                    let one_less = if (truncated < 0.0) == (y < 0.0) { truncated - y } else { truncated + y };
                    prop_assert!(rest == encoding(truncated) || rest == encoding(one_less));
                    let n = n >> shift;
                    prop_assert_eq!(arithmetic.from_integer(even, n).encoding, encoding(n as $float));
                    prop_assert_eq!(arithmetic.from_unsigned(even, n as u128).encoding, encoding(n as u128 as $float));
                    let to = |bits, signed| {
                        let to = IntegerFormat::new(bits, signed).expect("a width");
                        arithmetic.to_integer(RoundingMode::TowardZero, a, to, false).0
                    };
                    prop_assert_eq!(to(8, true), Integer::Signed((x as i8).into()));
                    prop_assert_eq!(to(64, true), Integer::Signed((x as i64).into()));
                    prop_assert_eq!(to(128, true), Integer::Signed(x as i128));
                    prop_assert_eq!(to(32, false), Integer::Unsigned((x as u32).into()));
                    prop_assert_eq!(to(128, false), Integer::Unsigned(x as u128));
                    prop_assert_eq!(compare($format, a, b), x.partial_cmp(&y));
                    prop_assert_eq!(total_order($format, a, b), x.total_cmp(&y).is_le());
                    prop_assert_eq!(copy_sign($format, a, b).bits(), u128::from(x.copysign(y).to_bits()));
                }
            }
        }
    };
}

peer!(binary32, f32, Format::BINARY32, 8, 23);
peer!(binary64, f64, Format::BINARY64, 11, 52);
