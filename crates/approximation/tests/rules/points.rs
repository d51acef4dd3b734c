//! Witnesses against approximations: what must be rejected, and that a witness is accepted just where the claim does not
//! hold of what the path gives.

#![allow(clippy::unwrap_used)]

use roundproof_approximation::{Accuracy, Approximates, Approximation, ApproximationRejection, Rejection, check};
use roundproof_exact::{Rational, decode, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_kernel::{Claim, Evidence, Rejection as KernelRejection, ReplayRejection, Subject, Verdict};
use roundproof_network::{Activation, At, Forest, Network, NeuronPath, PathModel, Witness};
use roundproof_paths::{FromWitness, evaluate};

use crate::common::*;

const F: Format = Format::FLOAT6_E3M2FN;

/// x + 1 for every value from -2 to 14, in one form of accuracy or another.
fn approximation(format: Format, function: &str, ends: [&str; 2], accuracy: Accuracy) -> Approximation {
    let [low, high] = ends.map(|end| value(format, end));
    Approximation { function: Function::parse(function).unwrap(), domain: vec![(low, high)], accuracy }
}

fn rounded() -> Accuracy {
    Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Saturate }
}

struct Case {
    network: Network,
    forest: Forest,
    claim: Claim<Approximates>,
}

impl Case {
    fn approximates(network: Network, model: PathModel, approximation: Approximation) -> Case {
        let forest = tree(network.format(), "1", "2");
        let claim = Approximates::claim(&network, &forest, model, approximation);
        Case { network, forest, claim }
    }

    fn judge(&self, witness: &Witness) -> Result<Verdict, Rejection> {
        let subject = Subject { network: &self.network, data: None, forest: Some(&self.forest) };
        check(&self.claim, &subject, &Evidence::Witness(witness.clone()), &mut |_, _| ())
    }

    fn replay(&self, witness: &Witness) -> ReplayRejection {
        match self.judge(witness) {
            Err(Rejection::Kernel(KernelRejection::Replay(rejection))) => rejection,
            other => panic!("{other:?}"),
        }
    }

    fn value(&self, point: &[Encoding], neurons: Vec<NeuronPath>) -> Witness {
        let mut witness = witness(point, self.network.format().zero(), neurons);
        witness.value = evaluate(&self.network, point, &self.claim.model, &mut FromWitness::new(&witness)).unwrap()[0];
        witness
    }
}

/// 1.25 + 2^-4 * 1: 0.0625 + 1 is between 1 and 1.25 in float6_e3m2fn.
fn sum() -> (Case, Witness) {
    let model = PathModel::all(F);
    let case = Case::approximates(plus_one(F), model, approximation(F, "x+1", ["0", "14"], rounded()));
    let witness = case.value(&[value(F, "0.0625")], mode_of_addition(RoundingMode::TowardPositive, &model));
    (case, witness)
}

#[test]
fn a_departure_refutes_what_the_plain_path_does_not() {
    let (case, witness) = sum();
    assert_eq!(witness.value, value(F, "1.25"));
    assert_eq!(case.judge(&witness), Ok(Verdict::Refuted));
    let plain = case.value(&[value(F, "0.0625")], Vec::new());
    assert_eq!(case.replay(&plain), ReplayRejection::Holds { given: number(F, "1") });
}

