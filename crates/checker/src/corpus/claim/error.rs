//! Why a claim says nothing.

use roundproof_format::ParseError;
use roundproof_network::{Activation, ModelError};
use thiserror::Error;

use super::Strategy;
use crate::corpus::all_values::AllValuesError;

/// A `claim.toml` that says nothing that can be proved.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no TOML of the right form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A name in it means nothing.
    #[error(transparent)]
    Name(#[from] ParseError),
    /// A function, a domain or an error that means nothing.
    #[error("{0}")]
    Value(String),
    /// A path model that a format lacks.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An instance that is refused but not claimed.
    #[error("refused names {0}, which is not among the formats, or not among the activations")]
    Refused(String),
    /// An instance that is slow but not claimed.
    #[error("slow names {0}; an instance is named as FORMAT, or as FORMAT.PATHS where there are several paths")]
    Slow(String),
    /// A strategy that makes networks of another activation only.
    #[error("the strategy {strategy} makes no {activation} networks")]
    Activation {
        /// The strategy.
        strategy: Strategy,
        /// The activation.
        activation: Activation,
    },
    /// A field that this kind of claim needs.
    #[error("a claim of this kind needs the field {0}")]
    Missing(&'static str),
    /// A field that this kind of claim does not have.
    #[error("a claim of this kind does not have the field {0}")]
    Stray(&'static str),
    /// A function on all values of a format that does not have it.
    #[error(transparent)]
    AllValues(#[from] AllValuesError),
    /// No format, or no activation.
    #[error("formats and activations must name at least one each")]
    Empty,
}
