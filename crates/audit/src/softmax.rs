//! Softmax and its logarithm, and which of two outputs is the larger one.
//!
//! Of the elements `z_k` of a lane, a runtime forms, in the accumulator's format: `m = max z`, `t_k = z_k - m`, `e_k = exp t_k` by the
//! table of the path model, their sum `s` in any tree, and `e_k / s` by a division or by a product with the rounded reciprocal of `s`; for
//! the logarithm `z_k - m - log s`, in any tree, with the logarithm by the table. The lane is read once: all its elements have one `m` and one `s`. Not
//! covered: no subtraction of `m`, a sum that is rescaled while `m` grows (online), a logarithm of rounded quotients.
//!
//! **Computed exponentials.** `|t_k - (z_k - m)| <= E`: one rounding, and what flushes of the two operands take. With the relative error
//! `r` and the absolute error `a` of the table, to which flushes of `e_k` are added, `e_k` is within `[l, h] exp(z_k - m) -+ a`, `l = (1
//! - r) exp(-E)`, `h = (1 + r) exp E`.
//!
//! **Quotients.** Let `S = sum exp(z_k - m)`, in `[S0, S1]`, and `P_k = exp(z_k - m) / S`, which does not depend on `m`: over a box of `z`
//! it is least where `z_k` is least and all others are greatest. `s` is within `[g, G] S`, `g = l - (n a + d) / S0`, `G = h + (n a + d) /
//! S0`, for the error `d` of the sum (theorem of `sum`). So `e_k / s` is within `[(l P_k - a / S0) / G, (h P_k + a / S0) / g]`. The
//! quotient, and narrowing, err by a factor in `1 -+ w` and by `b`.
//!
//! **Which is larger.** By themselves these intervals lose that both have one `m` and one `s`. Let `D` be a lower bound of `z_i - z_j` over
//! all paths. `t_i - t_j >= D - 2 E`. With `X = exp t_i` and `q = exp(2 E - D)`: `e_i >= (1 - r) X - a`, `e_j <= (1 + r) q X + a`. For
//! numbers `v < 1` and `c >= 0`, `(1 - v) p_i - (1 + v) max(p_j, 0) > c` holds of the results `p` on every path if
//!
//! `X ((1 - r)(1 - v') - q (1 + r)(1 + v')) > 2 a + (2 b + c) s`, `v' = v + w + v w`,
//!
//! since `p_i >= (1 - w) e_i / s - b`, `p_j <= (1 + w) e_j / s + b` for a positive `e_i`, and `(1 - v)(1 - w) >= 1 - v'`, `(1 + v)(1 + w) = 1 +
//! v'`; and `a (1 - v') + a (1 + v') = 2 a`, likewise for `b`. With the least `X` that is possible and the greatest `s`, it is a bound
//! of `q`: `D > 2 E + log(1 / Q)` for `Q = (X (1 - r)(1 - v') - 2 a - (2 b + c) s) / (X (1 + r)(1 + v'))`. With `v = c = 0` this is `p_i > p_j`.
//! What divides both by one norm again (`Normalizer` by the sum or the largest) is the same once more: it asks of what it reads `v'` and
//! `(2 b + c) N`.
//!
//! For the logarithm, `m` and `log s` are the same numbers for both, so the results differ by `D` less the errors of both sums.

use roundproof_exact::{Rational, power_of_two};
use roundproof_functions::Function as Real;
use roundproof_graph::{Norm, TensorId};

use crate::backward::lower;
use crate::curve::enclosed;
use crate::ends::Ends;
use crate::forward::{Context, Lost, State};
use crate::functions::Bound;
use crate::normalize::Errors;
use crate::plan::Step;
use crate::span::Span;

/// What is known of the computed exponentials of a lane.
struct Lane {
    /// The elements.
    all: Vec<Span>,
    /// Enclosures of `exp(z - c)` at the lower and the upper end, for a number `c` in the middle of the maxima.
    low: Vec<Span>,
    high: Vec<Span>,
    common: Rational,
    /// Their sums.
    total: Span,
    /// Of the table, and `E`.
    relative: Rational,
    absolute: Rational,
    error: Rational,
    /// Factors of the exponentials, and of the sum.
    each: Span,
    whole: Span,
    /// `S`.
    sum: Span,
    /// The largest magnitude of elements.
    largest: Rational,
    /// What flushing an operand may take.
    flushed: Rational,
}

