use roundproof_exact::{Rational, decode};

use super::*;

const FORMATS: [&str; 2] = ["p=2,emin=0,emax=2", "p=2,emin=0,emax=1"];

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
            for paths in ["paper", "all"].into_iter().take(if format == FORMATS[0] { 1 } else { 2 }) {
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

/// The theorem of `proofs/rocq/Depth.v`, `two_layers_bounded`: no network that the kernel proves right on all paths is above
/// its bound, and the enumeration finds none there.
#[test]
fn no_proved_network_is_above_the_bound_of_the_theorem() {
    for activation in [Activation::Step, Activation::Relu] {
        let question = question(FORMATS[0], activation, "all", &[-1, 0, 1]);
        let answer = question.answer().expect("small");
        let mut within = 0;
        for labels in answer.computed() {
            let values: Vec<Rational> = labels.iter().map(|label| rational(question.format, *label)).collect();
            if values[0] == 0 || values[2] == 0 {
                continue;
            }
            let limit = (power_in(&values[0]) + power_in(&values[2])) * ((1u32 << question.format.precision()) - 1)
                + values[0].clone().max(Rational::new())
                + values[2].clone().max(Rational::new());
            assert!(values[1] <= limit, "{activation} {values:?}");
            within += usize::from(question.is_answered_by(&answer.network(&labels).expect("found"), &labels));
        }
        assert!(within > 0 && answer.found() < answer.functions());
    }
}

/// `proofs/rocq/DepthSharp.v`, `two_layers_sharp`, in a format: a peak of `2^(p + 1)` is built and proved; one step more is
/// not found, and the network of the lower peak does not pass for it.
#[test]
fn the_bound_is_sharp() {
    let question = question(FORMATS[0], Activation::Step, "all", &[-1, 0, 1]);
    let format = question.format;
    let number = |halves: i64| {
        roundproof_exact::round(&Rational::from((halves, 2)), format, RoundingMode::TiesToEven, Overflow::Ieee).encoding
    };
    let mut hidden = Layer::new(format, Activation::Step);
    for (weight, bias) in [(2, 0), (2, -2), (-2, 0), (-2, -2)] {
        hidden.push([(0, number(weight))], number(bias));
    }
    let mut output = Layer::new(format, Activation::Identity);
    output.push([(0, number(4)), (1, number(-3)), (2, number(4)), (3, number(-3))], number(0));
    let network = Network::new(format, 1, vec![hidden, output]).expect("a network");
    assert!(question.is_answered_by(&network, &[1, 8, 1].map(number)));
    assert!(!question.is_answered_by(&network, &[1, 12, 1].map(number)));
    let answer = question.answer().expect("small");
    assert!(answer.network(&[1, 8, 1].map(number)).is_some());
    assert!(answer.network(&[1, 12, 1].map(number)).is_none());
}

/// A network that the search found is one: the kernel judges it on the path, and a change of one weight is seen.
#[test]
fn what_is_found_is_a_network() {
    for (format, activation) in [(FORMATS[1], Activation::Step), (FORMATS[1], Activation::Relu)] {
        for paths in ["paper", "all"] {
            let question = question(format, activation, paths, &[-1, 0, 1]);
            let answer = question.answer().expect("small");
            let (mut right, mut judged, mut deep) = (0, 0, 0);
            for labels in answer.computed().step_by(7) {
                let network = answer.network(&labels).expect("found");
                judged += 1;
                right += usize::from(question.is_answered_by(&network, &labels));
                deep += usize::from(network.as_layers().expect("layers")[0].rows() > 1);
                // Another function's network must not be taken for this one's.
                let other = answer.computed().find(|other| other != &labels).expect("another function");
                assert!(!question.is_answered_by(&answer.network(&other).expect("found"), &labels));
            }
            assert!(deep > 0);
            if paths == "paper" {
                assert_eq!(right, judged, "{format} {activation}");
            }
            assert!(right > 0, "{format} {activation} {paths}");
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

/// On the path of the paper alone two layers compute every function of three inputs here: it is the other orders and
/// directions that they fail in.
#[test]
fn one_path_does_not_tell() {
    for activation in [Activation::Step, Activation::Relu] {
        let answer = question(FORMATS[0], activation, "paper", &[-1, 0, 1]).answer().expect("small");
        assert_eq!((answer.found(), answer.missing().next()), (answer.functions(), None), "{activation}");
    }
}
