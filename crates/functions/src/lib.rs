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
//! - Arithmetic (`+ - * / ^ abs max min`), square roots and `hypot` of rationals with a rational result are computed
//!   exactly, unless the rationals are of more than 2^18 bits, or those of all operations of more than 2^22.
//! - So are exp(0), log(1), sin(0), cos(0), tanh(0), sigmoid(0), erf(0), silu(0), gelu(0) and atan2(0, positive). At every other
//!   rational, exp, log, sin, cos, tanh, sigmoid, silu, softplus and atan2 are irrational, by the theorem of Lindemann and
//!   Weierstrass (A. Baker, Transcendental Number Theory, 1975, theorem 1.4): powers of e with different algebraic
//!   exponents are linearly independent over the algebraic numbers. A rational value r of exp, log, tanh, sigmoid or silu
//!   makes a power of e rational; one of sin or cos makes exp(ix) algebraic; one of atan2 makes tan(r) rational, hence
//!   exp(2ir); and one of softplus, exp(r) = 1 + exp(x), relates powers with the exponents r, 0 and x.
//! - Of erf and gelu at other rationals, and of expressions composed of all these, no such theorem is known. If a value
//!   is such a number, or too near to one, the loop gives up at [`MAX_PRECISION`] bits with [`FunctionError::Undecided`].
//!
//! MPFR also tells which operations were inexact. After these the real lies strictly inside of the enclosure, and
//! tanh(1000) < 1 rounds toward zero below 1 although no precision separates the two.
//!
//! A result of exactly 0 is +0. A tiny one rounds as [`roundproof_exact::round()`] says.

mod evaluate;
mod expression;
mod interval;
mod minimum;
mod parse;

use std::fmt;
use std::str::FromStr;

use roundproof_exact::{Rounded, power_of_two, round};
use roundproof_format::{Format, Overflow, RoundingMode};
use rug::{Float, Rational};
use thiserror::Error;

use evaluate::{NoValue, Value, evaluate, innermost};
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

/// The precision at which [`Function::round`] gives up, and the largest of enclosures. Expressions of more than 16
/// transcendental functions, which take up to a quarter of a second each at so many bits, have less: in proportion, and at least 256.
pub const MAX_PRECISION: u32 = 1 << 14;
const MOST_FUNCTIONS: u32 = 16;

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
    /// Two factors with nothing between them.
    #[error("expected an operator at byte {position}; products are written with it: `{product}`")]
    Product {
        /// Where the second one begins, in bytes.
        position: usize,
        /// Both, with the sign that is missing; shortened, if they are long.
        product: String,
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
    #[error("`{name}` takes {}, not {found}", if *expected == 1 { "1 argument".to_string() } else { format!("{expected} arguments") })]
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
    /// A subexpression has no value, or cannot be shown to have one everywhere.
    #[error("`{place}` {}", if *certain { "is not defined" } else { "could not be shown to be defined" })]
    Undefined {
        /// The subexpression, shortened if it is long.
        place: String,
        /// Whether it has a value nowhere on the box: at a point, whether it is known to have none.
        certain: bool,
    },
    /// No bounds below 2^(2^22) in magnitude could be proven of a subexpression; in `F(p)`, or of its reciprocal.
    #[error("`{place}` may be too large or too small to handle")]
    Unbounded {
        /// Shortened if it is long: the innermost subexpression on a path of such ones from the whole.
        place: String,
    },
    /// An overflow policy whose result is not a value of the format.
    #[error("{format} does not express overflow={overflow}")]
    Overflow {
        /// The format.
        format: Format,
        /// The policy.
        overflow: Overflow,
    },
    /// The precision ended before the two ends rounded alike.
    #[error("{bits} bits do not tell to which of two neighbours the value rounds")]
    Undecided {
        /// How many were tried.
        bits: u32,
    },
}

/// The most characters of an expression in a message.
const MOST_CHARACTERS: usize = 80;

/// A text of few characters as it is, of others both ends.
fn shortened(text: &str) -> String {
    let characters = text.chars().count();
    if characters <= MOST_CHARACTERS {
        return text.to_string();
    }
    let end = |take: usize| text.chars().skip(characters - take);
    text.chars().take(MOST_CHARACTERS / 2).chain(" ... ".chars()).chain(end(MOST_CHARACTERS / 4)).collect()
}

/// The name that may be meant, and all functions.
fn hint(nearest: Option<&'static str>) -> String {
    let nearest = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    let unary = expression::Unary::NAMED.iter().map(|(name, _)| *name);
    let names: Vec<&str> = unary.chain(expression::Binary::NAMED.iter().map(|(name, _)| *name)).collect();
    format!("{nearest} (variables: x, y; functions: {})", names.join(", "))
}

