//! All formats at once: an abstract set `F` of values and an abstract relation `R` "may be rounded to", of which nothing
//! is known but the axioms.
//!
//! The axioms are macros, and a lemma asserts the *instances* that it uses: no quantifiers, so every query is decided.
//! What makes such a lemma more than a play with symbols is that there are formats with these properties: the same
//! macros hold of a concrete format for all arguments ([`concrete`]).

use roundproof_exact::{Rational, decode};
use roundproof_format::Format;

/// The sort of data: reals, infinities, NaN.
const SORT: &str = "(declare-datatypes ((Datum 0)) (((finite (value Real)) (infinity) (minus-infinity) (nan))))";

/// The declarations of an abstract format, and the axioms and operations as macros.
pub fn abstract_format() -> [&'static str; 3] {
    [SORT, include_str!("abstract.smt2"), include_str!("vocabulary.smt2")]
}

/// A real as a term.
pub fn real(q: &Rational) -> String {
    let magnitude = format!("(/ {}.0 {}.0)", q.numer().clone().abs(), q.denom());
    if *q < 0 { format!("(- {magnitude})") } else { magnitude }
}

/// The same vocabulary with `F`, `R`, `Pow` and `Mult` defined by a small format: every value is written out. Past the
/// largest value a result is that value or infinity.
pub fn concrete(format: Format) -> Vec<String> {
    let values = values(format);
    let is_power = |q: &&Rational| **q > 0 && q.numer().is_power_of_two() && q.denom().is_power_of_two();
    let any_of = |values: Vec<&Rational>| {
        let cases: Vec<String> = values.into_iter().map(|value| format!("(= x {})", real(value))).collect();
        format!("(or {})", cases.join(" "))
    };
    let between: Vec<String> = values
        .windows(2)
        .map(|pair| (real(&pair[0]), real(&pair[1])))
        .map(|(a, b)| format!("(and (<= {a} t) (<= t {b}) (or (= v {a}) (= v {b})))"))
        .collect();
    let max = values.last().map(real).unwrap_or_default();
    vec![
        SORT.to_string(),
        format!("(define-fun max () Real {max})"),
        format!("(define-fun P () Real {}.0)", 1u128 << format.precision()),
        format!("(define-fun F ((x Real)) Bool {})", any_of(values.iter().collect())),
        format!("(define-fun neighbour ((t Real) (v Real)) Bool (ite (F t) (= v t) (or {})))", between.join(" ")),
        "(define-fun R ((t Real) (r Datum)) Bool (ite (> t max) (or (= r infinity) (= r (finite max))) (ite (< t (- max)) \
         (or (= r minus-infinity) (= r (finite (- max)))) (and ((_ is finite) r) (neighbour t (value r))))))"
            .to_string(),
        format!("(define-fun Pow ((x Real)) Bool {})", any_of(values.iter().filter(is_power).collect())),
        "(define-fun Mult ((x Real) (g Real)) Bool (ite (= g 0.0) (= x 0.0) (is_int (/ x g))))".to_string(),
        include_str!("vocabulary.smt2").to_string(),
    ]
}

/// Every pair of a value and the next one.
pub fn neighbours(format: Format) -> Vec<(Rational, Rational)> {
    values(format).windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// The finite values of a small format, ascending.
fn values(format: Format) -> Vec<Rational> {
    let mut values: Vec<Rational> =
        format.encodings().filter_map(|encoding| decode(format, encoding)?.rational()).collect();
    values.sort();
    values.dedup();
    values
}
