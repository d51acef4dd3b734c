//! Exported models, evaluated by an evaluator of their own, beside the paths that they are said to be.

mod evaluate;
#[path = "../../../../tests/steps/networks.rs"]
mod networks;

mod boxes;
mod mutants;
mod random;
mod refused;

use prost::Message;
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{Network, PathModel};
use roundproof_onnx::proto::ModelProto;
use roundproof_onnx::{ExportError, bytes, export};
use roundproof_paths::{Arrangement, Fixed, evaluate_rows};

/// The model of a network, written and read again.
pub fn exported(network: &Network, model: &PathModel) -> Result<ModelProto, ExportError> {
    let model = export(network, model, "a network", &[("key", "value".to_string())])?;
    let read = ModelProto::decode(&bytes(&model)[..]).expect("reads back");
    assert_eq!(read, model);
    Ok(read)
}

/// The outputs on the path that the graph is.
pub fn on_its_path(network: &Network, model: &PathModel, rows: &[Vec<Encoding>]) -> Vec<Vec<Encoding>> {
    let rows: Vec<&[Encoding]> = rows.iter().map(Vec::as_slice).collect();
    let mode = RoundingMode::TiesToEven;
    let mut path = Fixed { mode, arrangement: Arrangement::Pairwise, contract: false, flush: false };
    evaluate_rows(network, &rows, model, &mut path).expect("a path")
}

/// A model of a format, with overflow that ONNX Runtime has.
pub fn path_model(text: &str, format: Format) -> PathModel {
    let overflow = if format.width() == 8 { "saturate" } else { "ieee" };
    PathModel::parse(&format!("{text},overflow={overflow}"), format).expect("a model")
}