#[test]
fn every_change_is_rejected() {
    let (case, unchanged) = sum();
    let rejected = |change: &dyn Fn(&mut Witness)| {
        let mut witness = unchanged.clone();
        change(&mut witness);
        case.replay(&witness)
    };
    let at = |point: &[Encoding]| At::Point(point.to_vec());
    assert_eq!(rejected(&|w| w.at = At::Row(0)), ReplayRejection::At { needed: "a point" });
    assert_eq!(rejected(&|w| w.at = at(&[])), ReplayRejection::Inputs { given: 0, expected: 1 });
    assert_eq!(rejected(&|w| w.at = at(&[F.zero(), F.zero()])), ReplayRejection::Inputs { given: 2, expected: 1 });
    assert_eq!(rejected(&|w| w.output = 1), ReplayRejection::Missing { place: Place::Output(Output(1)) });
    assert_eq!(rejected(&|w| w.neurons[0].neuron = 1), ReplayRejection::Missing { place: Place::Site(site(0, 1)) });
    // The other neighbour of the exact sum, and a value that is none.
    for other in ["1", "1.5"] {
        let other = value(F, other);
        let said = ReplayRejection::Value { given: number(F, "1.25"), said: of(F, other) };
        assert_eq!(rejected(&|w| w.value = other), said);
    }
    // Another point: the sum is exact there, and another value.
    assert!(matches!(rejected(&|w| w.at = at(&[F.one(false)])), ReplayRejection::Value { .. }));
    let minus = value(F, "-0.0625");
    let outside = case.value(&[minus], unchanged.neurons.clone());
    assert_eq!(case.replay(&outside), ReplayRejection::Outside { input: Input(0), value: of(F, minus) });
    // No number of the format.
    let beyond = Encoding::from_bits(1 << F.width());
    assert_eq!(rejected(&|w| w.at = at(&[beyond])), ReplayRejection::Input { input: Input(0), value: of(F, beyond) });
}

/// At a point where the function has no value nothing is claimed, and what no precision decides is not refuted.
#[test]
fn what_is_not_decided_is_not_refuted() {
    let model = PathModel::all(F);
    let judge = |function: &str, point: &str, accuracy: Accuracy| {
        let case = Case::approximates(plus_one(F), model, approximation(F, function, ["-2", "14"], accuracy));
        case.judge(&case.value(&[value(F, point)], Vec::new()))
    };
    for accuracy in [rounded(), Accuracy::Within(Rational::from(1)), Accuracy::Excess(Rational::new())] {
        let undefined = judge("sqrt(x)", "-2", accuracy);
        let is_function = matches!(undefined, Err(Rejection::Approximation(ApproximationRejection::Function { .. })));
        assert!(is_function, "{undefined:?}");
    }
    // log(exp(2)) is 2, which no enclosure of it tells: 3 is off by 1, and by nothing more or less.
    let undecided = judge("log(exp(x))", "2", Accuracy::Within(Rational::from(1)));
    assert!(
        matches!(undecided, Err(Rejection::Approximation(ApproximationRejection::Undecided { .. }))),
        "{undecided:?}"
    );
    let less = Rational::from(1) - Rational::from((1, 1_000_000));
    assert_eq!(judge("log(exp(x))", "2", Accuracy::Within(less)), Ok(Verdict::Refuted));
    let holds = judge("log(exp(x))", "2", Accuracy::Within(Rational::from((3, 2))));
    assert!(matches!(holds, Err(Rejection::Kernel(KernelRejection::Replay(ReplayRejection::Holds { .. })))));
    // float6_e3m2fn has no infinity to round to.
    let policy = Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Ieee };
    let refused = judge("x+1", "2", policy);
    assert!(matches!(refused, Err(Rejection::Approximation(ApproximationRejection::Policy { .. }))), "{refused:?}");
    // Two variables, and a network of one.
    let domain = vec![(F.zero(), F.one(false)); 2];
    let two = Approximation { function: Function::parse("x+y").unwrap(), domain, accuracy: rounded() };
    let case = Case::approximates(plus_one(F), model, two);
    let refused = case.judge(&case.value(&[F.zero()], Vec::new()));
    assert!(matches!(refused, Err(Rejection::Approximation(ApproximationRejection::Variables { .. }))), "{refused:?}");
}

