//! What a claim about points says of the point of a witness, in words.

use roundproof_exact::text::{approximate, approximate_above, decimal_bounds, exact_decimal, exact_dyadic};
use roundproof_exact::{Rational, real, round};
use roundproof_format::{Encoding, Overflow, RoundingMode};
use roundproof_network::Forest;

use crate::expected::{Expected, expected};
use crate::words::count;
use crate::{Accuracy, Claim, KernelProperty, Property};

/// Significant digits of a function's value.
const DIGITS: u32 = 12;
/// How many inputs are named.
const MOST: usize = 12;

/// What is claimed of one point.
pub struct Point<'a> {
    claim: &'a Claim,
    inputs: &'a [Encoding],
    expected: Expected,
}

impl<'a> Point<'a> {
    /// What `claim` says of a point; none if it is about rows, or says nothing of this point.
    pub fn new(claim: &'a Claim, forest: &Forest, inputs: &'a [Encoding]) -> Option<Point<'a>> {
        if inputs.len() != forest.dimension() || inputs.iter().any(|&input| !claim.format.is_finite(input)) {
            return None;
        }
        Some(Point { claim, inputs, expected: expected(&claim.property, forest, inputs)? })
    }

    /// The names of the inputs.
    pub fn names(&self) -> Vec<String> {
        match &self.claim.property {
            Property::Approximates(_) => ["x", "y"].iter().take(self.inputs.len()).map(ToString::to_string).collect(),
            Property::Kernel(_) => (0..self.inputs.len()).map(|input| format!("x{input}")).collect(),
        }
    }

    /// The inputs.
    pub fn encodings(&self) -> &[Encoding] {
        self.inputs
    }

    /// The inputs, exactly.
    pub fn inputs(&self) -> Vec<String> {
        self.inputs.iter().map(|&input| exact_decimal(self.claim.format, input)).collect()
    }

    /// Which point it is: all inputs if they are few, else those that are not 0.
    pub fn place(&self) -> String {
        let format = self.claim.format;
        let all = self.inputs.len() <= 4;
        let told = self.names().into_iter().zip(self.inputs).filter(|(_, input)| all || !format.is_zero(**input));
        let mut told: Vec<String> =
            told.map(|(name, &input)| format!("{name} = {}", exact_decimal(format, input))).collect();
        let others = told.len().saturating_sub(MOST);
        told.truncate(MOST);
        let mut place = if told.is_empty() { "every input 0".to_string() } else { told.join(", ") };
        if others > 0 {
            place += &format!(", and {others} more");
        }
        if !all && !told.is_empty() {
            place += ", else 0";
        }
        place
    }

    /// The least and the largest value that the claim allows of an output, if any.
    pub fn allowed(&self, output: usize) -> Option<(Encoding, Encoding)> {
        self.expected.right.get(output).copied().flatten()
    }

    /// The same in words.
    pub fn expected(&self, output: usize) -> String {
        let format = self.claim.format;
        let spell = |value| exact_decimal(format, value);
        match self.allowed(output) {
            None => format!("no value of {format}"),
            Some((low, high)) if low == high => spell(low),
            Some((low, high)) => format!("{} to {}", spell(low), spell(high)),
        }
    }

    /// What the function or the forest is at the point, what the claim allows, and how far off a value is.
    pub fn function(&self, output: usize, given: Encoding) -> String {
        let Some((low, high)) = self.expected.between.get(output) else { return String::new() };
        let value = between(low, high);
        match &self.claim.property {
            Property::Kernel(KernelProperty::Memorizes) => String::new(),
            Property::Kernel(KernelProperty::Computes { trees, tolerance, .. }) => {
                let what =
                    if *trees == 1 { "the tree gives".to_string() } else { format!("{} give", count(*trees, "tree")) };
                let value = exact_dyadic(low.clone());
                match *tolerance == 0 {
                    true => format!("{what} {value}"),
                    false => format!("{what} {value}; allowed is an error of at most {}", approximate_above(tolerance)),
                }
            }
            Property::Approximates(property) => {
                let approximation = &property.approximation;
                let is = format!("{} is {value}", approximation.function.abridged());
                let off = self.off(low, high, given);
                match &approximation.accuracy {
                    Accuracy::Rounded { mode, .. } => format!("{is}, which {mode} rounds to {}", self.expected(output)),
                    Accuracy::Within(error) => format!("{is}{off}; allowed is {}", error_of(error)),
                    Accuracy::Excess(excess) => {
                        let format = self.claim.format;
                        let nearest = round(low, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
                        let nearest = exact_decimal(format, nearest);
                        format!(
                            "{is}{off}; allowed is {} more than that of the nearest value, {nearest}",
                            error_of(excess)
                        )
                    }
                }
            }
        }
    }

    fn off(&self, low: &Rational, high: &Rational, given: Encoding) -> String {
        let given = real(self.claim.format, given);
        let distance = given.map(|given| if given < *low { low - given } else { given - high });
        match distance {
            Some(distance) if distance > 0 => format!(", and the path is off by {}", approximate(&distance)),
            _ => String::new(),
        }
    }
}

fn error_of(error: &Rational) -> String {
    if *error == 0 { "no error".to_string() } else { format!("an error of at most {}", approximate_above(error)) }
}

fn between(low: &Rational, high: &Rational) -> String {
    if low == high {
        return format!("exactly {}", exact_dyadic(low.clone()));
    }
    let (low, high) = decimal_bounds(low, high, DIGITS);
    format!("between {low} and {high}")
}
