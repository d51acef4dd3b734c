//! The rules on rows of 64 inputs, as they are: handwritten digits. What they cost is measured in `benches/memorize.rs`.

use roundproof_construct::point;
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Claim, Evidence, Subject, Verdict, check};
use roundproof_network::{Activation, Dataset, Encodings, PathModel};

const FORMAT: Format = Format::BFLOAT16;

/// An integer below 256 in bfloat16.
fn integer(text: &str) -> Encoding {
    let value: u32 = text.parse().expect("an integer");
    let Some(exponent) = value.checked_ilog2() else { return FORMAT.zero() };
    let significand = value << (7 - exponent);
    Encoding::from_bits(u128::from(((exponent + 127) << 7) + (significand - 128)))
}

/// Every thirtieth row.
fn digits() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits.csv");
    let text = std::fs::read_to_string(path).expect(path);
    let rows: Vec<Vec<Encoding>> =
        text.lines().skip(1).step_by(30).map(|line| line.split(',').map(integer).collect()).collect();
    let inputs = Encodings::collect(FORMAT, rows.iter().flat_map(|row| row[..64].iter().copied()));
    let labels = Encodings::collect(FORMAT, rows.iter().map(|row| row[64]));
    Dataset::new(FORMAT, 64, 1, inputs, labels).expect("well formed")
}

/// The same rows, the last one with the label of the first.
fn with_a_wrong_label(data: &Dataset) -> Dataset {
    let last = data.rows() - 1;
    assert_ne!(data.label(0, 0), data.label(last, 0));
    let mut labels = Encodings::collect(FORMAT, (0..data.rows()).map(|row| data.label(row, 0)));
    labels.set(last, data.label(0, 0));
    let inputs = (0..data.rows()).flat_map(|row| (0..64).map(move |column| data.input(row, column)));
    Dataset::new(FORMAT, 64, 1, Encodings::collect(FORMAT, inputs), labels).expect("well formed")
}

#[test]
fn digits_are_memorized_by_either_rule_and_wrong_ones_are_not() {
    let data = digits();
    assert_eq!(data.rows(), 60);
    let wrong = with_a_wrong_label(&data);
    for activation in [Activation::Relu, Activation::Step] {
        let built = point::memorize(&data, activation).expect("no conflict");
        for model in ["all", "paper", "all,accumulator=binary32"] {
            let model = PathModel::parse(model, FORMAT).expect(model);
            for evidence in [&built.evidence, &Evidence::Paths] {
                let judged = |data: &Dataset| {
                    let claim = Claim::memorizes(&built.network, data, model);
                    check(&claim, &Subject::memorizing(&built.network, data), evidence, &mut |_, _| ())
                };
                assert_eq!(judged(&data), Ok(Verdict::Proved), "{activation} {model:?}");
                assert!(judged(&wrong).is_err(), "{activation} {model:?}");
            }
        }
    }
}
