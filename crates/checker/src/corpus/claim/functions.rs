//! Claims about functions and forests.

use roundproof_exact::Rational;
use roundproof_format::RoundingMode;
use roundproof_functions::Function;
use serde::Deserialize;

use super::{ClaimError, Text, number};
use crate::corpus::given::GivenNetwork;
use crate::corpus::wanted::{Nearness, Trees, Wanted};
use crate::prove::Strategy;

/// How nearly the tree approximates the function, where that is not what is claimed: one of these.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Built {
    Rounding(String),
    Eps(String),
    Excess(String),
}

/// What is wrong with a network of a function or a forest, in a claim that is false.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// How the network is made of the tree: `tree`, or `halved-penalties`.
    pub(in crate::corpus) strategy: Strategy,
    /// How nearly the tree approximates the function; none: as is claimed.
    pub(in crate::corpus) built: Option<Nearness>,
    /// A network in place of that of the tree.
    pub(in crate::corpus) network: Option<GivenNetwork>,
}

impl Text {
    pub(super) fn wanted(&self) -> Result<Wanted, ClaimError> {
        let range = |text: &String| {
            let ends = text.split_once(':').ok_or_else(|| ClaimError::Value(format!("`{text}` is no LOW:HIGH")))?;
            Ok::<_, ClaimError>((number(ends.0)?, number(ends.1)?))
        };
        let nearness = match (&self.eps, &self.excess) {
            (None, None) => Nearness::Rounded(RoundingMode::TiesToEven),
            (Some(error), None) => Nearness::Within(magnitude(error)?),
            (None, Some(excess)) => Nearness::Excess(magnitude(excess)?),
            (Some(_), Some(_)) => return Err(ClaimError::Stray("excess")),
        };
        let overflow = match (&self.overflow, &nearness) {
            (None, _) => None,
            (Some(policy), Nearness::Rounded(_)) => Some(policy.parse()?),
            (Some(_), _) => return Err(ClaimError::Stray("overflow")),
        };
        let function = self.function.as_ref().ok_or(ClaimError::Missing("function"))?;
        Ok(Wanted {
            function: Function::parse(function).map_err(|error| ClaimError::Value(error.to_string()))?,
            domain: self.domain.as_ref().map(|ranges| ranges.iter().map(range).collect()).transpose()?,
            nearness,
            overflow,
            trees: Trees::default(),
        })
    }

    /// What is wrong on purpose.
    pub(super) fn flaw(&self) -> Result<Flaw, ClaimError> {
        let strategy = match self.strategy.as_deref().map(str::parse::<Strategy>).transpose()? {
            None => Strategy::Tree,
            Some(Strategy::HalvedPenalties) if self.layers.is_none() => Strategy::HalvedPenalties,
            Some(_) => return Err(ClaimError::Stray("strategy")),
        };
        let built = match &self.built {
            None => None,
            Some(Built::Rounding(mode)) => Some(Nearness::Rounded(mode.parse()?)),
            Some(Built::Eps(error)) => Some(Nearness::Within(magnitude(error)?)),
            Some(Built::Excess(excess)) => Some(Nearness::Excess(magnitude(excess)?)),
        };
        let network = self.layers.as_deref().map(GivenNetwork::new).transpose().map_err(ClaimError::Value)?;
        Ok(Flaw { strategy, built, network })
    }
}

/// A number that is not negative.
pub(super) fn magnitude(text: &String) -> Result<Rational, ClaimError> {
    match number(text)?.value() {
        value if value < 0 => Err(ClaimError::Value(format!("`{text}` is negative"))),
        value => Ok(value),
    }
}
