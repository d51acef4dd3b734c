//! Numbers that are not negative, rounded up.

/// At least what it stands for: `significand 2^exponent`, with a significand of exactly [`BITS`] bits, or zero.
///
/// Each operation gives a number that is at least as large as that of what it is given, and larger by a factor of at most `1 + 2^-60`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Upper {
    // Compared in this order. Of zero, the least exponent that there is.
    exponent: i64,
    significand: u64,
}

const BITS: u32 = 62;

impl Upper {
    pub const ZERO: Upper = Upper { exponent: i64::MIN, significand: 0 };

    /// `n 2^exponent`.
    pub fn new(n: u128, exponent: i64) -> Upper {
        if n == 0 {
            return Upper::ZERO;
        }
        let length = u128::BITS - n.leading_zeros();
        let (significand, shift) = match length.checked_sub(BITS) {
            Some(down) => (ceiling(n, down), i64::from(down)),
            None => (n << (BITS - length), -i64::from(BITS - length)),
        };
        match u64::try_from(significand) {
            Ok(significand) if significand >> BITS == 0 => Upper { exponent: exponent + shift, significand },
            // Rounded up to the next power of two.
            Ok(_) | Err(_) => Upper { exponent: exponent + shift + 1, significand: 1 << (BITS - 1) },
        }
    }

    pub fn plus(self, other: Upper) -> Upper {
        let (large, small) = if self > other { (self, other) } else { (other, self) };
        if small.significand == 0 {
            return large;
        }
        let down = u32::try_from(large.exponent - small.exponent).unwrap_or(u32::MAX).min(127);
        let sum = u128::from(large.significand) + ceiling(small.significand.into(), down);
        Upper::new(sum, large.exponent)
    }

    pub fn times(self, other: Upper) -> Upper {
        if self.significand == 0 || other.significand == 0 {
            return Upper::ZERO;
        }
        Upper::new(u128::from(self.significand) * u128::from(other.significand), self.exponent + other.exponent)
    }

    /// The square root.
    pub fn root(self) -> Upper {
        if self.significand == 0 {
            return self;
        }
        let odd = self.exponent.rem_euclid(2);
        let square = u128::from(self.significand) << (64 + odd);
        let root = square.isqrt();
        Upper::new(root + u128::from(root * root != square), (self.exponent - odd - 64) / 2)
    }

    /// How many units of `2^unit` are at least as much; none if these are `2^124` or more.
    pub fn units(self, unit: i32) -> Option<u128> {
        let significand = u128::from(self.significand);
        match self.exponent.saturating_sub(unit.into()) {
            _ if significand == 0 => Some(0),
            up @ 0..=62 => Some(significand << up),
            63.. => None,
            down => Some(ceiling(significand, u32::try_from(-down).unwrap_or(u32::MAX).min(127))),
        }
    }

    /// The square root of the sum of the squares of integers times `2^unit`.
    pub fn norm(values: impl Iterator<Item = u64> + Clone, unit: i32) -> Upper {
        // So that 2^31 squares can be added.
        let longest = u64::BITS - values.clone().fold(0, |all, value| all | value).leading_zeros();
        let down = longest.saturating_sub(48);
        let sum: u128 = values.map(|value| ceiling(value.into(), down).pow(2)).sum();
        Upper::new(sum, 2 * (i64::from(unit) + i64::from(down))).root()
    }
}

/// `n / 2^by`, rounded up.
fn ceiling(n: u128, by: u32) -> u128 {
    (n >> by) + u128::from(n & ((1 << by) - 1) != 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use roundproof_exact::{Rational, power_of_two};

    use super::*;

    pub fn rational(upper: Upper) -> Rational {
        match upper.significand {
            0 => Rational::new(),
            significand => Rational::from(significand) * power_of_two(upper.exponent),
        }
    }

    /// At least `exact`, and not much more.
    fn is_near(upper: &Rational, exact: &Rational) -> bool {
        let most = exact * (Rational::from(1) + power_of_two(-60));
        exact <= upper && *upper <= most
    }

    proptest! {
        #[test]
        fn operations_round_up(a: u128, b: u128, by in 0u32..127, apart in -200i64..200) {
            let (a, b) = (a >> by, b);
            let (left, right) = (Upper::new(a, apart), Upper::new(b, 3));
            let exact = [Rational::from(a) * power_of_two(apart), Rational::from(b) * power_of_two(3)];
            prop_assert!(is_near(&rational(left), &exact[0]));
            prop_assert!(is_near(&rational(left.plus(right)), &(rational(left) + rational(right))));
            prop_assert!(is_near(&rational(left.times(right)), &(rational(left) * rational(right))));
            let root = rational(left.root());
            let square = Rational::from(&root * &root);
            let most = rational(left) * (Rational::from(1) + power_of_two(-58));
            prop_assert!(rational(left) <= square && square <= most);
            prop_assert_eq!(left < right, rational(left) < rational(right));
            for unit in [-100, -3, 40, 90] {
                if let Some(units) = left.units(unit) {
                    let value = Rational::from(units) * power_of_two(unit.into());
                    prop_assert!(rational(left) <= value && value < rational(left) + power_of_two(unit.into()));
                } else {
                    prop_assert!(rational(left) >= power_of_two(i64::from(unit) + 124));
                }
            }
        }

        #[test]
        fn norms_are_not_below(values: Vec<u64>, by in 0u32..64, unit in -50i32..50) {
            let values: Vec<u64> = values.into_iter().map(|value| value >> by).collect();
            let exact: Rational = values.iter().map(|&value| Rational::from(value) * value).sum::<Rational>();
            let exact = exact * power_of_two(2 * i64::from(unit));
            let norm = rational(Upper::norm(values.iter().copied(), unit));
            let square = Rational::from(&norm * &norm);
            prop_assert!(exact <= square);
            // Each value is rounded up by less than 2^-47 of the largest.
            let most = Rational::from(1) + Rational::from(values.len().max(1)) * power_of_two(-45);
            prop_assert!(square <= exact * most);
        }
    }

    #[test]
    fn small_cases() {
        assert_eq!(Upper::new(9, 0).root(), Upper::new(3, 0));
        assert_eq!(Upper::norm([3, 4].into_iter(), -7), Upper::new(5, -7));
        assert_eq!(Upper::ZERO.plus(Upper::ZERO), Upper::ZERO);
        assert_eq!(Upper::ZERO.root().times(Upper::new(3, 9)), Upper::ZERO);
        assert!(Upper::ZERO < Upper::new(1, -4000));
        assert_eq!(Upper::new(u128::MAX, 0), Upper::new(1, 128));
        assert_eq!((Upper::ZERO.units(5), Upper::new(1, -900).units(0)), (Some(0), Some(1)));
    }
}
