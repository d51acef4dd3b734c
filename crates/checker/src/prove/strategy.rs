//! How a network is made of a data set.

use std::fmt;
use std::str::FromStr;

use roundproof_format::ParseError;
use roundproof_network::Activation;

/// How a network is made of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// A box network with one point box per distinct row. Sound on every path.
    Point,
    /// A decision tree grown on the rows, as a box network. Sound on every path.
    Tree,
    /// A point box network with every penalty halved. Wrong; for the corpus.
    HalvedPenalties,
    /// The telescoping sum. Right over the reals; for the corpus.
    TelescopingSum,
    /// Indicators of rows that count satisfied bounds. Right over the reals; for the corpus.
    CountingIndicator,
    /// The same of steps of two ReLU layers. Right over the reals; for the corpus.
    CountedRamps,
    /// A point box network with every weight stored, zeros too. Right on finite values; for the corpus.
    DensePoint,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: &'static [Strategy] = &[
        Strategy::Point,
        Strategy::Tree,
        Strategy::HalvedPenalties,
        Strategy::TelescopingSum,
        Strategy::CountingIndicator,
        Strategy::CountedRamps,
        Strategy::DensePoint,
    ];

    /// The hidden activation of its networks, if it makes but one kind.
    pub const fn only_activation(self) -> Option<Activation> {
        match self {
            Strategy::Point | Strategy::Tree | Strategy::DensePoint => None,
            Strategy::HalvedPenalties | Strategy::CountedRamps => Some(Activation::Relu),
            Strategy::TelescopingSum | Strategy::CountingIndicator => Some(Activation::Step),
        }
    }

    /// The spelling on the command line and in claims.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Point => "point",
            Strategy::Tree => "tree",
            Strategy::HalvedPenalties => "halved-penalties",
            Strategy::TelescopingSum => "telescoping-sum",
            Strategy::CountingIndicator => "counting-indicator",
            Strategy::CountedRamps => "counted-ramps",
            Strategy::DensePoint => "dense-point",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Strategy, ParseError> {
        let known = Strategy::ALL.iter().copied();
        known
            .clone()
            .find(|strategy| strategy.name() == text)
            .ok_or_else(|| ParseError::unknown("strategy", text, known.map(Strategy::name)))
    }
}
