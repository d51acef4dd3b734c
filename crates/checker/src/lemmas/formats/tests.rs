use std::time::Duration;

use super::*;
use crate::solver::{Answer, Solver};

fn solver() -> Solver {
    Solver::new(Duration::from_secs(20)).expect("a Z3 that passes the self-test")
}

type Questions = fn(Format) -> Vec<Question>;
const ALL: [Questions; 7] = [gap, scaling, threshold_step, threshold_relu, penalty, dominance, selection];

/// Every lemma in every format of up to 6 bits, and in one of 8. `roundproof verify-all` asks for the others.
#[test]
fn small_formats() {
    let solver = solver();
    for format in [Format::FLOAT4_E2M1FN, Format::FLOAT6_E3M2FN, Format::FLOAT8_E4M3, Format::FLOAT8_E4M3FNUZ] {
        for question in ALL.iter().flat_map(|questions| questions(format)) {
            assert_eq!(solver.check(&question.assumptions), Answer::Satisfiable, "{}: vacuous", question.name());
            assert_eq!(solver.check(&question.negation()), Answer::Unsatisfiable, "{}", question.name());
        }
    }
}

/// Statements that are one step from a lemma, and false: a solver that finds them true, or an encoding in which they
/// hold, would make every lemma worthless.
#[test]
fn false_neighbours_of_the_lemmas_fail() {
    let solver = solver();
    for format in
        [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3FN, Format::FLOAT8_E5M2, Format::BFLOAT16, Format::BINARY16]
    {
        let asker = InBits::new(format).expect("bounded");
        let (add, scale) = ([Operation::Add], [Operation::Scale]);
        let apart = ["(is-finite t)", "(is-finite x)", "(lt t x)"];
        let false_ones = [
            // The flush of a subnormal difference hides the side of the threshold.
            asker.ask(
                "threshold under flush",
                &add,
                "t x c1",
                &apart,
                "(let ((r (subtract t x c1))) (lt (ite (and (lt (neg {least-normal}) r) (lt r zero)) zero r) zero))",
            ),
            // W g = 1/2.
            asker.ask(
                "penalty one power short",
                &scale,
                "u w j c1",
                &["(is-exponent w)", "(is-exponent j)", "(= (bvadd w j) (bvnot {0}))", "(eq u (pow2 j))"],
                "(le one (scale w u c1))",
            ),
            asker.ask("no penalty", &add, "s t c1", &["(le s one)", "(le t zero)"], "(le (add s t c1) zero)"),
            asker.ask(
                "a gap more than there is",
                &add,
                "a x c1",
                &["(is-finite a)", "(is-finite x)", "(has-pred a)", "(lt x a)"],
                "(lt (pow2 (gap-exponent a)) (subtract a x c1))",
            ),
            // Without K pred(a) in the format, r(K x) may saturate or overflow on both sides of the threshold.
            asker.ask(
                "scaling without its side condition",
                &scale,
                "a x k c1",
                &["(is-finite a)", "(is-finite x)", "(lt x a)", "(bvsle {0} k)", "(bvsle k {emax})"],
                "(lt (scale k x c1) (scale k a c1))",
            ),
        ];
        for question in false_ones {
            assert_eq!(solver.check(&question.assumptions), Answer::Satisfiable, "{}", question.name());
            assert_eq!(solver.check(&question.negation()), Answer::Satisfiable, "{} is false", question.name());
        }
    }
}
