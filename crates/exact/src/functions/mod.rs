//! Real functions: proven enclosures on boxes, and correctly rounded values at points.
//!
//! Enclosures are intervals of MPFR's floats, whose operations are correctly rounded (Fousse, Hanrot, Lefèvre, Pélissier
//! and Zimmermann, ACM TOMS 33 (2), 2007), so that rounding lower ends down and upper ends up proves them. What they are
//! proven of is the real function; the host's floats have no part in it.
//!
//! [`Function::round`] is Ziv's loop (ACM TOMS 17 (3), 1991): an enclosure is computed with more and more bits until
//! both of its ends round alike. It ends unless the value is a number at which rounding changes: a value of the format
//! or, to the nearest, a midpoint. Such numbers are rational, hence:
//!
//! - Arithmetic (`+ - * / ^ abs max min`), square roots and `hypot` of rationals with a rational result are computed exactly.
//! - So are exp(0), log(1), sin(0), cos(0), tanh(0), sigmoid(0), erf(0), silu(0), gelu(0) and atan2(0, positive). At every other
//!   rational, exp, log, sin, cos, tanh, sigmoid, silu, softplus and atan2 are irrational, by the theorem of Lindemann and
//!   Weierstrass (A. Baker, Transcendental Number Theory, 1975, theorem 1.4): exp of an algebraic number other than 0 is
//!   transcendental, and a rational value of one of these functions would make it algebraic. (atan2 on a diagonal is a rational multiple of pi.)
//! - Of erf and gelu at other rationals, and of expressions composed of all these, no such theorem is known: if a value
//!   is such a number, or too near to one, the loop gives up at [`MAX_PRECISION`] bits and says so.
//!
//! MPFR also tells which operations were inexact. After these the real lies strictly inside of the enclosure, and
//! tanh(1000) < 1 rounds toward zero below 1 although no precision separates the two.
//!
//! A result of exactly 0 is +0. A tiny one rounds as [`crate::round()`] says.

mod evaluate;
mod expression;
mod interval;
mod parse;

use std::fmt;
use std::str::FromStr;

use roundproof_format::{Format, Overflow, RoundingMode};
use rug::{Float, Rational};
use thiserror::Error;

use crate::{Rounded, power_of_two, round};
use evaluate::{NoValue, Value, evaluate};
use expression::Expression;
use interval::{End, Interval};

/// The functions with a name of their own: name, number of variables, meaning.
pub const CATALOGUE: &[(&str, usize, &str)] = &[
    ("exp", 1, "e^x"),
    ("log", 1, "the natural logarithm of x"),
    ("sin", 1, "the sine of x radians"),
    ("cos", 1, "the cosine of x radians"),
    ("tanh", 1, "the hyperbolic tangent of x"),
    ("sigmoid", 1, "1 / (1 + exp(-x))"),
    ("softplus", 1, "log(1 + exp(x))"),
    ("gelu", 1, "x * (1 + erf(x / sqrt(2))) / 2"),
    ("silu", 1, "x / (1 + exp(-x))"),
    ("erf", 1, "the error function of x"),
    ("sqrt", 1, "the square root of x"),
    ("reciprocal", 1, "1 / x"),
    ("square", 1, "x^2"),
    ("mul", 2, "x * y"),
    ("div", 2, "x / y"),
    ("hypot", 2, "sqrt(x^2 + y^2)"),
    ("atan2", 2, "the angle in (-pi, pi] of the point with ordinate x and abscissa y"),
    ("max", 2, "the larger of x and y"),
];

/// The precision at which [`Function::round`] gives up.
pub const MAX_PRECISION: u32 = 1 << 14;

/// Ends of enclosures lie below `2^MAX_END_EXPONENT`; magnitudes below its reciprocal are not told apart from 0. The
/// exponents of bounded formats are smaller.
const MAX_END_EXPONENT: i32 = 1 << 22;

/// A real function of one or two variables: from the [`CATALOGUE`], or an expression.
///
/// Expressions have numbers (decimal or hexadecimal, exact), `x`, `y`, `+ - * /`, `^` with an integer for an exponent
/// (`x^0` is 1), a minus sign, parentheses, the functions of one variable in the catalogue, `abs(a)`, `hypot(a, b)`,
/// `atan2(a, b)`, `max(a, b)` and `min(a, b)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    expression: Expression,
}

