//! Why there is no network.

use roundproof_approximation::Region;
use roundproof_exact::{Rational, Value};
use roundproof_format::{Encoding, Format};
use roundproof_functions::FunctionError;
use roundproof_network::{Activation, NetworkError};
use thiserror::Error;

/// Which errors can be had of a function on a domain, in a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attainable {
    /// None below this: at some point every value of the format is at least so far from the function. 0, if that is not known.
    pub farther: Rational,
    /// The least error, raised to two digits, if the points of the domain are few enough to visit each.
    pub least: Option<Rational>,
    /// An error, of two digits, within which a tree was grown, if one was found.
    pub suffices: Option<Rational>,
}

/// Why a construction has no network to offer. Rows and columns count from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConstructError {
    /// No row.
    #[error("the data set has no rows")]
    Empty,
    /// Two rows with equal inputs and different labels: no function has these values.
    #[error("rows {first} and {second} have the same inputs in {format} but different labels (output {output})")]
    Conflict {
        /// A row.
        first: usize,
        /// Another row with the same inputs.
        second: usize,
        /// An output in which their labels differ.
        output: usize,
        /// The format in which the inputs are the same.
        format: Format,
    },
    /// No scale and penalty make the side of a box safe.
    #[error(
        "row {row}, column {column}: {format} has no powers of two K and W with W * K * gap >= 1 for the {side} side \
         at {}, and no 2^j <= 4096 copies of a weaker unit make up for it; a format with p <= min(2 emax, 2 emax + emin + 1) always has, and \
         the step activation needs none",
        Value { format: *.format, encoding: *.value }
    )]
    NoScale {
        /// The row.
        row: usize,
        /// The input.
        column: usize,
        /// The value at which the side would be.
        value: Encoding,
        /// `lower` or `upper`.
        side: &'static str,
        /// The format.
        format: Format,
    },
    /// In `F(p)`, a box that ends at zero: zero has no neighbour, so nothing tells it from what lies beyond.
    #[error(
        "tree {tree}, node {node}: the cut of input {column} at 0 has no neighbour in {format}, in which no unit tells \
         zero from every other value; cut elsewhere, or use the step activation on boxes with at most 2^p sides"
    )]
    NoNeighbour {
        /// The tree.
        tree: usize,
        /// The node, counted in preorder.
        node: usize,
        /// The input.
        column: u32,
        /// The format.
        format: Format,
    },
    /// No scale and penalty make a box at a cut safe.
    #[error(
        "tree {tree}, node {node}: {format} has no powers of two K and W with W * K * gap >= 1 for the {side} side of a \
         box at the cut of input {column} at {}, and no 2^j <= 4096 copies of a weaker unit make up for it; \
         the step activation needs none",
        Value { format: *.format, encoding: *.threshold }
    )]
    NoScaleAtCut {
        /// The tree.
        tree: usize,
        /// The node, counted in preorder.
        node: usize,
        /// The input.
        column: u32,
        /// Where it is cut.
        threshold: Encoding,
        /// `lower` or `upper`.
        side: &'static str,
        /// The format.
        format: Format,
    },
    /// Numbers that the network needs and may not hold: in `F(p)`, those with exponents beyond +-2^20.
    #[error("the construction is not a network: {0}; keep thresholds and values away from the ends of the format")]
    Network(#[from] NetworkError),
    /// A point at which a function cannot be rounded or enclosed.
    #[error("at {at}: {error}; leave the point out of the domain")]
    Function {
        /// The point.
        at: Region,
        /// Why not.
        error: FunctionError,
    },
    /// A point at which a function, rounded, is not finite.
    #[error(
        "at {at} the function is beyond the largest value of {format}; take a smaller domain, or overflow=saturate"
    )]
    Overflow {
        /// The point.
        at: Region,
        /// The format.
        format: Format,
    },
    /// A point where no value of the format is within the error.
    #[error("at {at} no value of {format} is as near to the function as is asked{}", would_do(.attainable.suffices.as_ref()))]
    TooFine {
        /// The point.
        at: Region,
        /// Which errors are.
        attainable: Box<Attainable>,
        /// The format.
        format: Format,
    },
    /// A domain with more points than a function is rounded at.
    #[error("the domain has more than {most} points; take a smaller one, or an error instead of exact results")]
    TooManyPoints {
        /// How many there may be.
        most: u128,
    },
    /// In `F(p)`, correct rounding over a range with 0 and another value.
    #[error(
        "{format} has infinitely many values next to 0, and no tree tells them all apart; take an error instead of exact \
         results, or a domain without 0"
    )]
    InfinitelyManyPoints {
        /// The format.
        format: Format,
    },
    /// In `F(p)`, a function that varies too much next to 0, where nothing can be cut.
    #[error(
        "{format}: the function varies by more than is asked, or is not defined, next to 0 (`{variable}` within 2^-{depth}), \
         and no box can end there; take a larger error or a domain without 0"
    )]
    AtZero {
        /// The variable.
        variable: &'static str,
        /// Cuts are at magnitudes of at least two to the minus this.
        depth: i64,
        /// The format.
        format: Format,
    },
    /// In `F(p)`, an end of a domain that is too near to 0 or too far from it.
    #[error("in {format}, ends of a domain are 0 or from 2^-{depth} to 2^{depth} in magnitude")]
    Magnitude {
        /// The exponent.
        depth: i64,
        /// The format.
        format: Format,
    },
    /// More leaves than an approximation may have.
    #[error("the error takes more than {most} leaves; take a smaller domain or a larger error{}", would_do(.suffices.as_ref()))]
    TooManyLeaves {
        /// How many there may be.
        most: usize,
        /// About how many there would be, by an estimate.
        estimate: u128,
        /// A larger error, of two digits, within which a tree was grown, if one was found.
        suffices: Option<Rational>,
    },
    /// No power of two makes a step of two ReLU layers steep enough.
    #[error(
        "row {row}, column {column}: {format} has no power of two K with K * gap >= 1 for the {side} bound at {}; \
         a box network has a second factor, and the step activation needs none",
        Value { format: *.format, encoding: *.value }
    )]
    NoSlope {
        /// The row.
        row: usize,
        /// The input.
        column: usize,
        /// The bound.
        value: Encoding,
        /// `lower` or `upper`.
        side: &'static str,
        /// The format.
        format: Format,
    },
    /// A number of bounds that the format does not have.
    #[error(
        "{bounds}, the number of bounds to be counted, is not a value of {format}; the strategy point counts nothing"
    )]
    Count {
        /// The number.
        bounds: usize,
        /// The format.
        format: Format,
    },
    /// The construction does not apply.
    #[error("{0}")]
    Unsuitable(&'static str),
    /// More units than a layer can have.
    #[error("{units} units are more than the {} of a layer", u32::MAX)]
    TooLarge {
        /// How many there would be.
        units: usize,
    },
}

fn would_do(error: Option<&Rational>) -> String {
    error.map_or(String::new(), |error| format!(": {error} would do"))
}

/// Whether box networks have this hidden activation.
pub(crate) fn check_hidden(activation: Activation) -> Result<(), ConstructError> {
    match activation {
        Activation::Step | Activation::Relu => Ok(()),
        Activation::Identity
        | Activation::LeakyRelu { slope: _ }
        | Activation::Clip { low: _, high: _ }
        | Activation::Sign => Err(ConstructError::Unsuitable("a box network needs the step or relu activation")),
    }
}
