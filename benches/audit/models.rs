//! The models in `data/onnx/` and the path models that they are judged under.

use std::path::Path;

use roundproof_network::Encodings;
use roundproof_onnx::{ImportOptions, Model, import};
use roundproof_sources::csv::parse_csv;

use crate::judged;
use crate::report::Line;

/// A model under a path model, with the share of invariant rows that is asked for, in per cent.
pub struct Cell {
    model: &'static str,
    paths: &'static str,
    goal: Option<f64>,
}

const fn cell(model: &'static str, paths: &'static str, goal: f64) -> Cell {
    Cell { model, paths, goal: Some(goal) }
}

const fn told(model: &'static str, paths: &'static str) -> Cell {
    Cell { model, paths, goal: None }
}

/// Narrowed before the bias as well.
const BIAS: &str = "nearest,narrowing=bias";

/// What is measured.
pub const CELLS: [Cell; 64] = [
    cell("mlp-64-64-10", "all", 100.0),
    cell("mlp-64-64-10", "portable", 100.0),
    cell("mlp-64-128-128-10", "all", 100.0),
    cell("mlp-64-128-128-10", "portable", 100.0),
    cell("mlp-64-64x5-10", "all", 100.0),
    cell("mlp-64-64x5-10", "portable", 100.0),
    cell("mlp-64-64x12-10", "all", 100.0),
    cell("mlp-64-64x12-10", "portable", 100.0),
    cell("conv-8-16", "all", 100.0),
    cell("conv-8-16", "portable", 100.0),
    cell("residual-7", "all", 100.0),
    cell("residual-7", "portable", 100.0),
    cell("mlp-64-64-10-float16", "nearest", 99.5),
    cell("mlp-64-64-10-float16", BIAS, 99.0),
    cell("mlp-64-64-10-float16", "portable", 99.0),
    cell("mlp-64-64-10-float16", "all", 99.0),
    cell("mlp-64-64-10-float16", "nearest,accumulator=same", 95.0),
    cell("mlp-64-64-10-float16", "all,accumulator=same", 88.0),
    cell("mlp-64-128-128-10-float16", "nearest", 99.5),
    cell("mlp-64-128-128-10-float16", BIAS, 99.0),
    cell("mlp-64-128-128-10-float16", "portable", 99.0),
    cell("mlp-64-128-128-10-float16", "all", 99.0),
    told("mlp-64-128-128-10-float16", "nearest,accumulator=same"),
    told("mlp-64-128-128-10-float16", "all,accumulator=same"),
    cell("mlp-64-64x5-10-float16", "nearest", 99.5),
    cell("mlp-64-64x5-10-float16", BIAS, 97.0),
    cell("mlp-64-64x5-10-float16", "portable", 98.0),
    cell("mlp-64-64x5-10-float16", "all", 98.0),
    told("mlp-64-64x12-10-float16", "nearest"),
    told("mlp-64-64x12-10-float16", BIAS),
    told("mlp-64-64x12-10-float16", "portable"),
    told("mlp-64-64x12-10-float16", "all"),
    cell("conv-8-16-float16", "nearest", 99.5),
    cell("conv-8-16-float16", BIAS, 99.0),
    cell("conv-8-16-float16", "portable", 99.0),
    cell("conv-8-16-float16", "all", 99.0),
    cell("residual-7-float16", "nearest", 99.5),
    cell("residual-7-float16", BIAS, 97.0),
    cell("residual-7-float16", "portable", 98.0),
    cell("residual-7-float16", "all", 98.0),
    cell("mlp-64-64-10-bfloat16", "nearest", 99.5),
    cell("mlp-64-64-10-bfloat16", BIAS, 99.0),
    cell("mlp-64-64-10-bfloat16", "portable", 85.0),
    cell("mlp-64-64-10-bfloat16", "all", 99.0),
    cell("mlp-64-128-128-10-bfloat16", "nearest", 99.5),
    cell("mlp-64-128-128-10-bfloat16", BIAS, 99.0),
    cell("mlp-64-128-128-10-bfloat16", "portable", 85.0),
    cell("mlp-64-128-128-10-bfloat16", "all", 99.0),
    cell("mlp-64-64x5-10-bfloat16", "nearest", 99.5),
    cell("mlp-64-64x5-10-bfloat16", BIAS, 97.0),
    told("mlp-64-64x5-10-bfloat16", "portable"),
    cell("mlp-64-64x5-10-bfloat16", "all", 98.0),
    told("mlp-64-64x12-10-bfloat16", "nearest"),
    told("mlp-64-64x12-10-bfloat16", BIAS),
    told("mlp-64-64x12-10-bfloat16", "portable"),
    told("mlp-64-64x12-10-bfloat16", "all"),
    cell("conv-8-16-bfloat16", "nearest", 99.5),
    cell("conv-8-16-bfloat16", BIAS, 99.0),
    cell("conv-8-16-bfloat16", "portable", 85.0),
    cell("conv-8-16-bfloat16", "all", 99.0),
    cell("residual-7-bfloat16", "nearest", 99.5),
    cell("residual-7-bfloat16", BIAS, 97.0),
    told("residual-7-bfloat16", "portable"),
    cell("residual-7-bfloat16", "all", 98.0),
];

impl Cell {
    /// Judges so many rows of the digits.
    pub fn line(&self, most: usize) -> Line {
        let model = model(self.model);
        let found = judged(&model.graph, self.paths, &digits(&model, most));
        Line { model: self.model.to_owned(), paths: self.paths.to_owned(), goal: self.goal, found }
    }
}

/// A model in `data/onnx/`.
pub fn model(name: &str) -> Model {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/onnx/{}.onnx"), name);
    import(&std::fs::read(path).unwrap(), &ImportOptions::default()).unwrap()
}

/// The first rows of the digits, in the format of the model's input.
pub fn digits(model: &Model, most: usize) -> Vec<Vec<Encodings>> {
    let format = model.graph.tensors()[model.graph.inputs().next().unwrap()].format();
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits.csv")).unwrap();
    let data = parse_csv(Path::new("digits.csv"), &bytes, &["class".to_string()], format).unwrap().dataset;
    let (all, width) = (data.inputs(), data.dimension());
    let rows = 0..(all.len() / width).min(most);
    rows.map(|row| vec![Encodings::collect(format, (row * width..(row + 1) * width).map(|at| all.get(at)))]).collect()
}
