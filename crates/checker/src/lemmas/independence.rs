//! No axiom follows from the others: for each, values and a rounding that satisfy the others and not it, nor a lemma
//! that leans on it.

use roundproof_exact::Rational;

use super::Question;
use super::every_format::{all_axioms, ask, listed};
use crate::smt::reals;

/// Values and a rounding that break one axiom.
struct Model {
    /// The axiom.
    axiom: &'static str,
    /// The values, in order, as multiples of the inverse of `unit`; the least is the negative of the largest.
    values: &'static [i64],
    /// How many of them make 1.
    unit: i64,
    /// What stands for the precision.
    precision: u32,
    /// What else is not as in a format.
    change: Change,
    /// Arguments at which the axiom is false.
    broken: &'static str,
    /// A lemma that leans on it, and arguments at which that is false: every assumption holds, and the conclusion does not.
    consequence: (&'static str, &'static str),
}

/// A departure from rounding to neighbours.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    None,
    /// A real may become any value at all, not only one of its two neighbours.
    Wild,
    /// Values with one between them are called neighbours too.
    Apart,
}

/// One for each axiom about values and rounding.
const MODELS: [Model; 7] = [
    Model {
        axiom: "R1",
        values: &[-2, -1, 0, 1, 2],
        unit: 1,
        precision: 1,
        change: Change::Wild,
        broken: "(not (R1 1.0 1.0 (fin 0.0)))",
        consequence: ("exactness", "(and (F 1.0) (R 1.0 (fin 0.0)) (not (= (fin 0.0) (fin 1.0))))"),
    },
    // 0 and 2 are not neighbours, since 1 lies between them.
    Model {
        axiom: "N",
        values: &[-2, -1, 0, 1, 2],
        unit: 1,
        precision: 1,
        change: Change::Apart,
        broken: "(not (N 0.0 2.0 1.0))",
        consequence: (
            "gap",
            "(and (Pred 0.0 2.0) (F 1.0) (< 1.0 2.0) (R (- 2.0 1.0) (fin 1.0)) (not (le (fin (- 2.0 0.0)) (fin 1.0))))",
        ),
    },
    // As where subnormals are flushed: 3/2 and 1 are neighbours, and their distance is not a value.
    Model {
        axiom: "D",
        values: &[-4, -3, -2, 0, 2, 3, 4],
        unit: 2,
        precision: 1,
        change: Change::None,
        broken: "(not (D 1.0 1.5))",
        consequence: (
            "gap",
            "(and (Pred 1.0 1.5) (F 1.0) (R (- 1.5 1.0) (fin 0.0)) (not (le (fin (- 1.5 1.0)) (fin 0.0))))",
        ),
    },
    // 1/3 is a value and -1/3 is none: what is just above the threshold 0 may seem to be at it.
    Model {
        axiom: "S",
        values: &[-3, 0, 1, 2, 3],
        unit: 3,
        precision: 1,
        change: Change::None,
        broken: "(not (S (/ 1.0 3.0)))",
        consequence: (
            "threshold-step",
            "(and (Pred 0.0 (/ 1.0 3.0)) (F (/ 1.0 3.0)) (R (- 0.0 (/ 1.0 3.0)) (fin 0.0)) (= (step (fin 0.0)) 1.0) \
             (not (<= (/ 1.0 3.0) 0.0)))",
        ),
    },
    // Twice 3 is less than 7, and no value.
    Model {
        axiom: "R4",
        values: &[-7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7],
        unit: 1,
        precision: 1,
        change: Change::None,
        broken: "(not (R4 2.0 3.0))",
        consequence: ("scaling", "(and (Pow 2.0) (F 3.0) (<= 6.0 mx) (R 6.0 (fin 5.0)) (not (= (fin 5.0) (fin 6.0))))"),
    },
    // 1 is not a value: a penalty that should be 1 may vanish.
    Model {
        axiom: "G0",
        values: &[-2, 0, 2],
        unit: 1,
        precision: 1,
        change: Change::None,
        broken: "(not G0)",
        consequence: (
            "penalty",
            "(and (<= 1.0 (* 0.5 2.0)) (F 2.0) (le (fin 2.0) (fin 2.0)) (multiply 0.5 (fin 2.0) (fin 0.0)) (not (le (fin 1.0) \
             (fin 0.0))))",
        ),
    },
    // Three units are within 2^p of them, and no value.
    Model {
        axiom: "G",
        values: &[-4, -2, -1, 0, 1, 2, 4],
        unit: 1,
        precision: 2,
        change: Change::None,
        broken: "(not (G 3.0 1.0))",
        consequence: (
            "grid-sums",
            "(and (Pow 1.0) (F 1.0) (F 2.0) (Mult 1.0 1.0) (Mult 2.0 1.0) (<= 3.0 (* P 1.0)) (<= 3.0 mx) \
             (add (fin 1.0) (fin 2.0) (fin 4.0)) (not (= (fin 4.0) (fin 3.0))))",
        ),
    },
];

