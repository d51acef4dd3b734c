//! Functions of the reals by another way than the one that is judged: MPFR with many bits, rounded to nearest, and exact
//! rationals where there is nothing but arithmetic.

use roundproof_exact::Rational;
use rug::Float;
use rug::float::Constant;
use rug::ops::Pow;

use crate::common::Random;

/// Bits of an evaluation; few enough for MPFR's erf next to the square root of 3.
const BITS: u32 = 900;
/// Values with exponents beyond this are left out, so that cancellation leaves hundreds of bits.
const MOST_EXPONENT: i32 = 150;

const UNARY: &[&str] = &[
    "abs",
    "cos",
    "erf",
    "exp",
    "gelu",
    "log",
    "reciprocal",
    "sigmoid",
    "silu",
    "sin",
    "softplus",
    "sqrt",
    "square",
    "tanh",
];
const BINARY: &[&str] = &["+", "-", "*", "/", "+", "*", "/", "min", "max", "hypot", "atan2"];

/// A function as a tree of its own.
#[derive(Clone, Debug)]
pub enum Real {
    Number(u32),
    Variable(usize),
    Negative(Box<Real>),
    Unary(&'static str, Box<Real>),
    Binary(&'static str, Box<Real>, Box<Real>),
    Power(Box<Real>, i32),
}

/// Why there is no value to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The function has none there.
    Undefined,
    /// Too large or small, or too near to a place where it has none.
    Unclear,
}

/// A value, and whether it is exact.
#[derive(Clone, Debug)]
pub struct Known {
    float: Float,
    exact: Option<Rational>,
}

impl Known {
    pub fn exact(value: Rational) -> Known {
        Known { float: Float::with_val(BITS, &value), exact: Some(value) }
    }

    /// Ends between which the value lies.
    pub fn ends(&self) -> (Rational, Rational) {
        if let Some(exact) = &self.exact {
            return (exact.clone(), exact.clone());
        }
        let value = self.float.to_rational().expect("finite");
        let slack = roundproof_exact::power_of_two(-300);
        (Rational::from(&value - &slack), value + slack)
    }

    fn sign(&self) -> Result<i32, Missing> {
        match &self.exact {
            Some(exact) => Ok(exact.cmp0() as i32),
            None if self.float.get_exp().is_none_or(|exponent| exponent < -300) => Err(Missing::Unclear),
            None => Ok(if self.float.is_sign_negative() { -1 } else { 1 }),
        }
    }
}

impl Real {
    /// A tree of at most this depth in so many variables.
    pub fn random(random: &mut Random, depth: usize, variables: usize) -> Real {
        let inner = |random: &mut Random| Box::new(Real::random(random, depth - 1, variables));
        if depth == 0 || random.one_in(8) {
            return match random.below(4) {
                0 => Real::Number(random.below(4) as u32),
                _ => Real::Variable(random.below(variables)),
            };
        }
        match random.below(12) {
            0 => Real::Negative(inner(random)),
            1 => Real::Power(inner(random), random.below(8) as i32 - 4),
            2..=6 => Real::Unary(random.pick::<&str>(UNARY), inner(random)),
            _ => Real::Binary(random.pick::<&str>(BINARY), inner(random), inner(random)),
        }
    }

    /// The text, with parentheses everywhere.
    pub fn text(&self) -> String {
        match self {
            Real::Number(value) => value.to_string(),
            Real::Variable(index) => ["x", "y"][*index].to_string(),
            Real::Negative(a) => format!("(-({}))", a.text()),
            Real::Unary(name, a) => format!("{name}({})", a.text()),
            Real::Binary(name, a, b) if name.len() > 1 => format!("{name}({},{})", a.text(), b.text()),
            Real::Binary(name, a, b) => format!("(({}){name}({}))", a.text(), b.text()),
            Real::Power(a, n) => format!("(({})^{n})", a.text()),
        }
    }

