//! What a claim says, in one sentence and part by part. Nothing of this decides anything.

use roundproof_exact::text::{approximate_above, exact_decimal};
use roundproof_exact::{Rational, real};
use roundproof_format::{Encoding, Format, Overflow};
use roundproof_kernel::{Shape, Subject};
use serde::Serialize;

use crate::encodings::{has_equal_encodings, is_exact};
use crate::paths::Paths;
use crate::words::{count, leaf_count};
use crate::{Accuracy, Approximates, Approximation, Claim, KernelProperty, Property};

/// A claim, in words and part by part. Numbers that are not counts are texts: `n` or `n/d`, or a decimal for a value of the
/// format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The whole of it in a sentence.
    pub sentence: String,
    /// `memorizes`, `computes` or `approximates`.
    pub property: &'static str,
    /// The format of inputs, weights and outputs.
    pub format: String,
    /// Under which path model it is claimed.
    pub paths: Paths,
    /// Of which inputs it is claimed.
    pub inputs: Inputs,
    /// What the outputs are to be.
    pub outputs: Outputs,
    /// How near the outputs have to be to that.
    pub accuracy: Nearness,
    /// Rows of the data set, from 0, of which it is said that their labels are *not* what is computed.
    pub exceptions: Vec<usize>,
    /// Whether every path gives the same encodings, and not only the same numbers. Where a zero is among the outputs, one path may
    /// give -0 and another +0. None where that cannot be said of the claim alone, without its files; false where it does not follow.
    pub equal_encodings: Option<bool>,
    /// The sizes of what is claimed about.
    pub shape: Sizes,
}

/// Of which inputs something is claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Inputs {
    /// The rows of the data set.
    Rows,
    /// Every finite input of the format.
    Finite,
    /// Every finite input within these ranges.
    Domain {
        /// A range for each variable.
        ranges: Vec<Range>,
    },
}

/// The values of a variable from `low` to `high`, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// `x` or `y`.
    pub variable: &'static str,
    /// The least value.
    pub low: String,
    /// The largest value.
    pub high: String,
}

/// What outputs are to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Outputs {
    /// The labels of the rows.
    Labels,
    /// The value of a forest.
    Forest {
        /// Its trees.
        trees: usize,
        /// Their leaves.
        leaves: usize,
    },
    /// A function of the reals.
    Function {
        /// Its name or expression.
        function: String,
    },
}

/// How near outputs have to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Nearness {
    /// Equal.
    Exact,
    /// Equal to the real value rounded once.
    Rounded {
        /// The direction.
        rounding: &'static str,
        /// What overflow gives.
        overflow: String,
    },
    /// At most this far away.
    Error {
        /// How far.
        error: String,
    },
    /// At most this much farther away than the nearest value of the format.
    Excess {
        /// How much.
        excess: String,
    },
}

/// The sizes of what is claimed about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Rows of the data set.
    pub rows: usize,
    /// Inputs of the network.
    pub inputs: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// Layers of the network.
    pub layers: usize,
    /// Weights and biases of the network.
    pub parameters: usize,
}

impl Statement {
    /// What `claim` says; of its `subject`, if that is at hand, whether encodings are equal.
    pub fn new(claim: &Claim, subject: Option<&Subject<'_>>) -> Statement {
        let Claim { format, model, property, shape } = claim;
        let Shape { rows, input_dimension, output_dimension, layers, parameters } = *shape;
        let paths = Paths::new(model, *format);
        let equal_encodings = subject.map(|subject| has_equal_encodings(claim, subject));
        let (name, inputs, outputs, accuracy, exceptions) = parts(property, *format);
        let zero = match equal_encodings {
            Some(true) => ", with the same encoding on each path",
            Some(false) if is_exact(property) => ", the sign of a zero aside",
            Some(false) | None => "",
        };
        let sentence = format!("{}, {}", paths.lead(), what(claim, zero));
        Statement {
            sentence,
            property: name,
            format: format.to_string(),
            paths,
            inputs,
            outputs,
            accuracy,
            exceptions,
            equal_encodings,
            shape: Sizes { rows, inputs: input_dimension, outputs: output_dimension, layers, parameters },
        }
    }
}

