//! What one rounding into a format may cost.
//!
//! Magnitudes are integers times a power of two, `n 2^unit`; every bound is rounded up to such a number.

use roundproof_exact::{Parts, parts};
use roundproof_format::{Format, RoundingMode, Subnormals};
use roundproof_network::Rounding;

use crate::model::PathModel;

/// A format, with how roundings into it are directed, and whether subnormals may be flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grain {
    pub precision: u32,
    /// The exponent of the least positive value.
    pub least: i32,
    /// The exponent of the least normal value.
    pub emin: i32,
    /// The largest value.
    significand: u128,
    exponent: i32,
    /// Whether a rounding errs by at most half an ulp.
    pub nearest: bool,
    /// Whether a subnormal result or operand may become zero.
    pub flushed: bool,
}

impl Grain {
    /// Of a format that has a largest and a least positive value.
    pub fn new(format: Format, model: &PathModel) -> Option<Grain> {
        let emin = format.emin()?;
        let Parts { negative: _, significand, exponent } = parts(format, format.largest(false)?)?;
        let nearest = match model.rounding {
            Rounding::Any => false,
            Rounding::Mode(mode) => match mode {
                RoundingMode::TiesToEven | RoundingMode::TiesToAway => true,
                RoundingMode::TowardPositive | RoundingMode::TowardNegative | RoundingMode::TowardZero => false,
            },
        };
        let flushed = match model.subnormals {
            Subnormals::Gradual => false,
            Subnormals::Flush => true,
        };
        let precision = format.precision();
        let least = emin - i32::try_from(precision).ok()? + 1;
        Some(Grain { precision, least, emin, significand, exponent: i32::try_from(exponent).ok()?, nearest, flushed })
    }

    /// `rho ulp(t)` at most, for `|t| <= n 2^unit`; none if that is too large to count.
    pub fn rounding(&self, n: u128, unit: i32) -> Option<u128> {
        let leading = match n.checked_ilog2() {
            None => return Some(0),
            Some(leading) => leading as i32,
        };
        let ulp = (unit + leading + 1 - self.precision as i32).max(self.least);
        power(ulp - i32::from(self.nearest), unit)
    }

    /// What rounding normal values may cost that add up to `n` in magnitude: `rho 2^(1-p) n`.
    pub fn share(&self, n: u128) -> u128 {
        (n >> (self.precision - 1 + u32::from(self.nearest))) + 1
    }

    /// What flushing may cost, once.
    pub fn flush(&self, unit: i32) -> Option<u128> {
        if self.flushed { power(self.emin, unit) } else { Some(0) }
    }

    /// The whole cost of one computed value: rounding it, or flushing it. Roundings do not fall: what is subnormal before rounding or
    /// after it, so that it may be flushed, is at most `2^emin`, and that is then all that it costs.
    pub fn error(&self, n: u128, unit: i32) -> Option<u128> {
        Some(self.rounding(n, unit)?.max(self.flush(unit)?))
    }

    /// The interval of what values of an interval are rounded to, and flushed. Both ends are there with either way of breaking ties.
    ///
    /// Machines tell before rounding, or after it, that a result is subnormal: what is flushed may have been rounded to a normal value.
    pub fn rounded(&self, [low, high]: [i128; 2], unit: i32) -> Option<[i128; 2]> {
        let [mut least, mut most] = [self.end(low, unit, false)?, self.end(high, unit, true)?];
        if self.flushed {
            let normal = i128::try_from(power(self.emin, unit)?).ok()?;
            if low > 0 && low < normal {
                least = 0;
            }
            if high < 0 && high > -normal {
                most = 0;
            }
        }
        Some([least, most])
    }