/// The questions about every model: each other axiom for all arguments, the broken one, and what it breaks. And what
/// follows: R3 is the lemma `gap`; of G0, that 0 and -1 are values, once 1 is.
pub(super) fn questions() -> Vec<Question> {
    let one = ["(F 1.0)", "(Pow 1.0)", "(Mult 0.0 1.0)", "(<= 0.0 mx)", "(<= 0.0 P)"];
    let follows = ask("0 and -1, from 1", &[], &[], &one, &["(G 0.0 1.0)", "(S 1.0)"], "(and (F 0.0) (F (- 1.0)))");
    MODELS.iter().flat_map(Model::questions).chain([follows]).collect()
}

impl Model {
    fn questions(&self) -> Vec<Question> {
        let scope = format!("values without {}", self.axiom);
        let definitions = self.definitions();
        let mut questions = all_axioms(&scope, &definitions);
        questions.retain(|question| question.case != self.axiom);
        let (lemma, false_at) = self.consequence;
        for (case, conclusion) in
            [(format!("{} is false", self.axiom), self.broken), (format!("{lemma} is false"), false_at)]
        {
            questions.push(Question {
                scope: scope.clone(),
                encoding: "reals",
                case,
                assumptions: reals::one_format(&definitions),
                conclusion: conclusion.to_string(),
            });
        }
        questions
    }

    fn definitions(&self) -> Vec<String> {
        let values: Vec<Rational> = self.values.iter().map(|&value| Rational::from((value, self.unit))).collect();
        let mut definitions = listed(&values, self.precision, -3..=4);
        let mut replace = |start: &str, with: String| {
            if let Some(line) = definitions.iter_mut().find(|line| line.starts_with(start)) {
                *line = with;
            }
        };
        match self.change {
            Change::None => {}
            Change::Wild => {
                let any = "(define-fun R ((t Real) (r X)) Bool (and ((_ is fin) r) (F (val r))))";
                replace("(define-fun R ", any.to_string());
            }
            Change::Apart => {
                let pairs = [1, 2].map(|distance| format!("(= (- a pa) {distance}.0)")).join(" ");
                let apart = format!("(and (F pa) (F a) (or {pairs}))");
                replace("(define-fun Pred ", format!("(define-fun Pred ((pa Real) (a Real)) Bool {apart})"));
            }
        }
        definitions
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use roundproof_solver::Answer;

    /// Each model breaks its own axiom when asked for all arguments; so that the others hold is not an accident of the words.
    #[test]
    fn the_broken_axiom_is_not_attested() {
        let solver = roundproof_solver::testing::solver(Duration::from_secs(20));
        for model in &MODELS {
            let all = all_axioms("values", &model.definitions());
            let broken = all.iter().find(|question| question.case == model.axiom).expect("every axiom is asked");
            assert_eq!(solver.check(&broken.negation()), Answer::Satisfiable, "{}", model.axiom);
        }
    }

    /// With the broken axiom mended, the false consequence is no longer attested.
    #[test]
    fn a_mended_model_has_no_false_consequence() {
        let solver = roundproof_solver::testing::solver(Duration::from_secs(20));
        let mended: [&[i64]; 7] = [
            &[-2, -1, 0, 1, 2],
            &[-2, -1, 0, 1, 2],
            &[-4, -3, -2, -1, 0, 1, 2, 3, 4],
            &[-3, -2, -1, 0, 1, 2, 3],
            &[-7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7],
            &[-2, -1, 0, 1, 2],
            &[-4, -3, -2, -1, 0, 1, 2, 3, 4],
        ];
        for (model, values) in MODELS.into_iter().zip(mended) {
            let model = Model { values, change: Change::None, ..model };
            for question in model.questions().into_iter().filter(|question| question.case.ends_with("is false")) {
                assert_eq!(solver.check(&question.negation()), Answer::Satisfiable, "{}", question.name());
            }
        }
    }
}
