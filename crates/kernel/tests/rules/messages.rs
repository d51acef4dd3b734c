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
    insta::assert_snapshot!(said.join("\n"), @r#"
    the claim is about bfloat16, the network is in binary32
    the claim says 3 rows, there are 2
    memorization takes a data set and no forest
    what a network does on all inputs takes the evidence of a box network, or a witness against it
    the exceptions are other rows: where the claim has no row, the next label that is not the forest's value is in row 5
    accumulator binary16 does not contain every value of bfloat16
    box-network: the rule does not hold where subnormals may be flushed
    box-network: a box network has three layers, with the activations step, step, identity or relu, relu, identity
    box-network: hidden layers of sign: the rule is about step and relu
    box-network: unit 3 has 2 weights, not one
    box-network: unit 3: weight 0.75 (0x3f40) is not +-K for a power of two K >= 1 (for Step, K = 1)
    box-network: unit 3: bias -2.5 (0xc020) is not K times a value of the format
    box-network: unit 3: its threshold is the end of the format; such a side needs no unit
    box-network: unit 3: K times the value next to the threshold is beyond the largest value of the format
    box-network: unit 3: its threshold is 0, which no ReLU unit tells from all other inputs in this format
    box-network: box 2: bias 0.5 (0x3f00) is not -1
    box-network: box 2: 300 terms are more than min(2^p, largest value), and some of them have weight 1
    box-network: box 2: weight 3 (0x4040) is not -W for a power of two W (for Step, 1 or -1)
    box-network: box 2, unit 3: W * K * gap = 2^-2 is below 1, and 3 copies of the side do not make up for it
    box-network: output 1: terms of up to 3.5 in all may leave the format
    box-network: in some order, the terms of an output may add up to something else than their sum: within 3.4e-1, which is proved, and the claim allows 0.25
    box-network: separator: node 5 names a box that is not there
    box-network: separator: box 2 stands in 0 regions, not in one
    box-network: separator: box 2 has no side on input 4 that keeps it below a cut above its region
    box-network: separator: box 2 keeps above a threshold on input 4 that no cut above its region has
    box-network: trees of the separator: 1, of the forest: 2
    box-network: tree 0, leaf 6, output 1: where the leaf is, the boxes give another value
    box-network: output 1: the bias is 0.5, the trees and the base need -0.75
    box-network: row 7, output 1: the network gives 2.5 on every path, the label is 2 (0x4000)
    box-network: layer 0, neuron 3: under overflow=nan the sum may exceed the largest value
    box-network: box 2: under overflow to NaN unit 3 may be NaN, which Step takes for silence, where it has to fire
    paths: the rule does not cover paths on which subnormals are flushed
    paths: row 7, layer 2, neuron 0: NaN cannot be excluded
    paths: row 7, layer 2, neuron 0: the value has an exponent beyond +-2^22
    paths: row 7, output 1: between 1 (0x3f80) and 1.5 (0x3fc0) on every path, the label is -0.125 (0xbe00)
    witness: there is no layer 2, neuron 0
    witness: layer 2, neuron 0 is listed out of order
    witness: layer 2, neuron 0: addition 1: operand 6 is not available
    witness: layer 2, neuron 0: the activation does not make 1 (0x3f80) of -3 (0xc040)
    witness: layer 2, neuron 0: the value has an exponent beyond +-2^22
    witness: the path gives 2 (0x4000), the witness says 3 (0x4040)
    witness: a witness against this claim is at a point
    witness: inputs of the witness: 1, of the network: 2
    witness: input 4: -inf (0xff80) is not a finite value that the claim is about
    witness: input 4: 1.5 (0x3fc0) is outside the domain
    witness: the path gives 0.0078125 (0x3c00), with which the claim holds there
    "#);
}
