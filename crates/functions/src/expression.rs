//! Expressions as trees, and as text.

use std::fmt;

use rug::ops::Pow;
use rug::{Integer, Rational};

/// Functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    Abs,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    Gelu,
    Silu,
    Erf,
    Sqrt,
    Reciprocal,
    Square,
}

/// Functions of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Hypot,
    Atan2,
    Max,
    Min,
}

impl Unary {
    pub const NAMED: &[(&str, Unary)] = &[
        ("abs", Unary::Abs),
        ("cos", Unary::Cos),
        ("erf", Unary::Erf),
        ("exp", Unary::Exp),
        ("gelu", Unary::Gelu),
        ("log", Unary::Log),
        ("reciprocal", Unary::Reciprocal),
        ("sigmoid", Unary::Sigmoid),
        ("silu", Unary::Silu),
        ("sin", Unary::Sin),
        ("softplus", Unary::Softplus),
        ("sqrt", Unary::Sqrt),
        ("square", Unary::Square),
        ("tanh", Unary::Tanh),
    ];

    pub fn name(self) -> &'static str {
        Unary::NAMED.iter().find(|(_, function)| *function == self).map_or("-", |(name, _)| name)
    }
}

impl Binary {
    pub const NAMED: &[(&str, Binary)] =
        &[("atan2", Binary::Atan2), ("hypot", Binary::Hypot), ("max", Binary::Max), ("min", Binary::Min)];

    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Hypot => "hypot",
            Binary::Atan2 => "atan2",
            Binary::Max => "max",
            Binary::Min => "min",
        }
    }
}

/// A real function as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// Not negative, with a denominator of factors 2 and 5.
    Number(Rational),
    /// `x` is 0, `y` is 1.
    Variable(usize),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Power(Box<Expression>, i32),
}

/// How tightly the outermost operator binds: sums, products, signs, powers, atoms.
const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const SIGN: u8 = 3;
const POWER: u8 = 4;
const ATOM: u8 = 5;

impl Expression {
    /// How many variables there are, if the last one used is the last.
    pub fn variables(&self) -> usize {
        match self {
            Expression::Number(_) => 0,
            Expression::Variable(index) => index + 1,
            Expression::Unary(_, a) | Expression::Power(a, _) => a.variables(),
            Expression::Binary(_, a, b) => a.variables().max(b.variables()),
        }
    }

    /// How many functions there are that take long at many bits: those that are neither roots nor arithmetic.
    pub fn transcendental(&self) -> u32 {
        use Unary::{Abs, Negate, Reciprocal, Sqrt, Square};
        match self {
            Expression::Number(_) | Expression::Variable(_) => 0,
            Expression::Unary(Abs | Negate | Reciprocal | Sqrt | Square, a) | Expression::Power(a, _) => {
                a.transcendental()
            }
            Expression::Unary(_, a) => 1 + a.transcendental(),
            Expression::Binary(function, a, b) => {
                u32::from(*function == Binary::Atan2) + a.transcendental() + b.transcendental()
            }
        }
    }

    fn level(&self) -> u8 {
        match self {
            Expression::Binary(Binary::Add | Binary::Subtract, ..) => SUM,
            Expression::Binary(Binary::Multiply | Binary::Divide, ..) => PRODUCT,
            Expression::Unary(Unary::Negate, _) => SIGN,
            Expression::Power(..) => POWER,
            _ => ATOM,
        }
    }

    /// Writes the text, in parentheses if it binds less tightly than `least`.
    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.level() < least {
            f.write_str("(")?;
            self.write(f, SUM)?;
            return f.write_str(")");
        }
        match self {
            Expression::Number(value) => f.write_str(&literal(value)),
            Expression::Variable(0) => f.write_str("x"),
            Expression::Variable(_) => f.write_str("y"),
            Expression::Unary(Unary::Negate, a) => {
                f.write_str("-")?;
                a.write(f, SIGN)
            }
            Expression::Unary(function, a) => {
                write!(f, "{}(", function.name())?;
                a.write(f, SUM)?;
                f.write_str(")")
            }
            Expression::Binary(Binary::Hypot | Binary::Atan2 | Binary::Max | Binary::Min, ..) => self.write_call(f),
            Expression::Binary(operator, a, b) => {
                let level = self.level();
                a.write(f, level)?;
                f.write_str(operator.name())?;
                b.write(f, level + 1)
            }
            Expression::Power(a, n) => {
                a.write(f, ATOM)?;
                write!(f, "^{n}")
            }
        }
    }

    fn write_call(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expression::Binary(function, a, b) = self else { return Ok(()) };
        write!(f, "{}(", function.name())?;
        a.write(f, SUM)?;
        f.write_str(",")?;
        b.write(f, SUM)?;
        f.write_str(")")
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, SUM)
    }
}

/// Places after the point up to which numbers are written without an exponent.
const PLACES: u32 = 20;

/// The exact text of a number.
fn literal(value: &Rational) -> String {
    if value.is_integer() {
        return value.numer().to_string();
    }
    let twos = value.denom().find_one(0).unwrap_or(0);
    let odd = value.denom().clone() >> twos;
    if odd == 1 && twos > PLACES {
        return format!("0x{:x}p-{twos}", value.numer());
    }
    // The denominator divides a power of ten, whose exponent is at most the number of its bits.
    let fives = (0..=odd.significant_bits()).find(|&n| Integer::from(5).pow(n) == odd).unwrap_or(0);
    let places = twos.max(fives);
    let scaled = Rational::from(Integer::from(10).pow(places)) * value;
    let digits = scaled.numer().to_string();
    if places > PLACES {
        return format!("{digits}e-{places}");
    }
    let places = places as usize;
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{whole}.{fraction}")
}
