//! Floating-point arithmetic of *every* format at once: over the reals, with nothing known of the format but axioms.
//!
//! A datum is an extended real: `(fin v)`, `pinf`, `ninf` or `nan`. `F` is the set of finite values, `(R t r)` says that `r`
//! is an allowed rounding of the real `t`, `Pow` that a number is a power of two, `(Mult v g)` that `v` is an integer
//! multiple of `g`, `(Pred pa a)` that `pa` is the largest value below the value `a`; `mx` is the largest value (for `F(p)`, any
//! bound on what occurs) and `P` stands for `2^p`. Nothing is asserted of them in general: a lemma
//! asserts the *instances* of the axioms that it uses, so every query is free of quantifiers and is decided. That a lemma's
//! instances are instances is plain to see: they are applications of the words below.
//!
//! | word | the axiom |
//! | --- | --- |
//! | `(R1 f t r)` | sandwich: a value `f` on one side of `t` stays on that side of `r` |
//! | `(N pa a x)` | neighbours: `pa < a` are values, and no value `x` lies between them |
//! | `(D pa a)` | differences of neighbours are values: with R1 and N, this is R3, the gap |
//! | `(S v)` | symmetry: the negative of a value is a value |
//! | `(R4 k x)` | scaling: a power of two `k >= 1` times a value is a value, unless beyond the largest one |
//! | `G0`, `(G v g)` | grid: 0, 1, -1 are values; so are multiples of `g` of magnitude up to `2^p g`, unless beyond the largest |
//! | `(M u v g)` | arithmetic: sums and differences of multiples of `g` are multiples of `g` |

use roundproof_solver::Script;

/// What is left open: a format.
const ABSTRACT: [&str; 7] = [
    "(declare-fun F (Real) Bool)",
    "(declare-fun R (Real X) Bool)",
    "(declare-fun Pred (Real Real) Bool)",
    "(declare-fun Pow (Real) Bool)",
    "(declare-fun Mult (Real Real) Bool)",
    "(declare-const mx Real)",
    "(declare-const P Real)",
];

const DATA: &str = "(declare-datatypes ((X 0)) (((fin (val Real)) (pinf) (ninf) (nan))))";

/// The words of the table, and the operations: each is a relation between operands and an allowed result. The factor `k` of
/// `fma` and `multiply` is positive.
const WORDS: [&str; 17] = [
    "(define-fun finite ((a X)) Bool ((_ is fin) a))",
    "(define-fun le ((a X) (b X)) Bool (and (not (= a nan)) (not (= b nan)) (or (= a ninf) (= b pinf) (and (finite a) (finite b) (<= (val a) (val b))))))",
    "(define-fun ab ((x Real)) Real (ite (<= 0.0 x) x (- x)))",
    "(define-fun R1 ((f Real) (t Real) (r X)) Bool (=> (and (F f) (R t r)) (and (=> (<= f t) (le (fin f) r)) (=> (<= t f) (le r (fin f))))))",
    "(define-fun N ((pa Real) (a Real) (x Real)) Bool (=> (Pred pa a) (and (F pa) (F a) (< pa a) (=> (F x) (or (<= x pa) (<= a x))))))",
    "(define-fun D ((pa Real) (a Real)) Bool (=> (Pred pa a) (F (- a pa))))",
    "(define-fun S ((v Real)) Bool (=> (F v) (F (- v))))",
    "(define-fun R4 ((k Real) (x Real)) Bool (=> (and (Pow k) (<= 1.0 k) (F x) (<= (ab (* k x)) mx)) (F (* k x))))",
    "(define-fun G0 () Bool (and (F 0.0) (F 1.0) (F (- 1.0))))",
    "(define-fun G ((v Real) (g Real)) Bool (=> (and (Mult v g) (Pow g) (F g) (<= (ab v) (* P g)) (<= (ab v) mx)) (F v)))",
    "(define-fun M ((u Real) (v Real) (g Real)) Bool (=> (and (Mult u g) (Mult v g)) (and (Mult (+ u v) g) (Mult (- u v) g))))",
    "(define-fun add ((a X) (b X) (r X)) Bool (ite (or (= a nan) (= b nan)) (= r nan) (ite (and (finite a) (finite b)) (R (+ (val a) (val b)) r) (ite (finite a) (= r b) (ite (or (finite b) (= a b)) (= r a) (= r nan))))))",
    "(define-fun fma ((k Real) (x X) (b X) (r X)) Bool (ite (or (= x nan) (= b nan)) (= r nan) (ite (and (finite x) (finite b)) (R (+ (* k (val x)) (val b)) r) (ite (finite x) (= r b) (ite (or (finite b) (= x b)) (= r x) (= r nan))))))",
    "(define-fun multiply ((k Real) (x X) (r X)) Bool (ite (finite x) (R (* k (val x)) r) (= r x)))",
    "(define-fun neg ((x X)) X (ite (finite x) (fin (- (val x))) (ite (= x pinf) ninf (ite (= x ninf) pinf nan))))",
    "(define-fun relu ((x X)) X (ite (= x nan) nan (ite (le (fin 0.0) x) x (fin 0.0))))",
    "(define-fun step ((x X)) Real (ite (le (fin 0.0) x) 1.0 0.0))",
];

/// A script about an arbitrary format.
pub fn every_format() -> Script {
    script(&ABSTRACT)
}

/// A script about the format that `definitions` give: `F`, `R`, `Pred`, `Pow`, `Mult`, `mx` and `P`.
pub fn one_format(definitions: &[String]) -> Script {
    script(&definitions.iter().map(String::as_str).collect::<Vec<_>>())
}

fn script(format: &[&str]) -> Script {
    let mut script = Script::new(None);
    script.line(DATA);
    for line in format.iter().chain(&WORDS) {
        script.line(line);
    }
    script
}