/// Why there is no function, no enclosure or no rounded value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FunctionError {
    /// Not an expression.
    #[error("expected {expected} at byte {position}")]
    Syntax {
        /// Where, in bytes from the beginning.
        position: usize,
        /// What could be there.
        expected: &'static str,
    },
    /// A name of nothing.
    #[error("unknown name `{name}` at byte {position}{}", hint(*nearest))]
    UnknownName {
        /// The name.
        name: String,
        /// Where it begins, in bytes.
        position: usize,
        /// A known name that is like it.
        nearest: Option<&'static str>,
    },
    /// Another number of arguments than the function has.
    #[error("`{name}` takes {expected} arguments, not {found}")]
    Arity {
        /// The function.
        name: String,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A pair of bounds in the wrong order.
    #[error("the bounds of variable {variable} are in the wrong order: give the lower one first")]
    Empty {
        /// 0 for `x`, 1 for `y`.
        variable: usize,
    },
    /// A subexpression has no value somewhere, or cannot be shown to have one everywhere.
    #[error("`{place}` is not defined, or could not be shown to be, everywhere on the box: make the box smaller")]
    Undefined {
        /// The subexpression.
        place: String,
    },
    /// No bounds below 2^(2^22) in magnitude could be proven.
    #[error("no bounds of a size that can be handled were found: make the box smaller")]
    Unbounded,
    /// The precision ended before the two ends rounded alike.
    #[error("{bits} bits do not tell to which of two neighbours the value rounds")]
    Undecided {
        /// How many were tried.
        bits: u32,
    },
}

