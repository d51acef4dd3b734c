//! Claims and rejections in words. Nothing of this decides anything.

use roundproof_exact::{Rational, decode};
use roundproof_files::text::{approximate_above, decimal_bounds, exact_decimal, exact_dyadic};
use roundproof_format::{Encoding, Format, Overflow};

use crate::{Accuracy, Approximation, ApproximationRejection, Claim, Evidence, KernelProperty, Property, Rejection};

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

/// The name of a kind of evidence, as on the command line and in certificates.
pub fn evidence_kind(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::BoxNetwork(_) => "box-network",
        Evidence::Paths => "paths",
        Evidence::Witness(_) => "witness",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_in_rejections_are_values_too() {
        let f = Format::BFLOAT16;
        assert_eq!(
            with_values("row 3: between 0x3f80 and 0xc000 on 0x1p-3*x, a0x3f80", f),
            "row 3: between 1 (0x3f80) and -2 (0xc000) on 0x1p-3*x, a0x3f80"
        );
        assert_eq!(with_values("0x", f), "0x");
    }
}
