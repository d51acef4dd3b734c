//! A network of steps of every form: what each command says of it.

use roundproof_files::certificate::FileReference;
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Verdict};
use roundproof_network::{
    Activation, Axis, Convolution, Dataset, Datatype, Dense, Encodings, Geometry, Layer, Matrix, Network, Op,
    PathModel, Step, Storage, Windows,
};
use roundproof_paths::{Finding, Plain, SearchOptions, evaluate, search};

use crate::activations::{claim_on, value};
use crate::second_judge::second_judge;

const F: Format = Format::BFLOAT16;

fn values(texts: &[&str]) -> Encodings {
    Encodings::collect(F, texts.iter().map(|text| value(text)))
}

/// Of four inputs: a convolution to two channels of three places, the largest of each, two sums of the inputs, the products of
/// these and of the largest ones, in binary32, and the sum of the products.
fn network() -> Network {
    let step = |op, reads: &[usize], format, activation| Step {
        op,
        reads: reads.to_vec(),
        datatype: Datatype::Float(format),
        activation,
    };
    let geometry = |size, window| Geometry::new(vec![Axis::plain(size, window)]).unwrap();
    let weights = values(&["1", "0.5", "-1", "2"]);
    let convolution = Convolution { geometry: geometry(4, 2), inputs: 1, outputs: 2, groups: 1, weights };
    let convolution = Op::Sum { matrix: Matrix::new(Storage::Convolution(convolution)), bias: values(&["0", "0.25"]) };
    let pooling = Op::Maximum(Windows::Sliding { geometry: geometry(3, 3), channels: 2 });
    let dense = Dense { inputs: 4, weights: values(&["1", "1", "1", "1", "0.125", "-1", "0.125", "1"]) };
    let dense = Op::Sum { matrix: Matrix::new(Storage::Dense(dense)), bias: values(&["0", "1"]) };
    let (wide, one) = (Format::BINARY32, Format::BINARY32.one(false));
    let mut last = Layer::new(wide, Activation::Identity);
    last.push([(0, one), (1, one)], wide.zero());
    let last = Step { datatype: Datatype::Float(F), ..last.step(wide, 4) };
    let steps = vec![
        step(convolution, &[0], F, Activation::Relu),
        step(pooling, &[1], F, Activation::Identity),
        step(dense, &[0], F, Activation::Identity),
        step(Op::Product, &[2, 3], wide, Activation::Identity),
        last,
    ];
    Network::of_steps(F, 4, steps).unwrap()
}

#[test]
fn every_command_takes_a_network_of_steps() {
    let (network, model) = (network(), PathModel::all(F));
    let row: Vec<Encoding> = values(&["1.0078125", "3.015625", "-2.5", "0.3359375"]).iter().collect();
    let labels = evaluate(&network, &row, &model, &mut Plain).unwrap();
    let [inputs, labels] = [row, labels].map(|values| Encodings::collect(F, values));
    let data = Dataset::new(F, 4, 1, inputs, labels).unwrap();
    let Finding::Found(witness) = search(&network, &data, &model, &SearchOptions::default()).unwrap() else {
        panic!("there is a witness")
    };
    let folder = claim_on(&network, &data, Verdict::Refuted, Evidence::Witness(witness));
    let path = folder.path("certificate.json");
    let mut certificate = Certificate::read(&path).unwrap().value;
    let source = FileReference { path: "model.onnx".parse().unwrap(), sha256: Digest::of(b"a model") };
    certificate.network_source = Some(source);
    certificate.write(&path).unwrap();
    let mut told = String::new();
    for (code, command) in [
        (0, "show net.safetensors"),
        (0, "show net.safetensors --json"),
        (0, "show certificate.json"),
        (4, "check certificate.json"),
        (0, "explain certificate.json"),
        (0, "run net.safetensors data.safetensors"),
        (0, "run net.safetensors data.safetensors --path certificate.json"),
    ] {
        let run = folder.expect(code, command);
        told += &format!("# {command}\n{}{}\n", run.stdout, run.stderr);
    }
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "[digest]")] }, { insta::assert_snapshot!(told) });
    let (code, said) = second_judge(&[folder.path("certificate.json")]);
    assert!(code == 0 && said.contains("Refuted"), "{said}");
}
