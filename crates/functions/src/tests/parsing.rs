//! Expressions from text and back, and texts that are none.

use super::*;
use crate::expression::{Binary, Expression, Unary};

/// Any tree that a text can give.
fn tree() -> impl Strategy<Value = Expression> {
    let number = prop_oneof![
        (any::<u32>(), 0i64..130).prop_map(|(n, k)| Rational::from(n) * power_of_two(-k)),
        (any::<u32>(), -40i32..40)
            .prop_map(|(n, k)| roundproof_exact::parse_number(&format!("{n}e{k}")).unwrap().value()),
        any::<u128>().prop_map(Rational::from),
    ];
    let variable = (0usize..2).prop_map(Expression::Variable);
    let leaf = prop_oneof![variable, number.prop_map(Expression::Number)];
    let unary: Vec<Unary> = Unary::NAMED.iter().map(|(_, f)| *f).chain([Unary::Negate]).collect();
    let operators = [Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide];
    let binary: Vec<Binary> = Binary::NAMED.iter().map(|(_, f)| *f).chain(operators).collect();
    leaf.prop_recursive(8, 60, 2, move |inner| {
        prop_oneof![
            (proptest::sample::select(unary.clone()), inner.clone()).prop_map(|(f, a)| Expression::Unary(f, a.into())),
            (proptest::sample::select(binary.clone()), inner.clone(), inner.clone())
                .prop_map(|(f, a, b)| Expression::Binary(f, a.into(), b.into())),
            (inner, -1_000_000i32..=1_000_000).prop_map(|(a, n)| Expression::Power(a.into(), n)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_written_reads_back(tree in tree()) {
        let f = Function { expression: tree };
        let text = f.to_string();
        prop_assert_eq!(Function::parse(&text), Ok(f), "{}", text);
    }

    #[test]
    fn any_text_is_a_function_or_an_error_with_its_place(text in ".{0,60}") {
        told(&text)?;
    }

    #[test]
    fn any_text_of_the_grammars_signs_is_a_function_or_an_error_with_its_place(text in "([xy()+*/^., -]|-|0x|1e|[0-9]|e|p|exp|log|sin\\(|atan2\\(|max|é){0,40}") {
        told(&text)?;
    }
}

/// What is read of a text reads back as it is written; an error names a place in the text where a character begins.
fn told(text: &str) -> Result<(), TestCaseError> {
    match Function::parse(text) {
        Ok(f) => prop_assert_eq!(Function::parse(&f.to_string()), Ok(f)),
        Err(
            FunctionError::Syntax { position, .. }
            | FunctionError::Product { position, .. }
            | FunctionError::UnknownName { position, .. },
        ) => prop_assert!(text.is_char_boundary(position), "{position} in {text:?}"),
        Err(FunctionError::Arity { name, expected, found }) => {
            prop_assert!(text.contains(&name) && expected != found, "{name} in {text:?}");
        }
        Err(error) => prop_assert!(false, "{error} is not about a text: {text:?}"),
    }
    Ok(())
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (text, plain) in [
        ("1 - 2 - 3", "(1-2)-3"),
        ("1/2*x", "(1/2)*x"),
        ("-x^2", "-(x^2)"),
        ("2*-x", "2*(-x)"),
        ("-x*y", "(-x)*y"),
        ("1-x*y^2", "1-(x*(y^2))"),
        ("x^(-3)", "x^ - 3"),
        ("0x1.8p1", "3"),
        ("1e-1", ".1"),
        ("2.50e+1", "25"),
        (" \tsin ( x )\n", "sin(x)"),
        ("tanh", "tanh(x)"),
        ("div", "x/y"),
        ("atan2", "atan2(x,y)"),
    ] {
        assert_eq!(function(text), function(plain), "{text}");
    }
    assert_ne!(function("1-(2-3)"), function("1-2-3"));
    assert_ne!(function("(-x)^2"), function("-x^2"));
}

#[test]
fn every_name_of_the_catalogue_is_a_function() {
    for (name, variables, _) in CATALOGUE {
        assert_eq!(function(name).arity(), *variables, "{name}");
        assert_eq!(name.parse::<Function>(), Ok(function(&function(name).to_string())));
    }
    assert_eq!(function("3").arity(), 1);
    assert_eq!(function("y").arity(), 2);
}

#[test]
fn errors_say_where_and_what() {
    let syntax = |position, expected| FunctionError::Syntax { position, expected };
    let product = |position, product: &str| FunctionError::Product { position, product: product.into() };
    let arity = |name: &str, expected, found| FunctionError::Arity { name: name.into(), expected, found };
    for (text, expected) in [
        ("", syntax(0, "a number, x, y, a function or `(`")),
        ("1+", syntax(2, "a number, x, y, a function or `(`")),
        ("x y", product(2, "x*y")),
        ("2x", product(1, "2*x")),
        ("2exp(x)", product(1, "2*exp")),
        ("0x1px", product(3, "0x1*px")),
        ("1e3.x", product(3, "1e3*.x")),
        ("-2 x+1", product(3, "-2*x")),
        ("(x+1) (x-1)", product(6, "(x+1)*(...)")),
        ("sin(2x)", product(5, "2*x")),
        ("(x", syntax(2, "an operator or `)`")),
        ("x)", syntax(1, "an operator or the end")),
        ("sin x", syntax(4, "`(` after the name of a function")),
        ("sin(x", syntax(5, "an operator, `,` or `)`")),
        ("x^y", syntax(2, "an integer of at most 1000000 as an exponent")),
        ("x^1000001", syntax(2, "an integer of at most 1000000 as an exponent")),
        ("x^99999999999999999999", syntax(2, "an integer of at most 1000000 as an exponent")),
        ("x^2^3", syntax(3, "parentheses around a power of a power")),
        ("x^(2", syntax(4, "`)` after the exponent")),
        ("+x", syntax(0, "a number, x, y, a function or `(`")),
        ("é", syntax(0, "a number, x, y, a function or `(`")),
        ("1é", syntax(1, "an operator or the end")),
        ("1e", product(1, "1*e")),
        ("1e+", product(1, "1*e")),
        (".", syntax(0, "a number")),
        ("0xg", syntax(0, "a number")),
        ("0x", syntax(0, "a number")),
        ("max(x)", arity("max", 2, 1)),
        ("sin(x,y)", arity("sin", 1, 2)),
        ("hypot(x,y,x,y)", arity("hypot", 2, 4)),
        ("2+tan(x)", FunctionError::UnknownName { name: "tan".into(), position: 2, nearest: Some("tanh") }),
        ("z", FunctionError::UnknownName { name: "z".into(), position: 0, nearest: None }),
    ] {
        assert_eq!(Function::parse(text), Err(expected), "{text}");
    }
}

/// Few characters, or many, that ask for much: refused, or done, within the stack of a thread.
#[test]
fn limits_hold() {
    let nested = |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    for (open, close) in [("(", ")"), ("-", ""), ("exp(", ")"), ("max(1,", ")"), ("-(", ")"), ("square(", ")")] {
        let each = if open == "-(" { 2 } else { 1 };
        assert!(Function::parse(&nested(open, close, 200 / each)).is_ok(), "{open}");
        for n in [201, 100_000] {
            assert!(matches!(Function::parse(&nested(open, close, n)), Err(FunctionError::Syntax { .. })), "{open}");
        }
    }
    let chain = |n: usize| vec!["x"; n].join("*");
    let f = Function::parse(&chain(1001)).unwrap();
    let value = f.round(&[Rational::from((101, 100))], Format::BINARY32, RoundingMode::TiesToEven, Overflow::Ieee);
    assert!(value.is_ok());
    assert_eq!(Function::parse(&f.to_string()), Ok(f));
    let too_many = |position| Err(FunctionError::Syntax { position, expected: "at most 1000 operators" });
    assert_eq!(Function::parse(&chain(1002)), too_many(2003));
    // All of them count, not those on one path.
    for part in ["max(x,1)", "x^2", "-x", "(x-1)"] {
        let sum = |n: usize| vec![part; n].join("+");
        assert!(Function::parse(&sum(500)).is_ok(), "{part}");
        let error = Function::parse(&sum(501)).unwrap_err().to_string();
        assert!(error.starts_with("expected at most 1000 operators at byte"), "{error}");
    }
    // The last one is read in half a millisecond, and refused.
    for text in ["1e19729", "1e-19729", "0x1p65536", "0x1p-65536", "1e999999", "1e-999999", "1e99999999999999999999"] {
        let expected = "numbers of at most 65536 bits, together";
        assert_eq!(Function::parse(text), Err(FunctionError::Syntax { position: 0, expected }), "{text}");
    }
    assert!(Function::parse("1e19727").is_ok());
    assert!(Function::parse("1e19720+1").is_ok());
    assert!(matches!(Function::parse("1e10000+1e10000"), Err(FunctionError::Syntax { position: 8, .. })));
    let long_name = "q".repeat(1_000_000);
    let error = Function::parse(&long_name).unwrap_err();
    assert!(matches!(&error, FunctionError::UnknownName { nearest: None, name, .. } if name.len() < 100), "{error}");
    let f = Function::parse(&format!("log(-x*{})", chain(900))).unwrap();
    let error = f.enclose(&[(Rational::from(1), Rational::from(2))], 64).unwrap_err();
    let abridged = FunctionError::Undefined { place: f.abridged(), certain: true };
    assert_eq!((f.abridged().len(), error), (40 + 5 + 20, abridged));
}

/// Short texts whose values, or whose evaluation, would be without bound: a typed error, and soon.
#[test]
fn short_texts_do_not_take_long() {
    let nested = |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    let chain = |part: &str, n: usize| vec![part; n].join("*");
    for text in [
        nested("square(", ")", 200),
        nested("log(1+", ")", 200),
        nested("log(", "+1)", 200),
        nested("(", ")^1000000", 200),
        nested("(", ")^-1000000", 190),
        nested("exp(", ")", 200),
        nested("sin(1/", ")", 199),
        nested("hypot(", ",x)", 199),
        nested("gelu(", ")", 200),
        chain("x^100000", 500),
        format!("1e-19000+{}", chain("(x+1)", 490)),
        chain("square(x+0x1p-200)", 300),
        // Exact numbers that double up to the limit, and then many operations on them.
        format!("{}*({})", nested("square(", ")", 17), vec![nested("(", ")^100000", 1); 480].join("/")),
        vec!["square(square(x^10000))"; 240].join("+"),
        vec!["x^165000"; 500].join("-"),
        vec!["sin(x^700000)"; 330].join("+"),
        vec!["sin(x*x)"; 330].join("*"),
        format!("exp(exp(x))+{}", vec!["exp(exp(x))"; 300].join("+")),
        vec!["gelu(x)"; 500].join("+"),
        vec!["(gelu(x)-gelu(x))"; 250].join("+"),
        vec!["(erf(exp(x))-erf(exp(x)))"; 125].join("+"),
    ] {
        let f = function(&text);
        for x in [Rational::new(), Rational::from((1, 3)), Rational::from(3), power_of_two(1 << 20)] {
            let _ = f.round(std::slice::from_ref(&x), Format::BINARY32, RoundingMode::TowardZero, Overflow::Ieee);
            let _ = f.enclose(&[(-x.clone(), x.clone())], 64);
            let _ = f.enclose(&[(x.clone(), x + 1)], 64);
        }
    }
}
