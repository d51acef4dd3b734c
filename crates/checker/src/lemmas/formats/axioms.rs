//! The axioms for one format, for all values and all reals, as `crate::smt::bits` has them.
//!
//! `near` says what `R(t)` is by its meaning, and is asked to be what the rounding of all operations gives; the order of
//! encodings is asked to be that of the values as reals. What is asked of these two is asked of the reals.

use roundproof_format::Format;

use super::super::Question;
use super::InBits;
use crate::smt::bits::Operation;

/// The real `t`, which is not zero.
const T: &str = "t.s t.e (concat #b1 t.m)";

/// The real `2^k t`.
const SCALED: &str = "t.s (bvadd t.e ((_ sign_extend 2) k)) (concat #b1 t.m)";

pub(in crate::lemmas) fn axioms(format: Format) -> Vec<Question> {
    let Some(asker) = InBits::new(format) else { return Vec::new() };
    let bits = &asker.bits;
    let ask = |case: &str, names: &str, assumptions: &[&str], conclusion: String| {
        asker.ask(case, &[Operation::Round], names, assumptions, &conclusion)
    };
    let within = |real: &str| format!("(and (le-real (neg largest) {real}) (real-le {real} largest))");
    let exact = |real: &str| format!("(is-real (round {real} c1) {real})");
    let neighbours = ["(is-finite a)", "(has-pred a)"];
    let (y, one, zero) = (bits.real_of("y"), bits.real_power("{0}"), bits.real_zero());
    let is_value = format!("(is-real (round {T} true) {T})");
    let (within_scaled, within_t) = (within(SCALED), within(T));
    vec![
        ask(
            "order",
            "x y",
            &["(is-finite x)", "(is-finite y)"],
            format!(
                "(and (= (le x y) (le-real x (is-negative y) {y})) (= (le y x) (real-le (is-negative y) {y} x)) (= (lt x y) \
                 (not (le y x))))"
            ),
        ),
        ask(
            "R",
            "t.s t.e t.m r",
            &["(not (is-nan r))"],
            format!("(= (near {T} r) (or (eq r (round {T} true)) (eq r (round {T} false))))"),
        ),
        ask("R at 0", "t.s c1", &[], format!("(is-zero (round t.s {zero} c1))")),
        ask(
            "R1",
            "f t.s t.e t.m c1",
            &["(is-finite f)"],
            format!(
                "(let ((r (round {T} c1))) (and (not (is-nan r)) (=> (le-real f {T}) (le f r)) (=> (real-le {T} f) (le r f))))"
            ),
        ),
        ask(
            "symmetry of R",
            "t.s t.e t.m c1",
            &[],
            format!("(eq (round (not t.s) t.e (concat #b1 t.m) c1) (neg (round {T} c1)))"),
        ),
        ask(
            "N",
            "a x",
            &[&neighbours[..], &["(is-finite x)"]].concat(),
            "(and (is-finite (pred a)) (lt (pred a) a) (or (le x (pred a)) (le a x)))".to_string(),
        ),
        ask(
            "powers of two",
            "k",
            &["(is-exponent k)"],
            format!("(and (is-finite (pow2 k)) (is-real (pow2 k) false {}))", bits.real_power("k")),
        ),
        ask("D", "a", &neighbours, "(and (is-exponent (gap-exponent a)) (is-gap (gap-exponent a) a))".to_string()),
        ask(
            "S",
            "y",
            &["(is-finite y)"],
            format!("(and (is-finite (neg y)) (is-real (neg y) (and (not (is-negative y)) (not (is-zero y))) {y}))"),
        ),
        asker.ask(
            "R3",
            &[Operation::Round, Operation::Add],
            "a x c1",
            &[&neighbours[..], &["(is-finite x)", "(lt x a)"]].concat(),
            "(le (pow2 (gap-exponent a)) (subtract a x c1))",
        ),
        ask("R4", "t.s t.e t.m k c1", &["(bvsle {0} k)", &is_value, &within_scaled], exact(SCALED)),
        ask(
            "G0",
            "",
            &[],
            format!("(and (is-real zero false {zero}) (is-real one false {one}) (is-real minus-one true {one}))"),
        ),
        ask("G", "t.s t.e t.m j c1", &["(is-exponent j)", "(on-grid t.e (concat #b1 t.m) j)", &within_t], exact(T)),
    ]
}
