//! The value of an expression: exact as long as it can be, and then an interval.

use std::cell::Cell;

use rug::ops::Pow;
use rug::{Integer, Rational};

use super::expression::{Binary, Expression, Unary};
use super::interval::Interval;
use super::minimum::{GELU, SILU};

/// Rationals that may have a numerator or denominator of more bits than this are enclosed: ten characters of text are
/// enough for a power of powers that no memory holds.
const MAX_EXACT_BITS: u64 = 1 << 18;
/// Bits of the operands of all exact operations, and of the angles that are reduced, in one evaluation. Beyond them operations
/// are enclosed, and sines only known to be sines: a thousand operators on numbers just below the limit above take minutes.
const MAX_BITS_IN_ALL: u64 = 1 << 22;

/// What is known about a subexpression.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// It is this rational.
    Exact(Rational),
    /// It is one of these reals.
    Within(Interval),
}

/// A subexpression that may have no value.
#[derive(Clone, Debug)]
pub(super) struct NoValue {
    /// Its text.
    pub place: String,
    /// Whether it has none for sure: a tighter enclosure would not help.
    pub certain: bool,
}

impl Value {
    pub fn interval(&self, precision: u32) -> Interval {
        match self {
            Value::Exact(value) => Interval::point(value, precision),
            Value::Within(interval) => interval.clone(),
        }
    }
}

/// Evaluates `expression` with intervals of `precision` bits.
pub(super) fn evaluate(expression: &Expression, inputs: &[Value], precision: u32) -> Result<Value, NoValue> {
    Evaluation::new(inputs, precision, &|_| false).value(expression)
}

/// The innermost subexpression on a path from the root whose enclosures all are `bad`.
pub(super) fn innermost<'a>(
    expression: &'a Expression,
    inputs: &'a [Value],
    precision: u32,
    bad: &'a dyn Fn(&Interval) -> bool,
) -> &'a Expression {
    let evaluation = Evaluation::new(inputs, precision, bad);
    let _ = evaluation.value(expression);
    evaluation.place.get().unwrap_or(expression)
}

/// One evaluation of an expression: what is given, and what is left to spend.
struct Evaluation<'a> {
    inputs: &'a [Value],
    precision: u32,
    bits_left: Cell<u64>,
    bad: &'a dyn Fn(&Interval) -> bool,
    /// Of the parts evaluated last, the innermost bad place of the first that has one.
    place: Cell<Option<&'a Expression>>,
}

