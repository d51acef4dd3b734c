//! That the comparison notices: every change of a small graph gives another output somewhere, or is none that can be evaluated.

use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Layer, Network};
use roundproof_onnx::OUTPUTS;
use roundproof_onnx::proto::{GraphProto, ModelProto, NodeProto};

use crate::evaluate::evaluate;
use crate::{exported, path_model};

const F: Format = Format::FLOAT8_E5M2;

/// Two inputs; three sums of one, two and three terms, and of those sums two more.
fn network(hidden: Activation) -> Network {
    let value = |bits: u128| Encoding::from_bits(bits);
    let mut first = Layer::new(F, hidden);
    first.push([(0, value(0x3d))], value(0x31));
    first.push([(0, value(0xbe)), (1, value(0x3b))], value(0x3d));
    first.push([(0, value(0x41)), (1, value(0xb9))], value(0xad));
    let mut second = Layer::new(F, Activation::Identity);
    second.push([(0, value(0x3d)), (1, value(0x42)), (2, value(0x39))], value(0x35));
    second.push([(1, value(0x3a))], value(0x2e));
    Network::new(F, 2, vec![first, second]).expect("a network")
}

/// Every pair of some inputs of 1/16 to 8 in magnitude.
fn everywhere() -> Vec<Vec<Encoding>> {
    let values: Vec<Encoding> =
        F.encodings().filter(|value| (0x2c..=0x48).contains(&(value.bits() & 0x7f)) && value.bits() % 5 < 3).collect();
    values.iter().flat_map(|&a| values.iter().map(move |&b| vec![a, b])).collect()
}

fn changed(model: &ModelProto, change: impl FnOnce(&mut GraphProto)) -> ModelProto {
    let mut model = model.clone();
    change(model.graph.as_mut().expect("a graph"));
    model
}

/// Whether it is a Cast to the format.
fn rounds(node: &NodeProto) -> bool {
    node.attribute.iter().any(|attribute| attribute.name.as_deref() == Some("saturate"))
}

/// Each with what was done.
fn mutants(model: &ModelProto) -> Vec<(String, ModelProto)> {
    let graph = model.graph.as_ref().expect("a graph");
    let mut all = Vec::new();
    // Of the first constant only how many rows there are is asked.
    for (index, tensor) in graph.initializer.iter().enumerate().skip(1) {
        let name = tensor.name.clone().unwrap_or_default();
        let size = if tensor.data_type == Some(6) { 4 } else { 1 };
        for element in 0..tensor.dims[0] as usize {
            // Bounds of activations are changed to what is some way off: the sums lose what is next to zero.
            let changes: &[u8] = match (size, tensor.dims[0]) {
                (4, _) => &[1, 255],
                (_, 1) => &[0x38],
                _ => &[1, 0x80],
            };
            for sign in changes {
                let change = |graph: &mut GraphProto| {
                    let bytes = graph.initializer[index].raw_data.as_mut().expect("data");
                    bytes[element * size] = bytes[element * size].wrapping_add(*sign);
                };
                all.push((format!("{name}[{element}] + {sign}"), changed(model, change)));
            }
        }
    }
    for (index, node) in graph.node.iter().enumerate() {
        let name = node.name.clone().unwrap_or_default();
        let swap = match node.op_type.as_deref() {
            Some("Add") => Some("Mul"),
            Some("Mul") => Some("Add"),
            Some("GreaterOrEqual") => Some("LessOrEqual"),
            Some("LessOrEqual") => Some("Less"),
            _ => None,
        };
        if let Some(op) = swap {
            let change = |graph: &mut GraphProto| graph.node[index].op_type = Some(op.to_string());
            all.push((format!("{name} as {op}"), changed(model, change)));
        }
        // Rounding left out: whoever reads the Cast back reads what was rounded.
        if node.op_type.as_deref() == Some("Cast")
            && let Some(back) = graph.node.iter().find(|back| back.input == node.output)
            && rounds(node)
            // After the last addition, outputs are rounded to their type in any case.
            && graph.node[index + 1..].iter().any(|later| rounds(later) && later.output != [OUTPUTS])
        {
            let change = |graph: &mut GraphProto| {
                for reader in graph.node.iter_mut().flat_map(|node| &mut node.input) {
                    if *reader == back.output[0] {
                        *reader = node.input[0].clone();
                    }
                }
            };
            all.push((format!("without {name}"), changed(model, change)));
        }
    }
    all
}

#[test]
fn every_change_is_noticed() {
    let rows = everywhere();
    for activation in [Activation::Identity, Activation::Relu, Activation::Step] {
        let model = exported(&network(activation), &path_model("all", F)).expect("a model");
        let right = evaluate(&model, &rows).expect("a graph");
        let mut mutants = mutants(&model);
        if activation == Activation::Step {
            // Whether a sum is a little different, no threshold says.
            mutants.retain(|(what, _)| what.contains(" as "));
        }
        assert!(mutants.len() >= 7, "{}", mutants.len());
        let kept = mutants.iter().filter(|(_, mutant)| evaluate(mutant, &rows).is_ok_and(|given| given == right));
        let kept: Vec<&str> = kept.map(|(what, _)| what.as_str()).collect();
        assert_eq!(kept, [""; 0], "{activation:?}");
    }
}
