//! Rounding directions, overflow policies, subnormal handling and status flags.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;

/// Declares an enum of named choices with `ALL`, `name`, `Display` and `FromStr`, so that every choice has one spelling.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every choice, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The spelling used on the command line and in certificates.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.name()) }
        }

        impl FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                Self::ALL.iter().copied().find(|c| c.name() == text)
                    .ok_or_else(|| ParseError::unknown($what, text, Self::ALL.iter().map(|c| c.name())))
            }
        }
    };
}

named! {
    /// The five rounding-direction attributes of IEEE 754-2019, clause 4.3.
    RoundingMode, "rounding direction" {
        /// roundTiesToEven (SMT-LIB RNE, MPFR `Nearest`, Flocq `mode_NE`).
        TiesToEven = "ties-to-even",
        /// roundTiesToAway (SMT-LIB RNA, Flocq `mode_NA`; MPFR has none).
        TiesToAway = "ties-to-away",
        /// roundTowardPositive (SMT-LIB RTP, MPFR `Up`, Flocq `mode_UP`).
        TowardPositive = "toward-positive",
        /// roundTowardNegative (SMT-LIB RTN, MPFR `Down`, Flocq `mode_DN`).
        TowardNegative = "toward-negative",
        /// roundTowardZero (SMT-LIB RTZ, MPFR `Zero`, Flocq `mode_ZR`).
        TowardZero = "toward-zero",
    }
}

impl RoundingMode {
    /// Whether it rounds to a nearest value: one of the two directions that differ in ties alone.
    #[inline]
    pub const fn is_nearest(self) -> bool {
        match self {
            RoundingMode::TiesToEven | RoundingMode::TiesToAway => true,
            RoundingMode::TowardPositive | RoundingMode::TowardNegative | RoundingMode::TowardZero => false,
        }
    }
}

named! {
    /// What a rounding gives for a real beyond the largest finite value.
    ///
    /// A result *overflows* when, rounded in the given direction as if the exponent were unbounded (IEEE 754-2019,
    /// clause 7.4), it exceeds the largest finite value. A direction that points back to the finite values then gives
    /// the largest finite value under every policy; the others give what the policy names.
    Overflow, "overflow policy" {
        /// Infinity. Only for formats with infinities.
        Ieee = "ieee",
        /// The largest finite value; an infinite operand of a conversion becomes it too.
        Saturate = "saturate",
        /// NaN. Only for formats with NaN.
        Nan = "nan",
    }
}

named! {
    /// How subnormal values are treated.
    Subnormals, "subnormal handling" {
        /// Gradual underflow, as IEEE 754 has it.
        Gradual = "gradual",
        /// Every subnormal result, and every subnormal operand, may be replaced by a zero of its sign.
        Flush = "flush",
    }
}

/// The status flags of IEEE 754-2019, clause 7, as a set. Underflow is detected after rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct Status(u8);

impl Status {
    /// No exception.
    pub const NONE: Status = Status(0);
    /// Invalid operation (7.2).
    pub const INVALID: Status = Status(1);
    /// Division by zero (7.3).
    pub const DIVIDE_BY_ZERO: Status = Status(2);
    /// Overflow (7.4), under every [`Overflow`] policy.
    pub const OVERFLOW: Status = Status(4);
    /// Underflow (7.5): tiny after rounding, and inexact.
    pub const UNDERFLOW: Status = Status(8);
    /// Inexact (7.6).
    pub const INEXACT: Status = Status(16);

    /// Whether every flag of `other` is raised.
    pub const fn contains(self, other: Status) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags if `raised`, else none.
    #[inline]
    pub const fn when(self, raised: bool) -> Status {
        Status(self.0 * raised as u8)
    }

    /// The flags raised in either set.
    #[inline]
    pub const fn union(self, other: Status) -> Status {
        Status(self.0 | other.0)
    }
}

impl std::ops::BitOr for Status {
    type Output = Status;
    fn bitor(self, other: Status) -> Status {
        self.union(other)
    }
}

impl std::ops::BitOrAssign for Status {
    fn bitor_assign(&mut self, other: Status) {
        *self = self.union(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back() {
        for &mode in RoundingMode::ALL {
            assert_eq!(mode.name().parse::<RoundingMode>(), Ok(mode));
        }
        for &policy in Overflow::ALL {
            assert_eq!(policy.name().parse::<Overflow>(), Ok(policy));
        }
    }

    #[test]
    fn a_misspelt_choice_is_told_the_nearest() {
        let error = "toward-positve".parse::<RoundingMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown rounding direction `toward-positve`; did you mean `toward-positive`? (known: ties-to-even, \
             ties-to-away, toward-positive, toward-negative, toward-zero)"
        );
    }

    #[test]
    fn status_is_a_set() {
        let both = Status::OVERFLOW | Status::INEXACT;
        assert!(both.contains(Status::INEXACT) && both.contains(Status::OVERFLOW));
        assert!(!both.contains(Status::INVALID) && both.contains(Status::NONE));
    }
}