impl<'a> Evaluation<'a> {
    fn new(inputs: &'a [Value], precision: u32, bad: &'a dyn Fn(&Interval) -> bool) -> Evaluation<'a> {
        Evaluation { inputs, precision, bits_left: Cell::new(MAX_BITS_IN_ALL), bad, place: Cell::new(None) }
    }

    fn value(&self, expression: &'a Expression) -> Result<Value, NoValue> {
        let earlier = self.place.take();
        let value = self.operation(expression);
        let is_bad = matches!(&value, Ok(Value::Within(interval)) if (self.bad)(interval));
        let place = is_bad.then(|| self.place.get().unwrap_or(expression));
        self.place.set(earlier.or(place));
        value
    }

    fn operation(&self, expression: &'a Expression) -> Result<Value, NoValue> {
        let no_value = |certain| NoValue { place: expression.to_string(), certain };
        match expression {
            Expression::Number(value) => Ok(Value::Exact(value.clone())),
            Expression::Variable(index) => self.inputs.get(*index).cloned().ok_or_else(|| no_value(true)),
            Expression::Unary(function, a) => {
                // A sum with 1 would absorb small values. (Nothing is evaluated twice: nested, that would double at each level.)
                let fused = if *function == Unary::Log { less_one(a) } else { None };
                if let Some(a) = fused {
                    return log_of_one_plus(&self.value(a)?, self.precision).map_err(no_value);
                }
                self.unary(*function, &self.value(a)?).map_err(no_value)
            }
            Expression::Binary(Binary::Subtract, a, b)
                if matches!(**a, Expression::Unary(Unary::Exp, _)) && is_one(b) =>
            {
                // exp(a) - 1, without what cancellation would cost.
                let Expression::Unary(_, a) = &**a else { return Err(no_value(true)) };
                Ok(match self.value(a)? {
                    Value::Exact(a) if a == 0 => Value::Exact(a),
                    a => Value::Within(a.interval(self.precision).exp_minus_one(self.precision)),
                })
            }
            Expression::Binary(function, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.binary(*function, &a, &b).map_err(no_value)
            }
            Expression::Power(a, n) => self.power(&self.value(a)?, *n).map_err(no_value),
        }
    }

    /// Whether so many bits may be worked on; if so, they are spent.
    fn affords(&self, bits: u64) -> bool {
        let left = self.bits_left.get().checked_sub(bits);
        self.bits_left.set(left.unwrap_or(self.bits_left.get()));
        left.is_some()
    }

    /// Whether the result of an operation of arithmetic on rationals of these sizes is computed exactly: sums, products and
    /// quotients have no more bits than all the numerators and denominators together, and one.
    fn is_exact(&self, operands: &[&Rational]) -> bool {
        let bits = operands.iter().map(|a| bits(a.numer()) + bits(a.denom())).sum();
        bits <= MAX_EXACT_BITS && self.affords(bits)
    }

    /// The rational that `function` is at `a`, where there is one by what the module's head says.
    fn exact_unary(&self, function: Unary, a: &Rational) -> Result<Option<Rational>, bool> {
        let zero = *a == 0;
        Ok(match function {
            Unary::Negate => Some((-a).into()),
            Unary::Abs => Some(a.clone().abs()),
            Unary::Square => self.is_exact(&[a, a]).then(|| a.clone().square()),
            Unary::Reciprocal if zero => return Err(true),
            Unary::Reciprocal => Some(a.clone().recip()),
            Unary::Sqrt if *a < 0 => return Err(true),
            Unary::Sqrt => self.root(a),
            Unary::Log if *a <= 0 => return Err(true),
            Unary::Log if *a == 1 => Some(Rational::new()),
            Unary::Exp | Unary::Cos if zero => Some(Rational::from(1)),
            Unary::Sigmoid if zero => Some(Rational::from((1, 2))),
            Unary::Sin | Unary::Tanh | Unary::Gelu | Unary::Silu | Unary::Erf if zero => Some(Rational::new()),
            _ => None,
        })
    }

    fn root(&self, a: &Rational) -> Option<Rational> {
        let square = self.is_exact(&[a]) && a.numer().is_perfect_square() && a.denom().is_perfect_square();
        square.then(|| Rational::from((a.numer().clone().sqrt(), a.denom().clone().sqrt())))
    }

    /// The value of a function; an error says whether it certainly has none.
    fn unary(&self, function: Unary, a: &Value) -> Result<Value, bool> {
        if let Value::Exact(a) = a
            && let Some(result) = self.exact_unary(function, a)?
        {
            return Ok(Value::Exact(result));
        }
        let precision = self.precision;
        let a = a.interval(precision);
        Ok(Value::Within(match function {
            Unary::Negate => a.negate(),
            Unary::Abs => a.abs(),
            Unary::Exp => a.exp(precision),
            Unary::Log if !a.is_positive() => return Err(a.high.value <= 0),
            Unary::Log => a.log(precision),
            Unary::Sin | Unary::Cos => match a.angle_bits() {
                Some(bits) if !self.affords(bits) => Interval::of_waves(precision),
                _ => a.wave(function == Unary::Cos, precision),
            },
            Unary::Tanh => a.tanh(precision),
            Unary::Sigmoid => a.sigmoid(precision),
            Unary::Softplus => a.softplus(precision),
            Unary::Gelu => GELU.enclose(&a, precision),
            Unary::Silu => SILU.enclose(&a, precision),
            Unary::Erf => a.erf(precision),
            Unary::Sqrt if a.low.value < 0 => return Err(a.is_negative()),
            Unary::Sqrt => a.sqrt(precision),
            Unary::Reciprocal => reciprocal(&a, precision)?,
            Unary::Square => a.power(2, precision),
        }))
    }

    fn exact_binary(&self, function: Binary, a: &Rational, b: &Rational) -> Result<Option<Rational>, bool> {
        let exact = || self.is_exact(&[a, b]);
        Ok(match function {
            Binary::Divide if *b == 0 => return Err(true),
            Binary::Add => exact().then(|| (a + b).into()),
            Binary::Subtract => exact().then(|| (a - b).into()),
            Binary::Multiply => exact().then(|| (a * b).into()),
            Binary::Divide => exact().then(|| (a / b).into()),
            Binary::Max => Some(a.max(b).clone()),
            Binary::Min => Some(a.min(b).clone()),
            Binary::Hypot if !self.is_exact(&[a, a, b, b]) => None,
            Binary::Hypot => self.root(&(a.clone().square() + b.clone().square())),
            Binary::Atan2 if *a == 0 && *b == 0 => return Err(true),
            Binary::Atan2 if *a == 0 && *b > 0 => Some(Rational::new()),
            Binary::Atan2 => None,
        })
    }

    fn binary(&self, function: Binary, a: &Value, b: &Value) -> Result<Value, bool> {
        if let (Value::Exact(a), Value::Exact(b)) = (a, b)
            && let Some(result) = self.exact_binary(function, a, b)?
        {
            return Ok(Value::Exact(result));
        }
        let zero = |value: &Value| matches!(value, Value::Exact(value) if *value == 0);
        if function == Binary::Multiply && (zero(a) || zero(b)) {
            return Ok(Value::Exact(Rational::new()));
        }
        if function == Binary::Divide && zero(b) {
            return Err(true);
        }
        let quotient_of_nothing = function == Binary::Divide && zero(a);
        let precision = self.precision;
        let (a, b) = (a.interval(precision), b.interval(precision));
        if quotient_of_nothing && b.is_nonzero() {
            return Ok(Value::Exact(Rational::new()));
        }
        Ok(Value::Within(match function {
            Binary::Add => a.add(&b, precision),
            Binary::Subtract => a.add(&b.negate(), precision),
            Binary::Multiply => a.multiply(&b, precision),
            Binary::Divide if !b.is_nonzero() => return Err(false),
            Binary::Divide => a.divide(&b, precision),
            Binary::Hypot => a.hypot(&b, precision),
            Binary::Atan2 if !a.is_nonzero() && !b.is_nonzero() => return Err(false),
            Binary::Atan2 => a.angle(&b, precision),
            Binary::Max => a.max(&b),
            Binary::Min => a.negate().max(&b.negate()).negate(),
        }))
    }

    fn power(&self, a: &Value, n: i32) -> Result<Value, bool> {
        let magnitude = n.unsigned_abs();
        if magnitude == 0 {
            return Ok(Value::Exact(Rational::from(1)));
        }
        if let Value::Exact(a) = a {
            if n < 0 && *a == 0 {
                return Err(true);
            }
            let bits = bits(a.numer()).max(bits(a.denom())).saturating_mul(magnitude.into());
            if bits <= MAX_EXACT_BITS && self.affords(bits) {
                return Ok(Value::Exact(a.clone().pow(n)));
            }
        }
        let result = a.interval(self.precision).power(magnitude, self.precision);
        Ok(Value::Within(if n < 0 { reciprocal(&result, self.precision)? } else { result }))
    }
}

