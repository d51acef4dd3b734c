//! Enclosures on boxes drawn at random, against the reference at points of them.

use super::*;
use crate::expression::{Binary, Expression, Unary};

/// Whether two ranges have a real in common.
fn meet(a: &(Rational, Rational), b: &(Rational, Rational)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// `outer`, and a bit more, holds `inner`.
fn nearly_holds(outer: &(Rational, Rational), inner: &(Rational, Rational), precision: u32) -> bool {
    let slack = |end: &Rational| end.clone().abs() * power_of_two(8 - i64::from(precision));
    (&outer.0 - slack(&outer.0)) <= inner.0 && inner.1 <= (&outer.1 + slack(&outer.1))
}

fn in_one_variable() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(named(1).collect::<Vec<_>>())
}

/// Boxes whose ends are beyond what the reference handles are left out.
fn is_moderate(range: &(Rational, Rational)) -> bool {
    range.0.clone().abs() < power_of_two(190) && range.1.clone().abs() < power_of_two(190)
}

/// Trees of all operators, with roots and logarithms of what need not be positive.
fn expression() -> impl Strategy<Value = Expression> {
    let number = (0u32..50, 0u32..4).prop_map(|(n, k)| Expression::Number(Rational::from((n, 1u32 << k))));
    let leaf = prop_oneof![Just(Expression::Variable(0)), Just(Expression::Variable(1)), number];
    let unary =
        proptest::sample::select(Unary::NAMED.iter().map(|(_, f)| *f).chain([Unary::Negate]).collect::<Vec<_>>());
    let binary = proptest::sample::select(vec![
        Binary::Add,
        Binary::Subtract,
        Binary::Multiply,
        Binary::Divide,
        Binary::Hypot,
        Binary::Atan2,
        Binary::Max,
        Binary::Min,
    ]);
    leaf.prop_recursive(5, 24, 2, move |inner| {
        prop_oneof![
            (unary.clone(), inner.clone()).prop_map(|(f, a)| Expression::Unary(f, Box::new(a))),
            (binary.clone(), inner.clone(), inner.clone()).prop_map(|(f, a, b)| Expression::Binary(
                f,
                Box::new(a),
                Box::new(b)
            )),
            (inner, -4i32..5).prop_map(|(a, n)| Expression::Power(Box::new(a), n)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_value_at_a_point_of_a_box_is_enclosed((range, x) in box_with_point(), name in in_one_variable(), precision in 2u32..90) {
        prop_assume!(is_moderate(&range));
        let Ok(enclosure) = function(name).enclose(std::slice::from_ref(&range), precision) else {
            // Undefined somewhere in the box: at its lower end, or for the reciprocal between its ends.
            let poles = name == "reciprocal" && range.0 <= 0 && range.1 >= 0;
            let large = name == "exp" && range.1 > 1 << 21;
            prop_assert!(poles || large || !is_defined(name, &range.0), "{name} on {range:?}");
            return Ok(());
        };
        prop_assert!(is_defined(name, &x));
        if let Some(bounds) = reference::enclosing(reference::unary(name, &x)) {
            prop_assert!(meet(&enclosure, &bounds), "{name}({x}) on {range:?}: {enclosure:?}");
        }
    }

    #[test]
    fn sines_and_cosines_of_large_and_narrow_boxes_are_enclosed(
        n in any::<i64>(), k in -60i64..100, width in 1u32..40, place in 0u32..=8, cosine: bool, precision in 2u32..90,
    ) {
        let low = Rational::from(n) * power_of_two(k);
        let width = Rational::from((width, 10));
        let x = &low + &width * Rational::from((place, 8));
        let name = if cosine { "cos" } else { "sin" };
        let enclosure = function(name).enclose(&[(low.clone(), Rational::from(&low + &width))], precision).unwrap();
        let bounds = reference::unary(name, &x);
        prop_assert!(meet(&enclosure, &bounds), "{name}({x}) from {low}, {width}: {enclosure:?}");
        // Of less than half a turn, not everything is enclosed.
        if width < 3 && i64::from(precision) > (70 + k).max(20) {
            prop_assert!(enclosure.0 > -1 || enclosure.1 < 1, "{name} from {low}, {width}");
        }
    }

    #[test]
    fn two_variables_are_enclosed(
        (first, x) in box_with_point(), (second, y) in box_with_point(), precision in 2u32..90,
        name in proptest::sample::select(named(2).collect::<Vec<_>>()),
    ) {
        prop_assume!(is_moderate(&first) && is_moderate(&second));
        let holds_zero = |range: &(Rational, Rational)| range.0 <= 0 && range.1 >= 0;
        let Ok(enclosure) = function(name).enclose(&[first.clone(), second.clone()], precision) else {
            let poles = name == "div" && holds_zero(&second) || name == "atan2" && holds_zero(&first) && holds_zero(&second);
            prop_assert!(poles, "{name} on {first:?}, {second:?}");
            return Ok(());
        };
        let bounds = reference::binary(name, &x, &y).expect("defined on the box");
        prop_assert!(meet(&enclosure, &bounds), "{name}({x}, {y}) on {first:?}, {second:?}: {enclosure:?}");
    }

    /// Enclosures of the catalogue are tight: at the point where the function is least (or most), there is its value.
    #[test]
    fn ends_of_enclosures_are_values((range, _) in box_with_point(), name in in_one_variable()) {
        prop_assume!(is_moderate(&range) && !["sin", "cos"].contains(&name));
        // Rounding an argument outward would count as looseness of steep functions.
        let range = (Float::with_val(40, range.0).to_rational().unwrap(), Float::with_val(40, range.1).to_rational().unwrap());
        let f = function(name);
        let Ok(enclosure) = f.enclose(std::slice::from_ref(&range), 60) else { return Ok(()) };
        let mut points = vec![range.0.clone(), range.1.clone()];
        let minimum = match name {
            "silu" => "-1.2784645427610738",
            "gelu" => "-0.75179152469356445",
            _ => "0",
        };
        let minimum = roundproof_exact::parse_number(minimum).unwrap().value();
        points.extend((range.0 <= minimum && minimum <= range.1).then_some(minimum));
        let values: Vec<_> = points.iter().map(|x| f.enclose(&[(x.clone(), x.clone())], 100).unwrap()).collect();
        let least = values.iter().map(|value| &value.0).min().unwrap();
        let most = values.iter().map(|value| &value.1).max().unwrap();
        prop_assert!(nearly_holds(&(least.clone(), most.clone()), &enclosure, 56), "{name} on {range:?}: {enclosure:?}");
    }

    #[test]
    fn parts_of_a_box_have_parts_of_the_enclosure((range, x) in box_with_point(), name in in_one_variable(), precision in 10u32..90) {
        let f = function(name);
        let Ok(outer) = f.enclose(std::slice::from_ref(&range), precision) else { return Ok(()) };
        for part in [(range.0.clone(), x.clone()), (x.clone(), range.1.clone()), (x.clone(), x.clone())] {
            let inner = f.enclose(std::slice::from_ref(&part), precision);
            prop_assert!(inner.is_ok(), "{name} is defined on {range:?}, not on {part:?}");
            prop_assert!(nearly_holds(&outer, &inner.unwrap(), precision), "{name} on {part:?} of {range:?}");
        }
    }

    #[test]
    fn more_bits_at_a_point_give_less_room(x in rational(), name in in_one_variable()) {
        prop_assume!(is_defined(name, &x) && x.clone().abs() < 64);
        let f = function(name);
        for precision in [20, 40, 80, 160] {
            let (low, high) = f.enclose(&[(x.clone(), x.clone())], precision).unwrap();
            let room = Rational::from(&high - &low);
            // The argument's own rounding is amplified, in the tail of gelu by its square.
            let lost = if ["sin", "cos", "exp", "sigmoid", "softplus", "silu", "gelu"].contains(&name) { 16 } else { 5 };
            let magnitude = low.clone().abs().max(high.clone().abs());
            // Beside their roots, which are not 0, it is lost absolutely.
            let scale = match name {
                "sin" | "cos" => Rational::from(1),
                "log" => magnitude.max(Rational::from(1)),
                _ => magnitude,
            };
            prop_assert!(room <= scale * power_of_two(lost - i64::from(precision)), "{name}({x}): {low} {high}");
        }
    }

    /// Whatever the tree: its enclosure on a box meets its far tighter one at a point of it.
    #[test]
    fn expressions_are_enclosed(tree in expression(), (first, x) in box_with_point(), (second, y) in box_with_point(), precision in 2u32..90) {
        let f = Function { expression: tree };
        let count = f.arity();
        let ranges = [first, second][..count].to_vec();
        let point = [(x.clone(), x), (y.clone(), y)][..count].to_vec();
        let Ok(outer) = f.enclose(&ranges, precision) else { return Ok(()) };
        // Defined on the box, it is at the point; only tiny values may be beyond the exponents of 300 bits' ends.
        match f.enclose(&point, 300) {
            Ok(inner) => prop_assert!(meet(&outer, &inner), "{f} at {point:?} in {ranges:?}: {outer:?} {inner:?}"),
            Err(error) => prop_assert!(false, "{f} at {point:?} in {ranges:?}: {error}"),
        }
    }

    /// A rounded value of a tree is that of its enclosure with many more bits.
    #[test]
    fn expressions_round_as_their_enclosures(tree in expression(), x in rational(), y in rational()) {
        let f = Function { expression: tree };
        let at = [x, y][..f.arity()].to_vec();
        let (format, mode) = (Format::BINARY32, RoundingMode::TowardZero);
        let Ok(rounded) = f.round(&at, format, mode, Overflow::Ieee) else { return Ok(()) };
        let point: Vec<_> = at.iter().map(|x| (x.clone(), x.clone())).collect();
        let key_at = |end: &Rational| roundproof_exact::order_key(format, round(end, format, mode, Overflow::Ieee).encoding).unwrap();
        // The cosine of exp(10959) takes more bits than most.
        let mut ends = [i128::MIN, i128::MAX];
        for precision in [2000, MAX_PRECISION] {
            if ends[1].saturating_sub(ends[0]) > 1 {
                let Ok((low, high)) = f.enclose(&point, precision) else { return Ok(()) };
                ends = [key_at(&low), key_at(&high)];
            }
        }
        let key = roundproof_exact::order_key(format, rounded.encoding).unwrap();
        // An end may be a value of the format that the function does not come to: to zero, that is one step.
        prop_assert!(ends[0] - 1 <= key && key <= ends[1] + 1 && ends[1] - ends[0] <= 1, "{f} at {at:?}");
    }
}

/// Sines differ by at most 1 where angles do: between large angles no extremum is seen that is not there.
#[test]
fn sines_of_large_angles_are_tight() {
    for n in 0..200 {
        let low = Rational::from(n) + power_of_two(60);
        for name in ["sin", "cos"] {
            let (least, most) = function(name).enclose(&[(low.clone(), Rational::from(&low + 1))], 64).unwrap();
            assert!(Rational::from(&most - &least) <= Rational::from((1001, 1000)), "{name}, {n}: {least} {most}");
        }
    }
}

#[test]
fn what_is_not_defined_on_a_box_is_named() {
    let enclose = |text: &str, low: i32, high: i32| {
        let range = (Rational::from(low), Rational::from(high));
        let f = function(text);
        let ranges = vec![range; f.arity()];
        f.enclose(&ranges, 64)
    };
    // Whether it is defined nowhere on the box.
    for (text, low, high, named, certain) in [
        ("1+reciprocal(x-1)", 0, 2, "reciprocal(x-1)", false),
        ("exp(2/x)", -1, 1, "2/x", false),
        ("exp(2/x)", 0, 0, "2/x", true),
        ("x^-2+1", -1, 1, "x^-2", false),
        ("log(x)", 0, 1, "log(x)", false),
        ("log(1+x)*2", -1, 1, "log(1+x)", false),
        ("log(x+1)*2", -3, -2, "log(x+1)", true),
        ("3-sqrt(x)", -1, 1, "sqrt(x)", false),
        ("sqrt(x)", -2, -1, "sqrt(x)", true),
        ("atan2(y,x)+1", -1, 1, "atan2(y,x)", false),
        ("atan2(x,x)", 0, 0, "atan2(x,x)", true),
        ("div", -1, 1, "x/y", false),
        ("log(sqrt(x-3))", 0, 1, "sqrt(x-3)", true),
        ("(1/x)^0", 0, 0, "1/x", true),
        ("0*(1/x)", 0, 1, "1/x", false),
    ] {
        let error = enclose(text, low, high).unwrap_err();
        assert_eq!(error, FunctionError::Undefined { place: named.to_string(), certain }, "{text}");
        assert_eq!(error.to_string().ends_with("` is not defined"), certain, "{error}");
    }
    for (text, low, high, named) in [
        ("1+exp(exp(x))", 1, 100, "exp(exp(x))"),
        ("tanh(x)/exp(-exp(exp(x)))", 1, 20, "tanh(x)/exp(-exp(exp(x)))"),
        ("x^1000000*x^1000000+1", 1, 1000, "x^1000000"),
        ("(x-1)*x^1000000+x^1000000/x", 1, 1000, "x^1000000"),
    ] {
        let expected = FunctionError::Unbounded { place: named.to_string() };
        assert_eq!(enclose(text, low, high), Err(expected), "{text}");
    }
    assert_eq!(enclose("exp", 1, 0), Err(FunctionError::Empty { variable: 0 }));
    assert_eq!(
        function("mul").enclose(&[(Rational::new(), Rational::new())], 9),
        Err(FunctionError::Arity { name: "x*y".into(), expected: 2, found: 1 })
    );
    // Tanh of what has no bounds has them all the same.
    assert!(enclose("tanh(exp(exp(x)))", 1, 100).unwrap().1 <= 1);
}

/// MPFR's erf ends the process next to the square root of 3, to a thousand bits: arguments are shortened before.
#[test]
fn erf_next_to_the_square_root_of_3_is_enclosed() {
    for text in ["erf(sqrt(3*x))", "gelu(sqrt(6*x))", "erf(-sqrt(3*x))"] {
        let function: Function = text.parse().expect("a function");
        let one = Rational::from(1);
        let (coarse_low, coarse_high) = function.enclose(&[(one.clone(), one.clone())], 64).expect("defined");
        for bits in [1000, 1020, 1100, 2048, 4096] {
            let (low, high) = function.enclose(&[(one.clone(), one.clone())], bits).expect("defined");
            assert!(coarse_low <= low && low <= high && high <= coarse_high, "{text} {bits}");
            assert!(Rational::from(&high - &low) < power_of_two(-800), "{text} {bits}");
        }
    }
}
