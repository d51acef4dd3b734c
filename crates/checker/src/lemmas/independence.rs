//! No axiom follows from the others: for each, values and a rounding that satisfy the others and not it, nor the lemma
//! that leans on it.

use roundproof_exact::Rational;

use super::Question;
use super::every_format::{all_axioms, listed};
use crate::smt::reals;

/// Values that break one axiom. They are symmetric about 0, and have 0 and 1.
struct Model {
    /// The axiom.
    axiom: &'static str,
    /// The positive values, in halves.
    halves: &'static [i64],
    /// What stands for the precision.
    precision: u32,
    /// Whether a real may become any value at all, not only one of its two neighbours.
    wild: bool,
    /// Arguments at which the axiom is false.
    broken: &'static str,
    /// A lemma that leans on it, and arguments at which that is false: every assumption holds, and the conclusion does not.
    consequence: (&'static str, &'static str),
}

/// One for each axiom about values and rounding.
const MODELS: [Model; 4] = [
    Model {
        axiom: "R1",
        halves: &[2, 4],
        precision: 1,
        wild: true,
        broken: "(not (R1 1.0 1.0 (fin 0.0)))",
        consequence: ("exactness", "(and (F 1.0) (R 1.0 (fin 0.0)) (not (= (fin 0.0) (fin 1.0))))"),
    },
    // Twice 3 is less than 7, and no value.
    Model {
        axiom: "R4",
        halves: &[2, 4, 6, 8, 10, 14],
        precision: 1,
        wild: false,
        broken: "(not (R4 2.0 3.0))",
        consequence: ("scaling", "(and (Pow 2.0) (F 3.0) (<= 6.0 mx) (R 6.0 (fin 5.0)) (not (= (fin 5.0) (fin 6.0))))"),
    },
    // Three units are within 2^p of them, and no value.
    Model {
        axiom: "G",
        halves: &[2, 4, 8],
        precision: 2,
        wild: false,
        broken: "(not (G 3.0 1.0))",
        consequence: (
            "grid-sums",
            "(and (Pow 1.0) (F 1.0) (F 2.0) (Mult 1.0 1.0) (Mult 2.0 1.0) (<= 3.0 (* P 1.0)) (<= 3.0 mx) \
             (add (fin 1.0) (fin 2.0) (fin 4.0)) (not (= (fin 4.0) (fin 3.0))))",
        ),
    },
    // As where subnormals are flushed: 3/2 and 1 are neighbours, and their distance is no value.
    Model {
        axiom: "D",
        halves: &[2, 3, 4],
        precision: 1,
        wild: false,
        broken: "(not (D 1.0 1.5))",
        consequence: (
            "gap",
            "(and (Pred 1.0 1.5) (F 1.0) (R (- 1.5 1.0) (fin 0.0)) (not (le (fin (- 1.5 1.0)) (fin 0.0))))",
        ),
    },
];

/// The questions about every model: each other axiom for all arguments, the broken one, and what it breaks.
pub(super) fn questions() -> Vec<Question> {
    MODELS.iter().flat_map(Model::questions).collect()
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
        let positive = self.halves.iter().map(|&half| Rational::from((half, 2)));
        let negative = self.halves.iter().rev().map(|&half| Rational::from((-half, 2)));
        let values: Vec<Rational> = negative.chain([Rational::new()]).chain(positive).collect();
        let mut definitions = listed(&values, self.precision, -3..=4);
        if self.wild {
            let rounding = definitions.iter_mut().find(|line| line.starts_with("(define-fun R "));
            if let Some(rounding) = rounding {
                *rounding = "(define-fun R ((t Real) (r X)) Bool (and ((_ is fin) r) (F (val r))))".to_string();
            }
        }
        definitions
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::solver::{Answer, Solver};

    /// Each model breaks its own axiom when asked for all arguments; so that the others hold is no accident of the words.
    #[test]
    fn the_broken_axiom_is_not_attested() {
        let solver = Solver::new(Duration::from_secs(20)).expect("a Z3 that passes the self-test");
        for model in &MODELS {
            let all = all_axioms("values", &model.definitions());
            let broken = all.iter().find(|question| question.case == model.axiom).expect("every axiom is asked");
            assert_eq!(solver.check(&broken.negation()), Answer::Satisfiable, "{}", model.axiom);
        }
    }

    /// With the broken axiom mended, the false consequence is no longer attested.
    #[test]
    fn a_mended_model_has_no_false_consequence() {
        let solver = Solver::new(Duration::from_secs(20)).expect("a Z3 that passes the self-test");
        let mended: [(usize, &[i64], bool); 4] = [
            (0, &[2, 4], false),
            (1, &[2, 4, 6, 8, 10, 12, 14], false),
            (2, &[2, 4, 6, 8], false),
            (3, &[1, 2, 3, 4], false),
        ];
        for (index, halves, wild) in mended {
            let model = Model { halves, wild, ..MODELS[index] };
            for question in model.questions().into_iter().filter(|question| question.case.ends_with("is false")) {
                assert_eq!(solver.check(&question.negation()), Answer::Satisfiable, "{}", question.name());
            }
        }
    }
}
