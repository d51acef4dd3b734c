//! The rule `witness` at points, against forests: what it must reject, and that it accepts a witness where the claim does not
//! hold of what the path gives.

#![allow(clippy::unwrap_used)]

use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_kernel::{Claim, Evidence, MODERATE_EXPONENT, Rejection, ReplayRejection, Subject, Verdict, check};
use roundproof_network::{Activation, At, Forest, Network, NeuronPath, PathError, PathModel, Witness};
use roundproof_paths::{FromWitness, evaluate};

use crate::common::*;

const F: Format = Format::FLOAT6_E3M2FN;

struct Case {
    network: Network,
    forest: Forest,
    claim: Claim,
}

impl Case {
    fn computes(network: Network, forest: Forest, model: PathModel, tolerance: Rational) -> Case {
        let claim = Claim::computes(&network, &forest, None, model, tolerance, Vec::new());
        Case { network, forest, claim }
    }

    fn judge(&self, witness: &Witness) -> Result<Verdict, Rejection> {
        let subject = Subject { network: &self.network, data: None, forest: Some(&self.forest) };
        check(&self.claim, &subject, &Evidence::Witness(witness.clone()), &mut |_, _| ())
    }

    fn replay(&self, witness: &Witness) -> ReplayRejection {
        match self.judge(witness) {
            Err(Rejection::Replay(rejection)) => rejection,
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
    let case = Case::computes(plus_one(F), tree(F, "1", "2"), model, Rational::new());
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
    // No number of the format.
    let beyond = Encoding::from_bits(1 << F.width());
    assert_eq!(rejected(&|w| w.at = at(&[beyond])), ReplayRejection::Input { input: Input(0), value: of(F, beyond) });
    // A direction that the model lacks.
    let model = PathModel::parse("all,rounding=ties-to-even", F).unwrap();
    let fixed = Case { claim: Claim { model, ..case.claim.clone() }, ..sum().0 };
    let rejection = fixed.replay(&unchanged);
    assert!(
        matches!(
            rejection,
            ReplayRejection::Path { error: PathError::Model { .. }, site: Site { layer: 0, neuron: 0 } }
        ),
        "{rejection:?}"
    );
}

#[test]
fn infinities_and_nan_are_no_inputs() {
    let f = Format::FLOAT8_E5M2;
    let model = PathModel::all(f);
    let forest = tree(f, "1", "2");
    let case = Case::computes(plus_one(f), forest, model, Rational::new());
    for value in [f.infinity(false), f.infinity(true), f.nan()].map(Option::unwrap) {
        assert_eq!(
            case.replay(&witness(&[value], value, Vec::new())),
            ReplayRejection::Input { input: Input(0), value: of(f, value) }
        );
    }
}

/// In `F(p)` numbers have exponents without end, and the kernel computes with moderate ones.
#[test]
fn exponents_of_inputs_are_moderate() {
    let f = Format::unbounded(3).unwrap();
    let case = Case::computes(plus_one(f), tree(f, "1", "2"), PathModel::all(f), Rational::new());
    let power = |exponent: i64| Encoding::from_bits(((f.bias() + exponent) as u128) << f.trailing_bits());
    assert_eq!(power(1), value(f, "2"));
    for exponent in [-MODERATE_EXPONENT - 1, -MODERATE_EXPONENT, MODERATE_EXPONENT, MODERATE_EXPONENT + 1] {
        let value = power(exponent);
        assert!(f.is_finite(value));
        let rejection = case.replay(&witness(&[value], f.zero(), Vec::new()));
        match exponent.abs() > MODERATE_EXPONENT {
            true => assert_eq!(rejection, ReplayRejection::Input { input: Input(0), value: of(f, value) }),
            false => assert!(matches!(rejection, ReplayRejection::Value { .. }), "{rejection:?}"),
        }
    }
}

#[test]
fn memorization_takes_rows() {
    let data = texts(F, &[(&["0.0625"], &["1"])]);
    let (case, witness) = sum();
    let rejection = judge(&case.claim.model, &case.network, &data, &Evidence::Witness(witness));
    assert_eq!(rejection, Err(ReplayRejection::At { needed: "a row" }.into()));
}

/// What is not finite is near no tree.
#[test]
fn overflow_is_no_value() {
    let f = Format::FLOAT8_E5M2;
    let largest = f.largest(false).unwrap();
    let double = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "2")], "0")])]);
    for model in [PathModel::all(f), PathModel::parse("all,overflow=nan", f).unwrap()] {
        let case = Case::computes(double.clone(), tree(f, "1", "2"), model, Rational::from(1_000_000));
        let beyond = case.value(&[largest], Vec::new());
        assert!(!f.is_finite(beyond.value));
        assert_eq!(case.judge(&beyond), Ok(Verdict::Refuted));
    }
}

#[test]
fn a_tree_is_refuted_beyond_its_tolerance_alone() {
    let model = PathModel::paper(F);
    let at = |tolerance: (i32, i32), point: &str| {
        let case = Case::computes(plus_one(F), tree(F, "1", "4"), model, Rational::from(tolerance));
        case.judge(&case.value(&[value(F, point)], Vec::new()))
    };
    let holds = |given: &str| Err(ReplayRejection::Holds { given: number(F, given) }.into());
    assert_eq!(at((0, 1), "3"), holds("4"));
    assert_eq!(at((0, 1), "2.5"), Ok(Verdict::Refuted));
    assert_eq!(at((1, 2), "2.5"), holds("3.5"));
    assert_eq!(at((499, 1000), "2.5"), Ok(Verdict::Refuted));
    // The cut is at 1: below it the tree gives 1, and not 4.
    assert_eq!(at((3, 4), "1"), Ok(Verdict::Refuted));
    assert_eq!(at((1, 1), "1"), holds("2"));
    assert_eq!(at((2, 1), "1.25"), holds("2"));
}

/// A claim with exceptions and no rows, or with rows and a tolerance, is none, whatever the witness.
#[test]
fn a_claim_that_is_none_is_not_refuted() {
    let exceptional = |exceptions, tolerance| {
        let (network, forest) = (plus_one(F), tree(F, "1", "4"));
        let claim = Claim::computes(&network, &forest, None, PathModel::paper(F), tolerance, exceptions);
        let case = Case { network, forest, claim };
        case.judge(&case.value(&[value(F, "2.5")], Vec::new()))
    };
    assert_eq!(exceptional(Vec::new(), Rational::new()), Ok(Verdict::Refuted));
    assert!(matches!(exceptional(vec![0], Rational::new()), Err(Rejection::Subject(_))));
    // With rows, exact values only.
    let (network, forest) = (plus_one(F), tree(F, "1", "4"));
    let data = texts(F, &[(&["1"], &["1"])]);
    let judge = |tolerance: Rational| {
        let claim = Claim::computes(&network, &forest, Some(&data), PathModel::paper(F), tolerance, Vec::new());
        let case = Case { network: network.clone(), forest: forest.clone(), claim };
        let evidence = Evidence::Witness(case.value(&[value(F, "2.5")], Vec::new()));
        let subject = Subject { network: &network, data: Some(&data), forest: Some(&forest) };
        check(&case.claim, &subject, &evidence, &mut |_, _| ())
    };
    assert_eq!(judge(Rational::new()), Ok(Verdict::Refuted));
    assert!(matches!(judge(Rational::from((1, 4))), Err(Rejection::Subject(_))));
}
