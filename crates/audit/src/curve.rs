//! Functions of one element that are not linear in pieces, and the one that is, after a product and a sum.
//!
//! A step gives `h = f(t) + e` for what it reads as `t`: a value `x` of the tensor before it, or zero where `x` may be flushed.
//! `|e|` is at most what its rounding may cost; or what the table of the path model says, for a function that runtimes approximate. `f`
//! is enclosed by directed roundings of MPFR (crate `functions`), at the ends of an interval or over it.
//!
//! **Slopes.** Let `f' ` lie in `[m, M]` over all `t`, `x0` be the middle of `x`. By the mean value theorem `f(t) - f(x0) = s (t - x0)`
//! for an `s` in `[m, M]`. For any `c`, `h = f(x0) + c (x - x0) + d` with `|d| <= max(M - c, c - m) sup |t - x0| + |c| sup |t - x| +
//! |e|`. So the step is linear with the multiplier `c`, with a slack and an offset, as a sum is: a bound goes backward through it.

use roundproof_exact::{Rational, power_of_two};
use roundproof_functions::{Function as Real, FunctionError};
use roundproof_graph::{Function, TensorId};

use crate::fixed::Centered;
use crate::forward::{Context, Lost, State};
use crate::functions::Bound;
use crate::span::{Span, above, floor, leading};

/// Bits of enclosures.
const PRECISION: u32 = 96;
/// Bits of multipliers.
const SLOPE_BITS: i32 = 30;

/// A function of one element.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    kind: Kind,
    value: Real,
    /// The derivative, up to a factor between two.
    slope: Real,
    factor: Span,
}

/// How it is rounded, and where it is defined.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Once; not below zero.
    Root,
    /// Once; not at zero.
    Reciprocal,
    /// By a table.
    Table(Function, Bound),
}

/// `min(max(slope x + offset, 0), 1)`, the constants in intervals.
#[derive(Clone, Debug)]
pub(crate) struct Ramp {
    pub slope: Span,
    pub offset: Span,
}

/// What is known of one element.
pub(crate) struct Piece {
    /// All that it may be.
    pub span: Span,
    /// `f` at the middle of what was read.
    pub at_middle: Span,
    /// Where its derivative is; none if it is not bounded.
    pub slopes: Option<Span>,
    /// How far what was read may be from that middle.
    pub reach: Rational,
    /// How much of what was read may be flushed.
    pub flushed: Rational,
    /// How far a result may be from the function.
    pub error: Rational,
}

fn real(text: &str) -> Real {
    Real::parse(text).expect("an expression of this crate")
}

fn one() -> Span {
    Span { low: Rational::from(1), high: Rational::from(1) }
}

impl Curve {
    pub fn root() -> Curve {
        Curve { kind: Kind::Root, value: real("sqrt(x)"), slope: real("1/(2*sqrt(x))"), factor: one() }
    }

    pub fn reciprocal() -> Curve {
        Curve { kind: Kind::Reciprocal, value: real("1/x"), slope: real("-1/(x^2)"), factor: one() }
    }

    pub fn of(function: Function, bound: Bound) -> Curve {
        let (value, slope) = match function {
            Function::Exp => ("exp(x)", "exp(x)"),
            Function::Log => ("log(x)", "1/x"),
            Function::Sigmoid => ("sigmoid(x)", "sigmoid(x)*sigmoid(-x)"),
            Function::Tanh => ("tanh(x)", "1-tanh(x)^2"),
            Function::Erf => ("erf(x)", "exp(0-x^2)"),
            Function::Softplus => ("softplus(x)", "sigmoid(x)"),
        };
        let factor = match function {
            // 2 / sqrt(pi) = 1.128379167095512573896...
            Function::Erf => {
                let digits = |last: u64| Rational::from((112_837_916_709_551_250 + last, 100_000_000_000_000_000u64));
                Span { low: digits(7), high: digits(8) }
            }
            Function::Exp | Function::Log | Function::Sigmoid | Function::Tanh | Function::Softplus => one(),
        };
        Curve { kind: Kind::Table(function, bound), value: real(value), slope: real(slope), factor }
    }

    /// Where the function is over an interval.
    fn enclose(&self, span: &Span) -> Result<Span, Lost> {
        let defined = match self.kind {
            Kind::Root => span.low >= 0,
            Kind::Reciprocal if span.holds_zero() => return Err(Lost::Divisor),
            Kind::Reciprocal => true,
            Kind::Table(function, _) => match function {
                Function::Log => span.low > 0,
                Function::Exp | Function::Sigmoid | Function::Tanh | Function::Erf | Function::Softplus => true,
            },
        };
        if !defined {
            return Err(Lost::Domain);
        }
        enclosed(&self.value, span)
    }

    fn slopes(&self, span: &Span) -> Option<Span> {
        let Span { low, high } = enclosed(&self.slope, span).ok()?;
        let all =
            [&low * &self.factor.low, &low * &self.factor.high, &high * &self.factor.low, &high * &self.factor.high];
        let [a, b, c, d] = all.map(Rational::from);
        Some(Span { low: a.clone().min(b.clone()).min(c.clone()).min(d.clone()), high: a.max(b).max(c).max(d) })
    }
}