impl Lane {
    /// The sums of all exponentials but one, at their lower and upper ends.
    fn others(&self, k: usize) -> Span {
        Span {
            low: Rational::from(&self.total.low - &self.low[k].low),
            high: Rational::from(&self.total.high - &self.high[k].high),
        }
    }
}

/// Sums of exponentials, which are at least 1/4, are normal values of formats with such an `emin`, at most.
const MOST_EMIN: i32 = -4;

fn point(value: Rational) -> Span {
    Span { low: value.clone(), high: value }
}

fn real(text: &str) -> Result<Real, Lost> {
    Real::parse(text).map_err(|_| Lost::Domain)
}

impl Context<'_> {
    fn lane(&self, reads: TensorId, x: &State, lane: &[u32], exp: Bound, writes: TensorId) -> Result<Lane, Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let exponential = real("exp(x)")?;
        let all: Vec<Span> = lane.iter().map(|&element| Span::of(&x.fixed, element as usize)).collect();
        let flushed = lane.iter().map(|&element| self.operand(reads, x, element as usize).1).max().unwrap_or_default();
        let greatest = |ends: &dyn Fn(&Span) -> Rational| all.iter().map(ends).max().ok_or(Lost::Domain);
        let maximum = Span { low: greatest(&|span| span.low.clone())?, high: greatest(&|span| span.high.clone())? };
        let least = all.iter().map(|span| span.low.clone()).min().ok_or(Lost::Domain)?;
        // The largest element, or an operand of the difference, may be flushed; each by so much.
        let apart = Rational::from(&maximum.high - &least) + (&flushed * Rational::from(2));
        let rounded = accumulator.cost(&apart).ok_or(Lost::Overflow)?;
        // The rounded difference may be flushed as an operand of exp too.
        let mut error = rounded + (&flushed * Rational::from(3));
        if accumulator.flushed {
            error += power_of_two(accumulator.emin.into());
        }
        if !accumulator.contains(&Rational::from(&apart + &error)) {
            return Err(Lost::Overflow);
        }
        if error > Rational::from((1, 8)) || accumulator.emin > MOST_EMIN {
            return Err(Lost::Domain);
        }
        let Bound { relative, absolute, least: _, largest: _ } = exp;
        let (relative, mut absolute) = (relative.rational(), absolute.rational());
        if accumulator.flushed {
            // As a result, and as an operand of the sum and of the quotient.
            absolute += power_of_two(accumulator.emin.into()) * 2;
        }
        let one = Rational::from(1);
        let swing = enclosed(&exponential, &Span { low: -error.clone(), high: error.clone() })?;
        let each = Span {
            low: Rational::from(&one - &relative) * swing.low,
            high: Rational::from(&one + &relative) * swing.high,
        };
        let common = maximum.middle();
        let at = |end: &Rational| enclosed(&exponential, &point(Rational::from(end - &common)));
        let low = all.iter().map(|span| at(&span.low)).collect::<Result<Vec<_>, Lost>>()?;
        let high = all.iter().map(|span| at(&span.high)).collect::<Result<Vec<_>, Lost>>()?;
        // S = sum exp(z - m): one of them is exp 0, up to a flush; and m is between the two greatest ends.
        let total = Span {
            low: low.iter().fold(Rational::new(), |sum, at| sum + &at.low),
            high: high.iter().fold(Rational::new(), |sum, at| sum + &at.high),
        };
        let shift = enclosed(
            &exponential,
            &Span {
                low: Rational::from(&common - &maximum.high) - &flushed,
                high: Rational::from(&common - &maximum.low) + &flushed,
            },
        )?;
        let count = Rational::from(all.len());
        let first = Rational::from(&one - &flushed);
        let sum = Span {
            low: Rational::from(&total.low * &shift.low).max(first),
            high: Rational::from(&total.high * &shift.high).min(&count * Rational::from(&one + &error)),
        };
        if sum.low <= 0 {
            return Err(Lost::Domain);
        }
        let reach = Rational::from(&sum.high * &each.high) + Rational::from(&count * &absolute);
        let summed = self.sum_error(writes, all.len(), &reach, &Rational::new())?;
        let off = (count * &absolute + summed) / &sum.low;
        let whole = Span { low: Rational::from(&each.low - &off), high: Rational::from(&each.high + &off) };
        // Well above the subnormals, so that a reciprocal is there.
        if whole.low < Rational::from((1, 2)) {
            return Err(Lost::Domain);
        }
        let largest = all.iter().map(Span::largest).max().unwrap_or_default();
        Ok(Lane { all, low, high, common, total, relative, absolute, error, each, whole, sum, largest, flushed })
    }

    /// Softmax over lanes, or its logarithm.
    pub fn softmax(
        &self,
        reads: TensorId,
        x: &State,
        lanes: &[Vec<u32>],
        exp: Bound,
        log: Option<Bound>,
        writes: TensorId,
    ) -> Result<State, Lost> {
        let mut spans = vec![point(Rational::new()); x.fixed.low.len()];
        for lane in lanes {
            let known = self.lane(reads, x, lane, exp, writes)?;
            let shift = match log {
                None => None,
                Some(log) => Some(self.shift(&known, log, writes)?),
            };
            for (k, &element) in lane.iter().enumerate() {
                spans[element as usize] = match &shift {
                    None => self.quotient_of(&known, k, writes)?,
                    Some(shift) => self.logarithm_of(&known, shift, k, writes)?,
                };
            }
        }
        self.spans(&spans, writes)
    }

    /// `e_k / s`.
    fn quotient_of(&self, lane: &Lane, k: usize, writes: TensorId) -> Result<Span, Lost> {
        let others = lane.others(k);
        let share = |at: &Rational, others: &Rational| at / Rational::from(at + others);
        let (least, most) = (share(&lane.low[k].low, &others.high), share(&lane.high[k].high, &others.low));
        let lost = Rational::from(&lane.absolute / &lane.sum.low);
        let below = Rational::from(&lane.each.low * &least) - &lost;
        let below = if below < 0 { below / &lane.whole.low } else { below / &lane.whole.high };
        let above = (Rational::from(&lane.each.high * &most) + &lost) / &lane.whole.low;
        let Errors { relative, absolute } =
            self.quotient_errors(writes, &Rational::from(&lane.each.high + &lane.absolute));
        let by = |value: &Rational| Rational::from(value.abs_ref()) * &relative + &absolute;
        let span = Span { low: (&below - by(&below)), high: (&above + by(&above)) };
        let (storage, accumulator) = self.plan.grains[writes];
        let largest = span.largest();
        if storage.contains(&largest) && accumulator.contains(&largest) { Ok(span) } else { Err(Lost::Overflow) }
    }

    /// What is subtracted from `z - c` for the logarithm: how far the computed `log s` may be from `log S`, and the largest magnitude of
    /// it.
    fn shift(&self, lane: &Lane, log: Bound, writes: TensorId) -> Result<(Span, Rational), Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let logarithm = real("log(x)")?;
        let off = enclosed(&logarithm, &lane.whole)?;
        let all = enclosed(
            &logarithm,
            &Span {
                low: Rational::from(&lane.whole.low * &lane.sum.low),
                high: Rational::from(&lane.whole.high * &lane.sum.high),
            },
        )?;
        let Bound { relative, absolute, least: _, largest: _ } = log;
        let mut error = relative.rational() * all.largest() + absolute.rational();
        if accumulator.flushed {
            error += power_of_two(accumulator.emin.into()) * 2;
        }
        Ok((off.wider(&error), all.largest() + error))
    }

    /// How far the sum of three leaves may be from the exact one: an element, less the largest one, less a logarithm.
    fn leaves(&self, lane: &Lane, logarithm: &Rational, writes: TensorId) -> Result<Rational, Lost> {
        let reach = (&lane.largest * Rational::from(2)) + logarithm + (&lane.flushed * Rational::from(2));
        let (_, accumulator) = self.plan.grains[writes];
        let mut charge = &lane.flushed * Rational::from(3);
        if accumulator.flushed {
            charge += power_of_two(accumulator.emin.into());
        }
        self.sum_error(writes, 3, &reach, &charge)
    }

    /// `z_k - m - log s`.
    fn logarithm_of(&self, lane: &Lane, shift: &(Span, Rational), k: usize, writes: TensorId) -> Result<Span, Lost> {
        let (off, largest) = shift;
        let logarithm = real("log(x)")?;
        let others = lane.others(k);
        let at = |z: &Rational, sum: Rational| -> Result<Span, Lost> {
            let log = enclosed(&logarithm, &point(sum))?;
            let z = Rational::from(z - &lane.common);
            Ok(Span { low: Rational::from(&z - &log.high), high: z - log.low })
        };
        let low = at(&lane.all[k].low, Rational::from(&lane.low[k].high + &others.high))?.low - &off.high;
        let high = at(&lane.all[k].high, Rational::from(&lane.high[k].low + &others.low))?.high - &off.low;
        let exact = Span { low, high }.wider(&self.leaves(lane, largest, writes)?);
        let (span, _) = self.narrowed(&exact, writes)?;
        Ok(span)
    }
}

