//! Compiled forests, beside the forests.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

mod forests;
mod judge;
mod sizes;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use roundproof_construct::ConstructError;
use roundproof_construct::compile::{compile, parameters};
use roundproof_format::Format;
use roundproof_network::Activation;

const HIDDEN: [Activation; 2] = [Activation::Step, Activation::Relu];

/// Compiles random forests over a format and checks them; tells how many outputs there were, and how many exact.
fn survey(format: &str, zero: bool, cases: u32) {
    let format: Format = format.parse().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let (outputs, exact, built) = (Cell::new(0), Cell::new(0), Cell::new(0u32));
    runner
        .run(&forests::forest(format, zero), |forest| {
            for activation in HIDDEN {
                match compile(&forest, activation) {
                    Ok(construction) => {
                        exact.set(exact.get() + judge::check(&forest, &construction));
                        outputs.set(outputs.get() + forest.outputs());
                        built.set(built.get() + 1);
                        let size = construction.network.parameters();
                        prop_assert_eq!(parameters(&forest, activation), Some(size));
                        let again = compile(&forest, activation).unwrap();
                        prop_assert_eq!((again.network, again.evidence), (construction.network, construction.evidence));
                    }
                    Err(error) => {
                        let no_neighbour = matches!(error, ConstructError::NoNeighbour { .. });
                        let no_scale = matches!(error, ConstructError::NoScaleAtCut { .. });
                        let relu = activation == Activation::Relu;
                        prop_assert!(relu && no_scale || zero && no_neighbour && !format.is_bounded(), "{}", error);
                        prop_assert_eq!(parameters(&forest, activation), None);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let (outputs, exact, built) = (outputs.get(), exact.get(), built.get());
    println!("{format}: {built} of {} networks, {exact} of {outputs} outputs exact", 2 * cases);
    assert!(built >= cases && exact > 0, "{format}: {built} networks, {exact} outputs exact");
}

#[test]
fn every_input_of_4_bits_is_computed() {
    survey("float4_e2m1fn", true, 200);
    survey("p=2,emin=0,emax=2,specials=ieee", true, 200);
}

#[test]
fn every_input_of_5_bits_is_computed() {
    survey("p=3,emin=0,emax=1,specials=finite", true, 150);
    survey("p=2,emin=-2,emax=3,specials=ieee", true, 150);
}

#[test]
fn every_input_of_6_bits_is_computed() {
    survey("float6_e2m3fn", true, 25);
    survey("float6_e3m2fn", true, 25);
    survey("p=3,emin=-2,emax=3,specials=ieee", true, 25);
}

#[test]
fn unbounded_formats_are_computed_around_zero_and_far_out() {
    for format in ["F(1)", "F(2)", "F(3)"] {
        survey(format, true, 16);
        survey(format, false, 16);
    }
}
