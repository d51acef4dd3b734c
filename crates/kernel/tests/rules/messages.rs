//! What the kernel says, each message once, to be read aloud.

use roundproof_exact::Rational;
use roundproof_format::{Format, Overflow};
use roundproof_kernel::{BoxRejection, ReachRejection, Rejection, ReplayRejection};
use roundproof_network::{Activation, ModelError, PathError};

use crate::common::*;

/// One value of every variant of an enum: a variant that is not among them does not compile.
macro_rules! every {
    ($enum:ident: $($variant:ident $fields:tt)*) => {{
        let _ = |value: &$enum| match value {
            $($enum::$variant { .. } => {})*
        };
        [$($enum::$variant $fields),*]
    }};
}

const F: Format = Format::BFLOAT16;

fn rational(numerator: i64, denominator: i64) -> Rational {
    Rational::from((numerator, denominator))
}

fn of_boxes() -> Vec<BoxRejection> {
    let (unit, neuron, output, row, column) = (Unit(3), BoxNumber(2), Output(1), Row(7), Input(4));
    every!(BoxRejection:
        Flush {}
        Layers {}
        Activation { activation: Activation::Sign }
        UnitTerms { unit, terms: 2 }
        UnitWeight { unit, weight: number(F, "0.75") }
        UnitThreshold { unit, bias: number(F, "-2.5") }
        UnitAtEnd { unit }
        UnitScale { unit }
        UnitAtZero { unit }
        BoxBias { neuron, bias: number(F, "0.5"), expected: -1 }
        BoxCount { neuron, terms: 300 }
        BoxWeight { neuron, weight: number(F, "3") }
        Penalty { neuron, unit, strength: -2, copies: 3 }
        SumRange { output, reach: rational(7, 2) }
        Sum { bound: rational(1, 3), allowed: rational(1, 4) }
        Separator { node: 5, what: "names a box that is not there" }
        BoxRegions { neuron, times: 0 }
        Overlap { neuron, column, side: "below" }
        Unfilled { neuron, column, side: "above" }
        Trees { separator: 1, forest: 2 }
        Leaf { tree: 0, leaf: 6, output }
        Offset { output, bias: rational(1, 2), needed: rational(-3, 4) }
        Label { row, output, given: rational(5, 2), label: number(F, "2") }
        Headroom { site: site(0, 3), overflow: Overflow::Nan }
        Silenced { neuron, unit }
    )
    .into()
}

fn of_paths() -> Vec<ReachRejection> {
    let (row, output, site) = (Row(7), Output(1), site(2, 0));
    every!(ReachRejection:
        Flush {}
        Nan { row, site }
        Exponent { row, site }
        Output { row, output, between: Box::new((number(F, "1"), number(F, "1.5"))), label: number(F, "-0.125") }
    )
    .into()
}

fn of_witnesses() -> Vec<ReplayRejection> {
    let (site, input) = (site(2, 0), Input(4));
    every!(ReplayRejection:
        Missing { place: Place::Site(site) }
        Unordered { site }
        Path { site, error: PathError::Operand { addition: 1, operand: 6 } }
        Activation { site, sum: number(F, "-3"), value: number(F, "1") }
        Exponent { site }
        Value { given: number(F, "2"), said: number(F, "3") }
        At { needed: "a point" }
        Inputs { given: 1, expected: 2 }
        Input { input, value: of(F, F.infinity(true).expect("bfloat16 has infinities")) }
        Outside { input, value: number(F, "1.5") }
        Holds { given: number(F, "0.0078125") }
    )
    .into()
}

#[test]
fn every_message_reads_well() {
    let own = every!(Rejection:
        Format { of: "network", claimed: F, found: Format::BINARY32 }
        Size { what: "rows", claimed: 3, found: 2 }
        Subject("memorization takes a data set and no forest")
        Evidence {}
        Exceptions { found: Some(Row(5)), claimed: None }
        Model(ModelError::Accumulator { format: F, accumulator: Format::BINARY16 })
        Boxes(BoxRejection::Flush)
        Reach(ReachRejection::Flush)
        Replay(ReplayRejection::At { needed: "a row" })
    );
    // Of the last three, those of their own kinds stand below.
    let mut said: Vec<String> = own[..6].iter().map(ToString::to_string).collect();
    said.extend(of_boxes().into_iter().map(|why| Rejection::from(why).to_string()));
    said.extend(of_paths().into_iter().map(|why| Rejection::from(why).to_string()));
    said.extend(of_witnesses().into_iter().map(|why| Rejection::from(why).to_string()));
    for message in &said {
        assert!(!message.contains("  ") && !message.contains('\n'), "a blank too many: {message:?}");
    }
    insta::assert_snapshot!(said.join("\n"), @"");
}