/// By how much one output is above another on every path, told of the scores that decide it: how far these are apart in the middle
/// of all paths, and what rounding may take of that, with what they have to be apart at least.
pub(crate) struct Above {
    pub distance: Rational,
    pub taken: Rational,
}

/// A claim `(1 - v) p_i - (1 + v) max(p_j, 0) > c`.
struct Claim {
    v: Rational,
    c: Rational,
}

/// Whether element `i` of a tensor is above element `j` on every path, for outputs of Softmax; none where the tensor is not made of
/// one, or nothing can be counted.
pub(crate) fn above(
    context: &Context,
    states: &[Option<State>],
    tensor: TensorId,
    i: usize,
    j: usize,
) -> Option<Above> {
    claimed(context, states, tensor, [i, j], Claim { v: Rational::new(), c: Rational::new() })
}

fn claimed(
    context: &Context,
    states: &[Option<State>],
    tensor: TensorId,
    [i, j]: [usize; 2],
    claim: Claim,
) -> Option<Above> {
    let placed = context.plan.placed.iter().find(|placed| placed.writes == tensor)?;
    match &placed.step {
        Step::Pick { reads, picks } => {
            let (first, second) = (picks[i], picks[j]);
            let (from, other) = (reads[first.0 as usize], reads[second.0 as usize]);
            // Two operands of one node are two readers, if they are one tensor.
            let one_reader = from == other && first.0 == second.0;
            if !one_reader {
                return None;
            }
            claimed(context, states, from, [first.1 as usize, second.1 as usize], claim)
        }
        Step::Ends(Ends::Normalize { norm, reads, lane }) => {
            let (first, second) = (i / lane, j / lane);
            let x = states[*reads].as_ref()?;
            let all = || (first * lane..(first + 1) * lane).map(|element| Span::of(&x.fixed, element));
            let norm = match norm {
                Norm::L1 => {
                    let sum = all().fold(Rational::new(), |sum, span| sum + span.largest());
                    let error = context.sum_error(tensor, *lane, &sum, &Rational::new()).ok()?;
                    sum + error
                }
                Norm::Max => all().map(|span| span.high).max()?,
                Norm::L2 => return None,
            };
            if first != second || norm <= 0 {
                return None;
            }
            // What is above zero on no path is not divided here. The operand may be flushed: that is added to what is lost.
            let Errors { relative, absolute } = context.quotient_errors(tensor, &norm);
            let taken = [i, j].map(|element| context.operand(*reads, x, element).1);
            let [one, other] = taken;
            let lost = absolute * 2 + &claim.c;
            let c = lost * &norm + Rational::from(2) * one.max(other);
            let v = Rational::from(&claim.v + &relative) + Rational::from(&claim.v * &relative);
            // Over what is above zero alone, the norm of a lane is positive: its elements are enclosed.
            claimed(context, states, *reads, [i, j], Claim { v, c })
        }
        Step::Ends(Ends::Softmax { reads, lanes, exp, log }) => {
            let x = states[*reads].as_ref()?;
            let lane = lanes.iter().find(|lane| lane.contains(&(i as u32)))?;
            if !lane.contains(&(j as u32)) {
                return None;
            }
            let known = context.lane(*reads, x, lane, *exp, tensor).ok()?;
            let needed = match log {
                None => quotients(context, &known, lane, i, &claim, tensor)?,
                Some(log) => {
                    if claim.v != 0 || claim.c != 0 {
                        return None;
                    }
                    let (_, largest) = context.shift(&known, *log, tensor).ok()?;
                    let sums = context.leaves(&known, &largest, tensor).ok()?;
                    // Narrowed, each.
                    let state = states[tensor].as_ref()?;
                    let most = Span::of(&state.fixed, i).largest().max(Span::of(&state.fixed, j).largest());
                    let (_, narrowed) = context.narrowed(&point(most), tensor).ok()?;
                    Rational::from(2) * (sums + narrowed)
                }
            };
            let unit = power_of_two(x.centered.unit.into());
            let [middle, other] = [i, j].map(|element| Rational::from(x.centered.center[element]) * &unit);
            let distance = middle - other;
            let radius = |element: usize| x.centered.radius.as_ref().map_or(0, |radius| radius[element]);
            let by_intervals = &distance - Rational::from(i128::from(radius(i)) + i128::from(radius(j))) * &unit;
            let mut least = by_intervals;
            if least <= needed
                && let Some(bound) = lower(context, states, *reads, &[(i, 1), (j, -1)])
            {
                least = least.max(Rational::from(bound.value) * power_of_two(bound.unit.into()));
            }
            let taken = Rational::from(&distance - &least) + needed;
            Some(Above { distance, taken })
        }
        Step::Ends(
            Ends::Curve(_, _)
            | Ends::Ramp(_, _)
            | Ends::Compare { comparison: _, reads: _, lists: _ }
            | Ends::Where { reads: _, lists: _ },
        )
        | Step::Sum(_)
        | Step::Bend(_, _)
        | Step::Extreme { reads: _, starts: _, picks: _, greatest: _ }
        | Step::Mean { reads: _, map: _, counts: _ }
        | Step::Quotient { reads: _, lists: _ }
        | Step::Sign(_)
        | Step::Cast(_) => None,
    }
}

