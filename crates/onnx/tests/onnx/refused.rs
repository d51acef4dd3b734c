//! What has no model.

use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Layer, Network, PathModel};
use roundproof_onnx::{ELEMENTS, condition};

use crate::{exported, path_model};

fn network(format: Format) -> Network {
    let mut layer = Layer::new(format, Activation::Identity);
    layer.push([(0, format.one(false))], format.zero());
    Network::new(format, 1, vec![layer]).expect("a network")
}

fn refused(format: &str, model: &str) -> String {
    let format = format.parse().expect("a format");
    let model = PathModel::parse(model, format).expect("a model");
    exported(&network(format), &model).expect_err("no model in ONNX").to_string()
}

#[test]
fn each_refusal_names_what_it_is_about_and_a_remedy() {
    for format in ["tf32", "binary128", "F(8)", "e5m7", "float8_e4m3", "float4_e2m1fn"] {
        let message = refused(format, "all");
        assert!(message.contains(&format!("no type for {format}")) && message.contains("bfloat16"), "{message}");
    }
    assert!(refused("bfloat16", "all,accumulator=tf32").contains("no type for tf32"));
    assert!(refused("binary32", "all,rounding=toward-zero").contains("rounding=any or rounding=ties-to-even"));
    assert!(refused("binary32", "all,overflow=saturate").contains("overflow=saturate"));
    assert!(refused("float8_e5m2", "all").contains("overflow=ieee: prove it with overflow=saturate"));
    assert!(refused("float8_e4m3fn", "all,overflow=nan").contains("overflow=nan: prove it with overflow=saturate"));
    assert!(refused("bfloat16", "all,accumulator=binary64").contains("accumulator=binary32"));
}

/// Every format in its own type, and numbers as they are stored.
#[test]
fn constants_are_the_stored_numbers() {
    for &(format, element) in ELEMENTS {
        let model = exported(&network(format), &path_model("all", format)).expect("a model");
        let graph = model.graph.expect("a graph");
        let stored =
            graph.initializer.iter().find(|tensor| tensor.data_type == Some(element as i32)).expect("a weight");
        let bits = stored.raw_data.iter().flatten().rev().fold(0, |word, &byte| word << 8 | u128::from(byte));
        assert_eq!(Encoding::from_bits(bits), format.one(false));
    }
}

#[test]
fn conditions_say_what_the_model_has() {
    let said =
        |format: Format, model: &str| condition(&network(format), &PathModel::parse(model, format).expect("a model"));
    let all = said(Format::BINARY32, "all");
    assert!(all.contains("either neighbour") && all.contains("may fuse") && all.contains("another order"), "{all}");
    assert!(all.contains("keeps subnormal") && !all.contains("Cast"), "{all}");
    let paper = said(Format::BINARY16, "paper");
    assert!(paper.contains("ties to even") && paper.contains("no Mul") && paper.contains("Cast"), "{paper}");
    assert!(said(Format::BFLOAT16, "all,accumulator=binary32").contains("may fuse"));
    assert!(said(Format::BFLOAT16, "all,subnormals=flush").contains("for zero"));
}
