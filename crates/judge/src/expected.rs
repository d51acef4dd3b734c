//! What a claim says of one point.

use roundproof_exact::{Rational, order_key, real, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_kernel::values_at;
use roundproof_network::Forest;

use crate::{Accuracy, Approximation, KernelProperty, Property};

/// Bits with which an enclosure begins, beyond the precision of the format.
const FIRST_BITS: u32 = 64;
/// Bits at which it is left open which of two neighbours is right.
const MOST_BITS: u32 = 1 << 12;

/// The least and the largest value that a claim allows of an output; none: it allows no value.
pub type Right = Option<(Encoding, Encoding)>;

/// What a claim about a function or a forest says of one point. Untrusted: for searches and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// For each output, what is approximated there lies between these.
    pub between: Vec<(Rational, Rational)>,
    /// For each output, which values the claim allows. A value may be among them of which that is not decided.
    pub right: Vec<Right>,
}

/// What `property` says of a point with a finite value for each input; none if it is about rows, or the function has no
/// value there.
pub fn expected(property: &Property, forest: &Forest, point: &[Encoding]) -> Option<Expected> {
    let format = forest.format();
    match property {
        Property::Kernel(KernelProperty::Memorizes) => None,
        Property::Kernel(KernelProperty::Computes { tolerance, .. }) => {
            let values = point.iter().all(|&value| format.is_finite(value)).then(|| values_at(forest, point))?;
            let near = |value: &Rational| {
                allowed(format, &Rational::from(value - tolerance), &Rational::from(value + tolerance))
            };
            let right = values.iter().map(near).collect();
            Some(Expected { between: values.into_iter().map(|value| (value.clone(), value)).collect(), right })
        }
        Property::Approximates(property) => {
            let (between, right) = of_function(&property.approximation, format, point)?;
            Some(Expected { between: vec![between], right: vec![right] })
        }
    }
}

/// The values of a format between two reals.
fn allowed(format: Format, low: &Rational, high: &Rational) -> Right {
    let end = |real: &Rational, mode| round(real, format, mode, Overflow::Saturate).encoding;
    let (least, largest) = (end(low, RoundingMode::TowardPositive), end(high, RoundingMode::TowardNegative));
    // Beyond the largest value, saturation leaves the range.
    let within = |value: Encoding| real(format, value).is_some_and(|value| *low <= value && value <= *high);
    let in_order = order_key(format, least) <= order_key(format, largest);
    (in_order && within(least) && within(largest)).then_some((least, largest))
}

fn of_function(
    approximation: &Approximation,
    format: Format,
    point: &[Encoding],
) -> Option<((Rational, Rational), Right)> {
    let Approximation { function, accuracy, .. } = approximation;
    let input: Vec<Rational> = point.iter().map(|&value| real(format, value)).collect::<Option<_>>()?;
    let pairs: Vec<(Rational, Rational)> = input.iter().map(|value| (value.clone(), value.clone())).collect();
    let mut bits = format.precision() + FIRST_BITS;
    if let Accuracy::Rounded { mode, overflow } = *accuracy {
        let between = function.enclose(&pairs, bits).ok()?;
        let rounded = function.round(&input, format, mode, overflow).ok()?.encoding;
        return Some((between, (!format.is_nan(rounded)).then_some((rounded, rounded))));
    }
    loop {
        let (low, high) = function.enclose(&pairs, bits).ok()?;
        let [of_low, of_high] = [&low, &high].map(|value| {
            let slack = slack(accuracy, format, value);
            allowed(format, &Rational::from(value - &slack), &Rational::from(value + &slack))
        });
        if of_low == of_high {
            return Some(((low, high), of_low));
        }
        if bits >= MOST_BITS {
            let widest = |first: (Encoding, Encoding), last: (Encoding, Encoding)| (first.0, last.1);
            let right = match (of_low, of_high) {
                (Some(first), Some(last)) => Some(widest(first, last)),
                (first, last) => first.or(last),
            };
            return Some(((low, high), right));
        }
        bits *= 2;
    }
}

/// How far a value may be from the function, where that is `value`.
fn slack(accuracy: &Accuracy, format: Format, value: &Rational) -> Rational {
    match accuracy {
        Accuracy::Rounded { .. } => Rational::new(),
        Accuracy::Within(error) => error.clone(),
        Accuracy::Excess(excess) => {
            let nearest = round(value, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
            let distance = real(format, nearest).map(|nearest| (nearest - value).abs());
            distance.unwrap_or_default() + excess
        }
    }
}
