use std::time::Duration;

use roundproof_kernel::Verdict;

use super::*;
use roundproof_solver::{Answer, Solver};

fn solver() -> Solver {
    roundproof_solver::testing::solver(Duration::from_secs(20))
}

type Questions = fn(Format) -> Vec<Question>;
const ALL: [Questions; 8] = [axioms, gap, scaling, threshold_step, threshold_relu, penalty, dominance, selection];

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

/// The axioms with one word changed: each change makes exactly these false.
#[test]
fn changed_axioms_fail() {
    let solver = solver();
    let flushed = "(define-fun flushed ((s S) (e E) (m M) (c Bool)) D (let ((v (round s e m c))) (ite (and (lt (neg \
                   {least-normal}) v) (lt v {least-normal})) zero v)))";
    let changes: [(&str, &str, &[&str]); 8] = [
        // Subnormal results are flushed.
        ("(round ", "(flushed ", &["R", "R1", "R4", "G"]),
        // The rounding in one direction alone is not all of R.
        ("true)", "false)", &["R"]),
        // A value may be far from the real.
        ("(le f r)", "(lt f r)", &["R1"]),
        ("(neg (round", "(pred (round", &["symmetry of R"]),
        ("(pred a)", "(pred (pred a))", &["N"]),
        // Half the gap.
        ("(is-gap (gap-exponent a) a)", "(is-gap (bvadd (gap-exponent a) (bvnot {0})) a)", &["D"]),
        ("(pow2 k)", "(pred (pow2 k))", &["powers of two"]),
        ("(is-real one", "(is-real largest", &["G0"]),
    ];
    for format in [Format::FLOAT6_E3M2FN, Format::FLOAT8_E5M2] {
        let asker = InBits::new(format).expect("bounded");
        let [s, e, _] = asker.bits.real_sorts();
        let m = format!("(_ BitVec {})", format.precision() + 3);
        let sorts = [("(s S)", format!("(s {s})")), ("(e E)", format!("(e {e})")), ("(m M)", format!("(m {m})"))];
        let definition = sorts.iter().fold(flushed.to_string(), |text, (from, to)| text.replace(from, to));
        let definition =
            asker.exponents(&definition.replace("(c Bool)) D", &format!("(c Bool)) {}", asker.bits.sort())));
        for (from, to, expected) in changes {
            let mut failing = Vec::new();
            for mut question in axioms(format) {
                question.assumptions.line(&definition);
                question.conclusion = question.conclusion.replace(from, &asker.exponents(to));
                match solver.check(&question.negation()) {
                    Answer::Satisfiable => failing.push(question.case),
                    Answer::Unsatisfiable => {}
                    unknown => panic!("{format} {}: {from} {to}: {unknown:?}", question.case),
                }
            }
            assert_eq!(failing, expected, "{format}: {from} {to}");
        }
    }
}

/// Under a precision or a largest value that are not the format's, the grid and the scaling fail.
#[test]
fn axioms_without_their_bounds_fail() {
    let solver = solver();
    for format in [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3FN, Format::BFLOAT16] {
        let asker = InBits::new(format).expect("bounded");
        let operation = [Operation::Round];
        let t = "t.s t.e (concat #b1 t.m)";
        let scaled = "t.s (bvadd t.e ((_ sign_extend 2) k)) (concat #b1 t.m)";
        let within = |real: &str| format!("(and (le-real (neg largest) {real}) (real-le {real} largest))");
        let exact = |real: &str| format!("(is-real (round {real} c1) {real})");
        let grid = "(on-grid t.e (concat #b1 t.m) j)";
        let r4 = |assumptions: &[&str]| {
            asker.ask("R4", &operation, "t.s t.e t.m k c1", &[assumptions, &[&exact(t)]].concat(), &exact(scaled))
        };
        let (scales, divides) = (r4(&["(bvsle {0} k)"]), r4(&["(is-exponent k)", &within(scaled)]));
        let false_ones = [
            scales,
            divides,
            // A grid finer than the least value, a unit that is not 2^j, and values beyond the largest.
            asker.ask("G", &operation, "t.s t.e t.m j c1", &[grid, &within(t)], &exact(t)),
            asker.ask(
                "G",
                &operation,
                "t.s t.e t.m j c1",
                &["(is-exponent j)", "(on-grid t.e (concat #b1 t.m) (bvadd j (bvnot {0})))", &within(t)],
                &exact(t),
            ),
            asker.ask("G", &operation, "t.s t.e t.m j c1", &["(is-exponent j)", grid], &exact(t)),
        ];
        for question in false_ones {
            assert_eq!(solver.check(&question.negation()), Answer::Satisfiable, "{}", question.name());
        }
    }
}

/// Every format has its counterexamples; what is true has none, and other data are none.
#[test]
fn flush_is_refuted_where_it_flushes() {
    let solver = solver();
    for format in [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3FNUZ, Format::BINARY16, Format::BINARY32] {
        for falsehood in flush(format) {
            let one = vec![format.one(false); falsehood.at.len()];
            assert_eq!((falsehood.replay)(format, &one), None, "{}: ones", falsehood.question.name());
            let mut gradual = falsehood.clone();
            gradual.question.conclusion = gradual.question.conclusion.replace("zero v))", "v v))");
            let refutation = falsehood.refute(&solver);
            assert_eq!(refutation.verdict(), Verdict::Attested, "{format}: {:?}", refutation.found);
            if format.width() <= 16 {
                let refutation = gradual.refute(&solver);
                assert_eq!(refutation.verdict(), Verdict::Unknown, "{format}: {:?}", refutation.found);
            }
        }
    }
}

/// What the solver finds is believed only if exact arithmetic confirms it.
#[test]
fn a_counterexample_that_does_not_replay_is_none() {
    let mut falsehood = flush(Format::FLOAT6_E3M2FN).remove(0);
    falsehood.replay = |_, _| None;
    let refutation = falsehood.refute(&solver());
    assert_eq!(refutation.found.map(|_| ()), Err("exact arithmetic does not confirm it".to_string()));
}
