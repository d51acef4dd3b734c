use std::time::Duration;

use super::*;

fn solver() -> Solver {
    roundproof_solver::testing::solver(Duration::from_secs(20))
}

/// Every lemma for every format at once. Formats one by one are for `roundproof verify-all`.
#[test]
fn every_format_at_once() {
    let solver = solver();
    for lemma in catalogue() {
        for question in (lemma.every_format)() {
            let name = format!("{} {}", lemma.name, question.name());
            assert_eq!(solver.check(&question.assumptions), Answer::Satisfiable, "{name}: vacuous");
            assert_eq!(solver.check(&question.negation()), Answer::Unsatisfiable, "{name}");
        }
    }
}

/// Without what the axioms say of neighbours and of rounding, the statements are not true, and are not proved.
#[test]
fn without_its_axioms_a_lemma_fails() {
    let solver = solver();
    let gap: &[&str] = &["(Pred pa a)", "(F x)", "(< x a)", "(R (- a x) r)"];
    let unrelated: &[&str] = &["(F a)", "(F pa)", "(F x)", "(< x a)", "(R (- a x) r)"];
    let cases: [(&[&str], &[&str]); 4] = [
        (unrelated, &["(N pa a x)", "(D pa a)", "(R1 (- a pa) (- a x) r)"]),
        (gap, &["(D pa a)", "(R1 (- a pa) (- a x) r)"]),
        (gap, &["(N pa a x)", "(R1 (- a pa) (- a x) r)"]),
        (gap, &["(N pa a x)", "(D pa a)"]),
    ];
    for (assumptions, axioms) in cases {
        let question =
            every_format::ask("gap", &["a", "pa", "x"], &["r"], assumptions, axioms, "(le (fin (- a pa)) r)");
        assert_eq!(solver.check(&question.negation()), Answer::Satisfiable, "{assumptions:?} {axioms:?}");
    }
}

#[test]
fn a_contradiction_is_vacuous_and_a_counterexample_establishes_nothing() {
    let solver = solver();
    let reply = |assumption: &str, conclusion: &str| {
        let mut script = Script::new(None);
        script.line("(declare-const x Real)");
        script.assert(assumption);
        let question = Question {
            scope: "every format".to_string(),
            encoding: "reals",
            case: "x".to_string(),
            assumptions: script,
            conclusion: conclusion.to_string(),
        };
        let (possible, negation) = (solver.check(&question.assumptions), solver.check(&question.negation()));
        Reply { question, possible, negation, time: Duration::ZERO }.verdict()
    };
    assert_eq!(reply("(< x 0.0)", "(< x 1.0)"), Verdict::Attested);
    assert_eq!(reply("(< x x)", "(< x 1.0)"), Verdict::Vacuous);
    assert_eq!(reply("(< x 2.0)", "(< x 1.0)"), Verdict::Unknown);
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<String> = catalogue()
        .iter()
        .flat_map(|lemma| {
            lemma.questions().into_iter().map(move |question| format!("{}/{}", lemma.name, question.name()))
        })
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// A certificate says of its format's axioms what was established, and where.
#[test]
fn a_certificate_says_how_its_format_satisfies_the_axioms() {
    let said = |format: Format| {
        let lemmas = behind_box_networks(format);
        lemmas.iter().map(|lemma| lemma.established.clone()).find(|text| text.contains("satisfies")).expect("grid-sums")
    };
    let axioms = catalogue().iter().find(|lemma| lemma.name == "axioms").expect("the axioms");
    for (name, format, _) in roundproof_format::NAMED {
        assert!(said(*format).ends_with(&format!("that {name} satisfies them is on record in lemmas/axioms")));
        assert!(axioms.questions().iter().any(|question| question.scope == *name && question.case == "R1"), "{name}");
    }
    for (text, how) in [("F(8)", "in Rocq"), ("p=2,emin=-5,emax=3", "in words only")] {
        let format: Format = text.parse().expect("a format");
        assert!(said(format).ends_with(&format!("that {text} satisfies them is proved {how}")), "{}", said(format));
    }
}