    /// The least, or the greatest, that a number may be rounded to.
    fn end(&self, n: i128, unit: i32, greatest: bool) -> Option<i128> {
        let leading = match n.unsigned_abs().checked_ilog2() {
            None => return Some(0),
            Some(leading) => leading as i32,
        };
        let by = match (unit + leading + 1 - self.precision as i32).max(self.least) - unit {
            ..=0 => return Some(n),
            by @ 1..=124 => by.unsigned_abs(),
            125.. => return None,
        };
        let below = (n >> by) << by;
        let (rest, step) = (n - below, 1i128 << by);
        let up = match rest {
            0 => false,
            _ if !self.nearest || 2 * rest == step => greatest,
            _ => 2 * rest > step,
        };
        Some(if up { below + step } else { below })
    }

    /// Whether `n 2^unit` is at most the largest value.
    pub fn reaches(&self, n: u128, unit: i32) -> bool {
        let shift = i64::from(self.exponent) - i64::from(unit);
        match u32::try_from(shift.unsigned_abs()) {
            _ if n == 0 => true,
            Ok(by) if shift >= 0 => by >= self.significand.leading_zeros() || n <= self.significand << by,
            Ok(by) => by < n.leading_zeros() && n << by <= self.significand,
            Err(_) => shift >= 0,
        }
    }

    /// Whether every multiple of `2^grid` up to `n 2^unit` is a value that nothing flushes.
    pub fn holds(&self, grid: i32, n: u128, unit: i32) -> bool {
        let exponent = i64::from(grid) + i64::from(self.precision) - i64::from(unit);
        let within = match u32::try_from(exponent) {
            Ok(by) => by > 126 || n <= 1 << by,
            Err(_) => n == 0,
        };
        grid >= self.grid() && within && self.reaches(n, unit)
    }

    /// The exponent of what every value is a multiple of, that no flush makes another one.
    pub fn grid(&self) -> i32 {
        if self.flushed { self.emin } else { self.least }
    }
}

/// `2^exponent` in units, rounded up.
pub(crate) fn power(exponent: i32, unit: i32) -> Option<u128> {
    match exponent.checked_sub(unit)? {
        by @ 0..=125 => Some(1 << by),
        ..0 => Some(1),
        126.. => None,
    }
}

#[cfg(test)]
mod tests {
    use roundproof_exact::{Overflow, Rational, faithful, power_of_two, real, round};

    use super::*;

    /// Every multiple of a quarter of the least spacing up to beyond the largest value, in a small format.
    #[test]
    fn no_rounding_costs_more() {
        for text in ["p=3,emin=-2,emax=2", "p=1,emin=-1,emax=2,specials=finite", "float8_e4m3fn", "p=4,emin=-1,emax=3"]
        {
            let format: Format = text.parse().expect(text);
            for model in [PathModel::ALL, PathModel::NEAREST, PathModel::ONCE] {
                let grain = Grain::new(format, &model).expect("bounded");
                let largest = real(format, format.largest(false).expect("bounded")).expect("finite");
                let unit = grain.least - 2;
                let mut worst = Rational::new();
                for n in 0..3000u128 {
                    let exact = Rational::from(n) * power_of_two(unit.into());
                    assert_eq!(grain.reaches(n, unit), exact <= largest, "{text} {n}");
                    assert_eq!(grain.reaches(n << 40, unit - 40), exact <= largest);
                    assert_eq!(grain.reaches(n, unit + 200), n == 0);
                    if exact > largest {
                        break;
                    }
                    let bound = Rational::from(grain.rounding(n, unit).expect("small")) * power_of_two(unit.into());
                    let value = |encoding| real(format, encoding).expect("finite");
                    let pair = match model.rounding {
                        Rounding::Any => {
                            let both = faithful(&exact, format, Overflow::Saturate);
                            [both.below, both.above]
                        }
                        Rounding::Mode(mode) => [round(&exact, format, mode, Overflow::Saturate).encoding; 2],
                    };
                    for rounded in pair {
                        let error = (value(rounded) - &exact).abs();
                        assert!(error <= bound, "{text} {n}");
                        worst = worst.max(error / bound.clone().max(power_of_two(-60)));
                    }
                }
                assert!(worst > Rational::from((1, 2)), "{text}: {worst}");
            }
        }
    }
}