fn parts(property: &Property, format: Format) -> (&'static str, Inputs, Outputs, Nearness, Vec<usize>) {
    match property {
        Property::Kernel(KernelProperty::Memorizes) => {
            ("memorizes", Inputs::Rows, Outputs::Labels, Nearness::Exact, Vec::new())
        }
        Property::Kernel(KernelProperty::Computes { trees, leaves, tolerance, exceptions }) => {
            let outputs = Outputs::Forest { trees: *trees, leaves: *leaves };
            ("computes", Inputs::Finite, outputs, within(tolerance), exceptions.clone())
        }
        Property::Approximates(property) => {
            let Approximates { approximation: Approximation { function, domain, accuracy }, leaves: _ } = &**property;
            let inputs = match domain.iter().all(|range| is_everything(format, range)) {
                true => Inputs::Finite,
                false => Inputs::Domain {
                    ranges: variables(domain).map(|(name, range)| named(format, name, range)).collect(),
                },
            };
            let accuracy = match accuracy {
                Accuracy::Rounded { mode, overflow } => {
                    Nearness::Rounded { rounding: mode.name(), overflow: overflow.to_string() }
                }
                Accuracy::Within(error) => within(error),
                Accuracy::Excess(excess) => Nearness::Excess { excess: excess.to_string() },
            };
            ("approximates", inputs, Outputs::Function { function: function.to_string() }, accuracy, Vec::new())
        }
    }
}

fn within(error: &Rational) -> Nearness {
    if *error == 0 { Nearness::Exact } else { Nearness::Error { error: error.to_string() } }
}

fn named(format: Format, variable: &'static str, (low, high): (Encoding, Encoding)) -> Range {
    Range { variable, low: exact_decimal(format, low), high: exact_decimal(format, high) }
}

fn variables(domain: &[(Encoding, Encoding)]) -> impl Iterator<Item = (&'static str, (Encoding, Encoding))> {
    ["x", "y"].into_iter().zip(domain.iter().copied())
}

/// Whether a range is that of all finite values.
fn is_everything(format: Format, &(low, high): &(Encoding, Encoding)) -> bool {
    (format.largest(true), format.largest(false)) == (Some(low), Some(high))
}

/// The claim, without the paths that it is about; `zero` goes where something is said to be exact.
fn what(claim: &Claim, zero: &str) -> String {
    let shape = &claim.shape;
    match &claim.property {
        Property::Kernel(KernelProperty::Memorizes) => {
            let labels = if shape.output_dimension == 1 { "its label" } else { "its labels" };
            format!("each of {} gives exactly {labels}{zero}", count(shape.rows, "row"))
        }
        Property::Kernel(KernelProperty::Computes { trees, leaves, tolerance, exceptions }) => {
            let function = match trees {
                1 => format!("the value of a tree with {}", leaf_count(*leaves)),
                _ => format!("the value of {trees} trees with {}", leaf_count(*leaves)),
            };
            let how = if *tolerance == 0 {
                format!("exactly {function}{zero}")
            } else {
                format!("{function}, with an error of at most {}", approximate_above(tolerance))
            };
            let rows = match (shape.rows, exceptions.len()) {
                (0, _) => String::new(),
                (rows, 0) => format!("; that is the label of each of {}", count(rows, "row")),
                (rows, others) => format!("; that is the label of {} of {}", rows - others, count(rows, "row")),
            };
            format!("every finite input gives {how}{rows}")
        }
        Property::Approximates(property) => approximation(&property.approximation, claim.format, zero),
    }
}

/// Which inputs give what.
fn approximation(approximation: &Approximation, format: Format, zero: &str) -> String {
    let Approximation { domain, accuracy, function } = approximation;
    let shown = function.abridged();
    let range = |(name, (low, high))| {
        if is_everything(format, &(low, high)) {
            return format!("every finite {name}");
        }
        format!("every {name} from {} to {}", exact_decimal(format, low), exact_decimal(format, high))
    };
    let ranges: Vec<String> = variables(domain).map(range).collect();
    let verb = if ranges.len() == 1 { "gives" } else { "give" };
    let how = match accuracy {
        Accuracy::Rounded { mode, overflow } => {
            let saturates = *overflow == Overflow::Saturate && may_saturate(approximation, format);
            format!("exactly {shown}, rounded {mode}{}{zero}", if saturates { " (saturated)" } else { "" })
        }
        Accuracy::Within(error) if *error == 0 => format!("exactly {shown}{zero}"),
        Accuracy::Within(error) => format!("{shown} with an error of at most {}", approximate_above(error)),
        Accuracy::Excess(excess) if *excess == 0 => format!("a value of {format} that is nearest to {shown}"),
        Accuracy::Excess(excess) => format!(
            "{shown} with an error of at most {} more than that of the nearest value of {format}",
            approximate_above(excess)
        ),
    };
    format!("{} {verb} {how}", ranges.join(" and "))
}

/// Whether the function may be beyond the largest value somewhere on the domain.
fn may_saturate(Approximation { function, domain, accuracy: _ }: &Approximation, format: Format) -> bool {
    const BITS: u32 = 128;
    let real = |end: Encoding| real(format, end);
    let ends = domain.iter().map(|&(low, high)| real(low).zip(real(high))).collect::<Option<Vec<_>>>();
    let between = ends.and_then(|ends| function.enclose(&ends, BITS).ok());
    match (between, format.largest(false).and_then(real)) {
        (Some((low, high)), Some(largest)) => low < Rational::from(-&largest) || high > largest,
        _ => true,
    }
}
