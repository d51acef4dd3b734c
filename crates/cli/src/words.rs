//! Claims, path models and witnesses in words.

use roundproof_exact::{Rational, decode};
use roundproof_files::text::{approximate_above, decimal_bounds, exact_decimal, exact_dyadic};
use roundproof_format::{Encoding, Format, Overflow, Subnormals};
use roundproof_judge::{
    Accuracy, Approximation, ApproximationRejection, Claim, Evidence, KernelProperty, Property, Rejection,
};
use roundproof_network::{
    Accumulator, Activation, At, Contraction, Network, Order, PathModel, Rounding, Summation, Witness,
};

use crate::output::count;

/// What is claimed.
pub fn claim(claim: &Claim) -> String {
    let shape = &claim.shape;
    match &claim.property {
        Property::Kernel(KernelProperty::Memorizes) => {
            let labels = if shape.output_dimension == 1 { "its label" } else { "its labels" };
            format!("on every rounding path, each of {} gives exactly {labels}", count(shape.rows, "row"))
        }
        Property::Kernel(KernelProperty::Computes { trees, leaves, tolerance, exceptions }) => {
            let function = match trees {
                1 => format!("the value of a tree with {}", leaf_count(*leaves)),
                _ => format!("the value of {trees} trees with {}", leaf_count(*leaves)),
            };
            let how = if *tolerance == 0 {
                format!("exactly {function}")
            } else {
                format!("{function}, with an error of at most {}", approximate_above(tolerance))
            };
            let rows = match (shape.rows, exceptions.len()) {
                (0, _) => String::new(),
                (rows, 0) => format!("; that is the label of each of {}", count(rows, "row")),
                (rows, others) => format!("; that is the label of {} of {}", rows - others, count(rows, "row")),
            };
            format!("on every rounding path, every finite input gives {how}{rows}")
        }
        Property::Approximates(property) => {
            format!("on every rounding path, {}", approximation(&property.approximation, claim.format))
        }
    }
}

/// Which inputs give what.
fn approximation(approximation: &Approximation, format: Format) -> String {
    let Approximation { domain, accuracy, .. } = approximation;
    let function = approximation.function.abridged();
    let range = |(name, &(low, high)): (&str, &(Encoding, Encoding))| {
        if format.largest(true) == Some(low) && format.largest(false) == Some(high) {
            return format!("every finite {name}");
        }
        format!("every {name} from {} to {}", exact_decimal(format, low), exact_decimal(format, high))
    };
    let ranges: Vec<String> = ["x", "y"].into_iter().zip(domain).map(range).collect();
    let verb = if ranges.len() == 1 { "gives" } else { "give" };
    let how = match accuracy {
        Accuracy::Rounded { mode, overflow } => {
            let saturates = *overflow == Overflow::Saturate && may_saturate(approximation, format);
            format!("exactly {function}, rounded {mode}{}", if saturates { " (saturated)" } else { "" })
        }
        Accuracy::Within(error) if *error == 0 => format!("exactly {function}"),
        Accuracy::Within(error) => format!("{function} with an error of at most {}", approximate_above(error)),
        Accuracy::Excess(excess) if *excess == 0 => format!("a value of {format} that is nearest to {function}"),
        Accuracy::Excess(excess) => format!(
            "{function} with an error of at most {} more than that of the nearest value of {format}",
            approximate_above(excess)
        ),
    };
    format!("{} {verb} {how}", ranges.join(" and "))
}

/// Whether the function may be beyond the largest value somewhere on the domain.
fn may_saturate(Approximation { function, domain, .. }: &Approximation, format: Format) -> bool {
    const BITS: u32 = 128;
    let real = |end: Encoding| decode(format, end).and_then(|datum| datum.rational());
    let ends = domain.iter().map(|&(low, high)| real(low).zip(real(high))).collect::<Option<Vec<_>>>();
    let between = ends.and_then(|ends| function.enclose(&ends, BITS).ok());
    match (between, format.largest(false).and_then(real)) {
        (Some((low, high)), Some(largest)) => low < Rational::from(-&largest) || high > largest,
        _ => true,
    }
}

