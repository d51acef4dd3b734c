//! Models with functions that runtimes approximate, audited on the rows beside them: what runtimes gave lies within, and the rows whose
//! decision is the same on every path are as many as were counted.

use roundproof_audit::{Audit, Decision, PathModel, Ties, Verdict};
use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format};
use roundproof_network::Encodings;
use roundproof_onnx::{ImportOptions, import};

use super::arrays::recorded;
use super::models::bytes;

const NAMED: [(&str, &str); 4] = [
    ("portable", "portable,functions=measured"),
    ("once", "once,functions=measured"),
    ("nearest", "nearest,functions=measured"),
    ("all", "all,functions=measured"),
];

fn row(format: Format, values: &[f64]) -> Vec<Encodings> {
    assert_eq!(format, Format::BINARY32);
    let encode = |&value: &f64| {
        assert_eq!(f64::from(value as f32), value, "rows are of binary32");
        Encoding::from_bits(u128::from((value as f32).to_bits()))
    };
    vec![Encodings::collect(format, values.iter().map(encode))]
}

/// How many rows are invariant, under each path model by name; and that what a runtime gave lies within.
fn invariant(name: &str, recording: &str, decision: &Decision) -> Vec<(usize, usize)> {
    let model = import(&bytes(name), &ImportOptions::default()).expect(name);
    let output = model.graph.outputs()[0];
    let inputs = recorded(name, "x").expect("rows");
    let outputs = recorded(name, recording).expect("a recording");
    let format = model.graph.tensors()[model.graph.inputs().next().expect("an input")].format();
    let judge = |(named, text): &(&str, &str)| {
        let paths = PathModel::parse(text).expect(text);
        let audit = Audit::new(&model.graph, paths, output, decision.clone()).unwrap_or_else(|error| panic!("{error}"));
        let (mut count, mut of) = (0, 0);
        for (index, (values, given)) in inputs.rows().zip(outputs.rows()).enumerate() {
            let values = row(format, values);
            let within = audit.enclosure(&values).expect("a row").expect("finite");
            for (place, ((low, high), &given)) in within.iter().zip(given).enumerate() {
                let given = Rational::from_f64(given).expect("finite");
                assert!(*low <= given && given <= *high, "{name}, {named}, row {index}, element {place}: {given}");
            }
            if let Verdict::Invariant { answer, margin: _ } = audit.row(&values).expect("a row") {
                count += 1;
                let largest = (0..given.len()).max_by(|&a, &b| given[a].total_cmp(&given[b]).then(b.cmp(&a)));
                if *decision == ARGMAX {
                    assert_eq!(answer, [largest.expect("elements")], "{name}, {named}, row {index}");
                }
            }
            of += 1;
        }
        (count, of)
    };
    NAMED.iter().map(judge).collect()
}

const ARGMAX: Decision = Decision::Argmax { ties: Ties::Any };

#[test]
fn rows_of_models_with_functions_are_judged() {
    let value = |exponent| Decision::Value { tolerance: roundproof_exact::power_of_two(exponent) };
    for (name, recording, decision, expected) in [
        ("digits-mlp", "ort_probabilities", ARGMAX, [40; 4]),
        ("digits-minmax-logistic", "ort_probabilities", ARGMAX, [40; 4]),
        ("cancer-normalized-mlp", "ort_probabilities", ARGMAX, [40; 4]),
        // Probabilities, up to a ten-thousandth; and no two paths the same bits.
        ("digits-mlp", "ort_probabilities", value(-13), [40; 4]),
        ("digits-mlp", "ort_probabilities", value(-24), [0; 4]),
    ] {
        let found = invariant(name, recording, &decision);
        assert_eq!(found, expected.map(|count| (count, 40)), "{name}, {decision:?}");
    }
}
