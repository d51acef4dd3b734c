//! Correct rounding at points: whole formats against the reference, and the cases that are hard by nature.

use roundproof_exact::{decode, order_key};
use rug::float::{Constant, Round};

use super::*;

const MODES: [RoundingMode; 5] = [
    RoundingMode::TiesToEven,
    RoundingMode::TiesToAway,
    RoundingMode::TowardPositive,
    RoundingMode::TowardNegative,
    RoundingMode::TowardZero,
];

fn values(format: Format) -> Vec<Rational> {
    let values = format.encodings().filter(|encoding| order_key(format, *encoding).is_some());
    values.filter_map(|encoding| decode(format, encoding)?.rational()).collect()
}

/// Every so manyeth value of a format, in every function of one variable and every direction.
fn one_variable(format: Format, stride: usize) {
    let overflow = format.default_overflow();
    for name in named(1) {
        let f = function(name);
        for x in values(format).iter().step_by(stride) {
            if !is_defined(name, x) {
                let error = f.round(std::slice::from_ref(x), format, RoundingMode::TiesToEven, overflow);
                assert!(matches!(error, Err(FunctionError::Undefined { .. })), "{name}({x})");
                continue;
            }
            let bounds = reference::unary(name, x);
            for mode in MODES {
                let expected = reference::rounded(&bounds, format, mode, overflow);
                let expected = expected.unwrap_or_else(|| panic!("the reference decides {name}({x}), {mode}"));
                assert_eq!(
                    f.round(std::slice::from_ref(x), format, mode, overflow),
                    Ok(expected),
                    "{name}({x}), {mode}"
                );
            }
        }
    }
}

fn two_variables(format: Format, stride: usize) {
    let overflow = format.default_overflow();
    let values = values(format);
    for name in named(2) {
        let f = function(name);
        let pairs = values.iter().flat_map(|x| values.iter().map(move |y| (x, y)));
        for (x, y) in pairs.step_by(stride) {
            let at = [x.clone(), y.clone()];
            let Some(bounds) = reference::binary(name, x, y) else {
                let error = f.round(&at, format, RoundingMode::TiesToEven, overflow);
                assert!(matches!(error, Err(FunctionError::Undefined { .. })), "{name}({x}, {y})");
                continue;
            };
            for mode in MODES {
                let expected = reference::rounded(&bounds, format, mode, overflow).expect("the reference decides");
                assert_eq!(f.round(&at, format, mode, overflow), Ok(expected), "{name}({x}, {y}), {mode}");
            }
        }
    }
}

#[test]
fn some_values_of_bfloat16_and_binary16_round_as_the_reference() {
    one_variable(Format::BFLOAT16, 97);
    one_variable(Format::BINARY16, 101);
}

#[test]
#[ignore = "a minute: every value of the format"]
fn every_value_of_bfloat16_rounds_as_the_reference() {
    one_variable(Format::BFLOAT16, 1);
}

#[test]
#[ignore = "a minute: every value of the format"]
fn every_value_of_binary16_rounds_as_the_reference() {
    one_variable(Format::BINARY16, 1);
}

#[test]
fn every_value_of_eight_bits_rounds_as_the_reference() {
    for format in [Format::FLOAT8_E4M3FN, Format::FLOAT8_E5M2, Format::FLOAT8_E4M3FNUZ, Format::FLOAT4_E2M1FN] {
        one_variable(format, 1);
    }
}

#[test]
fn some_pairs_of_float8_e4m3fn_round_as_the_reference() {
    two_variables(Format::FLOAT8_E4M3FN, 13);
}

#[test]
#[ignore = "a minute: every pair of values of the format"]
fn every_pair_of_float8_e4m3fn_rounds_as_the_reference() {
    two_variables(Format::FLOAT8_E4M3FN, 1);
}

#[test]
fn tanh_of_a_thousand_rounds_below_one_toward_zero() {
    let f = function("tanh");
    let at = |mode| f.round(&[Rational::from(1000)], Format::BFLOAT16, mode, Overflow::Ieee).unwrap().encoding.bits();
    assert_eq!(at(RoundingMode::TowardZero), 0x3f7f);
    assert_eq!(at(RoundingMode::TiesToEven), 0x3f80);
}

/// The value's rank among those of the format, after the one nearest to `near`.
fn ranks(text: &str, at: &[Rational], near: &Rational, format: Format) -> [i128; 5] {
    let f = function(text);
    let key = |encoding| order_key(format, encoding).unwrap();
    let origin = key(round(near, format, RoundingMode::TiesToEven, Overflow::Ieee).encoding);
    MODES.map(|mode| key(f.round(at, format, mode, Overflow::Ieee).unwrap().encoding) - origin)
}

