//! What the rule of approximation says, each message once, to be read aloud.

use roundproof_approximation::{ApproximationRejection, Region};
use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;

use crate::common::{number, of, value};

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

fn region(ends: &[[&str; 2]]) -> Region {
    Region { format: F, ends: ends.iter().map(|[low, high]| (value(F, low), value(F, high))).collect() }
}

#[test]
fn every_message_reads_well() {
    let undefined = Function::parse("log(x)")
        .expect("a function")
        .round(&[Rational::new()], F, RoundingMode::TiesToEven, Overflow::Ieee)
        .expect_err("no value at 0");
    let every = every!(ApproximationRejection:
        Infinite { variable: 1, format: Format::unbounded(8).expect("8 bits") }
        Policy { format: Format::FLOAT4_E2M1FN, overflow: Overflow::Ieee }
        Variables { variables: 2, inputs: 1, ranges: 2 }
        Forest { trees: 2, outputs: 1 }
        Domain { variable: 0, low: number(F, "1"), high: of(F, F.nan().expect("bfloat16 has NaN")) }
        Points { points: 100_000, most: 65_536 }
        Value { at: region(&[["0.5", "0.5"]]), given: Rational::from((3, 4)), expected: number(F, "0.875") }
        Error {
            region: region(&[["0.5", "1"], ["2", "2"]]),
            given: Rational::from(3),
            between: Box::new((Rational::from((1, 3)), Rational::from((2, 3))))
        }
        Undecided { region: region(&[["-1", "1"]]), bits: 4096 }
        Work { most: 2_097_152 }
        Function { region: region(&[["0", "0"]]), error: undefined }
    );
    // In F(p), no value lies next to 0.
    let f = Format::unbounded(8).expect("8 bits");
    let beyond = Region { format: f, ends: vec![(Encoding::from_bits(1), f.one(false))] };
    assert_eq!(beyond.to_string(), format!("x from next to 0 to 1 ({:#x})", f.one(false)));
    let said: Vec<String> = every.iter().map(ToString::to_string).collect();
    for message in &said {
        assert!(!message.contains("  ") && !message.contains('\n'), "a blank too many: {message:?}");
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    variable 1: F(8) has infinitely many values next to 0, and a function is rounded at each
    float4_e2m1fn cannot express overflow=ieee
    variables of the function: 2, inputs of the forest: 1, ranges of the domain: 2
    the rule takes one tree with one output; trees here: 2, outputs: 1
    variable 0: from 1 (0x3f80) to nan (0x7fc0) is not a range of finite values of the format, least first
    the domain has 100000 points; a function is rounded at no more than 65536
    at x = 0.5 (0x3f00) the tree gives 0.75, and the function, rounded, is 0.875 (0x3f60)
    with x from 0.5 (0x3f00) to 1 (0x3f80), y = 2 (0x4000) the tree gives 3, which is too far from the function, between 0.333333 and 0.666667
    with x from -1 (0xbf80) to 1 (0x3f80), 4096 bits do not tell whether the error is within what the claim allows
    2097152 enclosures of the function did not suffice; a smaller domain or more leaves take fewer
    with x = 0 (0x0): `log(x)` is not defined
    "#);
}