/// A function over an interval.
pub(crate) fn enclosed(function: &Real, span: &Span) -> Result<Span, Lost> {
    let Span { low, high } = span;
    match function.enclose(&[(low.clone(), high.clone())], PRECISION) {
        Ok((low, high)) => Ok(Span { low: outward(low, false), high: outward(high, true) }),
        Err(FunctionError::Unbounded { place: _ }) => Err(Lost::Overflow),
        Err(_) => Err(Lost::Domain),
    }
}

/// What is nearer to zero than this is replaced by zero, or by this: no format here has such values, and their digits are many.
const LEAST: i32 = -4096;

fn outward(value: Rational, up: bool) -> Rational {
    if value == 0 || leading(&value) > LEAST {
        return value;
    }
    match (value > 0, up) {
        (true, true) => power_of_two((LEAST + 2).into()),
        (false, false) => -power_of_two((LEAST + 2).into()),
        (true, false) | (false, true) => Rational::new(),
    }
}

impl Context<'_> {
    /// What an operation may read of an element, and how much of it a flush may take.
    pub fn operand(&self, id: TensorId, state: &State, element: usize) -> (Span, Rational) {
        let seen = Span::of(&state.fixed, element);
        let (storage, accumulator) = self.plan.grains[id];
        let limit = power_of_two(storage.emin.max(accumulator.emin).into());
        let nothing = seen.low == 0 && seen.high == 0;
        if nothing || !(storage.flushed || accumulator.flushed) || seen.nearest() >= limit {
            return (seen, Rational::new());
        }
        let taken = seen.largest().min(limit);
        (seen.with_zero(), taken)
    }

    /// What one rounding makes of values within a span, and narrowing, which may be left out; and how far they may be moved.
    pub fn rounded(&self, span: &Span, writes: TensorId) -> Result<(Span, Rational), Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let error = accumulator.cost(&span.largest()).ok_or(Lost::Overflow)?;
        let (span, narrowed) = self.narrowed(&span.wider(&error), writes)?;
        Ok((span, error + narrowed))
    }

    /// What narrowing makes of values of the accumulator within a span, if it is not left out; and how far they may be moved.
    pub fn narrowed(&self, span: &Span, writes: TensorId) -> Result<(Span, Rational), Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let largest = span.largest();
        if !storage.contains(&largest) || !accumulator.contains(&largest) {
            return Err(Lost::Overflow);
        }
        let error =
            if storage == accumulator { Rational::new() } else { storage.cost(&largest).ok_or(Lost::Overflow)? };
        let wider = span.wider(&error);
        if storage.contains(&wider.largest()) { Ok((wider, error)) } else { Err(Lost::Overflow) }
    }

    pub fn curve(&self, curve: &Curve, reads: TensorId, x: &State, writes: TensorId) -> Result<State, Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let piece = |element: usize| -> Result<Piece, Lost> {
            let (seen, flushed) = self.operand(reads, x, element);
            let middle = Span::of(&x.fixed, element).middle();
            let exact = curve.enclose(&seen)?;
            let (span, error) = match curve.kind {
                Kind::Root | Kind::Reciprocal => self.rounded(&exact, writes)?,
                Kind::Table(_, Bound { relative, absolute, least, largest }) => {
                    let mut error = relative.rational() * exact.largest() + absolute.rational();
                    if accumulator.flushed {
                        error += power_of_two(accumulator.emin.into());
                    }
                    let mut within = exact.wider(&error);
                    if let Some(least) = least.map(|least| least.rational())
                        && least > within.low
                        && least <= within.high
                    {
                        within.low = least;
                    }
                    if let Some(largest) = largest.map(|largest| largest.rational())
                        && largest < within.high
                        && largest >= within.low
                    {
                        within.high = largest;
                    }
                    let (span, narrowed) = self.narrowed(&within, writes)?;
                    (span, error + narrowed)
                }
            };
            let reach = Rational::from(&seen.high - &middle).max(Rational::from(&middle - &seen.low));
            let point = Span { low: middle.clone(), high: middle };
            Ok(Piece { span, at_middle: curve.enclose(&point)?, slopes: curve.slopes(&seen), reach, flushed, error })
        };
        let pieces = (0..x.fixed.low.len()).map(piece).collect::<Result<Vec<_>, Lost>>()?;
        self.pieces(&pieces, writes)
    }

    /// A product with a slope and an offset, added in the accumulator, between 0 and 1. `f` has the middles of the constants.
    pub fn ramp(&self, ramp: &Ramp, reads: TensorId, x: &State, writes: TensorId) -> Result<State, Lost> {
        let (_, accumulator) = self.plan.grains[writes];
        let Ramp { slope, offset } = ramp;
        let (a, b) = (slope.middle(), offset.middle());
        let clipped = |value: Rational| value.max(Rational::new()).min(Rational::from(1));
        let piece = |element: usize| -> Result<Piece, Lost> {
            let (seen, flushed) = self.operand(reads, x, element);
            let middle = Span::of(&x.fixed, element).middle();
            let at = |t: &Rational| clipped(Rational::from(t * &a) + &b);
            let (one, other) = (at(&seen.low), at(&seen.high));
            let apart = (Rational::from(&slope.high - &slope.low) * seen.largest()
                + Rational::from(&offset.high - &offset.low))
                / 2;
            let product = slope.largest() * seen.largest();
            let rounded = accumulator.cost(&product).ok_or(Lost::Overflow)?;
            // An operand of the sum may be flushed: the product is charged already, the offset is not.
            let sum = Rational::from(&product + &rounded) + offset.largest();
            let added = accumulator.cost(&sum).ok_or(Lost::Overflow)?;
            if !accumulator.contains(&Rational::from(&sum + &added)) {
                return Err(Lost::Overflow);
            }
            let mut before = apart + rounded + added;
            if accumulator.flushed && offset.nearest() < power_of_two(accumulator.emin.into()) {
                before += offset.largest().min(power_of_two(accumulator.emin.into()));
            }
            let least = clipped(one.clone().min(other.clone()) - &before);
            let largest = clipped(one.max(other) + &before);
            let (span, narrowed) = self.narrowed(&Span { low: least, high: largest }, writes)?;
            let reach = Rational::from(&seen.high - &middle).max(Rational::from(&middle - &seen.low));
            let value = at(&middle);
            let inside = |t: &Rational| {
                let value = Rational::from(t * &a) + &b;
                ((0..=1).contains(&value), value)
            };
            let ((first, low), (last, high)) = (inside(&seen.low), inside(&seen.high));
            let slopes = if first && last {
                Span { low: a.clone(), high: a.clone() }
            } else if (low < 0 && high < 0) || (low > 1 && high > 1) {
                Span { low: Rational::new(), high: Rational::new() }
            } else {
                Span { low: a.clone(), high: a.clone() }.with_zero()
            };
            Ok(Piece {
                span,
                at_middle: Span { low: value.clone(), high: value },
                slopes: Some(slopes),
                reach,
                flushed,
                error: before + narrowed,
            })
        };
        let pieces = (0..x.fixed.low.len()).map(piece).collect::<Result<Vec<_>, Lost>>()?;
        self.pieces(&pieces, writes)
    }

    /// The state of elements that are linear up to a slack.
    fn pieces(&self, pieces: &[Piece], writes: TensorId) -> Result<State, Lost> {
        let spans: Vec<Span> = pieces.iter().map(|piece| piece.span.clone()).collect();
        let mut state = self.spans(&spans, writes)?;
        let steepest = pieces.iter().filter_map(|piece| piece.slopes.as_ref()).map(Span::largest).max();
        let unit = steepest.filter(|steepest| *steepest != 0).map_or(0, |steepest| leading(&steepest) + 1 - SLOPE_BITS);
        let (mut multipliers, mut slack, mut offset) = (Vec::new(), Vec::new(), Vec::new());
        for (element, piece) in pieces.iter().enumerate() {
            let Piece { span: _, at_middle, slopes, reach, flushed, error } = piece;
            let center = Rational::from(state.centered.center[element]) * power_of_two(state.centered.unit.into());
            let chosen = slopes.as_ref().and_then(|slopes| floor(&slopes.middle(), unit).zip(Some(slopes)));
            let (multiplier, off, loose) = match chosen {
                Some((multiplier, slopes)) => {
                    let c = Rational::from(multiplier) * power_of_two(unit.into());
                    let steep = Rational::from(&slopes.high - &c).max(Rational::from(&c - &slopes.low));
                    let off = at_middle.middle() - &center;
                    let wide = Rational::from(&at_middle.high - &at_middle.low);
                    (multiplier, off, steep * reach + c.abs() * flushed + wide + error)
                }
                // No linear map: as far as the interval goes.
                None => (
                    0,
                    Rational::new(),
                    Rational::from(state.fixed.high[element] - state.fixed.low[element])
                        * power_of_two(state.fixed.unit.into()),
                ),
            };
            let off = floor(&off, state.centered.unit).ok_or(Lost::Overflow)?;
            // One half unit for the offset, rounded down.
            let loose = above(&loose, state.fixed.unit).and_then(|loose| loose.checked_add(1)).ok_or(Lost::Overflow)?;
            multipliers.push(multiplier);
            slack.push(loose);
            offset.push(off);
        }
        (state.slack, state.offset) = (slack, offset);
        state.slopes = Some(Centered { unit, center: multipliers, radius: None });
        Ok(state)
    }

    /// The state of elements that are enclosed by themselves.
    pub fn spans(&self, spans: &[Span], writes: TensorId) -> Result<State, Lost> {
        let (storage, accumulator) = self.plan.grains[writes];
        let fixed = crate::fixed::Fixed::around(spans).ok_or(Lost::Overflow)?;
        Ok(State::new(fixed, Vec::new(), self.seen(storage, accumulator)))
    }
}
