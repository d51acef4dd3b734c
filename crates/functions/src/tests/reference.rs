//! Values by other formulas than the ones under test, straight from MPFR, and rounded by bounds on their error.

use super::*;
use rug::float::Constant;
use rug::ops::Pow;

/// Bits of the reference; all its formulas are good to half as many where they are used.
const BITS: u32 = 1200;

/// Two numbers between which a value lies, equal if it is known.
pub type Bounds = (Rational, Rational);

fn exactly(value: Rational) -> Bounds {
    (value.clone(), value)
}

fn float(x: &Rational) -> Float {
    Float::with_val(BITS, x)
}

/// The value up to 2^-400 of it. Very large and very small ones are replaced by others of that kind: they round alike.
fn near(value: Float) -> Bounds {
    assert!(!value.is_nan());
    let sign = if value.is_sign_negative() { -1 } else { 1 };
    match value.get_exp() {
        None if value.is_zero() => exactly(power_of_two(-5000) * sign),
        Some(exponent) if exponent < -5000 => exactly(power_of_two(-5000) * sign),
        Some(exponent) if exponent <= 5000 => {
            let value = value.to_rational().expect("finite");
            let error = value.clone().abs() * power_of_two(-400);
            (Rational::from(&value - &error), value + error)
        }
        _ => exactly(power_of_two(5000) * sign),
    }
}

/// The same, for values known to be below `limit`, or above it.
fn beside(value: Float, limit: &Rational, below: bool) -> Bounds {
    let (low, high) = near(value);
    match (low < *limit && *limit <= high || low <= *limit && *limit < high, below) {
        (false, _) => (low, high),
        (true, true) => exactly(low),
        (true, false) => exactly(high),
    }
}

/// Bounds on a function of one variable of the catalogue, at a point of magnitude below 2^200.
pub fn unary(name: &str, x: &Rational) -> Bounds {
    if let Some(exact) = exact(name, x) {
        return exactly(exact);
    }
    let (one, positive) = (Rational::from(1), *x > 0);
    let half: Float = float(x) / 2u32;
    let signed = |bounds: Bounds| if positive { bounds } else { (-bounds.1, -bounds.0) };
    match name {
        "exp" => near((float(x) / Float::with_val(BITS, 10).ln()).exp10()),
        "log" => near(float(x).log2() * Float::with_val(BITS, Constant::Log2)),
        "sqrt" => near((float(x).ln() / 2u32).exp()),
        "sin" => {
            let t = half.tan();
            near(Float::with_val(BITS, &t * 2) / (t.square() + 1))
        }
        "cos" => {
            let t = half.tan().square();
            near(Float::with_val(BITS, 1 - &t) / (t + 1))
        }
        "tanh" if x.clone().abs() > 2000 => signed(beside(float(&one), &one, true)),
        "tanh" => {
            let t = Float::with_val(BITS, float(x).abs() * 2u32).exp_m1();
            signed(beside(Float::with_val(BITS, &t / Float::with_val(BITS, &t + 2)), &one, true))
        }
        "erf" => signed(beside(1 - float(x).abs().erfc(), &one, true)),
        // Of the two factors of exp(x) / (1 + exp(x)), one is 1 up to 2^-577.
        "sigmoid" | "softplus" if *x < -400 => near(float(x).exp()),
        "sigmoid" => beside(Float::with_val(BITS, half.tanh() + 1u32) / 2u32, &one, true),
        "silu" if *x < -400 => near(float(x).exp() * float(x)),
        "silu" => beside(Float::with_val(BITS, half.tanh_ref()) * &half + &half, x, positive),
        "softplus" if *x > 2000 => beside(float(x), x, false),
        "softplus" => beside(Float::with_val(BITS, float(x).exp() + 1u32).ln(), x, false),
        // In the tail, the formula under test, by twenty times as many bits.
        "gelu" if *x < -30 => near(Float::with_val(BITS, float(x) / -Float::with_val(BITS, 2).sqrt()).erfc() * half),
        "gelu" => {
            let scaled = Float::with_val(BITS, float(x) / Float::with_val(BITS, 2).sqrt());
            beside(scaled.erf() * &half + &half, x, positive)
        }
        _ => unreachable!("{name}"),
    }
}

/// A rational value, found by other means than the code's: dyadic roots, and the values at 0 and 1.
fn exact(name: &str, x: &Rational) -> Option<Rational> {
    let value = match name {
        "reciprocal" => 1 / x.clone(),
        "square" => Rational::from(x * x),
        "sqrt" => {
            let root = Float::with_val(BITS, float(x).sqrt_ref()).to_rational()?;
            return (Rational::from(&root * &root) == *x).then_some(root);
        }
        "exp" | "cos" if *x == 0 => Rational::from(1),
        "sigmoid" if *x == 0 => Rational::from((1, 2)),
        "sin" | "tanh" | "erf" | "silu" | "gelu" if *x == 0 => Rational::new(),
        "log" if *x == 1 => Rational::new(),
        _ => return None,
    };
    Some(value)
}

/// Bounds on a function of two variables of the catalogue, where it is defined; of `hypot` and `atan2`, at dyadic points
/// of few bits.
pub fn binary(name: &str, x: &Rational, y: &Rational) -> Option<Bounds> {
    Some(match name {
        "mul" => exactly(Rational::from(x * y)),
        "div" if *y == 0 => return None,
        "div" => exactly(Rational::from(x / y)),
        "max" => exactly(if x > y { x.clone() } else { y.clone() }),
        "hypot" => {
            let square = x.clone().pow(2) + y.clone().pow(2);
            if square == 0 { exactly(square) } else { unary("sqrt", &square) }
        }
        "atan2" if *x == 0 && *y == 0 => return None,
        "atan2" if *x == 0 && *y > 0 => exactly(Rational::new()),
        "atan2" if *x == 0 => near(Float::with_val(BITS, Constant::Pi)),
        "atan2" => {
            let radius = Float::with_val(BITS, float(x).hypot(&float(y)));
            near((float(x) / (radius + float(y))).atan() * 2)
        }
        _ => unreachable!("{name}"),
    })
}

/// Bounds that hold the value also where those for rounding are a stand-in; none for large ones.
pub fn enclosing(bounds: Bounds) -> Option<Bounds> {
    let (low, high) = bounds;
    if high.clone().abs() >= power_of_two(5000) {
        return None;
    }
    let tiny = low == high && low.clone().abs() == power_of_two(-5000);
    Some(match (tiny, low < 0) {
        (true, true) => (low, Rational::new()),
        (true, false) => (Rational::new(), high),
        _ => (low, high),
    })
}

/// The value within `bounds`, rounded; none if they do not tell.
pub fn rounded(bounds: &Bounds, format: Format, mode: RoundingMode, overflow: Overflow) -> Option<Rounded> {
    let low = round(&bounds.0, format, mode, overflow);
    (low == round(&bounds.1, format, mode, overflow)).then_some(low)
}