/// By how much the scores have to differ for a claim about quotients.
fn quotients(
    context: &Context,
    known: &Lane,
    lane: &[u32],
    i: usize,
    claim: &Claim,
    writes: TensorId,
) -> Option<Rational> {
    let k = lane.iter().position(|&element| element as usize == i)?;
    let one = Rational::from(1);
    let Errors { relative: w, absolute: b } =
        context.quotient_errors(writes, &Rational::from(&known.each.high + &known.absolute));
    let v = Rational::from(&claim.v + &w) + Rational::from(&claim.v * &w);
    if v >= 1 {
        return None;
    }
    let sum = Rational::from(&known.sum.high * &known.whole.high);
    let taken = Rational::from(2) * &known.absolute + (Rational::from(2) * b + &claim.c) * sum;
    // The least exp t_i: t_i is at least its difference from the greatest maximum, less E.
    let exponential = real("exp(x)").ok()?;
    let highest = known.all.iter().map(|span| &span.high).max()?;
    let farthest = Rational::from(&known.all[k].low - highest) - &known.error;
    let x = enclosed(&exponential, &point(farthest)).ok()?.low;
    let above = (&x * Rational::from(&one - &known.relative)) * Rational::from(&one - &v) - taken;
    let below = x * Rational::from(&one + &known.relative) * Rational::from(&one + &v);
    if above <= 0 {
        return None;
    }
    let ratio = enclosed(&real("log(x)").ok()?, &point(below / above)).ok()?.high;
    Some(ratio + Rational::from(2) * &known.error)
}