/// Arguments so small, or so large, that no precision within the limit separates the value from its limit.
#[test]
fn values_beside_their_limits_round_by_the_side_they_are_on() {
    let format = Format::BINARY128;
    let least = power_of_two(-16494);
    let (one, half) = (Rational::from(1), Rational::from((1, 2)));
    let huge = power_of_two(16000);
    let zero = Rational::new();
    let minus_pi = -Float::with_val(300, Constant::Pi).to_rational().unwrap();
    for (text, at, near, expected) in [
        ("exp", &least, &one, [0, 0, 1, 0, 0]),
        ("cos", &least, &one, [0, 0, 0, -1, -1]),
        ("sigmoid", &least, &half, [0, 0, 1, 0, 0]),
        ("sqrt(1+x)", &least, &one, [0, 0, 1, 0, 0]),
        ("log(1+x)", &least, &least, [0, 0, 0, -1, -1]),
        ("exp(x)-1", &least, &least, [0, 0, 1, 0, 0]),
        ("sin", &least, &least, [0, 0, 0, -1, -1]),
        ("tanh", &least, &least, [0, 0, 0, -1, -1]),
        // Just above half of the least subnormal.
        ("silu", &least, &least, [0, 0, 0, -1, -1]),
        ("gelu", &least, &least, [0, 0, 0, -1, -1]),
        ("x/2", &least, &least, [-1, 0, 0, -1, -1]),
        ("tanh", &huge, &one, [0, 0, 0, -1, -1]),
        ("erf", &huge, &one, [0, 0, 0, -1, -1]),
        ("sigmoid", &huge, &one, [0, 0, 0, -1, -1]),
        ("softplus", &huge, &huge, [0, 0, 1, 0, 0]),
        ("silu", &huge, &huge, [0, 0, 0, -1, -1]),
        ("gelu", &huge, &huge, [0, 0, 0, -1, -1]),
        ("exp(-x)", &huge, &zero, [0, 0, 1, 0, 0]),
        ("sigmoid(-x)", &huge, &zero, [0, 0, 1, 0, 0]),
        ("silu(-x)", &huge, &zero, [0, 0, 0, -1, 0]),
        ("gelu(-x)", &huge, &zero, [0, 0, 0, -1, 0]),
        // -pi, just below its nearest value.
        ("atan2(-exp(-x),-1)", &huge, &minus_pi, [0, 0, 0, -1, 0]),
    ] {
        assert_eq!(ranks(text, std::slice::from_ref(at), near, format), expected, "{text}");
    }
}

/// Of -0 and +0, the sign of a value that rounds to zero; an exact zero is +0.
#[test]
fn zeros_have_the_sign_of_the_value() {
    let format = Format::BINARY32;
    let at = |text: &str, x: i32| {
        let rounded = function(text).round(&[Rational::from(x)], format, RoundingMode::TiesToEven, Overflow::Ieee);
        rounded.unwrap().encoding.bits()
    };
    let (zero, minus) = (0, 0x8000_0000);
    for (text, x, expected) in [
        ("exp(-x)", 1000, zero),
        ("-exp(-x)", 1000, minus),
        ("silu", -1000, minus),
        ("gelu", -1000, minus),
        ("sigmoid", -1000, zero),
        ("softplus", -1000, zero),
        ("sin", 0, zero),
        ("-x", 0, zero),
        ("0*log(x)", 2, zero),
        ("0/log(x)", 2, zero),
        ("erf(-x)", 0, zero),
        ("silu", 0, zero),
        ("gelu", 0, zero),
        ("atan2(-x,1)", 0, zero),
        ("exp(-exp(exp(x)))", 10, zero),
        ("-exp(-exp(exp(x)))", 10, minus),
    ] {
        assert_eq!(at(text, x), expected, "{text} at {x}");
    }
}

