//! Networks with activations that no construction makes: what each command says of them.

use roundproof_exact::{Datum, encode, parse_number};
use roundproof_files::certificate::{Claim, FileReference};
use roundproof_files::safetensors::{dataset_bytes, network_bytes};
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Verdict};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network, PathModel};
use roundproof_paths::{Finding, SearchOptions, search};

use crate::common::Folder;
use crate::second_judge::second_judge;

const F: Format = Format::BFLOAT16;

pub fn value(text: &str) -> Encoding {
    let number = parse_number(text).unwrap().value();
    if number == 0 { F.zero() } else { encode(F, &Datum::Finite(number)).unwrap() }
}

/// Of one input: clip to -3..3, then a leaky ReLU of slope 205/2048, then the sign of that and a bias.
fn network(bias: &str) -> Network {
    let layer = |activation, bias| {
        let mut layer = Layer::new(F, activation);
        layer.push([(0, value("1"))], value(bias));
        layer
    };
    let clip = Activation::Clip { low: value("-3"), high: value("3") };
    let leaky = Activation::LeakyRelu { slope: value("0.10009765625") };
    Network::new(F, 1, vec![layer(clip, "0"), layer(leaky, "0"), layer(Activation::Sign, bias)]).unwrap()
}

/// The files of a claim that the network has this label at -4, and its certificate.
fn claimed(network: Network, label: &str, verdict: Verdict, evidence: Evidence) -> Folder {
    claim_on(&network, &data(label), verdict, evidence)
}

/// The files of a claim that the network memorizes this data set, and its certificate.
pub fn claim_on(network: &Network, data: &Dataset, verdict: Verdict, evidence: Evidence) -> Folder {
    let folder = Folder::new();
    let files = [("net.safetensors", network_bytes(network)), ("data.safetensors", dataset_bytes(data, None))];
    let [network_file, dataset_file] = files.map(|(name, bytes)| {
        folder.write(name, &bytes);
        FileReference { path: name.parse().unwrap(), sha256: Digest::of(&bytes) }
    });
    let claim = roundproof_kernel::Claim::memorizes(network, data, PathModel::all(F));
    let certificate = Certificate {
        claim: Claim { format: F, model: claim.model, property: claim.property.into(), shape: claim.shape },
        network: network_file,
        network_source: None,
        dataset: Some(dataset_file),
        forest: None,
        source: None,
        verdict,
        evidence: Some(evidence),
        lemmas: Vec::new(),
        provenance: [].into(),
    };
    certificate.write(&folder.path("certificate.json")).unwrap();
    folder
}

fn data(label: &str) -> Dataset {
    let column = |text| Encodings::collect(F, [value(text)]);
    Dataset::new(F, 1, 1, column("-4"), column(label)).unwrap()
}

/// The neuron of the leaky ReLU makes -615/2048 of -3, between -612/2048 and -616/2048, which is nearer: minus the bias.
#[test]
fn a_path_through_an_activation() {
    let (network, options) = (network("0.30078125"), SearchOptions::default());
    let Finding::Found(witness) = search(&network, &data("0"), &PathModel::all(F), &options).unwrap() else {
        panic!("there is a witness")
    };
    assert_eq!(witness.neurons.len(), 1);
    assert_eq!(witness.neurons[0].value, Some(value("-0.298828125")));
    let folder = claimed(network, "0", Verdict::Refuted, Evidence::Witness(witness));
    let mut told = String::new();
    for (code, command) in [
        (4, "check certificate.json"),
        (0, "explain certificate.json"),
        (0, "run net.safetensors data.safetensors"),
        (0, "run net.safetensors data.safetensors --path certificate.json"),
        (0, "run net.safetensors data.safetensors --mode toward-negative"),
        (0, "show net.safetensors"),
    ] {
        let run = folder.expect(code, command);
        told += &format!("# {command}\n{}{}\n", run.stdout, run.stderr);
    }
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "[digest]")] }, { insta::assert_snapshot!(told) });
    assert_eq!(second_judge(&[folder.path("certificate.json")]).0, 0);
    // Another value of the neuron is none that the activation admits.
    let text = String::from_utf8(folder.read("certificate.json")).unwrap();
    let named = text.rfind("\"value\": \"0x").expect("the neuron's value") + "\"value\": \"0x".len();
    let spoilt = format!("{}7f80{}", &text[..named], &text[named + 4..]);
    folder.write("certificate.json", spoilt);
    let rejected = folder.expect(1, "check certificate.json");
    assert!(rejected.stdout.contains("the activation does not make"), "{rejected:?}");
    let (code, said) = second_judge(&[folder.path("certificate.json")]);
    assert!(code == 1 && said.contains("not one of its activation"), "{said}");
}

#[test]
fn an_enclosure_through_activations() {
    let judged = |bias: &str, label: &str| {
        let folder = claimed(network(bias), label, Verdict::Proved, Evidence::Paths);
        folder.run("check certificate.json").stdout
    };
    assert!(judged("0.5", "1").starts_with("Proved"));
    assert!(judged("0.25", "-1").starts_with("Proved"));
    let told = [judged("0.5", "0"), judged("0.30078125", "0"), judged("0.30078125", "1")].concat();
    insta::assert_snapshot!(told, @"
    rejected  certificate.json: paths: row 0, output 0: between 1 (0x3f80) and 1 (0x3f80) on every path, the label is 0 (0x0)
    rejected  certificate.json: paths: row 0, output 0: between 0 (0x0) and 1 (0x3f80) on every path, the label is 0 (0x0)
    rejected  certificate.json: paths: row 0, output 0: between 0 (0x0) and 1 (0x3f80) on every path, the label is 1 (0x3f80)
    ");
}
