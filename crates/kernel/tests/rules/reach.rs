//! The rule `paths`: what it must reject.

use roundproof_format::{Encoding, Format, Overflow};
use roundproof_kernel::{Evidence, ReachRejection, Rejection, Verdict};
use roundproof_network::{Activation, Dataset, Layer, Network, PathModel};

use crate::common::*;

fn format(text: &str) -> Format {
    text.parse().expect(text)
}

fn paths(model: &PathModel, network: &Network, data: &Dataset) -> Result<Verdict, ReachRejection> {
    judge(model, network, data, &Evidence::Paths).map_err(|rejection| match rejection {
        Rejection::Reach(rejection) => rejection,
        other => panic!("{other}"),
    })
}

/// The claim is false, and not accepted.
fn false_claim(model: &str, network: &Network, data: &Dataset) {
    let model = PathModel::parse(model, network.format()).expect("a model");
    assert_eq!(memorizes(&model, network, data), Some(false));
    assert!(paths(&model, network, data).is_err());
}

#[test]
fn flushed_subnormals_are_not_covered() {
    let f = Format::BFLOAT16;
    let network = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "1")], "0")])]);
    let data = texts(f, &[(&["1"], &["1"])]);
    let model = PathModel::parse("all,subnormals=flush", f).expect("a model");
    assert_eq!(paths(&model, &network, &data), Err(ReachRejection::Flush));
    assert_eq!(paths(&PathModel::all(f), &network, &data), Ok(Verdict::Proved));
}

#[test]
fn nan_must_be_excluded() {
    let f = Format::FLOAT8_E5M2;
    let big = "57344";
    // Infinity and minus infinity meet in the second layer.
    let doubled = |activation| layer(f, activation, &[(&[(0, "2")], "0"), (&[(0, "2")], "0")]);
    let difference = layer(f, Activation::Identity, &[(&[(0, "1"), (1, "-1")], "0")]);
    let opposite = network(f, 1, vec![doubled(Activation::Relu), difference]);
    let data = texts(f, &[(&[big], &["0"])]);
    let nan = ReachRejection::Nan { row: Row(0), site: site(1, 0) };
    assert_eq!(paths(&PathModel::all(f), &opposite, &data), Err(nan.clone()));
    // Zero times infinity.
    let zero = network(f, 1, vec![doubled(Activation::Relu), layer(f, Activation::Identity, &[(&[(0, "0")], "0")])]);
    assert_eq!(paths(&PathModel::all(f), &zero, &data), Err(nan));
    // Overflow to NaN, and no overflow.
    let sum = |weight| network(f, 1, vec![layer(f, Activation::Relu, &[(&[(0, weight)], "0")])]);
    let model = PathModel { overflow: Overflow::Nan, ..PathModel::all(f) };
    let nan = ReachRejection::Nan { row: Row(0), site: site(0, 0) };
    assert_eq!(paths(&model, &sum("-2"), &data), Err(nan));
    assert_eq!(paths(&model, &sum("-1"), &data), Ok(Verdict::Proved));
}

#[test]
fn an_output_must_be_its_label_alone() {
    let f = Format::FLOAT8_E5M2;
    let sum = network(f, 2, vec![layer(f, Activation::Identity, &[(&[(0, "1"), (1, "1")], "0")])]);
    let exact = texts(f, &[(&["1", "1"], &["2"]), (&["1", "0.5"], &["1.75"])]);
    let rejected = paths(&PathModel::all(f), &sum, &exact);
    let found = number(f, "1.5");
    assert_eq!(
        rejected,
        Err(ReachRejection::Output {
            row: Row(1),
            output: Output(0),
            between: Box::new((found, found)),
            label: number(f, "1.75")
        })
    );
    let inexact = texts(f, &[(&["1", "0.125"], &["1"])]);
    let rejected = paths(&PathModel::all(f), &sum, &inexact);
    let (row, output, label) = (Row(0), Output(0), number(f, "1"));
    let between = Box::new((label, number(f, "1.25")));
    assert_eq!(rejected, Err(ReachRejection::Output { row, output, between, label }));
    assert_eq!(paths(&PathModel::paper(f), &sum, &inexact), Ok(Verdict::Proved));
}

#[test]
fn exponents_without_bound_are_given_up() {
    let f = format("F(2)");
    let large = Encoding::from_bits((((1 << 20) + f.bias()) as u128) << f.trailing_bits());
    let growing = || {
        let mut layer = Layer::new(f, Activation::Identity);
        layer.push([(0, large)], f.zero());
        layer
    };
    let network = network(f, 1, (0..512).map(|_| growing()).collect());
    let data = texts(f, &[(&["1"], &["1"])]);
    let rejected = paths(&PathModel::all(f), &network, &data);
    assert_eq!(rejected, Err(ReachRejection::Exponent { row: Row(0), site: site(4, 0) }));
}

