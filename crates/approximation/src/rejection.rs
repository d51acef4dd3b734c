//! Why an approximation is not accepted.

use std::fmt;

use roundproof_exact::text::{decimal_bounds, exact_dyadic};
use roundproof_exact::{Rational, Value, order_key};
use roundproof_format::{Encoding, Format, Overflow};
use roundproof_functions::FunctionError;
use roundproof_kernel::ReplayRejection;
use thiserror::Error;

/// A box of a domain, or a point of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The format.
    pub format: Format,
    /// For each variable, its least and its largest value; in `F(p)`, where a region ends next to 0, bits that encode nothing.
    pub ends: Vec<(Encoding, Encoding)>,
}

impl Region {
    /// A point: a value for each variable.
    pub fn point(format: Format, values: impl IntoIterator<Item = Encoding>) -> Region {
        Region { format, ends: values.into_iter().map(|value| (value, value)).collect() }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |encoding| match order_key(self.format, encoding) {
            Some(_) => Value { format: self.format, encoding }.to_string(),
            None => "next to 0".to_string(),
        };
        for (variable, &(low, high)) in self.ends.iter().enumerate() {
            let comma = if variable == 0 { "" } else { ", " };
            // Functions have one variable or two.
            let name = if variable == 0 { "x" } else { "y" };
            match low == high {
                true => write!(f, "{comma}{name} = {}", value(low))?,
                false => write!(f, "{comma}{name} from {} to {}", value(low), value(high))?,
            }
        }
        Ok(())
    }
}

/// Significant digits of the ends of an enclosure in a message.
const DIGITS: u32 = 6;

/// The ends of an enclosure, rounded outward.
fn spelled((low, high): &(Rational, Rational)) -> String {
    let (low, high) = decimal_bounds(low, high, DIGITS);
    format!("{low} and {high}")
}

/// Why evidence is not accepted, by the kernel or by the rule of approximation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The kernel does not accept what the claim says of the network.
    #[error(transparent)]
    Kernel(#[from] roundproof_kernel::Rejection),
    /// The tree does not approximate the function.
    #[error("approximation: {0}")]
    Approximation(#[from] ApproximationRejection),
}

impl From<ReplayRejection> for Rejection {
    fn from(rejection: ReplayRejection) -> Rejection {
        Rejection::Kernel(rejection.into())
    }
}

/// Why a tree is not accepted as an approximation of a function. Regions and points have a value, or the least and the
/// largest, for each variable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApproximationRejection {
    /// Correct rounding in `F(p)`, over a range with 0 and another value: it has infinitely many points.
    #[error("variable {variable}: {format} has infinitely many values next to 0, and a function is rounded at each")]
    Infinite {
        /// The variable, from 0.
        variable: usize,
        /// The format.
        format: Format,
    },
    /// Correct rounding by an overflow policy that the format cannot express.
    #[error("{format} cannot express overflow={overflow}")]
    Policy {
        /// The format.
        format: Format,
        /// The policy.
        overflow: Overflow,
    },
    /// Function, domain and forest have different numbers of variables.
    #[error("variables of the function: {variables}, inputs of the forest: {inputs}, ranges of the domain: {ranges}")]
    Variables {
        /// Of the function.
        variables: usize,
        /// Of the forest.
        inputs: usize,
        /// Of the domain.
        ranges: usize,
    },
    /// Not one tree with one output.
    #[error("the rule takes one tree with one output; trees here: {trees}, outputs: {outputs}")]
    Forest {
        /// Trees of the forest.
        trees: usize,
        /// Outputs of the forest.
        outputs: usize,
    },
    /// Ends of the domain that are not finite, not in order, or in `F(p)` with exponents beyond +-2^22.
    #[error("variable {variable}: from {low} to {high} is not a range of finite values of the format, least first")]
    Domain {
        /// The variable, from 0.
        variable: usize,
        /// Its lower end.
        low: Value,
        /// Its upper end.
        high: Value,
    },
    /// A domain with more points than are visited.
    #[error("the domain has {points} points; a function is rounded at no more than {most}")]
    Points {
        /// Points of the domain.
        points: u128,
        /// How many are visited at most.
        most: u128,
    },
    /// A point at which the function, rounded, is not what the tree gives.
    #[error("at {at} the tree gives {}, and the function, rounded, is {expected}", exact_dyadic(given.clone()))]
    Value {
        /// The point.
        at: Region,
        /// What the tree gives.
        given: Rational,
        /// What it should be.
        expected: Value,
    },
    /// A region in which the function is nowhere as near as claimed to what the tree gives.
    #[error(
        "with {region} the tree gives {}, which is too far from the function, between {}",
        exact_dyadic(given.clone()), spelled(between)
    )]
    Error {
        /// The region; in `F(p)`, that of the leaf, of which it is a part.
        region: Region,
        /// What the tree gives.
        given: Rational,
        /// The function is not below the one, nor above the other.
        between: Box<(Rational, Rational)>,
    },
    /// A point at which no precision told on which side of the error the function is; in `F(p)`, a leaf that was halved
    /// until its parts were too small.
    #[error("with {region}, {bits} bits do not tell whether the error is within what the claim allows")]
    Undecided {
        /// The point, or the leaf.
        region: Region,
        /// The bits that were tried last.
        bits: u32,
    },
    /// More enclosures than one claim may take.
    #[error("{most} enclosures of the function did not suffice; a smaller domain or more leaves take fewer")]
    Work {
        /// How many there were.
        most: usize,
    },
    /// A point where the function cannot be rounded or enclosed.
    #[error("with {region}: {error}")]
    Function {
        /// Where.
        region: Region,
        /// Why not.
        error: FunctionError,
    },
}