    pub fn at(&self, point: &[Rational]) -> Result<Known, Missing> {
        let known = match self {
            Real::Number(value) => Known::exact(Rational::from(*value)),
            Real::Variable(index) => Known::exact(point[*index].clone()),
            Real::Negative(a) => {
                let a = a.at(point)?;
                Known { float: -a.float, exact: a.exact.map(|a| -a) }
            }
            Real::Unary(name, a) => unary(name, a.at(point)?)?,
            Real::Binary(name, a, b) => binary(name, a.at(point)?, b.at(point)?)?,
            Real::Power(a, n) => {
                let a = a.at(point)?;
                if *n < 0 && a.sign()? == 0 {
                    return Err(Missing::Undefined);
                }
                Known { exact: a.exact.map(|a| a.pow(*n)), float: a.float.pow(*n) }
            }
        };
        let Known { mut float, exact } = known;
        if float.is_zero() {
            float = Float::new(BITS);
        }
        let moderate = float.is_finite() && float.get_exp().is_none_or(|exponent| exponent.abs() < MOST_EXPONENT);
        if moderate { Ok(Known { float, exact }) } else { Err(Missing::Unclear) }
    }
}

fn unary(name: &str, a: Known) -> Result<Known, Missing> {
    let defined = match name {
        "log" => a.sign()? > 0,
        "sqrt" => a.sign()? >= 0,
        "reciprocal" => a.sign()? != 0,
        _ => true,
    };
    if !defined {
        return Err(Missing::Undefined);
    }
    let exact = a.exact.as_ref().and_then(|a| match name {
        "abs" => Some(a.clone().abs()),
        "reciprocal" => Some(a.clone().recip()),
        "square" => Some(a.clone().square()),
        _ => None,
    });
    if let Some(exact) = exact {
        return Ok(Known::exact(exact));
    }
    let x = a.float;
    let one = Float::with_val(BITS, 1);
    let float = match name {
        "abs" => x.abs(),
        "cos" => x.cos(),
        "erf" => x.erf(),
        "exp" => x.exp(),
        "gelu" => {
            let root = Float::with_val(BITS, 2).sqrt();
            (Float::with_val(BITS, -&x) / root).erfc() * x / 2
        }
        "log" => x.ln(),
        "reciprocal" => x.recip(),
        "sigmoid" => one / ((-x).exp() + 1u32),
        "silu" => x.clone() / ((-x).exp() + 1u32),
        "sin" => x.sin(),
        "softplus" => x.exp().ln_1p(),
        "sqrt" => x.sqrt(),
        "square" => x.square(),
        _ => x.tanh(),
    };
    Ok(Known { float, exact: None })
}

fn binary(name: &str, a: Known, b: Known) -> Result<Known, Missing> {
    if name == "/" && b.sign()? == 0 || name == "atan2" && a.sign()? == 0 && b.sign()? == 0 {
        return Err(Missing::Undefined);
    }
    if name == "atan2" && b.sign()? < 0 && a.sign()? == 0 {
        return Ok(Known { float: Float::with_val(BITS, Constant::Pi), exact: None });
    }
    if let (Some(a), Some(b)) = (&a.exact, &b.exact) {
        let exact = match name {
            "+" => Some(Rational::from(a + b)),
            "-" => Some(Rational::from(a - b)),
            "*" => Some(Rational::from(a * b)),
            "/" => Some(Rational::from(a / b)),
            "min" => Some(a.min(b).clone()),
            "max" => Some(a.max(b).clone()),
            _ => None,
        };
        if let Some(exact) = exact {
            return Ok(Known::exact(exact));
        }
    }
    let (x, y) = (a.float, b.float);
    let float = match name {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => x / y,
        "min" => x.min(&y),
        "max" => x.max(&y),
        "hypot" => x.hypot(&y),
        _ => x.atan2(&y),
    };
    Ok(Known { float, exact: None })
}