fn hint(nearest: Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl From<NoValue> for FunctionError {
    fn from(no_value: NoValue) -> FunctionError {
        FunctionError::Undefined { place: no_value.place }
    }
}

impl Function {
    /// `tanh`, `mul`, or an expression in `x` (and `y`), such as `x*tanh(log(1+exp(x)))`.
    ///
    /// # Errors
    ///
    /// For a text of another form, a name of no function, a call with another number of arguments than the function has,
    /// and expressions nested deeper than 200 parentheses or 1000 operators.
    pub fn parse(text: &str) -> Result<Function, FunctionError> {
        let entry = CATALOGUE.iter().find(|(name, ..)| *name == text.trim());
        let expression = match entry {
            Some(("mul", ..)) => parse::parse("x*y"),
            Some(("div", ..)) => parse::parse("x/y"),
            Some((name, 1, _)) => parse::parse(&format!("{name}(x)")),
            Some((name, ..)) => parse::parse(&format!("{name}(x,y)")),
            None => parse::parse(text),
        };
        Ok(Function { expression: expression? })
    }

    /// How many variables it has: 2 if there is a `y` in it, else 1.
    pub fn arity(&self) -> usize {
        self.expression.variables().max(1)
    }

    fn check_arity(&self, found: usize) -> Result<(), FunctionError> {
        let expected = self.arity();
        if found == expected {
            return Ok(());
        }
        Err(FunctionError::Arity { name: self.to_string(), expected, found })
    }

    /// Reals between which the function lies for all points of the box `low <= x <= high` (one pair a variable), proven
    /// by outward rounding with `precision` bits (at least 2; at most 2^20 are used).
    ///
    /// They are the function's extremes up to rounding if each variable occurs once in the expression, and for every
    /// function of the catalogue (silu and gelu: within 1e-15 around their minimum). Else they may be farther apart. A point gives its exact value, where there is one.
    ///
    /// # Errors
    ///
    /// If the number of pairs is not the arity, a pair is in the wrong order, the function is not known to be defined on
    /// all of the box, or the bounds would be too large.
    pub fn enclose(
        &self,
        inputs: &[(Rational, Rational)],
        precision: u32,
    ) -> Result<(Rational, Rational), FunctionError> {
        self.check_arity(inputs.len())?;
        if let Some(variable) = inputs.iter().position(|(low, high)| low > high) {
            return Err(FunctionError::Empty { variable });
        }
        let precision = precision.clamp(2, 1 << 20);
        let inputs: Vec<Value> = inputs.iter().map(|pair| input(pair, precision)).collect();
        match evaluate(&self.expression, &inputs, precision)? {
            Value::Exact(value) => Ok((value.clone(), value)),
            Value::Within(Interval { low, high }) => Ok((bound(&low.value, false)?, bound(&high.value, true)?)),
        }
    }

    /// The value at a point, correctly rounded.
    ///
    /// # Errors
    ///
    /// If the number of inputs is not the arity, the function is not defined at the point (or could not be shown to be),
    /// or the precision is exhausted before the rounded value is known. In `F(p)`, also if the value's exponent is beyond +-2^22.
    pub fn round(
        &self,
        input: &[Rational],
        format: Format,
        mode: RoundingMode,
        overflow: Overflow,
    ) -> Result<Rounded, FunctionError> {
        self.check_arity(input.len())?;
        let inputs: Vec<Value> = input.iter().map(|value| Value::Exact(value.clone())).collect();
        let mut precision = 64;
        loop {
            let last = precision >= MAX_PRECISION;
            match evaluate(&self.expression, &inputs, precision) {
                Ok(Value::Exact(value)) => return Ok(round(&value, format, mode, overflow)),
                Ok(Value::Within(interval)) => {
                    let low = just_inside(&interval.low, format, true);
                    let high = just_inside(&interval.high, format, false);
                    if let (Some(low), Some(high)) = (&low, &high) {
                        let rounded = round(low, format, mode, overflow);
                        if rounded == round(high, format, mode, overflow) {
                            return Ok(rounded);
                        }
                    } else if last {
                        return Err(FunctionError::Unbounded);
                    }
                }
                Err(no_value) if no_value.certain || last => return Err(no_value.into()),
                Err(_) => {}
            }
            if last {
                return Err(FunctionError::Undecided { bits: precision });
            }
            precision *= 2;
        }
    }
}

fn input((low, high): &(Rational, Rational), precision: u32) -> Value {
    if low == high { Value::Exact(low.clone()) } else { Value::Within(Interval::around(low, high, precision)) }
}

/// An end as a rational that is not too large: tiny ones move outward.
fn bound(value: &Float, up: bool) -> Result<Rational, FunctionError> {
    let exponent = value.get_exp().unwrap_or(0);
    if value.is_infinite() || exponent > MAX_END_EXPONENT {
        return Err(FunctionError::Unbounded);
    }
    if !value.is_zero() && exponent < -MAX_END_EXPONENT {
        let tiny = power_of_two((-MAX_END_EXPONENT).into());
        return Ok(match (value.is_sign_negative(), up) {
            (false, true) => tiny,
            (true, false) => -tiny,
            _ => Rational::new(),
        });
    }
    value.to_rational().ok_or(FunctionError::Unbounded)
}

/// A rational that rounds as all reals do between an end and the next number where rounding changes: the end itself,
/// unless it is strict. None where exponents are too large in `F(p)`.
///
/// In bounded formats all magnitudes beyond `2^(emax + 2)` round alike, and all below `2^(emin - p - 4)` but 0.
fn just_inside(end: &End, format: Format, upward: bool) -> Option<Rational> {
    let precision = i64::from(format.precision());
    let negative = end.value.is_sign_negative();
    let signed = |magnitude: Rational, negative| if negative { -magnitude } else { magnitude };
    let exponent = i64::from(end.value.get_exp().unwrap_or(0));
    let tiniest = format.emin().map(|emin| i64::from(emin) - precision - 4);
    if end.value.is_zero() {
        return match (end.strict, tiniest) {
            (false, _) => Some(Rational::new()),
            (true, Some(tiniest)) => Some(signed(power_of_two(tiniest), !upward)),
            (true, None) => None,
        };
    }
    if let (Some(tiniest), Some(emax)) = (tiniest, format.emax()) {
        if end.value.is_infinite() || exponent > i64::from(emax) + 3 {
            return Some(signed(power_of_two(i64::from(emax) + 2), negative));
        }
        if exponent < tiniest {
            return Some(signed(power_of_two(tiniest), negative));
        }
    } else if end.value.is_infinite() || exponent.abs() > i64::from(MAX_END_EXPONENT) {
        return None;
    }
    let value = end.value.to_rational()?;
    if !end.strict {
        return Some(value);
    }
    // Both the end and the numbers where rounding changes are multiples of four times this.
    let unit = (exponent - i64::from(end.value.prec())).min(exponent - precision - 2);
    let step = power_of_two(tiniest.map_or(unit, |tiniest| unit.min(tiniest)) - 2);
    Some(value + signed(step, !upward))
}

impl FromStr for Function {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Function, FunctionError> {
        Function::parse(text)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

#[cfg(test)]
mod tests;
