//! What an audit says of the models in `data/onnx/`, and what that costs, beside plain evaluations in `f32`.
//!
//! `just bench audit` judges every row of the digits for every model and path model of the table, with one thread; `just bench audit --
//! 100` only the first hundred rows, `just bench audit -- models` only the table, and `-- layers` only what is measured beside a peer.
//!
//! A figure is what is claimed: how many rows are invariant, as the judge has it. The nets with 784 inputs, the residual one with 32 by
//! 32 pixels and the layer of 4,096 are not trained: their weights and rows are drawn, weights of `n` inputs with a standard deviation of
//! `sqrt(2 / n)`, as trained ones start.

#![allow(clippy::unwrap_used)] // a benchmark that fails ends

mod models;
mod nets;
mod report;

use std::hint::black_box;
use std::time::Instant;

use roundproof_audit::{Audit, Decision, PathModel, Ties, Verdict};
use roundproof_graph::Graph;
use roundproof_network::Encodings;

use report::Line;

const ARGMAX: Decision = Decision::Argmax { ties: Ties::Any };

/// What was found of some rows.
pub struct Found {
    /// Before any row: the plan and the norms.
    pub loading: f64,
    /// Seconds for all rows.
    pub seconds: f64,
    /// How many there are.
    pub rows: usize,
    /// How many of them are invariant.
    pub invariant: usize,
}

/// Judges rows one by one.
pub fn judged(graph: &Graph, paths: &str, rows: &[Vec<Encodings>]) -> Found {
    let model = PathModel::parse(paths).unwrap();
    let start = Instant::now();
    let audit = Audit::new(graph, model, graph.outputs()[0], ARGMAX).unwrap();
    let loading = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let is_invariant = |row: &&Vec<Encodings>| match audit.row(row).unwrap() {
        Verdict::Invariant { answer: _, margin: _ } => true,
        Verdict::Undecided(_) => false,
    };
    let invariant = rows.iter().filter(is_invariant).count();
    Found { loading, seconds: start.elapsed().as_secs_f64(), rows: rows.len(), invariant }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |part: &str| {
        let parts = ["models", "layers"];
        !arguments.iter().any(|argument| parts.contains(&argument.as_str())) || arguments.iter().any(|it| it == part)
    };
    let most = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    if asked("models") {
        let start = Instant::now();
        let lines: Vec<Line> = models::CELLS.iter().map(|cell| cell.line(most)).collect();
        report::print(&lines);
        println!("the whole table: {:.1} s", start.elapsed().as_secs_f64());
    }
    if asked("layers") {
        nets::measure(most);
    }
}

/// Seconds of the fastest of some runs.
pub fn fastest<T>(runs: usize, mut run: impl FnMut() -> T) -> f64 {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
