//! ONNX models: [models of other tools](mod@import) as graphs that are judged, and networks as models that are evaluated on a
//! rounding path of the model they were proved under. The rest of this page is about the latter.
//!
//! A dense product in another runtime is another network: it multiplies inputs by weights that are not there, and zero times
//! infinity is NaN; and ONNX Runtime adds binary16 in binary32, so that its sums are not sums of binary16. The graphs of this
//! crate have the terms that the network has and no other, and one node for each rounding of a level of a tree:
//!
//! | what | nodes |
//! | --- | --- |
//! | the products of a layer | Gather of the inputs by constant indices, Mul by the stored weights |
//! | a level of the additions of all its neurons | Gather of the left and of the right operands, Add; Concat with what has no partner on this level |
//! | rounding to a format narrower than binary32 | Cast to it, Cast back: operations are done in binary32, which holds every value |
//! | an activation | comparisons and Where, which say what NaN and both zeros give |
//!
//! Nothing is padded. Under `order=any` the tree is that of `roundproof run --order pairwise`, under `order=left-to-right` that of
//! `--order left-to-right`, with a level for each addition.
//!
//! Rounding to binary32 and then to a narrower format `F` is rounding once. Where either neighbour may be taken, because the first
//! rounding does not go past a value of `F`. Ties to even: a sum, because binary32 has at least `2 p + 2` digits (Figueroa, *When is
//! double rounding innocuous?*, SIGNUM Newsletter 30, 1995) and adds subnormal numbers exactly; a product, because it has at most
//! `2 p` digits, so that binary32 holds it exactly, but for those of bfloat16 below 2^-134, which both ways give a zero, and those
//! beyond the largest value, which both ways are infinite.
//!
//! This is said of finite inputs, as claims are. (Under `overflow=saturate` an infinite one would become the largest value.)
//!
//! What has to be right of the runtime is in the model: [`condition`].

mod condition;
mod element;
mod error;
mod export;
mod graph;
pub mod import;
pub mod proto;

pub use condition::condition;
pub use element::ELEMENTS;
pub use error::ExportError;
pub use export::{INPUTS, OUTPUTS};
pub use import::{Decision, ImportError, ImportOptions, Model, import, import_model};

use prost::Message;
use roundproof_network::{Network, PathModel};

use proto::{DataType, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// A network as an ONNX model.
///
/// `description` is for people; `metadata`, names and texts, for programs. The same arguments give the same model.
///
/// # Errors
///
/// If ONNX has no type for a format of the network, if what its operations do is not a path of `model`, or if the model would
/// be larger than protobuf allows.
pub fn export(
    network: &Network,
    model: &PathModel,
    description: &str,
    metadata: &[(&str, String)],
) -> Result<ModelProto, ExportError> {
    let mut graph = export::graph(network, model)?;
    graph.name = Some("roundproof".to_string());
    let with_float8 = |element: Option<i32>| {
        let narrow = [DataType::Float8e4m3fn, DataType::Float8e4m3fnuz, DataType::Float8e5m2, DataType::Float8e5m2fnuz];
        narrow.iter().any(|&narrow| element == Some(narrow as i32))
    };
    // The lowest with the operators: 19 has the types of 8 bits, 13 a Cast to bfloat16.
    let (opset, ir_version) = match graph.initializer.iter().any(|tensor| with_float8(tensor.data_type)) {
        true => (19, 9),
        false => (13, 7),
    };
    let entry = |(key, value): &(&str, String)| StringStringEntryProto {
        key: Some(key.to_string()),
        value: Some(value.clone()),
    };
    Ok(ModelProto {
        ir_version: Some(ir_version),
        producer_name: Some("roundproof".to_string()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
        domain: None,
        doc_string: Some(description.to_string()),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(opset) }],
        metadata_props: metadata.iter().map(entry).collect(),
    })
}

/// The bytes of a model.
pub fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}