/// What is not finite is near no function and no tree, and equals what overflows alike.
#[test]
fn overflow_is_no_value() {
    let f = Format::FLOAT8_E5M2;
    let model = PathModel::all(f);
    let largest = f.largest(false).unwrap();
    let double = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "2")], "0")])]);
    let ends = ["0", "57344"];
    for accuracy in [Accuracy::Within(Rational::from(1_000_000)), Accuracy::Excess(Rational::from(1_000_000))] {
        let case = Case::approximates(double.clone(), model, approximation(f, "2*x", ends, accuracy.clone()));
        let infinite = case.value(&[largest], Vec::new());
        assert_eq!(infinite.value, f.infinity(false).unwrap());
        assert_eq!(case.judge(&infinite), Ok(Verdict::Refuted));
        let undefined = Case::approximates(double.clone(), model, approximation(f, "1/(x-57344)", ends, accuracy));
        assert!(matches!(undefined.judge(&infinite), Err(Rejection::Approximation(_))));
    }
    let rounded = |overflow| Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow };
    for (overflow, refuted) in [(Overflow::Ieee, false), (Overflow::Saturate, true), (Overflow::Nan, true)] {
        let case = Case::approximates(double.clone(), model, approximation(f, "2*x", ends, rounded(overflow)));
        let judged = case.judge(&case.value(&[largest], Vec::new()));
        assert_eq!(judged == Ok(Verdict::Refuted), refuted, "{overflow} {judged:?}");
    }
    // NaN is nothing, also where the function would be rounded to NaN.
    let model = PathModel::parse("all,overflow=nan", f).unwrap();
    let double = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "2")], "0")])]);
    let case = Case::approximates(double, model, approximation(f, "2*x", ends, rounded(Overflow::Nan)));
    let nan = case.value(&[largest], Vec::new());
    assert!(f.is_nan(nan.value));
    assert_eq!(case.judge(&nan), Ok(Verdict::Refuted));
}

/// Every point, every direction, every value: a witness is accepted just where the path gives that value, and it is not what is
/// claimed, by the definition of the claim in exact arithmetic.
#[test]
fn accepted_is_what_contradicts() {
    let real = |value| decode(F, value).and_then(|datum| datum.rational()).unwrap();
    let all = values(F);
    let model = PathModel::all(F);
    let network = network(F, 1, vec![layer(F, Activation::Identity, &[(&[(0, "1.25")], "1")])]);
    let distance = |a: &Rational, b: &Rational| Rational::from(a - b).abs();
    let mut counts = [0, 0];
    for accuracy in [
        rounded(),
        Accuracy::Rounded { mode: RoundingMode::TowardZero, overflow: Overflow::Saturate },
        Accuracy::Within(Rational::from((1, 8))),
        Accuracy::Within(Rational::new()),
        Accuracy::Excess(Rational::new()),
        Accuracy::Excess(Rational::from((1, 4))),
    ] {
        let claimed = approximation(F, "5*x/4+1", ["-14", "14"], accuracy.clone());
        let case = Case::approximates(network.clone(), model, claimed);
        for &point in all.iter().filter(|&&point| real(point).abs() <= 14) {
            let function = real(point) * Rational::from((5, 4)) + 1u32;
            for &mode in RoundingMode::ALL {
                let given = case.value(&[point], mode_of_addition(mode, &model)).value;
                for &said in &all {
                    let contradicts = match &accuracy {
                        Accuracy::Rounded { mode, overflow } => {
                            !same_value(F, round(&function, F, *mode, *overflow).encoding, said)
                        }
                        Accuracy::Within(error) => distance(&function, &real(said)) > *error,
                        Accuracy::Excess(excess) => {
                            let nearest = all.iter().map(|&value| distance(&function, &real(value))).min().unwrap();
                            distance(&function, &real(said)) > nearest + excess
                        }
                    };
                    let witness = witness(&[point], said, mode_of_addition(mode, &model));
                    let wanted = contradicts && said == given;
                    counts[usize::from(wanted)] += 1;
                    assert_eq!(case.judge(&witness) == Ok(Verdict::Refuted), wanted, "{accuracy:?} {witness:?}");
                }
            }
        }
    }
    assert!(counts.iter().all(|&count| count > 100), "{counts:?}");
}
