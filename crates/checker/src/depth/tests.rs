use roundproof_exact::{Rational, decode};
use roundproof_kernel::{Claim, Evidence, Subject, Verdict, check};
use roundproof_network::{Dataset, Encodings};

use super::*;

const FORMATS: [&str; 3] = ["p=1,emin=-2,emax=2", "p=1,emin=0,emax=3", "p=2,emin=0,emax=2"];

fn question(format: &str, activation: Activation, paths: &str, points: &[i128]) -> Question {
    let format: Format = format.parse().expect("a format");
    let one = order_key(format, format.one(false)).expect("finite");
    let points = points.iter().map(|sign| from_order_key(format, sign * one).expect("a value")).collect();
    Question { format, activation, model: PathModel::parse(paths, format).expect("a model"), points }
}

fn rational(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("finite")
}

/// The largest power of two that divides a rational that is a dyadic fraction and not zero.
fn power_in(value: &Rational) -> Rational {
    let mut power = Rational::from(1);
    while (value.clone() / power.clone()).denom() != &1 {
        power /= 2;
    }
    while (value.clone() / (power.clone() * 2u32)).denom() == &1 {
        power *= 2;
    }
    power
}

#[test]
fn exact_arithmetic_finds_the_same_functions() {
    for format in FORMATS {
        for activation in [Activation::Step, Activation::Relu] {
            for paths in ["paper", "all"] {
                let question = question(format, activation, paths, &[-1, 0, 1]);
                let exact =
                    roundproof_exact::Arithmetic::new(question.format, question.model.overflow).expect("a policy");
                let again = question.answer_with(&|operation, mode, a, b| match operation {
                    Operation::Add => exact.add(mode, a, b).encoding,
                    Operation::Multiply => exact.multiply(mode, a, b).encoding,
                });
                let (answer, again) = (question.answer().expect("small"), again.expect("small"));
                assert_eq!((answer.units(), answer.sums()), (again.units(), again.sums()));
                assert!(answer.missing().eq(again.missing()), "{format} {activation} {paths}");
            }
        }
    }
}

/// The theorem of `proofs/rocq/Depth.v`, `two_layers_bounded`, at every function that was found on all paths; and it is
/// sharp for Step.
#[test]
fn no_function_is_above_the_bound_of_the_theorem() {
    for format in FORMATS {
        for activation in [Activation::Step, Activation::Relu] {
            let question = question(format, activation, "all", &[-1, 0, 1]);
            let answer = question.answer().expect("small");
            let (mut met, mut compared) = (0, 0);
            for labels in answer.computed() {
                let labels: Vec<Rational> = labels.iter().map(|label| rational(question.format, *label)).collect();
                if labels[0] == 0 || labels[2] == 0 {
                    continue;
                }
                let powers = power_in(&labels[0]) + power_in(&labels[2]);
                let limit = powers * ((1u32 << question.format.precision()) - 1)
                    + labels[0].clone().max(Rational::new())
                    + labels[2].clone().max(Rational::new());
                assert!(labels[1] <= limit, "{format} {activation} {labels:?}");
                compared += 1;
                met += usize::from(labels[1] == limit);
            }
            assert!(compared > 0 && answer.found() < answer.functions());
            assert_eq!(met > 0, activation == Activation::Step, "{format} {activation}: {met} of {compared}");
        }
    }
}

/// A network that the search found is one: the kernel judges it on the path, and a change of one weight is seen.
#[test]
fn what_is_found_is_a_network() {
    for (format, activation) in [(FORMATS[0], Activation::Step), (FORMATS[2], Activation::Relu)] {
        for paths in ["paper", "all"] {
            let question = question(format, activation, paths, &[-1, 0, 1]);
            let answer = question.answer().expect("small");
            let (mut proved, mut judged, mut deep) = (0, 0, 0);
            for labels in answer.computed().step_by(7) {
                let network = answer.network(&labels).expect("found");
                let column = |encodings: &[Encoding]| Encodings::collect(question.format, encodings.iter().copied());
                let data = Dataset::new(question.format, 1, 1, column(&question.points), column(&labels));
                let data = data.expect("rows");
                let claim = Claim::memorizes(&network, &data, question.model);
                let subject = Subject::memorizing(&network, &data);
                let verdict = check(&claim, &subject, &Evidence::Paths, &mut |_, _| ());
                judged += 1;
                proved += usize::from(verdict == Ok(Verdict::Proved));
                deep += usize::from(network.layers()[0].rows() > 1);
                // The next function in the list has other labels: its network must not be taken for this one's.
                let other = answer.computed().find(|other| other != &labels).expect("another function");
                let other = answer.network(&other).expect("found");
                let claim = Claim::memorizes(&other, &data, question.model);
                let subject = Subject::memorizing(&other, &data);
                assert!(check(&claim, &subject, &Evidence::Paths, &mut |_, _| ()) != Ok(Verdict::Proved));
            }
            assert!(deep > 0);
            if paths == "paper" {
                assert_eq!(proved, judged, "{format} {activation}");
            }
            assert!(proved > 0, "{format} {activation} {paths}");
            println!("{format} {activation} {paths}: {proved} of {judged}");
        }
    }
}

#[test]
fn what_is_too_large_or_not_covered_is_refused() {
    let mut large = question("binary16", Activation::Step, "all", &[0]);
    assert_eq!(large.answer().map(|_| ()), Err(QuestionError::TooMany(Format::BINARY16)));
    large.points.clear();
    assert_eq!(large.answer().map(|_| ()), Err(QuestionError::Points));
    let flush = question(FORMATS[0], Activation::Step, "all,subnormals=flush", &[0]);
    assert_eq!(flush.answer().map(|_| ()), Err(QuestionError::Model));
}
