//! What the rules cost on 1797 rows of 64 inputs. Run with `--release --ignored --nocapture`.

use std::time::Instant;

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

fn digits() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits.csv");
    let text = std::fs::read_to_string(path).expect(path);
    let rows: Vec<Vec<Encoding>> = text.lines().skip(1).map(|line| line.split(',').map(integer).collect()).collect();
    let inputs = Encodings::collect(FORMAT, rows.iter().flat_map(|row| row[..64].iter().copied()));
    let labels = Encodings::collect(FORMAT, rows.iter().map(|row| row[64]));
    Dataset::new(FORMAT, 64, 1, inputs, labels).expect("well formed")
}

#[test]
#[ignore = "takes minutes in the dev profile"]
fn digits_are_judged_in_time() {
    let data = digits();
    for activation in [Activation::Relu, Activation::Step] {
        let built = point::memorize(&data, activation).expect("no conflict");
        for model in ["all", "paper", "all,accumulator=binary32"] {
            let model = PathModel::parse(model, FORMAT).expect(model);
            let claim = Claim::memorizes(&built.network, &data, model);
            for (name, evidence) in [("box-network", &built.evidence), ("paths", &Evidence::Paths)] {
                let start = Instant::now();
                let verdict = check(&claim, &Subject::memorizing(&built.network, &data), evidence, &mut |_, _| ());
                println!("{activation} {name} {model}: {:.2?}", start.elapsed());
                assert_eq!(verdict, Ok(Verdict::Proved));
            }
        }
    }
}
