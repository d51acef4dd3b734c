//! Claims, path models and witnesses in words.

use roundproof_exact::text::exact_decimal;
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_judge::Evidence;
use roundproof_network::{
    Accumulator, Activation, At, Contraction, Network, Op, Order, PathModel, Placed, Rounding, Storage, Summation,
    Witness,
};

pub use roundproof_judge::words::{claim, count, evidence_kind, leaf_count};

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

fn overflow(format: Format, policy: Overflow) -> Option<&'static str> {
    if !format.is_bounded() {
        return None;
    }
    Some(match policy {
        Overflow::Ieee => "overflow to infinity",
        Overflow::Saturate => "overflow saturates",
        Overflow::Nan => "overflow to NaN",
    })
}

/// The choices of a path model.
pub fn model(model: &PathModel, format: Format) -> String {
    let name = if *model == PathModel::all(format) {
        "all: "
    } else if *model == PathModel::paper(format) {
        "paper: "
    } else {
        ""
    };
    let Summation::Trees(trees) = &model.summation;
    let mut parts = vec![
        match model.rounding {
            Rounding::Any => "any direction for each rounding".to_string(),
            Rounding::Mode(mode) => format!("rounding {mode}"),
        },
        match trees.order {
            Order::Any => "additions in any order".to_string(),
            Order::LeftToRight => "additions from left to right".to_string(),
        },
        match trees.contraction {
            Contraction::Any => "products fused or not".to_string(),
            Contraction::None => "no product fused".to_string(),
        },
    ];
    parts.extend(overflow(format, model.overflow).map(str::to_string));
    if format.is_bounded() {
        parts.push(match model.subnormals {
            Subnormals::Gradual => "gradual underflow".to_string(),
            Subnormals::Flush => "subnormals flushed or not".to_string(),
        });
    }
    if let Accumulator::Wider { format: accumulator, overflow: policy } = trees.accumulator {
        let policy = overflow(accumulator, policy).map(|policy| format!(" ({policy})")).unwrap_or_default();
        parts.push(format!("sums in {accumulator}{policy}, rounded once more at the end"));
    }
    format!("{name}{}", parts.join(", "))
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
    fn models_have_names_and_words() {
        let f = Format::BFLOAT16;
        let text = |text: &str| model(&PathModel::parse(text, f).unwrap(), f);
        assert_eq!(
            text("all"),
            "all: any direction for each rounding, additions in any order, products fused or not, overflow to infinity, \
             gradual underflow"
        );
        assert!(
            text("paper").starts_with("paper: rounding ties-to-even, additions from left to right, no product fused")
        );
        assert!(text("all,subnormals=flush,accumulator=binary32").ends_with(
            "subnormals flushed or not, sums in binary32 (overflow to infinity), rounded once more at the end"
        ));
        let unbounded = Format::unbounded(5).unwrap();
        assert!(model(&PathModel::all(unbounded), unbounded).ends_with("products fused or not"));
    }

    #[test]
    fn bits_are_shown_in_full_width() {
        assert_eq!(bits(Format::BFLOAT16, Encoding::from_bits(0x80)), "0x0080");
        assert_eq!(bits(Format::FLOAT4_E2M1FN, Encoding::from_bits(1)), "0x1");
    }
}
