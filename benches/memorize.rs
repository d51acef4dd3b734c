//! What it costs to prove and to check that a network memorizes the handwritten digits, 1797 rows of 64 inputs.
//!
//! `just bench memorize`. A sample is the whole of a step, as the command line does it, without the start of the process.

use std::path::Path;

use divan::{Bencher, black_box};
use roundproof_construct::point;
use roundproof_files::Digest;
use roundproof_files::safetensors::{dataset_bytes, network_bytes, parse_dataset, parse_network};
use roundproof_format::Format;
use roundproof_kernel::{Claim, Evidence, Subject, Verdict, check};
use roundproof_network::{Activation, Dataset, Network, PathModel};
use roundproof_sources::csv::parse_csv;

fn main() {
    divan::main();
}

const ACTIVATIONS: [&str; 2] = ["relu", "step"];
const FORMAT: Format = Format::BFLOAT16;

fn csv() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits.csv")).expect("data/digits.csv")
}

fn digits(csv: &[u8]) -> Dataset {
    parse_csv(Path::new("digits.csv"), csv, &["class".to_string()], FORMAT).expect("a data set").dataset
}

fn activation(name: &str) -> Activation {
    name.parse().expect("an activation")
}

fn judge(network: &Network, data: &Dataset, evidence: &Evidence) {
    let claim = Claim::memorizes(network, data, PathModel::all(FORMAT));
    assert_eq!(check(&claim, &Subject::memorizing(network, data), evidence, &mut |_, _| ()), Ok(Verdict::Proved));
}

/// Reading, rounding, constructing, writing to bytes, judging.
#[divan::bench(args = ACTIVATIONS, sample_count = 10)]
fn prove(bencher: Bencher, name: &str) {
    let csv = csv();
    bencher.bench(|| {
        let data = digits(&csv);
        let built = point::memorize(&data, activation(name)).expect("no conflict");
        let files = (network_bytes(&built.network), dataset_bytes(&data, None));
        judge(&built.network, &data, &built.evidence);
        black_box((Digest::of(&files.0), Digest::of(&files.1)))
    });
}

/// Reading both files, their digests, judging by `box-network` evidence.
#[divan::bench(args = ACTIVATIONS, sample_count = 20)]
fn check_box_network(bencher: Bencher, name: &str) {
    let data = digits(&csv());
    let built = point::memorize(&data, activation(name)).expect("no conflict");
    let files = (network_bytes(&built.network), dataset_bytes(&data, None));
    bencher.bench(|| {
        black_box((Digest::of(&files.0), Digest::of(&files.1)));
        let network = parse_network(Path::new("network"), &files.0).expect("a network");
        let data = parse_dataset(Path::new("dataset"), &files.1).expect("a data set").dataset;
        judge(&network, &data, &built.evidence);
    });
}

/// Judging by `paths` evidence, which leans on no structure.
#[divan::bench(args = ACTIVATIONS, sample_count = 1, sample_size = 1)]
fn check_paths(bencher: Bencher, name: &str) {
    let data = digits(&csv());
    let built = point::memorize(&data, activation(name)).expect("no conflict");
    bencher.bench(|| judge(&built.network, &data, &Evidence::Paths));
}
