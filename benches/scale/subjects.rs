//! Certificates with their files, small and large.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_construct::generate::{Generator, Kind, Recipe};
use roundproof_construct::learn::{LearnOptions, learn};
use roundproof_construct::{compile, point};
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference};
use roundproof_files::safetensors::{
    dataset_bytes, forest_bytes, network_bytes, parse_dataset, parse_forest, parse_network,
};
use roundproof_format::Format;
use roundproof_judge::{Claim, Property, Subject, Verdict, check};
use roundproof_kernel::Claim as KernelClaim;
use roundproof_network::{Activation, Dataset, Encodings, Forest, PathModel};

/// Wide enough for nearly all values of noise to differ: nothing is saved by what repeats.
const FORMAT: Format = Format::BINARY32;
/// Columns where rows are what grows.
const COLUMNS: usize = 16;
/// Rows where columns are what grows.
const ROWS: usize = 100;

/// What grows, and of which strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// A tree that tells clusters apart, and more and more rows that it gives their labels.
    TreeRows,
    /// A tree with a leaf for nearly every row of noise, and no rows: that it is computed everywhere.
    TreeParameters,
    /// A box for each of more and more rows.
    PointRows,
    /// A box for each of [`ROWS`] rows, of more and more inputs.
    PointParameters,
}

impl Series {
    pub const ALL: [Series; 4] = [Series::TreeRows, Series::TreeParameters, Series::PointRows, Series::PointParameters];

    /// Certificates of a series.
    pub const STEPS: usize = 5;

    pub fn strategy(self) -> &'static str {
        match self {
            Series::TreeRows | Series::TreeParameters => "tree",
            Series::PointRows | Series::PointParameters => "point",
        }
    }

    /// What grows.
    pub fn axis(self) -> &'static str {
        match self {
            Series::TreeRows | Series::PointRows => "rows",
            Series::TreeParameters | Series::PointParameters => "parameters",
        }
    }

    /// The certificate number `step` of the series, and its files.
    pub fn files(self, activation: Activation, step: usize) -> Files {
        // Half a decade each: 10^2 to 10^4, and ten times as many where what does not grow would hide what does.
        let more = if self.strategy() == "tree" { 10 } else { 1 };
        let grown = more * [100, 316, 1_000, 3_162, 10_000][step];
        let mut files = match self {
            Series::TreeRows => tree(&made_up(Kind::Clusters, grown, COLUMNS), activation, true),
            Series::TreeParameters => tree(&made_up(Kind::RandomLabels, grown, COLUMNS), activation, false),
            Series::PointRows => points(&made_up(Kind::RandomLabels, grown, COLUMNS), activation),
            Series::PointParameters => points(&made_up(Kind::RandomLabels, ROWS, grown / 10), activation),
        };
        if self.axis() == "rows" {
            files.size = grown;
        }
        files
    }
}

/// A certificate with its files, as bytes.
pub struct Files {
    certificate: Vec<u8>,
    network: Vec<u8>,
    dataset: Option<Vec<u8>>,
    forest: Option<Vec<u8>>,
    /// How large it is: rows or parameters, whatever grows.
    pub size: usize,
}

impl Files {
    /// What `roundproof check` does, but for asking the system for the files.
    pub fn check(&self) {
        let certificate = Certificate::parse(Path::new("certificate"), &self.certificate).expect("a certificate");
        let same = |reference: &FileReference, bytes: &[u8]| assert_eq!(Digest::of(bytes), reference.sha256);
        same(&certificate.network, &self.network);
        let network = parse_network(Path::new("network"), &self.network).expect("a network");
        let data = certificate.dataset.as_ref().zip(self.dataset.as_ref()).map(|(reference, bytes)| {
            same(reference, bytes);
            parse_dataset(Path::new("data set"), bytes).expect("a data set").dataset
        });
        let forest = certificate.forest.as_ref().zip(self.forest.as_ref()).map(|(reference, bytes)| {
            same(reference, bytes);
            parse_forest(Path::new("forest"), bytes).expect("a forest")
        });
        let subject = Subject { network: &network, data: data.as_ref(), forest: forest.as_ref() };
        let evidence = certificate.evidence.as_ref().expect("evidence");
        let verdict = check(&certificate.claim, &subject, evidence, &mut |_, _| ());
        assert_eq!(verdict, Ok(Verdict::Proved));
    }
}

fn made_up(kind: Kind, rows: usize, dimension: usize) -> Dataset {
    let recipe = Recipe { kind, rows, dimension, classes: 10, separation: 4, seed: 0, format: FORMAT };
    let mut generator = Generator::new(recipe).expect("so many rows differ");
    let mut inputs = Encodings::with_capacity(FORMAT, rows * dimension);
    let (mut labels, mut row) = (Encodings::with_capacity(FORMAT, rows), Vec::new());
    while let Some(label) = generator.next_row(&mut row) {
        inputs.extend(row.iter().copied());
        labels.push(label);
    }
    Dataset::new(FORMAT, dimension, 1, inputs, labels).expect("whole rows of finite values")
}

fn points(data: &Dataset, activation: Activation) -> Files {
    let built = point::memorize(data, activation).expect("no conflict");
    let claim = KernelClaim::memorizes(&built.network, data, PathModel::all(FORMAT));
    files(claim.map(Property::from), built, Some(data), None)
}

fn tree(data: &Dataset, activation: Activation, keep_rows: bool) -> Files {
    let forest = learn(data, &LearnOptions::default(), &mut |_, _| ()).expect("no conflict");
    let built = compile::compile(&forest, activation).expect("a network");
    let data = Some(data).filter(|_| keep_rows);
    let claim =
        KernelClaim::computes(&built.network, &forest, data, PathModel::all(FORMAT), Default::default(), Vec::new());
    files(claim.map(Property::from), built, data, Some(&forest))
}

fn files(
    claim: Claim,
    built: roundproof_construct::Construction,
    data: Option<&Dataset>,
    forest: Option<&Forest>,
) -> Files {
    let network = network_bytes(&built.network);
    let dataset = data.map(|data| dataset_bytes(data, None));
    let forest = forest.map(forest_bytes);
    let reference = |name: &str, bytes: &Vec<u8>| FileReference {
        path: name.parse().expect("a plain name"),
        sha256: Digest::of(bytes),
    };
    let certificate = Certificate {
        claim,
        network: reference("network.safetensors", &network),
        network_source: None,
        dataset: dataset.as_ref().map(|bytes| reference("dataset.safetensors", bytes)),
        forest: forest.as_ref().map(|bytes| reference("forest.safetensors", bytes)),
        source: None,
        verdict: Verdict::Proved,
        evidence: Some(built.evidence),
        lemmas: Vec::new(),
        provenance: BTreeMap::new(),
    };
    let certificate = certificate.to_json().expect("a certificate").into_bytes();
    Files { certificate, network, dataset, forest, size: built.network.parameters() }
}
