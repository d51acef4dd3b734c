//! What has to be right of a runtime for a claim to hold of a graph.

use roundproof_format::{Format, Subnormals};
use roundproof_network::{Accumulator, Contraction, Network, Order, PathModel, Rounding, Summation, Trees};

/// What has to be right of a runtime, so that the graph of a network is evaluated on a path of the model.
pub fn condition(network: &Network, model: &PathModel) -> String {
    let PathModel { rounding, overflow: _, subnormals, summation: Summation::Trees(trees) } = model;
    let Trees { order, contraction, accumulator } = trees;
    let is_carried = |format: Format| format != Format::BINARY32 && format != Format::BINARY64;
    let are_sums_carried = is_carried(match *accumulator {
        Accumulator::Same => network.format(),
        Accumulator::Wider { format, overflow: _ } => format,
    });
    let mut text = String::from("the runtime rounds each element of Mul and Add once, in the type of its operands, ");
    text += match rounding {
        Rounding::Any => "to either neighbour of the exact result",
        Rounding::Mode(_) => "to nearest, ties to even",
    };
    if are_sums_carried || network.steps().iter().any(|step| is_carried(step.format())) {
        text += "; rounds so in a Cast to a narrower type too, and leaves out no pair of such a Cast and one back";
    }
    text += match subnormals {
        Subnormals::Gradual => "; keeps subnormal numbers",
        Subnormals::Flush => "; may take a subnormal operand or result for zero",
    };
    text += match order {
        Order::Any => "; may add the terms of a neuron in another order",
        Order::LeftToRight => "; adds the terms of a neuron in the order of the graph",
    };
    match contraction {
        Contraction::Any if !are_sums_carried => text += "; may fuse a Mul with the Add that reads it",
        Contraction::Any | Contraction::None => text += "; fuses no Mul with an Add",
    }
    text + "; and does all else as ONNX says"
}