/// A saturated product is below the exact one, which contraction adds.
#[test]
fn a_contracted_product_may_exceed_the_saturated_one() {
    let f = Format::FLOAT4_E2M1FN;
    let network = network(f, 1, vec![layer(f, Activation::Identity, &[(&[(0, "6")], "-6")])]);
    false_claim("all", &network, &texts(f, &[(&["6"], &["0"])]));
}

/// Half the least value is rounded to zero by itself, but up when contracted: 1.5 becomes 2 in units of the least value.
#[test]
fn a_contracted_product_may_round_up_where_it_would_vanish() {
    let f = format("p=6,emin=-1,emax=2");
    let first = layer(f, Activation::Identity, &[(&[(0, "0.0625"), (1, "-0.0625")], "0.015625")]);
    let second = layer(f, Activation::Step, &[(&[(0, "1")], "-0.03125")]);
    let network = network(f, 2, vec![first, second]);
    false_claim("paper,order=any,contraction=any", &network, &texts(f, &[(&["0.125", "0.0625"], &["0"])]));
}

/// What dominates the rounded product need not dominate the exact one.
#[test]
fn dominance_is_over_the_exact_product_too() {
    let f = format("p=6,emin=-6,emax=2");
    let terms: &[(u32, &str)] = &[(0, "1.03125"), (1, "-0.015625")];
    let network = network(f, 2, vec![layer(f, Activation::Relu, &[(terms, "-1.0625")])]);
    false_claim("all,rounding=toward-zero", &network, &texts(f, &[(&["1.03125", "0.03125"], &["0"])]));
}

/// A sum far below zero is zero after ReLU, unless rounding it out of the accumulator makes it NaN.
#[test]
fn rounding_out_of_the_accumulator_may_give_nan_below_zero() {
    let f = Format::FLOAT8_E4M3FN;
    let first = layer(f, Activation::Identity, &[(&[(0, "1")], "0"), (&[(0, "1")], "0"), (&[(1, "1.125")], "0")]);
    let second = layer(f, Activation::Relu, &[(&[(0, "-2"), (1, "-2"), (2, "-1")], "0")]);
    let network = network(f, 2, vec![first, second]);
    let data = texts(f, &[(&["448", "1.125"], &["0"])]);
    false_claim("all,overflow=nan,accumulator=binary32", &network, &data);
    let saturating = PathModel::parse("all,accumulator=binary32", f).expect("a model");
    assert_eq!(paths(&saturating, &network, &data), Ok(Verdict::Proved));
}

/// An infinity becomes the largest value of a saturating accumulator before it is multiplied.
#[test]
fn a_saturating_accumulator_reads_infinity_as_its_largest_value() {
    let f = format("p=3,emin=-1,emax=2");
    let first = layer(f, Activation::Identity, &[(&[(0, "4")], "0")]);
    let second = layer(f, Activation::Step, &[(&[(0, "0.25")], "-5")]);
    let network = network(f, 1, vec![first, second]);
    let data = texts(f, &[(&["4"], &["1"])]);
    false_claim("all,rounding=toward-positive,accumulator=p=4,emin=-3,emax=3/saturate", &network, &data);
}

/// In `F(p)` there is no NaN and no largest value: a sum with more terms than the precision bears is still enclosed.
#[test]
fn unbounded_formats_enclose_every_sum() {
    let f = format("F(1)");
    let mut sum = Layer::new(f, Activation::Step);
    sum.push((0..9).map(|column| (column, f.one(column % 2 == 1))), f.zero());
    let network = network(f, 9, vec![sum]);
    let row: Vec<Encoding> = ["1", "1", "2", "2", "1", "1", "4", "4", "1"].iter().map(|text| value(f, text)).collect();
    let rejected = paths(&PathModel::all(f), &network, &dataset(f, &[(row, vec![f.one(false)])]));
    assert!(matches!(rejected, Err(ReachRejection::Output { row: Row(0), .. })), "{rejected:?}");
}

/// Penalties beyond the largest value are minus infinity in every direction but one: no NaN, and zero after ReLU.
#[test]
fn infinite_penalties_exclude() {
    let f = Format::FLOAT8_E5M2;
    let terms: &[(u32, &str)] = &[(0, "-57344"), (1, "-57344")];
    let network = network(f, 2, vec![layer(f, Activation::Relu, &[(terms, "1")])]);
    let data = texts(f, &[(&["2", "4"], &["0"])]);
    for model in ["all", "paper", "paper,order=any", "paper,order=any,contraction=any", "all,overflow=saturate"] {
        let model = PathModel::parse(model, f).expect(model);
        assert_eq!(paths(&model, &network, &data), Ok(Verdict::Proved), "{model}");
    }
    let nan = PathModel::parse("all,overflow=nan", f).expect("a model");
    assert_eq!(paths(&nan, &network, &data), Err(ReachRejection::Nan { row: Row(0), site: site(0, 0) }));
}
