//! That a claim is about the network and the data set that it is judged with.

use roundproof_format::{Format, Overflow};
use roundproof_kernel::{Claim, Evidence, Rejection, Subject, Verdict, check};
use roundproof_network::{Activation, Dataset, Encodings, ModelError, Network, PathModel};

use crate::common::*;

const F: Format = Format::FLOAT8_E4M3FN;

fn subject() -> (Claim, Network, Dataset) {
    let network = network(F, 2, vec![layer(F, Activation::Relu, &[(&[(0, "1"), (1, "1")], "0")])]);
    let data = texts(F, &[(&["1", "2"], &["3"])]);
    (Claim::memorizes(&network, &data, PathModel::all(F)), network, data)
}

fn rejected(change: impl FnOnce(&mut Claim)) -> Rejection {
    let (mut claim, network, data) = subject();
    change(&mut claim);
    check(&claim, &Subject::memorizing(&network, &data), &Evidence::Paths, &mut |_, _| ()).expect_err("rejected")
}

#[test]
fn the_unchanged_claim_is_accepted() {
    let (claim, network, data) = subject();
    let mut steps = Vec::new();
    let verdict =
        check(&claim, &Subject::memorizing(&network, &data), &Evidence::Paths, &mut |done, of| steps.push((done, of)));
    assert_eq!(verdict, Ok(Verdict::Proved));
    assert_eq!(steps, [(0, 1), (1, 1)]);
}

#[test]
fn format() {
    let other = Format::FLOAT8_E5M2;
    let found = Rejection::Format { of: "network", claimed: other, found: F };
    assert_eq!(rejected(|claim| claim.format = other), found);
    let (claim, network, _) = subject();
    let data = texts(other, &[(&["1", "2"], &["3"])]);
    let found = Rejection::Format { of: "data set", claimed: F, found: other };
    assert_eq!(check(&claim, &Subject::memorizing(&network, &data), &Evidence::Paths, &mut |_, _| ()), Err(found));
}

#[test]
fn model() {
    let rejection = rejected(|claim| claim.model.overflow = Overflow::Ieee);
    assert!(matches!(rejection, Rejection::Model(ModelError::Overflow { .. })));
}

#[test]
fn size() {
    let size = |what, claimed, found| Rejection::Size { what, claimed, found };
    assert_eq!(rejected(|claim| claim.shape.rows = 2), size("rows", 2, 1));
    assert_eq!(rejected(|claim| claim.shape.input_dimension = 3), size("inputs of the network", 3, 2));
    assert_eq!(rejected(|claim| claim.shape.output_dimension = 2), size("outputs of the network", 2, 1));
    assert_eq!(rejected(|claim| claim.shape.layers = 0), size("layers", 0, 1));
    assert_eq!(rejected(|claim| claim.shape.parameters = 4), size("parameters", 4, 3));
    let (claim, network, _) = subject();
    let with = |data: &Dataset| check(&claim, &Subject::memorizing(&network, data), &Evidence::Paths, &mut |_, _| ());
    assert_eq!(with(&texts(F, &[(&["1"], &["3"])])), Err(size("inputs of the data set", 2, 1)));
    assert_eq!(with(&texts(F, &[(&["1", "2"], &["3", "3"])])), Err(size("labels of the data set", 1, 2)));
}

#[test]
fn no_rows_are_no_proof() {
    let (_, network, _) = subject();
    let data = Dataset::new(F, 2, 1, Encodings::new(F), Encodings::new(F)).expect("no rows");
    assert_eq!(judge(&PathModel::all(F), &network, &data, &Evidence::Paths), Ok(Verdict::Vacuous));
}