fn is_one(expression: &Expression) -> bool {
    matches!(expression, Expression::Number(value) if *value == 1)
}

/// `a`, of the sum `1 + a` or `a + 1`.
fn less_one(sum: &Expression) -> Option<&Expression> {
    match sum {
        Expression::Binary(Binary::Add, one, a) if is_one(one) => Some(a),
        Expression::Binary(Binary::Add, a, one) if is_one(one) => Some(a),
        _ => None,
    }
}

fn log_of_one_plus(a: &Value, precision: u32) -> Result<Value, bool> {
    match a {
        Value::Exact(a) if *a <= -1 => return Err(true),
        Value::Exact(a) if *a == 0 => return Ok(Value::Exact(Rational::new())),
        _ => {}
    }
    let a = a.interval(precision);
    if a.low.value > -1 || a.low.value == -1 && a.low.strict {
        return Ok(Value::Within(a.log_of_one_plus(precision)));
    }
    Err(a.high.value <= -1)
}

fn reciprocal(a: &Interval, precision: u32) -> Result<Interval, bool> {
    let one = Interval::point(&Rational::from(1), precision);
    if a.is_nonzero() { Ok(one.divide(a, precision)) } else { Err(false) }
}

fn bits(a: &Integer) -> u64 {
    a.significant_bits().into()
}
