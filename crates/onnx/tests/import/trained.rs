//! The networks that `scripts/train_networks.py` trains: they are the files that are on record, every one is imported, and right as
//! often as is said.

use std::collections::BTreeMap;

use roundproof_files::Digest;
use roundproof_onnx::{ImportOptions, import};

use super::arrays::{folder, recorded};
use super::evaluate::tensor;

/// The digests on record, by file.
fn on_record() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("SHA256SUMS")).expect("the digests");
    let entries = text.lines().map(|line| line.split_once("  ").expect("a digest and a name"));
    entries.map(|(digest, name)| (name.to_string(), digest.to_string())).collect()
}

#[test]
fn files_are_those_on_record() {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.ends_with(".onnx") || name.ends_with(".npz") {
            found.insert(name, Digest::of(&std::fs::read(path).expect("a file")).to_string());
        }
    }
    assert_eq!(found, on_record());
}

#[test]
fn networks_are_right_as_often_as_is_said() {
    let rows = recorded("digits-test", "x").expect("rows");
    let labels = recorded("digits-test", "y").expect("labels");
    // Every eighth row: convolutions take a while in an evaluation this plain.
    let chosen: Vec<_> = rows.rows().zip(&labels.values).step_by(8).collect();
    let mut text = String::new();
    let names: Vec<String> = on_record().into_keys().collect();
    let networks = names.iter().filter(|name| ["mlp-64", "conv-8", "residual-7"].iter().any(|it| name.starts_with(it)));
    for name in networks {
        let bytes = std::fs::read(folder().join(name)).expect("a model");
        let graph = import(&bytes, &ImportOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}")).graph;
        let output = graph.outputs()[0];
        let mut right = 0;
        for (row, label) in &chosen {
            let scores = tensor(&graph, &[row.to_vec()], output);
            let largest = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("scores");
            right += usize::from(largest as f64 == **label);
        }
        text += &format!("{name}: {right} of {}\n", chosen.len());
        assert!(right * 20 >= chosen.len() * 19, "{text}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_regression_is_near_its_targets() {
    let rows = recorded("wine-test", "x").expect("rows");
    let targets = recorded("wine-test", "y").expect("targets");
    for name in ["wine-alcohol", "wine-alcohol-float16", "wine-alcohol-bfloat16"] {
        let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).expect("a model");
        let model = import(&bytes, &ImportOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let before: Vec<_> = model.preprocessing().iter().map(|node| node.op.name()).collect();
        assert_eq!(before, ["Sub", "Div"]);
        let output = model.graph.outputs()[0];
        let errors = rows.rows().zip(&targets.values).map(|(row, target)| {
            let found = tensor(&model.graph, &[row.to_vec()], output);
            (found[0] - target).abs()
        });
        let mean = errors.sum::<f64>() / targets.values.len() as f64;
        assert!(mean < 0.6, "{name}: {mean}");
    }
}
