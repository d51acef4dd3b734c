//! Constants of affine maps: reciprocals of divisors, and what a batch normalization multiplies by.

use roundproof_exact::{Integer, Parts, Rational, parts, power_of_two, real};
use roundproof_format::{Encoding, Format};
use roundproof_network::Encodings;

use crate::fixed::{Fixed, Magnitude};

/// Bits of these constants. They are loosened by far more.
const CONSTANT_BITS: u32 = 54;

/// Factors, and what roots are taken of, are within `2^-100` and `2^100`: none of what they are made of is subnormal.
const MODERATE: i64 = 100;

/// The reciprocals of constants, and whether all of them are powers of two; none if one is zero, or has no normal reciprocal.
pub(crate) fn reciprocals(format: Format, values: &Encodings) -> Option<(Fixed, bool)> {
    let emin = i64::from(format.emin()?);
    let (mut all, mut powers) = (Vec::with_capacity(values.len()), true);
    for value in values.iter() {
        let Parts { negative, significand, exponent } = parts(format, value)?;
        if significand == 0 {
            return None;
        }
        let trailing = significand.trailing_zeros();
        let (odd, exponent) = (significand >> trailing, exponent + i64::from(trailing));
        let length = odd.ilog2() + 1;
        // The value and its reciprocal are normal.
        let leading = exponent + i64::from(length) - 1;
        if leading < emin || -leading - 1 < emin {
            return None;
        }
        powers &= odd == 1;
        let by = (CONSTANT_BITS + length).min(127);
        let low = (1u128 << by) / odd;
        let high = low + u128::from(odd != 1);
        all.push(Magnitude { negative, low, high, exponent: i32::try_from(-exponent).ok()? - by as i32 });
    }
    Some((Fixed::align(&all, CONSTANT_BITS)?, powers))
}

/// `scale / sqrt(variance + epsilon)` for each channel; none if a variance plus epsilon is not a positive number, or a factor is far
/// from what the format has.
pub(crate) fn factors(format: Format, scale: &Encodings, variance: &Encodings, epsilon: Encoding) -> Option<Fixed> {
    let epsilon = real(Format::BINARY32, epsilon)?;
    let mut all = Vec::with_capacity(scale.len());
    for (scale, variance) in scale.iter().zip(variance.iter()) {
        let (scale, spread) = (real(format, scale)?, real(format, variance)? + &epsilon);
        if spread <= 0 {
            return None;
        }
        if scale == 0 {
            all.push(Magnitude { negative: false, low: 0, high: 0, exponent: 0 });
            continue;
        }
        let square = Rational::from(&scale * &scale) / &spread;
        let moderate =
            |value: &Rational, exponent: i64| *value >= power_of_two(-exponent) && *value <= power_of_two(exponent);
        if !moderate(&spread, MODERATE) || !moderate(&square, 2 * MODERATE) {
            return None;
        }
        // The square times 4^by has about twice as many bits as the root is to have.
        let length = i64::from(square.numer().significant_bits()) - i64::from(square.denom().significant_bits());
        let by = i64::from(CONSTANT_BITS) - length.div_euclid(2);
        let scaled: Rational = square * power_of_two(2 * by);
        let root = Integer::from(scaled.floor().numer().sqrt_ref()).to_u128()?;
        all.push(Magnitude { negative: scale < 0, low: root, high: root + 1, exponent: i32::try_from(-by).ok()? });
    }
    Fixed::align(&all, CONSTANT_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encodings(format: Format, values: &[&str]) -> Encodings {
        let encode = |text: &&str| {
            let number = roundproof_exact::parse_number(text).expect("a number");
            number.round(format, roundproof_exact::RoundingMode::TiesToEven, roundproof_exact::Overflow::Ieee).encoding
        };
        Encodings::collect(format, values.iter().map(encode))
    }

    #[test]
    fn reciprocals_are_enclosed() {
        let format = Format::BINARY32;
        let values = encodings(format, &["3", "-0.1", "1e20", "16"]);
        let (fixed, powers) = reciprocals(format, &values).expect("all have one");
        assert!(!powers);
        let unit = power_of_two(fixed.unit.into());
        for (index, value) in values.iter().enumerate() {
            let exact = real(format, value).expect("finite").recip();
            assert!(
                Rational::from(fixed.low[index]) * &unit <= exact && exact <= Rational::from(fixed.high[index]) * &unit
            );
        }
        assert!(reciprocals(format, &encodings(format, &["0.5", "-4"])).expect("both have one").1);
        assert_eq!(reciprocals(format, &encodings(format, &["0"])), None);
        assert_eq!(reciprocals(format, &encodings(format, &["1e38"])), None);
        assert_eq!(reciprocals(format, &encodings(format, &["1e-40"])), None);
    }

    #[test]
    fn factors_are_enclosed() {
        let format = Format::BINARY32;
        let scale = encodings(format, &["3", "-0.1", "0", "7e-9"]);
        let variance = encodings(format, &["2", "0.015625", "1", "1e6"]);
        let epsilon = encodings(format, &["1e-5"]).get(0);
        let fixed = factors(format, &scale, &variance, epsilon).expect("positive");
        let unit = power_of_two(fixed.unit.into());
        for index in 0..4 {
            let scale = real(format, scale.get(index)).expect("finite");
            let spread = real(format, variance.get(index)).expect("finite") + real(format, epsilon).expect("finite");
            // Squares compare as magnitudes do.
            let ends = [fixed.low[index], fixed.high[index]].map(|end| (Rational::from(end) * &unit).abs());
            let (low, high) = (ends[0].clone().min(ends[1].clone()), ends[0].clone().max(ends[1].clone()));
            let square = Rational::from(&scale * &scale) / spread;
            assert!(low.clone() * low <= square && square <= high.clone() * high, "{index}");
            assert_eq!(fixed.low[index] < 0, scale < 0);
        }
        let negative = encodings(format, &["-1"]);
        assert_eq!(factors(format, &negative, &negative, epsilon), None);
    }
}
