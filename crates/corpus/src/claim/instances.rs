//! The instances of a claim: which there are, which of them must be refused, which are slow.

use roundproof_format::Format;
use roundproof_network::Activation;
use serde::Deserialize;

use super::{ClaimError, Instance};

/// One path model, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Paths {
    One(String),
    Several(Vec<String>),
}

impl Paths {
    /// Each model, with what its instances are told apart by.
    pub(super) fn named(&self) -> Vec<(String, &str)> {
        match self {
            Paths::One(model) => vec![(String::new(), model)],
            Paths::Several(models) => models.iter().map(|model| (format!(".{model}"), model.as_str())).collect(),
        }
    }
}

/// Formats in which there must be no network, each for one activation or for all that a claim names.
pub(super) struct Refused(Vec<(Option<Activation>, Format)>);

impl Refused {
    /// Reads `FORMAT` or `ACTIVATION.FORMAT`.
    ///
    /// # Errors
    ///
    /// If the claim does not name the one or the other.
    pub(super) fn read(
        names: &[String],
        activations: &[Activation],
        formats: &[Format],
    ) -> Result<Refused, ClaimError> {
        let read = |name: &String| {
            let (activation, format) = match name.split_once('.') {
                Some((activation, format)) => (Some(activation.parse::<Activation>()?), format.parse()?),
                None => (None, name.parse()?),
            };
            let claimed = formats.contains(&format) && activation.is_none_or(|it| activations.contains(&it));
            claimed.then_some((activation, format)).ok_or_else(|| ClaimError::Refused(name.clone()))
        };
        names.iter().map(read).collect::<Result<_, _>>().map(Refused)
    }

    /// Whether this instance is one of them.
    pub(super) fn has(&self, activation: Activation, format: Format) -> bool {
        self.0.iter().any(|&(only, refused)| refused == format && only.is_none_or(|only| only == activation))
    }
}

/// Instances that take so long that `verify-all` leaves them out unless it is asked for them: all of a claim, none, or these.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Slow {
    Every(bool),
    /// Names without the activation.
    These(Vec<String>),
}

impl Default for Slow {
    fn default() -> Slow {
        Slow::Every(false)
    }
}

impl Slow {
    /// Whether an instance is slow, by its name without the activation.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Slow::Every(slow) => *slow,
            Slow::These(names) => names.iter().any(|other| other == name),
        }
    }

    /// That every name is one of an instance.
    ///
    /// # Errors
    ///
    /// With the first that is not.
    pub(super) fn check(&self, instances: &[Instance]) -> Result<(), ClaimError> {
        let Slow::These(names) = self else { return Ok(()) };
        let is_one = |name: &str| instances.iter().any(|it| it.name.split_once('.').is_some_and(|(_, of)| of == name));
        match names.iter().find(|name| !is_one(name)) {
            Some(stray) => Err(ClaimError::Slow(stray.clone())),
            None => Ok(()),
        }
    }
}
