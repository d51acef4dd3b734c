//! How far relative errors add up.

use roundproof_exact::{Integer, Rational};

/// Bits behind the point of what is computed here: `2^(1-p)` has at most as many.
const FRACTION_BITS: u32 = 128;
/// The most bits of a bound that is of any use.
const MOST_BITS: u32 = 1 << 16;

/// At least `(1 + 2^(1-p))^steps`, above it by little; none if that is beyond any use.
///
/// A value that takes part in `steps` roundings to precision `p`, each to one of the two neighbours, grows by at most
/// this factor. The power is formed by squaring, in fixed point, each product rounded up.
pub(crate) fn growth(precision: u32, steps: usize) -> Option<Rational> {
    let one = Integer::from(1) << FRACTION_BITS;
    let base = one.clone() + (Integer::from(1) << (FRACTION_BITS + 1 - precision));
    let times = |a: &Integer, b: &Integer| {
        let product = Integer::from(a * b);
        let up = product + &one - 1u32;
        up >> FRACTION_BITS
    };
    let mut power = one.clone();
    for bit in (0..usize::BITS - steps.leading_zeros()).rev() {
        power = times(&power, &power);
        if steps >> bit & 1 == 1 {
            power = times(&power, &base);
        }
        if power.significant_bits() > MOST_BITS {
            return None;
        }
    }
    Some(Rational::from((power, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_upper_bound_and_a_close_one() {
        for precision in [1, 2, 3, 8, 24, 113] {
            let base = Rational::from(1) + roundproof_exact::power_of_two(1 - i64::from(precision));
            let mut exact = Rational::from(1);
            for steps in 0..70 {
                let bound = growth(precision, steps).expect("small");
                assert!(bound >= exact);
                assert!(bound - &exact <= roundproof_exact::power_of_two(-40) * &exact);
                exact *= &base;
            }
        }
        assert_eq!(growth(1, 1 << 20), None);
    }
}
