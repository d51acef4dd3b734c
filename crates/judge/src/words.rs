//! Claims in words. Nothing of this decides anything.

use roundproof_exact::text::{approximate_above, exact_decimal};
use roundproof_exact::{Rational, real};
use roundproof_format::{Encoding, Format, Overflow};

use crate::{Accuracy, Approximation, Claim, Evidence, KernelProperty, Property};

/// `1 row`, `2 rows`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

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
    let real = |end: Encoding| real(format, end);
    let ends = domain.iter().map(|&(low, high)| real(low).zip(real(high))).collect::<Option<Vec<_>>>();
    let between = ends.and_then(|ends| function.enclose(&ends, BITS).ok());
    match (between, format.largest(false).and_then(real)) {
        (Some((low, high)), Some(largest)) => low < Rational::from(-&largest) || high > largest,
        _ => true,
    }
}

/// `1 leaf`, `2 leaves`.
pub fn leaf_count(leaves: usize) -> String {
    if leaves == 1 { "1 leaf".to_string() } else { format!("{leaves} leaves") }
}

/// The name of a kind of evidence, as on the command line and in certificates.
pub fn evidence_kind(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::BoxNetwork(_) => "box-network",
        Evidence::Paths => "paths",
        Evidence::Witness(_) => "witness",
    }
}