#[test]
fn exact_values_and_midpoints_are_recognized() {
    let format = Format::BINARY64;
    let big = |n: i32| Rational::from(n) * power_of_two(-600);
    for (text, at, expected) in [
        ("sqrt", vec![Rational::from((9, 16))], Rational::from((3, 4))),
        ("hypot", vec![big(-3), big(4)], big(5)),
        ("hypot", vec![big(0), big(-4)], big(4)),
        ("square", vec![(power_of_two(52) + 1) / 2], Rational::new() + (power_of_two(52) + 1u32).square() / 4),
        ("mul", vec![power_of_two(53) - 1, power_of_two(53) + 1], power_of_two(106) - 1),
        ("exp(x)", vec![Rational::new()], Rational::from(1)),
        ("atan2(x,1)", vec![Rational::new()], Rational::new()),
        ("x^-3", vec![Rational::from(3)], Rational::from((1, 27))),
        // A midpoint of binary64.
        ("1+x", vec![power_of_two(-53)], Rational::from(1) + power_of_two(-53)),
        ("sqrt(x)", vec![(Rational::from(1) + power_of_two(-53)).square()], Rational::from(1) + power_of_two(-53)),
        ("log(x)", vec![Rational::from(1)], Rational::new()),
        ("log(1+x)", vec![Rational::new()], Rational::new()),
        ("exp(x)-1", vec![Rational::new()], Rational::new()),
    ] {
        for mode in MODES {
            let expected = round(&expected, format, mode, Overflow::Ieee);
            assert_eq!(function(text).round(&at, format, mode, Overflow::Ieee), Ok(expected), "{text}, {mode}");
        }
    }
}

/// Values of the format that no rule knows to be such: an answer would be a guess.
#[test]
fn values_that_cannot_be_decided_say_so() {
    for (text, x, value) in [
        ("log(exp(x))", 2, 2),
        ("sqrt(x)^2", 2, 2),
        ("sin(x)^2+cos(x)^2", 1, 1),
        ("exp(log(x))", 3, 3),
        // Whether it is -0 or +0 that it rounds to, no precision tells.
        ("tanh(x)-tanh(x)", 1, 0),
    ] {
        let f = function(text);
        for mode in MODES {
            let result = f.round(&[Rational::from(x)], Format::BINARY32, mode, Overflow::Ieee);
            match mode {
                // What is near enough to a value rounds to it.
                RoundingMode::TiesToEven | RoundingMode::TiesToAway if text != "tanh(x)-tanh(x)" => {
                    let expected = round(&Rational::from(value), Format::BINARY32, mode, Overflow::Ieee).encoding;
                    assert_eq!(result.map(|rounded| rounded.encoding), Ok(expected), "{text}");
                }
                _ => assert_eq!(result, Err(FunctionError::Undecided { bits: MAX_PRECISION }), "{text}, {mode}"),
            }
        }
    }
}

/// Arguments at which a function comes within 2^-40 ulp of a value or a midpoint of binary64.
#[test]
fn hard_cases_of_binary64_round_as_the_reference() {
    for (name, text) in [
        ("exp", "0x1.0p-53"),
        ("exp", "0x1.fffffffffffffp-53"),
        ("sin", "0x1.e0000000001c2p-20"),
        ("sin", "0x1.598bae9e632f6p-7"),
        ("cos", "0x1.06b505550e6b2p-9"),
        ("sin", "0x1.6ac5b262ca1ffp+849"),
        ("cos", "0x1.6ac5b262ca1ffp+849"),
    ] {
        let x = roundproof_exact::parse_number(text).unwrap().value();
        if text.ends_with("849") {
            // The multiple of pi/2 nearest to a value of binary64: 2^-61 from it.
            let f = function(name).enclose(&[(x.clone(), x.clone())], 128).unwrap();
            assert_eq!(f.1.abs() < power_of_two(-60), name == "cos", "{name}");
            continue;
        }
        let bounds = reference::unary(name, &x);
        let exponent = i64::from(Float::with_val(64, &bounds.0).get_exp().unwrap());
        let scaled = bounds.0.clone() * power_of_two(54 - exponent);
        let distance = (scaled.clone() - scaled.round()).abs();
        assert!(distance < power_of_two(-40), "{name}({text}) is not hard");
        for mode in MODES {
            let expected = reference::rounded(&bounds, Format::BINARY64, mode, Overflow::Ieee).unwrap();
            assert_eq!(
                function(name).round(std::slice::from_ref(&x), Format::BINARY64, mode, Overflow::Ieee),
                Ok(expected),
                "{name}({text})"
            );
        }
    }
}

