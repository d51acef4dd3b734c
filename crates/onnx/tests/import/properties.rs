//! Bytes and models that were changed at random: an importer gives a graph or an error, and does not panic.

use proptest::prelude::*;
use prost::Message;
use roundproof_onnx::proto::ModelProto;
use roundproof_onnx::{ImportOptions, import, import_model};

use super::models::{SUPPORTED as MODELS, bytes};

/// A change of a model, by numbers that are drawn.
fn change(model: &mut ModelProto, kind: u8, first: usize, second: usize, number: i64) {
    let graph = model.graph.as_mut().expect("a graph");
    let nodes = graph.node.len();
    match kind {
        0 => graph.node.swap(first % nodes, second % nodes),
        1 => {
            graph.node.remove(first % nodes);
        }
        2 => {
            let name = graph.node[second % nodes].output[0].clone();
            let inputs = &mut graph.node[first % nodes].input;
            let count = inputs.len().max(1);
            match inputs.get_mut(second % count) {
                Some(input) => *input = name,
                None => inputs.push(name),
            }
        }
        3 => {
            let constants = graph.initializer.len();
            if constants > 0 {
                let tensor = &mut graph.initializer[first % constants];
                match second % 4 {
                    0 => tensor.data_type = Some((number % 30) as i32),
                    1 => tensor.dims.push(number),
                    2 => {
                        tensor.int64_data.iter_mut().for_each(|value| *value = number);
                    }
                    _ => {
                        tensor.dims.pop();
                    }
                }
            }
        }
        4 => {
            let operator = graph.node[second % nodes].op_type.clone();
            graph.node[first % nodes].op_type = operator;
        }
        5 => {
            let attributes = &mut graph.node[first % nodes].attribute;
            let count = attributes.len();
            if count > 0 {
                let attribute = &mut attributes[second % count];
                if attribute.i.is_some() {
                    attribute.i = Some(number);
                }
                if let Some(value) = attribute.ints.first_mut() {
                    *value = number;
                }
            }
        }
        6 => {
            let sets = model.opset_import.len();
            model.opset_import[first % sets].version = Some(number % 32);
        }
        _ => {
            let from = graph.node[second % nodes].attribute.clone();
            graph.node[first % nodes].attribute.extend(from);
        }
    }
}

/// Numbers near the ends of what sizes and axes can be.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![-9i64..70, any::<i64>(), (0u32..63).prop_map(|bit| 1 << bit), Just(i64::MIN), Just(i64::MAX)]
}

proptest! {
    #[test]
    fn changed_bytes(model in 0..MODELS.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = bytes(MODELS[model]);
        // Most of a file are weights: half of the changes are to the rest.
        for (number, (place, byte)) in changes.iter().enumerate() {
            let end = if number % 2 == 0 { bytes.len() } else { 600 };
            bytes[place.index(end)] = *byte;
        }
        let _ = import(&bytes, &ImportOptions::default());
    }

    #[test]
    fn cut_bytes(model in 0..MODELS.len(), end in any::<prop::sample::Index>()) {
        let bytes = bytes(MODELS[model]);
        let cut = &bytes[..end.index(bytes.len())];
        prop_assert!(import(cut, &ImportOptions::default()).is_err());
    }

    #[test]
    fn changed_models(
        model in 0..MODELS.len(),
        changes in prop::collection::vec((0u8..8, any::<usize>(), any::<usize>(), numbers()), 1..4),
    ) {
        let mut model = ModelProto::decode(&bytes(MODELS[model])[..]).expect("a model");
        for (kind, first, second, number) in changes {
            if model.graph.as_ref().is_some_and(|graph| !graph.node.is_empty()) {
                change(&mut model, kind, first, second, number);
            }
        }
        let _ = import_model(&model, &ImportOptions::default());
    }
}