impl From<NoValue> for FunctionError {
    fn from(no_value: NoValue) -> FunctionError {
        FunctionError::Undefined { place: shortened(&no_value.place), certain: no_value.certain }
    }
}

impl Function {
    /// `tanh`, `mul`, or an expression in `x` (and `y`), such as `x*tanh(log(1+exp(x)))`.
    ///
    /// # Errors
    ///
    /// For a text of another form, a name of no function, a call with another number of arguments than the function has,
    /// expressions of more than 1000 operators or nested deeper than 200 parentheses, and numbers of more than 65536 bits
    /// together.
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

    /// Its text, shortened if it is long: for messages.
    pub fn abridged(&self) -> String {
        shortened(&self.to_string())
    }

    fn max_precision(&self) -> u32 {
        MAX_PRECISION / self.expression.transcendental().div_ceil(MOST_FUNCTIONS).next_power_of_two()
    }

    fn check_arity(&self, found: usize) -> Result<(), FunctionError> {
        let expected = self.arity();
        if found == expected {
            return Ok(());
        }
        Err(FunctionError::Arity { name: self.abridged(), expected, found })
    }

    /// Reals between which the function lies for all points of the box `low <= x <= high` (one pair a variable), proven
    /// by outward rounding with `precision` bits (at least 2; at most [`MAX_PRECISION`] are used).
    ///
    /// They are the function's extremes up to rounding if each variable occurs once in the expression, and for every
    /// function of the catalogue. Else they may be farther apart. A point gives its exact value, where that is known to be
    /// rational (see the head of this module).
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
        let precision = precision.clamp(2, self.max_precision());
        let inputs: Vec<Value> = inputs.iter().map(|pair| input(pair, precision)).collect();
        match evaluate(&self.expression, &inputs, precision)? {
            Value::Exact(value) => Ok((value.clone(), value)),
            Value::Within(Interval { low, high }) => match (bound(&low.value, false), bound(&high.value, true)) {
                (Some(low), Some(high)) => Ok((low, high)),
                _ => Err(self.unbounded(&inputs, precision)),
            },
        }
    }

    fn unbounded(&self, inputs: &[Value], precision: u32) -> FunctionError {
        let bad = |interval: &Interval| is_beyond(&interval.low.value) || is_beyond(&interval.high.value);
        let place = innermost(&self.expression, inputs, precision, &bad).to_string();
        FunctionError::Unbounded { place: shortened(&place) }
    }

    /// The value at a point, correctly rounded. To the nearest, the flags may say inexact of a value of the format that is
    /// not known to be rational: log(exp(2)) rounds to 2 whether or not it is 2.
    ///
    /// # Errors
    ///
    /// If the format does not express the overflow policy, the number of inputs is not the arity, the function is not
    /// defined at the point (or could not be shown to be), or the precision is exhausted before the rounded value is
    /// known. In `F(p)`, also if the value's exponent is beyond +-2^22.
    pub fn round(
        &self,
        input: &[Rational],
        format: Format,
        mode: RoundingMode,
        overflow: Overflow,
    ) -> Result<Rounded, FunctionError> {
        self.check_arity(input.len())?;
        if format.is_bounded() && !format.expresses(overflow) {
            return Err(FunctionError::Overflow { format, overflow });
        }
        let inputs: Vec<Value> = input.iter().map(|value| Value::Exact(value.clone())).collect();
        let (mut precision, most) = (64, self.max_precision());
        loop {
            let last = precision >= most;
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
                        return Err(self.unbounded(&inputs, precision));
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

/// Whether an end is not 0, and its magnitude or the reciprocal of that is too large.
fn is_beyond(value: &Float) -> bool {
    value.is_infinite() || value.get_exp().is_some_and(|exponent| exponent.abs() > MAX_END_EXPONENT)
}

/// An end as a rational; none if it is too large. Tiny ones move outward.
fn bound(value: &Float, up: bool) -> Option<Rational> {
    if !is_beyond(value) {
        return value.to_rational();
    }
    let tiny = power_of_two((-MAX_END_EXPONENT).into());
    match value.get_exp() {
        Some(exponent) if exponent < 0 => Some(match (value.is_sign_negative(), up) {
            (false, true) => tiny,
            (true, false) => -tiny,
            _ => Rational::new(),
        }),
        _ => None,
    }
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
    } else if is_beyond(&end.value) {
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
