//! Formats, networks and witnesses in words.

use roundproof_exact::text::exact_decimal;
use roundproof_format::{Encoding, Format};
use roundproof_judge::Evidence;
use roundproof_network::{Activation, At, Network, Op, Placed, Storage, Witness};

pub use roundproof_judge::words::{count, evidence_kind, leaf_count};

/// Rows, shortened to the first twenty, by their lines if those are known.
pub fn rows(rows: &[usize], place: impl Fn(usize) -> String) -> String {
    const MOST: usize = 20;
    let mut named: Vec<String> = rows.iter().take(MOST).map(|&row| place(row)).collect();
    if rows.len() > MOST {
        named.push(format!("and {} more", rows.len() - MOST));
    }
    named.join(", ")
}

/// A format and its parameters.
pub fn format(format: Format) -> String {
    match (format.emin(), format.emax()) {
        (Some(emin), Some(emax)) => format!("{format} (p = {}, emin = {emin}, emax = {emax})", format.precision()),
        _ => format!("{format} (p = {}, exponent unbounded)", format.precision()),
    }
}

/// An activation with its parameters: `clip(0, 6)`.
pub fn activation(format: Format, activation: Activation) -> String {
    let parameters: Vec<String> = activation.parameters().map(|value| exact_decimal(format, value)).collect();
    match parameters.is_empty() {
        true => activation.name().to_string(),
        false => format!("{activation}({})", parameters.join(", ")),
    }
}

/// What a layer computes, in a word.
pub fn form(layer: &Placed) -> &'static str {
    match &layer.step().op {
        Op::Sum { matrix, bias: _ } => match matrix.storage() {
            Storage::Sparse(_) => "sparse",
            Storage::Dense(_) => "dense",
            Storage::Convolution(_) => "convolution",
        },
        Op::Maximum(_) => "maximum",
        Op::Product => "product",
    }
}

/// The layers of a network.
pub fn network(network: &Network) -> String {
    let last = network.steps().len() - 1;
    let layer = |(index, layer): (usize, &Placed)| {
        let form = match form(layer) {
            "sparse" => String::new(),
            form => format!(" {form}"),
        };
        match layer.activation() {
            Activation::Identity if index == last => count(layer.rows(), "output") + &form,
            Activation::Identity => format!("{}{form}", layer.rows()),
            other => format!("{}{form} {}", layer.rows(), activation(layer.format(), other)),
        }
    };
    let layers: Vec<String> = network.steps().iter().enumerate().map(layer).collect();
    format!(
        "{} -> {}; {}, {}",
        count(network.input_dimension(), "input"),
        layers.join(" -> "),
        count(network.steps().len(), "layer"),
        count(network.parameters(), "parameter"),
    )
}

/// Evidence, in a few words.
pub fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::BoxNetwork(separator) => {
            format!("box-network: boxes in the regions of trees with {} in all", count(separator.nodes.len(), "node"))
        }
        Evidence::Paths => "paths: an enclosure of the values reachable on any path, for every neuron".to_string(),
        Evidence::Witness(witness) => format!("witness: {}", witness_summary(witness)),
    }
}

/// Which row or point a witness is about, and how far it departs from the plain path.
pub fn witness_summary(witness: &Witness) -> String {
    let path = match witness.neurons.len() {
        0 => "on the plain path (left to right, nothing fused)".to_string(),
        neurons => format!("on a path that is not the plain one in {}", count(neurons, "neuron")),
    };
    let at = match &witness.at {
        At::Row(row) => format!("row {row}"),
        At::Point(_) => "a point".to_string(),
    };
    format!("{at}, output {}, {path}", witness.output)
}

/// The bits of an encoding, as certificates spell them.
pub fn bits(format: Format, encoding: Encoding) -> String {
    format!("0x{:0width$x}", encoding.bits(), width = format.width().div_ceil(4) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_shown_in_full_width() {
        assert_eq!(bits(Format::BFLOAT16, Encoding::from_bits(0x80)), "0x0080");
        assert_eq!(bits(Format::FLOAT4_E2M1FN, Encoding::from_bits(1)), "0x1");
    }
}
