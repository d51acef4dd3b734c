//! Models as tools export them: what their graphs give, beside recordings of runtimes.

use roundproof_graph::Op;
use roundproof_onnx::{Decision, ImportOptions, Model, import};

use super::arrays::{folder, recorded};
use super::evaluate::{evaluate, tensor};

/// Those that are not trees.
pub const SUPPORTED: [&str; 7] = [
    "digits-mlp",
    "digits-minmax-logistic",
    "cancer-normalized-mlp",
    "diabetes-mlp-regression",
    "conv-dynamic-flatten",
    "residual-batchnorm",
    "mlp-float16",
];

pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.onnx"))).expect("the model is there")
}

fn imported(name: &str) -> Model {
    import(&bytes(name), &ImportOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn shown(name: &str) -> String {
    let model = imported(name);
    let mut text = String::new();
    for node in model.graph.nodes() {
        let shapes: Vec<_> = model.graph.reads(node).map(|read| &read.shape).collect();
        let made = &model.graph.tensors()[node.writes];
        text += &format!("{}{shapes:?} -> {:?} {}\n", node.op.name(), made.shape, made.name);
    }
    let decision = match &model.decision {
        None => "no decision".to_string(),
        Some(Decision::ArgMax { tensor, axis, labels }) => {
            let of = &model.graph.tensors()[*tensor].name;
            format!("the largest of {of} along axis {axis}: {}", labels.join(" "))
        }
    };
    let before: Vec<_> = model.preprocessing().iter().map(|node| node.op.name()).collect();
    let others = model.others.join(" ");
    text + &format!("{} (others: {others}); {decision}; preprocessing: {before:?}", model.output)
}

#[test]
fn what_models_become() {
    for name in SUPPORTED {
        insta::assert_snapshot!(name, shown(name));
    }
}

/// The largest distance of what the graph gives to what a runtime gave, over what is at least 1 and at least as large.
fn distance(name: &str, recording: &str) -> f64 {
    let model = imported(name);
    let inputs = recorded(name, "x").expect("rows");
    let outputs = recorded(name, recording).expect("a recording");
    let output = model.graph.outputs()[0];
    let mut most = 0.0f64;
    for (row, expected) in inputs.rows().zip(outputs.rows()) {
        let found = tensor(&model.graph, &[row.to_vec()], output);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            most = most.max((found - expected).abs() / expected.abs().max(1.0));
        }
    }
    assert_eq!(inputs.shape[0], outputs.shape[0]);
    most
}

#[test]
fn graphs_give_what_runtimes_gave() {
    let single = 2f64.powi(-23);
    for (name, recordings, allowed) in [
        ("digits-mlp", &["ort_probabilities"][..], 64.0 * single),
        ("digits-minmax-logistic", &["ort_probabilities"], 64.0 * single),
        ("cancer-normalized-mlp", &["ort_probabilities"], 64.0 * single),
        ("diabetes-mlp-regression", &["ort_variable"], 64.0 * single),
        ("conv-dynamic-flatten", &["ort", "ort_unoptimized", "ort_single_rows"], 64.0 * single),
        ("residual-batchnorm", &["ort", "ort_unoptimized", "ort_single_rows"], 64.0 * single),
        ("mlp-float16", &["ort", "ort_unoptimized", "ort_single_rows"], 4.0 * 2f64.powi(-10)),
    ] {
        for recording in recordings {
            let found = distance(name, recording);
            assert!(found <= allowed, "{name}, {recording}: {:e}, {}", found, found / single);
            assert!(found > 0.0, "{name}: runtimes round");
        }
    }
}

#[test]
fn decisions_are_those_of_runtimes() {
    for name in ["digits-mlp", "digits-minmax-logistic", "cancer-normalized-mlp"] {
        let model = imported(name);
        let Some(Decision::ArgMax { tensor, axis, labels }) = &model.decision else { panic!("{name} decides") };
        assert_eq!((*axis, labels.len()), (1, model.graph.tensors()[*tensor].elements()));
        let (inputs, recorded) = (recorded(name, "x").expect("rows"), recorded(name, "ort_label").expect("labels"));
        for (row, label) in inputs.rows().zip(&recorded.values) {
            let scores = &evaluate(&model.graph, &[row.to_vec()])[*tensor];
            let largest = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)));
            assert_eq!(labels[largest.expect("scores")], label.to_string(), "{name}");
        }
    }
}

#[test]
fn outputs_are_chosen_by_name() {
    let bytes = bytes("digits-minmax-logistic");
    let named = |name: &str| {
        let options = ImportOptions { output: Some(name.to_string()), ..ImportOptions::default() };
        import(&bytes, &options)
    };
    let label = named("label").expect("there is one");
    let Some(Decision::ArgMax { tensor, axis: _, labels: _ }) = label.decision else { panic!("it decides") };
    assert_eq!(label.graph.outputs(), [tensor]);
    // What only the probabilities need is gone.
    let softmax = |op: &Op| matches!(op, Op::Softmax { axis: _ } | Op::Normalize(_));
    assert!(!label.graph.nodes().iter().any(|node| softmax(&node.op)));
    let scores = named("probabilities").expect("there is one");
    // Whoever names it means it, and not what the label is decided by.
    assert_eq!((scores.graph.outputs().len(), scores.decision), (1, None));
    let inside = scores.graph.nodes()[0].writes;
    let inner = named(&scores.graph.tensors()[inside].name).expect("a tensor inside the model");
    assert_eq!((inner.graph.outputs().len(), inner.graph.nodes().len()), (1, 1));
    let refused = named("\u{1b}[2J").unwrap_err().to_string();
    assert_eq!(
        refused,
        r#"the model has no output and no tensor "\u{1b}[2J"; its outputs are "label", "probabilities""#
    );
}