/// Arguments of so many bits that the function comes within about as many of a midpoint: inverse functions of midpoints,
/// rounded down and up. On which side of the midpoint the value is, is known by monotonicity.
#[test]
fn values_as_near_to_midpoints_as_one_likes_round_by_their_side() {
    let format = Format::BFLOAT16;
    // 0.70703125 is followed by 0.7109375.
    let midpoint = Rational::from((363, 512));
    let inverse = |name: &str, y: Float| match name {
        "exp" => y.ln(),
        "log" => y.exp(),
        "sin" => y.asin(),
        "tanh" => y.atanh(),
        "sigmoid" => -(y.recip() - 1u32).ln(),
        "softplus" => y.exp_m1().ln(),
        "sqrt" => y.square(),
        _ => unreachable!("{name}"),
    };
    for name in ["exp", "log", "sin", "tanh", "sigmoid", "softplus", "sqrt"] {
        let f = function(name);
        for bits in [60, 300, 3000, 8000] {
            let center = inverse(name, Float::with_val(2 * bits, &midpoint));
            for (direction, up) in [(Round::Down, false), (Round::Up, true)] {
                let x = Float::with_val_round(bits, &center, direction).0.to_rational().unwrap();
                let side = power_of_two(-i64::from(bits)) * if up { 1 } else { -1 };
                let value = if name == "sqrt" { midpoint.clone() } else { side + &midpoint };
                for mode in MODES {
                    let expected = round(&value, format, mode, Overflow::Ieee);
                    let result = f.round(std::slice::from_ref(&x), format, mode, Overflow::Ieee);
                    assert_eq!(result, Ok(expected), "{name}, {bits} bits, {mode}, {up}");
                }
            }
        }
        if name != "sqrt" {
            let center = inverse(name, Float::with_val(40_000, &midpoint));
            let x = Float::with_val(20_000, &center).to_rational().unwrap();
            let result = f.round(&[x], format, RoundingMode::TiesToEven, Overflow::Ieee);
            assert_eq!(result, Err(FunctionError::Undecided { bits: MAX_PRECISION }), "{name}");
        }
    }
}

#[test]
fn policies_that_the_format_lacks_are_refused() {
    let format = Format::FLOAT8_E4M3FN;
    let overflow = Overflow::Ieee;
    let result = function("exp").round(&[Rational::from(100)], format, RoundingMode::TiesToEven, overflow);
    assert_eq!(result, Err(FunctionError::Overflow { format, overflow }));
}

/// In F(p), magnitudes beyond 2^(2^22), and exponents at the limits of bounded formats.
#[test]
fn exponents_at_the_limits_round_or_say_so() {
    let wide = Format::unbounded(53).unwrap();
    let at = |text: &str, x: &Rational| {
        function(text).round(std::slice::from_ref(x), wide, RoundingMode::TiesToEven, Overflow::Ieee)
    };
    let huge = power_of_two(1 << 20);
    for text in ["exp(x)", "exp(-x)", "x^1000", "x^-1000", "1/exp(-x)", "exp(exp(exp(x)))"] {
        assert!(matches!(at(text, &huge), Err(FunctionError::Unbounded { .. })), "{text}: {:?}", at(text, &huge));
    }
    for (text, expected) in [
        ("x*x", power_of_two(1 << 21)),
        ("x^-2", power_of_two(-(1 << 21))),
        ("sqrt(x)", power_of_two(1 << 19)),
        ("tanh(x)", Rational::from(1)),
        ("x+1", huge.clone()),
        ("hypot(x,3)", huge.clone()),
        ("x/3*3", huge.clone()),
    ] {
        let expected = round(&expected, wide, RoundingMode::TiesToEven, Overflow::Ieee).encoding;
        assert_eq!(at(text, &huge).map(|rounded| rounded.encoding), Ok(expected), "{text}");
    }
    // Angles up to 2^(2^21) are reduced; beyond, nothing is known but that sines are at most 1.
    assert!(at("cos(x*x/8)", &huge).is_ok());
    assert_eq!(at("sin(x^4)", &huge), Err(FunctionError::Undecided { bits: MAX_PRECISION }));
    assert!(at("sin(x)", &huge).is_ok());
}

/// Whatever is equal and not known to be is undecided: at the bits that expressions of so many functions are given.
#[test]
fn many_functions_have_fewer_bits() {
    for (pairs, bits) in [(1, 1 << 14), (8, 1 << 14), (9, 1 << 13), (16, 1 << 13), (160, 1 << 9), (250, 1 << 9)] {
        let text = vec!["(exp(x)-exp(x))"; pairs].join("+");
        let result =
            function(&text).round(&[Rational::from(1)], Format::BINARY32, RoundingMode::TowardZero, Overflow::Ieee);
        assert_eq!(result, Err(FunctionError::Undecided { bits }), "{pairs}");
    }
}
