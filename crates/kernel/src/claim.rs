//! What is claimed, and what can be said of it.

use std::fmt;

use roundproof_exact::Rational;
use roundproof_format::Format;
use roundproof_network::{Dataset, Forest, Network, PathModel};

/// A statement about one network, and a data set or a forest.
///
/// `P` is what is said to hold: of the kernel's own claims a [`Property`], of claims that other crates judge by means of the
/// kernel a type of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<P = Property> {
    /// The format of network and data.
    pub format: Format,
    /// The rounding paths that the claim speaks of.
    pub model: PathModel,
    /// What is said to hold.
    pub property: P,
    /// The shape of network and data.
    pub shape: Shape,
}

/// What is said to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// For every row of the data set, on every path, every output equals its label as a value: +0 equals -0, and NaN
    /// equals nothing.
    Memorizes,
    /// At every finite input, on every path, every output is at most `tolerance` away from the value of the forest.
    ///
    /// With a data set, which takes tolerance 0: the forest's value is the label in every row but the exceptions, and in
    /// none of these.
    Computes {
        /// Trees of the forest.
        trees: usize,
        /// Leaves of its trees together.
        leaves: usize,
        /// How far an output may be from the forest's value; 0: nowhere.
        tolerance: Rational,
        /// The rows, ascending, whose label is not the forest's value.
        exceptions: Vec<usize>,
    },
}

/// What a claim is about. What is there must be what the claim speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The network.
    pub network: &'a Network,
    /// The data set; [`Property::Memorizes`] needs one.
    pub data: Option<&'a Dataset>,
    /// The forest that is computed.
    pub forest: Option<&'a Forest>,
}

impl<'a> Subject<'a> {
    /// A network and the data set that it is to memorize.
    pub fn memorizing(network: &'a Network, data: &'a Dataset) -> Subject<'a> {
        Subject { network, data: Some(data), forest: None }
    }
}

/// The sizes that a claim names, so that it can be read without its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of the data set; 0 if there is none.
    pub rows: usize,
    /// Inputs.
    pub input_dimension: usize,
    /// Outputs.
    pub output_dimension: usize,
    /// Layers of the network.
    pub layers: usize,
    /// Stored weights and biases of the network.
    pub parameters: usize,
}

impl Shape {
    /// The shape of this network and data set. Their dimensions are compared by the kernel's check.
    pub fn of(network: &Network, data: Option<&Dataset>) -> Shape {
        Shape {
            rows: data.map_or(0, Dataset::rows),
            input_dimension: network.input_dimension(),
            output_dimension: network.output_dimension(),
            layers: network.steps().len(),
            parameters: network.parameters(),
        }
    }
}

impl Claim {
    /// The claim that `network` memorizes `data` under `model`.
    pub fn memorizes(network: &Network, data: &Dataset, model: PathModel) -> Claim {
        let shape = Shape::of(network, Some(data));
        Claim { format: network.format(), model, property: Property::Memorizes, shape }
    }

    /// The claim that `network` computes `forest` within `tolerance` under `model` and, if there is a data set, that the
    /// forest gives all of its rows their labels but for `exceptions`.
    pub fn computes(
        network: &Network,
        forest: &Forest,
        data: Option<&Dataset>,
        model: PathModel,
        tolerance: Rational,
        exceptions: Vec<usize>,
    ) -> Claim {
        let (trees, leaves) = (forest.trees().len(), forest.leaves());
        let property = Property::Computes { trees, leaves, tolerance, exceptions };
        Claim { format: network.format(), model, property, shape: Shape::of(network, data) }
    }
}

impl<P> Claim<P> {
    /// The same format, path model and shape with something else said to hold.
    pub fn with<Q>(&self, property: Q) -> Claim<Q> {
        Claim { format: self.format, model: self.model, property, shape: self.shape }
    }

    /// The claim, with its property as one of another type.
    pub fn map<Q>(self, property: impl FnOnce(P) -> Q) -> Claim<Q> {
        Claim { format: self.format, model: self.model, property: property(self.property), shape: self.shape }
    }
}

/// What has been established of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The kernel accepted evidence for it.
    Proved,
    /// A solver said so, and the kernel has nothing to re-check.
    Attested,
    /// A witness path replays and contradicts it.
    Refuted,
    /// Its assumptions cannot hold: there is nothing that it speaks of.
    Vacuous,
    /// Nothing was established.
    Unknown,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &'static [Verdict] =
        &[Verdict::Proved, Verdict::Attested, Verdict::Refuted, Verdict::Vacuous, Verdict::Unknown];

    /// The word in certificates and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Proved => "Proved",
            Verdict::Attested => "Attested",
            Verdict::Refuted => "Refuted",
            Verdict::Vacuous => "Vacuous",
            Verdict::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
