//! The lemmas for every format at once, from instances of the axioms. See [`crate::smt::reals`] for the words.

use std::ops::RangeInclusive;

use roundproof_exact::{Rational, decode, power_of_two};
use roundproof_format::Format;

use super::Question;
use crate::smt::reals;

/// A question about an arbitrary format: constants of sort `Real` and `X` (data), assumptions, instances of the axioms.
pub(super) fn ask(
    case: impl Into<String>,
    reals: &[&str],
    data: &[&str],
    assumptions: &[&str],
    axioms: &[&str],
    conclusion: impl Into<String>,
) -> Question {
    let mut script = reals::every_format();
    for (sort, names) in [("Real", reals), ("X", data)] {
        for name in names {
            script.line(&format!("(declare-const {name} {sort})"));
        }
    }
    for formula in assumptions.iter().chain(axioms) {
        script.assert(formula);
    }
    Question {
        scope: "every format".to_string(),
        encoding: "reals",
        case: case.into(),
        assumptions: script,
        conclusion: conclusion.into(),
    }
}

pub(super) fn exactness() -> Vec<Question> {
    vec![ask("rounding", &["t"], &["r"], &["(F t)", "(R t r)"], &["(R1 t t r)"], "(= r (fin t))")]
}

pub(super) fn grid_sums() -> Vec<Question> {
    let grid = ["(Pow g)", "(F g)", "(Mult a g)", "(Mult b g)", "(<= (ab (+ a b)) (* P g))", "(<= (ab (+ a b)) mx)"];
    let axioms = ["(M a b g)", "(G (+ a b) g)", "(R1 (+ a b) (+ a b) r)"];
    let exact = "(and (= r (fin (+ a b))) (Mult (+ a b) g))";
    let with = |more: &[&'static str]| [&grid, more].concat();
    vec![
        ask("sum", &["a", "b", "g"], &["r"], &with(&["(add (fin a) (fin b) r)"]), &axioms, exact),
        ask(
            "contracted",
            &["w", "x", "a", "b", "g"],
            &["r"],
            &with(&["(= a (* w x))", "(R (+ (* w x) b) r)"]),
            &axioms,
            exact,
        ),
    ]
}

pub(super) fn gap() -> Vec<Question> {
    let below = ["(Pred pa a)", "(F x)", "(< x a)", "(R (- a x) r)"];
    let above = ["(Pred pa a)", "(F x)", "(< pa x)", "(R (- x pa) r)"];
    let conclusion = "(and (not (= r nan)) (le (fin (- a pa)) r))";
    let difference = ["(N pa a x)", "(D pa a)"];
    let question = |case: &str, assumptions: &[&str], rounds: &str| {
        ask(case, &["a", "pa", "x"], &["r"], assumptions, &[&difference[..], &[rounds]].concat(), conclusion)
    };
    // A contracted product with 1 or -1 has the same exact difference, and one rounding.
    vec![question("below", &below, "(R1 (- a pa) (- a x) r)"), question("above", &above, "(R1 (- a pa) (- x pa) r)")]
}

pub(super) fn scaling() -> Vec<Question> {
    let scaled = ["(Pow k)", "(<= 1.0 k)", "(F a)", "(<= (ab (* k a)) mx)"];
    let exact = [&scaled[..], &["(R (* k a) r)"]].concat();
    let monotone = [&scaled[..], &["(F x)", "(<= x a)", "(<= (* k x) (* k a))", "(R (* k x) r)"]].concat();
    vec![
        ask("exact", &["k", "a"], &["r"], &exact, &["(R4 k a)", "(R1 (* k a) (* k a) r)"], "(= r (fin (* k a)))"),
        ask(
            "monotone",
            &["k", "a", "x"],
            &["r"],
            &monotone,
            &["(R4 k a)", "(R1 (* k a) (* k x) r)"],
            "(le r (fin (* k a)))",
        ),
    ]
}

pub(super) fn threshold_step() -> Vec<Question> {
    let assumptions = ["(Pred pa a)", "(F x)", "(R (- pa x) r)"];
    // Below or at the threshold the difference is not negative; above, it is at most -(a - pa).
    let axioms =
        ["G0", "(N pa a x)", "(D pa a)", "(S (- a pa))", "(R1 0.0 (- pa x) r)", "(R1 (- (- a pa)) (- pa x) r)"];
    let conclusion = "(and (not (= r nan)) (= (step r) (ite (<= x pa) 1.0 0.0)))";
    vec![ask("difference", &["a", "pa", "x"], &["r"], &assumptions, &axioms, conclusion)]
}

pub(super) fn threshold_relu() -> Vec<Question> {
    let unscaled = ["(Pred pa a)", "(F x)"];
    let neighbours = ["G0", "(N pa a x)", "(N pa a 0.0)", "(D pa a)"];
    let mut questions = vec![ask(
        "K = 1",
        &["a", "pa", "x"],
        &["r"],
        &[&unscaled[..], &["(R (- a x) r)"]].concat(),
        &[&neighbours[..], &["(R1 0.0 (- a x) r)", "(R1 (- a pa) (- a x) r)"]].concat(),
        "(and (=> (<= a x) (= (relu r) (fin 0.0))) (=> (<= x pa) (le (fin (- a pa)) (relu r))))",
    )];
    // What products with K do, so that the questions after it need no products: asked first, and by itself.
    let products = [
        "(=> (<= x pa) (<= (* k x) (* k pa)))",
        "(=> (<= a x) (<= (* k a) (* k x)))",
        "(=> (<= 0.0 pa) (<= 0.0 (* k pa)))",
        "(=> (<= a 0.0) (<= (* k a) 0.0))",
        "(=> (< pa a) (< (* k pa) (* k a)))",
        "(= (* k (- a pa)) (- (* k a) (* k pa)))",
        "(= (* k (- a x)) (- (* k a) (* k x)))",
    ];
    let all = format!("(and {})", products.join(" "));
    questions.push(ask("products with K", &["k", "a", "pa", "x"], &[], &["(<= 1.0 k)"], &[], all));
    // K (a - pa) is within the format, since 0 does not lie between a and pa.
    let scaled = ["(Pow k)", "(<= 1.0 k)", "(<= (ab (* k a)) mx)", "(<= (ab (* k pa)) mx)"];
    let base = [&unscaled[..], &scaled, &products].concat();
    let values = [&neighbours[..], &["(R4 k a)", "(R4 k pa)", "(R4 k (- a pa))"]].concat();
    let conclusion = "(and (=> (<= a x) (= (relu r) (fin 0.0))) (=> (<= x pa) (le (fin (* k (- a pa))) (relu r))))";
    let separate = [
        "(R1 (* k pa) (* k x) y)",
        "(R1 (* k a) (* k x) y)",
        "(R1 (* k (- a pa)) (+ (* k a) (val (neg y))) r)",
        "(R1 0.0 (+ (* k a) (val (neg y))) r)",
    ];
    questions.push(ask(
        "product rounded by itself",
        &["a", "pa", "x", "k"],
        &["y", "r"],
        &[&base[..], &["(R (* k x) y)", "(add (fin (* k a)) (neg y) r)"]].concat(),
        &[&values[..], &separate].concat(),
        conclusion,
    ));
    let fused = ["(R1 (* k (- a pa)) (- (* k a) (* k x)) r)", "(R1 0.0 (- (* k a) (* k x)) r)"];
    questions.push(ask(
        "contracted",
        &["a", "pa", "x", "k"],
        &["r"],
        &[&base[..], &["(R (- (* k a) (* k x)) r)"]].concat(),
        &[&values[..], &fused].concat(),
        conclusion,
    ));
    questions
}

pub(super) fn penalty() -> Vec<Question> {
    let monotone = "(=> (<= g (val u)) (<= (* w g) (* w (val u))))";
    let assumptions = ["(< 0.0 w)", "(< 0.0 g)", "(<= 1.0 (* w g))", "(le (fin g) u)", "(multiply w u r)", monotone];
    let product = ask("product with W", &["w", "g", "u"], &[], &["(< 0.0 w)", "(<= g u)"], &[], "(<= (* w g) (* w u))");
    let rounded = ["G0", "(R1 1.0 (* w (val u)) r)"];
    vec![product, ask("rounded", &["w", "g"], &["u", "r"], &assumptions, &rounded, "(le (fin 1.0) r)")]
}

/// A literal for a small integer.
fn literal(value: i32) -> String {
    if value < 0 { format!("(- {}.0)", -value) } else { format!("{value}.0") }
}

pub(super) fn dominance() -> Vec<Question> {
    let mut questions = Vec::new();
    for (s, t, sum) in [(1, 0, 1), (1, -1, 0), (0, 0, 0), (0, -1, -1), (-1, 0, -1)] {
        let [s, t, bound] = [s, t, sum].map(literal);
        let case = format!("s at most {s}, t at most {t}").replace(['(', ')'], "").replace("- ", "-").replace(".0", "");
        let below = [format!("(le s (fin {s}))"), format!("(le t (fin {t}))"), "(add s t r)".to_string()];
        let bounded = format!("(R1 {bound} (+ (val s) (val t)) r)");
        let conclusion = format!("(le r (fin {bound}))");
        let refs: Vec<&str> = below.iter().map(String::as_str).collect();
        questions.push(ask(case.clone(), &[], &["s", "t", "r"], &refs, &["G0", &bounded], conclusion.clone()));
        // Contracted: t is the exact product -(w u) of a penalty and a unit's value, which may be infinite.
        let least = if t == literal(0) { "(<= 0.0 (val u))" } else { "(<= 1.0 (* w (val u)))" };
        let assumptions = [
            "(< 0.0 w)",
            "(le (fin 0.0) u)",
            &format!("(or (= u pinf) {least})"),
            // A product of positive numbers, which the solver need not find out.
            "(=> (<= 0.0 (val u)) (<= 0.0 (* w (val u))))",
            "(= (* w (val (neg u))) (ite (finite u) (- (* w (val u))) (* w (val (neg u)))))",
            &format!("(le s (fin {s}))"),
            "(fma w (neg u) s r)",
        ];
        let bounded = format!("(R1 {bound} (+ (* w (val (neg u))) (val s)) r)");
        questions.push(ask(
            format!("{case}, contracted"),
            &["w"],
            &["s", "u", "r"],
            &assumptions,
            &["G0", &bounded],
            conclusion,
        ));
    }
    let ones = ["(= s (fin 1.0))", "(= t (fin 0.0))", "(add s t r)"];
    questions.push(ask("s is 1, t is 0", &[], &["s", "t", "r"], &ones, &["G0", "(R1 1.0 1.0 r)"], "(= r (fin 1.0))"));
    questions.extend(general_dominance());
    questions
}

/// `d = 2^-j`, `j <= p`; `e1` and `e2` are the numbers of terms at most `-d` in the two subtrees, times `d`.
fn general_dominance() -> Vec<Question> {
    let capped = |sum: &str| format!("(ite (<= {sum} 1.0) {sum} 1.0)");
    let (first, second, both) = (capped("e1"), capped("e2"), capped("(+ e1 e2)"));
    let grid = [
        "(Pow d)",
        "(F d)",
        "(< 0.0 d)",
        "(<= d 1.0)",
        "(<= 1.0 (* P d))",
        "(<= 1.0 mx)",
        "(Mult 1.0 d)",
        "(Mult 0.0 d)",
        "(Mult e1 d)",
        "(Mult e2 d)",
        "(<= 0.0 e1)",
        "(<= 0.0 e2)",
    ];
    let multiples = [
        "(M e1 e2 d)",
        "(M 1.0 (+ e1 e2) d)",
        "(M 0.0 (+ e1 e2) d)",
        "(M 0.0 1.0 d)",
        "(M 1.0 1.0 d)",
        "(M 0.0 0.0 d)",
    ];
    let mut questions = Vec::new();
    for (with_one, contracted) in [(true, false), (false, false), (true, true), (false, true)] {
        let start = if with_one { "1.0" } else { "0.0" };
        let bound = format!("(- {start} {both})");
        let subtree = format!("(le s (fin (- {start} {first})))");
        let (reals, data, other, sum, value): (&[&str], &[&str], _, _, _) = if contracted {
            let other = format!(
                "(and (< 0.0 w) (le (fin 0.0) u) (or (= u pinf) (<= {second} (* w (val u)))) (= (* w (- (val u))) (- (* w (val u)))))"
            );
            (&["d", "e1", "e2", "w"], &["s", "u", "r"], other, "(fma w (neg u) s r)", "(+ (* w (val (neg u))) (val s))")
        } else {
            (
                &["d", "e1", "e2"],
                &["s", "t", "r"],
                format!("(le t (fin (- {second})))"),
                "(add s t r)",
                "(+ (val s) (val t))",
            )
        };
        let assumptions = [&grid[..], &[&subtree, &other, sum]].concat();
        let (value_is, rounds) = (format!("(G {bound} d)"), format!("(R1 {bound} {value} r)"));
        let case = format!(
            "copies, {} the 1{}",
            if with_one { "with" } else { "without" },
            if contracted { ", contracted" } else { "" }
        );
        let axioms = [&multiples[..], &[&value_is, &rounds]].concat();
        questions.push(ask(case, reals, data, &assumptions, &axioms, format!("(le r (fin {bound}))")));
    }
    questions
}

pub(super) fn selection() -> Vec<Question> {
    let assumptions = [
        "(F y)",
        "(F s)",
        "(R (* y 1.0) r1)",
        "(R (* y 0.0) r2)",
        "(R (+ s 0.0) r3)",
        "(R (+ (* y 1.0) 0.0) r4)",
        "(R (+ (* y 0.0) s) r5)",
    ];
    let axioms = ["G0", "(R1 y y r1)", "(R1 0.0 0.0 r2)", "(R1 s s r3)", "(R1 y y r4)", "(R1 s s r5)"];
    let conclusion = "(and (= r1 (fin y)) (= r2 (fin 0.0)) (= r3 (fin s)) (= r4 (fin y)) (= r5 (fin s)))";
    vec![ask("products and sums", &["y", "s"], &["r1", "r2", "r3", "r4", "r5"], &assumptions, &axioms, conclusion)]
}

/// The axioms for all arguments, in formats small enough to list their values.
pub(super) fn axioms() -> Vec<Question> {
    [Format::FLOAT4_E2M1FN, Format::FLOAT6_E3M2FN].into_iter().flat_map(axioms_in).collect()
}

fn axioms_in(format: Format) -> Vec<Question> {
    let mut values: Vec<Rational> =
        format.encodings().filter_map(|encoding| decode(format, encoding)?.rational()).collect();
    values.sort();
    values.dedup();
    all_axioms(&format.to_string(), &define(format, &values))
}

/// Every axiom as a question about the values that the definitions list, for all arguments.
pub(super) fn all_axioms(scope: &str, definitions: &[String]) -> Vec<Question> {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case; 7] = [
        ("R1", &[("f", "Real"), ("t", "Real"), ("r", "X")], "(and (F f) (R t r))", "(R1 f t r)"),
        ("N", &[("pa", "Real"), ("a", "Real"), ("x", "Real")], "(and (Pred pa a) (F x))", "(N pa a x)"),
        ("D", &[("pa", "Real"), ("a", "Real")], "(Pred pa a)", "(D pa a)"),
        ("S", &[("v", "Real")], "(F v)", "(S v)"),
        ("R4", &[("k", "Real"), ("x", "Real")], "(and (Pow k) (F x))", "(R4 k x)"),
        ("G0", &[], "true", "G0"),
        // Mult v g by its meaning, which is stronger than the word.
        (
            "G",
            &[("v", "Real"), ("n", "Int"), ("g", "Real")],
            "(and (Pow g) (F g) (= v (* (to_real n) g)))",
            "(=> (and (<= (ab v) (* P g)) (<= (ab v) mx)) (F v))",
        ),
    ];
    cases
        .into_iter()
        .map(|(case, constants, assumption, conclusion)| {
            let mut script = reals::one_format(definitions);
            for (name, sort) in constants {
                script.line(&format!("(declare-const {name} {sort})"));
            }
            script.assert(assumption);
            let conclusion = conclusion.to_string();
            Question {
                scope: scope.to_string(),
                encoding: "reals",
                case: case.to_string(),
                assumptions: script,
                conclusion,
            }
        })
        .collect()
}

