//! The value of an expression: exact as long as it can be, and then an interval.

use rug::ops::Pow;
use rug::{Integer, Rational};

use super::expression::{Binary, Expression, Unary};
use super::interval::Interval;

/// Powers of more bits than this are not computed exactly.
const MAX_POWER_BITS: u64 = 1 << 22;

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
    let no_value = |certain| NoValue { place: expression.to_string(), certain };
    match expression {
        Expression::Number(value) => Ok(Value::Exact(value.clone())),
        Expression::Variable(index) => inputs.get(*index).cloned().ok_or_else(|| no_value(true)),
        Expression::Unary(function, a) => {
            if let Some(result) = fused(*function, a, inputs, precision)? {
                return Ok(result);
            }
            unary(*function, &evaluate(a, inputs, precision)?, precision).map_err(no_value)
        }
        Expression::Binary(Binary::Subtract, a, b) if matches!(**a, Expression::Unary(Unary::Exp, _)) && is_one(b) => {
            // exp(a) - 1, without what cancellation would cost.
            let Expression::Unary(_, a) = &**a else { return Err(no_value(true)) };
            Ok(match evaluate(a, inputs, precision)? {
                Value::Exact(a) if a == 0 => Value::Exact(a),
                a => Value::Within(a.interval(precision).exp_minus_one(precision)),
            })
        }
        Expression::Binary(function, a, b) => {
            let (a, b) = (evaluate(a, inputs, precision)?, evaluate(b, inputs, precision)?);
            binary(*function, &a, &b, precision).map_err(no_value)
        }
        Expression::Power(a, n) => power(&evaluate(a, inputs, precision)?, *n, precision).map_err(no_value),
    }
}

fn is_one(expression: &Expression) -> bool {
    matches!(expression, Expression::Number(value) if *value == 1)
}

/// `log(1 + a)` as one function: a sum with 1 would absorb small values of `a`.
fn fused(function: Unary, a: &Expression, inputs: &[Value], precision: u32) -> Result<Option<Value>, NoValue> {
    let (Unary::Log, Expression::Binary(Binary::Add, left, right)) = (function, a) else { return Ok(None) };
    let other = match () {
        () if is_one(left) => right,
        () if is_one(right) => left,
        () => return Ok(None),
    };
    let Value::Within(other) = evaluate(other, inputs, precision)? else { return Ok(None) };
    // Where 1 + a might not be positive, the plain way reports it.
    Ok(other.is_positive().then(|| Value::Within(other.log_of_one_plus(precision))))
}

/// The rational that `function` is at `a`, where there is one by what the module's head says.
fn exact_unary(function: Unary, a: &Rational) -> Result<Option<Rational>, bool> {
    let zero = *a == 0;
    Ok(match function {
        Unary::Negate => Some((-a).into()),
        Unary::Abs => Some(a.clone().abs()),
        Unary::Square => Some(a.clone().square()),
        Unary::Reciprocal if zero => return Err(true),
        Unary::Reciprocal => Some(a.clone().recip()),
        Unary::Sqrt if *a < 0 => return Err(true),
        Unary::Sqrt => root(a),
        Unary::Log if *a <= 0 => return Err(true),
        Unary::Log if *a == 1 => Some(Rational::new()),
        Unary::Exp | Unary::Cos if zero => Some(Rational::from(1)),
        Unary::Sigmoid if zero => Some(Rational::from((1, 2))),
        Unary::Sin | Unary::Tanh | Unary::Gelu | Unary::Silu | Unary::Erf if zero => Some(Rational::new()),
        _ => None,
    })
}

fn root(a: &Rational) -> Option<Rational> {
    let square = a.numer().is_perfect_square() && a.denom().is_perfect_square();
    square.then(|| Rational::from((a.numer().clone().sqrt(), a.denom().clone().sqrt())))
}

/// The value of a function; an error says whether it certainly has none.
fn unary(function: Unary, a: &Value, precision: u32) -> Result<Value, bool> {
    if let Value::Exact(a) = a
        && let Some(result) = exact_unary(function, a)?
    {
        return Ok(Value::Exact(result));
    }
    let a = a.interval(precision);
    Ok(Value::Within(match function {
        Unary::Negate => a.negate(),
        Unary::Abs => a.abs(),
        Unary::Exp => a.exp(precision),
        Unary::Log if !a.is_positive() => return Err(a.is_negative()),
        Unary::Log => a.log(precision),
        Unary::Sin => a.wave(false, precision),
        Unary::Cos => a.wave(true, precision),
        Unary::Tanh => a.tanh(precision),
        Unary::Sigmoid => a.sigmoid(precision),
        Unary::Softplus => a.softplus(precision),
        Unary::Gelu => a.gelu(precision),
        Unary::Silu => a.silu(precision),
        Unary::Erf => a.erf(precision),
        Unary::Sqrt if a.low.value < 0 => return Err(a.is_negative()),
        Unary::Sqrt => a.sqrt(precision),
        Unary::Reciprocal => reciprocal(&a, precision)?,
        Unary::Square => a.power(2, precision),
    }))
}

fn reciprocal(a: &Interval, precision: u32) -> Result<Interval, bool> {
    let one = Interval::point(&Rational::from(1), precision);
    if a.is_nonzero() { Ok(one.divide(a, precision)) } else { Err(false) }
}

fn exact_binary(function: Binary, a: &Rational, b: &Rational) -> Result<Option<Rational>, bool> {
    Ok(match function {
        Binary::Add => Some((a + b).into()),
        Binary::Subtract => Some((a - b).into()),
        Binary::Multiply => Some((a * b).into()),
        Binary::Divide if *b == 0 => return Err(true),
        Binary::Divide => Some((a / b).into()),
        Binary::Max => Some(a.max(b).clone()),
        Binary::Min => Some(a.min(b).clone()),
        Binary::Hypot => root(&(a.clone().square() + b.clone().square())),
        Binary::Atan2 if *a == 0 && *b == 0 => return Err(true),
        Binary::Atan2 if *a == 0 && *b > 0 => Some(Rational::new()),
        Binary::Atan2 => None,
    })
}

fn binary(function: Binary, a: &Value, b: &Value, precision: u32) -> Result<Value, bool> {
    if let (Value::Exact(a), Value::Exact(b)) = (a, b)
        && let Some(result) = exact_binary(function, a, b)?
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
    let (a, b) = (a.interval(precision), b.interval(precision));
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

fn bits(a: &Integer) -> u64 {
    a.significant_bits().into()
}

fn power(a: &Value, n: i32, precision: u32) -> Result<Value, bool> {
    let magnitude = n.unsigned_abs();
    if magnitude == 0 {
        return Ok(Value::Exact(Rational::from(1)));
    }
    if let Value::Exact(a) = a {
        if n < 0 && *a == 0 {
            return Err(true);
        }
        if bits(a.numer()).max(bits(a.denom())).saturating_mul(magnitude.into()) <= MAX_POWER_BITS {
            return Ok(Value::Exact(a.clone().pow(n)));
        }
    }
    let result = a.interval(precision).power(magnitude, precision);
    Ok(Value::Within(if n < 0 { reciprocal(&result, precision)? } else { result }))
}
