//! Quotients by a norm.
//!
//! Of elements `x_k` of a lane, `N` the norm: `x_k / N`. What runtimes may form:
//!
//! - **L1.** `N` is a sum of magnitudes, in any tree. The quotient is rounded once, or is a product with the rounded reciprocal.
//! - **Max.** `N` is the largest element, exactly; the same.
//! - **L2.** `N` is the root of a sum of products, in any tree, contracted or not; the same. Or the root of the quotient of a square by the
//!   sum of squares, with the sign of the element.
//!
//! All in the accumulator's format; the result is narrowed, or not. A lane of zeros stays zero; where the norm may be zero and is not
//! always, the row is given up. Over the reals, `x_k / N` grows with `x_k` (by `R / N^2` for L1, `R / N^3` for L2, where `R` is
//! what the others add to the sum), and for `x_k > 0` falls as `R` grows, so its least and greatest values are at corners. An element stands in numerator and
//! norm as one value: the lane is read once. That either may flush it is an error of its own.

use roundproof_exact::{Rational, power_of_two};
use roundproof_functions::Function as Real;
use roundproof_graph::{Norm, TensorId};

use crate::curve::enclosed;
use crate::forward::{Context, Lost, State};
use crate::span::{Span, leading};
use crate::sum::{Additions, Leaves};

/// A relative and an absolute error.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    pub relative: Rational,
    pub absolute: Rational,
}

