//! How much work a graph may be for whoever judges a certificate that may come from anywhere.

use roundproof_graph::{Graph, Op};

/// The most elements of all tensors together that nodes make.
const ELEMENTS: usize = 1 << 24;
/// The most products, or other operands of elements, of all nodes together.
const OPERANDS: usize = 1 << 30;
/// Those that go with each byte of the graph's file, whatever there is of them.
const FOR_EACH_BYTE: usize = 64;
/// The most elements of what is decided about, times all operands: each of them is traced back.
const TRACED: usize = 1 << 40;

/// Whether a graph whose file has `bytes` is judged, and a decision about `tensor`; or how large it is.
pub fn check(graph: &Graph, tensor: usize, bytes: usize) -> Result<(), String> {
    let (mut elements, mut operands) = (0usize, 0usize);
    for node in graph.nodes() {
        let made = graph.tensors()[node.writes].elements();
        let read: usize = node.reads.iter().map(|&id| graph.tensors()[id].elements()).fold(0, usize::saturating_add);
        let each = match &node.op {
            Op::MatMul => graph.tensors()[node.reads[0]].shape.last().copied().unwrap_or(1),
            Op::Conv { geometry, groups } => {
                let channels = graph.tensors()[node.reads[0]].shape.get(1).copied().unwrap_or(1) / (*groups).max(1);
                geometry.axes().iter().map(|axis| axis.window).fold(channels, usize::saturating_mul)
            }
            Op::Pool { pool: _, geometry } => {
                geometry.axes().iter().map(|axis| axis.window).fold(1, usize::saturating_mul)
            }
            Op::Arrange(_)
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Max
            | Op::Min
            | Op::PRelu
            | Op::Unary(_)
            | Op::Reduce { reduction: _, axes: _ }
            | Op::BatchNormalization { epsilon: _ }
            | Op::Softmax { axis: _ }
            | Op::LogSoftmax { axis: _ }
            | Op::Normalize(_)
            | Op::Cast
            | Op::Compare(_)
            | Op::Where => 1,
        };
        elements = elements.saturating_add(made);
        operands = operands.saturating_add(made.saturating_mul(each)).saturating_add(read);
    }
    let by_size = bytes.saturating_mul(FOR_EACH_BYTE);
    if elements > ELEMENTS.max(by_size) {
        return Err(format!("{elements} elements"));
    }
    if operands > OPERANDS.max(by_size) {
        return Err(format!("{operands} operands"));
    }
    let read = graph.tensors().get(tensor).map_or(0, |tensor| tensor.elements());
    if operands.saturating_mul(read) > TRACED {
        return Err(format!("{operands} operands, traced back from each of {read} elements"));
    }
    Ok(())
}
