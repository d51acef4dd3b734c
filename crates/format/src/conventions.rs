//! One format in the words of five communities.
//!
//! | | precision | exponents | significand | binary64 |
//! | --- | --- | --- | --- | --- |
//! | IEEE 754, and here | `p`, with the leading one | `emin..=emax` | in [1, 2) | 53, -1022, 1023 |
//! | SMT-LIB `(_ FloatingPoint eb sb)` | `sb = p` | `emax = 2^(eb-1) - 1`, `emin = 1 - emax` | in [1, 2) | 11, 53 |
//! | Flocq `FLT_exp (3 - emax' - prec) prec` | `prec = p` | `emax' = emax + 1`, least exponent of a unit `emin - p + 1` | an integer below `2^prec` | 53, 1024, -1074 |
//! | MPFR | `prec = p` | `emin - p + 2 ..= emax + 1` | in [1/2, 1) | 53, -1073, 1024 |
//! | arXiv 2401.15121, `(p, q)` | significand bits `p` | exponent field of `q` bits; none in its first setting, `F(p)` | in [1, 2) | q = 11 |

use crate::Format;

/// Flocq's parameters of a format with gradual underflow (`FLT_exp emin prec`, `binary_float prec emax`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flocq {
    /// Precision.
    pub prec: u32,
    /// Exponent of the least positive value, `emin` of `FLT_exp`.
    pub emin: i32,
    /// Every finite value is below `2^emax`.
    pub emax: i32,
}

/// MPFR's parameters of a format: precision, `mpfr_set_emin` and `mpfr_set_emax`, for use with `mpfr_subnormalize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mpfr {
    /// Precision.
    pub prec: u32,
    /// The least exponent of a significand in [1/2, 1).
    pub emin: i32,
    /// The largest one.
    pub emax: i32,
}

impl Format {
    /// `(eb, sb)` of SMT-LIB's `(_ FloatingPoint eb sb)`, for the formats that it has: infinities and NaNs in the
    /// topmost exponent, `emin = 1 - emax`, and `p >= 2`.
    pub fn smtlib(&self) -> Option<(u32, u32)> {
        let (emin, emax) = (self.emin()?, self.emax()?);
        let eb = self.exponent_bits();
        let standard = self.has_infinity() && emax == (1 << (eb - 1)) - 1 && emin == 1 - emax;
        standard.then_some((eb, self.precision()))
    }

    /// Flocq's parameters; none for `F(p)` (which is `FLX_exp p`).
    pub fn flocq(&self) -> Option<Flocq> {
        let (emin, emax) = (self.emin()?, self.emax()?);
        Some(Flocq { prec: self.precision(), emin: emin - self.precision() as i32 + 1, emax: emax + 1 })
    }

    /// MPFR's parameters; none for `F(p)`.
    pub fn mpfr(&self) -> Option<Mpfr> {
        let flocq = self.flocq()?;
        Some(Mpfr { prec: flocq.prec, emin: flocq.emin + 1, emax: flocq.emax })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary64_in_every_convention() {
        let format = Format::BINARY64;
        assert_eq!(format.smtlib(), Some((11, 53)));
        assert_eq!(format.flocq(), Some(Flocq { prec: 53, emin: 3 - 1024 - 53, emax: 1024 }));
        assert_eq!(format.mpfr(), Some(Mpfr { prec: 53, emin: -1073, emax: 1024 }));
    }

    #[test]
    fn smtlib_has_only_ieee_layouts() {
        assert_eq!(Format::FLOAT8_E5M2.smtlib(), Some((5, 3)));
        assert_eq!(Format::TF32.smtlib(), Some((8, 11)));
        for format in [Format::FLOAT8_E4M3FN, Format::FLOAT8_E5M2FNUZ, Format::FLOAT4_E2M1FN] {
            assert_eq!(format.smtlib(), None, "{format}");
        }
        let lopsided = "p=4,emin=-6,emax=3".parse::<Format>().expect("a format");
        assert_eq!(lopsided.smtlib(), None);
    }
}
