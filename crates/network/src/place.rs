//! Places in networks and data sets, as messages name them.

use std::fmt;

/// Numbers of one kind of place, from 0: each displays itself with the word for it.
macro_rules! places {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    )*};
}

places! {
    /// A row of a data set, from 0.
    Row, "row";
    /// An input of a network, or a column of inputs, from 0.
    Input, "input";
    /// An output of a network, or a column of labels, from 0.
    Output, "output";
    /// A unit of a box network: a neuron of its first layer, from 0.
    Unit, "unit";
    /// A box of a box network: a neuron of its second layer, from 0.
    BoxNumber, "box";
}

/// A neuron of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The layer, from 0.
    pub layer: usize,
    /// The neuron in it, from 0.
    pub neuron: usize,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {}, neuron {}", self.layer, self.neuron)
    }
}

/// Where something may stand that a witness names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A row of the data set.
    Row(Row),
    /// An output of the network.
    Output(Output),
    /// A neuron of the network.
    Site(Site),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Row(row) => row.fmt(f),
            Place::Output(output) => output.fmt(f),
            Place::Site(site) => site.fmt(f),
        }
    }
}
