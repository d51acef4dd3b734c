//! What is claimed, and what can be said of it.

use std::fmt;

use roundproof_format::Format;
use roundproof_network::{Dataset, Network, PathModel};

/// A statement about one network and one data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The format of network and data.
    pub format: Format,
    /// The rounding paths that the claim speaks of.
    pub model: PathModel,
    /// What is said to hold.
    pub property: Property,
    /// The shape of network and data.
    pub shape: Shape,
}

/// What is said to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// For every row of the data set, on every path, every output equals its label as a value: +0 equals -0, and NaN
    /// equals nothing.
    Memorizes,
}

/// The sizes that a claim names, so that it can be read without its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of the data set.
    pub rows: usize,
    /// Inputs per row.
    pub input_dimension: usize,
    /// Labels per row.
    pub output_dimension: usize,
    /// Layers of the network.
    pub layers: usize,
    /// Stored weights and biases of the network.
    pub parameters: usize,
}

impl Shape {
    /// The shape of this network and data set. Their dimensions are compared by the kernel's check.
    pub fn of(network: &Network, data: &Dataset) -> Shape {
        Shape {
            rows: data.rows(),
            input_dimension: network.input_dimension(),
            output_dimension: network.output_dimension(),
            layers: network.layers().len(),
            parameters: network.parameters(),
        }
    }
}

impl Claim {
    /// The claim that `network` memorizes `data` under `model`.
    pub fn memorizes(network: &Network, data: &Dataset, model: PathModel) -> Claim {
        Claim { format: network.format(), model, property: Property::Memorizes, shape: Shape::of(network, data) }
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