/// `F`, `R` and the rest for a format without infinities that saturates or, as here, may also overflow to infinity.
fn define(format: Format, values: &[Rational]) -> Vec<String> {
    // Every power of two that is a value, or whose product with a value other than 0 can be one.
    let (emin, emax) = (format.emin().map_or(0, i64::from), format.emax().map_or(0, i64::from));
    let least = emin - i64::from(format.precision()) + 1;
    listed(values, format.precision(), least..=emax - least + 1)
}

/// The same for any list of values in order, symmetric about 0: `R` is rounding to one of two neighbours.
pub(super) fn listed(values: &[Rational], precision: u32, exponents: RangeInclusive<i64>) -> Vec<String> {
    let largest = values.last().map(number).unwrap_or_default();
    let any = |each: &dyn Fn(&Rational) -> String| -> String {
        format!("(or {})", values.iter().map(each).collect::<Vec<_>>().join(" "))
    };
    let between: Vec<String> = values
        .windows(2)
        .map(|pair| {
            let [a, b] = [number(&pair[0]), number(&pair[1])];
            format!("(and (< {a} t) (< t {b}) (or (= v {a}) (= v {b})))")
        })
        .collect();
    let pairs: Vec<String> =
        values.windows(2).map(|pair| format!("(and (= pa {}) (= a {}))", number(&pair[0]), number(&pair[1]))).collect();
    let powers: Vec<String> = exponents.map(|exponent| format!("(= x {})", number(&power_of_two(exponent)))).collect();
    vec![
        format!("(define-fun mx () Real {largest})"),
        format!("(define-fun P () Real {})", number(&power_of_two(precision.into()))),
        format!("(define-fun F ((x Real)) Bool {})", any(&|value| format!("(= x {})", number(value)))),
        format!("(define-fun near ((t Real) (v Real)) Bool (ite (F t) (= v t) (or {})))", between.join(" ")),
        "(define-fun R ((t Real) (r X)) Bool (ite (> t mx) (or (= r pinf) (= r (fin mx))) (ite (< t (- mx)) (or (= r ninf) (= r \
         (fin (- mx)))) (and ((_ is fin) r) (near t (val r))))))"
            .to_string(),
        format!("(define-fun Pred ((pa Real) (a Real)) Bool (or {}))", pairs.join(" ")),
        format!("(define-fun Pow ((x Real)) Bool (or {}))", powers.join(" ")),
        "(define-fun Mult ((v Real) (g Real)) Bool (is_int (/ v g)))".to_string(),
    ]
}

/// A real literal.
fn number(q: &Rational) -> String {
    let magnitude = format!("(/ {}.0 {}.0)", q.numer().clone().abs(), q.denom());
    if *q < 0 { format!("(- {magnitude})") } else { magnitude }
}