impl Context<'_> {
    /// What a quotient and narrowing may err by: a division, or a product with the reciprocal, which is a normal value of `[1 / most, 1
    /// / least]` in magnitude.
    pub fn quotient_errors(&self, writes: TensorId, largest: &Rational) -> Errors {
        let (storage, accumulator) = self.plan.grains[writes];
        let one = Rational::from(1);
        let rounding = |grain: crate::rounding::Grain| &one + grain.relative();
        let mut relative = rounding(accumulator) * rounding(accumulator);
        // The reciprocal's own absolute error, times what it multiplies.
        let mut absolute = accumulator.absolute() * (largest + Rational::from(2));
        if storage != accumulator {
            relative *= rounding(storage);
            absolute = absolute * 2 + storage.absolute();
        }
        Errors { relative: relative - 1, absolute }
    }

    /// How far a sum of so many values may be from the exact one.
    pub fn sum_error(
        &self,
        writes: TensorId,
        count: usize,
        reach: &Rational,
        charge: &Rational,
    ) -> Result<Rational, Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        if *reach == 0 {
            return Ok(charge.clone());
        }
        let (reach, unit) = accumulator.count(reach).ok_or(Lost::Overflow)?;
        let charge =
            crate::span::above(charge, unit).and_then(|charge| u128::try_from(charge).ok()).ok_or(Lost::Overflow)?;
        let leaves = Leaves { unit, count: count as u64, reach, charge, grid: None };
        let error = Additions { accumulator, narrowed: None }.error(&leaves, &[]).ok_or(Lost::Overflow)?;
        Ok(Rational::from(error) * power_of_two(unit.into()))
    }

    pub fn normalize(
        &self,
        norm: Norm,
        reads: TensorId,
        x: &State,
        lane: usize,
        writes: TensorId,
    ) -> Result<State, Lost> {
        let mut spans = Vec::with_capacity(x.fixed.low.len());
        for start in (0..x.fixed.low.len()).step_by(lane.max(1)) {
            let all: Vec<Span> = (start..start + lane).map(|element| Span::of(&x.fixed, element)).collect();
            if all.iter().all(|span| span.low == 0 && span.high == 0) {
                spans.extend(all);
                continue;
            }
            let flushed = (start..start + lane).map(|element| self.operand(reads, x, element).1);
            let flushed: Vec<Rational> = flushed.collect();
            spans.extend(match norm {
                Norm::Max => self.by_largest(&all, &flushed, writes)?,
                Norm::L1 => self.by_sum(&all, &flushed, writes)?,
                Norm::L2 => self.by_root(&all, &flushed, writes)?,
            });
        }
        let spans = spans.iter().map(|span| self.within(span, writes)).collect::<Result<Vec<_>, Lost>>()?;
        self.spans(&spans, writes)
    }

    /// Whether a positive number has a reciprocal in the accumulator, with room for a rounding.
    fn invertible(&self, least: &Rational, writes: TensorId) -> Result<(), Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let largest = Rational::from(2) / least;
        if accumulator.contains(&largest) { Ok(()) } else { Err(Lost::Overflow) }
    }

    fn within(&self, span: &Span, writes: TensorId) -> Result<Span, Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let largest = span.largest();
        if storage.contains(&largest) && accumulator.contains(&largest) {
            Ok(span.clone())
        } else {
            Err(Lost::Overflow)
        }
    }

    fn by_largest(&self, all: &[Span], flushed: &[Rational], writes: TensorId) -> Result<Vec<Span>, Lost> {
        let low = all.iter().map(|span| &span.low).max().ok_or(Lost::Divisor)?.clone();
        let high = all.iter().map(|span| &span.high).max().ok_or(Lost::Divisor)?.clone();
        let taken = flushed.iter().max().cloned().unwrap_or_default();
        let norm = Span { low, high }.wider(&taken);
        if norm.holds_zero() {
            return Err(Lost::Divisor);
        }
        self.invertible(&norm.nearest(), writes)?;
        Ok(all.iter().zip(flushed).map(|(span, taken)| self.divided(&span.wider(taken), &norm, writes)).collect())
    }

    /// Quotients of what lies in two spans, the second without zero.
    fn divided(&self, span: &Span, norm: &Span, writes: TensorId) -> Span {
        let mut ends = [&span.low, &span.high]
            .into_iter()
            .flat_map(|end| [&norm.low, &norm.high].map(|norm| Rational::from(end / norm)))
            .collect::<Vec<_>>();
        ends.sort();
        self.erring(&Span { low: ends[0].clone(), high: ends[3].clone() }, &span.largest(), writes)
    }

    /// A quotient, rounded and narrowed.
    fn erring(&self, exact: &Span, largest: &Rational, writes: TensorId) -> Span {
        let Errors { relative, absolute } = self.quotient_errors(writes, largest);
        exact.wider(&(exact.largest() * relative + absolute))
    }

    fn by_sum(&self, all: &[Span], flushed: &[Rational], writes: TensorId) -> Result<Vec<Span>, Lost> {
        let magnitudes: Vec<Span> = all.iter().map(|span| Span { low: span.nearest(), high: span.largest() }).collect();
        let total = sum(&magnitudes);
        let charge = flushed.iter().fold(Rational::new(), |sum, taken| sum + taken);
        let error = self.sum_error(writes, all.len(), &total.high, &charge)?;
        if total.low <= error {
            return Err(Lost::Divisor);
        }
        self.invertible(&Rational::from(&total.low - &error), writes)?;
        // The norm is within this factor of the exact one.
        let off = Rational::from(&error / &total.low);
        let quotients = all.iter().enumerate().map(|(k, span)| {
            let others = Span {
                low: Rational::from(&total.low - &magnitudes[k].low),
                high: Rational::from(&total.high - &magnitudes[k].high),
            };
            let at = |x: &Rational, rest: &Rational| {
                let norm = Rational::from(x.abs_ref()) + rest;
                if norm == 0 { Rational::new() } else { x / norm }
            };
            let low = at(&span.low, if span.low >= 0 { &others.high } else { &others.low });
            let high = at(&span.high, if span.high >= 0 { &others.low } else { &others.high });
            let exact = Span { low, high };
            let by_norm = exact.largest() * &off / Rational::from(1 - &off)
                + (&flushed[k] / (&total.low - Rational::from(&error)));
            self.erring(&exact.wider(&by_norm), &span.largest(), writes)
        });
        Ok(quotients.collect())
    }

    fn by_root(&self, all: &[Span], flushed: &[Rational], writes: TensorId) -> Result<Vec<Span>, Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        if accumulator.precision < 2 {
            return Err(Lost::Domain);
        }
        let squares: Vec<Span> = all
            .iter()
            .map(|span| {
                let (near, far) = (span.nearest(), span.largest());
                Span { low: Rational::from(&near * &near), high: Rational::from(&far * &far) }
            })
            .collect();
        let total = sum(&squares);
        // Each square is rounded, where it is not contracted, and may be flushed, as its operands may be.
        let each = |k: usize| -> Result<Rational, Lost> {
            let rounded = accumulator.cost(&squares[k].high).ok_or(Lost::Overflow)?;
            let taken = (&flushed[k] * Rational::from(2)) * all[k].largest();
            Ok(rounded + taken + accumulator.absolute())
        };
        let charges = (0..all.len()).map(each).collect::<Result<Vec<_>, Lost>>()?;
        let charge = charges.iter().fold(Rational::new(), |sum, charge| sum + charge);
        let error = self.sum_error(writes, all.len(), &total.high, &charge)?;
        if total.low <= (&error * Rational::from(2)) {
            return Err(Lost::Divisor);
        }
        let off = Rational::from(&error / &total.low);
        let root = Real::parse("sqrt(x)").map_err(|_| Lost::Domain)?;
        let one = Rational::from(1);
        let least = Rational::from(&total.low - &error);
        self.invertible(&below_root(&least), writes)?;
        let mut quotients = Vec::with_capacity(all.len());
        for (k, span) in all.iter().enumerate() {
            let others = Span {
                low: Rational::from(&total.low - &squares[k].low),
                high: Rational::from(&total.high - &squares[k].high),
            };
            let at = |x: &Rational, rest: &Rational, up: bool| -> Result<Rational, Lost> {
                let square = Rational::from(x * x);
                let norm = Rational::from(&square + rest);
                if norm == 0 {
                    return Ok(Rational::new());
                }
                let square = square / norm;
                let Span { low, high } = enclosed(&root, &Span { low: square.clone(), high: square })?;
                Ok(match (*x >= 0, up) {
                    (true, true) => high,
                    (true, false) => low,
                    (false, true) => -low,
                    (false, false) => -high,
                })
            };
            let low = at(&span.low, if span.low >= 0 { &others.high } else { &others.low }, false)?;
            let high = at(&span.high, if span.high >= 0 { &others.low } else { &others.high }, true)?;
            let exact = Span { low, high };
            // x / root: the root of a factor is nearer to one than the factor; it is rounded, and so is the quotient, below.
            let rounding = &one + accumulator.relative();
            let by_norm = &one + &off / Rational::from(&one - &off);
            let mut factor = Rational::from(&by_norm * &rounding);
            let mut extra = (&flushed[k] * Rational::from(2)) / below_root(&least);
            // The root of a quotient: it is rounded, and so is the square, and the root, below; what these lose in addition becomes
            // a root.
            factor *= Rational::from(&rounding * &rounding);
            let lost = Rational::from(&charges[k] / &least) + accumulator.absolute() * 2;
            extra += above_root(&lost) * Rational::from(&rounding * &rounding);
            let wider = exact.wider(&(exact.largest() * Rational::from(&factor - 1) + extra));
            quotients.push(self.erring(&wider, &span.largest(), writes));
        }
        Ok(quotients)
    }
}

fn sum(spans: &[Span]) -> Span {
    spans.iter().fold(Span { low: Rational::new(), high: Rational::new() }, |sum, span| Span {
        low: sum.low + &span.low,
        high: sum.high + &span.high,
    })
}

/// A power of two that is at least the root of a positive number, and at most four times as large.
fn above_root(square: &Rational) -> Rational {
    if *square == 0 {
        return Rational::new();
    }
    power_of_two((i64::from(leading(square)) + 2).div_euclid(2))
}

/// A power of two that is at most the root of a positive number.
fn below_root(square: &Rational) -> Rational {
    power_of_two((i64::from(leading(square)) - 1).div_euclid(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_between_powers_of_two() {
        for (n, d) in [(1, 1), (2, 1), (3, 1), (4, 1), (1, 3), (1, 1000), (12345, 7), (1, 2), (15, 16)] {
            let square = Rational::from((n, d));
            let (low, high) = (below_root(&square), above_root(&square));
            assert!(Rational::from(&low * &low) <= square && Rational::from(&high * &high) >= square, "{square}");
            assert!(Rational::from(&high / &low) <= 8);
        }
    }
}