/// Why the kernel does not accept evidence, with values for encodings, and bounds rounded outward.
pub fn rejection(rejection: &Rejection, format: Format) -> String {
    const DIGITS: u32 = 6;
    let place = |region: &[(Encoding, Encoding)]| {
        let range = |(name, &(low, high)): (&str, &(Encoding, Encoding))| match low == high {
            true => format!("{name} = {}", exact_decimal(format, low)),
            false => format!("{name} from {} to {}", exact_decimal(format, low), exact_decimal(format, high)),
        };
        ["x", "y"].into_iter().zip(region).map(range).collect::<Vec<String>>().join(", ")
    };
    let why = match rejection {
        Rejection::Approximation(ApproximationRejection::Value { at, given, expected }) => {
            let at: Vec<(Encoding, Encoding)> = at.iter().map(|&value| (value, value)).collect();
            let (given, expected) = (exact_dyadic(given.clone()), exact_decimal(format, *expected));
            format!("at {} the tree gives {given}, and the function, rounded, is {expected}", place(&at))
        }
        Rejection::Approximation(ApproximationRejection::Error { region, given, between }) => {
            let (low, high) = decimal_bounds(&between.0, &between.1, DIGITS);
            let given = exact_dyadic(given.clone());
            format!(
                "with {} the tree gives {given}, which is too far from the function, between {low} and {high}",
                place(region)
            )
        }
        Rejection::Approximation(ApproximationRejection::Undecided { region, bits }) => {
            format!("with {}, {bits} bits do not tell whether the error is within what the claim allows", place(region))
        }
        Rejection::Approximation(ApproximationRejection::Function { region, error }) => {
            format!("with {}: {error}", place(region))
        }
        _ => return with_values(&rejection.to_string(), format),
    };
    format!("approximation: {why}")
}

/// A message of the kernel, which spells encodings as `0x3f80`, with the value before each: `1 (0x3f80)`.
fn with_values(text: &str, format: Format) -> String {
    let (mut spelled, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("0x") {
        let digits = rest[start + 2..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - start - 2);
        let (before, token) = (&rest[..start], &rest[start..start + 2 + digits]);
        rest = &rest[start + 2 + digits..];
        // A hexadecimal number of an expression goes on with an exponent.
        let is_encoding = !before.ends_with(|c: char| c.is_ascii_alphanumeric()) && !rest.starts_with(['p', 'P', '.']);
        let encoding = u128::from_str_radix(&token[2..], 16).ok().filter(|_| is_encoding).map(Encoding::from_bits);
        spelled += before;
        spelled +=
            &encoding.map_or(token.to_string(), |encoding| format!("{} ({token})", exact_decimal(format, encoding)));
    }
    spelled + rest
}

/// `1 leaf`, `2 leaves`.
pub fn leaf_count(leaves: usize) -> String {
    if leaves == 1 { "1 leaf".to_string() } else { format!("{leaves} leaves") }
}

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

/// The layers of a network.
pub fn network(network: &Network) -> String {
    let layer = |layer: &roundproof_network::Layer| match layer.activation {
        Activation::Identity => format!("{} outputs", layer.rows()).replace("1 outputs", "1 output"),
        activation => format!("{} {activation}", layer.rows()),
    };
    let layers: Vec<String> = network.layers().iter().map(layer).collect();
    format!(
        "{} -> {}; {}, {}",
        count(network.input_dimension(), "input"),
        layers.join(" -> "),
        count(network.layers().len(), "layer"),
        count(network.parameters(), "parameter"),
    )
}

/// The name of a kind of evidence, as on the command line and in certificates.
pub fn evidence_kind(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::BoxNetwork(_) => "box-network",
        Evidence::Paths => "paths",
        Evidence::Witness(_) => "witness",
    }
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
    fn encodings_in_rejections_are_values_too() {
        let f = Format::BFLOAT16;
        assert_eq!(
            with_values("row 3: between 0x3f80 and 0xc000 on 0x1p-3*x, a0x3f80", f),
            "row 3: between 1 (0x3f80) and -2 (0xc000) on 0x1p-3*x, a0x3f80"
        );
        assert_eq!(with_values("0x", f), "0x");
    }

    #[test]
    fn bits_are_shown_in_full_width() {
        assert_eq!(bits(Format::BFLOAT16, Encoding::from_bits(0x80)), "0x0080");
        assert_eq!(bits(Format::FLOAT4_E2M1FN, Encoding::from_bits(1)), "0x1");
    }
}
